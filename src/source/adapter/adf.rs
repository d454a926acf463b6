//! ADF/XML 1.0, the format of car dealers' leads, as the body of a POST. It has no authentication
//! of its own, so a key stands in the address or a header.
//! <https://en.wikipedia.org/wiki/Auto-lead_Data_Format>

use crate::clock::Millis;
use crate::document::Table;
use crate::lead::{Headers, Identity, Inquiry, Receipt, Submission};
use crate::sample::Person;
use crate::secret::Secret;
use crate::source::answer::{Answer, Refusal, Reply};
use crate::source::bounds;
use crate::source::draft::Draft;
use crate::source::request;
use crate::source::signature;
use crate::source::sources::{Settings, Source};
#[cfg(test)]
use crate::source::suite::fixture::{Fixture, KEPT, Proof};
use crate::source::xml::{self, Element};
use crate::source::{Adapter, Admission, Admitted, Request, Sample, Secrets};

/// The media types; the last is the format's own.
const KINDS: [&str; 3] = ["application/xml", "text/xml", "application/x-adf+xml"];
/// The most leads in one submission.
const LEADS_MAX: usize = 1_000;
const ID_BYTES_MAX: usize = 512;
/// Elements of an address, to our fields.
const ADDRESS: [(&str, &str); 4] = [
    ("city", "city"),
    ("regioncode", "region"),
    ("postalcode", "postcode"),
    ("country", "country"),
];

/// The row in `ALL`.
pub(in crate::source) struct Adf;

struct AdfSettings {
    key: Secret,
}

impl Adapter for Adf {
    fn name(&self) -> &'static str {
        "adf"
    }

    fn docs(&self) -> &'static str {
        "https://en.wikipedia.org/wiki/Auto-lead_Data_Format"
    }

    #[cfg(test)]
    fn fixtures(&self) -> &'static [Fixture] {
        FIXTURES
    }

    fn settings(&self, table: &Table<'_>, secrets: Secrets<'_>) -> Option<Settings> {
        let key = super::product::secret(table, "key", secrets)?;
        Some(Settings::new(AdfSettings { key }))
    }

    fn admit(
        &self,
        source: &Source,
        request: &Request<'_>,
        _now: Millis,
    ) -> Result<Admission, Refusal> {
        let settings: &AdfSettings = source.own()?;
        let (kind, charset) = request::typed(request)?;
        signature::token(&settings.key, request)?;
        if !KINDS.contains(&kind.as_str()) {
            let wanted = "application/xml, text/xml or application/x-adf+xml is wanted";
            return Err(Refusal::Unsupported(wanted.into()));
        }
        let text = xml::decoded(request.body, charset.as_deref())?;
        let root = Element::parse(&text)?;
        let prospects = prospects(&root)?;
        let mut identities = Vec::with_capacity(prospects.len());
        for prospect in &prospects {
            let mut leaves = Vec::new();
            prospect.leaves("", &mut leaves);
            bounds::pairs(&leaves)?;
            let mut content = Vec::new();
            for part in leaves.iter().flat_map(|(name, value)| [name, value]) {
                content.extend_from_slice(&(part.len() as u64).to_le_bytes());
                content.extend_from_slice(part.as_bytes());
            }
            identities.push(Identity {
                platform_id: id(prospect),
                content,
            });
        }
        let read = match prospects.as_slice() {
            [prospect] => vec![inquiry(source, prospect)],
            _ => Vec::new(),
        };
        Ok(Admission::Leads(Admitted {
            read,
            ..Admitted::whole(request, identities)
        }))
    }

    fn parse(&self, source: &Source, submission: &Submission) -> Result<Vec<Inquiry>, String> {
        let told = |refusal: Refusal| refusal.to_string();
        let charset = charset(&submission.headers);
        let text = xml::decoded(&submission.raw, charset.as_deref()).map_err(told)?;
        let root = Element::parse(&text).map_err(told)?;
        let prospects = prospects(&root).map_err(told)?;
        Ok(prospects.into_iter().map(|p| inquiry(source, p)).collect())
    }

    /// The format names no answer.
    fn answer(&self, _: &Source, receipt: &Receipt, _: &Reply) -> Answer {
        Answer::receipt(receipt)
    }

    fn shape(&self, _: &Source, person: &Person) -> Sample {
        let e = |text: &str| quick_xml::escape::escape(text).into_owned();
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<?adf version=\"1.0\"?>\n<adf><prospect>\
             <id source=\"sample\">{:016x}</id><requestdate>2026-09-21T13:33:20Z</requestdate>\
             <vehicle interest=\"buy\" status=\"new\"><year>2026</year><make>Sample</make>\
             <model>One</model></vehicle><customer><contact>\
             <name part=\"first\">{}</name><name part=\"last\">{}</name><email>{}</email>\
             <phone type=\"voice\">{}</phone><address><city>{}</city><postalcode>{}</postalcode>\
             <country>{}</country></address></contact><company>{}</company><jobtitle>{}</jobtitle>\
             <employees>{}</employees><comments>{}</comments></customer>\
             <vendor><vendorname>Sample Cars</vendorname></vendor></prospect></adf>",
            person.seed,
            e(&person.first_name),
            e(&person.last_name),
            e(&person.email),
            e(&person.phone),
            e(&person.city),
            e(&person.postcode),
            e(&person.country),
            e(&person.company),
            e(&person.job_title),
            person.employees,
            e(&person.message),
        );
        Sample::post(KINDS[0], body)
    }

    fn sign(&self, source: &Source, mut sample: Sample, _now: Millis) -> Sample {
        if let Ok(settings) = source.own::<AdfSettings>() {
            request::add_key(&mut sample.query, settings.key.expose());
        }
        sample
    }
}

