//! The last good answers, on disk, and when the platform may be asked again.

use std::{cell::Cell, rc::Rc};

use esputnik_kit::recommendation::cache::Kept;
use serde::Deserialize;
use worker::{Result, SqlStorage};

use crate::{
    objects::{now, number},
    tables,
};

/// The version of the tables.
const VERSION: i64 = 1;

/// Most answers that an object keeps; of some kB each.
const MOST_ROWS: u64 = 20_000;

/// How many go at a time when there are more.
const ROWS_GONE: u64 = 1000;

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS answer (
    key TEXT PRIMARY KEY,
    -- When the call of the last good answer was made, and that answer, or 0 and nothing.
    at INTEGER NOT NULL,
    body TEXT NOT NULL,
    not_before INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    -- After this the row says nothing any more.
    until INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS answer_until ON answer (until);";

#[derive(Deserialize)]
struct Row {
    at: u64,
    body: String,
    not_before: u64,
    failures: u32,
}

#[derive(Deserialize)]
struct Number {
    count: u64,
}

/// The answers of an object.
pub(crate) struct Store {
    sql: SqlStorage,
    rows: Cell<u64>,
}

impl Store {
    pub(crate) fn open(sql: SqlStorage) -> Result<Self> {
        tables::open(&sql, TABLES, VERSION)?;
        let store = Self { sql, rows: Cell::new(0) };
        store.rows.set(store.count()?);
        Ok(store)
    }

    /// How many rows there are.
    pub(crate) fn count(&self) -> Result<u64> {
        let rows: Vec<Number> =
            self.sql.exec("SELECT count(*) AS count FROM answer", None)?.to_array()?;
        Ok(rows.first().map_or(0, |row| row.count))
    }

    /// What is known of a key.
    pub(crate) fn load(&self, key: &str) -> Result<Option<Kept<Rc<str>>>> {
        let select = "SELECT at, body, not_before, failures FROM answer WHERE key = ?";
        let rows: Vec<Row> = self.sql.exec(select, vec![key.into()])?.to_array()?;
        Ok(rows.into_iter().next().map(|row| Kept {
            good: (!row.body.is_empty()).then(|| (row.body.into(), row.at)),
            not_before: row.not_before,
            failures: row.failures,
        }))
    }

    /// Writes down what is known of a key; of a good answer it counts for `stale` milliseconds. Without
    /// one, that on disk stays.
    pub(crate) fn save(&self, key: &str, kept: &Kept<Rc<str>>, stale: u64) -> Result<()> {
        let (body, at) = kept.good.as_ref().map_or(("", 0), |(body, at)| (body.as_ref(), *at));
        let insert = "INSERT INTO answer (key, at, body, not_before, failures, until)
            VALUES (?1, ?2, ?3, ?4, ?5, max(iif(?3 = '', 0, ?2 + ?6), ?4))
            ON CONFLICT (key) DO UPDATE SET
                at = iif(?3 = '', at, ?2), body = iif(?3 = '', body, ?3),
                not_before = ?4, failures = ?5,
                until = max(iif(?3 = '', iif(body = '', 0, at + ?6), ?2 + ?6), ?4)";
        let values = vec![
            key.into(),
            number(at),
            body.into(),
            number(kept.not_before),
            number(kept.failures.into()),
            number(stale),
        ];
        self.sql.exec(insert, values)?;
        // Some of these were there before; so many are counted again.
        self.rows.set(self.rows.get() + 1);
        if self.rows.get() > MOST_ROWS {
            self.rows.set(self.count()?);
        }
        if self.rows.get() > MOST_ROWS {
            // First those that the platform may be asked for again anyway.
            let delete = "DELETE FROM answer WHERE key IN
                (SELECT key FROM answer ORDER BY not_before > ?, until LIMIT ?)";
            self.sql.exec(delete, vec![number(now()), number(ROWS_GONE)])?;
            self.rows.set(self.count()?);
        }
        Ok(())
    }

    /// Forgets what says nothing any more; how much is left.
    pub(crate) fn clean(&self, now: u64) -> Result<u64> {
        self.sql.exec("DELETE FROM answer WHERE until < ?", vec![number(now)])?;
        self.rows.set(self.count()?);
        Ok(self.rows.get())
    }

    /// Forgets the keys that begin with `start`, which ends with a slash.
    pub(crate) fn forget(&self, start: &str) -> Result<()> {
        // `0` comes behind `/`.
        let end = [start.trim_end_matches('/'), "0"].concat();
        let delete = "DELETE FROM answer WHERE key >= ? AND key < ?";
        self.sql.exec(delete, vec![start.into(), end.into()]).map(|_| ())
    }
}
