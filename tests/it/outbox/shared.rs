//! Several outboxes and the governor whose slots they take: together they stay under the limit, one
//! alone can have all of it, and the platform's failures are everybody's.

use std::ops::Range;

use esputnik_kit::{
    api::Pool,
    governor::{Class, Governor, Grant, LATE, Outcome},
    outbox::{Outbox, Output, Row},
};
use proptest::prelude::*;

use super::rules::row;
use crate::rig::{NOW, SECOND, cases};

/// How long the governor's word may be on its way, and a request, in milliseconds.
const WORD: u64 = 20;
const WAY: u64 = 150 - LATE - WORD;

/// How long who asks a governor that does not answer waits for it, in milliseconds.
const SILENT: u64 = 400;

/// What is under way, and when it arrives.
enum Parcel {
    Question { want: u32, back: bool },
    Word(Option<(Grant, bool)>),
    News(Vec<Outcome>),
    Request(u64),
    Answer(u64, Option<u16>, Option<u64>),
}

/// One object with its outbox.
struct Shard {
    outbox: Outbox,
    rows: u64,
    /// Requests that one pass may make, the governor's too, and those that this one may still make.
    subrequests: u32,
    left: u32,
    awake_at: u64,
    asks: usize,
}

/// A deployment and the platform.
struct World {
    now: u64,
    governor: Governor,
    shards: Vec<Shard>,
    parcels: Vec<(u64, usize, Parcel)>,
    /// When requests arrived at the platform, and whose they are.
    arrivals: Vec<(u64, usize)>,
    /// How long an answer takes.
    latency: u64,
    /// When the governor cannot be reached, by whom.
    cut_off: Range<u64>,
    /// The platform's answer in place of success.
    fault: Option<(u16, Option<u64>)>,
    random: u64,
}

impl World {
    fn new(limit: Option<u32>, senders: u32) -> Self {
        let shard = |_| Shard {
            outbox: Outbox::shared(limit, senders),
            rows: 0,
            subrequests: 10_000,
            left: 10_000,
            awake_at: NOW,
            asks: 0,
        };
        Self {
            now: NOW,
            governor: Governor::new(limit, &[], &[]),
            shards: (0..senders).map(shard).collect(),
            parcels: Vec::new(),
            arrivals: Vec::new(),
            latency: 100,
            cut_off: 0..0,
            fault: None,
            random: 1,
        }
    }

    fn random(&mut self, most: u64) -> u64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.random >> 33) % (most + 1)
    }

    /// Gives a shard events of so many visitors, `each` of every one.
    fn store(&mut self, shard: usize, visitors: u64, each: usize) {
        for _ in 0..visitors {
            let to = &mut self.shards[shard];
            to.rows += 1;
            to.outbox.handle_row(Row {
                id: to.rows,
                web_id: to.rows.to_string(),
                count: each,
                position: 0,
                attempts: 0,
                next_at: 0,
                unknown: false,
                received: self.now,
            });
            to.awake_at = self.now;
        }
    }

    fn put(&mut self, most: u64, shard: usize, parcel: Parcel) {
        let way = self.random(most);
        self.parcels.push((self.now + way, shard, parcel));
    }

    /// Lets time pass.
    fn run(&mut self, time: u64) {
        for _ in 0..time {
            let now = self.now;
            let (due, rest) =
                std::mem::take(&mut self.parcels).into_iter().partition(|p| p.0 <= now);
            self.parcels = rest;
            let due: Vec<_> = due;
            for (_, shard, parcel) in due {
                self.deliver(shard, parcel);
            }
            for shard in 0..self.shards.len() {
                self.poll(shard);
            }
            self.now += 1;
        }
    }

    fn deliver(&mut self, shard: usize, parcel: Parcel) {
        let now = self.now;
        match parcel {
            Parcel::Question { want, back } => {
                if self.cut_off.contains(&now) {
                    self.parcels.push((now + SILENT, shard, Parcel::Word(None)));
                    return;
                }
                if back {
                    self.governor.handle_return(Pool::Tracker, now);
                }
                let grant = self.governor.handle_request(Pool::Tracker, Class::Bulk, want, now);
                let word = (grant, self.governor.wants_successes(Pool::Tracker));
                self.put(WORD, shard, Parcel::Word(Some(word)));
            }
            Parcel::Word(word) => {
                let outbox = &mut self.shards[shard].outbox;
                let wants = word.as_ref().is_some_and(|(_, wants)| *wants);
                outbox.handle_grant(word.as_ref().map(|(grant, _)| grant), wants, now);
                self.shards[shard].awake_at = now;
            }
            Parcel::News(outcomes) => {
                if !self.cut_off.contains(&now) {
                    for outcome in outcomes {
                        self.governor.handle_outcome(Pool::Tracker, outcome, now);
                    }
                }
            }
            Parcel::Request(row) => {
                self.arrivals.push((now, shard));
                let (status, wait) = self.fault.unwrap_or((204, None));
                let answer = Parcel::Answer(row, Some(status), wait);
                self.parcels.push((now + self.latency, shard, answer));
            }
            Parcel::Answer(row, status, wait) => {
                let random = u32::try_from(self.random(u32::MAX.into())).unwrap();
                let shard = &mut self.shards[shard];
                shard.outbox.handle_answer(row, status, false, wait, now, random);
                shard.awake_at = now;
            }
        }
    }

    /// A pass of the host, as far as it comes now.
    fn poll(&mut self, index: usize) {
        let now = self.now;
        let outcomes = self.shards[index].outbox.take_outcomes();
        if !outcomes.is_empty() {
            self.put(WORD, index, Parcel::News(outcomes));
        }
        while self.shards[index].awake_at <= now {
            let shard = &mut self.shards[index];
            if shard.left == 0 {
                // The next pass begins when everything of this one is there.
                if !self.parcels.iter().any(|(_, of, _)| *of == index) {
                    self.shards[index].left = self.shards[index].subrequests;
                    continue;
                }
                return;
            }
            match shard.outbox.poll_output(now) {
                Output::Send { row, .. } => {
                    shard.left -= 1;
                    self.put(WAY, index, Parcel::Request(row));
                }
                Output::Lease { want, back } => {
                    (shard.left, shard.asks) = (shard.left - 1, shard.asks + 1);
                    self.put(WORD, index, Parcel::Question { want, back });
                }
                Output::Pause(until) | Output::Wait(Some(until)) => {
                    assert!(until > now, "a busy loop");
                    assert_eq!(shard.outbox.next_due(now), Some(until), "when the alarm comes");
                    shard.awake_at = until;
                }
                _ => shard.awake_at = u64::MAX,
            }
            let _ = self.shards[index].outbox.take_updates();
        }
    }

    fn pending(&self) -> usize {
        self.shards.iter().map(|shard| shard.outbox.pending()).sum()
    }

    /// The most arrivals within a second, wherever it begins.
    fn fullest(&self) -> usize {
        let mut times: Vec<u64> = self.arrivals.iter().map(|(time, _)| *time).collect();
        times.sort_unstable();
        let count = |from: usize| {
            times[from..].iter().take_while(|time| **time < times[from] + SECOND).count()
        };
        (0..times.len()).map(count).max().unwrap_or(0)
    }

    fn arrived(&self, shard: usize, during: Range<u64>) -> usize {
        let counts = |(time, of): &&(u64, usize)| *of == shard && during.contains(time);
        self.arrivals.iter().filter(counts).count()
    }
}

