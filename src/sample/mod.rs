//! Made-up people with inquiries, for the demo, `send`, the benchmark and tests. Knows no platform.
//! The same seed always makes the same person; two seeds never share an e-mail address.

mod words;

use words::COMPANY_STEMS;
use words::DISPOSABLE;
use words::GERMANY;
use words::LANDS;
use words::Land;
use words::SPAM;
use words::Words;

/// How many of a hundred people are of each kind; the rest is `Kind::Good`.
const KINDS: [(Kind, u64); 5] = [
    (Kind::FreeMail, 25),
    (Kind::Spam, 10),
    (Kind::Incomplete, 6),
    (Kind::Competitor, 4),
    (Kind::Student, 5),
];
/// Company sizes, smallest and largest; small ones are more frequent.
const SIZES: [(u64, u64); 6] = [
    (1, 9),
    (10, 49),
    (20, 99),
    (50, 249),
    (250, 999),
    (1_000, 20_000),
];
/// `utm_source`, `utm_medium`, `utm_campaign`.
const CAMPAIGNS: [(&str, &str, &str); 6] = [
    ("google", "cpc", "brand-search"),
    ("google", "cpc", "autumn-demo"),
    ("facebook", "paid_social", "lead-form-q4"),
    ("linkedin", "paid_social", "decision-makers"),
    ("newsletter", "email", "october"),
    ("bing", "cpc", "generic"),
];
/// Ends in 1, so that its multiples modulo a power of ten repeat no number.
const PHONE_STEP: u128 = 6_180_339_881;

/// What a person is good for; the rules should find it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Wants to buy, and writes from a company's address.
    Good,
    /// Throw-away address, links, and mostly caught by the honeypot.
    Spam,
    /// Left neither e-mail address nor phone.
    Incomplete,
    /// Writes from `rival.example`.
    Competitor,
    /// Wants something for a thesis.
    Student,
    /// Wants to buy, but writes from a free mail address.
    FreeMail,
}

/// A person with an inquiry. Country is ISO 3166, language ISO 639-1.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Person {
    pub seed: u64,
    pub kind: Kind,
    pub first_name: String,
    pub last_name: String,
    pub email: String,
    pub phone: String,
    pub company: String,
    pub job_title: String,
    pub country: String,
    pub city: String,
    pub postcode: String,
    pub language: String,
    pub message: String,
    pub employees: u32,
    pub website: String,
    /// `utm_source` and its kin, and `gclid`; empty for who came by themselves.
    pub utm: Vec<(String, String)>,
    pub consent: bool,
    /// Filled in the field that people do not see.
    pub trapped: bool,
}

impl Person {
    /// Makes the person of this number.
    pub fn from_seed(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let kind = kind(&mut dice);
        let land = land(&mut dice);
        let tongue = land.tongue;
        let first_name = dice.word(land.first).to_owned();
        let last_name = dice.word(land.last).to_owned();
        let place = dice.word(land.cities);
        let (city, postcode) = place.split_once(':').unwrap_or((place, ""));
        let postcode = dice.digits(postcode);
        let phone = phone(seed, dice.word(land.phones));
        let employees = employees(&mut dice);
        let company = company(&mut dice, kind, land, city);
        let site = domain_of(&company, kind, city);
        let local = format!(
            "{}.{}.{}",
            ascii(&first_name),
            ascii(&last_name),
            base36(seed)
        );
        let domain = match kind {
            Kind::Spam => dice.word(DISPOSABLE),
            Kind::FreeMail => dice.word(land.free_mail),
            Kind::Good | Kind::Incomplete | Kind::Competitor | Kind::Student => &site,
        };
        let job_title = match kind {
            Kind::Student => tongue.student_title,
            Kind::Good | Kind::Spam | Kind::Incomplete | Kind::Competitor | Kind::FreeMail => {
                dice.word(tongue.titles)
            }
        };
        let message = message(&mut dice, kind, land)
            .replace("{n}", &employees.to_string())
            .replace("{city}", city)
            .replace("{company}", &company);
        let unreachable = kind == Kind::Incomplete;
        Self {
            seed,
            kind,
            email: if unreachable {
                String::new()
            } else {
                format!("{local}@{domain}")
            },
            phone: if unreachable { String::new() } else { phone },
            job_title: job_title.to_owned(),
            country: land.country.to_owned(),
            city: city.to_owned(),
            postcode,
            language: if kind == Kind::Spam {
                "en"
            } else {
                tongue.language
            }
            .to_owned(),
            message,
            employees,
            website: format!("https://www.{site}"),
            utm: utm(&mut dice),
            consent: dice.chance(if kind == Kind::Spam { 50 } else { 92 }),
            trapped: kind == Kind::Spam && dice.chance(70),
            first_name,
            last_name,
            company,
        }
    }

    /// First and last name.
    pub fn name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name)
    }
}

fn kind(dice: &mut Dice) -> Kind {
    let mut at = dice.below(100);
    for (kind, share) in KINDS {
        if at < share {
            return kind;
        }
        at -= share;
    }
    Kind::Good
}

fn land(dice: &mut Dice) -> &'static Land {
    let mut at = dice.below(100);
    for land in LANDS {
        if at < land.weight {
            return land;
        }
        at -= land.weight;
    }
    &GERMANY
}

