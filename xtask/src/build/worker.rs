//! The Worker, by worker-build, which makes `worker/build` of the package in `worker`.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::cargo;
use super::stamp::{Inputs, unless_fresh};
use crate::tools::{TARGET, Toolbox};
use crate::{process, progress, project};

/// Where the Worker begins; goes beside what worker-build makes.
const ENTRY: &str = "worker/src/entry.js";

/// What the entry imports of the Worker's own, bundled into it.
const FRONT: &str = "worker/src/front.js";

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
    let entry = project::root().join(ENTRY);
    inputs
        .file(&compiled)?
        .file(&entry)?
        .file(&project::root().join(FRONT))?
        .program(&toolbox.worker_build)?
        .program(&toolbox.wasm_bindgen)?
        .program(&toolbox.wasm_opt)?
        .program(&toolbox.esbuild)?;
    unless_fresh("worker", inputs, &outputs(), || {
        progress::step("Worker: wasm-bindgen, wasm-opt, esbuild");
        let mut build = toolbox.command(&toolbox.worker_build);
        build
            .args(["--release", "--locked"])
            .env("WASM_BINDGEN_BIN", &toolbox.wasm_bindgen)
            .env("WASM_OPT_BIN", &toolbox.wasm_opt)
            .env("ESBUILD_BIN", &toolbox.esbuild)
            .env("XDG_CACHE_HOME", no_downloads()?);
        process::run_logged(with_environment(&mut build), &project::kit().join("log/worker.log"))?;
        let [beside, ..] = outputs();
        let mut bundle = toolbox.command(&toolbox.esbuild);
        bundle.arg(&entry).args(["--bundle", "--format=esm", "--external:./index.js"]);
        let output = beside.to_str().context("the project's folder has no UTF-8 name")?;
        process::run(bundle.arg(["--outfile=", output].concat()).arg("--log-level=warning"))?;
        if let Some(missing) = outputs().iter().find(|output| !output.is_file()) {
            bail!("worker-build made no {}", missing.display());
        }
        Ok(())
    })
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
