//! What is asked of the Graph API for Meta's leads, what each answer means, and what is read of it.

use super::meta::{notice, read_notice};
use crate::source::{Answered, Step, Trouble};

fn answered(status: u16, headers: &[(&str, &str)], body: &str) -> Answered {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Answered {
        status,
        headers: headers.iter().map(owned).collect(),
        body: body.as_bytes().to_vec(),
        cut: false,
    }
}

#[test]
fn the_graph_is_asked_for_every_field_with_the_pages_token() {
    for (page, token, credential) in [
        ("9", "t0k+en", "access_token"),
        ("123456789", "of+the+page", "page 123456789"),
    ] {
        let (source, inquiry) =
            read_notice(&notice(&format!(r#"{{"leadgen_id":7,"page_id":{page}}}"#)));
        let Step::Ask(ask) = source.adapter.fetch(&source, &inquiry, &[]) else {
            panic!("nothing is asked")
        };
        let start = "https://graph.facebook.com/v25.0/7?fields=id%2Ccreated_time%2Cfield_data%2Ccustom_disclaimer_responses";
        assert!(ask.url.starts_with(start), "{}", ask.url);
        assert!(
            ask.url.ends_with(&format!("&access_token={token}")),
            "{}",
            ask.url
        );
        assert_eq!((ask.method, ask.credential.as_str()), ("GET", credential));
        assert!(
            !format!("{ask:?}").contains(token),
            "no secret is shown: {ask:?}"
        );
    }
}

/// The percent of the app's calls, and the minutes after which they are possible again.
const USAGE: &str = r#"{"call_count":101,"total_time":25,"total_cputime":5}"#;
const MINUTES: &str = r#"{"77":[{"type":"leadgen","call_count":100,"estimated_time_to_regain_access":19},
    {"estimated_time_to_regain_access":3}]}"#;
/// Status, header, body (`#` and a code stands for an error) and what it means.
const ANSWERS: &str = r#"
400 | - | #190 | halt 190: the access token has expired
400 | - | #190/463 | halt 190/463: the access token has expired
400 | - | #102 | halt 102: the access token has expired
403 | - | #10 | barred 10: permission is missing
403 | - | #200 | barred 200: permission is missing
403 | - | #299 | barred 299: permission is missing
400 | - | #3 | barred 3: permission is missing
400 | - | #100 | barred 100: the request is not understood; see api_version
400 | - | #2500 | barred 2500: the request is not understood
401 | - | no | halt 401: the access token is refused
403 | USAGE | #4 | later 4: the limit of calls is reached (101 % of the app's are used) None
400 | - | #17 | later 17: the limit of calls is reached None
400 | MINUTES | #32 | later 32: the limit of calls is reached Some(1140000)
400 | MINUTES | #80005 | later 80005: the limit of calls is reached Some(1140000)
400 | AFTER | #613 | later 613: the limit of calls is reached Some(30000)
429 | ODD | - | later 429 None
400 | - | #100/33 | gone 100/33: no such lead
404 | - | #803 | gone 803: no such lead
500 | - | #1 | again 500 with code 1
503 | - | #2 | again 503 with code 2
502 | - | <html> | again 502
302 | - | - | again 302
400 | - | {"error":"x"} | again 400
200 | - | <html> | again 200 without a readable lead
200 | - | {"id":"7"} | again 200 with something else
200 | - | {"id":"8","field_data":[]} | again 200 with something else
"#;

fn error(code: &str) -> String {
    let (code, subcode) = code.split_once('/').unwrap_or((code, "0"));
    let subcode = match subcode {
        "0" => String::new(),
        subcode => format!(r#","error_subcode":{subcode}"#),
    };
    format!(
        r#"{{"error":{{"message":"Ana Muster","type":"OAuthException","code":{code}{subcode},"fbtrace_id":"A"}}}}"#
    )
}

#[test]
fn every_answer_of_the_graph_has_its_meaning() {
    let (source, inquiry) = read_notice(&notice(r#"{"leadgen_id":"7"}"#));
    let meaning = |answer: Answered| match source.adapter.fetch(&source, &inquiry, &[answer]) {
        Step::Trouble(Trouble::TryAgain { why }) => format!("again {why}"),
        Step::Trouble(Trouble::Later { why, after_ms }) => format!("later {why} {after_ms:?}"),
        Step::Trouble(Trouble::Halt { why }) => format!("halt {why}"),
        Step::Trouble(Trouble::Barred { why }) => format!("barred {why}"),
        Step::Trouble(Trouble::Gone { why }) => format!("gone {why}"),
        Step::Content(content) => String::from_utf8(content).unwrap(),
        Step::Whole | Step::Ask(_) => panic!("an answer is no question"),
    };
    for line in ANSWERS.trim().lines() {
        let [status, headers, body, wanted] = line.split(" | ").collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let headers: Vec<_> = match headers {
            "USAGE" => vec![("x-app-usage", USAGE)],
            "MINUTES" => vec![("x-business-use-case-usage", MINUTES)],
            "AFTER" => vec![("retry-after", "30")],
            "ODD" => vec![("x-business-use-case-usage", "[]")],
            _ => Vec::new(),
        };
        let body = match body.strip_prefix('#') {
            Some(code) => error(code),
            None => body.to_owned(),
        };
        let found = meaning(answered(status.parse().unwrap(), &headers, &body));
        assert!(found.starts_with(wanted), "{line}: {found}");
        assert!(
            !found.contains("Ana"),
            "the far end's words may tell of people"
        );
    }
    let lead = r#"{"field_data":[],"id":"7"}"#;
    assert_eq!(meaning(answered(200, &[], lead)), lead);
    let mut cut = answered(200, &[], lead);
    cut.cut = true;
    assert!(meaning(cut).starts_with("again 200"));
}

#[test]
fn consent_and_tests_are_read_from_the_lead() {
    let (source, inquiry) = read_notice(&notice(r#"{"leadgen_id":"7","created_time":1630087926}"#));
    let read = |content: &str| {
        let notice = inquiry.clone();
        source.adapter.read(&source, notice, content.as_bytes())
    };
    let consents = r#""custom_disclaimer_responses":[{"checkbox_key":"a","is_checked":"1"},
        {"checkbox_key":"b","is_checked":""},{"checkbox_key":"c","is_checked":true},{"checkbox_key":"d"},{"x":1}]"#;
    let lead = read(&format!(
        r#"{{"id":"7",{consents},"field_data":[{{"name":"email","values":[]}}]}}"#
    ))
    .unwrap();
    let given: Vec<_> = lead
        .consent
        .iter()
        .map(|c| (c.key.as_str(), c.given))
        .collect();
    assert_eq!(
        given,
        [("a", true), ("b", false), ("c", true), ("d", false)]
    );
    assert!(!lead.is_test && lead.fields.email.is_none());
    assert_eq!(lead.attribution.0["submitted_at"], "2021-08-27T18:12:06Z");
    let dummy = r#"{"id":"7","field_data":[{"name":"full_name","values":["<test lead: dummy data for full_name>"]}]}"#;
    assert!(read(dummy).unwrap().is_test);
    let (_, dashboard) = read_notice(&notice(
        r#"{"leadgen_id":"444444444444","page_id":"444444444444"}"#,
    ));
    assert!(dashboard.is_test);
    let long = format!(
        r#"{{"field_data":[{{"name":"a","values":["{}"]}}]}}"#,
        "x".repeat(9_000)
    );
    let many = format!(
        r#"{{"field_data":[{{"name":"a","values":[{}]}}]}}"#,
        vec!["1"; 201].join(",")
    );
    for content in ["", "[]", r#"{"id":"7"}"#, &long, &many] {
        assert!(read(content).is_err(), "{content:.40}");
    }
}
