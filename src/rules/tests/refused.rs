//! What is refused at load, and how it is said: file, line, column, what was found, what to do.

use super::*;

const MISTAKES: &[(&str, &str, &str)] = &[
    (
        "screen.rhai",
        "reject when lead.trapped;",
        "screen.rhai:1:8: after `reject` comes the reason in quotes",
    ),
    (
        "screen.rhai",
        "rejct \"a\" when lead.trapped;",
        "screen.rhai:1:1: no phrase is called `rejct` (did you mean `reject`?)",
    ),
    (
        "screen.rhai",
        "if lead.trapped { Hold \"a\"; }",
        "screen.rhai:1:19: no phrase is called `Hold` (did you mean `hold`?)",
    ),
    (
        "screen.rhai",
        "drop \"a\" when lead.trapped;",
        "screen.rhai:1:1: no phrase is called `drop` (a line here begins with `reject` or `hold`)",
    ),
    (
        "screen.rhai",
        "reject \"a\" when lead.trapped; # hold",
        "screen.rhai:1:31: `#` means nothing here (a comment begins with `//`)",
    ),
    (
        "screen.rhai",
        "reject \"a\" when lead.trapped; /* old:\nreject \"b\" when lead.too_fast;\n// */ /*",
        "screen.rhai:3:7: this comment is not closed (it ends with `*/`; a comment of one line begins with `//`)",
    ),
    (
        "screen.rhai",
        "\u{feff}reject \"a\" when lead.contry == \"DE\";",
        "screen.rhai:1:22: a lead has no `contry` (did you mean `country`?)",
    ),
    (
        "screen.rhai",
        "if lead.city = \"Rome\" { reject \"a\"; }",
        "screen.rhai:1:14: nothing can be put in here (to compare, write `==`)",
    ),
    (
        "screen.rhai",
        "reject \"a\" lead.trapped;",
        "screen.rhai:1:12: between the reason and the condition stands `when`",
    ),
    (
        "screen.rhai",
        "reject \"a\" if lead.trapped;",
        "screen.rhai:1:12: the condition begins with `when` instead of `if`",
    ),
    (
        "screen.rhai",
        "reject \"a\" when;",
        "screen.rhai:1:16: after `when` comes the condition",
    ),
    (
        "screen.rhai",
        "reject \"a\" when lead.trapped\nreject \"b\" when lead.too_fast;",
        "screen.rhai:1:29: a `;` is missing at the end of this line",
    ),
    (
        "screen.rhai",
        "reject \"a\" when lead.trapped or lead.too_fast;",
        "screen.rhai:1:29: a `;` is missing at the end of this line (for `or` write `||`)",
    ),
    (
        "screen.rhai",
        "reject \"a when lead.trapped;",
        "screen.rhai:1:8: the quotes are not closed on this line (a text ends with `\"` on the line where it begins)",
    ),
    (
        "screen.rhai",
        "reject \"a\" when lead.contry == \"DE\";",
        "screen.rhai:1:22: a lead has no `contry` (did you mean `country`?)",
    ),
    (
        "screen.rhai",
        "reject \"a\" when lead.email.is_fre;",
        "screen.rhai:1:28: an e-mail address has no `is_fre` (did you mean `is_free`?)",
    ),
    (
        "screen.rhai",
        "reject \"a\" when seen.dayz_ago < 3;",
        "screen.rhai:1:22: `seen` has no `dayz_ago` (did you mean `days_ago`?)",
    ),
    (
        "screen.rhai",
        "reject \"a\" when laed.trapped;",
        "screen.rhai:1:17: nothing is called `laed` (did you mean `lead`?)",
    ),
    (
        "screen.rhai",
        "reject \"a\" when lead.message.mention(\"x\");",
        "screen.rhai:1:30: a text has no `mention` (did you mean `mentions`?)",
    ),
    (
        "screen.rhai",
        "reject \"a\" when lead.message.mentions();",
        "screen.rhai:1:30: `mentions` takes 1 thing in its parentheses (for example lead.message.mentions([\"demo\", \"preis*\"]))",
    ),
    (
        "screen.rhai",
        "reject \"a\" when lead.email.is_free();",
        "screen.rhai:1:28: `is_free` stands without parentheses (for example !lead.email.is_free)",
    ),
    (
        "screen.rhai",
        "reject \"a\" when lead.company;",
        "screen.rhai:1:17: this is a text; a condition must be true or false (whether it was given is asked by .exists)",
    ),
    (
        "screen.rhai",
        "reject \"a\" when lead.company == \"\";",
        "screen.rhai:1:30: a text that was left out equals nothing, not even \"\" (ask .is_empty or .exists)",
    ),
    (
        "screen.rhai",
        "reject \"a\" when lead.phone == \"1\";",
        "screen.rhai:1:28: a phone number cannot be compared (compare .e164, .country or .kind)",
    ),
    (
        "screen.rhai",
        "reject \"a\" when lead.email.domain in list(\"competitor\");",
        "screen.rhai:1:43: there is no list \"competitor\" in rules/lists (did you mean \"competitors\"?)",
    ),
    (
        "screen.rhai",
        "reject \"a\" when lead.phone in [\"1\"];",
        "screen.rhai:1:28: a phone number cannot be in a list (compare .e164, .country or .kind)",
    ),
    (
        "screen.rhai",
        "reject \"a\" when lead.trapped == \"yes\";",
        "screen.rhai:1:30: yes or no is compared with something else (leave the comparison out, or begin with `!`)",
    ),
    (
        "screen.rhai",
        "reject \"a\" when lead.city in \"Berlin\";",
        "screen.rhai:1:27: `in` asks a list, this is a text in quotes (one text is compared by `==`; several stand in [ ])",
    ),
    (
        "screen.rhai",
        "reject \"a\" when lead.hour in [\"8\", \"9\"];",
        "screen.rhai:1:27: texts stand in this list, a number is looked for (numbers in a list stand without quotes: [8, 9])",
    ),
    (
        "screen.rhai",
        "reject \"a\" when 5 in lead.message;",
        "screen.rhai:1:19: a text is looked for in a text, this is a number (for example \"demo\" in lead.message)",
    ),
    (
        "screen.rhai",
        "reject \"a\" when lead.city.mentions(5);",
        "screen.rhai:1:36: `mentions` takes a text or a list, this is a number (for example lead.message.mentions([\"demo\", \"preis*\"]))",
    ),
    (
        "screen.rhai",
        "reject \"a\" when lead.postcode.starts_with([80, 81]);",
        "screen.rhai:1:43: `starts_with` takes a list of texts, here stands a number in it (for example lead.postcode.starts_with([\"80\", \"81\"]))",
    ),
    (
        "screen.rhai",
        "reject \"a\" when lead.consent(lead.source);",
        "screen.rhai:1:30: `consent` takes a text in quotes, this is a text (for example lead.consent(\"newsletter\"))",
    ),
    (
        "screen.rhai",
        "reject \"a\" when lead.city + 5;",
        "screen.rhai:1:27: `+` reckons with numbers, this is a text (its number is .number)",
    ),
    (
        "screen.rhai",
        "reject \"a\" when lead.city + \"5\";",
        "screen.rhai:1:27: this is a text in quotes; a condition must be true or false",
    ),
    (
        "screen.rhai",
        "if lead.city { reject \"a\" when lead.trapped; }",
        "screen.rhai:1:4: this is a text; a condition must be true or false (whether it was given is asked by .exists)",
    ),
    (
        "screen.rhai",
        "lead.city = \"Rome\";",
        "screen.rhai:1:1: `lead` can be read, not changed (to compare, write `==`)",
    ),
    (
        "screen.rhai",
        "reject \"a\" when is_chep(lead);",
        "screen.rhai:1:17: there is no function `is_chep` (did you mean `is_cheap`?)",
    ),
    (
        "screen.rhai",
        "reject \"a\" when is_cheap(lead, 2);",
        "screen.rhai:1:17: `is_cheap` is given 2 values in its parentheses (it takes 1)",
    ),
    (
        "screen.rhai",
        "score 5 \"a\";",
        "screen.rhai:1:1: `score` cannot be used in screen.rhai (move this line to grade.rhai)",
    ),
    (
        "screen.rhai",
        "for x in [1] { reject \"a\"; }",
        "screen.rhai:1:16: `reject` cannot be used within a loop, a function or another expression (phrases stand by themselves, at the top of the file or within an `if`)",
    ),
    (
        "screen.rhai",
        "fn f() { reject \"a\"; }",
        "screen.rhai:1:10: `reject` cannot be used within a loop, a function or another expression (phrases stand by themselves, at the top of the file or within an `if`)",
    ),
    (
        "screen.rhai",
        "reject \"\" when lead.trapped;",
        "screen.rhai:1:8: the reason is empty",
    ),
    (
        "grade.rhai",
        "score \"a\";\ngrade \"A\";",
        "grade.rhai:1:7: after `score` come the points, a whole number: score 20 \"why\"",
    ),
    (
        "grade.rhai",
        "score 2.5 \"a\";\ngrade \"A\";",
        "grade.rhai:1:7: after `score` come the points, a whole number: score 20 \"why\"",
    ),
    (
        "grade.rhai",
        "points = 5;\ngrade \"A\";",
        "grade.rhai:1:1: `points` can be read, not changed (points are given by `score` lines)",
    ),
    (
        "grade.rhai",
        "grade \"A\" when points > 5;",
        "grade.rhai:1:1: a lead to which no `grade` line applies would be left without one (end the file with a `grade` line that has no `when`, or configure default_grade)",
    ),
    (
        "grade.rhai",
        "if lead.city == \"Rome\" { return; }\ngrade \"C\";",
        "grade.rhai:1:26: `return` cannot be used outside of a function (the first line that applies ends the file; what it shall not apply to goes behind its `when`)",
    ),
    (
        "grade.rhai",
        "fn stop() { exit(); }\ngrade \"C\";",
        "grade.rhai:1:13: `exit` cannot be used in rules (the first line that applies ends the file; what it shall not apply to goes behind its `when`)",
    ),
    (
        "route.rhai",
        "route \"dahc\" when lead.country == \"DE\";\nroute \"inbound\";",
        "route.rhai:1:7: there is no pool \"dahc\" in reps.toml (did you mean \"dach\"?)",
    ),
    (
        "route.rhai",
        "route \"dach\" when lead.grade == \"A\";\nroute \"inbound\";",
        "route.rhai:1:30: `grade` cannot stand after a dot, it begins a line (the grade that was given is `graded`)",
    ),
    (
        "scren.rhai",
        "reject \"a\";",
        "scren.rhai:0:0: no rule file is called so; it would never run (did you mean screen.rhai?)",
    ),
    (
        "lib/y.rhai",
        "let a = 1;",
        "lib/y.rhai:1:1: only functions stand in lib/ (begin with `fn name(lead) {`)",
    ),
    (
        "lib/y.rhai",
        "fn f(lead) { lead.contry }",
        "lib/y.rhai:1:19: a lead has no `contry` (did you mean `country`?)",
    ),
];

