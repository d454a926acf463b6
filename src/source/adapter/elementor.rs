//! Elementor Pro forms: urlencoded, with "Advanced Data" bracketed by field, without it the labels of
//! the fields. It signs nothing, so a key stands in the address; it gives no id, so the same content
//! within ten minutes is a repeat. It marks no test.
//! <https://elementor.com/help/actions-after-submit/>

use std::borrow::Cow;

use super::form_fields::{self as fields, URLENCODED};
use super::product;
use crate::clock::Millis;
use crate::document::Table;
use crate::lead::{Inquiry, Receipt, Submission};
use crate::sample::Person;
use crate::secret::Secret;
use crate::source::answer::{Answer, Refusal, Reply};
use crate::source::bounds;
use crate::source::draft::Draft;
use crate::source::form_body::{self, Bounds, Pairs};
use crate::source::mapping::{PAIRS_MAX, VALUE_BYTES_MAX};
use crate::source::request;
use crate::source::signature;
use crate::source::sources::{Settings, Source};
#[cfg(test)]
use crate::source::suite::fixture::{Fixture, KEPT, Proof};
use crate::source::{Adapter, Admission, Request, Sample, Secrets};

/// The row in `ALL`.
pub(in crate::source) struct Elementor;

/// Six pairs stand for a field, and some twenty for the form.
const BOUNDS: Bounds = Bounds {
    pairs: 6 * PAIRS_MAX + 20,
    value_bytes: VALUE_BYTES_MAX,
};
/// What is told of the sending and differs when the same form is sent again: `meta[…]` with Advanced
/// Data, and these names without it.
const OF_SENDING: [&str; 6] = [
    "Date",
    "Time",
    "Page URL",
    "User Agent",
    "Remote IP",
    "Powered by",
];

/// A field of the form.
#[derive(Default)]
struct Field<'p> {
    id: &'p str,
    title: &'p str,
    kind: &'p str,
    values: Vec<Cow<'p, str>>,
}

impl Adapter for Elementor {
    fn name(&self) -> &'static str {
        "elementor"
    }

    fn docs(&self) -> &'static str {
        "https://elementor.com/help/actions-after-submit/"
    }

    #[cfg(test)]
    fn fixtures(&self) -> &'static [Fixture] {
        FIXTURES
    }

    fn settings(&self, table: &Table<'_>, secrets: Secrets<'_>) -> Option<Settings> {
        product::key(table, secrets).map(Settings::new)
    }

    fn admit(
        &self,
        source: &Source,
        request: &Request<'_>,
        _: Millis,
    ) -> Result<Admission, Refusal> {
        let kind = request::content_type(request)?;
        signature::token(source.own::<Secret>()?, request)?;
        if kind != URLENCODED {
            return Err(Refusal::Unsupported(format!("{URLENCODED} is wanted")));
        }
        let pairs = form_body::urlencoded_within(request.body, BOUNDS)?;
        let answers = form(&pairs);
        if answers.iter().all(|field| field.values.is_empty()) {
            return Err(Refusal::Malformed("the form is empty".into()));
        }
        bounds::counted(answers.len(), 0)?; // the values' lengths are bounded where they are read
        let read = inquiry(source, &pairs, &answers);
        let content = answers.into_iter().flat_map(|field| {
            let name = if field.id.is_empty() {
                field.title
            } else {
                field.id
            };
            let values = field.values.into_iter();
            values.map(move |value| (name.to_owned(), value.into_owned()))
        });
        let content = fields::content(&content.collect());
        Ok(product::one(request, (None, content), read))
    }

    fn parse(&self, source: &Source, submission: &Submission) -> Result<Vec<Inquiry>, String> {
        let pairs = form_body::urlencoded_within(&submission.raw, BOUNDS)
            .map_err(|refusal| refusal.to_string())?;
        Ok(vec![inquiry(source, &pairs, &form(&pairs))])
    }

    fn answer(&self, _: &Source, receipt: &Receipt, _: &Reply) -> Answer {
        product::taken(receipt)
    }

    fn shape(&self, _: &Source, person: &Person) -> Sample {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.append_pair("form[id]", "c1d6fde")
            .append_pair("form[name]", "Contact");
        let mut add = |key: &str, title: &str, kind: &str, value: &str| {
            for (part, text) in [
                ("id", key),
                ("type", kind),
                ("title", title),
                ("value", value),
            ] {
                body.append_pair(&format!("fields[{key}][{part}]"), text);
            }
        };
        for question in product::questions(person) {
            let kind = match question.key {
                "email" => "email",
                "phone" => "tel",
                "message" => "textarea",
                _ => "text",
            };
            add(question.key, question.label, kind, &question.value);
        }
        for (name, value) in &person.utm {
            add(name, name, "hidden", value);
        }
        product::sample(URLENCODED, body.finish().into_bytes())
    }

    fn sign(&self, source: &Source, sample: Sample, _: Millis) -> Sample {
        match source.own::<Secret>() {
            Ok(key) => product::with_key(sample, key),
            Err(_) => sample,
        }
    }
}

