//! One request, on its way into the store and back.

use hyper::http::request::Parts;
use rusqlite::{Connection, Row, named_params};
use serde::Serialize;

use crate::contract::Refusal;

/// Headers that hold a secret; recorded as present, never with their value.
const SECRET_HEADERS: [&str; 4] =
    ["authorization", "proxy-authorization", "x-api-key", "x-reteno-access-key"];

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    /// Stored as an event or, in the REST API, done.
    Accepted,
    /// The same bytes as a request accepted shortly before.
    Duplicate,
    /// Against the contract, or refused by a fault that says so.
    Refused,
    /// A fault kept it from being judged.
    Faulted,
    /// Above the rate limit.
    Limited,
}

impl Verdict {
    pub(crate) const ALL: [Self; 5] =
        [Self::Accepted, Self::Duplicate, Self::Refused, Self::Faulted, Self::Limited];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Duplicate => "duplicate",
            Self::Refused => "refused",
            Self::Faulted => "faulted",
            Self::Limited => "limited",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.name() == name)
    }
}

/// One request on its way into the store.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) seq: u64,
    pub(crate) received: u64,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) authorized: bool,
    /// What the request's key was worth, and which of the known ones it was.
    pub(crate) auth: Option<&'static str>,
    pub(crate) key: Option<u64>,
    /// The REST operation and the pool that counts it; None at the tracker.
    pub(crate) operation: Option<String>,
    pub(crate) pool: Option<String>,
    /// Whether a repetition of it is a duplicate.
    pub(crate) once: bool,
    pub(crate) user_agent: Option<String>,
    pub(crate) body: Vec<u8>,
    pub(crate) verdict: Verdict,
    /// None when the connection was closed instead.
    pub(crate) status: Option<u16>,
    pub(crate) fault: Option<&'static str>,
    pub(crate) event: Option<String>,
    pub(crate) sc: Option<String>,
    pub(crate) error: Option<Refusal>,
    pub(crate) extras: Vec<String>,
}

impl Record {
    pub(crate) fn of(seq: u64, received: u64, head: &Parts, verdict: Verdict) -> Self {
        let mut authorized = false;
        let mut user_agent = None;
        let mut headers = Vec::with_capacity(head.headers.len());
        for (name, value) in &head.headers {
            let secret = SECRET_HEADERS.contains(&name.as_str());
            authorized |= secret;
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            if name == hyper::header::USER_AGENT {
                user_agent = Some(value.clone());
            }
            headers.push((name.to_string(), if secret { "***".to_owned() } else { value }));
        }
        Self {
            seq,
            received,
            method: head.method.to_string(),
            path: head.uri.to_string(),
            headers,
            authorized,
            auth: None,
            key: None,
            operation: None,
            pool: None,
            once: true,
            user_agent,
            body: Vec::new(),
            verdict,
            status: None,
            fault: None,
            event: None,
            sc: None,
            error: None,
            extras: Vec::new(),
        }
    }

    /// Writes it down with the verdict and status that it came to.
    pub(super) fn insert(
        &self,
        db: &Connection,
        verdict: Verdict,
        status: Option<u16>,
    ) -> rusqlite::Result<()> {
        let sql =
            "INSERT INTO requests (seq, received, method, path, headers, authorized, user_agent,
                body, verdict, status, fault, event, sc, error, extras, operation, pool, auth, key,
                once)
            VALUES (:seq, :received, :method, :path, :headers, :authorized, :user_agent,
                :body, :verdict, :status, :fault, :event, :sc, :error, :extras, :operation, :pool,
                :auth, :key, :once)";
        db.prepare_cached(sql)?.execute(named_params! {
            ":seq": self.seq,
            ":received": self.received,
            ":method": self.method,
            ":path": self.path,
            ":headers": json(&self.headers),
            ":authorized": self.authorized,
            ":user_agent": self.user_agent,
            ":body": self.body,
            ":verdict": verdict.name(),
            ":status": status,
            ":fault": self.fault,
            ":event": self.event,
            ":sc": self.sc,
            ":error": self.error.as_ref().map(json),
            ":extras": json(&self.extras),
            ":operation": self.operation,
            ":pool": self.pool,
            ":auth": self.auth,
            ":key": self.key,
            ":once": self.once,
        })?;
        Ok(())
    }
}

fn json(value: impl Serialize) -> String {
    serde_json::to_string(&value).expect("lists of text and refusals have a JSON form")
}

/// One request as the store gives it back; lists and objects stay JSON text.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) seq: u64,
    pub(crate) received: u64,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: String,
    pub(crate) authorized: bool,
    pub(crate) auth: Option<String>,
    pub(crate) key: Option<u64>,
    pub(crate) operation: Option<String>,
    pub(crate) pool: Option<String>,
    pub(crate) user_agent: Option<String>,
    pub(crate) body: Vec<u8>,
    pub(crate) verdict: String,
    pub(crate) status: Option<u16>,
    pub(crate) fault: Option<String>,
    pub(crate) event: Option<String>,
    pub(crate) sc: Option<String>,
    pub(crate) error: Option<String>,
    pub(crate) extras: String,
}

impl Stored {
    pub(super) fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: row.get("seq")?,
            received: row.get("received")?,
            method: row.get("method")?,
            path: row.get("path")?,
            headers: row.get("headers")?,
            authorized: row.get("authorized")?,
            auth: row.get("auth")?,
            key: row.get("key")?,
            operation: row.get("operation")?,
            pool: row.get("pool")?,
            user_agent: row.get("user_agent")?,
            body: row.get("body")?,
            verdict: row.get("verdict")?,
            status: row.get("status")?,
            fault: row.get("fault")?,
            event: row.get("event")?,
            sc: row.get("sc")?,
            error: row.get("error")?,
            extras: row.get("extras")?,
        })
    }
}
