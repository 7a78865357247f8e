//! The outbox's rules, one by one.

use esputnik_kit::outbox::{Outbox, Output, Row, Settled};

use crate::rig::{DAY, MINUTE, NOW, SECOND};

/// Anything evenly spread; this is the longest jitter.
const LONGEST: u32 = u32::MAX;

pub(super) fn row(id: u64, visitor: &str, count: usize) -> Row {
    Row {
        id,
        web_id: visitor.into(),
        count,
        position: 0,
        attempts: 0,
        next_at: 0,
        unknown: false,
        received: NOW,
    }
}

/// An outbox with rows of these visitors and sizes.
fn outbox(rows: &[(&str, usize)]) -> Outbox {
    let mut outbox = Outbox::new(None);
    for (id, (visitor, count)) in (1..).zip(rows) {
        outbox.handle_row(row(id, visitor, *count));
    }
    outbox
}

/// The bodies that leave at `now`, as row and position.
fn sends(outbox: &mut Outbox, now: u64) -> Vec<(u64, usize)> {
    let send = |output| match output {
        Output::Send { row, position, .. } => Some((row, position)),
        _ => None,
    };
    std::iter::from_fn(|| send(outbox.poll_output(now))).collect()
}

fn answer(outbox: &mut Outbox, row: u64, status: impl Into<Option<u16>>, now: u64) -> Settled {
    outbox.handle_answer(row, status.into(), false, None, now, LONGEST)
}

fn asked(outbox: &mut Outbox, row: u64, status: u16, retry_after: u64, now: u64) {
    outbox.handle_answer(row, Some(status), false, Some(retry_after), now, 0);
}

/// Sends and takes everything at `now`; how often the row was written.
fn drain(outbox: &mut Outbox, now: u64, status: impl Fn(usize) -> u16) -> usize {
    let mut writes = 0;
    while let [(row, position)] = sends(outbox, now)[..] {
        writes += outbox.take_updates().len();
        answer(outbox, row, status(position), now);
        writes += outbox.take_updates().len();
    }
    outbox.handle_rest();
    writes + outbox.take_updates().len()
}

#[test]
fn a_visitors_bodies_leave_one_at_a_time_in_their_order() {
    let mut outbox = outbox(&[("a", 2), ("a", 1)]);
    for body in [(1, 0), (1, 1), (2, 0)] {
        assert_eq!(sends(&mut outbox, NOW), [body]);
        answer(&mut outbox, body.0, 204, NOW);
    }
    assert_eq!(outbox.poll_output(NOW), Output::Wait(None));
}

#[test]
fn visitors_do_not_wait_for_each_other() {
    let mut outbox = outbox(&[("a", 5), ("b", 1), ("c", 2)]);
    assert_eq!(sends(&mut outbox, NOW), [(1, 0), (2, 0), (3, 0)]);
    answer(&mut outbox, 1, None, NOW);
    answer(&mut outbox, 3, 204, NOW);
    assert_eq!(sends(&mut outbox, NOW), [(3, 1)], "while the first one's visitor waits");
}

#[test]
fn six_requests_are_under_way_at_most() {
    let visitors: Vec<_> = ["a", "b", "c", "d", "e", "f", "g", "h"].map(|v| (v, 1)).to_vec();
    let mut outbox = outbox(&visitors);
    assert_eq!(sends(&mut outbox, NOW).len(), 6);
    assert_eq!(outbox.poll_output(NOW), Output::Wait(None));
    answer(&mut outbox, 3, 204, NOW);
    assert_eq!(sends(&mut outbox, NOW), [(7, 0)]);
}

#[test]
fn a_row_is_marked_before_its_first_body_leaves() {
    let mut outbox = outbox(&[("a", 3)]);
    sends(&mut outbox, NOW);
    assert_eq!(outbox.take_updates(), [Row { unknown: true, ..row(1, "a", 3) }]);
}

#[test]
fn any_success_is_a_success() {
    for status in [200, 201, 202, 204, 299] {
        let mut outbox = outbox(&[("a", 1)]);
        sends(&mut outbox, NOW);
        assert_eq!(answer(&mut outbox, 1, status, NOW), Settled::Delivered);
        assert_eq!(outbox.pending(), 0);
    }
}

