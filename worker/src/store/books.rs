//! The ledger's tables, and how those of older versions come to have them.
#![expect(clippy::items_after_statements, reason = "the shape of a row stands beside its query")]

use std::collections::BTreeMap;

use esputnik_kit::{
    ledger::{HOUR, Hour, KEPT_FOR, Sheet, hour_of, reason_of},
    wire::message_time,
};
use serde::Deserialize;
use worker::Result;

use super::Store;
use crate::objects::{now, number};

/// Changes of the ledger, by hour.
pub(crate) type Books = BTreeMap<u64, Hour>;

/// Rows that are not done, with how much of them waits: of what is being sent, a row of its own says so.
const OPEN: &str = "SELECT batch.id, batch.received, batch.hour, batch.count
    - coalesce(json_extract(sent.value, '$[0]'), batch.position) AS pending FROM batch
    LEFT JOIN json_each((SELECT value FROM meta WHERE name = 'progress')) AS sent
    ON sent.key = cast(batch.id AS TEXT) WHERE batch.position < batch.count";

impl Store {
    /// Adds to the ledger, in the transaction of what is counted; how many rows were written.
    pub(crate) fn count(&self, books: &Books) -> Result<usize> {
        let first = hour_of(now().saturating_sub(KEPT_FOR));
        let mut written = 0;
        for (hour, more) in books {
            // Of an hour that is gone nothing is counted any more.
            if more.is_empty() || *hour < first {
                continue;
            }
            #[derive(Deserialize)]
            struct Found {
                counts: String,
            }
            let sql = "SELECT counts FROM ledger WHERE hour = ?";
            let found: Vec<Found> = self.read(sql, vec![number(*hour)])?;
            let stored = found.first().map(|row| serde_json::from_str(&row.counts)).transpose()?;
            let mut counts: Hour = stored.unwrap_or_default();
            counts.add(more);
            let sql = "INSERT INTO ledger (hour, counts) VALUES (?, ?)
                ON CONFLICT (hour) DO UPDATE SET counts = excluded.counts";
            let counts = serde_json::to_string(&counts)?;
            written += self.write(sql, vec![number(*hour), counts.into()])?;
        }
        Ok(written)
    }

    /// The ledger, with what waits as the rows themselves have it.
    pub(crate) fn sheet(&self) -> Result<Sheet> {
        #[derive(Deserialize)]
        struct Found {
            hour: u64,
            counts: String,
        }
        #[derive(Deserialize)]
        struct Open {
            at: u64,
            pending: i64,
            oldest: u64,
        }
        let mut sheet = Sheet::default();
        let first = number(hour_of(now().saturating_sub(KEPT_FOR)));
        let sql = "SELECT hour, counts FROM ledger WHERE hour >= ?";
        for row in self.read::<Found>(sql, vec![first])? {
            sheet.hours.insert(row.hour, serde_json::from_str(&row.counts)?);
        }
        // Not as a parameter: those are no whole numbers to SQLite.
        let sql = format!(
            "SELECT iif(hour = 0, received / {HOUR}, hour) AS at, sum(pending) AS pending,
                min(received) AS oldest FROM ({OPEN}) GROUP BY at"
        );
        for row in self.read::<Open>(&sql, vec![])? {
            sheet.hours.entry(row.at).or_default().pending += row.pending;
            sheet.oldest = sheet.oldest.into_iter().chain([row.oldest]).min();
        }
        Ok(sheet)
    }

    /// Makes the tables of an older version those of this one.
    pub(super) fn migrate(&self, from: i64) -> Result<()> {
        if from < 2 {
            for sql in [
                "ALTER TABLE batch ADD COLUMN hour INTEGER NOT NULL DEFAULT 0",
                "ALTER TABLE dead ADD COLUMN hour INTEGER NOT NULL DEFAULT 0",
                "ALTER TABLE dead ADD COLUMN code TEXT NOT NULL DEFAULT ''",
            ] {
                self.write(sql, vec![])?;
            }
            self.open_books()?;
        }
        Ok(())
    }

    /// Fills the ledger from the rows that there are: what they do not tell, nobody knows any more.
    fn open_books(&self) -> Result<()> {
        #[derive(Deserialize)]
        struct Found {
            at: u64,
            accepted: i64,
            pending: i64,
        }
        let mut books = Books::new();
        // Rows without bodies and sender came from the generation before, which counts them itself.
        let sql = format!(
            "SELECT batch.received / {HOUR} AS at,
                sum(length(batch.ids) - length(replace(batch.ids, ' ', '')) + 1) AS accepted,
                sum(coalesce(open.pending, 0)) AS pending
            FROM batch LEFT JOIN ({OPEN}) AS open ON open.id = batch.id
            WHERE NOT (batch.count = 0 AND coalesce(batch.agent, '') = '') GROUP BY at"
        );
        for row in self.read::<Found>(&sql, vec![])? {
            let hour = books.entry(row.at).or_default();
            hour.accepted += row.accepted;
            hour.delivered += row.accepted - row.pending;
        }
        let mut after = 0;
        loop {
            let page = self.dead(after, 500)?;
            for row in &page {
                let received = self.received(&row.web_id, &row.message_id)?;
                let at = hour_of(received.unwrap_or(row.at));
                let code = reason_of((row.status > 0).then_some(row.status));
                let hour = books.entry(at).or_default();
                if received.is_some() {
                    hour.delivered -= 1;
                } else {
                    hour.accepted += 1;
                }
                hour.add_dead(&code, 1);
                let sql = "UPDATE dead SET hour = ?, code = ? WHERE id = ?";
                self.write(sql, vec![number(at), code.into(), row.id.into()])?;
            }
            let Some(last) = page.last() else { break };
            after = u32::try_from(last.id).map_err(|_| "too many rows")?;
        }
        self.count(&books).map(|_| ())
    }

    /// When a message came that is stored.
    pub(crate) fn received(&self, web_id: &str, id: &str) -> Result<Option<u64>> {
        #[derive(Deserialize)]
        struct Found {
            received: u64,
        }
        // What servers send shares a visitor, and comes one by one: of those no others are looked at.
        let sql = "SELECT received FROM batch WHERE web_id = ?1 AND last >= ?2 AND first <= ?2
            AND (web_id != '-' OR last = ?2) AND instr(ids, ?3) ORDER BY id LIMIT 1";
        let values = vec![web_id.into(), number(message_time(id)), id.into()];
        let found: Vec<Found> = self.read(sql, values)?;
        Ok(found.first().map(|row| row.received))
    }
}
