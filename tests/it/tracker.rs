//! What the tracker of a page decides, message by message. The properties run on [`pages`].
//!
//! Which ends and hindrances a page has to expect, and what comes of them in a browser, is listed in
//! `tests/e2e/nothing-lost.spec.js`.

mod pages;

use esputnik_kit::{
    delivery::MAX_PENDING,
    tracker::{MAX_STORED, MAX_STORED_BYTES, Tracker},
};
use proptest::prelude::*;
use serde_json::{Value, json};

use self::pages::{Call, Op, Reply, World, run};
use crate::rig::{DAY, MINUTE, cases};

const CALL: Op = Op::Call(Call::Sound);
const TAKES: Op = Op::Answer(Reply::Takes);

/// One page after these steps.
fn page(ops: &[Op]) -> World {
    let mut world = World::new(1);
    world.handle(0, Op::Found);
    for op in ops {
        world.handle(0, *op);
    }
    world
}

/// What a page was told under this name.
fn reports<'a>(world: &'a World, place: usize, name: &str) -> Vec<&'a Value> {
    let reports = world.pages[place].reports.iter();
    reports.filter(|(known, _)| known == name).map(|(_, detail)| detail).collect()
}

proptest! {
    #![proptest_config(cases(300))]

    /// No record lost, none sent by two pages at a time, none refused without a reason, one batch and
    /// one search under way, no lock held by an idle hidden page or for nothing: the simulation checks
    /// each step.
    #[test]
    fn pages_hold_their_promises_whatever_happens(
        ops in prop::collection::vec(any::<[u8; 4]>().prop_map(Op::from_bytes), 0..80)
    ) {
        run(ops);
    }

    #[test]
    fn no_message_does_any_harm(
        messages in prop::collection::vec(
            prop_oneof![
                "\\PC{0,20}",
                "\\[[0-9]{1,2}(,([0-9]{1,5}|\"[a-z]{0,3}\"|null|\\[\\]|\\[1\\]|\\{\\}|\\{\"results\":\\[7,\\{\\}\\]\\})){0,4}\\]",
            ],
            0..20,
        )
    ) {
        let mut tracker = Tracker::new();
        for (now, message) in messages.iter().enumerate() {
            let effects = tracker.handle(message, now as u64, 0);
            prop_assert!(serde_json::from_str::<Vec<(String, Value)>>(&effects).is_ok());
        }
    }
}

#[test]
fn a_call_leaves_is_reported_and_leaves_the_store() {
    let mut world = page(&[CALL, Op::Elapse(50)]);
    let id = world.under_way(0).remove(0);
    assert_eq!(reports(&world, 0, "sent"), [&json!({"ids": [id]})]);
    world.handle(0, TAKES);
    assert_eq!(reports(&world, 0, "done"), [&json!({"id": id, "verdict": "accepted"})]);
    assert!(world.store.is_empty());
}

#[test]
fn a_record_that_is_handed_over_again_behind_its_verdict_is_not_sent_again() {
    let mut world = World::new(1);
    world.handle(0, Op::Found);
    let id = world.call(0, Call::Sound);
    let record = world.store[&id].clone();
    world.handle(0, Op::Elapse(50));
    world.handle(0, TAKES);
    world.tell(0, json!([1, id, record, "W"]));
    world.handle(0, Op::Elapse(5000));
    assert_eq!(world.under_way(0), [""; 0]);
}

#[test]
fn a_call_that_the_platform_would_refuse_is_reported_and_does_not_leave() {
    let world = page(&[Op::Call(Call::Refusable), Op::Elapse(60_000)]);
    let done = reports(&world, 0, "done");
    assert_eq!((done.len(), &done[0]["code"]), (1, &json!("missing_field")));
    assert_eq!(done[0]["field"], "ProductPage.productKey");
    assert!(world.store.is_empty() && world.pages[0].send.is_none());
}

