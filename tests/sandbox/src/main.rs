//! The program: command line, the line of addresses, and when to end.

use std::error::Error;
use std::io::{self, Read as _, Write as _};
use std::process::ExitCode;

use sandbox::{Command, Options, Sandbox, USAGE};
use tokio::sync::oneshot;

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args_os().skip(1)) {
        Ok(Command::Run(options)) => options,
        Ok(Command::List(db)) => return report(sandbox::list(&db, &mut io::stdout().lock())),
        Ok(Command::Help) => return report(io::stdout().write_all(USAGE.as_bytes())),
        Err(error) => {
            eprintln!("sandbox: {error}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    report(run(&options))
}

fn report<E: Into<Box<dyn Error>>>(result: Result<(), E>) -> ExitCode {
    let Err(error) = result else { return ExitCode::SUCCESS };
    let error = error.into();
    let cause = error.source().map_or_else(String::new, |cause| format!(": {cause}"));
    eprintln!("sandbox: {error}{cause}");
    ExitCode::FAILURE
}

#[tokio::main]
async fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::start(options).await?;
    // Before the line is out, since whoever reads it may send a signal at once.
    let signal = signal()?;
    let mut stdout = io::stdout();
    writeln!(stdout, "{}", sandbox.addresses())?;
    stdout.flush()?;

    let input = if options.until_stdin_closes { Some(end_of_input()) } else { None };
    let input_ended = async {
        match input {
            Some(ended) => drop(ended.await),
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = input_ended => {}
        ended = signal => ended?,
    }
    Ok(())
}

/// Tells when standard input ends. A thread of its own, because the runtime would wait for a read
/// that it started.
fn end_of_input() -> oneshot::Receiver<()> {
    let (ended, receiver) = oneshot::channel();
    std::thread::spawn(move || {
        let mut ignored = [0; 1024];
        let mut stdin = io::stdin().lock();
        while matches!(stdin.read(&mut ignored), Ok(1..)) {}
        let _ = ended.send(());
    });
    receiver
}

/// Tells when the program is to end; listens from now on.
#[cfg(unix)]
fn signal() -> io::Result<impl Future<Output = io::Result<()>>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => Ok(()),
            _ = interrupt.recv() => Ok(()),
        }
    })
}

#[cfg(not(unix))]
fn signal() -> io::Result<impl Future<Output = io::Result<()>>> {
    Ok(tokio::signal::ctrl_c())
}
