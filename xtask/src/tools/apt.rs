//! Debian's packages, where they can be installed without asking anyone.

use std::process::Command;

use anyhow::{Result, bail};

use super::on_path;
use crate::{process, progress, project};

/// Installs packages as root or through a sudo that asks for no password.
pub(super) fn install(packages: &[&str]) -> Result<()> {
    let command = || -> Result<Command> {
        let Some(apt) = on_path("apt-get") else { bail!("this system has no apt-get") };
        let mut command = if process::probe(Command::new("id").arg("-u")).as_deref() == Some("0") {
            Command::new(apt)
        } else if process::probe(Command::new("sudo").args(["-n", "true"])).is_some() {
            let mut sudo = Command::new("sudo");
            sudo.args(["-n", "DEBIAN_FRONTEND=noninteractive"]).arg(apt);
            sudo
        } else {
            bail!("apt-get needs root");
        };
        command.env("DEBIAN_FRONTEND", "noninteractive");
        Ok(command)
    };
    let log = project::kit().join("log/apt.log");
    let install = || -> Result<()> {
        let mut command = command()?;
        command.args(["install", "--yes", "--no-install-recommends"]).args(packages);
        process::run_logged(&mut command, &log)
    };
    // Fails at once where nothing can be done, before anything is announced.
    command()?;
    progress::step(format_args!("installing {} with apt-get", packages.join(", ")));
    if install().is_ok() {
        return Ok(());
    }
    // Images of containers come without package lists, and old lists name files that are gone.
    process::run_logged(command()?.arg("update"), &log)?;
    install()
}
