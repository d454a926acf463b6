//! What a browser is told besides the answer: which scripts may read it, and which page is next.

use url::Url;

use super::form::FormSettings;
use crate::lead::Headers;
use crate::source::answer::Answer;

/// Exact, or any where the list says `*`.
pub(super) fn allowed_origin(settings: &FormSettings, headers: &Headers) -> Option<String> {
    let origin = headers.only("origin")?;
    let any = settings
        .origins
        .iter()
        .any(|allowed| allowed == "*" || allowed == origin);
    any.then(|| origin.to_owned())
}

/// Headers that let a script of that origin read the answer.
pub(super) fn cors(origin: Option<&str>) -> Vec<(&'static str, String)> {
    let mut headers = vec![("vary", "Origin".to_owned())];
    headers.extend(origin.map(|origin| ("access-control-allow-origin", origin.to_owned())));
    headers
}

/// What a browser asks before a script may post.
pub(super) fn preflight(origin: Option<&str>) -> Answer {
    let mut headers = cors(origin);
    if origin.is_some() {
        headers.extend([
            ("access-control-allow-methods", "POST".to_owned()),
            (
                "access-control-allow-headers",
                "content-type, idempotency-key, x-api-key".to_owned(),
            ),
            ("access-control-max-age", "86400".to_owned()),
        ]);
    }
    Answer {
        status: 204,
        headers,
        body: Vec::new(),
    }
}

/// The page that a form asks for, if it lies under an allowed one: same scheme, host and port, and
/// below its path. Everything else would make us an open redirect.
pub(super) fn allowed_page(redirects: &[Url], next: &str) -> Option<String> {
    let page = Url::parse(next).ok()?;
    let plain = page.username().is_empty() && page.password().is_none();
    let below = |allowed: &Url| {
        let folder = allowed.path().trim_end_matches('/');
        let rest = page.path().strip_prefix(folder);
        let inside = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        allowed.origin() == page.origin() && inside
    };
    (plain && redirects.iter().any(below)).then(|| page.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_leads_to_allowed_pages_only() {
        let redirects = [Url::parse("https://www.example.com/thanks").unwrap()];
        let cases = [
            ("https://www.example.com/thanks", true),
            ("https://www.example.com/thanks/de?x=1", true),
            ("https://www.example.com/thanksgiving", false),
            ("https://www.example.com/thanks/../admin", false),
            ("http://www.example.com/thanks", false),
            ("https://www.example.com.evil.example/thanks", false),
            ("https://www.example.com@evil.example/thanks", false),
            ("https://u:p@www.example.com/thanks", false),
            ("//evil.example", false),
            ("javascript:alert(1)", false),
            ("https://www.example.com\\@evil.example/thanks", false),
        ];
        for (next, allowed) in cases {
            assert_eq!(allowed_page(&redirects, next).is_some(), allowed, "{next}");
        }
    }
}
