//! What happened to contacts: events, messages that were sent, and what became of these.

use rusqlite::{OptionalExtension as _, Row, params};
use serde_json::Value;

use super::State;

/// One event of the REST API, sent by a caller or made by the platform itself.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Happened {
    pub(crate) seq: i64,
    pub(crate) received: i64,
    pub(crate) occurred: i64,
    pub(crate) kind: String,
    pub(crate) key: String,
    pub(crate) contact: Option<i64>,
    /// `v1`, `v2`, `v3`, `past` or `platform`.
    pub(crate) source: String,
    pub(crate) params: Value,
}

/// One message to one contact.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sent {
    pub(crate) request_id: String,
    pub(crate) at: i64,
    /// From when on it has its status.
    pub(crate) ready: i64,
    pub(crate) contact: i64,
    pub(crate) channel: String,
    pub(crate) locator: String,
    /// 0 for content that is stored nowhere.
    pub(crate) message: i64,
    pub(crate) status: String,
    pub(crate) body: Value,
}

/// One row of a contact's activity.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Activity {
    pub(crate) seq: i64,
    pub(crate) at: i64,
    pub(crate) contact: i64,
    pub(crate) status: String,
    pub(crate) body: Value,
}

fn json(row: &Row<'_>, column: &str) -> rusqlite::Result<Value> {
    let text: String = row.get(column)?;
    Ok(serde_json::from_str(&text).unwrap_or_default())
}

impl Happened {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: row.get("seq")?,
            received: row.get("received")?,
            occurred: row.get("occurred")?,
            kind: row.get("type")?,
            key: row.get("key")?,
            contact: row.get("contact")?,
            source: row.get("source")?,
            params: json(row, "params")?,
        })
    }
}

impl Sent {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            request_id: row.get("request_id")?,
            at: row.get("at")?,
            ready: row.get("ready")?,
            contact: row.get("contact")?,
            channel: row.get("channel")?,
            locator: row.get("locator")?,
            message: row.get("message")?,
            status: row.get("status")?,
            body: json(row, "body")?,
        })
    }
}

impl Activity {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: row.get("seq")?,
            at: row.get("at")?,
            contact: row.get("contact")?,
            status: row.get("status")?,
            body: json(row, "body")?,
        })
    }
}

impl State<'_> {
    /// Writes an event down; its number is given here.
    pub(crate) fn add_event(&self, event: &Happened) -> rusqlite::Result<()> {
        let sql = "INSERT INTO happened (received, occurred, type, key, contact, source, params)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        self.db.prepare_cached(sql)?.execute(params![
            event.received,
            event.occurred,
            event.kind,
            event.key,
            event.contact,
            event.source,
            event.params.to_string(),
        ])?;
        Ok(())
    }

    /// Events behind a number, of one type if it is given.
    pub(crate) fn events(
        &self,
        since: u64,
        kind: Option<&str>,
        limit: u32,
    ) -> rusqlite::Result<Vec<Happened>> {
        let sql = "SELECT * FROM happened WHERE seq > ?1 AND (?2 IS NULL OR type = ?2)
            ORDER BY seq LIMIT ?3";
        let values = params![since, kind, limit];
        self.db.prepare_cached(sql)?.query_map(values, Happened::of)?.collect()
    }

    /// Deletes the past events of a period, its ends included.
    pub(crate) fn delete_events(&self, from: i64, to: i64) -> rusqlite::Result<()> {
        let sql = "DELETE FROM happened WHERE occurred BETWEEN ?1 AND ?2";
        self.db.execute(sql, [from, to])?;
        Ok(())
    }

    pub(crate) fn add_sent(&self, sent: &Sent) -> rusqlite::Result<()> {
        let sql =
            "INSERT INTO sent (request_id, at, ready, contact, channel, locator, message, status,
                body)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
        self.db.prepare_cached(sql)?.execute(params![
            sent.request_id,
            sent.at,
            sent.ready,
            sent.contact,
            sent.channel,
            sent.locator,
            sent.message,
            sent.status,
            sent.body.to_string(),
        ])?;
        Ok(())
    }

    pub(crate) fn sent(&self, request_id: &str) -> rusqlite::Result<Option<Sent>> {
        let sql = "SELECT * FROM sent WHERE request_id = ?1";
        self.db.prepare_cached(sql)?.query_row([request_id], Sent::of).optional()
    }

    /// What was sent in a period, its ends included, to one contact or to all, newest first.
    pub(crate) fn sent_between(
        &self,
        from: i64,
        to: i64,
        contact: Option<i64>,
    ) -> rusqlite::Result<Vec<Sent>> {
        let sql = "SELECT * FROM sent WHERE at BETWEEN ?1 AND ?2 AND (?3 IS NULL OR contact = ?3)
            ORDER BY seq DESC";
        self.db.prepare_cached(sql)?.query_map(params![from, to, contact], Sent::of)?.collect()
    }

    pub(crate) fn set_sent_status(&self, request_id: &str, status: &str) -> rusqlite::Result<()> {
        let sql = "UPDATE sent SET status = ?2 WHERE request_id = ?1";
        self.db.prepare_cached(sql)?.execute([request_id, status])?;
        Ok(())
    }

    /// Writes a row of activity down; its number is given here.
    pub(crate) fn add_activity(&self, row: &Activity) -> rusqlite::Result<()> {
        let sql = "INSERT INTO activity (at, contact, status, body) VALUES (?1, ?2, ?3, ?4)";
        self.db.prepare_cached(sql)?.execute(params![
            row.at,
            row.contact,
            row.status,
            row.body.to_string()
        ])?;
        Ok(())
    }

    /// Rows of a period, its ends included, behind a number.
    pub(crate) fn activity(
        &self,
        from: i64,
        to: i64,
        since: i64,
    ) -> rusqlite::Result<Vec<Activity>> {
        let sql = "SELECT * FROM activity WHERE at BETWEEN ?1 AND ?2 AND seq > ?3 ORDER BY seq";
        self.db.prepare_cached(sql)?.query_map([from, to, since], Activity::of)?.collect()
    }
}
