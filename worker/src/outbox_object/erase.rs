//! What is held of a browser, or of a person, is erased.
//!
//! First it is blotted out where it stands, on disk too: what is only deleted stays in the file, in pages
//! that are free, until something else is written there. Objects may neither vacuum their database nor have
//! it delete securely, so of rows that SQLite has moved, copies can stay in gaps until those are filled.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use worker::Result;

use super::{OutboxObject, contact_hash};
use crate::{objects::now, store::Books};

/// By what a person is known: addresses, phone numbers, ids.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Person {
    pub(crate) keys: Vec<String>,
}

/// What was found of a person.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Found {
    pub(crate) web_ids: BTreeSet<String>,
    /// Events that waited or were dead.
    pub(crate) events: i64,
}

/// The visitor whom all events of servers share that name nobody.
pub(super) const NOBODY: &str = "-";

impl OutboxObject {
    pub(super) async fn erase(&self, web_id: &str) -> Result<String> {
        self.erase_visitors(&[web_id.to_owned()].into(), &[]).await?;
        Ok("{}".to_owned())
    }

    /// Erases every browser that has been known by one of these keys, and every event that has one of them
    /// in it, whoever sent it.
    pub(super) async fn erase_contact(&self, person: &Person) -> Result<String> {
        let web_ids = self.with(|inner| {
            let mut web_ids = BTreeSet::new();
            for key in &person.keys {
                web_ids.extend(inner.store.visitors_of(&contact_hash(&inner.salt, key))?);
            }
            Ok(web_ids)
        })?;
        let events = self.erase_visitors(&web_ids, &person.keys).await?;
        let web_ids = web_ids.into_iter().filter(|web_id| web_id != NOBODY).collect();
        Ok(serde_json::to_string(&Found { web_ids, events })?)
    }

    /// How many events were erased.
    async fn erase_visitors(&self, web_ids: &BTreeSet<String>, keys: &[String]) -> Result<i64> {
        let own: BTreeSet<&String> = web_ids.iter().filter(|web_id| *web_id != NOBODY).collect();
        // From here on nothing of it is sent any more, and nothing of it is taken that comes back.
        let (books, rows, dead) = self.with(|inner| {
            inner.erased_until = now();
            for name in
                own.iter().map(|web_id| web_id.as_str()).chain(keys.iter().map(|key| &**key))
            {
                let hash = contact_hash(&inner.salt, name);
                inner.store.put_erased(&hash, inner.erased_until)?;
            }
            let mut books = Books::new();
            let rows = inner.store.rows_with(keys)?;
            let dead = inner.store.dead_with(keys)?;
            let mut gone: Vec<u64> = rows.clone();
            for web_id in &own {
                inner.visitors.remove(*web_id);
                gone.extend(inner.outbox.rows_of(web_id).map(|row| row.id));
            }
            inner.visitors.remove(NOBODY);
            for id in gone {
                let Some(row) = inner.outbox.row(id) else { continue };
                let hour = inner.hour_of(row);
                let waits = i64::try_from(row.count - row.position).unwrap_or(i64::MAX);
                let counts = books.entry(hour).or_default();
                counts.erased += waits;
                if let Some(settled) = inner.settled.remove(&id) {
                    counts.add(&settled);
                }
                inner.hours.remove(&id);
                inner.outbox.forget_row(id);
            }
            for web_id in &own {
                inner.store.blot(web_id)?;
            }
            rows.iter().try_for_each(|id| inner.store.blot_row(*id))?;
            dead.iter().try_for_each(|id| inner.store.blot_dead(*id))?;
            if web_ids.contains(NOBODY) {
                inner.store.blot_visitor(NOBODY)?;
            }
            Ok((books, rows, dead))
        })?;
        self.state.storage().sync().await?;
        self.with(|inner| {
            let store = std::rc::Rc::clone(&inner.store);
            let outbox = &inner.outbox;
            inner.progress.retain(|row, _| outbox.row(*row).is_some());
            let mut books = books;
            store.transact(|| {
                let mut add = |more: Books| {
                    for (hour, more) in more {
                        books.entry(hour).or_default().add(&more);
                    }
                };
                for web_id in &own {
                    add(store.erase(web_id)?);
                }
                for id in &rows {
                    store.erase_row(*id)?;
                }
                for id in &dead {
                    add(store.take_dead(*id)?);
                }
                if web_ids.contains(NOBODY) {
                    store.forget_visitor(NOBODY)?;
                }
                store.put_progress(&inner.progress)?;
                store.count(&books)
            })?;
            Ok(books.values().map(|hour| hour.erased).sum())
        })
    }
}
