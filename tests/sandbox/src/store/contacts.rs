//! Contacts, what finds them, and the segments that they are in.

use std::fmt::Write as _;

use rusqlite::types::Value as Sql;
use rusqlite::{OptionalExtension as _, Row, params, params_from_iter};
use serde_json::Value;

use super::State;

/// One contact.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Contact {
    pub(crate) id: i64,
    pub(crate) external_id: Option<String>,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) deleted: bool,
    /// Whether its owner agreed to mail.
    pub(crate) confirmed: bool,
    /// Everything else, in the contract's form.
    pub(crate) body: Value,
}

/// Which contacts to list, in which order.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    /// Kind and value of a locator, and whether a part of the value is enough.
    pub(crate) locators: Vec<(&'static str, String, bool)>,
    pub(crate) external_id: Option<String>,
    pub(crate) first_name: Option<String>,
    pub(crate) last_name: Option<String>,
    pub(crate) segment: Option<i64>,
    /// Only those with a higher number.
    pub(crate) since: i64,
    pub(crate) with_deleted: bool,
    /// What follows ORDER BY.
    pub(crate) order: &'static str,
    pub(crate) skip: i64,
    pub(crate) limit: i64,
}

impl Contact {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        let body: String = row.get("body")?;
        Ok(Self {
            id: row.get("id")?,
            external_id: row.get("external_id")?,
            created: row.get("created")?,
            updated: row.get("updated")?,
            deleted: row.get("deleted")?,
            confirmed: row.get("confirmed")?,
            body: serde_json::from_str(&body).unwrap_or_default(),
        })
    }
}

