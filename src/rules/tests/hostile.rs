//! Rules that do harm, by accident or on purpose: each ends by itself and holds the lead with a
//! message that names the line and shows nothing of the lead.

use super::*;

const HOSTILE: &[(&str, &str)] = &[
    (
        "loop {}",
        "grade.rhai:2: this line ran too long (50,000 steps)",
    ),
    (
        "let s = \"x\"; loop { s += s; }",
        "grade.rhai:2: a text grew over",
    ),
    ("let a = [1]; loop { a.push(a); }", "grade.rhai:2: "),
    (
        "let m = #{}; let i = 0; loop { m[\"k\" + i] = i; i += 1; }",
        "grade.rhai:2: ",
    ),
    ("sleep(100000000);", "grade.rhai:2: a rule cannot wait"),
    ("sleep(1e9);", "grade.rhai:2: a rule cannot wait"),
    (
        "deep(1);",
        "grade.rhai:2: functions call each other more than 16 deep",
    ),
    (
        "Fn(\"exit\").call();",
        "grade.rhai:2: `exit` is not available",
    ),
    (
        "throw lead.email;",
        "grade.rhai:2: the rule gave up by `throw`",
    ),
    ("throw \"a\".pad(4000, \"b\");", "grade.rhai:2: "),
    (
        "let s = \"a\"; s.pad(100000000, \"b\");",
        "grade.rhai:2: a text grew over",
    ),
    (
        "let x = 9223372036854775807 + 1;",
        "grade.rhai:2: a calculation has no result",
    ),
    (
        "let x = 1 / 0;",
        "grade.rhai:2: a calculation has no result",
    ),
    (
        "let x = []; let y = x[3];",
        "grade.rhai:2: there is no such entry",
    ),
    (
        "for i in 0..9000000000 { }",
        "grade.rhai:2: this line ran too long",
    ),
    (
        "let x = 5; score 1 \"x\" when x;",
        "grade.rhai:2: what stands after `when`",
    ),
    (
        "let n = \"ab\"; score 1 \"x\" when list(n).length > 0;",
        "grade.rhai:2: there is no list \"ab\"",
    ),
    (
        "let less = |x| x - 5; less.call(lead.name);",
        "grade.rhai:2: `-` cannot be used",
    ),
    (
        "let among = |x| x in \"ab\"; among.call(lead.name);",
        "grade.rhai:2: `in` or `contains` cannot be used",
    ),
    (
        "print(\"a\".pad(4000, \"b\")); let x = undefined_later(lead);",
        "lib/x.rhai:2: ",
    ),
];

#[test]
fn a_hostile_rule_holds_the_lead_and_names_its_line() {
    let lib = "fn deep(n) { deep(n + 1) }\nfn undefined_later(l) { l.name.x }\n";
    for (line, wanted) in HOSTILE {
        let mut texts = texts(
            "grade.rhai",
            &format!("score 1 \"first\";\n{line}\ngrade \"A\";"),
        );
        let lib = if line.contains("undefined_later") {
            // Only a name that exists somewhere passes lint.
            lib.replace("l.name.x", "let n = l.name; n.is_free")
        } else {
            lib.replace("l.name.x", "l.name")
        };
        texts.insert("lib/x.rhai".into(), lib);
        let book = match load(&texts) {
            Ok(book) => book,
            Err(problems) => panic!("{line}: {problems:#?}"),
        };
        let decided = decide(&book, &someone(), &Facts::default(), None);
        let Verdict::Held { why, cause } = decided.verdict else {
            panic!("{line} was not stopped");
        };
        assert_eq!(cause, HoldCause::RuleError, "{line}");
        assert!(why.starts_with(wanted), "{line}\n  {why}\n  {wanted}");
        assert!(why.len() <= 300 && !why.contains("acme"), "{why}");
        assert!(decided.trace.to_string().starts_with("0+"), "{line}");
    }
}

