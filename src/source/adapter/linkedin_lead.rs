//! The content of a `LinkedIn` lead: what is asked of its interface, what the answers mean, and how
//! the answers of the person are joined with the questions of the form.
//! <https://learn.microsoft.com/en-us/linkedin/marketing/lead-sync/leadsync>

use serde_json::json;

use super::linkedin::LinkedInSettings;
use crate::clock;
use crate::lead::{Consent, Inquiry};
use crate::sample::Person;
use crate::source::bounds;
use crate::source::draft::Draft;
use crate::source::fetch::{Answered, Ask, Step, Trouble};
use crate::source::json::Json;
use crate::source::sources::Source;

/// Under which name we keep the id of the response.
pub(super) const RESPONSE: &str = "response_id";
const ID_BYTES_MAX: usize = 128;
/// `predefinedField` of a question, to our fields.
const FIELDS: [(&str, &str); 13] = [
    ("FIRST_NAME", "first_name"),
    ("LAST_NAME", "last_name"),
    ("EMAIL", "email"),
    ("WORK_EMAIL", "email"),
    ("PHONE_NUMBER", "phone"),
    ("WORK_PHONE_NUMBER", "phone"),
    ("COMPANY_NAME", "company"),
    ("JOB_TITLE", "job_title"),
    ("CITY", "city"),
    ("STATE", "region"),
    ("COUNTRY", "country"),
    ("ZIP_CODE", "postcode"),
    ("POSTAL_CODE", "postcode"),
];
/// Members of a response that are read, or that say nothing of the lead.
const TECHNICAL: [&str; 6] = [
    "id",
    "formResponse",
    "testLead",
    "submittedAt",
    "versionedLeadGenFormUrn",
    "leadMetadata",
];

/// `urn:li:leadGenFormResponse:ID`; ids go into addresses.
pub(super) fn id_of_urn(urn: &str) -> Option<&str> {
    let id = urn.strip_prefix("urn:li:")?.split_once(':')?.1;
    let sound = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    let fits = (1..=ID_BYTES_MAX).contains(&id.len()) && id.bytes().all(sound);
    fits.then_some(id)
}

/// `urn:li:versionedLeadGenForm:(urn:li:leadGenForm:ID,VERSION)`
pub(super) fn id_of_form(urn: &str) -> Option<&str> {
    let rest = urn.rsplit_once("leadGenForm:")?.1;
    let id = rest.split([',', ')']).next()?.trim();
    let fits = (1..=32).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_digit());
    fits.then_some(id)
}

/// What comes next; see `Adapter::fetch`. First the response, then the form that it answers.
pub(super) fn fetch(source: &Source, notice: &Inquiry, answers: &[Answered]) -> Step {
    let Some(id) = notice.attribution.0.get(RESPONSE) else {
        let why = "the notification names no lead";
        return Step::Trouble(Trouble::Gone { why: why.into() });
    };
    let Some(first) = answers.first() else {
        return ask(source, &format!("leadFormResponses/{id}"));
    };
    let response = match object(first) {
        Ok(response) => response,
        Err(trouble) => return Step::Trouble(trouble),
    };
    if response.text("id") != id.as_str() || response.get("formResponse").is_none() {
        let why = "200 with something else than the lead";
        return Step::Trouble(Trouble::TryAgain { why: why.into() });
    }
    let urn = response.text("versionedLeadGenFormUrn");
    let told = notice.attribution.0.get("form_id");
    let form = id_of_form(&urn).or(told.map(String::as_str));
    let (Some(form), second) = (form, answers.get(1)) else {
        return Step::Content(together(&first.body, b"null"));
    };
    match second {
        None => ask(source, &format!("leadForms/{form}")),
        // Without the form the answers have no names, which is better than no lead.
        Some(answer) if answer.status == 404 => Step::Content(together(&first.body, b"null")),
        Some(answer) => match object(answer) {
            Ok(_) => Step::Content(together(&first.body, &answer.body)),
            Err(trouble) => Step::Trouble(trouble),
        },
    }
}

fn together(response: &[u8], form: &[u8]) -> Vec<u8> {
    [b"{\"response\":", response, b",\"form\":", form, b"}"].concat()
}

