//! How fast an outbox may send: by a limit of its own, or as the governor lets it where several
//! outboxes share one limit.

use std::collections::VecDeque;

use crate::governor::{ALONE, Grant, LATE, LEASE, Outcome};

/// How often the governor is asked in vain before an outbox goes on by itself.
const ATTEMPTS: u32 = 3;

/// The pause between, in milliseconds. With all of them nothing is left of what the governor gave out
/// before, to whomever.
const AGAIN: u64 = 600;

/// How an outbox keeps to what the tracker takes.
#[derive(Debug, Default)]
pub(super) enum Pace {
    /// It sends what it has.
    #[default]
    Free,
    /// It is the only one under the limit.
    Own(Rate),
    /// It takes slots of the governor.
    Shared(Lease),
}

/// Whether a request may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Now,
    /// Not before this time, Unix milliseconds.
    At(u64),
    /// The governor is to be asked.
    Ask,
    /// The governor is asked.
    Asked,
}

impl Pace {
    pub(super) fn turn(&mut self, now: u64) -> Turn {
        match self {
            Self::Free => Turn::Now,
            Self::Own(rate) => rate.turn(now),
            Self::Shared(lease) => lease.turn(now),
        }
    }

    /// Notes that a request leaves.
    pub(super) fn take(&mut self, now: u64) {
        match self {
            Self::Free => {}
            Self::Own(rate) => rate.take(now),
            Self::Shared(lease) => lease.take(now),
        }
    }

    /// When there is something to do, Unix milliseconds.
    pub(super) fn due(&self, now: u64) -> u64 {
        match self {
            Self::Free => now,
            Self::Own(rate) => rate.next(now),
            Self::Shared(lease) => lease.due(now),
        }
    }

    pub(super) fn lease(&mut self) -> Option<&mut Lease> {
        if let Self::Shared(lease) = self { Some(lease) } else { None }
    }

    /// Whether the governor says when a platform that is down is tried again.
    pub(super) fn is_led(&self) -> bool {
        matches!(self, Self::Shared(lease) if lease.misses == 0)
    }
}

/// What an outbox has of the governor.
#[derive(Debug)]
pub(super) struct Lease {
    /// When requests may leave, in order.
    slots: VecDeque<u64>,
    /// How late they may.
    late: u64,
    /// The outbox's part of the limit, for while the governor cannot be reached.
    share: Option<Rate>,
    is_asking: bool,
    /// Not before this time is the governor asked again.
    not_before: u64,
    /// How often it was asked in vain, in a row.
    misses: u32,
    /// Until when the outbox goes on by itself.
    alone_until: u64,
    /// When requests left, as far back as a lease is long.
    recent: VecDeque<u64>,
    /// The governor wants to hear of a success.
    wants_success: bool,
    /// What it is to hear of.
    outcomes: Vec<Outcome>,
}

impl Lease {
    pub(super) fn new(per_second: Option<u32>, senders: u32) -> Self {
        Self {
            slots: VecDeque::new(),
            // Without a limit it does not matter how close together requests are.
            late: if per_second.is_some() { LATE } else { LEASE },
            share: per_second.map(|limit| Rate::share(limit, senders)),
            is_asking: false,
            not_before: 0,
            misses: 0,
            alone_until: 0,
            recent: VecDeque::new(),
            wants_success: false,
            outcomes: Vec::new(),
        }
    }

    fn turn(&mut self, now: u64) -> Turn {
        if self.alone_until > now {
            return match self.share.as_ref().map(|share| share.turn(now)) {
                Some(Turn::At(time)) => Turn::At(time.min(self.alone_until)),
                _ => Turn::Now,
            };
        }
        while self.slots.front().is_some_and(|slot| slot + self.late < now) {
            self.slots.pop_front();
        }
        match self.slots.front() {
            Some(slot) if *slot <= now => Turn::Now,
            Some(slot) => Turn::At(*slot),
            None if self.is_asking => Turn::Asked,
            None if self.not_before > now => Turn::At(self.not_before),
            None => Turn::Ask,
        }
    }

