//! XML from outside, read strictly into a small tree: no document types and no entities beyond the
//! five of XML itself, so that nothing grows and nothing is fetched; depth and counts are bounded.
//! Knows no platform.

use std::borrow::Cow;

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use super::Refusal;
use super::json;

/// Elements within each other.
const DEPTH_MAX: usize = 32;
/// Elements in one document.
const ELEMENTS_MAX: usize = 10_000;
/// Attributes of one element.
const ATTRIBUTES_MAX: usize = 16;
/// Longer names are a mistake or an attack.
const NAME_BYTES_MAX: usize = 128;
/// The XML declaration stands at the front, behind a few instructions at most.
const DECLARATION_WITHIN: usize = 512;

/// An element with what stands in it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Element<'a> {
    /// Without the prefix of its namespace.
    pub(super) name: String,
    /// In the order of the document, those of namespaces left out.
    pub(super) attributes: Vec<(String, String)>,
    /// All text directly in it.
    pub(super) text: Cow<'a, str>,
    pub(super) children: Vec<Element<'a>>,
}

impl<'a> Element<'a> {
    /// Reads a whole document and gives its root.
    pub(super) fn parse(text: &'a str) -> Result<Self, Refusal> {
        let mut reader = Reader::from_str(text);
        let config = reader.config_mut();
        config.expand_empty_elements = true;
        // "AT&T" is what people write; without a document type it can mean nothing else.
        config.allow_dangling_amp = true;
        let mut open: Vec<Self> = Vec::new();
        let mut root = None;
        let mut count = 0;
        loop {
            let event = reader.read_event().map_err(|_| {
                let at = reader.error_position();
                malformed(&format!("the body is no valid XML at byte {at}"))
            })?;
            match event {
                Event::Start(start) => {
                    count += 1;
                    if root.is_some() {
                        return Err(malformed("the XML has more than one root"));
                    }
                    if open.len() >= DEPTH_MAX {
                        let message = format!("the XML is nested more than {DEPTH_MAX} deep");
                        return Err(Refusal::Malformed(message));
                    }
                    if count > ELEMENTS_MAX {
                        let message = format!("more than {ELEMENTS_MAX} elements");
                        return Err(Refusal::Unprocessable(message));
                    }
                    open.push(element(&start)?);
                }
                Event::End(_) => {
                    let Some(done) = open.pop() else {
                        return Err(malformed("the XML closes what it did not open"));
                    };
                    match open.last_mut() {
                        Some(parent) => parent.children.push(done),
                        None => root = Some(done),
                    }
                }
                Event::Text(text) => add(&mut open, text.xml10_content())?,
                Event::CData(text) => add(&mut open, text.xml10_content())?,
                Event::GeneralRef(reference) => {
                    let named = reference.resolve_char_ref().ok().flatten();
                    let named = named.or_else(|| entity(&reference));
                    let Some(c) = named else {
                        let message = "the XML uses an entity beyond &amp; &lt; &gt; &quot; &apos;";
                        return Err(malformed(message));
                    };
                    add(&mut open, Cow::Owned(c.to_string()))?;
                }
                Event::DocType(_) => {
                    return Err(malformed("an XML document type is not taken"));
                }
                Event::Eof => break,
                Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            }
        }
        if !open.is_empty() {
            return Err(malformed("the XML ends too soon"));
        }
        root.ok_or_else(|| malformed("the body is no XML"))
    }

    /// Whether it has this name, whatever its case.
    pub(super) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The children of a name.
    pub(super) fn all<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e Element<'a>> {
        self.children.iter().filter(move |child| child.is(name))
    }

    /// The first child of a name.
    pub(super) fn first<'e>(&'e self, name: &'e str) -> Option<&'e Element<'a>> {
        self.all(name).next()
    }

    /// The value of an attribute; empty where there is none.
    pub(super) fn attribute(&self, name: &str) -> &str {
        let mut found = self.attributes.iter();
        let found = found.find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value.as_str())
    }

    /// Every text and attribute under a dotted name, as they came.
    pub(super) fn leaves(&self, name: &str, out: &mut Vec<(String, String)>) {
        let dotted = |part: &str| match name {
            "" => part.to_owned(),
            name => format!("{name}.{part}"),
        };
        for (key, value) in &self.attributes {
            out.push((dotted(key), value.clone()));
        }
        if !self.text.trim().is_empty() || (self.children.is_empty() && !name.is_empty()) {
            out.push((name.to_owned(), self.text.trim().to_owned()));
        }
        for child in &self.children {
            child.leaves(&dotted(&child.name), out);
        }
    }
}

