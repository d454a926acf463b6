//! A person asks to be forgotten, or to see what is held of them: finding all their leads, and taking
//! their data away. Figures and a keyed tombstone stay.

use std::collections::{BTreeSet, HashSet};
use std::sync::atomic::Ordering;

use super::arrivals::Arrival;
use super::keyed::{email_key, person_keys, phone_key};
use super::publish::Policy;
use super::{Flow, assign};
use crate::clock::Millis;
use crate::lead::{Actor, Attribution, Email, Event, Fields, Lead, LeadId, Outcome, Phone, Stage};
use crate::ledger::{Change, Content, Fault, Ledger, PersonKey, Reads, Tx};
use crate::secret::HashKey;

/// How many leads are searched at once.
const PAGE: i64 = 1_000;
/// How many forgotten leads are followed at once.
const FOLLOWED: i64 = 500;
/// So many of the last forgotten leads are followed again at a start: a notice may have been written
/// to the outbox in the moment in which the daemon died.
const AGAIN: i64 = 500;

/// Addresses and numbers of one person.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// As [`Email`] writes them.
    pub emails: BTreeSet<String>,
    /// As the network dials them.
    pub phones: BTreeSet<String>,
}

/// Where a person was found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Leads with an address or number of the person.
    pub theirs: Vec<i64>,
    /// Leads that share another address or number with those, or whose text names the person: perhaps
    /// theirs, perhaps a colleague's. People decide.
    pub others: Vec<LeadId>,
}

impl Person {
    /// Who has this address; `None` for text that is none.
    pub fn by_email(text: &str) -> Option<Self> {
        let mut person = Self::default();
        person.emails.insert(Email::parse(text).address?);
        Some(person)
    }

    /// Who has this number, in international form; `None` for text that is none.
    pub fn by_phone(text: &str) -> Option<Self> {
        let mut person = Self::default();
        person.phones.insert(Phone::parse(text, None).e164?);
        Some(person)
    }

    /// Who wrote this.
    pub fn of(fields: &Fields) -> Self {
        let mut person = Self::default();
        let email = fields.email.as_ref().and_then(|e| e.address.clone());
        let phone = fields.phone.as_ref().and_then(|p| p.e164.clone());
        person.emails.extend(email);
        person.phones.extend(phone);
        person
    }

    /// Whether nothing is known by which somebody could be found.
    pub fn is_nobody(&self) -> bool {
        self.emails.is_empty() && self.phones.is_empty()
    }

    /// The keyed hashes under which the ledger knows them.
    pub fn keys(&self, key: &HashKey) -> Vec<PersonKey> {
        let emails = self.emails.iter().map(|address| email_key(key, address));
        let phones = self.phones.iter().map(|number| phone_key(key, number));
        emails.chain(phones).collect()
    }

    /// Whether these fields are theirs: by address or number, or, where the lead has neither, by one
    /// that its source puts under a name of its own. Who gave another address is somebody else, though
    /// a further field may name this person.
    fn has(&self, fields: &Fields) -> bool {
        let email = |text: &str| {
            let address = Email::parse(text).address;
            address.is_some_and(|address| self.has_mailbox(&address))
        };
        let phone = |text: &str| {
            let number = Phone::parse(text, None).e164;
            number.is_some_and(|number| self.phones.contains(&number))
        };
        let known = Self::of(fields);
        if known.is_nobody() {
            let mut values = fields.other.values().flatten();
            return values.any(|value| email(value) || phone(value));
        }
        known.emails.iter().any(|address| self.has_mailbox(address))
            || !known.phones.is_disjoint(&self.phones)
    }

    /// Whether an address is of a mailbox of theirs.
    fn has_mailbox(&self, address: &str) -> bool {
        let mailbox = Email::mailbox(address);
        self.emails
            .iter()
            .any(|theirs| Email::mailbox(theirs) == mailbox)
    }

    /// Whether a text names them, in one of the ways in which a body is written.
    fn is_named_in(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        let forms = ["@", "%40", "\\u0040"];
        let email = |address: &String| {
            let mailbox = Email::mailbox(address);
            let is_theirs = |at: &&str| {
                text.contains(&address.replace('@', at)) || has_mailbox_of(&text, at, &mailbox)
            };
            forms.iter().any(is_theirs)
        };
        let phone = |number: &String| {
            let digits = number.trim_start_matches('+');
            text.contains(digits)
        };
        self.emails.iter().any(email) || self.phones.iter().any(phone)
    }
}

