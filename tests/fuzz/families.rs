//! What is fuzzed: a family is a way to write a request, with a corpus below `tests/corpus`, and the
//! sources that read it. A new parser is a row in `FAMILIES` and a folder; a new platform is found
//! by itself, by its sample.

use std::path::Path;

use leadgate::document::Overrides;
use leadgate::lead::{Headers, Submission};
use leadgate::sample::Person;
use leadgate::secret::Secret;
use leadgate::source::{Admission, Request, Sample, Source, Sources};

use super::mutate::{Dice, mutated};

const NOW: i64 = 1_790_000_000_000;
const URLENCODED: &str = "application/x-www-form-urlencoded";

/// Name, content type, sources, and words of its grammar.
type Row = (
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static [&'static [u8]],
);

const FAMILIES: &[Row] = &[
    (
        "json",
        "application/json",
        &["form", "standard", "bearer", "batch", "google"],
        JSON,
    ),
    ("form", URLENCODED, &["form", "keyed"], FORM),
    (
        "multipart",
        "multipart/form-data; boundary=B",
        &["form", "keyed"],
        MULTIPART,
    ),
    (
        "xml",
        "application/xml; charset=utf-8",
        &["cars", "seller"],
        XML,
    ),
    (
        "signature",
        "application/json",
        &["standard", "hmac", "bearer", "google"],
        SIGNATURE,
    ),
];
/// The family of the platforms' own samples: no corpus, every source of the shipped file.
const PLATFORMS: &str = "platforms";

const JSON: &[&[u8]] = &[
    b"{",
    b"}",
    b"[",
    b"]",
    b"[[",
    b"{\"a\":",
    b"\"",
    b"\\\"",
    b"\\u0000",
    b"\\ud83d",
    b"\\ude00",
    b":",
    b",",
    b"null",
    b"true",
    b"1.5e-7",
    b"\"email\":",
    b"\"phone\":\"",
    b"\"name\":{",
    b"\"user_column_data\":[",
    b"\"google_key\":\"k\",",
    b"\"leads\":[{",
    b"\"\":\"\"",
];
const FORM: &[&[u8]] = &[
    b"&",
    b"=",
    b"&&",
    b"%",
    b"%4",
    b"%00",
    b"%C3%A9",
    b"%C0%AF",
    b"+",
    b"a=1&",
    b"email=",
    b"_key=k",
    b"fields[email][value]=",
    b"_next=//evil.example",
    b"[",
    b"]",
    b"_loaded_at=",
];
const MULTIPART: &[&[u8]] = &[
    b"--B\r\n",
    b"--B--\r\n",
    b"--B",
    b"\r\n\r\n",
    b"Content-Disposition: form-data; name=\"",
    b"filename=\"\"",
    b"Content-Type: text/plain; charset=utf-16\r\n",
    b"; name*=utf-8''a",
    b"\"",
    b"Content-Type: multipart/mixed; boundary=C\r\n",
    b"--",
    b"\n",
    b": ",
];
const XML: &[&[u8]] = &[
    b"<",
    b">",
    b"</",
    b"/>",
    b"<a>",
    b"</a>",
    b"<adf><prospect>",
    b"<customer><contact>",
    b"<!DOCTYPE a [<!ENTITY b \"c\">]>",
    b"<![CDATA[",
    b"]]>",
    b"<!--",
    b"-->",
    b"<?xml version=\"1.0\" encoding=\"utf-16\"?>",
    b"&#0;",
    b"&#x110000;",
    b"&b;",
    b"&amp;",
    b" a=\"b\"",
];
const SIGNATURE: &[&[u8]] = &[
    b"v1,",
    b"v1a,",
    b" ",
    b",",
    b"=",
    b"==",
    b"sha256=",
    b"Bearer ",
    b"bearer",
    b"t=",
    b"msg_",
    b".",
    b"1790000000",
    b"-1",
    b"whsec_",
];

const SOURCES: &str = r#"
[form]
adapter = "form"
[keyed]
adapter = "form"
key = "k"
[standard]
adapter = "webhook"
auth = "standard"
secret = "a made-up credential"
[hmac]
adapter = "webhook"
auth = "hmac"
header = "X-Signature"
prefix = "sha256="
secret = "a made-up credential"
[bearer]
adapter = "webhook"
auth = "bearer"
key = "k"
[bearer.map]
email = "$.who.email"
[batch]
adapter = "webhook"
auth = "bearer"
key = "k"
items = "$.leads"
id = "$.id"
[google]
adapter = "google"
key = "k"
[cars]
adapter = "adf"
key = "k"
[seller]
adapter = "leadconduit"
key = "k"
"#;

pub(crate) struct Family {
    pub(crate) name: &'static str,
    kind: &'static str,
    words: &'static [&'static [u8]],
    corpus: Vec<Vec<u8>>,
    sources: Sources,
    /// Those of `sources` that are used.
    names: Vec<String>,
}

/// One request, and the source that it is for.
pub(crate) struct Input {
    source: String,
    sample: Sample,
}

impl Input {
    pub(crate) fn shown(&self) -> String {
        let headers = self
            .sample
            .headers
            .iter()
            .map(|(n, v)| format!("{n}: {v}\n"));
        let body = String::from_utf8_lossy(&self.sample.body);
        format!(
            "source {}\n{}\n{body}",
            self.source,
            headers.collect::<String>()
        )
    }
}

