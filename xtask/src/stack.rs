//! The whole thing on loopback: the Worker in workerd, the platform's stand-in, the demo shop; where it is
//! asked for, also a queue and a bucket.

mod cloud;

use std::{
    fs::{self, File},
    hash::{BuildHasher as _, Hasher as _, RandomState},
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

pub(crate) use self::cloud::Cloud;
use crate::{
    project,
    tools::{self, Toolbox},
};

/// The token of calls that a shop's server makes, on loopback only.
pub(crate) const SERVER_TOKEN: &str = "server-token-of-the-demo";

/// A marker where the platform's key would be: tests search every answer and file for it.
pub(crate) const API_KEY: &str = "api-key-of-the-demo-5f1d7c";

/// The same for the key of the API that apps call.
pub(crate) const MOBILE_KEY: &str = "mobile-key-of-the-demo-a94e20";

/// As in `worker/wrangler.toml`: the Worker is tested under the rules that it is deployed with.
pub(crate) const COMPATIBILITY_DATE: &str = "2026-11-01";
pub(crate) const COMPATIBILITY_FLAG: &str = "global_fetch_strictly_public";

/// What a stack is made of.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Where data, logs and the Worker's configuration go.
    pub(crate) folder: PathBuf,
    /// The port of the shop, 0 for any.
    pub(crate) port: u16,
    /// Members that replace those of the site's settings.
    pub(crate) site: Value,
    /// Members that replace those of the outbox's settings.
    pub(crate) outbox: Value,
    /// Members that replace those of the deployment's settings.
    pub(crate) settings: Value,
    /// Secrets beside those that every stack has, by name.
    pub(crate) secrets: Value,
    /// The folder that the shop's server serves.
    pub(crate) shop: PathBuf,
    /// A Worker by hand, to compare with.
    pub(crate) plain: Option<&'static str>,
    /// Whether there is a queue, and a bucket; with either, objects can be made to fail.
    pub(crate) cloud: Cloud,
}

impl Plan {
    /// The demo shop on any port, with these members of the site's settings, and nothing else besides.
    pub(crate) fn new(folder: PathBuf, site: Value) -> Self {
        Self {
            folder,
            port: 0,
            site,
            outbox: json!({}),
            settings: json!({}),
            secrets: json!({}),
            shop: default_shop(),
            plain: None,
            cloud: Cloud::default(),
        }
    }
}

/// A running stack; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Stack {
    folder: PathBuf,
    workerd: PathBuf,
    worker: Option<Child>,
    sandbox: Child,
    /// Shop and kit on one origin.
    pub(crate) shop: String,
    /// The kit alone, as on a host of its own.
    pub(crate) kit: String,
    /// The shop's server alone, which passes `/k/` on by itself.
    pub(crate) proxied: String,
    /// The platform's stand-in.
    pub(crate) platform: String,
    /// The Worker by hand.
    pub(crate) plain: Option<String>,
    /// Cloudflare's queue and bucket.
    pub(crate) cloud: Option<String>,
    /// The Worker that runs the kit's clock, and hands it messages.
    pub(crate) driver: Option<String>,
    _ports: Ports,
}

impl Stack {
    /// Starts everything and waits until it answers.
    pub(crate) fn start(plan: &Plan) -> Result<Self> {
        let (stack, ()) = Self::start_behind(plan, |platform| Ok((platform.to_owned(), ())))?;
        Ok(stack)
    }