/// Looks through every lead. The index of persons would be quicker and would miss some: test leads,
/// addresses under names of their own, submissions that could not be read.
pub fn find(ledger: &Ledger, person: &Person) -> Result<Found, Fault> {
    let mut found = Found::default();
    let mut known = person.clone();
    each_content(ledger, |r, content| {
        match look(r, person, content)? {
            Look::Theirs(fields) => {
                found.theirs.push(content.seq);
                let theirs = Person::of(&fields);
                known.emails.extend(theirs.emails);
                known.phones.extend(theirs.phones);
            }
            Look::Named => found.others.push(content.id),
            Look::Nothing => {}
        }
        Ok(())
    })?;
    if known != *person {
        let theirs: HashSet<i64> = found.theirs.iter().copied().collect();
        each_content(ledger, |r, content| {
            let is_known = theirs.contains(&content.seq) || found.others.contains(&content.id);
            if !is_known && matches!(look(r, &known, content)?, Look::Theirs(_)) {
                found.others.push(content.id);
            }
            Ok(())
        })?;
    }
    Ok(found)
}

enum Look {
    Theirs(Box<Fields>),
    Named,
    Nothing,
}

fn look(r: &Reads<'_>, person: &Person, content: &Content) -> Result<Look, Fault> {
    if content.fields == "{}" {
        // Nothing was read from it: what came in says whose it is.
        let submission = r.submission(content.submission)?.map(|s| s.submission);
        let fetched = r.fetched(content.seq)?;
        let bodies = submission.iter().map(|s| &s.raw).chain(&fetched);
        let mut bodies = bodies.map(|raw| String::from_utf8_lossy(raw));
        let named = bodies.any(|body| person.is_named_in(&body))
            || submission.is_some_and(|s| person.is_named_in(&s.query));
        return Ok(if named {
            Look::Theirs(Box::default())
        } else {
            Look::Nothing
        });
    }
    if person.is_named_in(&content.fields) {
        let fields: Fields = serde_json::from_str(&content.fields)?;
        if person.has(&fields) {
            return Ok(Look::Theirs(Box::new(fields)));
        }
        return Ok(Look::Named);
    }
    if person.is_named_in(&content.rest) {
        return Ok(Look::Named);
    }
    Ok(Look::Nothing)
}

