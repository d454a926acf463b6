//! The shared suite: the same questions to every platform in `ALL`. A new row without fixtures of
//! its own fails here.

mod fixtures;
mod forms;
mod meta;
mod meta_lead;
mod own;

use std::sync::Arc;

use fixtures::{FETCHED, FIXTURES};

use super::{ALL, ASKS_MAX, Admission, Answered, Refusal, Request, Sample, Source, Sources, Step};
use crate::clock::{MINUTE, SECOND};
use crate::document::Overrides;
use crate::lead::{Headers, Inquiry, Submission};
use crate::sample::{Kind, Person};
use crate::secret::Secret;

const NOW: i64 = 1_790_000_000 * SECOND;

const SOURCES: &str = r#"
[form]
adapter = "form"
country = "DE"
origins = ["https://www.example.com"]
redirects = ["https://www.example.com/thanks"]
[form.map]
"Betreff" = "message"

[keyed]
adapter = "form"
key = "K3Y"

[webhook]
adapter = "webhook"
auth = "standard"
secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
is_test = "$.test"
[webhook.map]
email = "$.who[\"e-mail\"]"

[hmac]
adapter = "webhook"
auth = "hmac"
header = "X-Signature"
prefix = "sha256="
secret = "s3cret"
id = "$.id"
items = "$.leads"

[bearer]
adapter = "webhook"
auth = "bearer"
key = "k3y"

[google]
adapter = "google"
key = "testkey"

[meta]
adapter = "meta"
country = "DE"
app_secret = "It's a Secret to Everybody"
verify_token = "leadAdsRockPlayer"
access_token = "t0k en"
[meta.map]
"wunsch" = "message"
[meta.page_tokens]
"123456789" = "of the page"
"#;

fn sources() -> Sources {
    let secrets = |text: &str| Ok(Secret::new(text));
    Sources::parse("sources.toml", SOURCES, &Overrides::new(), &secrets).unwrap()
}

fn source(name: &str) -> Arc<Source> {
    sources().get(name).expect(name).clone()
}

fn sample(kind: &str, body: &str) -> Sample {
    Sample {
        method: "POST",
        query: String::new(),
        headers: vec![("content-type".into(), kind.into())],
        body: body.as_bytes().to_vec(),
    }
}

fn status(source_name: &str, sample: &Sample) -> Option<u16> {
    let refusal = admit(&source(source_name), sample, NOW).err()?;
    Some(refusal.status())
}

fn signed(source: &Source, kind: &str, body: &[u8], now: i64) -> Sample {
    let sample = Sample {
        method: "POST",
        query: String::new(),
        headers: vec![("content-type".into(), kind.into())],
        body: body.to_vec(),
    };
    source.adapter.sign(source, sample, now)
}

fn admit(source: &Source, sample: &Sample, now: i64) -> Result<Admission, Refusal> {
    let headers = sample
        .headers
        .iter()
        .map(|(n, v)| (n.to_lowercase(), v.clone()));
    let headers = Headers(headers.collect());
    let request = Request {
        method: sample.method,
        query: &sample.query,
        headers: &headers,
        body: &sample.body,
    };
    source.adapter.admit(source, &request, now)
}

/// What is committed, and what names it.
fn committed(source: &Source, sample: &Sample, now: i64) -> (Submission, Vec<String>) {
    let Ok(Admission::Leads(admitted)) = admit(source, sample, now) else {
        panic!("{} does not admit its own payload", source.name)
    };
    let names = admitted.identities.iter().map(|identity| {
        let content = String::from_utf8_lossy(&identity.content).into_owned();
        identity.platform_id.clone().unwrap_or(content)
    });
    let names = names.collect();
    let submission = Submission {
        source: source.name.clone(),
        received_at: now,
        headers: admitted.headers,
        query: admitted.query,
        raw: admitted.raw,
        keys: Vec::new(),
    };
    (submission, names)
}

fn parse(source: &Source, sample: &Sample) -> Inquiry {
    let (submission, _) = committed(source, sample, NOW);
    source.adapter.parse(source, &submission).unwrap().remove(0)
}

/// The inquiry of a notice: what it names is fetched, `answer` being the platform's side.
fn whole(source: &Source, notice: Inquiry, answer: impl Fn(&str) -> Option<Vec<u8>>) -> Inquiry {
    let mut answers = Vec::new();
    for _ in 0..=ASKS_MAX {
        match source.adapter.fetch(source, &notice, &answers) {
            Step::Whole => return notice,
            Step::Content(content) => {
                return source.adapter.read(source, notice, &content).unwrap();
            }
            Step::Trouble(trouble) => panic!("{}: {trouble:?}", source.name),
            Step::Ask(ask) => {
                let url = url::Url::parse(&ask.url).unwrap();
                let target = &url[url::Position::BeforePath..];
                let body = answer(target).unwrap_or_else(|| panic!("{target} is answered"));
                answers.push(Answered {
                    status: 200,
                    headers: Vec::new(),
                    body,
                    cut: false,
                });
            }
        }
    }
    panic!("{} asks without an end", source.name)
}

