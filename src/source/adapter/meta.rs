//! Meta Lead Ads (Facebook and Instagram): a signed notification that names leads, whose content is
//! then fetched from the Graph API.
//! <https://developers.facebook.com/docs/graph-api/webhooks/getting-started>

use std::collections::BTreeMap;

use serde_json::json;
use url::Url;

use super::meta_lead as lead;
use crate::clock::{self, Millis, SECOND};
use crate::document::Table;
use crate::lead::{Identity, Inquiry, Receipt, Submission};
use crate::sample::Person;
use crate::secret::Secret;
use crate::source::answer::{Answer, Refusal, Reply};
use crate::source::fetch::{Answered, Step};
use crate::source::json::Json;
use crate::source::request;
use crate::source::signature::{self, Encoding};
use crate::source::sources::{Settings, Source};
#[cfg(test)]
use crate::source::suite::fixture::Fixture;
use crate::source::{Adapter, Admission, Admitted, Request, Sample, Secrets};

/// "Updates are batched up to a maximum of 1,000."
const LEADS_MAX: usize = 1_000;
/// Room for a batch of that size; Meta gives up on what it cannot deliver for 36 hours.
const BODY_BYTES: usize = 1024 * 1024;
/// The longest challenge that is sent back; Meta's are ten digits.
const CHALLENGE_BYTES_MAX: usize = 64;
const SIGNATURE: &str = "x-hub-signature-256";
const PREFIX: &str = "sha256=";
const API_URL: &str = "https://graph.facebook.com";
const API_VERSION: &str = "v25.0";
/// Members of a notification that say where the lead came from; 0 stands for none.
const ATTRIBUTION: [&str; 5] = ["leadgen_id", "page_id", "form_id", "ad_id", "adgroup_id"];

/// The row in `ALL`.
pub(in crate::source) struct Meta;

/// Keys of a source with `adapter = "meta"`.
#[derive(Clone, Debug)]
pub(super) struct MetaSettings {
    app_secret: Secret,
    verify_token: Secret,
    /// For every page that has none of its own.
    pub(super) access_token: Option<Secret>,
    /// By the page's id.
    pub(super) page_tokens: BTreeMap<String, Secret>,
    /// Without the slash at its end.
    pub(super) api_url: String,
    pub(super) api_version: String,
}