#[test]
fn a_refused_body_is_dead_and_does_not_block_the_next() {
    for status in [400, 409, 410, 413, 415, 422] {
        let mut outbox = outbox(&[("a", 2)]);
        sends(&mut outbox, NOW);
        assert_eq!(answer(&mut outbox, 1, status, NOW), Settled::Dead);
        assert_eq!(sends(&mut outbox, NOW), [(1, 1)]);
    }
}

#[test]
fn what_is_no_verdict_on_the_body_waits() {
    for status in [301, 302, 401, 403, 404, 405, 408, 425, 429, 500, 502, 503, 504] {
        let mut outbox = outbox(&[("a", 2)]);
        sends(&mut outbox, NOW);
        assert_eq!(answer(&mut outbox, 1, status, NOW), Settled::Waits);
        assert_eq!(sends(&mut outbox, NOW), []);
        assert_eq!(sends(&mut outbox, NOW + SECOND), [(1, 0)], "{status}");
    }
}

#[test]
fn an_event_that_the_platform_has_already_is_delivered_whatever_the_status() {
    for status in [400, 409, 429, 500] {
        let mut outbox = outbox(&[("a", 1)]);
        sends(&mut outbox, NOW);
        let settled = outbox.handle_answer(1, Some(status), true, None, NOW, 0);
        assert_eq!(settled, Settled::Delivered);
    }
}

#[test]
fn pauses_of_a_body_double_up_to_five_minutes_and_end_with_it() {
    let mut outbox = outbox(&[("a", 2), ("others", 100)]);
    let mut now = NOW;
    let pause = |outbox: &mut Outbox, now: u64| {
        sends(outbox, now);
        // Others' events are taken, so the platform is not down.
        answer(outbox, 2, 204, now);
        answer(outbox, 1, 503, now);
        outbox.take_updates()[0].next_at - now
    };
    let mut pauses = Vec::new();
    for _ in 0..11 {
        pauses.push(pause(&mut outbox, now));
        now += 6 * MINUTE;
    }
    let doubled = [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300].map(|pause| pause * SECOND);
    assert_eq!(pauses, doubled);
    sends(&mut outbox, now);
    answer(&mut outbox, 1, 204, now);
    assert_eq!(pause(&mut outbox, now), SECOND);
}

#[test]
fn a_visitors_pause_is_not_the_next_ones() {
    let mut outbox = outbox(&[("a", 1), ("b", 1)]);
    sends(&mut outbox, NOW);
    asked(&mut outbox, 1, 503, MINUTE, NOW);
    answer(&mut outbox, 2, 204, NOW);
    outbox.handle_row(row(3, "c", 1));
    assert_eq!(sends(&mut outbox, NOW), [(3, 0)]);
    assert_eq!(outbox.poll_output(NOW), Output::Wait(Some(NOW + MINUTE)));
}

#[test]
fn too_many_requests_pauses_everybody_for_as_long_as_was_asked() {
    let mut outbox = outbox(&[("a", 1)]);
    sends(&mut outbox, NOW);
    asked(&mut outbox, 1, 429, 20 * SECOND, NOW);
    outbox.handle_row(row(2, "b", 1));
    assert_eq!(outbox.poll_output(NOW), Output::Wait(Some(NOW + 20 * SECOND)));
    assert_eq!(sends(&mut outbox, NOW + 20 * SECOND).len(), 2);
}

#[test]
fn an_answer_that_was_on_its_way_does_not_end_that_pause() {
    for status in [204, 400, 503] {
        let mut outbox = outbox(&[("a", 1), ("b", 1), ("c", 1)]);
        sends(&mut outbox, NOW);
        asked(&mut outbox, 1, 429, 20 * SECOND, NOW);
        answer(&mut outbox, 2, status, NOW);
        outbox.handle_row(row(4, "d", 1));
        assert_eq!(outbox.poll_output(NOW), Output::Wait(Some(NOW + 20 * SECOND)), "{status}");
    }
}

