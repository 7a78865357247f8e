//! Orders.

use rusqlite::{OptionalExtension as _, Row, params};
use serde_json::Value;

use super::State;

/// One order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Order {
    pub(crate) external_id: String,
    pub(crate) contact: i64,
    pub(crate) status: String,
    /// The order's own date.
    pub(crate) at: i64,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    /// As it came last.
    pub(crate) body: Value,
}

impl Order {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        let body: String = row.get("body")?;
        Ok(Self {
            external_id: row.get("external_id")?,
            contact: row.get("contact")?,
            status: row.get("status")?,
            at: row.get("at")?,
            created: row.get("created")?,
            updated: row.get("updated")?,
            body: serde_json::from_str(&body).unwrap_or_default(),
        })
    }
}

impl State<'_> {
    pub(crate) fn order(&self, external_id: &str) -> rusqlite::Result<Option<Order>> {
        let sql = "SELECT * FROM orders WHERE external_id = ?1";
        self.db.prepare_cached(sql)?.query_row([external_id], Order::of).optional()
    }

    pub(crate) fn put_order(&self, order: &Order) -> rusqlite::Result<()> {
        let sql = "INSERT INTO orders (external_id, contact, status, at, created, updated, body)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
            ON CONFLICT (external_id) DO UPDATE SET contact = ?2, status = ?3, at = ?4, updated = ?6,
                body = ?7";
        self.db.prepare_cached(sql)?.execute(params![
            order.external_id,
            order.contact,
            order.status,
            order.at,
            order.created,
            order.updated,
            order.body.to_string(),
        ])?;
        Ok(())
    }

    /// Orders in the order of their first arrival.
    pub(crate) fn orders(&self, limit: u32) -> rusqlite::Result<Vec<Order>> {
        let sql = "SELECT * FROM orders ORDER BY rowid LIMIT ?1";
        self.db.prepare_cached(sql)?.query_map([limit], Order::of)?.collect()
    }

    pub(crate) fn delete_order(&self, external_id: &str) -> rusqlite::Result<()> {
        self.db.execute("DELETE FROM orders WHERE external_id = ?1", [external_id])?;
        Ok(())
    }

    /// Deletes the orders whose dates lie between two moments, these included.
    pub(crate) fn delete_orders(&self, from: i64, to: i64) -> rusqlite::Result<()> {
        self.db.execute("DELETE FROM orders WHERE at BETWEEN ?1 AND ?2", [from, to])?;
        Ok(())
    }
}