#[test]
fn one_that_is_busy_has_all_that_the_others_leave() {
    let mut world = World::new(Some(60), 6);
    world.store(0, 1000, 1);
    world.run(10 * SECOND);
    let sent = world.arrived(0, NOW..u64::MAX);
    assert!(sent >= 440, "{sent} in ten seconds, where its share would be 80");
    assert!(world.fullest() <= 60, "{}", world.fullest());
}

#[test]
fn those_that_are_busy_all_get_something_and_together_most_of_it() {
    for (limit, senders) in [(100, 4), (60, 6), (20, 8), (400, 8)] {
        let mut world = World::new(Some(limit), senders);
        for shard in 0..senders as usize {
            world.store(shard, 2000, 1);
        }
        world.run(10 * SECOND);
        let sent: Vec<_> =
            (0..senders as usize).map(|shard| world.arrived(shard, NOW..u64::MAX)).collect();
        let fair = 8 * limit as usize / senders as usize;
        assert!(sent.iter().all(|sent| *sent >= fair / 5), "{limit}: {sent:?}");
        assert!(sent.iter().sum::<usize>() >= 6 * limit as usize, "{limit}: {sent:?}");
        assert!(world.fullest() <= limit as usize, "{limit}: {}", world.fullest());
    }
}

#[test]
fn the_governor_is_asked_seldom() {
    for limit in [None, Some(200)] {
        let mut world = World::new(limit, 4);
        world.latency = 100 - WAY / 2;
        for shard in &mut world.shards {
            (shard.subrequests, shard.left) = (45, 45);
        }
        world.store(0, 3000, 1);
        world.run(20 * SECOND);
        let sent = world.arrived(0, NOW..u64::MAX);
        assert!(sent >= 800, "{limit:?}: {sent} in twenty seconds");
        assert!(world.shards[0].asks * 8 <= sent, "{limit:?}: {} for {sent}", world.shards[0].asks);
    }
}

#[test]
fn who_has_one_event_asks_for_one_slot() {
    let mut outbox = Outbox::shared(Some(100), 4);
    outbox.handle_row(row(1, "1", 1));
    assert_eq!(outbox.poll_output(NOW), Output::Lease { want: 1, back: false });
    assert_eq!(outbox.poll_output(NOW), Output::Wait(None), "once at a time");
    outbox.handle_row(row(2, "2", 9));
    outbox.handle_grant(Some(&Grant::Slots(vec![5, 20])), false, NOW + 10);
    assert_eq!(outbox.poll_output(NOW + 10), Output::Pause(NOW + 15));
    assert!(matches!(outbox.poll_output(NOW + 15), Output::Send { row: 1, .. }));
    // One that was not used in time is nobody's.
    let Output::Lease { want, .. } = outbox.poll_output(NOW + 31 + LATE) else { panic!("asks") };
    assert_eq!(want, 2, "as in the last lease, and one more visitor");
    outbox.handle_grant(Some(&Grant::Wait(300)), false, NOW + 200);
    assert_eq!(outbox.poll_output(NOW + 200), Output::Pause(NOW + 500));
    assert_eq!(outbox.next_due(NOW + 200), Some(NOW + 500));
}

