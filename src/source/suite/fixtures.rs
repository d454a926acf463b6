//! A payload of each platform, made by us, and what is to be read of it.

/// How a request of the platform proves who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// Nothing, as with a form on a page.
    Nothing,
    /// A key, good for any body.
    Key,
    /// A signature over the body.
    Signature,
    /// A signature over the body and a time, good for so many seconds.
    Timed(i64),
}

/// A payload of the platform and what is to be read of it: field, value.
pub(super) struct Fixture {
    /// The source's name.
    pub(super) name: &'static str,
    pub(super) adapter: &'static str,
    /// The keys of its table in `sources.toml`, besides `adapter`.
    pub(super) settings: &'static str,
    pub(super) proof: Proof,
    pub(super) kind: &'static str,
    /// Has a field that we do not know, whose value is `kept` and stands there once; or that which
    /// is fetched has it.
    pub(super) body: &'static str,
    pub(super) fields: &'static [(&'static str, &'static str)],
    pub(super) attribution: &'static [(&'static str, &'static str)],
    /// A request with two leads, where the platform sends several.
    pub(super) batch: Option<&'static str>,
}

/// What stands in a fixture's body for the value of the unknown field.
pub(super) const KEPT: &str = "kept";

pub(super) const FIXTURES: &[Fixture] = &[
    Fixture {
        name: "form",
        adapter: "form",
        settings: r#"
country = "DE"
origins = ["https://www.example.com"]
redirects = ["https://www.example.com/thanks"]
map = { "Betreff" = "message" }
"#,
        proof: Proof::Nothing,
        kind: "application/x-www-form-urlencoded",
        body: "Vorname=Mia&nachname=Gro%C3%9F&E-Mail=Mia%40Werk.example&Telefon=030+901820&Betreff=Demo+bitte\
               &employees=800&interest=a&interest=b&utm_source=meta&gdpr=on&_elapsed_ms=9000&__proto__=kept",
        fields: &[
            ("name", "Mia Groß"),
            ("email", "Mia@Werk.example"),
            ("phone", "030 901820"),
            ("message", "Demo bitte"),
            ("country", "DE"),
            ("employees", "800"),
            ("interest", "a"),
            ("__proto__", KEPT),
        ],
        attribution: &[("utm_source", "meta")],
        batch: None,
    },
    Fixture {
        name: "webhook",
        adapter: "webhook",
        settings: r#"
auth = "standard"
secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
is_test = "$.test"
map = { email = "$.who[\"e-mail\"]" }
"#,
        proof: Proof::Timed(300),
        kind: "application/json; charset=utf-8",
        body: r#"{"who":{"e-mail":"mia@werk.example"},"campaign":{"name":"Spring"},"company":{"name":"Werk AG"},
                 "contact":{"name":"Mia Groß"},"language":"German","phone":"+49 30 901820",
                 "deal":{"amount":12345678901234567890,"tags":["kept","y"]},"test":false,"gclid":"abc"}"#,
        fields: &[
            ("name", "Mia Groß"),
            ("email", "mia@werk.example"),
            ("phone", "+49 30 901820"),
            ("company", "Werk AG"),
            ("campaign.name", "Spring"),
            ("language", "de"),
            ("deal.amount", "12345678901234567890"),
            ("deal.tags", KEPT),
        ],
        attribution: &[("gclid", "abc")],
        batch: None,
    },
    Fixture {
        name: "google",
        adapter: "google",
        settings: "key = \"testkey\"",
        proof: Proof::Key,
        kind: "application/json",
        body: r#"{"lead_id":"TeSter-1","user_column_data":[
                 {"column_name":"Full Name","string_value":"Mia Groß","column_id":"FULL_NAME"},
                 {"string_value":"mia@work.example","column_id":"WORK_EMAIL"},
                 {"string_value":"mia@werk.example","column_id":"EMAIL"},
                 {"column_name":"User Phone","string_value":"1-650-253-0000"},
                 {"string_value":"USA","column_id":"COUNTRY"},
                 {"string_value":"blue","column_id":"Which colour?"}],
                 "api_version":"1.0","form_id":40000000001,"campaign_id":9007199254740993,
                 "google_key":"testkey","gcl_id":"xyz","adgroup_id":0,"new_member":"kept"}"#,
        fields: &[
            ("name", "Mia Groß"),
            ("email", "mia@werk.example"),
            ("phone", "1-650-253-0000"),
            ("country", "US"),
            ("WORK_EMAIL", "mia@work.example"),
            ("Which colour?", "blue"),
            ("new_member", KEPT),
        ],
        attribution: &[
            ("gclid", "xyz"),
            ("campaign_id", "9007199254740993"),
            ("form_id", "40000000001"),
        ],
        batch: None,
    },
    Fixture {
        name: "keyed",
        adapter: "form",
        settings: "key = \"K3Y\"",
        proof: Proof::Key,
        kind: "application/x-www-form-urlencoded",
        body: "email=a%40b.example&more=kept",
        fields: &[("email", "a@b.example")],
        attribution: &[],
        batch: None,
    },
    Fixture {
        name: "hmac",
        adapter: "webhook",
        settings: r#"
auth = "hmac"
header = "X-Signature"
prefix = "sha256="
secret = "s3cret"
id = "$.id"
items = "$.leads"
"#,
        proof: Proof::Signature,
        kind: "application/json",
        body: r#"{"leads":[{"id":"7","email":"a@b.example","more":"kept"}]}"#,
        fields: &[("email", "a@b.example")],
        attribution: &[],
        batch: Some(
            r#"{"leads":[{"id":"7","email":"a@b.example"},{"id":"8","email":"c@d.example"}]}"#,
        ),
    },
    Fixture {
        name: "bearer",
        adapter: "webhook",
        settings: "auth = \"bearer\"\nkey = \"k3y\"",
        proof: Proof::Key,
        kind: "application/json",
        body: r#"{"email":"a@b.example","more":"kept"}"#,
        fields: &[("email", "a@b.example")],
        attribution: &[],
        batch: None,
    },
    Fixture {
        name: "meta",
        adapter: "meta",
        settings: r#"
country = "DE"
app_secret = "It's a Secret to Everybody"
verify_token = "leadAdsRockPlayer"
access_token = "t0k en"
map = { "wunsch" = "message" }
page_tokens = { "123456789" = "of the page" }
"#,
        proof: Proof::Signature,
        kind: "application/json",
        body: r#"{"entry":[{"id":138124712925158,"time":1630087927,"changes":[{"field":"leadgen","value":
                 {"leadgen_id":233370042045345,"form_id":"172036835026334","adgroup_id":0,"ad_id":"0",
                 "created_time":1630087926,"new":"member"}}]}],"object":"page"}"#,
        fields: &[
            ("name", "Mia Groß"),
            ("email", "mia@werk.example"),
            ("phone", "030 901820"),
            ("company", "Werk AG"),
            ("postcode", "10115"),
            ("region", "DE-BE"),
            ("country", "DE"),
            ("message", "Demo bitte"),
            ("work_email", "mia@work.example"),
            ("which_colour?", KEPT),
            ("vehicle.make", "Honda"),
        ],
        attribution: &[
            ("leadgen_id", "233370042045345"),
            ("page_id", "138124712925158"),
            ("form_id", "172036835026334"),
            ("ad_id", "120210000000000001"),
            ("campaign_name", "Herbst"),
            ("platform", "ig"),
            ("is_organic", "false"),
            ("submitted_at", "2021-08-27T18:12:06Z"),
        ],
        batch: None,
    },
];

