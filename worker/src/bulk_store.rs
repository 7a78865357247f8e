//! The tables of an object that puts contacts or orders together.
//!
//! `item` holds one each, in the order they came; `batch` what goes to the platform in one request: the
//! items of a group between two numbers, so that putting together writes one row and not thousands.
#![expect(clippy::items_after_statements, reason = "the shape of a row stands beside its query")]

use serde::{Deserialize, de::DeserializeOwned};
use worker::{Result, SqlStorage, SqlStorageValue};

/// The version of the tables that this build writes.
const VERSION: i64 = 1;

/// How long verdicts can be asked for, and ids are recognised, in milliseconds.
const KNOWN_FOR: u64 = 14 * 24 * 60 * 60 * 1000;

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS item (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, part INTEGER NOT NULL,
  grp INTEGER NOT NULL, body TEXT NOT NULL, keys TEXT NOT NULL, received INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS item_id ON item (id);
CREATE TABLE IF NOT EXISTS grp (id INTEGER PRIMARY KEY, options TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS batch (
  id INTEGER PRIMARY KEY, grp INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
  state TEXT NOT NULL, session TEXT, attempts INTEGER NOT NULL, asked INTEGER NOT NULL,
  next_at INTEGER NOT NULL, verdicts TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
";

/// What waits to be put together.
#[derive(Debug, Deserialize)]
pub(crate) struct Pile {
    pub(crate) grp: i64,
    pub(crate) count: u64,
    pub(crate) oldest: u64,
    pub(crate) newest: u64,
}

/// A row of `item`.
#[derive(Debug, Deserialize)]
pub(crate) struct ItemRow {
    pub(crate) seq: i64,
    pub(crate) grp: i64,
    pub(crate) body: String,
    /// A JSON list.
    pub(crate) keys: String,
}

/// How far a batch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// To be sent, perhaps once more.
    Ready,
    /// Sent; the platform's import is under way.
    Import,
    /// Every item has its verdict.
    Done,
}

impl Stage {
    fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Import => "import",
            Self::Done => "done",
        }
    }
}

/// A row of `batch`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct BatchRow {
    pub(crate) id: i64,
    pub(crate) grp: i64,
    pub(crate) first: i64,
    pub(crate) last: i64,
    pub(crate) state: String,
    pub(crate) session: Option<String>,
    pub(crate) attempts: u32,
    pub(crate) asked: u32,
    pub(crate) next_at: u64,
    /// A JSON object of verdicts by the items' numbers; those that went well without more are not in it.
    pub(crate) verdicts: String,
}

impl BatchRow {
    pub(crate) fn stage(&self) -> Stage {
        match self.state.as_str() {
            "import" => Stage::Import,
            "done" => Stage::Done,
            _ => Stage::Ready,
        }
    }
}

pub(crate) struct BulkStore {
    sql: SqlStorage,
}

