//! A payload of each platform, made by us, and what is to be read of it.

/// A payload of the platform and what is to be read of it: field, value.
pub(super) struct Fixture {
    pub(super) adapter: &'static str,
    pub(super) kind: &'static str,
    pub(super) body: &'static str,
    pub(super) fields: &'static [(&'static str, &'static str)],
    pub(super) attribution: &'static [(&'static str, &'static str)],
}

pub(super) const FIXTURES: &[Fixture] = &[
    Fixture {
        adapter: "form",
        kind: "application/x-www-form-urlencoded",
        body: "Vorname=Mia&nachname=Gro%C3%9F&E-Mail=Mia%40Werk.example&Telefon=030+901820&Betreff=Demo+bitte\
               &employees=800&interest=a&interest=b&utm_source=meta&gdpr=on&_elapsed_ms=9000&__proto__=x",
        fields: &[
            ("name", "Mia Groß"),
            ("email", "Mia@Werk.example"),
            ("phone", "030 901820"),
            ("message", "Demo bitte"),
            ("country", "DE"),
            ("employees", "800"),
            ("interest", "a"),
            ("__proto__", "x"),
        ],
        attribution: &[("utm_source", "meta")],
    },
    Fixture {
        adapter: "webhook",
        kind: "application/json; charset=utf-8",
        body: r#"{"who":{"e-mail":"mia@werk.example"},"campaign":{"name":"Spring"},"company":{"name":"Werk AG"},
                 "contact":{"name":"Mia Groß"},"language":"German","phone":"+49 30 901820",
                 "deal":{"amount":12345678901234567890,"tags":["x","y"]},"test":false,"gclid":"abc"}"#,
        fields: &[
            ("name", "Mia Groß"),
            ("email", "mia@werk.example"),
            ("phone", "+49 30 901820"),
            ("company", "Werk AG"),
            ("campaign.name", "Spring"),
            ("language", "de"),
            ("deal.amount", "12345678901234567890"),
            ("deal.tags", "x"),
        ],
        attribution: &[("gclid", "abc")],
    },
    Fixture {
        adapter: "google",
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
            ("new_member", "kept"),
        ],
        attribution: &[
            ("gclid", "xyz"),
            ("campaign_id", "9007199254740993"),
            ("form_id", "40000000001"),
        ],
    },
    Fixture {
        adapter: "meta",
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
            ("region", "BE"),
            ("country", "DE"),
            ("message", "Demo bitte"),
            ("work_email", "mia@work.example"),
            ("which_colour?", "blue"),
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
    },
];

/// What those platforms that send an id answer when they are asked for the lead of the fixture.
pub(super) const FETCHED: &[(&str, &str)] = &[(
    "meta",
    r#"{"id":"233370042045345","created_time":"2021-08-27T20:12:06+0200","ad_id":"120210000000000001",
        "campaign_name":"Herbst","platform":"ig","is_organic":false,"vehicle":{"make":"Honda"},
        "field_data":[{"name":"work_email","values":["mia@work.example"]},
            {"name":"full_name","values":["Mia Groß"]},{"name":"email","values":["mia@werk.example"]},
            {"name":"phone_number","values":["030 901820"]},{"name":"company_name","values":["Werk AG"]},
            {"name":"zip_code","values":["10115"]},{"name":"state","values":["BE"]},
            {"name":"which_colour?","values":["blue","green"]},{"name":"wunsch","values":["Demo bitte"]}],
        "custom_disclaimer_responses":[{"checkbox_key":"optional_1","is_checked":"1"},
            {"checkbox_key":"optional_2","is_checked":""}]}"#,
)];
