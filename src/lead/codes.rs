//! Codes of countries and languages as leads carry them: what else stands in a file would match none.

/// ISO 3166-1, and Kosovo as everybody writes it.
const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT \
    BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH \
    ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT \
    HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS \
    LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI \
    NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG \
    SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG \
    UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW";
/// ISO 639-1.
const LANGUAGES: &str = "aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs \
    cu cv cy da de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu \
    hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln \
    lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps \
    pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to \
    tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu";

/// Whether it is a country's code (ISO 3166-1, upper case).
pub fn is_country(code: &str) -> bool {
    COUNTRIES
        .split_ascii_whitespace()
        .any(|known| known == code)
}

/// Whether it is a language's code (ISO 639-1, lower case).
pub fn is_language(code: &str) -> bool {
    LANGUAGES
        .split_ascii_whitespace()
        .any(|known| known == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_that_nobody_has_are_known_from_those_that_somebody_has() {
        for code in ["DE", "GB", "US", "JP", "LI", "XK", "ZA"] {
            assert!(is_country(code), "{code}");
        }
        for code in [
            "UK", "XX", "ZZ", "EU", "EN", "de", "", "001", "DEU", "DE AT",
        ] {
            assert!(!is_country(code), "{code}");
        }
        for code in ["de", "en", "ja", "uk", "zu"] {
            assert!(is_language(code), "{code}");
        }
        for code in ["xx", "jp", "cz", "EN", "", "de en"] {
            assert!(!is_language(code), "{code}");
        }
    }
}