#[test]
fn a_platform_that_goes_down_does_not_shorten_that_pause() {
    let mut outbox = outbox(&[("a", 1), ("b", 1), ("c", 1), ("d", 1), ("e", 1), ("f", 1)]);
    sends(&mut outbox, NOW);
    asked(&mut outbox, 1, 429, MINUTE, NOW);
    for row in 2..=6 {
        answer(&mut outbox, row, 503, NOW);
    }
    assert_eq!(outbox.poll_output(NOW), Output::Wait(Some(NOW + MINUTE)));
}

/// An outbox whose last five requests failed, at `NOW`, and that has eight visitors.
fn broken() -> Outbox {
    let visitors: Vec<_> = ["a", "b", "c", "d", "e", "f", "g", "h"].map(|v| (v, 1)).to_vec();
    let mut outbox = outbox(&visitors);
    for (row, _) in sends(&mut outbox, NOW) {
        answer(&mut outbox, row, 503, NOW);
    }
    outbox
}

#[test]
fn while_the_platform_is_down_one_request_at_a_time_asks_whether_it_is() {
    let mut outbox = broken();
    let mut now = NOW;
    for _ in 0..10 {
        let Output::Wait(Some(until)) = outbox.poll_output(now) else { panic!("a pause") };
        assert!((now + 500..=now + 15 * SECOND).contains(&until), "{}", until - now);
        now = until;
        let [(row, _)] = sends(&mut outbox, now)[..] else { panic!("one request") };
        answer(&mut outbox, row, 503, now);
    }
}

#[test]
fn an_hour_of_outage_keeps_nobody_waiting_for_long_after_it() {
    let mut outbox = outbox(&[("a", 2)]);
    let (mut now, mut longest) = (NOW, 0);
    while now < NOW + 60 * MINUTE {
        let [(row, _)] = sends(&mut outbox, now)[..] else { panic!("one request") };
        answer(&mut outbox, row, 503, now);
        let Output::Wait(Some(until)) = outbox.poll_output(now) else { panic!("a pause") };
        let wait = until - now;
        assert!(wait <= (15 * SECOND).max((now - NOW) / 8), "{wait} after {}", now - NOW);
        longest = longest.max(wait);
        now = until;
    }
    assert!(longest > MINUTE, "asked too often: {longest}");
}

#[test]
fn one_more_failure_after_an_outage_costs_a_second_and_not_minutes() {
    let mut outbox = outbox(&[("a", 1), ("b", 9)]);
    let mut now = NOW;
    while now < NOW + 10 * MINUTE {
        for (row, _) in sends(&mut outbox, now) {
            answer(&mut outbox, row, None, now);
        }
        let Output::Wait(Some(until)) = outbox.poll_output(now) else { panic!("a pause") };
        now = until;
    }
    // It is back, but a connection of before breaks once more.
    let (mut back, mut broken) = (None, false);
    while outbox.position_of(1) == Some(0) {
        for (row, _) in sends(&mut outbox, now) {
            if row == 1 && back.is_some() && !broken {
                broken = true;
                answer(&mut outbox, row, None, now);
            } else if row == 1 && back.is_none() {
                answer(&mut outbox, row, None, now);
            } else {
                back.get_or_insert(now);
                answer(&mut outbox, row, 204, now);
            }
        }
        now += SECOND;
        assert!(
            back.is_none_or(|back| now < back + MINUTE),
            "the row still waits: {back:?} {broken} {now} {:?}",
            outbox.poll_output(now)
        );
    }
    assert!(broken);
}

#[test]
fn an_event_that_always_fails_does_not_keep_others_from_showing_that_the_platform_is_up() {
    let mut outbox = outbox(&[("a", 1)]);
    let mut now = NOW;
    for _ in 0..8 {
        sends(&mut outbox, now);
        answer(&mut outbox, 1, 500, now);
        let Output::Wait(Some(until)) = outbox.poll_output(now) else { panic!("a pause") };
        now = until;
    }
    outbox.handle_row(row(2, "b", 1));
    assert_eq!(sends(&mut outbox, now), [(2, 0)]);
}

