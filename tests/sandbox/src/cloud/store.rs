//! What the queue and the bucket hold, in SQLite.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension as _, params};

// No power is cut here, only processes end: what SQLite gave to the system is safe.
const TABLES: &str = "
PRAGMA journal_mode = WAL;
PRAGMA synchronous = OFF;
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, body BLOB NOT NULL, at INTEGER NOT NULL,
    attempts INTEGER NOT NULL, due INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS objects (
    key TEXT PRIMARY KEY, body BLOB NOT NULL, fields TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS taken (
    id INTEGER PRIMARY KEY AUTOINCREMENT, place TEXT NOT NULL, body BLOB NOT NULL) STRICT;
";

/// A message that waits.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) id: i64,
    pub(super) queue: String,
    pub(super) body: Vec<u8>,
    pub(super) at: u64,
    /// How often it was delivered.
    pub(super) attempts: u32,
}

/// An object of the bucket.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) key: String,
    pub(super) body: Vec<u8>,
    /// Custom metadata as workerd writes it.
    pub(super) fields: String,
    pub(super) at: u64,
}

#[derive(Debug)]
pub(super) struct Store(Mutex<Connection>);

impl Store {
    pub(super) fn open(path: &Path) -> rusqlite::Result<Self> {
        let db = Connection::open(path)?;
        db.execute_batch(TABLES)?;
        Ok(Self(Mutex::new(db)))
    }

    fn db(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn send(&self, queue: &str, body: &[u8], now: u64) -> rusqlite::Result<()> {
        let sql = "INSERT INTO messages (queue, body, at, attempts, due) VALUES (?1, ?2, ?3, 0, 0)";
        self.db().execute(sql, params![queue, body, now]).map(drop)
    }

    /// Messages of a queue that are due, or all that there are.
    pub(super) fn messages(
        &self,
        queue: Option<&str>,
        due: u64,
        newest_first: bool,
        most: u32,
    ) -> rusqlite::Result<Vec<Message>> {
        let order = if newest_first { "DESC" } else { "ASC" };
        let sql = format!(
            "SELECT id, queue, body, at, attempts FROM messages
             WHERE (?1 IS NULL OR queue = ?1) AND due <= ?2 ORDER BY id {order} LIMIT ?3"
        );
        let db = self.db();
        let mut statement = db.prepare_cached(&sql)?;
        let rows = statement.query_map(params![queue, due, most], |row| {
            Ok(Message {
                id: row.get(0)?,
                queue: row.get(1)?,
                body: row.get(2)?,
                at: row.get(3)?,
                attempts: row.get(4)?,
            })
        })?;
        rows.collect()
    }

    /// When the next message is due, if there is one.
    pub(super) fn next_due(&self) -> rusqlite::Result<Option<u64>> {
        self.db().query_row("SELECT MIN(due) FROM messages", [], |row| row.get(0))
    }

    pub(super) fn remove_message(&self, id: i64) -> rusqlite::Result<()> {
        self.db().execute("DELETE FROM messages WHERE id = ?1", [id]).map(drop)
    }

    /// Counts a delivery, and says when the next may be.
    pub(super) fn delivered(&self, id: i64, due: u64) -> rusqlite::Result<()> {
        let sql = "UPDATE messages SET attempts = attempts + 1, due = ?2 WHERE id = ?1";
        self.db().execute(sql, params![id, due]).map(drop)
    }

    /// Puts a message into another queue, where it begins anew.
    pub(super) fn move_message(&self, id: i64, queue: &str) -> rusqlite::Result<()> {
        let sql = "UPDATE messages SET queue = ?2, attempts = 0, due = 0 WHERE id = ?1";
        self.db().execute(sql, params![id, queue]).map(drop)
    }

    pub(super) fn put(&self, object: &Object) -> rusqlite::Result<()> {
        let Object { key, body, fields, at } = object;
        let sql = "INSERT OR REPLACE INTO objects (key, body, fields, at) VALUES (?1, ?2, ?3, ?4)";
        self.db().execute(sql, params![key, body, fields, at]).map(drop)
    }

    pub(super) fn object(&self, key: &str) -> rusqlite::Result<Option<Object>> {
        let sql = "SELECT key, body, fields, at FROM objects WHERE key = ?1";
        self.db().query_row(sql, [key], object).optional()
    }

    /// The first objects that begin with `prefix` and come after `after`.
    pub(super) fn objects(
        &self,
        prefix: &str,
        after: &str,
        most: u32,
    ) -> rusqlite::Result<Vec<Object>> {
        let db = self.db();
        let mut statement = db.prepare_cached(
            "SELECT key, body, fields, at FROM objects
             WHERE substr(key, 1, length(?1)) = ?1 AND key > ?2 ORDER BY key LIMIT ?3",
        )?;
        let rows = statement.query_map(params![prefix, after, most], object)?;
        rows.collect()
    }

    /// Keeps what was taken, for whoever counts it when it is gone.
    pub(super) fn note(&self, place: &str, body: &[u8]) -> rusqlite::Result<()> {
        let sql = "INSERT INTO taken (place, body) VALUES (?1, ?2)";
        self.db().execute(sql, params![place, body]).map(drop)
    }

    /// The first of what was taken after `id`: its number, where it was put, and its bytes.
    pub(super) fn taken(
        &self,
        id: i64,
        most: u32,
    ) -> rusqlite::Result<Vec<(i64, String, Vec<u8>)>> {
        let db = self.db();
        let sql = "SELECT id, place, body FROM taken WHERE id > ?1 ORDER BY id LIMIT ?2";
        let mut statement = db.prepare_cached(sql)?;
        let rows = statement
            .query_map(params![id, most], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        rows.collect()
    }

    pub(super) fn remove(&self, key: &str) -> rusqlite::Result<()> {
        self.db().execute("DELETE FROM objects WHERE key = ?1", [key]).map(drop)
    }

    pub(super) fn clear(&self) -> rusqlite::Result<()> {
        self.db().execute_batch("DELETE FROM messages; DELETE FROM objects; DELETE FROM taken;")
    }
}

fn object(row: &rusqlite::Row<'_>) -> rusqlite::Result<Object> {
    Ok(Object { key: row.get(0)?, body: row.get(1)?, fields: row.get(2)?, at: row.get(3)? })
}
