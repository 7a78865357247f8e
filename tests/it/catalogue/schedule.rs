//! When imports are due, by a clock that is an argument.

use esputnik_kit::catalogue::schedule::{State, Version, feed_time};

use super::shelf::{Shelf, plain};
use crate::rig::{DAY, MINUTE, NOW, SECOND};

const HOUR: u64 = 60 * MINUTE;

fn text(state: &State) -> String {
    state.to_value(false).to_json()
}

fn imported(state: &mut State, feed: &str, shelf: &mut Shelf) {
    state.handle_begin(NOW, 24);
    let after = shelf.import_all(feed);
    let version = Version { etag: Some("\"1\"".into()), modified: None };
    state.handle_import(&after, version, NOW, 24);
}

#[test]
fn a_new_feed_is_due_at_once_and_then_after_its_hours() {
    let mut state = State::default();
    state.handle_settings("https://a.b/feed.xml", &[]);
    assert!(state.is_due(NOW));
    imported(&mut state, &plain(0..3, 5), &mut Shelf::default());
    assert_eq!((state.items, state.imported_at, state.next_at), (3, Some(NOW), NOW + DAY));
    assert!(!state.is_due(NOW + DAY - 1) && state.is_due(NOW + DAY));
    assert_eq!(state.etag.as_deref(), Some("\"1\""));
    state.handle_begin(NOW + DAY, 24);
    state.handle_unchanged(NOW + DAY, 24);
    assert_eq!((state.items, state.next_at), (3, NOW + 2 * DAY));
    assert!(text(&state).contains("\"problem\":null"), "{}", text(&state));
}

#[test]
fn another_address_or_attribute_starts_anew() {
    let mut state = State::default();
    state.handle_settings("https://a.b/feed.xml", &[]);
    imported(&mut state, &plain(0..3, 5), &mut Shelf::default());
    state.handle_settings("https://a.b/feed.xml", &[]);
    assert!(!state.is_due(NOW));
    for (address, fields) in
        [("https://a.b/2.xml", &[][..]), ("https://a.b/feed.xml", &["brand".into()])]
    {
        let mut state = state.clone();
        state.handle_settings(address, fields);
        assert!(state.is_due(NOW) && state.etag.is_none(), "{address}");
    }
}

#[test]
fn failures_are_repeated_ever_more_rarely_and_at_least_as_often_as_imports() {
    let mut state = State::default();
    let pauses: Vec<u64> = (0..12)
        .map(|_| {
            state.handle_begin(NOW, 24);
            state.handle_failure("the shop answers 500".into());
            (state.next_at - NOW) / MINUTE
        })
        .collect();
    assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360, 360]);
    state.handle_begin(NOW, 1);
    assert_eq!(state.next_at, NOW + HOUR);
    assert!(text(&state).contains("the shop answers 500") || text(&state).contains("runtime"));
    state.handle_order();
    assert!(state.is_due(NOW));
}

#[test]
fn an_import_that_the_runtime_ends_counts_as_failed() {
    let mut state = State::default();
    state.handle_begin(NOW, 24);
    // Nothing more is heard of it.
    assert!(!state.is_due(NOW + MINUTE - 1) && state.is_due(NOW + MINUTE));
    assert!(text(&state).contains("ended by the runtime"));
    assert!(state.to_value(true).to_json().contains("\"problem\":null"), "while it is under way");
}

#[test]
fn a_feed_that_was_not_taken_as_it_is_comes_again_unasked_whether_it_changed() {
    let mut state = State::default();
    let mut shelf = Shelf::default();
    imported(&mut state, &plain(0..10, 5), &mut shelf);
    imported(&mut state, &plain(0..2, 5), &mut shelf);
    assert_eq!((state.etag.as_deref(), state.shrunk, state.items), (None, 1, 10));
    assert!(text(&state).contains("the feed has 2 products after 10"), "{}", text(&state));
}

#[test]
fn a_feed_that_breaks_off_comes_again_as_after_a_failure() {
    let mut state = State::default();
    let cut = plain(0..10, 5).replace("</rss>", "");
    for minutes in [1, 2, 4] {
        imported(&mut state, &cut, &mut Shelf::default());
        assert_eq!((state.items, state.next_at), (10, NOW + minutes * MINUTE));
    }
    assert!(text(&state).contains("ends before its last tag"), "{}", text(&state));
    imported(&mut state, &plain(0..10, 5), &mut Shelf::default());
    assert_eq!(state.next_at, NOW + DAY);
}

#[test]
fn what_was_skipped_is_counted_and_named() {
    let mut state = State::default();
    let feed = plain(0..3, 5).replace("<g:id>1</g:id>", "");
    imported(&mut state, &feed, &mut Shelf::default());
    let reason = "product 2: it has no g:id of 1 to 300 characters in one line";
    assert!(text(&state).contains(&format!("\"skipped\":1,\"reasons\":[\"{reason}\"]")));
}

#[test]
fn a_feed_is_as_old_as_its_server_says_but_never_newer_than_the_question() {
    let version = |modified: &str| Version { etag: None, modified: Some(modified.into()) };
    let asked = 784_111_777_000 + DAY; // Mon, 07 Nov 1994 08:49:37 GMT
    assert_eq!(feed_time(&version("Sun, 06 Nov 1994 08:49:37 GMT"), asked), asked - DAY);
    assert_eq!(feed_time(&version("Tue, 08 Nov 1994 08:49:37 GMT"), asked), asked);
    assert_eq!(feed_time(&version("yesterday"), asked), asked);
    assert_eq!(feed_time(&Version::default(), asked + SECOND), asked + SECOND);
}

#[test]
fn a_state_survives_being_stored() {
    let mut state = State::default();
    imported(&mut state, &plain(0..3, 5), &mut Shelf::default());
    let stored = serde_json::to_string(&state).unwrap();
    assert_eq!(serde_json::from_str::<State>(&stored).unwrap(), state);
    assert_eq!(serde_json::from_str::<State>("{}").unwrap(), State::default());
}
