//! E-mail addresses as people give them, and what can be said of them without asking anybody. They
//! print masked: personal data never reaches a log.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// The longest address that is looked at, in bytes (RFC 5321, 4.5.3.1.3).
const EMAIL_BYTES_MAX: usize = 254;
/// The longest part before the `@`, and the longest label of a domain (RFC 5321, 4.5.3.1).
const LOCAL_BYTES_MAX: usize = 64;
const LABEL_BYTES_MAX: usize = 63;
/// Longer texts are not looked at for an address.
const TEXT_BYTES_MAX: usize = 1_024;

/// An e-mail address; `address` is there only where the syntax is that of a mailbox on the
/// internet.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Email {
    /// As it was given, trimmed.
    pub raw: String,
    /// Lower case; the same person writes it the same way tomorrow.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub address: Option<String>,
}

impl Email {
    /// Reads what a person wrote; never fails, an unusable text has no `address`.
    pub fn parse(text: &str) -> Self {
        let raw = text.trim();
        let address = if raw.len() > TEXT_BYTES_MAX {
            None
        } else {
            let narrow = narrow(raw);
            let bare = bare(&narrow);
            is_mailbox(bare).then(|| bare.to_lowercase())
        };
        Self {
            raw: raw.to_owned(),
            address,
        }
    }

    /// What stands after the last `@`; empty if the address is unusable.
    pub fn domain(&self) -> &str {
        self.parts().1
    }

    /// What stands before the last `@`; empty if the address is unusable.
    pub fn local(&self) -> &str {
        self.parts().0
    }

    /// The form in which two addresses of the same mailbox are equal: without what stands behind a
    /// `+`, without dots where the provider ignores them, the domain in ASCII. For comparing only:
    /// nobody gets mail there.
    pub fn mailbox(address: &str) -> String {
        let Some((local, domain)) = address.rsplit_once('@') else {
            return address.to_owned();
        };
        let bare = local.split('+').next().filter(|bare| !bare.is_empty());
        let bare = bare.unwrap_or(local);
        if matches!(domain, "gmail.com" | "googlemail.com") {
            return format!("{}@gmail.com", bare.replace('.', ""));
        }
        let ascii = ascii_domain(domain).unwrap_or(Cow::Borrowed(domain));
        format!("{bare}@{ascii}")
    }

    fn parts(&self) -> (&str, &str) {
        self.address
            .as_deref()
            .and_then(|a| a.rsplit_once('@'))
            .unwrap_or_default()
    }
}

/// Letters that East Asian keyboards make wide, as ASCII.
fn narrow(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let narrow = |c: char| match c {
        '\u{ff01}'..='\u{ff5e}' => {
            let ascii = u32::from(c) - 0xff01 + 0x21;
            char::from_u32(ascii).unwrap_or(c)
        }
        '。' | '｡' => '.',
        c => c,
    };
    // Marks of direction and width come along when an address is pasted.
    let seen = |c: &char| !matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{2066}'..='\u{2069}');
    Cow::Owned(text.chars().filter(seen).map(narrow).collect())
}

/// The address without what mail programs and sentences put around it.
fn bare(text: &str) -> &str {
    let text = text.trim();
    let inner = text
        .strip_suffix('>')
        .and_then(|text| text.rsplit_once('<'));
    let text = inner.map_or(text, |(_, inner)| inner);
    let scheme = text.get(..7).filter(|s| s.eq_ignore_ascii_case("mailto:"));
    let text = text.get(scheme.map_or(0, str::len)..).unwrap_or_default();
    text.trim_end_matches(['.', ',', ';']).trim()
}

/// Stricter than RFC 5322 where its freedoms are mistakes in practice: no comment, no quoted local
/// part, no address literal, a domain with a dot and a letter in its last label.
fn is_mailbox(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    text.len() <= EMAIL_BYTES_MAX && is_local(local) && is_domain(domain)
}

