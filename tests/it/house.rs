//! A whole daemon in the test's process, with time set by hand: files in a folder of its own, real
//! HTTP, a real ledger.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use leadgate::clock::Clock;
use leadgate::config::Config;
use leadgate::daemon::{Daemon, Standing};
use leadgate::flow::Command;
use leadgate::flow::command::{self, Context};
use leadgate::lead::{Actor, Lead, history_line};
use leadgate::ledger::reads::Filter;

use crate::mailbox::Mailbox;

/// Tuesday, 24 November 2026, 10:00 in Berlin.
pub(crate) const TUESDAY: i64 = 1_795_510_800_000;

pub(crate) const REPS: &str = r#"
[reps.ana]
name = "Ana"
email = "ana@sales.example.com"
zone = "Europe/Berlin"
hours = ["mon-fri 09:00-17:00"]
[reps.ben]
name = "Ben"
email = "ben@sales.example.com"
zone = "Europe/Berlin"
hours = ["mon-fri 09:00-17:00"]
[pools.main]
members = ["ana", "ben"]
"#;

pub(crate) const SOURCES: &str = r#"
[form]
adapter = "form"
country = "DE"
[hook]
adapter = "webhook"
auth = "bearer"
key = "k3y"
answer = "verdict"
verdict_wait_ms = 5000
"#;

pub(crate) struct House {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) clock: Clock,
    pub(crate) mailbox: Mailbox,
    pub(crate) daemon: Standing,
    pub(crate) client: reqwest::Client,
    env: BTreeMap<String, String>,
}

/// The files of a house before it is built.
pub(crate) struct Plan {
    files: BTreeMap<String, String>,
    env: BTreeMap<String, String>,
}

pub(crate) fn plan() -> Plan {
    let files = [
        (
            "rules/screen.rhai",
            "reject \"no contact\" when !lead.has_email && !lead.has_phone;\n",
        ),
        (
            "rules/grade.rhai",
            "score 10 \"company\" when lead.has_company;\ngrade \"A\" when points >= 10;\ngrade \"B\";\n",
        ),
        ("rules/route.rhai", "route \"main\";\n"),
        ("config/reps.toml", REPS),
        ("config/sources.toml", SOURCES),
    ];
    let env = [
        ("LEADGATE_SERVER__LISTEN", "127.0.0.1:0"),
        ("LEADGATE_MAIL__TRANSPORT", "smtp"),
    ];
    let owned = |(name, text): (&str, &str)| (name.to_owned(), text.to_owned());
    Plan {
        files: files.map(owned).into(),
        env: env.map(owned).into(),
    }
}

impl Plan {
    pub(crate) fn file(mut self, name: &str, text: &str) -> Self {
        self.files.insert(name.to_owned(), text.to_owned());
        self
    }

    pub(crate) fn env(mut self, name: &str, text: &str) -> Self {
        self.env.insert(name.to_owned(), text.to_owned());
        self
    }

    pub(crate) async fn build(self) -> House {
        let (house, daemon) = self.daemon().await;
        house.with(daemon.serve_only())
    }

    /// A daemon that is not run yet, and the house around it.
    pub(crate) async fn daemon(mut self) -> (Shell, Daemon) {
        let dir = tempfile::tempdir().unwrap();
        let mailbox = Mailbox::start().await;
        for (name, text) in &self.files {
            write(dir.path(), name, text);
        }
        std::fs::create_dir_all(dir.path().join("config/templates")).unwrap();
        let mut set = |name: &str, value: String| self.env.insert(name.to_owned(), value);
        set("LEADGATE_MAIL__SMTP__HOST", "127.0.0.1".into());
        set("LEADGATE_MAIL__SMTP__SECURITY", "none".into());
        set("LEADGATE_MAIL__SMTP__PORT", mailbox.port.to_string());
        set(
            "LEADGATE_STORAGE__DATA_DIR",
            dir.path().join("data").display().to_string(),
        );
        let config = write(dir.path(), "config/leadgate.toml", "");
        let config = Config::load_with(&config, &self.env).expect("the test's configuration");
        let clock = Clock::by_hand(TUESDAY);
        let daemon = Daemon::build_with(config, clock.clone()).expect("the daemon");
        let env = self.env;
        let shell = Shell {
            dir,
            clock,
            mailbox,
            env,
        };
        (shell, daemon)
    }
}

