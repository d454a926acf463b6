//! Metrics are shown where they should be and nowhere else, and whatever the dashboard, the alerts
//! and the docs name is really there.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use regex::Regex;

use crate::metrics::{Samples, Told, read};
use crate::process::{Home, client};

/// The scrape of a daemon with the shipped configuration.
async fn scrape() -> String {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let metrics = free.local_addr().unwrap();
    drop(free);
    let home = Home::new().env("LEADGATE_SERVER__METRICS_LISTEN", &metrics.to_string());
    let mut daemon = home.start().await;
    let client = client();
    let url = format!("http://{metrics}/metrics");
    let answer = client.get(&url).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let kind = answer.headers()["content-type"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(
        kind.starts_with("application/openmetrics-text; version=1.0.0"),
        "{kind}"
    );
    let text = answer.text().await.unwrap();
    // Nobody gets to it where leads come in, and no lead gets in where it is.
    for name in ["x-forwarded-for", "x-real-ip", "forwarded", "host"] {
        let there = client.get(home.url("/metrics")).header(name, "127.0.0.1");
        assert_eq!(there.send().await.unwrap().status(), 404, "{name}");
    }
    let there = client.post(format!("http://{metrics}/in/website")).send();
    assert_eq!(there.await.unwrap().status(), 404);
    assert_eq!(daemon.stop().await, Some(0));
    text
}

/// An expression of the dashboard or an alert, and where it stands.
struct Shown {
    place: String,
    query: String,
    /// Texts that say `{{label}}`.
    legend: String,
}

fn file(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

fn dashboard() -> Vec<Shown> {
    let text = file("config/grafana/leadgate.json");
    let dashboard: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut shown = Vec::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        let title = panel["title"].as_str().unwrap();
        let targets = panel["targets"].as_array().into_iter().flatten();
        shown.extend(targets.map(|target| Shown {
            place: format!("panel \"{title}\""),
            query: target["expr"].as_str().unwrap().to_owned(),
            legend: target["legendFormat"].as_str().unwrap().to_owned(),
        }));
    }
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    let variables = variables.iter().filter_map(|v| v["definition"].as_str());
    let annotations = dashboard["annotations"]["list"].as_array().unwrap();
    let annotations = annotations.iter().filter_map(|a| a["expr"].as_str());
    shown.extend(variables.chain(annotations).map(|query| Shown {
        place: "dashboard".into(),
        query: query.to_owned(),
        legend: String::new(),
    }));
    shown
}

/// The alerts, with what of each is missing or leads nowhere.
fn alerts() -> (Vec<Shown>, Vec<String>) {
    let (rules, docs) = (
        file("config/prometheus/alerts.yaml"),
        file("docs/operations.md"),
    );
    let (mut shown, mut wrong) = (Vec::new(), Vec::new());
    for alert in rules.split("- alert: ").skip(1) {
        let name = alert.lines().next().unwrap();
        let text = |key: &str| {
            let lead = format!("{key}: '");
            let lines = alert.lines().map(str::trim);
            let mut found = lines.filter_map(|l| l.strip_prefix(&lead)?.strip_suffix('\''));
            found.next().unwrap_or_default().to_owned()
        };
        let link = format!("docs/operations.md#{}", name.to_lowercase());
        let heading = format!("\n### {name}\n");
        if text("summary").is_empty() || text("expr").is_empty() {
            wrong.push(format!("{name} has no summary or no expression"));
        }
        if text("runbook_url") != link || docs.matches(&heading).count() != 1 {
            wrong.push(format!("{name}: its runbook is not {link}"));
        }
        shown.push(Shown {
            place: format!("alert {name}"),
            query: text("expr"),
            legend: text("description").replace("$labels.", ""),
        });
    }
    (shown, wrong)
}

/// What Prometheus adds to every series.
const ADDED: [&str; 2] = ["job", "instance"];
/// Words with an underscore that are no metric.
const FUNCTIONS: [&str; 2] = ["histogram_quantile", "label_values"];

fn mistakes(shown: &Shown, samples: &Samples, used: &mut BTreeSet<String>) -> Vec<String> {
    let metric = Regex::new(r"([a-z]+_[a-z_]+)(?:\{([^}]*)\})?").unwrap();
    let matcher = Regex::new(r#"([a-z_]+)\s*(?:=~|!=|!~|=)\s*"([^"]*)""#).unwrap();
    let grouping = Regex::new(r"(?:by|without)\s*\(([^)]*)\)").unwrap();
    let legend = Regex::new(r"\{\{\s*([a-z_]+)\s*[|}]").unwrap();
    let (mut wrong, mut labels) = (Vec::new(), BTreeSet::from(ADDED));
    // `$__rate_interval` is a word of Grafana's.
    let query = shown.query.replace("$__", "");
    for found in metric.captures_iter(&query) {
        let name = &found[1];
        if FUNCTIONS.contains(&name) || name == "rate_interval" {
            continue;
        }
        let Some(series) = samples.get(name) else {
            wrong.push(format!("{}: no metric {name}", shown.place));
            continue;
        };
        used.insert(name.to_owned());
        labels.extend(
            series
                .iter()
                .flat_map(|(l, _)| l.keys().map(String::as_str)),
        );
        let matchers = found.get(2).map_or("", |matchers| matchers.as_str());
        for asked in matcher.captures_iter(matchers) {
            let (label, values) = (&asked[1], &asked[2]);
            if ADDED.contains(&label) {
                continue;
            }
            for value in values.split('|') {
                let there = series
                    .iter()
                    .any(|(l, _)| l.get(label).is_some_and(|v| v == value));
                if !there {
                    wrong.push(format!("{}: no {name}{{{label}=\"{value}\"}}", shown.place));
                }
            }
        }
    }
    let groups = grouping.captures_iter(&query).flat_map(|found| {
        let words: Vec<String> = found[1].split(',').map(|w| w.trim().to_owned()).collect();
        words
    });
    let legends = legend
        .captures_iter(&shown.legend)
        .map(|found| found[1].to_owned());
    for word in groups.chain(legends) {
        // Of `up`, and of `$value`, nothing is known here.
        if !labels.contains(word.as_str()) {
            wrong.push(format!("{}: no label {word}", shown.place));
        }
    }
    wrong
}

/// The table of the docs, as the scrape has it.
fn table(told: &Told, samples: &Samples) -> String {
    let mut rows = String::from("| Metric | Type | Labels | What it says |\n|---|---|---|---|\n");
    for (family, kind, help) in told {
        let (name, sample) = match kind.as_str() {
            "counter" => (format!("{family}_total"), format!("{family}_total")),
            "info" => (format!("{family}_info"), format!("{family}_info")),
            "histogram" => (family.clone(), format!("{family}_count")),
            _ => (family.clone(), family.clone()),
        };
        let labels: BTreeSet<String> = samples[&sample]
            .iter()
            .flat_map(|(l, _)| l.keys().map(|l| format!("`{l}`")))
            .collect();
        let labels: Vec<String> = labels.into_iter().collect();
        let help = help.trim_end_matches('.');
        let labels = labels.join(", ");
        let _ = writeln!(rows, "| `{name}` | {kind} | {labels} | {help} |");
    }
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn dashboard_alerts_and_docs_name_what_a_running_daemon_shows() {
    let (told, samples) = read(&scrape().await);
    let (alerts, mut wrong) = alerts();
    let dashboard = dashboard();
    assert!(alerts.len() > 10 && dashboard.len() > 20, "they were read");
    let mut used = BTreeSet::new();
    for shown in alerts.iter().chain(&dashboard) {
        wrong.extend(mistakes(shown, &samples, &mut used));
    }
    for (family, ..) in &told {
        if !used.iter().any(|name| name.starts_with(family)) {
            wrong.push(format!("{family} is shown nowhere"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    // The look finds what it is for.
    let misspelt = [
        ("rate(leadgate_commit_second_bucket[5m])", ""),
        ("leadgate_leads{stge=\"held\"}", ""),
        ("leadgate_leads{stage=\"heldd\"}", ""),
        ("sum by (stages) (leadgate_leads)", ""),
        ("leadgate_leads", "{{stages}}"),
    ];
    for (query, legend) in misspelt {
        let shown = Shown {
            place: "here".into(),
            query: query.into(),
            legend: legend.into(),
        };
        assert_eq!(
            mistakes(&shown, &samples, &mut used).len(),
            1,
            "{query} {legend}"
        );
    }

    let wanted = table(&told, &samples);
    assert!(
        file("docs/operations.md").contains(&wanted),
        "docs/operations.md has another table; wanted is\n{wanted}"
    );
}
