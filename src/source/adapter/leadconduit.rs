//! Posts as `LeadConduit` takes them, for partners and networks that deliver to it already: a form,
//! JSON or flat XML, with the fields of the address added. They prove nothing of themselves, so a
//! key stands in the address or a header, as the secret of a `LeadConduit` source does.
//! <https://support.activeprospect.com/hc/en-us/articles/205182725-Generic-POST-instructions-for-LeadConduit>

use std::borrow::Cow;

use serde_json::json;

use crate::clock::Millis;
use crate::document::Table;
use crate::lead::{Identity, Inquiry, Receipt, Submission, Verdict};
use crate::sample::Person;
use crate::secret::Secret;
use crate::source::answer::{Answer, Refusal, Reply};
use crate::source::bounds;
use crate::source::draft::Draft;
use crate::source::form_body::{self, Pairs};
use crate::source::json::Json;
use crate::source::request;
use crate::source::signature;
use crate::source::sources::{Settings, Source};
#[cfg(test)]
use crate::source::suite::fixture::{Fixture, KEPT, Proof};
use crate::source::xml::{self, Element};
use crate::source::{Adapter, Admission, Admitted, Request, Sample, Secrets};

const URLENCODED: &str = "application/x-www-form-urlencoded";

/// The row in `ALL`.
pub(in crate::source) struct LeadConduit;

struct LeadConduitSettings {
    key: Secret,
}

impl Adapter for LeadConduit {
    fn name(&self) -> &'static str {
        "leadconduit"
    }

    fn docs(&self) -> &'static str {
        "https://support.activeprospect.com/hc/en-us/articles/205182725-Generic-POST-instructions-for-LeadConduit"
    }

    #[cfg(test)]
    fn fixtures(&self) -> &'static [Fixture] {
        FIXTURES
    }

    fn settings(&self, table: &Table<'_>, secrets: Secrets<'_>) -> Option<Settings> {
        let key = super::product::secret(table, "key", secrets)?;
        Some(Settings::new(LeadConduitSettings { key }))
    }

    fn admit(
        &self,
        source: &Source,
        request: &Request<'_>,
        _now: Millis,
    ) -> Result<Admission, Refusal> {
        let settings: &LeadConduitSettings = source.own()?;
        let (kind, charset) = match request.method {
            // All fields stand in the address.
            "GET" if request.body.is_empty() => (URLENCODED.to_owned(), None),
            _ => request::typed(request)?,
        };
        signature::token(&settings.key, request)?;
        let query = request::query_without_key(request.query);
        let pairs = pairs((&kind, charset.as_deref()), &query, request.body)?;
        if pairs.iter().all(|(_, value)| value.trim().is_empty()) {
            return Err(Refusal::Malformed("the lead is empty".into()));
        }
        let mut sorted: Vec<_> = pairs.iter().collect();
        sorted.sort_by(|(a, _), (b, _)| a.cmp(b)); // stable: a repeated name keeps its order
        let mut content = Vec::new();
        for part in sorted.into_iter().flat_map(|(name, value)| [name, value]) {
            content.extend_from_slice(&(part.len() as u64).to_le_bytes());
            content.extend_from_slice(part.as_bytes());
        }
        let identity = Identity {
            platform_id: None,
            content,
        };
        Ok(Admission::Leads(Admitted {
            query,
            read: vec![inquiry(source, &pairs)],
            ..Admitted::whole(request, vec![identity])
        }))
    }

    fn parse(&self, source: &Source, submission: &Submission) -> Result<Vec<Inquiry>, String> {
        let header = submission.headers.only("content-type");
        // Of a GET all stands in the address, whatever type it names.
        let header = header.filter(|_| !submission.raw.is_empty());
        let (kind, charset) = request::kind_of(header.unwrap_or(URLENCODED));
        let kind = (kind.as_str(), charset.as_deref());
        let pairs = pairs(kind, &submission.query, &submission.raw);
        let pairs = pairs.map_err(|refusal| refusal.to_string())?;
        Ok(vec![inquiry(source, &pairs)])
    }

    /// 201 for whatever is handled: the outcome says what became of it, as far as it is known.
    fn answer(&self, _: &Source, receipt: &Receipt, _: &Reply) -> Answer {
        let id = receipt.leads.first();
        let failure = match &receipt.verdict {
            Some(Verdict::Rejected { why }) => Some(why.clone()),
            Some(Verdict::Held { .. } | Verdict::Accepted { .. }) | None => None,
        };
        let mut body = json!({ "outcome": "success", "lead": { "id": id }, "price": 0 });
        if let (Some(why), Some(object)) = (failure, body.as_object_mut()) {
            object.insert("outcome".into(), "failure".into());
            object.insert("reason".into(), why.into());
        }
        Answer::json(201, &body)
    }

    /// Plain text, with 406 for a content type that is not taken.
    fn refuse(&self, _: &Source, refusal: &Refusal, request: Option<&Request<'_>>) -> Answer {
        let has_kind = request.is_some_and(|r| r.headers.only("content-type").is_some());
        let (status, text) = match refusal {
            Refusal::Unsupported(_) if !has_kind => {
                (415, "Content-Type header is required".to_owned())
            }
            Refusal::Unsupported(why) => (406, why.clone()),
            Refusal::TooMany { .. } => (503, refusal.to_string()),
            Refusal::Unauthorized(_)
            | Refusal::Forbidden(_)
            | Refusal::Malformed(_)
            | Refusal::TooLarge(_)
            | Refusal::Unprocessable(_)
            | Refusal::Unavailable { .. }
            | Refusal::NotAllowed
            | Refusal::Timeout => (refusal.status(), refusal.to_string()),
        };
        let answer = Answer {
            status,
            headers: vec![("content-type", "text/plain; charset=utf-8".into())],
            body: text.into_bytes(),
        };
        answer.told(refusal)
    }

    fn shape(&self, _: &Source, person: &Person) -> Sample {
        let employees = person.employees.to_string();
        let pairs = [
            ("first_name", person.first_name.as_str()),
            ("last_name", &person.last_name),
            ("email", &person.email),
            ("phone_1", &person.phone),
            ("company.name", &person.company),
            ("job_title", &person.job_title),
            ("city", &person.city),
            ("postal_code", &person.postcode),
            ("country", &person.country),
            ("comments", &person.message),
            ("employees", &employees),
        ];
        let mut body = form_urlencoded::Serializer::new(String::new());
        for (name, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
            body.append_pair(name, value);
        }
        for (name, value) in &person.utm {
            body.append_pair(name, value);
        }
        Sample::post(URLENCODED, body.finish())
    }

    fn sign(&self, source: &Source, mut sample: Sample, _now: Millis) -> Sample {
        if let Ok(settings) = source.own::<LeadConduitSettings>() {
            request::add_key(&mut sample.query, settings.key.expose());
        }
        sample
    }
}

