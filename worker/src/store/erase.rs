//! Finding and erasing what is held of a person.
//!
//! Text is blotted out by text of the same length, which takes its place in the file. What is then deleted
//! leaves nothing behind.

use serde::Deserialize;
use worker::{Result, SqlStorageValue};

use super::{Books, Store};
use crate::objects::number;

/// As many bytes of nothing as a column holds; a list of JSON without anything in it.
const EMPTY_LIST: &str = "'[' || printf('%.*c', length(cast(bodies AS BLOB)) - 2, ' ') || ']'";

/// The same, of a text.
fn empty(column: &str) -> String {
    format!("{column} = printf('%.*c', length(cast({column} AS BLOB)), ' ')")
}

/// How names in `meta` begin that say who was erased: the hash of a web id or of a key follows, and the value
/// is when. They are kept for as long as something that came before may come back.
const ERASED: &str = "erased:";

#[derive(Deserialize)]
struct Id {
    id: u64,
}

impl Store {
    /// The visitors who have been known by a key of this hash.
    pub(crate) fn visitors_of(&self, hash: &str) -> Result<Vec<String>> {
        #[derive(Deserialize)]
        struct Found {
            web_id: String,
        }
        let sql = "SELECT web_id FROM contact WHERE hash = ?";
        let rows: Vec<Found> = self.read(sql, vec![hash.into()])?;
        Ok(rows.into_iter().map(|row| row.web_id).collect())
    }

    /// Remembers that whoever has this hash was erased.
    pub(crate) fn put_erased(&self, hash: &str, at: u64) -> Result<()> {
        self.put_meta(&[ERASED, hash].concat(), &at.to_string()).map(|_| ())
    }

    /// When that was; 0 if it never was, or too long ago.
    pub(crate) fn erased_at(&self, hash: &str) -> Result<u64> {
        let at = self.meta(&[ERASED, hash].concat())?;
        Ok(at.and_then(|at| at.parse().ok()).unwrap_or(0))
    }

    /// When somebody was last erased.
    pub(crate) fn last_erased(&self) -> Result<u64> {
        let sql = "SELECT max(cast(value AS INTEGER)) AS greatest FROM meta
            WHERE name > 'erased:' AND name < 'erased;'";
        self.greatest(sql, vec![])
    }

    /// Forgets who was erased before a time.
    pub(super) fn forget_erased(&self, before: SqlStorageValue) -> Result<()> {
        let sql = "DELETE FROM meta WHERE name > 'erased:' AND name < 'erased;'
            AND cast(value AS INTEGER) < ?";
        self.write(sql, vec![before]).map(|_| ())
    }

    /// Rows that wait and have one of these keys in them.
    pub(crate) fn rows_with(&self, keys: &[String]) -> Result<Vec<u64>> {
        let sql = "SELECT id FROM batch WHERE position < count AND instr(lower(bodies), ?)";
        self.ids_with(sql, keys)
    }

    /// Dead events that have one of these keys in them.
    pub(crate) fn dead_with(&self, keys: &[String]) -> Result<Vec<i64>> {
        let sql = "SELECT id FROM dead WHERE instr(lower(body), ?)";
        let ids = self.ids_with(sql, keys)?;
        Ok(ids.into_iter().filter_map(|id| i64::try_from(id).ok()).collect())
    }

    fn ids_with(&self, sql: &str, keys: &[String]) -> Result<Vec<u64>> {
        let mut ids = Vec::new();
        for key in keys {
            // As SQLite makes small letters, of these alone.
            let rows: Vec<Id> = self.read(sql, vec![key.to_ascii_lowercase().into()])?;
            ids.extend(rows.into_iter().map(|row| row.id));
        }
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    }

    /// Blots out what is held of a visitor.
    pub(crate) fn blot(&self, web_id: &str) -> Result<()> {
        let sql = ["UPDATE batch SET bodies = ", EMPTY_LIST, " WHERE web_id = ? AND bodies > ''"];
        self.write(&sql.concat(), vec![web_id.into()])?;
        let sql = ["UPDATE dead SET ", &empty("body"), " WHERE web_id = ?"].concat();
        self.write(&sql, vec![web_id.into()])?;
        self.blot_visitor(web_id)
    }

    /// Blots out who a visitor is.
    pub(crate) fn blot_visitor(&self, web_id: &str) -> Result<()> {
        let sql = ["UPDATE visitor SET ", &empty("state"), " WHERE web_id = ?"].concat();
        self.write(&sql, vec![web_id.into()]).map(|_| ())
    }

    pub(crate) fn blot_row(&self, id: u64) -> Result<()> {
        let sql = ["UPDATE batch SET bodies = ", EMPTY_LIST, " WHERE id = ? AND bodies > ''"];
        self.write(&sql.concat(), vec![number(id)]).map(|_| ())
    }

    pub(crate) fn blot_dead(&self, id: i64) -> Result<()> {
        let sql = ["UPDATE dead SET ", &empty("body"), " WHERE id = ?"].concat();
        self.write(&sql, vec![id.into()]).map(|_| ())
    }

    /// Erases what is held of a visitor; what changes in the ledger. Message ids stay, so that a repeat of an
    /// erased event is not taken for a new one; they name nobody.
    pub(crate) fn erase(&self, web_id: &str) -> Result<Books> {
        let sql = "UPDATE batch SET bodies = NULL, agent = NULL, position = count WHERE web_id = ?
            AND bodies IS NOT NULL";
        self.write(sql, vec![web_id.into()])?;
        self.forget_visitor(web_id)?;
        self.take("web_id = ?", web_id.into())
    }

    pub(crate) fn erase_row(&self, id: u64) -> Result<()> {
        let sql = "UPDATE batch SET bodies = NULL, agent = NULL, position = count WHERE id = ?";
        self.write(sql, vec![number(id)]).map(|_| ())
    }

    pub(crate) fn forget_visitor(&self, web_id: &str) -> Result<()> {
        for sql in ["DELETE FROM visitor WHERE web_id = ?", "DELETE FROM contact WHERE web_id = ?"]
        {
            self.write(sql, vec![web_id.into()])?;
        }
        Ok(())
    }

    /// Erases a dead event, unless that was done already; what changes in the ledger.
    pub(crate) fn take_dead(&self, id: i64) -> Result<Books> {
        self.take("id = ?", id.into())
    }

    fn take(&self, which: &str, value: SqlStorageValue) -> Result<Books> {
        #[derive(Deserialize)]
        struct Found {
            hour: u64,
            code: String,
        }
        let sql = ["DELETE FROM dead WHERE ", which, " RETURNING hour, code"].concat();
        let mut books = Books::new();
        for row in self.read::<Found>(&sql, vec![value])? {
            let hour = books.entry(row.hour).or_default();
            hour.add_dead(&row.code, -1);
            hour.erased += 1;
        }
        Ok(books)
    }
}
