//! The content of a Meta lead: what is asked of the Graph API, what its errors mean, and how the
//! answer is read.
//! <https://developers.facebook.com/docs/marketing-api/guides/lead-ads/retrieving>

use serde_json::{Value, json};

use super::meta::{self, is_id};
use crate::clock::{self, MINUTE, Millis};
use crate::lead::{Consent, Inquiry};
use crate::sample::Person;
use crate::source::fetch::{Answered, Ask, Step, Trouble};
use crate::source::json::Json;
use crate::source::mapping::{self, PAIRS_MAX, VALUE_BYTES_MAX};
use crate::source::sources::Source;
#[cfg(test)]
use crate::source::suite::fixture::{Fixture, KEPT, Proof};

/// What the app dashboard's “Test” button sends; the Graph API knows no such lead (observed, the
/// documentation does not say so).
pub(super) const DASHBOARD_TEST: &str = "444444444444";
/// How the Lead Ads Testing Tool fills every field (observed, not documented).
const DUMMY: &str = "<test lead: dummy data for";
/// The answer holds only a few of them unless they are asked for.
const FIELDS: &str = "id,created_time,field_data,custom_disclaimer_responses,ad_id,ad_name,\
                      adset_id,adset_name,campaign_id,campaign_name,form_id,is_organic,platform,\
                      partner_name,retailer_item_id";
/// Members of the answer that say where the lead came from.
const ATTRIBUTION: [&str; 11] = [
    "ad_id",
    "ad_name",
    "adset_id",
    "adset_name",
    "campaign_id",
    "campaign_name",
    "form_id",
    "is_organic",
    "platform",
    "partner_name",
    "retailer_item_id",
];
/// Members that are read elsewhere.
const TECHNICAL: [&str; 4] = [
    "id",
    "created_time",
    "field_data",
    "custom_disclaimer_responses",
];
/// Made-up leads have ids from here on.
const SAMPLE_IDS: u64 = 10_000_000_000_000_000;

/// What comes next; see `Adapter::fetch`.
pub(super) fn fetch(source: &Source, notice: &Inquiry, answers: &[Answered]) -> Step {
    let known = &notice.attribution.0;
    let Some(id) = known.get("leadgen_id") else {
        let why = "the notification names no lead; in the app's webhook settings, switch on \
                   \"Include Values\" for the field leadgen";
        return Step::Trouble(Trouble::Gone { why: why.into() });
    };
    match answers.last() {
        Some(answer) => meaning(answer, id),
        None => ask(source, known.get("page_id").map(String::as_str), id),
    }
}

fn ask(source: &Source, page: Option<&str>, id: &str) -> Step {
    let halt = |why: String| Step::Trouble(Trouble::Halt { why });
    let Ok(settings) = meta::settings(source) else {
        return halt(format!(
            "source \"{}\" has another adapter now",
            source.name
        ));
    };
    let own = page.and_then(|page| settings.page_tokens.get_key_value(page));
    let place = page.map(|page| format!("page {page}"));
    let (credential, place, token) = match (own, &settings.access_token) {
        (Some((page, token)), _) => (format!("page {page}"), None, token),
        (None, Some(token)) => ("access_token".to_owned(), place, token),
        (None, None) => {
            let page = page.unwrap_or("that was not named");
            return halt(format!(
                "no token for page {page}: add it to [{}.page_tokens], or set access_token",
                source.name
            ));
        }
    };
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("fields", FIELDS)
        .append_pair("access_token", token.expose())
        .finish();
    let (base, version) = (&settings.api_url, &settings.api_version);
    Step::Ask(Ask {
        method: "GET",
        url: format!("{base}/{version}/{id}?{query}"),
        headers: vec![("accept".into(), "application/json".into())],
        body: Vec::new(),
        credential,
        place,
    })
}

