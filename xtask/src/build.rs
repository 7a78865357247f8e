//! `cargo xtask build`: the scripts of the page, and the Worker that has them inside.
//!
//! 1. The settings: read, validated, written to `target/kit/config.json`.
//! 2. The tracker and the widgets: Cargo, wasm-bindgen, wasm-opt.
//! 3. The scripts in `www`, bundled with the names of what they load.
//! 4. The assets: named by hash, compressed, listed in `target/kit/manifest.json`.
//! 5. The Worker, which embeds settings and assets.
//!
//! Cargo says what changed in Rust code; the other steps compare hashes of what they read.

mod assets;
mod cargo;
mod module;
mod stamp;
mod worker;

pub(crate) use assets::Manifest;
use module::Module;
pub(crate) use worker::{build_panicking, outputs as worker_outputs, script as worker_script};

use anyhow::{Result, bail};

use crate::tools::{self, Toolbox};
use crate::{progress, project, settings};

/// `cargo xtask build`.
pub(crate) fn command(arguments: &[String]) -> Result<()> {
    if let Some(unknown) = arguments.first() {
        bail!("`build` takes no argument, got `{unknown}`");
    }
    let manifest = run(&Toolbox::prepare()?)?;
    progress::step("built");
    for (name, asset) in &manifest {
        let brotli = asset.size.brotli;
        progress::note(format_args!("{name:<8} {brotli:>7} bytes as Brotli  {}", asset.file));
    }
    Ok(())
}

/// Brings everything up to date and returns what pages are served.
pub(crate) fn run(toolbox: &Toolbox) -> Result<Manifest> {
    let _lock = tools::exclusive(&project::kit().join("lock"))?;
    // First, so that wrong settings fail a deploy at once.
    settings::bake()?;
    let tracker = module::build(toolbox, Module::Tracker)?;
    let widgets = module::build(toolbox, Module::Widgets)?;
    let manifest = assets::build(toolbox, &tracker, &widgets)?;
    worker::build(toolbox)?;
    Ok(manifest)
}