#[test]
fn a_wait_that_was_asked_for_outlasts_the_turn_to_down() {
    let mut outbox = outbox(&[("a", 1), ("b", 1), ("c", 1), ("d", 1), ("e", 1)]);
    sends(&mut outbox, NOW);
    asked(&mut outbox, 1, 503, MINUTE, NOW);
    for row in 2..=5 {
        answer(&mut outbox, row, 503, NOW);
    }
    let mut now = NOW;
    while now < NOW + MINUTE {
        for (row, _) in sends(&mut outbox, now) {
            assert_ne!(row, 1);
            answer(&mut outbox, row, 204, now);
        }
        now += SECOND;
    }
    assert_eq!(sends(&mut outbox, now), [(1, 0)]);
}

#[test]
fn when_the_platform_is_back_everybody_goes_on() {
    let mut outbox = broken();
    let now = NOW + MINUTE;
    let [(row, _)] = sends(&mut outbox, now)[..] else { panic!("one request") };
    answer(&mut outbox, row, 204, now);
    assert_eq!(sends(&mut outbox, now).len(), 6);
}

#[test]
fn a_refusal_shows_that_the_platform_is_up() {
    let mut outbox = broken();
    let now = NOW + MINUTE;
    let [(row, _)] = sends(&mut outbox, now)[..] else { panic!("one request") };
    assert_eq!(answer(&mut outbox, row, 400, now), Settled::Dead);
    assert_eq!(sends(&mut outbox, now).len(), 6);
}

#[test]
fn a_row_of_twenty_is_written_at_most_eight_times_in_a_pass_and_with_each_burial() {
    let mut all_taken = outbox(&[("a", 20)]);
    assert!(drain(&mut all_taken, NOW, |_| 204) <= 8);
    let mut some_refused = outbox(&[("a", 20)]);
    let refused = |position| if position % 3 == 0 { 400 } else { 204 };
    assert!(drain(&mut some_refused, NOW, refused) <= 8 + 7);
    assert_eq!(some_refused.pending(), 0);
}

#[test]
fn a_row_that_is_done_is_reported_at_its_end_once() {
    let mut outbox = outbox(&[("a", 1)]);
    sends(&mut outbox, NOW);
    let _ = outbox.take_updates();
    answer(&mut outbox, 1, 204, NOW);
    assert_eq!(outbox.take_updates(), [Row { position: 1, ..row(1, "a", 1) }]);
    outbox.handle_rest();
    assert_eq!(outbox.take_updates(), []);
}

#[test]
fn a_rest_stores_how_far_every_row_is() {
    let mut outbox = outbox(&[("a", 3)]);
    for _ in 0..2 {
        sends(&mut outbox, NOW);
        let _ = outbox.take_updates();
        answer(&mut outbox, 1, 204, NOW);
    }
    outbox.handle_rest();
    assert_eq!(outbox.take_updates(), [Row { position: 2, ..row(1, "a", 3) }]);
}

/// Whether the next body counts as one that may have been sent before.
fn resent(outbox: &mut Outbox, now: u64) -> bool {
    match outbox.poll_output(now) {
        Output::Send { resent_unknown, .. } => resent_unknown,
        other => panic!("{other:?}"),
    }
}

#[test]
fn after_a_rest_and_a_restart_nothing_counts_as_sent_before() {
    let mut outbox = outbox(&[("a", 3)]);
    sends(&mut outbox, NOW);
    let _ = outbox.take_updates();
    answer(&mut outbox, 1, 204, NOW);
    outbox.handle_rest();
    let stored = outbox.take_updates().remove(0);
    let mut restarted = Outbox::new(None);
    restarted.handle_row(stored);
    assert!(!resent(&mut restarted, NOW));
}

#[test]
fn a_body_under_way_at_a_crash_counts_as_sent_before() {
    let mut outbox = outbox(&[("a", 3)]);
    sends(&mut outbox, NOW);
    let stored = outbox.take_updates().remove(0);
    let mut restarted = Outbox::new(None);
    restarted.handle_row(stored);
    assert!(resent(&mut restarted, NOW));
}

#[test]
fn a_body_without_an_answer_counts_as_sent_before() {
    let mut outbox = outbox(&[("a", 3)]);
    assert!(!resent(&mut outbox, NOW));
    let _ = outbox.take_updates();
    answer(&mut outbox, 1, None, NOW);
    let _ = outbox.take_updates();
    assert!(resent(&mut outbox, NOW + SECOND));
}

