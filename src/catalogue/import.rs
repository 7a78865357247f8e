//! An import: what of a feed is to be stored, and, at its end, what becomes of the catalogue.
//!
//! # Guarantees
//!
//! - Until the end nothing of the catalogue changes: new packs are stored beside the old ones, which
//!   the index does not know yet. Whoever asks meanwhile, and an import that fails, has the old one.
//! - A product leaves the catalogue only at the end of a feed that is whole and has at least half as many
//!   products as the catalogue; a smaller one is believed the third time in a row.
//! - What has not changed is not written again.

use std::collections::{HashMap, HashSet};

use super::{
    Item,
    feed::{Broken, End, Feed, Refusal, Skipped},
    pack::{Index, hash, key_of},
    query::{all, gone, lists_of},
};
use crate::value::write_text;

/// Most products of a catalogue. With more, its index and lists would not fit beside all else into the
/// memory that a Worker has.
pub const MAX_ITEMS: usize = 250_000;

/// One of so many products ends a pack.
const PACK: u64 = 16;

/// A pack that is longer ends, in bytes.
const MAX_PACK: usize = 64 * 1024;

/// Most places in lists, all together.
const MAX_PLACES: usize = 3_000_000;

/// Most lists.
const MAX_LISTS: usize = 50_000;

/// How often in a row a feed of less than half has to come until it is believed.
const BELIEVED: u32 = 3;

/// An import under way.
#[derive(Debug)]
pub struct Import {
    feed: Feed,
    /// Attributes that products are to be found by, beside categories.
    fields: Vec<String>,
    /// Packs that are stored already.
    stored: HashSet<u64>,
    /// The pack that is being put together: its text, and the keys of its products.
    pack: String,
    inside: Vec<u64>,
    /// Packs that are to be stored.
    packs: Vec<Pack>,
    /// The keys of the feed's products in its order, and the packs that they are in.
    order: Vec<u64>,
    places: Vec<(u64, u64)>,
    seen: HashSet<u64>,
    /// Places in `order`, by list.
    lists: HashMap<u64, Vec<u32>>,
    listed: usize,
    /// Whether something is missing in them.
    is_unlisted: bool,
    /// Products beyond the most that are kept.
    too_many: u64,
}

/// Products that are stored together.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a row of the store")]
pub struct Pack {
    /// Its name, which says what is in it.
    pub id: u64,
    /// An object of products as JSON, by their keys.
    pub body: String,
}

/// What of the catalogue an import has to know at its end.
#[derive(Clone, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "every member must be thought of by who fills it")]
pub struct Before {
    /// The index as it is.
    pub index: Index,
    /// The lists as they are, all of them; not needed unless [`Import::keeps`] says so.
    pub lists: Vec<(u64, Vec<u64>)>,
    /// How often in a row the feed had less than half before.
    pub shrunk: u32,
}

/// The catalogue after an import.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct After {
    /// The index.
    pub index: Index,
    /// The lists: those that are not here are none any more.
    pub lists: Vec<(u64, Vec<u64>)>,
    /// Packs that nothing is in any more.
    pub dropped: Vec<u64>,
    /// The feed's products that were taken.
    pub items: u64,
    /// Those that were not.
    pub skipped: Skipped,
    /// What is odd about the feed as a whole.
    pub oddity: Option<Oddity>,
    /// How often in a row the feed had less than half now.
    pub shrunk: u32,
}

/// What is odd about a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Oddity {
    /// It ended before its last tag: what it does not have was kept.
    Cut,
    /// It has less than half of the catalogue's products: what it does not have was kept.
    Shrunk(u64, u64),
    /// It has more products than are kept: so many are left out.
    TooMany(u64),
    /// It has more values than products can be found by.
    Unlisted,
}

impl std::fmt::Display for Oddity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Cut => f.write_str("the feed ends before its last tag; what it lacks was kept"),
            Self::Shrunk(now, before) => write!(
                f,
                "the feed has {now} products after {before}; what it lacks was kept, until it has \
                 come so small three times in a row"
            ),
            Self::TooMany(count) => {
                write!(f, "the feed has {count} products more than the {MAX_ITEMS} that are kept")
            }
            Self::Unlisted => {
                f.write_str("the feed has more categories and values than products can be found by")
            }
        }
    }
}

impl Import {
    /// An import into a store that has these packs.
    #[must_use]
    pub fn new(stored: HashSet<u64>, fields: Vec<String>) -> Self {
        Self {
            feed: Feed::new(),
            fields,
            stored,
            pack: String::new(),
            inside: Vec::new(),
            packs: Vec::new(),
            order: Vec::new(),
            places: Vec::new(),
            seen: HashSet::new(),
            lists: HashMap::new(),
            listed: 0,
            is_unlisted: false,
            too_many: 0,
        }
    }

