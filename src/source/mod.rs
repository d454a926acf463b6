//! What each platform sends, exactly: verify, name, read, answer. Knows neither the HTTP server,
//! nor rules, nor the ledger.

mod adapter;
mod answer;
mod bounds;
mod country;
mod dates;
mod draft;
mod fetch;
mod form_body;
mod json;
mod language;
mod mapping;
mod names;
mod normal;
mod path;
mod person_name;
mod postcode;
mod region;
mod request;
mod signature;
mod sources;
#[cfg(test)]
mod suite;
mod synonyms;
mod xml;

use crate::clock::Millis;
use crate::document::Table;
use crate::lead::{Headers, Identity, Inquiry, Receipt, Submission};
use crate::sample::Person;
use crate::secret::Secret;

pub use adapter::ALL;
pub use answer::{Answer, Refusal, Reply};
pub use fetch::{ASKS_MAX, Answered, Ask, Step, Trouble};
pub use sources::{Limits, Settings, Source, Sources};

/// Resolves `env:NAME` and `file:/path`; other text is the secret itself.
pub type Secrets<'a> = &'a dyn Fn(&str) -> Result<Secret, String>;

/// A request as the HTTP room hands it on.
pub struct Request<'a> {
    /// Upper case.
    pub method: &'a str,
    /// Behind the `?`, as it came.
    pub query: &'a str,
    /// Every header, names in lower case.
    pub headers: &'a Headers,
    /// The bytes that were signed.
    pub body: &'a [u8],
}

/// What an adapter makes of a request that it believes.
pub enum Admission {
    /// Leads to commit.
    Leads(Admitted),
    /// Handshakes, preflights, things to acknowledge and ignore: answered as they are.
    Answered(Answer),
    /// The platform wants these leads forgotten, by the names under which it sent them.
    Forget(Vec<Identity>),
}

/// A submission that may be committed.
pub struct Admitted {
    /// What is stored of the headers.
    pub headers: Headers,
    /// What is stored of the query.
    pub query: String,
    /// What is stored of the body: as it came, secret spans blanked.
    pub raw: Vec<u8>,
    /// What names each lead, in the order in which `parse` gives them.
    pub identities: Vec<Identity>,
    /// What `parse` would read of all this, where it was read on the way; else empty.
    pub read: Vec<Inquiry>,
    /// What the answer needs to know of the request.
    pub reply: Reply,
}

/// A request made by ourselves, as the platform would send it.
pub struct Sample {
    /// Upper case.
    pub method: &'static str,
    /// Behind the `?`.
    pub query: String,
    /// Name and value.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Sample {
    /// A POST.
    pub(crate) fn post(kind: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            method: "POST",
            query: String::new(),
            headers: vec![("content-type".into(), kind.to_owned())],
            body: body.into(),
        }
    }
}

impl Admitted {
    /// All of a request's body, without its query.
    fn whole(request: &Request<'_>, identities: Vec<Identity>) -> Self {
        Self {
            headers: request::kept(request.headers),
            query: String::new(),
            raw: request.body.to_vec(),
            identities,
            read: Vec::new(),
            reply: Reply::default(),
        }
    }
}

/// A platform. A new one is a file in `adapter/` and a row in [`ALL`].
pub trait Adapter: Send + Sync {
    /// As it stands in `sources.toml`.
    fn name(&self) -> &'static str;

    /// The page of the vendor that says how it sends.
    fn docs(&self) -> &'static str;

    /// Payloads with what is to be read of them: the shared suite asks for them.
    #[cfg(test)]
    #[expect(private_interfaces, reason = "tests of this room alone ask for them")]
    fn fixtures(&self) -> &'static [suite::fixture::Fixture];

    /// Reads its own keys of a source's table; problems are noted there.
    fn settings(&self, table: &Table<'_>, secrets: Secrets<'_>) -> Option<Settings>;

    /// Verifies over the raw bytes, then names the leads.
    fn admit(
        &self,
        source: &Source,
        request: &Request<'_>,
        now: Millis,
    ) -> Result<Admission, Refusal>;

    /// Reads what was committed: one inquiry for each identity, in the same order. The error is for
    /// people and names no values.
    fn parse(&self, source: &Source, submission: &Submission) -> Result<Vec<Inquiry>, String>;

    /// After the commit; a repeat gets the same.
    fn answer(&self, source: &Source, receipt: &Receipt, reply: &Reply) -> Answer;

    /// The documented answer to a request that is not taken.
    fn refuse(&self, source: &Source, refusal: &Refusal, request: Option<&Request<'_>>) -> Answer {
        let _ = (source, request);
        Answer::error(refusal)
    }

    /// The longest body that the platform may send, where that is more than `[intake]` takes.
    fn body_bytes(&self) -> Option<usize> {
        None
    }

    /// For a platform that sends ids only: what comes next to get the lead that `notice` (what
    /// `parse` read) names, given the answers so far.
    fn fetch(&self, source: &Source, notice: &Inquiry, answers: &[Answered]) -> Step {
        let _ = (source, notice, answers);
        Step::Whole
    }

    /// Reads what was fetched into what the notice tells already. The error is for people and names
    /// no values.
    fn read(&self, source: &Source, notice: Inquiry, content: &[u8]) -> Result<Inquiry, String> {
        let _ = (source, notice, content);
        Err("this source's leads are not fetched".into())
    }

    /// The platform's side of a fetch, for the demo and tests: the answer to a GET of `target` (path
    /// and query) about a person whom `shape` made up.
    fn stand_in(&self, target: &str) -> Option<Vec<u8>> {
        let _ = target;
        None
    }

    /// A person's inquiry as this platform sends it, not yet signed.
    fn shape(&self, source: &Source, person: &Person) -> Sample;

    /// Adds what authenticates a request.
    fn sign(&self, source: &Source, sample: Sample, now: Millis) -> Sample;
}
