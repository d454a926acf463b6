//! What forms call our fields, in the languages that our users' forms are written in.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::lead::Attribution;

const FIELDS: &[(&str, &str)] = &[
    (
        "name",
        "name full_name fullname your_name contact_name customer_name nombre_completo nom_complet nome vollstaendiger_name ansprechpartner naam",
    ),
    (
        "first_name",
        "first_name firstname fname given_name forename vorname nombre prenom prénom primeiro_nome voornaam",
    ),
    (
        "last_name",
        "last_name lastname lname surname family_name nachname familienname apellido apellidos nom nom_de_famille sobrenome achternaam",
    ),
    (
        "email",
        "email emails e_mail mail email_address your_email user_email work_email business_email contact_email e_mail_adresse emailadresse correo correo_electronico courriel adresse_email replyto",
    ),
    (
        "phone",
        "phone phones tel telephone phone_number phonenumber phone_1 mobile mobile_phone cell user_phone work_phone work_phone_number your_phone telefon telefonnummer handy rufnummer telefono teléfono celular movil telephone_number téléphone portable telefone telefoon",
    ),
    (
        "company",
        "company company_name organization organisation business firm firma unternehmen empresa entreprise societe société azienda bedrijf",
    ),
    (
        "job_title",
        "job_title jobtitle job position role_title occupation berufsbezeichnung beruf cargo poste fonction",
    ),
    (
        "website",
        "website web_site url homepage company_website webseite sitio_web site_web",
    ),
    (
        "street",
        "street street_address address address_1 address1 address_line_1 strasse straße direccion adresse rue",
    ),
    (
        "city",
        "city town locality ort stadt wohnort ciudad ville cidade",
    ),
    (
        "region",
        "region state province county bundesland kanton provincia region_name departement",
    ),
    (
        "postcode",
        "postcode postal_code post_code zip zip_code zipcode plz postleitzahl codigo_postal code_postal cep",
    ),
    (
        "country",
        "country country_code country_name land pais país pays",
    ),
    ("language", "language lang locale sprache idioma langue"),
    (
        "message",
        "message comment comments inquiry enquiry your_message question questions details note notes nachricht anfrage mitteilung bemerkung mensaje consulta commentaire mensagem bericht",
    ),
];

const ATTRIBUTION: &[(&str, &str)] = &[
    ("gclid", "gcl_id"),
    ("referrer", "referer http_referrer"),
    ("landing_page", "page_url page_uri landing_url landingpage"),
    ("campaign_id", "campaignid"),
    ("form_id", "formid"),
];

const CONSENT: &[&str] = &[
    "consent",
    "gdpr",
    "gdpr_consent",
    "opt_in",
    "optin",
    "newsletter",
    "terms",
    "privacy",
    "privacy_policy",
    "marketing_consent",
    "tcpa",
    "datenschutz",
    "einwilligung",
    "agb",
];

static BY_NAME: LazyLock<HashMap<&'static str, &'static str>> = LazyLock::new(|| {
    let words = FIELDS
        .iter()
        .flat_map(|(field, words)| words.split(' ').map(move |w| (w, *field)));
    words.collect()
});

static BY_KEY: LazyLock<HashMap<&'static str, &'static str>> = LazyLock::new(|| {
    let own = Attribution::NAMES.into_iter().map(|name| (name, name));
    let more = ATTRIBUTION
        .iter()
        .flat_map(|(key, words)| words.split(' ').map(move |w| (w, *key)));
    own.chain(more).collect()
});

/// Our field of a folded name.
pub(super) fn field(folded: &str) -> Option<&'static str> {
    BY_NAME.get(folded).copied()
}

/// Our attribution key of a folded name.
pub(super) fn attribution(folded: &str) -> Option<&'static str> {
    BY_KEY.get(folded).copied()
}

/// How a question begins that asks for a field, folded.
const ASKING: &[&str] = &[
    "what_is_your_",
    "what's_your_",
    "what’s_your_",
    "whats_your_",
    "and_your_",
    "please_enter_your_",
    "please_give_us_your_",
    "please_tell_us_your_",
    "enter_your_",
    "tell_us_your_",
    "your_",
    "wie_lautet_ihre_",
    "wie_lautet_ihr_",
    "wie_lautet_deine_",
    "wie_lautet_dein_",
    "wie_ist_ihre_",
    "wie_ist_ihr_",
    "wie_ist_deine_",
    "wie_ist_dein_",
    "ihre_",
    "ihr_",
    "deine_",
    "dein_",
    "¿cuál_es_tu_",
    "¿cuál_es_su_",
    "tu_",
    "su_",
    "quel_est_votre_",
    "quelle_est_votre_",
    "votre_",
    "qual_é_o_seu_",
    "qual_é_a_sua_",
    "seu_melhor_",
    "seu_",
    "sua_",
];

