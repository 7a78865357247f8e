//! The governor under load, with late calls, and where the platform fails.

use esputnik_kit::{
    api::Pool,
    governor::{Break, Class, Governor, Grant, LEASE, Outcome},
};
use proptest::prelude::*;

/// What the tracker takes in a second.
const TRACKER: u32 = 120;

fn governor() -> Governor {
    Governor::new(Some(TRACKER), &[], &[])
}

/// The limits of a pool, those of the settings too.
fn limits(pool: Pool) -> &'static [(u32, u64)] {
    if pool == Pool::Tracker { &[(TRACKER, 1000)] } else { pool.limits() }
}

/// Moments at which callers who want as much as they can get make their calls.
fn calls(pool: Pool, class: Class, want: u32, until: u64) -> Vec<u64> {
    let mut governor = governor();
    let (mut now, mut made) = (1_000_000, Vec::new());
    let end = now + until;
    while now < end {
        match governor.handle_request(pool, class, want, now) {
            Grant::Slots(slots) => {
                now += slots.last().copied().unwrap_or(0).max(1);
                made.extend(slots.iter().map(|slot| now - slots.last().unwrap().max(&1) + slot));
            }
            Grant::Wait(pause) => now += pause.max(1),
            other => panic!("{other:?}"),
        }
    }
    made
}

/// The most calls in any window of `length` milliseconds.
fn fullest(calls: &mut [u64], length: u64) -> usize {
    calls.sort_unstable();
    let in_window = |(index, start): (usize, &u64)| {
        calls[index..].partition_point(|call| *call < start + length)
    };
    calls.iter().enumerate().map(in_window).max().unwrap_or(0)
}

#[test]
fn every_pool_stays_under_its_limit_and_uses_most_of_it() {
    for pool in Pool::ALL {
        let (limit, window) = limits(pool)[0];
        for want in [1, 7, 100] {
            let mut made = calls(pool, Class::Interactive, want, 3 * window);
            let most = fullest(&mut made, window);
            assert!(most <= limit as usize * 86 / 100 + 1, "{pool:?}: {most} of {limit}");
            assert!(made.len() >= limit as usize * 2, "{pool:?}: {} in three windows", made.len());
        }
    }
}

/// The pools that have a limit by the second, and that limit.
fn pools_of_a_second() -> Vec<(Pool, usize)> {
    let limit = |pool: Pool| {
        let (limit, _) = limits(pool).iter().find(|(_, window)| *window == 1000)?;
        Some((pool, *limit as usize))
    };
    Pool::ALL.into_iter().filter_map(limit).collect()
}

