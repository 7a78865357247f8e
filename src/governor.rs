//! Keeps the calls of all isolates together under the platform's limits.
//!
//! One object of a deployment holds a [`Governor`] and gives out slots: moments at which a caller may
//! call. Callers take some at a time, so that not each call asks first.
//!
//! # Guarantees
//!
//! - Of each pool, slots come at 80 % of its limit at most, with a burst of 5 % on top, where that is
//!   a whole call. Where calls are up to 150 ms late, no second at the platform then holds more than
//!   the limit: one call, those of 1.15 seconds at 80 %, and the burst.
//! - Bulk gets what interactive calls leave: half of the burst, and half of the rate while they come.
//! - What the platform asks for with 429 and `Retry-After` holds for everybody, also for the next
//!   governor where it is long.
//! - After five failures in a row nobody calls for a while, then one does, to see. The tracker and each
//!   API of its own fail by themselves: nobody who calls the REST API waits for them, nor the other way
//!   round.

use std::collections::BTreeMap;

use crate::{api::Pool, retry::longest_break};

/// The part of a limit that is used, in percent.
const USED: u64 = 80;

/// What may come at once on top, in percent of a limit.
const BURST: u64 = 5;

/// How far ahead slots are given, in milliseconds.
pub const LEASE: u64 = 250;

/// How late a slot may be used, in milliseconds: half of what the governor counts on, the other half
/// being for the way of its word and of the call.
pub const LATE: u64 = 75;

/// How long the governor's word is waited for where nobody waits for the call, in milliseconds.
pub const SILENCE: u64 = 1000;

/// How long one who cannot reach the governor goes on by itself before it tries again, in
/// milliseconds.
pub const ALONE: u64 = 1000;

/// How long an interactive call may wait for its slot, in milliseconds; longer is better said at once.
const PATIENCE: u64 = 2000;

/// What the platform takes no calls for longer than this, the next governor must know; in milliseconds.
const LONG_BLOCK: u64 = 3000;

/// How long bulk makes room after an interactive call, in milliseconds.
const ROOM: u64 = 1000;

/// Failures in a row after which nobody calls for a while.
const MAX_FAILURES: u32 = 5;

/// Shortest and longest while, in milliseconds.
const FIRST_BREAK: u64 = 1000;
const LONGEST_BREAK: u64 = 60_000;

/// When to ask again while one call sees whether the platform is back, in milliseconds.
const PROBED_IN: u64 = 2000;

/// How often that while is doubled at most.
const MAX_DOUBLED: u32 = 9;

/// How long nobody calls after the platform refused the key, in milliseconds: each call would be one
/// more wrong log-in.
const KEY_BREAK: u64 = 10_000;

/// Most slots that are given at a time.
const MAX_SLOTS: u32 = 100;

/// Who waits for a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Class {
    /// A person, or a server that answers one.
    Interactive,
    /// Nobody: what is stored and sent on.
    Bulk,
}

/// The governor's word.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Grant {
    /// Calls may be made in so many milliseconds from now, one at each moment.
    Slots(Vec<u64>),
    /// No call may be made now; ask again in so many milliseconds.
    Wait(u64),
    /// The platform is failing, or refuses the key; ask again in so many milliseconds.
    Broken(u64, Break),
}

/// Why nobody calls for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Break {
    /// The platform failed several times in a row.
    Failures,
    /// The platform refused the key.
    Key,
}

impl Break {
    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Failures => "failures",
            Self::Key => "key",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Failures, Self::Key].into_iter().find(|why| why.as_str() == name)
    }
}

/// What became of a call, as far as others must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The platform answered.
    Answered,
    /// The platform failed, or did not answer.
    Failed,
    /// More calls than the platform takes; what `Retry-After` asks for, in milliseconds.
    Limited(Option<u64>),
    /// The platform refused the key.
    KeyRefused,
}

