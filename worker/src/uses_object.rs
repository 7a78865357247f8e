//! The Durable Object that lets each token of a page be used once, and counts what pages hand in: by the
//! visitor's address and network, and for forms also by contact, by mail domain and in all.
//!
//! Names of whatever is counted come as hashes. All but those of contacts are lost with the object's
//! memory; a contact's limit is one of days, so it is on disk.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
};

use esputnik_kit::problem::{Code, Problem};
use serde::{Deserialize, Serialize};
use worker::{
    DurableObject, Env, Method, Request, Response, Result, SqlStorage, State, durable_object,
};

use crate::{
    answer::Error,
    objects::{self, now, number},
    routes,
};

/// When what is not needed any more is dropped, in milliseconds: tokens are good for ten minutes.
const CLEAN_AFTER: i64 = 20 * 60_000;

/// As many are counted at a time; when there are more, those that have come once are forgotten, and in
/// the end all.
const MOST_COUNTED: usize = 10_000;

/// For how long a submission counts against its contact, in milliseconds.
const DAY: u64 = esputnik_kit::form_call::limits::DAY;

/// Something that pages do.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Use {
    /// The token's name; none where it was used before.
    pub(crate) name: String,
    /// Until when the token is good.
    pub(crate) until: u64,
    /// The visitor's address and network.
    pub(crate) callers: Vec<Count>,
    /// Whom it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) contact: Option<Contact>,
    /// What no visitor's address tells apart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) at_large: Vec<Count>,
}

/// What is counted.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Count {
    pub(crate) name: String,
    /// How many may come.
    pub(crate) most: u32,
    /// In so many milliseconds.
    pub(crate) window: u64,
}

/// A contact, under one or two names, and how much may come about it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Contact {
    pub(crate) names: Vec<String>,
    pub(crate) per_day: u32,
    /// Milliseconds between two.
    pub(crate) pause: u64,
}

/// Whether it may be done.
#[derive(Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Taken,
    /// The token was used before.
    Known,
    /// Too much comes; less in so many seconds.
    TooMany(u64),
    /// Enough has come about the contact.
    Enough,
}

#[derive(Deserialize)]
struct Number {
    count: u64,
}

#[derive(Deserialize)]
struct Seen {
    count: u32,
    last: Option<u64>,
}

/// Counts what a page of a site does, and uses its token up; whether enough has come about the contact.
///
/// # Errors
///
/// What the page is told that may not do it.
pub(crate) async fn take(env: &Env, site: &str, used: &Use) -> std::result::Result<bool, Error> {
    let text = ask(env, site, "/take", used).await?;
    match serde_json::from_str(&text).map_err(|error| Error::Internal(error.into()))? {
        Answer::Taken => Ok(false),
        Answer::Enough => Ok(true),
        Answer::TooMany(wait) => Err(Error::TooMany(wait)),
        Answer::Known => {
            let fix = "get a token for each call";
            Err(Error::Refused(403, Problem::new(Code::TokenUsed, "token", fix)))
        }
    }
}

/// Takes back what was counted of a contact, since nothing came of it.
pub(crate) async fn give_back(env: &Env, site: &str, used: &Use) -> std::result::Result<(), Error> {
    ask(env, site, "/give-back", used).await.map(|_| ())
}

/// Forgets that anything came about a contact.
pub(crate) async fn forget(env: &Env, site: &str, used: &Use) -> std::result::Result<(), Error> {
    ask(env, site, "/forget", used).await.map(|_| ())
}

async fn ask(env: &Env, site: &str, path: &str, used: &Use) -> std::result::Result<String, Error> {
    let objects = routes::objects_of(env, "USES", site)?;
    let body = serde_json::to_string(used).map_err(worker::Error::from)?;
    let answer = objects::ask(&objects, site, Method::Post, path, Some(&body)).await?;
    objects::text(answer, "this cannot be checked right now")
}

/// Until when a count lasts, and how far it is.
pub(crate) type Counts = HashMap<String, (u64, u32)>;

/// The tokens of a site's pages.
#[durable_object]
#[expect(unnameable_types, reason = "the runtime makes it; nobody names it")]
#[expect(missing_debug_implementations, reason = "its state and environment have none")]
pub struct UsesObject {
    state: State,
    /// Whether the tables are there.
    opened: Cell<bool>,
    /// Addresses and networks.
    callers: RefCell<Counts>,
    /// All else, so that many addresses do not make it forgotten.
    at_large: RefCell<Counts>,
}

