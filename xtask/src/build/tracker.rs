//! The tracker: the core with its browser face, as a wasm module and the JavaScript around it.

use std::fs;
use std::path::PathBuf;

use anyhow::Result;

use super::cargo;
use super::stamp::{Inputs, unless_fresh};
use crate::tools::Toolbox;
use crate::{process, progress, project};

/// The wasm features that the compiler and wasm-bindgen use by default. Naming them keeps
/// wasm-opt from emitting newer ones that browsers of the last years cannot read.
const FEATURES: &[&str] = &[
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
];

const BINDGEN: &[&str] = &[
    // The entry starts the module itself; the starter that other targets bring would weigh 600
    // bytes.
    "--target",
    "bundler",
    "--encode-into",
    "always",
    "--no-typescript",
    "--out-name",
    "tracker",
    "--remove-name-section",
    "--remove-producers-section",
];

/// Rewriting the control flow first and optimising twice costs two seconds and saves one per cent.
const OPTIMISE: &[&str] = &[
    "--flatten",
    "--rereloop",
    "-Oz",
    "-Oz",
    "--strip-debug",
    "--strip-producers",
    "--strip-target-features",
];

/// What later steps take.
#[derive(Debug)]
pub(super) struct Glue {
    /// The module's JavaScript half, not yet bundled.
    pub(super) script: PathBuf,
    /// The optimised module.
    pub(super) module: PathBuf,
}

/// Compiles the tracker, binds it to JavaScript and shrinks it.
pub(super) fn build(toolbox: &Toolbox) -> Result<Glue> {
    let root = project::root();
    progress::step("tracker: compiling");
    let compiled = cargo::module(toolbox.cargo().arg("tracker").current_dir(&root), &root)?;

    let folder = project::kit().join("tracker");
    let glue = Glue { script: folder.join("tracker_bg.js"), module: folder.join("tracker.wasm") };
    let bound = folder.join("tracker_bg.wasm");
    let mut inputs = Inputs::default();
    inputs.file(&compiled)?.program(&toolbox.wasm_bindgen)?.program(&toolbox.wasm_opt)?;
    for flag in BINDGEN.iter().chain(OPTIMISE).chain(FEATURES) {
        inputs.text(flag);
    }
    unless_fresh("tracker", inputs, &[glue.script.clone(), glue.module.clone()], || {
        progress::step("tracker: wasm-bindgen, wasm-opt");
        fs::create_dir_all(&folder)?;
        let mut bindgen = toolbox.command(&toolbox.wasm_bindgen);
        process::run(bindgen.args(BINDGEN).arg("--out-dir").arg(&folder).arg(&compiled))?;
        let mut optimise = toolbox.command(&toolbox.wasm_opt);
        optimise.args(OPTIMISE).args(FEATURES).arg(&bound).arg("--output").arg(&glue.module);
        process::run(&mut optimise)
    })?;
    Ok(glue)
}