impl Outcome {
    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Failed => "failed",
            Self::Limited(_) => "limited",
            Self::KeyRefused => "key_refused",
        }
    }

    /// What `Retry-After` asks for, in milliseconds.
    #[must_use]
    pub fn retry_after(self) -> Option<u64> {
        if let Self::Limited(asked) = self { asked } else { None }
    }

    /// The one of this name, with what `Retry-After` asks for.
    #[must_use]
    pub fn named(name: &str, retry_after: Option<u64>) -> Option<Self> {
        [Self::Answered, Self::Failed, Self::Limited(retry_after), Self::KeyRefused]
            .into_iter()
            .find(|outcome| outcome.as_str() == name)
    }
}

/// A limit as a generic cell rate limiter: the moment at which the next call would be due if all came
/// evenly. In microseconds, since 350 calls a second are not whole milliseconds apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Cell {
    due: u64,
}

impl Cell {
    /// When a call may be made, not before `now`.
    fn next(self, now: u64, interval: u64, burst: u64) -> u64 {
        now.max(self.due.saturating_sub(burst * interval))
    }

    fn take(&mut self, at: u64, interval: u64) {
        self.due = self.due.max(at) + interval;
    }
}

/// Calls under one limit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct State {
    limits: Vec<(u32, u64)>,
    /// One for each limit of the pool.
    cells: Vec<Cell>,
    /// Bulk's own, one for each limit, for while it makes room.
    bulk: Vec<Cell>,
    /// Until when the platform takes none, in milliseconds.
    blocked_until: u64,
    last_interactive: Option<u64>,
    /// Until when those who went on by themselves are waited for, in milliseconds.
    held_until: u64,
}

impl State {
    /// When the next call may be made, in microseconds; bulk's with room for others, where it makes some.
    fn next(&self, is_bulk: bool, makes_room: bool, now: u64) -> u64 {
        let mut at = now;
        for ((cell, bulk), limit) in self.cells.iter().zip(&self.bulk).zip(&self.limits) {
            let (interval, burst) = pace(*limit);
            at = at.max(cell.next(now, interval, if is_bulk { burst / 2 } else { burst }));
            if makes_room {
                at = at.max(bulk.next(now, interval * 2, 0));
            }
        }
        at
    }

    fn grant(&mut self, class: Class, want: u32, now: u64) -> Grant {
        if self.blocked_until > now {
            return Grant::Wait(self.blocked_until - now);
        }
        let is_bulk = class == Class::Bulk;
        let room_until = self.last_interactive.map_or(0, |last| last + ROOM);
        let makes_room = is_bulk && room_until > now;
        if !is_bulk {
            self.last_interactive = Some(now);
        }
        let micros = now * 1000;
        let delay = |at: u64| (at - micros).div_ceil(1000);
        let mut slots = Vec::new();
        while slots.len() < want as usize {
            let at = self.next(is_bulk, makes_room, micros);
            let horizon = if slots.is_empty() && !is_bulk { PATIENCE } else { LEASE };
            if delay(at) > horizon {
                if !slots.is_empty() {
                    break;
                }
                if !makes_room {
                    return Grant::Wait(delay(at));
                }
                // Room is made for a while only.
                let alone = delay(self.next(is_bulk, false, micros));
                return Grant::Wait(delay(at).min(alone.max(room_until - now)));
            }
            for ((cell, bulk), limit) in self.cells.iter_mut().zip(&mut self.bulk).zip(&self.limits)
            {
                let (interval, _) = pace(*limit);
                cell.take(at, interval);
                // Only then: what bulk had while nobody else came is not held against it.
                if makes_room {
                    bulk.take(at, interval * 2);
                }
            }
            slots.push(delay(at));
        }
        Grant::Slots(slots)
    }
}

/// Leaves what fails alone for a while.
#[derive(Clone, Debug, Default)]
struct Breaker {
    failures: u32,
    /// Since when there are enough of them.
    since: u64,
    /// Until when nobody calls, in milliseconds.
    until: u64,
    /// The call that sees whether the platform is back is on its way.
    is_probing: bool,
}

