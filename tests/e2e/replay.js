// Examples of what shops send, each fed to a kit of its own: calls and data through a page, bodies
// through the address for shops' servers. `cargo xtask replay` runs this file; the tests import it.
import { chromium } from "@playwright/test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { browserArguments, executablePath } from "./kit.js";
import { reading } from "./reading.js";
import { callRest } from "./rest-case.js";
import { Stack } from "./stack.js";

/** How long is waited for an outcome, in milliseconds. */
const PATIENCE = 30_000;

/** Headers that hold a secret or a visitor's cookies. */
const SECRET = /^(proxy-)?authorization$|^cookie$|^x-api-key$/i;

const page = (data) => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Shop</title><link rel="icon" href="data:,">
<script src="/k/kit.js" data-page-view="off" ${data}></script></head><body></body></html>
`;

/** Makes the folder of a shop whose pages do nothing by themselves. */
export function makeShop() {
  const shop = mkdtempSync(join(tmpdir(), "kit-shop-"));
  writeFileSync(join(shop, "index.html"), page(""));
  writeFileSync(join(shop, "bare.html"), page('data-init="off"'));
  return shop;
}

/** The cases of a file. */
export function readCases(text) {
  const cases = parse(text.replace(/^\ufeff/, ""));
  if (!Array.isArray(cases)) throw new TypeError("the file holds no list of cases");
  return cases;
}

/** What JSON holds; numbers keep their own digits, so that 450.00 does not leave as 450. */
function parse(text) {
  const exact = (_, value, { source }) =>
    typeof value == "number" && JSON.stringify(value) != source ? JSON.rawJSON(source) : value;
  try {
    return JSON.parse(text, JSON.rawJSON && exact);
  } catch {
    // A reader that looks at each member goes less deep than one that does not.
    return JSON.parse(text);
  }
}

/**
 * Feeds a case to a fresh kit and says what became of it. `path` chooses who carries a page's
 * event: "tracker", "raw" for the loader alone, or whoever is first. A `shared` stack serves many
 * cases of pages at once: each is another visitor, and all that is kept is kept by visitor.
 */
export async function replay(example, { browser, shop, path, shared }) {
  const { id } = Object(example);
  let own;
  const work = async () => {
    if (Object(example).kind == "rest-call") {
      own = await start({ shop });
      const received = async () => (await arrived(own)).filter(({ path }) => path != "/api/v2");
      const outcome = await callRest(example, { stack: own, parse, received });
      return { ...outcome, requests: await received() };
    }
    const read = reading(example);
    if (read.refused) return { verdict: "refused", ...read.refused, warnings: [], requests: [] };
    // What the site must recommend to answer the case.
    const [, wish] = read.calls?.find(([name]) => name == "getRecommendations") ?? [];
    const { variantId } = Object(wish);
    if (VARIANT.test(variantId)) {
      own = await start({ shop, ...recommending(read.siteId, variantId) });
      // A first call that makes no record is nobody's yet, and nobody has recommendations of their own.
      const known = { name: "sc", value: crypto.randomUUID().toUpperCase(), url: own.shop };
      const outcome = await call(read.calls, { stack: own, browser, path, cookies: [known] });
      return { ...outcome, requests: await settle(own) };
    }
    if (read.calls && shared) {
      const outcome = await call(read.calls, { stack: shared, browser, path });
      return { ...outcome, requests: await settle(shared, outcome.webId) };
    }
    own = await start({ shop, site: { site_id: read.siteId } });
    const outcome = read.calls
      ? await call(read.calls, { stack: own, browser, path })
      : await post(read.body, own);
    return { ...outcome, requests: await settle(own) };
  };
  try {
    return { id, ...(await within(work(), 3 * PATIENCE)) };
  } catch (error) {
    return { id, verdict: "unknown", message: String(error), warnings: [], requests: [] };
  } finally {
    await own?.stop().catch(() => {});
  }
}

/** A variant as the platform names them. */
const VARIANT = /^r\d+v\d+$/;

/** Settings of a site with a variant of the stand-in's. */
const recommending = (site_id, variant) => ({
  site: {
    site_id,
    recommendations: {
      // An example is about what is answered, not about how soon.
      budget: 5000,
      out_of_stock: "show",
      blocks: { [variant]: { source: "contact", data_source: 1244, fallback: "none" } },
    },
  },
  secrets: { KIT_SIGNING_KEY: "signing-key-of-the-replay" },
});

let starting = Promise.resolve();

/** Stacks start one after the other: each takes a port that was free a moment before. */
function start(options) {
  const started = starting.then(() => Stack.start(options));
  starting = started.catch(() => {});
  return started;
}

function within(work, time) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no outcome within ${time} ms`)), time);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** Makes the calls on a page; the last one's outcome is the case's. */
async function call(calls, { stack, browser, path, cookies: own = [] }) {
  const context = await browser.newContext();
  try {
    await context.addCookies(own);
    const page = await context.newPage();
    if (path == "raw")
      await page.addInitScript(() => {
        delete window.WebAssembly;
        delete window.Worker;
      });
    if (path == "tracker") await page.addInitScript(watchTracker);
    const carriers = new Set();
    page.on("request", (request) => {
      if (!request.url().endsWith("/k/b")) return;
      // A worker's requests name its script as their referrer.
      carriers.add((request.headers().referer || "").includes("/k/a/") ? "tracker" : "raw");
    });
    // An `init` of the case must be the page's first.
    const bare = calls.some(([name]) => name == "init");
    await page.goto(stack.shop + (bare ? "/bare.html" : "/"));
    if (path == "tracker") await page.evaluate(() => tracker);
    let outcome;
    for (const call of calls) {
      outcome = await within(page.evaluate(feed, JSON.stringify(call)), PATIENCE);
    }
    const cookies = await context.cookies();
    // A call that makes no record gives the browser no id.
    const webId = cookies.find(({ name }) => name == "sc")?.value ?? "";
    return path ? { ...outcome, webId, carriers: [...carriers] } : outcome;
  } finally {
    await context.close();
  }
}

