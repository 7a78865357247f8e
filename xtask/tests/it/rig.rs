//! The stand-in as a process of its own, settings for it, and the command under test.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use ureq::http;

/// The key that the stand-in knows, and that no output may hold.
pub(crate) const KEY: &str = "key-of-the-check-5f1d7c";

/// A running stand-in and a folder for files; both go when it goes.
#[derive(Debug)]
pub(crate) struct Rig {
    child: Child,
    platform: String,
    folder: PathBuf,
}

/// What a run of the command came to.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) success: bool,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Run {
    /// The lines on the account, of a run with `--json`.
    pub(crate) fn lines(&self) -> Vec<Value> {
        let lines =
            self.out.lines().map(|line| serde_json::from_str(line).expect("a line of JSON"));
        lines.filter(|line: &Value| line["check"] != "settings").collect()
    }
}

impl Rig {
    /// With settings that name the stand-in's own site.
    pub(crate) fn start() -> Self {
        Self::of_site("0a1b2c3")
    }

    pub(crate) fn of_site(site_id: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("check-{}-{number}", std::process::id());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&folder).unwrap();
        let mut child = Command::new(sandbox())
            .args(["--listen", "127.0.0.1:0", "--until-stdin-closes", "--db"])
            .arg(folder.join("platform.sqlite"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the stand-in starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let addresses: Value = serde_json::from_str(&line).expect("its addresses");
        let platform = addresses["platform"].as_str().unwrap().to_owned();
        let rig = Self { child, platform, folder };
        rig.put("/settings", &json!({"api_keys": [KEY]}));
        let settings = format!(
            "version = 1\n[api]\naddress = \"{}/api\"\n[sites.main]\nsite_id = \"{site_id}\"\n\
             hosts = [\"shop.ua\", \"www.shop.ua\", \"localhost:3000\"]\n",
            rig.platform
        );
        rig.file("kit.toml", &settings);
        rig
    }

    /// Writes a file and returns its path.
    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).unwrap();
        fs::write(&path, text).unwrap();
        path.to_str().expect("a plain path").to_owned()
    }

    /// What a file holds.
    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.join(name)).unwrap()
    }

    /// Runs the command with the right key.
    pub(crate) fn check(&self, arguments: &[&str]) -> Run {
        self.check_with(Some(KEY), arguments)
    }

    /// Runs the command. Whatever becomes of it, the key is in nothing that it prints.
    pub(crate) fn check_with(&self, key: Option<&str>, arguments: &[&str]) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.arg("check").arg(self.folder.join("kit.toml")).args(arguments);
        command.env_remove("KIT_API_KEY").envs(key.map(|key| ("KIT_API_KEY", key)));
        // What a proxy would be asked for, and what logs of libraries would show.
        command.env("HTTP_PROXY", "http://127.0.0.1:1").env("RUST_LOG", "trace");
        let output = command.output().expect("the command runs");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        let (out, err) = (text(output.stdout), text(output.stderr));
        for key in key.iter().chain([&KEY]) {
            let encoded = STANDARD.encode(format!("kit:{key}"));
            for secret in [key, encoded.trim_end_matches('=')] {
                assert!(!out.contains(secret) && !err.contains(secret), "the key is shown");
            }
        }
        Run { success: output.status.success(), out, err }
    }

    /// Registers the tracked domain.
    pub(crate) fn register(&self, domain: &str) {
        self.call("POST", "/api/v1/site/domains", &json!({ "domain": domain }));
    }

    /// Makes a file the account's product feed.
    pub(crate) fn set_feed(&self, address: &str) {
        let feed = json!({"url": address, "language": "uk", "default": true});
        self.call("POST", "/api/v1/products/config", &json!({ "feeds": [feed] }));
    }

    /// Sets the stand-in up.
    pub(crate) fn put(&self, path: &str, body: &Value) {
        self.call("PUT", path, body);
    }

    /// Adds unused codes to the account.
    pub(crate) fn add_codes(&self, kind: &str, codes: &[&str]) {
        let body = json!({
            "promocodes": codes,
            "expirationDate": "2099-01-01",
            "discount": 5,
            "type": kind,
        });
        self.call("POST", "/api/v1/promocodes", &body);
    }

    /// How many calls have arrived.
    pub(crate) fn requests(&self) -> usize {
        self.recorded().len()
    }

    /// The methods of the calls after the first `since`.
    pub(crate) fn methods(&self, since: usize) -> Vec<String> {
        let calls = self.recorded();
        let method = |call: &Value| call["method"].as_str().unwrap().to_owned();
        calls.iter().skip(since).map(method).collect()
    }

    /// How many events of the check's own type were made.
    pub(crate) fn events(&self) -> usize {
        list(&self.call("GET", "/api-events?event=kitCheck", &Value::Null)).len()
    }

    fn recorded(&self) -> Vec<Value> {
        list(&self.call("GET", "/requests", &Value::Null))
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let credentials = STANDARD.encode(format!("test:{KEY}"));
        let request = http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.platform))
            .header("authorization", format!("Basic {credentials}"))
            .header("content-type", "application/json");
        let config = ureq::Agent::config_builder().proxy(None).build();
        let answer = match body {
            Value::Null => config.new_agent().run(request.body(()).unwrap()),
            body => config.new_agent().run(request.body(body.to_string()).unwrap()),
        };
        let text = answer.expect("the stand-in does it").body_mut().read_to_string().unwrap();
        serde_json::from_str(&text).unwrap_or_default()
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        // An error means that it has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The list in an answer, which has it bare or as its one list.
fn list(answer: &Value) -> Vec<Value> {
    let inside = || answer.as_object()?.values().find_map(Value::as_array);
    answer.as_array().or_else(inside).cloned().unwrap_or_default()
}

/// The stand-in's program, beside the one under test; built where it is not there yet.
fn sandbox() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        let own = Path::new(env!("CARGO_BIN_EXE_xtask"));
        let path = own.with_file_name(format!("sandbox{}", std::env::consts::EXE_SUFFIX));
        if !path.exists() {
            let folder = own.ancestors().nth(2).expect("the target folder");
            let built = Command::new(env!("CARGO"))
                .args(["build", "--locked", "--package", "sandbox", "--target-dir"])
                .arg(folder)
                .status();
            assert!(built.expect("cargo runs").success());
        }
        path
    })
}

/// A shop's server that has one file, and keeps what it is asked.
#[derive(Debug)]
pub(crate) struct FeedServer {
    pub(crate) address: String,
    heard: Arc<Mutex<String>>,
}

impl FeedServer {
    pub(crate) fn start(file: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/feed.xml", listener.local_addr().unwrap());
        let heard = Arc::new(Mutex::new(String::new()));
        let writer = Arc::clone(&heard);
        // It ends with the tests.
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    stream.read_exact(&mut byte).unwrap();
                    request.extend(byte);
                }
                writer.lock().unwrap().push_str(&String::from_utf8_lossy(&request));
                let length = file.len();
                write!(
                    stream,
                    "HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\ncontent-length: {length}\r\n\
                     connection: close\r\n\r\n{file}"
                )
                .unwrap();
            }
        });
        Self { address, heard }
    }

    /// The heads of all requests.
    pub(crate) fn heard(&self) -> String {
        self.heard.lock().unwrap().clone()
    }
}
