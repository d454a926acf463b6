//! Languages as people write them, as ISO 639 codes.

use super::synonyms;

const NAMES: &[(&str, &str)] = &[
    ("en", "english englisch inglés ingles anglais inglese"),
    ("de", "german deutsch alemán aleman allemand tedesco"),
    (
        "fr",
        "french französisch francés frances français francais francese",
    ),
    (
        "es",
        "spanish spanisch español espanol espagnol spagnolo castellano",
    ),
    ("it", "italian italienisch italiano italien"),
    (
        "pt",
        "portuguese portugiesisch portugués português portugais",
    ),
    (
        "nl",
        "dutch niederländisch neerlandés néerlandais nederlands",
    ),
    ("pl", "polish polnisch polaco polonais polski"),
    ("tr", "turkish türkisch turco turc türkçe"),
];

/// The code of a language's name or tag (`de`, `de-AT`, `pt_BR`); `None` for what is neither.
pub(super) fn code(text: &str) -> Option<String> {
    let text = text.trim();
    let tag = text.split(['-', '_']).next().unwrap_or_default();
    if tag.len() == 2 && tag.bytes().all(|b| b.is_ascii_alphabetic()) {
        return Some(tag.to_ascii_lowercase());
    }
    synonyms::code_of(NAMES, &text.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_read_as_people_write_them() {
        let cases = [
            ("DE", Some("de")),
            ("pt_BR", Some("pt")),
            ("de-AT", Some("de")),
            ("German", Some("de")),
            ("Español", Some("es")),
            ("Klingon", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(code(text).as_deref(), expected, "{text}");
        }
    }
}
