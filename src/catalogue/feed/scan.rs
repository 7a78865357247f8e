//! Where products begin and end in a feed, found in one pass over bytes that come in parts.
//!
//! It knows what can hide a tag: comments, CDATA, instructions. All else of XML is read later, product by
//! product, so that one that is broken takes no other with it.

/// Longest name of an element that can be one of those looked for.
const MAX_NAME: usize = 64;

/// Longest declaration.
const MAX_HEAD: usize = 512;

/// What is found in a feed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The declaration that it begins with.
    Head(Vec<u8>),
    /// Its outermost element, by name.
    Root(String),
    /// Declarations of a document type.
    Declarations,
    /// A product begins; what of its tag is read already.
    ItemStart(Vec<u8>),
    /// The product has ended.
    ItemEnd,
    /// The outermost element has ended.
    End,
}

/// Where in the feed the scanner is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// Between tags.
    #[default]
    Text,
    /// In the instruction that comes first, which may be the declaration.
    Head,
    /// Behind a `<`, before it is known what it begins.
    Open,
    /// In a comment, CDATA or an instruction, which end with the text given; so much of that is there.
    Until(&'static [u8], usize),
    /// In a document type.
    Doctype,
    /// In a tag, which ends with `>`.
    Tag,
    /// In the tag of a product that begins: in which quotes, and whether a slash came last.
    ItemTag(Option<u8>, bool),
    /// In the tag of a product that ends.
    ItemEndTag,
    /// In the tag of the outermost element that ends.
    EndTag,
}

/// The scanner, between two parts.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    place: Place,
    /// The declaration, or what stands behind a `<`, as far as it matters.
    name: Vec<u8>,
    /// Whether anything has begun: a declaration stands before all else.
    has_begun: bool,
    /// The name of the outermost element, with its prefix.
    root: Option<Vec<u8>>,
    /// The name of the product's element, with its prefix, while in one.
    item: Option<Vec<u8>>,
}

impl Scanner {
    /// Whether there is an outermost element.
    pub(super) fn has_root(&self) -> bool {
        self.root.is_some()
    }

