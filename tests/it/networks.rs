//! Networks against the whole daemon: keys in addresses, and what a platform has deleted.

use std::time::Duration;

use leadgate::secret::{hex, hmac_sha256};

use crate::house::plan;

const DEADLINE: Duration = Duration::from_secs(20);

const SOURCES: &str = r#"
[cars]
adapter = "adf"
key = "t0ken"
country = "CA"

[linkedin]
adapter = "linkedin"
secret = "client-secret"
token = "t0ken"
api_url = "http://127.0.0.1:9"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn an_adf_prospect_with_the_key_in_its_address_becomes_a_lead_once() {
    let house = plan().file("config/sources.toml", SOURCES).build().await;
    let body = "<?xml version=\"1.0\"?><?adf version=\"1.0\"?><adf><prospect><id source=\"p\">4711</id>\
                <customer><contact><name part=\"full\">Zoë Roy</name><email>zoe@werk.example</email>\
                </contact></customer></prospect></adf>";
    let send = async |address: &str| {
        let request = house.client.post(house.url(address));
        let request = request.header("content-type", "application/xml");
        request.body(body).send().await.unwrap().status().as_u16()
    };
    assert_eq!(send("/in/cars").await, 401);
    assert_eq!(send("/in/cars?key=other").await, 401);
    assert_eq!(send("/in/cars?key=t0ken").await, 202);
    assert_eq!(send("/in/cars?key=t0ken").await, 202);
    house.work().await;
    let leads = house.leads();
    let names: Vec<_> = leads.iter().map(|lead| lead.inquiry.fields.who()).collect();
    assert_eq!(names, ["Zoë Roy"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lead_that_linkedin_deleted_is_named_in_an_alarm() {
    let house = plan()
        .file("config/sources.toml", SOURCES)
        .env("LEADGATE_MAIL__ALARM_TO", "ops@us.example")
        .build()
        .await;
    let send = async |action: &str| {
        let body = format!(
            r#"{{"type":"LEAD_ACTION","leadGenFormResponse":"urn:li:leadGenFormResponse:7-a",
                "leadGenForm":"urn:li:versionedLeadGenForm:(urn:li:leadGenForm:31,2)","leadAction":"{action}"}}"#
        );
        let parts = [b"hmacsha256=".as_slice(), body.as_bytes()];
        let signature = hex(&hmac_sha256(b"client-secret", &parts));
        let request = house.client.post(house.url("/in/linkedin"));
        let request = request.header("content-type", "application/json");
        let request = request.header("x-li-signature", signature).body(body);
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(send("CREATED").await, 200);
    house.work().await;
    let lead = house.leads().remove(0).id;
    assert_eq!(send("DELETED").await, 200);
    let wanted = format!("leadgate: erase {lead}");
    // That the lead could not be fetched may be told as well, before or after.
    for count in 1.. {
        let mails = house.mailbox.wait_for(count, DEADLINE).await;
        let subjects = mails.iter().filter_map(|mail| mail.header("Subject"));
        if subjects.into_iter().any(|subject| subject == wanted) {
            break;
        }
    }
}
