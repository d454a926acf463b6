//! A form that was made for Salesforce Web-to-Lead, with its `action` turned to us. A browser sends it:
//! nothing is signed, and the organisation's id, which stands in the page, only tells that the form is
//! ours. It gives no id, so the same content within ten minutes is a repeat. `debug=1` marks a test.
//! <https://help.salesforce.com/s/articleView?id=sales.setting_up_web-to-lead.htm>

use url::Url;

use super::form_fields::{self as fields, URLENCODED};
use super::form_page;
use super::form_web::allowed_page;
use super::product::{self, secret};
use crate::clock::Millis;
use crate::document::Table;
use crate::lead::{Identity, Inquiry, Receipt, Submission};
use crate::sample::Person;
use crate::secret::Secret;
use crate::source::answer::{Answer, Refusal, Reply};
use crate::source::draft::Draft;
use crate::source::form_body::{self, Pairs};
use crate::source::request;
use crate::source::sources::{Settings, Source};
#[cfg(test)]
use crate::source::suite::fixture::{Fixture, KEPT, Proof};
use crate::source::{Adapter, Admission, Admitted, Request, Sample, Secrets};

/// The row in `ALL`.
pub(in crate::source) struct WebToLead;

/// The organisation's id.
const ORG: &str = "oid";
/// The three characters behind these only help where upper and lower case are one.
const ORG_CHARS: usize = 15;
/// The page to go to afterwards.
const NEXT: &str = "retURL";
const DEBUG: &str = "debug";
/// What steers Salesforce and is no content of a lead.
const TECHNICAL: [&str; 8] = [
    ORG,
    NEXT,
    DEBUG,
    "debugEmail",
    "encoding",
    "submit",
    "captcha_settings",
    "g-recaptcha-response",
];
/// Salesforce's names of our fields, where they are not the usual ones.
const FIELDS: [(&str, &str); 4] = [
    ("title", "job_title"),
    ("URL", "website"),
    ("state_code", "region"),
    ("description", "message"),
];
const CAMPAIGN: &str = "Campaign_ID";

/// Keys of a source with `adapter = "web_to_lead"`.
#[derive(Clone, Debug)]
struct WebToLeadSettings {
    /// [`ORG_CHARS`] of it.
    org: Secret,
    redirects: Vec<Url>,
}

impl Adapter for WebToLead {
    fn name(&self) -> &'static str {
        "web_to_lead"
    }

    fn docs(&self) -> &'static str {
        "https://help.salesforce.com/s/articleView?id=sales.setting_up_web-to-lead.htm"
    }

    #[cfg(test)]
    fn fixtures(&self) -> &'static [Fixture] {
        FIXTURES
    }

    fn settings(&self, table: &Table<'_>, secrets: Secrets<'_>) -> Option<Settings> {
        let org = secret(table, "org", secrets);
        let org = org.map(|org| Secret::new(short(org.expose())));
        let mut redirects = Vec::new();
        for text in table.texts("redirects").unwrap_or_default() {
            match Url::parse(&text) {
                Ok(url) if url.has_host() => redirects.push(url),
                Ok(_) | Err(_) => {
                    let wanted = "wanted is such as https://www.example.com/thanks";
                    table.problem("redirects", format!("`{text}` is no page; {wanted}"));
                }
            }
        }
        let org = org?;
        Some(Settings::new(WebToLeadSettings { org, redirects }))
    }

    fn admit(
        &self,
        source: &Source,
        request: &Request<'_>,
        _: Millis,
    ) -> Result<Admission, Refusal> {
        let settings: &WebToLeadSettings = source.own()?;
        if request::content_type(request)? != URLENCODED {
            return Err(Refusal::Unsupported(format!("{URLENCODED} is wanted")));
        }
        let mut pairs = form_body::urlencoded(request.body)?;
        let given = fields::field(&pairs, ORG).unwrap_or_default();
        if !settings.org.matches(short(given)) {
            return Err(Refusal::Unauthorized("oid is not this source's org".into()));
        }
        let next = fields::field(&pairs, NEXT);
        let reply = Reply {
            redirect: next.and_then(|next| allowed_page(&settings.redirects, next)),
            language: request::language(request.headers).unwrap_or_default(),
            ..Reply::default()
        };
        let read = inquiry(source, &pairs);
        pairs.retain(|(name, value)| is_content(name) && !value.is_empty());
        if pairs.is_empty() {
            return Err(Refusal::Malformed("the form is empty".into()));
        }
        let identity = Identity {
            platform_id: None,
            content: fields::content(&pairs),
        };
        Ok(Admission::Leads(Admitted {
            reply,
            read: vec![read],
            ..Admitted::whole(request, vec![identity])
        }))
    }

    fn parse(&self, source: &Source, submission: &Submission) -> Result<Vec<Inquiry>, String> {
        let pairs =
            form_body::urlencoded(&submission.raw).map_err(|refusal| refusal.to_string())?;
        Ok(vec![inquiry(source, &pairs)])
    }

    /// The page that the form asks for, if it is an allowed one, else our own.
    fn answer(&self, _: &Source, _: &Receipt, reply: &Reply) -> Answer {
        let Some(page) = reply.redirect.clone() else {
            return form_page::thanks(&reply.language);
        };
        Answer {
            status: 303,
            headers: vec![("location", page)],
            body: Vec::new(),
        }
    }

    fn shape(&self, _: &Source, person: &Person) -> Sample {
        let mut body = form_urlencoded::Serializer::new(String::new());
        for question in product::questions(person) {
            let theirs = match question.key {
                "job_title" => "title",
                "website" => "URL",
                "message" => "description",
                "postcode" => "zip",
                key => key,
            };
            body.append_pair(theirs, &question.value);
        }
        body.extend_pairs(&person.utm);
        product::sample(URLENCODED, body.finish().into_bytes())
    }

    fn sign(&self, source: &Source, mut sample: Sample, _: Millis) -> Sample {
        if let Ok(settings) = source.own::<WebToLeadSettings>() {
            let mut own = form_urlencoded::Serializer::new(String::new());
            own.append_pair(ORG, settings.org.expose());
            sample.body.push(b'&');
            sample.body.extend(own.finish().bytes());
        }
        sample
    }
}

