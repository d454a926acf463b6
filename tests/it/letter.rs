//! What a mail to a rep looks like, whatever the lead wrote.

use std::time::Duration;

use leadgate::deliver::{Notice, SendResult};
use leadgate::lead::{Email, Fields, Phone};

use crate::deliver::{REP, notice, send, taking};
use crate::mailbox::Mail;

const SOON: Duration = Duration::from_secs(10);

/// The HTML part, with the slashes that the template writes as entities.
fn html_of(mail: &Mail) -> String {
    mail.part("text/html").replace("&#x2f;", "/")
}

#[tokio::test]
async fn the_mail_says_who_and_why_with_one_link_and_no_picture() {
    let (mailbox, deliverer) = taking().await;
    assert_eq!(send(&deliverer, &notice()).await, SendResult::Delivered);
    let mail = mailbox.wait_for(1, SOON).await.remove(0);
    assert_eq!(mail.from, "leads@leads.example");
    assert_eq!(mail.to, [REP]);
    assert_eq!(
        mail.header("Auto-Submitted").as_deref(),
        Some("auto-generated")
    );
    assert!(
        mail.header("Reply-To")
            .unwrap()
            .contains("<ana@acme.example>")
    );
    let (text, html) = (mail.part("text/plain"), html_of(&mail));
    for wanted in [
        "Ana Díaz",
        "a demo",
        "+30",
        "asked for a demo",
        "https://leads.example/r/token",
    ] {
        assert!(text.contains(wanted) && html.contains(wanted), "{wanted}");
    }
    assert!(html.contains("href=\"tel:+4930901820\""), "{html}");
    assert!(html.contains("href=\"mailto:ana@acme.example\""), "{html}");
    assert_eq!(html.matches("https://leads.example/r/token").count(), 1);
    assert!(
        !html.contains("<img") && !html.contains("<script"),
        "{html}"
    );
}

/// What a lead writes to break out, and how it looks in the text.
const HOSTILE: [&str; 8] = [
    "J\r\nBcc: evil@x.example",
    "a\r.\rMAIL FROM:<evil@x.example>\rRCPT TO:<evil@x.example>\r",
    "a\n.\nQUIT\n",
    "a\r\n.\r\nMAIL FROM:<evil@x.example>\r\n",
    "{{7*7}} {% include \"/etc/passwd\" %} ${env.HOME}",
    "<img src=http://tracker.example>\"><script>alert(1)</script>",
    "abc\u{202e}gpj.exe\u{2066}\u{200f}\u{61c}\0\u{1b}[2J",
    "javascript:alert(1)",
];

pub(crate) fn hostile(text: &str) -> Notice {
    let mut notice = notice();
    let all = || Some(text.to_owned());
    notice.rep_name = text.into();
    notice.fields = Fields {
        name: all(),
        company: all(),
        job_title: all(),
        website: all(),
        city: all(),
        message: all(),
        email: Some(Email::parse("ana@acme.example")),
        phone: Some(Phone::parse(text, None)),
        ..Fields::default()
    };
    notice.fields.other.insert(text.into(), vec![text.into()]);
    notice
        .attribution
        .0
        .insert("utm_campaign".into(), text.into());
    notice.why = vec![(30, text.into())];
    notice.route = text.into();
    notice
}

fn has_not_broken_out(mail: &Mail, text: &str) {
    assert_eq!(mail.to, [REP], "{text:?}");
    let head = mail.raw.split("\r\n\r\n").next().unwrap();
    for line in head.lines() {
        assert!(!line.to_lowercase().starts_with("bcc"), "{text:?}: {head}");
        assert!(line.len() < 998 && line.is_ascii(), "{text:?}: {line}");
    }
    assert!(
        !mail.raw.replace("\r\n", "").contains(['\r', '\n']),
        "{text:?}: a bare line end"
    );
    assert!(mail.raw.is_ascii(), "{text:?}: unencoded bytes");
    let encodings = mail
        .raw
        .lines()
        .filter(|l| l.starts_with("Content-Transfer-Encoding"));
    for encoding in encodings {
        assert!(
            encoding.ends_with("quoted-printable") || encoding.ends_with("base64"),
            "{encoding}"
        );
    }
    let html = html_of(mail);
    let plain = mail.part("text/plain");
    assert!(
        !html.contains("<img") && !html.contains("<script"),
        "{text:?}: {html}"
    );
    for link in html.split("href=\"").skip(1) {
        let fine = ["https://leads.example/", "tel:", "mailto:"];
        assert!(
            fine.iter().any(|start| link.starts_with(start)),
            "{text:?}: {link}"
        );
    }
    for body in [&html, &plain] {
        assert!(
            !body.contains("49 ") || text.contains("49"),
            "{text:?} was run: {body}"
        );
        assert!(!body.contains([
            '\u{202e}', '\u{2066}', '\u{200f}', '\u{61c}', '\0', '\u{1b}'
        ]));
    }
}

#[tokio::test]
async fn nothing_that_a_lead_writes_breaks_out_of_the_mail() {
    let (mailbox, deliverer) = taking().await;
    for (at, text) in HOSTILE.into_iter().enumerate() {
        assert_eq!(
            send(&deliverer, &hostile(text)).await,
            SendResult::Delivered,
            "{text:?}"
        );
        assert_eq!(
            mailbox.mails().len(),
            at + 1,
            "{text:?} made more than one mail"
        );
        has_not_broken_out(&mailbox.mails()[at], text);
    }
    let lines = mailbox.commands();
    let begun = lines.iter().filter(|line| line.starts_with("MAIL")).count();
    assert_eq!(begun, HOSTILE.len());
}

#[tokio::test]
async fn an_address_of_a_lead_that_no_mail_can_carry_does_not_stop_the_mail() {
    let (mailbox, deliverer) = taking().await;
    let cases = [
        ("ana@münchen.example", Some("ana@xn--mnchen-3ya.example")),
        ("añå@acme.example", None),
        ("ana", None),
    ];
    for (address, reply_to) in cases {
        let mut notice = notice();
        notice.fields.email = Some(Email::parse(address));
        assert_eq!(
            send(&deliverer, &notice).await,
            SendResult::Delivered,
            "{address}"
        );
        let mail = mailbox.mails().pop().unwrap();
        let found = mail.header("Reply-To");
        assert_eq!(found.is_some(), reply_to.is_some(), "{address}: {found:?}");
        assert!(
            found
                .unwrap_or_default()
                .contains(reply_to.unwrap_or_default()),
            "{address}"
        );
    }
}

#[tokio::test]
async fn what_is_very_long_is_cut_and_the_page_has_the_rest() {
    let (mailbox, deliverer) = taking().await;
    let mut notice = notice();
    notice.fields.message = Some("long words ".repeat(20_000));
    notice.fields.name = Some("x".repeat(5_000));
    assert_eq!(send(&deliverer, &notice).await, SendResult::Delivered);
    let mail = mailbox.mails().remove(0);
    // Mail programs cut at about 100 KiB and hide what follows, the link with it.
    assert!(mail.raw.len() < 60_000, "{} bytes", mail.raw.len());
    let html = html_of(&mail);
    assert!(html.contains(&"x".repeat(200)) && !html.contains(&"x".repeat(201)));
}
