//! The shared suite: the same questions to every platform in `ALL`. A new row without fixtures of
//! its own fails here.

pub(super) mod fixture;
mod forms;
mod hubspot;
mod hubspot_fetch;
mod linkedin;
mod meta;
mod meta_lead;
mod networks_own;
mod own;
mod products_own;

use std::sync::Arc;

use fixture::{Fixture, KEPT, Proof};

use super::{ALL, ASKS_MAX, Admission, Answered, Refusal, Request, Sample, Source, Sources, Step};
use crate::clock::SECOND;
use crate::document::Overrides;
use crate::lead::{Headers, Inquiry, Submission};
use crate::sample::{Kind, Person};
use crate::secret::Secret;

const NOW: i64 = 1_790_000_000 * SECOND;

fn fixtures() -> impl Iterator<Item = &'static Fixture> {
    ALL.iter().flat_map(|adapter| adapter.fixtures())
}

/// What the platform of a fixture answers when it is asked for this.
fn fetched(fixture: &Fixture, target: &str) -> Option<&'static str> {
    let mut all = fixture.fetched.iter();
    let is_it = |(part, _): &&(&str, &str)| target.contains(part);
    all.find(is_it).map(|(_, content)| *content)
}

fn sources() -> Sources {
    let secrets = |text: &str| Ok(Secret::new(text));
    let table = |adapter: &str, fixture: &Fixture| {
        let (name, settings) = (fixture.name, fixture.settings);
        format!("[{name}]\nadapter = \"{adapter}\"\n{settings}\n")
    };
    let tables = ALL.iter().flat_map(|adapter| {
        let of_it = adapter.fixtures().iter();
        of_it.map(|fixture| table(adapter.name(), fixture))
    });
    let text: String = tables.collect();
    Sources::parse("sources.toml", &text, &Overrides::new(), &secrets).unwrap()
}

pub(super) fn source(name: &str) -> Arc<Source> {
    sources().get(name).expect(name).clone()
}

pub(super) fn sample(kind: &str, body: &str) -> Sample {
    Sample {
        method: "POST",
        query: String::new(),
        headers: vec![("content-type".into(), kind.into())],
        body: body.as_bytes().to_vec(),
    }
}

fn status(source_name: &str, sample: &Sample) -> Option<u16> {
    refused(&source(source_name), sample, NOW)
}

