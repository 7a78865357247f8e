//! The tables of an outbox object.
//!
//! `batch` holds what one request brought for one visitor: the message ids, for as long as a
//! repeat is recognised, and the bodies, until the platform has them. One row for many events
//! keeps the cost per event low: a row written is what Durable Objects charge for.
#![expect(clippy::items_after_statements, reason = "the shape of a row stands beside its query")]

mod books;
mod dead;
mod erase;

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, HashMap, HashSet},
};

use esputnik_kit::{
    ledger::{self, hour_of},
    outbox::Row,
    visitor::Visitor,
    wire::message_time,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use worker::{Result, SqlCursor, SqlStorage, SqlStorageValue, Storage};

pub(crate) use self::{
    books::Books,
    dead::{Dead, DeadRow},
};
use crate::{host, objects::number, tables};

/// The version of the tables that this build writes.
const VERSION: i64 = 2;

/// How long a message id is recognised, in milliseconds: twice as long as pages keep records.
const KNOWN_FOR: u64 = 14 * 24 * 60 * 60 * 1000;

/// How long what the platform refused is kept for a replay, in milliseconds.
const DEAD_FOR: u64 = 30 * 24 * 60 * 60 * 1000;

/// Rows that are removed at a time.
const CLEANED: u64 = 500;

/// How long a visitor who does not come back is remembered, in milliseconds: as long as browsers
/// keep the cookie.
const VISITOR_FOR: u64 = 400 * 24 * 60 * 60 * 1000;

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS batch (
  id INTEGER PRIMARY KEY, web_id TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
  received INTEGER NOT NULL, ids TEXT NOT NULL, bodies TEXT, agent TEXT,
  count INTEGER NOT NULL, position INTEGER NOT NULL, attempts INTEGER NOT NULL,
  next_at INTEGER NOT NULL, unknown INTEGER NOT NULL, hour INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS batch_visitor ON batch (web_id, last);
CREATE INDEX IF NOT EXISTS batch_open ON batch (id) WHERE position < count;
CREATE TABLE IF NOT EXISTS visitor (
  web_id TEXT PRIMARY KEY, state TEXT NOT NULL, updated INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS contact (
  hash TEXT NOT NULL, web_id TEXT NOT NULL, PRIMARY KEY (hash, web_id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS contact_visitor ON contact (web_id);
CREATE TABLE IF NOT EXISTS dead (
  id INTEGER PRIMARY KEY, message_id TEXT NOT NULL, web_id TEXT NOT NULL, body TEXT NOT NULL,
  agent TEXT NOT NULL, status INTEGER NOT NULL, reason TEXT NOT NULL, at INTEGER NOT NULL,
  hour INTEGER NOT NULL DEFAULT 0, code TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS dead_message ON dead (message_id);
CREATE INDEX IF NOT EXISTS dead_visitor ON dead (web_id);
CREATE TABLE IF NOT EXISTS ledger (hour INTEGER PRIMARY KEY, counts TEXT NOT NULL);
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
    /// The hour in which they were received, where that is not now; 0 where it is.
    pub(crate) hour: u64,
}

/// A row of `batch` that is being sent.
#[derive(Debug)]
pub(crate) struct Sending {
    pub(crate) agent: String,
    pub(crate) ids: Vec<String>,
    pub(crate) bodies: Vec<Box<RawValue>>,
}

/// Message ids that came together.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Known {
    pub(crate) received: u64,
    pub(crate) ids: String,
}

pub(crate) struct Store {
    storage: Storage,
    sql: SqlStorage,
    /// The number of the last row of `batch`.
    last: Cell<u64>,
    rows_read: Cell<u64>,
    /// Up to which visitor those who do not come back were looked for.
    swept: RefCell<String>,
}

impl Store {
    pub(crate) fn open(storage: Storage) -> Result<Self> {
        let sql = storage.sql();
        let store = Self {
            storage,
            sql,
            last: Cell::new(0),
            rows_read: Cell::new(0),
            swept: RefCell::default(),
        };
        store.transact(|| {
            tables::open_with(&store.sql, TABLES, VERSION, |from| store.migrate(from))
        })?;
        store.last.set(store.greatest("SELECT max(id) AS greatest FROM batch", vec![])?);
        Ok(store)
    }

    /// Does something as a whole or not at all.
    pub(crate) fn transact<T>(&self, run: impl FnOnce() -> Result<T>) -> Result<T> {
        host::transact(&self.storage, run)
    }

    fn write(&self, sql: &str, values: Vec<SqlStorageValue>) -> Result<usize> {
        let cursor = self.sql.exec(sql, values)?;
        self.count_read(&cursor);
        Ok(cursor.rows_written())
    }

    fn count_read(&self, cursor: &SqlCursor) {
        self.rows_read.set(self.rows_read.get() + cursor.rows_read() as u64);
    }

    /// How many rows were read since the object was started.
    pub(crate) fn rows_read(&self) -> u64 {
        self.rows_read.get()
    }

    fn read<T: DeserializeOwned>(&self, sql: &str, values: Vec<SqlStorageValue>) -> Result<Vec<T>> {
        let cursor = self.sql.exec(sql, values)?;
        let rows = cursor.to_array()?;
        self.count_read(&cursor);
        Ok(rows)
    }

    /// The one number of a question, 0 where there is none.
    fn greatest(&self, sql: &str, values: Vec<SqlStorageValue>) -> Result<u64> {
        #[derive(Deserialize)]
        struct Found {
            greatest: Option<u64>,
        }
        let found: Vec<Found> = self.read(sql, values)?;
        Ok(found.first().and_then(|row| row.greatest).unwrap_or(0))
    }

    /// The time of the latest message of a visitor that is stored.
    pub(crate) fn latest(&self, web_id: &str) -> Result<u64> {
        let sql = "SELECT max(last) AS greatest FROM batch WHERE web_id = ?";
        self.greatest(sql, vec![web_id.into()])
    }

    /// What the object keeps of itself under this name.
    pub(crate) fn meta(&self, name: &str) -> Result<Option<String>> {
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

    /// Which of these messages of a visitor are stored.
    pub(crate) fn known_among(&self, web_id: &str, ids: &HashSet<&str>) -> Result<HashSet<String>> {
        let times = || ids.iter().map(|id| message_time(id));
        let (Some(first), Some(last)) = (times().min(), times().max()) else {
            return Ok(HashSet::new());
        };
        #[derive(Deserialize)]
        struct Found {
            ids: String,
        }
        // As below: few rows can hold any of them.
        let sql = "SELECT ids FROM batch WHERE web_id = ? AND last >= ? AND first <= ?";
        let rows: Vec<Found> = self.read(sql, vec![web_id.into(), number(first), number(last)])?;
        let known = rows.iter().flat_map(|row| row.ids.split(' '));
        Ok(known.filter(|id| ids.contains(id)).map(str::to_owned).collect())
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
        // Its number is known without asking: nobody else gives any.
        let id = self.last.get() + 1;
        let sql = "INSERT INTO batch (id, web_id, first, last, received, ids, bodies, agent, count,
            position, attempts, next_at, unknown, hour)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0, 0, ?)";
        let written = self.write(
            sql,
            vec![
                number(id),
                batch.web_id.as_str().into(),
                number(first),
                number(last),
                number(batch.received),
                batch.ids.join(" ").into(),
                bodies.into(),
                batch.agent.as_str().into(),
                number(batch.bodies.len() as u64),
                number(batch.hour),
            ],
        )?;
        self.last.set(id);
        let row = Row {
            id,
            web_id: batch.web_id.clone(),
            count: batch.bodies.len(),
            position: 0,
            attempts: 0,
            next_at: 0,
            unknown: false,
            received: batch.received,
        };
        Ok((row, written))
    }

    /// Rows that are not done, and the hours of those that were not received when they were stored.
    pub(crate) fn open_rows(&self, progress: &Progress) -> Result<(Vec<Row>, HashMap<u64, u64>)> {
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
            hour: u64,
        }
        let sql = "SELECT id, web_id, count, position, attempts, next_at, unknown, received, hour
            FROM batch WHERE position < count ORDER BY id";
        let rows: Vec<Found> = self.read(sql, vec![])?;
        let hours = rows.iter().filter(|row| row.hour > 0).map(|row| (row.id, row.hour)).collect();
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
        Ok((rows, hours))
    }

    /// How far the rows are that were being sent when the object was last at work.
    pub(crate) fn progress(&self) -> Result<Progress> {
        let stored = self.meta("progress")?;
        Ok(stored.map(|text| serde_json::from_str(&text)).transpose()?.unwrap_or_default())
    }

    pub(crate) fn put_meta(&self, name: &str, value: &str) -> Result<usize> {
        let sql = "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name)
            DO UPDATE SET value = excluded.value";
        self.write(sql, vec![name.into(), value.into()])
    }

    pub(crate) fn put_progress(&self, progress: &Progress) -> Result<usize> {
        self.put_meta("progress", &serde_json::to_string(progress)?)
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
        let bodies: Vec<Box<RawValue>> = serde_json::from_str(&bodies)?;
        // Blotted out, and not erased yet.
        if bodies.is_empty() {
            return Ok(None);
        }
        let ids = ids.split(' ').map(str::to_owned).collect();
        Ok(Some(Sending { agent: agent.unwrap_or_default(), ids, bodies }))
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

    /// Removes what has outlived its purpose, a part at a time; whether there may be more of it.
    pub(crate) fn clean(&self, now: u64) -> Result<bool> {
        let before = |age: u64| number(now.saturating_sub(age));
        let part = || number(CLEANED);
        let sql = "DELETE FROM batch WHERE id IN (SELECT id FROM batch ORDER BY id LIMIT ?2)
            AND position >= count AND received < ?1 RETURNING id";
        let rows = self.count_rows(sql, vec![before(KNOWN_FOR), part()])?;
        let sql = "DELETE FROM dead WHERE id IN (SELECT id FROM dead ORDER BY id LIMIT ?2)
            AND at < ?1 RETURNING id";
        let dead = self.count_rows(sql, vec![before(DEAD_FOR), part()])?;
        self.sweep(before(VISITOR_FOR))?;
        self.forget_erased(before(KNOWN_FOR))?;
        let sql = "DELETE FROM ledger WHERE hour < ?";
        self.write(sql, vec![number(hour_of(now.saturating_sub(ledger::KEPT_FOR)))])?;
        Ok(rows.max(dead) as u64 >= CLEANED / 2)
    }

    /// Forgets who has not come back, among the next visitors in the order of their ids: no index on when
    /// they came could be kept for what a visit costs.
    fn sweep(&self, before: SqlStorageValue) -> Result<()> {
        #[derive(Deserialize)]
        struct Found {
            web_id: String,
        }
        let from = self.swept.borrow().clone();
        let sql = "SELECT web_id FROM visitor WHERE web_id > ? ORDER BY web_id LIMIT 1 OFFSET ?";
        let end: Vec<Found> = self.read(sql, vec![from.as_str().into(), number(CLEANED)])?;
        let end = end.into_iter().next().map(|row| row.web_id);
        let sql = "DELETE FROM visitor WHERE web_id > ?1 AND web_id <= ?2 AND updated < ?3";
        // Behind whatever a web id can be.
        let to = end.clone().unwrap_or_else(|| "\u{10ffff}".to_owned());
        self.write(sql, vec![from.as_str().into(), to.into(), before])?;
        // From the beginning again, once all have been looked at.
        *self.swept.borrow_mut() = end.unwrap_or_default();
        Ok(())
    }

    fn count_rows(&self, sql: &str, values: Vec<SqlStorageValue>) -> Result<usize> {
        #[derive(Deserialize)]
        struct Gone {}
        let gone: Vec<Gone> = self.read(sql, values)?;
        Ok(gone.len())
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
