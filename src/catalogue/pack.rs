//! How a catalogue is stored.
//!
//! A row written is what stores charge for and what free plans count, so products are not stored one in
//! a row: about sixteen that follow each other in the feed are a pack, and packs are named after what is
//! in them. A pack that has not changed is there already. Where one ends depends on the product that ends
//! it and not on a count, so that a product more or less changes one pack and not all behind it.
//!
//! Which pack a product is in, the index says, and lists say which products have a category or another
//! value, in the feed's order. Both hold products by their keys.

/// As many bits as a number of JavaScript holds exactly: keys pass through it on their way into the
/// store. Among 250,000 products two have the same key once in 300,000 catalogues; the second then counts
/// as a repeated id.
const KEY_BITS: u32 = 53;

/// Bytes of a key.
const KEY_BYTES: usize = 8;

/// The key of an id, or of whatever else is looked up.
#[must_use]
pub fn key_of(text: &str) -> u64 {
    hash(text.as_bytes())
}

/// FNV-1a of 64 bits, folded to those of a key. It tells a shop's own products apart and need not
/// resist anybody; unlike the standard library's it stays the same for ever, as stored keys must.
#[must_use]
pub fn hash(bytes: &[u8]) -> u64 {
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let hash = bytes.iter().fold(BASIS, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME));
    (hash ^ (hash >> KEY_BITS)) & ((1 << KEY_BITS) - 1)
}

/// Keys as the store holds them.
#[must_use]
pub fn keys_to_bytes(keys: &[u64]) -> Vec<u8> {
    keys.iter().flat_map(|key| key.to_le_bytes()).collect()
}

/// Keys out of the store.
#[must_use]
pub fn keys_from_bytes(bytes: &[u8]) -> Vec<u64> {
    let (keys, _) = bytes.as_chunks::<KEY_BYTES>();
    keys.iter().map(|key| u64::from_le_bytes(*key)).collect()
}

/// Where each product is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Index {
    /// Keys and packs, by key.
    entries: Vec<(u64, u64)>,
}

impl Index {
    /// An index of keys and the packs that they are in, in any order.
    #[must_use]
    pub fn new(mut entries: Vec<(u64, u64)>) -> Self {
        entries.sort_unstable();
        entries.dedup_by_key(|(key, _)| *key);
        Self { entries }
    }

    /// The index that the store holds as keys and packs by turns.
    #[must_use]
    pub fn from_keys(keys: &[u64]) -> Self {
        let (entries, _) = keys.as_chunks::<2>();
        Self::new(entries.iter().map(|[key, pack]| (*key, *pack)).collect())
    }

    /// Keys and packs by turns, for the store.
    #[must_use]
    pub fn to_keys(&self) -> Vec<u64> {
        self.entries.iter().flat_map(|(key, pack)| [*key, *pack]).collect()
    }

    /// The pack that a product is in.
    #[must_use]
    pub fn pack_of(&self, key: u64) -> Option<u64> {
        let at = self.entries.binary_search_by_key(&key, |(known, _)| *known).ok()?;
        self.entries.get(at).map(|(_, pack)| *pack)
    }

    /// How many products there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Keys and packs.
    pub fn entries(&self) -> impl Iterator<Item = (u64, u64)> {
        self.entries.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_fit_into_numbers_of_javascript_and_never_change() {
        assert_eq!((key_of(""), key_of("TENT-1P")), (5_239_054_864_098_682, 8_492_379_547_988_824));
        for id in 0..1000 {
            assert!(key_of(&id.to_string()) < 1 << 53);
        }
    }

    #[test]
    fn what_is_stored_comes_back() {
        let index = Index::new(vec![(7, 1), (3, 2), (7, 1), (5, (1 << 53) - 1)]);
        let stored = keys_to_bytes(&index.to_keys());
        assert_eq!(Index::from_keys(&keys_from_bytes(&stored)), index);
        assert_eq!(index.len(), 3);
        assert_eq!((index.pack_of(5), index.pack_of(4)), (Some((1 << 53) - 1), None));
    }
}
