//! The promises of the rules, proved on the shipped rules and on small ones written here.

use super::*;
use crate::lead::{Email, Phone, Seen};

mod hostile;
mod refused;

const DAY: Millis = crate::clock::DAY;
const NOON: Millis = 1_772_539_200_000;

fn pools() -> BTreeSet<String> {
    ["enterprise", "dach", "inbound"].map(String::from).into()
}

fn load(texts: &Texts) -> Result<Rulebook, Vec<Problem>> {
    let pools = pools();
    Rulebook::load(
        texts,
        &Known {
            pools: &pools,
            default_grade: "",
            default_pool: "",
        },
    )
}

/// Rules of one file; the others only let pass.
fn texts(file: &str, text: &str) -> Texts {
    let mut texts: Texts = [
        ("screen.rhai", ""),
        ("grade.rhai", "grade \"A\";"),
        ("route.rhai", "route \"inbound\";"),
    ]
    .map(|(name, text)| (name.to_owned(), text.to_owned()))
    .into();
    texts.insert(file.to_owned(), text.to_owned());
    texts
}

fn shipped() -> Texts {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
    let mut texts = Texts::new();
    let mut open = vec![root.clone()];
    while let Some(dir) = open.pop() {
        for path in std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()) {
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let name = path.strip_prefix(&root).unwrap().to_str().unwrap();
            texts.insert(name.to_owned(), std::fs::read_to_string(&path).unwrap());
        }
    }
    texts
}

fn someone() -> Inquiry {
    let mut inquiry = Inquiry::default();
    let fields = &mut inquiry.fields;
    fields.name = Some("Ana Díaz".into());
    fields.email = Some(Email::parse("ana@acme.example"));
    fields.phone = Some(Phone::parse("+49 30 901820", None));
    fields.country = Some("DE".into());
    fields.message = Some("We'd like a Demo,\nplease.".into());
    fields.other = [("role", "Student "), ("size", "50-100"), ("score", "7")]
        .map(|(name, value)| (name.to_owned(), vec![value.to_owned()]))
        .into();
    inquiry
}

fn decide(book: &Rulebook, inquiry: &Inquiry, facts: &Facts, overruled: Option<&str>) -> Decided {
    book.decide(&Asked {
        inquiry,
        source: "form",
        received_at: NOON,
        facts,
        overruled,
    })
}

fn problems(texts: &Texts) -> Vec<String> {
    match load(texts) {
        Ok(_) => Vec::new(),
        Err(problems) => problems
            .iter()
            .map(|p| {
                let hint = p.hint.as_ref().map(|h| format!(" ({h})"));
                format!(
                    "{}:{}:{}: {}{}",
                    p.file,
                    p.line,
                    p.column,
                    p.message,
                    hint.unwrap_or_default()
                )
            })
            .collect(),
    }
}

#[test]
fn the_shipped_rules_load_and_their_samples_hold() {
    let found = problems(&shipped());
    assert!(found.is_empty(), "{}", found.join("\n"));
    let book = load(&shipped()).unwrap();
    assert!(book.samples() >= 8);
    assert_eq!(book.priority("A"), Priority::Hot);
    assert_eq!(book.priority("B"), Priority::Normal);
    assert_eq!(book.priority("C"), Priority::Low);
}

const CONDITIONS: &[(&str, bool)] = &[
    ("lead.has_email && lead.has_phone", true),
    ("lead.email == \"ANA@acme.example\"", true),
    ("lead.email.domain in [\"acme.example\"]", true),
    ("lead.email in list(\"known\")", true),
    ("lead.email.domain in list(\"known\")", false),
    ("lead.name.mentions(\"diaz\")", true),
    ("lead.message.mentions([\"pricing\", \"demo\"])", true),
    ("lead.message.starts_with([\"you\", \"WE'D\"])", true),
    ("lead.message.starts_with([\"like\", lead.country])", false),
    (
        "lead.message.contains([\"x\", lead.name, \"a demo\"])",
        true,
    ),
    ("lead.email.ends_with(list(\"known\"))", true),
    ("lead.city.ends_with(list(\"known\"))", false),
    ("lead.message.mentions(\"dem\")", false),
    ("lead.message.contains(\"LIKE a demo\")", true),
    ("lead.message.words == 5", true),
    ("lead.fields.role == \"student\"", true),
    ("lead.fields.role != \"student\"", false),
    ("lead.fields[\"role\"] in [\"student\"]", true),
    ("lead.fields.size.number >= 50", true),
    ("lead.fields.size >= 50", true),
    ("lead.fields.size.number * 2 > 99.5", true),
    ("50 <= lead.fields.size.number", true),
    ("lead.fields[\"score\"] == 7", true),
    ("lead.country in [\"AT\", \"DE\"]", true),
    ("lead.country !in [\"AT\", \"CH\"]", true),
    ("!(lead.country in [\"AT\", \"CH\"])", true),
    ("lead.phone.country == lead.country", true),
    (
        "lead.phone.kind == \"fixed\" && !lead.phone.is_mobile",
        true,
    ),
    ("lead.hour == 13 && lead.weekday == \"tue\"", true),
    ("seen.days_ago < 30 && seen.times == 2 && seen.before", true),
    ("lead.source == \"form\"", true),
    ("`${lead.name} at ${lead.country}`.len > 5", true),
    ("[\"x\", \"demo\"].some(|w| lead.message.mentions(w))", true),
    ("lead.name.to_string().len() == 8", true),
    // What is missing is there, is empty, and compares false.
    ("lead.fields.nothing == \"x\"", false),
    ("lead.fields.nothing != \"x\"", true),
    ("lead.fields.nothing.number < 5", false),
    ("lead.fields.nothing.number >= 5", false),
    ("lead.fields.nothing.number * 2 == 0", false),
    ("lead.fields.nothing == lead.fields.neither", false),
    ("lead.fields.nothing in [\"\", \"x\"]", false),
    ("lead.fields.nothing.contains(\"\")", false),
    ("lead.fields.nothing.exists", false),
    ("lead.company.is_empty", true),
    ("lead.attribution[\"gclid\"].exists", false),
    (
        "lead.attribution.gclid == \"x\" || lead.utm_source == \"x\"",
        false,
    ),
    ("lead.consent(\"newsletter\") || lead.consented", false),
    ("lead.fill_ms < 3000", false),
    ("lead.website.links > 0", false),
];

