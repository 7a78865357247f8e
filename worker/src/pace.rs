//! When calls of the platform are made: slots from the governor, some at a time.

use std::{
    cell::RefCell,
    collections::{HashMap, VecDeque},
    pin::pin,
    time::Duration,
};

use esputnik_kit::{
    api::{Error as ApiError, Kind, Pool, Reply},
    governor::{Break, Grant, LATE, LEASE, Outcome, SILENCE},
    retry::parse_retry_after,
};
use futures_util::future::{Either, select};
use worker::{Delay, Env, Method};

use crate::{
    answer::Error,
    governor_object::{Granted, Held, News, Wish},
    objects::{self, now},
};

/// The one governor of a deployment.
const GOVERNOR: &str = "governor";

/// How long a call may wait for its slots in all, in milliseconds.
const PATIENCE: u64 = 3000;

/// Slots that this isolate has and has not used.
#[derive(Default)]
struct Leased {
    slots: VecDeque<u64>,
    /// Requests that ask for more at this moment.
    asking: u32,
    /// Calls in this stretch of a lease's length, and in the one before.
    stretch: u64,
    calls: u32,
    calls_before: u32,
    report: bool,
}

thread_local! {
    static LEASED: RefCell<HashMap<Pool, Leased>> = RefCell::default();
}

/// A call that may be made now.
pub(crate) struct Slot {
    pool: Pool,
    /// Whether its success is to be reported.
    report: bool,
}

/// Why no call may be made.
pub(crate) enum Denied {
    /// More calls than the platform takes; in so many milliseconds there is room.
    Full(u64),
    /// The platform is failing; in so many milliseconds somebody tries again.
    Failing(u64),
    /// The platform refuses the key.
    Key(u64),
}

impl Denied {
    /// The error that the caller gets.
    pub(crate) fn into_error(self) -> ApiError {
        match self {
            Self::Full(wait) => ApiError::held(Kind::RateLimited, wait),
            Self::Failing(wait) => ApiError::held(Kind::Failed, wait),
            Self::Key(wait) => ApiError::held(Kind::Unauthorized, wait),
        }
    }
}

/// Waits until a call of the pool may be made.
pub(crate) async fn wait(env: &Env, pool: Pool, bulk: bool) -> Result<Result<Slot, Denied>, Error> {
    let begun = now();
    loop {
        if let Some((at, report)) = take(pool) {
            sleep(at.saturating_sub(now())).await;
            return Ok(Ok(Slot { pool, report }));
        }
        let want = with(pool, |leased| {
            leased.asking += 1;
            // Others ask already, and bring what is needed beside their own.
            if leased.asking > 1 { 1 } else { leased.calls.max(leased.calls_before).max(1) }
        });
        let wish = Wish { pool: pool.as_str().to_owned(), bulk, want, back: false };
        let granted = lease(env, &wish).await;
        with(pool, |leased| leased.asking -= 1);
        let granted = granted?;
        let (received, report) = (now(), granted.report);
        match granted.into_grant() {
            Grant::Slots(slots) => with(pool, |leased| {
                leased.report = report;
                leased.slots.extend(slots.iter().map(|slot| received + slot));
                leased.slots.make_contiguous().sort_unstable();
            }),
            Grant::Wait(pause) if received + pause > begun + PATIENCE => {
                return Ok(Err(Denied::Full(pause)));
            }
            Grant::Wait(pause) => sleep(pause).await,
            Grant::Broken(pause, Break::Key) => return Ok(Err(Denied::Key(pause))),
            Grant::Broken(pause, _) => return Ok(Err(Denied::Failing(pause))),
            _ => return Err(Error::Internal("a grant of a kind that is not known here".into())),
        }
    }
}

impl Slot {
    /// Tells the governor what others must know of the call's outcome; `None` is silence.
    pub(crate) async fn report(self, env: &Env, reply: Option<&Reply>) {
        let outcome = match reply {
            Some(reply) => match reply.status {
                429 => Outcome::Limited(parse_retry_after(reply.retry_after.as_deref(), now())),
                401 if self.pool.is_rest() => Outcome::KeyRefused,
                500.. => Outcome::Failed,
                _ => Outcome::Answered,
            },
            None => Outcome::Failed,
        };
        if outcome == Outcome::Answered && !self.report {
            return;
        }
        if outcome != Outcome::Answered {
            // What it gave out before it knew of this.
            with(self.pool, |leased| leased.slots.clear());
        }
        report(env, self.pool, &[outcome]).await;
    }
}

/// Tells the governor what others must know of calls.
pub(crate) async fn report(env: &Env, pool: Pool, outcomes: &[Outcome]) {
    if let Err(error) = tell(env, "/outcomes", &News::new(pool, outcomes)).await {
        worker::console_error!("governor: {error:?}");
    }
}

/// Asks for up to `want` slots of the tracker's pool; `None` if the governor does not answer. The
/// second says whether successes are to be reported.
pub(crate) async fn ask_for_tracker(env: &Env, want: u32, back: bool) -> Option<(Grant, bool)> {
    let wish = Wish { pool: Pool::Tracker.as_str().to_owned(), bulk: true, want, back };
    let (asked, silence) = (pin!(lease(env, &wish)), pin!(sleep(SILENCE)));
    match select(asked, silence).await {
        Either::Left((Ok(granted), _)) => {
            let report = granted.report;
            Some((granted.into_grant(), report))
        }
        Either::Left((Err(error), _)) => {
            worker::console_error!("governor: {error:?}");
            None
        }
        Either::Right(_) => {
            worker::console_error!("governor: no answer");
            None
        }
    }
}

fn with<T>(pool: Pool, use_it: impl FnOnce(&mut Leased) -> T) -> T {
    LEASED.with_borrow_mut(|all| use_it(all.entry(pool).or_default()))
}

/// The next slot that is there, and whether successes are to be reported.
fn take(pool: Pool) -> Option<(u64, bool)> {
    let now = now();
    with(pool, |leased| {
        let stretch = now / LEASE;
        if leased.stretch != stretch {
            leased.calls_before = if leased.stretch + 1 == stretch { leased.calls } else { 0 };
            leased.calls = 0;
            leased.stretch = stretch;
        }
        leased.slots.retain(|slot| slot + LATE >= now);
        let slot = leased.slots.pop_front()?;
        leased.calls += 1;
        Some((slot, leased.report))
    })
}

/// Which of the platform's hosts nobody calls at present.
pub(crate) async fn held(env: &Env) -> Result<Vec<Held>, Error> {
    let text = tell(env, "/held", &()).await?;
    serde_json::from_str(&text).map_err(|error| Error::Internal(error.into()))
}

async fn lease(env: &Env, wish: &Wish) -> Result<Granted, Error> {
    let text = tell(env, "/lease", wish).await?;
    serde_json::from_str(&text).map_err(|error| Error::Internal(error.into()))
}

async fn tell(env: &Env, path: &str, what: &impl serde::Serialize) -> Result<String, Error> {
    let body = serde_json::to_string(what).map_err(worker::Error::from)?;
    let governors = env.durable_object("GOVERNOR")?;
    let answer = objects::ask(&governors, GOVERNOR, Method::Post, path, Some(&body)).await?;
    objects::text(answer, "the governor does not answer")
}

pub(crate) async fn sleep(millis: u64) {
    if millis > 0 {
        Delay::from(Duration::from_millis(millis)).await;
    }
}