#[test]
fn a_record_that_the_worker_cannot_read_is_reported_and_does_not_block_the_next() {
    let mut world = page(&[Op::Call(Call::Unreadable), CALL, Op::Elapse(50)]);
    for _ in 0..3 {
        world.handle(0, TAKES);
    }
    let verdicts: Vec<_> = reports(&world, 0, "done").iter().map(|done| &done["verdict"]).collect();
    assert_eq!(verdicts, ["refused", "accepted"]);
    assert!(world.store.is_empty());
}

#[test]
fn reset_and_submitted_orders_leave_like_events() {
    let mut tracker = Tracker::new();
    for command in ["reset", "orderSubmitted"] {
        let record = json!({"call": [command]}).to_string();
        let effects = tracker.handle(&json!([1, command, record, "W"]).to_string(), 0, 0);
        assert!(effects.contains("\"wait\"") && !effects.contains("\"done\""), "{effects}");
    }
}

#[test]
fn a_wait_that_the_loader_was_asked_for_holds_for_the_tracker_too() {
    let sends = |wait: i64| {
        let mut tracker = Tracker::new();
        let _ = tracker.handle(&json!([0, "/k/", "main", "visible", wait]).to_string(), 0, 0);
        let record = json!({"call": ["reset"]}).to_string();
        let _ = tracker.handle(&json!([1, "id", record, "W"]).to_string(), 0, 0);
        move |now| tracker.handle("[9]", now, 0).contains("[\"send\"")
    };
    let mut asked = sends(5000);
    assert_eq!((asked(4999), asked(5000)), (false, true));
    assert!(sends(-1_700_000_000_000)(50), "a wait that is over");
}

