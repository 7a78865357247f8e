//! Asking Cargo for a wasm module.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// Runs a Cargo command that makes one cdylib and returns the module of the package in `folder`.
///
/// Cargo names the file itself, so nothing here knows of target folders and profiles.
pub(super) fn module(command: &mut Command, folder: &Path) -> Result<PathBuf> {
    let output = command
        .args(["--message-format", "json-render-diagnostics"])
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start cargo")?;
    if !output.status.success() {
        bail!("the code of {} does not compile", folder.display());
    }
    let messages = String::from_utf8(output.stdout).context("cargo answers in UTF-8")?;
    let manifest = folder.join("Cargo.toml");
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| {
            message.get("manifest_path").and_then(Value::as_str).map(Path::new)
                == Some(manifest.as_path())
        })
        .filter_map(|message| message.get("filenames")?.as_array().cloned())
        .flatten()
        .filter_map(|file| file.as_str().map(PathBuf::from))
        .find(|file| file.extension().is_some_and(|extension| extension == "wasm"))
        .with_context(|| format!("cargo made no wasm module of {}", folder.display()))
}
