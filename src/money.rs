//! The value of a sale as people write it. Knows nothing of leads.

/// Values above this are a slip of the finger.
const UNITS_MAX: i64 = 1_000_000_000_000;

/// Minor units of an amount: `1200`, `1,200.50`, `1.200,50`. The last `.` or `,` with one or two
/// digits behind it is the decimal mark.
pub fn minor_units(text: &str) -> Result<i64, String> {
    let wanted = || format!("`{text}` is no amount; wanted is a number such as 1200 or 1200.50");
    let kept: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '\'')
        .collect();
    let mark = kept.rfind(['.', ',']);
    let decimals = mark.map_or(0, |at| kept.len() - at - 1);
    let (whole, cents) = match mark {
        Some(at) if decimals == 1 || decimals == 2 => kept.split_at(at),
        Some(_) | None => (kept.as_str(), ""),
    };
    let whole: String = whole.chars().filter(|c| !matches!(c, '.' | ',')).collect();
    let cents = cents.trim_start_matches(['.', ',']);
    let digits = |s: &str| s.chars().all(|c| c.is_ascii_digit());
    if whole.is_empty() || !digits(&whole) || !digits(cents) {
        return Err(wanted());
    }
    let whole: i64 = whole.parse().map_err(|_| wanted())?;
    let cents: i64 = format!("{cents:0<2}").parse().map_err(|_| wanted())?;
    let units = whole
        .checked_mul(100)
        .and_then(|w| w.checked_add(cents))
        .ok_or_else(wanted)?;
    if units > UNITS_MAX {
        return Err(wanted());
    }
    Ok(units)
}

/// Three letters, upper case (ISO 4217).
pub fn currency(text: &str) -> Result<String, String> {
    let code = text.trim().to_uppercase();
    if code.len() == 3 && code.chars().all(|c| c.is_ascii_alphabetic()) {
        return Ok(code);
    }
    Err(format!(
        "`{text}` is no currency; wanted are three letters such as EUR"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_people_write_them() {
        let cases = [
            ("1200", Some(120_000)),
            ("1200.5", Some(120_050)),
            ("1.200,50", Some(120_050)),
            ("1,200", Some(120_000)),
            ("1'200.00", Some(120_000)),
            (" 12 000 ", Some(1_200_000)),
            ("", None),
            ("-5", None),
            ("12a", None),
            ("99999999999999999999", None),
        ];
        for (text, units) in cases {
            assert_eq!(minor_units(text).ok(), units, "{text}");
        }
    }
}
