// What the kit costs a page, measured in Chromium: `node page.js '{"runs":5,"sizes":{…}}'` prints
// JSON. The commands of the project call it; the sizes are those of the kit's files in Brotli.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";

import { chromium } from "@playwright/test";

import { browserArguments, executablePath } from "../e2e/kit.js";
import { Stack } from "../e2e/stack.js";
import { CATEGORIES, Trace } from "./trace.js";

/** What counts as the page's start, in milliseconds. */
const WINDOW = 3500;

/** How much slower than this machine the visitor's is. */
const SLOWER = 4;

/** Calls that are timed in a run, and the pause between two of them in milliseconds. */
const CALLS = 200;
const PAUSE = 25;

const { runs, sizes } = JSON.parse(process.argv[2]);

const shop = mkdtempSync(join(tmpdir(), "kit-bench-"));
cpSync(fileURLToPath(new URL("shop", import.meta.url)), shop, { recursive: true });
const plain = readFileSync(join(shop, "plain.html"), "utf8");
for (const [name, address] of [["kit", "/k/kit.js"], ["floor", "/floor.js"]]) {
  const tag = `<script src="${address}"></script>`;
  writeFileSync(join(shop, `${name}.html`), plain.replace("<!-- kit -->", tag));
}

const note = (text) => process.stderr.write(`    ${text}\n`);
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const isKit = (address) => /\/k\/|\/(calls|floor)\.js$/.test(address);

const sorted = (list) => [...list].sort((a, b) => a - b);
const quantile = (list, part) => sorted(list)[Math.floor(list.length * part)];
const median = (list) => {
  const [half, all] = [list.length >> 1, sorted(list)];
  return list.length % 2 ? all[half] : (all[half - 1] + all[half]) / 2;
};
const spread = (list) => ({
  median: median(list),
  min: Math.min(...list),
  max: Math.max(...list),
  runs: list.length,
});

/** Waits until the machine has little else to do, though not for long. */
async function quiet() {
  const read = () => {
    const all = cpus().map(({ times }) => times);
    const sum = (of) => all.reduce((total, times) => total + of(times), 0);
    const whole = (times) => Object.values(times).reduce((total, time) => total + time);
    return { idle: sum(({ idle }) => idle), whole: sum(whole) };
  };
  for (let left = 20; left > 0; left--) {
    const before = read();
    await pause(250);
    const after = read();
    if ((after.idle - before.idle) / (after.whole - before.whole) > 0.7) return;
  }
}

/** Opens a page in a browser that has seen nothing yet. */
async function fresh(browser, rate, use) {
  await quiet();
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    const session = await context.newCDPSession(page);
    await session.send("Emulation.setCPUThrottlingRate", { rate });
    return await use(page, session);
  } finally {
    await context.close();
  }
}

/** The trace of what happens while `use` opens `address` in the page. */
async function traced(browser, page, address, use) {
  await browser.startTracing(page, { categories: CATEGORIES });
  try {
    await use();
  } catch (error) {
    await browser.stopTracing();
    throw error;
  }
  return new Trace(await browser.stopTracing(), address);
}

/** The page's start with the kit, without, and with no more than its duties, each in turn. */
async function measureStart(browser, stack) {
  const load = (name) =>
    fresh(browser, SLOWER, async (page) => {
      const address = `${stack.shop}/${name}.html`;
      const trace = await traced(browser, page, address, async () => {
        await page.goto(address);
        await pause(WINDOW);
      });
      if (name == "kit") trace.request("/k/b");
      return trace.mainThread(WINDOW, isKit);
    });
  const pairs = [];
  for (let run = 0; run < runs; run++) {
    const [without, floor] = [await load("plain"), await load("floor")];
    pairs.push({ without, floor, with: await load("kit") });
  }
  const difference = (name, side = "with") =>
    spread(pairs.map((pair) => Math.max(0, pair[side][name] - pair.without[name])));
  const side = (side) => {
    const names = Object.keys(pairs[0][side]).filter((name) => name != "parts");
    return Object.fromEntries(
      names.map((name) => [name, spread(pairs.map((pair) => pair[side][name]))]),
    );
  };
  const parts = {};
  for (const { with: { parts: found } } of pairs)
    for (const name in found) parts[name] = (parts[name] ?? 0) + found[name] / runs;
  return {
    script: difference("kit_ms"),
    script_cpu: difference("kit_cpu_ms"),
    blocking: difference("kit_blocking_ms"),
    longest: difference("kit_longest_ms"),
    floor: difference("kit_ms", "floor"),
    with_kit: side("with"),
    without_kit: side("without"),
    script_by_kind_ms: parts,
  };
}

