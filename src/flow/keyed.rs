//! Keyed hashes: what is stored of a sender's ids and of persons' addresses, so that it tells nothing
//! about somebody who was erased.

use crate::lead::{Email, Inquiry};
use crate::ledger::PersonKey;
use crate::secret::HashKey;

/// A keyed hash of texts.
pub(super) fn keyed(key: &HashKey, parts: &[&[u8]]) -> [u8; 16] {
    let mut short = [0; 16];
    for (to, from) in short.iter_mut().zip(key.hash(parts)) {
        *to = from;
    }
    short
}

/// The keyed hashes of who asks.
pub fn person_keys(key: &HashKey, inquiry: &Inquiry) -> Vec<PersonKey> {
    let fields = &inquiry.fields;
    let email = fields.email.as_ref().and_then(|e| e.address.as_deref());
    let phone = fields.phone.as_ref().and_then(|p| p.e164.as_deref());
    contact_keys(key, email, phone)
}

/// The same of an address and a number.
pub(super) fn contact_keys(
    key: &HashKey,
    email: Option<&str>,
    phone: Option<&str>,
) -> Vec<PersonKey> {
    let email = email.map(|address| email_key(key, address));
    let phone = phone.map(|number| phone_key(key, number));
    email.into_iter().chain(phone).collect()
}

/// The key of an address as [`Email`] writes it: one for all addresses of a mailbox.
pub(super) fn email_key(key: &HashKey, address: &str) -> PersonKey {
    keyed(key, &[b"email", Email::mailbox(address).as_bytes()])
}

/// The key of a number as the network dials it.
pub(super) fn phone_key(key: &HashKey, e164: &str) -> PersonKey {
    keyed(key, &[b"phone", e164.as_bytes()])
}

impl super::Flow {
    pub(super) fn person_keys(&self, inquiry: &Inquiry) -> Vec<PersonKey> {
        person_keys(&self.hash_key, inquiry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_known_again_by_every_address_of_their_mailbox() {
        let keys = |email: &str| {
            let mut inquiry = Inquiry::default();
            inquiry.fields.email = Some(Email::parse(email));
            person_keys(&HashKey::new(b"key"), &inquiry)
        };
        assert_eq!(
            keys("Ana.Diaz+ads@gmail.com"),
            keys("anadiaz@googlemail.com")
        );
        assert_eq!(keys("ana+a@werk.example"), keys("ana@werk.example"));
        assert_ne!(keys("ana.diaz@werk.example"), keys("anadiaz@werk.example"));
        assert!(keys("none").is_empty());
    }
}
