//! Feeds in every form that shops write, and in parts of every size.

use esputnik_kit::catalogue::{
    Item,
    feed::{Broken, End, Feed, Refusal, Skipped},
};
use proptest::prelude::*;

use super::shelf::{feed, item};
use crate::rig::cases;

/// What comes of a feed in these parts.
pub(super) fn read<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Item>, End, Skipped) {
    let mut feed = Feed::new();
    let mut items = Vec::new();
    for part in parts {
        feed.push(part, |item| {
            items.push(item);
            Ok(())
        });
    }
    let (end, skipped) = feed.finish();
    (items, end, skipped)
}

/// The one product of a feed, with this inside.
fn one(inside: &str) -> Item {
    let text = feed(&[item("1", inside)]);
    let (mut items, end, skipped) = read([text.as_bytes()]);
    assert_eq!((items.len(), &end, skipped.count), (1, &End::Whole, 0), "{inside}");
    items.remove(0)
}

fn field(item: &Item, name: &str) -> String {
    let found = item.fields.iter().find(|(known, _)| known == name);
    found.map_or_else(|| "none".into(), |(_, value)| value.to_json())
}

#[test]
fn the_documents_own_attributes_are_read() {
    let item = one("<title>Duo 2</title><g:brand>Polonyna</g:brand>\
         <g:google_product_category>Sporting Goods &gt; Tents</g:google_product_category>\
         <g:product_type><![CDATA[Outdoor > Tents]]></g:product_type>\
         <description>Two doors &amp; no climbing</description>\
         <link>https://shop.example/product?id=1&amp;a=b</link>\
         <g:image_link>https://shop.example/1.jpg</g:image_link>\
         <g:availability>in_stock</g:availability>\
         <g:price>8 990,00 UAH</g:price><g:sale_price>7990 UAH</g:sale_price>");
    assert_eq!((item.id.as_str(), item.title.as_str()), ("1", "Duo 2"));
    assert_eq!(item.link, "https://shop.example/product?id=1&a=b");
    assert_eq!(item.image, "https://shop.example/1.jpg");
    assert_eq!(item.description, "Two doors & no climbing");
    assert_eq!(item.brand, "Polonyna");
    assert_eq!(item.price.as_ref().unwrap().to_text(), "8990.00 UAH");
    assert_eq!(item.sale_price.as_ref().unwrap().to_text(), "7990 UAH");
    assert_eq!(item.categories, ["Outdoor", "Tents", "Sporting Goods"]);
    assert!(item.in_stock);
    assert_eq!(Item::from_value(item.to_value()), Some(item));
}

#[test]
fn text_is_read_in_every_way_that_xml_writes_it() {
    for (inside, title) in [
        ("<title> A  B </title>", "A  B"),
        ("<g:title>A&#x2d;B&#44;</g:title>", "A-B,"),
        ("<title><![CDATA[A & <b>B</b>]]></title>", "A & <b>B</b>"),
        ("<title>A <![CDATA[&amp;]]> B &amp;amp;</title>", "A &amp; B &amp;"),
        ("<title><!-- <title>no</title> -->A</title>", "A"),
        ("<title>Tom & Jerry; AT&T</title>", "Tom & Jerry; AT&T"),
        ("<title>A&nbsp;B &hellip;</title>", "A\u{a0}B &hellip;"),
        ("<title lang='uk' x=\"a>b\">A</title>", "A"),
        ("<title>A\u{1}\u{7f}B</title>", "AB"),
        ("<title><![CDATA[]]]]><![CDATA[>]]></title>", "]]>"),
        ("<title/><description>x</description>", ""),
    ] {
        assert_eq!(one(inside).title, title, "{inside}");
    }
}