/// The status of a refusal; `None` for what is taken.
fn refused(source: &Source, sample: &Sample, now: i64) -> Option<u16> {
    admit(source, sample, now).err().map(|r| r.status())
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

pub(super) fn admit(source: &Source, sample: &Sample, now: i64) -> Result<Admission, Refusal> {
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
    source.admit(&request, now)
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
    if !admitted.read.is_empty() {
        let stored = source.inquiries(&submission).unwrap();
        assert_eq!(admitted.read, stored, "{}: read on the way", source.name);
    }
    (submission, names)
}

pub(super) fn parse(source: &Source, sample: &Sample) -> Inquiry {
    let (submission, _) = committed(source, sample, NOW);
    source.adapter.parse(source, &submission).unwrap().remove(0)
}

/// What is fetched for a notice, `answer` being the platform's side; `None` where it is whole.
fn content(
    source: &Source,
    notice: &Inquiry,
    answer: impl Fn(&str) -> Option<Vec<u8>>,
) -> Option<Vec<u8>> {
    let mut answers = Vec::new();
    for _ in 0..=ASKS_MAX {
        match source.adapter.fetch(source, notice, &answers) {
            Step::Whole => return None,
            Step::Content(content) => return Some(content),
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

/// The inquiry of a notice, with what it names.
fn whole(source: &Source, notice: Inquiry, answer: impl Fn(&str) -> Option<Vec<u8>>) -> Inquiry {
    match content(source, &notice, answer) {
        Some(content) => source.adapter.read(source, notice, &content).unwrap(),
        None => notice,
    }
}

#[test]
fn every_platform_has_a_fixture_and_names_its_vendors_page() {
    for adapter in ALL {
        let name = adapter.name();
        let page = adapter.docs();
        assert!(page.starts_with("https://"), "{name}: {page}");
        let has_own = adapter.fixtures().iter().any(|f| f.name == name);
        assert!(has_own, "{name} has no fixture of its own");
    }
}

#[test]
fn every_platform_reads_its_own_payload_and_keeps_what_it_does_not_know() {
    for fixture in fixtures() {
        let name = fixture.name;
        let source = source(name);
        let sample = signed(&source, fixture.kind, fixture.body.as_bytes(), NOW);
        let answer = |target: &str| fetched(fixture, target).map(|body| body.as_bytes().to_vec());
        let inquiry = whole(&source, parse(&source, &sample), answer);
        for (field, value) in fixture.fields {
            assert_eq!(inquiry.fields.get(field), Some(*value), "{name}: {field}");
        }
        for (key, value) in fixture.attribution {
            let found = inquiry.attribution.0.get(*key).map(String::as_str);
            assert_eq!(found, Some(*value), "{name}: {key}");
        }
        let mut others = inquiry.fields.other.values().flatten();
        assert!(others.any(|value| value == KEPT), "{name}: unknown fields");
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
    for fixture in fixtures() {
        let (name, kind, good) = (fixture.name, fixture.kind, fixture.body);
        let source = source(name);
        let long = "x".repeat(9_000);
        let notice = parse(&source, &signed(&source, kind, good.as_bytes(), NOW));
        let answer = |target: &str| {
            let body = fetched(fixture, target)?.replace(KEPT, &long);
            Some(body.into_bytes())
        };
        let content = content(&source, &notice, answer);
        if let Some(content) = &content {
            let read = source.adapter.read(&source, notice, content);
            assert!(read.is_err(), "{name}");
        }
        let parts = fixture.fetched.iter().map(|(_, body)| *body).chain([good]);
        let kept: usize = parts.map(|part| part.matches(KEPT).count()).sum();
        assert_eq!(kept, 1, "{name}");
        let huge = good.replace(KEPT, &long);
        let too_much: &[u16] = if content.is_some() { &[] } else { &[422] };
        // What cannot even be signed, such as a key inside an unreadable body, is 400 or 401.
        let cases: [(&str, &[u8], &[u16]); 5] = [
            (kind, b"", &[400, 401]),
            (kind, b"\xff\xff", &[400, 401]),
            (kind, huge.as_bytes(), too_much),
            ("text/plain; charset=utf-16", good.as_bytes(), &[415]),
            ("image/png", good.as_bytes(), &[415]),
        ];
        for (kind, body, wanted) in cases {
            let found = refused(&source, &signed(&source, kind, body, NOW), NOW);
            let right = found.map_or(wanted.is_empty(), |status| wanted.contains(&status));
            assert!(right, "{name} {kind} {body:.20?}: {found:?}");
        }
        let mut gzip = signed(&source, kind, good.as_bytes(), NOW);
        let encoded = ("content-encoding".to_owned(), "gzip".to_owned());
        gzip.headers.push(encoded);
        assert_eq!(refused(&source, &gzip, NOW), Some(415), "{name}");
        let put = Sample {
            method: "PUT",
            ..signed(&source, kind, good.as_bytes(), NOW)
        };
        assert_eq!(refused(&source, &put, NOW), Some(405), "{name}");
    }
}

#[test]
fn forged_and_late_requests_authenticate_nobody() {
    for fixture in fixtures() {
        let (name, kind, body) = (fixture.name, fixture.kind, fixture.body.as_bytes());
        let source = source(name);
        let good = || signed(&source, kind, body, NOW);
        assert_eq!(refused(&source, &good(), NOW), None, "{name}");
        if fixture.proof == Proof::Nothing {
            continue;
        }
        let mut unsigned = sample(kind, fixture.body);
        unsigned.body = fixture
            .body
            .replace("\"testkey\"", "\"other\"")
            .into_bytes();
        assert_eq!(refused(&source, &unsigned, NOW), Some(401), "{name}");
        if fixture.proof == Proof::Key {
            continue;
        }
        let mut changed = good();
        changed.body.push(b' ');
        assert_eq!(refused(&source, &changed, NOW), Some(401), "{name}");
        if let Proof::Timed(seconds) = fixture.proof {
            for off in [seconds, -seconds] {
                let at = NOW + off * SECOND;
                assert_eq!(refused(&source, &good(), at), None, "{name} {off}");
                let beyond = at + off.signum() * SECOND;
                assert_eq!(refused(&source, &good(), beyond), Some(401), "{name} {off}");
            }
        }
    }
}

#[test]
fn a_batch_is_one_lead_each_under_a_name_of_its_own() {
    for fixture in fixtures() {
        let Some(batch) = fixture.batch else {
            continue;
        };
        let name = fixture.name;
        let source = source(name);
        let sample = signed(&source, fixture.kind, batch.as_bytes(), NOW);
        let (submission, names) = committed(&source, &sample, NOW);
        let [first, second] = names.as_slice() else {
            panic!("{name}: {names:?}")
        };
        assert_ne!(first, second, "{name}");
        let inquiries = source.adapter.parse(&source, &submission).unwrap();
        let emails: Vec<_> = inquiries.iter().map(|i| i.fields.get("email")).collect();
        assert_eq!(emails, [Some("a@b.example"), Some("c@d.example")], "{name}");
    }
}
