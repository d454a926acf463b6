//! The house rules that a compiler does not know: which room may name which, how long a file may
//! be, and where SQL may stand. See the picture in `src/lib.rs`.

#![expect(
    clippy::unwrap_used,
    reason = "what cannot be read has failed the test"
)]

use std::fs;
use std::path::{Path, PathBuf};

/// Room, and what it may name besides `lead` and support.
const ARROWS: &[(&str, &[&str])] = &[
    ("lead", &[]),
    ("source", &[]),
    ("rules", &[]),
    ("route", &[]),
    ("deliver", &[]),
    ("ledger", &[]),
    ("queue", &[]),
    (
        "flow",
        &["source", "rules", "route", "deliver", "ledger", "queue"],
    ),
    ("worker", &["flow", "queue", "ledger"]),
    ("intake", &["flow", "source"]),
    ("outcome", &["flow", "ledger", "deliver"]),
    (
        "config",
        &[
            "source", "rules", "route", "deliver", "ledger", "queue", "intake", "flow",
        ],
    ),
    (
        "daemon",
        &[
            "config", "flow", "intake", "outcome", "worker", "ledger", "queue", "deliver",
        ],
    ),
    (
        "cli",
        &[
            "config", "daemon", "flow", "rules", "route", "source", "ledger", "deliver",
        ],
    ),
];
/// What every room may name. `sample` is for the demo, the benchmark and adapters' samples.
const SUPPORT: &[&str] = &[
    "clock",
    "secret",
    "problem",
    "document",
    "money",
    "link",
    "outbound",
    "telemetry",
    "http",
    "sample",
    "text",
];
const LINES_MAX: usize = 400;

fn sources(dir: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut open = vec![PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(dir)];
    while let Some(dir) = open.pop() {
        let Ok(entries) = fs::read_dir(&dir) else {
            continue;
        };
        for path in entries.map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    found
}

fn room_of(path: &Path) -> String {
    let inside = path
        .strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
        .unwrap();
    let first = inside
        .components()
        .next()
        .unwrap()
        .as_os_str()
        .to_string_lossy()
        .into_owned();
    first.trim_end_matches(".rs").to_owned()
}

#[test]
fn rooms_name_only_the_rooms_that_the_picture_allows() {
    let mut wrong = Vec::new();
    for (path, text) in sources("src") {
        let room = room_of(&path);
        if matches!(room.as_str(), "lib" | "main") {
            continue;
        }
        let allowed = ARROWS
            .iter()
            .find(|(name, _)| *name == room)
            .map_or(&[][..], |(_, to)| to);
        assert!(
            SUPPORT.contains(&room.as_str()) || ARROWS.iter().any(|(name, _)| *name == room),
            "{room} is a room without a row in ARROWS"
        );
        for (at, line) in text.lines().enumerate() {
            let place = format!("{}:{}", path.display(), at + 1);
            if line.contains("use crate::{") {
                wrong.push(format!(
                    "{place}: one `use crate::` a line, so that arrows are seen"
                ));
            }
            for named in line.split("crate::").skip(1) {
                let named: String = named
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect();
                let fine = named.is_empty()
                    || named == room
                    || named == "lead"
                    || SUPPORT.contains(&named.as_str())
                    || allowed.contains(&named.as_str());
                if !fine {
                    wrong.push(format!("{place}: {room} must not name {named}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn sql_stands_in_the_ledger_only() {
    let words = ["SELECT ", "INSERT INTO", "DELETE FROM", "BEGIN IMMEDIATE"];
    let wrong: Vec<_> = sources("src")
        .into_iter()
        .filter(|(path, _)| room_of(path) != "ledger")
        .filter(|(_, text)| words.iter().any(|word| text.contains(word)))
        .map(|(path, _)| path.display().to_string())
        .collect();
    assert!(
        wrong.is_empty(),
        "SQL outside `ledger`: {}",
        wrong.join(", ")
    );
}

#[test]
fn no_file_is_longer_than_a_person_reads() {
    let wrong: Vec<_> = ["src", "tests", "benches"]
        .into_iter()
        .flat_map(sources)
        .filter(|(_, text)| text.lines().count() > LINES_MAX)
        .map(|(path, text)| format!("{} has {} lines", path.display(), text.lines().count()))
        .collect();
    assert!(
        wrong.is_empty(),
        "more than {LINES_MAX} lines: {}",
        wrong.join(", ")
    );
}
