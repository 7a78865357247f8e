//! Events that the platform will not take: kept for a while, with the reason.

use serde::Deserialize;
use worker::Result;

use super::Store;
use crate::objects::number;

/// Something that the platform will not take.
pub(crate) struct Dead<'a> {
    pub(crate) message_id: &'a str,
    pub(crate) web_id: &'a str,
    pub(crate) body: &'a str,
    pub(crate) agent: &'a str,
    pub(crate) status: u16,
    /// The platform's words.
    pub(crate) reason: &'a str,
    /// The name of the reason.
    pub(crate) code: &'a str,
    /// The hour in which it was received.
    pub(crate) hour: u64,
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
    pub(crate) code: String,
    pub(crate) hour: u64,
    pub(crate) at: u64,
}

impl Store {
    pub(crate) fn bury(&self, dead: &Dead<'_>) -> Result<usize> {
        let sql =
            "INSERT INTO dead (message_id, web_id, body, agent, status, reason, at, hour, code)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
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
                number(dead.hour),
                dead.code.into(),
            ],
        )
    }

    pub(crate) fn dead(&self, after: u32, most: u32) -> Result<Vec<DeadRow>> {
        let sql = "SELECT * FROM dead WHERE id > ? ORDER BY id LIMIT ?";
        self.read(sql, vec![number(after.into()), number(most.into())])
    }

    /// Those of these message ids.
    pub(crate) fn dead_of(&self, ids: &[String]) -> Result<Vec<DeadRow>> {
        let mut rows = Vec::new();
        for id in ids {
            let sql = "SELECT * FROM dead WHERE message_id = ? ORDER BY id";
            rows.extend(self.read::<DeadRow>(sql, vec![id.as_str().into()])?);
        }
        Ok(rows)
    }

    pub(crate) fn exhume(&self, id: i64) -> Result<usize> {
        self.write("DELETE FROM dead WHERE id = ?", vec![id.into()])
    }

    /// How many events were refused for good.
    pub(crate) fn count_dead(&self) -> Result<u64> {
        self.greatest("SELECT count(*) AS greatest FROM dead", vec![])
    }
}
