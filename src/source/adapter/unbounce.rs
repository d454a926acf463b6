//! Unbounce: urlencoded, of which `data.json` holds the answers, each a list; or that JSON alone. It
//! signs nothing, so a key stands in the address; it gives no id, so the same content within ten
//! minutes is a repeat. It marks no test. Its XML is refused: choose form data or JSON there.
//! <https://documentation.unbounce.com/hc/en-us/articles/203510044-Using-a-Webhook>

use serde_json::json;

use super::form_fields::{self as fields, URLENCODED};
use super::product;
use crate::clock::Millis;
use crate::document::Table;
use crate::lead::{Inquiry, Receipt, Submission};
use crate::sample::Person;
use crate::secret::Secret;
use crate::source::answer::{Answer, Refusal, Reply};
use crate::source::bounds;
use crate::source::draft::Draft;
use crate::source::form_body::{self, Bounds, Pairs};
use crate::source::json::Json;
use crate::source::mapping::PAIRS_MAX;
use crate::source::request;
use crate::source::signature;
use crate::source::sources::{Settings, Source};
#[cfg(test)]
use crate::source::suite::fixture::{Fixture, KEPT, Proof};
use crate::source::{Adapter, Admission, Request, Sample, Secrets};

/// The row in `ALL`.
pub(in crate::source) struct Unbounce;

/// The whole form stands in one field, and in another once more as XML.
const BOUNDS: Bounds = Bounds {
    pairs: PAIRS_MAX,
    value_bytes: 256 * 1024,
};
const ANSWERS: &str = "data.json";
/// Of the page and the sending, in the form and among the answers; kept, and no answers.
const OF_PAGE: [&str; 9] = [
    "page_url",
    "page_name",
    "page_id",
    "page_uuid",
    "variant",
    "ip_address",
    "date_submitted",
    "time_submitted",
    "data.xml",
];

impl Adapter for Unbounce {
    fn name(&self) -> &'static str {
        "unbounce"
    }

    fn docs(&self) -> &'static str {
        "https://documentation.unbounce.com/hc/en-us/articles/203510044-Using-a-Webhook"
    }

    #[cfg(test)]
    fn fixtures(&self) -> &'static [Fixture] {
        FIXTURES
    }

    fn settings(&self, table: &Table<'_>, secrets: Secrets<'_>) -> Option<Settings> {
        product::key(table, secrets).map(Settings::new)
    }

    fn admit(
        &self,
        source: &Source,
        request: &Request<'_>,
        _: Millis,
    ) -> Result<Admission, Refusal> {
        let kind = request::content_type(request)?;
        signature::token(source.own::<Secret>()?, request)?;
        if kind != URLENCODED && !request::is_json(&kind) {
            return Err(Refusal::Unsupported("form data or JSON is wanted".into()));
        }
        let pairs = around(&kind, request.body)?;
        let json = answers(&kind, request.body, &pairs)?;
        let asked = json.entries().iter();
        // The times differ when somebody sends the same form twice.
        let asked = asked.filter(|(key, _)| !OF_PAGE.contains(&key.as_ref()));
        let asked = Json::Map(asked.cloned().collect());
        let (fields, longest) = asked.size();
        if fields == 0 {
            return Err(Refusal::Malformed("the form is empty".into()));
        }
        let around = pairs.iter().filter(|(name, _)| !name.starts_with("data."));
        let around = around.map(|(_, value)| value.len()).max();
        bounds::counted(
            fields,
            longest.max(json.size().1).max(around.unwrap_or_default()),
        )?;
        let content = asked.content();
        Ok(product::one(
            request,
            (None, content),
            inquiry(source, &pairs, &json),
        ))
    }

    fn parse(&self, source: &Source, submission: &Submission) -> Result<Vec<Inquiry>, String> {
        let kind = submission.headers.only("content-type").unwrap_or_default();
        let kind = kind
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_lowercase();
        let pairs = around(&kind, &submission.raw).map_err(|refusal| refusal.to_string())?;
        let json =
            answers(&kind, &submission.raw, &pairs).map_err(|refusal| refusal.to_string())?;
        Ok(vec![inquiry(source, &pairs, &json)])
    }

    fn answer(&self, _: &Source, receipt: &Receipt, _: &Reply) -> Answer {
        product::taken(receipt)
    }

    fn shape(&self, _: &Source, person: &Person) -> Sample {
        let mut data = serde_json::Map::new();
        for question in product::questions(person) {
            data.insert(question.key.into(), json!([question.value]));
        }
        data.extend(person.utm.iter().map(|(k, v)| (k.clone(), json!([v]))));
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.append_pair("page_url", "https://landing.example.com/demo");
        body.append_pair("page_name", "Demo");
        body.append_pair("variant", "a");
        body.append_pair(ANSWERS, &json!(data).to_string());
        product::sample(URLENCODED, body.finish().into_bytes())
    }

    fn sign(&self, source: &Source, sample: Sample, _: Millis) -> Sample {
        match source.own::<Secret>() {
            Ok(key) => product::with_key(sample, key),
            Err(_) => sample,
        }
    }
}