    /// The same, with something between the Worker and the platform's tracker: `between` starts it and
    /// says where it is.
    pub(crate) fn start_behind<T>(
        plan: &Plan,
        between: impl FnOnce(&str) -> Result<(String, T)>,
    ) -> Result<(Self, T)> {
        fs::create_dir_all(plan.folder.join("objects"))?;
        let mut ports = Ports::default();
        let kit_port = ports.take()?;
        let shop_port = if plan.port == 0 { ports.take()? } else { plan.port };
        let driver_port = plan.cloud.is_there().then(|| ports.take()).transpose()?;
        let (sandbox, addresses) = start_sandbox(plan, kit_port, driver_port)?;
        let text = |name: &str| {
            let address = addresses[name].as_str().context("the stand-in names its addresses");
            address.map(str::to_owned)
        };
        let (platform, proxied) = (text("platform")?, text("shop")?);
        // The one key that each of the stand-in's APIs knows, and where what it recommends is.
        let keys = json!({
            "api_keys": [API_KEY],
            "mobile_key": MOBILE_KEY,
            "shop": format!("http://127.0.0.1:{shop_port}"),
        });
        let keys = keys.to_string();
        let answer = ask(&platform, "PUT", "/settings", &keys)?;
        if !answer.contains(" 200 ") {
            bail!("the stand-in does not take its key: {answer}");
        }
        let (tracker, between) = between(&platform)?;
        let targets = (platform.as_str(), tracker.as_str());
        let config = configuration(plan, shop_port, kit_port, targets, &proxied);
        let bare = |address: &str| address.trim_start_matches("http://").to_owned();
        let secrets = secrets(&plan.secrets);
        let plain_port = plan.plain.map(|_| ports.take()).transpose()?;
        if let Some(source) = plan.plain {
            fs::write(plan.folder.join("plain.js"), source)?;
        }
        let mut capnp = capnp(shop_port, kit_port, &bare(&proxied), &config.to_string(), &secrets);
        if let Some(port) = plain_port {
            capnp = with_plain(&capnp, port, &platform);
        }
        let cloud = addresses["cloud"].as_str().map(str::to_owned);
        if let (Some(port), Some(cloud)) = (driver_port, &cloud) {
            capnp = plan.cloud.bind(&capnp, port, &bare(cloud), &plan.folder)?;
        }
        fs::write(plan.folder.join("config.capnp"), capnp)?;
        fs::write(plan.folder.join("router.js"), ROUTER)?;
        let link = plan.folder.join("worker");
        if !link.exists() {
            std::os::unix::fs::symlink(project::root().join("worker/build"), link)?;
        }
        let mut stack = Self {
            folder: plan.folder.clone(),
            workerd: tools::workerd()?,
            worker: None,
            sandbox,
            shop: format!("http://127.0.0.1:{shop_port}"),
            kit: format!("http://127.0.0.1:{kit_port}"),
            proxied,
            platform,
            plain: plain_port.map(|port| format!("http://127.0.0.1:{port}")),
            cloud,
            driver: driver_port.map(|port| format!("http://127.0.0.1:{port}")),
            _ports: ports,
        };
        stack.start_worker()?;
        Ok((stack, between))
    }

    /// Starts the Worker's process, with the data that an earlier one left.
    pub(crate) fn start_worker(&mut self) -> Result<()> {
        let command = Command::new(&self.workerd);
        self.spawn_worker(command)?;
        // A minute: on a busy machine it takes its time.
        for _ in 0..1200 {
            // An outbox may be away: its store is then of another version.
            let is_there = |answer: String| answer.contains(" 200 ") || answer.contains(" 503 ");
            if ask(&self.kit, "GET", "/k/health", "").is_ok_and(is_there) {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(50));
        }
        let log = fs::read_to_string(self.folder.join("worker.log")).unwrap_or_default();
        let end: Vec<&str> = log.lines().rev().take(20).collect();
        bail!("the Worker does not answer; its log ends:\n{}", end.join("\n"))
    }

    /// Starts it where no file may have more than so many bytes, as on a disk that is nearly full.
    /// Whether it can answer is not waited for.
    pub(crate) fn start_worker_within(&mut self, most: u64) -> Result<()> {
        let mut command = Command::new("sh");
        // Without the trap the process would end where a write is to fail. Blocks have 512 bytes.
        let script = "trap '' XFSZ; ulimit -f \"$0\" && exec \"$@\"";
        command.args(["-c", script]).arg(most.div_ceil(512).to_string()).arg(&self.workerd);
        self.spawn_worker(command)
    }