#[test]
fn every_platform_reads_its_own_payload_and_keeps_what_it_does_not_know() {
    for adapter in ALL {
        let name = adapter.name();
        assert!(
            adapter.docs().starts_with("https://"),
            "{name}: the vendor's page"
        );
        let fixture = FIXTURES.iter().find(|f| f.adapter == name);
        let fixture = fixture.unwrap_or_else(|| panic!("{name} has no fixture of its own"));
        let source = source(name);
        let sample = signed(&source, fixture.kind, fixture.body.as_bytes(), NOW);
        let content = FETCHED.iter().find(|(adapter, _)| *adapter == name);
        let answer = |_: &str| content.map(|(_, content)| content.as_bytes().to_vec());
        let inquiry = whole(&source, parse(&source, &sample), answer);
        for (field, value) in fixture.fields {
            assert_eq!(inquiry.fields.get(field), Some(*value), "{name}: {field}");
        }
        for (key, value) in fixture.attribution {
            let found = inquiry.attribution.0.get(*key).map(String::as_str);
            assert_eq!(found, Some(*value), "{name}: {key}");
        }
        assert!(!inquiry.is_test, "{name}");
    }
}

#[test]
fn every_platform_names_a_repeat_alike_and_another_lead_otherwise() {
    for adapter in ALL {
        let source = source(adapter.name());
        let shape = |seed: u64| {
            let sample = source.adapter.shape(&source, &Person::from_seed(seed));
            source.adapter.sign(&source, sample, NOW)
        };
        let (first, again, other) = (shape(1), shape(1), shape(2));
        let names = |sample| committed(&source, sample, NOW).1;
        assert_eq!(names(&first), names(&again), "{}", adapter.name());
        assert_ne!(names(&first), names(&other), "{}", adapter.name());
    }
}

#[test]
fn every_platform_shapes_a_person_that_it_reads_back() {
    let good = (0..100)
        .map(Person::from_seed)
        .find(|p| p.kind == Kind::Good)
        .unwrap();
    for adapter in ALL {
        let source = source(adapter.name());
        let sample = source.adapter.shape(&source, &good);
        let notice = parse(&source, &source.adapter.sign(&source, sample, NOW));
        let inquiry = whole(&source, notice, |target| source.adapter.stand_in(target));
        let fields = &inquiry.fields;
        let name = adapter.name();
        assert_eq!(fields.name.as_deref(), Some(good.name().as_str()), "{name}");
        assert_eq!(fields.get("email"), Some(good.email.as_str()), "{name}");
        assert!(
            fields.phone.as_ref().is_some_and(|phone| phone.valid),
            "{name}"
        );
        assert_eq!(
            fields.country.as_deref(),
            Some(good.country.as_str()),
            "{name}"
        );
        let employees = good.employees.to_string();
        assert_eq!(fields.get("employees"), Some(employees.as_str()), "{name}");
    }
}

#[test]
fn every_platform_refuses_what_it_cannot_believe_or_read() {
    for name in ["form", "webhook", "hmac", "bearer", "google"] {
        let source = source(name);
        let json = name != "form";
        let kind = if json {
            "application/json"
        } else {
            "application/x-www-form-urlencoded"
        };
        let big = if json {
            format!("{{\"a\":\"{}\"}}", "x".repeat(9_000))
        } else {
            format!("a={}", "x".repeat(9_000))
        };
        let bodies: [(&str, &[u8], u16); 5] = [
            (kind, b"", 400),
            (kind, b"\xff\xfe", 400),
            (kind, big.as_bytes(), 422),
            ("text/plain", b"{}", 415),
            (
                if json {
                    "application/json; charset=utf-16"
                } else {
                    "text/xml"
                },
                b"{}",
                415,
            ),
        ];
        for (kind, body, status) in bodies {
            let sample = signed(&source, kind, body, NOW);
            // What cannot even be signed, such as a key inside an unreadable body, is 400 or 401.
            let found = admit(&source, &sample, NOW)
                .err()
                .map(|refusal| refusal.status());
            let right =
                found == Some(status) || (name == "google" && matches!(found, Some(400 | 401)));
            assert!(
                right || (name == "hmac" && found == Some(400)),
                "{name} {body:.20?}: {found:?}"
            );
        }
        let sample = signed(&source, kind, b"{}", NOW);
        let encoded = ("content-encoding".to_owned(), "gzip".to_owned());
        let mut gzip = signed(&source, kind, b"{}", NOW);
        gzip.headers.push(encoded);
        assert_eq!(
            admit(&source, &gzip, NOW).err().map(|r| r.status()),
            Some(415),
            "{name}"
        );
        let get = Sample {
            method: "GET",
            ..sample
        };
        assert_eq!(
            admit(&source, &get, NOW).err().map(|r| r.status()),
            Some(405),
            "{name}"
        );
    }
}

#[test]
fn forged_and_late_requests_authenticate_nobody() {
    for name in ["webhook", "hmac", "bearer", "google"] {
        let source = source(name);
        let body: &[u8] = match name {
            "google" => br#"{"lead_id":"1","user_column_data":[],"google_key":"x"}"#,
            "hmac" => br#"{"leads":[{"id":"7","email":"a@b.example"}]}"#,
            _ => br#"{"email":"a@b.example"}"#,
        };
        let unsigned = Sample {
            method: "POST",
            query: String::new(),
            headers: vec![("content-type".into(), "application/json".into())],
            body: body.to_vec(),
        };
        assert_eq!(
            admit(&source, &unsigned, NOW).err().map(|r| r.status()),
            Some(401),
            "{name}"
        );
        let good = signed(&source, "application/json", body, NOW);
        assert!(admit(&source, &good, NOW).is_ok(), "{name}");
        if name == "webhook" {
            let late = admit(&source, &good, NOW + 6 * MINUTE)
                .err()
                .map(|r| r.status());
            assert_eq!(late, Some(401));
        }
        if matches!(name, "webhook" | "hmac") {
            let mut changed = signed(&source, "application/json", body, NOW);
            changed.body.push(b' ');
            assert_eq!(
                admit(&source, &changed, NOW).err().map(|r| r.status()),
                Some(401),
                "{name}"
            );
        }
    }
}