fn meaning(answer: &Answered, id: &str) -> Step {
    let status = answer.status;
    let again = |why: String| Step::Trouble(Trouble::TryAgain { why });
    let json = Json::parse(&answer.body).ok().filter(|_| !answer.cut);
    if (200..300).contains(&status) {
        let Some(json) = json else {
            return again(format!("{status} without a readable lead"));
        };
        let whole = matches!(json.get("field_data"), Some(Json::List(_)));
        let named = json.get("id").and_then(Json::as_text);
        if !whole || named.is_some_and(|named| named != id) {
            return again(format!("{status} with something else than the lead"));
        }
        return Step::Content(answer.body.clone());
    }
    let error = json.as_ref().and_then(|json| json.get("error"));
    let number = |key: &str| -> Option<i64> {
        let text = error?.get(key)?.as_text()?;
        text.parse().ok()
    };
    match number("code") {
        Some(code) => Step::Trouble(of_code(code, number("error_subcode"), answer)),
        None if status == 429 => Step::Trouble(Trouble::Later {
            why: "429".into(),
            after_ms: regain_ms(answer),
        }),
        None if status == 401 || status == 403 => Step::Trouble(Trouble::Halt {
            why: format!("{status}: the access token is refused"),
        }),
        None => again(status.to_string()),
    }
}

/// Meta's error codes, as far as its pages on error handling and rate limits tell.
fn of_code(code: i64, subcode: Option<i64>, answer: &Answered) -> Trouble {
    let sub = subcode.map(|sub| format!("/{sub}")).unwrap_or_default();
    let why = |what: &str| format!("{code}{sub}: {what}");
    let halt = |what: &str| Trouble::Halt { why: why(what) };
    let barred = |what: &str| Trouble::Barred { why: why(what) };
    match (code, subcode) {
        (102 | 190, _) => halt("the access token has expired or was revoked; make a new one"),
        (3 | 10 | 200..=299, _) => barred(
            "permission is missing; the token needs leads_retrieval, pages_show_list, \
             pages_read_engagement, pages_manage_ads and ads_management, and access to the page's \
             leads",
        ),
        (4 | 17 | 32 | 368 | 613 | 80_000..=80_014, _) => Trouble::Later {
            why: format!(
                "{code}{sub}: the limit of calls is reached{}",
                usage(answer)
            ),
            after_ms: regain_ms(answer),
        },
        (100, Some(33)) | (803, _) => Trouble::Gone {
            why: format!(
                "{code}{sub}: no such lead for this token: deleted, a test of the dashboard, or the \
                 token has no access to the page's leads"
            ),
        },
        (100 | 2500, _) => barred("the request is not understood; see api_version"),
        _ => Trouble::TryAgain {
            why: format!("{} with code {code}{sub}", answer.status),
        },
    }
}

/// When Meta says that calls are possible again.
fn regain_ms(answer: &Answered) -> Option<Millis> {
    let header = answer.header("x-business-use-case-usage");
    let usage: Option<Value> = header.and_then(|text| serde_json::from_str(text).ok());
    let uses = usage.as_ref().and_then(Value::as_object);
    let uses = uses
        .into_iter()
        .flatten()
        .filter_map(|(_, of)| of.as_array());
    let minutes = uses
        .flatten()
        .filter_map(|of| of.get("estimated_time_to_regain_access")?.as_i64());
    let told = minutes.max().filter(|minutes| *minutes > 0);
    told.map(|minutes| minutes.saturating_mul(MINUTE))
        .or_else(|| answer.retry_after_ms())
}

/// How much of the app's calls is used, in words.
fn usage(answer: &Answered) -> String {
    let header = answer.header("x-app-usage");
    let usage: Option<Value> = header.and_then(|text| serde_json::from_str(text).ok());
    let percents = ["call_count", "total_time", "total_cputime"];
    let most = usage.and_then(|usage| {
        let found = percents.iter().filter_map(|key| usage.get(key)?.as_i64());
        found.max()
    });
    most.map(|percent| format!(" ({percent} % of the app's are used)"))
        .unwrap_or_default()
}

