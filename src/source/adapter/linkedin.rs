//! `LinkedIn` Lead Sync: a challenge now and then, signed notifications that name leads, whose answers
//! and form are then fetched.
//! <https://learn.microsoft.com/en-us/linkedin/marketing/lead-sync/leadsync>

use serde_json::json;
use url::Url;

use super::linkedin_lead as lead;
use crate::clock::Millis;
use crate::document::Table;
use crate::lead::{Identity, Inquiry, Receipt, Submission};
use crate::sample::Person;
use crate::secret::{self, Secret};
use crate::source::answer::{Answer, Refusal, Reply};
use crate::source::bounds;
use crate::source::draft::Draft;
use crate::source::fetch::{Answered, Step};
use crate::source::json::Json;
use crate::source::request;
use crate::source::sources::{Settings, Source};
#[cfg(test)]
use crate::source::suite::fixture::{Fixture, KEPT, Proof};
use crate::source::{Adapter, Admission, Admitted, Request, Sample, Secrets};

const SIGNATURE: &str = "x-li-signature";
/// Stands before the body in what is signed, and perhaps before the signature in the header.
const SIGNED: &str = "hmacsha256=";
const API_URL: &str = "https://api.linkedin.com";
/// `LinkedIn` serves a version for about a year.
const API_VERSION: &str = "202606";

/// The row in `ALL`.
pub(in crate::source) struct LinkedIn;

pub(super) struct LinkedInSettings {
    secrets: Vec<Secret>,
    pub(super) token: Secret,
    /// Without the slash at its end.
    pub(super) api_url: String,
    pub(super) api_version: String,
}

