//! The tables of the object that gives out promo codes.
//!
//! `claim` holds who gets which code and how far that is, `who` the names of contacts, as hashes; both
//! stay, so that nobody gets a second code and no code a second contact. `list` says when the codes of
//! a type are listed next.

use esputnik_kit::promo::{Claim, List, Wish, wished};
use std::collections::BTreeSet;

use serde::{Deserialize, de::DeserializeOwned};
use worker::{Result, SqlStorage, SqlStorageValue};

use crate::{objects::number, tables};

/// The version of the tables that this build writes.
const VERSION: i64 = 1;

// What claims are looked for by stands beside them; all of them is in `detail`.
const TABLES: &str = "
CREATE TABLE IF NOT EXISTS claim (
  id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, stage TEXT NOT NULL, code TEXT UNIQUE,
  next_at INTEGER NOT NULL, dead INTEGER, detail TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS claim_waiting ON claim (kind, id) WHERE stage = 'waiting' AND dead IS NULL;
CREATE INDEX IF NOT EXISTS claim_due ON claim (next_at)
  WHERE stage IN ('taken', 'marked', 'sent') AND dead IS NULL;
CREATE INDEX IF NOT EXISTS claim_dead ON claim (id) WHERE dead IS NOT NULL;
CREATE TABLE IF NOT EXISTS who (
  kind TEXT NOT NULL, name TEXT NOT NULL, claim INTEGER NOT NULL,
  PRIMARY KEY (kind, name)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS who_claim ON who (claim);
CREATE TABLE IF NOT EXISTS list (kind TEXT PRIMARY KEY, detail TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
";

/// Claims without a code yet, and those with one; both as the indexes have them, since most claims are done.
const WAITING: &str = "stage = 'waiting' AND dead IS NULL";
const UNDER_WAY: &str = "stage IN ('taken', 'marked', 'sent') AND dead IS NULL";

/// Claims that are given up, and that can be tried again: whom they are for is known still.
const DEAD: &str = "dead IS NOT NULL AND json_extract(detail, '$.wish') IS NOT NULL";

#[derive(Deserialize)]
struct Row {
    id: i64,
    detail: String,
}

impl Row {
    fn read(self) -> Result<(i64, Claim)> {
        Ok((self.id, serde_json::from_str(&self.detail)?))
    }
}

#[derive(Deserialize)]
struct Count {
    count: u64,
}

#[derive(Deserialize)]
struct Id {
    id: i64,
}

#[derive(Deserialize)]
struct Next {
    at: Option<u64>,
}

pub(crate) struct PromoStore {
    sql: SqlStorage,
}

impl PromoStore {
    pub(crate) fn open(sql: SqlStorage) -> Result<Self> {
        tables::open(&sql, TABLES, VERSION)?;
        Ok(Self { sql })
    }

    fn write(&self, sql: &str, values: Vec<SqlStorageValue>) -> Result<()> {
        self.sql.exec(sql, values).map(|_| ())
    }

    fn rows<T: DeserializeOwned>(&self, sql: &str, values: Vec<SqlStorageValue>) -> Result<Vec<T>> {
        self.sql.exec(sql, values)?.to_array()
    }

    fn claims(&self, sql: &str, values: Vec<SqlStorageValue>) -> Result<Vec<(i64, Claim)>> {
        let rows: Vec<Row> = self.rows(sql, values)?;
        rows.into_iter().map(Row::read).collect()
    }

    /// Stores that a contact is to get a code, in one go and without a pause: of two who come at once,
    /// the second finds what the first has stored.
    pub(crate) fn add(&self, wish: &Wish, now: u64) -> Result<()> {
        let mut known: Vec<(i64, Claim)> = Vec::new();
        for name in &wish.names {
            let sql = "SELECT claim.id, claim.detail FROM who JOIN claim ON claim.id = who.claim
                WHERE who.kind = ? AND who.name = ?";
            for (id, claim) in self.claims(sql, vec![text(&wish.kind), text(name)])? {
                if !known.iter().any(|(own, _)| *own == id) {
                    known.push((id, claim));
                }
            }
        }
        let (ids, claims): (Vec<i64>, Vec<Claim>) = known.into_iter().unzip();
        let mut id = ids.first().copied();
        if let Some((place, claim)) = wished(&claims, wish, now) {
            match place.and_then(|place| ids.get(place)) {
                Some(own) => self.put(*own, &claim)?,
                None => id = Some(self.insert(&claim)?),
            }
        }
        for name in &wish.names {
            let sql = "INSERT OR IGNORE INTO who (kind, name, claim) VALUES (?, ?, ?)";
            let id = id.ok_or("known or just made")?;
            self.write(sql, vec![text(&wish.kind), text(name), SqlStorageValue::Integer(id)])?;
        }
        Ok(())
    }

    fn insert(&self, claim: &Claim) -> Result<i64> {
        let sql = "INSERT INTO claim (kind, stage, code, next_at, dead, detail)
            VALUES (?, ?, ?, ?, ?, ?) RETURNING id";
        let rows: Vec<Id> = self.rows(sql, columns(claim)?)?;
        rows.first().map(|row| row.id).ok_or_else(|| "just inserted".into())
    }

    pub(crate) fn put(&self, id: i64, claim: &Claim) -> Result<()> {
        let sql =
            "UPDATE claim SET kind = ?, stage = ?, code = ?, next_at = ?, dead = ?, detail = ?
            WHERE id = ?";
        let mut values = columns(claim)?;
        values.push(SqlStorageValue::Integer(id));
        self.write(sql, values)
    }

    /// A claim as it is stored now.
    pub(crate) fn claim(&self, id: i64) -> Result<Option<Claim>> {
        let sql = "SELECT id, detail FROM claim WHERE id = ?";
        let found = self.claims(sql, vec![SqlStorageValue::Integer(id)])?;
        Ok(found.into_iter().next().map(|(_, claim)| claim))
    }

    /// Whether a claim has this code, whatever has become of it.
    pub(crate) fn is_given(&self, code: &str) -> Result<bool> {
        let rows: Vec<Id> = self.rows("SELECT id FROM claim WHERE code = ?", vec![text(code)])?;
        Ok(!rows.is_empty())
    }

    /// The first that wait for a code of a type.
    pub(crate) fn waiting(&self, kind: &str, most: usize) -> Result<Vec<(i64, Claim)>> {
        let sql =
            "SELECT id, detail FROM claim WHERE stage = 'waiting' AND dead IS NULL AND kind = ?
            ORDER BY id LIMIT ?";
        self.claims(sql, vec![text(kind), number(most as u64)])
    }

    /// The first claim with a code with which something is to be done.
    pub(crate) fn due(&self, now: u64) -> Result<Option<(i64, Claim)>> {
        let tail = " AND next_at <= ? ORDER BY next_at LIMIT 1";
        let sql = ["SELECT id, detail FROM claim WHERE ", UNDER_WAY, tail];
        Ok(self.claims(&sql.concat(), vec![number(now)])?.into_iter().next())
    }

    /// Types of codes that somebody waits for, each as far as it is.
    pub(crate) fn lists(&self) -> Result<Vec<List>> {
        #[derive(Deserialize)]
        struct Waited {
            kind: String,
            detail: Option<String>,
        }
        let sql = [
            "SELECT waited.kind, list.detail FROM (SELECT DISTINCT kind FROM claim WHERE ",
            WAITING,
            ") AS waited LEFT JOIN list USING (kind)",
        ];
        let rows: Vec<Waited> = self.rows(&sql.concat(), vec![])?;
        let read = |row: Waited| match row.detail {
            Some(detail) => Ok(serde_json::from_str(&detail)?),
            None => Ok(List::new(&row.kind)),
        };
        rows.into_iter().map(read).collect()
    }

    pub(crate) fn put_list(&self, list: &List) -> Result<()> {
        let sql = "INSERT OR REPLACE INTO list (kind, detail) VALUES (?, ?)";
        let detail = serde_json::to_string(list)?;
        self.write(sql, vec![text(&list.kind), detail.as_str().into()])
    }

    /// When something is to be done next.
    pub(crate) fn next(&self) -> Result<Option<u64>> {
        let sql = ["SELECT min(next_at) AS at FROM claim WHERE ", UNDER_WAY].concat();
        let rows: Vec<Next> = self.rows(&sql, vec![])?;
        let claims = rows.first().and_then(|next| next.at);
        Ok(self.lists()?.into_iter().map(|list| list.next_at).chain(claims).min())
    }

    /// A page of those that are given up.
    pub(crate) fn dead(&self, after: u32, most: u32) -> Result<Vec<(i64, Claim)>> {
        let sql = ["SELECT id, detail FROM claim WHERE ", DEAD, " AND id > ? ORDER BY id LIMIT ?"]
            .concat();
        self.claims(&sql, vec![number(after.into()), number(most.into())])
    }

    /// How many are under way, and how many are given up.
    pub(crate) fn counts(&self) -> Result<(u64, u64)> {
        let count = |which: &str| -> Result<u64> {
            let sql = ["SELECT count(*) AS count FROM claim WHERE ", which].concat();
            let rows: Vec<Count> = self.rows(&sql, vec![])?;
            Ok(rows.first().map_or(0, |row| row.count))
        };
        Ok((count(WAITING)? + count(UNDER_WAY)?, count(DEAD)?))
    }

    /// The claims of persons by their names, each with its type of codes.
    pub(crate) fn claims_of(&self, names: &[(String, String)]) -> Result<BTreeSet<i64>> {
        let mut claims = BTreeSet::new();
        for (kind, name) in names {
            let sql = "SELECT claim AS id FROM who WHERE kind = ? AND name = ?";
            let rows: Vec<Id> = self.rows(sql, vec![text(kind), text(name)])?;
            claims.extend(rows.into_iter().map(|row| row.id));
        }
        Ok(claims)
    }

    /// Writes whom a claim is for out of where it stands, by text of the same length; nothing is done with
    /// it after this.
    pub(crate) fn blot(&self, id: i64) -> Result<()> {
        let Some(mut claim) = self.claim(id)? else { return Ok(()) };
        if let Some(wish) = &mut claim.wish {
            let blank = |text: &String| " ".repeat(text.len());
            wish.email = wish.email.as_ref().map(blank);
            wish.phone = wish.phone.as_ref().map(blank);
        }
        self.put(id, &claim)
    }

    /// Forgets whom a claim was for. The code of theirs stays given.
    pub(crate) fn erase(&self, id: i64, now: u64) -> Result<()> {
        let kept = self.claim(id)?.and_then(|claim| claim.erased(now));
        self.write("DELETE FROM who WHERE claim = ?", vec![SqlStorageValue::Integer(id)])?;
        match kept {
            Some(kept) => self.put(id, &kept),
            None => {
                self.write("DELETE FROM claim WHERE id = ?", vec![SqlStorageValue::Integer(id)])
            }
        }
    }

    /// Forgets whom those were for that were given up before a time. What they had of a code stays.
    pub(crate) fn clean(&self, before: u64) -> Result<()> {
        let sql = ["SELECT id, detail FROM claim WHERE ", DEAD, " AND dead < ?"].concat();
        for (id, claim) in self.claims(&sql, vec![number(before)])? {
            if let Some(kept) = claim.forget() {
                self.put(id, &kept)?;
                continue;
            }
            self.write("DELETE FROM who WHERE claim = ?", vec![SqlStorageValue::Integer(id)])?;
            self.write("DELETE FROM claim WHERE id = ?", vec![SqlStorageValue::Integer(id)])?;
        }
        Ok(())
    }
}

fn text(text: &str) -> SqlStorageValue {
    text.into()
}

/// A claim's columns, in the order of the table.
fn columns(claim: &Claim) -> Result<Vec<SqlStorageValue>> {
    Ok(vec![
        text(&claim.kind),
        text(claim.stage.as_str()),
        claim.code.as_ref().map_or(SqlStorageValue::Null, |code| text(&code.text)),
        number(claim.next_at),
        claim.dead.map_or(SqlStorageValue::Null, number),
        serde_json::to_string(claim)?.as_str().into(),
    ])
}
