//! A payload of each network and meeting tool, made by us.

use super::fixtures::{Fixture, KEPT, Proof};

pub(super) const FIXTURES: &[Fixture] = &[
    Fixture {
        name: "tiktok",
        adapter: "tiktok",
        settings: "key = \"t0ken\"\nsecret = \"app-secret\"\ncountry = \"SE\"",
        proof: Proof::Key,
        kind: "application/json",
        body: r#"{"object":1,"time":1790000000,"entry":[{"id":7312345678901234567,
                 "page_id":7312345678901234568,"advertiser_id":7312345678901234569,"campaign_id":18,
                 "adgroup_id":19,"ad_id":20,"create_time":1789999999,"lead_source":"INSTANT_FORM",
                 "changes":[{"field":"name","value":"Åsa Ek"},{"field":"email","value":"asa@ek.example"},
                 {"field":"phone_number","value":"+46 8 123 456 78"},
                 {"field":"How many employees?","value":"kept"},
                 {"field":"interests","value":["a","b"]}]}]}"#,
        fields: &[
            ("name", "Åsa Ek"),
            ("email", "asa@ek.example"),
            ("phone", "+46 8 123 456 78"),
            ("country", "SE"),
            ("How many employees?", KEPT),
            ("interests", "a"),
            ("advertiser_id", "7312345678901234569"),
        ],
        attribution: &[
            ("campaign_id", "18"),
            ("form_id", "7312345678901234568"),
            ("lead_source", "INSTANT_FORM"),
        ],
        batch: Some(
            r#"{"entry":[{"id":1,"changes":[{"field":"email","value":"a@b.example"}]},
               {"id":2,"changes":[{"field":"email","value":"c@d.example"}]}]}"#,
        ),
    },
    Fixture {
        name: "leadconduit",
        adapter: "leadconduit",
        settings: "key = \"t0ken\"\ncountry = \"US\"",
        proof: Proof::Key,
        kind: "application/x-www-form-urlencoded",
        body: "first_name=Ben&last_name=Hall&email=ben%40contoso.example&phone_1=512-555-0123\
               &address_1=1+Main+St&city=Austin&state=TX&postal_code=78701&utm_source=partner\
               &xxTrustedFormCertUrl=https%3A%2F%2Fcert.example%2Fabc&loan.amount=kept",
        fields: &[
            ("name", "Ben Hall"),
            ("email", "ben@contoso.example"),
            ("phone", "512-555-0123"),
            ("street", "1 Main St"),
            ("region", "US-TX"),
            ("country", "US"),
            ("xxTrustedFormCertUrl", "https://cert.example/abc"),
            ("loan.amount", KEPT),
        ],
        attribution: &[("utm_source", "partner")],
        batch: None,
    },
    Fixture {
        name: "adf",
        adapter: "adf",
        settings: "key = \"t0ken\"",
        proof: Proof::Key,
        kind: "text/xml; charset=utf-8",
        body: "<?ADF VERSION=\"1.0\"?>\n<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<adf>\
               <prospect status=\"new\"><id sequence=\"1\" source=\"Portal &amp; Co\">4711</id>\
               <requestdate>2026-09-21T8:33:20</requestdate>\
               <vehicle interest=\"buy\" status=\"used\"><year>2024</year><make>Volvo</make>\
               <model>EX30</model><trim>kept</trim></vehicle>\
               <customer><contact><name part=\"first\" type=\"individual\">Zoë</name>\
               <name part=\"last\">O&apos;Neill</name><email>zoe@werk.example</email>\
               <phone type=\"mobile\" time=\"evening\">613-555-0123</phone>\
               <phone type=\"work\">613-555-0199</phone>\
               <address type=\"home\"><street line=\"1\">1 Bank St</street><apartment>4b</apartment>\
               <city>Ottawa</city><regioncode>ON</regioncode><postalcode>K1A 0A1</postalcode>\
               <country>CA</country></address></contact>\
               <comments><![CDATA[Is it <still> there & black?]]></comments></customer>\
               <vendor><vendorname>Cars</vendorname><contact><email>desk@cars.example</email></contact>\
               </vendor><provider><name part=\"full\">Portal</name><phone>1-888-555-0100</phone>\
               </provider></prospect></adf>",
        fields: &[
            ("name", "Zoë O'Neill"),
            ("email", "zoe@werk.example"),
            ("phone", "613-555-0123"),
            ("phone.work", "613-555-0199"),
            ("street", "1 Bank St, 4b"),
            ("city", "Ottawa"),
            ("region", "CA-ON"),
            ("postcode", "K1A 0A1"),
            ("country", "CA"),
            ("message", "Is it <still> there & black?"),
            ("vehicle.make", "Volvo"),
            ("vehicle.status", "used"),
            ("vehicle.trim", KEPT),
            ("vendor.contact.email", "desk@cars.example"),
            ("requestdate", "2026-09-21T8:33:20"),
        ],
        attribution: &[("lead_source", "Portal")],
        batch: Some(
            "<adf><prospect><id source=\"p\">1</id><customer><contact><email>a@b.example</email>\
             </contact></customer></prospect><prospect><id source=\"p\">2</id><customer><contact>\
             <email>c@d.example</email></contact></customer></prospect></adf>",
        ),
    },
    Fixture {
        name: "calendly",
        adapter: "calendly",
        settings: "secret = \"signing-key\"\ncountry = \"DE\"",
        proof: Proof::Timed(180),
        kind: "application/json",
        body: r#"{"event":"invitee.created","created_at":"2026-09-21T13:33:20.000000Z",
                 "created_by":"https://api.calendly.com/users/A","payload":{
                 "uri":"https://api.calendly.com/scheduled_events/E/invitees/I","email":"mia@werk.example",
                 "name":"Mia Groß","first_name":null,"last_name":null,"status":"active",
                 "text_reminder_number":null,"timezone":"Europe/Berlin","rescheduled":false,
                 "questions_and_answers":[{"question":"Company","answer":"Werk AG","position":0},
                 {"question":"What is your job title?","answer":"Head","position":2},
                 {"question":"What do you need?","answer":"kept","position":1}],
                 "scheduled_event":{"name":"Demo","start_time":"2026-09-24T09:00:00.000000Z",
                 "event_memberships":[{"user_email":"host@us.example"}],
                 "location":{"type":"outbound_call","location":"030 901820"}},
                 "tracking":{"utm_source":"newsletter","utm_medium":null,"salesforce_uuid":"s-1"}}}"#,
        fields: &[
            ("name", "Mia Groß"),
            ("email", "mia@werk.example"),
            ("phone", "030 901820"),
            ("company", "Werk AG"),
            ("job_title", "Head"),
            ("country", "DE"),
            ("What do you need?", KEPT),
            ("timezone", "Europe/Berlin"),
            ("scheduled_event.start_time", "2026-09-24T09:00:00.000000Z"),
            ("salesforce_uuid", "s-1"),
        ],
        attribution: &[("utm_source", "newsletter")],
        batch: None,
    },
    Fixture {
        name: "intercom",
        adapter: "intercom",
        settings: "secret = \"client-secret\"",
        proof: Proof::Signature,
        kind: "application/json",
        body: r#"{"type":"notification_event","app_id":"x","data":{"type":"notification_event_data",
                 "item":{"type":"contact","id":"6961d897","role":"lead","email":"mia@werk.example",
                 "phone":"+49 30 901820","name":"Mia Groß","browser_language":"de-DE",
                 "location":{"type":"location","country":"Germany","region":"Berlin","city":"Berlin"},
                 "custom_attributes":{"job_title":"Head","plan":"kept"},"sms_consent":false,
                 "companies":{"type":"list","data":[{"name":"Werk AG"}]},
                 "utm_campaign":"spring","referrer":"https://www.example.com/"}},
                 "id":"notif_1","topic":"contact.lead.created","delivery_attempts":1}"#,
        fields: &[
            ("name", "Mia Groß"),
            ("email", "mia@werk.example"),
            ("phone", "+49 30 901820"),
            ("country", "DE"),
            ("city", "Berlin"),
            ("language", "de"),
            ("company", "Werk AG"),
            ("job_title", "Head"),
            ("plan", KEPT),
            ("role", "lead"),
            ("sms_consent", "false"),
        ],
        attribution: &[
            ("utm_campaign", "spring"),
            ("referrer", "https://www.example.com/"),
        ],
        batch: None,
    },
    Fixture {
        name: "hubspot",
        adapter: "hubspot",
        settings: "secret = \"client-secret\"\naddress = \"https://leads.example.com/in/hubspot\"",
        proof: Proof::Timed(300),
        kind: "application/json",
        body: r#"{"vid":251,"portal-id":27145807,"is-contact":true,"properties":{
                 "firstname":{"value":"Mia","versions":[{"value":"Mia","timestamp":1}]},
                 "lastname":{"value":"Groß"},"email":{"value":"mia@werk.example"},
                 "mobilephone":{"value":"+49 30 901820"},"jobtitle":{"value":"Head"},
                 "country":{"value":"Germany"},"hs_language":{"value":"de"},
                 "hs_analytics_source":{"value":"PAID_SOCIAL"},"budget":{"value":"kept"},
                 "lastmodifieddate":{"value":"1789999999000"}},
                 "associated-company":{"properties":{"name":{"value":"Werk AG"}}},
                 "associated-owner":{"email":"owner@us.example"}}"#,
        fields: &[
            ("name", "Mia Groß"),
            ("email", "mia@werk.example"),
            ("phone", "+49 30 901820"),
            ("company", "Werk AG"),
            ("job_title", "Head"),
            ("country", "DE"),
            ("language", "de"),
            ("budget", KEPT),
            ("vid", "251"),
        ],
        attribution: &[("lead_source", "PAID_SOCIAL")],
        batch: None,
    },
    Fixture {
        name: "linkedin",
        adapter: "linkedin",
        settings: "secret = \"client-secret\"\ntoken = \"t0ken\"\ncountry = \"DE\"",
        proof: Proof::Signature,
        kind: "application/json",
        body: r#"{"type":"LEAD_ACTION","leadGenFormResponse":"urn:li:leadGenFormResponse:1a2b3c-4",
                 "leadGenForm":"urn:li:versionedLeadGenForm:(urn:li:leadGenForm:1, 1)",
                 "owner":{"sponsoredAccount":"urn:li:sponsoredAccount:123"},
                 "associatedEntity":{"sponsoredCreative":"urn:li:sponsoredCreative:456"},
                 "leadType":"SPONSORED","leadAction":"CREATED","occurredAt":1789999999881}"#,
        fields: &[
            ("name", "Mia Groß"),
            ("email", "mia@werk.example"),
            ("phone", "030 901820"),
            ("country", "DE"),
            ("colour", "blue"),
            ("question 99", KEPT),
            ("leadType", "SPONSORED"),
            ("submitter", "urn:li:person:M"),
        ],
        attribution: &[
            ("response_id", "1a2b3c-4"),
            ("form_id", "1"),
            ("campaign_id", "367"),
            ("creative_id", "456"),
            ("submitted_at", "2026-09-21T14:13:19Z"),
        ],
        batch: None,
    },
];