    fn spawn_worker(&mut self, mut command: Command) -> Result<()> {
        let log = File::options().create(true).append(true).open(self.folder.join("worker.log"))?;
        let child = command
            .args(["serve", "config.capnp", "--experimental"])
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("workerd cannot be started")?;
        self.worker = Some(child);
        Ok(())
    }

    /// Where the Worker's objects keep their data.
    pub(crate) fn objects(&self) -> PathBuf {
        self.folder.join("objects")
    }

    /// Ends the Worker's process at once, as a crash would.
    pub(crate) fn kill_worker(&mut self) {
        if let Some(mut worker) = self.worker.take() {
            // An error means that it has ended by itself.
            let _ = worker.kill();
            let _ = worker.wait();
        }
    }

    /// Addresses and process ids, for tests that drive the stack from outside.
    pub(crate) fn describe(&self) -> Value {
        json!({
            "shop": self.shop,
            "kit": self.kit,
            "proxied": self.proxied,
            "platform": self.platform,
            "cloud": self.cloud,
            "driver": self.driver,
            "folder": self.folder,
            "server_token": SERVER_TOKEN,
            "api_key": API_KEY,
            "mobile_key": MOBILE_KEY,
        })
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        self.kill_worker();
        let _ = self.sandbox.kill();
        let _ = self.sandbox.wait();
    }
}

/// `cargo xtask stack`: a stack that another program drives through this one's input: a line
/// `kill-worker` or `start-worker` is answered by a line; the end of the input ends the stack.
pub(crate) fn command(arguments: &[String]) -> Result<()> {
    let options: Value = match arguments.first() {
        Some(text) => serde_json::from_str(text).context("the options are JSON")?,
        None => json!({}),
    };
    let folder = options["folder"].as_str().context("name a folder: {\"folder\": …}")?;
    let shop = options["shop"].as_str().map_or_else(default_shop, PathBuf::from);
    let plan = Plan {
        outbox: options["outbox"].clone(),
        settings: options["settings"].clone(),
        secrets: options["secrets"].clone(),
        shop,
        cloud: Cloud::from_options(&options["cloud"]),
        ..Plan::new(PathBuf::from(folder), options["site"].clone())
    };
    let mut stack = Stack::start(&plan)?;
    say(&stack.describe())?;
    for line in std::io::stdin().lock().lines() {
        match line?.as_str() {
            "kill-worker" => stack.kill_worker(),
            "start-worker" => stack.start_worker()?,
            other => bail!("there is no order {other:?}"),
        }
        say(&json!({"done": true}))?;
    }
    Ok(())
}

/// The demo shop.
pub(crate) fn default_shop() -> PathBuf {
    project::root().join("www/shop")
}

/// Compiles the stand-in.
pub(crate) fn build_sandbox(toolbox: &Toolbox) -> Result<()> {
    let mut command = toolbox.cargo();
    command.current_dir(project::root()).args(["build", "--locked", "--package", "sandbox"]);
    crate::process::run(&mut command)
}

fn say(value: &Value) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{value}")?;
    out.flush()?;
    Ok(())
}

