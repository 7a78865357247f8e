//! Feeds that are broken, or made to hurt.

use esputnik_kit::catalogue::feed::{Broken, End, MAX_ITEM, Refusal};
use proptest::prelude::*;

use super::{
    feed::read,
    shelf::{feed, item},
};
use crate::rig::cases;

/// The ids that are read of a feed with this among sound products, and why what was skipped was.
fn around(broken: &str) -> (String, Vec<Broken>, End) {
    let text = feed(&[item("1", ""), broken.to_owned(), item("2", "")]);
    let (items, end, skipped) = read([text.as_bytes()]);
    let ids: Vec<_> = items.iter().map(|item| item.id.as_str()).collect();
    assert_eq!(skipped.count, skipped.first.len() as u64);
    (ids.join(" "), skipped.first.iter().map(|skip| skip.reason).collect(), end)
}

#[test]
fn a_broken_product_costs_nothing_but_itself() {
    let deep = format!("{}x{}", "<a>".repeat(10), "</a>".repeat(10));
    for (broken, reason) in [
        ("<item><title>no id</title></item>".to_owned(), Broken::Id),
        ("<item/>".to_owned(), Broken::Id),
        ("<item></item>".to_owned(), Broken::Id),
        (item("", ""), Broken::Id),
        (item("a\nb", ""), Broken::Id),
        (item(&"x".repeat(301), ""), Broken::Id),
        (item("3", "<b>bold<br></b>"), Broken::Syntax),
        (item("3", "<title>x</g:title>"), Broken::Syntax),
        (item("3", "</title>"), Broken::Syntax),
        (item("3", "a < b <c"), Broken::Syntax),
        (item("3", &deep), Broken::TooDeep),
        (item("3", &format!("<title>{}</title>", "x".repeat(MAX_ITEM))), Broken::TooLong),
    ] {
        let shown: String = broken.chars().take(80).collect();
        assert_eq!(around(&broken), ("1 2".into(), vec![reason], End::Whole), "{shown}");
    }
    // As long as allowed.
    let long = item("3", &format!("<x>{}</x>", "y".repeat(MAX_ITEM - 50)));
    assert_eq!(around(&long).0, "1 3 2");
}

#[test]
fn only_the_first_of_what_is_skipped_is_named_with_its_place() {
    let items: Vec<String> =
        (0..40).map(|n| if n % 2 == 0 { item("", "") } else { item(&n.to_string(), "") }).collect();
    let text = feed(&items);
    let (items, _, skipped) = read([text.as_bytes()]);
    assert_eq!((items.len(), skipped.count, skipped.first.len()), (20, 20, 5));
    let places: Vec<u64> = skipped.first.iter().map(|skip| skip.place).collect();
    assert_eq!(places, [1, 3, 5, 7, 9]);
}

#[test]
fn entities_of_its_own_are_refused_with_the_feed() {
    let bomb = "<?xml version=\"1.0\"?><!DOCTYPE lolz [<!ENTITY lol \"lol\"><!ENTITY lol2 \
        \"&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;\">]><rss><channel><item><id>1</id>\
        <title>&lol2;</title></item></channel></rss>";
    let (items, end, _) = read([bomb.as_bytes()]);
    assert_eq!((items.len(), end), (0, End::Refused(Refusal::Declarations)));
    let outside = "<!DOCTYPE rss SYSTEM 'file:///etc/passwd'><rss><channel><item><id>1</id>\
        <title>&passwd;</title></item></channel></rss>";
    let (items, _, _) = read([outside.as_bytes()]);
    assert_eq!(items[0].title, "&passwd;", "nothing stands for it");
}

#[test]
fn what_never_ends_takes_no_memory_and_cuts_the_feed() {
    for open in
        ["<item><title>", "<item><![CDATA[", "<item><!--", "<!--", "<", "<item a='", "<?xml "]
    {
        let mut parts: Vec<&[u8]> = vec![b"<rss><channel>", open.as_bytes()];
        let more = [b'x'; 16 * 1024];
        parts.extend(std::iter::repeat_n(more.as_slice(), 256));
        let (items, end, _) = read(parts);
        assert_eq!((items.len(), end), (0, End::Cut), "{open}");
    }
}

#[test]
fn texts_and_numbers_of_attributes_are_bounded() {
    let many = (0..1000).map(|n| format!("<a{n}>x</a{n}>")).collect::<Vec<_>>().concat();
    let values = "<v>x</v>".repeat(1000);
    let long = format!("<title>{}</title>", "ї".repeat(10_000));
    let text = feed(&[item("1", &[values, long, many].concat())]);
    let (items, _, skipped) = read([text.as_bytes()]);
    assert_eq!(skipped.count, 0);
    assert_eq!(items[0].fields.len(), 200);
    assert_eq!(items[0].values("v").count(), 100);
    assert!(items[0].title.len() <= 8192 && items[0].title.len() > 8000);
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn no_bytes_at_all_break_the_reader(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        text in "[<>/!\\[\\]a-z&;:'\"= ?-]{0,300}",
    ) {
        for bytes in [bytes.as_slice(), text.as_bytes()] {
            let framed = [b"<rss><item><id>1</id>", bytes, b"</item>", bytes, b"</rss>"].concat();
            prop_assert_eq!(read([framed.as_slice()]), read(framed.chunks(3)));
            prop_assert_eq!(read([bytes]), read(bytes.chunks(1)));
        }
    }
}