fn charset(headers: &Headers) -> Option<String> {
    request::kind_of(headers.only("content-type")?).1
}

fn prospects<'e, 'a>(root: &'e Element<'a>) -> Result<Vec<&'e Element<'a>>, Refusal> {
    let prospects: Vec<_> = root.all("prospect").collect();
    if !root.is("adf") || prospects.is_empty() {
        let wanted = "an <adf> with a <prospect> is wanted";
        return Err(Refusal::Malformed(wanted.into()));
    }
    if prospects.len() > LEADS_MAX {
        let message = format!("more than {LEADS_MAX} prospects");
        return Err(Refusal::Unprocessable(message));
    }
    Ok(prospects)
}

/// Source, sequence and text of the `<id>`s: several systems may each have added theirs. An id
/// without its own part names no single lead.
fn id(prospect: &Element<'_>) -> Option<String> {
    let mut name = String::new();
    let mut is_own = false;
    for id in prospect.all("id") {
        let (sequence, own) = (id.attribute("sequence"), id.text.trim());
        // The sequence counts the systems (1, 2, …); only a longer one is a lead's own.
        is_own |= !own.is_empty() || sequence.len() > 3;
        for part in [id.attribute("source"), sequence, own] {
            name.push_str(part);
            name.push('\u{1f}');
        }
    }
    (is_own && name.len() <= ID_BYTES_MAX).then_some(name)
}

fn inquiry(source: &Source, prospect: &Element<'_>) -> Inquiry {
    let mut draft = Draft::of(source);
    for child in &prospect.children {
        match child.name.to_ascii_lowercase().as_str() {
            "customer" => customer(child, &mut draft),
            // Whoever sells and whoever brings the lead have addresses too: they are not the lead's.
            _ => kept(child, &child.name, &mut draft),
        }
    }
    let provider = prospect.first("provider").and_then(|p| p.first("name"));
    if let Some(name) = provider {
        draft.told("lead_source", name.text.trim());
    }
    kept_attributes(prospect, "prospect", &mut draft);
    draft.inquiry()
}

fn customer(customer: &Element<'_>, draft: &mut Draft<'_>) {
    for child in &customer.children {
        match child.name.to_ascii_lowercase().as_str() {
            "contact" => contact(child, draft),
            "comments" => draft.field("message", "comments", child.text.trim()),
            name => asked(child, name, draft),
        }
    }
}

fn contact(contact: &Element<'_>, draft: &mut Draft<'_>) {
    for child in &contact.children {
        let text = child.text.trim();
        match child.name.to_ascii_lowercase().as_str() {
            "name" => {
                let field = match child.attribute("part").to_ascii_lowercase().as_str() {
                    "first" => "first_name",
                    "last" => "last_name",
                    "full" | "" => "name",
                    part => {
                        draft.keep(&format!("name.{part}"), text);
                        continue;
                    }
                };
                draft.field(field, &typed("name", child.attribute("part")), text);
            }
            "email" => draft.field("email", "email", text),
            "phone" => {
                draft.field("phone", &typed("phone", child.attribute("type")), text);
                draft.keep("phone.time", child.attribute("time"));
            }
            "address" => address(child, draft),
            name => asked(child, name, draft),
        }
    }
    kept_attributes(contact, "contact", draft);
}

