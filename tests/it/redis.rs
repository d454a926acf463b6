//! The queue in Redis, and everything that can befall a Redis: intake goes on, every lead reaches
//! its rep, and nobody is assigned twice.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use leadgate::lead::{DeliveryState, Event, Lead, Priority, Stage, Ticket, WorkKind};

use crate::house;
use crate::mailbox::Mailbox;
use crate::process::{Home, Process, client, until};
use crate::server::{RedisServer, free_port};

/// Leads before, during and after what befalls it.
const WAVE: usize = 30;

/// A daemon with its queue in a Redis, and its mails in a mailbox.
struct Site {
    home: Home,
    mailbox: Mailbox,
    client: reqwest::Client,
    sent: usize,
}

impl Site {
    async fn new(url: &str) -> Self {
        let mailbox = Mailbox::start().await;
        let home = Home::new()
            .env("LEADGATE_QUEUE__URL", url)
            .env("LEADGATE_QUEUE__PARTITION", "it")
            .env("LEADGATE_QUEUE__DEAD_AFTER_S", "1")
            .env("LEADGATE_MAIL__TRANSPORT", "smtp")
            .env("LEADGATE_MAIL__SMTP__HOST", "127.0.0.1")
            .env("LEADGATE_MAIL__SMTP__SECURITY", "none")
            .env("LEADGATE_MAIL__SMTP__PORT", &mailbox.port.to_string());
        Self {
            home,
            mailbox,
            client: client(),
            sent: 0,
        }
    }

    /// Sends a wave, all at once; each is taken, and soon.
    async fn wave(&mut self) {
        let numbers = self.sent..self.sent + WAVE;
        self.sent += WAVE;
        let sends = numbers.map(|n| {
            let body = format!(
                r#"{{"name":"Person {n}","email":"p{n}@werk{n}.example","message":"We would like a demo, please","country":"DE"}}"#
            );
            let request = self.client.post(self.home.url("/in/website"));
            let request = request.header("content-type", "application/json").body(body);
            async move {
                let begun = Instant::now();
                let status = request.send().await.unwrap().status();
                assert!(status.is_success(), "{status}");
                assert!(begun.elapsed() < Duration::from_secs(5), "intake waited");
            }
        });
        futures_util::future::join_all(sends).await;
    }

    async fn ready(&self) -> String {
        let answer = self.client.get(self.home.url("/readyz")).send().await;
        let answer = answer.unwrap();
        assert_eq!(answer.status(), 200, "without Redis leads are taken too");
        answer.text().await.unwrap()
    }

    async fn says(&self, wanted: &str) {
        let says = until(|| async { self.ready().await.contains(wanted) });
        let bound = Duration::from_secs(30);
        let came = tokio::time::timeout(bound, says).await;
        let last = self.ready().await;
        assert!(
            came.is_ok(),
            "{last}instead of {wanted}\n{}",
            self.home.log()
        );
    }

    async fn serves(&self) {
        let serves = until(|| async { self.ready().await == "ready\n" });
        let bound = Duration::from_secs(30);
        let came = tokio::time::timeout(bound, serves).await;
        let last = self.ready().await;
        assert!(came.is_ok(), "{last}\n{}", self.home.log());
    }

    /// Every lead that was sent has one rep, who got one mail.
    async fn everything_arrived_once(&self) {
        let offered = |leads: &[Lead]| {
            let of = leads.iter().filter(|lead| lead.stage == Stage::Offered);
            of.count()
        };
        until(|| async { offered(&self.home.leads()) == self.sent }).await;
        until(|| async { self.mailbox.mails().len() >= self.sent }).await;
        let leads = self.home.leads();
        let settled = || {
            self.home.read(|ledger| {
                leads.iter().all(|lead| {
                    let deliveries = ledger.read(|r| r.deliveries(lead.seq)).unwrap();
                    deliveries.len() == 1 && deliveries[0].0.state == DeliveryState::Sent
                })
            })
        };
        until(|| async { settled() }).await;
        self.home.read(|ledger| {
            for lead in &leads {
                let history = ledger.read(|r| r.history(lead.seq)).unwrap();
                let offers = history
                    .iter()
                    .filter(|(recorded, _)| matches!(recorded.event, Event::Offered { .. }));
                assert_eq!(offers.count(), 1, "{} was assigned twice", lead.id);
            }
        });
        let mails = self.mailbox.mails();
        let ids: BTreeSet<_> = mails.iter().map(|m| m.header("Message-ID")).collect();
        assert_eq!((mails.len(), ids.len()), (self.sent, self.sent));
    }

    fn told(&self, words: &str) -> usize {
        self.home.log().matches(words).count()
    }
}

async fn standing(args: &[&str]) -> (RedisServer, Site, Process) {
    let server = RedisServer::start_with(args).await;
    let site = Site::new(&server.url()).await;
    let daemon = site.home.start().await;
    site.serves().await;
    (server, site, daemon)
}