#[test]
fn a_mistake_is_explained_at_its_place() {
    for (file, text, wanted) in MISTAKES {
        let mut texts = texts(file, text);
        texts.insert("lists/competitors.txt".into(), String::new());
        texts.insert("lib/x.rhai".into(), "fn is_cheap(l) { true }".into());
        assert_eq!(problems(&texts), [*wanted], "{text}");
    }
}

#[test]
fn all_problems_of_all_files_come_at_once() {
    let mut texts = texts(
        "screen.rhai",
        "reject \"a\" if lead.trapped;\nreject \"b\" when lead.nme == \"x\";\nhold when lead.too_fast;\n\
         reject \"c\" when lead.trapped // no semicolon\n\nreject \"d\" when lead.emial.is_free;\n\
         let size = lead.fields.size 5;\n# f\nrejct \"e\"\n  when size > 5;\nreject \"f\" when size > 5 && lead.cty.exists;\n",
    );
    texts.insert("route.rhai".into(), "route \"nowhere\";".into());
    texts.insert(
        "samples/a.toml".into(),
        "[lead]\nnam = \"x\"\n[expect]\nverdict = \"accept\"\n".into(),
    );
    let lines: Vec<_> = problems(&texts)
        .iter()
        .map(|p| p.split(": ").take(2).collect::<Vec<_>>().join(": "))
        .collect();
    assert_eq!(
        lines,
        [
            "route.rhai:1:7: there is no pool \"nowhere\" in reps.toml (pools there",
            "samples/a.toml:2:1: unknown key `lead.nam` (did you mean `name`?)",
            "samples/a.toml:4:11: expect.verdict is \"accept\"; wanted is one of \"accepted\", \"rejected\", \"held\" (did you mean \"accepted\"?)",
            "screen.rhai:1:12: the condition begins with `when` instead of `if`",
            "screen.rhai:2:22: a lead has no `nme` (did you mean `name`?)",
            "screen.rhai:3:6: after `hold` comes the reason in quotes",
            "screen.rhai:4:29: a `;` is missing at the end of this line",
            "screen.rhai:6:22: a lead has no `emial` (did you mean `email`?)",
            "screen.rhai:7:28: a `;` is missing at the end of this line",
            "screen.rhai:8:1: `#` means nothing here (a comment begins with `//`)",
            "screen.rhai:9:1: no phrase is called `rejct` (did you mean `reject`?)",
            "screen.rhai:11:34: a lead has no `cty` (did you mean `city`?)",
        ]
    );
}

