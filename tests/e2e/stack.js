// A running kit for one test: the Worker, the platform's stand-in, the demo shop.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

export class Stack {
  /**
   * Starts a stack; `site` and `outbox` replace members of the settings. In the `folder` of a stack
   * that was stopped with `keep`, it goes on with that one's data. `cloud` says what there is beside it:
   * `{queue, bucket}`, or only `{faults}`.
   */
  static async start({ site = {}, outbox = {}, settings, secrets, shop, folder, cloud } = {}) {
    folder ??= mkdtempSync(join(tmpdir(), "kit-"));
    const granted = { consent: "granted", ...site };
    const options = { folder, site: granted, outbox, settings, secrets, shop, cloud };
    const program = join(root, "target/debug/xtask");
    const child = spawn(program, ["stack", JSON.stringify(options)], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    const stack = new Stack();
    Object.assign(stack, { folder, child, lines }, JSON.parse((await lines.next()).value));
    return stack;
  }

  async order(text) {
    this.child.stdin.write(text + "\n");
    await this.lines.next();
  }

  async stop({ keep = false } = {}) {
    const ended = new Promise((resolve) => this.child.once("exit", resolve));
    this.child.stdin.end();
    await ended;
    if (!keep) rmSync(this.folder, { recursive: true, force: true });
  }

  async json(path, options) {
    const answer = await fetch(this.platform + path, options);
    const text = await answer.text();
    return text && JSON.parse(text);
  }

  /** What the platform has taken, oldest first. */
  async events(name) {
    const { events = [] } = wrap(await this.json("/events" + (name ? "?event=" + name : "")));
    return events;
  }

  /** Waits until the platform has taken `count` events, and a little longer for one too many. */
  async arrived(count, { name, within = 30_000, linger = 300 } = {}) {
    const end = Date.now() + within;
    let events = [];
    while (Date.now() < end) {
      events = await this.events(name);
      if (events.length >= count) break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await new Promise((resolve) => setTimeout(resolve, linger));
    return this.events(name);
  }

  /** Changes settings of the platform. */
  platformSettings(settings) {
    return this.json("/settings", { method: "PUT", body: JSON.stringify(settings) });
  }

  /** Makes a call of the REST API as the shop's server does. */
  async api(call, body, { token = this.server_token, headers = {} } = {}) {
    const [method, path] = call.split(/ (.*)/s);
    const answer = await fetch(this.kit + "/k/api" + path, {
      method,
      redirect: "manual",
      headers: { ...(token && { authorization: "Bearer " + token }), ...headers },
      body: body === undefined || typeof body == "string" ? body : JSON.stringify(body),
    });
    return { status: answer.status, headers: answer.headers, ...(await answer.json()) };
  }

  /** What the queue and the bucket hold, and what happened there. */
  async cloudState() {
    return (await fetch(this.cloud + "/control/state")).json();
  }

  /** Makes the queue and the bucket misbehave, or not any more. */
  async cloudFaults(...faults) {
    await control(this.cloud + "/control/faults", faults);
  }

  async cloudSettings(settings) {
    await control(this.cloud + "/control/settings", settings);
  }

  /** Makes outboxes misbehave, or not any more; returns those that still will. */
  objectFaults(...faults) {
    return control(this.kit + "/__objects", faults);
  }

  /** Lets the Worker's clock strike. */
  async strike() {
    const answer = await fetch(this.driver + "/scheduled", { method: "POST" });
    const { outcome } = await answer.json();
    if (outcome != "ok") throw new Error("the clock's handler failed");
  }

  faults(faults) {
    return this.json("/faults", {
      method: faults ? "PUT" : "DELETE",
      headers: { "content-type": "application/json" },
      body: faults && JSON.stringify(faults),
    });
  }
}

const control = async (address, body) => {
  const answer = await fetch(address, { method: "PUT", body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
};

const wrap = (answer) => (Array.isArray(answer) ? { events: answer } : answer);