#[test]
fn a_body_that_was_answered_does_not_count_as_sent_before() {
    let mut outbox = outbox(&[("a", 3)]);
    sends(&mut outbox, NOW);
    let _ = outbox.take_updates();
    answer(&mut outbox, 1, 503, NOW);
    let _ = outbox.take_updates();
    assert!(!resent(&mut outbox, NOW + SECOND));
    let _ = outbox.take_updates();
    answer(&mut outbox, 1, 204, NOW + SECOND);
    let _ = outbox.take_updates();
    assert!(!resent(&mut outbox, NOW + SECOND), "nor does the next body");
}

#[test]
fn a_failure_is_stored_so_that_its_pause_outlives_a_crash() {
    let mut outbox = outbox(&[("a", 3)]);
    sends(&mut outbox, NOW);
    let _ = outbox.take_updates();
    asked(&mut outbox, 1, 503, MINUTE, NOW);
    let stored = outbox.take_updates().remove(0);
    let mut restarted = Outbox::new(None);
    restarted.handle_row(stored);
    assert_eq!(restarted.poll_output(NOW), Output::Wait(Some(NOW + MINUTE)));
}

#[test]
fn a_body_is_tried_for_seven_days_and_then_dead() {
    for (age, settled) in [(7 * DAY, Settled::Waits), (7 * DAY + 1, Settled::Dead)] {
        let mut outbox = outbox(&[("a", 2)]);
        sends(&mut outbox, NOW + age);
        assert_eq!(answer(&mut outbox, 1, 503, NOW + age), settled);
    }
}

#[test]
fn a_body_older_than_that_is_delivered_if_the_platform_takes_it() {
    let mut outbox = outbox(&[("a", 1)]);
    sends(&mut outbox, NOW + 30 * DAY);
    assert_eq!(answer(&mut outbox, 1, 204, NOW + 30 * DAY), Settled::Delivered);
}

#[test]
fn a_forgotten_visitors_rows_are_not_sent() {
    let mut outbox = outbox(&[("a", 2), ("a", 1), ("b", 1)]);
    outbox.forget("a");
    assert_eq!(outbox.pending(), 1);
    assert_eq!(sends(&mut outbox, NOW), [(3, 0)]);
    let visitor = |id| outbox.row(id).map(|row| row.web_id.clone());
    assert_eq!((visitor(1), visitor(3)), (None, Some("b".into())));
}

#[test]
fn a_visitor_can_be_forgotten_while_a_request_is_under_way() {
    let mut outbox = outbox(&[("a", 2), ("b", 2)]);
    sends(&mut outbox, NOW);
    outbox.forget("a");
    for status in [Some(204), Some(503), None] {
        assert_eq!(
            answer(&mut outbox, 1, status, NOW),
            Settled::Delivered,
            "nothing is to be done"
        );
    }
    assert_eq!(sends(&mut outbox, NOW), [], "the other visitor's answer is still missing");
    answer(&mut outbox, 2, 204, NOW);
    assert_eq!(sends(&mut outbox, NOW), [(2, 1)]);
    let updates = outbox.take_updates();
    assert!(updates.iter().all(|row| row.web_id == "b"), "{updates:?}");
}

#[test]
fn a_visitor_can_be_forgotten_while_a_row_waits_for_another_attempt() {
    let mut outbox = outbox(&[("a", 2)]);
    sends(&mut outbox, NOW);
    answer(&mut outbox, 1, 503, NOW);
    outbox.forget("a");
    assert_eq!(outbox.take_updates(), []);
    assert_eq!((outbox.pending(), outbox.next_due(NOW)), (0, None));
    assert_eq!(outbox.poll_output(NOW + DAY), Output::Wait(None));
}

#[test]
fn a_forgotten_visitor_who_comes_back_is_served() {
    let mut outbox = outbox(&[("a", 2)]);
    sends(&mut outbox, NOW);
    outbox.forget("a");
    outbox.handle_row(row(2, "a", 1));
    assert_eq!(sends(&mut outbox, NOW), [(2, 0)]);
    answer(&mut outbox, 1, 204, NOW);
    answer(&mut outbox, 2, 204, NOW);
    assert_eq!(outbox.pending(), 0);
}

