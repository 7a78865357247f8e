//! The kit's own words in a block.

use crate::language;

/// The languages that the kit itself speaks; the first one is for all others.
pub(super) const LANGUAGES: [&str; 2] = ["en", "uk"];

/// Each word's key, and the word in each of [`LANGUAGES`].
const WORDS: &[(&str, [&str; 2])] = &[
    // What a reader of screens hears of a block that has no header.
    ("label", ["Recommended", "Рекомендовано"]),
    ("buy", ["Add to cart", "У кошик"]),
    ("gone", ["Out of stock", "Немає в наявності"]),
    ("old_price", ["Old price: ", "Стара ціна: "]),
    ("new_price", ["New price: ", "Нова ціна: "]),
    ("previous", ["Previous", "Попередні"]),
    ("next", ["Next", "Наступні"]),
];

/// A word.
pub(super) fn word(key: &str, language: &str) -> &'static str {
    let main = language::main(language);
    let place = LANGUAGES.iter().position(|own| *own == main).unwrap_or(0);
    let found = WORDS.iter().find(|(own, _)| *own == key);
    found.and_then(|(_, words)| words.get(place)).copied().unwrap_or_default()
}