/** Runs in the page before the kit: `tracker` is settled once the tracker listens. */
function watchTracker() {
  window.tracker = new Promise((resolve) => {
    const Original = Worker;
    window.Worker = class extends Original {
      constructor(...rest) {
        super(...rest);
        this.addEventListener("message", ({ data }) => data[0][0] == "ready" && resolve());
      }
    };
  });
}

/** Runs in the page: makes the call that the text holds and waits for its verdict. */
async function feed(text) {
  const revive = (value) => {
    if (typeof value == "string" && /^<fn\b.*>$/s.test(value)) return () => Promise.resolve("");
    if (Array.isArray(value)) return value.map(revive);
    if (typeof value != "object") return value;
    // In place, so that a member called __proto__ stays a member.
    for (const name in value) {
      const { value: member } = Object.getOwnPropertyDescriptor(value, name);
      Object.defineProperty(value, name, { value: revive(member), enumerable: true });
    }
    return value;
  };
  const call = revive(JSON.parse(text));
  const problem = ({ code, field = "", message = "" }) => ({ code, field: String(field), message });
  let hear = () => {};
  await new Promise((listens) => {
    eS("on", "*", (event) => {
      hear(event);
      listens();
    });
  });
  return new Promise((resolve) => {
    const warnings = [];
    let id;
    hear = (event) => {
      if (event.type == "warning") warnings.push(problem(event));
      if (event.type == "queued") id ??= event.id;
      if (!/^(accepted|duplicate|refused)$/.test(event.type) || (id && id != event.id)) return;
      const reason = event.code ? problem(event) : {};
      warnings.push(...(event.warnings ?? []).map(problem));
      resolve({ verdict: event.type, ...reason, warnings });
    };
    if (call[0] == "getRecommendations") {
      const answered = (error, answer) => error || resolve({ verdict: "accepted", warnings, answer });
      call.splice(2, 1, answered);
    }
    eS(...call);
    // These make no record; whether anybody knows another command, the loader has to look up.
    const quiet = /^(init|consent|forget|on|debug)$/.test(call[0]);
    if (!id && quiet) resolve({ verdict: "accepted", warnings });
  });
}

