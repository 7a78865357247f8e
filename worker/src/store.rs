//! The tables of an outbox object.
//!
//! `batch` holds what one request brought for one visitor: the message ids, for as long as a
//! repeat is recognised, and the bodies, until the platform has them. One row for many events
//! keeps the cost per event low: a row written is what Durable Objects charge for.
#![expect(clippy::items_after_statements, reason = "the shape of a row stands beside its query")]

use std::collections::BTreeMap;

use esputnik_kit::{outbox::Row, visitor::Visitor, wire::message_time};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use worker::{Result, SqlStorage, SqlStorageValue};

use crate::{objects::number, tables};

/// The version of the tables that this build writes.
const VERSION: i64 = 1;

/// How long a message id is recognised, in milliseconds: twice as long as pages keep records.
const KNOWN_FOR: u64 = 14 * 24 * 60 * 60 * 1000;

/// How long what the platform refused is kept for a replay, in milliseconds.
const DEAD_FOR: u64 = 30 * 24 * 60 * 60 * 1000;

/// How long a visitor who does not come back is remembered, in milliseconds: as long as browsers
/// keep the cookie.
const VISITOR_FOR: u64 = 400 * 24 * 60 * 60 * 1000;

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS batch (
  id INTEGER PRIMARY KEY, web_id TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
  received INTEGER NOT NULL, ids TEXT NOT NULL, bodies TEXT, agent TEXT,
  count INTEGER NOT NULL, position INTEGER NOT NULL, attempts INTEGER NOT NULL,
  next_at INTEGER NOT NULL, unknown INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS batch_visitor ON batch (web_id, last);
CREATE INDEX IF NOT EXISTS batch_open ON batch (id) WHERE position < count;
CREATE TABLE IF NOT EXISTS visitor (
  web_id TEXT PRIMARY KEY, state TEXT NOT NULL, updated INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS contact (
  hash TEXT NOT NULL, web_id TEXT NOT NULL, PRIMARY KEY (hash, web_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS dead (
  id INTEGER PRIMARY KEY, message_id TEXT NOT NULL, web_id TEXT NOT NULL, body TEXT NOT NULL,
  agent TEXT NOT NULL, status INTEGER NOT NULL, reason TEXT NOT NULL, at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
";

/// A row of `batch` that is to be stored.
pub(crate) struct NewBatch {
    pub(crate) web_id: String,
    pub(crate) received: u64,
    pub(crate) agent: String,
    /// The message ids; those with a body first, in the order of the bodies.
    pub(crate) ids: Vec<String>,
    pub(crate) bodies: Vec<String>,
}

/// A row of `batch` that is being sent.
#[derive(Debug)]
pub(crate) struct Sending {
    pub(crate) agent: String,
    pub(crate) ids: Vec<String>,
    pub(crate) bodies: Vec<Box<RawValue>>,
}

/// Something that the platform will not take.
pub(crate) struct Dead<'a> {
    pub(crate) message_id: &'a str,
    pub(crate) web_id: &'a str,
    pub(crate) body: &'a str,
    pub(crate) agent: &'a str,
    pub(crate) status: u16,
    pub(crate) reason: &'a str,
    pub(crate) at: u64,
}

/// A row of `dead` as it is listed.
#[derive(Debug, Deserialize)]
pub(crate) struct DeadRow {
    pub(crate) id: i64,
    pub(crate) message_id: String,
    pub(crate) web_id: String,
    pub(crate) body: String,
    pub(crate) agent: String,
    pub(crate) status: u16,
    pub(crate) reason: String,
    pub(crate) at: u64,
}

/// Message ids that came together.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Known {
    pub(crate) received: u64,
    pub(crate) ids: String,
}

pub(crate) struct Store {
    sql: SqlStorage,
}

impl Store {
    pub(crate) fn open(sql: SqlStorage) -> Result<Self> {
        tables::open(&sql, TABLES, VERSION)?;
        Ok(Self { sql })
    }

    fn write(&self, sql: &str, values: Vec<SqlStorageValue>) -> Result<usize> {
        Ok(self.sql.exec(sql, values)?.rows_written())
    }

    fn read<T: DeserializeOwned>(&self, sql: &str, values: Vec<SqlStorageValue>) -> Result<Vec<T>> {
        self.sql.exec(sql, values)?.to_array()
    }

    /// What the object keeps of itself under this name.
    fn meta(&self, name: &str) -> Result<Option<String>> {
        #[derive(Deserialize)]
        struct Found {
            value: String,
        }
        let found: Vec<Found> =
            self.read("SELECT value FROM meta WHERE name = ?", vec![name.into()])?;
        Ok(found.into_iter().next().map(|row| row.value))
    }

    pub(crate) fn visitor(&self, web_id: &str) -> Result<Option<Visitor>> {
        #[derive(Deserialize)]
        struct Found {
            state: String,
        }
        let sql = "SELECT state FROM visitor WHERE web_id = ?";
        let found: Vec<Found> = self.read(sql, vec![web_id.into()])?;
        // A state that cannot be read is of a newer version that was rolled back; the visitor
        // starts anew rather than nowhere.
        Ok(found.first().and_then(|row| serde_json::from_str(&row.state).ok()))
    }

    pub(crate) fn put_visitor(&self, web_id: &str, visitor: &Visitor, now: u64) -> Result<usize> {
        let sql = "INSERT INTO visitor (web_id, state, updated) VALUES (?, ?, ?)
            ON CONFLICT (web_id) DO UPDATE SET state = excluded.state, updated = excluded.updated";
        let state = serde_json::to_string(visitor)?;
        self.write(sql, vec![web_id.into(), state.into(), number(now)])
    }

    pub(crate) fn put_contact(&self, hash: &str, web_id: &str) -> Result<usize> {
        let sql = "INSERT OR IGNORE INTO contact (hash, web_id) VALUES (?, ?)";
        self.write(sql, vec![hash.into(), web_id.into()])
    }

    /// What is known of a message: its place among the bodies of its row, and how far that is.
    pub(crate) fn message(&self, web_id: &str, id: &str) -> Result<Option<Message>> {
        // Message ids carry their time, so the rows that can hold one are few.
        let sql = "SELECT id, ids, count, position FROM batch
            WHERE web_id = ? AND last >= ? AND first <= ? ORDER BY id";
        let time = number(message_time(id));
        #[derive(Deserialize)]
        struct Found {
            id: u64,
            ids: String,
            count: usize,
            position: usize,
        }
        let rows: Vec<Found> = self.read(sql, vec![web_id.into(), time.clone(), time])?;
        Ok(rows.iter().find_map(|row| {
            let place = row.ids.split(' ').position(|known| known == id)?;
            let is_done = place >= row.count || place < row.position;
            Some(Message { row: row.id, place, is_done })
        }))
    }

    /// The newest rows of a visitor: when each came, and its message ids.
    pub(crate) fn known(&self, web_id: &str, now: u64, most: u32) -> Result<Vec<Known>> {
        let sql = "SELECT received, ids FROM batch WHERE web_id = ? AND received >= ?
            ORDER BY last DESC LIMIT ?";
        let since = number(now.saturating_sub(KNOWN_FOR));
        self.read(sql, vec![web_id.into(), since, number(most.into())])
    }

    /// The refusal of a message, if the platform refused it.
    pub(crate) fn refusal(&self, id: &str) -> Result<Option<String>> {
        #[derive(Deserialize)]
        struct Found {
            reason: String,
        }
        let sql = "SELECT reason FROM dead WHERE message_id = ?";
        let found: Vec<Found> = self.read(sql, vec![id.into()])?;
        Ok(found.into_iter().next().map(|row| row.reason))
    }

    pub(crate) fn add(&self, batch: &NewBatch) -> Result<(Row, usize)> {
        let times = || batch.ids.iter().map(|id| message_time(id));
        let (first, last) = (times().min().unwrap_or(0), times().max().unwrap_or(0));
        let open = !batch.bodies.is_empty();
        let bodies = open.then(|| ["[", &batch.bodies.join(","), "]"].concat());
        let sql = "INSERT INTO batch (web_id, first, last, received, ids, bodies, agent, count,
            position, attempts, next_at, unknown) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0, 0)
            RETURNING id";
        let cursor = self.sql.exec(
            sql,
            vec![
                batch.web_id.as_str().into(),
                number(first),
                number(last),
                number(batch.received),
                batch.ids.join(" ").into(),
                bodies.into(),
                batch.agent.as_str().into(),
                number(batch.bodies.len() as u64),
            ],
        )?;
        #[derive(Deserialize)]
        struct Made {
            id: u64,
        }
        let made: Made = cursor.one()?;
        let row = Row {
            id: made.id,
            web_id: batch.web_id.clone(),
            count: batch.bodies.len(),
            position: 0,
            attempts: 0,
            next_at: 0,
            unknown: false,
            received: batch.received,
        };
        Ok((row, cursor.rows_written()))
    }

    /// Rows that are not done.
    pub(crate) fn open_rows(&self, progress: &Progress) -> Result<Vec<Row>> {
        #[derive(Deserialize)]
        struct Found {
            id: u64,
            web_id: String,
            count: usize,
            position: usize,
            attempts: u32,
            next_at: u64,
            unknown: u8,
            received: u64,
        }
        let sql = "SELECT id, web_id, count, position, attempts, next_at, unknown, received
            FROM batch WHERE position < count ORDER BY id";
        let rows: Vec<Found> = self.read(sql, vec![])?;
        let row = |found: Found| Row {
            id: found.id,
            web_id: found.web_id,
            count: found.count,
            position: found.position,
            attempts: found.attempts,
            next_at: found.next_at,
            unknown: found.unknown != 0,
            received: found.received,
        };
        let mut rows: Vec<Row> = rows.into_iter().map(row).collect();
        for row in &mut rows {
            if let Some((position, unknown)) = progress.get(&row.id) {
                (row.position, row.unknown) = (*position, *unknown);
                (row.attempts, row.next_at) = (0, 0);
            }
        }
        Ok(rows)
    }

    /// How far the rows are that were being sent when the object was last at work.
    pub(crate) fn progress(&self) -> Result<Progress> {
        let stored = self.meta("progress")?;
        Ok(stored.map(|text| serde_json::from_str(&text)).transpose()?.unwrap_or_default())
    }

    pub(crate) fn put_progress(&self, progress: &Progress) -> Result<usize> {
        let sql = "INSERT INTO meta (name, value) VALUES ('progress', ?) ON CONFLICT (name)
            DO UPDATE SET value = excluded.value";
        self.write(sql, vec![serde_json::to_string(progress)?.into()])
    }

    pub(crate) fn sending(&self, id: u64) -> Result<Option<Sending>> {
        #[derive(Deserialize)]
        struct Found {
            ids: String,
            bodies: Option<String>,
            agent: Option<String>,
        }
        let sql = "SELECT ids, bodies, agent FROM batch WHERE id = ?";
        let found: Vec<Found> = self.read(sql, vec![number(id)])?;
        let Some(Found { ids, bodies: Some(bodies), agent }) = found.into_iter().next() else {
            return Ok(None);
        };
        Ok(Some(Sending {
            agent: agent.unwrap_or_default(),
            ids: ids.split(' ').map(str::to_owned).collect(),
            bodies: serde_json::from_str(&bodies)?,
        }))
    }

    /// Stores how far a row is; a row that is done loses its bodies.
    pub(crate) fn update(&self, row: &Row) -> Result<usize> {
        if row.position >= row.count {
            let sql = "UPDATE batch SET position = count, bodies = NULL, agent = NULL WHERE id = ?";
            return self.write(sql, vec![number(row.id)]);
        }
        let sql = "UPDATE batch SET position = ?, attempts = ?, next_at = ?, unknown = ?
            WHERE id = ?";
        self.write(
            sql,
            vec![
                number(row.position as u64),
                number(row.attempts.into()),
                number(row.next_at),
                i32::from(row.unknown).into(),
                number(row.id),
            ],
        )
    }

    pub(crate) fn bury(&self, dead: &Dead<'_>) -> Result<usize> {
        let sql = "INSERT INTO dead (message_id, web_id, body, agent, status, reason, at)
            VALUES (?, ?, ?, ?, ?, ?, ?)";
        self.write(
            sql,
            vec![
                dead.message_id.into(),
                dead.web_id.into(),
                dead.body.into(),
                dead.agent.into(),
                i32::from(dead.status).into(),
                dead.reason.into(),
                number(dead.at),
            ],
        )
    }

    pub(crate) fn dead(&self, after: u32, most: u32) -> Result<Vec<DeadRow>> {
        let sql = "SELECT * FROM dead WHERE id > ? ORDER BY id LIMIT ?";
        self.read(sql, vec![number(after.into()), number(most.into())])
    }

    pub(crate) fn exhume(&self, id: i64) -> Result<usize> {
        self.write("DELETE FROM dead WHERE id = ?", vec![id.into()])
    }

    /// Erases what is held of a visitor. Message ids stay, so that a repeat of an erased event is
    /// not taken for a new one; they name nobody.
    pub(crate) fn erase(&self, web_id: &str) -> Result<()> {
        for sql in [
            "UPDATE batch SET bodies = NULL, agent = NULL, position = count WHERE web_id = ?",
            "DELETE FROM dead WHERE web_id = ?",
            "DELETE FROM visitor WHERE web_id = ?",
            "DELETE FROM contact WHERE web_id = ?",
        ] {
            self.write(sql, vec![web_id.into()])?;
        }
        Ok(())
    }

    /// Removes what has outlived its purpose, a part at a time.
    pub(crate) fn clean(&self, now: u64) -> Result<()> {
        let before = |age: u64| number(now.saturating_sub(age));
        let sql = "DELETE FROM batch WHERE position >= count AND received < ? AND id IN
            (SELECT id FROM batch ORDER BY id LIMIT 500)";
        self.write(sql, vec![before(KNOWN_FOR)])?;
        self.write("DELETE FROM dead WHERE at < ?", vec![before(DEAD_FOR)])?;
        self.write("DELETE FROM visitor WHERE updated < ?", vec![before(VISITOR_FOR)])?;
        Ok(())
    }

    /// The salt of the object's contact hashes, made once.
    pub(crate) fn salt(&self, fresh: &str) -> Result<String> {
        #[derive(Deserialize)]
        struct Found {
            value: String,
        }
        let sql = "INSERT INTO meta (name, value) VALUES ('salt', ?) ON CONFLICT (name)
            DO UPDATE SET value = value RETURNING value";
        let found: Found = self.sql.exec(sql, vec![fresh.into()])?.one()?;
        Ok(found.value)
    }

    /// How many events were refused for good.
    pub(crate) fn count_dead(&self) -> Result<u64> {
        #[derive(Deserialize)]
        struct Found {
            n: u64,
        }
        let dead: Vec<Found> = self.read("SELECT COUNT(*) AS n FROM dead", vec![])?;
        Ok(dead.first().map_or(0, |row| row.n))
    }
}

/// What is known of a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message {
    pub(crate) row: u64,
    /// Its place among the row's ids.
    pub(crate) place: usize,
    /// Whether nothing of it waits any more, as far as is stored.
    pub(crate) is_done: bool,
}

/// How far rows are that are being sent: the next body, and whether it may have been sent already.
///
/// Positions change with each answer. One row that holds those of all costs as much to write as one
/// of them would.
pub(crate) type Progress = BTreeMap<u64, (usize, bool)>;
