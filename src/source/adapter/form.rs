//! A form on a web page: urlencoded, multipart, or JSON by script.
//! <https://www.rfc-editor.org/rfc/rfc7578>

use url::Url;

use super::form_fields::{self as fields, ELAPSED, KEY, NEXT, SUBMISSION_ID, URLENCODED};
use super::form_page;
use super::form_web::{allowed_origin, allowed_page, cors, preflight};
use crate::clock::Millis;
use crate::document::Table;
use crate::lead::{Headers, Identity, Inquiry, Receipt, Submission};
use crate::sample::Person;
use crate::secret::Secret;
use crate::source::answer::{Answer, Refusal, Reply};
use crate::source::form_body::Pairs;
use crate::source::mapping::{self, VALUE_BYTES_MAX};
use crate::source::request;
use crate::source::signature;
use crate::source::sources::{Settings, Source};
#[cfg(test)]
use crate::source::suite::fixture::{Fixture, KEPT, Proof};
use crate::source::{Adapter, Admission, Admitted, Request, Sample, Secrets};

/// The longest id that a form may give.
const ID_BYTES_MAX: usize = 128;

/// The row in `ALL`.
pub(in crate::source) struct Form;

/// Keys of a source with `adapter = "form"`.
#[derive(Clone, Debug, Default)]
pub(super) struct FormSettings {
    pub(super) key: Option<Secret>,
    pub(super) origins: Vec<String>,
    pub(super) redirects: Vec<Url>,
    pub(super) thanks: Option<Url>,
    pub(super) honeypot: Vec<String>,
    pub(super) min_fill_ms: Millis,
}