/// What a form tells.
fn inquiry(source: &Source, pairs: &Pairs) -> Inquiry {
    let mut draft = Draft::of(source);
    for (name, value) in pairs.iter().filter(|(name, _)| is_content(name)) {
        match FIELDS.iter().find(|(theirs, _)| theirs == name) {
            Some((_, ours)) => draft.field(ours, name, value),
            None if name == CAMPAIGN => draft.told("campaign_id", value),
            None => draft.asked(name, value),
        }
    }
    let mut inquiry = draft.inquiry();
    inquiry.is_test = is_debug(pairs);
    inquiry
}

fn short(org: &str) -> &str {
    org.get(..ORG_CHARS).unwrap_or(org)
}

fn is_content(name: &str) -> bool {
    !TECHNICAL.contains(&name)
}

fn is_debug(pairs: &Pairs) -> bool {
    fields::field(pairs, DEBUG) == Some("1")
}

#[cfg(test)]
const FIXTURES: &[Fixture] = &[Fixture {
    name: "web_to_lead",
    settings: "org = \"00D5g00000ABCDE\"\ncountry = \"DE\"\nredirects = [\"https://www.example.com\"]",
    proof: Proof::Key,
    kind: URLENCODED,
    body: "retURL=https%3A%2F%2Fwww.example.com%2Fthank-you&first_name=Mia&last_name=Gro%C3%9F\
           &email=mia%40werk.example&phone=030+901820&mobile=&company=Werk+AG&title=CTO&URL=werk.example\
           &city=Berlin&zip=10115&state_code=BE&country_code=DE&description=Demo+bitte&lead_source=Web\
           &Campaign_ID=7015g000000ABCD&00N5g00000ABCDE=kept&submit=Submit",
    fields: &[
        ("name", "Mia Groß"),
        ("email", "mia@werk.example"),
        ("phone", "030 901820"),
        ("company", "Werk AG"),
        ("job_title", "CTO"),
        ("website", "werk.example"),
        ("postcode", "10115"),
        ("region", "DE-BE"),
        ("country", "DE"),
        ("message", "Demo bitte"),
        ("00N5g00000ABCDE", KEPT),
    ],
    attribution: &[("campaign_id", "7015g000000ABCD"), ("lead_source", "Web")],
    batch: None,
    fetched: &[],
}];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::suite::{admit, parse, sample, source};

    #[test]
    fn a_form_leads_back_to_an_allowed_page_and_debug_is_a_test() {
        let source = source("web_to_lead");
        let ask = |body: &str| {
            let sample = sample(URLENCODED, body);
            let Ok(Admission::Leads(admitted)) = admit(&source, &sample, 0) else {
                return None;
            };
            Some((admitted.reply.redirect, parse(&source, &sample).is_test))
        };
        let page = "https://www.example.com/thank-you";
        let ours = "oid=00D5g00000ABCDEXYZ&email=a%40b.example";
        let cases = [
            (
                format!("{ours}&retURL={page}&debug=1"),
                Some((Some(page.to_owned()), true)),
            ),
            (
                format!("{ours}&retURL=https://evil.example"),
                Some((None, false)),
            ),
            ("oid=00d5g00000abcde&email=a%40b.example".into(), None),
            ("oid=&email=a%40b.example".into(), None),
            ("oid=00D5g00000ABCDE&retURL=x&submit=Submit".into(), None),
        ];
        for (body, wanted) in cases {
            assert_eq!(ask(&body), wanted, "{body}");
        }
    }
}
