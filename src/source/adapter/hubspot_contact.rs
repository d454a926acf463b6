//! What stands in `HubSpot`'s bodies: contacts, and events that name them.

use std::borrow::Cow;

use crate::lead::{Identity, Inquiry};
use crate::source::Refusal;
use crate::source::bounds;
use crate::source::draft::Draft;
use crate::source::json::Json;
use crate::source::mapping::{PAIRS_MAX, VALUE_BYTES_MAX};
use crate::source::sources::Source;

/// The event that is a lead; others of the app are acknowledged.
pub(super) const CREATED: &str = "contact.creation";
/// The most events in one submission; `HubSpot` sends 100.
const EVENTS_MAX: usize = 1_000;
/// Where an event names the contact, and under which name we keep it until it is fetched.
const CONTACT_ID: &str = "objectId";
pub(super) const CONTACT: &str = "contact_id";

/// Properties of a contact, to our fields.
pub(super) const PROPERTIES: [(&str, &str); 15] = [
    ("firstname", "first_name"),
    ("lastname", "last_name"),
    ("email", "email"),
    ("phone", "phone"),
    ("mobilephone", "phone"),
    ("company", "company"),
    ("jobtitle", "job_title"),
    ("website", "website"),
    ("address", "street"),
    ("city", "city"),
    ("state", "region"),
    ("zip", "postcode"),
    ("country", "country"),
    ("hs_language", "language"),
    ("message", "message"),
];
/// Properties that say where the contact came from.
pub(super) const ATTRIBUTION: [(&str, &str); 3] = [
    ("hs_google_click_id", "gclid"),
    ("hs_facebook_click_id", "fbclid"),
    ("hs_analytics_source", "lead_source"),
];

/// Who a whole contact is: its id and when it was changed, since a workflow may send it again later.
pub(super) fn contact_identity(json: &Json<'_>) -> Result<Identity, Refusal> {
    let Some(properties) = json.get("properties").filter(|p| !p.entries().is_empty()) else {
        let wanted = "a contact with properties, or a list of events, is wanted";
        return Err(Refusal::Malformed(wanted.into()));
    };
    let mut count = 0;
    for (name, value) in properties.entries() {
        let text = property(value);
        count += usize::from(!text.is_empty() && !is_hubspots(name));
        if name.len() + text.len() > VALUE_BYTES_MAX {
            let message = format!("a property is longer than {VALUE_BYTES_MAX} bytes");
            return Err(Refusal::Unprocessable(message));
        }
    }
    if count > PAIRS_MAX {
        let message = format!("more than {PAIRS_MAX} properties");
        return Err(Refusal::Unprocessable(message));
    }
    let id = [json.text("vid"), json.text("id")];
    let id = id.into_iter().find(|id| !id.is_empty());
    let changed = properties.get("lastmodifieddate").map(property);
    Ok(Identity {
        platform_id: id.map(|id| format!("contact/{id}/{}", changed.unwrap_or_default())),
        content: properties.content(),
    })
}

/// Properties that HubSpot itself counts, hundreds of them: the first to be left out.
fn is_hubspots(name: &str) -> bool {
    name.starts_with("hs_") && !PROPERTIES.iter().any(|(known, _)| *known == name)
}

/// A property's value: as it is, or with its history around it.
fn property<'j>(value: &'j Json<'_>) -> Cow<'j, str> {
    if matches!(value, Json::Map(_)) {
        return value.text("value");
    }
    value.as_text().unwrap_or_default()
}

/// A contact's content.
pub(super) fn contact(source: &Source, json: &Json<'_>) -> Inquiry {
    let mut draft = Draft::of(source);
    let members = json.get("properties").map_or(&[][..], Json::entries);
    let given = || members.iter().map(|(name, value)| (name, property(value)));
    for (known, field) in PROPERTIES {
        let mut found = given().filter(|(name, _)| *name == known);
        if let Some((_, value)) = found.next() {
            draft.field(field, known, &value);
        }
    }
    let company = json.get("associated-company");
    if let Some(name) = company.and_then(|c| c.get("properties")?.get("name")) {
        draft.field("company", "associated-company.name", &property(name));
    }
    let others = || {
        given().filter(|(name, value)| {
            !value.is_empty() && !PROPERTIES.iter().any(|(known, _)| name == known)
        })
    };
    let people = others().filter(|(name, _)| !is_hubspots(name));
    let hubspots = others().filter(|(name, _)| is_hubspots(name));
    for (name, value) in people.chain(hubspots).take(PAIRS_MAX) {
        match ATTRIBUTION.iter().find(|(known, _)| name == known) {
            Some((_, key)) => draft.told(key, &value),
            None => draft.asked(name, &value),
        }
    }
    for (name, value) in json.entries() {
        if let Some(text) = value.as_text() {
            draft.keep(name, &text);
        }
    }
    draft.inquiry()
}

/// The events that are leads.
pub(super) fn contact_events<'j, 'a>(json: &'j Json<'a>) -> Result<Vec<&'j Json<'a>>, Refusal> {
    let events = json.items();
    if events.len() > EVENTS_MAX {
        let message = format!("more than {EVENTS_MAX} events");
        return Err(Refusal::Unprocessable(message));
    }
    let mut found = Vec::new();
    for event in events {
        bounds::lead(event)?;
        let has_id = event.text(CONTACT_ID).bytes().all(|b| b.is_ascii_digit())
            && !event.text(CONTACT_ID).is_empty();
        match event.text("subscriptionType").as_ref() {
            "" => return Err(Refusal::Malformed("an event without its type".into())),
            CREATED if !has_id => {
                return Err(Refusal::Malformed("an event without its contact".into()));
            }
            CREATED => found.push(event),
            _ => {}
        }
    }
    Ok(found)
}

/// HubSpot does not say that an event's id is unique, so time and contact go with it.
pub(super) fn event_identity(event: &Json<'_>) -> Identity {
    let (id, at, contact) = (
        event.text("eventId"),
        event.text("occurredAt"),
        event.text(CONTACT_ID),
    );
    // The number of the attempt differs each time.
    let kept = event
        .entries()
        .iter()
        .filter(|(key, _)| key != "attemptNumber");
    Identity {
        platform_id: Some(format!("event/{id}/{at}/{contact}")),
        content: Json::Map(kept.cloned().collect()).content(),
    }
}

/// What an event tells of a contact that is still to be fetched.
pub(super) fn notice(source: &Source, event: &Json<'_>) -> Inquiry {
    let mut draft = Draft::of(source);
    draft.told(CONTACT, &event.text(CONTACT_ID));
    for (name, value) in event.entries() {
        if name != CONTACT_ID && name != "attemptNumber" {
            draft.keep_json(name, value);
        }
    }
    draft.inquiry()
}
