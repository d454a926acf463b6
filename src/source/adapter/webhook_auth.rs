//! How a program's webhook proves itself. Knows nothing of what it sends.

use super::product::{secret, secret_or_secrets};
use crate::clock::{Millis, SECOND};
use crate::document::Table;
use crate::secret::Secret;
use crate::source::answer::Refusal;
use crate::source::signature::{self, Encoding};
use crate::source::{Request, Sample, Secrets};

/// Keys of a source with `adapter = "webhook"` that authenticate.
#[derive(Clone, Debug)]
pub(super) enum Auth {
    Standard(Vec<Secret>),
    Hmac {
        secrets: Vec<Secret>,
        header: String,
        prefix: String,
        encoding: Encoding,
    },
    Bearer(Secret),
}

impl Auth {
    /// Reads `auth` and what belongs to it.
    pub(super) fn of(table: &Table<'_>, secrets: Secrets<'_>) -> Option<Self> {
        if !table.has("auth") {
            table.missing("auth");
            return None;
        }
        match table.choice("auth", &["standard", "hmac", "bearer"])? {
            "standard" => {
                let secrets = secret_or_secrets(table, secrets)?;
                if secrets.iter().any(|s| signature::standard_key(s).is_none()) {
                    let key = if table.has("secrets") {
                        "secrets"
                    } else {
                        "secret"
                    };
                    let wanted = "wanted is whsec_ and the key in base64";
                    table.problem(key, format!("{} is cut off; {wanted}", table.name(key)));
                }
                Some(Auth::Standard(secrets))
            }
            "hmac" => {
                let header = table.required_text("header");
                let prefix = table.text("prefix").unwrap_or_default();
                let encoding = match table.choice("encoding", &["hex", "base64"]) {
                    Some("base64") => Encoding::Base64,
                    Some(_) | None => Encoding::Hex,
                };
                let secrets = secret_or_secrets(table, secrets);
                Some(Auth::Hmac {
                    secrets: secrets?,
                    header: header?.to_lowercase(),
                    prefix,
                    encoding,
                })
            }
            _ => secret(table, "key", secrets).map(Auth::Bearer),
        }
    }

    /// Gives the id of the request where its signature covers one.
    pub(super) fn verify(
        &self,
        request: &Request<'_>,
        now: Millis,
    ) -> Result<Option<String>, Refusal> {
        match self {
            Auth::Standard(secrets) => {
                signature::standard(secrets, request.headers, request.body, now).map(Some)
            }
            Auth::Hmac {
                secrets,
                header,
                prefix,
                encoding,
            } => {
                let given = request.headers.only(header);
                signature::plain(secrets, given, (prefix, *encoding), request.body)?;
                Ok(None)
            }
            Auth::Bearer(key) => signature::bearer(key, request.headers).map(|()| None),
        }
    }

    /// Adds what authenticates a sample.
    pub(super) fn sign(&self, sample: &mut Sample, now: Millis) {
        let mut add = |name: &str, value: String| sample.headers.push((name.to_owned(), value));
        match self {
            Auth::Standard(secrets) => {
                let Some(secret) = secrets.first() else {
                    return;
                };
                let hash = crate::secret::hmac_sha256(b"sample", &[&sample.body]);
                let short = hash.get(..12).unwrap_or_default();
                let (id, at) = (crate::secret::hex(short), (now / SECOND).to_string());
                let id = format!("msg_{id}");
                let signature = signature::standard_signature(secret, &id, &at, &sample.body)
                    .unwrap_or_default();
                add("webhook-id", id);
                add("webhook-timestamp", at);
                add("webhook-signature", format!("v1,{signature}"));
            }
            Auth::Hmac {
                secrets,
                header,
                prefix,
                encoding,
            } => {
                let Some(secret) = secrets.first() else {
                    return;
                };
                let signature = signature::plain_signature(secret, *encoding, &sample.body);
                add(header, format!("{prefix}{signature}"));
            }
            Auth::Bearer(key) => add("authorization", format!("Bearer {}", key.expose())),
        }
    }
}
