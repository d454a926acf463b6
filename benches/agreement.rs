//! How far we agree with two public collections of cases: the addresses of isemail and the numbers
//! that libphonenumber's own tests parse. Prints a figure for each and every disagreement.
//!
//! ```text
//! cargo bench --profile dev --bench agreement -- FOLDER
//! ```
//!
//! FOLDER holds `isemail_tests.xml`, `libphonenumber_parse_cases.json` and
//! `libphonenumber_unit_test_numbers.json`. See docs/normalisation.md for what the figures mean.

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a measurement prints its figures and ends where it cannot go on"
)]

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use leadgate::lead::{Email, Phone};
use serde_json::Value;

/// Categories of isemail whose addresses can get mail over the internet.
const USABLE: [&str; 3] = [
    "ISEMAIL_VALID_CATEGORY",
    "ISEMAIL_DNSWARN",
    "ISEMAIL_RFC5321",
];

/// Numbers that stand in the test's functions and not in its table: name, a part of the input that
/// tells several of a name apart, and the number.
const LOCAL: &[(&str, &str, &str)] = &[
    ("nzNumber", "64(0)", "+6464123456"),
    ("nzNumber", "", "+6433316005"),
    ("usNumber", "", "+11234567890"),
    ("shortNumber", "0123456", "+44123456"),
    ("shortNumber", "", "+6412"),
    ("byNumber", "8123456", "+375123456"),
    ("byNumber", "812345", "+375812345"),
    ("byNumber", "81234", "+37581234"),
    ("byNumber", "", "+3758123"),
    // The table leaves out that the first nought belongs to the number.
    ("IT_NUMBER", "", "+390236618300"),
    ("tollfreeNumber", "", "+64800332005"),
    ("premiumNumber", "", "+649003326005"),
    ("arNumber", "555", "+5493435551212"),
    ("arNumber", "4320", "+5493715654320"),
    ("arNumber", "4321", "+543715654321"),
    ("arNumber", "0000", "+542312340000"),
    ("arFromUs", "", "+5481429712"),
    ("mxNumber", "449", "+524499780001"),
    ("mxNumber", "33", "+5213312345678"),
    ("extnNumber", "", "+180074935247"),
    ("ukNumberUserInput", "", "+442034000000"),
    ("ukNumber", "", "+442034567890"),
    ("usWithExtension", "645", "+16451231234"),
    ("usWithExtension", "", "+18009013355"),
];

fn main() {
    let folder = std::env::args().skip(1).find(|a| !a.starts_with('-'));
    let Some(folder) = folder.map(PathBuf::from) else {
        println!("a folder with the cases is wanted: see the top of benches/agreement.rs");
        return;
    };
    emails(&folder);
    phones(&folder);
}

fn emails(folder: &Path) {
    let text = std::fs::read_to_string(folder.join("isemail_tests.xml")).expect("the cases");
    let (mut all, mut agreed) = (0, 0);
    for case in text.split("<test id=").skip(1) {
        let inside = |tag: &str| {
            let (_, rest) = case.split_once(&format!("<{tag}>"))?;
            rest.split_once(&format!("</{tag}>"))
                .map(|(inside, _)| inside)
        };
        let address = unescaped(inside("address").unwrap_or_default());
        let category = inside("category").unwrap_or_default();
        let usable = USABLE.contains(&category);
        let ours = Email::parse(&address).address.is_some();
        all += 1;
        if usable == ours {
            agreed += 1;
        } else {
            let verb = if ours { "we take" } else { "we refuse" };
            let diagnosis = inside("diagnosis").unwrap_or_default();
            println!("  {verb} {address:?}: {diagnosis}");
        }
    }
    println!("e-mail: {agreed} of {all} agree\n");
}

/// The references that stand in the file; a symbol for a control character stands for it.
fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let (name, after) = after.split_once(';').expect("a whole reference");
        out.push(match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            number => {
                let hex = number.strip_prefix("#x").expect("a number");
                let code = u32::from_str_radix(hex, 16).expect("hexadecimal");
                let symbol = (0x2400..0x2421).contains(&code);
                let code = if symbol { code - 0x2400 } else { code };
                char::from_u32(code).expect("a character")
            }
        });
        rest = after;
    }
    out.push_str(rest);
    out
}

fn phones(folder: &Path) {
    let read = |name: &str| -> Vec<Value> {
        let bytes = std::fs::read(folder.join(name)).expect("the cases");
        serde_json::from_slice(&bytes).expect("JSON")
    };
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let numbers: HashMap<String, String> = read("libphonenumber_unit_test_numbers.json")
        .iter()
        .map(|n| {
            let zero = if n["italian_leading_zero"] == true {
                "0"
            } else {
                ""
            };
            let number = format!("+{}{zero}{}", n["country_code"], text(n, "national_number"));
            (text(n, "name"), number)
        })
        .collect();
    let (mut all, mut agreed) = (0, 0);
    for case in read("libphonenumber_parse_cases.json") {
        let (input, region) = (text(&case, "input"), text(&case, "default_region"));
        let name = text(&case, "expected_constant");
        let local = LOCAL
            .iter()
            .find(|(known, part, _)| *known == name && input.contains(part))
            .map(|(_, _, number)| (*number).to_owned());
        let wanted = local.or_else(|| numbers.get(&name).cloned());
        let region = Some(region.as_str()).filter(|region| *region != "ZZ");
        let ours = Phone::parse(&input, region).e164;
        all += 1;
        if wanted.is_some() && wanted == ours {
            agreed += 1;
        } else {
            let region = region.unwrap_or("no country");
            let (wanted, ours) = (wanted.unwrap_or(name), ours.unwrap_or("none".into()));
            println!("  {input:?} ({region}): {wanted} there, {ours} here");
        }
    }
    println!("phone: {agreed} of {all} agree");
}
