//! `endpoints.toml`: systems that are told of leads by webhook, each with its address, secrets and
//! bounds. Knows no rep and no network.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::clock::{Millis, SECOND};
use crate::document::{self, Overrides, Table};
use crate::problem::Problem;
use crate::secret::{self, Secret};

/// The longest that one exchange may be allowed to take.
pub const TIMEOUT_MAX: Millis = 60 * SECOND;
const TIMEOUT: Millis = 15 * SECOND;
const CONCURRENCY: usize = 4;
/// Standard Webhooks 1.0.0: a secret has 24 to 64 bytes.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
const HEADERS_MAX: usize = 20;
/// What the signature and the body say.
const TAKEN: [&str; 4] = [
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "content-type",
];
/// Templates by a short name, and the file of each.
const SHORT: [(&str, &str); 2] = [("slack", "webhook_slack.json"), ("adf", "webhook_adf.xml")];

/// A system that is told of leads.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The key in the file.
    pub name: String,
    /// Where it is; may hold a secret, as Slack's do.
    pub url: Secret,
    /// What it is told.
    pub body: Body,
    /// How many notices are under way to it at once.
    pub concurrency: usize,
    /// The longest that one exchange may take.
    pub timeout_ms: Millis,
    pub(super) keys: Vec<Key>,
    pub(super) headers: Vec<(String, Secret)>,
}

/// The form of what an endpoint is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// leadgate's own JSON, `docs/webhooks.md`.
    Standard,
    /// By the template of that file.
    Template(String),
}

/// A key that signs; `Debug` shows nothing of it.
#[derive(Clone)]
pub(super) struct Key(Vec<u8>);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl Key {
    /// From `whsec_` and base64.
    pub(super) fn read(secret: &Secret) -> Result<Self, &'static str> {
        let wanted = "wanted is `whsec_` and 24 to 64 bytes in base64";
        let coded = secret.expose().strip_prefix("whsec_").ok_or(wanted)?;
        let bytes = STANDARD.decode(coded).map_err(|_| wanted)?;
        let fits = SECRET_BYTES.contains(&bytes.len());
        fits.then_some(Self(bytes)).ok_or(wanted)
    }

    /// One entry of `webhook-signature`.
    pub(super) fn sign(&self, id: &str, at: &str, body: &[u8]) -> String {
        let parts = [id.as_bytes(), b".", at.as_bytes(), b".", body];
        let hash = secret::hmac_sha256(&self.0, &parts);
        format!("v1,{}", STANDARD.encode(hash))
    }
}

/// What the file's references and addresses are held against.
pub struct Outside<'a> {
    /// The secret of a reference.
    pub secret: &'a dyn Fn(&str) -> Result<Secret, String>,
    /// Whether a URL may be called.
    pub url: &'a dyn Fn(&str) -> Result<(), String>,
}

/// Every endpoint of a policy.
#[derive(Clone, Debug, Default)]
pub struct Endpoints {
    by_name: BTreeMap<String, Arc<Endpoint>>,
}

impl Endpoints {
    /// Reads the file; every problem at once.
    pub fn parse(
        file: &str,
        text: &str,
        overrides: &Overrides,
        outside: &Outside<'_>,
    ) -> Result<Self, Vec<Problem>> {
        document::read(file, text, overrides, |root| {
            let mut by_name = BTreeMap::new();
            for (name, table) in root.tables() {
                let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
                if name.is_empty() || name.len() > 64 || !name.chars().all(plain) {
                    let wanted = "wanted is a name of letters, digits, `_`, `-` and `.`";
                    root.problem(&name, format!("`{name}`: {wanted}"));
                }
                if let Some(endpoint) = read(&name, &table, outside) {
                    by_name.insert(name, Arc::new(endpoint));
                }
                table.done();
            }
            root.done();
            Some(Self { by_name })
        })
    }

    /// By its key.
    pub fn get(&self, name: &str) -> Option<&Arc<Endpoint>> {
        self.by_name.get(name)
    }

    /// In the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Endpoint>> {
        self.by_name.values()
    }

    /// The files of templates that are used, beside the shipped ones.
    pub(super) fn templates(&self) -> BTreeSet<&str> {
        let mut files = BTreeSet::new();
        for endpoint in self.by_name.values() {
            if let Body::Template(file) = &endpoint.body {
                files.insert(file.as_str());
            }
        }
        files
    }
}

fn read(name: &str, table: &Table<'_>, outside: &Outside<'_>) -> Option<Endpoint> {
    let url = read_url(table, outside);
    let body = read_body(table);
    let keys = ["secret", "secret_old"].map(|key| read_key(table, key, outside));
    let headers = read_headers(&table.table("headers"), outside);
    let concurrency = table.int("concurrency", 1..=256);
    let timeout_s = table.int("timeout_s", 1..=TIMEOUT_MAX / SECOND);
    if body == Some(Body::Standard) && !table.has("secret") {
        let name = table.name("secret");
        let hint = "make one with `printf 'whsec_%s' \"$(openssl rand -base64 32)\"` and give the \
                    same to the endpoint"
            .to_owned();
        table.problem_hint("secret", format!("{name} is missing"), Some(hint));
    }
    Some(Endpoint {
        name: name.to_owned(),
        url: url?,
        body: body?,
        concurrency: concurrency
            .and_then(|n| usize::try_from(n).ok())
            .unwrap_or(CONCURRENCY),
        timeout_ms: timeout_s.map_or(TIMEOUT, |s| s * SECOND),
        keys: keys.into_iter().flatten().collect(),
        headers,
    })
}

