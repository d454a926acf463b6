//! How long the shipped rules take for one lead on one core, with the full trace. Prints the median
//! over made-up leads, and for comparison rules that hold nothing but what they must.

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::cast_precision_loss,
    reason = "a benchmark prints its figures and ends where it cannot go on"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use leadgate::lead::{Attribution, Email, Facts, Fields, Inquiry, Phone, Verdict};
use leadgate::rules::{Asked, Known, Rulebook, Texts};

// As in the daemon.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const LEADS: usize = 512;
const BATCHES: usize = 80;
const RECEIVED_AT: i64 = 1_772_539_200_000;

fn main() {
    let leads: Vec<Inquiry> = (0..LEADS).map(made_up).collect();
    let shipped = book(&texts_of(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("rules"),
    ));
    let bare = [
        ("screen.rhai", ""),
        ("grade.rhai", "grade \"A\";"),
        ("route.rhai", "route \"inbound\";"),
    ];
    let bare = bare.map(|(name, text)| (name.to_owned(), text.to_owned()));
    report("two lines that always apply", &book(&bare.into()), &leads);
    report("the shipped rules", &shipped, &leads);
}

fn book(texts: &Texts) -> Rulebook {
    let pools: BTreeSet<String> = ["enterprise", "dach", "inbound"].map(String::from).into();
    let known = Known {
        pools: &pools,
        default_grade: "",
        default_pool: "",
    };
    Rulebook::load(texts, &known).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

fn report(name: &str, book: &Rulebook, leads: &[Inquiry]) {
    let facts = Facts::default();
    let decide = |inquiry| {
        book.decide(&Asked {
            inquiry,
            source: "form",
            received_at: RECEIVED_AT,
            facts: &facts,
            overruled: None,
        })
    };
    let (mut passed, mut accepted) = (0, 0);
    for lead in leads {
        let decided = decide(lead);
        passed += decided.trace.0.len();
        accepted += usize::from(matches!(decided.verdict, Verdict::Accepted { .. }));
    }
    let mut batches: Vec<Duration> = (0..BATCHES)
        .map(|_| {
            let start = Instant::now();
            for lead in leads {
                black_box(decide(black_box(lead)));
            }
            start.elapsed()
        })
        .collect();
    batches.sort();
    let micros = |at: usize| batches[at].as_secs_f64() * 1e6 / LEADS as f64;
    println!(
        "{name}: {:.2} µs a lead (best {:.2}), {:.1} lines passed on average, {accepted} of {LEADS} accepted",
        micros(BATCHES / 2),
        micros(0),
        passed as f64 / LEADS as f64,
    );
}

fn texts_of(root: &Path) -> Texts {
    let mut texts = BTreeMap::new();
    let mut open: Vec<PathBuf> = vec![root.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(dir).expect("the rules folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let name = path.strip_prefix(root).expect("below the root");
            let text = std::fs::read_to_string(&path).expect("a text");
            texts.insert(name.to_string_lossy().into_owned(), text);
        }
    }
    texts
}

/// Leads as forms give them: most are people, a few are spam.
fn made_up(n: usize) -> Inquiry {
    let pick = |of: &[&str]| of[n % of.len()].to_owned();
    let country = pick(&["DE", "US", "FR", "AT", "GB"]);
    let domain = pick(&["acme.example", "gmail.com", "northwind.example", "web.de"]);
    let message = pick(&[
        "Hello, we are looking for a tool that helps our sales team to answer faster. Could you show us a demo next week? We are about forty people in three offices and currently use spreadsheets.",
        "Bitte schicken Sie uns ein Angebot für 25 Arbeitsplätze.",
        "What does it cost?",
        "Hi, I would like to know whether your product works with our CRM, and how long the introduction usually takes. Thank you!",
        "We offer cheap SEO services and backlinks for your website.",
        "Please call me back, it is urgent.",
    ]);
    let fields = Fields {
        name: Some(format!(
            "{} {}",
            pick(&["Ana", "Jürgen", "Lee"]),
            pick(&["Díaz", "Müller", "Okafor", "Wong"])
        )),
        first_name: Some(pick(&["Ana", "Jürgen", "Lee"])),
        last_name: Some(pick(&["Díaz", "Müller", "Okafor", "Wong"])),
        email: Some(Email::parse(&format!("person{n}@{domain}"))),
        phone: Some(Phone::parse("+49 30 901820", Some(&country))),
        company: Some(pick(&["Acme GmbH", "Northwind Ltd", "Example SAS"])),
        job_title: Some(pick(&["Head of Sales", "Office manager", "Student", "CEO"])),
        city: Some(pick(&["Berlin", "Austin", "Lyon"])),
        country: Some(country),
        message: Some(message),
        other: [
            ("employees", pick(&["1-10", "50-200", "1.000+"])),
            ("budget", pick(&["10k", "80.000 €"])),
        ]
        .map(|(name, value)| (name.to_owned(), vec![value]))
        .into(),
        ..Fields::default()
    };
    let attribution = [
        ("utm_source", "google"),
        ("utm_medium", "cpc"),
        ("utm_campaign", "brand"),
        ("gclid", "example"),
        ("landing_page", "https://www.example.com/offer"),
    ];
    Inquiry {
        fields,
        attribution: Attribution(
            attribution
                .map(|(k, v)| (k.to_owned(), v.to_owned()))
                .into(),
        ),
        ..Inquiry::default()
    }
}