impl Breaker {
    fn is_open(&self) -> bool {
        self.failures >= MAX_FAILURES
    }

    /// Begins another while.
    fn wait(&mut self, pool: Pool, doubled: u32, now: u64) {
        // Nobody watches an event leave, so an outage of a day may be followed by some minutes.
        let longest = match pool {
            Pool::Tracker => longest_break(now.saturating_sub(self.since)),
            _ => LONGEST_BREAK,
        };
        self.until = now + longest.min(FIRST_BREAK << doubled.min(MAX_DOUBLED));
    }

    fn handle_answer(&mut self) {
        self.failures = 0;
        self.is_probing = false;
    }

    fn handle_failure(&mut self, pool: Pool, now: u64) {
        let probed = std::mem::take(&mut self.is_probing);
        // Calls that were under way when the break began say nothing new.
        if !self.is_open() || probed {
            self.failures = self.failures.saturating_add(1);
            if self.failures == MAX_FAILURES {
                self.since = now;
            }
        }
        if self.is_open() && (probed || self.until <= now) {
            self.wait(pool, self.failures - MAX_FAILURES, now);
        }
    }
}

/// The governor of a deployment.
#[derive(Clone, Debug, Default)]
pub struct Governor {
    pools: BTreeMap<Pool, State>,
    /// One for each host of the platform.
    breakers: [Breaker; 4],
    /// Events a second that the tracker takes, if that is limited.
    tracker_per_second: Option<u32>,
    key_refused_until: u64,
}

/// The time between two calls, and how many may come at once on top: none where the limit is so small
/// that one would be more than its part.
fn pace((calls, window): (u32, u64)) -> (u64, u64) {
    let calls = u64::from(calls);
    let interval = (window * 1000 * 100).div_ceil(calls * USED);
    (interval, calls * BURST / 100)
}

/// Which of the platform's hosts takes the calls of a pool.
fn host(pool: Pool) -> usize {
    match pool {
        Pool::Tracker => 1,
        Pool::ContactApi => 2,
        Pool::MobileApi => 3,
        _ => 0,
    }
}

impl Governor {
    /// A governor that sends the tracker so many events a second at most, if that is given, and that
    /// knows what an earlier one gave out under limits of an hour, and what the platform asked it for:
    /// see [`Governor::hourly`] and [`Governor::blocked`].
    #[must_use]
    pub fn new(
        tracker_per_second: Option<u32>,
        hourly: &[(Pool, u64)],
        blocked: &[(Pool, u64)],
    ) -> Self {
        let mut governor = Self { tracker_per_second, ..Self::default() };
        for (pool, due) in hourly {
            let state = governor.state(*pool);
            for (cell, (_, window)) in state.cells.iter_mut().zip(pool.limits()) {
                if *window > 1000 {
                    cell.due = *due;
                }
            }
        }
        for (pool, until) in blocked {
            governor.state(*pool).blocked_until = *until;
        }
        governor
    }

    /// What the next governor must know: when calls under limits of an hour are due, in microseconds.
    #[must_use]
    pub fn hourly(&self) -> Vec<(Pool, u64)> {
        let due = |(pool, state): (&Pool, &State)| {
            let long = pool.limits().iter().position(|(_, window)| *window > 1000)?;
            Some((*pool, state.cells.get(long)?.due))
        };
        self.pools.iter().filter_map(due).collect()
    }

    /// What the next governor must know: until when the platform takes no calls, in milliseconds of Unix
    /// time, where that is more than a few seconds ahead.
    #[must_use]
    pub fn blocked(&self, now: u64) -> Vec<(Pool, u64)> {
        let until = self.pools.iter().map(|(pool, state)| (*pool, state.blocked_until));
        until.filter(|(_, until)| *until > now + LONG_BLOCK).collect()
    }

