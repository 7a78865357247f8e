//! Everything that arrived, in SQLite. Only this module speaks SQL.

mod contacts;
mod docs;
mod history;
mod orders;
mod record;
mod schema;
mod state;
mod stats;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension as _, params};

pub(crate) use self::contacts::{Contact, Wanted};
pub(crate) use self::docs::Doc;
pub(crate) use self::history::{Activity, Happened, Sent};
pub(crate) use self::orders::Order;
pub(crate) use self::record::{Record, Stored, Verdict};
pub(crate) use self::state::State;
pub(crate) use self::stats::Stats;

/// Which requests to list, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    /// Only those after this one.
    pub(crate) since: u64,
    pub(crate) verdict: Option<Verdict>,
    pub(crate) event: Option<String>,
    /// What the path begins with, query included.
    pub(crate) path: Option<String>,
    /// Only what came to the tracker.
    pub(crate) tracker_only: bool,
    pub(crate) limit: Option<u32>,
}

/// The store. Each call takes well under a millisecond, an import of thousands of contacts some tenths
/// of a second, so it may be made from an async function.
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
        schema::bring_up(&db)?;
        // More statements than the default of 16 are in use at once while an import runs.
        db.set_prepared_statement_cache_capacity(64);
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
                WHERE verdict = 'accepted' AND once = 1 AND operation IS NULL
                    AND body = ?1 AND received > ?2)";
            let oldest = i64::try_from(record.received)
                .unwrap_or(i64::MAX)
                .saturating_sub_unsigned(duplicate_window_ms);
            if db.prepare_cached(sql)?.query_row(params![record.body, oldest], |row| row.get(0))? {
                verdict = Verdict::Duplicate;
            }
        }
        let status = match (verdict, record.status) {
            (Verdict::Duplicate, Some(_)) => Some(400),
            (_, status) => status,
        };
        record.insert(&db, verdict, status)?;
        Ok(verdict)
    }

    /// Does all of `work` on the state or, when that fails, nothing of it.
    pub(crate) fn transact<T>(
        &self,
        work: impl FnOnce(&State<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let mut db = self.db();
        let transaction = db.transaction()?;
        let done = work(&State::of(&transaction))?;
        transaction.commit()?;
        Ok(done)
    }

    /// Requests in the order of their arrival.
    pub(crate) fn list(&self, filter: &Filter) -> rusqlite::Result<Vec<Stored>> {
        let db = self.db();
        let mut query = db.prepare_cached(
            "SELECT * FROM requests WHERE seq > ?1 AND (?2 IS NULL OR verdict = ?2)
                AND (?3 IS NULL OR event = ?3) AND (?4 IS NULL OR substr(path, 1, length(?4)) = ?4)
                AND (?5 = 0 OR operation IS NULL) ORDER BY seq LIMIT ?6",
        )?;
        let limit = filter.limit.map_or(-1, i64::from);
        let verdict = filter.verdict.map(Verdict::name);
        let (event, path, tracker_only) = (&filter.event, &filter.path, filter.tracker_only);
        query
            .query_map(
                params![filter.since, verdict, event, path, tracker_only, limit],
                Stored::of,
            )?
            .collect()
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

    /// Forgets the account's state, and keeps the requests that led to it.
    pub(crate) fn clear_state(&self) -> rusqlite::Result<()> {
        self.transact(|state| {
            state.clear()?;
            Ok(())
        })
    }

    /// Counts everything.
    pub(crate) fn stats(&self) -> rusqlite::Result<Stats> {
        Stats::count(&self.db())
    }
}