/// What stands around a daemon.
pub(crate) struct Shell {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) clock: Clock,
    pub(crate) mailbox: Mailbox,
    env: BTreeMap<String, String>,
}

impl Shell {
    fn with(self, daemon: Standing) -> House {
        House {
            dir: self.dir,
            clock: self.clock,
            mailbox: self.mailbox,
            env: self.env,
            daemon,
            client: client(),
        }
    }
}

pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .unwrap()
}

fn write(dir: &Path, name: &str, text: &str) -> PathBuf {
    let path = dir.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    path
}

impl House {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.daemon.address())
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        write(self.dir.path(), name, text);
    }

    /// Posts to a source with its key.
    pub(crate) async fn post(&self, source: &str, body: &str) -> (u16, serde_json::Value) {
        let answer = self
            .client
            .post(self.url(&format!("/in/{source}")))
            .header("content-type", "application/json")
            .header("authorization", "Bearer k3y")
            .body(body.to_owned())
            .send()
            .await
            .unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or_default())
    }

    /// A good lead by the form; its name.
    pub(crate) async fn lead(&self, n: u32) -> String {
        let body =
            format!(r#"{{"name":"Person {n}","email":"p{n}@werk.example","company":"Werk {n}"}}"#);
        let (status, answer) = self.post("form", &body).await;
        assert_eq!(status, 202);
        answer["receipt"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn work(&self) {
        let work = self.daemon.work_until_idle();
        let bound = std::time::Duration::from_mins(1);
        tokio::time::timeout(bound, work)
            .await
            .expect("it comes to rest")
            .unwrap();
    }

    /// Lets time pass, and does what is due then.
    pub(crate) async fn pass(&self, ms: i64) {
        self.clock.advance(ms);
        self.work().await;
    }

    pub(crate) fn find(&self, id: &str) -> Lead {
        self.daemon
            .flow()
            .ledger
            .read(|r| r.lead_named(id))
            .unwrap()
    }

    pub(crate) fn leads(&self) -> Vec<Lead> {
        let all = Filter {
            tests: true,
            ..Filter::default()
        };
        self.daemon
            .flow()
            .ledger
            .read(|r| r.list(&all, 10_000))
            .unwrap()
    }

    /// The history as people read it.
    pub(crate) fn line(&self, id: &str) -> String {
        let seq = self.find(id).seq;
        let history = self.daemon.flow().ledger.read(|r| r.history(seq)).unwrap();
        let history: Vec<_> = history.into_iter().map(|(recorded, _)| recorded).collect();
        history_line(&history)
    }

    /// What a person does at the command line.
    pub(crate) fn command(
        &self,
        id: &str,
        command: Command,
    ) -> Result<(), leadgate::ledger::Fault> {
        let flow = self.daemon.flow();
        let seq = self.find(id).seq;
        let context = Context::shared(
            flow.policy(),
            self.clock.now(),
            &leadgate::flow::Settings::default(),
            &leadgate::deliver::Settings::default(),
        );
        let actor = Actor::Person("kim".into());
        flow.ledger
            .write_blocking(move |tx| command::apply(tx, &context, seq, &command, &actor))
            .map(|_| ())
    }

    /// A command of the program beside the daemon: exit code, and what it printed.
    pub(crate) fn run(&self, words: &[&str]) -> (Option<i32>, String) {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_leadgate"))
            .args(words)
            .envs(&self.env)
            .env(
                "LEADGATE_CONFIG",
                self.dir.path().join("config/leadgate.toml"),
            )
            .output()
            .unwrap();
        let printed = [output.stdout, output.stderr].concat();
        let printed = String::from_utf8_lossy(&printed).into_owned();
        (output.status.code(), printed)
    }

    /// The links of the mails that were taken, the latest last.
    pub(crate) fn links(&self) -> Vec<String> {
        let link = regex::Regex::new(r"http://127\.0\.0\.1:\d+/r/[A-Za-z0-9_-]+").unwrap();
        let mails = self.mailbox.mails();
        let plain = mails.iter().map(|mail| mail.raw.replace("=\r\n", ""));
        plain
            .filter_map(|raw| link.find(&raw).map(|found| found.as_str().to_owned()))
            .collect()
    }

    pub(crate) async fn get(&self, url: &str) -> (u16, String) {
        let answer = self.client.get(url).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    pub(crate) async fn act(&self, url: &str, form: &str) -> (u16, String) {
        let answer = self
            .client
            .post(url)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.to_owned())
            .send()
            .await
            .unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}
