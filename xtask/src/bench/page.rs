//! The page's part: Chromium measures, `tests/bench/page.js` asks it.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::{build, process, project, tools::Toolbox};

/// What the kit costs the main thread, and when and after how many bytes the first event leaves.
pub(super) fn measure(toolbox: &Toolbox, manifest: &build::Manifest, runs: u32) -> Result<Value> {
    let brotli = |name: &str| manifest.get(name).map_or(0, |asset| asset.size.brotli);
    let options = json!({
        "runs": runs,
        "sizes": { "tracker": brotli("tracker") + brotli("wasm") },
    });
    let mut node = toolbox.script(&project::root().join("tests/bench/page.js"));
    node.current_dir(project::root()).env("KIT_CHROMIUM", toolbox.chromium()?);
    let answer = process::stdout(node.arg(options.to_string()))?;
    let found: Value = serde_json::from_str(&answer).context("page.js answers JSON")?;
    let (start, calls) = (&found["start"], &found["calls"]["kit"]);
    // Comparable from machine to machine, which times are not.
    let ratio = |of: &Value, to: &Value| Some(of.as_f64()? / to.as_f64().filter(|to| *to > 0.0)?);
    let journal = &found["calls"]["journal"]["median"]["median"];
    Ok(json!({
        "browser": found["browser"],
        "main_thread": {
            "slower": found["slower"],
            "script_ms": start["script"]["median"],
            "script_cpu_ms": start["script_cpu"]["median"],
            "floor_ms": start["floor"]["median"],
            "script_by_floor": ratio(&start["script"]["median"], &start["floor"]["median"]),
            "blocking_ms": start["blocking"]["median"],
            "longest_ms": start["longest"]["median"],
            "call_ms": {
                "median": calls["median"]["median"],
                "p95": calls["p95"]["median"],
            },
            "journal_ms": journal,
            "call_by_journal": ratio(&calls["median"]["median"], journal),
            "runs": runs,
            "start": start,
            "calls": found["calls"],
        },
        "first_event_ms": found["first"]["cold"]["ms"]["median"],
        "first_event_bytes": found["bytes"]["loader"],
        "first_event": {
            "cold": found["first"]["cold"],
            "warm": found["first"]["warm"],
            "cold_slowed": found["first"]["cold_slowed"],
            "warm_slowed": found["first"]["warm_slowed"],
            "bytes": found["bytes"],
        },
    }))
}
