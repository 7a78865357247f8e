// Shards of the event outbox and what the tracker takes of all of them: together they stay under it,
// one alone has all of it, and what the platform asks of one all keep to.
import { readFileSync, writeFileSync } from "node:fs";
import http from "node:http";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { expect, test } from "@playwright/test";
import { Stack } from "./stack.js";

const LIMIT = 60;
const SHARDS = 4;

/** How late a request and its answer may be, each, in milliseconds. */
const JITTER = 150;

let stack, way;
// One after the other: what runs beside it makes requests late.
test.describe.configure({ mode: "default" });
test.beforeEach(async () => {
  way = await Way.start();
  stack = await Stack.start({
    outbox: { shards: SHARDS, tracker_per_second: LIMIT },
    site: { tracker: way.address },
  });
  way.platform = stack.platform;
  await stack.platformSettings({ rate_limit_per_s: LIMIT });
});
test.afterEach(async () => {
  await stack.stop();
  way.close();
});

/** The way to the tracker, on which some requests overtake others. */
class Way {
  jitter = 0;

  static async start() {
    const way = new Way();
    const agent = new http.Agent({ keepAlive: true });
    way.server = http.createServer(async (request, response) => {
      const parts = [];
      for await (const part of request) parts.push(part);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * way.jitter));
      const { method, headers } = request;
      const options = { agent, method, headers };
      const passed = http.request(way.platform + "/api/v2", options, (answer) => {
        response.writeHead(answer.statusCode, answer.headers);
        answer.pipe(response);
      });
      passed.once("error", () => response.destroy());
      passed.end(Buffer.concat(parts));
    });
    await new Promise((resolve) => way.server.listen(0, "127.0.0.1", resolve));
    way.address = `http://127.0.0.1:${way.server.address().port}/api/v2`;
    return way;
  }

  close() {
    this.server.closeAllConnections();
    this.server.close();
  }
}

/** The shard of a visitor, as the Worker chooses it. */
function shardOf(sc) {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from("main\0" + sc)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash % SHARDS;
}

let visitors = 0;
/** A new visitor of a shard. */
function visitor(shard) {
  for (;;) {
    const sc = "VISITOR-" + visitors++;
    if (shardOf(sc) == shard) return sc;
  }
}

let sequence = 0;
const record = (sc) => {
  const time = Date.now().toString(16).padStart(12, "0");
  const tail = (sequence++).toString(16).padStart(12, "0");
  return {
    v: 1,
    id: `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${tail}`,
    at: Date.now(),
    call: ["sendEvent", "ProductPage", { ProductPage: { productKey: "P-" + sequence } }],
    page: { url: "https://shop.example/" },
    sc,
    consent: ["tracking"],
  };
};

/** Stores two events of each of so many visitors of every one of these shards. */
async function fill(shards, count) {
  for (const shard of shards)
    for (let made = 0; made < count; made += 20) {
      const scs = Array.from({ length: 20 }, () => visitor(shard));
      const records = [...scs, ...scs].map(record);
      const body = JSON.stringify({ v: 1, site: "main", sentAt: Date.now(), records });
      const status = await new Promise((resolve, reject) => {
        const headers = { origin: stack.shop };
        const request = http.request(stack.shop + "/k/b", { method: "POST", headers }, (answer) =>
          answer.resume().once("end", () => resolve(answer.statusCode)),
        );
        request.once("error", reject).end(body);
      });
      expect(status).toBe(202);
    }
}

const requests = () => stack.json("/requests?limit=100000");

/** Waits until the platform has so many events, each once; returns all requests. */
async function all(count, within = 60_000) {
  const accepted = async () => (await requests()).filter(({ verdict }) => verdict == "accepted");
  await expect.poll(async () => (await accepted()).length, { timeout: within }).toBe(count);
  expect(new Set((await accepted()).map(({ body }) => body)).size).toBe(count);
  return requests();
}

/** A round with jitter on the way and at the platform, and how long this machine stood still. */
async function round(shards, count) {
  await stack.json("/requests", { method: "DELETE" });
  way.jitter = JITTER;
  await stack.faults([{ jitter_ms: JITTER }]);
  const stalls = monitorEventLoopDelay({ resolution: 5 });
  stalls.enable();
  await fill(shards, count);
  const made = await all(2 * count * shards.length);
  stalls.disable();
  const times = made.map(({ received }) => received).sort((a, b) => a - b);
  const stats = await stack.json("/stats");
  return {
    most: stats.max_per_second,
    limited: stats.verdicts.limited,
    rate: (made.length - 1) / ((times.at(-1) - times[0]) / 1000),
    stall: stalls.max / 1e6,
  };
}