#[test]
fn forgetting_a_stranger_changes_nothing() {
    let mut outbox = outbox(&[("a", 1)]);
    outbox.forget("b");
    outbox.forget("");
    assert_eq!(sends(&mut outbox, NOW), [(1, 0)]);
}

#[test]
fn what_waits_is_counted_in_bodies() {
    let mut outbox = outbox(&[("a", 3), ("b", 2)]);
    assert_eq!(outbox.pending(), 5);
    sends(&mut outbox, NOW);
    assert_eq!(outbox.pending(), 5);
    answer(&mut outbox, 1, 204, NOW);
    answer(&mut outbox, 2, 400, NOW);
    assert_eq!(outbox.pending(), 3);
}

#[test]
fn the_next_alarm_is_now_or_later_and_then_something_is_sent() {
    let mut outbox = outbox(&[("a", 1), ("b", 1)]);
    assert_eq!(outbox.next_due(NOW), Some(NOW), "not in 1970, when the row was due");
    sends(&mut outbox, NOW);
    asked(&mut outbox, 1, 503, 5 * SECOND, NOW);
    asked(&mut outbox, 2, 429, 3 * SECOND, NOW);
    assert_eq!(outbox.next_due(NOW), Some(NOW + 3 * SECOND));
    assert_eq!(sends(&mut outbox, NOW + 3 * SECOND), [(2, 0)]);
}

#[test]
fn without_rows_there_is_no_alarm() {
    let mut outbox = outbox(&[("a", 1)]);
    sends(&mut outbox, NOW);
    answer(&mut outbox, 1, 204, NOW);
    assert_eq!(outbox.next_due(NOW), None);
}

#[test]
fn a_body_that_is_refused_is_stored_as_done_with_its_burial() {
    let mut outbox = outbox(&[("a", 3)]);
    sends(&mut outbox, NOW);
    let _ = outbox.take_updates();
    assert_eq!(answer(&mut outbox, 1, 400, NOW), Settled::Dead);
    let updates = outbox.take_updates();
    assert_eq!(updates, [Row { position: 1, unknown: true, ..row(1, "a", 3) }]);
}

/// Whether the next body of the only row is counted as possibly sent before; it is answered with
/// `status`.
fn is_counted(outbox: &mut Outbox, now: u64, status: impl Into<Option<u16>>) -> bool {
    let Output::Send { resent_unknown, .. } = outbox.poll_output(now) else {
        panic!("nothing leaves")
    };
    answer(outbox, 1, status, now);
    resent_unknown
}

#[test]
fn every_body_that_a_crash_leaves_in_doubt_is_counted_once() {
    let stored = Row { position: 1, unknown: true, ..row(1, "a", 4) };
    let mut outbox = Outbox::new(None);
    outbox.handle_row(stored);
    let counted = [500, 204, 204, 204].map(|status| {
        let due = outbox.next_due(NOW).unwrap();
        is_counted(&mut outbox, due, status)
    });
    assert_eq!(counted, [true, false, true, true], "the failure said that it did not arrive");
}

#[test]
fn a_doubt_outlasts_a_failure_and_another_crash() {
    let mut outbox = Outbox::new(None);
    outbox.handle_row(Row { unknown: true, ..row(1, "a", 2) });
    assert!(is_counted(&mut outbox, NOW, 500));
    outbox.handle_rest();
    assert!(outbox.take_updates().iter().all(|row| row.unknown));
}

#[test]
fn a_body_without_an_answer_is_counted_and_the_next_is_not() {
    let mut outbox = outbox(&[("a", 2)]);
    let counted = [None, Some(204), Some(204)].map(|status| {
        let due = outbox.next_due(NOW).unwrap();
        is_counted(&mut outbox, due, status)
    });
    assert_eq!(counted, [false, true, false]);
}

#[test]
fn what_is_in_doubt_after_a_restart_goes_before_everything_else() {
    let mut outbox = Outbox::new(None);
    let paused = Row { attempts: 2, next_at: NOW, ..row(3, "c", 2) };
    let in_doubt = Row { attempts: 2, next_at: NOW, unknown: true, ..row(4, "d", 2) };
    for row in [row(1, "a", 2), row(2, "b", 2), paused, in_doubt] {
        outbox.handle_row(row);
    }
    for position in 0..2 {
        assert_eq!(sends(&mut outbox, NOW)[0], (4, position), "each body of it may have been sent");
        answer(&mut outbox, 4, 204, NOW);
    }
}