impl State<'_> {
    pub(crate) fn contact(&self, id: i64) -> rusqlite::Result<Option<Contact>> {
        let sql = "SELECT * FROM contacts WHERE id = ?1";
        self.db.prepare_cached(sql)?.query_row([id], Contact::of).optional()
    }

    /// The contact of an id of the caller's own, deleted or not.
    pub(crate) fn contact_of(&self, external_id: &str) -> rusqlite::Result<Option<Contact>> {
        let sql =
            "SELECT * FROM contacts WHERE external_id = ?1 ORDER BY deleted, updated DESC, id DESC";
        self.db.prepare_cached(sql)?.query_row([external_id], Contact::of).optional()
    }

    /// Contacts with a channel or field of this value: those that are not deleted first, and of these
    /// the one that changed last.
    pub(crate) fn contacts_at(&self, kind: &str, value: &str) -> rusqlite::Result<Vec<Contact>> {
        let sql = "SELECT * FROM contacts WHERE id IN
                (SELECT contact FROM locators WHERE value = ?2 AND kind = ?1)
            ORDER BY deleted, updated DESC, id DESC";
        self.db.prepare_cached(sql)?.query_map([kind, value], Contact::of)?.collect()
    }

    /// Writes a contact, a new one under the number that it gets, and what finds it.
    pub(crate) fn put_contact(
        &self,
        contact: &mut Contact,
        locators: &[(String, String)],
    ) -> rusqlite::Result<()> {
        let body = contact.body.to_string();
        let (created, updated) = (contact.created, contact.updated);
        let (deleted, confirmed) = (contact.deleted, contact.confirmed);
        let external_id = &contact.external_id;
        if contact.id == 0 {
            let sql =
                "INSERT INTO contacts (external_id, created, updated, deleted, confirmed, body)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            let values = params![external_id, created, updated, deleted, confirmed, body];
            contact.id = self.db.prepare_cached(sql)?.insert(values)?;
        } else {
            let sql = "UPDATE contacts SET external_id = ?2, updated = ?3, deleted = ?4,
                confirmed = ?5, body = ?6 WHERE id = ?1";
            let values = params![contact.id, external_id, updated, deleted, confirmed, body];
            self.db.prepare_cached(sql)?.execute(values)?;
            self.db
                .prepare_cached("DELETE FROM locators WHERE contact = ?1")?
                .execute([contact.id])?;
        }
        let sql = "INSERT INTO locators (contact, kind, value) VALUES (?1, ?2, ?3)";
        let mut insert = self.db.prepare_cached(sql)?;
        for (kind, value) in locators {
            insert.execute(params![contact.id, kind, value])?;
        }
        Ok(())
    }

    /// Marks a contact as deleted; PUT, an import and a subscription bring it back.
    pub(crate) fn delete_contact(&self, id: i64, now: i64) -> rusqlite::Result<()> {
        let sql = "UPDATE contacts SET deleted = 1, updated = ?2 WHERE id = ?1";
        self.db.prepare_cached(sql)?.execute(params![id, now])?;
        Ok(())
    }

    /// Removes a contact and everything that it did.
    pub(crate) fn erase_contact(&self, id: i64) -> rusqlite::Result<()> {
        for table in ["locators", "members", "activity", "sent", "happened", "orders"] {
            self.db.execute(&format!("DELETE FROM {table} WHERE contact = ?1"), [id])?;
        }
        self.db.execute("DELETE FROM contacts WHERE id = ?1", [id])?;
        Ok(())
    }

    /// One page of contacts, and how many there are on all pages.
    pub(crate) fn contacts(&self, wanted: &Wanted) -> rusqlite::Result<(Vec<Contact>, i64)> {
        let mut filter = "id > ?".to_owned();
        let mut values = vec![Sql::from(wanted.since)];
        if !wanted.with_deleted {
            filter.push_str(" AND deleted = 0");
        }
        if let Some(segment) = wanted.segment {
            filter.push_str(" AND id IN (SELECT contact FROM members WHERE segment = ?)");
            values.push(Sql::from(segment));
        }
        if let Some(external_id) = &wanted.external_id {
            filter.push_str(" AND external_id = ?");
            values.push(Sql::from(external_id.clone()));
        }
        let names = [("firstName", &wanted.first_name), ("lastName", &wanted.last_name)];
        for (member, name) in names {
            if let Some(name) = name {
                let _ = write!(filter, " AND body ->> '{member}' = ? COLLATE NOCASE");
                values.push(Sql::from(name.clone()));
            }
        }
        for (kind, value, in_part) in &wanted.locators {
            let fits = if *in_part { "instr(value, ?) > 0" } else { "value = ?" };
            let _ = write!(
                filter,
                " AND id IN (SELECT contact FROM locators WHERE kind = '{kind}' AND {fits})"
            );
            values.push(Sql::from(value.clone()));
        }
        let count = format!("SELECT COUNT(*) FROM contacts WHERE {filter}");
        let count =
            self.db.query_row(&count, params_from_iter(&values), |row| row.get::<_, i64>(0))?;
        let page = format!(
            "SELECT * FROM contacts WHERE {filter} ORDER BY {} LIMIT {} OFFSET {}",
            wanted.order, wanted.limit, wanted.skip
        );
        let mut query = self.db.prepare(&page)?;
        let page = query.query_map(params_from_iter(&values), Contact::of)?;
        Ok((page.collect::<rusqlite::Result<_>>()?, count))
    }

    /// Puts a contact into a segment or takes it out, and tells whether that changed anything.
    pub(crate) fn set_member(
        &self,
        segment: i64,
        contact: i64,
        is_member: bool,
    ) -> rusqlite::Result<bool> {
        let sql = if is_member {
            "INSERT OR IGNORE INTO members (segment, contact) VALUES (?1, ?2)"
        } else {
            "DELETE FROM members WHERE segment = ?1 AND contact = ?2"
        };
        Ok(self.db.prepare_cached(sql)?.execute([segment, contact])? > 0)
    }

    pub(crate) fn empty_segment(&self, segment: i64) -> rusqlite::Result<()> {
        self.db.execute("DELETE FROM members WHERE segment = ?1", [segment])?;
        Ok(())
    }

    /// The segments that a contact is in.
    pub(crate) fn segments_of(&self, contact: i64) -> rusqlite::Result<Vec<i64>> {
        let sql = "SELECT segment FROM members WHERE contact = ?1 ORDER BY segment";
        self.db.prepare_cached(sql)?.query_map([contact], |row| row.get(0))?.collect()
    }
}
