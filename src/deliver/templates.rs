//! The words of mails, which people edit: compiled and tried out when they are loaded, so that a
//! mistake shows then and not in front of a lead.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use minijinja::{Environment, UndefinedBehavior};

use super::bodies;
use super::endpoints::Endpoints;
use super::words::{self, Words};
use crate::problem::Problem;

/// More steps than any sound template needs; an endless loop ends there.
const FUEL: u64 = 50_000;
/// Name in the folder, and the built-in text that stands in where the file is absent.
const SHIPPED: [(&str, &str); 5] = [
    (
        SUBJECT,
        include_str!("../../config/templates/mail_assigned.subject.txt"),
    ),
    (
        TEXT,
        include_str!("../../config/templates/mail_assigned.txt"),
    ),
    (
        HTML,
        include_str!("../../config/templates/mail_assigned.html"),
    ),
    (
        "webhook_slack.json",
        include_str!("../../config/templates/webhook_slack.json"),
    ),
    (
        "webhook_adf.xml",
        include_str!("../../config/templates/webhook_adf.xml"),
    ),
];
const SUBJECT: &str = "mail_assigned.subject.txt";
const TEXT: &str = "mail_assigned.txt";
const HTML: &str = "mail_assigned.html";

/// Compiled templates.
pub struct Templates {
    env: Environment<'static>,
}

/// A notice in words.
pub(super) struct Rendered {
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) html: String,
}

impl Templates {
    /// Compiles the files of a folder, by name; absent ones are the shipped ones. Beside those there
    /// may be what `endpoints` name.
    pub fn load(
        files: &BTreeMap<String, String>,
        endpoints: &Endpoints,
    ) -> Result<Self, Vec<Problem>> {
        let mut env = Environment::new();
        env.set_fuel(Some(FUEL));
        env.set_undefined_behavior(UndefinedBehavior::Strict);
        env.set_auto_escape_callback(bodies::escaping);
        env.set_formatter(bodies::write);
        env.add_filter("slack", |text: String| bodies::slack(&text));
        let mut texts: BTreeMap<&str, &str> = SHIPPED.into();
        let mut problems = Vec::new();
        for own in endpoints.templates() {
            match files.get(own) {
                Some(text) => drop(texts.insert(own, text)),
                None if texts.contains_key(own) => {}
                None => {
                    let message = "an endpoint uses this template, and there is no such file";
                    problems.push(Problem::in_file(own, message));
                }
            }
        }
        for (name, text) in files {
            if texts.contains_key(name.as_str()) {
                texts.insert(name, text);
                continue;
            }
            let near = crate::problem::nearest(name, texts.keys().copied());
            let known: Vec<_> = texts.keys().copied().collect();
            let hint = near.map_or_else(
                || format!("known are {}", known.join(", ")),
                |near| format!("did you mean {near}?"),
            );
            let message = "no mail and no endpoint uses this template";
            problems.push(Problem::in_file(name, message).hint(hint));
        }
        for (name, text) in &texts {
            if let Err(error) = env.add_template_owned((*name).to_owned(), (*text).to_owned()) {
                problems.push(problem(name, text, &error));
            }
        }
        let templates = Self { env };
        if problems.is_empty() {
            problems = templates.try_out(&texts);
        }
        if problems.is_empty() {
            Ok(templates)
        } else {
            Err(problems)
        }
    }

    fn try_out(&self, texts: &BTreeMap<&str, &str>) -> Vec<Problem> {
        let sample = Words::of(&words::sample());
        let mut problems = Vec::new();
        for (name, text) in texts {
            match self.one(name, &sample) {
                Err(error) => problems.push(problem(name, text, &error)),
                Ok(rendered) => {
                    let mistake = bodies::mistake(name, &rendered);
                    problems.extend(mistake.map(|why| Problem::in_file(*name, why)));
                }
            }
        }
        problems
    }