fn start_sandbox(plan: &Plan, kit_port: u16, driver_port: Option<u16>) -> Result<(Child, Value)> {
    let mut command = Command::new(project::root().join("target/debug/sandbox"));
    if let Some(port) = driver_port {
        command.args(["--cloud-listen", "127.0.0.1:0", "--driver"]);
        command.arg(format!("http://127.0.0.1:{port}"));
        command.arg("--cloud-db").arg(plan.folder.join("cloud.sqlite"));
    }
    let mut child = command
        .args(["--listen", "127.0.0.1:0", "--shop-listen", "127.0.0.1:0", "--until-stdin-closes"])
        .arg("--db")
        .arg(plan.folder.join("platform.sqlite"))
        .arg("--shop-dir")
        .arg(&plan.shop)
        .arg("--worker")
        .arg(format!("http://127.0.0.1:{kit_port}"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(File::create(plan.folder.join("platform.log"))?)
        .spawn()
        .context("the platform's stand-in cannot be started")?;
    let mut line = String::new();
    if let Some(out) = child.stdout.take() {
        BufReader::new(out).read_line(&mut line)?;
    }
    let addresses = serde_json::from_str(&line).context("the stand-in did not start")?;
    Ok((child, addresses))
}

/// The settings of the one site that a stack serves.
fn configuration(
    plan: &Plan,
    shop_port: u16,
    kit_port: u16,
    (platform, tracker): (&str, &str),
    proxied: &str,
) -> Value {
    let mut site = json!({
        "hosts": [
            format!("127.0.0.1:{shop_port}"),
            format!("localhost:{shop_port}"),
            format!("127.0.0.1:{kit_port}"),
            proxied.trim_start_matches("http://"),
        ],
        "site_id": "8A412DC",
        "tracker": format!("{tracker}/api/v2"),
    });
    let mut outbox = json!({});
    for (target, changes) in [(&mut site, &plan.site), (&mut outbox, &plan.outbox)] {
        for (name, value) in changes.as_object().into_iter().flatten() {
            target[name] = value.clone();
        }
    }
    if let Some(Value::Object(recommendations)) = site.get_mut("recommendations") {
        let address = |path: &str| json!(format!("{platform}{path}"));
        recommendations.entry("contact_address").or_insert(address("/contact-api"));
        recommendations.entry("mobile_address").or_insert(address("/mobile-api/api"));
    }
    // A feed of the shop's own, by its path.
    let feed = site.pointer("/feed/address").and_then(Value::as_str).unwrap_or_default();
    if feed.starts_with('/') {
        site["feed"]["address"] = json!(format!("http://127.0.0.1:{shop_port}{feed}"));
    }
    let mut settings = json!({
        "version": 1,
        "api": {
            "address": format!("{platform}/api"),
            "turnstile": format!("{platform}/turnstile/siteverify"),
        },
        "outbox": outbox,
        "sites": {"main": site},
    });
    for (name, value) in plan.settings.as_object().into_iter().flatten() {
        settings[name] = value.clone();
    }
    settings
}

/// The bindings of secrets, as workerd's configuration writes them.
fn secrets(more: &Value) -> String {
    let own = json!({
        "KIT_SERVER_TOKEN": SERVER_TOKEN,
        "KIT_API_KEY": API_KEY,
        "KIT_MOBILE_KEY": MOBILE_KEY,
    });
    let mut all = own.as_object().cloned().unwrap_or_default();
    all.extend(more.as_object().cloned().unwrap_or_default());
    let line = |(name, text): (String, Value)| format!("    (name = \"{name}\", text = {text}),\n");
    all.into_iter().map(line).collect()
}

/// Sends `/k/` to the kit and everything else to the shop, as a route on the shop's host does.
const ROUTER: &str = r#"export default {
  fetch(request, { KIT, SHOP }) {
    return (new URL(request.url).pathname.startsWith("/k/") ? KIT : SHOP).fetch(request);
  },
};
"#;

fn capnp(shop_port: u16, kit_port: u16, shop: &str, config: &str, secrets: &str) -> String {
    let config = Value::from(config).to_string();
    format!(
        r#"using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "kit", worker = .kit),
    (name = "router", worker = .router),
    (name = "shop", external = (address = "{shop}", http = ())),
    (name = "loopback", network = (allow = ["private"])),
    (name = "objects", disk = (path = "objects", writable = true)),
  ],
  sockets = [
    (name = "shop", address = "127.0.0.1:{shop_port}", http = (), service = "router"),
    (name = "kit", address = "127.0.0.1:{kit_port}", http = (), service = "kit"),
  ],
);

const router :Workerd.Worker = (
  modules = [(name = "router", esModule = embed "router.js")],
  compatibilityDate = "{COMPATIBILITY_DATE}",
  bindings = [(name = "KIT", service = "kit"), (name = "SHOP", service = "shop")],
);

const kit :Workerd.Worker = (
  modules = [
    (name = "entry.js", esModule = embed "worker/entry.js"),
    (name = "index.js", esModule = embed "worker/index.js"),
    (name = "index_bg.wasm", wasm = embed "worker/index_bg.wasm"),
  ],
  compatibilityDate = "{COMPATIBILITY_DATE}",
  compatibilityFlags = ["{COMPATIBILITY_FLAG}"],
  bindings = [
    (name = "OUTBOX", durableObjectNamespace = "OutboxObject"),
    (name = "USES", durableObjectNamespace = "UsesObject"),
    (name = "BULK", durableObjectNamespace = "BulkObject"),
    (name = "PROMO", durableObjectNamespace = "PromoObject"),
    (name = "CATALOGUE", durableObjectNamespace = "CatalogueObject"),
    (name = "GOVERNOR", durableObjectNamespace = "GovernorObject"),
    (name = "RECOMMENDATIONS", durableObjectNamespace = "RecommendationsObject"),
    (name = "KIT_CONFIG", text = {config}),
{secrets}  ],
  globalOutbound = "loopback",
  durableObjectNamespaces = [
    (className = "OutboxObject", uniqueKey = "outbox", enableSql = true),
    (className = "UsesObject", uniqueKey = "uses", enableSql = true),
    (className = "BulkObject", uniqueKey = "bulk", enableSql = true),
    (className = "PromoObject", uniqueKey = "promo", enableSql = true),
    (className = "CatalogueObject", uniqueKey = "catalogue", enableSql = true),
    (className = "GovernorObject", uniqueKey = "governor", enableSql = true),
    (className = "RecommendationsObject", uniqueKey = "recommendations", enableSql = true),
  ],
  durableObjectStorage = (localDisk = "objects"),
);
"#
    )
}

