//! The e-mail channel against a real SMTP server, and into a folder.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use leadgate::clock::{MINUTE, Millis, SECOND};
use leadgate::deliver::settings::{Security, Settings, Smtp, Transport};
use leadgate::deliver::{AlarmMail, Deliverer, Endpoints, Notice, SendResult, Templates};
use leadgate::lead::{Attribution, Email, Fields, LeadId, Phone};
use leadgate::outbound::Outbound;
use leadgate::secret::Secret;

use crate::house::plan;
use crate::mailbox::{Behaviour, Mailbox};

pub(crate) const REP: &str = "rosa.rep@sales.example";
const RECEIVED: Millis = 1_795_000_000_000;
/// Enough for an exchange on this machine, short for one that hangs.
const TIMEOUT: Millis = 1_500;

pub(crate) fn notice() -> Notice {
    Notice {
        delivery: 7,
        lead_id: LeadId::new(RECEIVED),
        assignment: 1,
        attempt: 1,
        rep: "rosa".into(),
        rep_name: "Rosa Rep".into(),
        rep_email: REP.into(),
        endpoint: None,
        received_at: RECEIVED,
        offered_at: RECEIVED + MINUTE,
        zone: "Europe/Berlin".into(),
        now: RECEIVED + 2 * MINUTE,
        source: "website".into(),
        grade: "A".into(),
        points: 50,
        pool: "dach".into(),
        fields: Fields {
            name: Some("Ana Díaz".into()),
            email: Some(Email::parse("ana@acme.example")),
            phone: Some(Phone::parse("+49 30 901820", None)),
            company: Some("Acme GmbH".into()),
            message: Some("We would like to see a demo.".into()),
            ..Fields::default()
        },
        attribution: Attribution::default(),
        why: vec![
            (30, "asked for a demo".into()),
            (20, "company e-mail".into()),
        ],
        route: "dach: German speaking".into(),
        seen_times: 0,
        deadline: None,
        link: "https://leads.example/r/token".into(),
    }
}

fn settings(transport: Transport) -> Settings {
    // The daemon does the same; a second call finds the provider there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Settings {
        transport,
        from: "leadgate <leads@leads.example>".into(),
        alarm_to: vec!["ops@leads.example".into()],
        timeout_ms: TIMEOUT,
        ..Settings::default()
    }
}

fn smtp(port: u16, security: Security) -> Smtp {
    Smtp {
        host: "127.0.0.1".into(),
        port,
        security,
        username: String::new(),
        password: Secret::default(),
    }
}

pub(crate) fn outbound() -> Outbound {
    Outbound::new(vec!["127.0.0.0/8".parse().unwrap()]).unwrap()
}

fn by_smtp(smtp: Smtp) -> Deliverer {
    deliverer(&settings(Transport::Smtp(smtp))).unwrap()
}

/// To a server on this machine.
pub(crate) fn by_port(port: u16) -> Deliverer {
    by_smtp(smtp(port, Security::None))
}

fn deliverer(settings: &Settings) -> anyhow::Result<Deliverer> {
    Deliverer::new(settings, "leads.example", outbound())
}

fn shipped() -> Templates {
    Templates::load(&BTreeMap::new(), &Endpoints::default())
        .unwrap_or_else(|problems| panic!("{problems:?}"))
}

pub(crate) async fn send(deliverer: &Deliverer, notice: &Notice) -> SendResult {
    deliverer.send("email", notice, &shipped()).await
}

/// A server that takes mail, and the way to it.
pub(crate) async fn taking() -> (Mailbox, Deliverer) {
    let mailbox = Mailbox::start().await;
    let deliverer = by_smtp(smtp(mailbox.port, Security::None));
    (mailbox, deliverer)
}

/// The result in a word and its reason.
fn told(result: &SendResult) -> (&'static str, &str) {
    match result {
        SendResult::Delivered => ("delivered", ""),
        SendResult::TryAgain { why, .. } => ("again", why),
        SendResult::GiveUp { why } => ("never", why),
        SendResult::Gone { why } => ("gone", why),
    }
}

