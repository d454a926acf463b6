//! How inputs are made from the corpus. Knows no platform.

/// The longest input: above the bounds of fields and values, so that those are met too.
const BYTES_MAX: usize = 64 * 1024;
/// Pieces that parsers stumble over, besides what a family adds.
const ODD: &[&[u8]] = &[
    b"\0",
    b"\xff",
    b"\xc0\xaf",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"\r\n",
    b"\n",
    b" ",
    b"\t",
    b"-1",
    b"0",
    b"99999999999999999999999",
    b"1e999",
    b"NaN",
    b"%00",
    b"../../",
    b"'",
    b"\"",
    b"\\",
    "\u{202e}".as_bytes(),
    "İ".as_bytes(),
    "ß".as_bytes(),
    "\u{301}".as_bytes(),
    b"a@b.example",
    b"+4930901820",
    b"24.12.2026",
    b"10k",
    b",",
    b"@",
];

/// Splitmix64: small, and the same everywhere.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64, number: u64) -> Self {
        let mut dice = Self(seed);
        dice.0 = dice.roll() ^ number;
        dice
    }

    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.roll() % (n.max(1) as u64)).unwrap_or(0)
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// One to eight changes of `bytes`. `others` are spliced in, `words` are the family's grammar.
pub(crate) fn mutated(
    dice: &mut Dice,
    bytes: &[u8],
    others: &[Vec<u8>],
    words: &[&[u8]],
) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=dice.below(8) {
        change(dice, &mut bytes, others, words);
        bytes.truncate(BYTES_MAX);
    }
    bytes
}

fn change(dice: &mut Dice, bytes: &mut Vec<u8>, others: &[Vec<u8>], words: &[&[u8]]) {
    let at = dice.below(bytes.len() + 1);
    let span = span(dice, bytes.len());
    match dice.below(10) {
        0 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << dice.below(8);
            }
        }
        1 => drop(bytes.splice(at..at, dice.pick(ODD).iter().copied())),
        2 | 3 if !words.is_empty() => {
            drop(bytes.splice(at..at, dice.pick(words).iter().copied()));
        }
        4 => drop(bytes.drain(span)),
        5 => {
            let copy = bytes[span].to_vec();
            bytes.splice(at..at, copy);
        }
        6 => {
            // A piece many times over: nesting, counts, lengths.
            let piece = if words.is_empty() { ODD } else { words };
            let piece = dice.pick(piece);
            let times = 1 << dice.below(13);
            bytes.splice(at..at, piece.repeat(times));
        }
        7 if !others.is_empty() => {
            let other = dice.pick(others);
            let from = self::span(dice, other.len());
            let piece = other[from].to_vec();
            bytes.splice(span, piece);
        }
        8 => bytes.truncate(at),
        _ => swap_tokens(dice, bytes),
    }
}

fn span(dice: &mut Dice, length: usize) -> std::ops::Range<usize> {
    let start = dice.below(length + 1);
    let longest = (length - start).min(1 << dice.below(9));
    start..start + dice.below(longest + 1)
}

/// Puts an odd piece in the place of a whole token: a value, a name, a number.
fn swap_tokens(dice: &mut Dice, bytes: &mut Vec<u8>) {
    let is_word = |b: &u8| b.is_ascii_alphanumeric();
    let from = dice.below(bytes.len() + 1);
    let Some(start) = bytes[from..].iter().position(is_word).map(|n| n + from) else {
        return;
    };
    let length = bytes[start..].iter().take_while(|b| is_word(b)).count();
    bytes.splice(start..start + length, dice.pick(ODD).iter().copied());
}