fn ask(source: &Source, what: &str) -> Step {
    let Ok(settings) = source.own::<LinkedInSettings>() else {
        let why = format!("source \"{}\" has another adapter now", source.name);
        return Step::Trouble(Trouble::Halt { why });
    };
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Step::Ask(Ask {
        method: "GET",
        url: format!("{}/rest/{what}", settings.api_url),
        headers: vec![
            header("accept", "application/json"),
            header(
                "authorization",
                &format!("Bearer {}", settings.token.expose()),
            ),
            header("linkedin-version", &settings.api_version),
            header("x-restli-protocol-version", "2.0.0"),
        ],
        body: Vec::new(),
        credential: "token".into(),
        place: None,
    })
}

/// The object in an answer, or what its status means.
fn object(answer: &Answered) -> Result<Json<'_>, Trouble> {
    let halt = |why: &str| Trouble::Halt { why: why.into() };
    Err(match answer.status {
        200 => {
            let json = Json::object(&answer.body).ok().filter(|_| !answer.cut);
            return json.ok_or(Trouble::TryAgain {
                why: "200 without a readable lead".into(),
            });
        }
        401 => halt("401: the token is refused or has expired; make a new one"),
        403 => halt(
            "403: the token lacks r_marketing_leadgen_automation, or its member has no role that \
             sees the account's leads",
        ),
        404 => Trouble::Gone {
            why: "404: no such lead; it was deleted, or is older than 90 days".into(),
        },
        426 => halt("426: this version is no longer served; set api_version to a newer one"),
        429 => Trouble::Later {
            why: "429: the limit of calls is reached".into(),
            after_ms: answer.retry_after_ms(),
        },
        status => Trouble::TryAgain {
            why: status.to_string(),
        },
    })
}

/// Reads the answers, under the names that the form gives its questions.
pub(super) fn read(source: &Source, notice: Inquiry, content: &[u8]) -> Result<Inquiry, String> {
    let json = Json::object(content).map_err(|refusal| refusal.to_string())?;
    let response = json.get("response").ok_or("the response is missing")?;
    bounds::lead(response).map_err(|refusal| refusal.to_string())?;
    let of_form = response.get("formResponse");
    let of_form = of_form.ok_or("formResponse is missing")?;
    let content = json.get("form").and_then(|form| form.get("content"));
    let questions = content.and_then(|content| content.get("questions"));
    let questions = questions.map_or(&[][..], Json::items);
    let mut draft = Draft::of(source);
    for answer in of_form.get("answers").map_or(&[][..], Json::items) {
        let id = answer.text("questionId");
        let question = questions.iter().find(|q| q.text("questionId") == id);
        add(answer, question, &id, &mut draft);
    }
    for (key, value) in of_form.entries() {
        if key != "answers" && key != "consentResponses" {
            draft.keep_json(key, value);
        }
    }
    for (key, value) in response.entries() {
        if !TECHNICAL.contains(&key.as_ref()) {
            draft.keep_json(key, value);
        }
    }
    if let Some(told) = response.get("leadMetadata") {
        let mut leaves = Vec::new();
        told.leaves("", &mut leaves);
        for (name, value) in leaves {
            match id_of_urn(&value) {
                Some(id) if name.ends_with(".campaign") => draft.told("campaign_id", id),
                Some(_) | None => draft.keep(&name, &value),
            }
        }
    }
    let mut inquiry = draft.inquiry();
    for (name, values) in notice.fields.other {
        inquiry.fields.other.entry(name).or_insert(values);
    }
    inquiry.attribution.0.extend(notice.attribution.0);
    if let Ok(at) = response.text("submittedAt").parse() {
        let at = clock::iso(at);
        inquiry.attribution.0.insert("submitted_at".into(), at);
    }
    inquiry.is_test = response.get("testLead").is_some_and(Json::is_true);
    let consents = of_form.get("consentResponses").map_or(&[][..], Json::items);
    inquiry
        .consent
        .extend(consents.iter().map(|consent| Consent {
            key: format!("consent {}", consent.text("consentId")),
            given: consent.get("accepted").is_some_and(Json::is_true),
            value: consent.text("accepted").into_owned(),
        }));
    Ok(inquiry)
}