#[test]
fn nothing_leaves_before_it_is_known_whose_it_is() {
    let mut tracker = Tracker::new();
    let _ = tracker.handle(&json!([0, "/k/", "main", "visible"]).to_string(), 0, 0);
    let record = |sc: Value| json!([1, "id", json!({"call": ["reset"]}).to_string(), sc]);
    let _ = tracker.handle(&record(Value::Null).to_string(), 0, 0);
    assert!(!tracker.handle("[9]", 100, 0).contains("[\"send\""));
    let effects = tracker.handle(&record(json!("W\"1")).to_string(), 200, 0);
    assert!(effects.contains(r#"\"sc\":\"W\\\"1\""#), "{effects}");
}

#[test]
fn a_visible_page_searches_at_once_and_a_hidden_one_once_it_is_not_about_to_leave() {
    assert!(World::new(1).pages[0].search.is_some());
    let mut world = World::new(0);
    world.open(0, "hidden");
    world.handle(0, Op::Elapse(4999));
    assert!(world.pages[0].search.is_none());
    let mut shown = World::new(0);
    shown.open(0, "hidden");
    shown.handle(0, Op::Show);
    assert!(shown.pages[0].search.is_some());
    world.handle(0, Op::Elapse(1));
    assert!(world.pages[0].search.is_some());
    world.handle(0, Op::Found);
    world.handle(0, Op::Elapse(120_000));
    assert!(world.pages[0].search.is_none(), "nobody looks at it: it need not look by itself");
}

#[test]
fn a_tab_behind_others_takes_over_what_a_page_has_left() {
    let mut world = one_waits_to_send();
    world.handle(1, Op::Hide);
    world.handle(1, Op::Elapse(60_000));
    world.handle(1, Op::Found);
    world.handle(0, Op::Close);
    world.handle(1, Op::Found);
    world.handle(1, Op::Elapse(50));
    assert_eq!(world.under_way(1).len(), 1);
    world.handle(1, TAKES);
    assert_eq!(world.lock, None);
}

#[test]
fn what_a_closed_page_left_is_delivered_under_the_lock_by_the_next() {
    let mut world = page(&[CALL, Op::Elapse(5000), Op::Close, Op::Found]);
    assert_eq!(world.lock, Some(0));
    world.handle(0, Op::Elapse(50));
    assert_eq!(world.under_way(0).len(), 1);
    world.handle(0, TAKES);
    assert_eq!(world.lock, None);
    assert!(world.store.is_empty());
}

#[test]
fn young_records_are_left_to_the_page_that_made_them() {
    let mut world = World::new(2);
    world.handle(0, CALL);
    world.handle(0, Op::Close);
    world.handle(1, Op::Elapse(2000));
    world.handle(1, Op::Found);
    world.handle(1, Op::Elapse(100));
    assert_eq!(world.under_way(1), [""; 0], "its last request may be on its way");
    assert_eq!(world.lock, None, "nothing to deliver");
    world.handle(1, Op::Elapse(899));
    assert!(world.pages[1].search.is_none());
    world.handle(1, Op::Elapse(1));
    assert!(world.pages[1].search.is_some(), "they are looked at again once they are older");
}

/// Two pages, and a record of the first that the Worker does not take.
fn one_waits_to_send() -> World {
    let mut world = World::new(2);
    world.handle(0, CALL);
    for _ in 0..10 {
        world.handle(0, Op::Elapse(1000));
        world.handle(0, Op::Answer(Reply::Later(Some(600_000))));
    }
    world.handle(0, Op::Found);
    world.handle(1, Op::Found);
    world
}

#[test]
fn what_a_living_page_has_is_left_to_it_however_old() {
    let mut world = one_waits_to_send();
    world.handle(1, Op::Elapse(120_000));
    world.handle(1, Op::Found);
    world.handle(1, Op::Elapse(100));
    assert_eq!(world.under_way(1), [""; 0]);
}

#[test]
fn what_a_page_has_left_is_taken_over_as_soon_as_it_is_gone() {
    let mut world = one_waits_to_send();
    world.handle(0, Op::Close);
    assert!(world.pages[1].search.is_some(), "before the half minute is over");
    world.handle(1, Op::Found);
    world.handle(1, Op::Elapse(50));
    assert_eq!(world.under_way(1).len(), 1);
}

#[test]
fn a_page_that_may_be_leaving_holds_what_waits_for_long_and_no_more() {
    let mut world = page(&[Op::Hide, CALL]);
    assert!(!world.pages[0].holds, "the browser may keep the page for the way back");
    world.handle(0, Op::Elapse(1999));
    world.handle(0, Op::Answer(Reply::Later(Some(1000))));
    assert!(!world.pages[0].holds);
    world.handle(0, Op::Elapse(1));
    assert!(world.pages[0].holds, "another page would take it in a second");
    world.handle(0, Op::Elapse(2500));
    world.handle(0, TAKES);
    assert!(!world.pages[0].holds);
    world.handle(0, Op::Elapse(500));
    assert!(world.pages[0].holds, "it is a tab behind another one");
}

#[test]
fn what_the_loader_has_found_is_sent_once_its_page_is_gone() {
    let mut world = one_waits_to_send();
    let (id, record) = world.store.first_key_value().unwrap();
    let found = json!([1, id, record, "W"]);
    world.tell(1, found);
    world.handle(1, Op::Elapse(100));
    assert_eq!(world.under_way(1), [""; 0], "its page is there");
    world.handle(0, Op::Close);
    world.handle(1, Op::Found);
    world.handle(1, Op::Elapse(100));
    assert_eq!(world.under_way(1).len(), 1);
}

#[test]
fn news_of_a_page_that_is_gone_count_though_the_store_is_being_read() {
    let mut world = one_waits_to_send();
    world.handle(1, Op::Elapse(60_000));
    assert!(world.pages[1].search.is_some(), "it looks by itself");
    let id = world.store.first_key_value().unwrap().0;
    let (ids, held) = (json!([id]), json!([id.get(23..)]));
    world.tell(1, json!([8]));
    world.pages[1].search = None;
    // What was asked before it went.
    world.tell(1, json!([7, ids, [], null, held]));
    world.handle(0, Op::Close);
    world.handle(1, Op::Elapse(3000));
    assert!(world.pages[1].search.is_some());
}

#[test]
fn what_the_loader_has_found_and_could_not_store_is_sent_all_the_same() {
    let mut world = World::new(1);
    world.handle(0, CALL);
    let (id, record) = world.store.pop_first().unwrap();
    world.handle(0, Op::Close);
    world.tell(0, json!([1, id, record, "W"]));
    world.handle(0, Op::Elapse(3000));
    world.handle(0, Op::Found);
    world.handle(0, Op::Elapse(50));
    assert_eq!(world.under_way(0), [id]);
}

#[test]
fn a_tab_behind_others_keeps_no_lock_while_it_waits_to_try_again() {
    let mut world = one_waits_to_send();
    world.handle(1, Op::Hide);
    world.handle(0, Op::Close);
    world.handle(1, Op::Elapse(5000));
    world.handle(1, Op::Found);
    world.handle(1, Op::Elapse(50));
    assert_eq!((world.lock, world.under_way(1).len()), (Some(1), 1));
    world.handle(1, Op::Answer(Reply::Later(Some(60_000))));
    assert_eq!(world.lock, None, "it may be frozen");
    world.handle(1, Op::Elapse(60_000));
    world.handle(1, Op::Found);
    world.handle(1, Op::Elapse(50));
    assert_eq!(world.under_way(1).len(), 1);
}

#[test]
fn without_a_store_what_the_loader_has_found_is_sent_as_it_is() {
    let mut world = one_waits_to_send();
    let (id, record) = world.store.first_key_value().unwrap();
    let found = json!([1, id, record, "W"]);
    world.denied = true;
    world.handle(0, Op::Close);
    world.open(1, "visible");
    world.tell(1, found);
    world.handle(1, Op::Elapse(100));
    assert_eq!(world.under_way(1), [""; 0], "the store has said nothing yet");
    world.handle(1, Op::Found);
    world.handle(1, Op::Elapse(100));
    assert_eq!(world.under_way(1).len(), 1, "nobody could find it elsewhere");
}

#[test]
fn a_page_that_is_hidden_while_it_delivers_leftovers_keeps_others_from_them_until_the_answer() {
    let steps = [CALL, Op::Elapse(5000), Op::Close, Op::Found, Op::Elapse(50), Op::Hide];
    let mut world = page(&steps);
    assert_eq!((world.lock, world.under_way(0).len()), (Some(0), 1));
    world.handle(0, Op::Answer(Reply::Silence { arrived: false }));
    assert_eq!(world.lock, None);
    world.handle(0, Op::Elapse(60_000));
    assert_eq!(world.under_way(0), [""; 0], "it is another page's now");
    world.recover();
}

#[test]
fn one_page_at_a_time_delivers_what_others_left() {
    let mut world = World::new(2);
    for place in 0..2 {
        world.handle(place, Op::Found);
    }
    world.handle(0, CALL);
    world.handle(0, Op::Close);
    world.handle(0, Op::Elapse(31_000));
    world.handle(0, Op::Found);
    world.handle(1, Op::Found);
    world.handle(1, Op::Elapse(100));
    assert_eq!((world.under_way(0).len(), world.under_way(1).len()), (1, 0));
}

/// Two pages of which the first delivers what a third one left, and the second waits for the lock.
fn one_waits() -> World {
    let mut world = World::new(3);
    world.handle(2, CALL);
    world.handle(2, Op::Close);
    world.handle(0, Op::Elapse(5000));
    world.handle(0, Op::Found);
    world.handle(1, Op::Found);
    assert_eq!(world.lock, Some(0));
    world
}

#[test]
fn a_page_that_waits_for_the_lock_takes_over_at_once_when_its_holder_closes() {
    let mut world = one_waits();
    world.handle(0, Op::Close);
    world.handle(1, Op::Found);
    world.handle(1, Op::Elapse(100));
    assert_eq!(world.under_way(1).len(), 1);
}

#[test]
fn a_page_that_is_hidden_while_it_waits_for_the_lock_leaves_the_queue() {
    let mut world = one_waits();
    world.handle(1, Op::Hide);
    world.handle(0, Op::Close);
    world.handle(1, Op::Found);
    assert_eq!((world.lock, world.pages[1].search), (None, None));
    world.handle(1, Op::Show);
    world.handle(1, Op::Found);
    world.handle(1, Op::Elapse(100));
    assert_eq!(world.under_way(1).len(), 1);
}

#[test]
fn a_page_that_is_hidden_gives_lock_and_leftovers_back() {
    let mut world = page(&[CALL, Op::Elapse(5000), Op::Close, Op::Found, Op::Hide]);
    assert_eq!(world.lock, None);
    world.handle(0, Op::Elapse(4999));
    assert_eq!(world.under_way(0), [""; 0], "they are another page's now");
    world.recover();
}

#[test]
fn a_search_that_is_answered_to_a_hidden_page_takes_nothing() {
    let mut world = page(&[CALL, Op::Elapse(5000), Op::Close, Op::Hide, Op::Found]);
    assert_eq!(world.lock, None);
    world.handle(0, Op::Elapse(60_000));
    assert_eq!(world.under_way(0), [""; 0]);
}

#[test]
fn the_store_is_searched_again_every_half_minute() {
    let mut world = page(&[Op::Elapse(29_999)]);
    assert!(world.pages[0].search.is_none());
    world.handle(0, Op::Elapse(1));
    assert!(world.pages[0].search.is_some());
}

#[test]
fn more_leftovers_than_a_batch_are_taken_one_batch_after_the_other() {
    let mut world = page(&[CALL; 250]);
    world.handle(0, Op::Elapse(5000));
    world.handle(0, Op::Close);
    let mut batches = Vec::new();
    for _ in 0..3 {
        world.handle(0, Op::Found);
        world.handle(0, Op::Elapse(50));
        batches.push(world.under_way(0).len());
        world.handle(0, TAKES);
    }
    assert_eq!(batches, [100, 100, 50]);
    assert!(world.store.is_empty());
}

#[test]
fn beyond_what_the_store_may_hold_the_oldest_go_and_the_page_is_told() {
    let mut world = World::new(1);
    world.handle(0, Op::Found);
    for _ in 0..MAX_STORED + 3 {
        world.call(0, Call::Sound);
    }
    world.handle(0, Op::Elapse(5000));
    world.handle(0, Op::Close);
    let oldest: Vec<_> = world.store.keys().take(3).cloned().collect();
    world.handle(0, Op::Found);
    assert_eq!(world.store.len(), MAX_STORED);
    assert_eq!(world.refused.keys().collect::<Vec<_>>(), oldest.iter().collect::<Vec<_>>());
    assert!(world.refused.values().all(|code| code == "expired"));
}

/// What `tracker` says to what a search found.
fn found(tracker: &mut Tracker, found: &Value, now: u64) -> Vec<(String, Value)> {
    let _ = tracker.handle(&json!([0, "/k/", "main", "visible", 0, "W"]).to_string(), now, 0);
    serde_json::from_str(&tracker.handle(&found.to_string(), now, 0)).unwrap()
}

/// The ids and codes of those that were refused.
fn refusals(effects: &[(String, Value)]) -> Vec<(&str, &str)> {
    let done = effects.iter().filter(|(name, _)| name == "done");
    done.map(|(_, detail)| (detail["id"].as_str().unwrap(), detail["code"].as_str().unwrap()))
        .collect()
}

#[test]
fn beyond_the_bytes_that_the_store_may_hold_the_oldest_go_and_the_page_is_told() {
    assert!(World::new(1).pages[0].search.is_some_and(|(_, room)| room == MAX_STORED_BYTES));
    let id = |number: u32| format!("00000000-0000-7000-8000-{number:012x}");
    let ids: Vec<_> = (0..103).map(id).collect();
    let records: Vec<_> = ids.iter().take(100).map(|id| json!({"id": id}).to_string()).collect();
    let mut tracker = Tracker::new();
    let effects = found(&mut tracker, &json!([7, ids, records, 101]), 100_000);
    assert_eq!(refusals(&effects), [(&*id(0), "expired"), (&*id(1), "expired")]);
    for number in 0..2 {
        assert!(effects.contains(&("remove".into(), json!([id(number)]))));
    }
    let effects = tracker.handle("[9]", 100_050, 0);
    assert!(effects.contains(&id(2)) && effects.contains(&id(99)), "the rest is delivered");
}

#[test]
fn where_the_store_cannot_be_had_memory_has_bounds_and_the_oldest_go() {
    let mut world = World::new(1);
    world.denied = true;
    world.handle(0, Op::Found);
    let ids: Vec<_> = (0..MAX_PENDING + 4).map(|_| world.call(0, Call::Sound)).collect();
    let refused = world.refused.clone();
    assert!(refused.values().all(|code| code == "expired"));
    let oldest: Vec<_> = refused.keys().collect();
    // A hundred of them are under way, and get their verdict.
    assert_eq!(oldest, ids.iter().skip(100).take(5).collect::<Vec<_>>());
    for _ in 0..ids.len() {
        world.handle(0, Op::Elapse(50));
        world.handle(0, TAKES);
    }
    assert_eq!(world.arrived.len() + refused.len(), ids.len(), "each arrives or is counted");
}

#[test]
fn broken_records_in_the_store_are_told_and_do_not_stand_in_the_way() {
    let mut world = World::new(1);
    for _ in 0..150 {
        world.handle(0, Op::Break);
    }
    let sound = world.call(0, Call::Sound);
    world.handle(0, Op::Elapse(5000));
    world.handle(0, Op::Close);
    for _ in 0..4 {
        world.handle(0, Op::Found);
        world.handle(0, Op::Elapse(50));
        world.handle(0, TAKES);
        world.handle(0, Op::Elapse(3000));
    }
    assert!(world.store.is_empty(), "{:?}", world.store);
    assert!(world.arrived.contains(&sound));
    assert_eq!(world.refused.len(), 150);
    assert!(world.refused.values().all(|code| code == "invalid_body"));
}

#[test]
fn what_is_no_text_or_stands_under_no_message_id_is_told_and_removed() {
    let (id, sound) =
        ("00000000-0000-7000-8000-000000000001", "00000000-0000-7000-8000-000000000002");
    let record = json!({"id": sound, "call": ["reset"]}).to_string();
    let mut tracker = Tracker::new();
    let effects =
        found(&mut tracker, &json!([7, ["0a", id, sound], [r#"{"id":7}"#, 0, record]]), 100_000);
    assert_eq!(refusals(&effects), [("0a", "invalid_body"), (id, "invalid_body")]);
    let effects = tracker.handle("[9]", 100_050, 0);
    assert!(effects.contains("[\"send\"") && effects.contains(sound), "{effects}");
}

#[test]
fn what_the_page_has_in_memory_is_delivered_though_its_copy_in_the_store_is_broken() {
    let mut world = World::new(1);
    let id = world.call(0, Call::Sound);
    world.store.insert(id.clone(), "{".to_owned());
    world.now += 5000;
    world.handle(0, Op::Found);
    world.handle(0, Op::Elapse(50));
    world.handle(0, TAKES);
    assert_eq!((world.arrived.contains(&id), world.refused.len()), (true, 0));
    assert!(world.store.is_empty());
}

#[test]
fn a_store_that_is_emptied_takes_nothing_from_what_the_page_has_in_memory() {
    let mut world = page(&[CALL, CALL, Op::Wipe, Op::Elapse(50)]);
    assert_eq!(world.under_way(0).len(), 2);
    world.handle(0, TAKES);
    assert_eq!(world.arrived.len(), 2);
}

/// The device sleeps: time passes, and no timer runs.
fn sleep(world: &mut World, time: u64) {
    world.now += time;
}

#[test]
fn a_timer_that_is_hours_late_sends_what_waits_once_and_looks_for_what_others_left() {
    let mut world = page(&[CALL]);
    sleep(&mut world, 9 * 60 * MINUTE);
    world.handle(0, Op::Elapse(0));
    assert_eq!(world.under_way(0).len(), 1);
    assert!(world.pages[0].search.is_some());
    world.handle(0, TAKES);
    world.handle(0, Op::Found);
    world.handle(0, Op::Elapse(MINUTE));
    assert_eq!((world.arrived.len(), world.under_way(0).len()), (1, 0));
}

#[test]
fn a_request_that_the_device_slept_through_is_made_again_soon() {
    let mut world = page(&[CALL, Op::Elapse(50)]);
    sleep(&mut world, 9 * 60 * MINUTE);
    world.handle(0, Op::Answer(Reply::Silence { arrived: false }));
    world.handle(0, Op::Elapse(1000));
    assert_eq!(world.under_way(0).len(), 1);
}

#[test]
fn after_a_day_without_network_everything_arrives_within_five_minutes() {
    let mut world = page(&[CALL, CALL]);
    let mut attempts = 0;
    let end = world.now + DAY;
    while world.now < end {
        world.handle(0, Op::Elapse(MINUTE));
        attempts += u32::from(world.pages[0].send.is_some());
        world.handle(0, Op::Answer(Reply::Silence { arrived: false }));
    }
    assert!(attempts < 1000, "{attempts} attempts");
    assert!(world.refused.is_empty());
    world.handle(0, Op::Elapse(5 * MINUTE));
    world.handle(0, TAKES);
    assert_eq!(world.arrived.len(), 2);
}

#[test]
fn what_was_left_for_more_than_seven_days_is_given_up_though_the_page_has_news() {
    let mut world = page(&[CALL, Op::Close]);
    let old = world.store.keys().next().unwrap().clone();
    world.now += 8 * DAY;
    world.handle(0, CALL);
    world.handle(0, Op::Found);
    world.handle(0, Op::Elapse(50));
    world.handle(0, TAKES);
    assert_eq!(world.refused.into_iter().collect::<Vec<_>>(), [(old, "expired".to_owned())]);
    assert_eq!(world.arrived.len(), 1);
}

#[test]
fn what_a_portal_answers_is_no_verdict() {
    let mut world = page(&[CALL]);
    for _ in 0..5 {
        world.handle(0, Op::Elapse(5 * MINUTE));
        world.handle(0, Op::Answer(Reply::Stranger));
        assert!(reports(&world, 0, "done").is_empty());
        assert_eq!(world.store.len(), 1);
    }
    world.handle(0, Op::Elapse(5 * MINUTE));
    world.handle(0, TAKES);
    assert!(world.store.is_empty());
}

#[test]
fn a_visitor_who_asks_to_be_forgotten_leaves_nothing_behind() {
    let mut world = page(&[CALL, Op::Elapse(50), CALL, Op::Forget]);
    assert!(world.store.is_empty());
    world.handle(0, Op::Answer(Reply::Silence { arrived: false }));
    world.handle(0, Op::Elapse(600_000));
    assert_eq!(world.under_way(0), [""; 0]);
}

#[test]
fn a_clock_that_is_set_back_puts_neither_the_search_nor_the_leftovers_off() {
    let day = 24 * 60 * 60 * 1000;
    let mut world = page(&[CALL, Op::Elapse(5000), Op::Close]);
    world.now -= day;
    world.pages[0].timer = None;
    world.handle(0, Op::Found);
    world.handle(0, Op::Elapse(50));
    assert_eq!(world.under_way(0).len(), 1, "made in the future, and left all the same");
    world.handle(0, TAKES);
    assert!(world.pages[0].search.is_none());
    world.now -= day;
    world.pages[0].timer = None;
    world.tell(0, json!([9]));
    world.handle(0, Op::Elapse(30_000));
    assert!(world.pages[0].search.is_some(), "half a minute is as long as it was");
}
