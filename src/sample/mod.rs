//! Made-up people with inquiries, for the demo, `send`, the benchmark and tests. The same seed gives
//! the same person; every seed another. Knows no platform.

mod words;

use words::{COUNTRIES, Country, PRODUCTS, SPAM};

/// What a person's inquiry is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// From a company address.
    Good,
    /// From a free mail address.
    FreeMail,
    /// A student.
    Student,
    /// From a competitor.
    Competitor,
    /// Without a way to answer.
    Incomplete,
    /// A machine.
    Spam,
}

/// Somebody who does not exist.
#[derive(Clone, Debug)]
pub struct Person {
    /// Whom it was made from.
    pub seed: u64,
    /// What the inquiry is like.
    pub kind: Kind,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// Empty where there is none.
    pub email: String,
    /// As people of the country write it; empty where there is none.
    pub phone: String,
    /// Employer.
    pub company: String,
    /// What they do there.
    pub job_title: String,
    /// ISO 3166.
    pub country: String,
    /// Town.
    pub city: String,
    /// Postcode.
    pub postcode: String,
    /// ISO 639.
    pub language: String,
    /// In their language.
    pub message: String,
    /// Size of the employer.
    pub employees: u32,
    /// The employer's.
    pub website: String,
    /// `utm_*` and click ids.
    pub utm: Vec<(String, String)>,
    /// Agreed to be contacted.
    pub consent: bool,
    /// Filled in what people cannot see.
    pub trapped: bool,
}

/// Splitmix64: small, and the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.roll() % (n.max(1) as u64)).unwrap_or(0)
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T
    where
        &'a T: Copy,
    {
        let at = self.below(from.len());
        from[at]
    }
}

impl Person {
    /// The person of a seed.
    pub fn from_seed(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let kind = match dice.below(100) {
            0..=49 => Kind::Good,
            50..=74 => Kind::FreeMail,
            75..=79 => Kind::Student,
            80..=83 => Kind::Competitor,
            84..=89 => Kind::Incomplete,
            _ => Kind::Spam,
        };
        let at = dice.below(COUNTRIES.len());
        let country = &COUNTRIES[at];
        let (first, last) = (dice.pick(country.first), dice.pick(country.last));
        let company = format!("{} {}", dice.pick(PRODUCTS), dice.pick(country.forms));
        let local = format!("{}.{}.{}", ascii(first), ascii(last), base36(seed));
        let domain = ascii(&company);
        let employees = [5, 12, 30, 80, 140, 320, 650, 1_800, 12_000];
        let employees = employees[dice.below(employees.len())];
        let mut person = Self {
            seed,
            kind,
            first_name: first.to_owned(),
            last_name: last.to_owned(),
            email: format!("{local}@{domain}.example"),
            phone: phone(country, seed),
            website: format!("https://www.{domain}.example"),
            company,
            job_title: dice.pick(country.jobs).to_owned(),
            country: country.code.to_owned(),
            city: dice.pick(country.cities).to_owned(),
            postcode: format!("{}", 10_000 + dice.below(80_000)),
            language: country.language.to_owned(),
            message: dice.pick(country.messages).to_owned(),
            employees,
            utm: utm(&mut dice),
            consent: dice.below(10) > 1,
            trapped: false,
        };
        person.adapt(&local, &mut dice);
        person
    }

    fn adapt(&mut self, local: &str, dice: &mut Dice) {
        match self.kind {
            Kind::Good => {}
            Kind::FreeMail => {
                let free = ["gmail.com", "outlook.com", "gmx.de", "yahoo.com", "web.de"];
                self.email = format!("{local}@{}", dice.pick(&free));
                self.employees = [1, 2, 8, 20][dice.below(4)];
            }
            Kind::Student => {
                self.email = format!("{local}@gmail.com");
                "Student".clone_into(&mut self.job_title);
                self.company.clear();
                self.website.clear();
                self.employees = 0;
            }
            Kind::Competitor => self.email = format!("{local}@rival.example"),
            Kind::Incomplete => {
                self.email.clear();
                self.phone.clear();
            }
            Kind::Spam => {
                self.email = format!("{local}@mailinator.com");
                dice.pick(SPAM).clone_into(&mut self.message);
                self.trapped = dice.below(2) == 0;
            }
        }
    }

    /// Given and family name.
    pub fn name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name)
    }
}

fn utm(dice: &mut Dice) -> Vec<(String, String)> {
    let sources = ["google", "meta", "linkedin", "newsletter", "partner"];
    let campaigns = ["spring-demo", "brand", "pricing", "webinar", "retargeting"];
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    vec![
        pair("utm_source", dice.pick(&sources)),
        pair("utm_medium", "cpc"),
        pair("utm_campaign", dice.pick(&campaigns)),
    ]
}

/// Letters and digits only, for addresses.
fn ascii(text: &str) -> String {
    let mut out = String::new();
    for c in text.to_lowercase().chars() {
        match c {
            'ä' => out.push_str("ae"),
            'ö' => out.push_str("oe"),
            'ü' => out.push_str("ue"),
            'ß' => out.push_str("ss"),
            'á' | 'à' | 'â' | 'ã' => out.push('a'),
            'é' | 'è' | 'ê' | 'ë' => out.push('e'),
            'í' | 'î' => out.push('i'),
            'ó' | 'ô' | 'õ' => out.push('o'),
            'ú' => out.push('u'),
            'ç' => out.push('c'),
            'ñ' => out.push('n'),
            c if c.is_ascii_alphanumeric() => out.push(c),
            _ => {}
        }
    }
    out
}

fn base36(mut n: u64) -> String {
    let mut digits = Vec::new();
    loop {
        let digit = u32::try_from(n % 36).unwrap_or(0);
        digits.extend(char::from_digit(digit, 36));
        n /= 36;
        if n == 0 {
            return digits.iter().rev().collect();
        }
    }
}

/// A number of the country's mobile plan whose last digits come from the seed.
fn phone(country: &Country, seed: u64) -> String {
    let modulus = 10_u64.pow(country.phone_digits);
    // Multiplying by an odd number that is no multiple of 5 keeps different seeds different.
    let tail = seed.wrapping_mul(7_919) % modulus;
    let width = usize::try_from(country.phone_digits).unwrap_or(6);
    format!("{}{tail:0width$}", country.phone_head)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lead::Phone;

    #[test]
    fn people_are_many_alike_every_time_and_their_numbers_can_be_dialled() {
        let mut emails = std::collections::HashSet::new();
        for seed in 0..3_000 {
            let person = Person::from_seed(seed);
            let again = Person::from_seed(seed);
            assert_eq!(
                (&person.email, &person.message),
                (&again.email, &again.message)
            );
            if person.kind == Kind::Incomplete {
                continue;
            }
            assert!(emails.insert(person.email.clone()), "{seed} twice");
            let phone = Phone::parse(&person.phone, Some(&person.country));
            assert!(phone.valid, "{} in {}", person.phone, person.country);
        }
    }
}
