//! The tables of an object that puts contacts or orders together.
//!
//! `item` holds one each, in the order they came; `batch` what goes to the platform in one request;
//! `wish` what somebody is to get once the platform has subscribed them.
#![expect(clippy::items_after_statements, reason = "the shape of a row stands beside its query")]

use std::collections::BTreeSet;

use serde::{Deserialize, de::DeserializeOwned};
use worker::{Result, SqlStorage, SqlStorageValue};

use crate::{objects::number, tables};

/// The version of the tables that this build writes.
const VERSION: i64 = 1;

/// How long verdicts can be asked for, and ids are recognised, in milliseconds.
const KNOWN_FOR: u64 = 14 * 24 * 60 * 60 * 1000;

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS item (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, part INTEGER NOT NULL,
  grp INTEGER NOT NULL, batch INTEGER, body TEXT NOT NULL, keys TEXT NOT NULL, size INTEGER NOT NULL,
  received INTEGER NOT NULL, verdict TEXT);
CREATE INDEX IF NOT EXISTS item_id ON item (id, part);
CREATE INDEX IF NOT EXISTS item_waiting ON item (grp, seq) WHERE batch IS NULL;
CREATE INDEX IF NOT EXISTS item_batch ON item (batch, seq) WHERE batch IS NOT NULL;
CREATE TABLE IF NOT EXISTS handed (
  id TEXT PRIMARY KEY, hash TEXT NOT NULL, received INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS grp (id INTEGER PRIMARY KEY, options TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS batch (
  id INTEGER PRIMARY KEY AUTOINCREMENT, grp INTEGER NOT NULL, state TEXT NOT NULL, session TEXT,
  begun INTEGER NOT NULL, imports INTEGER NOT NULL, failures INTEGER NOT NULL, asked INTEGER NOT NULL,
  next_at INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS batch_open ON batch (next_at) WHERE state != 'done';
CREATE TABLE IF NOT EXISTS wish (
  id TEXT PRIMARY KEY, wish TEXT NOT NULL, next_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
";

/// What waits to be put together.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Pile {
    pub(crate) grp: i64,
    pub(crate) count: u64,
    pub(crate) oldest: u64,
    pub(crate) newest: u64,
}

/// What waits, as far as it decides with whom it goes.
#[derive(Debug, Deserialize)]
pub(crate) struct Waiting {
    pub(crate) seq: i64,
    /// A JSON list.
    pub(crate) keys: String,
    pub(crate) size: usize,
}

/// What goes in a request.
#[derive(Debug, Deserialize)]
pub(crate) struct ItemRow {
    pub(crate) seq: i64,
    pub(crate) body: String,
    /// A JSON list.
    pub(crate) keys: String,
}

/// What is known of something that was handed in.
#[derive(Debug, Deserialize)]
pub(crate) struct Known {
    pub(crate) verdict: Option<String>,
    pub(crate) batch: Option<i64>,
}

/// What somebody is to get, and what the platform said of their subscription.
#[derive(Debug, Deserialize)]
pub(crate) struct WishRow {
    pub(crate) id: String,
    pub(crate) wish: String,
    pub(crate) verdict: String,
}

/// A row of `batch`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct BatchRow {
    pub(crate) id: i64,
    pub(crate) grp: i64,
    /// `ready` to be sent, perhaps once more; `import` while the platform's import is under way; `done`.
    pub(crate) state: String,
    pub(crate) session: Option<String>,
    /// When its import began, in milliseconds.
    pub(crate) begun: u64,
    /// Imports of it that failed.
    pub(crate) imports: u32,
    /// How often the platform failed over it.
    pub(crate) failures: u32,
    /// Attempts and questions since the last change, for the pauses between them.
    pub(crate) asked: u32,
    pub(crate) next_at: u64,
}

pub(crate) struct BulkStore {
    sql: SqlStorage,
}

impl BulkStore {
    pub(crate) fn open(sql: SqlStorage) -> Result<Self> {
        tables::open(&sql, TABLES, VERSION)?;
        Ok(Self { sql })
    }

    fn write(&self, sql: &str, values: Vec<SqlStorageValue>) -> Result<()> {
        self.sql.exec(sql, values).map(|_| ())
    }

    fn rows<T: DeserializeOwned>(&self, sql: &str, values: Vec<SqlStorageValue>) -> Result<Vec<T>> {
        self.sql.exec(sql, values)?.to_array()
    }

    /// The number of the group of these options.
    pub(crate) fn group(&self, options: &str) -> Result<i64> {
        #[derive(Deserialize)]
        struct Id {
            id: i64,
        }
        let find = || -> Result<Option<i64>> {
            let rows: Vec<Id> =
                self.rows("SELECT id FROM grp WHERE options = ?", vec![options.into()])?;
            Ok(rows.first().map(|row| row.id))
        };
        if let Some(id) = find()? {
            return Ok(id);
        }
        self.write("INSERT INTO grp (options) VALUES (?)", vec![options.into()])?;
        find()?.ok_or_else(|| "just inserted".into())
    }

    /// What is said about all items of a group.
    pub(crate) fn options(&self, group: i64) -> Result<String> {
        #[derive(Deserialize)]
        struct Options {
            options: String,
        }
        let rows: Vec<Options> =
            self.rows("SELECT options FROM grp WHERE id = ?", vec![whole(group)])?;
        rows.into_iter().next().map(|row| row.options).ok_or_else(|| "no such group".into())
    }

    /// The hash of what was handed in under an id.
    pub(crate) fn handed(&self, id: &str) -> Result<Option<String>> {
        #[derive(Deserialize)]
        struct Handed {
            hash: String,
        }
        let rows: Vec<Handed> =
            self.rows("SELECT hash FROM handed WHERE id = ?", vec![id.into()])?;
        Ok(rows.into_iter().next().map(|row| row.hash))
    }

    pub(crate) fn hand_in(&self, id: &str, hash: &str, received: u64) -> Result<()> {
        let sql = "INSERT INTO handed (id, hash, received) VALUES (?, ?, ?)";
        self.write(sql, vec![id.into(), hash.into(), number(received)])
    }

    pub(crate) fn add(
        &self,
        id: &str,
        part: usize,
        group: i64,
        (body, keys): &(String, String),
        received: u64,
    ) -> Result<()> {
        let sql = "INSERT INTO item (id, part, grp, body, keys, size, received)
            VALUES (?, ?, ?, ?, ?, ?, ?)";
        self.write(
            sql,
            vec![
                id.into(),
                number(part as u64),
                whole(group),
                body.as_str().into(),
                keys.as_str().into(),
                number(body.len() as u64),
                number(received),
            ],
        )
    }

    /// What is known of what was handed in under an id, in its order.
    pub(crate) fn known(&self, id: &str) -> Result<Vec<Known>> {
        let sql = "SELECT verdict, batch FROM item WHERE id = ? ORDER BY part";
        self.rows(sql, vec![id.into()])
    }

    /// What waits in each group.
    pub(crate) fn piles(&self) -> Result<Vec<Pile>> {
        let sql = "SELECT grp, count(*) AS count, min(received) AS oldest, max(received) AS newest
            FROM item WHERE batch IS NULL GROUP BY grp";
        self.rows(sql, vec![])
    }

    /// The first that wait in a group.
    pub(crate) fn waiting(&self, group: i64, most: usize) -> Result<Vec<Waiting>> {
        let sql = "SELECT seq, keys, size FROM item WHERE grp = ? AND batch IS NULL
            ORDER BY seq LIMIT ?";
        self.rows(sql, vec![whole(group), number(most as u64)])
    }

    /// Puts together what waits in a group within these stretches of numbers.
    pub(crate) fn put_together(
        &self,
        group: i64,
        stretches: &[(i64, i64)],
        now: u64,
    ) -> Result<i64> {
        let sql = "INSERT INTO batch (grp, state, begun, imports, failures, asked, next_at)
            VALUES (?, 'ready', 0, 0, 0, 0, ?)";
        self.write(sql, vec![whole(group), number(now)])?;
        #[derive(Deserialize)]
        struct Id {
            id: i64,
        }
        let rows: Vec<Id> = self.rows("SELECT max(id) AS id FROM batch", vec![])?;
        let batch = rows.first().map(|row| row.id).ok_or("just inserted")?;
        for (first, last) in stretches {
            let sql = "UPDATE item SET batch = ? WHERE grp = ? AND batch IS NULL
                AND seq BETWEEN ? AND ?";
            self.write(sql, vec![whole(batch), whole(group), whole(*first), whole(*last)])?;
        }
        Ok(batch)
    }

    /// Makes a batch of its own of those of a batch that come after a number.
    pub(crate) fn split(&self, batch: &BatchRow, after: i64, now: u64) -> Result<i64> {
        let second = self.put_together(batch.grp, &[], now)?;
        let sql = "UPDATE item SET batch = ? WHERE batch = ? AND seq > ?";
        self.write(sql, vec![whole(second), whole(batch.id), whole(after)])?;
        Ok(second)
    }

    /// The items of a batch that have no verdict yet.
    pub(crate) fn items(&self, batch: i64) -> Result<Vec<ItemRow>> {
        let sql = "SELECT seq, body, keys FROM item WHERE batch = ? AND verdict IS NULL
            ORDER BY seq";
        self.rows(sql, vec![whole(batch)])
    }

    /// The keys of those in a batch.
    pub(crate) fn keys(&self, batch: i64) -> Result<Vec<String>> {
        #[derive(Deserialize)]
        struct Keys {
            keys: String,
        }
        let rows: Vec<Keys> =
            self.rows("SELECT keys FROM item WHERE batch = ?", vec![whole(batch)])?;
        Ok(rows.into_iter().map(|row| row.keys).collect())
    }

    /// Stores a verdict. Whom it was about is not kept longer than it takes.
    pub(crate) fn settle(&self, seq: i64, verdict: &str) -> Result<()> {
        let sql = "UPDATE item SET verdict = ?, body = '', keys = '[]' WHERE seq = ?";
        self.write(sql, vec![verdict.into(), whole(seq)])
    }

    /// Items that have one of these keys in them and no verdict yet: of others nothing is held. That is what
    /// the indexes are for, so that an erasure reads what waits and not what came in two weeks.
    pub(crate) fn items_with(&self, keys: &[String]) -> Result<BTreeSet<i64>> {
        #[derive(Deserialize)]
        struct Found {
            seq: i64,
        }
        let mut found = BTreeSet::new();
        for key in keys {
            for open in [
                "batch IS NULL",
                "verdict IS NULL AND batch IN (SELECT id FROM batch WHERE state != 'done')",
            ] {
                let has = "(instr(lower(body), ?1) OR instr(lower(keys), ?1)
                    OR id IN (SELECT id FROM wish WHERE instr(lower(wish), ?1)))";
                let sql = ["SELECT seq FROM item WHERE ", open, " AND ", has].concat();
                let rows: Vec<Found> = self.rows(&sql, vec![key.to_ascii_lowercase().into()])?;
                found.extend(rows.into_iter().map(|row| row.seq));
            }
            let sql = "SELECT seq FROM item JOIN wish ON wish.id = item.id
                WHERE instr(lower(wish.wish), ?)";
            let rows: Vec<Found> = self.rows(sql, vec![key.to_ascii_lowercase().into()])?;
            found.extend(rows.into_iter().map(|row| row.seq));
        }
        Ok(found)
    }

    /// Writes an item out of where it stands, by as much of nothing.
    pub(crate) fn blot(&self, seq: i64) -> Result<()> {
        let empty = "printf('%.*c', length(cast(";
        let item = [
            "UPDATE item SET body = ",
            empty,
            "body AS BLOB)), ' '), keys = ",
            empty,
            "keys AS BLOB)), ' ') WHERE seq = ?",
        ];
        self.write(&item.concat(), vec![whole(seq)])?;
        let wish = [
            "UPDATE wish SET wish = ",
            empty,
            "wish AS BLOB)), ' ') WHERE id = (SELECT id FROM item WHERE seq = ?)",
        ];
        self.write(&wish.concat(), vec![whole(seq)])
    }

    /// Erases an item; it counts as failed, unless it has its verdict.
    pub(crate) fn erase(&self, seq: i64, verdict: &str) -> Result<()> {
        let sql = "DELETE FROM wish WHERE id = (SELECT id FROM item WHERE seq = ?)";
        self.write(sql, vec![whole(seq)])?;
        let sql = "UPDATE item SET verdict = coalesce(verdict, ?), body = '', keys = '[]'
            WHERE seq = ?";
        self.write(sql, vec![verdict.into(), whole(seq)])?;
        // Nothing waits of it, whether it was put together with others or not.
        let sql = "UPDATE item SET batch = coalesce(batch, 0) WHERE seq = ?";
        self.write(sql, vec![whole(seq)])
    }

    /// Batches that are not done, the one that is due first in front.
    pub(crate) fn open_batches(&self) -> Result<Vec<BatchRow>> {
        self.rows("SELECT * FROM batch WHERE state != 'done' ORDER BY next_at, id", vec![])
    }

    pub(crate) fn put(&self, batch: &BatchRow) -> Result<()> {
        let sql = "UPDATE batch SET state = ?, session = ?, begun = ?, imports = ?, failures = ?,
            asked = ?, next_at = ? WHERE id = ?";
        self.write(
            sql,
            vec![
                batch.state.as_str().into(),
                batch.session.clone().map_or(SqlStorageValue::Null, Into::into),
                number(batch.begun),
                whole(batch.imports.into()),
                whole(batch.failures.into()),
                whole(batch.asked.into()),
                number(batch.next_at),
                whole(batch.id),
            ],
        )
    }

    /// Stores what somebody is to get once what was handed in under this id has its verdict.
    pub(crate) fn wish(&self, id: &str, wish: &str) -> Result<()> {
        let sql = "INSERT OR IGNORE INTO wish (id, wish, next_at) VALUES (?, ?, 0)";
        self.write(sql, vec![id.into(), wish.into()])
    }

    /// Wishes that are due: those of subscriptions with a verdict.
    pub(crate) fn wishes(&self, now: u64, most: u64) -> Result<Vec<WishRow>> {
        // A cross join is made in this order: there are few wishes, and of items those of two weeks.
        let sql = "SELECT wish.id, wish.wish, item.verdict
            FROM wish CROSS JOIN item ON item.id = wish.id
            WHERE item.part = 0 AND item.verdict IS NOT NULL AND wish.next_at <= ? LIMIT ?";
        self.rows(sql, vec![number(now), number(most)])
    }

    /// When the first wish is due.
    pub(crate) fn next_wish(&self) -> Result<Option<u64>> {
        #[derive(Deserialize)]
        struct Next {
            at: Option<u64>,
        }
        let sql = "SELECT min(wish.next_at) AS at FROM wish CROSS JOIN item ON item.id = wish.id
            WHERE item.part = 0 AND item.verdict IS NOT NULL";
        let rows: Vec<Next> = self.rows(sql, vec![])?;
        Ok(rows.first().and_then(|next| next.at))
    }

    pub(crate) fn put_wish_off(&self, id: &str, next_at: u64) -> Result<()> {
        let sql = "UPDATE wish SET next_at = ? WHERE id = ?";
        self.write(sql, vec![number(next_at), id.into()])
    }

    pub(crate) fn drop_wish(&self, id: &str) -> Result<()> {
        self.write("DELETE FROM wish WHERE id = ?", vec![id.into()])
    }

    /// Drops what nobody asks for any more.
    pub(crate) fn clean(&self, now: u64) -> Result<()> {
        let before = number(now.saturating_sub(KNOWN_FOR));
        let sql = "DELETE FROM batch WHERE state = 'done' AND next_at < ?";
        self.write(sql, vec![before.clone()])?;
        let sql = "DELETE FROM handed WHERE received < ?1 AND id NOT IN
            (SELECT id FROM item WHERE received < ?1 AND verdict IS NULL)";
        self.write(sql, vec![before.clone()])?;
        let sql = "DELETE FROM item WHERE received < ? AND verdict IS NOT NULL
            AND id NOT IN (SELECT id FROM wish)";
        self.write(sql, vec![before])
    }

    /// How much waits, and how much is under way.
    pub(crate) fn counts(&self) -> Result<(u64, u64)> {
        let waiting = self.piles()?.iter().map(|pile| pile.count).sum();
        #[derive(Deserialize)]
        struct Count {
            count: u64,
        }
        let sql = "SELECT count(*) AS count FROM batch JOIN item ON item.batch = batch.id
            WHERE batch.state != 'done' AND item.verdict IS NULL";
        let rows: Vec<Count> = self.rows(sql, vec![])?;
        Ok((waiting, rows.first().map_or(0, |row| row.count)))
    }
}

fn whole(value: i64) -> SqlStorageValue {
    SqlStorageValue::Integer(value)
}
