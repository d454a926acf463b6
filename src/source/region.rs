//! States, provinces and cantons as people write them, as ISO 3166-2 codes, for the countries whose
//! forms ask for them.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::names;

/// Codes by country and folded name: Georgia is a state in one country only.
static NAMES: LazyLock<HashMap<&'static str, names::Codes>> = LazyLock::new(|| {
    let mut by_country: HashMap<&'static str, names::Codes> = HashMap::new();
    for (name, code) in names::table(include_str!("data/regions.txt")) {
        let Some((country, short)) = code.split_once('-') else {
            continue;
        };
        let codes = by_country.entry(country).or_default();
        codes.insert(names::folded(short), code);
        codes.insert(name, code);
    }
    by_country
});

/// The code of a region's code or name in a country; `None` where the table has none.
pub(super) fn code(text: &str, country: &str) -> Option<String> {
    let codes = NAMES.get(country)?;
    let folded = names::folded(text);
    let whole = folded.strip_prefix(&country.to_ascii_lowercase());
    let short = whole.and_then(|rest| rest.strip_prefix(' '));
    let known = |name: &str| codes.get(name).map(|code| (*code).to_owned());
    known(&folded).or_else(|| known(short?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_read_as_people_write_them() {
        let cases = [
            ("California", "US", Some("US-CA")),
            ("ca", "US", Some("US-CA")),
            ("us-ca", "US", Some("US-CA")),
            ("Georgia", "US", Some("US-GA")),
            ("N.R.W.", "DE", None),
            ("NRW", "DE", Some("DE-NW")),
            ("Baden-Württemberg", "DE", Some("DE-BW")),
            ("Thüringen", "DE", Some("DE-TH")),
            ("Québec", "CA", Some("CA-QC")),
            ("Wien", "AT", Some("AT-9")),
            ("St. Gallen", "CH", Some("CH-SG")),
            ("new south wales", "AU", Some("AU-NSW")),
            ("Bayern", "US", None),
            ("Île-de-France", "FR", None),
            ("", "DE", None),
        ];
        for (text, country, expected) in cases {
            assert_eq!(code(text, country).as_deref(), expected, "{text}");
        }
    }
}
