//! Which queue, and where: section `[queue]`.

use crate::clock::{Millis, SECOND};
use crate::secret;
use crate::secret::Secret;

/// Which queue says what work is due now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Settings {
    /// A bounded window in this process.
    #[default]
    Memory,
    /// Streams in Redis.
    Redis(RedisSettings),
}

/// A queue in Redis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisSettings {
    /// `redis://` or, with TLS, `rediss://`; holds the password.
    pub url: Secret,
    /// Certificates (PEM) that the server's must be signed by; `None` for the public ones.
    pub ca: Option<String>,
    /// Sets apart the ledgers that share one Redis.
    pub partition: String,
    /// Redis is taken for lost after this long without an answer.
    pub timeout_ms: Millis,
    /// A process that has not asked for so long is taken for dead.
    pub dead_after_ms: Millis,
    /// Whether no other process serves this ledger, so that whatever others hold at the start
    /// belongs to dead ones.
    pub alone: bool,
}

impl Default for RedisSettings {
    fn default() -> Self {
        Self {
            url: Secret::default(),
            ca: None,
            partition: String::new(),
            timeout_ms: SECOND,
            dead_after_ms: 30 * SECOND,
            alone: true,
        }
    }
}

impl RedisSettings {
    /// Host, port and database, without a login: for people.
    pub fn place(&self) -> String {
        let Ok(url) = url::Url::parse(self.url.expose()) else {
            return "Redis".to_owned();
        };
        let host = url.host_str().unwrap_or_default();
        let port = url.port().unwrap_or(6379);
        let path = url.path().trim_matches('/');
        let slash = if path.is_empty() { "" } else { "/" };
        format!("{host}:{port}{slash}{path}")
    }

    /// The same, in a partition of its own where none was set.
    pub(super) fn with_partition_of(&self, key: &[u8]) -> Self {
        let mut settings = self.clone();
        if settings.partition.is_empty() {
            let hash = secret::hmac_sha256(key, &[b"partition of the queue"]);
            let mut hex = secret::hex(&hash);
            hex.truncate(16);
            settings.partition = hex;
        }
        settings
    }

    /// What is wrong with the URL of a Redis; never repeats it, since it may hold a password.
    pub fn mistake_in(url: &str) -> Option<String> {
        let Ok(url) = url::Url::parse(url) else {
            return Some("is no URL".to_owned());
        };
        let database = url.path().trim_matches('/');
        if !matches!(url.scheme(), "redis" | "rediss") {
            return Some("begins neither with \"redis://\" nor with \"rediss://\"".to_owned());
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Some("names no host".to_owned());
        }
        if !database.is_empty() && database.parse::<u16>().is_err() {
            return Some("has a path that is no database number".to_owned());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Some("has a query or a fragment".to_owned());
        }
        if !url.username().is_empty() && url.password().is_none() {
            return Some("has a user without a password".to_owned());
        }
        None
    }

    /// Whether a text may be a partition: it becomes part of every key.
    pub fn is_partition(text: &str) -> bool {
        let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        !text.is_empty() && text.len() <= 40 && text.chars().all(fine)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_never_shows_a_login_and_wrong_urls_are_named_without_repeating_them() {
        let place = |url: &str| {
            let settings = RedisSettings {
                url: Secret::new(url),
                ..RedisSettings::default()
            };
            assert!(!format!("{settings:?}").contains("hush"));
            settings.place()
        };
        assert_eq!(place("redis://u:hush@h.example:7000/3"), "h.example:7000/3");
        assert_eq!(place("rediss://:hush@[::1]"), "[::1]:6379");
        for (url, mistake) in [
            ("redis://u:hush@h/0", None),
            ("rediss://h", None),
            ("hush", Some("is no URL")),
            ("http://u:hush@h", Some("begins neither")),
            ("redis:///1", Some("names no host")),
            ("redis://h/hush", Some("no database number")),
            ("redis://h/-1", Some("no database number")),
            ("rediss://h/#insecure", Some("a fragment")),
            ("redis://hush@h", Some("without a password")),
        ] {
            let found = RedisSettings::mistake_in(url);
            assert_eq!(found.is_some(), mistake.is_some(), "{url}: {found:?}");
            let found = found.unwrap_or_default();
            assert!(found.contains(mistake.unwrap_or_default()), "{found}");
            assert!(!found.contains("hush"), "{found}");
        }
    }
}