#[test]
fn conditions_mean_what_a_reader_expects() {
    let facts = Facts {
        seen: Seen {
            times: 2,
            last_at: Some(NOON - 3 * DAY),
        },
    };
    for (condition, wanted) in CONDITIONS {
        let rule = format!("reject \"yes\" when {condition};");
        let mut texts = texts("screen.rhai", &rule);
        texts.insert("lists/known.txt".into(), "ana@acme.example\n".into());
        let mut book = match load(&texts) {
            Ok(book) => book,
            Err(problems) => panic!("{condition}: {problems:#?}"),
        };
        let decided = decide(&book, &someone(), &facts, None);
        // The engine says the same as what is reckoned without it.
        book.quick = Arc::default();
        let by_engine = decide(&book, &someone(), &facts, None);
        assert_eq!(decided, by_engine, "{condition}");
        let fired = match decided.verdict {
            Verdict::Rejected { .. } => true,
            Verdict::Accepted { .. } => false,
            Verdict::Held { why, .. } => panic!("{condition}: {why}"),
        };
        assert_eq!(fired, *wanted, "{condition}");
    }
}

#[test]
fn the_trace_holds_every_line_passed_and_points_count_as_they_come() {
    let mut texts = texts(
        "grade.rhai",
        "score 30 \"a\" when lead.has_email;\nscore -10 \"b\" when lead.has_phone;\n\
         score 5 \"c\" when lead.has_company;\nlet high = points > 10;\n\
         if high { score 1 \"d\"; } else { score 2 \"e\"; }\n\
         grade \"A\" when points == 21;\ngrade \"B\";",
    );
    texts.insert(
        "route.rhai".into(),
        "route \"dach\" \"good\" when graded == \"A\" && points > 20;\nroute \"inbound\";".into(),
    );
    let book = load(&texts).unwrap();
    let decided = decide(&book, &someone(), &Facts::default(), None);
    assert_eq!(decided.trace.to_string(), "0+ 1+ 2 3+ 5+ 7+");
    let wanted = Verdict::Accepted {
        grade: "A".into(),
        points: 21,
        pool: "dach".into(),
    };
    assert_eq!(decided.verdict, wanted);
    let phrase = &book.phrases()[7];
    assert_eq!(
        (phrase.label.as_str(), phrase.note.as_str()),
        ("dach", "good")
    );
    assert_eq!((phrase.file.as_str(), phrase.line), ("route.rhai", 1));
    assert_eq!(book.phrases()[1].points, -10);
}

#[test]
fn shipped_lines_need_no_engine_and_it_agrees_with_all_of_them() {
    let mut book = load(&shipped()).unwrap();
    let quick = book.quick.clone();
    let slow = book
        .phrases
        .iter()
        .zip(&*quick)
        .filter(|(_, q)| q.is_none());
    let conditional = |p: &Phrase| p.label != "C" && p.note != "everybody else";
    let slow: Vec<_> = slow.map(|(p, _)| p).filter(|p| conditional(p)).collect();
    assert!(slow.is_empty(), "{slow:#?}");
    let mut texts = vec!["", "a", "demo", "dringend", "casino", "http://a.example"];
    texts.extend(["50-200", "CEO", "student", "DE", "de", "cpc", "test"]);
    for (n, text) in texts.iter().enumerate() {
        let mut inquiry = someone();
        let other = texts[(n + 3) % texts.len()];
        let fields = &mut inquiry.fields;
        fields.message = Some(format!("{text} {other} {text}"));
        fields.name = Some((*text).to_owned());
        fields.job_title = Some(other.to_owned());
        fields.email = (n % 3 != 0).then(|| Email::parse(&format!("{text}@gmail.com")));
        fields.country = (n % 2 == 0).then(|| (*text).to_owned());
        fields
            .other
            .insert("employees".into(), vec![other.to_owned()]);
        let seen = Seen {
            times: i64::try_from(n % 4).unwrap(),
            last_at: (n % 4 > 0).then_some(NOON - 40 * DAY),
        };
        let facts = Facts { seen };
        book.quick = quick.clone();
        let decided = decide(&book, &inquiry, &facts, None);
        book.quick = Arc::default();
        assert_eq!(decided, decide(&book, &inquiry, &facts, None), "{text}");
    }
}

