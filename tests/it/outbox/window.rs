//! The platform knows the same bytes again for one minute. A Worker that is killed again and again, with a
//! backlog of several minutes, sends what is in doubt once more within it.

use std::collections::{BTreeMap, BTreeSet};

use esputnik_kit::outbox::{Outbox, Output, Row};

use super::rules::row;
use crate::rig::{MINUTE, NOW, SECOND};

/// Visitors, the rows of each, and the bodies of each row: at `LATENCY` and six at a time, more than three
/// minutes of work.
const VISITORS: u64 = 60;
const ROWS: u64 = 3;
const BODIES: usize = 33;
const LATENCY: u64 = 200;

/// How long the host waits for an answer, in milliseconds.
const SILENCE: u64 = 10 * SECOND;

/// For how long it is killed, every two seconds or so.
const STORM: u64 = 2 * MINUTE;

type Body = (u64, usize);

struct Run {
    now: u64,
    random: u64,
    outbox: Outbox,
    store: BTreeMap<u64, Row>,
    /// When which answer comes to which body; `None` is silence.
    under_way: BTreeSet<(u64, Body, Option<u16>)>,
    /// When the platform counted each body last.
    counted: BTreeMap<Body, u64>,
    /// Repeats that it knew, and that it counted anew.
    known: u32,
    again: u32,
    kills: u32,
}

impl Run {
    fn new(seed: u64) -> Self {
        let (outbox, store) = (Outbox::new(None), BTreeMap::new());
        let (under_way, counted) = (BTreeSet::new(), BTreeMap::new());
        let mut run = Self {
            now: NOW,
            random: seed,
            outbox,
            store,
            under_way,
            counted,
            known: 0,
            again: 0,
            kills: 0,
        };
        for id in 1..=VISITORS * ROWS {
            let row = row(id, &format!("v{}", id % VISITORS), BODIES);
            run.store.insert(id, row.clone());
            run.outbox.handle_row(row);
        }
        run
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.random >> 33) % limit
    }

    fn save(&mut self) {
        for row in self.outbox.take_updates() {
            if row.position < row.count {
                self.store.insert(row.id, row);
            } else {
                self.store.remove(&row.id);
            }
        }
    }

    /// One request in a hundred fails, one has no answer; half of those have arrived.
    fn send(&mut self, body: Body) {
        self.save();
        let chance = self.below(200);
        let answer = match chance {
            0 | 1 => Some(503),
            2 | 3 => None,
            _ => Some(204),
        };
        let mut status = answer;
        if answer == Some(204) || chance == 2 {
            let before = self.counted.get(&body).copied();
            if before.is_some_and(|before| self.now < before + MINUTE) {
                self.known += 1;
                status = answer.map(|_| 400);
            } else {
                self.again += u32::from(before.is_some());
                self.counted.insert(body, self.now);
            }
        }
        let wait = if answer.is_none() { SILENCE } else { LATENCY };
        self.under_way.insert((self.now + wait, body, status));
    }

    fn kill(&mut self) {
        self.kills += 1;
        self.under_way.clear();
        self.outbox = Outbox::new(None);
        for row in self.store.values() {
            self.outbox.handle_row(row.clone());
        }
        self.now += 500;
    }

    fn run(&mut self) {
        let mut kill = self.now + self.below(4 * SECOND);
        while !self.store.is_empty() {
            let due = loop {
                match self.outbox.poll_output(self.now) {
                    Output::Send { row, position, .. } => self.send((row, position)),
                    Output::Wait(until) => break until,
                    other => panic!("{other:?}"),
                }
            };
            self.save();
            let answer = self.under_way.first().copied();
            let next = answer.map(|(at, ..)| at).into_iter().chain(due).min();
            let Some(next) = next else { break };
            if kill < NOW + STORM && kill <= next {
                self.now = self.now.max(kill);
                self.kill();
                kill = self.now + self.below(4 * SECOND);
                continue;
            }
            self.now = self.now.max(next);
            if let Some((at, (row, _), status)) = answer
                && at <= self.now
            {
                self.under_way.pop_first();
                let known = status == Some(400);
                self.outbox.handle_answer(row, status, known, None, self.now, u32::MAX / 2);
                self.save();
            }
        }
    }
}

#[test]
fn what_a_kill_leaves_in_doubt_is_sent_again_while_the_platform_knows_it() {
    for seed in 1..=20 {
        let mut run = Run::new(seed);
        run.run();
        assert_eq!(run.counted.len() as u64, VISITORS * ROWS * BODIES as u64, "seed {seed}");
        assert!(run.now > NOW + 3 * MINUTE && run.kills > 30, "{} kills", run.kills);
        assert!(run.known > 100, "only {} repeats", run.known);
        assert_eq!(run.again, 0, "seed {seed}: counted again of {} repeats", run.known);
    }
}
