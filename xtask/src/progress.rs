//! What a command is doing, told on stderr: stdout is left to a command's result.

use std::fmt::Display;
use std::io::Write as _;

/// Announces a step that may take a while.
pub(crate) fn step(what: impl Display) {
    line(format_args!("==> {what}"));
}

/// Adds a detail to the step announced last.
pub(crate) fn note(what: impl Display) {
    line(format_args!("    {what}"));
}

/// Reports what ended the command, with its causes.
pub(crate) fn failure(error: &anyhow::Error) {
    line(format_args!("error: {error:#}"));
}

/// Writes one line as it is.
///
/// A closed stderr must not end a build that goes well, so failures to write are ignored.
pub(crate) fn line(text: impl Display) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Writes one line of a command's result to stdout.
pub(crate) fn result(text: impl Display) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}
