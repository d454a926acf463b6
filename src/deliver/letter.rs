//! Builds a mail that no value of a lead can break out of: headers are one clean line, bodies are
//! always encoded.

use std::panic::AssertUnwindSafe;

use lettre::message::header::{
    ContentTransferEncoding, ContentType, Header, HeaderName, HeaderValue,
};
use lettre::message::{Body, Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};

use super::words::{clean, header};
use crate::clock::Millis;

/// A mail before it is bytes.
pub(super) struct Letter {
    /// The Message-ID's local part and the file's name: the same over attempts.
    pub(super) name: String,
    pub(super) lead: Option<String>,
    pub(super) to: (String, String),
    pub(super) reply_to: Option<(String, String)>,
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) html: Option<String>,
    pub(super) at: Millis,
}

/// `X-Leadgate-Lead`: finds a mail of a lead again.
#[derive(Clone)]
struct LeadHeader(String);

impl Header for LeadHeader {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("X-Leadgate-Lead")
    }

    fn parse(text: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self(text.to_owned()))
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), self.0.clone())
    }
}

/// `Auto-Submitted`: no out-of-office answer to a machine (RFC 3834).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// The message; an error says what is wrong with the addresses, without them.
pub(super) fn message(letter: &Letter, from: &Mailbox, domain: &str) -> Result<Message, String> {
    // lettre 0.11.23 panics on some names; whatever it does, the task lives on.
    let built = std::panic::catch_unwind(AssertUnwindSafe(|| build(letter, from, domain)));
    built.unwrap_or_else(|_| Err("the mail could not be built".into()))
}

fn build(letter: &Letter, from: &Mailbox, domain: &str) -> Result<Message, String> {
    let to = mailbox(&letter.to).ok_or("the rep's address is no address")?;
    let at = std::time::UNIX_EPOCH
        + std::time::Duration::from_millis(u64::try_from(letter.at).unwrap_or(0));
    let mut builder = Message::builder()
        .message_id(Some(format!("<{}@{domain}>", letter.name)))
        .date(at)
        .from(from.clone())
        .to(to)
        .subject(header(&letter.subject))
        .header(AutoSubmitted);
    if let Some(reply_to) = letter.reply_to.as_ref().and_then(mailbox) {
        builder = builder.reply_to(reply_to);
    }
    if let Some(lead) = &letter.lead {
        builder = builder.header(LeadHeader(lead.clone()));
    }
    let text = part(ContentType::TEXT_PLAIN, &letter.text)?;
    let message = match &letter.html {
        Some(html) => {
            let both = MultiPart::alternative().singlepart(text);
            builder.multipart(both.singlepart(part(ContentType::TEXT_HTML, html)?))
        }
        None => builder.singlepart(text),
    };
    message.map_err(|_| "the mail could not be built".into())
}

/// RUSTSEC-2026-0561: a bare CR in an unencoded body reaches the SMTP dialogue. So every body is
/// encoded, and holds no CR but those of line ends.
fn part(kind: ContentType, text: &str) -> Result<SinglePart, String> {
    let text = clean(text).replace('\n', "\r\n") + "\r\n";
    let encoding = ContentTransferEncoding::QuotedPrintable;
    let body = Body::new_with_encoding(text, encoding)
        .map_err(|_| "the mail could not be encoded".to_owned())?;
    Ok(SinglePart::builder().header(kind).body(body))
}

fn mailbox((name, address): &(String, String)) -> Option<Mailbox> {
    let address: Address = address.parse().ok()?;
    let name = header(name);
    Some(Mailbox::new((!name.is_empty()).then_some(name), address))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(name: &str, body: &str) -> String {
        let letter = Letter {
            name: "d1.x".into(),
            lead: Some("x".into()),
            to: ("Ana".into(), "ana@example.com".into()),
            reply_to: Some((name.into(), "mia@werk.example".into())),
            subject: format!("A · {name}"),
            text: body.into(),
            html: Some(format!("<p>{body}</p>")),
            at: 0,
        };
        let from = "leadgate <leads@example.com>".parse().unwrap();
        let bytes = message(&letter, &from, "leads.example")
            .unwrap()
            .formatted();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn no_value_of_a_lead_breaks_out_of_the_mail() {
        let names = [
            "J\r\nBcc: evil@x.example",
            "J\nB",
            "J\u{202e}B",
            "\"x\" <a@b>, c@d",
            "é\0\u{7}",
        ];
        let bodies = [
            "a\r.\rMAIL FROM:<evil@x>",
            "\n.\nRCPT TO:<evil@x>\n",
            "\r\n.\r\n",
            "plain",
        ];
        for name in names {
            for body in bodies {
                let mail = letter(name, body);
                let (head, rest) = mail.split_once("\r\n\r\n").unwrap();
                assert!(!head.to_lowercase().contains("\r\nbcc:"), "{head}");
                assert_eq!(
                    head.matches("Message-ID: <d1.x@leads.example>").count(),
                    1,
                    "{head}"
                );
                for (at, _) in mail.match_indices('\r') {
                    assert_eq!(
                        mail.as_bytes().get(at + 1),
                        Some(&b'\n'),
                        "a bare CR: {mail:?}"
                    );
                }
                assert!(rest.contains("Content-Transfer-Encoding: quoted-printable"));
                assert!(!rest.contains("7bit") && !rest.contains("8bit"), "{rest}");
            }
        }
    }

    #[test]
    fn an_address_that_is_none_is_refused_without_repeating_it() {
        for address in ["a@b.com,c@d.com", "a@b.com\r\nRCPT TO:<e>", "", "ana"] {
            let letter = Letter {
                name: "d1".into(),
                lead: None,
                to: (String::new(), address.into()),
                reply_to: None,
                subject: String::new(),
                text: String::new(),
                html: None,
                at: 0,
            };
            let from = "leads@example.com".parse().unwrap();
            let why = message(&letter, &from, "x").err().unwrap();
            assert_eq!(why, "the rep's address is no address");
        }
    }
}