#[test]
fn calls_may_be_150_milliseconds_late_in_every_pool() {
    for (pool, limit) in pools_of_a_second() {
        for class in [Class::Interactive, Class::Bulk] {
            for want in [1, 7, 100] {
                let mut made = calls(pool, class, want, 10_000);
                // What can fall into one second, where the first are late and the last are not.
                let most = fullest(&mut made, 1150);
                assert!(most <= limit, "{pool:?} {class:?}: {most} of {limit}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn calls_that_are_up_to_150_milliseconds_late_stay_under_the_limit(
        (pool, limit) in proptest::sample::select(pools_of_a_second()),
        jitter in proptest::collection::vec(prop_oneof![0_u64..=150, Just(0), Just(150)], 1000),
        bulk in 0_usize..6,
        callers in 1_usize..6,
        want in 1_u32..40,
    ) {
        let mut governor = governor();
        let mut made = Vec::new();
        let mut free_at = vec![1_000_000_u64; callers];
        for late in &jitter {
            let caller = (0..callers).min_by_key(|caller| free_at[*caller]).unwrap();
            let now = free_at[caller];
            let class = if caller < bulk { Class::Bulk } else { Class::Interactive };
            match governor.handle_request(pool, class, want, now) {
                Grant::Slots(slots) => {
                    made.extend(slots.iter().map(|slot| now + slot + late));
                    free_at[caller] = now + slots.last().unwrap() + 1;
                }
                Grant::Wait(wait) => free_at[caller] = now + wait.max(1),
                _ => unreachable!("nothing failed"),
            }
        }
        prop_assert!(fullest(&mut made, 1000) <= limit);
    }
}

#[test]
fn a_limit_of_an_hour_outlives_the_governor() {
    let mut governor = Governor::default();
    let mut given = 0;
    while let Grant::Slots(slots) =
        governor.handle_request(Pool::StoredMessages, Class::Interactive, 100, 1000)
    {
        given += slots.len();
    }
    assert_eq!(given, 26, "a burst of 5 % and the one that is due");
    let mut next = Governor::new(None, &governor.hourly(), &[]);
    let grant = next.handle_request(Pool::StoredMessages, Class::Interactive, 1, 2000);
    assert!(matches!(grant, Grant::Wait(wait) if wait > 5000), "{grant:?}");
}

#[test]
fn two_limits_of_one_pool_both_hold() {
    let mut governor = Governor::default();
    let Grant::Slots(slots) =
        governor.handle_request(Pool::StoredEmail, Class::Interactive, 100, 0)
    else {
        panic!("some may call");
    };
    // Ten a second, 80 % of it: 125 ms apart, without the burst that the limit of an hour leaves.
    assert_eq!(slots, [0, 125, 250]);
}

#[test]
fn bulk_gets_what_interactive_calls_leave() {
    let ask = |governor: &mut Governor, class, now| {
        let grant = governor.handle_request(Pool::Shared, class, 1, now);
        if let Grant::Slots(slots) = grant { slots.len() } else { 0 }
    };
    let second = || 1_000_000..1_001_000;
    let mut governor = Governor::default();
    let alone: usize = second().map(|now| ask(&mut governor, Class::Bulk, now)).sum();
    assert!((160..=210).contains(&alone), "{alone}");

    let mut governor = Governor::default();
    let (mut interactive, mut bulk) = (0, 0);
    for now in second() {
        if now % 10 == 0 {
            interactive += ask(&mut governor, Class::Interactive, now);
        }
        bulk += ask(&mut governor, Class::Bulk, now);
    }
    assert_eq!(interactive, 100, "every person is served");
    assert!((50..=125).contains(&bulk), "{bulk}");
}

#[test]
fn a_person_who_comes_does_not_stop_bulk_that_had_all_before() {
    for pool in [Pool::Shared, Pool::StoredEmail] {
        let mut governor = Governor::default();
        let mut ask = |class, now| governor.handle_request(pool, class, 1, now);
        for now in 1_000_000..1_060_000 {
            ask(Class::Bulk, now);
        }
        ask(Class::Interactive, 1_060_000);
        let given = (1_060_000..1_061_000).filter(|now| match ask(Class::Bulk, *now) {
            Grant::Slots(_) => true,
            // The limit of an hour lets nobody call sooner.
            Grant::Wait(wait) => {
                assert!(pool == Pool::StoredEmail || wait <= 1000, "{wait}");
                false
            }
            other => panic!("{other:?}"),
        });
        let given = given.count();
        assert!(pool == Pool::StoredEmail || (60..=100).contains(&given), "{given}");
    }
}

#[test]
fn a_long_block_outlives_the_governor() {
    let mut governor = Governor::default();
    governor.handle_outcome(Pool::Shared, Outcome::Limited(Some(60_000)), 1000);
    governor.handle_outcome(Pool::EventsV2, Outcome::Limited(Some(2000)), 1000);
    assert_eq!(governor.blocked(1000), [(Pool::Shared, 61_000)], "a short one is over by then");
    let mut next = Governor::new(None, &[], &governor.blocked(1000));
    let mut ask = |now| next.handle_request(Pool::Shared, Class::Interactive, 1, now);
    assert_eq!(ask(31_000), Grant::Wait(30_000));
    assert_eq!(ask(61_000), Grant::Slots(vec![0]));
    assert_eq!(governor.blocked(61_000), [], "what is over need not be known");
}

#[test]
fn a_call_to_see_is_only_spent_when_it_may_be_made() {
    let mut governor = Governor::new(None, &[], &[(Pool::EventsV2, 60_000)]);
    for _ in 0..5 {
        governor.handle_outcome(Pool::Shared, Outcome::Failed, 1000);
    }
    let mut ask = |pool| governor.handle_request(pool, Class::Interactive, 1, 2000);
    assert_eq!(ask(Pool::EventsV2), Grant::Wait(58_000), "no call was given");
    assert_eq!(ask(Pool::Shared), Grant::Slots(vec![0]), "so that this one sees");
    assert!(matches!(ask(Pool::Shared), Grant::Broken(_, Break::Failures)));
}

#[test]
fn what_the_platform_asks_for_holds_for_everybody() {
    let mut governor = Governor::default();
    governor.handle_outcome(Pool::Shared, Outcome::Limited(Some(5000)), 1000);
    let ask = |governor: &mut Governor, pool, now| {
        governor.handle_request(pool, Class::Interactive, 1, now)
    };
    assert_eq!(ask(&mut governor, Pool::Shared, 2000), Grant::Wait(4000));
    assert_eq!(ask(&mut governor, Pool::EventsV2, 2000), Grant::Slots(vec![0]));
    assert_eq!(ask(&mut governor, Pool::Shared, 6000), Grant::Slots(vec![0]));
    governor.handle_outcome(Pool::Shared, Outcome::Limited(None), 6000);
    assert_eq!(ask(&mut governor, Pool::Shared, 6100), Grant::Wait(900));
}

#[test]
fn after_five_failures_nobody_calls_then_one_does() {
    let mut governor = Governor::default();
    let ask = |governor: &mut Governor, now| {
        governor.handle_request(Pool::Shared, Class::Interactive, 10, now)
    };
    for _ in 0..4 {
        governor.handle_outcome(Pool::Shared, Outcome::Failed, 1000);
    }
    assert!(governor.wants_successes(Pool::Shared));
    assert!(matches!(ask(&mut governor, 1000), Grant::Slots(_)));
    governor.handle_outcome(Pool::Shared, Outcome::Failed, 1000);
    assert_eq!(ask(&mut governor, 1200), Grant::Broken(800, Break::Failures));
    // Those that were under way change nothing.
    governor.handle_outcome(Pool::Shared, Outcome::Failed, 1300);
    assert_eq!(ask(&mut governor, 1500), Grant::Broken(500, Break::Failures));
    let Grant::Slots(probe) = ask(&mut governor, 2000) else { panic!("one may see") };
    assert_eq!(probe.len(), 1);
    assert!(matches!(ask(&mut governor, 2001), Grant::Broken(_, Break::Failures)));
    governor.handle_outcome(Pool::Shared, Outcome::Failed, 2100);
    assert_eq!(ask(&mut governor, 2100), Grant::Broken(2000, Break::Failures));
    assert!(matches!(ask(&mut governor, 4100), Grant::Slots(_)));
    governor.handle_outcome(Pool::Shared, Outcome::Answered, 4200);
    assert!(!governor.wants_successes(Pool::Shared));
    let Grant::Slots(slots) = ask(&mut governor, 4200) else { panic!("everybody may call") };
    assert!(slots.len() > 1);
}

#[test]
fn a_refused_key_stops_everything_for_a_while() {
    let mut governor = Governor::default();
    governor.handle_outcome(Pool::Shared, Outcome::KeyRefused, 1000);
    let grant = governor.handle_request(Pool::EventsV2, Class::Bulk, 1, 2000);
    assert_eq!(grant, Grant::Broken(9000, Break::Key));
    let grant = governor.handle_request(Pool::EventsV2, Class::Bulk, 1, 11_000);
    assert_eq!(grant, Grant::Slots(vec![0]));
}

#[test]
fn what_callers_and_the_governor_say_to_each_other_is_read_as_it_was_meant() {
    let outcomes = [
        Outcome::Answered,
        Outcome::Failed,
        Outcome::Limited(None),
        Outcome::Limited(Some(5000)),
        Outcome::KeyRefused,
    ];
    for outcome in outcomes {
        let read = Outcome::named(outcome.as_str(), outcome.retry_after());
        assert_eq!(read, Some(outcome));
    }
    for why in [Break::Failures, Break::Key] {
        assert_eq!(Break::named(why.as_str()), Some(why));
    }
    for pool in Pool::ALL {
        assert_eq!(Pool::named(pool.as_str()), Some(pool));
    }
    assert_eq!((Outcome::named("", None), Break::named(""), Pool::named("")), (None, None, None));
}

#[test]
fn slots_lie_within_the_lease() {
    let mut governor = Governor::default();
    let Grant::Slots(slots) = governor.handle_request(Pool::EventsV2, Class::Bulk, 100, 0) else {
        panic!("bulk may call");
    };
    assert!(slots.len() > 50 && slots.last().is_some_and(|slot| *slot <= LEASE), "{slots:?}");
}

#[test]
fn the_tracker_has_no_limit_unless_the_settings_give_one() {
    let mut free = Governor::default();
    let grant = free.handle_request(Pool::Tracker, Class::Bulk, 40, 1000);
    assert_eq!(grant, Grant::Slots(vec![0; 40]));
    let Grant::Slots(slots) = governor().handle_request(Pool::Tracker, Class::Bulk, 40, 1000)
    else {
        panic!("some may call");
    };
    assert!((20..40).contains(&slots.len()), "{slots:?}");
}

#[test]
fn the_tracker_and_the_rest_api_fail_each_by_itself() {
    let mut governor = governor();
    for _ in 0..5 {
        governor.handle_outcome(Pool::Tracker, Outcome::Failed, 1000);
    }
    let mut ask = |pool| governor.handle_request(pool, Class::Bulk, 1, 1000);
    assert_eq!(ask(Pool::Tracker), Grant::Broken(1000, Break::Failures));
    assert_eq!(ask(Pool::Shared), Grant::Slots(vec![0]));
    assert!(governor.wants_successes(Pool::Tracker) && !governor.wants_successes(Pool::Shared));
    governor.handle_outcome(Pool::Shared, Outcome::KeyRefused, 1000);
    let grant = governor.handle_request(Pool::Tracker, Class::Bulk, 1, 2000);
    assert_eq!(grant, Grant::Slots(vec![0]), "the tracker needs no key");
}

#[test]
fn apis_that_are_not_the_rest_api_fail_each_by_itself() {
    for pool in [Pool::ContactApi, Pool::MobileApi] {
        let mut governor = governor();
        for _ in 0..5 {
            governor.handle_outcome(pool, Outcome::Failed, 1000);
        }
        for other in Pool::ALL {
            let grant = governor.handle_request(other, Class::Interactive, 1, 1000);
            assert_eq!(matches!(grant, Grant::Broken(..)), other == pool, "{pool:?}, {other:?}");
        }
        // A token of a contact that is not taken says nothing of the account's key.
        let mut governor = Governor::default();
        governor.handle_outcome(pool, Outcome::KeyRefused, 1000);
        let grant = governor.handle_request(Pool::Shared, Class::Interactive, 1, 1000);
        assert_eq!(grant, Grant::Slots(vec![0]));
        governor.handle_outcome(Pool::Shared, Outcome::KeyRefused, 1000);
        let grant = governor.handle_request(pool, Class::Interactive, 1, 1000);
        assert_eq!(grant, Grant::Slots(vec![0]), "they do not need it");
    }
}

#[test]
fn a_tracker_that_was_away_for_long_is_asked_seldom_and_one_that_was_not_soon() {
    let mut governor = governor();
    let (mut now, mut breaks) = (1_000_000, Vec::new());
    for _ in 0..5 {
        governor.handle_outcome(Pool::Tracker, Outcome::Failed, now);
    }
    while now < 1_000_000 + 4 * 3_600_000 {
        match governor.handle_request(Pool::Tracker, Class::Bulk, 9, now) {
            Grant::Broken(wait, Break::Failures) => {
                breaks.push((now - 1_000_000, wait));
                now += wait;
            }
            Grant::Slots(slots) => {
                assert_eq!(slots, [0], "one, to see");
                governor.handle_outcome(Pool::Tracker, Outcome::Failed, now);
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(breaks.iter().all(|(lasted, wait)| *wait <= (lasted / 8).max(15_000)), "{breaks:?}");
    assert_eq!(breaks.last().map(|(_, wait)| *wait), Some(300_000));
}

#[test]
fn who_comes_back_is_waited_for_once() {
    let mut governor = governor();
    let ask =
        |governor: &mut Governor, now| governor.handle_request(Pool::Tracker, Class::Bulk, 1, now);
    governor.handle_return(Pool::Tracker, 10_000);
    assert_eq!(ask(&mut governor, 10_000), Grant::Wait(2000));
    governor.handle_return(Pool::Tracker, 11_900);
    assert_eq!(ask(&mut governor, 11_900), Grant::Wait(100));
    assert_eq!(ask(&mut governor, 12_000), Grant::Slots(vec![0]));
    governor.handle_return(Pool::Tracker, 15_000);
    assert_eq!(ask(&mut governor, 15_000), Grant::Wait(2000));
    let mut free = Governor::default();
    free.handle_return(Pool::Tracker, 10_000);
    assert_eq!(ask(&mut free, 10_000), Grant::Slots(vec![0]), "there is nothing to exceed");
}

#[test]
fn who_is_not_called_is_told_with_the_reason_until_it_is_over() {
    let mut governor = governor();
    assert_eq!(governor.held(1000), []);
    governor.handle_outcome(Pool::EventsV1, Outcome::KeyRefused, 1000);
    while governor.held(1000).len() < 2 {
        governor.handle_outcome(Pool::ContactApi, Outcome::Failed, 1000);
    }
    let held = governor.held(1000);
    let told: Vec<_> = held.iter().map(|(pool, why, _)| (*pool, *why)).collect();
    assert_eq!(told, [(Pool::Shared, Break::Key), (Pool::ContactApi, Break::Failures)]);
    for (pool, why, until) in held {
        let answer = governor.handle_request(pool, Class::Interactive, 1, 1000);
        assert_eq!(answer, Grant::Broken(until - 1000, why));
        assert!(governor.held(until).iter().all(|(other, ..)| *other != pool));
    }
    // One that answers is called again at once.
    governor.handle_outcome(Pool::ContactApi, Outcome::Answered, 1100);
    assert!(governor.held(1100).iter().all(|(pool, ..)| *pool != Pool::ContactApi));
}