fn address(address: &Element<'_>, draft: &mut Draft<'_>) {
    let lines = address.all("street").chain(address.all("apartment"));
    let lines = lines.map(|line| line.text.trim());
    let lines: Vec<_> = lines.filter(|line| !line.is_empty()).collect();
    draft.field("street", "address.street", &lines.join(", "));
    for child in &address.children {
        let known = ADDRESS.iter().find(|(name, _)| child.is(name));
        match known {
            Some((name, field)) => draft.field(field, name, child.text.trim()),
            None if child.is("street") || child.is("apartment") => {}
            None => kept(child, &format!("address.{}", child.name), draft),
        }
    }
}

/// `phone.cellphone`: later numbers are kept under the names of their types.
fn typed(name: &str, kind: &str) -> String {
    match kind {
        "" => name.to_owned(),
        kind => format!("{name}.{kind}"),
    }
}

fn asked(element: &Element<'_>, name: &str, draft: &mut Draft<'_>) {
    let mut leaves = Vec::new();
    element.leaves(name, &mut leaves);
    for (name, value) in &leaves {
        draft.asked(name, value);
    }
}

fn kept(element: &Element<'_>, name: &str, draft: &mut Draft<'_>) {
    let mut leaves = Vec::new();
    element.leaves(name, &mut leaves);
    for (name, value) in &leaves {
        draft.keep(name, value);
    }
}

fn kept_attributes(element: &Element<'_>, name: &str, draft: &mut Draft<'_>) {
    for (key, value) in &element.attributes {
        draft.keep(&format!("{name}.{key}"), value);
    }
}

#[cfg(test)]
const FIXTURES: &[Fixture] = &[Fixture {
    name: "adf",
    settings: "key = \"t0ken\"",
    proof: Proof::Key,
    kind: "text/xml; charset=utf-8",
    body: "<?ADF VERSION=\"1.0\"?>\n<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<adf>\
               <prospect status=\"new\"><id sequence=\"1\" source=\"Portal &amp; Co\">4711</id>\
               <requestdate>2026-09-21T8:33:20</requestdate>\
               <vehicle interest=\"buy\" status=\"used\"><year>2024</year><make>Volvo</make>\
               <model>EX30</model><trim>kept</trim></vehicle>\
               <customer><contact><name part=\"first\" type=\"individual\">Zoë</name>\
               <name part=\"last\">O&apos;Neill</name><email>zoe@werk.example</email>\
               <phone type=\"mobile\" time=\"evening\">613-555-0123</phone>\
               <phone type=\"work\">613-555-0199</phone>\
               <address type=\"home\"><street line=\"1\">1 Bank St</street><apartment>4b</apartment>\
               <city>Ottawa</city><regioncode>ON</regioncode><postalcode>K1A 0A1</postalcode>\
               <country>CA</country></address></contact>\
               <comments><![CDATA[Is it <still> there & black?]]></comments></customer>\
               <vendor><vendorname>Cars</vendorname><contact><email>desk@cars.example</email></contact>\
               </vendor><provider><name part=\"full\">Portal</name><phone>1-888-555-0100</phone>\
               </provider></prospect></adf>",
    fields: &[
        ("name", "Zoë O'Neill"),
        ("email", "zoe@werk.example"),
        ("phone", "613-555-0123"),
        ("phone.work", "613-555-0199"),
        ("street", "1 Bank St, 4b"),
        ("city", "Ottawa"),
        ("region", "CA-ON"),
        ("postcode", "K1A 0A1"),
        ("country", "CA"),
        ("message", "Is it <still> there & black?"),
        ("vehicle.make", "Volvo"),
        ("vehicle.status", "used"),
        ("vehicle.trim", KEPT),
        ("vendor.contact.email", "desk@cars.example"),
        ("requestdate", "2026-09-21T8:33:20"),
    ],
    attribution: &[("lead_source", "Portal")],
    batch: Some(
        "<adf><prospect><id source=\"p\">1</id><customer><contact><email>a@b.example</email>\
             </contact></customer></prospect><prospect><id source=\"p\">2</id><customer><contact>\
             <email>c@d.example</email></contact></customer></prospect></adf>",
    ),
    fetched: &[],
}];
