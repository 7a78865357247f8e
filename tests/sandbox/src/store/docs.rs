//! Things of the account that are looked up by id or by name only: segments, messages, imports and
//! the like, each kind with its own numbers.

use rusqlite::{OptionalExtension as _, Row, params};
use serde_json::Value;

use super::State;

/// One thing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Doc {
    pub(crate) id: i64,
    pub(crate) name: Option<String>,
    /// When it changed or, where that is what matters, when it is due.
    pub(crate) at: i64,
    pub(crate) body: Value,
}

impl Doc {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        let body: String = row.get("body")?;
        Ok(Self {
            id: row.get("id")?,
            name: row.get("name")?,
            at: row.get("at")?,
            body: serde_json::from_str(&body).unwrap_or_default(),
        })
    }
}

impl State<'_> {
    /// A number that no other thing of this kind ever had.
    pub(crate) fn next_id(&self, kind: &str) -> rusqlite::Result<i64> {
        let sql = "INSERT INTO counters (kind, last) VALUES (?1, 1001)
            ON CONFLICT (kind) DO UPDATE SET last = last + 1 RETURNING last";
        self.db.prepare_cached(sql)?.query_row([kind], |row| row.get(0))
    }

    /// Adds a thing and tells its number.
    pub(crate) fn add_doc(
        &self,
        kind: &str,
        name: Option<&str>,
        at: i64,
        body: &Value,
    ) -> rusqlite::Result<i64> {
        let id = self.next_id(kind)?;
        self.put_doc(kind, &Doc { id, name: name.map(str::to_owned), at, body: body.clone() })?;
        Ok(id)
    }

    /// Writes a thing over what has its number or its name.
    pub(crate) fn put_doc(&self, kind: &str, doc: &Doc) -> rusqlite::Result<()> {
        let sql = "INSERT OR REPLACE INTO docs (kind, id, name, at, body)
            VALUES (?1, ?2, ?3, ?4, ?5)";
        let body = doc.body.to_string();
        self.db.prepare_cached(sql)?.execute(params![kind, doc.id, doc.name, doc.at, body])?;
        Ok(())
    }

    pub(crate) fn doc(&self, kind: &str, id: i64) -> rusqlite::Result<Option<Doc>> {
        let sql = "SELECT * FROM docs WHERE kind = ?1 AND id = ?2";
        self.db.prepare_cached(sql)?.query_row(params![kind, id], Doc::of).optional()
    }

    pub(crate) fn doc_named(&self, kind: &str, name: &str) -> rusqlite::Result<Option<Doc>> {
        let sql = "SELECT * FROM docs WHERE kind = ?1 AND name = ?2";
        self.db.prepare_cached(sql)?.query_row(params![kind, name], Doc::of).optional()
    }

    /// All things of a kind in the order of their numbers.
    pub(crate) fn docs(&self, kind: &str) -> rusqlite::Result<Vec<Doc>> {
        let sql = "SELECT * FROM docs WHERE kind = ?1 ORDER BY id";
        self.db.prepare_cached(sql)?.query_map([kind], Doc::of)?.collect()
    }

    /// Things of a kind that are due, in the order in which they became so.
    pub(crate) fn docs_due(&self, kind: &str, now: i64) -> rusqlite::Result<Vec<Doc>> {
        let sql = "SELECT * FROM docs WHERE kind = ?1 AND at <= ?2 ORDER BY at, id";
        self.db.prepare_cached(sql)?.query_map(params![kind, now], Doc::of)?.collect()
    }

    /// Tells whether there was one.
    pub(crate) fn delete_doc(&self, kind: &str, id: i64) -> rusqlite::Result<bool> {
        let sql = "DELETE FROM docs WHERE kind = ?1 AND id = ?2";
        Ok(self.db.prepare_cached(sql)?.execute(params![kind, id])? > 0)
    }
}