/// After all of it: Redis serves, and nothing is left over in it.
async fn ends_well(mut site: Site, server: &RedisServer, mut daemon: Process) {
    site.serves().await;
    site.wave().await;
    site.everything_arrived_once().await;
    until(|| async { server.is_empty("it") }).await;
    assert_eq!(daemon.stop().await, Some(0), "{}", site.home.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_redis_is_done_without_and_taken_up_again_with_what_it_held() {
    let (mut server, mut site, daemon) = standing(&[]).await;
    site.wave().await;
    let told = site.told("cannot be used");
    server.kill();
    site.wave().await;
    site.says("the work goes through memory").await;
    site.everything_arrived_once().await;
    server.restart().await;
    site.serves().await;
    site.wave().await;
    let again = site.told("cannot be used") - told;
    assert_eq!(again, 1, "{}", site.home.log());
    ends_well(site, &server, daemon).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flushed_redis_is_filled_again() {
    let (server, mut site, daemon) = standing(&[]).await;
    for _ in 0..3 {
        site.wave().await;
        server.ask::<()>(&["FLUSHALL"]).unwrap();
    }
    site.wave().await;
    site.everything_arrived_once().await;
    ends_well(site, &server, daemon).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_stops_answering_holds_up_nothing_and_its_late_answers_harm_nothing() {
    let (server, mut site, daemon) = standing(&[]).await;
    site.wave().await;
    server.freeze();
    site.wave().await;
    site.says("does not answer in time").await;
    site.wave().await;
    site.everything_arrived_once().await;
    server.unfreeze();
    site.wave().await;
    ends_well(site, &server, daemon).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_comes_back_empty_is_filled_again() {
    let (mut server, mut site, daemon) = standing(&[]).await;
    site.wave().await;
    server.kill();
    server.restart_empty().await;
    site.wave().await;
    site.everything_arrived_once().await;
    ends_well(site, &server, daemon).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_without_memory_is_done_without_until_it_has_some() {
    let (server, mut site, daemon) = standing(&[]).await;
    site.wave().await;
    let limit = |bytes: &str| server.ask::<()>(&["CONFIG", "SET", "maxmemory", bytes]);
    limit("1").unwrap();
    site.wave().await;
    site.says("its memory is full (maxmemory)").await;
    site.everything_arrived_once().await;
    limit("0").unwrap();
    site.wave().await;
    assert_eq!(site.told("takes no more work"), 1, "{}", site.home.log());
    ends_well(site, &server, daemon).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_becomes_a_replica_is_done_without() {
    let (server, mut site, daemon) = standing(&[]).await;
    let nowhere = free_port().to_string();
    server
        .ask::<()>(&["REPLICAOF", "127.0.0.1", &nowhere])
        .unwrap();
    site.wave().await;
    site.says("it is a replica").await;
    site.everything_arrived_once().await;
    server.ask::<()>(&["REPLICAOF", "NO", "ONE"]).unwrap();
    ends_well(site, &server, daemon).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_daemon_starts_without_redis_and_dies_with_it_without_losing_anything() {
    let port = free_port();
    let mut site = Site::new(&format!("redis://127.0.0.1:{port}")).await;
    let daemon = site.home.start().await;
    site.says("nothing listens there; the work goes through memory")
        .await;
    site.wave().await;
    site.everything_arrived_once().await;
    let mut server = RedisServer::start_in(tempfile::tempdir().unwrap(), port, &[]).await;
    site.serves().await;
    assert_eq!(site.told("cannot be used"), 1, "{}", site.home.log());
    site.wave().await;
    daemon.kill().await;
    server.kill();
    let daemon = site.home.start().await;
    site.wave().await;
    server.restart().await;
    ends_well(site, &server, daemon).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_settings_are_named_and_the_password_is_not() {
    let server = RedisServer::start_with(&["--maxmemory-policy", "allkeys-lru"]).await;
    let mut site = Site::new(&server.url()).await;
    let mut daemon = site.home.start().await;
    site.says("maxmemory-policy is allkeys-lru, so it may throw work away; wanted is noeviction")
        .await;
    site.wave().await;
    site.everything_arrived_once().await;
    assert_eq!(daemon.stop().await, Some(0));
    let url = format!("redis://worker:hu-sh@127.0.0.1:{}/1", server.port);
    let mut site = Site::new(&url).await;
    let mut daemon = site.home.start().await;
    site.says("refuses the user or the password").await;
    site.wave().await;
    site.everything_arrived_once().await;
    assert_eq!(daemon.stop().await, Some(0));
    assert!(!site.home.log().contains("hu-sh"), "{}", site.home.log());
}

/// The rule of docs/operations.md for a user who may do what the queue needs and no more.
fn documented_rule() -> String {
    let docs = include_str!("../../docs/operations.md");
    let mut lines = docs.lines().map(str::trim);
    let rule = lines.find(|line| line.starts_with("user leadgate on"));
    rule.expect("the rule stands in docs/operations.md")
        .to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documented_rule_lets_its_user_do_all_that_the_queue_needs() {
    let dir = tempfile::tempdir().unwrap();
    let acl = dir.path().join("users.acl");
    let rules = format!(
        "user default on nopass ~* &* +@all\n{}\n",
        documented_rule()
    );
    std::fs::write(&acl, rules.replace("PASSWORD", "s3cret")).unwrap();
    let acl = acl.display().to_string();
    let server = RedisServer::start_in(dir, free_port(), &["--aclfile", &acl]).await;
    let url = format!("redis://leadgate:s3cret@127.0.0.1:{}/2", server.port);
    let mut site = Site::new(&url).await;
    let mut daemon = site.home.start().await;
    site.serves().await;
    site.wave().await;
    site.everything_arrived_once().await;
    daemon.kill().await;
    daemon = site.home.start().await;
    site.serves().await;
    site.wave().await;
    site.everything_arrived_once().await;
    assert_eq!(daemon.stop().await, Some(0));
    let denied: Vec<String> = server
        .ask(&["ACL", "LOG"])
        .map(|log: Vec<redis::Value>| log.iter().map(|entry| format!("{entry:?}")).collect())
        .unwrap();
    // The client library names itself, and goes on where it may not.
    let denied: Vec<_> = denied
        .iter()
        .filter(|d| !d.contains("client|setinfo"))
        .collect();
    assert!(denied.is_empty(), "{denied:?}");
    assert_eq!(site.told("cannot be used"), 0, "{}", site.home.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls_the_servers_certificate_must_be_signed_by_the_named_authority() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).display().to_string();
    let (key, cert, other) = (at("key.pem"), at("cert.pem"), at("other.pem"));
    for (key, cert) in [(&key, &cert), (&at("other.key"), &other)] {
        let made = std::process::Command::new("openssl")
            .args([
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650",
            ])
            .args([
                "-subj",
                "/CN=localhost",
                "-addext",
                "subjectAltName=DNS:localhost",
            ])
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .args(["-keyout", key, "-out", cert])
            .output();
        let hint = "is it installed? apt-get install -y openssl";
        let made = made.unwrap_or_else(|error| panic!("openssl: {error}; {hint}"));
        assert!(made.status.success(), "{made:?}");
    }
    let tls_port = free_port();
    let port = tls_port.to_string();
    let tls = ["--tls-port", &port, "--tls-auth-clients", "no"];
    let files = ["--tls-cert-file", &cert, "--tls-key-file", &key];
    let more = ["--tls-ca-cert-file", &cert];
    let args: Vec<&str> = tls.into_iter().chain(files).chain(more).collect();
    let server = RedisServer::start_with(&args).await;
    let url = format!("rediss://localhost:{tls_port}");
    let mut site = Site::new(&url).await;
    site.home = site.home.env("LEADGATE_QUEUE__CA_FILE", &cert);
    let mut daemon = site.home.start().await;
    site.serves().await;
    site.wave().await;
    site.everything_arrived_once().await;
    assert_eq!(daemon.stop().await, Some(0));
    until(|| async { server.is_empty("it") }).await;
    site.home = site.home.env("LEADGATE_QUEUE__CA_FILE", &other);
    let _daemon = site.home.start().await;
    site.says("certificate").await;
}

#[tokio::test]
async fn in_a_house_with_redis_the_work_comes_to_rest_as_with_memory() {
    let server = RedisServer::start().await;
    let plan = house::plan().env("LEADGATE_QUEUE__URL", &server.url());
    let house = plan.build().await;
    let flow = house.daemon.flow().clone();
    until(|| async { flow.queue.is_connected() }).await;
    for n in 0..3 {
        house.lead(n).await;
    }
    let due = || {
        let all = [Priority::Hot, Priority::Normal, Priority::Low];
        let now = house.clock.now();
        let of = |p| flow.ledger.read(|r| r.due((WorkKind::Assign, p), now, 9));
        all.into_iter().flat_map(|p| of(p).unwrap()).collect()
    };
    until(|| async { flow.undecided() == 0 }).await;
    let old: Vec<Ticket> = due();
    assert_eq!(old.len(), 3);
    house.work().await;
    assert_eq!(house.mailbox.mails().len(), 3);
    // Tickets that come once more, as a restored Redis may give them out, do nothing.
    flow.queue.push(&old);
    house.work().await;
    assert_eq!(house.mailbox.mails().len(), 3);
    assert!(
        house
            .leads()
            .iter()
            .all(|lead| lead.stage == Stage::Offered)
    );
    assert_eq!(flow.queue.depth(), (0, 0));
    house.daemon.stop().await;
    let keys: Vec<String> = server.ask(&["KEYS", "*"]).unwrap();
    assert!(
        keys.iter()
            .all(|key| key.starts_with("lg1:{") && !key.contains("suite")),
        "{keys:?}"
    );
}
