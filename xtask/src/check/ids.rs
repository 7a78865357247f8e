//! The file with product ids of events.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// Reads one id a line, or a JSON list of them.
pub(super) fn load(path: &Path) -> Result<BTreeSet<String>> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("the product ids cannot be read from {}", path.display()))?;
    let ids = read(&text).with_context(|| format!("{} holds no product ids", path.display()))?;
    if ids.is_empty() {
        bail!("{} holds no product ids: write one a line, or a JSON list", path.display());
    }
    Ok(ids)
}

fn read(text: &str) -> Result<BTreeSet<String>> {
    let text = text.trim_start_matches('\u{feff}').trim();
    if !text.starts_with('[') {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        return Ok(lines.map(str::to_owned).collect());
    }
    let list: Vec<Value> = serde_json::from_str(text).context("it is no JSON list")?;
    let id = |value: &Value| match value {
        Value::String(text) => Ok(text.trim().to_owned()),
        Value::Number(number) => Ok(number.to_string()),
        other => bail!("an id is text or a number, not {other}"),
    };
    list.iter().map(id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_stand_in_lines_or_in_a_json_list() {
        let lines: Vec<String> =
            read("\u{feff}24-MB02\r\n\n 1001 \n1001\n").unwrap().into_iter().collect();
        assert_eq!(lines, ["1001", "24-MB02"]);
        let list: Vec<String> = read(r#" ["24-MB02", 1001] "#).unwrap().into_iter().collect();
        assert_eq!(list, ["1001", "24-MB02"]);
        assert!(read("[{\"id\": 1}]").is_err());
        assert!(read("[1").is_err());
    }
}
