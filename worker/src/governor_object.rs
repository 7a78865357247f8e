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

use crate::objects::{self, now};

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
}

/// The answer to a wish.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Granted {
    /// In how many milliseconds calls may be made.
    pub(crate) slots: Vec<u64>,
    /// In how many milliseconds to ask again.
    pub(crate) wait: u64,
    /// Why nobody calls at all: `failures` or `key`.
    pub(crate) broken: Option<String>,
    /// Successes are to be reported too.
    pub(crate) report: bool,
}

/// What became of a call.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) pool: String,
    /// `answered`, `failed`, `limited` or `key_refused`.
    pub(crate) outcome: String,
    #[serde(default)]
    pub(crate) retry_after: Option<u64>,
}

/// Gives out slots.
#[durable_object]
#[expect(unnameable_types, reason = "the runtime makes it; nobody names it")]
#[expect(missing_debug_implementations, reason = "its state and environment have none")]
pub struct GovernorObject {
    state: State,
    governor: RefCell<Option<Governor>>,
}

impl DurableObject for GovernorObject {
    fn new(state: State, _env: Env) -> Self {
        Self { state, governor: RefCell::default() }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        self.open().await?;
        let path = request.path();
        let text = request.text().await?;
        match path.as_str() {
            "/lease" => self.lease(&serde_json::from_str(&text)?).await,
            "/outcome" => {
                let report: Report = serde_json::from_str(&text)?;
                let outcome = match report.outcome.as_str() {
                    "failed" => Outcome::Failed,
                    "limited" => Outcome::Limited(report.retry_after),
                    "key_refused" => Outcome::KeyRefused,
                    _ => Outcome::Answered,
                };
                let blocked = self.with(|governor| {
                    let before = governor.blocked(now());
                    governor.handle_outcome(pool(&report.pool)?, outcome, now());
                    let after = governor.blocked(now());
                    Some((after != before).then_some(after))
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
        // Another request may have opened it meanwhile.
        self.governor.borrow_mut().get_or_insert_with(|| Governor::new(&hourly, &blocked));
        Ok(())
    }

    /// What is stored of each pool under `name`.
    async fn stored(&self, name: &str) -> Result<Vec<(Pool, u64)>> {
        let stored: Option<String> = self.state.storage().get(name).await?;
        let stored = stored.and_then(|text| serde_json::from_str(&text).ok());
        let stored: Vec<(String, u64)> = stored.unwrap_or_default();
        Ok(stored.iter().filter_map(|(name, value)| Some((pool(name)?, *value))).collect())
    }

    async fn store(&self, name: &str, values: &[(Pool, u64)]) -> Result<()> {
        let values: Vec<(&str, u64)> =
            values.iter().map(|(pool, value)| (pool.as_str(), *value)).collect();
        self.state.storage().put(name, serde_json::to_string(&values)?).await
    }

    fn with<T>(&self, use_it: impl FnOnce(&mut Governor) -> Option<T>) -> Result<T> {
        let mut governor = self.governor.borrow_mut();
        let governor = governor.as_mut().ok_or("the governor is not open")?;
        use_it(governor).ok_or_else(|| "no such pool".into())
    }

    async fn lease(&self, wish: &Wish) -> Result<Response> {
        let class = if wish.bulk { Class::Bulk } else { Class::Interactive };
        let (grant, report, hourly) = self.with(|governor| {
            let pool = pool(&wish.pool)?;
            let grant = governor.handle_request(pool, class, wish.want, now());
            let by_hour = pool.limits().iter().any(|(_, window)| *window > 1000);
            Some((grant, governor.wants_successes(), by_hour.then(|| governor.hourly())))
        })?;
        if let (Some(hourly), Grant::Slots(_)) = (hourly, &grant) {
            self.store(HOURLY, &hourly).await?;
        }
        let granted = match grant {
            Grant::Slots(slots) => Granted { slots, report, ..Granted::default() },
            Grant::Broken(wait, why) => {
                let why = if why == Break::Key { "key" } else { "failures" };
                Granted { wait, broken: Some(why.to_owned()), ..Granted::default() }
            }
            Grant::Wait(wait) => Granted { wait, ..Granted::default() },
            _ => return Err("a grant of a kind that is not known here".into()),
        };
        Ok(objects::respond(serde_json::to_string(&granted)?))
    }
}

fn pool(name: &str) -> Option<Pool> {
    Pool::ALL.into_iter().find(|pool| pool.as_str() == name)
}