#[test]
fn what_stands_several_times_is_a_list_and_what_is_nested_an_object() {
    let item = one(
        "<g:product_type>A &gt; B</g:product_type><g:product_type>A &gt; C</g:product_type>\
         <g:additional_image_link>https://a.b/1</g:additional_image_link>\
         <g:additional_image_link>https://a.b/2</g:additional_image_link>\
         <tags_colour>olive</tags_colour><tags_colour>sand</tags_colour><tags_size>M</tags_size>\
         <g:shipping><g:country>UA</g:country><g:price>60 UAH</g:price><g:id>s</g:id></g:shipping>",
    );
    assert_eq!(field(&item, "product_type"), r#"["A > B","A > C"]"#);
    assert_eq!(field(&item, "additional_image_link"), r#"["https://a.b/1","https://a.b/2"]"#);
    assert_eq!(field(&item, "tags_colour"), r#"["olive","sand"]"#);
    assert_eq!(field(&item, "tags_size"), r#""M""#);
    assert_eq!(field(&item, "shipping"), r#"{"country":"UA","price":"60 UAH","id":"s"}"#);
    assert_eq!(item.categories, ["A", "B", "C"]);
    assert_eq!((item.id.as_str(), item.price.as_ref()), ("1", None), "not those of the shipping");
    assert_eq!(item.values("tags_colour").collect::<Vec<_>>(), ["olive", "sand"]);
    assert_eq!(item.values("category").collect::<Vec<_>>(), ["A", "B", "C"]);
}

#[test]
fn googles_attribute_wins_over_the_plain_one_whichever_comes_first() {
    for inside in [
        "<title>plain</title><g:title>own</g:title>",
        "<g:title>own</g:title><title>plain</title>",
        "<title>plain</title><title>plain</title><g:title>own</g:title>",
    ] {
        assert_eq!(one(inside).title, "own", "{inside}");
    }
    let plain = "<rss><channel><item><id>7</id><title>plain</title></item></channel></rss>";
    assert_eq!(read([plain.as_bytes()]).0[0].id, "7");
}

#[test]
fn an_atom_feed_is_read_too() {
    let atom = "<feed xmlns='http://www.w3.org/2005/Atom' xmlns:g='x'><title>A shop</title>\
        <link href='https://shop.example/'/><entry><id>https://shop.example/1</id>\
        <g:id>1</g:id><link rel='alternate' href='https://shop.example/1?a=b&amp;c'/></entry></feed>";
    let (items, end, _) = read([atom.as_bytes()]);
    assert_eq!((items.len(), end), (1, End::Whole));
    assert_eq!(
        (items[0].id.as_str(), items[0].link.as_str()),
        ("1", "https://shop.example/1?a=b&c")
    );
}

#[test]
fn windows_1251_is_read_where_the_declaration_names_it() {
    let mut bytes =
        b"<?xml version=\"1.0\" encoding=\"windows-1251\"?><rss><channel><item><g:id>1</g:id>\
        <title>"
            .to_vec();
    bytes.extend(b"\xcd\xe0\xec\xe5\xf2 \xb3 \xbf\xe6\xe0</title></item></channel></rss>");
    let (items, end, _) = read([bytes.as_slice()]);
    assert_eq!((items[0].title.as_str(), end), ("Намет і їжа", End::Whole));
    // The same bytes without a declaration are no UTF-8.
    let text = b"<rss><channel><item><g:id>1</g:id><title>\xcd\xe0\xec\xe5\xf2 \xe4\xe2\xee\xec\xb3\xf1\xed\xe8\xe9\
        </title></item></channel></rss>";
    let (items, _, skipped) = read([text.as_slice()]);
    assert_eq!((items.len(), skipped.first[0].reason), (0, Broken::Encoding));
}

#[test]
fn what_is_no_feed_says_what_it_is() {
    for (text, refusal) in [
        ("", Refusal::NoFeed(String::new())),
        ("not found", Refusal::NoFeed(String::new())),
        ("{\"error\": \"<none>\"}", Refusal::NoFeed("none".into())),
        ("<!DOCTYPE html><html><body><item></item></body></html>", Refusal::NoFeed("html".into())),
        ("<?xml version=\"1.0\"?><yml_catalog>", Refusal::NoFeed("yml_catalog".into())),
        ("<?xml version='1.0' encoding='KOI8-U'?><rss>", Refusal::Encoding("KOI8-U".into())),
        ("\u{1f}\u{0}", Refusal::Encoding("UTF-16".into())),
    ] {
        assert_eq!(read([text.as_bytes()]).1, End::Refused(refusal), "{text}");
    }
    assert_eq!(read([&b"\x1f\x8b\x08\0"[..]]).1, End::Refused(Refusal::Compressed));
    assert_eq!(
        read([&b"\xff\xfe<\0r\0s\0s\0"[..]]).1,
        End::Refused(Refusal::Encoding("UTF-16".into()))
    );
    assert_eq!(
        Refusal::NoFeed("html".into()).to_string(),
        "it is <html>; give a feed in RSS 2.0 or Atom"
    );
}

#[test]
fn a_byte_order_mark_a_stylesheet_and_a_plain_document_type_are_passed_over() {
    let text = "\u{feff}<?xml version=\"1.0\"?><?xml-stylesheet href='<item>'?>\
        <!DOCTYPE rss SYSTEM \"x.dtd\"><!-- <rss> --><rss><channel><item><id>1</id></item>\
        </channel></rss>";
    let (items, end, skipped) = read([text.as_bytes()]);
    assert_eq!((items.len(), end, skipped.count), (1, End::Whole, 0));
}

#[test]
fn what_only_looks_like_a_product_is_none() {
    let text = "<rss><channel><description><![CDATA[<item><id>0</id></item>]]></description>\
        <!-- <item><id>0</id></item> --><items>2</items><item_group/>\
        <item><id>1</id><description><![CDATA[</item>]]><!-- </item> --></description></item>\
        <item ><id>2</id></item\n><item a='/'><id>3</id></item></channel></rss>";
    let (items, end, skipped) = read([text.as_bytes()]);
    let ids: Vec<_> = items.iter().map(|item| item.id.as_str()).collect();
    assert_eq!((ids, end, skipped.count), (vec!["1", "2", "3"], End::Whole, 0));
}

#[test]
fn a_feed_without_its_last_tag_is_cut_off_and_keeps_what_it_had() {
    let whole = feed(&[item("1", ""), item("2", "")]);
    let whole = whole.trim_end();
    for length in whole.find("<item>").unwrap()..whole.len() {
        let (part, _) = whole.split_at(length);
        let (items, end, skipped) = read([part.as_bytes()]);
        let complete = part.matches("</item>").count();
        assert_eq!((items.len(), end, skipped.count), (complete, End::Cut, 0), "{length}");
    }
    let (items, end, _) = read([whole.as_bytes(), b"<item><id>3</id></item> what comes after"]);
    assert_eq!((items.len(), end), (2, End::Whole));
}

/// A piece of a feed: what is right, and what is not.
fn piece() -> impl Strategy<Value = String> {
    let good = prop_oneof![
        Just("<title>Намет «Два»</title>".to_owned()),
        Just("<title><![CDATA[A ]] > & <b>]]></title>".to_owned()),
        Just("<g:price>1 299,00 грн</g:price>".to_owned()),
        Just("<a b='>' c=\"'/\">&#x1F3D5;&amp;&lt;item&gt;</a>".to_owned()),
        Just("<!-- - -- <item> ---><x/>".to_owned()),
        Just("<?php echo '</item>' ?>".to_owned()),
        Just("<g:shipping><g:price>5</g:price></g:shipping>".to_owned()),
        "[a-zї <>&;'\"/!?\\[\\]-]{0,12}",
    ];
    (0..4_u32, proptest::collection::vec(good, 0..5)).prop_map(|(id, inside)| match id {
        0 => format!("<item>{}</item>", inside.concat()),
        1 => inside.concat(),
        id => format!("<item><g:id>{id}</g:id>{}</item>", inside.concat()),
    })
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn any_parts_give_the_same_products(
        pieces in proptest::collection::vec(piece(), 0..8),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..12),
        head in prop_oneof![Just(""), Just("\u{feff}"), Just("<?xml version='1.0' encoding='utf-8'?>")],
    ) {
        let text = format!("{head}<rss><channel>{}</channel></rss>", pieces.concat());
        let bytes = text.as_bytes();
        let whole = read([bytes]);
        let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        at.push(bytes.len());
        at.sort_unstable();
        let mut from = 0;
        let parts = at.into_iter().map(|to| {
            let part = &bytes[from..to];
            from = to;
            part
        });
        prop_assert_eq!(&read(parts.collect::<Vec<_>>()), &whole);
        prop_assert_eq!(&read(bytes.chunks(1)), &whole);
    }
}
