//! The program itself: its arguments, its one line, its end.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use sandbox::{Loopback, Options};
use serde_json::Value;

use crate::{
    bodies::right,
    rig::{Rig, db_in},
};

fn program(dir: &Path, listen: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sandbox"));
    command.args(["--listen", listen, "--db"]).arg(db_in(dir));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn first_line(child: &mut Child) -> Value {
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    serde_json::from_str(&line).expect("a line of JSON")
}

#[test]
fn prints_its_addresses_and_ends_when_its_input_does() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = program(dir.path(), "127.0.0.1:0");
    command.args(["--shop-listen", "127.0.0.1:0", "--until-stdin-closes", "--shop-dir"]);
    let mut child = command.arg(dir.path()).spawn().unwrap();
    let line = first_line(&mut child);
    for name in ["platform", "shop"] {
        let url = line[name].as_str().unwrap();
        let port = url.strip_prefix("http://127.0.0.1:").expect("a loopback address");
        assert_ne!(port.parse::<u16>().unwrap(), 0);
    }
    assert!(child.try_wait().unwrap().is_none(), "it runs on");
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}

#[cfg(unix)]
#[test]
fn ends_well_on_a_signal() {
    for signal in ["-TERM", "-INT"] {
        let dir = tempfile::tempdir().unwrap();
        let mut child = program(dir.path(), "127.0.0.1:0").spawn().unwrap();
        let line = first_line(&mut child);
        assert_eq!(line["shop"], Value::Null);
        let id = child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
        assert!(child.wait().unwrap().success(), "{signal}");
    }
}

#[test]
fn refuses_to_listen_beyond_this_machine() {
    for listen in ["0.0.0.0:0", "192.0.2.1:80", "[::]:0"] {
        let dir = tempfile::tempdir().unwrap();
        let output = program(dir.path(), listen).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{listen}");
        assert!(output.stdout.is_empty());
        assert!(String::from_utf8_lossy(&output.stderr).contains("loopback"));
        assert!(!db_in(dir.path()).exists());
    }
}

#[test]
fn an_address_is_loopback_and_written_as_one() {
    for right in ["127.0.0.1:0", "127.9.9.9:1", "[::1]:80"] {
        assert!(Loopback::parse(right).is_ok(), "{right}");
    }
    for wrong in ["localhost:0", "127.0.0.1", "10.0.0.1:1", "[::ffff:10.0.0.1]:1"] {
        assert!(Loopback::parse(wrong).is_err(), "{wrong}");
    }
    assert!(Loopback::parse_url("http://127.0.0.1:8787").is_ok());
    for wrong in ["https://127.0.0.1:1", "http://example.com:80", "http://127.0.0.1:1/k", "x"] {
        assert!(Loopback::parse_url(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_wrong_command_line_names_what_is_wrong() {
    for (line, named) in [
        ("", "--listen"),
        ("--listen 127.0.0.1:0", "--db"),
        ("--listen 127.0.0.1:0 --db x --shop-dir .", "--shop-listen"),
        ("--listen 127.0.0.1:0 --db x --shop-listen 127.0.0.1:0", "--shop-dir"),
        ("--listen 127.0.0.1:0 --db x --worker http://127.0.0.1:1", "--shop-listen"),
        ("--listen 127.0.0.1:0 --db x --verbose", "--verbose"),
    ] {
        let error = Options::parse(line.split_whitespace().map(OsString::from)).unwrap_err();
        assert!(error.to_string().contains(named), "{error}");
    }
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(db_in(dir.path()), "some text that is long enough not to be empty\n").unwrap();
    let output = program(dir.path(), "127.0.0.1:0").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("database"));
}

#[tokio::test]
async fn what_came_to_the_tracker_can_be_read_without_a_server() {
    let rig = Rig::start().await;
    let body = right("MainPage");
    for expected in [200, 400] {
        assert_eq!(rig.post(&body).await.status, expected);
    }
    let mut out = Vec::new();
    sandbox::list(&rig.db(), &mut out).unwrap();
    let lines: Vec<Value> = String::from_utf8(out)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let verdicts: Vec<_> = lines.iter().map(|line| line["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["accepted", "duplicate"]);
    assert_eq!(lines[0]["body"], body.to_string());
    assert!(lines[0]["received"].as_u64() <= lines[1]["received"].as_u64());
}
