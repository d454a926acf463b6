//! Countries as people write them, as ISO 3166 codes.

use rlibphonenumber::Region;

use super::synonyms;

const NAMES: &[(&str, &str)] = &[
    (
        "DE",
        "germany deutschland alemania allemagne germania duitsland alemanha ger deu",
    ),
    ("AT", "austria österreich oesterreich autriche aut"),
    ("CH", "switzerland schweiz suiza suisse svizzera che"),
    (
        "US",
        "united_states usa united_states_of_america vereinigte_staaten estados_unidos états-unis etats-unis u.s. u.s.a.",
    ),
    (
        "GB",
        "united_kingdom uk great_britain england scotland wales großbritannien grossbritannien vereinigtes_königreich reino_unido royaume-uni gbr",
    ),
    ("FR", "france frankreich francia fra"),
    ("ES", "spain spanien españa espana espagne esp"),
    ("IT", "italy italien italia italie ita"),
    (
        "NL",
        "netherlands niederlande the_netherlands holland países_bajos pays-bas nederland nld",
    ),
    ("BE", "belgium belgien belgique bélgica bel"),
    ("LU", "luxembourg luxemburg luxemburgo lux"),
    ("LI", "liechtenstein lie"),
    ("PL", "poland polen polska polonia pologne pol"),
    ("CZ", "czechia czech_republic tschechien chequia cze"),
    ("DK", "denmark dänemark danmark dinamarca dnk"),
    ("SE", "sweden schweden sverige suecia swe"),
    ("NO", "norway norwegen norge noruega nor"),
    ("FI", "finland finnland suomi finlandia fin"),
    ("IE", "ireland irland irlanda irl"),
    ("PT", "portugal prt"),
    ("GR", "greece griechenland grecia grc"),
    ("HU", "hungary ungarn hungría hun"),
    ("RO", "romania rumänien rumanía rou"),
    ("TR", "turkey türkei turquía türkiye tur"),
    ("UA", "ukraine ucrania ukr"),
    ("CA", "canada kanada canadá can"),
    ("MX", "mexico mexiko méxico mex"),
    ("BR", "brazil brasilien brasil bra"),
    ("AR", "argentina argentinien arg"),
    ("CL", "chile chl"),
    ("CO", "colombia kolumbien col"),
    ("PE", "peru perú per"),
    ("IN", "india indien ind"),
    ("CN", "china chn"),
    ("JP", "japan japón jpn"),
    ("KR", "south_korea korea südkorea kor"),
    ("SG", "singapore singapur sgp"),
    ("AU", "australia australien aus"),
    ("NZ", "new_zealand neuseeland nzl"),
    ("ZA", "south_africa südafrika zaf"),
    ("AE", "united_arab_emirates uae vae are"),
    ("IL", "israel isr"),
];

/// The code of a country's code or name; `None` for what is neither.
pub(super) fn code(text: &str) -> Option<String> {
    let text = text.trim();
    if text.len() == 2 {
        let upper = text.to_uppercase();
        if upper == "UK" {
            return Some("GB".into());
        }
        // The library knows "ZZ", which is no country.
        return Region::from_code(&upper)
            .ok()
            .filter(|_| upper != "ZZ")
            .map(|region| region.as_region_str().as_str().to_owned());
    }
    synonyms::code_of(NAMES, &text.to_lowercase().replace(' ', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_are_read_as_people_write_them() {
        let cases = [
            ("de", Some("DE")),
            ("Deutschland", Some("DE")),
            ("United States", Some("US")),
            ("uk", Some("GB")),
            ("ESP", Some("ES")),
            ("Narnia", None),
            ("ZZ", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(code(text).as_deref(), expected, "{text}");
        }
    }
}
