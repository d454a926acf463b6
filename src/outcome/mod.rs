//! HTTP of what reps and CRMs report: the signed page. GET shows and changes nothing, so that mail
//! scanners may come as often as they like; POST acts, and the same POST again shows the same.
//! Knows nothing of delivery.

mod page;

use actix_web::{HttpResponse, web};

use crate::flow::report::{Acted, Shown, Why};
use crate::flow::{Command, Flow};
use crate::http::private_page;
use crate::lead::Outcome;
use crate::ledger::Fault;
use crate::link::{Broken, Claim};
use crate::money::{currency, minor_units};

use page::Said;

/// The longest form that the page sends.
const FORM_BYTES_MAX: usize = 8 * 1024;
/// The longest reason that is kept.
const REASON_CHARS_MAX: usize = 300;

/// `/r/{token}`.
pub fn routes(app: &mut web::ServiceConfig) {
    app.service(
        web::resource("/r/{token}")
            .app_data(web::FormConfig::default().limit(FORM_BYTES_MAX))
            .route(web::get().to(show))
            .route(web::head().to(show))
            .route(web::post().to(act)),
    );
}

/// What the page's forms send.
#[derive(serde::Deserialize)]
struct Report {
    action: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    note: String,
    #[serde(default)]
    value: String,
    #[serde(default)]
    currency: String,
}

async fn show(token: web::Path<String>, flow: web::Data<Flow>) -> HttpResponse {
    let claim = match flow.claim_of(&token) {
        Ok(claim) => claim,
        Err(broken) => return unbelieved(broken),
    };
    match flow.show_to_rep(&claim).await {
        Ok(Shown::Yours(why)) => lead_page(&flow, &claim, &why, Said::default()),
        Ok(Shown::NotYours) => not_yours(),
        Err(fault) => unable(&fault),
    }
}

async fn act(
    token: web::Path<String>,
    flow: web::Data<Flow>,
    form: Result<web::Form<Report>, actix_web::Error>,
) -> HttpResponse {
    let claim = match flow.claim_of(&token) {
        Ok(claim) => claim,
        Err(broken) => return unbelieved(broken),
    };
    let Ok(form) = form else {
        let mut response = HttpResponse::BadRequest();
        let text = "The form did not arrive as this page sends it. Please go back and try again.";
        return private_page(&mut response).body(page::notice("Not understood", text));
    };
    let (command, done) = match command(&form) {
        Ok(command) => command,
        Err(text) => return refused(&flow, &claim, text).await,
    };
    match flow.act_for_rep(&claim, command).await {
        Ok(Acted::PassedOn) => {
            let mut response = HttpResponse::Ok();
            let text = "Thank you. The lead goes to the next one.";
            private_page(&mut response).body(page::notice("Passed on", text))
        }
        Ok(Acted::Done(why)) => {
            let said = Said {
                tone: "good",
                text: done.into(),
            };
            lead_page(&flow, &claim, &why, said)
        }
        Ok(Acted::Refused(why, text)) => {
            let said = Said { tone: "bad", text };
            lead_page(&flow, &claim, &why, said)
        }
        Ok(Acted::NotYours) => not_yours(),
        Err(fault) => unable(&fault),
    }
}

/// The command of a form and what is said when it is done, or what is missing.
fn command(form: &Report) -> Result<(Command, &'static str), String> {
    let why = || {
        let text = format!("{} {}", form.reason.trim(), form.note.trim());
        text.trim()
            .chars()
            .take(REASON_CHARS_MAX)
            .collect::<String>()
    };
    let reason = || {
        if form.reason.trim().is_empty() {
            return Err("Please say why.".to_owned());
        }
        Ok(why())
    };
    match form.action.as_str() {
        "claim" => Ok((Command::Claim, "It is yours. Good luck!")),
        "contacted" => Ok((Command::Contacted, "Noted: you reached them.")),
        "decline" => Ok((Command::Decline { why: reason()? }, "")),
        "won" => {
            let value = match form.value.trim() {
                "" => None,
                text => Some(minor_units(text)?),
            };
            let currency = value.map(|_| currency(&form.currency)).transpose()?;
            let outcome = Outcome::Won;
            let close = Command::Close {
                outcome,
                value,
                currency,
                why: None,
            };
            Ok((close, "Congratulations! It is noted as won."))
        }
        "lost" => {
            let close = Command::Close {
                outcome: Outcome::Lost,
                value: None,
                currency: None,
                why: Some(reason()?),
            };
            Ok((close, "It is noted as lost."))
        }
        _ => Err("This step is not known.".into()),
    }
}

async fn refused(flow: &Flow, claim: &Claim, text: String) -> HttpResponse {
    match flow.show_to_rep(claim).await {
        Ok(Shown::Yours(why)) => {
            let said = Said { tone: "bad", text };
            lead_page(flow, claim, &why, said)
        }
        Ok(Shown::NotYours) => not_yours(),
        Err(fault) => unable(&fault),
    }
}

fn lead_page(flow: &Flow, claim: &Claim, why: &Why, said: Said) -> HttpResponse {
    let zone = flow
        .policy()
        .roster
        .rep(&claim.rep)
        .map(|rep| rep.zone_name.clone());
    let status = if said.tone == "bad" { 409 } else { 200 };
    let status = actix_web::http::StatusCode::from_u16(status).unwrap_or_default();
    let mut response = HttpResponse::build(status);
    let zone = zone.unwrap_or_else(|| "UTC".into());
    private_page(&mut response).body(page::lead(why, said, &zone))
}

fn not_yours() -> HttpResponse {
    let mut response = HttpResponse::Gone();
    let text = "This lead is no longer with you. There is nothing left to do here.";
    private_page(&mut response).body(page::notice("Not yours any more", text))
}

fn unbelieved(broken: Broken) -> HttpResponse {
    let (mut response, text) = match broken {
        Broken::Expired => (HttpResponse::Gone(), "This link is too old to be used."),
        Broken::Malformed | Broken::Forged => (
            HttpResponse::Forbidden(),
            "This link is damaged. Please open it from the mail itself.",
        ),
    };
    private_page(&mut response).body(page::notice("This link does not work", text))
}

fn unable(fault: &Fault) -> HttpResponse {
    tracing::warn!(%fault, "a rep could not be served");
    let mut response = HttpResponse::ServiceUnavailable();
    let text = "Something is not working here just now. Please try again in a minute.";
    private_page(&mut response).body(page::notice("Please try again", text))
}
