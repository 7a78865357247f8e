//! The account's state, as one transaction sees it.

use rusqlite::{Connection, params};

use super::schema::OF_STATE;
use super::{Record, Verdict};

/// The state inside a transaction. What it holds is spread over the files of this folder.
#[derive(Debug)]
pub(crate) struct State<'a> {
    pub(super) db: &'a Connection,
}

impl<'a> State<'a> {
    pub(super) fn of(db: &'a Connection) -> Self {
        Self { db }
    }

    /// Does `work` and, when it comes to an error, undoes what it did.
    pub(crate) fn attempt<T, E: From<rusqlite::Error>>(
        &self,
        work: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        self.db.execute_batch("SAVEPOINT attempt")?;
        let done = work();
        if done.is_err() {
            self.db.execute_batch("ROLLBACK TO attempt")?;
        }
        self.db.execute_batch("RELEASE attempt")?;
        done
    }

    /// Whether the same method, path and bytes were accepted within `window_ms`.
    pub(crate) fn is_repeated(&self, record: &Record, window_ms: u64) -> rusqlite::Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM requests
            WHERE verdict = 'accepted' AND once = 1 AND body = ?1 AND received > ?2
                AND method = ?3 AND path = ?4 AND operation IS NOT NULL)";
        let oldest =
            i64::try_from(record.received).unwrap_or(i64::MAX).saturating_sub_unsigned(window_ms);
        self.db
            .prepare_cached(sql)?
            .query_row(params![record.body, oldest, record.method, record.path], |row| row.get(0))
    }

    /// Writes a request down in the same transaction as what it changed.
    pub(crate) fn add(
        &self,
        record: &Record,
        verdict: Verdict,
        status: Option<u16>,
    ) -> rusqlite::Result<()> {
        record.insert(self.db, verdict, status)
    }

    /// Forgets the account's state, and keeps the requests that led to it.
    pub(super) fn clear(&self) -> rusqlite::Result<()> {
        for table in OF_STATE {
            self.db.execute(&format!("DELETE FROM {table}"), [])?;
        }
        self.db.execute("DELETE FROM sqlite_sequence WHERE name <> 'requests'", [])?;
        Ok(())
    }
}
