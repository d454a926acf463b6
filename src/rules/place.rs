//! What time it is where a person is, as far as country and state tell. Comes from the time zone
//! data in the binary, so that every machine gives the same answer.

use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use std::sync::LazyLock;

use crate::clock::Millis;

static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// Hour (0 to 23) and day of the week (`mon` … `sun`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LocalTime {
    pub(super) hour: i64,
    pub(super) weekday: &'static str,
}

/// The local time at `at`; UTC where the country is not known.
pub(super) fn local_time(at: Millis, country: &str, region: &str) -> LocalTime {
    let zone = zone_of(&country.to_ascii_uppercase(), region);
    let zone = zone
        .and_then(|name| ZONES.get(name).ok())
        .unwrap_or(TimeZone::UTC);
    let stamp = Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH);
    let local = stamp.to_zoned(zone);
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let index = usize::try_from(local.weekday().to_monday_zero_offset()).unwrap_or_default();
    LocalTime {
        hour: i64::from(local.hour()),
        weekday: days.get(index).copied().unwrap_or("mon"),
    }
}

fn zone_of(country: &str, region: &str) -> Option<&'static str> {
    let region = region.trim().to_lowercase();
    let code = region.strip_prefix(&country.to_ascii_lowercase());
    let region = code
        .and_then(|rest| rest.strip_prefix('-'))
        .unwrap_or(&region);
    let by_state = match country {
        "US" => find(US, region),
        "CA" => find(CANADA, region),
        "AU" => find(AUSTRALIA, region),
        "BR" => find(BRAZIL, region),
        _ => None,
    };
    by_state.or_else(|| {
        COUNTRIES
            .iter()
            .find(|(codes, _)| codes.split(' ').any(|code| code == country))
            .map(|(_, zone)| *zone)
    })
}

