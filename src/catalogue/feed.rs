//! A product feed that comes in parts of any size: RSS 2.0 with Google's attributes, or Atom with them.
//!
//! # Guarantees
//!
//! - Any split of the bytes gives the same products: within a letter, a tag, a reference, CDATA.
//! - Memory holds one product and the part that is being read, at most [`MAX_ITEM`] and what follows
//!   from it, however long the feed is.
//! - One broken product costs that product alone; what was wrong with it is counted, and the first are
//!   named.
//! - No document type with declarations in it, no entities but XML's own, nothing fetched.

mod encoding;
mod read;
mod scan;

use self::{
    encoding::Encoding,
    scan::{Found, Scanner},
};
use super::Item;

/// Longest product, in bytes of its XML. Real ones have one or two thousand.
pub const MAX_ITEM: usize = 256 * 1024;

/// How many of what was skipped are named.
const MAX_NAMED: usize = 5;

/// A feed that is being read.
#[derive(Debug, Default)]
pub struct Feed {
    scanner: Scanner,
    /// The first two bytes.
    first: Vec<u8>,
    /// The product that is being read, as its bytes.
    item: Vec<u8>,
    /// Whether one is being read.
    is_inside: bool,
    /// Whether it has grown too long, so that only its end is looked for.
    is_too_long: bool,
    encoding: Encoding,
    refusal: Option<Refusal>,
    /// Whether the end of the feed was seen.
    is_whole: bool,
    /// Products so far, broken ones too.
    count: u64,
    skipped: Skipped,
}

/// Products that were not taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Skipped {
    /// How many.
    pub count: u64,
    /// The first of them.
    pub first: Vec<Skip>,
}

/// A product that was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Skip {
    /// Its place in the feed, from 1 on.
    pub place: u64,
    /// Why.
    pub reason: Broken,
}

/// Why a product is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Broken {
    /// It is longer than [`MAX_ITEM`].
    TooLong,
    /// It is not in the encoding of the feed.
    Encoding,
    /// It is not well-formed.
    Syntax,
    /// Elements are nested too deep in it.
    TooDeep,
    /// It has no id, or one that cannot be one.
    Id,
    /// Another one before it has the same id.
    Repeated,
}

/// Why a feed is not read at all.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// It is something else: the name of its outermost element, or nothing.
    NoFeed(String),
    /// It is in an encoding that is not read.
    Encoding(String),
    /// It is compressed, and the answer did not say so.
    Compressed,
    /// It declares a document type of its own.
    Declarations,
}

/// How a feed ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "whoever reads a feed must think of each")]
pub enum End {
    /// With its last tag.
    Whole,
    /// Before it.
    Cut,
    /// It was not read.
    Refused(Refusal),
}

impl Broken {
    /// What to tell the shop.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TooLong => "it is longer than 256 kB",
            Self::Encoding => "it is not in the encoding that the feed names",
            Self::Syntax => "it is no well-formed XML",
            Self::TooDeep => "elements are nested too deep in it",
            Self::Id => "it has no g:id of 1 to 300 characters in one line",
            Self::Repeated => "another one before it has the same g:id",
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoFeed(name) if name.is_empty() => f.write_str("it holds no XML"),
            Self::NoFeed(name) => write!(f, "it is <{name}>; give a feed in RSS 2.0 or Atom"),
            Self::Encoding(name) => {
                write!(f, "it is in {name}, which is not read; write it in UTF-8")
            }
            Self::Compressed => {
                f.write_str("it is compressed, and the answer has no Content-Encoding that says so")
            }
            Self::Declarations => {
                f.write_str("it declares a document type of its own, which is not read")
            }
        }
    }
}

impl Feed {
    /// A feed of which nothing has come yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes what comes next; `each` gets every product that it completes, and may refuse it.
    pub fn push(&mut self, mut bytes: &[u8], mut each: impl FnMut(Item) -> Result<(), Broken>) {
        if self.first.len() < 2 {
            self.first.extend(bytes.iter().take(2 - self.first.len()));
            if let [one, two] = self.first[..] {
                self.refusal = Encoding::refused([one, two]);
            }
        }
        while !bytes.is_empty() && self.refusal.is_none() && !self.is_whole {
            let (read, found) = self.scanner.step(bytes);
            let (own, rest) = bytes.split_at(read.min(bytes.len()));
            bytes = rest;
            self.keep(own);
            match found {
                None => {}
                Some(Found::Head(head)) => match Encoding::declared(&head) {
                    Ok(encoding) => self.encoding = encoding,
                    Err(refusal) => self.refusal = Some(refusal),
                },
                Some(Found::Root(name)) => {
                    let local = name.rsplit(':').next().unwrap_or_default().to_ascii_lowercase();
                    if !matches!(local.as_str(), "rss" | "rdf" | "feed" | "channel") {
                        self.refusal = Some(Refusal::NoFeed(name));
                    }
                }
                Some(Found::Declarations) => self.refusal = Some(Refusal::Declarations),
                Some(Found::ItemStart(tag)) => {
                    self.is_inside = true;
                    self.item = tag;
                }
                Some(Found::ItemEnd) => self.end_item(&mut each),
                Some(Found::End) => self.is_whole = true,
            }
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        if !self.is_inside || self.is_too_long {
            return;
        }
        if self.item.len() + bytes.len() > MAX_ITEM {
            self.is_too_long = true;
            self.item = Vec::new();
            return;
        }
        self.item.extend_from_slice(bytes);
    }

    fn end_item(&mut self, each: &mut impl FnMut(Item) -> Result<(), Broken>) {
        self.count += 1;
        let read = if self.is_too_long {
            Err(Broken::TooLong)
        } else {
            let text = self.encoding.read(&self.item);
            text.and_then(|text| read::fields(&text))
                .and_then(|fields| Item::from_fields(fields).ok_or(Broken::Id))
        };
        if let Err(reason) = read.and_then(each) {
            self.skipped.count += 1;
            if self.skipped.first.len() < MAX_NAMED {
                self.skipped.first.push(Skip { place: self.count, reason });
            }
        }
        self.is_inside = false;
        self.is_too_long = false;
        self.item.clear();
    }

    /// Whether nothing more of it is read.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.is_whole || self.refusal.is_some()
    }

    /// How it has ended, once nothing more comes, and what was skipped of it.
    #[must_use]
    pub fn finish(self) -> (End, Skipped) {
        let end = match self.refusal {
            Some(refusal) => End::Refused(refusal),
            None if self.is_whole => End::Whole,
            None if self.scanner.has_root() => End::Cut,
            None => End::Refused(Refusal::NoFeed(String::new())),
        };
        (end, self.skipped)
    }
}
