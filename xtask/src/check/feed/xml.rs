//! The ids in a product feed: RSS 2.0 with Google's attributes, read as it streams.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::BufRead,
};

use quick_xml::{
    Error, Reader,
    escape::resolve_predefined_entity,
    events::{BytesRef, Event},
};

/// Other attributes of a product that a shop may have taken for its id.
const OTHERS: [&str; 4] = ["item_group_id", "mpn", "gtin", "sku"];

/// What a feed says of the ids that are looked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// How many products it has.
    pub(super) products: u64,
    /// The ids that are ids there.
    pub(super) known: BTreeSet<String>,
    /// How many ids are values of another attribute there.
    pub(super) elsewhere: BTreeMap<&'static str, BTreeSet<String>>,
    /// Why it was not read to its end.
    pub(super) broken: Option<Broken>,
}

/// Why a feed was not read to its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// It is no XML, or not all of it.
    Syntax(String),
    /// It is not in UTF-8, which alone is read here.
    Encoding,
    /// It did not come to its end.
    Stopped(String),
}

/// Reads a feed. Only what is looked for is kept, so its length costs no memory.
pub(super) fn read(source: impl BufRead, wanted: &BTreeSet<String>) -> Found {
    let mut found = Found::default();
    let mut reader = Reader::from_reader(source);
    let mut buffer = Vec::new();
    // The names of open elements, and the text of the innermost.
    let mut open: Vec<String> = Vec::new();
    let mut text = String::new();
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer) {
            Ok(Event::Start(element)) => {
                open.push(element.local_name().as_ref().to_owned());
                text.clear();
            }
            Ok(Event::Text(part)) => text.push_str(&part),
            Ok(Event::CData(part)) => text.push_str(&part),
            Ok(Event::GeneralRef(part)) => text.push_str(&resolve(&part)),
            Ok(Event::End(_)) => {
                let name = open.pop().unwrap_or_default();
                if matches!(open.last().map(String::as_str), Some("item" | "entry")) {
                    found.note(&name, text.trim(), wanted);
                }
                text.clear();
            }
            Ok(Event::Eof) if open.is_empty() => return found,
            Ok(Event::Eof) => {
                found.broken = Some(Broken::Syntax("it ends in the middle".to_owned()));
                return found;
            }
            Ok(_) => {}
            Err(error) => {
                found.broken = Some(match error {
                    Error::Encoding(_) => Broken::Encoding,
                    Error::Io(error) => Broken::Stopped(error.to_string()),
                    error => Broken::Syntax(format!("byte {}: {error}", reader.error_position())),
                });
                return found;
            }
        }
    }
}

impl Found {
    fn note(&mut self, name: &str, value: &str, wanted: &BTreeSet<String>) {
        if name == "id" {
            self.products += 1;
            if wanted.contains(value) {
                self.known.insert(value.to_owned());
            }
        } else if let Some(other) = OTHERS.iter().find(|other| **other == name)
            && wanted.contains(value)
        {
            self.elsewhere.entry(other).or_default().insert(value.to_owned());
        }
    }
}

/// The text of `&amp;` or `&#38;`; others are left as they are.
fn resolve(reference: &BytesRef<'_>) -> String {
    if let Ok(Some(letter)) = reference.resolve_char_ref() {
        return letter.to_string();
    }
    let name: &str = reference;
    resolve_predefined_entity(name).map_or_else(|| format!("&{name};"), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(feed: &str, wanted: &[&str]) -> Found {
        read(feed.as_bytes(), &wanted.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn ids_are_read_in_every_way_that_xml_writes_them() {
        let feed = "<?xml version=\"1.0\"?><rss xmlns:g=\"http://base.google.com/ns/1.0\"><channel>\
            <id>channel</id><!-- <item><g:id>comment</g:id></item> -->\
            <item><g:id> 1 </g:id><g:shipping><g:id>ship</g:id></g:shipping></item>\
            <item><g:id><![CDATA[A&B]]></g:id></item>\
            <item><g:id>C&amp;D&#x2d;1</g:id><g:item_group_id>G</g:item_group_id></item>\
            </channel></rss>";
        let wanted = ["1", "A&B", "C&D-1", "channel", "comment", "ship", "G"];
        let found = found(feed, &wanted);
        assert_eq!(found.products, 3);
        assert_eq!(
            found.known.iter().map(String::as_str).collect::<Vec<_>>(),
            ["1", "A&B", "C&D-1"]
        );
        assert!(found.elsewhere["item_group_id"].contains("G"));
        assert_eq!(found.broken, None);
    }

    #[test]
    fn a_feed_that_is_cut_or_no_xml_says_so_and_keeps_what_it_had() {
        let cut = found("<rss><channel><item><g:id>1</g:id></item><item><g:id>2", &["1", "2"]);
        assert_eq!((cut.products, cut.known.len()), (1, 1));
        assert!(cut.broken.is_some());
        assert!(found("<p>a page<br></p>", &[]).broken.is_some());
        let cyrillic = read(&b"<rss>\xf0\xe5</rss>"[..], &BTreeSet::new());
        assert_eq!(cyrillic.broken, Some(Broken::Encoding));
        assert_eq!(found("\u{feff}<rss/>", &[]), Found::default());
        assert_eq!(found("{}", &[]), Found::default());
    }
}
