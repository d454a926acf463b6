//! The value of a sale as people write it. Knows nothing of leads.

/// Values above this are a slip of the finger.
const UNITS_MAX: f64 = 1e12;

/// Minor units of an amount: `1200`, `1,200.50`, `1.200,50 €`, `10k`; at most two decimals.
pub fn minor_units(text: &str) -> Result<i64, String> {
    let wanted = || format!("`{text}` is no amount; wanted is a number such as 1200 or 1200.50");
    let units = crate::text::amount(text).map(|value| value * 100.0);
    let units = units.filter(|units| (0.0..=UNITS_MAX).contains(units));
    let units = units.ok_or_else(wanted)?;
    let whole = units.round();
    if (units - whole).abs() > 0.001 {
        return Err(wanted());
    }
    #[expect(clippy::cast_possible_truncation, reason = "whole and below UNITS_MAX")]
    Ok(whole as i64)
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
            ("1.200,50 €", Some(120_050)),
            ("10k", Some(1_000_000)),
            ("1.2345", None),
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