    fn take(&mut self, now: u64) {
        if self.alone_until > now {
            if let Some(share) = &mut self.share {
                share.take(now);
            }
        } else {
            self.slots.pop_front();
        }
        self.forget_before(now);
        self.recent.push_back(now);
    }

    fn due(&self, now: u64) -> u64 {
        if self.alone_until > now {
            let next = self.share.as_ref().map_or(now, |share| share.next(now));
            return next.min(self.alone_until);
        }
        let slot = self.slots.iter().find(|slot| **slot + self.late >= now);
        slot.map_or(self.not_before, |slot| *slot).max(now)
    }

    fn forget_before(&mut self, now: u64) {
        while self.recent.front().is_some_and(|time| time + LEASE < now) {
            self.recent.pop_front();
        }
    }

    /// Begins to ask. Says how many slots are to be asked for, where so many more than in the last
    /// lease could leave, and whether it was asked in vain before.
    pub(super) fn ask(&mut self, more: usize, now: u64) -> (usize, bool) {
        self.is_asking = true;
        self.forget_before(now);
        (self.recent.len() + more, self.misses > 0)
    }

    /// Takes the governor's word; `None` if it could not be reached.
    pub(super) fn handle_grant(&mut self, grant: Option<&Grant>, wants_success: bool, now: u64) {
        self.is_asking = false;
        let Some(grant) = grant else {
            self.misses = self.misses.saturating_add(1);
            if self.misses < ATTEMPTS {
                self.not_before = now + AGAIN;
            } else {
                self.alone_until = now + ALONE;
            }
            return;
        };
        self.misses = 0;
        self.alone_until = 0;
        self.wants_success = wants_success;
        match grant {
            Grant::Slots(slots) => self.slots.extend(slots.iter().map(|slot| now + slot)),
            Grant::Wait(wait) | Grant::Broken(wait, _) => self.not_before = now + wait,
        }
        if self.slots.is_empty() {
            // In no case at once.
            self.not_before = self.not_before.max(now + 1);
        }
    }

    /// Notes what became of a request.
    pub(super) fn handle_outcome(&mut self, outcome: Outcome) {
        if outcome != Outcome::Answered {
            // What the governor gave out before it knew of this.
            self.slots.clear();
        } else if !std::mem::take(&mut self.wants_success) {
            return;
        }
        self.outcomes.push(outcome);
    }

    pub(super) fn take_outcomes(&mut self) -> Vec<Outcome> {
        std::mem::take(&mut self.outcomes)
    }
}

/// A generic cell rate limiter at 80 % of what the platform allows, with a burst of 5 %.
///
/// The margin is for requests that the network delays into one second with later ones.
#[derive(Debug)]
pub(super) struct Rate {
    /// Microseconds between requests.
    interval: u64,
    tolerance: u64,
    /// When the next request is due if they come evenly, Unix microseconds.
    due: u64,
}

impl Rate {
    pub(super) fn new(per_second: u32) -> Self {
        let per_second = u64::from(per_second.max(1));
        let interval = 1_250_000 / per_second;
        Self { interval, tolerance: interval * (per_second / 20), due: 0 }
    }

    /// The part of one of `senders`.
    fn share(per_second: u32, senders: u32) -> Self {
        let (per_second, senders) = (per_second.max(1), senders.max(1));
        let mut rate = Self::new(per_second / senders);
        if per_second < senders {
            rate.interval = 1_250_000 * u64::from(senders) / u64::from(per_second);
        }
        rate
    }

    fn turn(&self, now: u64) -> Turn {
        let next = self.next(now);
        if next > now { Turn::At(next) } else { Turn::Now }
    }

    /// The next time at which a request may leave, Unix milliseconds.
    fn next(&self, now: u64) -> u64 {
        let earliest = self.due.saturating_sub(self.tolerance);
        if earliest <= now * 1000 { now } else { earliest.div_ceil(1000) }
    }

    fn take(&mut self, now: u64) {
        self.due = self.due.max(now * 1000) + self.interval;
    }
}
