//! Sections `[mail]` and `[mail.smtp]`.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use super::layers::Layers;
use crate::clock::{MINUTE, SECOND};
use crate::deliver::Settings;
use crate::deliver::settings::{Security, Smtp, Transport};
use crate::document::Table;
use crate::lead::Email;

/// Reads `[mail]`; the outbox lies in the data folder unless it is named.
pub(super) fn read(table: &Table<'_>, layers: &Layers<'_>, data_dir: &Path) -> Option<Settings> {
    let default = Settings::default();
    let kind = table.choice("transport", &["outbox", "smtp"]);
    let outbox = table.text("outbox").filter(|dir| !dir.is_empty());
    let used = kind == Some("smtp");
    let smtp = read_smtp(&table.table("smtp"), layers, used);
    let from = read_from(table).unwrap_or(default.from);
    let alarm_to = read_alarm_to(table);
    let timeout_s = table.int("timeout_s", 1..=600);
    let undelivered_min = table.int("undelivered_after_min", 1..=7 * 24 * 60);
    let concurrency = super::size(table, "concurrency", 1..=1_024, default.concurrency);
    table.done();
    let transport = if used {
        Transport::Smtp(smtp?)
    } else {
        Transport::Outbox(outbox.map_or_else(|| data_dir.join("outbox"), PathBuf::from))
    };
    Some(Settings {
        transport,
        from,
        alarm_to,
        timeout_ms: timeout_s.map_or(default.timeout_ms, |s| s * SECOND),
        concurrency,
        undelivered_after_ms: undelivered_min.map_or(default.undelivered_after_ms, |m| m * MINUTE),
    })
}

/// Reads `[mail.smtp]`; what it refers to is looked up only where it is `used`.
fn read_smtp(table: &Table<'_>, layers: &Layers<'_>, used: bool) -> Option<Smtp> {
    let host = table.text("host").unwrap_or_default().trim().to_owned();
    let security = table.choice("security", &["starttls", "tls", "none"]);
    let security = match security {
        Some("tls") => Security::Tls,
        Some("none") => Security::None,
        Some(_) | None => Security::StartTls,
    };
    let port = table.int("port", 0..=65_535).unwrap_or_default();
    let username = table.text("username").unwrap_or_default();
    // Asked for in any case, so that it is no unknown key.
    let given = table.has("password");
    let password = used.then(|| layers.secret(table, "password")).flatten();
    table.done();
    if !used {
        return None;
    }
    if host.is_empty() {
        let name = table.name("host");
        let message = format!("{name} is empty, and mail.transport is \"smtp\"");
        table.problem("host", message);
        return None;
    }
    if security == Security::None && !is_this_machine(&host) {
        let name = table.name("security");
        let message = format!("{name} is \"none\", so leads would cross the network in plain text");
        let hint = "use \"starttls\" or \"tls\"; \"none\" is for this machine only".to_owned();
        table.problem_hint("security", message, Some(hint));
    }
    // A password that was given but not found is noted already.
    let found = password.as_ref().map_or(given, |p| !p.is_empty());
    if !username.is_empty() && !found {
        let name = table.name("password");
        table.problem(
            "password",
            format!("{name} is empty, but a username is given"),
        );
    }
    Some(Smtp {
        host,
        port: match (u16::try_from(port), security) {
            (Ok(port @ 1..), _) => port,
            (_, Security::Tls) => 465,
            (_, Security::StartTls | Security::None) => 587,
        },
        security,
        username,
        password: password.unwrap_or_default(),
    })
}

fn is_this_machine(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost") || bare.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// `Name <address>` or an address alone.
fn read_from(table: &Table<'_>) -> Option<String> {
    if !table.has("from") {
        return None;
    }
    let text = table.text("from")?;
    let address = match text.trim().strip_suffix('>') {
        Some(rest) => rest.rsplit_once('<').map_or("", |(_, address)| address),
        None => &text,
    };
    // What the mailer cannot read must not wait for the first mail.
    let reads = text.trim().parse::<lettre::message::Mailbox>().is_ok();
    if reads && Email::parse(address).address.is_some() {
        return Some(text.trim().to_owned());
    }
    let name = table.name("from");
    let wanted = "wanted is \"Name <name@example.com>\"";
    table.problem("from", format!("{name} holds no e-mail address; {wanted}"));
    None
}

fn read_alarm_to(table: &Table<'_>) -> Vec<String> {
    let mut to = Vec::new();
    for (at, text) in table
        .texts("alarm_to")
        .unwrap_or_default()
        .iter()
        .enumerate()
    {
        if let Some(address) = Email::parse(text).address {
            to.push(address);
            continue;
        }
        let name = table.name("alarm_to");
        let message = format!("{name}: entry {} is no e-mail address", at + 1);
        table.problem("alarm_to", message);
    }
    to
}