#[test]
fn a_mistake_in_a_function_is_none_of_its_callers() {
    let mut texts = texts(
        "screen.rhai",
        "fn own(l) { l.hour and 1 }\nreject \"a\" when own(lead) || first(lead) || second(lead, 1);",
    );
    let lib = "fn first(lead) {\n  lead.hour > 8\n    and lead.hour < 18\n}\nfn second(lead, n) { lead.hour > > n }\nfn third(l) { l.contry }";
    texts.insert("lib/a.rhai".into(), lib.into());
    assert_eq!(
        problems(&texts),
        [
            "lib/a.rhai:2:16: a `;` is missing at the end of this line (for `and` write `&&`)",
            "lib/a.rhai:5:34: `>` is not expected here",
            "lib/a.rhai:6:17: nothing has a field `contry` (did you mean `country`?)",
            "screen.rhai:1:19: a `;` is missing at the end of this line (for `and` write `&&`)",
        ]
    );
}

#[test]
fn a_sample_that_does_not_hold_shows_the_difference() {
    let mut texts = texts(
        "grade.rhai",
        "score 20 \"has mail\" when lead.has_email;\ngrade \"A\" when points > 50;\ngrade \"B\";",
    );
    texts.insert(
        "samples/a.toml".into(),
        "[lead]\nemail = \"a@b.example\"\n[expect]\nverdict = \"accepted\"\ngrade = \"A\"\n".into(),
    );
    assert_eq!(
        problems(&texts),
        [
            "samples/a.toml:5:9: the grade expected is A, the rules give B (graded B with 20 points for inbound; \
          fired: grade.rhai:1 has mail +20, grade.rhai:3 B, route.rhai:1 inbound)"
        ]
    );
}