impl Adapter for LinkedIn {
    fn name(&self) -> &'static str {
        "linkedin"
    }

    fn docs(&self) -> &'static str {
        "https://learn.microsoft.com/en-us/linkedin/marketing/lead-sync/leadsync"
    }

    #[cfg(test)]
    fn fixtures(&self) -> &'static [Fixture] {
        FIXTURES
    }

    fn settings(&self, table: &Table<'_>, secrets: Secrets<'_>) -> Option<Settings> {
        let token = super::product::secret(table, "token", secrets);
        let api_url = table.text("api_url").unwrap_or_else(|| API_URL.into());
        if !Url::parse(&api_url).is_ok_and(|url| url.has_host() && url.query().is_none()) {
            let message = format!("`{api_url}` is no address; wanted is such as {API_URL}");
            table.problem("api_url", message);
        }
        let api_version = table.text("api_version");
        let api_version = api_version.unwrap_or_else(|| API_VERSION.into());
        if api_version.len() != 6 || !api_version.bytes().all(|b| b.is_ascii_digit()) {
            let message = format!("`{api_version}` is no version; wanted is such as {API_VERSION}");
            table.problem("api_version", message);
        }
        let secrets = super::product::secret_or_secrets(table, secrets)?;
        Some(Settings::new(LinkedInSettings {
            secrets,
            token: token?,
            api_url: api_url.trim_end_matches('/').to_owned(),
            api_version,
        }))
    }

    fn admit(
        &self,
        source: &Source,
        request: &Request<'_>,
        _now: Millis,
    ) -> Result<Admission, Refusal> {
        let settings: &LinkedInSettings = source.own()?;
        if request.method == "GET" {
            return challenge(settings, request.query).map(Admission::Answered);
        }
        let kind = request::content_type(request)?;
        verify(settings, request)?;
        if !request::is_json(&kind) {
            return Err(Refusal::Unsupported("application/json is wanted".into()));
        }
        let json = Json::object(request.body)?;
        bounds::lead(&json)?;
        if json.text("type") != "LEAD_ACTION" {
            return Ok(Admission::Answered(Answer::ignored()));
        }
        let response = json.text("leadGenFormResponse");
        let Some(id) = lead::id_of_urn(&response) else {
            let wanted = "leadGenFormResponse names no response";
            return Err(Refusal::Malformed(wanted.into()));
        };
        let identity = Identity {
            platform_id: Some(id.to_owned()),
            // A repeat may have another time.
            content: response.as_bytes().to_vec(),
        };
        match json.text("leadAction").as_ref() {
            "CREATED" => Ok(Admission::Leads(Admitted::whole(request, vec![identity]))),
            "DELETED" => Ok(Admission::Forget(vec![identity])),
            _ => Ok(Admission::Answered(Answer::ignored())),
        }
    }

    fn parse(&self, source: &Source, submission: &Submission) -> Result<Vec<Inquiry>, String> {
        let json = Json::object(&submission.raw).map_err(|refusal| refusal.to_string())?;
        let mut draft = Draft::of(source);
        let response = json.text("leadGenFormResponse");
        draft.told(
            lead::RESPONSE,
            lead::id_of_urn(&response).unwrap_or_default(),
        );
        let form = json.text("leadGenForm");
        draft.told("form_id", lead::id_of_form(&form).unwrap_or_default());
        if let Some(of) = json.get("associatedEntity") {
            let creative = of.text("sponsoredCreative");
            draft.told(
                "creative_id",
                lead::id_of_urn(&creative).unwrap_or_default(),
            );
        }
        draft.keep("leadType", &json.text("leadType"));
        Ok(vec![draft.inquiry()])
    }

    fn answer(&self, _: &Source, _: &Receipt, _: &Reply) -> Answer {
        Answer::json(200, &json!({}))
    }

    fn fetch(&self, source: &Source, notice: &Inquiry, answers: &[Answered]) -> Step {
        lead::fetch(source, notice, answers)
    }

    fn read(&self, source: &Source, notice: Inquiry, content: &[u8]) -> Result<Inquiry, String> {
        lead::read(source, notice, content)
    }

    fn stand_in(&self, target: &str) -> Option<Vec<u8>> {
        lead::stand_in(target)
    }

    fn shape(&self, _: &Source, person: &Person) -> Sample {
        let body = json!({
            "type": "LEAD_ACTION",
            "leadGenFormResponse": format!("urn:li:leadGenFormResponse:{}", lead::sample_id(person)),
            "leadGenForm": "urn:li:versionedLeadGenForm:(urn:li:leadGenForm:3162,1)",
            "owner": { "sponsoredAccount": "urn:li:sponsoredAccount:1" },
            "associatedEntity": { "sponsoredCreative": "urn:li:sponsoredCreative:2" },
            "leadType": "SPONSORED",
            "leadAction": "CREATED",
            "occurredAt": 1_790_000_000_000_i64,
        });
        Sample::post("application/json", body.to_string())
    }

    fn sign(&self, source: &Source, mut sample: Sample, _now: Millis) -> Sample {
        if let Ok(settings) = source.own::<LinkedInSettings>()
            && let Some(secret) = settings.secrets.first()
        {
            let value = signature(secret, SIGNED.as_bytes(), &sample.body);
            sample.headers.push((SIGNATURE.into(), value));
        }
        sample
    }
}

fn signature(secret: &Secret, before: &[u8], message: &[u8]) -> String {
    let key = secret.expose().as_bytes();
    secret::hex(&secret::hmac_sha256(key, &[before, message]))
}

fn verify(settings: &LinkedInSettings, request: &Request<'_>) -> Result<(), Refusal> {
    let Some(given) = request.headers.only(SIGNATURE) else {
        let wanted = "one X-LI-Signature is wanted";
        return Err(Refusal::Unauthorized(wanted.into()));
    };
    let given = given.strip_prefix(SIGNED).unwrap_or(given);
    let mut secrets = settings.secrets.iter().filter(|secret| !secret.is_empty());
    let fits = |secret: &Secret| {
        let wanted = signature(secret, SIGNED.as_bytes(), request.body);
        secret::same(given.as_bytes(), wanted.as_bytes())
    };
    if secrets.any(fits) {
        return Ok(());
    }
    Err(Refusal::Unauthorized("the signature does not fit".into()))
}

