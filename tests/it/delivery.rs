//! What leaves a page, when, and how often. The properties run on [`crate::sim`].

use esputnik_kit::{
    delivery::{MAX_PENDING, Output},
    wire::{MAX_BATCH_RECORDS, TIME_TO_LIVE},
};
use proptest::prelude::*;

use crate::{
    rig::{DAY, MINUTE, SECOND, cases},
    sim::{Fate, Op, Reply, Sim, run},
};

const CALL: Op = Op::Call { bytes: 10, poison: false };
const POISON: Op = Op::Call { bytes: 10, poison: true };
const TAKES: Op = Op::Answer(Reply::Takes);
const SILENCE: Op = Op::Answer(Reply::Silence { arrived: false });

/// A page after these steps.
fn page(ops: &[Op]) -> Sim {
    let mut sim = Sim::new();
    for op in ops {
        sim.handle(*op);
    }
    sim
}

/// How many records each batch had.
fn sizes(sim: &Sim) -> Vec<usize> {
    sim.batches.iter().map(Vec::len).collect()
}

fn fates(sim: &Sim) -> Vec<Fate> {
    sim.fates.values().copied().collect()
}

/// When the next batch leaves, if nothing happens but time; milliseconds from now.
fn next_batch(sim: &mut Sim) -> u64 {
    let (before, start) = (sim.batches.len(), sim.now);
    while sim.batches.len() == before {
        sim.handle(Op::Elapse(1));
        assert!(sim.now - start < DAY, "nothing leaves");
    }
    sim.now - start
}

fn later(status: u16, retry_after: Option<u64>) -> Op {
    Op::Answer(Reply::Later { status, retry_after })
}

proptest! {
    #![proptest_config(cases(200))]

    /// Nothing lost before its time, nothing sent after its verdict, order kept, one batch under
    /// way, batches within their limits, rest in bounded steps: the simulation checks each step.
    #[test]
    fn a_page_holds_its_promises_whatever_happens(
        steps in prop::collection::vec(any::<[u8; 4]>().prop_map(Op::from_bytes), 0..80)
    ) {
        run(steps);
    }
}

#[test]
fn calls_of_one_moment_leave_together() {
    let mut sim = page(&[CALL, CALL, CALL]);
    assert_eq!(next_batch(&mut sim), 50);
    assert_eq!(sizes(&sim), [3]);
}

#[test]
fn a_full_batch_does_not_wait_for_company() {
    assert_eq!(sizes(&page(&[CALL; MAX_BATCH_RECORDS - 1])), [0; 0]);
    assert_eq!(sizes(&page(&[CALL; MAX_BATCH_RECORDS])), [MAX_BATCH_RECORDS]);
}

#[test]
fn a_batch_has_at_most_100_records() {
    let sim = page(&[&[CALL; 101][..], &[TAKES, Op::Elapse(50)]].concat());
    assert_eq!(sizes(&sim), [100, 1]);
}

#[test]
fn a_batch_has_at_most_64_kib() {
    let third = Op::Call { bytes: 21_000, poison: false };
    let sim = page(&[third, third, third, third, Op::Elapse(50), TAKES, Op::Elapse(50)]);
    assert_eq!(sizes(&sim), [3, 1]);
}

#[test]
fn two_records_of_the_largest_size_leave_one_after_the_other() {
    let largest = Op::Call { bytes: 32 * 1024, poison: false };
    let sim = page(&[largest, largest, Op::Elapse(50), TAKES]);
    assert_eq!(sizes(&sim), [1, 1]);
}

#[test]
fn one_batch_is_under_way_at_a_time() {
    let mut sim = page(&[CALL, Op::Elapse(50), CALL, Op::Elapse(MINUTE)]);
    assert_eq!(sizes(&sim), [1]);
    sim.handle(TAKES);
    assert_eq!(sizes(&sim), [1, 1]);
}

#[test]
fn an_unanswered_batch_is_sent_again_with_what_came_since() {
    let mut sim = page(&[CALL, Op::Elapse(50), CALL, SILENCE]);
    next_batch(&mut sim);
    assert_eq!(sizes(&sim), [1, 2]);
    assert_eq!(sim.batches[0][0], sim.batches[1][0], "the older one first");
}

#[test]
fn records_without_a_verdict_are_sent_again_in_their_order() {
    let mut sim = page(&[CALL, CALL, CALL, CALL, Op::Elapse(50)]);
    sim.handle(Op::Answer(Reply::TakesSome(0b0101)));
    assert_eq!(sizes(&sim), [4, 2]);
    assert_eq!(sim.batches[1], [sim.batches[0][1].clone(), sim.batches[0][3].clone()]);
}

#[test]
fn a_success_that_names_no_record_is_none() {
    let mut sim = page(&[CALL, Op::Elapse(50), Op::Answer(Reply::Stranger)]);
    assert!(sim.fates.is_empty());
    assert!(next_batch(&mut sim) >= 500);
}

