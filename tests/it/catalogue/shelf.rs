//! A store in memory that does what the Worker's does, and feeds to fill it with.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use esputnik_kit::{
    catalogue::{
        Index, Item,
        feed::Refusal,
        import::{After, Before, Import},
        key_of, keys_from_bytes, keys_to_bytes,
        query::Query,
    },
    json,
};

/// A product of a feed: `id`, and what stands in its element.
pub(super) fn item(id: &str, inside: &str) -> String {
    format!("<item><g:id>{id}</g:id>{inside}</item>")
}

/// A feed of these products.
pub(super) fn feed(items: &[String]) -> String {
    format!(
        "<?xml version=\"1.0\"?>\n<rss version=\"2.0\" xmlns:g=\"http://base.google.com/ns/1.0\">\
         <channel><title>A shop</title>{}</channel></rss>\n",
        items.concat()
    )
}

/// A feed of products with these ids, and a price that is the same for all.
pub(super) fn plain(ids: impl IntoIterator<Item = u32>, price: u32) -> String {
    let item = |id: u32| {
        item(
            &id.to_string(),
            &format!(
                "<title>Product {id}</title><g:price>{price} UAH</g:price>\
                 <g:product_type>All &gt; Group {}</g:product_type>",
                id % 7
            ),
        )
    };
    feed(&ids.into_iter().map(item).collect::<Vec<_>>())
}

#[derive(Debug, Default)]
pub(super) struct Shelf {
    pub(super) packs: BTreeMap<u64, String>,
    index: Index,
    lists: BTreeMap<u64, Vec<u8>>,
    shrunk: u32,
    fields: Vec<String>,
    /// Rows written by the latest import, and all.
    pub(super) written: usize,
}

impl Shelf {
    pub(super) fn with_fields(fields: &[&str]) -> Self {
        let fields = fields.iter().map(ToString::to_string).collect();
        Self { fields, ..Self::default() }
    }

    /// Imports what comes in these parts.
    pub(super) fn import<'a>(
        &mut self,
        parts: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<After, Refusal> {
        self.written = 0;
        let stored: HashSet<u64> = self.packs.keys().copied().collect();
        let mut import = Import::new(stored, self.fields.clone());
        let before = self.index.clone();
        for part in parts {
            for pack in import.handle_bytes(part) {
                self.written += 1;
                assert_eq!(self.packs.insert(pack.id, pack.body), None, "it was there");
            }
        }
        for pack in import.handle_end() {
            self.written += 1;
            self.packs.insert(pack.id, pack.body);
        }
        let lists = if import.keeps(&before, self.shrunk) {
            self.lists.iter().map(|(list, keys)| (*list, keys_from_bytes(keys))).collect()
        } else {
            Vec::new()
        };
        let after = import.finish(Before { index: before, lists, shrunk: self.shrunk })?;
        for pack in &after.dropped {
            assert!(self.packs.remove(pack).is_some(), "only what is there is dropped");
        }
        let used: BTreeSet<u64> = after.index.entries().map(|(_, pack)| pack).collect();
        let there: BTreeSet<u64> = self.packs.keys().copied().collect();
        assert_eq!(used, there, "the store has what the index knows, and nothing else");
        let stored = keys_to_bytes(&after.index.to_keys());
        self.index = Index::from_keys(&keys_from_bytes(&stored));
        self.lists = after.lists.iter().map(|(list, keys)| (*list, keys_to_bytes(keys))).collect();
        self.shrunk = after.shrunk;
        Ok(after)
    }

    pub(super) fn import_all(&mut self, feed: &str) -> After {
        self.import([feed.as_bytes()]).unwrap()
    }

    fn at(&self, key: u64) -> Option<Item> {
        let pack = json::parse(&self.packs[&self.index.pack_of(key)?]).unwrap();
        Some(Item::from_value(pack.member(&key.to_string()).unwrap().clone()).unwrap())
    }

    pub(super) fn get(&self, id: &str) -> Option<Item> {
        self.at(key_of(id))
    }

    /// The ids that a query finds, in the feed's order.
    pub(super) fn find(&self, field: Option<&str>, value: &str) -> Vec<String> {
        let query =
            Query { field: field.map(str::to_owned), value: value.into(), ..Query::default() };
        let keys = self.lists.get(&query.list()).map(|keys| keys_from_bytes(keys));
        keys.unwrap_or_default().into_iter().map(|key| self.at(key).unwrap().id).collect()
    }
}