#[tokio::test]
async fn what_the_server_does_decides_whether_another_try_is_worth_it() {
    use Behaviour::{
        Data, Dribble, DropAfterData, Greet, Hang, HangAfterData, HangAtQuit, Login, Rcpt,
        RcptThenHang, Take,
    };
    let cases = [
        (Take, ("delivered", "")),
        (Greet("421 busy"), ("again", "421")),
        (Greet("554 no service"), ("again", "554 at greeting")),
        (Login("535 who are you"), ("again", "535 at login")),
        (Rcpt("450 later"), ("again", "450")),
        (Rcpt("550 no such user"), ("never", "550")),
        (RcptThenHang("550 no such user"), ("never", "550")),
        (Data("451 later"), ("again", "451")),
        (Data("554 refused"), ("never", "554")),
        (Hang, ("again", "timeout")),
        (HangAfterData, ("again", "timeout")),
        (Dribble, ("again", "timeout")),
        (DropAfterData, ("again", "no whole answer came")),
        (
            Greet("HTTP/1.1 400 Bad Request"),
            ("again", "no whole answer came"),
        ),
        (HangAtQuit, ("delivered", "")),
    ];
    // Each its own server, all at once, so that those which hang cost one timeout.
    let runs = cases.map(|(behaviour, wanted)| async move {
        let mailbox = Mailbox::start().await;
        mailbox.script([behaviour.clone()]);
        let mut smtp = smtp(mailbox.port, Security::None);
        if matches!(behaviour, Login(_)) {
            smtp.username = "leads".into();
            smtp.password = Secret::new("wrong");
        }
        let result = send(&by_smtp(smtp), &notice()).await;
        let found = told(&result);
        let wrong = (found != wanted).then(|| format!("{behaviour:?}: {found:?}, not {wanted:?}"));
        let why = told(&result).1.to_lowercase();
        for private in ["rosa", "sales.example", "ana", "acme"] {
            assert!(!why.contains(private), "{behaviour:?}: {why}");
        }
        let taken = usize::from(wanted.0 == "delivered");
        assert_eq!(mailbox.mails().len(), taken, "{behaviour:?}");
        wrong
    });
    let runs = futures_util::future::join_all(runs).await;
    let wrong: Vec<_> = runs.into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn without_tls_where_it_is_wanted_no_mail_leaves_the_house() {
    for security in [Security::StartTls, Security::Tls] {
        let mailbox = Mailbox::start().await;
        let result = send(&by_smtp(smtp(mailbox.port, security)), &notice()).await;
        assert_eq!(told(&result).0, "again", "{security:?}: {result:?}");
        assert!(
            !mailbox
                .commands()
                .iter()
                .any(|line| line.starts_with("MAIL")),
            "{security:?}"
        );
    }
    let mut away = smtp(25, Security::None);
    away.host = "192.0.2.1".into();
    let refused = deliverer(&settings(Transport::Smtp(away)));
    let why = refused.err().map(|error| format!("{error:#}"));
    assert_eq!(
        why.as_deref(),
        Some("mail without TLS goes to this machine only")
    );
}

#[tokio::test]
async fn a_server_that_is_not_there_is_tried_again() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let mut nameless = smtp(25, Security::StartTls);
    nameless.host = "no-such-host.invalid".into();
    for smtp in [smtp(port, Security::None), nameless] {
        let result = send(&by_smtp(smtp), &notice()).await;
        assert_eq!(told(&result).0, "again", "{result:?}");
    }
}

#[tokio::test]
async fn every_attempt_is_the_same_mail_to_the_reader() {
    let (mailbox, deliverer) = taking().await;
    mailbox.script([Behaviour::DropAfterData]);
    let mut notice = notice();
    assert_eq!(told(&send(&deliverer, &notice).await).0, "again");
    for attempt in 2..4 {
        notice.attempt = attempt;
        notice.now += MINUTE;
        assert_eq!(send(&deliverer, &notice).await, SendResult::Delivered);
    }
    let ids: Vec<_> = mailbox
        .mails()
        .iter()
        .filter_map(|m| m.header("Message-ID"))
        .collect();
    let wanted = format!("<d7.{}@leads.example>", notice.lead_id);
    assert_eq!(ids, [wanted.clone(), wanted]);
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[tokio::test]
async fn an_outbox_holds_one_whole_file_a_mail_however_often_it_is_tried() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("outbox");
    let settings = settings(Transport::Outbox(folder.clone()));
    let deliverer = deliverer(&settings).unwrap();
    let notice = notice();
    for _ in 0..3 {
        assert_eq!(send(&deliverer, &notice).await, SendResult::Delivered);
    }
    assert_eq!(names(&folder), [format!("d7.{}.eml", notice.lead_id)]);
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(told(&send(&deliverer, &notice).await).0, "again");
}

#[tokio::test]
async fn alarms_of_the_same_moment_are_mails_of_their_own_and_no_text_breaks_out() {
    let told = ("disk\r\nBcc: evil@x", "The disk is full.\r.\r");
    let alarms = [(); 2].map(|()| AlarmMail::new("ops@leads.example", told, RECEIVED));
    let (mailbox, smtp) = taking().await;
    let dir = tempfile::tempdir().unwrap();
    let outbox = deliverer(&settings(Transport::Outbox(dir.path().to_owned()))).unwrap();
    // Twice, as after a refusal: the same mail has the same name.
    for alarm in alarms.iter().chain(&alarms) {
        assert_eq!(smtp.alarm(alarm).await, SendResult::Delivered);
        assert_eq!(outbox.alarm(alarm).await, SendResult::Delivered);
    }
    assert_eq!(names(dir.path()).len(), 2);
    let mails = mailbox.mails();
    let ids: BTreeSet<_> = mails.iter().map(|mail| mail.header("Message-ID")).collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(mails[0].to, ["ops@leads.example"]);
    assert_eq!(
        mails[0].header("Subject").as_deref(),
        Some("disk Bcc: evil@x")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_reaches_everybody_who_is_to_know_though_the_server_refuses_it_at_first() {
    let to = "ops@leads.example, boss@leads.example";
    let house = plan().env("LEADGATE_MAIL__ALARM_TO", to).build().await;
    let refusals = [Behaviour::Greet("421 busy"), Behaviour::Rcpt("451 later")];
    house.mailbox.script(refusals);
    house.daemon.flow().alarm("held", "A lead is held.");
    house.daemon.flow().alarm("held", "The hour silences this.");
    let both = house.mailbox.wait_for(2, Duration::from_secs(20));
    let time = async {
        loop {
            house.pass(30 * SECOND).await;
        }
    };
    let mails = tokio::select! { mails = both => mails, () = time => Vec::new() };
    let told: BTreeSet<_> = mails.iter().flat_map(|mail| mail.to.clone()).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(mails.iter().all(|mail| mail.raw.contains("A lead is held")));
}