    /// Takes what comes next of the feed; returns the packs that are to be stored.
    #[must_use]
    pub fn handle_bytes(&mut self, bytes: &[u8]) -> Vec<Pack> {
        let mut feed = std::mem::take(&mut self.feed);
        feed.push(bytes, |item| self.take(&item));
        self.feed = feed;
        std::mem::take(&mut self.packs)
    }

    /// Whether nothing more of the feed is needed.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.feed.is_done()
    }

    /// Takes a product.
    fn take(&mut self, item: &Item) -> Result<(), Broken> {
        let key = key_of(&item.id);
        if self.seen.contains(&key) {
            return Err(Broken::Repeated);
        }
        if self.order.len() >= MAX_ITEMS {
            self.too_many += 1;
            return Ok(());
        }
        self.seen.insert(key);
        let place = u32::try_from(self.order.len()).unwrap_or(u32::MAX);
        self.order.push(key);
        for list in lists_of(item, &self.fields) {
            let is_new = !self.lists.contains_key(&list);
            let is_full = self.listed >= MAX_PLACES || (is_new && self.lists.len() >= MAX_LISTS);
            if is_full && list != all() && list != gone() {
                self.is_unlisted = true;
                continue;
            }
            self.listed += 1;
            self.lists.entry(list).or_default().push(place);
        }
        self.pack.push(if self.inside.is_empty() { '{' } else { ',' });
        write_text(&key.to_string(), &mut self.pack);
        self.pack.push(':');
        item.to_value().write_json(&mut self.pack);
        self.inside.push(key);
        if key.is_multiple_of(PACK) || self.pack.len() > MAX_PACK {
            self.close();
        }
        Ok(())
    }

    /// Ends the pack that is being put together.
    fn close(&mut self) {
        if self.inside.is_empty() {
            return;
        }
        let mut body = std::mem::take(&mut self.pack);
        body.push('}');
        let id = hash(body.as_bytes());
        self.places.extend(self.inside.drain(..).map(|key| (key, id)));
        if self.stored.insert(id) {
            self.packs.push(Pack { id, body });
        }
    }

    /// The packs that are left to store, once nothing more of the feed comes.
    #[must_use]
    pub fn handle_end(&mut self) -> Vec<Pack> {
        self.close();
        std::mem::take(&mut self.packs)
    }

    /// How the feed ends, if it ends now; after [`Self::handle_end`].
    fn end(&self, before: usize, shrunk: u32) -> (Option<Oddity>, u32) {
        let count = |number: usize| number as u64;
        let items = self.order.len();
        if !self.feed.is_done() {
            return (Some(Oddity::Cut), shrunk);
        }
        if items * 2 < before {
            let shrunk = shrunk + 1;
            if shrunk < BELIEVED || items == 0 {
                return (Some(Oddity::Shrunk(count(items), count(before))), shrunk);
            }
        }
        if self.too_many > 0 {
            return (Some(Oddity::TooMany(self.too_many)), 0);
        }
        (self.is_unlisted.then_some(Oddity::Unlisted), 0)
    }

    /// Whether products stay that the feed does not have, so that the old lists are needed.
    #[must_use]
    pub fn keeps(&self, index: &Index, shrunk: u32) -> bool {
        matches!(self.end(index.len(), shrunk).0, Some(Oddity::Cut | Oddity::Shrunk(..)))
    }

    /// The catalogue after the feed; after [`Self::handle_end`].
    ///
    /// # Errors
    ///
    /// What was given is no feed.
    pub fn finish(self, before: Before) -> Result<After, Refusal> {
        let (oddity, shrunk) = self.end(before.index.len(), before.shrunk);
        let keeps = matches!(oddity, Some(Oddity::Cut | Oddity::Shrunk(..)));
        let Self { feed, stored, order, places, seen, lists, .. } = self;
        let (end, skipped) = feed.finish();
        if let End::Refused(refusal) = end {
            return Err(refusal);
        }
        let items = order.len() as u64;
        let keys = |places: Vec<u32>| -> Vec<u64> {
            places.into_iter().filter_map(|place| order.get(place as usize).copied()).collect()
        };
        let mut lists: HashMap<u64, Vec<u64>> =
            lists.into_iter().map(|(list, places)| (list, keys(places))).collect();
        let mut entries = places;
        if keeps {
            entries.extend(before.index.entries().filter(|(key, _)| !seen.contains(key)));
            for (list, keys) in before.lists {
                let kept = keys.into_iter().filter(|key| !seen.contains(key));
                let kept: Vec<u64> = kept.collect();
                if !kept.is_empty() {
                    lists.entry(list).or_default().extend(kept);
                }
            }
        }
        let index = Index::new(entries);
        let used: HashSet<u64> = index.entries().map(|(_, pack)| pack).collect();
        let mut dropped: Vec<u64> = stored.difference(&used).copied().collect();
        dropped.sort_unstable();
        let mut lists: Vec<(u64, Vec<u64>)> = lists.into_iter().collect();
        lists.sort_unstable();
        Ok(After { index, lists, dropped, items, skipped, oddity, shrunk })
    }
}