impl Adapter for Meta {
    fn name(&self) -> &'static str {
        "meta"
    }

    fn docs(&self) -> &'static str {
        "https://developers.facebook.com/docs/graph-api/webhooks/getting-started"
    }

    #[cfg(test)]
    fn fixtures(&self) -> &'static [Fixture] {
        super::meta_lead::FIXTURES
    }

    fn settings(&self, table: &Table<'_>, secrets: Secrets<'_>) -> Option<Settings> {
        let app_secret = super::product::secret(table, "app_secret", secrets);
        let verify_token = super::product::secret(table, "verify_token", secrets);
        let pages = table.table("page_tokens");
        let mut page_tokens = BTreeMap::new();
        for page in pages.keys() {
            if !is_id(&page) {
                pages.problem(&page, format!("`{page}` is no page's id (digits only)"));
            }
            page_tokens.extend(super::product::secret(&pages, &page, secrets).map(|t| (page, t)));
        }
        let access_token = if table.has("access_token") || pages.keys().is_empty() {
            Some(super::product::secret(table, "access_token", secrets)?)
        } else {
            None
        };
        pages.done();
        Some(Settings::new(MetaSettings {
            app_secret: app_secret?,
            verify_token: verify_token?,
            access_token,
            page_tokens,
            api_url: api_url(table)?,
            api_version: api_version(table)?,
        }))
    }

    fn admit(
        &self,
        source: &Source,
        request: &Request<'_>,
        _now: Millis,
    ) -> Result<Admission, Refusal> {
        let settings = settings(source)?;
        if request.method == "GET" {
            return handshake(settings, request.query).map(Admission::Answered);
        }
        let kind = request::content_type(request)?;
        let given = request.headers.only(SIGNATURE);
        let key = std::slice::from_ref(&settings.app_secret);
        signature::plain(key, given, (PREFIX, Encoding::Hex), request.body)?;
        if !request::is_json(&kind) {
            return Err(Refusal::Unsupported("application/json is wanted".into()));
        }
        let json = Json::parse(request.body)?;
        let notices = notices(&json)?;
        if notices.is_empty() {
            return Ok(Admission::Answered(taken()));
        }
        let identities = notices.iter().map(|notice| {
            let mut content = Vec::new();
            notice.part.canonical(&mut content);
            Identity {
                platform_id: notice.id(),
                content,
            }
        });
        Ok(Admission::Leads(Admitted::whole(
            request,
            identities.collect(),
        )))
    }

    fn parse(&self, _: &Source, submission: &Submission) -> Result<Vec<Inquiry>, String> {
        let json = Json::parse(&submission.raw).map_err(|refusal| refusal.to_string())?;
        let notices = notices(&json).map_err(|refusal| refusal.to_string())?;
        Ok(notices.iter().map(Notice::inquiry).collect())
    }

    fn answer(&self, _: &Source, _: &Receipt, _: &Reply) -> Answer {
        taken()
    }

    fn body_bytes(&self) -> Option<usize> {
        Some(BODY_BYTES)
    }

    fn fetch(&self, source: &Source, notice: &Inquiry, answers: &[Answered]) -> Step {
        lead::fetch(source, notice, answers)
    }

    fn read(&self, source: &Source, notice: Inquiry, content: &[u8]) -> Result<Inquiry, String> {
        lead::read(source, notice, content)
    }

    fn stand_in(&self, target: &str) -> Option<Vec<u8>> {
        lead::stand_in(target)
    }

    fn shape(&self, _: &Source, person: &Person) -> Sample {
        let page = "138124712925158";
        let body = json!({
            "object": "page",
            "entry": [{
                "id": page,
                "time": 1_790_000_001,
                "changes": [{
                    "field": "leadgen",
                    "value": {
                        "leadgen_id": lead::id_of(person),
                        "page_id": page,
                        "form_id": "172036835026334",
                        "ad_id": "120210000000000001",
                        "adgroup_id": "120210000000000001",
                        "created_time": 1_790_000_000,
                    },
                }],
            }],
        });
        Sample {
            method: "POST",
            query: String::new(),
            headers: vec![("content-type".into(), "application/json".into())],
            body: body.to_string().into_bytes(),
        }
    }

    fn sign(&self, source: &Source, mut sample: Sample, _now: Millis) -> Sample {
        if let Ok(settings) = settings(source) {
            let key = &settings.app_secret;
            let signature = signature::plain_signature(key, Encoding::Hex, &sample.body);
            let header = (SIGNATURE.to_owned(), format!("{PREFIX}{signature}"));
            sample.headers.push(header);
        }
        sample
    }
}

pub(super) fn settings(source: &Source) -> Result<&MetaSettings, Refusal> {
    source.own()
}