    /// The pools whose host nobody calls at present, one for each host: why, and until when, in milliseconds of
    /// Unix time.
    #[must_use]
    pub fn held(&self, now: u64) -> Vec<(Pool, Break, u64)> {
        let hosts = [Pool::Shared, Pool::Tracker, Pool::ContactApi, Pool::MobileApi];
        let failing = hosts.into_iter().filter_map(|pool| {
            let breaker = &self.breakers[host(pool)];
            (breaker.is_open() && breaker.until > now).then_some((
                pool,
                Break::Failures,
                breaker.until,
            ))
        });
        let key = (Pool::Shared, Break::Key, self.key_refused_until);
        let key = Some(key).filter(|(.., until)| *until > now);
        key.into_iter().chain(failing).collect()
    }

    fn state(&mut self, pool: Pool) -> &mut State {
        let per_second = self.tracker_per_second.filter(|_| pool == Pool::Tracker);
        self.pools.entry(pool).or_insert_with(|| {
            let set = per_second.map(|calls| (calls.max(1), 1000));
            let limits: Vec<_> = pool.limits().iter().copied().chain(set).collect();
            let cells = vec![Cell::default(); limits.len()];
            State { bulk: cells.clone(), cells, limits, ..State::default() }
        })
    }

    fn breaker(&mut self, pool: Pool) -> &mut Breaker {
        &mut self.breakers[host(pool)]
    }

    /// Gives out up to `want` slots of a pool; `now` is Unix time in milliseconds.
    pub fn handle_request(&mut self, pool: Pool, class: Class, want: u32, now: u64) -> Grant {
        if self.key_refused_until > now && pool.is_rest() {
            return Grant::Broken(self.key_refused_until - now, Break::Key);
        }
        let breaker = self.breaker(pool);
        let is_probe = breaker.is_open();
        if is_probe && breaker.until > now {
            let left = breaker.until - now;
            // Soon it is known what the one call to see has come to.
            let left = if breaker.is_probing { left.min(PROBED_IN) } else { left };
            return Grant::Broken(left, Break::Failures);
        }
        // One call to see.
        let want = if is_probe { 1 } else { want.clamp(1, MAX_SLOTS) };
        let grant = self.state(pool).grant(class, want, now);
        if is_probe && matches!(grant, Grant::Slots(_)) {
            // Its outcome, or its silence, decides about the others.
            let breaker = self.breaker(pool);
            breaker.is_probing = true;
            breaker.wait(pool, breaker.failures, now);
        }
        grant
    }

    /// Notes that one is back who could not reach the governor. Others may be about to call as their
    /// share of the pool lets them: nobody gets slots until they are back too.
    pub fn handle_return(&mut self, pool: Pool, now: u64) {
        const HELD: u64 = SILENCE + ALONE;
        let state = self.state(pool);
        // One of those who are waited for already would begin it anew.
        if !state.limits.is_empty() && state.held_until + HELD <= now {
            state.held_until = now + HELD;
            state.blocked_until = state.blocked_until.max(state.held_until);
        }
    }

    /// Whether callers are to report successes too: somebody waits to hear of one.
    #[must_use]
    pub fn wants_successes(&self, pool: Pool) -> bool {
        self.breakers[host(pool)].failures > 0
    }

    /// Notes what became of a call of `pool`.
    pub fn handle_outcome(&mut self, pool: Pool, outcome: Outcome, now: u64) {
        match outcome {
            // Elsewhere it is not the account's key that is refused.
            Outcome::KeyRefused if !pool.is_rest() => self.breaker(pool).handle_answer(),
            Outcome::Answered => self.breaker(pool).handle_answer(),
            Outcome::Failed => self.breaker(pool).handle_failure(pool, now),
            Outcome::Limited(asked) => {
                let window = pool.limits().iter().map(|(_, window)| *window).min().unwrap_or(1000);
                let until = now + asked.unwrap_or(window);
                let state = self.state(pool);
                state.blocked_until = state.blocked_until.max(until);
                // The platform answers, if only to say this.
                self.breaker(pool).handle_answer();
            }
            Outcome::KeyRefused => self.key_refused_until = now + KEY_BREAK,
        }
    }
}