/// The configuration with a Worker by hand in the same process.
fn with_plain(capnp: &str, port: u16, platform: &str) -> String {
    let service = "  services = [\n    (name = \"plain\", worker = .plain),";
    let socket = format!(
        "  sockets = [\n    (name = \"plain\", address = \"127.0.0.1:{port}\", http = (), service = \"plain\"),"
    );
    let capnp = capnp.replacen("  services = [", service, 1).replacen("  sockets = [", &socket, 1);
    format!(
        r#"{capnp}
const plain :Workerd.Worker = (
  modules = [(name = "plain", esModule = embed "plain.js")],
  compatibilityDate = "{COMPATIBILITY_DATE}",
  compatibilityFlags = ["{COMPATIBILITY_FLAG}"],
  bindings = [
    (name = "TOKEN", text = "{SERVER_TOKEN}"),
    (name = "KEY", text = "{API_KEY}"),
    (name = "API", text = "{platform}/api"),
    (name = "OUTBOX", durableObjectNamespace = (className = "OutboxObject", serviceName = "kit")),
  ],
  globalOutbound = "loopback",
);
"#
    )
}

/// Whether a server could listen there now.
pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}

/// Ports that no other stack of this user gets, until this is dropped.
#[derive(Debug, Default)]
struct Ports(Vec<File>);

impl Ports {
    /// A port that stays free until it is used, and while the Worker is started anew: systems give those
    /// that they choose themselves, from 32768 on, to whatever connects to somewhere meanwhile.
    fn take(&mut self) -> Result<u16> {
        let folder = tools::cache()?.join("ports");
        fs::create_dir_all(&folder)?;
        // Seeded by the system, so that stacks that start together look in different places.
        let random = RandomState::new().build_hasher().finish();
        for step in 0..12_000_u64 {
            let port = u16::try_from(20_000 + (random.wrapping_add(step) % 12_000))?;
            // That nobody listens there yet is not enough: another stack may be about to.
            let lock = File::create(folder.join(port.to_string()))?;
            if lock.try_lock().is_ok() && is_free(port) {
                self.0.push(lock);
                return Ok(port);
            }
        }
        bail!("no port from 20000 to 31999 is free")
    }
}

/// The answer to a plain request, head and all.
fn ask(address: &str, method: &str, path: &str, body: &str) -> Result<String> {
    let host = address.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// Removes what an earlier stack left in `folder`.
pub(crate) fn clear(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    Ok(())
}