/// Reads the lead into what the notification told of it.
pub(super) fn read(source: &Source, notice: Inquiry, content: &[u8]) -> Result<Inquiry, String> {
    let json = Json::parse(content).map_err(|refusal| refusal.to_string())?;
    let pairs = answers(&json)?;
    let is_dummy = pairs.iter().any(|(_, value)| value.starts_with(DUMMY));
    let is_test = notice.is_test || is_dummy;
    let country = source.country.as_deref();
    let mut inquiry = mapping::inquiry(Vec::new(), pairs, &source.mapping, country);
    inquiry.is_test = is_test;
    let told = std::mem::take(&mut inquiry.attribution.0);
    inquiry.attribution = notice.attribution;
    inquiry.attribution.0.extend(told);
    inquiry.consent.extend(disclaimers(&json));
    if let Some(at) = json.get("created_time").and_then(Json::as_text) {
        // An offset without a colon, which is not RFC 3339.
        let read = jiff::Timestamp::strptime("%Y-%m-%dT%H:%M:%S%z", at.as_ref());
        let at = read.map_or_else(|_| at.into_owned(), |t| clock::iso(t.as_millisecond()));
        inquiry.attribution.0.insert("submitted_at".into(), at);
    }
    if let Json::Map(entries) = &json {
        for (key, value) in entries {
            member(key, value, &mut inquiry);
        }
    }
    Ok(inquiry)
}

/// The form's answers. The private address goes before the one at work, whatever their order.
fn answers(json: &Json<'_>) -> Result<Vec<(String, String)>, String> {
    let Some(Json::List(items)) = json.get("field_data") else {
        return Err("field_data is missing".into());
    };
    let (mut pairs, mut at_work) = (Vec::new(), Vec::new());
    for item in items {
        let name = item.get("name").and_then(Json::as_text).unwrap_or_default();
        let Some(Json::List(values)) = item.get("values") else {
            continue;
        };
        for value in values.iter().filter_map(Json::as_text) {
            if name.len() + value.len() > VALUE_BYTES_MAX {
                return Err(format!("an answer is longer than {VALUE_BYTES_MAX} bytes"));
            }
            let pair = (name.clone().into_owned(), value.into_owned());
            if name.starts_with("work_") {
                at_work.push(pair);
            } else {
                pairs.push(pair);
            }
        }
    }
    pairs.extend(at_work);
    if pairs.len() > PAIRS_MAX {
        return Err(format!("more than {PAIRS_MAX} answers"));
    }
    Ok(pairs)
}

/// Checkboxes of the form's own disclaimer: `is_checked` is "1" or "".
fn disclaimers(json: &Json<'_>) -> Vec<Consent> {
    let Some(Json::List(items)) = json.get("custom_disclaimer_responses") else {
        return Vec::new();
    };
    let consents = items.iter().take(PAIRS_MAX).filter_map(|item| {
        let checked = item.get("is_checked");
        Some(Consent {
            key: mapping::clean(item.get("checkbox_key")?.as_text()?.as_ref()),
            given: checked.is_some_and(Json::is_true),
            value: checked
                .and_then(Json::as_text)
                .unwrap_or_default()
                .into_owned(),
        })
    });
    consents.collect()
}

/// A member of the answer beside the form: where the lead came from, or what we do not know.
fn member(key: &str, value: &Json<'_>, inquiry: &mut Inquiry) {
    if TECHNICAL.contains(&key) {
        return;
    }
    if ATTRIBUTION.contains(&key) {
        let text = value.as_text().map(|text| mapping::clean(&text));
        let text = text.filter(|text| !text.is_empty() && text != "0");
        let attribution = &mut inquiry.attribution.0;
        attribution.extend(text.map(|text| (key.to_owned(), text)));
        return;
    }
    let mut leaves = Vec::new();
    value.leaves(key, &mut leaves);
    for (name, text) in leaves.into_iter().take(PAIRS_MAX) {
        let text = mapping::clean(&text);
        if !text.is_empty() && text.len() <= VALUE_BYTES_MAX {
            inquiry.fields.other.entry(name).or_default().push(text);
        }
    }
}

/// The id of a made-up person's lead.
pub(super) fn id_of(person: &Person) -> String {
    (SAMPLE_IDS + person.seed % SAMPLE_IDS).to_string()
}