fn malformed(why: &str) -> Refusal {
    Refusal::Malformed(why.to_owned())
}

fn element<'a>(start: &BytesStart<'_>) -> Result<Element<'a>, Refusal> {
    let name = start.local_name();
    let name: &str = name.as_ref();
    if name.is_empty() || name.len() > NAME_BYTES_MAX {
        let message = format!("an element's name is longer than {NAME_BYTES_MAX} bytes");
        return Err(Refusal::Malformed(message));
    }
    let mut attributes = Vec::new();
    for (at, attribute) in start.attributes().enumerate() {
        if at >= ATTRIBUTES_MAX {
            let message = format!("an element has more than {ATTRIBUTES_MAX} attributes");
            return Err(Refusal::Unprocessable(message));
        }
        let attribute = attribute.map_err(|_| malformed("an attribute is no valid XML"))?;
        let whole: &str = attribute.key.as_ref();
        if whole == "xmlns" || whole.starts_with("xmlns:") {
            continue;
        }
        let value = attribute.normalized_value(XmlVersion::Implicit1_0);
        let value = value.map_err(|_| malformed("an attribute is no valid XML"))?;
        let local = whole.rsplit(':').next().unwrap_or(whole);
        attributes.push((local.to_owned(), value.into_owned()));
    }
    Ok(Element {
        name: name.to_owned(),
        attributes,
        ..Element::default()
    })
}

/// Text between the root's tags and nowhere else.
fn add<'a>(open: &mut [Element<'a>], text: Cow<'a, str>) -> Result<(), Refusal> {
    match open.last_mut() {
        Some(element) if element.text.is_empty() => element.text = text,
        Some(element) => element.text.to_mut().push_str(&text),
        None if text.trim().is_empty() => {}
        None => return Err(malformed("the XML has text outside its root")),
    }
    Ok(())
}

fn entity(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}

/// The text of a body: UTF-8, or ISO-8859-1 where the header (`charset`) or the declaration says so.
pub(super) fn decoded<'a>(bytes: &'a [u8], charset: Option<&str>) -> Result<Cow<'a, str>, Refusal> {
    let utf16 = [&b"\xff\xfe"[..], b"\xfe\xff", b"<\0", b"\0<"];
    if utf16.iter().any(|mark| bytes.starts_with(mark)) {
        return Err(foreign());
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return json::text(bytes).map(Cow::Borrowed);
    }
    let declared = charset.map(str::to_owned).or_else(|| declared(bytes));
    match declared.as_deref().unwrap_or("utf-8") {
        "utf-8" | "utf8" | "us-ascii" | "ascii" => json::text(bytes).map(Cow::Borrowed),
        "iso-8859-1" | "latin1" | "latin-1" | "windows-1252" | "cp1252" => {
            Ok(Cow::Owned(bytes.iter().map(|b| latin(*b)).collect()))
        }
        _ => Err(foreign()),
    }
}

fn foreign() -> Refusal {
    let wanted = "this encoding is not taken; send UTF-8 or ISO-8859-1";
    Refusal::Unsupported(wanted.into())
}

/// The encoding in `<?xml … encoding="…"?>`, lower case.
fn declared(bytes: &[u8]) -> Option<String> {
    let front = bytes.get(..bytes.len().min(DECLARATION_WITHIN))?;
    let front: String = front.iter().map(|b| char::from(*b)).collect();
    let (_, rest) = front.split_once("<?xml")?;
    let (declaration, _) = rest.split_once("?>")?;
    let (_, value) = declaration.split_once("encoding")?;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (label, _) = value.get(1..)?.split_once(quote)?;
    Some(label.trim().to_lowercase())
}

