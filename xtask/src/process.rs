//! Running other programs.

use std::fs::{self, File};
use std::io::IsTerminal as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, bail};

use crate::progress;

/// Of a failed program's log, so much of its start and of its end as still fits a screen: npm
/// gives the reason first, compilers last.
const SHOWN_LINES: (usize, usize) = (8, 32);

/// Runs a program whose output the user should see as it comes.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| cannot_start(command))?;
    if !status.success() {
        bail!("`{}` failed: {status}", display(command));
    }
    Ok(())
}

/// Runs a talkative program: on a terminal its own progress shows, elsewhere its output goes to
/// `log` and only the end of it is shown, on failure.
pub(crate) fn run_logged(command: &mut Command, log: &Path) -> Result<()> {
    if std::io::stderr().is_terminal() {
        // Stdout belongs to the result of our own command.
        return run(command.stdout(Stdio::from(std::io::stderr())));
    }
    if let Some(folder) = log.parent() {
        fs::create_dir_all(folder)?;
    }
    let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    let outcome = run(command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file));
    if outcome.is_err() {
        let text = String::from_utf8_lossy(&fs::read(log)?).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        let (start, end) = SHOWN_LINES;
        let left_out = start..lines.len().saturating_sub(end);
        for (number, line) in lines.iter().enumerate() {
            if !left_out.contains(&number) {
                progress::note(line);
            } else if number == left_out.start {
                progress::note("…");
            }
        }
        progress::note(format_args!("the whole log: {}", log.display()));
    }
    outcome
}

/// Runs a program and returns what it wrote to stdout, trimmed; its stderr passes through.
pub(crate) fn stdout(command: &mut Command) -> Result<String> {
    let output =
        command.stderr(Stdio::inherit()).output().with_context(|| cannot_start(command))?;
    if !output.status.success() {
        bail!("`{}` failed: {}", display(command), output.status);
    }
    let text = String::from_utf8(output.stdout)
        .with_context(|| format!("`{}` did not answer in UTF-8", display(command)))?;
    Ok(text.trim().to_owned())
}

/// What a program writes to stdout, or nothing where it cannot be run or fails.
pub(crate) fn probe(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// Runs a program that is known to hang on bad networks, for no longer than `limit`.
pub(crate) fn run_for(command: &mut Command, limit: Duration) -> Result<()> {
    // Stdout belongs to the result of our own command.
    let mut child = command
        .stdout(Stdio::from(std::io::stderr()))
        .spawn()
        .with_context(|| cannot_start(command))?;
    let deadline = now() + limit;
    loop {
        if let Some(status) = child.try_wait()? {
            if !status.success() {
                bail!("`{}` failed: {status}", display(command));
            }
            return Ok(());
        }
        if now() >= deadline {
            child.kill()?;
            child.wait()?;
            bail!("`{}` did not end within {} s", display(command), limit.as_secs());
        }
        thread::sleep(Duration::from_millis(100));
    }
}

/// The wall clock.
#[expect(clippy::disallowed_methods, reason = "the rule is for wasm; this program is native")]
fn now() -> SystemTime {
    SystemTime::now()
}

/// Unix time in milliseconds.
pub(crate) fn unix_millis() -> u64 {
    let since = now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The command as one would type it, without its environment.
fn display(command: &Command) -> String {
    let mut text = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        text.push(' ');
        text.push_str(&argument.to_string_lossy());
    }
    text
}

fn cannot_start(command: &Command) -> String {
    format!("cannot start `{}`", display(command))
}
