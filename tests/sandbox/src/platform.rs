//! The platform's server: the tracker, the REST API, and what a test asks of both.

mod control;
mod page;
mod receive;
mod recoms;
mod rest;
mod state;
mod turnstile;

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Request, Response, StatusCode};
use serde::Serialize;

use self::receive::Limiter;
use self::rest::Limits;
pub(crate) use self::rest::Tokens;
use self::turnstile::Turnstile;
use crate::clock::Clock;
use crate::faults::Faults;
use crate::settings::Settings;
use crate::store::Store;

/// An answer of this server.
type Reply = Response<Full<Bytes>>;

/// The platform, as far as its callers see it.
#[derive(Debug)]
pub(crate) struct Platform {
    clock: Clock,
    store: Store,
    last_seq: AtomicU64,
    settings: Mutex<Settings>,
    faults: Mutex<Faults>,
    limiter: Mutex<Limiter>,
    limits: Mutex<Limits>,
    tokens: Tokens,
    turnstile: Mutex<Turnstile>,
}

/// The connection is to be closed without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dropped;

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("dropped by a fault")
    }
}

impl std::error::Error for Dropped {}

impl Platform {
    pub(crate) fn open(db: &Path) -> rusqlite::Result<Self> {
        let store = Store::open(db)?;
        Ok(Self {
            clock: Clock::start(),
            last_seq: AtomicU64::new(store.last_seq()?),
            store,
            settings: Mutex::default(),
            faults: Mutex::default(),
            limiter: Mutex::default(),
            limits: Mutex::default(),
            tokens: Tokens::default(),
            turnstile: Mutex::default(),
        })
    }

    /// Answers a request, or drops its connection where a fault says so.
    pub(crate) async fn answer(&self, request: Request<Incoming>) -> Result<Reply, Dropped> {
        match control::route(request.uri().path()) {
            Some(route) => Ok(control::answer(self, route, request).await),
            None if turnstile::is_turnstile(request.uri().path()) => {
                Ok(turnstile::answer(self, request).await)
            }
            None if recoms::is_recoms(request.uri().path()) => recoms::answer(self, request).await,
            None if rest::is_rest(request.uri().path()) => rest::answer(self, request).await,
            None => receive::answer(self, request).await,
        }
    }

    fn next_seq(&self) -> u64 {
        self.last_seq.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn settings(&self) -> MutexGuard<'_, Settings> {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn limiter(&self) -> MutexGuard<'_, Limiter> {
        self.limiter.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn turnstile(&self) -> MutexGuard<'_, Turnstile> {
        self.turnstile.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn limits(&self) -> MutexGuard<'_, Limits> {
        self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn json_reply(status: StatusCode, body: &impl Serialize) -> Reply {
    let text = serde_json::to_vec(body).expect("answers are built from values with a JSON form");
    reply(status, "application/json", text)
}

fn reply(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(Full::new(body.into()));
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    reply
}

fn empty_reply(status: StatusCode) -> Reply {
    let mut reply = Response::new(Full::default());
    *reply.status_mut() = status;
    reply
}