#[test]
fn what_the_platform_asks_of_one_all_keep_to() {
    for limit in [Some(100), None] {
        let mut world = World::new(limit, 4);
        for shard in 0..4 {
            world.store(shard, 1000, 1);
        }
        world.run(SECOND);
        world.fault = Some((429, Some(5000)));
        while !world.parcels.iter().any(|(_, _, parcel)| matches!(parcel, Parcel::News(_))) {
            world.run(1);
        }
        world.fault = None;
        let asked = world.now;
        world.run(8 * SECOND);
        for shard in 0..4 {
            // What was given out before is used up by then, and has arrived.
            let quiet = world.arrived(shard, asked + 500..asked + 4900);
            assert_eq!(quiet, 0, "{limit:?}: of shard {shard}");
            assert!(world.arrived(shard, asked + 5000..u64::MAX) > 0, "{limit:?}: goes on");
        }
    }
}

#[test]
fn a_platform_that_is_down_is_down_for_all_and_back_for_all() {
    for limit in [Some(100), None] {
        let mut world = World::new(limit, 4);
        world.fault = Some((503, None));
        for shard in 0..4 {
            world.store(shard, 100, 1);
        }
        world.run(10 * SECOND);
        let begun = world.now;
        world.run(60 * SECOND);
        let asked = world.arrivals.iter().filter(|(time, _)| *time >= begun).count();
        assert!((3..=12).contains(&asked), "{limit:?}: {asked} in a minute, of all together");
        world.fault = None;
        world.run(20 * SECOND);
        assert_eq!(world.pending(), 0, "{limit:?}: some wait though it is back");
    }
}

#[test]
fn without_the_governor_each_keeps_to_its_share_and_nothing_is_lost() {
    let mut world = World::new(Some(40), 4);
    for shard in 0..4 {
        world.store(shard, 300, 1);
    }
    world.run(2 * SECOND);
    world.cut_off = world.now..world.now + 20 * SECOND;
    let alone = world.now + 3 * SECOND..world.now + 20 * SECOND;
    world.run(20 * SECOND);
    for shard in 0..4 {
        let sent = world.arrived(shard, alone.clone());
        assert!((80..=170).contains(&sent), "{sent} of shard {shard} in 17 seconds");
    }
    world.run(30 * SECOND);
    assert_eq!(world.pending(), 0);
    assert_eq!(world.arrivals.len(), 1200, "each once");
    assert!(world.fullest() <= 40, "{}", world.fullest());
}

#[test]
fn without_a_limit_and_without_the_governor_events_leave_all_the_same() {
    let mut world = World::new(None, 4);
    world.cut_off = 0..u64::MAX;
    world.store(0, 100, 1);
    world.run(10 * SECOND);
    assert_eq!(world.pending(), 0);
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn no_second_is_over_the_limit_whoever_is_busy(
        limit in 10_u32..200,
        senders in 2_u32..9,
        loads in prop::collection::vec((0_u64..1000, 0_usize..9, 1_u64..200, 1_usize..20), 1..20),
        latency in 1_u64..600,
    ) {
        let mut world = World::new(Some(limit), senders);
        world.latency = latency;
        let mut expected = 0;
        for (pause, shard, visitors, each) in loads {
            let visitors = visitors.min(1 + 200 / each as u64);
            world.store(shard % senders as usize, visitors, each);
            expected += usize::try_from(visitors).unwrap() * each;
            world.run(pause);
        }
        for _ in 0..600 {
            if world.pending() == 0 {
                break;
            }
            world.run(SECOND);
        }
        prop_assert_eq!(world.pending(), 0);
        prop_assert_eq!(world.arrivals.len(), expected, "each once");
        prop_assert!(world.fullest() <= limit as usize, "{} of {}", world.fullest(), limit);
    }

    #[test]
    fn nor_while_the_governor_goes_and_comes_back(
        limit in 10_u32..200,
        senders in 2_u32..9,
        latency in 1_u64..600,
        outages in prop::collection::vec((0_u64..3000, 0_u64..5000), 1..4),
    ) {
        // Below that a share is less than what comes at once.
        prop_assume!(limit >= senders);
        let mut world = World::new(Some(limit), senders);
        world.latency = latency;
        for shard in 0..senders as usize {
            world.store(shard, 5000, 1);
        }
        for (pause, length) in outages {
            world.run(pause);
            world.cut_off = world.now..world.now + length;
            world.run(length);
        }
        world.run(5 * SECOND);
        prop_assert!(world.fullest() <= limit as usize, "{} of {}", world.fullest(), limit);
    }
}
