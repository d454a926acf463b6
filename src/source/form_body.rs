//! The body of a browser's form as ordered pairs, read strictly. Knows no fields.

use futures_util::FutureExt;

use super::Refusal;
use super::mapping::{PAIRS_MAX, VALUE_BYTES_MAX};

/// Longer names are a mistake or an attack; a question may be one.
const NAME_BYTES_MAX: usize = 1_024;
/// RFC 2046, 5.1.1.
const BOUNDARY_CHARS_MAX: usize = 70;

/// Name and value, in the order of the form.
pub(super) type Pairs = Vec<(String, String)>;

/// How much a body may hold.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    pub(super) pairs: usize,
    pub(super) value_bytes: usize,
}

/// One lead in pairs of its own.
pub(super) const ONE_LEAD: Bounds = Bounds {
    pairs: PAIRS_MAX,
    value_bytes: VALUE_BYTES_MAX,
};

/// `application/x-www-form-urlencoded` of one lead.
pub(super) fn urlencoded(bytes: &[u8]) -> Result<Pairs, Refusal> {
    urlencoded_within(bytes, ONE_LEAD)
}

/// `application/x-www-form-urlencoded`
pub(super) fn urlencoded_within(bytes: &[u8], bounds: Bounds) -> Result<Pairs, Refusal> {
    let mut rest = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut pairs = Vec::with_capacity(16);
    while !rest.is_empty() {
        let (part, after) = parted(rest, b'&');
        rest = after;
        let (name, value) = parted(part, b'=');
        let (name, value) = (decoded(name)?, decoded(value)?);
        if !name.is_empty() {
            add(&mut pairs, (name, value), bounds)?;
        }
    }
    Ok(pairs)
}

/// What stands before and behind the first of a mark.
fn parted(bytes: &[u8], mark: u8) -> (&[u8], &[u8]) {
    let at = memchr::memchr(mark, bytes).unwrap_or(bytes.len());
    let (before, after) = bytes.split_at_checked(at).unwrap_or((bytes, &[]));
    (before, after.get(1..).unwrap_or_default())
}

fn decoded(part: &[u8]) -> Result<String, Refusal> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part;
    while let Some(at) = memchr::memchr2(b'+', b'%', rest) {
        let (plain, marked) = rest.split_at_checked(at).unwrap_or((rest, &[]));
        bytes.extend_from_slice(plain);
        rest = match marked {
            [b'+', after @ ..] => {
                bytes.push(b' ');
                after
            }
            [_, high, low, after @ ..] => {
                bytes.push(escaped(*high, *low).ok_or_else(broken_escape)?);
                after
            }
            _ => return Err(broken_escape()),
        };
    }
    bytes.extend_from_slice(rest);
    String::from_utf8(bytes).map_err(|_| Refusal::Malformed("the form is not UTF-8".into()))
}

fn broken_escape() -> Refusal {
    Refusal::Malformed("an escape such as %41 is broken".into())
}

/// The byte of two digits; none of zeros, which no form has and every C program stumbles over.
fn escaped(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let byte = digit(high)? << 4 | digit(low)?;
    u8::try_from(byte).ok().filter(|byte| *byte != 0)
}

/// Adds a pair, if it and all of them are within the bounds.
pub(super) fn add(
    pairs: &mut Pairs,
    pair: (String, String),
    bounds: Bounds,
) -> Result<(), Refusal> {
    let (fields, bytes) = (bounds.pairs, bounds.value_bytes);
    if pairs.len() >= fields {
        return Err(Refusal::Unprocessable(format!("more than {fields} fields")));
    }
    if pair.0.len() > NAME_BYTES_MAX || pair.1.len() > bytes {
        let message = format!("a field is longer than {bytes} bytes");
        return Err(Refusal::Unprocessable(message));
    }
    pairs.push(pair);
    Ok(())
}

/// The boundary in a content type.
pub(super) fn boundary(content_type: &str) -> Option<String> {
    let boundary = multer::parse_boundary(content_type).ok()?;
    let fits = (1..=BOUNDARY_CHARS_MAX).contains(&boundary.len());
    fits.then_some(boundary)
}

/// `multipart/form-data` with fields only: files are refused.
pub(super) fn multipart(bytes: &[u8], boundary: &str, bounds: Bounds) -> Result<Pairs, Refusal> {
    let end = format!("--{boundary}--");
    let has_end = bytes
        .windows(end.len())
        .rev() // where it stands as a rule
        .any(|window| window == end.as_bytes());
    if !has_end {
        return Err(Refusal::Malformed("the multipart body has no end".into()));
    }
    let whole = bytes::Bytes::copy_from_slice(bytes);
    let stream = futures_util::stream::once(async move { Ok::<_, std::io::Error>(whole) });
    let mut parts = multer::Multipart::new(stream, boundary);
    let read = async {
        let mut pairs = Vec::new();
        while let Some(part) = parts.next_field().await.map_err(|_| broken())? {
            part_into(part, &mut pairs, bounds).await?;
        }
        Ok(pairs)
    };
    // Everything is in memory: whatever would wait is a body that ends too soon.
    read.now_or_never().unwrap_or_else(|| Err(broken()))
}

