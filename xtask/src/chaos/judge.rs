//! What became of every event, by what the stand-in's own file says.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::{key_of, pages::Sent, ways::Detours};
use crate::project;

/// For how long the platform knows the same bytes again, in milliseconds: the stand-in's setting.
const WINDOW: u64 = 60_000;

/// The end of a run.
#[derive(Debug, Default)]
pub(super) struct Judgement {
    pub(super) accepted: u64,
    pub(super) delivered: u64,
    pub(super) dead: u64,
    pub(super) erased: u64,
    /// Accepted, and neither delivered nor dead nor erased, whatever the Worker says that waits.
    pub(super) unaccounted: u64,
    /// Within the window, and later.
    pub(super) counted_twice: u64,
    pub(super) counted_again: u64,
    pub(super) out_of_order: u64,
    /// Dead, and not made to die; or dead twice.
    pub(super) dead_wrongly: u64,
    /// Neither accepted nor refused, though nobody erased them.
    pub(super) never_told: u64,
    /// Of visitors who were erased before it was known whether these were accepted, or while they were in
    /// the queue or the bucket, where an erasure does not reach.
    pub(super) open: u64,
    /// Some of what is wrong, to look at.
    pub(super) examples: Vec<String>,
}

/// What the platform has counted, by the event's key: when, and in which order.
fn read_platform(db: &Path) -> Result<HashMap<String, Vec<(u64, u64)>>> {
    let mut child = Command::new(project::root().join("target/debug/sandbox"))
        .arg("--db")
        .arg(db)
        .arg("--list")
        .stdout(Stdio::piped())
        .spawn()
        .context("the stand-in cannot be started")?;
    let out = child.stdout.take().context("its output is a pipe")?;
    let mut counted: HashMap<String, Vec<(u64, u64)>> = HashMap::new();
    for line in BufReader::new(out).lines() {
        let request: Value = serde_json::from_str(&line?)?;
        if request["verdict"] == "accepted"
            && let Some(key) = request["body"].as_str().and_then(key_of)
        {
            let number = |name: &str| request[name].as_u64().unwrap_or(0);
            let time = (number("received"), number("seq"));
            counted.entry(key.to_owned()).or_default().push(time);
        }
    }
    if !child.wait()?.success() {
        bail!("the stand-in's file cannot be read");
    }
    Ok(counted)
}

/// Compares what the pages know, what the platform has and what the Worker lists as dead.
pub(super) fn judge(
    sent: &Sent,
    db: &Path,
    dead: &[String],
    detours: &Detours,
) -> Result<Judgement> {
    let counted = read_platform(db)?;
    let mut found = Judgement::default();
    let note = |text: String, examples: &mut Vec<String>| {
        if examples.len() < 20 {
            examples.push(text);
        }
    };
    let mut is_dead = BTreeSet::new();
    for id in dead {
        let key = sent.keys.get(id).with_context(|| format!("a dead event of nobody: {id}"))?;
        let is_doomed = sent.events.get(key).is_some_and(|event| event.is_doomed);
        if !is_dead.insert(*key) || !is_doomed {
            found.dead_wrongly += 1;
            note(format!("dead wrongly: {key:?}"), &mut found.examples);
        }
    }
    let mut last: BTreeMap<u64, u64> = BTreeMap::new();
    for (key, event) in &sent.events {
        let (visitor, number) = *key;
        let name = super::pages::key(visitor, number);
        let times = counted.get(&name).map_or(&[][..], Vec::as_slice);
        let is_direct = !detours.contains_key(&name);
        for pair in times.windows(2) {
            if pair[1].0 - pair[0].0 < WINDOW {
                found.counted_twice += 1;
                note(format!("counted twice: {key:?}"), &mut found.examples);
            } else {
                found.counted_again += 1;
            }
        }
        // What went another way comes when that has an end.
        if let Some((_, seq)) = times.first().filter(|_| is_direct)
            && last.insert(visitor, *seq).is_some_and(|before| before > *seq)
        {
            found.out_of_order += 1;
            note(format!("out of order: {key:?}"), &mut found.examples);
        }
        // Whoever was erased may have been accepted without having heard of it.
        if !event.is_accepted && times.is_empty() {
            found.open += u64::from(event.is_erased && !event.is_refused);
            if !event.is_refused && !event.is_erased {
                found.never_told += 1;
                note(format!("never told: {key:?}"), &mut found.examples);
            }
            continue;
        }
        found.accepted += 1;
        found.open += u64::from(event.is_erased && !is_direct);
        if is_dead.contains(key) {
            found.dead += 1;
        } else if !times.is_empty() {
            found.delivered += 1;
        } else if event.is_erased {
            found.erased += 1;
        } else {
            found.unaccounted += 1;
            note(format!("nowhere: {key:?}"), &mut found.examples);
        }
    }
    Ok(found)
}