fn each_content(
    ledger: &Ledger,
    mut each: impl FnMut(&Reads<'_>, &Content) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut after = 0;
    loop {
        let last = ledger.read(|r| {
            let (contents, last) = r.contents_after(after, PAGE)?;
            for content in &contents {
                each(r, content)?;
            }
            Ok(last)
        })?;
        if last == after {
            return Ok(());
        }
        after = last;
    }
}

/// Whether an address of the mailbox stands in a text that writes the `@` so.
fn has_mailbox_of(text: &str, at: &str, mailbox: &str) -> bool {
    let outside = |c: char| !c.is_alphanumeric() && !".+_-%".contains(c);
    text.match_indices(at).any(|(place, _)| {
        let before = text.get(..place).unwrap_or_default();
        let after = text.get(place + at.len()..).unwrap_or_default();
        let local = before.rsplit(outside).next().unwrap_or_default();
        let domain = after.split(outside).next().unwrap_or_default();
        let address = format!("{}@{domain}", local.replace("%2b", "+"));
        Email::mailbox(&address) == mailbox
    })
}

/// Forgets the person of a lead, and ends whatever was under way for it.
pub(super) fn erase(
    tx: &Tx<'_>,
    policy: Option<&Policy>,
    lead: &mut Lead,
    (persons, actor): (&[PersonKey], &Actor),
    now: Millis,
) -> Result<(), Fault> {
    let to = Stage::Closed(Outcome::Erased);
    let event = Event::Closed {
        outcome: Outcome::Erased,
        value: None,
        currency: None,
        why: None,
    };
    tx.advance(lead, to, Change::default(), (actor, &event, None), now)?;
    tx.forget(lead, &Attribution::default(), persons, now)?;
    tx.suppress(persons, now)?;
    let why = Outcome::Erased.as_str();
    match policy {
        Some(policy) => assign::take_back(tx, policy, lead.seq, why, now)?,
        None => drop(tx.close_assignment(lead.seq, why, now)?),
    }
    tx.drop_everything_due(lead.seq)
}

/// Erases again what a restored backup brought back, before a daemon serves it. Returns the leads for
/// which that has to wait until they are decided: others came in one submission with them.
pub fn again(
    ledger: &Ledger,
    leads: &[LeadId],
    key: Option<&HashKey>,
    now: Millis,
) -> Result<Vec<LeadId>, Fault> {
    let mut left = Vec::new();
    for id in leads.iter().copied() {
        let name = id.to_string();
        let lead = match ledger.read(|r| r.lead_named(&name)) {
            Ok(lead) => lead,
            Err(Fault::Missing(_)) => {
                if !ledger.write_blocking(move |tx| tx.erase_undecided(id, now))? {
                    left.push(id);
                }
                continue;
            }
            Err(fault) => return Err(fault),
        };
        let persons = key
            .map(|key| person_keys(key, &lead.inquiry))
            .unwrap_or_default();
        ledger.write_blocking(move |tx| {
            let mut lead = tx.lead(lead.seq)?;
            // The key may be another than the one that the index was made with.
            tx.unlist(lead.seq)?;
            erase(tx, None, &mut lead, (&persons, &Actor::Leadgate), now)
        })?;
    }
    Ok(left)
}

/// Where a starting daemon begins to follow the list of forgotten leads.
pub(super) fn follow_from(r: &Reads<'_>) -> Result<i64, Fault> {
    Ok((r.forgotten_upto()? - AGAIN).max(0))
}

impl Flow {
    /// Forgets in memory and in the outbox who was forgotten in the ledger meanwhile, by this process
    /// or by a command beside it.
    pub(super) async fn follow_forgotten(&self) -> Result<(), Fault> {
        loop {
            let after = self.forgotten.load(Ordering::SeqCst);
            let (list, notices) = self
                .ledger
                .read_off(move |r| {
                    let list = r.forgotten_after(after, FOLLOWED)?;
                    let leads: Vec<i64> = list.iter().map(|(_, lead)| *lead).collect();
                    Ok((list, r.notices_of(&leads)?))
                })
                .await?;
            let Some((last, _)) = list.last().copied() else {
                return Ok(());
            };
            let leads = list.iter().map(|(_, lead)| *lead).collect();
            self.arrivals.send(Arrival::Forget(leads));
            self.take_out_of_outbox(notices).await;
            self.forgotten.fetch_max(last, Ordering::SeqCst);
        }
    }

    /// Removes notices that lie in the outbox.
    pub(super) async fn take_out_of_outbox(&self, notices: Vec<(i64, LeadId)>) {
        if notices.is_empty() {
            return;
        }
        if let Err(error) = self.deliverer.forget(notices).await {
            let text = format!("notices of forgotten leads are still in the outbox: {error}");
            self.alarm("outbox", &text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(email: &str, phone: &str, other: &str, message: &str) -> Fields {
        let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let mut fields = Fields {
            email: given(email).map(|text| Email::parse(&text)),
            phone: given(phone).map(|text| Phone::parse(&text, Some("DE"))),
            message: given(message),
            ..Fields::default()
        };
        if let Some(other) = given(other) {
            fields.other.insert("contact".into(), vec![other]);
        }
        fields
    }

    #[test]
    fn whose_a_lead_is_follows_from_its_own_address_and_number() {
        let mut person = Person::by_email(" Ana@Muster.example ").unwrap();
        person.phones = Person::by_phone("+49 30 901820").unwrap().phones;
        let cases = [
            (fields("ANA@muster.example", "", "", ""), true),
            (fields("mailto:ana@muster.example", "", "", ""), true),
            (fields("ana+ads@muster.example", "", "", ""), true),
            (fields("new@muster.example", "030 901820", "", ""), true),
            (fields("", "", "ana@muster.example", ""), true),
            (fields("", "", "+4930901820", ""), true),
            (
                fields("ben@muster.example", "", "ana@muster.example", ""),
                false,
            ),
            (
                fields("ben@muster.example", "", "", "ask ana@muster.example"),
                false,
            ),
            (fields("banana@muster.example", "", "", ""), false),
            (fields("", "030 9018201", "", ""), false),
        ];
        for (fields, theirs) in cases {
            let text = serde_json::to_string(&fields).unwrap();
            assert_eq!(person.has(&fields), theirs, "{text}");
            // Whatever is theirs must first be found by its text.
            assert!(!theirs || person.is_named_in(&text), "{text}");
        }
        for body in [
            "e=ana%40muster.example",
            "e=ana%2bads%40muster.example&x=y",
            r#"{"e":"ana\u0040muster.example"}"#,
        ] {
            assert!(person.is_named_in(body), "{body}");
        }
        assert!(Person::by_email("030 901820").is_none());
        assert!(Person::by_phone("030 901820").is_none());
    }
}
