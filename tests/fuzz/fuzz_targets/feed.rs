//! Any bytes as a feed, in any parts: no panic, the same products, and what is read survives being
//! stored.
#![no_main]

use esputnik_kit::catalogue::{
    Item,
    feed::{End, Feed, Skipped},
};
use libfuzzer_sys::fuzz_target;

fn read<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Item>, End, Skipped) {
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

fuzz_target!(|data: (u8, &[u8])| {
    let (part, bytes) = data;
    let framed = [b"<rss><channel><item><g:id>1</g:id>", bytes, b"</item></channel></rss>"].concat();
    for bytes in [bytes, &framed] {
        let whole = read([bytes]);
        assert_eq!(read(bytes.chunks(usize::from(part).max(1))), whole);
        for item in whole.0 {
            assert_eq!(Item::from_value(item.to_value()), Some(item));
        }
    }
});
