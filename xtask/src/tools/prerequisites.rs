//! What set-up cannot bring by itself.

use std::env;
use std::process::Command;

use anyhow::{Result, bail};

use super::{apt, cargo_tools, on_path};
use crate::process;

/// The oldest Rust that the Worker's library compiles with.
const RUST: (u32, u32) = (1, 91);

/// The oldest Node whose npm installs the rest, a newer Node included.
const NODE: (u32, u32) = (18, 0);

/// Names everything that is missing at once, with the way to get it.
pub(super) fn check() -> Result<()> {
    let missing: Vec<String> = [rust(), node(), npm(), openssl()].into_iter().flatten().collect();
    if missing.is_empty() {
        return Ok(());
    }
    bail!("the kit cannot be built yet:\n  - {}", missing.join("\n  - "));
}

fn rust() -> Option<String> {
    let how = "install it with https://rustup.rs or, if it is there, run `rustup update stable`";
    let Some(answer) = process::probe(Command::new("rustc").arg("--version")) else {
        return Some(format!("no Rust compiler answers: {how}"));
    };
    match version(&answer) {
        Some(found) if found >= RUST => None,
        _ => {
            Some(format!("Rust {}.{} or newer is needed, found `{answer}`: {how}", RUST.0, RUST.1))
        }
    }
}

fn node() -> Option<String> {
    let how = "https://nodejs.org has packages for every system";
    let Some(answer) = process::probe(Command::new("node").arg("--version")) else {
        return Some(format!("no Node answers: {how}"));
    };
    match version(&answer) {
        Some(found) if found >= NODE => None,
        _ => Some(format!("Node {} or newer is needed, found {answer}: {how}", NODE.0)),
    }
}

fn npm() -> Option<String> {
    // Asking npm for its version takes a quarter of a second, and it comes with Node anyway.
    on_path("npm")
        .is_none()
        .then(|| "no npm on PATH: it comes with Node, on Debian as the package npm".to_owned())
}

/// worker-build links the system's OpenSSL, but only compiling it asks for the headers.
fn openssl() -> Option<String> {
    let found = || {
        env::var_os("OPENSSL_DIR").is_some()
            || process::probe(Command::new("pkg-config").args(["--exists", "openssl"])).is_some()
    };
    if !cfg!(target_os = "linux") || cargo_tools::worker_build().is_installed() || found() {
        return None;
    }
    if apt::install(&["pkg-config", "libssl-dev"]).is_ok() && found() {
        return None;
    }
    Some(
        "OpenSSL's headers are missing: `sudo apt-get install pkg-config libssl-dev`, on Fedora \
         `sudo dnf install pkgconf openssl-devel`"
            .to_owned(),
    )
}

/// Major and minor number of an answer such as `rustc 1.95.0 (…)` or `v22.23.3`.
pub(super) fn version(answer: &str) -> Option<(u32, u32)> {
    let start = answer.find(|letter: char| letter.is_ascii_digit())?;
    let mut numbers = answer.get(start..)?.split('.');
    let major = numbers.next()?.parse().ok()?;
    let minor = numbers.next()?.parse().ok()?;
    Some((major, minor))
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn versions_are_read_from_what_programs_answer() {
        assert_eq!(version("rustc 1.95.0 (59807616e 2026-04-14)"), Some((1, 95)));
        assert_eq!(version("v22.23.3"), Some((22, 23)));
        assert_eq!(version("Chromium 156.0.8078.79 built on Debian"), Some((156, 0)));
        assert_eq!(version("none"), None);
    }
}