#[test]
fn what_had_no_answer_goes_before_what_has_not_been_sent_once_its_pause_is_over() {
    let visitors: Vec<String> = (0..50).map(|number| format!("v{number}")).collect();
    let rows: Vec<(&str, usize)> = visitors.iter().map(|visitor| (visitor.as_str(), 2)).collect();
    let mut outbox = outbox(&rows);
    let sent = sends(&mut outbox, NOW);
    answer(&mut outbox, 1, None, NOW);
    let now = NOW + 2 * SECOND;
    for (row, _) in &sent[1..] {
        answer(&mut outbox, *row, 204, now);
    }
    assert_eq!(sends(&mut outbox, now)[0], (1, 0));
    answer(&mut outbox, 1, 204, now);
    // What comes behind it was not sent, and takes its place among the others.
    let next = sends(&mut outbox, now);
    assert_eq!(next, [(1, 1)], "it is the oldest");
}

#[test]
fn a_failure_does_not_end_the_doubt_of_an_attempt_before_it() {
    for silent in [true, false] {
        let mut outbox = Outbox::new(None);
        for row in [row(1, "a", 9), Row { unknown: !silent, ..row(2, "b", 1) }] {
            outbox.handle_row(row);
        }
        sends(&mut outbox, NOW);
        answer(&mut outbox, 2, if silent { None } else { Some(503) }, NOW);
        if silent {
            assert_eq!(sends(&mut outbox, NOW + SECOND), [(2, 0)]);
            answer(&mut outbox, 2, 503, NOW + SECOND);
        }
        let now = NOW + MINUTE;
        answer(&mut outbox, 1, 204, now);
        assert_eq!(sends(&mut outbox, now), [(2, 0), (1, 1)]);
        answer(&mut outbox, 2, 503, now);
        assert!(outbox.take_updates().iter().any(|row| row.id == 2 && row.unknown));
    }
}

#[test]
fn a_doubt_does_not_overtake_what_its_visitor_sent_before() {
    let mut outbox = Outbox::new(None);
    for row in [row(1, "a", 1), Row { unknown: true, ..row(2, "a", 1) }] {
        outbox.handle_row(row);
    }
    assert_eq!(sends(&mut outbox, NOW), [(1, 0)]);
    answer(&mut outbox, 1, 204, NOW);
    assert_eq!(sends(&mut outbox, NOW), [(2, 0)]);
}

#[test]
fn an_event_that_never_has_an_answer_does_not_keep_others_from_showing_that_the_platform_is_up() {
    let mut outbox = outbox(&[("a", 1)]);
    let mut now = NOW;
    for _ in 0..8 {
        sends(&mut outbox, now);
        answer(&mut outbox, 1, None, now);
        let Output::Wait(Some(until)) = outbox.poll_output(now) else { panic!("a pause") };
        now = until;
    }
    outbox.handle_row(row(2, "b", 1));
    assert_eq!(sends(&mut outbox, now), [(2, 0)]);
    answer(&mut outbox, 2, 204, now);
    assert_eq!(sends(&mut outbox, now), [(1, 0)]);
}

#[test]
fn how_far_a_row_is_is_stored_when_another_is_done_and_after_a_second() {
    let mut outbox = outbox(&[("a", 9), ("b", 2)]);
    sends(&mut outbox, NOW);
    let _ = outbox.take_updates();
    let mut step = |rows: &[u64], now| {
        for row in rows {
            answer(&mut outbox, *row, 204, now);
        }
        let moved = outbox.take_updates();
        sends(&mut outbox, now);
        let places = |row: Row| (row.id, row.position);
        moved.into_iter().chain(outbox.take_updates()).map(places).collect::<Vec<_>>()
    };
    assert_eq!(step(&[1, 2], NOW), []);
    assert_eq!(step(&[1, 2], NOW), [(1, 2), (2, 2)]);
    assert_eq!(step(&[1], NOW + 900), []);
    assert_eq!(step(&[1], NOW + 1899), []);
    assert_eq!(step(&[1], NOW + 1900), [(1, 5)]);
}