/// The field that a folded sentence asks for (`what_is_your_first_name`), or that a name means
/// which an editor made different by a number (`email_2`).
pub(super) fn asked_for(folded: &str) -> Option<&'static str> {
    let bare = folded.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_');
    let bare = bare.strip_suffix("_please").unwrap_or(bare);
    let begin = ASKING.iter().find_map(|begin| bare.strip_prefix(begin));
    if begin.is_none() && bare.len() == folded.len() {
        return None;
    }
    let asked = begin.unwrap_or(bare);
    let found = field(asked).or_else(|| field(&asked.replace("e_mail", "email")));
    // `Question 3` is one of many and no message, where `message5` is one.
    found.filter(|_| begin.is_some() || !matches!(asked, "question" | "questions"))
}

/// Whether a folded name is one that forms give to consents.
pub(super) fn is_consent(folded: &str) -> bool {
    CONSENT.contains(&folded) || folded.ends_with("_consent")
}

/// Tables around a person's fields that say nothing themselves: `contact.email` is an e-mail
/// address, where `owner.email` and `company.name` are those of somebody else.
const WRAPPERS: &[&str] = &[
    "address",
    "answers",
    "attributes",
    "attribution",
    "body",
    "client",
    "contact",
    "custom_fields",
    "customer",
    "data",
    "fields",
    "form",
    "form_data",
    "form_fields",
    "hidden",
    "input",
    "lead",
    "payload",
    "person",
    "profile",
    "properties",
    "prospect",
    "submission",
    "submitter",
    "tracking",
    "user",
    "values",
    "visitor",
];

/// One spelling for a name: `fields[E-Mail][value]`, `contact.email` and `your-email` fold to what
/// stands in the tables.
pub(super) fn fold_name(name: &str) -> String {
    let mut folded = String::with_capacity(name.len());
    let mut part_of_own = String::new();
    let parts = name.split(['[', ']', '.']).filter(|part| !part.is_empty());
    for part in parts {
        part_of_own.clear();
        fold_part(part, &mut part_of_own);
        let is_place = part_of_own.bytes().all(|b| b.is_ascii_digit());
        let is_tail = matches!(part_of_own.as_str(), "value" | "raw_value");
        if is_place || (is_tail && !folded.is_empty()) {
            continue;
        }
        if WRAPPERS.contains(&folded.as_str()) {
            folded.clear();
        } else if !folded.is_empty() {
            folded.push('_');
        }
        folded.push_str(&part_of_own);
    }
    folded
}

/// The last part of a name, for what stands under a name that we do not know.
pub(super) fn last_part(name: &str) -> Option<String> {
    let at = name.trim_end_matches(']').rfind(['[', '.'])?;
    let mut folded = String::new();
    fold_part(name.get(at + 1..)?.trim_end_matches(']'), &mut folded);
    Some(folded)
}

fn fold_part(part: &str, folded: &mut String) {
    for c in part.trim().trim_start_matches('_').chars() {
        match c {
            '-' | ' ' | '_' | '/' => {
                if !folded.is_empty() && !folded.ends_with('_') {
                    folded.push('_');
                }
            }
            ':' | '*' | '?' => {}
            c if c.is_ascii() => folded.push(c.to_ascii_lowercase()),
            c => folded.extend(c.to_lowercase()),
        }
    }
    while folded.ends_with('_') {
        folded.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fold_to_the_field_that_people_mean() {
        let cases = [
            ("E-Mail", Some("email")),
            ("your-email", Some("email")),
            ("fields[email][value]", Some("email")),
            ("contact.email", Some("email")),
            ("_replyto", Some("email")),
            ("Telefon *", Some("phone")),
            ("PLZ", Some("postcode")),
            ("Prénom", Some("first_name")),
            ("First Name", Some("first_name")),
            ("data[0][Nachricht]", Some("message")),
            ("address.city", Some("city")),
            ("address", Some("street")),
            ("company.name", Some("company")),
            ("company[name]", Some("company")),
            ("campaign.name", None),
            ("owner.email", None),
            ("product.title", None),
            ("emails", Some("email")),
            ("employees", None),
            ("[][]", None),
            ("", None),
        ];
        for (name, expected) in cases {
            assert_eq!(field(&fold_name(name)), expected, "{name}");
        }
        assert_eq!(attribution(&fold_name("UTM Source")), Some("utm_source"));
        assert_eq!(attribution("gcl_id"), Some("gclid"));
        assert_eq!(
            attribution(&fold_name("attribution.utm_source")),
            Some("utm_source")
        );
        assert_eq!(attribution(&fold_name("utm.source")), Some("utm_source"));
        let asked = [
            ("What is your first name?", Some("first_name")),
            ("What's your e-mail address?", Some("email")),
            ("Wie lautet Ihre Telefonnummer?", Some("phone")),
            ("Seu nome", Some("name")),
            ("Email 2", Some("email")),
            ("Question 3", None),
            ("message5", Some("message")),
            ("Your boss's name", None),
            ("What is your favourite colour?", None),
        ];
        for (sentence, expected) in asked {
            assert_eq!(asked_for(&fold_name(sentence)), expected, "{sentence}");
        }
        assert_eq!(last_part("owner[E-Mail]").as_deref(), Some("e_mail"));
        assert_eq!(last_part("email"), None);
    }
}
