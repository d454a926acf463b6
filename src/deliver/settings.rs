//! How mail leaves the house.

use std::path::PathBuf;

use crate::clock::{MINUTE, Millis, SECOND};
use crate::secret::Secret;

/// Section `[mail]`.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where mails go.
    pub transport: Transport,
    /// `From:` of every mail, `Name <address>`.
    pub from: String,
    /// Who is told of trouble; empty for nobody.
    pub alarm_to: Vec<String>,
    /// The longest that one send may take, from connecting to the last answer.
    pub timeout_ms: Millis,
    /// How many sends run at once.
    pub concurrency: usize,
    /// After this long without a delivered notice the lead goes to the next rep.
    pub undelivered_after_ms: Millis,
}

/// Where mails go.
#[derive(Clone, Debug)]
pub enum Transport {
    /// One `.eml` file a mail, in this folder.
    Outbox(PathBuf),
    /// To an SMTP server.
    Smtp(Smtp),
}

/// Section `[mail.smtp]`.
#[derive(Clone, Debug)]
pub struct Smtp {
    /// Name or address of the server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// Empty for no login.
    pub username: String,
    /// The password, or an application password.
    pub password: Secret,
}

/// How the connection to the SMTP server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// Plain, then upgraded; refused where the server cannot.
    StartTls,
    /// TLS from the first byte.
    Tls,
    /// Not at all; to this machine only.
    None,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            transport: Transport::Outbox("outbox".into()),
            from: "leadgate <leads@localhost.localdomain>".into(),
            alarm_to: Vec::new(),
            timeout_ms: 30 * SECOND,
            concurrency: 8,
            undelivered_after_ms: 5 * MINUTE,
        }
    }
}
