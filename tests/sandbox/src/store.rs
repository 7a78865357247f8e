//! Everything that arrived, in SQLite. Only this module speaks SQL.

mod record;
mod stats;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension as _, named_params, params};
use serde::Serialize;

pub(crate) use self::record::{Record, Stored, Verdict};
pub(crate) use self::stats::Stats;

const SCHEMA_VERSION: i64 = 1;

/// The index on whole bodies is what finds duplicates: exactly, and without a hash of our own.
/// AUTOINCREMENT goes on counting after the table was emptied.
const SCHEMA: &str = "
BEGIN;
CREATE TABLE requests (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    received INTEGER NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    headers TEXT NOT NULL,
    authorized INTEGER NOT NULL,
    user_agent TEXT,
    body BLOB NOT NULL,
    verdict TEXT NOT NULL,
    status INTEGER,
    fault TEXT,
    event TEXT,
    sc TEXT,
    error TEXT,
    extras TEXT NOT NULL
) STRICT;
CREATE INDEX accepted_bodies ON requests (body) WHERE verdict = 'accepted';
PRAGMA user_version = 1;
COMMIT;
";

/// Which requests to list, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    /// Only those after this one.
    pub(crate) since: u64,
    pub(crate) verdict: Option<Verdict>,
    pub(crate) event: Option<String>,
    pub(crate) limit: Option<u32>,
}

/// The store. Each call takes well under a millisecond, so it may be made from an async function.
#[derive(Debug)]
pub(crate) struct Store(Mutex<Connection>);

impl Store {
    /// Opens the file, and makes it if there is none.
    ///
    /// # Errors
    ///
    /// SQLite's, and [`rusqlite::Error::InvalidQuery`] for a file of another version.
    pub(crate) fn open(path: &Path) -> rusqlite::Result<Self> {
        let db = Connection::open(path)?;
        // Survives a killed process, which is what tests do; a power cut is not tested.
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.pragma_update(None, "synchronous", "NORMAL")?;
        match db.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))? {
            0 => db.execute_batch(SCHEMA)?,
            SCHEMA_VERSION => {}
            _ => return Err(rusqlite::Error::InvalidQuery),
        }
        Ok(Self(Mutex::new(db)))
    }

    fn db(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The highest number ever given to a request, emptied ones included.
    pub(crate) fn last_seq(&self) -> rusqlite::Result<u64> {
        let sql = "SELECT seq FROM sqlite_sequence WHERE name = 'requests'";
        let seq = self.db().query_row(sql, [], |row| row.get(0)).optional()?;
        Ok(seq.unwrap_or(0))
    }

    /// Writes a request down, and tells what became of it.
    ///
    /// # Guarantees
    ///
    /// Of two bodies with the same bytes that arrive within `duplicate_window_ms`, at whatever
    /// distance, one is accepted and the other a duplicate.
    pub(crate) fn add(
        &self,
        record: &Record,
        duplicate_window_ms: u64,
    ) -> rusqlite::Result<Verdict> {
        let db = self.db();
        let mut verdict = record.verdict;
        if verdict == Verdict::Accepted {
            let sql = "SELECT EXISTS (SELECT 1 FROM requests
                WHERE verdict = 'accepted' AND body = ?1 AND received > ?2)";
            let oldest = i64::try_from(record.received)
                .unwrap_or(i64::MAX)
                .saturating_sub_unsigned(duplicate_window_ms);
            if db.prepare_cached(sql)?.query_row(params![record.body, oldest], |row| row.get(0))? {
                verdict = Verdict::Duplicate;
            }
        }
        let sql =
            "INSERT INTO requests (seq, received, method, path, headers, authorized, user_agent,
                body, verdict, status, fault, event, sc, error, extras)
            VALUES (:seq, :received, :method, :path, :headers, :authorized, :user_agent,
                :body, :verdict, :status, :fault, :event, :sc, :error, :extras)";
        let status = match (verdict, record.status) {
            (Verdict::Duplicate, Some(_)) => Some(400),
            (_, status) => status,
        };
        db.prepare_cached(sql)?.execute(named_params! {
            ":seq": record.seq,
            ":received": record.received,
            ":method": record.method,
            ":path": record.path,
            ":headers": json(&record.headers),
            ":authorized": record.authorized,
            ":user_agent": record.user_agent,
            ":body": record.body,
            ":verdict": verdict.name(),
            ":status": status,
            ":fault": record.fault,
            ":event": record.event,
            ":sc": record.sc,
            ":error": record.error.as_ref().map(json),
            ":extras": json(&record.extras),
        })?;
        Ok(verdict)
    }

    /// Requests in the order of their arrival.
    pub(crate) fn list(&self, filter: &Filter) -> rusqlite::Result<Vec<Stored>> {
        let db = self.db();
        let mut query = db.prepare_cached(
            "SELECT * FROM requests WHERE seq > ?1 AND (?2 IS NULL OR verdict = ?2)
                AND (?3 IS NULL OR event = ?3) ORDER BY seq LIMIT ?4",
        )?;
        let limit = filter.limit.map_or(-1, i64::from);
        let verdict = filter.verdict.map(Verdict::name);
        query.query_map(params![filter.since, verdict, filter.event, limit], Stored::of)?.collect()
    }

    /// The newest requests, newest first.
    pub(crate) fn newest(&self, limit: u32) -> rusqlite::Result<Vec<Stored>> {
        let db = self.db();
        let mut query = db.prepare_cached("SELECT * FROM requests ORDER BY seq DESC LIMIT ?1")?;
        query.query_map([limit], Stored::of)?.collect()
    }

    /// The raw bytes of one request.
    pub(crate) fn body(&self, seq: u64) -> rusqlite::Result<Option<Vec<u8>>> {
        let sql = "SELECT body FROM requests WHERE seq = ?1";
        self.db().query_row(sql, [seq], |row| row.get(0)).optional()
    }

    /// Forgets every request, and with them what later ones could duplicate.
    pub(crate) fn clear(&self) -> rusqlite::Result<()> {
        self.db().execute("DELETE FROM requests", []).map(|_| ())
    }

    /// Counts everything.
    pub(crate) fn stats(&self) -> rusqlite::Result<Stats> {
        Stats::count(&self.db())
    }
}

fn json(value: impl Serialize) -> String {
    serde_json::to_string(&value).expect("lists of text and refusals have a JSON form")
}
