//! E-mail: over SMTP, or into a folder as `.eml`.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use lettre::message::Mailbox;

use super::{Channel, Sending, Ways};
use crate::deliver::letter::{self, Letter};
use crate::deliver::outbox;
use crate::deliver::settings::{Settings, Transport};
use crate::deliver::smtp::Server;
use crate::deliver::templates::Templates;
use crate::deliver::words::Words;
use crate::deliver::{AlarmMail, Notice, SendResult};
use crate::lead::{LeadId, WorkKind};

/// The row in `ALL`.
pub(super) struct Email;

impl Channel for Email {
    fn name(&self) -> &'static str {
        "email"
    }

    fn work(&self) -> WorkKind {
        WorkKind::Mail
    }

    fn send<'a>(
        &self,
        ways: &'a Ways,
        notice: &'a Notice,
        templates: &'a Templates,
    ) -> Sending<'a> {
        Box::pin(ways.post.notify(notice, templates))
    }
}

/// The way out of the house, set up once.
pub struct Post {
    out: Out,
    from: Mailbox,
    domain: String,
}

enum Out {
    Smtp(Box<Server>),
    Outbox(PathBuf),
}

impl Post {
    /// Sets it up; nothing is sent yet.
    pub(in crate::deliver) fn new(settings: &Settings, domain: &str) -> anyhow::Result<Self> {
        let from = settings.from.parse();
        let timeout = Duration::from_millis(u64::try_from(settings.timeout_ms).unwrap_or(30_000));
        let out = match &settings.transport {
            Transport::Outbox(folder) => {
                fs::create_dir_all(folder)
                    .with_context(|| format!("the outbox {} cannot be made", folder.display()))?;
                Out::Outbox(folder.clone())
            }
            Transport::Smtp(smtp) => Out::Smtp(Box::new(Server::new(smtp, timeout)?)),
        };
        Ok(Self {
            out,
            from: from.with_context(|| format!("mail.from `{}` is no address", settings.from))?,
            domain: domain.to_owned(),
        })
    }

    async fn notify(&self, notice: &Notice, templates: &Templates) -> SendResult {
        let words = Words::of(notice);
        // A template that is sound with the sample and fails on this lead must not keep it from the
        // rep: the shipped one tells it.
        let rendered = templates.render(&words).or_else(|error| {
            tracing::warn!(kind = %error.kind(), "a mail template failed on a lead");
            Templates::shipped().render(&words)
        });
        let rendered = match rendered {
            Ok(rendered) => rendered,
            Err(error) => return SendResult::again(format!("template: {}", error.kind())),
        };
        let letter = Letter {
            name: outbox::name(notice.delivery, notice.lead_id),
            lead: Some(notice.lead_id.to_string()),
            to: (notice.rep_name.clone(), notice.rep_email.clone()),
            reply_to: notice.fields.email.as_ref().and_then(|email| {
                let name = notice.fields.name.clone().unwrap_or_default();
                ascii(email).map(|address| (name, address))
            }),
            subject: rendered.subject,
            text: rendered.text,
            html: Some(rendered.html),
            at: notice.now,
        };
        self.post(letter).await
    }

    /// One attempt to tell an operator of trouble.
    pub(in crate::deliver) async fn alarm(&self, alarm: &AlarmMail) -> SendResult {
        let letter = Letter {
            name: alarm.name.clone(),
            lead: None,
            to: (String::new(), alarm.to.clone()),
            reply_to: None,
            subject: alarm.subject.clone(),
            text: alarm.text.clone(),
            html: None,
            at: alarm.at,
        };
        self.post(letter).await
    }

    /// Takes notices out of the folder; what was sent to a server is out of reach.
    pub(in crate::deliver) async fn forget(
        &self,
        notices: Vec<(i64, LeadId)>,
    ) -> std::io::Result<()> {
        let Out::Outbox(folder) = &self.out else {
            return Ok(());
        };
        let folder = folder.clone();
        let removed = tokio::task::spawn_blocking(move || outbox::remove(&folder, &notices)).await;
        removed.map_err(std::io::Error::other)?.map(drop)
    }

    async fn post(&self, letter: Letter) -> SendResult {
        let name = letter.name.clone();
        let message = match letter::message(&letter, &self.from, &self.domain) {
            Ok(message) => message,
            Err(why) => return SendResult::never(why),
        };
        match &self.out {
            Out::Outbox(folder) => {
                let path = folder.join(format!("{name}.eml"));
                let bytes = message.formatted();
                let kept = tokio::task::spawn_blocking(move || keep(&path, &bytes)).await;
                match kept {
                    Ok(Ok(())) => SendResult::Delivered,
                    Ok(Err(error)) => SendResult::again(format!("outbox: {}", error.kind())),
                    Err(_) => SendResult::again("outbox: the write was cut off"),
                }
            }
            Out::Smtp(server) => server.send(&message).await,
        }
    }
}

/// An address as every server takes it: the domain in punycode; none where the part before it is
/// not ASCII, which would keep the mail from servers without SMTPUTF8.
fn ascii(email: &crate::lead::Email) -> Option<String> {
    let local = Some(email.local()).filter(|local| !local.is_empty() && local.is_ascii())?;
    let url::Host::Domain(domain) = url::Host::parse(email.domain()).ok()? else {
        return None;
    };
    Some(format!("{local}@{domain}"))
}

/// The whole file or none, and on disk with its name: a repeat of the attempt writes the same file.
fn keep(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let unfinished = path.with_extension("part");
    let mut file = File::create(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    path.parent()
        .map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}