/// A dot-atom of RFC 5322 and 6531.
fn is_local(local: &str) -> bool {
    const SPECIALS: &[u8] = b"!#$%&'*+-/=?^_`{|}~";
    let fits = |c: char| match u8::try_from(c) {
        Ok(byte) if byte.is_ascii() => byte.is_ascii_alphanumeric() || SPECIALS.contains(&byte),
        _ => !c.is_control() && !c.is_whitespace(),
    };
    let is_atom = |atom: &str| !atom.is_empty() && atom.chars().all(fits);
    local.len() <= LOCAL_BYTES_MAX && local.split('.').all(is_atom)
}

fn is_domain(domain: &str) -> bool {
    let Some(ascii) = ascii_domain(domain) else {
        return false;
    };
    let is_label = |label: &str| {
        (1..=LABEL_BYTES_MAX).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let top = ascii.rsplit_once('.').map(|(_, top)| top);
    ascii.split('.').all(is_label)
        && top.is_some_and(|top| top.bytes().any(|b| b.is_ascii_alphabetic()))
}

/// As it stands in the DNS; `None` for letters that no domain may have.
fn ascii_domain(domain: &str) -> Option<Cow<'_, str>> {
    if domain.is_ascii() && !domain.contains("xn--") {
        return Some(Cow::Borrowed(domain));
    }
    match url::Host::parse(domain).ok()? {
        url::Host::Domain(ascii) => Some(Cow::Owned(ascii)),
        url::Host::Ipv4(_) | url::Host::Ipv6(_) => None,
    }
}

impl std::fmt::Display for Email {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (local, domain) = self.parts();
        match local.chars().next() {
            Some(first) => write!(f, "{first}***@{domain}"),
            None => f.write_str("***"),
        }
    }
}

impl std::fmt::Debug for Email {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Email({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_strictly_and_print_masked() {
        let cases = [
            ("Ana.Diaz@Example.COM ", Some("ana.diaz@example.com")),
            ("mailto:a@b.example", Some("a@b.example")),
            ("a+tag@münchen.example", Some("a+tag@münchen.example")),
            ("a@[127.0.0.1]", None),
            ("\"a b\"@x.com", None),
            ("Ana Díaz <ana@b.example>", Some("ana@b.example")),
            ("ana@b.example.", Some("ana@b.example")),
            ("ａｎａ＠b。example", Some("ana@b.example")),
            ("\u{202a}ana@b.example\u{202c}", Some("ana@b.example")),
            ("用户@例子.广告", Some("用户@例子.广告")),
            ("a@-b.example", None),
            ("a@b..example", None),
            ("a..b@c.example", None),
            ("a b@c.example", None),
            ("a@b", None),
            ("a@b.com,c@d.com", None),
            ("a@b.com\r\nRCPT TO:<e>", None),
            ("a@1.2.3.4", None),
            ("", None),
        ];
        for (text, address) in cases {
            assert_eq!(Email::parse(text).address.as_deref(), address, "{text}");
        }
        let email = Email::parse("ana.diaz@example.com");
        assert_eq!(
            format!("{email} {email:?}"),
            "a***@example.com Email(a***@example.com)"
        );
    }

    #[test]
    fn addresses_of_one_mailbox_match() {
        let cases = [
            ("Ana.Diaz+ads@GoogleMail.com", Some("anadiaz@gmail.com")),
            ("a.n.a@gmail.com", Some("ana@gmail.com")),
            ("ana+news@werk.example", Some("ana@werk.example")),
            ("ana.diaz@werk.example", Some("ana.diaz@werk.example")),
            ("a@münchen.example", Some("a@xn--mnchen-3ya.example")),
            ("a@xn--mnchen-3ya.example", Some("a@xn--mnchen-3ya.example")),
            ("+@werk.example", Some("+@werk.example")),
            ("none", None),
        ];
        for (text, matching) in cases {
            let address = Email::parse(text).address;
            let mailbox = address.map(|address| Email::mailbox(&address));
            assert_eq!(mailbox.as_deref(), matching, "{text}");
        }
    }
}