/** Posts a body as the shop's server does. */
async function post(body, stack) {
  const answer = await fetch(stack.shop + "/k/v2", {
    method: "POST",
    headers: { "content-type": "application/json", authorization: "Bearer " + stack.server_token },
    body,
    signal: AbortSignal.timeout(PATIENCE),
  });
  const { results, error } = await answer.json();
  if (answer.status >= 500) throw new Error(`the Worker answers ${answer.status}`);
  const { id: _, warnings = [], ...outcome } = results?.[0] ?? { verdict: "refused", ...error };
  return { ...outcome, warnings };
}

/** Waits until nothing is on its way any more; returns what the platform has received of all, or
 *  of one visitor. */
async function settle(stack, webId) {
  const end = Date.now() + PATIENCE;
  const waiting = async () => {
    const health = await (await fetch(stack.kit + "/k/health")).json();
    const outboxes = Object.values(health.sites).flatMap(({ outbox }) => outbox);
    return outboxes.reduce((sum, { pending }) => sum + pending, 0);
  };
  while ((await waiting()) > 0) {
    if (Date.now() > end) throw new Error(`the event has not reached the platform`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return arrived(stack, webId);
}

/** What the platform has received of all, or of one visitor. */
async function arrived(stack, webId) {
  const received = await stack.json("/requests");
  return received
    .filter(({ sc }) => webId === undefined || sc === webId)
    .map(({ method, path, headers, body, status }) => ({
      method,
      path,
      headers: Object.fromEntries(headers.filter(([name]) => !SECRET.test(name))),
      body: asRead(body),
      status,
    }));
}

/** JSON as what it holds; anything else as its text. */
function asRead(body) {
  try {
    return parse(body);
  } catch {
    return body;
  }
}

/** The line of a case, for people. */
function readable(line) {
  const { id, verdict, code, field, message, warnings, requests } = line;
  const problem = ({ code, field, message }) =>
    [code, field && `at ${field}`, message && `(${message})`].filter(Boolean).join(" ");
  const reason = problem({ code, field, message });
  const lines = [`${id}: ${verdict}${reason && ": " + reason}`];
  for (const warning of warnings) lines.push(`  warning: ${problem(warning)}`);
  for (const { method, path, headers, body, status } of requests) {
    lines.push(`  ${method} ${path} -> ${status}`);
    for (const [name, value] of Object.entries(headers)) lines.push(`    ${name}: ${value}`);
    const text = typeof body == "string" ? body : JSON.stringify(body, null, 2);
    lines.push("", ...text.split("\n").map((line) => "    " + line));
  }
  const change = ({ at, from, to }) => `${at}: ${JSON.stringify(from)} -> ${JSON.stringify(to)}`;
  for (const [name, list = []] of [
    ["sent otherwise", line.changed],
    ["answered otherwise", line.answer_changed],
  ])
    for (const entry of list) lines.push(`  ${name}: ${change(entry)}`);
  for (const name of ["data", "answer"])
    if (line[name] !== undefined) lines.push(`  ${name}: ${JSON.stringify(line[name])}`);
  return lines.join("\n") + "\n";
}

/** Runs the cases two at a time; lines come in the order of the file. */
async function main([file, form]) {
  let cases;
  try {
    cases = readCases(readFileSync(file, "utf8"));
  } catch (error) {
    console.error(`${file}: ${error.message}`);
    return 2;
  }
  const shop = makeShop();
  const browser = await chromium.launch({ executablePath, args: browserArguments });
  const lines = [];
  let next = 0;
  let printed = 0;
  let unknown = 0;
  const work = async () => {
    while (next < cases.length) {
      const index = next++;
      const line = await replay(cases[index], { browser, shop });
      line.id ??= String(index);
      unknown += line.verdict == "unknown";
      lines[index] = form == "json" ? JSON.stringify(line) : readable(line);
      for (; lines[printed]; printed++) console.log(lines[printed]);
    }
  };
  try {
    await Promise.all([work(), work()]);
  } finally {
    await browser.close();
    rmSync(shop, { recursive: true, force: true });
  }
  return unknown ? 1 : 0;
}

if (process.argv[1] == fileURLToPath(import.meta.url)) {
  process.exitCode = await main(process.argv.slice(2));
}
