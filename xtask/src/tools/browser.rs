//! Chromium and its driver.
//!
//! The order is: what the environment names, what is installed, Playwright's own download,
//! Debian's package. The first that answers is taken.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::{Toolbox, apt, executable, on_path, prerequisites};
use crate::{process, progress, project};

/// The names under which systems install Chromium or a browser built from it.
const NAMES: &[&str] =
    &["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];

/// Playwright's download tries several hosts, each for long, where none can be reached.
const DOWNLOAD_LIMIT: Duration = Duration::from_mins(10);

/// A Chromium that starts.
pub(super) fn chromium(toolbox: &Toolbox) -> Result<PathBuf> {
    if let Some(named) = named("KIT_CHROMIUM")? {
        return Ok(named);
    }
    if let Some(found) = installed() {
        return Ok(found);
    }
    let of_playwright = playwright(toolbox)?;
    if starts(&of_playwright) {
        return Ok(of_playwright);
    }
    progress::step("downloading Chromium with Playwright, once");
    let mut install = toolbox.script(&toolbox.playwright);
    // What goes wrong with each host fills pages; one line below sums it up.
    let log = project::kit().join("log/chromium.log");
    fs::create_dir_all(project::kit().join("log"))?;
    install.args(["install", "--no-shell", "chromium"]).stderr(File::create(log)?);
    match process::run_for(&mut install, DOWNLOAD_LIMIT) {
        Ok(()) if starts(&of_playwright) => return Ok(of_playwright),
        Ok(()) => progress::note("it does not start here: system libraries are missing"),
        Err(error) => progress::note(format_args!("{error:#}")),
    }
    if let Err(error) = apt::install(&["chromium"]) {
        progress::note(format_args!("{error:#}"));
    }
    installed().context(
        "no Chromium: install the package `chromium` or Google Chrome, or name one in KIT_CHROMIUM",
    )
}

/// The driver, of the same major version as the browser: it speaks to no other.
pub(crate) fn chromedriver(chromium: &Path) -> Result<PathBuf> {
    let find = || Ok::<_, anyhow::Error>(named("KIT_CHROMEDRIVER")?.or(on_path("chromedriver")));
    let mut driver = find()?;
    if driver.is_none() {
        if let Err(error) = apt::install(&["chromium-driver"]) {
            progress::note(format_args!("{error:#}"));
        }
        driver = find()?;
    }
    let driver = driver.context(
        "no chromedriver: install the package `chromium-driver`, or name one in KIT_CHROMEDRIVER",
    )?;
    let version = |program: &Path| {
        let answer = process::probe(Command::new(program).arg("--version")).unwrap_or_default();
        (prerequisites::version(&answer).map(|(major, _)| major), answer)
    };
    let ((browser, browser_answer), (own, own_answer)) = (version(chromium), version(&driver));
    if browser.is_none() || browser != own {
        bail!(
            "{} answers `{own_answer}`, but {} answers `{browser_answer}`: name a pair in \
             KIT_CHROMIUM and KIT_CHROMEDRIVER",
            driver.display(),
            chromium.display(),
        );
    }
    Ok(driver)
}

/// What a variable names. A wrong one is an error: the user wanted that program and no other.
fn named(variable: &str) -> Result<Option<PathBuf>> {
    match env::var_os(variable).filter(|value| !value.is_empty()) {
        Some(path) => executable(PathBuf::from(path)).context(variable.to_owned()).map(Some),
        None => Ok(None),
    }
}

fn installed() -> Option<PathBuf> {
    NAMES.iter().filter_map(|name| on_path(name)).find(|path| starts(path))
}

/// Some systems have a script of that name which only tells how to install the browser.
fn starts(program: &Path) -> bool {
    process::probe(Command::new(program).arg("--version"))
        .is_some_and(|answer| prerequisites::version(&answer).is_some())
}

/// Where Playwright keeps its Chromium, there or not.
fn playwright(toolbox: &Toolbox) -> Result<PathBuf> {
    let program = "process.stdout.write(require('playwright-core').chromium.executablePath())";
    let mut node = toolbox.command(&toolbox.node);
    node.args(["--eval", program]).current_dir(project::root());
    process::stdout(&mut node).map(PathBuf::from)
}
