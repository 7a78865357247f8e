//! What the platform refused for good: listed, sent again, erased.

use esputnik_kit::{json, value::Value};
use serde::{Deserialize, Serialize};
use worker::{Request, Result};

use super::OutboxObject;
use crate::{
    objects::{now, numbers},
    routes,
    store::{Books, DeadRow, NewBatch},
};

/// Dead events that are listed, and sent again or erased, at a time.
const DEAD_PAGE: u32 = 100;
const CHANGED: u32 = 1000;

/// Which of them; without ids, all.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Chosen {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ids: Option<Vec<String>>,
}

/// What a request says about which.
pub(super) fn chosen(text: &str) -> Result<Chosen> {
    if text.is_empty() { Ok(Chosen::default()) } else { Ok(serde_json::from_str(text)?) }
}

impl OutboxObject {
    pub(super) fn dead(&self, request: &Request) -> Result<String> {
        let url = request.inner().url();
        let after = routes::query(&url, "after").and_then(|text| text.parse().ok()).unwrap_or(0);
        let only = routes::query(&url, "id").map(str::to_owned);
        self.with(|inner| {
            let page = match &only {
                Some(id) => inner.store.dead_of(std::slice::from_ref(id))?,
                None => inner.store.dead(after, DEAD_PAGE)?,
            };
            // Where the next page begins, if there is one.
            let full = only.is_none() && page.len() == DEAD_PAGE as usize;
            let last = page.last().filter(|_| full).map(|row| row.id.unsigned_abs());
            let is_whole = only.is_some();
            let rows = page.into_iter().map(|row| view(row, is_whole)).collect();
            let mut members = vec![("dead".into(), Value::List(rows))];
            members.push(("total".into(), Value::whole(inner.store.count_dead()?)));
            members.extend(last.map(|last| ("after".into(), Value::whole(last))));
            Ok(Value::Object(members).to_json())
        })
    }

    /// Puts what the platform refused back into the queue, as it was.
    pub(super) fn replay(&self, which: &Chosen) -> Result<String> {
        self.with(|inner| {
            let rows = match &which.ids {
                Some(ids) => inner.store.dead_of(ids)?,
                None => inner.store.dead(0, CHANGED)?,
            };
            let count = rows.len() as u64;
            let store = std::rc::Rc::clone(&inner.store);
            let made = store.transact(|| {
                let (mut books, mut made) = (Books::new(), Vec::new());
                for row in rows {
                    books.entry(row.hour).or_default().add_dead(&row.code, -1);
                    let batch = NewBatch {
                        web_id: row.web_id,
                        received: now(),
                        agent: row.agent,
                        ids: vec![row.message_id],
                        bodies: vec![row.body],
                        hour: row.hour,
                    };
                    store.exhume(row.id)?;
                    made.push((store.add(&batch)?.0, row.hour));
                }
                store.count(&books)?;
                Ok(made)
            })?;
            for (row, hour) in made {
                inner.hours.insert(row.id, hour);
                inner.outbox.handle_row(row);
            }
            Ok(told("replayed", count, inner.store.count_dead()?))
        })
    }

    /// Erases what the platform refused.
    pub(super) async fn erase_dead(&self, which: &Chosen) -> Result<String> {
        let rows = self.with(|inner| match &which.ids {
            Some(ids) => inner.store.dead_of(ids),
            None => inner.store.dead(0, CHANGED),
        })?;
        self.with(|inner| rows.iter().try_for_each(|row| inner.store.blot_dead(row.id)))?;
        self.state.storage().sync().await?;
        self.with(|inner| {
            let store = &inner.store;
            store.transact(|| {
                let mut books = Books::new();
                for row in &rows {
                    // Another request may have been faster.
                    for (hour, more) in store.take_dead(row.id)? {
                        books.entry(hour).or_default().add(&more);
                    }
                }
                store.count(&books)
            })?;
            Ok(told("erased", rows.len() as u64, store.count_dead()?))
        })
    }
}

fn told(what: &str, count: u64, left: u64) -> String {
    numbers([(what, count), ("left", left)]).to_json()
}

fn view(row: DeadRow, is_whole: bool) -> Value {
    let text = |name: &str, text: String| (name.to_owned(), Value::Text(text));
    let mut members = vec![
        text("id", row.message_id),
        ("at".into(), Value::whole(row.at)),
        ("status".into(), Value::whole(row.status.into())),
        text("code", row.code),
        text("reason", row.reason),
    ];
    if is_whole {
        members.push(text("web_id", row.web_id));
        members.push(text("user_agent", row.agent));
    }
    members.push(("body".into(), json::parse(&row.body).unwrap_or_default()));
    Value::Object(members)
}
