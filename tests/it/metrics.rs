//! What is counted is what happened, and nothing of a lead is shown.

use std::collections::BTreeMap;

use regex::Regex;

use crate::house::{TUESDAY, plan};
use crate::mailbox::Behaviour;
use crate::process::until;

/// The samples of a scrape: labels and value by name.
pub(crate) type Samples = BTreeMap<String, Vec<(BTreeMap<String, String>, f64)>>;

/// What is known of a metric besides its samples: type and help.
pub(crate) type Told = Vec<(String, String, String)>;

/// What a scrape says.
pub(crate) fn read(text: &str) -> (Told, Samples) {
    let line = Regex::new(r"^([a-z_]+)(?:\{(.*)\})? (\S+)$").unwrap();
    let label = Regex::new(r#"([a-z_]+)="([^"]*)""#).unwrap();
    let (mut told, mut samples) = (Told::new(), Samples::new());
    assert!(text.ends_with("# EOF\n"), "it ends as the format wants");
    for text in text.lines() {
        if let Some(help) = text.strip_prefix("# HELP ") {
            let (name, help) = help.split_once(' ').unwrap();
            told.push((name.into(), String::new(), help.into()));
        } else if let Some(kind) = text.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            let last = told.last_mut().unwrap();
            assert_eq!(last.0, name);
            kind.clone_into(&mut last.1);
        } else if let Some(found) = line.captures(text) {
            let labels = label.captures_iter(found.get(2).map_or("", |labels| labels.as_str()));
            let labels = labels.map(|l| (l[1].to_owned(), l[2].to_owned())).collect();
            let sample = (labels, found[3].parse().unwrap());
            samples.entry(found[1].to_owned()).or_default().push(sample);
        }
    }
    (told, samples)
}

fn value(samples: &Samples, name: &str, labels: &BTreeMap<String, String>) -> f64 {
    let all = samples.get(name).into_iter().flatten();
    let found = all.clone().find(|(there, _)| there == labels);
    found.unwrap_or_else(|| panic!("no {name}{labels:?}")).1
}

/// The value of a metric without labels.
fn plain(samples: &Samples, name: &str) -> f64 {
    value(samples, name, &BTreeMap::new())
}

/// What must be in the scrape after the leads of the first test.
const COUNTED: &str = r#"leadgate_intake_answers_total{source="form",answer="2xx"} 6
leadgate_intake_answers_total{source="form",answer="4xx"} 1
leadgate_intake_answers_total{source="hook",answer="2xx"} 0
leadgate_intake_refusals_total{source="form",reason="malformed"} 1
leadgate_intake_unknown_source_total 1
leadgate_intake_seconds_count 7
leadgate_verdicts_total{verdict="accepted"} 3
leadgate_verdicts_total{verdict="rejected"} 1
leadgate_verdicts_total{verdict="held"} 1
leadgate_verdict_holds_total{cause="rule"} 1
leadgate_grades_total{grade="A"} 2
leadgate_grades_total{grade="B"} 1
leadgate_decide_seconds_count 5
leadgate_offer_seconds_count 3
leadgate_offer_seconds_sum 45
leadgate_speed_to_rep_seconds_count 2
leadgate_speed_to_rep_seconds_sum 45
leadgate_delivery_attempts_total{channel="email",result="delivered"} 2
leadgate_delivery_attempts_total{channel="email",result="give_up"} 1
leadgate_alarms_total{cause="dead_delivery"} 1
leadgate_commit_failures_total 0
leadgate_leads{stage="held"} 1
leadgate_leads{stage="offered"} 2
leadgate_leads{stage="waiting"} 1
leadgate_queue_tickets{state="waiting"} 1
leadgate_work_due{kind="assign"} 1
leadgate_work_overdue_seconds{kind="assign"} 7
leadgate_work_overdue_seconds{kind="expire"} 0
leadgate_policy_load_failed 0
# EOF
"#;

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_to_leads_is_counted_and_nothing_of_them_is_shown() {
    let screen = "reject \"no contact\" when !lead.has_email && !lead.has_phone;\n\
                  hold \"look\" when lead.fields.look == \"yes\";\n";
    let house = plan().file("rules/screen.rhai", screen).build().await;
    house
        .mailbox
        .script([Behaviour::Take, Behaviour::Rcpt("550 no")]);
    let decided = || until(|| async { house.daemon.flow().undecided() == 0 });
    let first = house.lead(1).await;
    decided().await;
    house.clock.advance(45_000);
    house.work().await;
    assert!(house.line(&first).contains("offered"));
    assert_eq!(house.lead(1).await, first, "the same again");
    assert_eq!(house.post("form", r#"{"name":"Nobody"}"#).await.0, 202);
    let held = r#"{"email":"h@werk.example","look":"yes"}"#;
    assert_eq!(house.post("form", held).await.0, 202);
    assert_eq!(house.post("form", "{").await.0, 400);
    assert_eq!(house.post("nowhere", "{}").await.0, 404);
    house.work().await;
    // The second lead's first mail is refused for good; its next rep is told.
    let second = r#"{"email":"second@werk.example","name":"Second"}"#;
    assert_eq!(house.post("form", second).await.0, 202);
    house.work().await;
    // A third waits for 7 s.
    house.lead(3).await;
    decided().await;
    house.clock.advance(7_000);
    house.daemon.flow().gauge().await.unwrap();

    let text = house.daemon.flow().metrics.text();
    let (_, samples) = read(&text);
    for (name, wanted) in &read(COUNTED).1 {
        for (labels, wanted) in wanted {
            let found = value(&samples, name, labels);
            assert!((found - wanted).abs() < 1e-6, "{name}{labels:?}: {found}");
        }
    }
    let at = plain(&samples, "leadgate_policy_loaded_timestamp_seconds") * 1_000.0;
    assert_eq!(format!("{at:.0}"), TUESDAY.to_string());
    assert!(plain(&samples, "leadgate_commit_steps_sum") >= 10.0);
    for word in [
        "werk",
        "Person",
        "Second",
        "ana",
        "ben",
        "sales",
        "127.0.0.1",
        &first,
    ] {
        assert!(!text.contains(word), "{word} is shown");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_policy_is_shown_until_another_is_at_work() {
    let house = plan().build().await;
    let samples = || read(&house.daemon.flow().metrics.text()).1;
    let failed = || plain(&samples(), "leadgate_policy_load_failed") > 0.0;
    let before = samples()["leadgate_policy_info"].clone();
    house.write("rules/grade.rhai", "grade \"A\" when;\n");
    assert!(house.daemon.reload().await.is_err());
    assert!(failed());
    house.write("rules/grade.rhai", "grade \"C\";\n");
    assert!(house.daemon.reload().await.unwrap());
    assert!(!failed());
    let after = samples()["leadgate_policy_info"].clone();
    assert!(
        after.len() == 1 && after != before,
        "the old version is gone"
    );
    let grades = &samples()["leadgate_grades_total"];
    assert!(grades.iter().any(|(labels, _)| labels["grade"] == "C"));
}
