//! The programs that the commands use: pinned, installed where missing, checked before use.
//!
//! A first run installs, later runs only look. Programs that Cargo compiles go to a cache outside
//! the tree, keyed by version, so that clones share them; npm's packages go to `node_modules`.

mod apt;
mod browser;
mod cargo_tools;
mod nightly;
mod npm;
mod prerequisites;
mod wasm_target;

pub(crate) use browser::chromedriver;
pub(crate) use nightly::Nightly;
pub(crate) use wasm_target::TARGET;

use std::env;
use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::{progress, project};

/// Every tool that builds need, each checked to exist and to be executable.
#[derive(Debug)]
pub(crate) struct Toolbox {
    /// The rustup toolchain that children must name, where set-up had to make one of its own.
    toolchain: Option<String>,
    pub(crate) wasm_bindgen: PathBuf,
    /// Runs the tests of wasm packages; Cargo takes it as the target's runner.
    pub(crate) wasm_bindgen_test_runner: PathBuf,
    pub(crate) worker_build: PathBuf,
    /// A Node that is new enough for every npm package here.
    pub(crate) node: PathBuf,
    /// A script that needs [`Toolbox::node`] first on PATH; see [`Toolbox::command`].
    pub(crate) wasm_opt: PathBuf,
    pub(crate) esbuild: PathBuf,
    /// A script for [`Toolbox::script`].
    pub(crate) terser: PathBuf,
    pub(crate) workerd: PathBuf,
    /// A script for [`Toolbox::script`].
    pub(crate) tsc: PathBuf,
    /// A script for [`Toolbox::script`].
    pub(crate) wrangler: PathBuf,
    /// A script for [`Toolbox::script`].
    pub(crate) playwright: PathBuf,
}

impl Toolbox {
    /// Looks for each tool and installs what is missing.
    pub(crate) fn prepare() -> Result<Self> {
        let root = project::root();
        let _lock = exclusive(&cache()?.join("lock"))?;
        prerequisites::check()?;
        let toolchain = wasm_target::ensure(&root)?;
        let bindgen = cargo_tools::wasm_bindgen(&root)?.ensure()?;
        let worker_build = cargo_tools::worker_build().ensure()?;
        cargo_tools::clean()?;
        npm::ensure(&root)?;
        let modules = root.join("node_modules");
        let node = npm::node(&modules)?;
        Ok(Self {
            toolchain,
            wasm_bindgen: executable(bindgen.join("wasm-bindgen"))?,
            wasm_bindgen_test_runner: executable(bindgen.join("wasm-bindgen-test-runner"))?,
            worker_build: executable(worker_build.join("worker-build"))?,
            node: executable(node)?,
            wasm_opt: executable(modules.join("binaryen/bin/wasm-opt"))?,
            esbuild: executable(npm::esbuild(&modules))?,
            terser: file(modules.join("terser/bin/terser"))?,
            workerd: executable(npm::workerd(&modules))?,
            tsc: file(modules.join("typescript/bin/tsc"))?,
            wrangler: file(modules.join("wrangler/bin/wrangler.js"))?,
            playwright: file(modules.join("@playwright/test/cli.js"))?,
        })
    }

    /// Cargo, with the toolchain that holds the wasm target.
    pub(crate) fn cargo(&self) -> Command {
        self.command(Path::new("cargo"))
    }

    /// A program that finds the pinned Node, if it asks for one, and the right toolchain.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env("PATH", self.path());
        if let Some(toolchain) = &self.toolchain {
            command.env("RUSTUP_TOOLCHAIN", toolchain);
        }
        command
    }

    /// A JavaScript program run by the pinned Node.
    pub(crate) fn script(&self, script: &Path) -> Command {
        let mut command = self.command(&self.node);
        command.arg(script);
        command
    }

    /// An installed Chromium, or one that this call installs.
    pub(crate) fn chromium(&self) -> Result<PathBuf> {
        browser::chromium(self)
    }

    /// The caller's search path with the pinned Node before all.
    fn path(&self) -> OsString {
        let node = self.node.parent().map(Path::to_owned);
        let inherited = env::var_os("PATH").unwrap_or_default();
        env::join_paths(node.into_iter().chain(env::split_paths(&inherited))).unwrap_or(inherited)
    }
}

/// The Workers runtime, where [`Toolbox::prepare`] has put it. Tests start it often and at once,
/// so this neither waits nor installs.
pub(crate) fn workerd() -> Result<PathBuf> {
    executable(npm::workerd(&project::root().join("node_modules")))
}

/// `cargo xtask tools`: installs everything and prints where each tool is.
pub(crate) fn command(arguments: &[String]) -> Result<()> {
    if let Some(unknown) = arguments.first() {
        bail!("`tools` takes no argument, got `{unknown}`");
    }
    let toolbox = Toolbox::prepare()?;
    let chromium = toolbox.chromium()?;
    let chromedriver = chromedriver(&chromium)?;
    for (name, path) in [
        ("wasm-bindgen", &toolbox.wasm_bindgen),
        ("wasm-bindgen-test-runner", &toolbox.wasm_bindgen_test_runner),
        ("worker-build", &toolbox.worker_build),
        ("node", &toolbox.node),
        ("wasm-opt", &toolbox.wasm_opt),
        ("esbuild", &toolbox.esbuild),
        ("workerd", &toolbox.workerd),
        ("tsc", &toolbox.tsc),
        ("wrangler", &toolbox.wrangler),
        ("playwright", &toolbox.playwright),
        ("chromium", &chromium),
        ("chromedriver", &chromedriver),
    ] {
        progress::result(format_args!("{name:<25} {}", path.display()));
    }
    Ok(())
}

/// The folder of what is installed once for all clones.
pub(crate) fn cache() -> Result<PathBuf> {
    let from = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = from("KIT_CACHE")
        .or_else(|| from("XDG_CACHE_HOME").map(|folder| folder.join("esputnik-kit")))
        .or_else(|| from("HOME").map(|folder| folder.join(".cache/esputnik-kit")))
        .context("neither KIT_CACHE nor HOME is set, so there is no place to install tools to")?;
    // Children run in other folders, where a relative path would name another place.
    std::path::absolute(cache).context("KIT_CACHE names no usable path")
}

/// Waits until no other run holds `path`; the lock lasts as long as the returned file.
///
/// The system releases it even when this process is killed, so no stale lock can stay behind.
pub(crate) fn exclusive(path: &Path) -> Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
    }
    let file = File::create(path).with_context(|| format!("cannot open {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            progress::note(format_args!("waiting for another run ({})", path.display()));
            file.lock()?;
        }
        Err(TryLockError::Error(error)) => return Err(error.into()),
    }
    Ok(file)
}

/// The first executable of that name on the search path.
fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|candidate| is_executable(candidate))
}

/// The path itself, if it may be executed.
fn executable(path: PathBuf) -> Result<PathBuf> {
    if !is_executable(&path) {
        bail!("{} is missing or not executable", path.display());
    }
    Ok(path)
}

/// The path itself, if it is a file.
fn file(path: PathBuf) -> Result<PathBuf> {
    if !path.is_file() {
        bail!("{} is missing", path.display());
    }
    Ok(path)
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path)
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(path: &Path) -> bool {
    path.is_file()
}
