//! `cargo xtask replay FILE`: what becomes of calls, data and bodies as shops send them.
//!
//! The file holds a JSON list of cases in the form of `tests/data/site.json`. Each case meets a
//! kit, a platform's stand-in and a browser's visitor of its own. Stdout holds one line of JSON per
//! case with `--json`, the same for people without it.

use std::{fs, process};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::{build, progress, project, stack, tools::Toolbox};

/// How the script says that the file cannot be read, and this command after it.
const UNREADABLE: i32 = 2;

/// Where this reader is stricter than JavaScript's: deep nesting, and half a surrogate pair. Both
/// are worth a case; the script judges the file.
const DEFERRED: [&str; 2] = ["recursion limit", "hex escape"];

/// Runs the cases.
pub(crate) fn command(arguments: &[String]) -> Result<()> {
    let (file, form) = match read_arguments(arguments).and_then(|(file, json)| {
        check(file)?;
        Ok((file, if json { "json" } else { "text" }))
    }) {
        Ok(read) => read,
        Err(error) => {
            progress::failure(&error);
            process::exit(UNREADABLE);
        }
    };
    let toolbox = Toolbox::prepare()?;
    let chromium = toolbox.chromium()?;
    build::run(&toolbox)?;
    stack::build_sandbox(&toolbox)?;
    progress::step("replaying");
    let mut script = toolbox.command(&toolbox.node);
    let status = script
        .arg(project::root().join("tests/e2e/replay.js"))
        .args([file, form])
        .env("KIT_CHROMIUM", &chromium)
        .status()
        .context("Node cannot be started")?;
    match status.code() {
        Some(0) => Ok(()),
        Some(UNREADABLE) => process::exit(UNREADABLE),
        Some(1) => bail!("not every case came to an outcome"),
        _ => bail!("the run was cut off: {status}"),
    }
}

fn read_arguments(arguments: &[String]) -> Result<(&str, bool)> {
    let (options, files): (Vec<&String>, Vec<&String>) =
        arguments.iter().partition(|argument| argument.starts_with("--"));
    match (files.as_slice(), options.as_slice()) {
        ([file], []) => Ok((file, false)),
        ([file], [json]) if *json == "--json" => Ok((file, true)),
        _ => bail!("usage: cargo xtask replay FILE [--json]"),
    }
}

/// Whether the file may hold cases; known before anything is built for them.
fn check(file: &str) -> Result<()> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {file}"))?;
    match serde_json::from_str(text.trim_start_matches('\u{feff}')) {
        Ok(Value::Array(_)) => Ok(()),
        Ok(_) => bail!("{file} holds no list of cases; tests/data/site.json shows the form"),
        Err(error) if DEFERRED.iter().any(|reason| error.to_string().contains(reason)) => Ok(()),
        Err(error) => Err(error).with_context(|| format!("{file} is not JSON")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(texts: &[&str]) -> Option<(String, bool)> {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        read_arguments(&texts).ok().map(|(file, json)| (file.to_owned(), json))
    }

    #[test]
    fn one_file_and_the_form_are_taken_in_any_order() {
        assert_eq!(arguments(&["a.json"]), Some(("a.json".into(), false)));
        assert_eq!(arguments(&["a.json", "--json"]), Some(("a.json".into(), true)));
        assert_eq!(arguments(&["--json", "a.json"]), Some(("a.json".into(), true)));
        for wrong in [&[][..], &["--json"], &["a", "b"], &["a", "--xml"], &["a", "--json", "--x"]] {
            assert_eq!(arguments(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn only_a_list_of_cases_is_worth_a_build() {
        let file = std::env::temp_dir().join(format!("kit-replay-{}.json", process::id()));
        let path = file.to_str().expect("the temporary folder has a name in UTF-8");
        let judge = |text: &str| {
            fs::write(&file, text).expect("the temporary folder can be written to");
            check(path).map_err(|error| format!("{error:#}"))
        };
        let deep = ["[", &"[".repeat(500), &"]".repeat(500), "]"].concat();
        for taken in ["[]", "\u{feff}[{\"id\":\"A\"}]", "[\"\\ud83d\"]", &deep] {
            assert_eq!(judge(taken), Ok(()), "{taken}");
        }
        assert!(judge("{}").is_err_and(|error| error.contains("no list of cases")));
        assert!(judge("[1,").is_err_and(|error| error.contains("not JSON")));
        fs::remove_file(&file).expect("the file was just written");
        assert!(check(path).is_err_and(|error| error.to_string().contains("cannot read")));
    }
}
