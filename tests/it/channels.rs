//! What holds for every channel: each is met by the same far ends.

use std::collections::BTreeMap;
use std::sync::Arc;

use leadgate::deliver::{ALL, Endpoint, Endpoints, Notice, Outside, SendResult, Templates};
use leadgate::document::Overrides;
use leadgate::lead::WorkKind;
use leadgate::secret::Secret;

use crate::deliver::{by_port, notice, outbound};
use crate::far_end::FarEnd;
use crate::mailbox::Mailbox;

/// The endpoints of a file, whose secrets are what stands there.
pub(crate) fn endpoints(text: &str) -> Endpoints {
    let outbound = outbound();
    let outside = Outside {
        secret: &|text| Ok(Secret::new(text)),
        url: &|url| outbound.check(url),
    };
    let read = Endpoints::parse("endpoints.toml", text, &Overrides::new(), &outside);
    read.unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// An endpoint at that URL with that line.
pub(crate) fn endpoint(url: &str, line: &str) -> Arc<Endpoint> {
    let text = format!("[crm]\nurl = \"{url}\"\ntimeout_s = 1\n{line}\n");
    endpoints(&text).get("crm").unwrap().clone()
}

async fn send(channel: &str, notice: &Notice, smtp: u16) -> SendResult {
    let templates = Templates::load(&BTreeMap::new(), &Endpoints::default());
    let templates = templates.unwrap_or_else(|problems| panic!("{problems:?}"));
    by_port(smtp).send(channel, notice, &templates).await
}

#[tokio::test]
async fn every_channel_tells_tries_again_and_gives_up_in_the_same_way() {
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gone = gone.local_addr().unwrap().port();
    let mut kinds = Vec::new();
    for channel in ALL {
        let name = channel.name();
        kinds.push(channel.work());
        let (far, mailbox) = (FarEnd::start().await, Mailbox::start().await);
        let at = |port: u16| {
            let mut notice = notice();
            let url = format!("http://127.0.0.1:{port}/s3cret");
            notice.endpoint = Some(endpoint(&url, "template = \"slack\""));
            notice
        };
        let told = send(name, &at(far.port), mailbox.port).await;
        assert_eq!(told, SendResult::Delivered, "{name}");
        assert_eq!(mailbox.mails().len() + far.seen().len(), 1, "{name}");
        let SendResult::TryAgain { why, .. } = send(name, &at(gone), gone).await else {
            panic!("{name} does not try again where nobody is there");
        };
        for private in ["Rosa", "sales.example", "Ana", "acme", "s3cret"] {
            assert!(!why.contains(private), "{name}: {why}");
        }
        let mut nowhere = at(far.port);
        (nowhere.endpoint, nowhere.rep_email) = (None, String::new());
        let result = send(name, &nowhere, mailbox.port).await;
        assert!(
            matches!(result, SendResult::GiveUp { .. }),
            "{name}: {result:?}"
        );
    }
    assert_eq!(kinds, [WorkKind::Mail, WorkKind::Hook], "each has its lane");
}
