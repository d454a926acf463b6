//! Rules that fail, and what becomes of the leads.

use leadgate::flow::Command;
use leadgate::lead::{HoldCause, Stage};

use crate::house::{REPS, plan};

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_fails_holds_the_lead_and_a_mended_one_lets_it_go_on() {
    let endless = "let n = 0;\nwhile n >= 0 { n += 1; }\ngrade \"A\";\n";
    let failing = "let n = 0;\nscore 5 \"x\" when 10 / n > 1;\ngrade \"A\";\n";
    for (rule, place) in [(endless, "grade.rhai:2"), (failing, "grade.rhai:2")] {
        let house = plan().file("rules/grade.rhai", rule).build().await;
        let id = house.lead(1).await;
        house.work().await;
        let lead = house.find(&id);
        assert_eq!(
            (lead.stage, lead.hold_cause),
            (Stage::Held, Some(HoldCause::RuleError))
        );
        assert!(
            lead.reason.as_deref().unwrap_or_default().contains(place),
            "{:?}",
            lead.reason
        );
        house.write("rules/grade.rhai", "grade \"A\";\n");
        assert_eq!(house.daemon.reload().await, Ok(true));
        house.work().await;
        let line = house.line(&id);
        assert!(
            line.ends_with("rescreened, accepted, graded A, offered ana, attempted delivered"),
            "{line}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_with_a_mistake_is_refused_whole_and_the_old_one_stays_at_work() {
    let house = plan().build().await;
    let before = house.daemon.flow().policy().hash.clone();
    house.write(
        "rules/screen.rhai",
        "reject \"x\" when lead.contry == \"DE\";\n",
    );
    house.write("rules/route.rhai", "route \"mian\";\n");
    let problems = house.daemon.reload().await.unwrap_err();
    let shown: Vec<_> = problems
        .iter()
        .map(|p| format!("{} {:?}", p.one_line(), p.hint))
        .collect();
    let shown = shown.join("\n");
    for wanted in [
        "screen.rhai:1",
        "contry",
        "country",
        "route.rhai:1",
        "mian",
        "main",
    ] {
        assert!(shown.contains(wanted), "{wanted} in {shown}");
    }
    assert_eq!(house.daemon.flow().policy().hash, before);
    let id = house.lead(1).await;
    house.work().await;
    assert_eq!(house.find(&id).stage, Stage::Offered);
}

#[tokio::test(flavor = "multi_thread")]
async fn leads_follow_the_pools_and_reps_of_a_new_policy() {
    let house = plan().build().await;
    let offered = house.lead(1).await;
    house.work().await;
    let without_ana = REPS
        .replace("[reps.ana]", "[reps.cem]")
        .replace("\"ana\", ", "\"cem\", ");
    house.write("config/reps.toml", &without_ana);
    assert_eq!(house.daemon.reload().await, Ok(true));
    house.work().await;
    let line = house.line(&offered);
    assert!(line.contains("withdrawn ana, offered "), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_lead_is_released_rejected_or_screened_again_by_name() {
    let screen = "hold \"look at it\" when lead.name.contains(\"Person\");\n";
    let house = plan().file("rules/screen.rhai", screen).build().await;
    let [one, two, three] = [
        house.lead(1).await,
        house.lead(2).await,
        house.lead(3).await,
    ];
    house.work().await;
    assert_eq!(house.find(&one).reason.as_deref(), Some("look at it"));
    house.command(&one, Command::Release).unwrap();
    house
        .command(&two, Command::Reject { why: "spam".into() })
        .unwrap();
    house.command(&three, Command::Rescreen).unwrap();
    house.work().await;
    assert!(
        house
            .line(&one)
            .contains("held look at it, released, accepted, graded A, offered"),
        "{}",
        house.line(&one)
    );
    assert_eq!(house.line(&two), "received, held look at it, rejected spam");
    assert_eq!(
        house.line(&three),
        "received, held look at it, rescreened, held look at it"
    );
    assert!(
        house.command(&two, Command::Release).is_err(),
        "only a held lead is released"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_person_is_seen_however_many_arrive_at_once() {
    let screen = "reject \"again\" when seen.times > 0;\n";
    let house = plan().file("rules/screen.rhai", screen).build().await;
    let posts = (0..30).map(|n| {
        let body = format!(r#"{{"name":"N{n}","email":"Same@werk.example","n":{n}}}"#);
        let house = &house;
        async move { house.post("form", &body).await.0 }
    });
    let answers = futures_util::future::join_all(posts).await;
    assert!(answers.iter().all(|status| *status == 202));
    house.work().await;
    let leads = house.leads();
    let passed: Vec<_> = leads
        .iter()
        .filter(|lead| lead.stage != Stage::Rejected)
        .collect();
    assert_eq!((leads.len(), passed.len()), (30, 1));
    assert_eq!(
        passed[0].seq,
        leads.iter().map(|lead| lead.seq).min().unwrap(),
        "the first passes"
    );
}
