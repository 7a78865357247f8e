//! Phone numbers: out of what people type, the one way in which E.164 writes it.
//!
//! Whether anybody has a number is not known here, only whether it has as many digits as numbers of
//! its country have. The table comes from Google's metadata, which knows more and weighs a hundred
//! times as much.

mod table;

use super::typed;

/// Most digits that are read; no number has as many.
const MAX_DIGITS: usize = 24;

/// A phone number as E.164 writes it: `+380501234567`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct E164(String);

impl E164 {
    /// The number, from its `+` on.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<E164> for String {
    fn from(number: E164) -> Self {
        number.0
    }
}

/// Why text is no phone number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PhoneError {
    /// It cannot be a number.
    Malformed,
    /// It does not say of which country it is, or of one that is nowhere.
    Country,
    /// It has too few digits.
    Short,
    /// It has too many digits.
    Long,
    /// It is of a region whose numbers are not taken.
    Region,
}

/// What the table knows of a calling code.
#[derive(Clone, Copy)]
struct Row {
    /// The calling code: `380`.
    code: &'static str,
    /// What people there dial before a number, each behind a dot: `.0`.
    prefixes: &'static str,
    /// How many digits a number has: a letter for each, `a` for one.
    lengths: &'static str,
    /// The regions that share it, two letters each, the one that most numbers are of first.
    regions: &'static str,
}

impl Row {
    fn parse(line: &'static str) -> Option<Self> {
        let split = |text: &'static str, is_next: fn(&u8) -> bool| {
            text.split_at_checked(text.bytes().position(|byte| is_next(&byte))?)
        };
        let (code, rest) = split(line, |byte| !byte.is_ascii_digit())?;
        let (prefixes, rest) = split(rest, u8::is_ascii_lowercase)?;
        let (lengths, regions) = split(rest, u8::is_ascii_uppercase)?;
        Some(Self { code, prefixes, lengths, regions })
    }

    fn all() -> impl Iterator<Item = Self> {
        typed::parts(table::ROWS, b'\n').filter_map(Self::parse)
    }

    /// The regions that share the calling code.
    fn regions(self) -> impl Iterator<Item = &'static str> {
        let mut rest = self.regions;
        core::iter::from_fn(move || {
            let (region, others) = rest.split_at_checked(2)?;
            rest = others;
            Some(region)
        })
    }

    /// What may be dialled before a number.
    fn prefixes(self) -> impl Iterator<Item = &'static str> {
        typed::parts(self.prefixes, b'.').filter(|prefix| !prefix.is_empty())
    }

    fn is_of(self, region: &str) -> bool {
        self.regions().any(|own| own.eq_ignore_ascii_case(region))
    }

    fn takes(self, digits: usize) -> bool {
        self.lengths().any(|length| length == digits)
    }

    fn lengths(self) -> impl Iterator<Item = usize> {
        self.lengths.bytes().map(|letter| usize::from(letter - b'a') + 1)
    }

    /// The number behind what people of the country dial first.
    fn without_prefix(self, digits: &str) -> &str {
        let mut stripped = self.prefixes().filter_map(|prefix| digits.strip_prefix(prefix));
        if let Some(rest) = stripped.find(|rest| self.takes(rest.len())) {
            return rest;
        }
        // Digits that are no number without an 8 before them have it as their own; none has the 0.
        let zero = self
            .prefixes()
            .find_map(|prefix| prefix.strip_prefix('0').and(digits.strip_prefix('0')));
        zero.unwrap_or(digits)
    }

    /// The number that is dialled with these digits at home, where some leave out the plus.
    fn national(self, digits: &str) -> &str {
        let number = self.without_prefix(digits);
        let behind_code = || Some(self.without_prefix(digits.strip_prefix(self.code)?));
        match behind_code() {
            Some(behind) if !self.takes(number.len()) && self.takes(behind.len()) => behind,
            _ => number,
        }
    }
}

