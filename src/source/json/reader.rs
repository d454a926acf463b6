//! Reads a JSON text in one pass, by RFC 8259 and no wider. Knows no bounds but those of a document.

use std::borrow::Cow;

use super::{DEPTH_MAX, Json, VALUES_MAX};
use crate::source::Refusal;

/// Up to so many keys are compared with each other; more are sorted first.
const FEW_KEYS: usize = 12;
/// So many bytes of a string are looked at together.
const BLOCK: usize = 16;

pub(super) fn read(text: &str) -> Result<Json<'_>, Refusal> {
    let mut reader = Reader {
        text,
        at: 0,
        count: 0,
    };
    let json = reader.value(0)?;
    reader.space();
    if reader.at < text.len() {
        return Err(reader.malformed());
    }
    Ok(json)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    count: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, wanted: u8) -> bool {
        let fits = self.peek() == Some(wanted);
        self.at += usize::from(fits);
        fits
    }

    fn skip(&mut self, more: impl Fn(u8) -> bool) -> usize {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let length = rest.iter().position(|b| !more(*b)).unwrap_or(rest.len());
        self.at += length;
        length
    }

    /// Past whatever in a string stands for itself.
    fn plain(&mut self) {
        // As numbers, without branches, so that the processor looks at many at a time.
        let ends = |b: u8| u8::from(b == b'"') | u8::from(b == b'\\') | u8::from(b < b' ');
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        // Names are short, and messages are long.
        let (near, far) = rest.split_at_checked(BLOCK).unwrap_or((rest, &[]));
        if let Some(length) = near.iter().position(|b| ends(*b) != 0) {
            self.at += length;
            return;
        }
        let blocks = far.chunks_exact(BLOCK);
        let whole = blocks.take_while(|block| block.iter().fold(0, |end, b| end | ends(*b)) == 0);
        self.at += near.len() + BLOCK * whole.count();
        self.skip(|b| ends(b) == 0);
    }

    fn space(&mut self) {
        if self.peek().is_some_and(|b| b <= b' ') {
            self.skip(|b| matches!(b, b' ' | b'\n' | b'\t' | b'\r'));
        }
    }

    /// Where it is, and not what stands there.
    fn malformed(&self) -> Refusal {
        let read = self.text.as_bytes().get(..self.at).unwrap_or_default();
        let line = read.split(|b| *b == b'\n').count();
        let column = read.iter().rev().take_while(|b| **b != b'\n').count() + 1;
        let message = format!("the body is no valid JSON at line {line}, column {column}");
        Refusal::Malformed(message)
    }

    fn value(&mut self, depth: usize) -> Result<Json<'a>, Refusal> {
        if depth > DEPTH_MAX {
            let message = format!("the JSON is nested more than {DEPTH_MAX} deep");
            return Err(Refusal::Malformed(message));
        }
        self.count += 1;
        if self.count > VALUES_MAX {
            return Err(Refusal::Unprocessable(format!(
                "more than {VALUES_MAX} values"
            )));
        }
        self.space();
        match self.peek() {
            Some(b'{') => self.map(depth),
            Some(b'[') => self.list(depth),
            Some(b'"') => self.string().map(Json::Text),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            Some(b'n') => self.word("null", Json::Null),
            Some(_) | None => self.number(),
        }
    }

    fn word(&mut self, word: &str, json: Json<'a>) -> Result<Json<'a>, Refusal> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        if !rest.starts_with(word.as_bytes()) {
            return Err(self.malformed());
        }
        self.at += word.len();
        Ok(json)
    }

    fn number(&mut self) -> Result<Json<'a>, Refusal> {
        let start = self.at;
        self.take(b'-');
        let whole = self.take(b'0') || self.skip(|b| b.is_ascii_digit()) > 0;
        let fraction = !self.take(b'.') || self.skip(|b| b.is_ascii_digit()) > 0;
        let mut exponent = true;
        if self.take(b'e') || self.take(b'E') {
            let _ = self.take(b'+') || self.take(b'-');
            exponent = self.skip(|b| b.is_ascii_digit()) > 0;
        }
        let number = self.text.get(start..self.at).unwrap_or_default();
        if !(whole && fraction && exponent) {
            return Err(self.malformed());
        }
        Ok(Json::Number(number))
    }

    fn string(&mut self) -> Result<Cow<'a, str>, Refusal> {
        let opened = self.at;
        if !self.take(b'"') {
            return Err(self.malformed());
        }
        let start = self.at;
        self.plain();
        if self.peek() == Some(b'"') {
            let text = self.text.get(start..self.at).unwrap_or_default();
            self.at += 1;
            return Ok(Cow::Borrowed(text));
        }
        while self.take(b'\\') {
            self.at += usize::from(self.peek().is_some_and(|b| b.is_ascii()));
            self.plain();
        }
        if !self.take(b'"') {
            return Err(self.malformed());
        }
        let quoted = self.text.get(opened..self.at).unwrap_or_default();
        let text = serde_json::from_str(quoted).map_err(|_| self.malformed())?;
        Ok(Cow::Owned(text))
    }

    fn list(&mut self, depth: usize) -> Result<Json<'a>, Refusal> {
        self.at += 1;
        let mut items = Vec::new();
        self.space();
        if self.take(b']') {
            return Ok(Json::List(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.space();
            if self.take(b']') {
                return Ok(Json::List(items));
            }
            if !self.take(b',') {
                return Err(self.malformed());
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Json<'a>, Refusal> {
        self.at += 1;
        let mut entries = Vec::new();
        self.space();
        if self.take(b'}') {
            return Ok(Json::Map(entries));
        }
        loop {
            self.space();
            let key = self.string()?;
            self.space();
            if !self.take(b':') {
                return Err(self.malformed());
            }
            let value = self.value(depth + 1)?;
            entries.push((key, value));
            self.space();
            if self.take(b'}') {
                break;
            }
            if !self.take(b',') {
                return Err(self.malformed());
            }
        }
        // Two readers of a doubled key may disagree about what was signed.
        if has_twice(&entries) {
            let message = "a key stands twice in one object";
            return Err(Refusal::Malformed(message.into()));
        }
        Ok(Json::Map(entries))
    }
}

fn has_twice(entries: &[(Cow<'_, str>, Json<'_>)]) -> bool {
    if entries.len() <= FEW_KEYS {
        let mut rest = entries;
        while let Some(((key, _), after)) = rest.split_first() {
            if after.iter().any(|(other, _)| other == key) {
                return true;
            }
            rest = after;
        }
        return false;
    }
    let mut keys: Vec<&str> = entries.iter().map(|(key, _)| key.as_ref()).collect();
    keys.sort_unstable();
    keys.windows(2).any(|pair| pair.first() == pair.last())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What another reader of JSON takes, we take, and nothing else.
    #[test]
    fn what_is_json_is_agreed_with_serde_json() {
        let pieces = [
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"a\"",
            "\"b\"",
            "\"\\n\"",
            "\"\\u00e4\"",
            "\"\\ud800\"",
            "\"\\",
            "\"",
            "0",
            "01",
            "-",
            "1.5",
            "1.",
            ".5",
            "1e9",
            "1e",
            "-0",
            "true",
            "nul",
            "null",
            " ",
            "\t",
            "\u{b}",
            "\u{1}",
            "é",
            "+1",
            "NaN",
        ];
        let mut state = 11_u64;
        let mut roll = |n: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            usize::try_from(state >> 33).unwrap() % n
        };
        let mut taken = 0;
        for round in 0..60_000 {
            let mut text = String::new();
            for _ in 0..=roll(7) {
                text.push_str(pieces[roll(pieces.len())]);
            }
            if round % 3 == 0 {
                text = format!("[{text}]");
            }
            let is_json = serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok();
            let is_text = match serde_json::from_str::<serde_json::Value>(&text) {
                Ok(_) => true,
                // We keep numbers as they came, so that none is too large.
                Err(why) => why.to_string().contains("out of range"),
            };
            let theirs = is_json && is_text;
            match read(&text) {
                Ok(_) => assert!(theirs, "we alone take {text}"),
                Err(Refusal::Malformed(why)) if why.contains("twice") => {}
                Err(_) => assert!(!theirs, "we alone refuse {text}"),
            }
            taken += usize::from(theirs);
        }
        assert!(taken > 1_000, "{taken} of them were JSON");
    }

    #[test]
    fn a_mistake_is_named_by_its_place() {
        let why = read("{\n \"a\": 1,\n \"b\" 2}").unwrap_err().to_string();
        assert_eq!(why, "the body is no valid JSON at line 3, column 6");
    }
}
