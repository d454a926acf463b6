//! Payloads of form products, made by us, and what is asked of these only.

use super::fixtures::{Fixture, KEPT, Proof};
use super::{NOW, admit, committed, parse, refused, sample, signed, source};
use crate::document::Overrides;
use crate::lead::{Inquiry, LeadId, Receipt};
use crate::secret::Secret;
use crate::source::{Admission, Reply, Sources};

const JSON: &str = "application/json";
const URLENCODED: &str = "application/x-www-form-urlencoded";

const MULTIPART: &str = "multipart/form-data; boundary=------------------------b0";

pub(super) const FIXTURES: &[Fixture] = &[
    Fixture {
        name: "typeform",
        adapter: "typeform",
        settings: "secret = \"s3cret\"\ncountry = \"DE\"",
        proof: Proof::Signature,
        kind: JSON,
        body: r#"{"event_id":"01HX","event_type":"form_response","form_response":{"form_id":"lT4Z3j","token":"tok1",
            "landed_at":"2026-09-21T10:00:00Z","submitted_at":"2026-09-21T10:01:00Z","hidden":{"utm_source":"meta","plan":"pro"},
            "calculated":{"score":9},
            "definition":{"id":"lT4Z3j","title":"Demo","fields":[
              {"id":"a","ref":"r-a","type":"short_text","title":"What is your first name?"},
              {"id":"b","ref":"r-b","type":"email","title":"Where may we write to?"},
              {"id":"c","ref":"r-c","type":"multiple_choice","title":"Which products?"},
              {"id":"g","ref":"r-g","type":"contact_info","title":"You","properties":{"fields":[
                {"id":"d","ref":"r-d","type":"phone_number","title":"A number"}]}},
              {"id":"e","ref":"r-e","type":"legal","title":"Do you agree?"},
              {"id":"f","ref":"company","type":"short_text","title":"And where is that?"},
              {"id":"h","ref":"r-h","type":"long_text","title":"Anything else?"}]},
            "answers":[
              {"type":"text","text":"Mia","field":{"id":"a","ref":"r-a","type":"short_text"}},
              {"type":"email","email":"mia@werk.example","field":{"id":"b","ref":"r-b","type":"email"}},
              {"type":"choices","choices":{"labels":["Pumps","Fans"],"other":"kept"},"field":{"id":"c","type":"multiple_choice"}},
              {"type":"phone_number","phone_number":"030 901820","field":{"id":"d","type":"phone_number"}},
              {"type":"boolean","boolean":true,"field":{"id":"e","type":"legal"}},
              {"type":"text","text":"Werk AG","field":{"id":"f","ref":"company","type":"short_text"}},
              {"type":"number","number":12345678901234567890,"field":{"id":"zz","ref":"r-z","type":"number"}},
              {"type":"text","text":"Call me","field":{"id":"h","type":"long_text"}}]}}"#,
        fields: &[
            ("name", "Mia"),
            ("email", "mia@werk.example"),
            ("phone", "030 901820"),
            ("company", "Werk AG"),
            ("message", "Call me"),
            ("Which products?", "Pumps"),
            ("r-z", "12345678901234567890"),
            ("plan", "pro"),
            ("calculated.score", "9"),
            ("form_name", "Demo"),
        ],
        attribution: &[("utm_source", "meta"), ("form_id", "lT4Z3j")],
        batch: None,
    },
    Fixture {
        name: "webflow",
        adapter: "webflow",
        settings: "secret = \"s3cret\"",
        proof: Proof::Timed(300),
        kind: JSON,
        body: r#"{"triggerType":"form_submission","payload":{"name":"Contact","siteId":"65427cf4","data":{
            "First Name":"Mia","Last Name":"Groß","Email 2":"mia@werk.example","Phone Number":49309018200,
            "Project":"A new hall","Colour":"kept","newsletter":"on","gclid":"g1"},
            "schema":[{"fieldName":"First Name","fieldType":"FormTextInput","fieldElementId":"x"},
              {"fieldName":"Project","fieldType":"FormTextarea","fieldElementId":"y"}],
            "submittedAt":"2026-09-21T10:00:00.000Z","id":"66a1","formId":"f1","formElementId":"e1","localeId":"de"}}"#,
        fields: &[
            ("name", "Mia Groß"),
            ("email", "mia@werk.example"),
            ("phone", "49309018200"),
            ("message", "A new hall"),
            ("Colour", KEPT),
            ("form_name", "Contact"),
            ("siteId", "65427cf4"),
            ("localeId", "de"),
        ],
        attribution: &[("gclid", "g1"), ("form_id", "f1")],
        batch: None,
    },
    Fixture {
        name: "webflow_v1",
        adapter: "webflow",
        settings: "key = \"k3y\"",
        proof: Proof::Key,
        kind: JSON,
        body: r#"{"name":"Contact","site":"580e63e9","data":{"name":"Mia Groß","email":"mia@werk.example","More":"kept"},
            "d":"2026-09-21T10:00:00.000Z","_id":"58bf1"}"#,
        fields: &[
            ("name", "Mia Groß"),
            ("email", "mia@werk.example"),
            ("form_name", "Contact"),
            ("site", "580e63e9"),
        ],
        attribution: &[],
        batch: None,
    },
    Fixture {
        name: "tally",
        adapter: "tally",
        settings: "secret = \"s3cret\"",
        proof: Proof::Signature,
        kind: JSON,
        body: r#"{"eventId":"a4cb","eventType":"FORM_RESPONSE","createdAt":"2026-09-21T10:00:00.000Z","data":{
            "responseId":"2wgx","submissionId":"2wgx","respondentId":"dw","formId":"VwbNEw","formName":"Demo",
            "createdAt":"2026-09-21T10:00:00.000Z","fields":[
            {"key":"question_a","label":"Full name","type":"INPUT_TEXT","value":"Mia Groß"},
            {"key":"question_b","label":"Where to?","type":"INPUT_EMAIL","value":"mia@werk.example"},
            {"key":"question_c","label":"Ring me","type":"INPUT_PHONE_NUMBER","value":"+49 30 901820"},
            {"key":"question_d","label":"Land","type":"DROPDOWN","value":["o1"],"options":[{"id":"o1","text":"Österreich"},{"id":"o2","text":"Schweiz"}]},
            {"key":"question_e","label":"Topics","type":"CHECKBOXES","value":["t1","t9"],"options":[{"id":"t1","text":"Pumps"},{"id":"t2","text":"Fans"}]},
            {"key":"question_e_t1","label":"Topics (Pumps)","type":"CHECKBOXES","value":true},
            {"key":"question_f","label":"Datenschutz","type":"CHECKBOXES","value":["d1"],"options":[{"id":"d1","text":"Ich bin einverstanden"}]},
            {"key":"question_g","label":"Ratings","type":"MATRIX","value":{"r1":["c2"]},"rows":[{"id":"r1","text":"Price"}],"columns":[{"id":"c1","text":"bad"},{"id":"c2","text":"good"}]},
            {"key":"question_h","label":"Plan","type":"FILE_UPLOAD","value":[{"id":"x","name":"p.pdf","url":"https://files.example/p.pdf","mimeType":"application/pdf","size":9}]},
            {"key":"question_i","label":"utm_campaign","type":"HIDDEN_FIELDS","value":"spring"},
            {"key":"question_j","label":"Colour","type":"INPUT_TEXT","value":"kept"},
            {"key":"question_k","label":"Nothing","type":"INPUT_TEXT","value":null}]}}"#,
        fields: &[
            ("name", "Mia Groß"),
            ("email", "mia@werk.example"),
            ("phone", "+49 30 901820"),
            ("country", "AT"),
            ("Topics", "Pumps"),
            ("Ratings: Price", "good"),
            ("Plan.url", "https://files.example/p.pdf"),
            ("Colour", KEPT),
            ("form_name", "Demo"),
        ],
        attribution: &[("utm_campaign", "spring"), ("form_id", "VwbNEw")],
        batch: None,
    },
    Fixture {
        name: "jotform",
        adapter: "jotform",
        settings: "key = \"k3y\"",
        proof: Proof::Key,
        kind: MULTIPART,
        body: concat!(
            "--------------------------b0\r\nContent-Disposition: form-data; name=\"formID\"\r\n\r\n5555\r\n",
            "--------------------------b0\r\nContent-Disposition: form-data; name=\"formTitle\"\r\n\r\nDemo\r\n",
            "--------------------------b0\r\nContent-Disposition: form-data; name=\"submissionID\"\r\n\r\n629576\r\n",
            "--------------------------b0\r\nContent-Disposition: form-data; name=\"ip\"\r\n\r\n203.0.113.7\r\n",
            "--------------------------b0\r\nContent-Disposition: form-data; name=\"rawRequest\"\r\n\r\n",
            r#"{"slug":"submit\/5555","submitDate":"1790000000000","timeToSubmit":"10","q3_name":{"first":"Mia","last":"Groß"},"#,
            r#""q4_contactEmail":"mia@werk.example","q5_phoneNumber":{"area":"030","phone":"901820","country":"+49"},"#,
            r#""q6_address":{"addr_line1":"Hof 1","addr_line2":"","city":"Wien","state":"","postal":"1010","country":"Austria"},"#,
            r#""q7_date":{"month":"09","day":"21","year":"2026"},"q8_colour":"kept","q9_topics":["a","b"],"#,
            r#""q10_privacy":["I agree to all of it"],"q11_utm_source":"meta","event_id":"1_5555_x"}"#,
            "\r\n--------------------------b0--\r\n",
        ),
        fields: &[
            ("name", "Mia Groß"),
            ("email", "mia@werk.example"),
            ("phone", "+49 030 901820"),
            ("street", "Hof 1"),
            ("city", "Wien"),
            ("postcode", "1010"),
            ("country", "AT"),
            ("date", "2026-09-21"),
            ("colour", KEPT),
            ("topics", "a"),
            ("form_name", "Demo"),
            ("ip", "203.0.113.7"),
        ],
        attribution: &[("utm_source", "meta"), ("form_id", "5555")],
        batch: None,
    },
    Fixture {
        name: "elementor",
        adapter: "elementor",
        settings: "key = \"k3y\"\ncountry = \"DE\"",
        proof: Proof::Key,
        kind: URLENCODED,
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
    },
    Fixture {
        name: "elementor_plain",
        adapter: "elementor",
        settings: "key = \"k3y\"",
        proof: Proof::Key,
        kind: URLENCODED,
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
    },
    Fixture {
        name: "contact_form_7",
        adapter: "contact_form_7",
        settings: "key = \"k3y\"",
        proof: Proof::Key,
        kind: "application/json; charset=UTF-8",
        body: r#"{"_wpcf7":"7","your-name":"Mia Groß","your-email":"mia@werk.example","tel-652":"+49 30 901820",
            "your-subject":"Demo","your-message":"Call me","menu-1":["a","b"],"acceptance-consent":"1","colour":"kept"}"#,
        fields: &[
            ("name", "Mia Groß"),
            ("email", "mia@werk.example"),
            ("phone", "+49 30 901820"),
            ("message", "Call me"),
            ("your-subject", "Demo"),
            ("menu-1", "a"),
            ("colour", KEPT),
        ],
        attribution: &[],
        batch: None,
    },
    Fixture {
        name: "unbounce",
        adapter: "unbounce",
        settings: "key = \"k3y\"\ncountry = \"US\"",
        proof: Proof::Key,
        kind: URLENCODED,
        body: "page_url=https%3A%2F%2Flanding.example%2F%3Fgclid%3Dg1&page_name=Demo&page_id=a28&variant=a&data.json=%7B\
               %22first_name%22%3A%5B%22Mia%22%5D%2C%22email%22%3A%5B%22mia%40werk.example%22%5D%2C%22phone_number%22%3A%5B%22650-253-0000%22%5D\
               %2C%22topics%22%3A%5B%22a%22%2C%22b%22%5D%2C%22colour%22%3A%5B%22kept%22%5D%2C%22ip_address%22%3A%5B%22203.0.113.7%22%5D\
               %2C%22time_submitted%22%3A%5B%2210%3A57+PM+UTC%22%5D%7D",
        fields: &[
            ("name", "Mia"),
            ("email", "mia@werk.example"),
            ("phone", "650-253-0000"),
            ("country", "US"),
            ("topics", "a"),
            ("colour", KEPT),
            ("variant", "a"),
            ("ip_address", "203.0.113.7"),
            ("form_name", "Demo"),
        ],
        attribution: &[
            ("landing_page", "https://landing.example/"),
            ("gclid", "g1"),
            ("form_id", "a28"),
        ],
        batch: None,
    },
    Fixture {
        name: "unbounce_json",
        adapter: "unbounce",
        settings: "key = \"k3y\"",
        proof: Proof::Key,
        kind: JSON,
        body: r#"{"email":["mia@werk.example"],"colour":["kept"],"page_url":["https://landing.example/"],"page_name":["Demo"]}"#,
        fields: &[("email", "mia@werk.example"), ("form_name", "Demo")],
        attribution: &[("landing_page", "https://landing.example/")],
        batch: None,
    },
    Fixture {
        name: "formbricks",
        adapter: "formbricks",
        settings: "secret = \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"",
        proof: Proof::Timed(300),
        kind: JSON,
        body: r#"{"webhookId":"w1","event":"responseFinished","data":{"id":"r1","surveyId":"s1","finished":true,"language":"de",
            "data":{"q1":["Mia","Groß","mia@werk.example","+49 30 901820","Werk AG"],"newsletter_consent":"accepted",
              "colour":"kept","topics":["a","b"],"grid":{"Price":"good"},"utm_source":"meta"},
            "contactAttributes":{"userId":"u1","plan":"pro"},"variables":{"score":7},"endingId":"e1",
            "meta":{"url":"https://app.example/s/s1?utm_medium=mail","country":"DE","userAgent":{"os":"macOS"}},
            "survey":{"title":"Demo","type":"link","status":"inProgress"},"ttc":{"_total":4947.899},"tags":[],"future":{"x":1}}}"#,
        fields: &[
            ("name", "Mia Groß"),
            ("email", "mia@werk.example"),
            ("phone", "+49 30 901820"),
            ("company", "Werk AG"),
            ("language", "de"),
            ("colour", KEPT),
            ("topics", "a"),
            ("grid.Price", "good"),
            ("plan", "pro"),
            ("score", "7"),
            ("meta.country", "DE"),
            ("future.x", "1"),
            ("form_name", "Demo"),
        ],
        attribution: &[
            ("utm_source", "meta"),
            ("utm_medium", "mail"),
            ("landing_page", "https://app.example/s/s1"),
            ("form_id", "s1"),
        ],
        batch: None,
    },
];