/// What a form and what is around it tell.
fn inquiry(source: &Source, pairs: &Pairs, json: &Json<'_>) -> Inquiry {
    let mut draft = Draft::of(source);
    let of_page = |name: &str, value: &str, draft: &mut Draft<'_>| match name {
        "page_url" => draft.page(value),
        "page_id" | "page_uuid" => draft.told("form_id", value),
        "page_name" => draft.keep("form_name", value),
        "data.xml" => {}
        _ => draft.keep(name, value),
    };
    for (name, value) in json.entries() {
        let of_it = OF_PAGE.contains(&name.as_ref());
        match (of_it, first(value)) {
            (true, Some(text)) => of_page(name, &text, &mut draft),
            (true, None) => {}
            (false, _) => draft.add_json(&[name], None, value),
        }
    }
    for (name, value) in pairs.iter().filter(|(name, _)| name != ANSWERS) {
        if json.get(name).is_none() {
            of_page(name, value, &mut draft);
        }
    }
    draft.inquiry()
}

/// The fields around the answers; none where the body is JSON.
fn around(kind: &str, body: &[u8]) -> Result<Pairs, Refusal> {
    if request::is_json(kind) {
        return Ok(Vec::new());
    }
    form_body::urlencoded_within(body, BOUNDS)
}

fn answers<'b>(kind: &str, body: &'b [u8], pairs: &'b Pairs) -> Result<Json<'b>, Refusal> {
    let missing = || Refusal::Malformed("data.json is missing".into());
    let text = if request::is_json(kind) {
        body
    } else {
        fields::field(pairs, ANSWERS)
            .ok_or_else(missing)?
            .as_bytes()
    };
    product::object("application/json", text)
}

/// The value, or the first of a list.
fn first<'j>(value: &'j Json<'_>) -> Option<std::borrow::Cow<'j, str>> {
    match value {
        Json::List(items) => items.first().and_then(Json::as_text),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) | Json::Map(_) => {
            value.as_text()
        }
    }
}

#[cfg(test)]
const FIXTURES: &[Fixture] = &[
    Fixture {
        name: "unbounce",
        settings: "key = \"k3y\"\ncountry = \"US\"",
        proof: Proof::Key,
        kind: "application/x-www-form-urlencoded",
        body: "page_url=https%3A%2F%2Flanding.example%2F%3Fgclid%3Dg1&page_name=Demo&page_id=a28&variant=a&data.json=%7B\
               %22first_name%22%3A%5B%22Mia%22%5D%2C%22email%22%3A%5B%22mia%40werk.example%22%5D%2C%22phone_number%22%3A%5B%22650-253-0000%22%5D\
               %2C%22topics%22%3A%5B%22a%22%2C%22b%22%5D%2C%22colour%22%3A%5B%22kept%22%5D%2C%22ip_address%22%3A%5B%22203.0.113.7%22%5D\
               %2C%22time_submitted%22%3A%5B%2210%3A57+PM+UTC%22%5D%7D",
        fields: &[
            ("name", "Mia"),
            ("email", "mia@werk.example"),
            ("phone", "650-253-0000"),
            ("country", "US"),
            ("topics", "a"),
            ("colour", KEPT),
            ("variant", "a"),
            ("ip_address", "203.0.113.7"),
            ("form_name", "Demo"),
        ],
        attribution: &[
            ("landing_page", "https://landing.example/"),
            ("gclid", "g1"),
            ("form_id", "a28"),
        ],
        batch: None,
        fetched: &[],
    },
    Fixture {
        name: "unbounce_json",
        settings: "key = \"k3y\"",
        proof: Proof::Key,
        kind: "application/json",
        body: r#"{"email":["mia@werk.example"],"colour":["kept"],"page_url":["https://landing.example/"],"page_name":["Demo"]}"#,
        fields: &[("email", "mia@werk.example"), ("form_name", "Demo")],
        attribution: &[("landing_page", "https://landing.example/")],
        batch: None,
        fetched: &[],
    },
];
