// What the browser tests share: a running kit for each test, a switchable front before it, pages
// made to measure, browsers that can be killed, and the check that nothing is lost or doubled.
import { chromium, expect, test as base } from "@playwright/test";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { Stack } from "./stack.js";

export { expect };

export const executablePath = process.env.KIT_CHROMIUM || "/usr/bin/chromium";

export const browserArguments = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/**
 * The shop's own host as the browser sees it. Everything goes on to the stack, except what a test
 * serves, delays or breaks. The browser's own interception would not do: it does not see requests
 * that outlive their page.
 */
export class Front {
  /** Every request, in the order of arrival; `status` once the browser has been answered. */
  log = [];
  /** What pages reported with `tell(…)`. */
  told = [];
  /** Whether connections are refused. */
  down = false;
  #pages = new Map();
  #rules = [];
  #sockets = new Set();

  async listen() {
    this.server = http.createServer((request, response) => {
      this.#take(request, response).catch(() => response.destroy());
    });
    this.server.on("connection", (socket) => {
      if (this.down) return socket.destroy();
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    this.port = this.server.address().port;
    this.origin = `http://127.0.0.1:${this.port}`;
    /** Another site for the browser, without the kit. */
    this.elsewhere = `http://localhost:${this.port}/elsewhere`;
    this.page("/elsewhere", "<!doctype html><title>Elsewhere</title><p>Another site.");
  }

  /** Serves `html` at `path`. */
  page(path, html, headers = {}) {
    this.#pages.set(path, { html, headers });
  }

  /**
   * Puts `rule(request)` before what follows. It answers with nothing to let the request pass, an
   * object `{status, headers, body}` to answer it, "forget" to let it pass and drop the answer,
   * "drop" to end the connection, or a promise of these. Returns a function that takes the rule
   * away.
   */
  rule(rule) {
    this.#rules.push(rule);
    return () => (this.#rules = this.#rules.filter((other) => other != rule));
  }

  /**
   * Lets what the loader fetches later (tracker, wasm, extras) hang. Returns a function that ends
   * this, and the connections: the browser's cache would let later requests wait for them.
   */
  hangTracker() {
    const hanging = new Set();
    const rule = this.rule(
      ({ path }) =>
        path.startsWith("/k/a/") && new Promise((resolve) => hanging.add(() => resolve("drop"))),
    );
    return () => {
      rule();
      for (const end of hanging) end();
    };
  }

  /**
   * Lets batches hang. Returns a function that lets later ones pass; those that hang go on doing
   * so, since the browser may repeat by itself what ends without an answer.
   */
  hangBatches(containing = "") {
    return this.rule(
      ({ path, body }) => path == "/k/b" && body.includes(containing) && new Promise(() => {}),
    );
  }

  /** Ends every connection and refuses new ones, or takes them again. */
  setDown(down) {
    this.down = down;
    if (down) for (const socket of this.#sockets) socket.destroy();
  }

  /** The batches that browsers sent, with their records. */
  batches() {
    return this.log
      .filter(({ method, path }) => method == "POST" && path == "/k/b")
      .map((entry) => ({ entry, ...JSON.parse(entry.body) }));
  }

  /** Addresses of the pages whose views were sent, each record counted once. */
  views() {
    const views = new Map();
    for (const { records } of this.batches())
      for (const { id, call, page } of records)
        if (call[1] == "PageView") views.set(id, { id, url: page.url.replace(this.origin, "") });
    return [...views.values()].sort((a, b) => (a.id < b.id ? -1 : 1)).map(({ url }) => url);
  }

  close() {
    this.setDown(true);
    this.server.close();
  }

  async #take(request, response) {
    const parts = [];
    for await (const part of request) parts.push(part);
    const { method, url: path, headers } = request;
    const body = Buffer.concat(parts).toString();
    // A worker's requests name its script as their referrer.
    const via = (headers.referer || "").includes("/k/a/") ? "tracker" : "loader";
    const entry = { at: Date.now(), method, path, headers, body, via };
    this.log.push(entry);
    const answer = ({ status = 200, headers = {}, body = "" }) => {
      entry.status = status;
      entry.answered = Date.now();
      response.writeHead(status, headers).end(body);
    };
    if (path == "/told") {
      this.told.push(JSON.parse(body));
      return answer({ status: 204 });
    }
    let verdict;
    for (const rule of this.#rules) if ((verdict = await rule(entry))) break;
    if (verdict == "drop") return response.destroy();
    if (verdict && verdict != "forget") return answer(verdict);
    const page = this.#pages.get(path.split("?")[0]);
    if (page && method != "OPTIONS") {
      const kind = { "content-type": "text/html; charset=utf-8", "cache-control": "no-cache" };
      return answer({ headers: { ...kind, ...page.headers }, body: page.html });
    }
    const upstream = await this.#pass(method, path, headers, body);
    if (verdict == "forget") return response.destroy();
    answer(upstream);
  }

  #pass(method, path, headers, body) {
    return new Promise((resolve, reject) => {
      const target = { host: "127.0.0.1", port: new URL(this.target).port, agent: false };
      const request = http.request({ ...target, method, path, headers }, async (response) => {
        const parts = [];
        try {
          for await (const part of response) parts.push(part);
        } catch (error) {
          return reject(error);
        }
        const { "transfer-encoding": _, ...kept } = response.headers;
        resolve({ status: response.statusCode, headers: kept, body: Buffer.concat(parts) });
      });
      request.once("error", reject);
      request.end(body);
    });
  }
}

/** What pages of these tests have at hand. */
const TOOLS = `
  // Calls with keys that no other call has: PREFIX-0 to PREFIX-(count - 1).
  function send(prefix, count, size) {
    for (let i = 0; i < count; i++) {
      const product = { productKey: prefix + "-" + i };
      if (size) product.tag_text = [(prefix + i).repeat(size).slice(0, size)];
      eS("sendEvent", "ProductPage", { ProductPage: product });
    }
  }
  // Reports to the test even while the page goes.
  function tell(what) {
    fetch("/told", { method: "POST", body: JSON.stringify(what), keepalive: true });
  }`;

/** A page with the kit; `loader` replaces the plain script tag, `head` comes before it. */
export const page = ({ head = "", loader, body = "<p>A page.", nonce = "", data = "" } = {}) => {
  const attribute = nonce && ` nonce="${nonce}"`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>A page</title><link rel="icon" href="data:,">
<script${attribute}>${TOOLS}</script>${head}
${loader ?? `<script${attribute} src="/k/kit.js" ${data}></script>`}
</head><body>${body}</body></html>`;
};

/** The platform's snippet as shops have it, pointed at the kit. */
export const SNIPPET = `<script>
!function (t, e, c, n) {
  var s = e.createElement(c); s.async = 1; s.src = "/k/kit.js";
  var r = e.scripts[0]; r.parentNode.insertBefore(s, r);
  var f = function () { f.c(arguments) }; f.q = []; f.c = function () { f.q.push(arguments) };
  t.eS = t.eS || f;
}(window, document, "script", "000000000000000000");
eS("init", { TRACKING: false, RECOMS: false });
</script>`;

/** The keys that \`send(prefix, count)\` makes. */
export const keys = (prefix, count) => Array.from({ length: count }, (_, i) => `${prefix}-${i}`);

export const test = base.extend({
  /** Members that replace those of the site's settings. */
  site: [{}, { option: true }],
  /** Members that replace those of the outbox's settings. */
  outbox: [{}, { option: true }],
  /** What there is beside the Worker: a queue, a bucket. */
  cloud: [undefined, { option: true }],

  front: async ({}, use) => {
    const front = new Front();
    await front.listen();
    front.page("/", page());
    await use(front);
    front.close();
  },

  stack: async ({ front, site, outbox, cloud }, use) => {
    const stack = await Stack.start({
      site: { hosts: [`127.0.0.1:${front.port}`], ...site },
      outbox,
      cloud,
    });
    front.target = stack.shop;
    await use(stack);
    await stack.stop();
  },

  baseURL: async ({ front, stack }, use) => use(front.origin),

  /** What the pages of the test threw; nobody may see an error of the kit. */
  errors: [
    async ({ context }, use) => {
      const errors = [];
      context.on("weberror", (error) => errors.push(String(error.error())));
      await use(errors);
      expect(errors, "errors on the pages").toEqual([]);
    },
    { auto: true },
  ],

  /**
   * Starts a browser of the test's own, without the test runner's switches, that can be killed.
   * With `url` nobody is attached to it: Chromium does not prerender where somebody is.
   */
  launch: async ({}, use) => {
    const folder = mkdtempSync(join(tmpdir(), "kit-browser-"));
    const running = [];
    await use(async (options) => {
      const browser = await launch(folder, options);
      running.push(browser);
      return browser;
    });
    for (const browser of running) await browser.kill();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  },
});

async function launch(folder, { args = [], preferences, state, url } = {}) {
  if (state) writeFileSync(join(folder, "Local State"), JSON.stringify(state));
  if (preferences) {
    mkdirSync(join(folder, "Default"), { recursive: true });
    writeFileSync(join(folder, "Default/Preferences"), JSON.stringify(preferences));
  }
  const fixed = ["--headless=new", "--password-store=basic", `--user-data-dir=${folder}`];
  const way = url ? [url] : ["--remote-debugging-port=0", "about:blank"];
  const child = spawn(
    executablePath,
    [...fixed, ...browserArguments, ...args, ...way],
    // A group of its own, so that a kill takes every process of the browser at once.
    { detached: true, stdio: ["ignore", "ignore", "pipe"] },
  );
  const ended = new Promise((resolve) => child.once("exit", resolve));
  let browser;
  const kill = async () => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid, "SIGKILL");
    await ended;
    // The next one must not find files that processes of this one still hold.
    const isThere = () => {
      try {
        return process.kill(-child.pid, 0);
      } catch {}
    };
    while (isThere()) await new Promise((resolve) => setTimeout(resolve, 5));
    await browser?.close().catch(() => {});
  };
  if (url) {
    child.stderr.resume();
    return { kill, folder };
  }
  const lines = createInterface(child.stderr);
  const address = await new Promise((resolve) =>
    lines.on("line", (line) => {
      const found = line.match(/DevTools listening on (ws:\S+)/);
      if (found) resolve(found[1]);
    }),
  );
  browser = await chromium.connectOverCDP(address);
  const context = browser.contexts()[0];
  return { browser, context, page: context.pages()[0], kill };
}

/**
 * Waits until exactly these events are at the platform and nothing is on its way any more, then
 * checks that none was lost, doubled or sent twice; `views` is the number of page views.
 * With `repeats` a body may have been sent again, as after a crash; the platform took it once.
 */
export async function once(stack, expected, { views, within = 40_000, repeats = false } = {}) {
  const read = async () => {
    const requests = await stack.json("/requests?limit=100000");
    const bodies = (...verdicts) =>
      requests.filter(({ verdict }) => verdicts.includes(verdict)).map(({ body }) => body);
    const events = bodies("accepted").map((body) => JSON.parse(body));
    const named = (name) => events.filter(({ GeneralInfo }) => GeneralInfo.eventName == name);
    const refused = requests.filter(({ verdict }) => verdict == "refused");
    return {
      keys: named("ProductPage").map(({ ProductPage }) => ProductPage.Product.productKey).sort(),
      views: named("PageView").length,
      refused: refused.map(({ body, error }) => [body, error]),
      bodies: repeats ? bodies("accepted") : bodies("accepted", "duplicate"),
    };
  };
  const waiting = async () => {
    const health = await (await fetch(stack.kit + "/k/health")).json();
    return health.sites.main.outbox.reduce((sum, { pending }) => sum + pending, 0);
  };
  const end = Date.now() + within;
  let found = await read();
  const complete = () => found.keys.length >= expected.length && found.views >= (views ?? 0);
  while (Date.now() < end && !(complete() && (await waiting()) == 0)) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    found = await read();
  }
  // One too many would come now.
  await new Promise((resolve) => setTimeout(resolve, 700));
  found = await read();
  expect(found.refused, "refused by the platform").toEqual([]);
  expect(found.keys, "events at the platform").toEqual([...expected].sort());
  if (views !== undefined) expect(found.views, "page views at the platform").toBe(views);
  expect(found.bodies.length - new Set(found.bodies).size, "bodies sent twice").toBe(0);
}

/** Batches with this text in them, in the order of arrival. */
export const carrying = (front, text) => front.batches().filter(({ entry }) => entry.body.includes(text));

/** What a page's stores still hold of records. */
export const kept = (page) =>
  page.evaluate(async () => {
    // Under the bare prefix is the web id.
    const journal = Object.keys(localStorage).filter((key) => /^es:./.test(key)).length;
    const stored = await new Promise((resolve) => {
      const request = indexedDB.open("es", 1);
      request.onupgradeneeded = () => request.result.createObjectStore("records");
      request.onsuccess = () => {
        const count = request.result.transaction("records").objectStore("records").count();
        count.onsuccess = () => resolve(count.result) || request.result.close();
      };
    });
    return journal + stored;
  });

/** Checks that the page keeps nothing that was delivered. */
export const forgotten = (page) =>
  expect.poll(() => kept(page), { message: "records left on the page" }).toBe(0);

/** Waits until the tracker delivers; returns the keys of the events that it took to see it. */
export async function tracked(page, front, prefix = "warm") {
  for (let round = 0; ; round++) {
    const name = prefix + round;
    await page.evaluate((name) => send(name, 1), name);
    let batch;
    await expect
      .poll(() => (batch = front.batches().find(({ entry }) => entry.body.includes(`${name}-0`))))
      .toBeTruthy();
    await expect.poll(() => batch.entry.status).toBe(202);
    if (batch.entry.via == "tracker")
      return Array.from({ length: round + 1 }, (_, i) => `${prefix}${i}-0`);
    expect(round, "rounds without the tracker").toBeLessThan(20);
  }
}

/**
 * Leaves what the store holds to the tracker: on a slow machine the loader would take it for one that never
 * comes, and send what is there itself.
 */
export const leaveToTracker = (page) =>
  page.addInitScript(() => {
    const { setTimeout } = window;
    window.setTimeout = (act, wait, ...rest) =>
      wait == 5000 ? 0 : setTimeout.call(window, act, wait, ...rest);
  });

/** Runs `act` in the page in a task of its own, which may end the page. */
export const start = (page, act, argument) =>
  page.evaluate(`void setTimeout(() => (${act})(${JSON.stringify(argument)}))`);

/** Calls `count` events and leaves for another site in the same task. */
export const leave = (page, front, prefix, count, size = 0) =>
  start(
    page,
    ({ prefix, count, size, to }) => {
      send(prefix, count, size);
      location.href = to;
    },
    { prefix, count, size, to: front.elsewhere },
  ).then(() => page.waitForURL(front.elsewhere));
