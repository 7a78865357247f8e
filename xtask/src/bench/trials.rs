//! The delivery trials, as a count.

use std::{collections::BTreeMap, fs, process::Stdio};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::{project, tools::Toolbox};

/// How many trials there are.
const TRIALS: u32 = 13;

/// Runs the trials and counts those that pass.
pub(super) fn run(toolbox: &Toolbox) -> Result<Value> {
    let file = project::kit().join("bench/trials.json");
    fs::create_dir_all(project::kit().join("bench"))?;
    // What an earlier run wrote must not count for this one.
    if file.exists() {
        fs::remove_file(&file)?;
    }
    let mut playwright = toolbox.script(&toolbox.playwright);
    playwright
        .current_dir(project::root())
        .env("KIT_CHROMIUM", toolbox.chromium()?)
        .env("PLAYWRIGHT_JSON_OUTPUT_FILE", &file)
        .args(["test", "--config", "tests/e2e/playwright.config.js"])
        .args(["--reporter", "json", "trials.spec.js"])
        .stdout(Stdio::null());
    // A trial that fails fails the program too; the report says which.
    playwright.status().context("Playwright cannot be started")?;
    let report = fs::read(&file).context("Playwright wrote no report")?;
    let report: Value = serde_json::from_slice(&report).context("Playwright's report is JSON")?;
    let verdicts = verdicts(&report);
    let missing: Vec<String> = (1..=TRIALS)
        .filter(|number| !verdicts.contains_key(number))
        .map(|number| number.to_string())
        .collect();
    if !missing.is_empty() {
        bail!("no test of trial {} ran", missing.join(", "));
    }
    let failed: Vec<&u32> =
        verdicts.iter().filter(|(_, passed)| !**passed).map(|(number, _)| number).collect();
    Ok(json!({
        "passed": verdicts.len() - failed.len(),
        "total": verdicts.len(),
        "failed": failed,
        "runs": 1,
    }))
}

/// Whether each trial passed: it does when every test of its number does.
fn verdicts(report: &Value) -> BTreeMap<u32, bool> {
    let mut verdicts = BTreeMap::new();
    for suite in list(&report["suites"]) {
        collect(suite, None, &mut verdicts);
    }
    verdicts
}

fn collect(suite: &Value, number: Option<u32>, verdicts: &mut BTreeMap<u32, bool>) {
    let number = number.or_else(|| numbered(&suite["title"]));
    for spec in list(&suite["specs"]) {
        let Some(number) = number.or_else(|| numbered(&spec["title"])) else { continue };
        let tests = list(&spec["tests"]);
        // Not `ok`, which holds for tests that were skipped as well.
        let passed = !tests.is_empty() && tests.iter().all(|test| test["status"] == "expected");
        *verdicts.entry(number).or_insert(true) &= passed;
    }
    for inner in list(&suite["suites"]) {
        collect(inner, number, verdicts);
    }
}

/// The number that a title starts with.
fn numbered(title: &Value) -> Option<u32> {
    let title = title.as_str()?;
    let digits: String = title.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok().filter(|number| (1..=TRIALS).contains(number))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::verdicts;

    fn spec(title: &str, status: &str) -> Value {
        json!({ "title": title, "ok": true, "tests": [{ "status": status }] })
    }

    #[test]
    fn a_trial_of_several_tests_passes_only_if_all_pass_and_none_is_skipped() {
        let report = json!({ "suites": [{
            "title": "trials.spec.js",
            "specs": [
                spec("1: one", "expected"),
                spec("2: two, in one tab", "expected"),
                spec("2: two, in two tabs", "unexpected"),
                spec("3: three", "skipped"),
                spec("no trial", "unexpected"),
            ],
            "suites": [{ "title": "12: twelve", "specs": [spec("3 tabs", "expected")] }],
        }] });
        let found: Vec<_> = verdicts(&report).into_iter().collect();
        assert_eq!(found, [(1, true), (2, false), (3, false), (12, true)]);
    }
}