#[test]
fn a_record_that_cannot_be_read_does_not_block_the_next() {
    let mut sim = page(&[CALL, POISON, CALL, Op::Elapse(50)]);
    for _ in 0..4 {
        sim.handle(TAKES);
    }
    assert_eq!(sizes(&sim), [3, 1, 1, 1], "one by one after the refusal");
    assert_eq!(fates(&sim), [Fate::Taken, Fate::Refused, Fate::Taken]);
}

#[test]
fn after_the_last_suspect_batches_are_whole_again() {
    let mut sim = page(&[POISON, CALL, Op::Elapse(50), CALL, CALL]);
    for _ in 0..4 {
        sim.handle(TAKES);
    }
    sim.handle(Op::Elapse(50));
    assert_eq!(sizes(&sim), [2, 1, 1, 2]);
}

#[test]
fn several_that_cannot_be_read_are_each_refused_alone() {
    let mut sim = page(&[POISON, CALL, POISON, Op::Elapse(50)]);
    for _ in 0..4 {
        sim.handle(TAKES);
    }
    assert_eq!(fates(&sim), [Fate::Refused, Fate::Taken, Fate::Refused]);
}

#[test]
fn every_status_that_is_no_verdict_keeps_the_records() {
    for status in [302, 401, 403, 404, 408, 425, 429, 500, 502, 503, 504] {
        let mut sim = page(&[CALL, Op::Elapse(50), later(status, None)]);
        assert!(sim.fates.is_empty(), "{status}");
        next_batch(&mut sim);
        sim.handle(TAKES);
        assert_eq!(fates(&sim), [Fate::Taken], "{status}");
    }
}

#[test]
fn retry_after_is_waited_for_to_the_millisecond() {
    for status in [429, 503] {
        let mut sim = page(&[CALL, Op::Elapse(50), later(status, Some(20 * SECOND))]);
        assert_eq!(next_batch(&mut sim), 20 * SECOND, "{status}");
    }
}

#[test]
fn pauses_double_up_to_five_minutes() {
    let mut sim = page(&[CALL, Op::Elapse(50)]);
    let mut pauses = Vec::new();
    for _ in 0..12 {
        sim.handle(SILENCE);
        pauses.push(next_batch(&mut sim));
    }
    for (attempt, pause) in pauses.iter().enumerate() {
        let most = (SECOND << attempt).min(5 * MINUTE);
        assert!((most / 2..=most).contains(pause), "attempt {attempt}: {pause}");
    }
}

#[test]
fn a_verdict_ends_the_doubling() {
    let mut sim = page(&[CALL, Op::Elapse(50)]);
    for _ in 0..6 {
        sim.handle(SILENCE);
        next_batch(&mut sim);
    }
    sim.handle(TAKES);
    sim.handle(CALL);
    sim.handle(Op::Elapse(50));
    sim.handle(SILENCE);
    assert!(next_batch(&mut sim) <= SECOND);
}

#[test]
fn new_calls_do_not_shorten_a_pause() {
    let mut sim = page(&[CALL, Op::Elapse(50), later(503, Some(10 * SECOND))]);
    for _ in 0..MAX_BATCH_RECORDS {
        sim.handle(CALL);
    }
    assert_eq!(next_batch(&mut sim), 10 * SECOND);
}

#[test]
fn when_the_network_is_back_nothing_waits_for_a_pause_of_our_own() {
    let mut sim = page(&[CALL, Op::Elapse(50)]);
    for _ in 0..6 {
        sim.handle(SILENCE);
        next_batch(&mut sim);
    }
    sim.handle(SILENCE);
    let before = sim.batches.len();
    sim.handle(Op::Online);
    assert_eq!(sim.batches.len(), before + 1);
}

#[test]
fn a_wait_that_the_collector_asked_for_outlasts_the_return_of_the_network() {
    let mut sim = page(&[CALL, Op::Elapse(50), later(429, Some(20 * SECOND)), Op::Online]);
    assert_eq!(next_batch(&mut sim), 20 * SECOND);
}

#[test]
fn offline_for_a_day_loses_nothing() {
    let mut sim = Sim::new();
    for _ in 0..24 {
        sim.handle(CALL);
        for _ in 0..60 {
            sim.handle(Op::Elapse(MINUTE));
            sim.handle(SILENCE);
        }
    }
    assert!(sim.fates.is_empty());
    sim.recover();
    assert_eq!(fates(&sim), [Fate::Taken; 24]);
}

#[test]
fn what_a_closed_page_left_is_delivered_by_the_next() {
    let mut sim = page(&[CALL, CALL, Op::Reload, Op::Elapse(50), TAKES]);
    assert_eq!(fates(&sim), [Fate::Taken, Fate::Taken]);
    sim.recover();
}

#[test]
fn a_page_closed_before_the_answer_is_followed_by_a_repeat() {
    let sim = page(&[CALL, Op::Elapse(50), Op::Reload, Op::Elapse(50)]);
    assert_eq!(sim.batches[0], sim.batches[1]);
}

