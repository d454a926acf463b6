//! The page that a browser gets where a form names no other.

use crate::source::answer::Answer;

const PAGE: &str = r#"<!doctype html>
<html lang="LANGUAGE"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>TITLE</title>
<style>
:root { color-scheme: light dark; --page: #f2f4f7; --card: #fff; --ink: #14181d; --soft: #55606d; }
@media (prefers-color-scheme: dark) { :root { --page: #111418; --card: #1b2026; --ink: #eef1f4; --soft: #a5afba; } }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--page); color: var(--ink);
  font: 18px/1.5 -apple-system, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; }
main { background: var(--card); border-radius: 16px; padding: 32px 28px; margin: 16px; max-width: 420px; text-align: center; }
h1 { font-size: 26px; margin: 0 0 8px; } p { margin: 0; color: var(--soft); }
</style></head><body><main><h1>TITLE</h1><p>TEXT</p></main></body></html>
"#;

/// In the sender's language, where it is one of ours.
pub(super) fn thanks(language: &str) -> Answer {
    let (language, title, text) = match language {
        "de" => (
            "de",
            "Vielen Dank!",
            "Ihre Anfrage ist angekommen. Wir melden uns bald.",
        ),
        "fr" => (
            "fr",
            "Merci !",
            "Votre demande est bien arrivée. Nous vous répondons bientôt.",
        ),
        "es" => (
            "es",
            "¡Gracias!",
            "Hemos recibido su mensaje. Le contestaremos pronto.",
        ),
        _ => (
            "en",
            "Thank you!",
            "Your message has arrived. We will be in touch soon.",
        ),
    };
    let page = PAGE
        .replace("LANGUAGE", language)
        .replace("TITLE", title)
        .replace("TEXT", text);
    Answer {
        status: 200,
        headers: vec![
            ("content-type", "text/html; charset=utf-8".into()),
            ("cache-control", "no-store".into()),
        ],
        body: page.into_bytes(),
    }
}