/// `LinkedIn` asks every two hours whether the address is ours. Challenges are signed with the key of
/// the notifications, so only what looks like one is signed: else anybody could have a notification
/// of their own signed here.
fn challenge(settings: &LinkedInSettings, query: &str) -> Result<Answer, Refusal> {
    let mut codes = form_urlencoded::parse(query.as_bytes()).filter(|(n, _)| n == "challengeCode");
    let Some((_, code)) = codes.next() else {
        return Err(Refusal::NotAllowed);
    };
    let is_hex = |part: &str| part.bytes().all(|b| b.is_ascii_hexdigit());
    let lengths: Vec<usize> = code.split('-').map(str::len).collect();
    let sound = lengths == [8, 4, 4, 4, 12] && code.split('-').all(is_hex);
    let secret = settings
        .secrets
        .first()
        .filter(|_| sound && codes.next().is_none());
    let Some(secret) = secret else {
        return Err(Refusal::Malformed(
            "one challengeCode, a UUID, is wanted".into(),
        ));
    };
    Ok(Answer::json(
        200,
        &json!({
            "challengeCode": code,
            "challengeResponse": signature(secret, b"", code.as_bytes()),
        }),
    ))
}

#[cfg(test)]
const FIXTURES: &[Fixture] = &[Fixture {
    name: "linkedin",
    settings: "secret = \"client-secret\"\ntoken = \"t0ken\"\ncountry = \"DE\"",
    proof: Proof::Signature,
    kind: "application/json",
    body: r#"{"type":"LEAD_ACTION","leadGenFormResponse":"urn:li:leadGenFormResponse:1a2b3c-4",
                 "leadGenForm":"urn:li:versionedLeadGenForm:(urn:li:leadGenForm:1, 1)",
                 "owner":{"sponsoredAccount":"urn:li:sponsoredAccount:123"},
                 "associatedEntity":{"sponsoredCreative":"urn:li:sponsoredCreative:456"},
                 "leadType":"SPONSORED","leadAction":"CREATED","occurredAt":1789999999881}"#,
    fields: &[
        ("name", "Mia Groß"),
        ("email", "mia@werk.example"),
        ("phone", "030 901820"),
        ("country", "DE"),
        ("colour", "blue"),
        ("question 99", KEPT),
        ("leadType", "SPONSORED"),
        ("submitter", "urn:li:person:M"),
    ],
    attribution: &[
        ("response_id", "1a2b3c-4"),
        ("form_id", "1"),
        ("campaign_id", "367"),
        ("creative_id", "456"),
        ("submitted_at", "2026-09-21T14:13:19Z"),
    ],
    batch: None,
    fetched: &[
        (
            "/rest/leadFormResponses/1a2b3c-4",
            r#"{"id":"1a2b3c-4","submitter":"urn:li:person:M","leadType":"SPONSORED","testLead":false,
        "versionedLeadGenFormUrn":"urn:li:versionedLeadGenForm:(urn:li:leadGenForm:3162,1)",
        "submittedAt":1789999999000,"leadMetadata":{"sponsoredLeadMetadata":
        {"campaign":"urn:li:sponsoredCampaign:367"}},"formResponse":{"answers":[
        {"questionId":1,"answerDetails":{"textQuestionAnswer":{"answer":"Mia"}}},
        {"questionId":2,"accepted":{"textQuestionAnswer":{"answer":"Groß"}}},
        {"questionId":3,"answerDetails":{"textQuestionAnswer":{"answer":"mia@werk.example"}}},
        {"questionId":4,"answerDetails":{"textQuestionAnswer":{"answer":"030 901820"}}},
        {"questionId":5,"answerDetails":{"multipleChoiceAnswer":{"options":[1,3]}}},
        {"questionId":99,"answerDetails":{"textQuestionAnswer":{"answer":"kept"}}}],
        "consentResponses":[{"consentId":4,"accepted":true}]}}"#,
        ),
        (
            "/rest/leadForms/3162",
            r#"{"id":3162,"content":{"questions":[
        {"questionId":1,"name":"firstName","predefinedField":"FIRST_NAME"},
        {"questionId":2,"name":"lastName","predefinedField":"LAST_NAME"},
        {"questionId":3,"name":"email","predefinedField":"EMAIL"},
        {"questionId":4,"name":"phone","predefinedField":"PHONE_NUMBER"},
        {"questionId":5,"name":"colour","questionDetails":{"multipleChoiceQuestionDetails":{"options":[
            {"id":1,"text":{"localized":{"en_US":"blue"}}},{"id":2,"text":{"localized":{"en_US":"red"}}}]}}}
        ]}}"#,
        ),
    ],
}];
