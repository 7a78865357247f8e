//! What the platform allows in a second is never exceeded, and most of it is used.

use esputnik_kit::outbox::{Outbox, Output, Row};
use proptest::prelude::*;

use crate::rig::{NOW, SECOND, cases};

/// How much longer one request may take on its way than another, in milliseconds.
const JITTER: u64 = 150;

/// When requests leave an outbox with more than enough to send, over a simulated `time`; between
/// sends the host sleeps until it is told to, and rests for `gaps` now and then.
fn departures(limit: Option<u32>, time: u64, gaps: &[u64]) -> Vec<u64> {
    let mut outbox = Outbox::new(limit);
    let mut rows = 0;
    let mut gaps = gaps.iter().cycle();
    let mut departures = Vec::new();
    let mut now = NOW;
    while now < NOW + time && departures.len() < 5000 {
        rows += 1;
        outbox.handle_row(Row {
            id: rows,
            web_id: rows.to_string(),
            count: 1,
            position: 0,
            attempts: 0,
            next_at: 0,
            unknown: false,
            received: now,
        });
        loop {
            match outbox.poll_output(now) {
                Output::Send { row, .. } => {
                    departures.push(now);
                    outbox.handle_answer(row, Some(204), false, None, now, 0);
                    let _ = outbox.take_updates();
                    break;
                }
                Output::Pause(until) => {
                    assert_eq!(
                        outbox.next_due(now),
                        Some(until),
                        "the alarm comes when it is time"
                    );
                    assert!(until > now, "a busy loop");
                    now = until;
                }
                other => panic!("nothing to send: {other:?}"),
            }
        }
        if rows % 50 == 0 {
            now += gaps.next().copied().unwrap_or(0);
        }
    }
    departures
}

/// The most requests that can arrive in one second when each may be late by [`JITTER`]: those that
/// leave within a second and the jitter.
fn most_in_a_second(departures: &[u64]) -> usize {
    let window = |from: usize| {
        let end = departures[from] + SECOND + JITTER;
        departures[from..].iter().take_while(|time| **time < end).count()
    };
    (0..departures.len()).map(window).max().unwrap_or(0)
}

#[test]
fn no_second_has_more_requests_than_the_limit_for_any_limit() {
    for limit in (1..=60).chain([75, 99, 100, 101, 150, 200, 333, 500, 1000]) {
        let most = most_in_a_second(&departures(Some(limit), 20 * SECOND, &[]));
        assert!(most <= limit as usize, "{most} requests at a limit of {limit}");
    }
}

#[test]
fn at_least_three_quarters_of_the_limit_are_used() {
    for limit in [1, 2, 3, 5, 10, 20, 50, 100, 200] {
        let sent = departures(Some(limit), 20 * SECOND, &[]).len();
        assert!(sent >= 15 * limit as usize, "{sent} requests in 20 s at a limit of {limit}");
    }
}

#[test]
fn an_unlimited_outbox_does_not_wait() {
    let departures = departures(None, SECOND, &[]);
    assert_eq!(departures.len(), 5000);
    assert_eq!(departures.last(), Some(&NOW));
}

#[test]
fn a_burst_is_a_twentieth_of_the_limit() {
    let together = |limit| {
        let departures = departures(Some(limit), SECOND, &[]);
        departures.iter().take_while(|time| **time == NOW).count()
    };
    assert_eq!((together(100), together(19), together(1)), (6, 1, 1), "and the one that is due");
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn rests_do_not_save_up_a_burst_beyond_the_limit(
        limit in 1_u32..400,
        gaps in prop::collection::vec(0_u64..3000, 1..8),
    ) {
        let most = most_in_a_second(&departures(Some(limit), 10 * SECOND, &gaps));
        prop_assert!(most <= limit as usize, "{} requests", most);
    }
}
