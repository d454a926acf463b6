//! The content of a contact that an event names: what is asked of `HubSpot`'s CRM, what its answers
//! mean, and how they are read.
//! <https://developers.hubspot.com/docs/api-reference/latest/crm/objects/contacts/guide>

use super::hubspot::HubSpotSettings;
use super::hubspot_contact::{ATTRIBUTION, CONTACT, PROPERTIES, contact, contact_identity};
use crate::lead::Inquiry;
use crate::source::fetch::{Answered, Ask, Step, Trouble};
use crate::source::json::Json;
use crate::source::sources::Source;

/// `HubSpot` gives a few properties unless others are asked for.
const ALSO: &str = "lastmodifieddate";

/// What comes next; see `Adapter::fetch`.
pub(super) fn fetch(source: &Source, notice: &Inquiry, answers: &[Answered]) -> Step {
    match (notice.attribution.0.get(CONTACT), answers.last()) {
        // A workflow has sent all of it.
        (None, _) => Step::Whole,
        (Some(id), None) => ask(source, id),
        (Some(id), Some(answer)) => meaning(answer, id),
    }
}

fn ask(source: &Source, id: &str) -> Step {
    let halt = |why: String| Step::Trouble(Trouble::Halt { why });
    let name = &source.name;
    let Ok(settings) = source.own::<HubSpotSettings>() else {
        return halt(format!("source \"{name}\" has another adapter now"));
    };
    let Some(token) = &settings.token else {
        return halt(format!(
            "events name contacts by their ids only: set `token` of [{name}] to fetch them, or let \
             a workflow send the whole contact"
        ));
    };
    let known = PROPERTIES.iter().chain(&ATTRIBUTION).map(|(name, _)| *name);
    let own = settings.properties.iter().map(String::as_str);
    let properties: Vec<_> = known.chain([ALSO]).chain(own).collect();
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("properties", &properties.join(","))
        .finish();
    Step::Ask(Ask {
        method: "GET",
        url: format!("{}/crm/v3/objects/contacts/{id}?{query}", settings.api_url),
        headers: vec![
            ("accept".into(), "application/json".into()),
            ("authorization".into(), format!("Bearer {}", token.expose())),
        ],
        body: Vec::new(),
        credential: "token".into(),
        place: None,
    })
}

fn meaning(answer: &Answered, id: &str) -> Step {
    let halt = |why: &str| Trouble::Halt { why: why.into() };
    let trouble = match answer.status {
        200 => {
            let json = Json::object(&answer.body).ok().filter(|_| !answer.cut);
            let is_it = json.is_some_and(|json| {
                json.text("id") == id
                    && json
                        .get("properties")
                        .is_some_and(|p| !p.entries().is_empty())
            });
            if is_it {
                return Step::Content(answer.body.clone());
            }
            Trouble::TryAgain {
                why: "200 with something else than the contact".into(),
            }
        }
        401 => halt("401: the token is refused; make a new one"),
        403 => halt("403: the token lacks the scope crm.objects.contacts.read"),
        404 => Trouble::Gone {
            why: "404: no such contact; it was deleted or merged".into(),
        },
        429 => Trouble::Later {
            why: "429: the limit of calls is reached".into(),
            after_ms: answer.retry_after_ms(),
        },
        status => Trouble::TryAgain {
            why: status.to_string(),
        },
    };
    Step::Trouble(trouble)
}

/// Reads the contact into what the event told of it.
pub(super) fn read(source: &Source, notice: Inquiry, content: &[u8]) -> Result<Inquiry, String> {
    let told = |refusal: crate::source::Refusal| refusal.to_string();
    let json = Json::object(content).map_err(told)?;
    contact_identity(&json).map_err(told)?;
    let mut inquiry = contact(source, &json);
    for (name, values) in notice.fields.other {
        inquiry.fields.other.entry(name).or_insert(values);
    }
    for (key, value) in notice.attribution.0 {
        inquiry.attribution.0.entry(key).or_insert(value);
    }
    Ok(inquiry)
}