/// What those platforms that send an id answer when they are asked for the lead of the fixture:
/// the platform, a part of the address that is asked, and the answer.
pub(super) const FETCHED: &[(&str, &str, &str)] = &[
    (
        "meta",
        "",
        r#"{"id":"233370042045345","created_time":"2021-08-27T20:12:06+0200","ad_id":"120210000000000001",
        "campaign_name":"Herbst","platform":"ig","is_organic":false,"vehicle":{"make":"Honda"},
        "field_data":[{"name":"work_email","values":["mia@work.example"]},
            {"name":"full_name","values":["Mia Groß"]},{"name":"email","values":["mia@werk.example"]},
            {"name":"phone_number","values":["030 901820"]},{"name":"company_name","values":["Werk AG"]},
            {"name":"zip_code","values":["10115"]},{"name":"state","values":["BE"]},
            {"name":"which_colour?","values":["kept","green"]},{"name":"wunsch","values":["Demo bitte"]}],
        "custom_disclaimer_responses":[{"checkbox_key":"optional_1","is_checked":"1"},
            {"checkbox_key":"optional_2","is_checked":""}]}"#,
    ),
    (
        "linkedin",
        "/rest/leadFormResponses/1a2b3c-4",
        r#"{"id":"1a2b3c-4","submitter":"urn:li:person:M","leadType":"SPONSORED","testLead":false,
        "versionedLeadGenFormUrn":"urn:li:versionedLeadGenForm:(urn:li:leadGenForm:3162,1)",
        "submittedAt":1789999999000,"leadMetadata":{"sponsoredLeadMetadata":
        {"campaign":"urn:li:sponsoredCampaign:367"}},"formResponse":{"answers":[
        {"questionId":1,"answerDetails":{"textQuestionAnswer":{"answer":"Mia"}}},
        {"questionId":2,"accepted":{"textQuestionAnswer":{"answer":"Groß"}}},
        {"questionId":3,"answerDetails":{"textQuestionAnswer":{"answer":"mia@werk.example"}}},
        {"questionId":4,"answerDetails":{"textQuestionAnswer":{"answer":"030 901820"}}},
        {"questionId":5,"answerDetails":{"multipleChoiceAnswer":{"options":[1,3]}}},
        {"questionId":99,"answerDetails":{"textQuestionAnswer":{"answer":"kept"}}}],
        "consentResponses":[{"consentId":4,"accepted":true}]}}"#,
    ),
    (
        "linkedin",
        "/rest/leadForms/3162",
        r#"{"id":3162,"content":{"questions":[
        {"questionId":1,"name":"firstName","predefinedField":"FIRST_NAME"},
        {"questionId":2,"name":"lastName","predefinedField":"LAST_NAME"},
        {"questionId":3,"name":"email","predefinedField":"EMAIL"},
        {"questionId":4,"name":"phone","predefinedField":"PHONE_NUMBER"},
        {"questionId":5,"name":"colour","questionDetails":{"multipleChoiceQuestionDetails":{"options":[
            {"id":1,"text":{"localized":{"en_US":"blue"}}},{"id":2,"text":{"localized":{"en_US":"red"}}}]}}}
        ]}}"#,
    ),
];