/// One answer. Most of LinkedIn's pages have it in `answerDetails`, one has it in `accepted`.
fn add(answer: &Json<'_>, question: Option<&Json<'_>>, id: &str, draft: &mut Draft<'_>) {
    let details = answer
        .get("answerDetails")
        .or_else(|| answer.get("accepted"));
    let Some(details) = details else {
        return;
    };
    let unnamed = format!("question {id}");
    let name = question.map(|q| q.text("name")).unwrap_or_default();
    let name = if name.is_empty() {
        &unnamed
    } else {
        name.as_ref()
    };
    if let Some(text) = details.get("textQuestionAnswer") {
        let text = text.text("answer");
        let predefined = question.map(|q| q.text("predefinedField"));
        let predefined = predefined.unwrap_or_default();
        match FIELDS.iter().find(|(known, _)| *known == predefined) {
            Some((_, field)) => draft.field(field, name, &text),
            None => draft.asked(name, &text),
        }
    } else if let Some(choice) = details.get("multipleChoiceAnswer") {
        for chosen in choice.get("options").map_or(&[][..], Json::items) {
            let number = chosen.as_text().unwrap_or_default();
            let words = question.and_then(|q| option_of(q, &number));
            draft.asked(name, words.as_deref().unwrap_or(&number));
        }
    } else {
        draft.keep_json(name, details);
    }
}

/// The words of an option, wherever the question has its list: LinkedIn's page was not read for it.
fn option_of(json: &Json<'_>, number: &str) -> Option<String> {
    if json.text("id") == number {
        let mut leaves = Vec::new();
        json.get("text")?.leaves("", &mut leaves);
        return leaves.into_iter().next().map(|(_, words)| words);
    }
    let inner = json.entries().iter().map(|(_, value)| value);
    let mut all = inner.chain(json.items());
    all.find_map(|value| option_of(value, number))
}

/// The id of a made-up person's response.
pub(super) fn sample_id(person: &Person) -> String {
    format!("sample-{:016x}", person.seed)
}

/// LinkedIn's answer about a made-up person.
pub(super) fn stand_in(target: &str) -> Option<Vec<u8>> {
    let questions = [
        (1, "firstName", "FIRST_NAME"),
        (2, "lastName", "LAST_NAME"),
        (3, "email", "EMAIL"),
        (4, "phone", "PHONE_NUMBER"),
        (5, "company", "COMPANY_NAME"),
        (6, "jobTitle", "JOB_TITLE"),
        (7, "country", "COUNTRY"),
        (8, "message", ""),
        (9, "employees", ""),
    ];
    let path = target.split('?').next().unwrap_or_default();
    if path.ends_with("/rest/leadForms/3162") {
        let questions = questions.map(|(id, name, predefined)| {
            json!({ "questionId": id, "name": name, "predefinedField": predefined })
        });
        let form = json!({ "id": 3162, "content": { "questions": questions } });
        return Some(form.to_string().into_bytes());
    }
    let id = path.rsplit_once("/rest/leadFormResponses/")?.1;
    let seed = u64::from_str_radix(id.strip_prefix("sample-")?, 16).ok()?;
    let person = Person::from_seed(seed);
    let answers = [
        (1, person.first_name),
        (2, person.last_name),
        (3, person.email),
        (4, person.phone),
        (5, person.company),
        (6, person.job_title),
        (7, person.country),
        (8, person.message),
        (9, person.employees.to_string()),
    ];
    let answers = answers.map(|(id, text)| {
        json!({ "questionId": id, "answerDetails": { "textQuestionAnswer": { "answer": text } } })
    });
    let response = json!({
        "id": id,
        "versionedLeadGenFormUrn": "urn:li:versionedLeadGenForm:(urn:li:leadGenForm:3162,1)",
        "leadType": "SPONSORED",
        "testLead": false,
        "submittedAt": 1_790_000_000_000_i64,
        "leadMetadata": { "sponsoredLeadMetadata": { "campaign": "urn:li:sponsoredCampaign:3" } },
        "formResponse": {
            "answers": answers,
            "consentResponses": [{ "consentId": 1, "accepted": person.consent }],
        },
    });
    Some(response.to_string().into_bytes())
}
