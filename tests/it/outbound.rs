//! The way out against a far end that misbehaves.

use leadgate::outbound::{Call, Outbound, Reply, Trouble};

use crate::far_end::{Answer, FarEnd};

const CAP: usize = 4_096;

fn outbound() -> Outbound {
    Outbound::new(vec!["127.0.0.0/8".parse().unwrap()]).unwrap()
}

async fn get(outbound: &Outbound, url: &str) -> Result<Reply, Trouble> {
    let call = Call {
        method: "POST",
        url,
        headers: vec![("authorization".into(), "Bearer s3cret".into())],
        body: b"{}".to_vec(),
        timeout_ms: 3_000,
        reply_max_bytes: CAP,
    };
    outbound.send(call).await
}

#[tokio::test]
async fn whatever_the_far_end_does_the_exchange_ends_soon_and_small() {
    let cases = [
        (Answer::Hang, Err("timeout")),
        (Answer::Drop, Err("no whole answer came")),
        (Answer::Half, Err("no whole answer came")),
        (Answer::Dribble, Err("timeout")),
        (Answer::Heads, Err("no whole answer came")),
        (Answer::Gigabyte, Ok((200, CAP, true))),
        (Answer::Bomb, Ok((200, CAP, true))),
        (Answer::status(204), Ok((204, 0, false))),
        (Answer::status(503).body("busy"), Ok((503, 4, false))),
        (
            Answer::status(200).body(&"x".repeat(CAP)),
            Ok((200, CAP, false)),
        ),
        (
            Answer::status(200).body(&"x".repeat(CAP + 1)),
            Ok((200, CAP, true)),
        ),
    ];
    // All at once, so that those which hang cost one timeout.
    let runs = cases.map(|(answer, wanted)| async move {
        let far = FarEnd::start().await;
        far.script([answer.clone()]);
        let result = get(&outbound(), &far.url("/hook?token=s3cret")).await;
        let found = match &result {
            Ok(reply) => Ok((reply.status, reply.body.len(), reply.cut)),
            Err(Trouble::Failed(why)) => Err(why.as_str()),
            Err(Trouble::Refused(why)) => panic!("{answer:?}: {why}"),
        };
        assert_eq!(found, wanted, "{answer:?}");
        assert_eq!(far.seen().len(), 1, "nothing is sent twice: {answer:?}");
        assert!(far.sent() < 16 << 20, "the rest of a gigabyte is not read");
        if matches!(answer, Answer::Bomb) {
            let magic = result
                .unwrap()
                .body
                .iter()
                .take(2)
                .copied()
                .collect::<Vec<_>>();
            assert_eq!(magic, [0x1f, 0x8b], "nothing is unpacked");
        }
    });
    futures_util::future::join_all(runs).await;
}

#[tokio::test]
async fn a_redirect_is_an_answer_like_any_other() {
    let inside = FarEnd::start().await;
    for to in [
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        inside.url("/"),
    ] {
        let far = FarEnd::start().await;
        far.script([Answer::status(307).header("location", &to)]);
        let reply = get(&outbound(), &far.url("/")).await.unwrap();
        assert_eq!(
            (reply.status, reply.header("location")),
            (307, Some(to.as_str()))
        );
    }
    assert!(inside.seen().is_empty());
}

#[tokio::test]
async fn a_request_says_what_it_was_told_and_little_else() {
    let far = FarEnd::start().await;
    let outbound = outbound();
    for _ in 0..3 {
        get(&outbound, &far.url("/a/b?c=d")).await.unwrap();
    }
    assert_eq!(far.connections(), 1, "a connection serves again");
    let seen = far.seen().remove(0);
    assert_eq!(
        (seen.method.as_str(), seen.target.as_str()),
        ("POST", "/a/b?c=d")
    );
    assert_eq!(seen.body, b"{}");
    let mut names: Vec<_> = seen.headers.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "accept",
            "authorization",
            "content-length",
            "host",
            "user-agent"
        ]
    );
}

#[tokio::test]
async fn where_nobody_listens_or_speaks_tls_the_reason_names_no_secret() {
    let far = FarEnd::start().await;
    let tls = format!("https://127.0.0.1:{}/hook?token=s3cret", far.port);
    let gone = {
        let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!(
            "http://127.0.0.1:{}/s3cret",
            free.local_addr().unwrap().port()
        )
    };
    for (url, wanted) in [(gone, "connection refused"), (tls, "no whole answer came")] {
        let Err(Trouble::Failed(why)) = get(&outbound(), &url).await else {
            panic!("{url} was reached");
        };
        assert!(why.starts_with(wanted) && !why.contains("s3cret"), "{why}");
    }
}
