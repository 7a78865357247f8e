//! Counting what is in the store.

use std::collections::BTreeMap;

use rusqlite::Connection;
use serde::Serialize;

use super::record::Verdict;

/// Counts over everything recorded.
#[derive(Debug, Serialize)]
pub(crate) struct Stats {
    requests: u64,
    duplicates: u64,
    /// Requests that carried members the contract does not know.
    with_extras: u64,
    /// The most requests, of any verdict, that arrived within 1000 ms.
    max_per_second: u64,
    verdicts: BTreeMap<&'static str, u64>,
    /// Accepted ones, the tracker's only.
    events: BTreeMap<String, u64>,
    /// All that named the event, by verdict.
    attempts: BTreeMap<String, BTreeMap<String, u64>>,
    /// What each pool of the REST API saw, refused and limited requests included.
    pools: BTreeMap<String, PoolStats>,
}

/// The requests that a pool counts.
#[derive(Debug, Default, Serialize)]
pub(crate) struct PoolStats {
    requests: u64,
    /// Those that were above the limit.
    limited: u64,
    /// The most that arrived within 1000 ms, wherever these begin.
    max_per_second: u64,
}

impl Stats {
    pub(super) fn count(db: &Connection) -> rusqlite::Result<Self> {
        let mut verdicts: BTreeMap<_, _> =
            Verdict::ALL.into_iter().map(|verdict| (verdict.name(), 0)).collect();
        let mut events = BTreeMap::new();
        let mut attempts: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
        let mut requests = 0;
        let mut query =
            db.prepare_cached("SELECT event, verdict, COUNT(*) FROM requests GROUP BY 1, 2")?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let (event, verdict, count): (Option<String>, String, u64) =
                (row.get(0)?, row.get(1)?, row.get(2)?);
            requests += count;
            if let Some(verdict) = Verdict::named(&verdict) {
                *verdicts.entry(verdict.name()).or_default() += count;
            }
            let Some(event) = event else { continue };
            if verdict == Verdict::Accepted.name() {
                events.insert(event.clone(), count);
            }
            attempts.entry(event).or_default().insert(verdict, count);
        }
        let with_extras =
            db.query_row("SELECT COUNT(*) FROM requests WHERE extras <> '[]'", [], |row| {
                row.get(0)
            })?;
        let mut query = db.prepare_cached("SELECT received FROM requests ORDER BY received")?;
        let arrivals =
            query.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<u64>>>()?;
        let duplicates = verdicts[Verdict::Duplicate.name()];
        let max_per_second = fullest_second(&arrivals);
        let pools = pools(db)?;
        Ok(Self {
            requests,
            duplicates,
            with_extras,
            max_per_second,
            verdicts,
            events,
            attempts,
            pools,
        })
    }

    pub(crate) fn verdict(&self, verdict: Verdict) -> u64 {
        self.verdicts.get(verdict.name()).copied().unwrap_or_default()
    }

    pub(crate) fn events(&self) -> &BTreeMap<String, u64> {
        &self.events
    }

    pub(crate) fn max_per_second(&self) -> u64 {
        self.max_per_second
    }
}

fn pools(db: &Connection) -> rusqlite::Result<BTreeMap<String, PoolStats>> {
    let sql =
        "SELECT pool, verdict, received FROM requests WHERE pool IS NOT NULL ORDER BY received";
    let mut query = db.prepare_cached(sql)?;
    let mut rows = query.query([])?;
    let mut pools: BTreeMap<String, (PoolStats, Vec<u64>)> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let (name, verdict, received): (String, String, u64) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        let (stats, arrivals) = pools.entry(name).or_default();
        stats.requests += 1;
        stats.limited += u64::from(verdict == Verdict::Limited.name());
        arrivals.push(received);
    }
    let counted = |(name, (mut stats, arrivals)): (String, (PoolStats, Vec<u64>))| {
        stats.max_per_second = fullest_second(&arrivals);
        (name, stats)
    };
    Ok(pools.into_iter().map(counted).collect())
}

/// The most of these moments that lie within 1000 ms, the last one excluded. They are in order.
fn fullest_second(arrivals: &[u64]) -> u64 {
    let mut first = 0;
    let mut most = 0;
    for (last, moment) in arrivals.iter().enumerate() {
        while arrivals[first] + 1000 <= *moment {
            first += 1;
        }
        most = most.max(last - first + 1);
    }
    most as u64
}

#[cfg(test)]
mod tests {
    use super::fullest_second;

    #[test]
    fn fullest_second_slides_instead_of_following_the_clock() {
        assert_eq!(fullest_second(&[]), 0);
        assert_eq!(fullest_second(&[5]), 1);
        assert_eq!(fullest_second(&[900, 950, 1_100, 1_899, 1_900]), 4);
    }
}