#[test]
fn few_steps_that_take_long_hold_the_lead_as_well() {
    let words = vec!["\"x y\""; 200].join(", ");
    let steps = format!(
        "let words = [{words}];\nfor n in 0..12000 {{ let a = lead.message.mentions(words); }}"
    );
    // Lines that need no engine count no step at all.
    let lines = "reject \"a\" when lead.message.mentions(list(\"many\"));\n".repeat(1000);
    let many: Vec<_> = (0..2000).map(|n| format!("*x y{n}")).collect();
    let mut wordy = someone();
    wordy.fields.message = Some("x w ".repeat(8_000));
    for rule in [steps, lines] {
        let mut texts = texts("screen.rhai", &rule);
        texts.insert("lists/many.txt".into(), many.join("\n"));
        let book = load(&texts).unwrap();
        let decided = decide(&book, &wordy, &Facts::default(), None);
        let Verdict::Held { why, cause } = decided.verdict else {
            panic!("it was not stopped");
        };
        assert_eq!(cause, HoldCause::RuleError);
        let wanted = ": the rules took too long on this lead (over 1 second)";
        assert!(
            why.starts_with("screen.rhai:") && why.ends_with(wanted),
            "{why}"
        );
        // The next lead has its own time.
        let decided = decide(&book, &someone(), &Facts::default(), None);
        assert!(!matches!(decided.verdict, Verdict::Rejected { .. }));
    }
}

#[test]
fn what_would_leave_the_engine_is_refused_when_loaded() {
    let deep = format!("let x = {}1{};", "(".repeat(20_000), ")".repeat(20_000));
    let wide = format!("let x = {}1;", "!".repeat(20_000));
    let cases = [
        "eval(\"1\");",
        "import \"/etc/passwd\" as p;",
        "let f = Fn(\"eval\"); eval(f);",
        deep.as_str(),
        wide.as_str(),
    ];
    for line in cases {
        let texts = texts("grade.rhai", &format!("{line}\ngrade \"A\";"));
        assert!(load(&texts).is_err(), "{}", &line[..line.len().min(40)]);
    }
    let large = "// a\n".repeat(20_000) + "grade \"A\";";
    assert!(load(&texts("grade.rhai", &large)).is_err());
}

#[test]
fn rules_keep_nothing_from_one_lead_to_the_next() {
    let texts = texts(
        "grade.rhai",
        "let n = 0;\nfor i in 0..3 { n += 1; }\nlet add = |x| x + n;\nif add.call(1) == 4 { score 1 \"a\"; }\ngrade \"A\";",
    );
    let book = load(&texts).unwrap();
    let first = decide(&book, &someone(), &Facts::default(), None);
    for _ in 0..3 {
        assert_eq!(decide(&book, &someone(), &Facts::default(), None), first);
    }
    assert_eq!(first.trace.to_string(), "0+ 1+ 2+");
}

#[test]
fn variables_and_functions_that_double_are_not_written_out_for_ever() {
    let doubled = |first: &str, next: &dyn Fn(usize) -> String, last: &str| {
        let lines: Vec<String> = (1..40).map(next).collect();
        format!(
            "{first}\n{}\nscore 6 \"a\" when {last};\ngrade \"B\";",
            lines.join("\n")
        )
    };
    let variables = doubled(
        "let v0 = lead.has_email || lead.has_email;",
        &|n| format!("let v{n} = v{} && v{};", n - 1, n - 1),
        "v39",
    );
    let functions = doubled(
        "fn f0(a) { a || a }",
        &|n| format!("fn f{n}(a) {{ f{}(a || a) || f{}(a || a) }}", n - 1, n - 1),
        "f3(lead.has_email)",
    );
    for rule in [variables, functions] {
        let book = load(&texts("grade.rhai", &rule)).unwrap();
        let decided = decide(&book, &someone(), &Facts::default(), None);
        assert!(
            matches!(decided.verdict, Verdict::Accepted { points: 6, .. }),
            "{:?}",
            decided.verdict
        );
    }
}