impl BulkStore {
    pub(crate) fn open(sql: SqlStorage) -> Result<Self> {
        let store = Self { sql };
        for table in TABLES.split_inclusive(';').filter(|statement| statement.contains("CREATE")) {
            store.write(table, vec![])?;
        }
        #[derive(Deserialize)]
        struct Meta {
            value: String,
        }
        let known: Option<Meta> =
            store.rows("SELECT value FROM meta WHERE name = 'version'", vec![])?.pop();
        match known.and_then(|meta| meta.value.parse::<i64>().ok()) {
            None => {
                let sql = "INSERT INTO meta (name, value) VALUES ('version', ?)";
                store.write(sql, vec![VERSION.to_string().into()])?;
            }
            Some(version) if version > VERSION => {
                return Err("the tables are of a newer version: deploy that version again".into());
            }
            Some(_) => {}
        }
        Ok(store)
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

    /// Whether something was handed in under this id.
    pub(crate) fn is_known(&self, id: &str) -> Result<bool> {
        Ok(!self.parts(id)?.is_empty())
    }

    pub(crate) fn add(
        &self,
        id: &str,
        part: usize,
        group: i64,
        body: String,
        keys: String,
        received: u64,
    ) -> Result<()> {
        let sql =
            "INSERT INTO item (id, part, grp, body, keys, received) VALUES (?, ?, ?, ?, ?, ?)";
        self.write(
            sql,
            vec![
                id.into(),
                number(part as u64),
                whole(group),
                body.into(),
                keys.into(),
                number(received),
            ],
        )
    }

    /// What was handed in under an id, in its order.
    pub(crate) fn parts(&self, id: &str) -> Result<Vec<ItemRow>> {
        let sql = "SELECT seq, grp, '' AS body, '[]' AS keys FROM item WHERE id = ? ORDER BY part";
        self.rows(sql, vec![id.into()])
    }

    /// The batch that an item is in, if it is in one.
    pub(crate) fn batch_of(&self, group: i64, seq: i64) -> Result<Option<BatchRow>> {
        let sql = "SELECT * FROM batch WHERE grp = ? AND first <= ? AND last >= ? LIMIT 1";
        Ok(self.rows(sql, vec![whole(group), whole(seq), whole(seq)])?.pop())
    }

    /// What waits in each group.
    pub(crate) fn piles(&self) -> Result<Vec<Pile>> {
        let sql = "SELECT grp, count(*) AS count, min(received) AS oldest, max(received) AS newest
            FROM item WHERE seq > coalesce((SELECT max(last) FROM batch WHERE batch.grp = item.grp), 0)
            GROUP BY grp";
        self.rows(sql, vec![])
    }

    /// The first items of a group that are in no batch yet.
    pub(crate) fn waiting(&self, group: i64, most: usize) -> Result<Vec<ItemRow>> {
        let sql = "SELECT seq, grp, '' AS body, keys FROM item WHERE grp = ?1
            AND seq > coalesce((SELECT max(last) FROM batch WHERE grp = ?1), 0) ORDER BY seq LIMIT ?2";
        self.rows(sql, vec![whole(group), number(most as u64)])
    }

    /// The items of a batch.
    pub(crate) fn items(&self, batch: &BatchRow) -> Result<Vec<ItemRow>> {
        let sql = "SELECT seq, grp, body, keys FROM item WHERE grp = ? AND seq BETWEEN ? AND ?
            ORDER BY seq";
        self.rows(sql, vec![whole(batch.grp), whole(batch.first), whole(batch.last)])
    }

    pub(crate) fn put_together(&self, group: i64, first: i64, last: i64, now: u64) -> Result<()> {
        let sql = "INSERT INTO batch (grp, first, last, state, attempts, asked, next_at, verdicts)
            VALUES (?, ?, ?, 'ready', 0, 0, ?, '{}')";
        self.write(sql, vec![whole(group), whole(first), whole(last), number(now)])
    }

    /// Batches that are not done.
    pub(crate) fn open_batches(&self) -> Result<Vec<BatchRow>> {
        self.rows("SELECT * FROM batch WHERE state != 'done' ORDER BY id", vec![])
    }

    pub(crate) fn put(&self, batch: &BatchRow, stage: Stage) -> Result<()> {
        let sql = "UPDATE batch SET state = ?, session = ?, attempts = ?, asked = ?, next_at = ?,
            verdicts = ?, last = ? WHERE id = ?";
        self.write(
            sql,
            vec![
                stage.as_str().into(),
                batch.session.clone().map_or(SqlStorageValue::Null, Into::into),
                whole(batch.attempts.into()),
                whole(batch.asked.into()),
                number(batch.next_at),
                batch.verdicts.clone().into(),
                whole(batch.last),
                whole(batch.id),
            ],
        )?;
        if stage == Stage::Done {
            // Whom it was about is not kept longer than it takes.
            let sql =
                "UPDATE item SET body = '', keys = '[]' WHERE grp = ? AND seq BETWEEN ? AND ?";
            self.write(sql, vec![whole(batch.grp), whole(batch.first), whole(batch.last)])?;
        }
        Ok(())
    }

    /// Drops what nobody asks for any more.
    pub(crate) fn clean(&self, now: u64) -> Result<()> {
        let before = number(now.saturating_sub(KNOWN_FOR));
        let sql = "DELETE FROM batch WHERE state = 'done' AND next_at < ?";
        self.write(sql, vec![before.clone()])?;
        self.write("DELETE FROM item WHERE received < ? AND body = ''", vec![before])
    }

    /// How much waits, and how much is under way.
    pub(crate) fn counts(&self) -> Result<(u64, u64)> {
        let waiting = self.piles()?.iter().map(|pile| pile.count).sum();
        #[derive(Deserialize)]
        struct Count {
            count: u64,
        }
        let sql = "SELECT count(*) AS count FROM item JOIN batch ON batch.grp = item.grp
            AND item.seq BETWEEN batch.first AND batch.last WHERE batch.state != 'done'";
        let rows: Vec<Count> = self.rows(sql, vec![])?;
        Ok((waiting, rows.first().map_or(0, |row| row.count)))
    }
}

/// A number as SQL and JavaScript both hold it.
#[expect(clippy::cast_possible_wrap, reason = "times and counts are far below 2^53")]
fn number(value: u64) -> SqlStorageValue {
    SqlStorageValue::Integer(value as i64)
}

fn whole(value: i64) -> SqlStorageValue {
    SqlStorageValue::Integer(value)
}
