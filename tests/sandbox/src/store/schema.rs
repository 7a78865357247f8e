//! The tables, and how an older file comes to them.

use rusqlite::Connection;

/// The newest version; a file of a later one is another program's.
const VERSION: i64 = 2;

/// Version 1. The index on whole bodies is what finds duplicates: exactly, and without a hash of our
/// own. AUTOINCREMENT goes on counting after the table was emptied.
const REQUESTS: &str = "
BEGIN;
CREATE TABLE requests (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    received INTEGER NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    headers TEXT NOT NULL,
    authorized INTEGER NOT NULL,
    user_agent TEXT,
    body BLOB NOT NULL,
    verdict TEXT NOT NULL,
    status INTEGER,
    fault TEXT,
    event TEXT,
    sc TEXT,
    error TEXT,
    extras TEXT NOT NULL
) STRICT;
CREATE INDEX accepted_bodies ON requests (body) WHERE verdict = 'accepted';
PRAGMA user_version = 1;
COMMIT;
";

/// Version 2: the REST half and its state. The index leaves out what may be repeated, imports above
/// all, since it holds whole bodies. `docs` has what is looked up by id or name only.
const STATE: &str = "
BEGIN;
ALTER TABLE requests ADD COLUMN operation TEXT;
ALTER TABLE requests ADD COLUMN pool TEXT;
ALTER TABLE requests ADD COLUMN auth TEXT;
ALTER TABLE requests ADD COLUMN key INTEGER;
ALTER TABLE requests ADD COLUMN once INTEGER NOT NULL DEFAULT 1;
DROP INDEX accepted_bodies;
CREATE INDEX accepted_bodies ON requests (body) WHERE verdict = 'accepted' AND once = 1;
CREATE TABLE contacts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    external_id TEXT,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    confirmed INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX contacts_by_external_id ON contacts (external_id);
CREATE INDEX contacts_by_update ON contacts (updated);
CREATE TABLE locators (
    contact INTEGER NOT NULL,
    kind TEXT NOT NULL,
    value TEXT NOT NULL
) STRICT;
CREATE INDEX locators_by_value ON locators (value, kind);
CREATE INDEX locators_by_contact ON locators (contact);
CREATE TABLE members (
    segment INTEGER NOT NULL,
    contact INTEGER NOT NULL,
    PRIMARY KEY (segment, contact)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_by_contact ON members (contact);
CREATE TABLE docs (
    kind TEXT NOT NULL,
    id INTEGER NOT NULL,
    name TEXT,
    at INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX docs_by_name ON docs (kind, name);
CREATE TABLE counters (kind TEXT PRIMARY KEY, last INTEGER NOT NULL) STRICT;
CREATE TABLE orders (
    external_id TEXT PRIMARY KEY,
    contact INTEGER NOT NULL,
    status TEXT NOT NULL,
    at INTEGER NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE TABLE happened (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    received INTEGER NOT NULL,
    occurred INTEGER NOT NULL,
    type TEXT NOT NULL,
    key TEXT NOT NULL,
    contact INTEGER,
    source TEXT NOT NULL,
    params TEXT NOT NULL
) STRICT;
CREATE TABLE sent (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    request_id TEXT NOT NULL UNIQUE,
    at INTEGER NOT NULL,
    ready INTEGER NOT NULL,
    contact INTEGER NOT NULL,
    channel TEXT NOT NULL,
    locator TEXT NOT NULL,
    message INTEGER NOT NULL,
    status TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX sent_by_contact ON sent (contact);
CREATE TABLE activity (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    contact INTEGER NOT NULL,
    status TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
PRAGMA user_version = 2;
COMMIT;
";

/// The tables of the state, which `DELETE /state` empties.
pub(super) const OF_STATE: [&str; 9] = [
    "contacts", "locators", "members", "docs", "counters", "orders", "happened", "sent", "activity",
];

/// Brings a file of any version, an empty one included, to the newest.
///
/// # Errors
///
/// SQLite's, and [`rusqlite::Error::InvalidQuery`] for a file of a later version.
pub(super) fn bring_up(db: &Connection) -> rusqlite::Result<()> {
    let version = db.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))?;
    match version {
        0 => {
            db.execute_batch(REQUESTS)?;
            db.execute_batch(STATE)
        }
        1 => db.execute_batch(STATE),
        VERSION => Ok(()),
        _ => Err(rusqlite::Error::InvalidQuery),
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::params;

    use super::*;

    #[test]
    fn a_file_of_version_1_keeps_its_requests() {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(REQUESTS).unwrap();
        let sql =
            "INSERT INTO requests (received, method, path, headers, authorized, body, verdict,
            extras) VALUES (1, 'POST', '/api/v2', '[]', 0, ?1, 'accepted', '[]')";
        db.execute(sql, params![b"{}".as_slice()]).unwrap();
        bring_up(&db).unwrap();
        let once: (i64, Option<String>) = db
            .query_row("SELECT once, operation FROM requests", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .unwrap();
        assert_eq!(once, (1, None));
        bring_up(&db).unwrap();
        db.pragma_update(None, "user_version", 3).unwrap();
        assert!(bring_up(&db).is_err());
    }
}