fn find(states: &[(&str, &'static str)], region: &str) -> Option<&'static str> {
    states
        .iter()
        .find(|(names, _)| names.split('|').any(|name| name == region))
        .map(|(_, zone)| *zone)
}

/// A country of several zones stands under the one where most of its firms are.
const COUNTRIES: &[(&str, &str)] = &[
    ("DE", "Europe/Berlin"),
    ("AT", "Europe/Vienna"),
    ("CH LI", "Europe/Zurich"),
    ("FR MC", "Europe/Paris"),
    ("NL", "Europe/Amsterdam"),
    ("BE", "Europe/Brussels"),
    ("LU", "Europe/Luxembourg"),
    ("IT SM VA", "Europe/Rome"),
    ("ES AD", "Europe/Madrid"),
    ("PT", "Europe/Lisbon"),
    ("GB IM JE GG", "Europe/London"),
    ("IE", "Europe/Dublin"),
    ("DK", "Europe/Copenhagen"),
    ("SE", "Europe/Stockholm"),
    ("NO", "Europe/Oslo"),
    ("FI", "Europe/Helsinki"),
    ("IS", "Atlantic/Reykjavik"),
    ("PL", "Europe/Warsaw"),
    ("CZ SK", "Europe/Prague"),
    ("HU", "Europe/Budapest"),
    ("SI HR RS BA ME MK XK AL", "Europe/Belgrade"),
    ("RO MD", "Europe/Bucharest"),
    ("BG", "Europe/Sofia"),
    ("GR CY", "Europe/Athens"),
    ("TR", "Europe/Istanbul"),
    ("EE LV LT", "Europe/Riga"),
    ("UA", "Europe/Kyiv"),
    ("RU BY", "Europe/Moscow"),
    ("MT", "Europe/Malta"),
    ("US", "America/New_York"),
    ("CA", "America/Toronto"),
    ("MX", "America/Mexico_City"),
    ("BR", "America/Sao_Paulo"),
    ("AR UY", "America/Argentina/Buenos_Aires"),
    ("CL", "America/Santiago"),
    ("CO EC PE PA", "America/Bogota"),
    ("AU", "Australia/Sydney"),
    ("NZ", "Pacific/Auckland"),
    ("JP", "Asia/Tokyo"),
    ("KR", "Asia/Seoul"),
    ("CN TW HK MO", "Asia/Shanghai"),
    ("SG MY PH", "Asia/Singapore"),
    ("TH VN KH LA", "Asia/Bangkok"),
    ("ID", "Asia/Jakarta"),
    ("IN LK", "Asia/Kolkata"),
    ("PK", "Asia/Karachi"),
    ("BD", "Asia/Dhaka"),
    ("AE OM", "Asia/Dubai"),
    ("SA QA KW BH IQ", "Asia/Riyadh"),
    ("IL", "Asia/Jerusalem"),
    ("JO LB", "Asia/Amman"),
    ("KZ UZ", "Asia/Almaty"),
    ("ZA", "Africa/Johannesburg"),
    ("EG", "Africa/Cairo"),
    ("NG CM TN DZ", "Africa/Lagos"),
    ("MA", "Africa/Casablanca"),
    ("KE TZ UG ET", "Africa/Nairobi"),
    ("GH CI SN", "Africa/Accra"),
];

/// States that do not keep New York's time; a state of two zones stands under the larger one.
const US: &[(&str, &str)] = &[
    (
        "al|alabama|ar|arkansas|il|illinois|ia|iowa|ks|kansas|la|louisiana|mn|minnesota",
        CHICAGO,
    ),
    (
        "ms|mississippi|mo|missouri|ne|nebraska|nd|north dakota|ok|oklahoma",
        CHICAGO,
    ),
    (
        "sd|south dakota|tn|tennessee|tx|texas|wi|wisconsin",
        CHICAGO,
    ),
    (
        "co|colorado|id|idaho|mt|montana|nm|new mexico|ut|utah|wy|wyoming",
        "America/Denver",
    ),
    ("az|arizona", "America/Phoenix"),
    (
        "ca|california|nv|nevada|or|oregon|wa|washington",
        "America/Los_Angeles",
    ),
    ("ak|alaska", "America/Anchorage"),
    ("hi|hawaii", "Pacific/Honolulu"),
];
const CHICAGO: &str = "America/Chicago";

const CANADA: &[(&str, &str)] = &[
    ("bc|british columbia", "America/Vancouver"),
    ("ab|alberta|nt|northwest territories", "America/Edmonton"),
    ("sk|saskatchewan", "America/Regina"),
    ("mb|manitoba", "America/Winnipeg"),
    (
        "nb|new brunswick|ns|nova scotia|pe|prince edward island",
        "America/Halifax",
    ),
    (
        "nl|newfoundland|newfoundland and labrador",
        "America/St_Johns",
    ),
];

const AUSTRALIA: &[(&str, &str)] = &[
    ("qld|queensland", "Australia/Brisbane"),
    ("sa|south australia", "Australia/Adelaide"),
    ("wa|western australia", "Australia/Perth"),
    ("nt|northern territory", "Australia/Darwin"),
];

const BRAZIL: &[(&str, &str)] = &[("am|amazonas|mt|ms|ro|rr", "America/Manaus")];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hour_is_that_of_the_persons_place_summer_time_included() {
        // 2026-07-01T18:30:00Z, a Wednesday, and 2026-01-01T23:30:00Z, a Thursday.
        let cases = [
            (1_782_930_600_000, "DE", "", 20, "wed"),
            (1_767_310_200_000, "DE", "", 0, "fri"),
            (1_782_930_600_000, "US", "California", 11, "wed"),
            (1_782_930_600_000, "us", "TX", 13, "wed"),
            (1_782_930_600_000, "AU", "AU-WA", 2, "thu"),
            (1_782_930_600_000, "US", "", 14, "wed"),
            (1_782_930_600_000, "XX", "", 18, "wed"),
            (1_782_930_600_000, "", "", 18, "wed"),
        ];
        for (at, country, region, hour, weekday) in cases {
            assert_eq!(
                local_time(at, country, region),
                LocalTime { hour, weekday },
                "{country} {region}"
            );
        }
    }

    #[test]
    fn every_zone_of_the_tables_is_in_the_binary() {
        let tables = [COUNTRIES, US, CANADA, AUSTRALIA, BRAZIL];
        for (names, zone) in tables.into_iter().flatten() {
            assert!(ZONES.get(zone).is_ok(), "{names}: {zone}");
        }
    }
}
