//! The Durable Object that keeps all calls of the deployment under the platform's limits: one for all,
//! since the limits are the organisation's.
//!
//! What it gave out lives in memory: after a restart the pools of a second begin anew, with the burst
//! of 5 % that their rate leaves room for. What counts by the hour is stored, and so is until when the
//! platform takes no calls, where that is long.

use std::cell::RefCell;

use esputnik_kit::{
    api::Pool,
    governor::{Break, Class, Governor, Grant, Outcome},
};
use serde::{Deserialize, Serialize};
use worker::{DurableObject, Env, Request, Response, Result, State, durable_object};

use crate::{
    objects::{self, now},
    settings::load_config,
};

/// Where what counts by the hour is stored.
const HOURLY: &str = "hourly";

/// Where is stored until when the platform takes no calls.
const BLOCKED: &str = "blocked";

/// A caller's wish for slots.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Wish {
    pub(crate) pool: String,
    #[serde(default)]
    pub(crate) bulk: bool,
    pub(crate) want: u32,
    /// The caller could not reach the governor just before.
    #[serde(default)]
    pub(crate) back: bool,
}

/// The answer to a wish.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Granted {
    /// In how many milliseconds calls may be made.
    slots: Vec<u64>,
    /// In how many milliseconds to ask again.
    wait: u64,
    /// Why nobody calls at all.
    broken: Option<String>,
    /// Successes are to be reported too.
    pub(crate) report: bool,
}

impl Granted {
    fn new(grant: Grant, report: bool) -> Result<Self> {
        Ok(match grant {
            Grant::Slots(slots) => Self { slots, report, ..Self::default() },
            Grant::Wait(wait) => Self { wait, ..Self::default() },
            Grant::Broken(wait, why) => {
                Self { wait, broken: Some(why.as_str().to_owned()), ..Self::default() }
            }
            _ => return Err("a grant of a kind that is not known here".into()),
        })
    }

    /// The governor's word.
    pub(crate) fn into_grant(self) -> Grant {
        match self.broken {
            Some(why) => Grant::Broken(self.wait, Break::named(&why).unwrap_or(Break::Failures)),
            None if self.slots.is_empty() => Grant::Wait(self.wait),
            None => Grant::Slots(self.slots),
        }
    }
}

/// A pool whose host nobody calls at present.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Held {
    pub(crate) pool: String,
    pub(crate) why: String,
    pub(crate) until: u64,
}

/// What became of calls.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct News {
    pool: String,
    /// Outcomes by name, each with what `Retry-After` asks for.
    outcomes: Vec<(String, Option<u64>)>,
}

impl News {
    pub(crate) fn new(pool: Pool, outcomes: &[Outcome]) -> Self {
        let named = |outcome: &Outcome| (outcome.as_str().to_owned(), outcome.retry_after());
        Self { pool: pool.as_str().to_owned(), outcomes: outcomes.iter().map(named).collect() }
    }
}

/// Gives out slots.
#[durable_object]
#[expect(unnameable_types, reason = "the runtime makes it; nobody names it")]
#[expect(missing_debug_implementations, reason = "its state and environment have none")]
pub struct GovernorObject {
    state: State,
    env: Env,
    governor: RefCell<Option<Governor>>,
}

impl DurableObject for GovernorObject {
    fn new(state: State, env: Env) -> Self {
        Self { state, env, governor: RefCell::default() }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        self.open().await?;
        let path = request.path();
        let text = request.text().await?;
        match path.as_str() {
            "/held" => {
                let held = self.with(|governor| governor.held(now()))?;
                let named = |(pool, why, until): &(Pool, Break, u64)| Held {
                    pool: pool.as_str().to_owned(),
                    why: why.as_str().to_owned(),
                    until: *until,
                };
                let held: Vec<Held> = held.iter().map(named).collect();
                Ok(objects::respond(serde_json::to_string(&held)?))
            }
            "/lease" => self.lease(&serde_json::from_str(&text)?).await,
            "/outcomes" => {
                let news: News = serde_json::from_str(&text)?;
                let pool = Pool::named(&news.pool).ok_or("no such pool")?;
                let blocked = self.with(|governor| {
                    let before = governor.blocked(now());
                    for (name, retry_after) in news.outcomes {
                        if let Some(outcome) = Outcome::named(&name, retry_after) {
                            governor.handle_outcome(pool, outcome, now());
                        }
                    }
                    let after = governor.blocked(now());
                    (after != before).then_some(after)
                })?;
                if let Some(blocked) = blocked {
                    self.store(BLOCKED, &blocked).await?;
                }
                Ok(objects::respond("{}".to_owned()))
            }
            _ => Response::error("", 404),
        }
    }
}

impl GovernorObject {
    async fn open(&self) -> Result<()> {
        if self.governor.borrow().is_some() {
            return Ok(());
        }
        let (hourly, blocked) = (self.stored(HOURLY).await?, self.stored(BLOCKED).await?);
        let config = load_config(&self.env).map_err(|_| "the settings cannot be read")?;
        let tracker = config.outbox.tracker_per_second;
        // Another request may have opened it meanwhile.
        let mut governor = self.governor.borrow_mut();
        governor.get_or_insert_with(|| Governor::new(tracker, &hourly, &blocked));
        Ok(())
    }

    /// What is stored of each pool under `name`.
    async fn stored(&self, name: &str) -> Result<Vec<(Pool, u64)>> {
        let stored: Option<String> = self.state.storage().get(name).await?;
        let stored = stored.and_then(|text| serde_json::from_str(&text).ok());
        let stored: Vec<(String, u64)> = stored.unwrap_or_default();
        Ok(stored.iter().filter_map(|(name, value)| Some((Pool::named(name)?, *value))).collect())
    }

    async fn store(&self, name: &str, values: &[(Pool, u64)]) -> Result<()> {
        let values: Vec<(&str, u64)> =
            values.iter().map(|(pool, value)| (pool.as_str(), *value)).collect();
        self.state.storage().put(name, serde_json::to_string(&values)?).await
    }

    fn with<T>(&self, use_it: impl FnOnce(&mut Governor) -> T) -> Result<T> {
        let mut governor = self.governor.borrow_mut();
        Ok(use_it(governor.as_mut().ok_or("the governor is not open")?))
    }

    async fn lease(&self, wish: &Wish) -> Result<Response> {
        let class = if wish.bulk { Class::Bulk } else { Class::Interactive };
        let pool = Pool::named(&wish.pool).ok_or("no such pool")?;
        let (grant, report, hourly) = self.with(|governor| {
            if wish.back {
                governor.handle_return(pool, now());
            }
            let grant = governor.handle_request(pool, class, wish.want, now());
            let by_hour = pool.limits().iter().any(|(_, window)| *window > 1000);
            (grant, governor.wants_successes(pool), by_hour.then(|| governor.hourly()))
        })?;
        if let (Some(hourly), Grant::Slots(_)) = (hourly, &grant) {
            self.store(HOURLY, &hourly).await?;
        }
        Ok(objects::respond(serde_json::to_string(&Granted::new(grant, report)?)?))
    }
}
