//! What all objects with tables do when they open them.

use serde::Deserialize;
use worker::{Result, SqlStorage};

/// Makes tables that are not there, and refuses those of a newer version: they may hold what this build
/// would lose.
///
/// `version` is that of the tables; one of them is `meta`, with names and values.
pub(crate) fn open(sql: &SqlStorage, tables: &str, version: i64) -> Result<()> {
    open_with(sql, tables, version, |_| Ok(()))
}

/// The same, where tables of an older version, which `migrate` gets, are made those of this one. Call it in
/// a transaction.
pub(crate) fn open_with(
    sql: &SqlStorage,
    tables: &str,
    version: i64,
    migrate: impl FnOnce(i64) -> Result<()>,
) -> Result<()> {
    #[derive(Deserialize)]
    struct Meta {
        value: String,
    }
    for table in tables.split_inclusive(';').filter(|statement| statement.contains("CREATE")) {
        sql.exec(table, None)?;
    }
    let known: Vec<Meta> =
        sql.exec("SELECT value FROM meta WHERE name = 'version'", None)?.to_array()?;
    match known.first().and_then(|meta| meta.value.parse::<i64>().ok()) {
        None => {
            let insert = "INSERT INTO meta (name, value) VALUES ('version', ?)";
            sql.exec(insert, vec![version.to_string().into()]).map(|_| ())
        }
        Some(found) if found > version => {
            Err("the tables are of a newer version: deploy that version again".into())
        }
        Some(found) if found < version => {
            migrate(found)?;
            let update = "UPDATE meta SET value = ? WHERE name = 'version'";
            sql.exec(update, vec![version.to_string().into()]).map(|_| ())
        }
        Some(_) => Ok(()),
    }
}