    /// Reads until something is found or nothing is left; how many bytes that took.
    pub(super) fn step(&mut self, bytes: &[u8]) -> (usize, Option<Found>) {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let (read, found) = self.advance(rest);
            at += read;
            if found.is_some() {
                return (at, found);
            }
        }
        (at, None)
    }

    fn advance(&mut self, bytes: &[u8]) -> (usize, Option<Found>) {
        let Some(&byte) = bytes.first() else { return (0, None) };
        match self.place {
            Place::Head => {
                self.name.push(byte);
                if self.name.ends_with(b"?>") {
                    self.place = Place::Text;
                    return (1, Some(Found::Head(std::mem::take(&mut self.name))));
                }
                if self.name.len() == MAX_HEAD {
                    self.place = Place::Until(b"?>", 0);
                }
            }
            Place::Text => match position(bytes, b'<') {
                Some(at) => {
                    self.place = Place::Open;
                    self.name.clear();
                    return (at + 1, None);
                }
                None => return (bytes.len(), None),
            },
            Place::Open => return self.open(byte),
            Place::Until(end, matched) => {
                // Only their own last byte can follow a run of the bytes before it: `]]]>`, `--->`.
                let matched = match end.get(matched) {
                    Some(expected) if *expected == byte => matched + 1,
                    _ if matched + 1 == end.len() && end.first() == Some(&byte) => matched,
                    _ => usize::from(end.first() == Some(&byte)),
                };
                if matched == end.len() {
                    self.place = Place::Text;
                } else {
                    self.place = Place::Until(end, matched);
                    if matched == 0
                        && let Some(&first) = end.first()
                    {
                        return (position(bytes, first).unwrap_or(bytes.len()).max(1), None);
                    }
                }
            }
            Place::Doctype => match byte {
                b'[' => return (1, Some(Found::Declarations)),
                b'>' => self.place = Place::Text,
                _ => {}
            },
            Place::Tag => match bytes.iter().position(|byte| matches!(byte, b'<' | b'>')) {
                // No tag has a `<` in it, so this one has no end.
                Some(at) => {
                    self.place = Place::Text;
                    return (at + usize::from(bytes.get(at) == Some(&b'>')), None);
                }
                None => return (bytes.len(), None),
            },
            Place::ItemTag(Some(quote), _) if byte == quote => {
                self.place = Place::ItemTag(None, false);
            }
            Place::ItemTag(None, slash) => match byte {
                b'>' => {
                    self.place = Place::Text;
                    if slash {
                        self.item = None;
                        return (1, Some(Found::ItemEnd));
                    }
                }
                b'"' | b'\'' => self.place = Place::ItemTag(Some(byte), false),
                _ => self.place = Place::ItemTag(None, byte == b'/'),
            },
            Place::ItemEndTag if byte == b'>' => {
                self.place = Place::Text;
                self.item = None;
                return (1, Some(Found::ItemEnd));
            }
            Place::EndTag if byte == b'>' => {
                self.place = Place::Text;
                return (1, Some(Found::End));
            }
            Place::ItemTag(Some(_), _) | Place::ItemEndTag | Place::EndTag => {}
        }
        (1, None)
    }

    /// Behind a `<`: what it begins.
    fn open(&mut self, byte: u8) -> (usize, Option<Found>) {
        const CDATA: &[u8] = b"![CDATA[";
        const DOCTYPE: &[u8] = b"!DOCTYPE";
        if byte == b'<' {
            // A sign that should have been written as a reference.
            self.name.clear();
            return (1, None);
        }
        if byte == b'?' && self.name.is_empty() {
            let is_first = !std::mem::replace(&mut self.has_begun, true);
            self.place = if is_first { Place::Head } else { Place::Until(b"?>", 0) };
            return (1, None);
        }
        self.has_begun = true;
        if self.name.first() == Some(&b'!') || (byte == b'!' && self.name.is_empty()) {
            self.name.push(byte);
            let name = self.name.as_slice();
            let begins = |whole: &[u8]| whole.starts_with(name);
            self.place = match name {
                b"!--" => Place::Until(b"-->", 0),
                CDATA => Place::Until(b"]]>", 0),
                DOCTYPE => Place::Doctype,
                _ if byte == b'>' => Place::Text,
                _ if begins(b"!--") || begins(CDATA) || begins(DOCTYPE) => Place::Open,
                _ => Place::Tag,
            };
            return (1, None);
        }
        let ends = byte == b'>' || byte.is_ascii_whitespace();
        if !ends && (byte != b'/' || self.name.is_empty()) {
            if self.name.len() < MAX_NAME {
                self.name.push(byte);
            }
            return (1, None);
        }
        if self.name.is_empty() {
            self.place = Place::Text;
            return (1, None);
        }
        (0, self.tag())
    }

    /// A tag whose name is read: what it means.
    fn tag(&mut self) -> Option<Found> {
        let name = self.name.as_slice();
        self.place = Place::Tag;
        if let Some(item) = &self.item {
            if name.strip_prefix(b"/") == Some(item) {
                self.place = Place::ItemEndTag;
            }
            return None;
        }
        if let Some(ended) = name.strip_prefix(b"/") {
            if self.root.as_deref() == Some(ended) {
                self.place = Place::EndTag;
            }
            return None;
        }
        let Some(_) = &self.root else {
            self.root = Some(name.to_vec());
            return Some(Found::Root(String::from_utf8_lossy(name).into_owned()));
        };
        let local = name.rsplit(|byte| *byte == b':').next().unwrap_or_default();
        if matches!(local, b"item" | b"entry") {
            self.place = Place::ItemTag(None, false);
            self.item = Some(name.to_vec());
            return Some(Found::ItemStart([b"<", name].concat()));
        }
        None
    }
}

fn position(bytes: &[u8], wanted: u8) -> Option<usize> {
    bytes.iter().position(|byte| *byte == wanted)
}
