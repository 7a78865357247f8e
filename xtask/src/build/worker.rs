//! The Worker, by worker-build, which makes `worker/build` of the package in `worker`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::cargo;
use super::stamp::{Inputs, unless_fresh};
use crate::tools::{Nightly, TARGET, Toolbox};
use crate::{process, progress, project};

/// Where the Worker begins; goes beside what worker-build makes.
const ENTRY: &str = "worker/src/entry.js";

/// What is bundled into it: the Worker's own, and what pages have too.
const BUNDLED: [&str; 2] = ["worker/src/front.js", "www/rules.js"];

/// The files that make up the Worker: where it begins, its code, and the module that the code imports.
pub(crate) fn outputs() -> [PathBuf; 3] {
    ["entry.js", "index.js", "index_bg.wasm"]
        .map(|name| project::root().join("worker/build").join(name))
}

/// The script that worker-build makes.
pub(crate) fn script() -> PathBuf {
    let [_, script, _] = outputs();
    script
}

/// Compiles and bundles the Worker, with the assets inside.
pub(super) fn build(toolbox: &Toolbox) -> Result<()> {
    let folder = project::root().join("worker");
    progress::step("Worker: compiling");
    // worker-build starts from the beginning each time. Cargo knows better whether there is
    // anything to do, so it is asked first, with the arguments and variables of worker-build:
    // with others it would compile everything a second time.
    let mut cargo = toolbox.cargo();
    cargo.args(["build", "--lib", "--release", "--target", TARGET, "--locked"]);
    let compiled = cargo::module(with_environment(&mut cargo), &folder)?;

    let mut inputs = Inputs::default();
    for file in [ENTRY].iter().chain(&BUNDLED) {
        inputs.file(&project::root().join(file))?;
    }
    inputs
        .file(&compiled)?
        .program(&toolbox.worker_build)?
        .program(&toolbox.wasm_bindgen)?
        .program(&toolbox.wasm_opt)?
        .program(&toolbox.esbuild)?;
    unless_fresh("worker", inputs, &outputs(), || {
        progress::step("Worker: wasm-bindgen, wasm-opt, esbuild");
        let mut build = worker_build(toolbox)?;
        build.args(["--release", "--locked"]);
        process::run_logged(with_environment(&mut build), &project::kit().join("log/worker.log"))?;
        let [beside, ..] = outputs();
        bundle(toolbox, &beside)?;
        if let Some(missing) = outputs().iter().find(|output| !output.is_file()) {
            bail!("worker-build made no {}", missing.display());
        }
        Ok(())
    })
}

/// Compiles the Worker with panics on demand, on the Rust that is there or, with the home of a nightly one, so
/// that they unwind; what pages are served must be built already. Returns its folder.
pub(crate) fn build_panicking(toolbox: &Toolbox, nightly: Option<&Nightly>) -> Result<PathBuf> {
    let folder = if nightly.is_some() { "build-unwind" } else { "build-abort" };
    let mut build = worker_build(toolbox)?;
    build.args(["--release", "--out-dir", folder]);
    if nightly.is_some() {
        progress::step("Worker: compiling, with panics that unwind, on nightly Rust");
        build.arg("--panic-unwind");
    } else {
        progress::step("Worker: compiling, with panics that end everything");
    }
    // From here on it is Cargo that reads them.
    build.args(["--locked", "--features", "panics"]);
    if let Some(nightly) = nightly {
        // The standard library is compiled along.
        build.arg("--target-dir").arg(project::root().join("target/unwind"));
        nightly.apply(&mut build);
    }
    let log = project::kit().join("log").join(folder).with_extension("log");
    process::run_logged(with_environment(&mut build), &log)?;
    let folder = project::root().join("worker").join(folder);
    bundle(toolbox, &folder.join("entry.js"))?;
    Ok(folder)
}

/// Worker-build, with the tools that it would download otherwise.
fn worker_build(toolbox: &Toolbox) -> Result<Command> {
    let mut build = toolbox.command(&toolbox.worker_build);
    build
        .env("WASM_BINDGEN_BIN", &toolbox.wasm_bindgen)
        .env("WASM_OPT_BIN", &toolbox.wasm_opt)
        .env("ESBUILD_BIN", &toolbox.esbuild)
        .env("XDG_CACHE_HOME", no_downloads()?);
    Ok(build)
}

/// Makes the script where the Worker begins.
fn bundle(toolbox: &Toolbox, output: &Path) -> Result<()> {
    let mut bundle = toolbox.command(&toolbox.esbuild);
    bundle.arg(project::root().join(ENTRY)).args(["--bundle", "--format=esm"]);
    let output = output.to_str().context("the project's folder has no UTF-8 name")?;
    bundle.args(["--external:./index.js", &["--outfile=", output].concat()]);
    process::run(bundle.arg("--log-level=warning"))
}

/// What Cargo, the build script and the macros of the Worker read.
fn with_environment(command: &mut Command) -> &mut Command {
    command
        .current_dir(project::root().join("worker"))
        .env("KIT_ASSETS", project::kit())
        // Set by worker-build for the Cargo that it starts.
        .env("WASM_BINDGEN_USE_JS_SYS", "1")
}

/// A cache folder that worker-build cannot use.
///
/// Where worker-build does not like a program that it is given, it says so in passing and
/// downloads one of its own. The file in the place of its cache turns that into an error.
fn no_downloads() -> Result<PathBuf> {
    let cache = project::kit().join("no-downloads");
    fs::create_dir_all(&cache)?;
    fs::write(cache.join("worker-build"), "").context("cannot close worker-build's cache")?;
    Ok(cache)
}
