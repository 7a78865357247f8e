//! The part of recommendation blocks: Chromium measures, `tests/bench/blocks.js` asks it.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::{process, project, tools::Toolbox};

/// How long until the first card is there, beside a page by hand.
pub(super) fn measure(toolbox: &Toolbox, runs: u32) -> Result<Value> {
    let mut node = toolbox.script(&project::root().join("tests/bench/blocks.js"));
    node.current_dir(project::root()).env("KIT_CHROMIUM", toolbox.chromium()?);
    let answer = process::stdout(node.arg(json!({ "runs": runs }).to_string()))?;
    let found: Value = serde_json::from_str(&answer).context("blocks.js answers JSON")?;
    Ok(json!({ "blocks": found }))
}