#[test]
fn what_somebody_else_delivered_is_not_sent() {
    let sim = page(&[CALL, CALL, CALL, Op::Elsewhere(1), Op::Elapse(50)]);
    assert_eq!(sizes(&sim), [2]);
}

#[test]
fn what_is_under_way_is_not_taken_back() {
    let mut sim = page(&[CALL, CALL, Op::Elapse(50), Op::Elsewhere(0), SILENCE]);
    next_batch(&mut sim);
    assert_eq!(sizes(&sim), [2, 2]);
}

#[test]
fn the_answer_to_a_forgotten_batch_is_none_to_the_next() {
    let mut sim = page(&[POISON, Op::Elapse(50), Op::Forget, CALL, Op::Elapse(MINUTE)]);
    assert_eq!(sizes(&sim), [1], "the next waits for the answer");
    sim.handle(TAKES);
    sim.handle(TAKES);
    assert_eq!(fates(&sim), [Fate::Forgotten, Fate::Taken]);
}

#[test]
fn a_record_expires_after_seven_days_and_not_before() {
    let mut sim = page(&[CALL, Op::Elapse(50), later(503, None)]);
    sim.handle(Op::Elapse(10 * MINUTE));
    while sim.now < sim_start() + TIME_TO_LIVE {
        sim.handle(later(503, None));
        sim.handle(Op::Elapse(10 * MINUTE));
    }
    assert!(sim.fates.is_empty());
    sim.handle(later(503, None));
    sim.handle(Op::Elapse(10 * MINUTE));
    assert_eq!(fates(&sim), [Fate::Expired]);
}

fn sim_start() -> u64 {
    Sim::new().now
}

#[test]
fn a_record_is_taken_once() {
    let mut delivery = crate::sim::delivery();
    assert!(delivery.handle_record("1", "{}".into(), 0, 0));
    assert!(!delivery.handle_record("1", "{}".into(), 0, 0), "while it waits");
    assert!(matches!(delivery.poll_output(50), Output::Send { .. }));
    assert!(!delivery.handle_record("1", "{}".into(), 0, 0), "while it is under way");
    assert_eq!(delivery.len(), 1);
}

#[test]
fn records_beyond_the_room_stay_in_the_store() {
    let mut delivery = crate::sim::delivery();
    for number in 0..MAX_PENDING {
        assert!(delivery.handle_record(&number.to_string(), "{}".into(), 0, 0));
    }
    assert!(!delivery.handle_record("one more", "{}".into(), 0, 0));
    let Output::Send { ids, .. } = delivery.poll_output(0) else { panic!("a full batch") };
    assert!(!delivery.handle_record("one more", "{}".into(), 0, 0), "what is under way counts");
    delivery.handle_answer(Some(202), &ids, None, 0, 0);
    assert!(delivery.handle_record("one more", "{}".into(), 0, 0));
}

#[test]
fn a_cleared_delivery_sends_nothing() {
    let mut delivery = crate::sim::delivery();
    delivery.handle_record("1", "{}".into(), 0, 0);
    delivery.clear();
    assert!(delivery.is_empty());
    assert_eq!(delivery.poll_output(1000), Output::Wait(None));
}

#[test]
fn the_batch_is_json_that_says_version_site_and_time() {
    let mut delivery = crate::sim::delivery();
    delivery.handle_record("1", r#"{"id":"1"}"#.into(), 0, 0);
    delivery.handle_record("2", r#"{"id":"2"}"#.into(), 0, 0);
    let Output::Send { body, .. } = delivery.poll_output(77) else { panic!("a batch") };
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    let expected = serde_json::json!({"v": 1, "site": "main", "sc": "W", "sentAt": 77,
        "records": [{"id": "1"}, {"id": "2"}]});
    assert_eq!(body, expected);
}

#[test]
fn a_clock_that_is_set_back_lets_no_record_wait_longer() {
    let mut delivery = crate::sim::delivery();
    delivery.handle_record("1", "{}".into(), 2 * DAY, 2 * DAY);
    // Half the wait for company has gone by.
    assert_eq!(delivery.poll_output(2 * DAY + 25), Output::Wait(Some(2 * DAY + 50)));
    assert_eq!(delivery.poll_output(DAY), Output::Wait(Some(DAY + 25)));
    assert!(matches!(delivery.poll_output(DAY + 25), Output::Send { .. }));
    // What the Worker asked for is as long as it was.
    delivery.handle_answer(Some(429), &[], Some(MINUTE), DAY + 25, 0);
    assert_eq!(delivery.poll_output(DAY + 25), Output::Wait(Some(DAY + 25 + MINUTE)));
    assert_eq!(delivery.poll_output(25), Output::Wait(Some(25 + MINUTE)));
    delivery.handle_online();
    assert_eq!(delivery.poll_output(25), Output::Wait(Some(25 + MINUTE)));
    assert!(matches!(delivery.poll_output(25 + MINUTE), Output::Send { .. }));
}
