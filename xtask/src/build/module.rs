//! The core with one of its browser faces, as a wasm module and the JavaScript half of it.

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

/// A module of the page: its cargo alias, and the name of all that is made of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Module {
    Tracker,
    Widgets,
}

impl Module {
    fn name(self) -> &'static str {
        match self {
            Self::Tracker => "tracker",
            Self::Widgets => "widgets",
        }
    }
}

/// What later steps take.
#[derive(Debug)]
pub(super) struct Glue {
    /// The module's JavaScript half, not yet bundled.
    pub(super) script: PathBuf,
    /// The optimised module.
    pub(super) module: PathBuf,
}

/// Compiles a module, binds it to JavaScript and shrinks it.
pub(super) fn build(toolbox: &Toolbox, module: Module) -> Result<Glue> {
    let root = project::root();
    let name = module.name();
    progress::step(format_args!("{name}: compiling"));
    let compiled = cargo::module(toolbox.cargo().arg(name).current_dir(&root), &root)?;

    let folder = project::kit().join(name);
    let path = |end: &str| folder.join(format!("{name}{end}"));
    let glue = Glue { script: path("_bg.js"), module: path(".wasm") };
    let bound = path("_bg.wasm");
    let mut inputs = Inputs::default();
    inputs.file(&compiled)?.program(&toolbox.wasm_bindgen)?.program(&toolbox.wasm_opt)?;
    for flag in BINDGEN.iter().chain(OPTIMISE).chain(FEATURES) {
        inputs.text(flag);
    }
    unless_fresh(name, inputs, &[glue.script.clone(), glue.module.clone()], || {
        progress::step(format_args!("{name}: wasm-bindgen, wasm-opt"));
        fs::create_dir_all(&folder)?;
        let mut bindgen = toolbox.command(&toolbox.wasm_bindgen);
        bindgen.args(BINDGEN).args(["--out-name", name]).arg("--out-dir").arg(&folder);
        process::run(bindgen.arg(&compiled))?;
        let mut optimise = toolbox.command(&toolbox.wasm_opt);
        optimise.args(OPTIMISE).args(FEATURES).arg(&bound).arg("--output").arg(&glue.module);
        process::run(&mut optimise)
    })?;
    Ok(glue)
}
