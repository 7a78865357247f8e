//! The ids in a product feed, by the reader that the Worker imports feeds with: what one takes, the other
//! finds.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read,
};

use esputnik_kit::catalogue::{
    Item,
    feed::{End, Feed, Refusal, Skipped},
};

/// Other attributes of a product that a shop may have taken for its id.
const OTHERS: [&str; 4] = ["item_group_id", "mpn", "gtin", "sku"];

/// How much is read at a time, in bytes.
const PART: usize = 64 * 1024;

/// What a feed says of the ids that are looked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// How many products it has.
    pub(super) products: u64,
    /// The ids that are ids there.
    pub(super) known: BTreeSet<String>,
    /// How many ids are values of another attribute there.
    pub(super) elsewhere: BTreeMap<&'static str, BTreeSet<String>>,
    /// Products that are none, and why.
    pub(super) skipped: Skipped,
    /// Why it was not read to its end.
    pub(super) broken: Option<Broken>,
}

/// Why a feed was not read to its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// It ends before its last tag.
    Cut,
    /// It is none, or none that is read.
    Refused(Refusal),
    /// It did not come to its end.
    Stopped(String),
}

/// Reads a feed. Only what is looked for is kept, so its length costs no memory.
pub(super) fn read(source: &mut impl Read, wanted: &BTreeSet<String>) -> Found {
    let mut found = Found::default();
    let mut feed = Feed::new();
    let mut part = vec![0; PART];
    while !feed.is_done() {
        match source.read(&mut part) {
            Ok(0) => break,
            Ok(length) => feed.push(part.get(..length).unwrap_or_default(), |item| {
                found.note(&item, wanted);
                Ok(())
            }),
            Err(error) => {
                found.broken = Some(Broken::Stopped(error.to_string()));
                return found;
            }
        }
    }
    let (end, skipped) = feed.finish();
    found.skipped = skipped;
    found.broken = match end {
        End::Whole => None,
        End::Cut => Some(Broken::Cut),
        End::Refused(refusal) => Some(Broken::Refused(refusal)),
    };
    found
}

impl Found {
    fn note(&mut self, item: &Item, wanted: &BTreeSet<String>) {
        self.products += 1;
        if wanted.contains(&item.id) {
            self.known.insert(item.id.clone());
        }
        for name in OTHERS {
            for value in item.values(name).filter(|value| wanted.contains(*value)) {
                self.elsewhere.entry(name).or_default().insert(value.to_owned());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(feed: &str, wanted: &[&str]) -> Found {
        read(&mut feed.as_bytes(), &wanted.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn ids_are_read_in_every_way_that_xml_writes_them() {
        let feed = "<?xml version=\"1.0\"?><rss xmlns:g=\"http://base.google.com/ns/1.0\"><channel>\
            <id>channel</id><!-- <item><g:id>comment</g:id></item> -->\
            <item><g:id> 1 </g:id><g:shipping><g:id>ship</g:id></g:shipping></item>\
            <item><g:id><![CDATA[A&B]]></g:id></item>\
            <item><g:id>C&amp;D&#x2d;1</g:id><g:item_group_id>G</g:item_group_id></item>\
            <item><title>none</title></item></channel></rss>";
        let wanted = ["1", "A&B", "C&D-1", "channel", "comment", "ship", "G"];
        let found = found(feed, &wanted);
        assert_eq!((found.products, found.skipped.count), (3, 1));
        assert_eq!(
            found.known.iter().map(String::as_str).collect::<Vec<_>>(),
            ["1", "A&B", "C&D-1"]
        );
        assert!(found.elsewhere["item_group_id"].contains("G"));
        assert_eq!(found.broken, None);
    }

    #[test]
    fn a_feed_that_is_cut_or_none_says_so_and_keeps_what_it_had() {
        let cut = found("<rss><channel><item><g:id>1</g:id></item><item><g:id>2", &["1", "2"]);
        assert_eq!((cut.products, cut.known.len(), cut.broken), (1, 1, Some(Broken::Cut)));
        let page = found("<html>a page<br></html>", &[]);
        assert_eq!(page.broken, Some(Broken::Refused(Refusal::NoFeed("html".to_owned()))));
        assert_eq!(found("\u{feff}<rss></rss>", &[]), Found::default());
    }
}
