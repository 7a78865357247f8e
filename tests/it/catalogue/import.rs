//! Imports into a store: what is written, what stays, what goes.

use esputnik_kit::catalogue::{
    feed::{Broken, Refusal},
    import::Oddity,
};
use proptest::prelude::*;

use super::shelf::{Shelf, feed, item, plain};
use crate::rig::cases;

fn numbers(count: u32) -> std::ops::Range<u32> {
    0..count
}

#[test]
fn every_product_is_found_by_id_and_by_category() {
    let mut shelf = Shelf::default();
    let after = shelf.import_all(&plain(numbers(1000), 5));
    assert_eq!((after.items, after.index.len(), after.oddity), (1000, 1000, None));
    for id in numbers(1000) {
        assert_eq!(shelf.get(&id.to_string()).unwrap().title, format!("Product {id}"));
    }
    assert_eq!(shelf.get("1000"), None);
    let third = shelf.find(Some("category"), "group 3");
    let expected: Vec<String> =
        numbers(1000).filter(|id| id % 7 == 3).map(|id| id.to_string()).collect();
    assert_eq!(third, expected);
    assert_eq!(shelf.find(Some("category"), "All > Group 3"), expected);
    assert_eq!(shelf.find(None, "").len(), 1000);
    assert!(shelf.find(Some("category"), "Group 9").is_empty());
}

#[test]
fn products_share_rows_so_that_few_are_written() {
    let mut shelf = Shelf::default();
    shelf.import_all(&plain(numbers(5000), 5));
    assert!((200..500).contains(&shelf.written), "{}", shelf.written);
    assert_eq!(shelf.written, shelf.packs.len());
}

#[test]
fn what_has_not_changed_is_not_written_again() {
    let mut shelf = Shelf::default();
    let first = shelf.import_all(&plain(numbers(1000), 5));
    let second = shelf.import_all(&plain(numbers(1000), 5));
    assert_eq!((shelf.written, second.dropped.len()), (0, 0));
    assert_eq!((first.index, first.lists), (second.index, second.lists));
    // A product more at the beginning moves all others by one, and changes one pack.
    let more: Vec<u32> = [9999].into_iter().chain(numbers(1000)).collect();
    let third = shelf.import_all(&plain(more, 5));
    assert!(shelf.written <= 2 && third.dropped.len() <= 1, "{}", shelf.written);
    assert_eq!(shelf.find(None, "")[..2], ["9999", "0"]);
    // One price.
    let text = plain(numbers(1000), 5).replace("Product 700<", "Product 7-0-0<");
    shelf.import_all(&text);
    assert!(shelf.written <= 2, "{}", shelf.written);
    assert_eq!(shelf.get("700").unwrap().title, "Product 7-0-0");
}

#[test]
fn what_a_whole_feed_does_not_have_any_more_goes() {
    let mut shelf = Shelf::default();
    shelf.import_all(&plain(numbers(100), 5));
    let after = shelf.import_all(&plain(numbers(50), 5));
    assert_eq!((after.index.len(), after.oddity, after.shrunk), (50, None, 0));
    assert_eq!((shelf.get("49").is_some(), shelf.get("50")), (true, None));
    assert_eq!(shelf.find(None, "").len(), 50);
}

#[test]
fn a_feed_that_is_cut_off_changes_what_it_has_and_keeps_the_rest() {
    let mut shelf = Shelf::default();
    shelf.import_all(&plain(numbers(100), 5));
    let feed = plain((90..110).chain(numbers(30)), 7);
    let cut = feed.split_at(feed.rfind("<item>").unwrap() + 20).0;
    let after = shelf.import_all(cut);
    assert_eq!((after.items, after.index.len(), after.oddity), (49, 110, Some(Oddity::Cut)));
    let price = |id: &str| shelf.get(id).unwrap().price.unwrap().to_text();
    assert_eq!(
        (price("0"), price("109"), price("29"), price("60")),
        ("7 UAH".into(), "7 UAH".into(), "5 UAH".into(), "5 UAH".into())
    );
    let all = shelf.find(None, "");
    assert_eq!((all.len(), all[0].as_str(), all[109].as_str()), (110, "90", "89"));
    assert_eq!(shelf.find(Some("category"), "Group 0").len(), 16);
}