/// What a form's fields tell.
fn inquiry(source: &Source, pairs: &Pairs, fields: &[Field<'_>]) -> Inquiry {
    let mut draft = Draft::of(source);
    for field in fields {
        let names = [field.title.trim(), field.id];
        match field.kind {
            "acceptance" => {
                let name = names.into_iter().find(|name| !name.is_empty());
                for value in &field.values {
                    draft.consent(name.unwrap_or("acceptance"), value);
                }
            }
            "email" => draft.add(&names, Some("email"), &field.values),
            "tel" => draft.add(&names, Some("phone"), &field.values),
            "textarea" => draft.add(&names, Some("message"), &field.values),
            "checkbox" => draft.ticked(&names, &field.values),
            _ => draft.add(&names, None, &field.values),
        }
    }
    for (name, value) in pairs {
        match name.as_str() {
            "form[id]" | "form_id" => draft.told("form_id", value),
            "form[name]" | "form_name" => draft.keep("form_name", value),
            "meta[page_url][value]" | "Page URL" => draft.page(value),
            _ => {}
        }
    }
    draft.inquiry()
}

/// The fields of either shape, without passwords.
fn form(pairs: &Pairs) -> Vec<Field<'_>> {
    let mut fields: Vec<Field<'_>> = Vec::new();
    let mut by_id = std::collections::HashMap::new();
    for (name, value) in pairs {
        let value = value.as_str();
        if let Some((id, part)) = bracketed(name) {
            // The parts of a field most often stand together.
            let is_last = !id.is_empty() && fields.last().is_some_and(|field| field.id == id);
            let at = if is_last {
                fields.len() - 1
            } else {
                *by_id.entry(id).or_insert_with(|| {
                    fields.push(Field {
                        id,
                        ..Field::default()
                    });
                    fields.len() - 1
                })
            };
            let Some(field) = fields.get_mut(at) else {
                continue;
            };
            match part {
                "title" => field.title = value,
                "type" => field.kind = value,
                "value" if !value.is_empty() => field.values.push(Cow::Borrowed(value)),
                // `raw_value` is `value` before Elementor made it fit to be shown.
                _ => {}
            }
        } else if !(is_of_form(name) || OF_SENDING.contains(&name.as_str()) || value.is_empty()) {
            fields.push(Field {
                title: name,
                values: vec![Cow::Borrowed(value)],
                ..Field::default()
            });
        }
    }
    fields.retain(|field| field.kind != "password");
    fields
}

fn is_of_form(name: &str) -> bool {
    matches!(name, "form_id" | "form_name")
        || name.starts_with("form[")
        || name.starts_with("meta[")
}

/// Id and part of `fields[id][part]`; a list's `fields[id][value][0]` is its value.
fn bracketed(name: &str) -> Option<(&str, &str)> {
    let (id, rest) = name.strip_prefix("fields[")?.split_once(']')?;
    let (part, _) = rest.strip_prefix('[')?.split_once(']')?;
    Some((id, part))
}

#[cfg(test)]
const FIXTURES: &[Fixture] = &[
    Fixture {
        name: "elementor",
        settings: "key = \"k3y\"\ncountry = \"DE\"",
        proof: Proof::Key,
        kind: "application/x-www-form-urlencoded",
        body: "form%5Bid%5D=c1d&form%5Bname%5D=Demo&fields%5Bname%5D%5Bid%5D=name&fields%5Bname%5D%5Btype%5D=text\
               &fields%5Bname%5D%5Btitle%5D=Wer&fields%5Bname%5D%5Bvalue%5D=Mia+Gro%C3%9F&fields%5Bname%5D%5Braw_value%5D=Mia\
               &fields%5Bname%5D%5Brequired%5D=1&fields%5Bf1%5D%5Btype%5D=email&fields%5Bf1%5D%5Btitle%5D=Wohin\
               &fields%5Bf1%5D%5Bvalue%5D=mia%40werk.example&fields%5Bf2%5D%5Btype%5D=tel&fields%5Bf2%5D%5Btitle%5D=Ruf\
               &fields%5Bf2%5D%5Bvalue%5D=030+901820&fields%5Bf3%5D%5Btype%5D=acceptance&fields%5Bf3%5D%5Btitle%5D=AGB+ok\
               &fields%5Bf3%5D%5Bvalue%5D=on&fields%5Bf4%5D%5Btype%5D=password&fields%5Bf4%5D%5Bvalue%5D=geheim\
               &fields%5Bf5%5D%5Btype%5D=text&fields%5Bf5%5D%5Btitle%5D=Farbe&fields%5Bf5%5D%5Bvalue%5D=kept\
               &meta%5Bdate%5D%5Bvalue%5D=m%C3%A4rz+30&meta%5Bpage_url%5D%5Bvalue%5D=https%3A%2F%2Fwerk.example%2Fx%2F%3Ffbclid%3Df1",
        fields: &[
            ("name", "Mia Groß"),
            ("email", "mia@werk.example"),
            ("phone", "030 901820"),
            ("Farbe", KEPT),
            ("form_name", "Demo"),
        ],
        attribution: &[
            ("fbclid", "f1"),
            ("landing_page", "https://werk.example/x/"),
            ("form_id", "c1d"),
        ],
        batch: None,
        fetched: &[],
    },
    Fixture {
        name: "elementor_plain",
        settings: "key = \"k3y\"",
        proof: Proof::Key,
        kind: "application/x-www-form-urlencoded",
        body: "Name=Mia+Gro%C3%9F&E-Mail=mia%40werk.example&Farbe=kept&Date=30.+M%C3%A4rz&Time=13%3A53\
               &Page+URL=https%3A%2F%2Fwerk.example%2F&Remote+IP=203.0.113.7&form_id=c1d&form_name=Demo",
        fields: &[
            ("name", "Mia Groß"),
            ("email", "mia@werk.example"),
            ("form_name", "Demo"),
        ],
        attribution: &[
            ("landing_page", "https://werk.example/"),
            ("form_id", "c1d"),
        ],
        batch: None,
        fetched: &[],
    },
];
