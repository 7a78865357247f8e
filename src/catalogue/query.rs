//! What is looked for in a catalogue, and in which order it is answered.

use std::{borrow::Cow, collections::HashMap, rc::Rc};

use serde::{Deserialize, Serialize};

use super::{Item, pack::hash, paths, texts};
use crate::value::find;

/// Most products of one answer.
pub const MAX_FOUND: usize = 100;

/// For how long an answer is given again to the same query, in milliseconds.
const RECENT: u64 = 10_000;

/// As much of such answers is kept, in bytes.
const MOST_RECENT: usize = 4 * 1024 * 1024;

/// Longest value that products can be found by, in bytes. What is longer is a text and no name.
const MAX_VALUE: usize = 200;

/// The name of what products are found by when they cannot be had.
pub(super) const GONE: &str = "\u{0}gone";

/// What is looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::exhaustive_structs, reason = "every member must be thought of by who asks")]
pub struct Query {
    /// The attribute that is to have the value, `category` for any level of a category; all products
    /// if there is none.
    pub field: Option<String>,
    /// The value. Of the shop's own categories also a path from the top: `A > B`.
    pub value: String,
    /// Any value will do: products that have the attribute, under one of its [`spellings`].
    pub any: bool,
    /// The order.
    pub order: Order,
    /// How many products at most; never more than [`MAX_FOUND`].
    pub limit: usize,
    /// Only products that can be had.
    pub in_stock: bool,
}

/// The order of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
        if self.any {
            return spellings(field).iter().any(|name| item.values(name).next().is_some());
        }
        let wanted = plain(&self.value);
        item.values(field).any(|value| plain(value) == wanted)
    }
}

/// How a feed may write an attribute's name: as it is, without `g:`, with `tags_`.
#[must_use]
pub fn spellings(name: &str) -> [Cow<'_, str>; 3] {
    let plain = name.strip_prefix("g:").unwrap_or(name);
    [name.into(), plain.into(), ["tags_", name].concat().into()]
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

/// The lists that a product stands in: all products, its categories, the paths to those that are the
/// shop's own, the values of `fields`.
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
///
/// Few of many products are bought, so those alone are sorted.
pub fn rank<S: std::hash::BuildHasher>(keys: &mut Vec<u64>, sold: &HashMap<u64, u64, S>) {
    if sold.is_empty() {
        return;
    }
    let count = |key: u64| Some((sold.get(&key).copied().filter(|count| *count > 0)?, key));
    let mut front: Vec<(u64, u64)> = keys.iter().filter_map(|key| count(*key)).collect();
    keys.retain(|key| count(*key).is_none());
    front.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    keys.splice(..0, front.into_iter().map(|(_, key)| key));
}

/// Answers of the last seconds, so that what many ask for is looked for once.
#[derive(Debug, Default)]
pub struct Recent {
    answers: HashMap<Query, (u64, Rc<str>)>,
    bytes: usize,
}

impl Recent {
    /// The answer to a query, if one was given just now.
    #[must_use]
    pub fn get(&self, query: &Query, now: u64) -> Option<Rc<str>> {
        let (at, answer) = self.answers.get(query)?;
        (*at <= now && now < at + RECENT).then(|| Rc::clone(answer))
    }

    /// Takes an answer. The host drops all of them whenever what they are made of changes.
    pub fn put(&mut self, query: Query, answer: Rc<str>, now: u64) {
        self.bytes += answer.len();
        if self.bytes > MOST_RECENT {
            *self = Self { bytes: answer.len(), ..Self::default() };
        }
        if let Some((_, before)) = self.answers.insert(query, (now, answer)) {
            self.bytes -= before.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        cell::Cell,
        hash::{BuildHasher, DefaultHasher},
    };

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
        let has = |field: &str| Query { any: true, ..query(field, "") }.matches(&item);
        assert!(has("tags_colour") && has("colour") && has("g:product_type"));
        assert!(!has("size") && !has("olive green"));
    }

    #[test]
    fn bestsellers_come_first_and_the_rest_in_the_feeds_order() {
        let mut keys = vec![1, 2, 3, 4, 5];
        rank(&mut keys, &HashMap::from([(4, 2), (5, 7), (2, 2), (3, 0), (9, 100)]));
        assert_eq!(keys, [5, 2, 4, 1, 3]);
    }

    #[test]
    fn of_many_products_those_that_were_bought_are_sorted_alone() {
        /// Counts how often something is looked up.
        #[derive(Clone, Default)]
        struct Counting(Rc<Cell<usize>>);
        impl BuildHasher for Counting {
            type Hasher = DefaultHasher;
            fn build_hasher(&self) -> DefaultHasher {
                self.0.set(self.0.get() + 1);
                DefaultHasher::new()
            }
        }
        let looked_up = Counting::default();
        let mut sold = HashMap::with_hasher(looked_up.clone());
        sold.extend((0..1000).map(|key| (key * 97, key % 7)));
        let mut keys: Vec<u64> = (0..100_000).collect();
        let mut sorted = keys.clone();
        sorted.sort_by_key(|key| std::cmp::Reverse(sold.get(key).copied().unwrap_or(0)));
        looked_up.0.set(0);
        rank(&mut keys, &sold);
        assert_eq!(keys, sorted);
        assert!(looked_up.0.get() <= 200_000, "{} times", looked_up.0.get());
    }

    #[test]
    fn an_answer_counts_for_seconds_and_for_its_own_query() {
        let query = |limit| Query { limit, ..Query::default() };
        let mut recent = Recent::default();
        recent.put(query(1), "one".into(), 1000);
        assert_eq!(recent.get(&query(1), 1000 + RECENT - 1).as_deref(), Some("one"));
        assert_eq!(recent.get(&query(1), 1000 + RECENT), None);
        assert_eq!(recent.get(&query(2), 1000), None);
    }

    #[test]
    fn answers_have_bounded_room_and_the_newest_has_its_place() {
        let query = |limit| Query { limit, ..Query::default() };
        let mut recent = Recent::default();
        let long: Rc<str> = "x".repeat(MOST_RECENT / 4).into();
        for at in 0..100 {
            recent.put(query(at), Rc::clone(&long), 0);
            recent.put(query(at), Rc::clone(&long), 0);
            assert!(recent.get(&query(at), 0).is_some());
            let kept = recent.answers.values().map(|(_, answer)| answer.len()).sum::<usize>();
            assert!(kept == recent.bytes && kept <= MOST_RECENT, "{kept} bytes");
        }
    }
}
