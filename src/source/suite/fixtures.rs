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
];