fn resolved(table: &Table<'_>, key: &str, outside: &Outside<'_>) -> Option<Secret> {
    let text = table.text(key)?;
    match (outside.secret)(&text) {
        Ok(secret) => Some(secret),
        Err(why) => {
            table.problem(key, format!("{}: {why}", table.name(key)));
            None
        }
    }
}

fn read_url(table: &Table<'_>, outside: &Outside<'_>) -> Option<Secret> {
    table.required_text("url")?;
    let url = resolved(table, "url", outside)?;
    match (outside.url)(url.expose()) {
        Ok(()) => Some(url),
        Err(why) => {
            table.problem("url", format!("{}: {why}", table.name("url")));
            None
        }
    }
}

fn read_key(table: &Table<'_>, key: &str, outside: &Outside<'_>) -> Option<Key> {
    let secret = resolved(table, key, outside)?;
    match Key::read(&secret) {
        Ok(key) => Some(key),
        Err(wanted) => {
            table.problem(key, format!("{}: {wanted}", table.name(key)));
            None
        }
    }
}

/// `standard`, a short name, or a file in the folder of templates.
fn read_body(table: &Table<'_>) -> Option<Body> {
    let Some(text) = table.text("template") else {
        return (!table.has("template")).then_some(Body::Standard);
    };
    if text == "standard" {
        return Some(Body::Standard);
    }
    if let Some((_, file)) = SHORT.iter().find(|(short, _)| *short == text) {
        return Some(Body::Template((*file).to_owned()));
    }
    let stem = [".json", ".xml", ".txt"]
        .iter()
        .find_map(|end| text.strip_suffix(end));
    if stem.is_some_and(|stem| !stem.is_empty()) && !text.contains('/') {
        return Some(Body::Template(text));
    }
    let wanted = "wanted is \"standard\", \"slack\", \"adf\", or a file of the templates that ends \
                  with .json, .xml or .txt";
    let name = table.name("template");
    table.problem("template", format!("{name} is \"{text}\"; {wanted}"));
    None
}

fn read_headers(table: &Table<'_>, outside: &Outside<'_>) -> Vec<(String, Secret)> {
    let mut headers = Vec::new();
    for name in table.keys() {
        let Some(value) = resolved(table, &name, outside) else {
            continue;
        };
        let lower = name.to_ascii_lowercase();
        if TAKEN.contains(&lower.as_str()) {
            table.problem(&name, format!("the header `{name}` is leadgate's own"));
        } else if let Err(why) = crate::outbound::check_header(&name, value.expose()) {
            table.problem(&name, why);
        }
        headers.push((lower, value));
    }
    if headers.len() > HEADERS_MAX {
        table.problem("", format!("more than {HEADERS_MAX} headers"));
    }
    table.done();
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Endpoints, Vec<String>> {
        let outside = Outside {
            secret: &|text| match text {
                "env:GONE" => Err("the environment variable GONE is not set".into()),
                "env:KEY" => Ok(Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")),
                text => Ok(Secret::new(text)),
            },
            url: &|url| {
                let fits = url.starts_with("https://");
                fits.then_some(()).ok_or_else(|| "not by https".into())
            },
        };
        let result = Endpoints::parse("e.toml", text, &Overrides::new(), &outside);
        result.map_err(|problems| problems.iter().map(Problem::one_line).collect())
    }

    /// The example of the Standard Webhooks specification, and of its libraries' tests.
    #[test]
    fn the_signature_is_that_of_the_published_vector() {
        let key = Key::read(&Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")).unwrap();
        let body = br#"{"test": 2432232314}"#;
        let found = key.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body);
        assert_eq!(found, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn every_mistake_is_named_at_once_and_no_secret_with_it() {
        let text = r#"
[crm]
url = "http://s3cret.example/"
secret = "s3cret"
timeout_s = 600
tempate = "slack"
[slack]
url = "https://hooks.slack.example/T/B/s3cret"
template = "slak"
[own]
url = "https://own.example/"
secret = "env:GONE"
template = "../etc/passwd.txt"
[own.headers]
Webhook-Id = "1"
Host = "x"
"x y" = "1"
X-Key = "a\nb"
[none]
"#;
        let problems = parse(text).unwrap_err();
        for stem in [
            "e.toml:3: crm.url: not by https",
            "e.toml:4: crm.secret: wanted is `whsec_` and 24 to 64 bytes in base64",
            "unknown key `crm.tempate`",
            "crm.timeout_s is 600",
            "slack.template is \"slak\"",
            "own.secret: the environment variable GONE is not set",
            "own.template is \"../etc/passwd.txt\"",
            "the header `Webhook-Id` is leadgate's own",
            "the header `host` is not the caller's to set",
            "a header's name holds",
            "the header `x-key` holds line ends",
            "none.url is missing",
            "none.secret is missing",
        ] {
            assert!(
                problems.iter().any(|p| p.contains(stem)),
                "{stem}: {problems:#?}"
            );
        }
        assert!(
            problems.iter().all(|p| !p.contains("s3cret")),
            "{problems:#?}"
        );
    }

    #[test]
    fn what_is_left_out_has_a_sensible_value() {
        let text = "[crm]\nurl = \"https://a.example/\"\nsecret = \"env:KEY\"\n\
                    [room]\nurl = \"https://b.example/\"\ntemplate = \"slack\"\n";
        let endpoints = parse(text).unwrap();
        let crm = endpoints.get("crm").unwrap();
        assert_eq!(
            (crm.concurrency, crm.timeout_ms, crm.keys.len()),
            (4, 15_000, 1)
        );
        assert_eq!(crm.body, Body::Standard);
        let shown = format!("{crm:?}");
        assert!(
            !shown.contains("a.example") && !shown.contains("MfKQ"),
            "{shown}"
        );
        assert_eq!(
            endpoints.templates(),
            BTreeSet::from(["webhook_slack.json"])
        );
    }
}