/// What calls itself ISO-8859-1 is windows-1252, as in every browser (encoding.spec.whatwg.org).
fn latin(byte: u8) -> char {
    const UPPER: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž',
        '\u{8f}', '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}',
        'ž', 'Ÿ',
    ];
    let upper = usize::from(byte).checked_sub(0x80);
    let upper = upper.and_then(|at| UPPER.get(at));
    upper.copied().unwrap_or(char::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_documents_are_refused_before_they_grow() {
        let laughs = "<!DOCTYPE l [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;\">]><l>&b;</l>";
        let outside = "<!DOCTYPE l [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><l>&x;</l>";
        let deep = format!("{}{}", "<a>".repeat(40), "</a>".repeat(40));
        let abyss = "<a>".repeat(100_000);
        let wide = format!("<a>{}</a>", "<b/>".repeat(20_000));
        let attributes: Vec<_> = (0..40).map(|n| format!("a{n}=\"1\"")).collect();
        let attributes = format!("<a {}/>", attributes.join(" "));
        let long = format!("<{}/>", "x".repeat(200));
        let cases = [
            (laughs, 400),
            (outside, 400),
            ("<l>&xxe;</l>", 400),
            ("<l a=\"&xxe;\"/>", 400),
            ("<l>&#0;</l>", 400),
            ("<l>&#xFFFFFFFF;</l>", 400),
            ("<l a=\"1\" a=\"2\"/>", 400),
            ("<l>", 400),
            ("<l></m>", 400),
            ("</l>", 400),
            ("<l/><l/>", 400),
            ("<l/>x", 400),
            ("x<l/>", 400),
            ("<l><![CDATA[", 400),
            ("<?adf version", 400),
            ("", 400),
            ("{}", 400),
            (&deep, 400),
            (&abyss, 400),
            (&long, 400),
            (&wide, 422),
            (&attributes, 422),
        ];
        for (text, status) in cases {
            let refusal = Element::parse(text).expect_err(&format!("{text:.40}"));
            assert_eq!(refusal.status(), status, "{text:.60}: {refusal}");
        }
    }

    #[test]
    fn text_is_read_as_it_was_meant() {
        let text = "<?ADF VERSION=\"1.0\"?><?xml version=\"1.0\"?><!-- x --><n:lead xmlns:n=\"urn:x\">\
                    <n:name part=\"fi&amp;rst\">Ana &amp; B&#246;b &lt;<![CDATA[<b>&amp;]]></n:name>\
                    <company>AT&T</company><a.b/><A.B>2</A.B></n:lead> ";
        let root = Element::parse(text).unwrap();
        assert!(root.is("LEAD"));
        let name = root.first("name").unwrap();
        assert_eq!(name.text, "Ana & Böb <<b>&amp;");
        assert_eq!(name.attribute("Part"), "fi&rst");
        assert_eq!(root.all("a.b").count(), 2);
        let mut leaves = Vec::new();
        root.leaves("", &mut leaves);
        let leaves: Vec<_> = leaves.iter().map(|(n, v)| format!("{n}={v}")).collect();
        let wanted = [
            "name.part=fi&rst",
            "name=Ana & Böb <<b>&amp;",
            "company=AT&T",
            "a.b=",
            "A.B=2",
        ];
        assert_eq!(leaves, wanted);
    }

    #[test]
    fn encodings_are_decoded_or_refused_and_never_guessed() {
        let latin = b"<?xml version='1.0' encoding='ISO-8859-1'?><l>M\xfcller \x80</l>";
        let cases: [(&[u8], _, Result<_, u16>); 8] = [
            (latin, None, Ok("Müller €")),
            (
                b"<l>M\xfcller \x80</l>",
                Some("windows-1252"),
                Ok("Müller €"),
            ),
            (b"\xef\xbb\xbf<l>\xc3\xa4</l>", None, Ok("ä")),
            (latin, Some("utf-8"), Err(400)),
            (b"<l>M\xfcller</l>", None, Err(400)),
            (b"\xff\xfe<\0l\0/\0>\0", None, Err(415)),
            (b"<\0l\0/\0>\0", None, Err(415)),
            (
                b"<?xml version=\"1.0\" encoding=\"UTF-16\"?><l/>",
                None,
                Err(415),
            ),
        ];
        for (bytes, charset, wanted) in cases {
            let text = decoded(bytes, charset).map_err(|refusal| refusal.status());
            let found = text.as_ref().map_err(|status| *status);
            let found = found.map(|text| Element::parse(text).unwrap().text.into_owned());
            assert_eq!(found, wanted.map(str::to_owned), "{bytes:?}");
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic() {
        let alphabet = b"<>/?![]-CDATA&;#x\"'= a:\xffxml encoding\0";
        let mut state = 7_u64;
        for _ in 0..20_000 {
            let mut body = Vec::new();
            for _ in 0..40 {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                let at = usize::try_from(state >> 40).unwrap() % alphabet.len();
                body.push(alphabet[at]);
            }
            if let Ok(text) = decoded(&body, None) {
                let _ = Element::parse(&text);
            }
        }
    }
}
