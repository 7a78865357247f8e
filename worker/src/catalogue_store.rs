//! The tables of a site's catalogue.
//!
//! `pack` holds the feed's products, about sixteen in a row; `list` which products have a value, and, under
//! the name [`INDEX`], in which pack each of them is; `change` what the shop's server said of products
//! since the feed was written; `sold` what was bought on which day.

use std::{
    cell::Cell,
    collections::{HashMap, HashSet},
};

use esputnik_kit::catalogue::{
    Index, hash,
    import::{After, Pack},
    keys_from_bytes, keys_to_bytes,
    schedule::State,
};
use serde::{Deserialize, de::DeserializeOwned};
use worker::{Result, SqlStorage, SqlStorageValue};

use crate::{objects::number, tables};

/// The version of the tables that this build writes.
const VERSION: i64 = 1;

/// The name of the index among the lists; theirs are never negative.
const INDEX: i64 = -1;

/// Keys in one row of a list.
const PART: usize = 16 * 1024;

/// For how many days it counts that something was bought.
const SOLD_FOR: u64 = 30;

const DAY: u64 = 24 * 60 * 60 * 1000;

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS pack (id INTEGER PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS list (
  id INTEGER NOT NULL, part INTEGER NOT NULL, hash INTEGER NOT NULL, keys BLOB NOT NULL,
  PRIMARY KEY (id, part)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS change (
  key INTEGER PRIMARY KEY, at INTEGER NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS sold (
  day INTEGER NOT NULL, key INTEGER NOT NULL, quantity INTEGER NOT NULL,
  PRIMARY KEY (day, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
";

/// What is stored of a product.
#[derive(Debug, Deserialize)]
pub(crate) struct Stored {
    /// The feed's word, as JSON.
    pub(crate) body: Option<String>,
    /// What was said since, as JSON.
    pub(crate) change: Option<String>,
}

pub(crate) struct CatalogueStore {
    sql: SqlStorage,
    /// Rows written since the object was started, which is what is paid for.
    written: Cell<u64>,
}

impl CatalogueStore {
    pub(crate) fn open(sql: SqlStorage) -> Result<Self> {
        tables::open(&sql, TABLES, VERSION)?;
        Ok(Self { sql, written: Cell::new(0) })
    }

    pub(crate) fn written(&self) -> u64 {
        self.written.get()
    }

    fn write(&self, sql: &str, values: Vec<SqlStorageValue>) -> Result<()> {
        let rows = self.sql.exec(sql, values)?.rows_written();
        self.written.set(self.written.get() + rows as u64);
        Ok(())
    }

    fn rows<T: DeserializeOwned>(&self, sql: &str, values: Vec<SqlStorageValue>) -> Result<Vec<T>> {
        self.sql.exec(sql, values)?.to_array()
    }

    /// What is known of imports.
    pub(crate) fn state(&self) -> Result<State> {
        #[derive(Deserialize)]
        struct Meta {
            value: String,
        }
        let rows: Vec<Meta> = self.rows("SELECT value FROM meta WHERE name = 'state'", vec![])?;
        let state = rows.first().map(|row| serde_json::from_str(&row.value)).transpose()?;
        Ok(state.unwrap_or_default())
    }

    pub(crate) fn put_state(&self, state: &State) -> Result<()> {
        let sql = "INSERT INTO meta (name, value) VALUES ('state', ?) ON CONFLICT (name)
            DO UPDATE SET value = excluded.value";
        self.write(sql, vec![serde_json::to_string(state)?.into()])
    }

    /// The names of all packs.
    pub(crate) fn packs(&self) -> Result<HashSet<u64>> {
        #[derive(Deserialize)]
        struct Id {
            id: u64,
        }
        let rows: Vec<Id> = self.rows("SELECT id FROM pack", vec![])?;
        Ok(rows.into_iter().map(|row| row.id).collect())
    }

    pub(crate) fn put_pack(&self, pack: &Pack) -> Result<()> {
        let sql = "INSERT OR IGNORE INTO pack (id, body) VALUES (?, ?)";
        self.write(sql, vec![number(pack.id), pack.body.as_str().into()])
    }

    /// Where each product is.
    pub(crate) fn index(&self) -> Result<Index> {
        Ok(Index::from_keys(&self.keys(INDEX)?))
    }

    /// The products of a list, in the feed's order.
    pub(crate) fn list(&self, id: u64) -> Result<Vec<u64>> {
        self.keys(id.cast_signed())
    }

    fn keys(&self, id: i64) -> Result<Vec<u64>> {
        let sql = "SELECT keys FROM list WHERE id = ? ORDER BY part";
        let mut keys = Vec::new();
        for row in self.sql.exec(sql, vec![SqlStorageValue::Integer(id)])?.raw() {
            if let [SqlStorageValue::Blob(bytes)] = row?.as_slice() {
                keys.extend(keys_from_bytes(bytes));
            }
        }
        Ok(keys)
    }

    /// All lists.
    pub(crate) fn lists(&self) -> Result<Vec<(u64, Vec<u64>)>> {
        let sql = "SELECT id, keys FROM list WHERE id >= 0 ORDER BY id, part";
        let mut lists: Vec<(u64, Vec<u64>)> = Vec::new();
        for row in self.sql.exec(sql, None)?.raw() {
            let row = row?;
            let [SqlStorageValue::Integer(id), SqlStorageValue::Blob(bytes)] = row.as_slice()
            else {
                continue;
            };
            let (id, keys) = (id.cast_unsigned(), keys_from_bytes(bytes));
            match lists.last_mut() {
                Some((last, known)) if *last == id => known.extend(keys),
                _ => lists.push((id, keys)),
            }
        }
        Ok(lists)
    }

    /// Puts the catalogue of an import in the place of the old one, without a pause between, which makes
    /// it one transaction.
    pub(crate) fn replace(&self, after: &After) -> Result<()> {
        #[derive(Deserialize)]
        struct Known {
            id: i64,
            part: usize,
            hash: u64,
        }
        let rows: Vec<Known> = self.rows("SELECT id, part, hash FROM list", vec![])?;
        let mut known: HashMap<(i64, usize), u64> =
            rows.into_iter().map(|row| ((row.id, row.part), row.hash)).collect();
        let index = after.index.to_keys();
        let lists = after.lists.iter().map(|(id, keys)| (id.cast_signed(), keys));
        for (id, keys) in lists.chain([(INDEX, &index)]) {
            for (part, keys) in keys.chunks(PART).enumerate() {
                let bytes = keys_to_bytes(keys);
                let print = hash(&bytes);
                if known.remove(&(id, part)) != Some(print) {
                    let sql = "INSERT OR REPLACE INTO list (id, part, hash, keys)
                        VALUES (?, ?, ?, ?)";
                    let id = SqlStorageValue::Integer(id);
                    self.write(sql, vec![id, number(part as u64), number(print), bytes.into()])?;
                }
            }
        }
        for (id, part) in known.into_keys() {
            let sql = "DELETE FROM list WHERE id = ? AND part = ?";
            self.write(sql, vec![SqlStorageValue::Integer(id), number(part as u64)])?;
        }
        for packs in after.dropped.chunks(1000) {
            let sql = "DELETE FROM pack WHERE id IN (SELECT value FROM json_each(?))";
            self.write(sql, vec![serde_json::to_string(packs)?.into()])?;
        }
        Ok(())
    }

    /// What is stored of products, in this order: of each its key, and the pack it is in, if it is in one.
    pub(crate) fn read(&self, products: &[(u64, Option<u64>)]) -> Result<Vec<Stored>> {
        let sql = "SELECT pack.body -> ('$.\"' || (asked.value ->> 0) || '\"') AS body,
            change.body AS change FROM json_each(?) AS asked
            LEFT JOIN pack ON pack.id = asked.value ->> 1
            LEFT JOIN change ON change.key = asked.value ->> 0 ORDER BY asked.key";
        self.rows(sql, vec![serde_json::to_string(products)?.into()])
    }

    /// The products about which something was said since.
    pub(crate) fn changed(&self) -> Result<HashSet<u64>> {
        #[derive(Deserialize)]
        struct Key {
            key: u64,
        }
        let rows: Vec<Key> = self.rows("SELECT key FROM change", vec![])?;
        Ok(rows.into_iter().map(|row| row.key).collect())
    }

    /// What was said of a product, and when.
    pub(crate) fn change(&self, key: u64) -> Result<Option<(u64, String)>> {
        #[derive(Deserialize)]
        struct Change {
            at: u64,
            body: String,
        }
        let sql = "SELECT at, body FROM change WHERE key = ?";
        let rows: Vec<Change> = self.rows(sql, vec![number(key)])?;
        Ok(rows.into_iter().next().map(|row| (row.at, row.body)))
    }

    pub(crate) fn put_change(&self, key: u64, body: String, at: u64) -> Result<()> {
        let sql = "INSERT OR REPLACE INTO change (key, at, body) VALUES (?, ?, ?)";
        self.write(sql, vec![number(key), number(at), body.into()])
    }

    /// Drops what was said before a feed was written.
    pub(crate) fn drop_changes(&self, before: u64) -> Result<()> {
        self.write("DELETE FROM change WHERE at < ?", vec![number(before)])
    }

    /// Counts what was bought.
    pub(crate) fn add_sold(&self, at: u64, products: &[(u64, u64)]) -> Result<()> {
        let sql = "INSERT INTO sold (day, key, quantity)
            SELECT ?, value ->> 0, value ->> 1 FROM json_each(?) WHERE true
            ON CONFLICT (day, key) DO UPDATE SET quantity = quantity + excluded.quantity";
        self.write(sql, vec![number(at / DAY), serde_json::to_string(products)?.into()])
    }

    /// How much of each product was bought lately.
    pub(crate) fn sold(&self, now: u64) -> Result<HashMap<u64, u64>> {
        #[derive(Deserialize)]
        struct Sold {
            key: u64,
            quantity: u64,
        }
        let sql = "SELECT key, sum(quantity) AS quantity FROM sold WHERE day > ? GROUP BY key";
        let rows: Vec<Sold> = self.rows(sql, vec![first_day(now)])?;
        Ok(rows.into_iter().map(|row| (row.key, row.quantity)).collect())
    }

    /// Drops what was bought too long ago to count.
    pub(crate) fn clean(&self, now: u64) -> Result<()> {
        self.write("DELETE FROM sold WHERE day <= ?", vec![first_day(now)])
    }
}

/// The day after which what was bought counts.
fn first_day(now: u64) -> SqlStorageValue {
    number((now / DAY).saturating_sub(SOLD_FOR))
}
