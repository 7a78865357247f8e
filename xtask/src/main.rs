//! The project's commands, run as `cargo xtask <command>`.
//!
//! One module per command; what several need lies in `tools` (pinned programs), `process`,
//! `progress` and `project`. A new command is a module and a line in [`COMMANDS`].

mod bench;
mod bindings;
mod build;
mod chaos;
mod check;
mod dead;
mod decode;
mod demo;
mod deploy;
mod exports;
mod platform;
mod process;
mod progress;
mod project;
mod replay;
mod settings;
mod sizes;
mod stack;
mod test;
mod tools;

use std::env;
use std::process::ExitCode;

use anyhow::Result;

/// One entry of the command table.
struct Command {
    name: &'static str,
    summary: &'static str,
    /// Gets the arguments that follow the command's name.
    run: fn(&[String]) -> Result<()>,
}

/// Every command there is; the help text is made of this table.
const COMMANDS: &[Command] = &[
    Command {
        name: "demo",
        summary: "run the demo shop, the Worker and a stand-in of the platform",
        run: demo::command,
    },
    Command {
        name: "test",
        summary: "run every check; --engines adds Firefox and WebKitGTK",
        run: test::command,
    },
    Command {
        name: "build",
        summary: "build the page's scripts and the Worker that serves them",
        run: build::command,
    },
    Command {
        name: "check",
        summary: "say what is wrong with worker/kit.toml and, with KIT_API_KEY, with the account",
        run: check::command,
    },
    Command {
        name: "deploy",
        summary: "check, build and publish the Worker; --dry-run stops before the last",
        run: deploy::command,
    },
    Command {
        name: "wrangler",
        summary: "run the pinned wrangler for the Worker: login, secret put NAME, tail, …",
        run: deploy::wrangler,
    },
    Command {
        name: "replay",
        summary: "feed a FILE of examples to the kit and print what becomes of each",
        run: replay::command,
    },
    Command {
        name: "decode",
        summary: "read an answer of the platform's REST API from standard input",
        run: decode::command,
    },
    Command {
        name: "dead",
        summary: "list, show, export, replay or erase what the platform refused; --address URL",
        run: dead::command,
    },
    Command {
        name: "sizes",
        summary: "build, print exact sizes, fail over the limits",
        run: sizes::command,
    },
    Command {
        name: "bench",
        summary: "measure what the kit costs and how many trials it passes; --json FILE",
        run: bench::command,
    },
    Command {
        name: "chaos",
        summary: "break everything under load and look for each event; --json FILE, --keep DIR, --seed N",
        run: chaos::command,
    },
    Command {
        name: "stack",
        summary: "run Worker, stand-in and shop for another program",
        run: stack::command,
    },
    Command {
        name: "tools",
        summary: "install every pinned tool and say where it is",
        run: tools::command,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let Some((name, rest)) = arguments.split_first() else {
        help();
        return ExitCode::from(2);
    };
    if matches!(name.as_str(), "help" | "--help" | "-h") {
        help();
        return ExitCode::SUCCESS;
    }
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        progress::failure(&anyhow::anyhow!("there is no command `{name}`"));
        help();
        return ExitCode::from(2);
    };
    match (command.run)(rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            progress::failure(&error);
            ExitCode::FAILURE
        }
    }
}

/// Prints the table of commands.
fn help() {
    progress::line("usage: cargo xtask <command>\n");
    for Command { name, summary, .. } in COMMANDS {
        progress::line(format_args!("  {name:<8} {summary}"));
    }
}
