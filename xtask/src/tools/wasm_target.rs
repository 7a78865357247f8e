//! The standard library for wasm32, which the page's and the Worker's code link.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::on_path;
use crate::{process, progress};

/// The one target of the page and of the edge.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// A slow line gets its 20 MB in this time; behind some firewalls rustup would wait for hours.
const DOWNLOAD_LIMIT: Duration = Duration::from_mins(5);

/// Makes sure of the target.
///
/// Returns the toolchain to name from now on, if this call had to make one: the override that it
/// sets counts for later runs, but this run's children inherit the name of the old toolchain.
pub(super) fn ensure(root: &Path) -> Result<Option<String>> {
    if is_present(root, None) {
        return Ok(None);
    }
    if on_path("rustup").is_none() {
        bail!(
            "the Rust compiler has no {TARGET} target and there is no rustup to add it: install \
             https://rustup.rs, or the package of your system that holds the target"
        );
    }
    progress::step(format_args!("adding the Rust target {TARGET}"));
    let mut rustup = Command::new("rustup");
    rustup.args(["target", "add", TARGET]).current_dir(root);
    match process::run_for(&mut rustup, DOWNLOAD_LIMIT) {
        Ok(()) if is_present(root, None) => return Ok(None),
        Ok(()) => progress::note("rustup added it, but the compiler does not find it"),
        Err(error) => progress::note(format_args!("{error:#}")),
    }
    progress::step("making a toolchain of Debian's packages instead, once, a few minutes");
    let mut script = Command::new("bash");
    script.arg(root.join("xtask/wasm-target.sh")).arg(root).env_remove("RUSTUP_TOOLCHAIN");
    let toolchain = process::stdout(&mut script).context(
        "no way to the wasm target is left: let rustup reach a mirror (RUSTUP_DIST_SERVER), then \
         run `rustup target add wasm32-unknown-unknown`",
    )?;
    if !is_present(root, Some(&toolchain)) {
        bail!("the toolchain `{toolchain}` was made, but it has no {TARGET} target");
    }
    Ok(Some(toolchain))
}

/// Whether the compiler's library folder for the target holds a standard library.
fn is_present(root: &Path, toolchain: Option<&str>) -> bool {
    let mut rustc = Command::new("rustc");
    rustc.args(["--print", "target-libdir", "--target", TARGET]).current_dir(root);
    if let Some(toolchain) = toolchain {
        rustc.env("RUSTUP_TOOLCHAIN", toolchain);
    }
    let Some(folder) = process::probe(&mut rustc) else { return false };
    let Ok(entries) = fs::read_dir(folder) else { return false };
    entries.flatten().any(|entry| {
        let name = entry.file_name();
        let is_library = Path::new(&name).extension().is_some_and(|extension| extension == "rlib");
        is_library && name.to_string_lossy().starts_with("libstd-")
    })
}
