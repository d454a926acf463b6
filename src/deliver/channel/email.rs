//! E-mail: over SMTP, or into a folder as `.eml`.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use super::{Channel, Sending};
use crate::deliver::letter::{self, Letter};
use crate::deliver::settings::{Security, Settings, Smtp, Transport};
use crate::deliver::templates::Templates;
use crate::deliver::words::Words;
use crate::deliver::{Notice, SendResult};

/// The row in `ALL`.
pub(super) struct Email;

impl Channel for Email {
    fn name(&self) -> &'static str {
        "email"
    }

    fn send<'a>(
        &self,
        post: &'a Post,
        notice: &'a Notice,
        templates: &'a Templates,
    ) -> Sending<'a> {
        Box::pin(post.notify(notice, templates))
    }
}

/// The way out of the house, set up once.
pub struct Post {
    out: Out,
    from: Mailbox,
    alarm_to: Vec<String>,
    domain: String,
    timeout: Duration,
}

enum Out {
    Smtp(Box<AsyncSmtpTransport<Tokio1Executor>>),
    Outbox(std::path::PathBuf),
}

impl Post {
    /// Sets it up; nothing is sent yet.
    pub(in crate::deliver) fn new(settings: &Settings, domain: &str) -> anyhow::Result<Self> {
        let from = settings.from.parse();
        let timeout = Duration::from_millis(u64::try_from(settings.timeout_ms).unwrap_or(30_000));
        let out = match &settings.transport {
            Transport::Outbox(folder) => {
                std::fs::create_dir_all(folder)
                    .with_context(|| format!("the outbox {} cannot be made", folder.display()))?;
                Out::Outbox(folder.clone())
            }
            Transport::Smtp(smtp) => Out::Smtp(Box::new(transport(smtp, timeout)?)),
        };
        Ok(Self {
            out,
            from: from.with_context(|| format!("mail.from `{}` is no address", settings.from))?,
            alarm_to: settings.alarm_to.clone(),
            domain: domain.to_owned(),
            timeout,
        })
    }

    async fn notify(&self, notice: &Notice, templates: &Templates) -> SendResult {
        let words = Words::of(notice);
        let rendered = match templates.render(&words) {
            Ok(rendered) => rendered,
            // The template was sound with the sample; this lead's values made it fail.
            Err(error) => return SendResult::again(format!("template: {}", error.kind())),
        };
        let letter = Letter {
            name: format!("d{}.{}", notice.delivery, notice.lead_id),
            lead: Some(notice.lead_id.to_string()),
            to: (notice.rep_name.clone(), notice.rep_email.clone()),
            reply_to: notice.fields.email.as_ref().and_then(|email| {
                let name = notice.fields.name.clone().unwrap_or_default();
                email.address.clone().map(|address| (name, address))
            }),
            subject: rendered.subject,
            text: rendered.text,
            html: Some(rendered.html),
            at: notice.now,
        };
        self.post(letter).await
    }

    /// Tells the operators of trouble.
    pub(in crate::deliver) async fn alarm(&self, subject: &str, text: &str) -> SendResult {
        let mut last = SendResult::never("nobody in mail.alarm_to");
        for (at, to) in self.alarm_to.iter().enumerate() {
            let now = crate::clock::Clock::system().now();
            let letter = Letter {
                name: format!("alarm.{now}.{at}"),
                lead: None,
                to: (String::new(), to.clone()),
                reply_to: None,
                subject: subject.to_owned(),
                text: text.to_owned(),
                html: None,
                at: now,
            };
            last = self.post(letter).await;
        }
        last
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
            Out::Smtp(smtp) => self.smtp(smtp, message).await,
        }
    }

    async fn smtp(
        &self,
        smtp: &AsyncSmtpTransport<Tokio1Executor>,
        message: Message,
    ) -> SendResult {
        // lettre's own timeout covers the connecting only.
        match tokio::time::timeout(self.timeout, smtp.send(message)).await {
            Ok(Ok(_)) => SendResult::Delivered,
            Ok(Err(error)) => classify(&error),
            Err(_) => SendResult::again("timeout"),
        }
    }
}

/// Only a code and a word: the server's text may repeat the address.
fn classify(error: &lettre::transport::smtp::Error) -> SendResult {
    let code = error.status().map(|code| code.to_string());
    if error.is_permanent() {
        return SendResult::never(code.unwrap_or_else(|| "refused for good".into()));
    }
    if let Some(code) = code {
        return SendResult::again(code);
    }
    let why = if error.is_timeout() {
        "timeout"
    } else if error.is_tls() {
        "TLS failed"
    } else if error.is_response() {
        "no whole answer came"
    } else if error.is_client() {
        "the server cannot what is wanted of it"
    } else {
        "connection failed or lost"
    };
    SendResult::again(why)
}

fn transport(smtp: &Smtp, timeout: Duration) -> anyhow::Result<AsyncSmtpTransport<Tokio1Executor>> {
    let parameters = || {
        TlsParameters::new(smtp.host.clone())
            .with_context(|| format!("`{}` is no name for TLS", smtp.host))
    };
    let tls = match smtp.security {
        Security::StartTls => Tls::Required(parameters()?),
        Security::Tls => Tls::Wrapper(parameters()?),
        Security::None => {
            let local = matches!(smtp.host.as_str(), "localhost" | "127.0.0.1" | "::1");
            anyhow::ensure!(local, "mail without TLS goes to this machine only");
            Tls::None
        }
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&smtp.host)
        .port(smtp.port)
        .tls(tls)
        .timeout(Some(timeout));
    if !smtp.username.is_empty() {
        let password = smtp.password.expose().to_owned();
        builder = builder.credentials(Credentials::new(smtp.username.clone(), password));
    }
    Ok(builder.build())
}

/// The whole file or none, and on disk: a repeat of the attempt writes the same file.
fn keep(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let unfinished = path.with_extension("part");
    let mut file = std::fs::File::create(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&unfinished, path)
}