/// The Graph API's answer about a made-up person.
pub(super) fn stand_in(target: &str) -> Option<Vec<u8>> {
    let path = target.split('?').next().unwrap_or_default();
    let id = path.rsplit('/').next().filter(|id| is_id(id))?;
    let seed = id.parse::<u64>().ok()?.checked_sub(SAMPLE_IDS)?;
    let person = Person::from_seed(seed);
    let answers = [
        ("full_name", person.name()),
        ("email", person.email),
        ("phone_number", person.phone),
        ("company_name", person.company),
        ("job_title", person.job_title),
        ("city", person.city),
        ("zip_code", person.postcode),
        ("country", person.country),
        ("message", person.message),
        ("employees", person.employees.to_string()),
    ];
    let answers = answers.into_iter().filter(|(_, value)| !value.is_empty());
    let answers = answers.map(|(name, value)| json!({ "name": name, "values": [value] }));
    let lead = json!({
        "id": id,
        "created_time": "2026-09-21T13:33:20+0000",
        "ad_id": "120210000000000001",
        "ad_name": "Autumn, carousel",
        "campaign_id": "120210000000000003",
        "campaign_name": "Autumn",
        "form_id": "172036835026334",
        "is_organic": false,
        "platform": if seed % 3 == 0 { "ig" } else { "fb" },
        "field_data": answers.collect::<Vec<_>>(),
        "custom_disclaimer_responses": [
            { "checkbox_key": "contact_me", "is_checked": if person.consent { "1" } else { "" } },
        ],
    });
    Some(lead.to_string().into_bytes())
}

#[cfg(test)]
pub(super) const FIXTURES: &[Fixture] = &[Fixture {
    name: "meta",
    settings: r#"
country = "DE"
app_secret = "It's a Secret to Everybody"
verify_token = "leadAdsRockPlayer"
access_token = "t0k en"
map = { "wunsch" = "message" }
page_tokens = { "123456789" = "of the page" }
"#,
    proof: Proof::Signature,
    kind: "application/json",
    body: r#"{"entry":[{"id":138124712925158,"time":1630087927,"changes":[{"field":"leadgen","value":
                 {"leadgen_id":233370042045345,"form_id":"172036835026334","adgroup_id":0,"ad_id":"0",
                 "created_time":1630087926,"new":"member"}}]}],"object":"page"}"#,
    fields: &[
        ("name", "Mia Groß"),
        ("email", "mia@werk.example"),
        ("phone", "030 901820"),
        ("company", "Werk AG"),
        ("postcode", "10115"),
        ("region", "DE-BE"),
        ("country", "DE"),
        ("message", "Demo bitte"),
        ("work_email", "mia@work.example"),
        ("which_colour?", KEPT),
        ("vehicle.make", "Honda"),
    ],
    attribution: &[
        ("leadgen_id", "233370042045345"),
        ("page_id", "138124712925158"),
        ("form_id", "172036835026334"),
        ("ad_id", "120210000000000001"),
        ("campaign_name", "Herbst"),
        ("platform", "ig"),
        ("is_organic", "false"),
        ("submitted_at", "2021-08-27T18:12:06Z"),
    ],
    batch: None,
    fetched: &[(
        "",
        r#"{"id":"233370042045345","created_time":"2021-08-27T20:12:06+0200","ad_id":"120210000000000001",
        "campaign_name":"Herbst","platform":"ig","is_organic":false,"vehicle":{"make":"Honda"},
        "field_data":[{"name":"work_email","values":["mia@work.example"]},
            {"name":"full_name","values":["Mia Groß"]},{"name":"email","values":["mia@werk.example"]},
            {"name":"phone_number","values":["030 901820"]},{"name":"company_name","values":["Werk AG"]},
            {"name":"zip_code","values":["10115"]},{"name":"state","values":["BE"]},
            {"name":"which_colour?","values":["kept","green"]},{"name":"wunsch","values":["Demo bitte"]}],
        "custom_disclaimer_responses":[{"checkbox_key":"optional_1","is_checked":"1"},
            {"checkbox_key":"optional_2","is_checked":""}]}"#,
    )],
}];
