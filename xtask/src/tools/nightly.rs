//! The nightly Rust that compiles the Worker so that panics unwind. Nothing else takes it.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};

use super::{TARGET, cache, exclusive, on_path};
use crate::{process, progress};

/// Of that day; the standard library of another one may ask wasm-bindgen for what it does not have.
const NIGHTLY: &str = "nightly-2026-05-20";

/// A slow line gets its 100 MB in this time.
const DOWNLOAD_LIMIT: Duration = Duration::from_mins(10);

/// A home of rustup's in the cache, so that the user's own toolchains stay as they are.
#[derive(Debug)]
pub(crate) struct Nightly {
    home: PathBuf,
}

impl Nightly {
    /// Installs it where it is not there yet.
    pub(crate) fn prepare() -> Result<Self> {
        let _lock = exclusive(&cache()?.join("lock"))?;
        let nightly = Self { home: cache()?.join("rustup") };
        if !nightly.is_there() {
            nightly.install()?;
        }
        Ok(nightly)
    }

    /// Has a program, and those that it starts, take this Rust.
    pub(crate) fn apply(&self, command: &mut Command) {
        command
            .env("RUSTUP_HOME", &self.home)
            .env("RUSTUP_TOOLCHAIN", NIGHTLY)
            // What is missing is said instead.
            .env("RUSTUP_AUTO_INSTALL", "0");
    }

    fn install(&self) -> Result<()> {
        if on_path("rustup").is_none() {
            bail!(
                "Rust {NIGHTLY} is missing and there is no rustup to install it: https://rustup.rs"
            );
        }
        progress::step(format_args!("installing Rust {NIGHTLY} to {}, once", self.home.display()));
        let mut rustup = Command::new("rustup");
        self.apply(&mut rustup);
        rustup
            .args(["toolchain", "install", NIGHTLY, "--profile", "minimal", "--no-self-update"])
            .args(["--component", "rust-src", "--target", TARGET])
            .env_remove("RUSTUP_TOOLCHAIN");
        process::run_for(&mut rustup, DOWNLOAD_LIMIT).with_context(|| {
            format!(
                "Rust {NIGHTLY} cannot be installed: let rustup reach a mirror (RUSTUP_DIST_SERVER)"
            )
        })?;
        // worker-build asks for the nightly toolchain, whichever that is.
        let (toolchain, link) = self.places().context("rustup does not find what it installed")?;
        if !link.exists() {
            std::os::unix::fs::symlink(toolchain, &link)
                .with_context(|| format!("cannot make {}", link.display()))?;
        }
        if !self.is_there() {
            bail!("Rust {NIGHTLY} was installed, but not with its source and the target {TARGET}");
        }
        Ok(())
    }

    /// Where the toolchain is, and where it is under the name without the day.
    fn places(&self) -> Option<(PathBuf, PathBuf)> {
        let mut rustc = Command::new("rustc");
        self.apply(&mut rustc);
        let toolchain = PathBuf::from(process::probe(rustc.args(["--print", "sysroot"]))?);
        let name = toolchain.file_name().and_then(OsStr::to_str)?;
        let link = ["nightly", name.strip_prefix(NIGHTLY)?].concat();
        let link = toolchain.with_file_name(link);
        Some((toolchain, link))
    }

    fn is_there(&self) -> bool {
        self.places().is_some_and(|(toolchain, link)| {
            let parts = [Path::new(TARGET).join("lib"), "src/rust/library/Cargo.lock".into()];
            let has = |part: PathBuf| toolchain.join("lib/rustlib").join(part).exists();
            link.exists() && parts.into_iter().all(has)
        })
    }
}