/**
 * A machine that stands still makes requests later than what is injected, and fewer of them than there is room
 * for; that says nothing.
 */
async function calm(least, ...what) {
  let last = await round(...what);
  const isOff = () => last.limited > 0 || last.most <= least || last.rate <= LIMIT / SHARDS;
  for (let again = 0; again < 3 && isOff() && last.stall > 50; again++) last = await round(...what);
  return last;
}

test("with 150 ms of jitter no second at the tracker is over its limit, and most of it is used", async () => {
  test.setTimeout(240_000);
  const { most, limited, rate } = await calm(0.5 * LIMIT, [0, 1, 2, 3], 80);
  expect(limited, "events that the tracker had no room for").toBe(0);
  expect(most).toBeLessThanOrEqual(LIMIT);
  expect(most, "the fullest second").toBeGreaterThan(0.5 * LIMIT);
  expect(rate, "events a second").toBeGreaterThan(LIMIT / SHARDS);
});

test("a shard that is busy alone has more than its share, and no more than there is", async () => {
  test.setTimeout(240_000);
  const { most, limited, rate } = await calm((1.5 * LIMIT) / SHARDS, [2], 100);
  expect(limited).toBe(0);
  expect(most).toBeLessThanOrEqual(LIMIT);
  expect(most, "the fullest second").toBeGreaterThan((1.5 * LIMIT) / SHARDS);
  expect(rate, "events a second").toBeGreaterThan(LIMIT / SHARDS);
});

test("a wait that the tracker asks of one shard, all keep to", async () => {
  test.setTimeout(240_000);
  const ask = async () => {
    await stack.json("/requests", { method: "DELETE" });
    await fill([0, 1, 2, 3], 60);
    await expect.poll(async () => (await requests()).length).toBeGreaterThan(20);
    const stalls = monitorEventLoopDelay({ resolution: 5 });
    stalls.enable();
    await stack.faults([{ status: 429, retry_after: "4", count: 1 }]);
    const made = await all(480);
    stalls.disable();
    const { received: asked } = made.find(({ status }) => status == 429);
    // What the governor had given out before is used up within its lease.
    const quiet = made.filter(({ received }) => received > asked + 700 && received < asked + 3900);
    const after = made.filter(({ received }) => received >= asked + 3900);
    const early = quiet.map(({ received, sc }) => [received - asked, shardOf(sc)]);
    return { early, after, stall: stalls.max / 1e6 };
  };
  let last = await ask();
  // What a machine that stands still had under way comes later than within the lease; that says nothing.
  for (let again = 0; again < 3 && last.early.length > 0 && last.stall > 50; again++) last = await ask();
  const { early, after } = last;
  expect(early).toEqual([]);
  expect(new Set(after.map(({ sc }) => shardOf(sc))).size).toBe(SHARDS);
});

test("a tracker that is down is asked by one for all, and then everything arrives", async () => {
  test.setTimeout(120_000);
  await stack.faults([{ status: 503 }]);
  await fill([0, 1, 2, 3], 20);
  await new Promise((resolve) => setTimeout(resolve, 6000));
  const before = (await requests()).length;
  await new Promise((resolve) => setTimeout(resolve, 8000));
  expect((await requests()).length - before, "requests in eight seconds of an outage").toBeLessThan(6);
  await stack.faults();
  await all(160, 45_000);
});

test("without the governor each shard keeps to its share, and nothing is lost", async () => {
  test.setTimeout(120_000);
  await stack.order("kill-worker");
  const path = stack.folder + "/config.capnp";
  const bound = readFileSync(path, "utf8");
  writeFileSync(path, bound.replace(/^ *\(name = "GOVERNOR", durable.*\n/m, ""));
  await stack.order("start-worker");
  way.jitter = JITTER;
  await fill([0, 1], 40);
  const made = await all(160);
  const { max_per_second, verdicts } = await stack.json("/stats");
  expect(verdicts.limited).toBe(0);
  // Those of two shards of four.
  expect(max_per_second).toBeLessThanOrEqual(LIMIT / 2);
  expect(made).toHaveLength(160);
});