fn own() -> impl Iterator<Item = &'static Fixture> {
    FIXTURES.iter()
}

fn read(name: &str, body: &str) -> Inquiry {
    let source = source(name);
    let kind = own().find(|f| f.name == name).expect(name).kind;
    parse(&source, &signed(&source, kind, body.as_bytes(), NOW))
}

#[test]
fn an_agreement_is_told_from_an_answer() {
    let cases = [
        ("typeform", "Do you agree?", "true"),
        ("webflow", "newsletter", "on"),
        ("tally", "Datenschutz", "Ich bin einverstanden"),
        ("jotform", "privacy", "I agree to all of it"),
        ("elementor", "AGB ok", "on"),
        ("contact_form_7", "acceptance-consent", "1"),
        ("formbricks", "newsletter_consent", "accepted"),
    ];
    for (name, key, value) in cases {
        let fixture = own().find(|f| f.name == name).unwrap();
        let consent = read(name, fixture.body).consent;
        let [consent] = consent.as_slice() else {
            panic!("{name}: {consent:?}")
        };
        let found = (consent.key.as_str(), consent.value.as_str(), consent.given);
        assert_eq!(found, (key, value, true), "{name}");
    }
    let fixture = own().find(|f| f.name == "typeform").unwrap();
    let refused = fixture
        .body
        .replace("\"boolean\":true", "\"boolean\":false");
    assert!(!read("typeform", &refused).consent[0].given);
}

