//! Cloudflare's queue and bucket, as workerd reaches them: it makes HTTP requests of what a Worker does
//! with a binding. Beside them what a test sees and sets.
//!
//! | address | what it does |
//! |---|---|
//! | `POST /message` | a queue's binding: takes a message |
//! | `GET /`, `PUT /` | a bucket's binding: head, get, list; put, delete |
//! | `GET /control/state` | messages, objects, and counts of what happened |
//! | `DELETE /control/state` | forgets all of them |
//! | `GET /control/taken/ID` | what a Worker's binding has put into either since the one with this number, gone or not |
//! | `PUT`, `DELETE /control/faults` | see [`Fault`] |
//! | `PUT`, `DELETE /control/settings` | see [`Settings`] |
//! | `POST /control/messages` | puts any bytes into the queue |
//! | `PUT /control/objects/KEY` | puts any bytes into the bucket |
//!
//! What is confirmed is in a file: it survives the end of this program as well as that of the Worker.
//!
//! [`Fault`]: faults::Fault
//! [`Settings`]: queue::Settings

mod bucket;
mod control;
pub(crate) mod faults;
pub(crate) mod queue;
mod store;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use serde::Serialize;
use serde_json::json;
use tokio::sync::Notify;

use self::faults::{Do, Faults, On};
use self::queue::{Driver, Settings};
use self::store::Store;
use crate::clock::Clock;
use crate::options::Loopback;

/// More than a queue takes, so that it can be refused.
const MAX_BODY: usize = 1024 * 1024;

/// Longest message of a queue, in bytes.
const MAX_MESSAGE: usize = 128_000;

type Reply = Response<Full<Bytes>>;

/// Where the queue and the bucket listen, and where messages go.
#[derive(Debug)]
pub struct CloudOptions {
    /// Where they listen.
    pub listen: Loopback,
    /// The SQLite file.
    pub db: PathBuf,
    /// The Worker that hands messages to the consumer; nothing is delivered without.
    pub driver: Option<Loopback>,
}

/// What happened so far, as counts.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Counts {
    /// Messages that were confirmed.
    sent: u64,
    /// Messages in deliveries, repeated ones included.
    delivered: u64,
    /// Messages that the consumer is done with.
    acked: u64,
    /// Verdicts that a message comes again.
    retried: u64,
    /// Messages without a verdict of their own.
    implicit: u64,
    /// Messages that came too often, and lie in the dead-letter queue from then on.
    dead_lettered: u64,
    /// Messages of that queue that came too often as well, and are gone.
    lost: u64,
    /// Messages that came once more although the consumer was done with them, and that came with later
    /// ones before them.
    twice: u64,
    reversed: u64,
    put: u64,
    removed: u64,
}

/// The queue and the bucket.
#[derive(Debug)]
pub(crate) struct Cloud {
    clock: Clock,
    store: Store,
    driver: Option<Driver>,
    faults: Mutex<Faults>,
    settings: Mutex<Settings>,
    counts: Mutex<Counts>,
    /// There may be something to deliver.
    news: Notify,
}

impl Cloud {
    pub(crate) fn open(options: &CloudOptions) -> rusqlite::Result<Arc<Self>> {
        Ok(Arc::new(Self {
            clock: Clock::start(),
            store: Store::open(&options.db)?,
            driver: options.driver.map(Driver::at),
            faults: Mutex::default(),
            settings: Mutex::default(),
            counts: Mutex::default(),
            news: Notify::new(),
        }))
    }

    pub(crate) async fn answer(&self, request: Request<Incoming>) -> Reply {
        let (head, body) = request.into_parts();
        let Ok(body) = Limited::new(body, MAX_BODY).collect().await else {
            return empty(StatusCode::PAYLOAD_TOO_LARGE);
        };
        let body = body.to_bytes();
        let path = head.uri.path();
        let answered = match (head.method.clone(), path) {
            (Method::POST, "/message") => self.take(&body).await,
            (_, "/") => bucket::answer(self, &head, &body).await,
            (method, path) => match path.strip_prefix("/control/") {
                Some(path) => control::answer(self, &method, path, &body),
                None => Ok(empty(StatusCode::NOT_FOUND)),
            },
        };
        answered.unwrap_or_else(|error| {
            json_reply(StatusCode::INTERNAL_SERVER_ERROR, &json!({ "message": error.to_string() }))
        })
    }

    /// Takes a message.
    async fn take(&self, body: &Bytes) -> rusqlite::Result<Reply> {
        if body.len() > MAX_MESSAGE {
            return Ok(empty(StatusCode::PAYLOAD_TOO_LARGE));
        }
        self.under(On::Send, || {
            self.store.send(queue::QUEUE, body, self.clock.now())?;
            self.store.note("queue", body)?;
            self.counts().sent += 1;
            self.news.notify_one();
            let metrics = json!({ "backlogCount": 0, "backlogBytes": 0 });
            Ok(json_reply(StatusCode::OK, &json!({ "metadata": { "metrics": metrics } })))
        })
        .await
    }

    /// Does something, unless a fault is in its way.
    async fn under(
        &self,
        on: On,
        work: impl FnOnce() -> rusqlite::Result<Reply>,
    ) -> rusqlite::Result<Reply> {
        let fault = self.faults().take(on);
        let fails = || empty(StatusCode::INTERNAL_SERVER_ERROR);
        match fault {
            Some(Do::Fail) => Ok(fails()),
            Some(Do::Hang) => std::future::pending().await,
            Some(Do::FailAfter) => work().map(|_| fails()),
            Some(Do::HangAfter) => {
                work()?;
                std::future::pending().await
            }
            _ => work(),
        }
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn settings(&self) -> MutexGuard<'_, Settings> {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn json_reply(status: StatusCode, body: &impl Serialize) -> Reply {
    let text = serde_json::to_vec(body).expect("answers are built from values with a JSON form");
    let mut reply = Response::new(Full::new(text.into()));
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    reply
}

fn empty(status: StatusCode) -> Reply {
    let mut reply = Response::new(Full::default());
    *reply.status_mut() = status;
    reply
}