#[test]
fn a_feed_of_less_than_half_is_believed_the_third_time() {
    let mut shelf = Shelf::default();
    shelf.import_all(&plain(numbers(100), 5));
    for shrunk in [1, 2] {
        let after = shelf.import_all(&plain(numbers(49), 7));
        assert_eq!((after.index.len(), after.shrunk), (100, shrunk));
        assert_eq!(after.oddity, Some(Oddity::Shrunk(49, 100)));
    }
    let after = shelf.import_all(&plain(numbers(49), 7));
    assert_eq!((after.index.len(), after.shrunk, after.oddity), (49, 0, None));
    // One that is whole again in between ends the count.
    let mut shelf = Shelf::default();
    shelf.import_all(&plain(numbers(100), 5));
    shelf.import_all(&plain(numbers(9), 5));
    assert_eq!(shelf.import_all(&plain(numbers(100), 5)).shrunk, 0);
}

#[test]
fn an_empty_feed_is_never_believed() {
    let mut shelf = Shelf::default();
    shelf.import_all(&plain(numbers(3), 5));
    for _ in 0..5 {
        let after = shelf.import_all(&plain([], 5));
        assert_eq!((after.index.len(), after.items), (3, 0));
    }
}

#[test]
fn what_is_no_feed_changes_nothing() {
    let mut shelf = Shelf::default();
    shelf.import_all(&plain(numbers(3), 5));
    let page = "<html><body>Sorry</body></html>";
    let refused = shelf.import([page.as_bytes()]).unwrap_err();
    assert_eq!(refused, Refusal::NoFeed("html".into()));
    assert_eq!(shelf.find(None, "").len(), 3);
}

#[test]
fn the_first_of_two_products_with_one_id_counts() {
    let mut shelf = Shelf::default();
    let items = ["<title>a</title>", "<title>b</title>"].map(|inside| item("1", inside));
    let after = shelf.import_all(&feed(&items));
    assert_eq!((after.items, after.skipped.count), (1, 1));
    assert_eq!(
        (after.skipped.first[0].place, after.skipped.first[0].reason),
        (2, Broken::Repeated)
    );
    assert_eq!(shelf.get("1").unwrap().title, "a");
}

#[test]
fn products_are_found_by_attributes_that_the_settings_name() {
    let mut shelf = Shelf::with_fields(&["brand", "tags_colour"]);
    shelf.import_all(&feed(&[
        item("1", "<g:brand>Polonyna</g:brand><tags_colour>olive</tags_colour>"),
        item("2", "<brand>polonyna </brand><tags_colour>sand</tags_colour><tags_colour>olive</tags_colour>"),
        item("3", "<g:brand>Other</g:brand><tags_size>M</tags_size>"),
    ]));
    assert_eq!(shelf.find(Some("brand"), "Polonyna"), ["1", "2"]);
    assert_eq!(shelf.find(Some("tags_colour"), "Olive"), ["1", "2"]);
    assert!(shelf.find(Some("tags_size"), "M").is_empty());
}

proptest! {
    #![proptest_config(cases(40))]

    /// Whatever feeds come one after the other, cut or whole: after a whole one of the usual size the
    /// catalogue is that feed; after any other nothing is lost, and what came counts.
    #[test]
    fn after_any_feeds_the_catalogue_is_what_they_say(
        feeds in proptest::collection::vec(
            (proptest::collection::btree_set(0..120_u32, 0..90), 1..5_u32, any::<bool>(), 1..500_usize),
            1..6,
        ),
    ) {
        let mut shelf = Shelf::default();
        let mut model = std::collections::BTreeMap::new();
        for (ids, price, cut, part) in feeds {
            let text = plain(ids.iter().copied(), price);
            let text = if cut { text.trim_end().trim_end_matches("</rss>") } else { text.as_str() };
            let after = shelf.import(text.as_bytes().chunks(part)).unwrap();
            let keeps = matches!(after.oddity, Some(Oddity::Cut | Oddity::Shrunk(..)));
            if !keeps {
                model.clear();
            }
            model.extend(ids.iter().map(|id| (id.to_string(), price)));
            prop_assert_eq!(after.index.len(), model.len());
            for (id, price) in &model {
                let found = shelf.get(id).unwrap();
                prop_assert_eq!(found.price.unwrap().to_text(), format!("{price} UAH"));
            }
            let mut all = shelf.find(None, "");
            let newest: Vec<String> = ids.iter().map(ToString::to_string).collect();
            prop_assert_eq!(&all[..newest.len()], &newest[..]);
            all.sort();
            let expected: Vec<String> = model.keys().cloned().collect();
            prop_assert_eq!(all, expected);
        }
    }
}