#[test]
fn what_is_sent_again_is_the_same_lead_also_where_the_product_gives_no_id() {
    let cases = [
        ("typeform", "tok1", None),
        ("webflow", "66a1", None),
        ("webflow_v1", "58bf1", None),
        ("tally", "a4cb", None),
        ("jotform", "629576", None),
        ("formbricks", "r1", None),
        // Times differ, and the lead is the same.
        ("elementor", "", Some(("m%C3%A4rz+30", "april+1"))),
        (
            "elementor_plain",
            "",
            Some(("Time=13%3A53", "Time=13%3A54")),
        ),
        ("unbounce", "", Some(("10%3A57", "10%3A58"))),
    ];
    for (name, id, changed) in cases {
        let source = source(name);
        let fixture = own().find(|f| f.name == name).unwrap();
        let names = |body: &str| {
            let sample = signed(&source, fixture.kind, body.as_bytes(), NOW);
            committed(&source, &sample, NOW).1
        };
        let first = names(fixture.body);
        assert_eq!(first, names(fixture.body), "{name}");
        match changed {
            None => assert_eq!(first, [id], "{name}"),
            Some((from, to)) => {
                assert_eq!(fixture.body.matches(from).count(), 1, "{name}");
                assert_eq!(first, names(&fixture.body.replace(from, to)), "{name}");
                assert_ne!(first, names(&fixture.body.replace(KEPT, "other")), "{name}");
            }
        }
    }
}