fn broken() -> Refusal {
    Refusal::Malformed("the multipart body is broken".into())
}

async fn part_into(
    part: multer::Field<'static>,
    pairs: &mut Pairs,
    bounds: Bounds,
) -> Result<(), Refusal> {
    let name = part.name().unwrap_or_default().to_owned();
    let is_file = part.file_name().is_some();
    let named_file = part.file_name().is_some_and(|name| !name.is_empty());
    let nested = part
        .content_type()
        .is_some_and(|kind| kind.type_() == "multipart");
    let charset = part
        .content_type()
        .and_then(|kind| kind.get_param("charset"));
    let foreign = charset.is_some_and(|charset| charset.as_str().to_lowercase() != "utf-8");
    if nested || foreign || named_file {
        let wanted = "only fields in UTF-8 are taken, no files";
        return Err(Refusal::Unsupported(wanted.into()));
    }
    let bytes = part.bytes().await.map_err(|_| broken())?;
    if is_file && bytes.is_empty() {
        return Ok(()); // a file input that was left empty
    }
    if is_file {
        return Err(Refusal::Unsupported("files are not taken".into()));
    }
    let value = String::from_utf8(bytes.to_vec())
        .map_err(|_| Refusal::Malformed("the form is not UTF-8".into()))?;
    if name.is_empty() {
        return Ok(());
    }
    add(pairs, (name, value), bounds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_forms_are_read_and_hostile_ones_refused() {
        let pairs = urlencoded(b"a=1&&b=&a=2+3&c=%C3%A9&=x&d&e.f=1").unwrap();
        let shown: Vec<_> = pairs.iter().map(|(n, v)| format!("{n}={v}")).collect();
        assert_eq!(shown, ["a=1", "b=", "a=2 3", "c=é", "d=", "e.f=1"]);
        let many = "a=1&".repeat(201);
        let long = format!("a={}", "x".repeat(9_000));
        let cases: [(&[u8], u16); 7] = [
            (b"a=%ZZ", 400),
            (b"a=%4", 400),
            (b"a=%00", 400),
            (b"a=%C0%AF", 400),
            (b"a=\xff", 400),
            (many.as_bytes(), 422),
            (long.as_bytes(), 422),
        ];
        for (body, status) in cases {
            assert_eq!(urlencoded(body).unwrap_err().status(), status);
        }
    }

    fn part(head: &str, body: &str) -> String {
        format!("--B\r\nContent-Disposition: form-data; {head}\r\n\r\n{body}\r\n")
    }

    #[test]
    fn multipart_fields_are_read_and_files_refused() {
        let good =
            part("name=\"a\"", "1") + part("name=\"f\"; filename=\"\"", "").as_str() + "--B--\r\n";
        assert_eq!(
            multipart(good.as_bytes(), "B", ONE_LEAD).unwrap(),
            [("a".into(), "1".into())]
        );
        let many: String = (0..1_000).map(|_| part("name=\"a\"", "1")).collect();
        let cases = [
            (part("name=\"a\"", "1"), 400),
            (
                part("name=\"f\"; filename=\"../../etc/cron.d/x\"", "x") + "--B--",
                415,
            ),
            (
                part(
                    "name=\"a\"\r\nContent-Type: multipart/mixed; boundary=C",
                    "x",
                ) + "--B--",
                415,
            ),
            (
                part(
                    "name=\"a\"\r\nContent-Type: text/plain; charset=utf-16",
                    "x",
                ) + "--B--",
                415,
            ),
            (many + "--B--", 422),
            ("--B--".repeat(3), 400),
        ];
        for (body, status) in cases {
            let result = multipart(body.as_bytes(), "B", ONE_LEAD);
            let found = result.as_ref().map_or_else(Refusal::status, |pairs| {
                if pairs.is_empty() { 400 } else { 200 }
            });
            assert_eq!(found, status, "{body:.80}: {result:?}");
        }
        assert_eq!(
            boundary("multipart/form-data; boundary=\"a b\"").as_deref(),
            Some("a b")
        );
        assert_eq!(
            boundary(&format!(
                "multipart/form-data; boundary={}",
                "x".repeat(1_024)
            )),
            None
        );
    }

    #[test]
    fn no_bytes_make_a_reader_panic() {
        let alphabet: &[u8] = b"--B\r\n=&%%+a\xff\x00;:\"name=";
        let mut state = 7_u64;
        for _ in 0..5_000 {
            let mut body = Vec::new();
            for _ in 0..40 {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                let at = usize::try_from(state >> 40).unwrap() % alphabet.len();
                body.push(alphabet[at]);
            }
            let _ = urlencoded(&body);
            let _ = multipart(&body, "B", ONE_LEAD);
        }
    }
}
