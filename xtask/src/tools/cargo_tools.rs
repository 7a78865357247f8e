//! Tools that Cargo compiles from crates.io, once for each version.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::{cache, is_executable, on_path};
use crate::{process, progress};

/// The lock file holds the library `worker`, not this tool of it; the two share a version.
const WORKER_BUILD: &str = "0.8.7";

/// A package of crates.io and the programs of it that the kit uses.
#[derive(Debug)]
pub(super) struct CargoTool {
    package: &'static str,
    /// The folder's name in the cache, without the version.
    folder: &'static str,
    version: String,
    programs: &'static [&'static str],
    features: &'static [&'static str],
    duration: &'static str,
}

/// The command-line half of wasm-bindgen, of exactly the version that the lock file names: the
/// two halves speak a schema that has no compatibility between versions.
pub(super) fn wasm_bindgen(root: &Path) -> Result<CargoTool> {
    let mut pkgid = Command::new("cargo");
    pkgid.args(["pkgid", "--quiet", "--package", "wasm-bindgen"]).current_dir(root);
    let id = process::stdout(&mut pkgid)?;
    let version = id
        .rsplit_once('@')
        .with_context(|| format!("cargo answered `{id}` to the question for wasm-bindgen"))?
        .1
        .to_owned();
    Ok(CargoTool {
        package: "wasm-bindgen-cli",
        folder: "wasm-bindgen",
        version,
        programs: &["wasm-bindgen", "wasm-bindgen-test-runner"],
        // The default feature is TLS, for WebDriver servers elsewhere. Ours is local, and TLS
        // takes long to compile and a C compiler besides.
        features: &["--no-default-features"],
        duration: "one minute",
    })
}

/// The tool that turns the Worker's package into modules for workerd.
pub(super) fn worker_build() -> CargoTool {
    CargoTool {
        package: "worker-build",
        folder: "worker-build",
        version: WORKER_BUILD.to_owned(),
        programs: &["worker-build"],
        features: &[],
        duration: "two minutes",
    }
}

/// Removes what compiling left behind.
pub(super) fn clean() -> Result<()> {
    let scratch = scratch()?;
    if scratch.exists() {
        fs::remove_dir_all(&scratch)
            .with_context(|| format!("cannot remove {}", scratch.display()))?;
    }
    Ok(())
}

/// Where the tools are compiled.
fn scratch() -> Result<PathBuf> {
    Ok(cache()?.join("target"))
}

impl CargoTool {
    /// Whether the programs are there, in this version.
    pub(super) fn is_installed(&self) -> bool {
        self.find().is_ok_and(|found| found.is_some())
    }

    /// The folder that holds the programs, after installing them where they are not.
    pub(super) fn ensure(&self) -> Result<PathBuf> {
        if let Some(folder) = self.find()? {
            return Ok(folder);
        }
        let Self { package, version, duration, .. } = self;
        progress::step(format_args!("compiling {package} {version}, once, about {duration}"));
        let locked = self.install(&["--locked"]);
        if let Err(error) = locked {
            // Some releases lock dependencies that have been withdrawn since.
            progress::note(format_args!("{error:#}; trying newer dependencies"));
            self.install(&[])?;
        }
        match self.find()? {
            Some(folder) => Ok(folder),
            None => bail!("{package} was installed, but its programs do not answer `{version}`"),
        }
    }

    /// The cache comes first: a program of the user's own may change while a build runs.
    fn find(&self) -> Result<Option<PathBuf>> {
        let cached = self.root()?.join("bin");
        let on_path = on_path(self.programs.first().copied().unwrap_or(self.package))
            .and_then(|program| program.parent().map(Path::to_owned));
        Ok([Some(cached), on_path].into_iter().flatten().find(|folder| self.is_complete(folder)))
    }

    fn is_complete(&self, folder: &Path) -> bool {
        self.programs.iter().all(|program| {
            let path = folder.join(program);
            is_executable(&path)
                && process::probe(Command::new(path).arg("--version"))
                    .is_some_and(|answer| answer.split_whitespace().last() == Some(&self.version))
        })
    }

    fn root(&self) -> Result<PathBuf> {
        Ok(cache()?.join(format!("{}-{}", self.folder, self.version)))
    }

    fn install(&self, flags: &[&str]) -> Result<()> {
        let root = self.root()?;
        fs::create_dir_all(&root).with_context(|| format!("cannot create {}", root.display()))?;
        let mut cargo = Command::new("cargo");
        cargo
            .args(["install", "--force", "--root"])
            .arg(&root)
            .args([self.package, "--version", &format!("={}", self.version)])
            .args(self.programs.iter().flat_map(|program| ["--bin", program]))
            .args(self.features)
            .args(flags)
            // Outside the tree, so that the tree's Cargo configuration does not apply.
            .current_dir(&root);
        for variable in ["CARGO_BUILD_TARGET", "CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS"] {
            cargo.env_remove(variable);
        }
        cargo
            // What the packages have in common is compiled once.
            .env("CARGO_TARGET_DIR", scratch()?)
            // Unoptimised, wasm-bindgen takes 0.3 s instead of 0.1 s a run and worker-build no
            // longer than before, but a newcomer waits for both only half as long.
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
            .env("CARGO_PROFILE_RELEASE_LTO", "false")
            .env("CARGO_PROFILE_RELEASE_STRIP", "true");
        process::run_logged(&mut cargo, &root.join("install.log"))
    }
}
