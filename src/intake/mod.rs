//! HTTP of what comes in: endpoints, limits, body reading, answers. Knows neither platforms, nor
//! rules, nor SQL.

mod body;
mod client;
pub mod settings;

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};

use crate::flow::{Desk, Flow, Incoming};
use crate::lead::Headers;
use crate::source::{Admission, Answer, Refusal, Request, Source};
use crate::telemetry::metrics::OfSource;

use body::NoBody;
use client::Limits;
pub use settings::Settings;

/// When the store is away or too much waits, senders are asked to come again after this.
const RETRY_AFTER_S: u32 = 2;

/// What the endpoint needs.
pub struct Intake {
    flow: Arc<Flow>,
    settings: Settings,
    known: RwLock<HashMap<String, Arc<Known>>>,
}

/// A source's limits, what they were made of, and what is counted of it.
struct Known {
    wanted: (u32, u32),
    limits: Limits,
    counters: OfSource,
}

impl Intake {
    /// The endpoint of a flow.
    pub fn new(flow: Arc<Flow>, settings: Settings) -> Self {
        Self {
            flow,
            settings,
            known: RwLock::default(),
        }
    }

    /// What is kept of a source; made anew when the policy changed its limits.
    fn known(&self, source: &Source) -> Arc<Known> {
        let lower = |own: Option<u32>, all: u32| own.unwrap_or(all);
        let wanted = (
            lower(
                source.limits.per_second,
                self.settings.per_source_per_second,
            ),
            lower(
                source.limits.per_client_per_minute,
                self.settings.per_client_per_minute,
            ),
        );
        if let Ok(all) = self.known.read()
            && let Some(known) = all.get(&source.name)
            && known.wanted == wanted
        {
            return known.clone();
        }
        let fresh = Arc::new(Known {
            wanted,
            limits: Limits::new(wanted.0, wanted.1),
            counters: self.flow.metrics.source(&source.name, &Refusal::REASONS),
        });
        if let Ok(mut all) = self.known.write() {
            all.insert(source.name.clone(), fresh.clone());
        }
        fresh
    }

    async fn body(
        &self,
        source: &Source,
        headers: &Headers,
        payload: web::Payload,
    ) -> Result<bytes::BytesMut, Refusal> {
        let bytes_max = source.limits.body_bytes.unwrap_or(self.settings.body_bytes);
        let announced = headers.only("content-length").and_then(|n| n.parse().ok());
        let timeout = u64::try_from(self.settings.body_timeout_ms).unwrap_or(0);
        let timeout = Duration::from_millis(timeout);
        let read = body::read(payload, announced, bytes_max, timeout).await;
        read.map_err(|no_body| match no_body {
            NoBody::TooLarge => Refusal::TooLarge(format!("at most {bytes_max} bytes")),
            NoBody::TooSlow => Refusal::Timeout,
            NoBody::Broken => Refusal::Malformed("the body did not arrive whole".into()),
        })
    }
}

/// `/in/{source}`, for every method: the adapter says which it takes.
pub fn routes(app: &mut web::ServiceConfig) {
    // Each worker thread is configured by itself.
    app.app_data(web::Data::new(Desk::open()));
    app.service(web::resource("/in/{source}").to(receive));
}

async fn receive(
    http: HttpRequest,
    name: web::Path<String>,
    payload: web::Payload,
    (intake, desk): (web::Data<Intake>, web::Data<Desk>),
) -> HttpResponse {
    let begun = Instant::now();
    let policy = intake.flow.policy();
    let Some(source) = policy.sources.get(&name) else {
        intake.flow.metrics.no_such_source();
        return HttpResponse::NotFound().json(serde_json::json!({
            "error": "there is no such source; see sources.toml"
        }));
    };
    let known = intake.known(source);
    let response = submit(&http, payload, (&intake, &desk), (source, &known)).await;
    let status = response.status().as_u16();
    known.counters.answered(status, begun.elapsed());
    response
}