/// What the fields tell.
fn inquiry(source: &Source, pairs: &Pairs) -> Inquiry {
    let mut draft = Draft::of(source);
    for (name, value) in pairs {
        draft.asked(name, value);
    }
    draft.inquiry()
}

/// The fields of the address and of the body, in this order.
fn pairs(
    (kind, charset): (&str, Option<&str>),
    query: &str,
    body: &[u8],
) -> Result<Pairs, Refusal> {
    let utf8 = charset.is_none_or(|charset| matches!(charset, "utf-8" | "utf8"));
    let mut pairs = form_body::urlencoded(query.as_bytes())?;
    match kind {
        "application/xml" | "text/xml" => {
            let text = xml::decoded(body, charset)?;
            Element::parse(&text)?.leaves("", &mut pairs);
        }
        _ if !utf8 => return Err(Refusal::Unsupported("only UTF-8 is taken".into())),
        URLENCODED => pairs.extend(form_body::urlencoded(body)?),
        kind if request::is_json(kind) => {
            Json::object(&tamed(body))?.leaves("", &mut pairs);
        }
        _ => {
            let wanted = "a form, JSON or XML is wanted";
            return Err(Refusal::Unsupported(wanted.into()));
        }
    }
    bounds::pairs(&pairs)?;
    Ok(pairs)
}

/// Line ends and tabs that stand in JSON's strings as they are, which is no JSON: `LeadConduit`
/// takes them, so senders do not know that they send them.
fn tamed(body: &[u8]) -> Cow<'_, [u8]> {
    let (mut in_string, mut escaped) = (false, false);
    let mut inside = |byte: u8| {
        let was = in_string;
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ => {}
        }
        was
    };
    let found: Vec<usize> = body
        .iter()
        .enumerate()
        .filter(|(_, byte)| inside(**byte) && byte.is_ascii_control() && **byte != 0x7f)
        .map(|(at, _)| at)
        .collect();
    if found.is_empty() {
        return Cow::Borrowed(body);
    }
    let mut tamed = Vec::with_capacity(body.len() + found.len() * 6);
    let mut from = 0;
    for at in found {
        tamed.extend_from_slice(body.get(from..at).unwrap_or_default());
        let byte = body.get(at).copied().unwrap_or_default();
        tamed.extend_from_slice(format!("\\u{byte:04x}").as_bytes());
        from = at + 1;
    }
    tamed.extend_from_slice(body.get(from..).unwrap_or_default());
    Cow::Owned(tamed)
}

#[cfg(test)]
const FIXTURES: &[Fixture] = &[Fixture {
    name: "leadconduit",
    settings: "key = \"t0ken\"\ncountry = \"US\"",
    proof: Proof::Key,
    kind: "application/x-www-form-urlencoded",
    body: "first_name=Ben&last_name=Hall&email=ben%40contoso.example&phone_1=512-555-0123\
               &address_1=1+Main+St&city=Austin&state=TX&postal_code=78701&utm_source=partner\
               &xxTrustedFormCertUrl=https%3A%2F%2Fcert.example%2Fabc&loan.amount=kept",
    fields: &[
        ("name", "Ben Hall"),
        ("email", "ben@contoso.example"),
        ("phone", "512-555-0123"),
        ("street", "1 Main St"),
        ("region", "US-TX"),
        ("country", "US"),
        ("xxTrustedFormCertUrl", "https://cert.example/abc"),
        ("loan.amount", KEPT),
    ],
    attribution: &[("utm_source", "partner")],
    batch: None,
    fetched: &[],
}];
