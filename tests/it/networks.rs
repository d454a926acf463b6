//! Networks against the whole daemon: keys in addresses, and what a platform has deleted.

use leadgate::lead::Actor;
use leadgate::secret::{hex, hmac_sha256};

use crate::house::plan;

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
async fn a_lead_that_linkedin_deleted_is_erased() {
    let house = plan().file("config/sources.toml", SOURCES).build().await;
    let send = async |action: &str, id: &str| {
        let body = format!(
            r#"{{"type":"LEAD_ACTION","leadGenFormResponse":"urn:li:leadGenFormResponse:{id}",
                "leadGenForm":"urn:li:versionedLeadGenForm:(urn:li:leadGenForm:31,2)","leadAction":"{action}"}}"#
        );
        let parts = [b"hmacsha256=".as_slice(), body.as_bytes()];
        let signature = hex(&hmac_sha256(b"client-secret", &parts));
        let request = house.client.post(house.url("/in/linkedin"));
        let request = request.header("content-type", "application/json");
        let request = request.header("x-li-signature", signature).body(body);
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(send("CREATED", "7-a").await, 200);
    assert_eq!(send("CREATED", "7-b").await, 200);
    house.work().await;
    let stages = || -> Vec<String> { house.leads().iter().map(|l| l.stage.to_string()).collect() };
    let before = stages();
    // Twice, and one that never came: nothing else happens.
    for id in ["7-b", "7-b", "7-c"] {
        assert_eq!(send("DELETED", id).await, 200);
    }
    assert_eq!(stages(), ["erased", before[1].as_str()]);
    let ledger = &house.daemon.flow().ledger;
    let history = ledger.read(|r| r.history(house.leads()[0].seq)).unwrap();
    let (last, _) = history.last().unwrap();
    assert_eq!(last.actor, Actor::Source("linkedin".into()));
    // What LinkedIn repeats of it later brings nothing back.
    assert_eq!(send("CREATED", "7-b").await, 200);
    house.work().await;
    assert_eq!(house.leads().len(), 2);
}
