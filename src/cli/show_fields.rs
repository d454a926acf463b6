//! The part of `leadgate leads show` that says who asks for what: each field as it came, and behind an
//! arrow what was made of it.

use std::io::{Result, Write};

use super::show::printable;
use crate::lead::Fields;
use crate::lead::Inquiry;

/// Fields, where they came from, consents.
pub(super) fn write(out: &mut impl Write, inquiry: &Inquiry) -> Result<()> {
    writeln!(out, "\nWho and what")?;
    let fields = &inquiry.fields;
    for name in Fields::NAMES {
        if let Some(value) = fields.get(name) {
            let given = fields.given.get(name);
            let (came, read) = match given {
                Some(given) => (given.as_str(), Some(value.to_owned())),
                None => (value, read_as(fields, name)),
            };
            line(out, name, came, read.as_deref())?;
        }
    }
    for (name, values) in &fields.other {
        let read = fields.read.get(name);
        line(out, name, &values.join("; "), read.map(String::as_str))?;
    }
    for (name, value) in &inquiry.attribution.0 {
        line(out, name, value, None)?;
    }
    for consent in &inquiry.consent {
        let given = if consent.given { "given" } else { "not given" };
        writeln!(out, "  consent      {} {given}", printable(&consent.key))?;
    }
    Ok(())
}

fn line(out: &mut impl Write, name: &str, came: &str, read: Option<&str>) -> Result<()> {
    write!(out, "  {:<12} {}", printable(name), printable(came))?;
    if let Some(read) = read.filter(|read| *read != came) {
        write!(out, " → {}", printable(read))?;
    }
    writeln!(out)
}

/// What is written to or dialled.
fn read_as(fields: &Fields, name: &str) -> Option<String> {
    match name {
        "email" => fields.email.as_ref()?.address.clone(),
        "phone" => {
            let phone = fields.phone.as_ref()?;
            let number = phone.e164.as_ref()?;
            Some(match &phone.extension {
                Some(digits) => format!("{number} ext. {digits}"),
                None => number.clone(),
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lead::Phone;

    #[test]
    fn what_was_changed_stands_behind_an_arrow() {
        let mut fields = Fields {
            name: Some("Ana Díaz".into()),
            phone: Some(Phone::parse("030 901820 ext. 7", Some("DE"))),
            country: Some("DE".into()),
            city: Some("Berlin".into()),
            ..Fields::default()
        };
        fields.given.insert("country".into(), "Deutschland".into());
        fields.other.insert("budget".into(), vec!["10k".into()]);
        fields.read.insert("budget".into(), "10000".into());
        let inquiry = Inquiry {
            fields,
            ..Inquiry::default()
        };
        let mut out = Vec::new();
        write(&mut out, &inquiry).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<_> = text.lines().skip(2).map(str::trim).collect();
        let wanted = [
            "name         Ana Díaz",
            "phone        030 901820 ext. 7 → +4930901820 ext. 7",
            "city         Berlin",
            "country      Deutschland → DE",
            "budget       10k → 10000",
        ];
        assert_eq!(lines, wanted);
    }
}
