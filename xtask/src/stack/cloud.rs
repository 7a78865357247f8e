//! What a stack has of Cloudflare beside workerd: a queue and a bucket, which the sandbox serves, and means
//! to make what is part of workerd itself fail.

use std::{fs, path::Path};

use anyhow::{Result, ensure};
use serde_json::Value;

use super::COMPATIBILITY_DATE;

/// Which of both the Worker has.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cloud {
    pub(crate) queue: bool,
    pub(crate) bucket: bool,
    /// Neither, but the driver and faults all the same.
    pub(crate) faults: bool,
}

/// Calls the handlers of the kit that are no requests: `POST /queue` with messages, and `POST /scheduled`.
const DRIVER: &str = r#"export default {
  async fetch(request, { KIT }) {
    if (new URL(request.url).pathname != "/queue") {
      return Response.json(await KIT.scheduled({ scheduledTime: new Date(), cron: "*/15 * * * *" }));
    }
    const { queue, messages } = await request.json();
    const dated = ({ timestamp, ...message }) => ({ ...message, timestamp: new Date(timestamp) });
    return Response.json(await KIT.queue(queue, messages.map(dated)));
  },
};
"#;

/// The kit with outboxes and catalogues that fail on demand: `PUT /__objects` takes a list of faults, in force until the
/// process ends; `GET` shows it. The first that fits applies: `{do, path, object, count}`. `do` is `fail` or
/// `hang`, both before anything is done, or `fail_after` and `hang_after`, or `hold` and `hold_after`: until
/// another list is put; or with the path `/alarm` `drop`: the alarm is lost. The others narrow it.
const FAULTY: &str = r#"import worker, { CatalogueObject as Catalogue, OutboxObject as Outbox } from "./entry.js";
export * from "./entry.js";

let faults = [];

const take = (path, name) => {
  const fits = (fault) =>
    fault.count !== 0 && path.startsWith(fault.path ?? "/") && (fault.object ?? name) == name;
  const fault = faults.find(fits);
  if (fault?.count) fault.count--;
  return fault?.do;
};
const hold = async () => {
  for (const held = faults; held == faults; ) await scheduler.wait(10);
};

const fail = () => {
  throw new Error("the object fails, as it was told");
};
const hang = () => scheduler.wait(600_000).then(fail);

const faulty = (Inner) => class {
  constructor(state, env) {
    this.name = state.id.name;
    this.inner = new Inner(state, env);
  }

  async fetch(request) {
    const fault = take(new URL(request.url).pathname, this.name);
    if (fault == "fail") fail();
    if (fault == "hang") await hang();
    if (fault == "hold") await hold();
    const answer = await this.inner.fetch(request);
    if (fault == "fail_after") fail();
    if (fault == "hang_after") await hang();
    if (fault == "hold_after") await hold();
    return answer;
  }

  async alarm() {
    if (take("/alarm", this.name) != "drop") await this.inner.alarm();
  }
};

export const CatalogueObject = faulty(Catalogue);
export const OutboxObject = faulty(Outbox);

export default {
  ...worker,
  async fetch(request, env, ctx) {
    if (new URL(request.url).pathname != "/__objects") return worker.fetch(request, env, ctx);
    if (request.method == "PUT") faults = await request.json();
    return Response.json(faults);
  },
};
"#;

impl Cloud {
    pub(crate) fn from_options(options: &Value) -> Self {
        let is_on = |name: &str| options[name].as_bool().unwrap_or(false);
        Self { queue: is_on("queue"), bucket: is_on("bucket"), faults: is_on("faults") }
    }

    pub(crate) fn is_there(self) -> bool {
        self.queue || self.bucket || self.faults
    }

    /// Workerd's configuration with the bindings, a driver that listens on `port`, and outboxes that can be
    /// made to fail.
    pub(super) fn bind(
        self,
        capnp: &str,
        port: u16,
        address: &str,
        folder: &Path,
    ) -> Result<String> {
        fs::write(folder.join("faulty.js"), FAULTY)?;
        fs::write(folder.join("driver.js"), DRIVER)?;
        let services = format!(
            r#"  services = [
    (name = "driver", worker = .driver),
    (name = "cloud", external = (address = "{address}", http = ())),"#
        );
        let sockets = format!(
            r#"  sockets = [
    (name = "driver", address = "127.0.0.1:{port}", http = (), service = "driver"),"#
        );
        let entry = r#"    (name = "entry.js", esModule = embed "worker/entry.js"),"#;
        let faulty = r#"    (name = "faulty.js", esModule = embed "faulty.js"),"#;
        let config = "    (name = \"KIT_CONFIG\",";
        let queue = if self.queue { "    (name = \"QUEUE\", queue = \"cloud\"),\n" } else { "" };
        let bucket =
            if self.bucket { "    (name = \"BUCKET\", r2Bucket = \"cloud\"),\n" } else { "" };
        let mut text = capnp.to_owned();
        for (from, to) in [
            ("  services = [", services),
            ("  sockets = [", sockets),
            (entry, [faulty, "\n", entry].concat()),
            (config, [queue, bucket, config].concat()),
        ] {
            ensure!(text.contains(from), "workerd's configuration has no {from:?}");
            text = text.replacen(from, &to, 1);
        }
        Ok(format!(
            r#"{text}
const driver :Workerd.Worker = (
  modules = [(name = "driver", esModule = embed "driver.js")],
  compatibilityDate = "{COMPATIBILITY_DATE}",
  compatibilityFlags = ["service_binding_extra_handlers"],
  bindings = [(name = "KIT", service = "kit")],
);
"#
        ))
    }
}