impl Adapter for Form {
    fn name(&self) -> &'static str {
        "form"
    }

    fn docs(&self) -> &'static str {
        "https://www.rfc-editor.org/rfc/rfc7578"
    }

    #[cfg(test)]
    fn fixtures(&self) -> &'static [Fixture] {
        FIXTURES
    }

    fn settings(&self, table: &Table<'_>, secrets: Secrets<'_>) -> Option<Settings> {
        let key = table
            .has("key")
            .then(|| super::product::secret(table, "key", secrets));
        let page = |key: &str, text: &str| {
            let url = Url::parse(text)
                .ok()
                .filter(|url| matches!(url.scheme(), "http" | "https"));
            if url.is_none() {
                table.problem(key, format!("`{text}` is no address of a page (https://…)"));
            }
            url
        };
        let texts = |key: &str| table.texts(key).unwrap_or_default();
        let redirects = texts("redirects")
            .iter()
            .filter_map(|t| page("redirects", t))
            .collect();
        let thanks = table.text("thanks").filter(|t| !t.is_empty());
        let origins = texts("origins");
        for origin in origins.iter().filter(|origin| *origin != "*") {
            let sound =
                Url::parse(origin).is_ok_and(|u| u.origin().ascii_serialization() == *origin);
            if !sound {
                let wanted = "wanted is such as https://www.example.com, without a path";
                table.problem("origins", format!("`{origin}` is no origin; {wanted}"));
            }
        }
        Some(Settings::new(FormSettings {
            key: key.flatten(),
            origins,
            redirects,
            thanks: thanks.and_then(|text| page("thanks", &text)),
            honeypot: table
                .texts("honeypot")
                .unwrap_or_else(|| vec!["_gotcha".into()]),
            min_fill_ms: table.int("min_fill_ms", 0..=600_000).unwrap_or(1_500),
        }))
    }

    fn admit(
        &self,
        source: &Source,
        request: &Request<'_>,
        now: Millis,
    ) -> Result<Admission, Refusal> {
        let settings = settings(source)?;
        let origin = allowed_origin(settings, request.headers);
        if request.method == "OPTIONS" {
            return Ok(Admission::Answered(preflight(origin.as_deref())));
        }
        let kind = request::content_type(request)?;
        let pairs = fields::pairs(&kind, request.headers, request.body)?;
        let given = fields::field(&pairs, KEY);
        if let Some(key) = &settings.key {
            signature::key(key, given, request.headers)?;
        }
        if pairs
            .iter()
            .all(|(name, value)| fields::is_technical(name) || value.is_empty())
        {
            return Err(Refusal::Malformed("the form is empty".into()));
        }
        let mut headers = request::kept(request.headers);
        let mut raw = request.body.to_vec();
        if given.is_some() {
            raw = fields::without_key(&pairs);
            headers.0.retain(|(name, _)| name != "content-type");
            headers.0.push(("content-type".into(), URLENCODED.into()));
        }
        let own_id =
            fields::field(&pairs, SUBMISSION_ID).or(request.headers.only("idempotency-key"));
        let own_id = own_id.filter(|id| !id.is_empty() && id.len() <= ID_BYTES_MAX);
        let accepts = request.headers.only("accept").unwrap_or_default();
        let reply = Reply {
            origin,
            redirect: fields::field(&pairs, NEXT)
                .and_then(|next| allowed_page(&settings.redirects, next)),
            wants_json: request::is_json(&kind) || accepts.contains("application/json"),
            language: request::language(request.headers).unwrap_or_default(),
        };
        let identity = Identity {
            platform_id: own_id.map(str::to_owned),
            content: fields::content(&pairs),
        };
        let query: String = request.query.chars().take(VALUE_BYTES_MAX).collect();
        // A form that carried its key is read as it is stored without it.
        let is_as_it_came = given.is_none();
        let around = (now, &headers, query.as_str());
        let read = is_as_it_came.then(|| inquiry(source, settings, around, pairs));
        Ok(Admission::Leads(Admitted {
            headers,
            query,
            raw,
            identities: vec![identity],
            read: read.into_iter().collect(),
            reply,
        }))
    }

    fn parse(&self, source: &Source, submission: &Submission) -> Result<Vec<Inquiry>, String> {
        let settings = settings(source).map_err(|refusal| refusal.to_string())?;
        let headers = &submission.headers;
        let kind = headers.only("content-type").unwrap_or_default();
        let kind = kind
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_lowercase();
        let pairs = fields::pairs(&kind, headers, &submission.raw)
            .map_err(|refusal| refusal.to_string())?;
        Ok(vec![inquiry(
            source,
            settings,
            (submission.received_at, headers, &submission.query),
            pairs,
        )])
    }

    fn answer(&self, source: &Source, receipt: &Receipt, reply: &Reply) -> Answer {
        let thanks = settings(source)
            .ok()
            .and_then(|settings| settings.thanks.as_ref());
        let page = reply
            .redirect
            .clone()
            .or_else(|| thanks.map(Url::to_string));
        let mut answer = if reply.wants_json {
            Answer::receipt(receipt)
        } else if let Some(page) = page {
            Answer {
                status: 303,
                headers: vec![("location", page)],
                body: Vec::new(),
            }
        } else {
            form_page::thanks(&reply.language)
        };
        answer.headers.extend(cors(reply.origin.as_deref()));
        answer
    }

    fn refuse(&self, source: &Source, refusal: &Refusal, request: Option<&Request<'_>>) -> Answer {
        let origin = settings(source).ok().zip(request);
        let origin = origin.and_then(|(settings, r)| allowed_origin(settings, r.headers));
        let mut answer = Answer::error(refusal);
        answer.headers.extend(cors(origin.as_deref()));
        answer
    }

    fn shape(&self, source: &Source, person: &Person) -> Sample {
        let employees = person.employees.to_string();
        let consent = if person.consent { "on" } else { "" };
        let mut pairs = vec![
            ("name", person.name()),
            ("email", person.email.clone()),
            ("phone", person.phone.clone()),
            ("company", person.company.clone()),
            ("job_title", person.job_title.clone()),
            ("country", person.country.clone()),
            ("city", person.city.clone()),
            ("plz", person.postcode.clone()),
            ("language", person.language.clone()),
            ("message", person.message.clone()),
            ("employees", employees),
            ("consent", consent.to_owned()),
            (
                ELAPSED,
                if person.trapped { "300" } else { "24000" }.to_owned(),
            ),
        ];
        if person.trapped
            && let Ok(settings) = settings(source)
            && let Some(trap) = settings.honeypot.first()
        {
            pairs.push((trap, "http://spam.example".to_owned()));
        }
        let mut body = form_urlencoded::Serializer::new(String::new());
        for (name, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
            body.append_pair(name, value);
        }
        for (name, value) in &person.utm {
            body.append_pair(name, value);
        }
        Sample {
            method: "POST",
            query: String::new(),
            headers: vec![
                ("content-type".into(), URLENCODED.into()),
                ("accept".into(), "application/json".into()),
            ],
            body: body.finish().into_bytes(),
        }
    }

    fn sign(&self, source: &Source, mut sample: Sample, _now: Millis) -> Sample {
        if let Ok(settings) = settings(source)
            && let Some(key) = &settings.key
        {
            sample
                .headers
                .push(("x-api-key".into(), key.expose().to_owned()));
        }
        sample
    }
}

