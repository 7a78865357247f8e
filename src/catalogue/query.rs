//! What is looked for in a catalogue, and in which order it is answered.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::{Item, pack::hash, paths, texts};
use crate::value::find;

/// Most products of one answer.
pub const MAX_FOUND: usize = 100;

/// Longest value that products can be found by, in bytes. What is longer is a text and no name.
const MAX_VALUE: usize = 200;

/// The name of what products are found by when they cannot be had.
pub(super) const GONE: &str = "\u{0}gone";

/// What is looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::exhaustive_structs, reason = "every member must be thought of by who asks")]
pub struct Query {
    /// The attribute that is to have the value, `category` for any level of a category; all products
    /// if there is none.
    pub field: Option<String>,
    /// The value. Of a category also a path: `A > B`.
    pub value: String,
    /// The order.
    pub order: Order,
    /// How many products at most; never more than [`MAX_FOUND`].
    pub limit: usize,
    /// Only products that can be had.
    pub in_stock: bool,
}

/// The order of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Order {
    /// As in the feed.
    #[default]
    Feed,
    /// What was bought most in the last thirty days first; what was not, as in the feed.
    Bestsellers,
}

impl Query {
    /// The list that answers it.
    #[must_use]
    pub fn list(&self) -> u64 {
        self.field.as_ref().map_or_else(all, |field| list_of(field, &self.value))
    }

    /// Whether a product has the value, for what no list is kept of.
    #[must_use]
    pub fn matches(&self, item: &Item) -> bool {
        let Some(field) = &self.field else { return true };
        let wanted = plain(&self.value);
        item.values(field).any(|value| plain(value) == wanted)
    }
}

/// The list of all products.
#[must_use]
pub fn all() -> u64 {
    list_of("", "")
}

/// The list of products that cannot be had.
#[must_use]
pub fn gone() -> u64 {
    list_of(GONE, "")
}

/// The list of products that have a value.
pub(super) fn list_of(field: &str, value: &str) -> u64 {
    hash([field, "\u{0}", &plain(value)].concat().as_bytes())
}

/// The lists that a product stands in: all products, its categories, the values of `fields`.
pub(super) fn lists_of(item: &Item, fields: &[String]) -> Vec<u64> {
    let mut lists = vec![all()];
    if !item.in_stock {
        lists.push(gone());
    }
    let mut add = |field: &str, value: &str| {
        if value.len() <= MAX_VALUE {
            lists.push(list_of(field, value));
        }
    };
    for level in &item.categories {
        add("category", level);
    }
    for path in paths(&item.fields).filter(|path| path.len() <= 8 * MAX_VALUE) {
        let mut levels = path.split('>').map(str::trim).filter(|level| !level.is_empty());
        let mut path = levels.next().unwrap_or_default().to_owned();
        for level in levels {
            path = [&path, ">", level].concat();
            add("category", &path);
        }
    }
    for field in fields {
        for value in find(&item.fields, field).into_iter().flat_map(texts) {
            add(field, value);
        }
    }
    lists.sort_unstable();
    lists.dedup();
    lists
}

/// A value as it is compared: in small letters, without blanks around it and around the `>` of paths.
fn plain(value: &str) -> String {
    let words = |level: &str| level.split_whitespace().collect::<Vec<_>>().join(" ");
    value.to_lowercase().split('>').map(words).collect::<Vec<_>>().join(">")
}

/// Puts what was bought most in front; what was bought equally often keeps its order.
pub fn rank<S: std::hash::BuildHasher>(keys: &mut [u64], sold: &HashMap<u64, u64, S>) {
    keys.sort_by_key(|key| std::cmp::Reverse(sold.get(key).copied().unwrap_or(0)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Value;

    fn item(fields: &[(&str, &str)]) -> Item {
        let fields = fields.iter().map(|(name, text)| ((*name).to_owned(), Value::text(*text)));
        Item::from_fields([("id".to_owned(), Value::text("1"))].into_iter().chain(fields).collect())
            .unwrap()
    }

    fn by(field: &str, value: &str) -> u64 {
        Query { field: Some(field.into()), value: value.into(), ..Query::default() }.list()
    }

    #[test]
    fn a_product_is_found_by_every_level_and_by_every_path_from_the_top() {
        let item = item(&[("product_type", "Outdoor > Tents >  For Two"), ("brand", "Polonyna")]);
        let lists = lists_of(&item, &["brand".into()]);
        for value in ["Outdoor", "tents", " FOR  TWO ", "Outdoor > Tents", "outdoor>tents>for two"]
        {
            assert!(lists.contains(&by("category", value)), "{value}");
        }
        for value in ["", "Tents > For two", "Out"] {
            assert!(!lists.contains(&by("category", value)), "{value}");
        }
        assert!(lists.contains(&by("brand", "polonyna")) && lists.contains(&all()));
        assert!(!lists_of(&item, &[]).contains(&by("brand", "polonyna")));
        assert!(!lists.contains(&gone()));
    }

    #[test]
    fn what_has_no_list_is_matched_by_the_same_rule() {
        let item = item(&[("tags_colour", "Olive  Green"), ("product_type", "A > B")]);
        let query = |field: &str, value: &str| Query {
            field: Some(field.into()),
            value: value.into(),
            ..Query::default()
        };
        assert!(query("tags_colour", "olive green").matches(&item));
        assert!(!query("tags_colour", "olive").matches(&item));
        assert!(query("category", "b").matches(&item));
    }

    #[test]
    fn bestsellers_come_first_and_the_rest_in_the_feeds_order() {
        let mut keys = [1, 2, 3, 4, 5];
        rank(&mut keys, &HashMap::from([(4, 2), (5, 7), (2, 2), (9, 100)]));
        assert_eq!(keys, [5, 2, 4, 1, 3]);
    }
}
