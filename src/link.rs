//! Signed links: a payload that a rep carries in a mail and that nobody else can make. Knows
//! neither mail nor pages.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::clock::Millis;
use crate::lead::{LeadId, RepId};
use crate::secret;

/// The first byte of every token, so that the form can change.
const FORM: u8 = 1;
const MAC_BYTES: usize = 16;
/// Form, lead, assignment, expiry; the rep's key follows.
const FIXED_BYTES: usize = 1 + 16 + 8 + 8;
/// Longer than any token made here.
const TOKEN_CHARS_MAX: usize = 400;

/// What a link entitles to: one assignment of one lead, for the rep who has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The lead.
    pub lead: LeadId,
    /// The assignment's number.
    pub assignment: i64,
    /// The rep.
    pub rep: RepId,
    /// Not after.
    pub expires_at: Millis,
}

/// Why a link is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// Not made here, or cut short on its way.
    #[error("the link is damaged")]
    Malformed,
    /// The signature is not ours.
    #[error("the link was not made here")]
    Forged,
    /// Too old.
    #[error("the link is too old")]
    Expired,
}

/// The token of a claim, for the path of an address.
pub fn sign(key: &[u8], claim: &Claim) -> String {
    let mut bytes = Vec::with_capacity(FIXED_BYTES + claim.rep.len() + MAC_BYTES);
    bytes.push(FORM);
    bytes.extend_from_slice(claim.lead.0.as_bytes());
    bytes.extend_from_slice(&claim.assignment.to_be_bytes());
    bytes.extend_from_slice(&claim.expires_at.to_be_bytes());
    bytes.extend_from_slice(claim.rep.as_bytes());
    let mac = mac(key, &bytes);
    bytes.extend_from_slice(&mac);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads a token; every way of it being wrong costs the same look at the signature.
pub fn verify(key: &[u8], token: &str, now: Millis) -> Result<Claim, Broken> {
    if token.len() > TOKEN_CHARS_MAX {
        return Err(Broken::Malformed);
    }
    let bytes = URL_SAFE_NO_PAD
        .decode(token)
        .map_err(|_| Broken::Malformed)?;
    let at = bytes
        .len()
        .checked_sub(MAC_BYTES)
        .ok_or(Broken::Malformed)?;
    let (signed, given) = bytes.split_at(at);
    if !secret::same(&mac(key, signed), given) {
        return Err(Broken::Forged);
    }
    let claim = claim_of(signed).ok_or(Broken::Malformed)?;
    if claim.expires_at < now {
        return Err(Broken::Expired);
    }
    Ok(claim)
}

fn mac(key: &[u8], signed: &[u8]) -> [u8; MAC_BYTES] {
    let whole = secret::hmac_sha256(key, &[b"leadgate link", signed]);
    let mut short = [0; MAC_BYTES];
    for (to, from) in short.iter_mut().zip(whole) {
        *to = from;
    }
    short
}

fn claim_of(signed: &[u8]) -> Option<Claim> {
    let (form, rest) = signed.split_first()?;
    let (lead, rest) = rest.split_at_checked(16)?;
    let (assignment, rest) = rest.split_at_checked(8)?;
    let (expires_at, rep) = rest.split_at_checked(8)?;
    if *form != FORM {
        return None;
    }
    Some(Claim {
        lead: LeadId(uuid::Uuid::from_slice(lead).ok()?),
        assignment: i64::from_be_bytes(assignment.try_into().ok()?),
        rep: String::from_utf8(rep.to_vec()).ok()?,
        expires_at: i64::from_be_bytes(expires_at.try_into().ok()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_fresh_links_of_ours_are_believed() {
        let claim = Claim {
            lead: LeadId::new(1_000),
            assignment: 2,
            rep: "ana".into(),
            expires_at: 5_000,
        };
        let token = sign(b"key", &claim);
        assert_eq!(verify(b"key", &token, 5_000), Ok(claim));
        let swapped = token.replacen(
            &token[10..11],
            if &token[10..11] == "A" { "B" } else { "A" },
            1,
        );
        let cases = [
            (token.clone(), 5_001, Broken::Expired),
            (token[..token.len() - 2].to_owned(), 0, Broken::Forged),
            (swapped, 0, Broken::Forged),
            (String::new(), 0, Broken::Malformed),
            ("%%%".into(), 0, Broken::Malformed),
            ("A".repeat(4_000), 0, Broken::Malformed),
        ];
        for (token, now, why) in cases {
            assert_eq!(verify(b"key", &token, now), Err(why), "{token}");
        }
        assert_eq!(verify(b"other", &token, 0), Err(Broken::Forged));
    }
}