#[test]
fn what_reads_well_is_not_refused() {
    let cases = [
        "let big = lead.fields.size.number > 5; reject \"a\" when big && lead.country in [\"DE\"];",
        "reject \"a\" when \"demo\" in lead.message;",
        "reject \"a\" when lead.name.to_string().to_upper() == \"X\";",
        "fn size(l) { if l.city.exists { return 1; } 2 } let f = |x| { return x; }; hold \"a\" when f.call(size(lead)) == 1;",
        "let words = [\"a\"]; words += \"b\"; reject \"a\" when lead.city + \"b\" == \"ab\" || lead.city in words;",
        "let m = #{ size: 3 }; reject \"a\" when m.size > 5;",
        "fn is_small(l) { l.fields.size.number < 5 } reject \"a\" when is_small(lead);",
        "let words = [\"a\", \"b\"]; reject \"a\" when words.filter(|w| lead.message.mentions(w)).len() > 1;",
        "if lead.country == \"DE\" { if lead.trapped { reject \"a\"; } } else { hold \"b\"; }",
        "reject \"a\" when (lead.fields.a.number ?? 5) > 2;",
        "switch lead.hour { 1 => print(\"x\"), _ => print(\"y\") }",
        "reject \"a\" when lead.hour.max(5) > 6 || min(lead.hour, 3) == 2;",
    ];
    for text in cases {
        let found = problems(&texts("screen.rhai", text));
        assert!(found.is_empty(), "{text}\n{}", found.join("\n"));
    }
}
