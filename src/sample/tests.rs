use std::collections::HashMap;
use std::collections::HashSet;

use super::*;
use crate::lead::Email;
use crate::lead::Phone;

#[test]
fn the_same_seed_makes_the_same_person() {
    for seed in [0, 1, 42, u64::MAX] {
        assert_eq!(Person::from_seed(seed), Person::from_seed(seed));
    }
    assert_ne!(Person::from_seed(1).name(), "");
}

#[test]
fn everybody_who_left_a_contact_can_be_reached_by_it() {
    let mut wrong = Vec::new();
    for person in (0..2_000)
        .chain(u64::MAX - 100..=u64::MAX)
        .map(Person::from_seed)
    {
        if person.kind == Kind::Incomplete {
            assert_eq!((person.email.as_str(), person.phone.as_str()), ("", ""));
            continue;
        }
        let phone = Phone::parse(&person.phone, Some(&person.country));
        if !phone.valid || phone.country.as_ref() != Some(&person.country) {
            wrong.push(format!("{} {}", person.country, person.phone));
        }
        if Email::parse(&person.email).address.as_ref() != Some(&person.email) {
            wrong.push(person.email);
        }
    }
    wrong.sort();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn three_hundred_thousand_people_share_no_address_and_no_number() {
    let mut emails = HashSet::new();
    let mut phones = HashSet::new();
    let mut kinds = HashMap::new();
    for person in (0..300_000).map(Person::from_seed) {
        *kinds.entry(person.kind).or_insert(0_u32) += 1;
        if person.kind == Kind::Incomplete {
            continue;
        }
        assert!(phones.insert(person.phone), "seed {}", person.seed);
        assert!(emails.insert(person.email), "seed {}", person.seed);
    }
    for (kind, percent) in KINDS.into_iter().chain([(Kind::Good, 50)]) {
        let percent = u32::try_from(percent).unwrap();
        let found = kinds[&kind];
        assert!(
            found.abs_diff(percent * 3_000) < 1_500,
            "{kind:?}: {found} of 300000, about {percent} % wanted"
        );
    }
}

#[test]
fn a_person_is_what_the_kind_says() {
    for person in (0..5_000).map(Person::from_seed) {
        let what = format!("{person:?}");
        let domain = person.email.rsplit('@').next().unwrap_or_default();
        assert!(!person.message.contains(['{', '}', '|']), "{what}");
        assert!(!person.message.contains("  "), "{what}");
        assert!((1..=20_000).contains(&person.employees), "{what}");
        assert_eq!(person.country.len(), 2, "{what}");
        match person.kind {
            Kind::Good => assert!(domain.ends_with(".example") && !person.trapped, "{what}"),
            Kind::FreeMail => assert!(!domain.ends_with(".example"), "{what}"),
            Kind::Spam => assert!(person.message.contains("http"), "{what}"),
            Kind::Incomplete => assert!(!person.trapped, "{what}"),
            Kind::Competitor => assert_eq!(domain, "rival.example"),
            Kind::Student => assert!(domain.starts_with("stud.uni-"), "{what}"),
        }
    }
}