impl DurableObject for UsesObject {
    fn new(state: State, _env: Env) -> Self {
        Self {
            state,
            opened: Cell::new(false),
            callers: RefCell::default(),
            at_large: RefCell::default(),
        }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let used: Use = serde_json::from_str(&request.text().await?)?;
        if request.path() == "/forget" {
            for name in used.contact.iter().flat_map(|contact| &contact.names) {
                let sql = "DELETE FROM contact WHERE name = ?";
                self.open()?.exec(sql, vec![name.as_str().into()])?;
            }
            return Ok(objects::respond("{}".to_owned()));
        }
        if request.path() == "/give-back" {
            for name in used.contact.iter().flat_map(|contact| &contact.names) {
                let sql = "DELETE FROM contact WHERE rowid =
                    (SELECT max(rowid) FROM contact WHERE name = ?)";
                self.open()?.exec(sql, vec![name.as_str().into()])?;
            }
            return Ok(objects::respond("{}".to_owned()));
        }
        let answer = self.take(&used)?;
        if answer == Answer::Taken && self.state.storage().get_alarm().await?.is_none() {
            self.state.storage().set_alarm(CLEAN_AFTER).await?;
        }
        Ok(objects::respond(serde_json::to_string(&answer)?))
    }

    /// Drops the names of tokens that are not good any more, and contacts after their day.
    async fn alarm(&self) -> Result<Response> {
        let sql = self.open()?;
        sql.exec("DELETE FROM used WHERE until < ?", vec![number(now())])?;
        sql.exec("DELETE FROM contact WHERE at < ?", vec![number(now().saturating_sub(DAY))])?;
        let left = "SELECT (SELECT count(*) FROM used) + (SELECT count(*) FROM contact) AS count";
        let left: Vec<Number> = sql.exec(left, None)?.to_array()?;
        if left.first().is_some_and(|left| left.count > 0) {
            self.state.storage().set_alarm(CLEAN_AFTER).await?;
        }
        Response::ok("")
    }
}

impl UsesObject {
    fn open(&self) -> Result<SqlStorage> {
        let sql = self.state.storage().sql();
        if self.opened.get() {
            return Ok(sql);
        }
        let tables = "CREATE TABLE IF NOT EXISTS used (
            name TEXT PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID;
            CREATE TABLE IF NOT EXISTS contact (name TEXT NOT NULL, at INTEGER NOT NULL);
            CREATE INDEX IF NOT EXISTS contact_name ON contact (name, at)";
        sql.exec(tables, None)?;
        self.opened.set(true);
        Ok(sql)
    }

    fn take(&self, used: &Use) -> Result<Answer> {
        // The address first: one that makes too many uses nothing up of its network's.
        if let Some(wait) = first_over(&mut self.callers.borrow_mut(), &used.callers) {
            return Ok(Answer::TooMany(wait));
        }
        let sql = self.open()?;
        if !used.name.is_empty() {
            let insert = "INSERT OR IGNORE INTO used (name, until) VALUES (?, ?)";
            let values = vec![used.name.as_str().into(), number(used.until)];
            if sql.exec(insert, values)?.rows_written() == 0 {
                return Ok(Answer::Known);
            }
        }
        // The contact before what it shares with others: who is after one address takes no room of
        // those who have one of the same provider.
        if let Some(contact) = &used.contact
            && is_enough(&sql, contact)?
        {
            return Ok(Answer::Enough);
        }
        if let Some(wait) = first_over(&mut self.at_large.borrow_mut(), &used.at_large) {
            return Ok(Answer::TooMany(wait));
        }
        for name in used.contact.iter().flat_map(|contact| &contact.names) {
            let insert = "INSERT INTO contact (name, at) VALUES (?, ?)";
            sql.exec(insert, vec![name.as_str().into(), number(now())])?;
        }
        Ok(Answer::Taken)
    }
}

fn is_enough(sql: &SqlStorage, contact: &Contact) -> Result<bool> {
    let since = now().saturating_sub(DAY);
    for name in &contact.names {
        let select = "SELECT count(*) AS count, max(at) AS last FROM contact
            WHERE name = ? AND at > ?";
        let rows = sql.exec(select, vec![name.as_str().into(), number(since)])?;
        let seen: Vec<Seen> = rows.to_array()?;
        let over = |seen: &Seen| {
            seen.count >= contact.per_day
                || seen.last.is_some_and(|last| last + contact.pause > now())
        };
        if seen.first().is_some_and(over) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Counts what comes, as far as the first that is over its limit; that one's seconds until it is not.
pub(crate) fn first_over(counts: &mut Counts, add: &[Count]) -> Option<u64> {
    add.iter().find_map(|add| {
        make_room(counts);
        let (until, count) = counts.entry(add.name.clone()).or_insert((now() + add.window, 0));
        if *until <= now() {
            (*until, *count) = (now() + add.window, 0);
        }
        *count = count.saturating_add(1);
        (*count > add.most).then(|| until.saturating_sub(now()).div_ceil(1000).max(1))
    })
}

/// Whether one more would be over a limit.
pub(crate) fn is_full(counts: &Counts, add: &[Count]) -> bool {
    add.iter().any(|add| {
        let count = counts.get(&add.name);
        count.is_some_and(|(until, count)| *until > now() && *count >= add.most)
    })
}

fn make_room(counts: &mut Counts) {
    if counts.len() > MOST_COUNTED {
        counts.retain(|_, (until, _)| *until > now());
    }
    if counts.len() > MOST_COUNTED {
        counts.retain(|_, (_, count)| *count > 1);
    }
    if counts.len() > MOST_COUNTED {
        counts.clear();
    }
}