/// What is dialled before the calling code, where it is not 00: the calling codes of those who do.
const EXITS: [(&str, &str); 7] = [
    ("1", "011"),
    ("7", "810"),
    ("61", "0011"),
    ("81", "010"),
    ("375", "810"),
    ("992", "810"),
    ("993", "810"),
];

/// The regions of the world that have phone numbers and their calling codes: `UA` and `380`.
pub fn regions() -> impl Iterator<Item = (&'static str, &'static str)> {
    Row::all().flat_map(|row| row.regions().map(move |region| (region, row.code)))
}

/// Reads a number as people write it: with `+` or 00 and the calling code, or as it is dialled in
/// `region`; with blanks, dots, strokes, hyphens and brackets; in the digits of any keyboard.
///
/// `regions` are those whose numbers are taken, all if there are none. Regions that share a calling
/// code are not told apart.
///
/// # Errors
///
/// Why it is none. Extensions and lists of numbers are none.
pub fn parse<R: AsRef<str>>(
    typed: &str,
    region: Option<&str>,
    regions: &[R],
) -> Result<E164, PhoneError> {
    let (digits, is_international) = read(typed)?;
    let home = region.and_then(|region| Row::all().find(|row| row.is_of(region)));
    let abroad = if is_international { Some(&*digits) } else { behind_exit(&digits, home) };
    let (row, number) = match (abroad, home) {
        (Some(digits), _) => {
            let find = |row: Row| Some((row, row.without_prefix(digits.strip_prefix(row.code)?)));
            Row::all().find_map(find).ok_or(PhoneError::Country)?
        }
        (None, Some(home)) => (home, home.national(&digits)),
        (None, None) => return Err(PhoneError::Country),
    };
    if !regions.is_empty() && !regions.iter().any(|region| row.is_of(region.as_ref())) {
        return Err(PhoneError::Region);
    }
    if !row.takes(number.len()) {
        return Err(if row.lengths().all(|length| number.len() < length) {
            PhoneError::Short
        } else if row.lengths().all(|length| number.len() > length) {
            PhoneError::Long
        } else {
            PhoneError::Malformed
        });
    }
    // No number has the zero that is dialled before it.
    if number.starts_with('0') && row.prefixes().any(|prefix| prefix.starts_with('0')) {
        return Err(PhoneError::Malformed);
    }
    let mut text = String::with_capacity(16);
    for part in ["+", row.code, number] {
        text.push_str(part);
    }
    Ok(E164(text))
}

/// The digits, and whether there is a plus before them.
fn read(typed: &str) -> Result<(String, bool), PhoneError> {
    let mut digits = String::new();
    let mut is_international = false;
    for character in typed.chars() {
        if let Some(digit) = typed::digit(character) {
            if digits.len() == MAX_DIGITS {
                return Err(PhoneError::Long);
            }
            digits.push(char::from(b'0' + digit));
            continue;
        }
        let is_plus = matches!(character, '+' | '\u{ff0b}');
        if is_plus && digits.is_empty() && !is_international {
            is_international = true;
        } else if is_plus || !is_separator(character) {
            return Err(PhoneError::Malformed);
        }
    }
    if digits.is_empty() { Err(PhoneError::Malformed) } else { Ok((digits, is_international)) }
}

/// What may stand between digits and means nothing.
fn is_separator(character: char) -> bool {
    typed::is_blank(character)
        || typed::is_invisible(character)
        || matches!(character, '-' | '.' | '/' | '(' | ')' | '[' | ']' | '~' | '\u{2010}'..='\u{2015}'
            | '\u{2212}' | '\u{b7}' | '\u{ff08}' | '\u{ff09}' | '\u{ff0d}'..='\u{ff0f}')
}

/// The digits from the calling code on, where a number is dialled abroad.
fn behind_exit(digits: &str, home: Option<Row>) -> Option<&str> {
    let exit = |&(code, exit): &(&str, &str)| {
        let is_home = home.is_some_and(|home| home.code == code);
        if is_home { digits.strip_prefix(exit) } else { None }
    };
    EXITS.iter().find_map(exit).or_else(|| digits.strip_prefix("00"))
}