async fn submit(
    http: &HttpRequest,
    payload: web::Payload,
    (intake, desk): (&Intake, &Desk),
    (source, known): (&Arc<Source>, &Known),
) -> HttpResponse {
    let refuse = |refusal: &Refusal, request: &Request<'_>| {
        known.counters.refused(refusal.reason());
        refuse(source, refusal, request)
    };
    let headers = headers_of(http);
    let mut request = Request {
        method: http.method().as_str(),
        query: http.query_string(),
        headers: &headers,
        body: &[],
    };
    let client = client_of(http, &headers, &intake.settings);
    if let Err(retry_after_s) = known.limits.check(client) {
        return refuse(&Refusal::TooMany { retry_after_s }, &request);
    }
    let body = match intake.body(source, &headers, payload).await {
        Ok(body) => body,
        Err(refusal) => {
            let mut response = refuse(&refusal, &request);
            // What was not read stands in the way of the next request on this connection.
            let close = actix_web::http::ConnectionType::Close;
            response.head_mut().set_connection_type(close);
            return response;
        }
    };
    request.body = &body;
    let now = intake.flow.clock.now();
    let admitted = match source.admit(&request, now) {
        Ok(Admission::Leads(admitted)) => admitted,
        Ok(Admission::Answered(answer)) => return respond(answer),
        Ok(Admission::Forget(identities)) => {
            return match intake.flow.forget_named(&source.name, identities).await {
                Ok(()) => respond(Answer::ignored()),
                Err(fault) => {
                    tracing::warn!(source = %source.name, %fault, "a deletion was not heard");
                    let retry_after_s = RETRY_AFTER_S;
                    refuse(&Refusal::Unavailable { retry_after_s }, &request)
                }
            };
        }
        Err(refusal) => return refuse(&refusal, &request),
    };
    let reply = admitted.reply;
    let incoming = Incoming {
        source: source.name.clone(),
        headers: admitted.headers,
        query: admitted.query,
        raw: admitted.raw,
        identities: admitted.identities,
        read: (!admitted.read.is_empty()).then(|| (source.clone(), admitted.read)),
        received_at: now,
        verdict_wait_ms: source.verdict_wait_ms,
    };
    match intake.flow.receive(incoming, desk).await {
        Ok(receipt) => respond(source.adapter.answer(source, &receipt, &reply)),
        Err(fault) => {
            tracing::warn!(source = %source.name, %fault, "a submission was not stored");
            let retry_after_s = RETRY_AFTER_S;
            refuse(&Refusal::Unavailable { retry_after_s }, &request)
        }
    }
}

fn refuse(source: &Source, refusal: &Refusal, request: &Request<'_>) -> HttpResponse {
    tracing::info!(source = %source.name, status = refusal.status(), "refused: {refusal}");
    respond(source.adapter.refuse(source, refusal, Some(request)))
}

/// Header names are lower case in HTTP already; values that are no text are left out.
fn headers_of(http: &HttpRequest) -> Headers {
    let pairs = http.headers().iter().filter_map(|(name, value)| {
        let value = value.to_str().ok()?;
        Some((name.as_str().to_owned(), value.to_owned()))
    });
    Headers(pairs.collect())
}

fn client_of(http: &HttpRequest, headers: &Headers, settings: &Settings) -> IpAddr {
    let peer = http
        .peer_addr()
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
    // Every proxy may add a line of its own; together they are one list.
    let lines = headers
        .0
        .iter()
        .filter(|(name, _)| name == "x-forwarded-for");
    let lines: Vec<&str> = lines.map(|(_, value)| value.as_str()).collect();
    let forwarded = lines.join(",");
    client::address(peer, Some(&forwarded), &settings.trusted_proxies)
}

fn respond(answer: Answer) -> HttpResponse {
    let status = actix_web::http::StatusCode::from_u16(answer.status)
        .unwrap_or(actix_web::http::StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    for (name, value) in answer.headers {
        let header = (HeaderName::try_from(name), HeaderValue::try_from(value));
        if let (Ok(name), Ok(value)) = header {
            response.insert_header((name, value));
        }
    }
    response.body(answer.body)
}
