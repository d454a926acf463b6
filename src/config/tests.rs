//! What the configuration promises.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::clock::{HOUR, MINUTE, SECOND};
use crate::deliver::settings::Security;
use crate::deliver::settings::Transport;
use crate::queue;

type Env = BTreeMap<String, String>;

fn env(pairs: &[(&str, &str)]) -> Env {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect()
}

/// A folder with `leadgate.toml` of that text.
fn folder(text: &str) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("leadgate.toml");
    fs::write(&path, text).unwrap();
    (dir, path)
}

fn load(text: &str, pairs: &[(&str, &str)]) -> Result<Config, Vec<String>> {
    let (_dir, path) = folder(text);
    let shown = format!("{}:", path.display());
    Config::load_with(&path, &env(pairs)).map_err(|problems| {
        let lines = problems.iter().map(Problem::one_line);
        lines.map(|line| line.replace(&shown, "L:")).collect()
    })
}

fn shipped() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("config/leadgate.toml")
}

#[test]
fn the_shipped_file_says_what_holds_without_it() {
    let shipped = Config::load_with(&shipped(), &Env::new()).unwrap();
    let (_dir, path) = folder("");
    let mut empty = Config::load_with(&path, &Env::new()).unwrap();
    let base = path.parent().unwrap();
    assert_eq!(empty.policy.rules, base.join("../rules"));
    assert_eq!(empty.policy.sources, base.join("sources.toml"));
    empty.policy = shipped.policy.clone();
    assert_eq!(format!("{shipped:#?}"), format!("{empty:#?}"));
    assert_eq!(shipped.server, Server::default());
    assert_eq!(shipped.flow.held_alarm_after_ms, 4 * HOUR);
    let Transport::Outbox(outbox) = &shipped.mail.transport else {
        panic!("an outbox");
    };
    assert_eq!(outbox, &PathBuf::from("leadgate-data/outbox"));
}

