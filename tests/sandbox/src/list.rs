//! What a file holds, for whoever has the file and no server.

use std::error::Error;
use std::io::{BufWriter, Write};
use std::path::Path;

use serde_json::json;

use crate::store::{Filter, Store};

/// Requests that are read at a time.
const PAGE: u32 = 5000;

/// Writes every request that came to the tracker, oldest first, a line of JSON each: its number, when
/// it came, its body, what became of it, and the status that was answered.
///
/// # Errors
///
/// Those of SQLite and of `out`; there is no file, or it is another program's.
pub fn list(db: &Path, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    if !db.exists() {
        return Err(format!("there is no file {}", db.display()).into());
    }
    let store = Store::open(db)?;
    let mut out = BufWriter::new(out);
    let mut since = 0;
    loop {
        let filter = Filter { since, tracker_only: true, limit: Some(PAGE), ..Filter::default() };
        let page = store.list(&filter)?;
        let Some(last) = page.last() else { break };
        since = last.seq;
        for request in &page {
            let line = json!({
                "seq": request.seq,
                "received": request.received,
                "body": String::from_utf8_lossy(&request.body),
                "verdict": request.verdict,
                "status": request.status,
            });
            writeln!(out, "{line}")?;
        }
    }
    Ok(out.flush()?)
}