#[test]
fn variables_of_a_script_reach_the_lines_below() {
    let cases = [
        (
            "let low = 1; score 5 \"a\"; let high = low + points; score 1 \"b\" when high == 6;",
            6,
        ),
        (
            "fn two() { return 2; } score 5 \"a\"; let n = two(); score 1 \"b\" when n == 2;",
            6,
        ),
        (
            "let who = lead.email; let high = points + 3;
             score 5 \"a\" when who.exists; score 1 \"b\" when high == 3 && who.exists;",
            6,
        ),
        (
            "let before = points; score 5 \"a\"; score 1 \"b\" when before == 0;",
            6,
        ),
        ("let n = 1; n = 2; score 6 \"a\" when n == 2;", 6),
        (
            "let n = 1; if lead.has_email { let n = 2; score 6 \"a\" when n == 2; }",
            6,
        ),
        (
            "fn asks(lead) { lead.has_email } fn known(who, n) { asks(who) && n == 0 }
             score 6 \"a\" when known(lead, points);",
            6,
        ),
        ("fn f(n) { f(n) } score 6 \"a\" when true || f(1);", 6),
    ];
    for (rule, wanted) in cases {
        let book = load(&texts("grade.rhai", &format!("{rule}\ngrade \"B\";")));
        let book = match book {
            Ok(book) => book,
            Err(problems) => panic!("{rule}: {problems:#?}"),
        };
        let decided = decide(&book, &someone(), &Facts::default(), None);
        let verdict = decided.verdict;
        let Verdict::Accepted { points, .. } = verdict else {
            panic!("{rule}: {verdict:?}");
        };
        assert_eq!(points, wanted, "{rule}");
    }
}

#[test]
fn a_hold_that_a_person_overruled_is_passed_by() {
    let texts = texts(
        "screen.rhai",
        "hold \"look\" when seen.before;\nreject \"late\" when seen.times > 5;",
    );
    let book = load(&texts).unwrap();
    let facts = |times| Facts {
        seen: Seen {
            times,
            last_at: Some(NOON),
        },
    };
    let held = decide(&book, &someone(), &facts(1), None);
    let wanted = Verdict::Held {
        why: "look".into(),
        cause: HoldCause::Rule,
    };
    assert_eq!(held.verdict, wanted);
    assert_eq!(held.trace.to_string(), "0+");
    let released = decide(&book, &someone(), &facts(1), Some("look"));
    assert!(matches!(released.verdict, Verdict::Accepted { .. }));
    assert_eq!(released.trace.to_string(), "0 1 2+ 3+");
    let rejected = decide(&book, &someone(), &facts(6), Some("look"));
    assert!(matches!(rejected.verdict, Verdict::Rejected { .. }));
}

#[test]
fn a_default_takes_the_place_of_a_last_line() {
    let pools = pools();
    let known = Known {
        pools: &pools,
        default_grade: "C",
        default_pool: "inbound",
    };
    let mut texts = texts("grade.rhai", "grade \"A\" when lead.has_company;");
    texts.remove("route.rhai");
    let book = Rulebook::load(&texts, &known).unwrap_or_else(|p| panic!("{p:#?}"));
    let decided = decide(&book, &someone(), &Facts::default(), None);
    let wanted = Verdict::Accepted {
        grade: "C".into(),
        points: 0,
        pool: "inbound".into(),
    };
    assert_eq!(decided.verdict, wanted);
}

#[test]
fn many_threads_may_ask_one_rulebook() {
    let book = load(&shipped()).unwrap();
    let inquiry = someone();
    let ask = || decide(&book, &inquiry, &Facts::default(), None);
    let first = ask();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
        for thread in threads {
            assert_eq!(thread.join().unwrap(), first);
        }
    });
}

#[test]
fn a_message_of_any_length_is_judged() {
    let mut inquiry = someone();
    inquiry.fields.message = Some(format!("{} demo", "word ".repeat(20_000)));
    let texts = texts(
        "screen.rhai",
        "reject \"yes\" when lead.message.length > 5000 && lead.message.contains(\"word\");",
    );
    let decided = decide(&load(&texts).unwrap(), &inquiry, &Facts::default(), None);
    assert!(matches!(decided.verdict, Verdict::Rejected { .. }));
}