    /// The built-in ones.
    pub(super) fn shipped() -> &'static Self {
        static SHIPPED_ONES: LazyLock<Templates> = LazyLock::new(|| {
            let shipped = Templates::load(&BTreeMap::new(), &Endpoints::default());
            shipped.unwrap_or_else(|_| Templates {
                env: Environment::new(),
            })
        });
        &SHIPPED_ONES
    }

    pub(super) fn render(&self, words: &Words) -> Result<Rendered, minijinja::Error> {
        Ok(Rendered {
            subject: self.one(SUBJECT, words)?,
            text: self.one(TEXT, words)?,
            html: self.one(HTML, words)?,
        })
    }

    pub(super) fn one(&self, name: &str, words: &Words) -> Result<String, minijinja::Error> {
        self.env
            .get_template(name)?
            .render(minijinja::value::Serde(words))
    }
}

fn problem(name: &str, text: &str, error: &minijinja::Error) -> Problem {
    let line = error.line().unwrap_or(0);
    let message = match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    };
    if line == 0 {
        return Problem::in_file(name, message);
    }
    Problem::at(name, text, (line, 1), message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(name: &str, text: &str) -> Result<Templates, Vec<Problem>> {
        let files = BTreeMap::from([(name.to_owned(), text.to_owned())]);
        Templates::load(&files, &Endpoints::default())
    }

    #[test]
    fn mistakes_show_at_load_with_their_line() {
        let cases = [
            (
                TEXT,
                "a\n{{ nmae }}",
                "mail_assigned.txt:2: undefined value",
            ),
            (
                HTML,
                "{% if x %}",
                "mail_assigned.html:1: syntax error: unexpected end of input",
            ),
            (
                TEXT,
                "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}",
                "mail_assigned.txt:1: engine ran out of fuel",
            ),
            (
                "mail_asigned.txt",
                "x",
                "mail_asigned.txt: no mail and no endpoint uses this template",
            ),
        ];
        for (name, text, wanted) in cases {
            let problems = load(name, text).err().expect(wanted);
            let line = problems.first().expect(wanted).one_line();
            assert!(line.starts_with(wanted), "{line}");
        }
        assert!(
            Templates::load(&BTreeMap::new(), &Endpoints::default()).is_ok(),
            "the shipped ones are sound"
        );
    }

    #[test]
    fn a_body_that_is_no_json_or_xml_shows_at_load() {
        let cases = [
            (
                "webhook_slack.json",
                "{\"text\": \"{{ name }}\"}",
                "no JSON: expected `,` or `}`",
            ),
            (
                "webhook_slack.json",
                "{\"text\": {{ why }}}",
                "invalid operation: in JSON a text",
            ),
            (
                "webhook_slack.json",
                "{\"text\": {{ nmae }}}",
                "undefined value",
            ),
            (
                "webhook_slack.json",
                "{\"text\": {{ fields.x | default(1) }}}",
                "",
            ),
            (
                "webhook_adf.xml",
                "<adf>{{ name }}",
                "no XML: an element is not closed",
            ),
            ("webhook_adf.xml", "<adf>{{ name }}</adv>", "no XML: "),
            (
                "webhook_adf.xml",
                "{{ name }}",
                "no XML: there is no element",
            ),
            ("webhook_adf.xml", "<a x=\"{{ name }}\"/>", ""),
        ];
        for (name, text, wanted) in cases {
            let found = load(name, text).err().unwrap_or_default();
            let line = found.first().map(Problem::one_line).unwrap_or_default();
            assert_eq!(line.is_empty(), wanted.is_empty(), "{text}: {line}");
            assert!(line.contains(wanted), "{text}: {line}");
        }
    }

    #[test]
    fn what_a_lead_writes_is_a_value_and_never_a_template_or_markup() {
        let mut notice = words::sample();
        notice.fields.name = Some("{{7*7}} <img src=http://tracker.example>".into());
        let rendered = load(TEXT, "{{ name }}")
            .unwrap()
            .render(&Words::of(&notice))
            .unwrap();
        assert_eq!(rendered.text, "{{7*7}} <img src=http://tracker.example>");
        assert!(
            rendered.html.contains("{{7*7}} &lt;img"),
            "{}",
            rendered.html
        );
        assert!(!rendered.html.contains("<img"), "no picture is ever loaded");
        // Mail programs know one or the other; a card without would grow as wide as the word.
        for breaks in ["overflow-wrap:anywhere", "word-break:break-word"] {
            let card = rendered.html.split("class=\"card\"").nth(1).unwrap();
            let card = card.split('>').next().unwrap();
            assert!(card.contains(breaks), "a long word widens the card: {card}");
        }
    }
}