/// Ids are digits; anything else must not get into an address.
pub(super) fn is_id(text: &str) -> bool {
    (1..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

fn api_url(table: &Table<'_>) -> Option<String> {
    let text = table.text("api_url").unwrap_or_else(|| API_URL.into());
    let sound = Url::parse(&text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
    });
    if !sound {
        let wanted = format!("wanted is such as {API_URL}");
        table.problem("api_url", format!("`{text}` is no address; {wanted}"));
        return None;
    }
    Some(text.trim_end_matches('/').to_owned())
}

fn api_version(table: &Table<'_>) -> Option<String> {
    let text = table
        .text("api_version")
        .unwrap_or_else(|| API_VERSION.into());
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let parts = text.strip_prefix('v').and_then(|rest| rest.split_once('.'));
    if !parts.is_some_and(|(major, minor)| digits(major) && digits(minor)) {
        let message = format!("`{text}` is no version of the Graph API; wanted is such as v25.0");
        table.problem("api_version", message);
        return None;
    }
    Some(text)
}

/// Meta asks once whether the address is ours: the token is given back as it came.
fn handshake(settings: &MetaSettings, query: &str) -> Result<Answer, Refusal> {
    let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
    let only = |name: &str| {
        let mut values = pairs.iter().filter(|(key, _)| key == name);
        let first = values.next().map(|(_, value)| value.as_ref());
        first.filter(|_| values.next().is_none())
    };
    if !pairs.iter().any(|(key, _)| key.starts_with("hub.")) {
        return Err(Refusal::NotAllowed);
    }
    let given = only("hub.verify_token").unwrap_or_default();
    if only("hub.mode") != Some("subscribe") || !settings.verify_token.matches(given) {
        let why = "hub.mode or hub.verify_token does not fit";
        return Err(Refusal::Forbidden(why.into()));
    }
    let sound = |text: &&str| {
        (1..=CHALLENGE_BYTES_MAX).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    let Some(challenge) = only("hub.challenge").filter(sound) else {
        return Err(Refusal::Malformed("one hub.challenge is wanted".into()));
    };
    Ok(Answer {
        status: 200,
        headers: vec![("content-type", "text/plain; charset=utf-8".into())],
        body: challenge.as_bytes().to_vec(),
    })
}

/// "Respond with 200 OK", to what is taken and to what is none of ours.
fn taken() -> Answer {
    Answer::json(200, &json!({}))
}

/// A part of a notification that tells of one lead.
struct Notice<'a> {
    /// The page, where the part itself does not name it.
    page: Option<String>,
    /// The change's value; or the entry, where the subscription sends no values.
    part: &'a Json<'a>,
}

impl Notice<'_> {
    fn id(&self) -> Option<String> {
        text(self.part, "leadgen_id").filter(|id| is_id(id))
    }

    fn inquiry(&self) -> Inquiry {
        let mut inquiry = Inquiry::default();
        let attribution = &mut inquiry.attribution.0;
        for key in ATTRIBUTION {
            let found = text(self.part, key).filter(|id| is_id(id) && id != "0");
            attribution.extend(found.map(|id| (key.to_owned(), id)));
        }
        if let Some(page) = &self.page {
            let page_id = attribution.entry("page_id".into());
            page_id.or_insert_with(|| page.clone());
        }
        let created = text(self.part, "created_time").and_then(|text| text.parse::<i64>().ok());
        if let Some(at) = created.and_then(|seconds| seconds.checked_mul(SECOND)) {
            attribution.insert("submitted_at".into(), clock::iso(at));
        }
        inquiry.is_test = self.id().is_some_and(|id| id == lead::DASHBOARD_TEST);
        inquiry
    }
}

fn text(json: &Json<'_>, key: &str) -> Option<String> {
    json.get(key)
        .and_then(Json::as_text)
        .map(std::borrow::Cow::into_owned)
}

/// Whatever tells of a lead, in the order of the notification; nothing for other objects and fields.
fn notices<'a>(json: &'a Json<'a>) -> Result<Vec<Notice<'a>>, Refusal> {
    let Json::Map(_) = json else {
        return Err(Refusal::Malformed("a JSON object is wanted".into()));
    };
    if text(json, "object").as_deref() != Some("page") {
        return Ok(Vec::new());
    }
    let Some(Json::List(entries)) = json.get("entry") else {
        return Err(Refusal::Malformed("entry is missing".into()));
    };
    let mut notices = Vec::new();
    for entry in entries {
        let page = text(entry, "id").filter(|id| is_id(id));
        let is_lead = |change: &&Json<'_>| text(change, "field").as_deref() == Some("leadgen");
        if let Some(Json::List(changes)) = entry.get("changes") {
            for change in changes.iter().filter(is_lead) {
                let part = change.get("value").unwrap_or(change);
                let page = page.clone();
                notices.push(Notice { page, part });
            }
        } else if let Some(Json::List(names)) = entry.get("changed_fields") {
            // Without values nobody knows which lead; it must not be lost in silence.
            let tells = names
                .iter()
                .any(|name| name.as_text().as_deref() == Some("leadgen"));
            if tells {
                notices.push(Notice { page, part: entry });
            }
        }
        if notices.len() > LEADS_MAX {
            let message = format!("more than {LEADS_MAX} leads in one notification");
            return Err(Refusal::Unprocessable(message));
        }
    }
    Ok(notices)
}