#[test]
fn every_problem_comes_at_once_with_its_line() {
    let text = "\
secret_key = \"short\"
[server]
listn = \"x\"
listen = \"8080\"
public_url = \"ftp://x\"
workers = \"many\"
[mail]
transport = \"smtp\"
from = \"Sales\"
alarm_to = [\"ops@x.example\", \"nobody\"]
[mail.smtp]
host = \"smtp.x.example\"
security = \"none\"
username = \"u\"
password = \"env:NO_SUCH\"
[intake]
trusted_proxies = [\"10.0.0.0/8\", \"10.0.0.0/99\"]
[outbound]
allow_private = [\"10.1.0.0/16\", \"169.254.169.254\"]
[queue]
url = \"redis://hush@x\"
[log]
level = \"loud\"
[stroage]
";
    let lines = load(
        text,
        &[
            ("LEADGATE_FLOW__QUEUE_WINDOW", "few"),
            ("LEADGATE_FLOW__DEFAULT_POOOL", "x"),
            ("LEADGATE_CONFIG", "of the command line"),
        ],
    );
    assert_eq!(
        lines.unwrap_err(),
        [
            "L:1: secret_key has 5 characters; wanted are at least 32",
            "L:4: server.listen is \"8080\"; wanted is an address with a port, like \"127.0.0.1:8080\" or \"[::]:8080\"",
            "L:5: server.public_url begins with \"ftp:\"; wanted is for example \"https://leads.example.com\"",
            "L:6: server.workers is of type string; wanted is a whole number",
            "L:3: unknown key `server.listn`",
            "L:17: intake.trusted_proxies has \"10.0.0.0/99\"; wanted is an address block like \"10.0.0.0/8\"",
            "L:15: mail.smtp.password: the environment variable NO_SUCH is not set",
            "L:13: mail.smtp.security is \"none\", so leads would cross the network in plain text",
            "L:9: mail.from holds no e-mail address; wanted is \"Name <name@example.com>\"",
            "L:10: mail.alarm_to: entry 2 is no e-mail address",
            "L:19: outbound.allow_private has 169.254.169.254/32, which is never reached: link-local, where clouds keep their metadata",
            "environment: LEADGATE_FLOW__QUEUE_WINDOW: flow.queue_window is few; wanted is a number from 100 to 10000000",
            "L:21: queue.url has a user without a password; wanted is \"memory\" or for example \"redis://user:password@host:6379/0\"",
            "L:23: log.level is \"loud\"; wanted is one of \"error\", \"warn\", \"info\", \"debug\", \"trace\"",
            "L:24: unknown key `stroage`",
            "environment: LEADGATE_FLOW__DEFAULT_POOOL names no key",
        ]
    );
}

#[test]
fn the_environment_stands_above_the_file() {
    let text =
        "[server]\nlisten = \"127.0.0.1:1\"\nshutdown_timeout_s = 5\n[mail]\ntimeout_s = 7\n";
    let key = "k".repeat(40);
    let config = load(
        text,
        &[
            ("LEADGATE_SERVER__LISTEN", "0.0.0.0:9000"),
            ("LEADGATE_STORAGE__DATA_DIR", "/var/lib/leadgate"),
            ("LEADGATE_MAIL__TRANSPORT", "smtp"),
            ("LEADGATE_MAIL__ALARM_TO", "a@x.example, b@x.example"),
            ("LEADGATE_MAIL__SMTP__HOST", "mail.x.example"),
            ("LEADGATE_MAIL__SMTP__SECURITY", "tls"),
            ("LEADGATE_MAIL__SMTP__USERNAME", "u"),
            ("LEADGATE_MAIL__SMTP__PASSWORD", "env:SMTP"),
            ("LEADGATE_SECRET_KEY", &key),
            ("SMTP", "hush"),
        ],
    )
    .unwrap();
    // Nothing says what it is called outside, so it is named as this machine sees it.
    assert_eq!(config.server.public_url, "http://127.0.0.1:9000");
    assert_eq!(config.server.shutdown_timeout_ms, 5 * SECOND);
    assert_eq!(config.storage.data_dir, PathBuf::from("/var/lib/leadgate"));
    assert_eq!(config.mail.timeout_ms, 7 * SECOND);
    assert_eq!(config.mail.undelivered_after_ms, 5 * MINUTE);
    assert_eq!(config.mail.alarm_to, ["a@x.example", "b@x.example"]);
    let Transport::Smtp(smtp) = &config.mail.transport else {
        panic!("a server");
    };
    assert_eq!((smtp.port, smtp.security), (465, Security::Tls));
    assert_eq!(smtp.password.expose(), "hush");
    assert_eq!(config.secret_key.as_ref().unwrap().expose(), key);
    let shown = format!("{config:?}");
    assert!(!shown.contains("hush") && !shown.contains(&key), "{shown}");
}

#[test]
fn a_port_that_is_not_known_yet_is_named_once_it_is() {
    let config = load("[server]\nlisten = \"127.0.0.1:0\"\n", &[]).unwrap();
    assert_eq!(config.server.public_url, "");
    let bound = "127.0.0.1:4711".parse().unwrap();
    assert_eq!(config.server.url_at(bound), "http://127.0.0.1:4711");
}

#[test]
fn metrics_are_off_until_they_have_an_address() {
    let at = |text: &str| {
        let text = format!("[server]\nmetrics_listen = \"{text}\"\n");
        load(&text, &[]).map(|config| config.server.metrics_listen)
    };
    assert_eq!(at(""), Ok(None));
    let local = "127.0.0.1:9464".parse().unwrap();
    assert_eq!(at("127.0.0.1:9464"), Ok(Some(local)));
    let wanted = "wanted is an address with a port, like \"127.0.0.1:9464\" or \"[::]:9464\"";
    let refused = format!("L:2: server.metrics_listen is \"9464\"; {wanted}");
    assert_eq!(at("9464"), Err(vec![refused]));
}

#[test]
fn mail_without_protection_stays_on_this_machine() {
    let hosts = [
        ("localhost", true),
        ("127.0.0.1", true),
        ("::1", true),
        ("[::1]", true),
        ("127.0.0.1.evil.example", false),
        ("10.0.0.1", false),
    ];
    for (host, allowed) in hosts {
        let smtp = format!("[mail.smtp]\nhost = \"{host}\"\nsecurity = \"none\"\n");
        let text = format!("[mail]\ntransport = \"smtp\"\n{smtp}");
        assert_eq!(load(&text, &[]).is_ok(), allowed, "{host}");
    }
}

#[test]
fn the_sender_is_one_mailbox() {
    let senders = [
        ("Sales <sales@x.example>", true),
        ("sales@x.example", true),
        (r#"\"Sales, EU\" <sales@x.example>"#, true),
        ("Sales, EU <sales@x.example>", false),
        ("Sales <sales@x>", false),
        (r"Sales <sales@x.example>\r\nBcc: <e@x.example>", false),
        ("", false),
    ];
    for (sender, allowed) in senders {
        let text = format!("[mail]\nfrom = \"{sender}\"\n");
        assert_eq!(load(&text, &[]).is_ok(), allowed, "{sender}");
    }
}

#[test]
fn a_secret_is_a_reference_or_itself() {
    let (dir, _) = folder("");
    fs::write(dir.path().join("key"), "from a file\r\n").unwrap();
    fs::write(dir.path().join("blank"), "\n").unwrap();
    let absolute = format!("file:{}", dir.path().join("key").display());
    let env = env(&[("KEY", "from there"), ("NONE", "")]);
    let cases = [
        ("plain", Ok("plain")),
        ("", Ok("")),
        ("env:KEY", Ok("from there")),
        ("env:NONE", Err("the environment variable NONE is empty")),
        ("env:GONE", Err("the environment variable GONE is not set")),
        ("file:key", Ok("from a file")),
        (&absolute, Ok("from a file")),
        ("file:blank", Err("the secret's file blank is empty")),
        (
            "file:gone",
            Err("the secret's file gone: there is no such file"),
        ),
    ];
    for (reference, wanted) in cases {
        let found = secret(reference, dir.path(), &env);
        let found = found.as_ref().map(Secret::expose).map_err(String::as_str);
        assert_eq!(found, wanted, "{reference}");
    }
}

#[test]
fn a_policy_is_read_whole_or_every_fault_is_told() {
    let (dir, path) = folder("[policy]\nrules = \"rules\"\n");
    let config = Config::load_with(&path, &Env::new()).unwrap();
    let put = |name: &str, text: &[u8]| {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let files = [
        "rules/grade.rhai",
        "rules/grade.rhai~",
        "rules/.grade.rhai.swp",
        "rules/lib/words.rhai",
        "rules/lists/competitors.txt",
        "rules/samples/good.toml",
        "rules/notes.md",
        "sources.toml",
        "templates/mail.html",
        "templates/mail.txt",
    ];
    for name in files {
        put(name, name.as_bytes());
    }
    put("rules/screen.rhai", b"\xff");
    put("rules/lib/long.rhai", &vec![b' '; 64 * 1024 + 1]);
    let strip = |problem: &Problem| {
        let line = problem.one_line();
        line.replace(&format!("{}/", dir.path().display()), "")
    };
    let problems = read_policy(&config.policy).unwrap_err();
    assert_eq!(
        problems.iter().map(strip).collect::<Vec<_>>(),
        [
            "rules/screen.rhai: is no UTF-8 text",
            "rules/lib/long.rhai: is longer than 64 KiB",
            "reps.toml: there is no such file",
        ]
    );
    put("rules/screen.rhai", b"");
    put("rules/lib/long.rhai", b"");
    put("reps.toml", b"reps");
    let read = read_policy(&config.policy).unwrap();
    assert_eq!(
        read.rules.keys().collect::<Vec<_>>(),
        [
            "grade.rhai",
            "lib/long.rhai",
            "lib/words.rhai",
            "lists/competitors.txt",
            "samples/good.toml",
            "screen.rhai",
        ]
    );
    assert_eq!(
        read.templates.keys().collect::<Vec<_>>(),
        ["mail.html", "mail.txt"]
    );
    assert_eq!(read.reps.1, "reps");
    assert!(read.sources.0.ends_with("sources.toml"));
}

#[test]
fn an_absent_file_says_how_to_name_one() {
    let problems = Config::load_with(&PathBuf::from("no/such.toml"), &Env::new()).unwrap_err();
    let lines: Vec<_> = problems.iter().map(Problem::one_line).collect();
    assert_eq!(lines, ["no/such.toml: there is no such file"]);
    assert!(problems.iter().all(|p| p.hint.is_some()));
}

#[test]
fn a_redis_is_named_by_a_secret_and_the_shipped_file_says_what_else_holds() {
    let url = "rediss://worker:hush@redis.example:7000/2";
    let (dir, path) = folder("[queue]\nurl = \"file:url\"\nca_file = \"ca.pem\"\n");
    fs::write(dir.path().join("url"), format!("{url}\n")).unwrap();
    fs::write(dir.path().join("ca.pem"), "PEM").unwrap();
    let config = Config::load_with(&path, &Env::new()).unwrap();
    let queue::Settings::Redis(redis) = &config.queue else {
        panic!("a queue in Redis");
    };
    assert_eq!(redis.url.expose(), url);
    assert_eq!(redis.ca.as_deref(), Some("PEM"));
    assert!(!format!("{config:?}").contains("hush"));
    let shipped = Config::load_with(&shipped(), &env(&[("LEADGATE_QUEUE__URL", url)])).unwrap();
    let defaults = queue::settings::RedisSettings {
        url: redis.url.clone(),
        ..Default::default()
    };
    assert_eq!(shipped.queue, queue::Settings::Redis(defaults));
    let wrong = "[queue]\nurl = \"env:NO_SUCH\"\npartition = \"a b\"\nca_file = \"none.pem\"\n\
                 dead_after_s = 0\n";
    assert_eq!(
        load(wrong, &[]).unwrap_err(),
        [
            "L:2: queue.url: the environment variable NO_SUCH is not set",
            "L:5: queue.dead_after_s is 0; wanted is a number from 1 to 3600",
            "L:3: queue.partition is \"a b\"; wanted are up to 40 letters, digits, \"-\", \"_\" and \".\"",
            "L:4: queue.ca_file none.pem: there is no such file",
        ]
    );
}