#[test]
fn what_is_no_lead_is_answered_and_not_stored() {
    let cases = [
        ("typeform", r#"{"event_type":"form_response_partial"}"#, 200),
        (
            "webflow",
            r#"{"triggerType":"site_publish","payload":{}}"#,
            200,
        ),
        ("tally", r#"{"eventType":"OTHER"}"#, 200),
        ("formbricks", r#"{"event":"testEndpoint"}"#, 200),
        (
            "formbricks",
            r#"{"event":"responseCreated","data":{"id":"r1"}}"#,
            200,
        ),
        (
            "formbricks",
            r#"{"event":"responseUpdated","data":{"id":"r1"}}"#,
            200,
        ),
        ("formbricks", "{}", 400),
        (
            "typeform",
            r#"{"event_type":"form_response","form_response":7}"#,
            400,
        ),
        (
            "webflow",
            r#"{"triggerType":"form_submission","payload":{"data":[]}}"#,
            400,
        ),
        ("tally", r#"{"eventType":"FORM_RESPONSE","data":null}"#, 400),
        ("contact_form_7", "{}", 400),
        ("contact_form_7", "[]", 400),
        ("unbounce", "page_url=x", 400),
        ("unbounce", "data.json=7", 400),
        (
            "unbounce",
            "data.json=%7B%22page_url%22%3A%5B%22x%22%5D%7D",
            400,
        ),
        (
            "elementor",
            "form%5Bid%5D=c1d&fields%5Bx%5D%5Bvalue%5D=",
            400,
        ),
        ("elementor", "fields%5B=1&fields%5Bx%5D=1", 200), // odd, and kept
    ];
    for (name, body, status) in cases {
        let source = source(name);
        let kind = own().find(|f| f.name == name).unwrap().kind;
        let sample = signed(&source, kind, body.as_bytes(), NOW);
        let found = match admit(&source, &sample, NOW) {
            Ok(Admission::Answered(answer)) => answer.status,
            Ok(Admission::Leads(_) | Admission::Forget(_)) => 200,
            Err(refusal) => refusal.status(),
        };
        assert_eq!(found, status, "{name}: {body}");
        // A stranger learns nothing of it.
        let stranger = super::sample(kind, body);
        assert_eq!(refused(&source, &stranger, NOW), Some(401), "{name}");
    }
}

#[test]
fn every_product_is_answered_200_with_the_receipt() {
    let receipt = Receipt {
        leads: vec![LeadId::new(NOW)],
        verdict: None,
        seen: None,
    };
    for fixture in own() {
        let source = source(fixture.name);
        let answer = source.adapter.answer(&source, &receipt, &Reply::default());
        assert_eq!(answer.status, 200, "{}", fixture.name);
        assert!(answer.body.starts_with(b"{\"receipt\":\""));
    }
}

#[test]
fn a_key_may_stand_in_the_address_or_a_header_and_is_never_stored() {
    for fixture in own().filter(|f| f.proof == Proof::Key) {
        let name = fixture.name;
        let source = source(name);
        let cases = [
            ("key=k3y&x=1", None, None),
            ("", Some(("x-api-key", "k3y")), None),
            ("", Some(("authorization", "Bearer k3y")), None),
            ("key=K3y", None, Some(401)),
            ("key=", None, Some(401)),
            ("key=k3y&key=k3y", None, Some(401)),
            ("key=other", Some(("x-api-key", "k3y")), Some(401)),
        ];
        for (query, header, wanted) in cases {
            let mut sample = sample(fixture.kind, fixture.body);
            sample.query = query.into();
            let header = header.map(|(name, value)| (name.to_owned(), value.to_owned()));
            sample.headers.extend(header);
            assert_eq!(refused(&source, &sample, NOW), wanted, "{name} {query}");
            if wanted.is_none() {
                let stored = committed(&source, &sample, NOW).0;
                let headers = format!("{:?}{}", stored.headers, stored.query);
                assert!(!headers.contains("k3y"), "{name}: {headers}");
            }
        }
    }
}

#[test]
fn what_a_source_on_trial_sends_is_a_test() {
    let fixture = own().find(|f| f.name == "typeform").unwrap();
    for (trial, is_test) in [("", false), ("trial = true", true)] {
        let text = format!("[x]\nadapter = \"typeform\"\nkey = \"k3y\"\n{trial}\n");
        let secrets = |text: &str| Ok(Secret::new(text));
        let sources = Sources::parse("s.toml", &text, &Overrides::new(), &secrets).unwrap();
        let source = sources.get("x").unwrap();
        let sample = signed(source, JSON, fixture.body.as_bytes(), NOW);
        let (submission, _) = committed(source, &sample, NOW);
        let inquiries = source.inquiries(&submission).unwrap();
        assert!(inquiries.iter().all(|inquiry| inquiry.is_test == is_test));
    }
}

#[test]
fn a_password_that_somebody_typed_is_not_stored() {
    let fixture = own().find(|f| f.name == "jotform").unwrap();
    let with = fixture.body.replace(
        "\"q8_colour\"",
        "\"q12_yourPassword\":\"geheim\",\"q8_colour\"",
    );
    let source = source("jotform");
    let sample = signed(&source, fixture.kind, with.as_bytes(), NOW);
    let (stored, names) = committed(&source, &sample, NOW);
    assert!(!String::from_utf8_lossy(&stored.raw).contains("geheim"));
    assert_eq!(names, ["629576"]);
    let inquiry = source.adapter.parse(&source, &stored).unwrap().remove(0);
    assert_eq!(inquiry.fields.get("colour"), Some(KEPT));
    assert_eq!(inquiry.fields.get("email"), Some("mia@werk.example"));
    assert_eq!(inquiry.signals.fill_ms, Some(10_000));
    let others = read(
        "elementor",
        own().find(|f| f.name == "elementor").unwrap().body,
    );
    assert!(
        !others
            .fields
            .other
            .values()
            .flatten()
            .any(|value| value == "geheim")
    );
}

#[test]
fn long_forms_are_taken_up_to_the_bound_of_fields_and_not_beyond() {
    let field = |n: usize| {
        let parts = ["id", "type", "title", "value", "raw_value", "required"];
        let pairs = parts.map(|part| format!("fields%5Bf{n}%5D%5B{part}%5D=v{n}"));
        pairs.join("&")
    };
    let elementor = |n: usize| (0..n).map(field).collect::<Vec<_>>().join("&");
    let answer = |n: usize| {
        format!(r#"{{"type":"text","text":"v","field":{{"id":"f{n}","type":"short_text"}}}}"#)
    };
    let typeform = |n: usize| {
        let answers = (0..n).map(answer).collect::<Vec<_>>().join(",");
        format!(
            r#"{{"event_type":"form_response","form_response":{{"token":"t","answers":[{answers}]}}}}"#
        )
    };
    let cases = [
        ("elementor", elementor(200), None),
        ("elementor", elementor(201), Some(422)),
        ("typeform", typeform(200), None),
        ("typeform", typeform(201), Some(422)),
    ];
    for (name, body, wanted) in cases {
        let source = source(name);
        let kind = own().find(|f| f.name == name).unwrap().kind;
        let sample = signed(&source, kind, body.as_bytes(), NOW);
        assert_eq!(refused(&source, &sample, NOW), wanted, "{name}");
    }
}