/** The time of single calls, spread over some seconds from the page's start on. */
async function measureCalls(browser, stack) {
  const address = `${stack.shop}/kit.html`;
  const all = [];
  for (let run = 0; run < runs; run++) {
    const before = await accepted(stack);
    const times = await fresh(browser, SLOWER, async (page, session) => {
      await isolate(session);
      await page.goto(address);
      if (!(await page.evaluate(() => crossOriginIsolated)))
        throw new Error("the page is not isolated, so its clock is too coarse");
      const times = await page.evaluate(timeCalls, { count: CALLS, pause: PAUSE });
      // The page's own view and call come along.
      await until(async () => (await accepted(stack)) >= before + CALLS + 2);
      return times;
    });
    all.push(times);
  }
  const of = (name, part) => spread(all.map((times) => quantile(times[name], part)));
  const both = (name) => ({ median: of(name, 0.5), p95: of(name, 0.95) });
  return { kit: both("kit"), journal: both("journal"), nothing: both("nothing"), calls: CALLS };
}

/** Runs in the page. Between two calls the page rests, as pages do. */
async function timeCalls({ count, pause }) {
  const nothing = () => {};
  const time = (use, call) => {
    const start = performance.now();
    use(...call);
    return performance.now() - start;
  };
  // The one thing that a durable call cannot do without.
  const journal = (text) => (localStorage.floor = text);
  const rest = () => new Promise((resolve) => setTimeout(resolve, pause));
  const times = { kit: [], journal: [], nothing: [] };
  for (let index = 1; index <= count; index++) {
    const call = callOf(index);
    const text = JSON.stringify([index, location.href, call]);
    await rest();
    times.nothing.push(time(nothing, call));
    times.kit.push(time(eS, call));
    await rest();
    times.journal.push(time(journal, [text]));
  }
  return times;
}

/** Serves documents with the headers that give them a fine clock; nothing else is touched. */
async function isolate(session) {
  const responseHeaders = [
    { name: "Content-Type", value: "text/html; charset=utf-8" },
    { name: "Cross-Origin-Opener-Policy", value: "same-origin" },
    { name: "Cross-Origin-Embedder-Policy", value: "require-corp" },
  ];
  session.on("Fetch.requestPaused", ({ requestId, request }) => {
    const body = readFileSync(join(shop, new URL(request.url).pathname)).toString("base64");
    session.send("Fetch.fulfillRequest", { requestId, responseCode: 200, responseHeaders, body });
  });
  await session.send("Fetch.enable", { patterns: [{ resourceType: "Document" }] });
}

/** From the start of the navigation to the first batch that leaves. */
async function measureFirstEvent(browser, stack, rate, warm) {
  const address = `${stack.shop}/kit.html`;
  const isBatch = (request) => new URL(request.url()).pathname == "/k/b";
  const open = async (page) => {
    const batch = page.waitForRequest(isBatch, { timeout: 20_000 });
    await page.goto(address);
    await (await batch).response();
  };
  const found = [];
  for (let run = 0; run < runs; run++) {
    await fresh(browser, rate, async (page) => {
      if (warm) {
        await open(page);
        await pause(1000);
        await page.goto(`${stack.shop}/plain.html`);
      }
      const trace = await traced(browser, page, address, () => open(page));
      found.push(trace.request("/k/b"));
    });
  }
  const by = (name) => found.filter(({ via }) => via == name).length;
  const via = { loader: by("loader"), tracker: by("tracker") };
  return { ms: spread(found.map(({ ms }) => ms)), via };
}

async function accepted(stack) {
  const { verdicts } = await stack.json("/stats");
  return verdicts.accepted;
}

async function until(holds) {
  const end = Date.now() + 60_000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error("the events of the page did not arrive");
    await pause(200);
  }
}

/** The site's loader as the edge sends it to a browser. */
async function loaderSize(stack) {
  const text = await (await fetch(`${stack.shop}/k/kit.js`)).text();
  return brotliCompressSync(text).length;
}

const stack = await Stack.start({ shop });
try {
  const browser = await chromium.launch({ executablePath, args: browserArguments });
  try {
    const loader = await loaderSize(stack);
    note("main thread");
    const start = await measureStart(browser, stack);
    note("single calls");
    const calls = await measureCalls(browser, stack);
    const first = {};
    for (const [name, rate, warm] of [
      ["cold", 1, false],
      ["warm", 1, true],
      ["cold_slowed", SLOWER, false],
      ["warm_slowed", SLOWER, true],
    ]) {
      note(`first event: ${name}`);
      first[name] = await measureFirstEvent(browser, stack, rate, warm);
    }
    const bytes = { loader, tracker: loader + sizes.tracker };
    const report = { browser: browser.version(), slower: SLOWER, start, calls, first, bytes };
    process.stdout.write(JSON.stringify(report));
  } finally {
    await browser.close();
  }
} finally {
  await stack.stop();
  rmSync(shop, { recursive: true, force: true });
}