/// What a form tells, and what of the request.
fn inquiry(
    source: &Source,
    settings: &FormSettings,
    (received_at, headers, query): (Millis, &Headers, &str),
    pairs: Pairs,
) -> Inquiry {
    let traps = (settings.honeypot.as_slice(), settings.min_fill_ms);
    let signals = fields::signals(traps, &pairs, received_at);
    let is_trap = |name: &str| settings.honeypot.iter().any(|trap| trap == name);
    let kept = pairs
        .into_iter()
        .filter(|(name, _)| !fields::is_technical(name) && !is_trap(name));
    let mut inquiry = mapping::inquiry(
        Vec::new(),
        kept.collect(),
        &source.mapping,
        source.country.as_deref(),
    );
    inquiry.signals = signals;
    mapping::attribute(&mut inquiry.attribution, query);
    if let Some(page) = headers
        .only("referer")
        .and_then(|text| Url::parse(text).ok())
    {
        mapping::attribute(&mut inquiry.attribution, page.query().unwrap_or_default());
        let mut bare = page;
        bare.set_query(None);
        bare.set_fragment(None);
        let landing = inquiry.attribution.0.entry("landing_page".into());
        landing.or_insert_with(|| bare.to_string());
    }
    if inquiry.fields.language.is_none() {
        inquiry.fields.language = request::language(headers);
    }
    inquiry
}

fn settings(source: &Source) -> Result<&FormSettings, Refusal> {
    source.own()
}

#[cfg(test)]
const FIXTURES: &[Fixture] = &[
    Fixture {
        name: "form",
        settings: r#"
country = "DE"
origins = ["https://www.example.com"]
redirects = ["https://www.example.com/thanks"]
map = { "Betreff" = "message" }
"#,
        proof: Proof::Nothing,
        kind: "application/x-www-form-urlencoded",
        body: "Vorname=Mia&nachname=Gro%C3%9F&E-Mail=Mia%40Werk.example&Telefon=030+901820&Betreff=Demo+bitte\
               &employees=800&interest=a&interest=b&utm_source=meta&gdpr=on&_elapsed_ms=9000&__proto__=kept",
        fields: &[
            ("name", "Mia Groß"),
            ("email", "Mia@Werk.example"),
            ("phone", "030 901820"),
            ("message", "Demo bitte"),
            ("country", "DE"),
            ("employees", "800"),
            ("interest", "a"),
            ("__proto__", KEPT),
        ],
        attribution: &[("utm_source", "meta")],
        batch: None,
        fetched: &[],
    },
    Fixture {
        name: "keyed",
        settings: "key = \"K3Y\"",
        proof: Proof::Key,
        kind: "application/x-www-form-urlencoded",
        body: "email=a%40b.example&more=kept",
        fields: &[("email", "a@b.example")],
        attribution: &[],
        batch: None,
        fetched: &[],
    },
];
