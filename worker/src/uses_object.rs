//! The Durable Object that lets each token of a page be used once, and counts the calls of each visitor's
//! address and network.

use std::{cell::RefCell, collections::HashMap};

use serde::{Deserialize, Serialize};
use worker::{DurableObject, Env, Method, Request, Response, Result, State, durable_object};

use crate::answer::{Error, text_json};
use crate::objects::{self, now, number};

const MINUTE: u64 = 60_000;

/// When names are dropped, in milliseconds: tokens are good for ten minutes.
const CLEAN_AFTER: i64 = 20 * 60_000;

/// Addresses and networks that are counted at a time; the counts begin anew when there are more.
const MOST_COUNTED: usize = 10_000;

/// A call that a page makes.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Use {
    /// The token's name.
    pub(crate) name: String,
    /// Until when the token is good.
    pub(crate) until: u64,
    /// The visitor's address and network, each as a hash, and how many calls of it may come in a minute.
    pub(crate) callers: Vec<(String, u32)>,
}

/// Whether it may be made.
#[derive(Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    Taken,
    /// The token was used before.
    Known,
    /// The visitor makes too many.
    TooMany,
}

#[derive(Deserialize)]
struct Count {
    count: u64,
}

/// Whether a call of a site's page may be made; its token is used then.
pub(crate) async fn take(env: &Env, site: &str, used: &Use) -> std::result::Result<Answer, Error> {
    let stub = env.durable_object("USES")?.get_by_name(site)?;
    let body = serde_json::to_string(used).map_err(worker::Error::from)?;
    let response = objects::ask(&stub, Method::Post, "/take", Some(body)).await?;
    let text = objects::text(response, "this cannot be checked right now").await?;
    serde_json::from_str(&text).map_err(|error| Error::Internal(error.into()))
}

/// The tokens of a site's pages.
#[durable_object]
#[expect(unnameable_types, reason = "the runtime makes it; nobody names it")]
#[expect(missing_debug_implementations, reason = "its state and environment have none")]
pub struct UsesObject {
    state: State,
    /// Calls of each address and network in the minute that began then.
    calls: RefCell<HashMap<String, (u64, u32)>>,
}

impl DurableObject for UsesObject {
    fn new(state: State, _env: Env) -> Self {
        Self { state, calls: RefCell::default() }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let used: Use = serde_json::from_str(&request.text().await?)?;
        let answer = self.take(&used)?;
        if answer == Answer::Taken && self.state.storage().get_alarm().await?.is_none() {
            self.state.storage().set_alarm(CLEAN_AFTER).await?;
        }
        text_json(200, serde_json::to_string(&answer)?)
    }

    /// Drops the names of tokens that are not good any more.
    async fn alarm(&self) -> Result<Response> {
        let sql = self.state.storage().sql();
        self.open()?;
        sql.exec("DELETE FROM used WHERE until < ?", vec![number(now())])?;
        let left: Vec<Count> = sql.exec("SELECT count(*) AS count FROM used", None)?.to_array()?;
        if left.first().is_some_and(|left| left.count > 0) {
            self.state.storage().set_alarm(CLEAN_AFTER).await?;
        }
        Response::ok("")
    }
}

impl UsesObject {
    fn open(&self) -> Result<()> {
        let table = "CREATE TABLE IF NOT EXISTS used (
            name TEXT PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID";
        self.state.storage().sql().exec(table, None).map(|_| ())
    }

    fn take(&self, used: &Use) -> Result<Answer> {
        // The address first: one that makes too many uses nothing up of its network's.
        if !used.callers.iter().all(|(caller, most)| self.count(caller, *most)) {
            return Ok(Answer::TooMany);
        }
        self.open()?;
        let sql = "INSERT OR IGNORE INTO used (name, until) VALUES (?, ?)";
        let written = self
            .state
            .storage()
            .sql()
            .exec(sql, vec![used.name.as_str().into(), number(used.until)])?
            .rows_written();
        Ok(if written == 0 { Answer::Known } else { Answer::Taken })
    }

    fn count(&self, caller: &str, most: u32) -> bool {
        let mut calls = self.calls.borrow_mut();
        if calls.len() > MOST_COUNTED {
            calls.retain(|_, (since, _)| *since + MINUTE >= now());
        }
        if calls.len() > MOST_COUNTED {
            calls.clear();
        }
        let (since, count) = calls.entry(caller.to_owned()).or_insert((now(), 0));
        if *since + MINUTE < now() {
            (*since, *count) = (now(), 0);
        }
        *count = count.saturating_add(1);
        *count <= most
    }
}