fn employees(dice: &mut Dice) -> u32 {
    let (least, most) = dice.one_of(&SIZES).unwrap_or((1, 1));
    u32::try_from(least + dice.below(most - least + 1)).unwrap_or(1)
}

fn company(dice: &mut Dice, kind: Kind, land: &Land, city: &str) -> String {
    let stem = dice.word(COMPANY_STEMS);
    let trade = dice.word(land.tongue.trades);
    let form = dice.word(land.legal_forms);
    match kind {
        Kind::Student => format!("Uni {city}"),
        Kind::Competitor => format!("Rival {form}"),
        Kind::Good | Kind::Spam | Kind::Incomplete | Kind::FreeMail => {
            format!("{stem} {trade} {form}")
        }
    }
}

fn domain_of(company: &str, kind: Kind, city: &str) -> String {
    match kind {
        Kind::Student => format!("stud.uni-{}.example", ascii(city)),
        Kind::Competitor => "rival.example".to_owned(),
        Kind::Good | Kind::Spam | Kind::Incomplete | Kind::FreeMail => {
            let words: Vec<_> = company.split(' ').take(2).map(ascii).collect();
            format!("{}.example", words.join("-"))
        }
    }
}

fn message(dice: &mut Dice, kind: Kind, land: &Land) -> String {
    let tongue = land.tongue;
    let ask = match kind {
        Kind::Spam => return dice.word(SPAM).to_owned(),
        Kind::Competitor => return dice.word(tongue.competitor).to_owned(),
        Kind::Student => tongue.student,
        Kind::Good | Kind::Incomplete | Kind::FreeMail => tongue.asks,
    };
    let greeting = dice.word(tongue.greetings);
    let ask = dice.word(ask);
    let detail = dice.word(tongue.details);
    let thanks = dice.word(tongue.thanks);
    let detail = if kind == Kind::Student { "" } else { detail };
    let parts = [greeting, ask, detail, thanks];
    let said: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    said.join(" ")
}

fn utm(dice: &mut Dice) -> Vec<(String, String)> {
    if dice.chance(15) {
        return Vec::new();
    }
    let (source, medium, campaign) = dice.one_of(&CAMPAIGNS).unwrap_or_default();
    let mut utm = vec![
        ("utm_source".to_owned(), source.to_owned()),
        ("utm_medium".to_owned(), medium.to_owned()),
        ("utm_campaign".to_owned(), campaign.to_owned()),
    ];
    if source == "google" {
        utm.push(("gclid".to_owned(), format!("Cj0K{}", base36(dice.next()))));
    }
    utm
}

/// Fills the `#` of a pattern, counting through its numbers in leaps: neighbouring seeds get
/// numbers that look unlike each other, and none twice before all are used.
fn phone(seed: u64, pattern: &str) -> String {
    let holes = u32::try_from(pattern.matches('#').count()).unwrap_or(0);
    let numbers = 10_u128.pow(holes.min(20));
    let mut left = u128::from(seed) * PHONE_STEP % numbers;
    let mut digits = Vec::new();
    for _ in 0..holes {
        digits.push(u32::try_from(left % 10).unwrap_or(0));
        left /= 10;
    }
    let fill = |c| match c {
        '#' => digits
            .pop()
            .and_then(|d| char::from_digit(d, 10))
            .unwrap_or('0'),
        other => other,
    };
    pattern.chars().map(fill).collect()
}

/// As people spell their names in addresses: letters and digits only, `ü` is `ue`.
fn ascii(text: &str) -> String {
    let mut plain = String::new();
    for c in text.to_lowercase().chars() {
        match c {
            'ä' => plain.push_str("ae"),
            'ö' => plain.push_str("oe"),
            'ü' => plain.push_str("ue"),
            'ß' => plain.push_str("ss"),
            'á' | 'à' | 'â' | 'ã' => plain.push('a'),
            'é' | 'è' | 'ê' | 'ë' => plain.push('e'),
            'í' | 'ì' | 'î' | 'ï' | 'ı' => plain.push('i'),
            'ó' | 'ò' | 'ô' | 'õ' => plain.push('o'),
            'ú' | 'ù' | 'û' => plain.push('u'),
            'ç' | 'ć' => plain.push('c'),
            'ñ' => plain.push('n'),
            'š' => plain.push('s'),
            other if other.is_ascii_alphanumeric() => plain.push(other),
            _ => {}
        }
    }
    plain
}

fn base36(mut number: u64) -> String {
    let mut digits = Vec::new();
    while number > 0 || digits.is_empty() {
        let digit = u32::try_from(number % 36).unwrap_or(0);
        digits.push(char::from_digit(digit, 36).unwrap_or('0'));
        number /= 36;
    }
    digits.iter().rev().collect()
}

/// `SplitMix64`: small, and the same on every machine.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> Option<T> {
        let at = usize::try_from(self.below(all.len() as u64)).ok()?;
        all.get(at).copied()
    }

    fn word(&mut self, words: Words) -> &'static str {
        let count = words.split('|').count() as u64;
        let at = usize::try_from(self.below(count)).unwrap_or(0);
        words.split('|').nth(at).unwrap_or_default()
    }

    fn digits(&mut self, pattern: &str) -> String {
        let fill = |c| match c {
            '#' => char::from(b'0' + u8::try_from(self.below(10)).unwrap_or(0)),
            other => other,
        };
        pattern.chars().map(fill).collect()
    }
}

#[cfg(test)]
mod tests;
