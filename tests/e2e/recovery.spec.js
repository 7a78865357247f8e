// After a panic nothing of the WebAssembly can be relied on: the next request sets it up anew, and what
// comes after notices nothing.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@playwright/test";
import { Stack } from "./stack.js";

let stack;
test.describe.configure({ mode: "serial" });

// The Worker as it is, with a host that can be told to fail: what no host does is what the Worker's code
// does not expect.
const FAULTY = `import trap from "./trap.wasm";
const { url } = Object.getOwnPropertyDescriptors(Request.prototype);
Object.defineProperty(Request.prototype, "url", {
  ...url,
  get() {
    const address = url.get.call(this);
    if (address.endsWith("?trap")) new WebAssembly.Instance(trap).exports.trap();
    return address;
  },
});
const { setTimeout } = globalThis;
let fails = false;
globalThis.setTimeout = (...given) => {
  // Those that end a request which takes too long are none of Rust's.
  if (!fails || given[1] >= 5000) return setTimeout(...given);
  fails = false;
  throw new Error("no timer");
};
globalThis.breakTimer = () => (fails = true);
`;

const MAIN = `import "./faulty.js";
import worker from "./entry.js";
export * from "./entry.js";
export default {
  ...worker,
  fetch(request, env, ctx) {
    if (request.headers.has("break-timer")) breakTimer();
    return worker.fetch(request, env, ctx);
  },
};
`;

// (module (func (export "trap") unreachable))
const TRAP = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 8, 1, 4, 116, 114, 97, 112, 0, 0, 10,
  5, 1, 3, 0, 0, 11,
];

const MODULES = `
    (name = "main.js", esModule = embed "main.js"),
    (name = "faulty.js", esModule = embed "faulty.js"),
    (name = "trap.wasm", wasm = embed "trap.wasm"),
    (name = "entry.js"`;

test.beforeAll(async () => {
  stack = await Stack.start();
  await stack.order("kill-worker");
  const file = (name) => join(stack.folder, name);
  writeFileSync(file("main.js"), MAIN);
  writeFileSync(file("faulty.js"), FAULTY);
  writeFileSync(file("trap.wasm"), Buffer.from(TRAP));
  const text = readFileSync(file("config.capnp"), "utf8");
  writeFileSync(file("config.capnp"), text.replace(/\s*\(name = "entry.js"/, MODULES));
  await stack.order("start-worker");
});
test.afterAll(() => stack.stop());

const log = () => readFileSync(join(stack.folder, "worker.log"), "utf8");

let sequence = 0;
const send = async () => {
  const id = `0190b1c2-0000-7000-8000-${String(sequence++).padStart(12, "0")}`;
  const call = ["sendEvent", "ProductPage", { ProductPage: { productKey: "P-1" } }];
  const page = { url: "https://shop.example/" };
  const record = { v: 1, id, at: Date.now(), call, page, sc: "WEB-1", consent: ["tracking"] };
  const answer = await fetch(stack.shop + "/k/b", {
    method: "POST",
    headers: { origin: stack.shop },
    body: JSON.stringify({ v: 1, site: "main", sentAt: Date.now(), records: [record] }),
  });
  return answer.status;
};

/** Everything that requests do: events by way of an object, and calls. */
const isWell = async () => {
  expect((await fetch(stack.kit + "/k/health")).status).toBe(200);
  expect(await send()).toBe(202);
  expect((await stack.api("GET /v1/version")).status).toBe(200);
};

test("after a trap in the middle of a request, the next ones are served", async () => {
  await isWell();
  for (let round = 0; round < 3; round++) {
    const before = log().split("Reinitializing").length;
    const answer = await fetch(stack.kit + "/k/health?trap");
    expect(answer.status).toBe(500);
    await isWell();
    expect(log().split("Reinitializing").length).toBeGreaterThan(before);
  }
});

test("after a panic in the middle of a call, the next ones are served", async () => {
  // More at a time than the platform takes at once: the last of them wait, for which there is a timer.
  const search = () => stack.api("GET /v1/contacts?email=a%40shop.example");
  const calls = () => Promise.allSettled(Array.from({ length: 6 }, search));
  // An address that needs no timer itself.
  await fetch(stack.kit + "/k/kit.js", { headers: { "break-timer": "1" } });
  const broken = await calls();
  expect(broken.some(({ status }) => status == "rejected")).toBe(true);
  expect(log()).toContain("Rust panic");
  await isWell();
  const answers = await calls();
  expect(answers.map(({ value }) => value?.status)).toEqual(Array(6).fill(200));
});

test("after a trap while events are passed on, they are passed on", async () => {
  await stack.json("/requests", { method: "DELETE" });
  // The platform takes the event and its time, so that its answer is waited for.
  await stack.faults({ delay_ms: 5000, count: 1 });
  expect(await send()).toBe(202);
  const arrived = async () => (await stack.json("/requests")).length;
  await expect.poll(arrived).toBe(1);
  await fetch(stack.kit + "/k/health?trap");
  expect(await send()).toBe(202);
  const pending = async () => {
    const { sites } = await (await fetch(stack.kit + "/k/health")).json();
    return sites.main.outbox[0].pending;
  };
  await expect.poll(pending, { timeout: 40_000 }).toBe(0);
  expect((await stack.events()).length).toBe(2);
});
