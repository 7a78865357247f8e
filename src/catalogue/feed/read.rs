//! One product's XML as attributes.

use quick_xml::{
    Reader, XmlVersion,
    escape::resolve_predefined_entity,
    events::{BytesRef, BytesStart, Event},
};

use super::Broken;
use crate::value::{Members, Value};

/// Longest text of an attribute, in bytes; what is longer is cut. A card shows a line of it.
const MAX_TEXT: usize = 8 * 1024;

/// Longest name of an attribute, in bytes; one that is longer is left out.
const MAX_NAME: usize = 100;

/// Most attributes of a product, and most values of one; more are left out.
const MAX_FIELDS: usize = 200;
const MAX_VALUES: usize = 100;

/// How deep attributes may be nested.
const MAX_DEPTH: usize = 6;

/// An element that has begun.
struct Open {
    name: String,
    /// Whether its name has a prefix, as Google's attributes do.
    prefixed: bool,
    text: String,
    /// Where an Atom link leads.
    href: Option<String>,
    inside: Fields,
}

/// Attributes as they come, each with whether its name had a prefix.
type Fields = Vec<(String, bool, Value)>;

/// The attributes of the product that `xml` holds, from its tag to its end.
pub(super) fn fields(xml: &str) -> Result<Members, Broken> {
    let mut reader = Reader::from_str(xml);
    // Shops write `Tom & Jerry`.
    reader.config_mut().allow_dangling_amp = true;
    let mut open: Vec<Open> = Vec::new();
    loop {
        match reader.read_event().map_err(|_| Broken::Syntax)? {
            Event::Start(element) => {
                if open.len() > MAX_DEPTH {
                    return Err(Broken::TooDeep);
                }
                open.push(Open::new(&element));
            }
            Event::Empty(element) => {
                let element = Open::new(&element);
                match open.last_mut() {
                    Some(around) => add(&mut around.inside, element),
                    // The product itself.
                    None => return Ok(Members::new()),
                }
            }
            Event::Text(text) => write(&mut open, &text),
            Event::CData(text) => write(&mut open, &text),
            Event::GeneralRef(reference) => {
                let mut letters = [0; 4];
                match letter(&reference) {
                    Some(letter) => write(&mut open, letter.encode_utf8(&mut letters)),
                    None => {
                        for part in ["&", &reference, ";"] {
                            write(&mut open, part);
                        }
                    }
                }
            }
            Event::End(_) => {
                let Some(element) = open.pop() else { return Err(Broken::Syntax) };
                match open.last_mut() {
                    Some(around) => add(&mut around.inside, element),
                    None => return Ok(members(element.inside)),
                }
            }
            Event::Eof => return Err(Broken::Syntax),
            _ => {}
        }
    }
}

impl Open {
    fn new(element: &BytesStart<'_>) -> Self {
        let name = element.name();
        let local = name.local_name();
        let name: &str = local.as_ref();
        let href = (name == "link").then(|| element.try_get_attribute("href").ok()).flatten();
        let href =
            href.flatten().and_then(|href| href.normalized_value(XmlVersion::Implicit1_0).ok());
        Self {
            name: name.to_owned(),
            prefixed: element.name().prefix().is_some(),
            text: String::new(),
            href: href.map(std::borrow::Cow::into_owned),
            inside: Fields::new(),
        }
    }
}

/// Adds text to the innermost element.
fn write(open: &mut [Open], text: &str) {
    let Some(element) = open.last_mut() else { return };
    // What is cut in the end need not be kept; blanks at the beginning do not count.
    let room = (2 * MAX_TEXT).saturating_sub(element.text.len());
    let text = if element.text.is_empty() { text.trim_start() } else { text };
    element.text.push_str(text.get(..text.floor_char_boundary(room)).unwrap_or_default());
}

/// Adds an element that has ended to those of the one around it.
fn add(fields: &mut Fields, element: Open) {
    let Open { name, prefixed, text, href, inside } = element;
    let value = if inside.is_empty() {
        let text = clean(&text);
        let text = if text.is_empty() { clean(&href.unwrap_or_default()) } else { text };
        if text.is_empty() {
            return;
        }
        Value::Text(text)
    } else {
        Value::Object(members(inside))
    };
    if name.len() > MAX_NAME {
        return;
    }
    let is_full = fields.len() >= MAX_FIELDS;
    match fields.iter_mut().find(|(known, _, _)| *known == name) {
        None if is_full => {}
        None => fields.push((name, prefixed, value)),
        // Google's attributes say what they mean; RSS has elements of the same names.
        Some((_, known, there)) if prefixed && !*known => (*known, *there) = (true, value),
        Some((_, true, _)) if !prefixed => {}
        Some((_, _, Value::List(list))) => {
            if list.len() < MAX_VALUES {
                list.push(value);
            }
        }
        Some((_, _, there)) => *there = Value::List(vec![std::mem::take(there), value]),
    }
}

fn members(fields: Fields) -> Members {
    fields.into_iter().map(|(name, _, value)| (name, value)).collect()
}

/// Text without what is around it and without control characters, of no more than [`MAX_TEXT`].
fn clean(text: &str) -> String {
    let is_plain = |c: &char| !c.is_control() || matches!(c, '\n' | '\t');
    let text = text.trim();
    let is_clean = text.chars().all(|c| is_plain(&c));
    let mut text = if is_clean { text.to_owned() } else { text.chars().filter(is_plain).collect() };
    text.truncate(text.floor_char_boundary(MAX_TEXT));
    text
}

/// The letter that `&amp;` or `&#38;` stands for. No entity is declared, so no other stands for one,
/// but for the space of HTML, which is common.
fn letter(reference: &BytesRef<'_>) -> Option<char> {
    if let Ok(Some(letter)) = reference.resolve_char_ref() {
        return Some(letter);
    }
    let name: &str = reference;
    match name {
        "nbsp" => Some('\u{a0}'),
        name => resolve_predefined_entity(name)?.chars().next(),
    }
}