pub(crate) fn names() -> String {
    let names = FAMILIES.iter().map(|row| row.0).chain([PLATFORMS]);
    names.collect::<Vec<_>>().join(", ")
}

pub(crate) fn all() -> Vec<Family> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut families: Vec<_> = FAMILIES
        .iter()
        .map(|(name, kind, sources, words)| Family {
            name,
            kind,
            words,
            corpus: corpus(&root.join("tests/corpus").join(name)),
            sources: parse(SOURCES),
            names: sources.iter().map(|&name| name.to_owned()).collect(),
        })
        .collect();
    let text = std::fs::read_to_string(root.join("config/sources.toml"));
    let sources = parse(&text.expect("the shipped sources"));
    let names = sources.iter().map(|source| source.name.clone()).collect();
    families.push(Family {
        name: PLATFORMS,
        kind: "",
        words: JSON,
        corpus: Vec::new(),
        sources,
        names,
    });
    families
}

fn parse(text: &str) -> Sources {
    let secrets = |_: &str| Ok(Secret::new("k"));
    let plain = |text: &str| {
        if text.starts_with("env:") {
            secrets(text)
        } else {
            Ok(Secret::new(text))
        }
    };
    Sources::parse("sources.toml", text, &Overrides::new(), &plain)
        .unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn corpus(dir: &Path) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    let read = paths
        .iter()
        .map(|path| std::fs::read(path).expect("a corpus file"));
    let corpus: Vec<_> = read.collect();
    assert!(!corpus.is_empty(), "{} holds no corpus", dir.display());
    corpus
}

impl Family {
    fn source(&self, name: &str) -> &Source {
        self.sources.get(name).expect("a source of the family")
    }

    /// The same for the same dice.
    pub(crate) fn input(&self, dice: &mut Dice) -> Input {
        let name = dice.pick(&self.names).clone();
        let source = self.source(&name);
        let sample = match self.name {
            PLATFORMS => self.of_platform(dice, source),
            "signature" => self.of_signature(dice, source),
            _ => {
                let body = dice.pick(&self.corpus).clone();
                let body = mutated(dice, &body, &self.corpus, self.words);
                source.adapter.sign(source, self.sample(body), NOW)
            }
        };
        Input {
            source: name,
            sample,
        }
    }

    fn sample(&self, body: Vec<u8>) -> Sample {
        Sample {
            method: "POST",
            query: String::new(),
            headers: vec![("content-type".into(), self.kind.into())],
            body,
        }
    }

    /// The body of the platform's sample changed and signed, so that it is read and not refused.
    fn of_platform(&self, dice: &mut Dice, source: &Source) -> Sample {
        let person = Person::from_seed(dice.below(1_000) as u64);
        let mut sample = source.adapter.shape(source, &person);
        let others = [sample.body.clone()];
        sample.body = mutated(dice, &sample.body, &others, self.words);
        source.adapter.sign(source, sample, NOW)
    }

    /// A body as it is, and the headers that authenticate it changed.
    fn of_signature(&self, dice: &mut Dice, source: &Source) -> Sample {
        let body = br#"{"email":"a@b.example"}"#.to_vec();
        let mut sample = source.adapter.sign(source, self.sample(body), NOW);
        for _ in 0..=dice.below(3) {
            let at = dice.below(sample.headers.len());
            if dice.below(6) == 0 {
                let twice = sample.headers[at].clone();
                sample.headers.push(twice);
            }
            let value = sample.headers[at].1.clone().into_bytes();
            let value = mutated(dice, &value, &self.corpus, self.words);
            // What no HTTP server hands on is left out.
            let value = String::from_utf8_lossy(&value).replace(['\0', '\r', '\n'], "");
            sample.headers[at].1 = value;
        }
        sample
    }

    /// Whether the input was taken; an error where a promise is broken.
    pub(crate) fn check(&self, input: &Input) -> Result<bool, String> {
        let source = self.source(&input.source);
        let sample = &input.sample;
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
        let admitted = match source.admit(&request, NOW) {
            Ok(Admission::Leads(admitted)) => admitted,
            Ok(Admission::Answered(_) | Admission::Forget(_)) => return Ok(false),
            Err(refusal) => {
                let answer = source.adapter.refuse(source, &refusal, Some(&request));
                let sound = (200..600).contains(&answer.status);
                return if sound {
                    Ok(false)
                } else {
                    Err(format!("status {}", answer.status))
                };
            }
        };
        let wanted = admitted.identities.len();
        let submission = Submission {
            source: source.name.clone(),
            received_at: NOW,
            headers: admitted.headers,
            query: admitted.query,
            raw: admitted.raw,
            keys: Vec::new(),
        };
        let read = source.inquiries(&submission)?;
        if read.len() != wanted {
            return Err(format!("{} inquiries for {wanted} identities", read.len()));
        }
        if !admitted.read.is_empty() && admitted.read != read {
            return Err("what is stored reads differently from what came".into());
        }
        if source.inquiries(&submission)? != read {
            return Err("the same submission reads differently the second time".into());
        }
        Ok(true)
    }
}
