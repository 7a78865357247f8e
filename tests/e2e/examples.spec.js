// Examples as shops send them, against bodies written by hand from the platform's documents: each
// of a page over the tracker and over the loader alone, each of a server through its own address.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { expect, test } from "@playwright/test";

import { reading } from "./reading.js";
import { makeShop, readCases, replay } from "./replay.js";
import { Stack } from "./stack.js";

const data = (name) => readFileSync(new URL("../data/" + name, import.meta.url), "utf8");
const expected = JSON.parse(data("expected.json"));
const examples = [
  ...readCases(data("site.json")).map((example) => ({ ...example, expect: expected[example.id] })),
  ...readCases(data("more.json")),
];

const WEEK = 7 * 24 * 60 * 60 * 1000;
const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

let shop;
let shared;
test.beforeAll(async () => {
  shop = makeShop();
  shared = await Stack.start({ shop });
});
test.afterAll(async () => {
  await shared.stop();
  rmSync(shop, { recursive: true });
});

/** The body with what differs from run to run replaced by its name, where it is what it must be. */
function named({ GeneralInfo, ...rest }, { webId }) {
  const near = (time) => Math.abs(GeneralInfo.datetime - time) < 60_000;
  if (near(Date.now())) GeneralInfo.datetime = "<now>";
  if (near(Date.now() - WEEK)) GeneralInfo.datetime = "<a week ago>";
  if (webId && GeneralInfo.cookies?.sc === webId) GeneralInfo.cookies.sc = "<web id>";
  return { GeneralInfo, ...rest };
}

for (const { id, note, expect: wanted, ...example } of examples) {
  test(`${id}: ${note}`, async ({ browser }) => {
    const paths = reading(example).calls ? ["tracker", "raw"] : [undefined];
    const feed = (path) => replay({ id, ...example }, { browser, shop, path, shared });
    const lines = await Promise.all(paths.map(feed));

    for (const [index, line] of lines.entries()) {
      const path = paths[index];
      const { verdict, code, requests } = line;
      const field = wanted.verdict == "refused" ? (wanted.field ?? "") : undefined;
      expect({ verdict, code, field: line.field }, line.message).toEqual({
        verdict: wanted.verdict,
        code: wanted.code,
        field,
      });
      if (wanted.warnings) {
        const codes = new Set(line.warnings.map(({ code }) => code));
        expect([...codes].sort()).toEqual([...wanted.warnings].sort());
      }
      if (wanted.asked) {
        const [{ method, path: address, status }] = requests;
        const { pathname, searchParams } = new URL(address, "http://platform");
        const { webId, ...query } = Object.fromEntries(searchParams);
        expect([requests.length, method, pathname, status]).toEqual([1, "GET", wanted.asked.path, 200]);
        expect(webId).toBeTruthy();
        expect(query).toEqual(wanted.asked.query);
        if (verdict == "refused") continue;
        expect(line.answer.length).toBeGreaterThan(0);
        for (const product of line.answer)
          expect(product).toEqual({
            product_id: expect.any(String),
            url: expect.stringContaining("sc_content=" + product.container_type),
            container_type: expect.stringMatching(/^\d+_r\d+v\d+$/),
          });
        continue;
      }
      if (!wanted.body) {
        expect(requests).toEqual([]);
        continue;
      }
      expect(requests).toHaveLength(1);
      const [{ method, path: address, headers, body, status }] = requests;
      expect([method, address, status]).toEqual(["POST", "/api/v2", 200]);
      expect(headers["content-type"]).toBe("application/json");
      expect(Object.keys(body)[0]).toBe("GeneralInfo");
      const made = body.StatusCart?.GUID;
      const guid = wanted.body.StatusCart?.GUID;
      if (guid == "<guid>" && GUID.test(made)) body.StatusCart.GUID = guid;
      expect(named(body, line)).toEqual(wanted.body);
      if (path) expect(line.carriers).toEqual([path]);
    }

    // What a shop reads about its call must not depend on who carried it either.
    const [first, second = first] = lines.map((line) => ({
      ...line,
      webId: undefined,
      carriers: undefined,
      // Another visitor's products.
      answer: undefined,
      requests: line.requests.map(({ body }) => Object.entries(body)),
    }));
    expect(second).toEqual(first);
  });
}

test("every example of the contract has its expectation", () => {
  const ids = readCases(data("site.json")).map(({ id }) => id);
  expect(Object.keys(expected).sort()).toEqual(ids.sort());
});

test("a case that fails says so and ends within its time", async ({ browser }) => {
  const context = { newContext: () => Promise.reject(new Error("no browser")) };
  const example = { id: "X", kind: "js-call", payload: { call: "eS", args: ["init"] } };
  const line = await replay(example, { browser: context, shop });
  expect(line).toMatchObject({ id: "X", verdict: "unknown", warnings: [], requests: [] });
  expect(line.message).toContain("no browser");
});

/** Runs the program on a file of this text. */
async function run(text, form) {
  const folder = mkdtempSync(join(tmpdir(), "kit-cases-"));
  const file = join(folder, "cases.json");
  writeFileSync(file, text);
  const program = fileURLToPath(new URL("replay.js", import.meta.url));
  const child = spawn(process.execPath, [program, file, form], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  let out = "";
  for await (const part of child.stdout.setEncoding("utf8")) out += part;
  const code = child.exitCode ?? (await new Promise((resolve) => child.once("exit", resolve)));
  rmSync(folder, { recursive: true });
  return { code, out };
}

test("the program prints a line for each entry of the file, in its order", async () => {
  const call = (...args) => ({ kind: "js-call", payload: { call: "eS", args } });
  const price = '{"GeneralInfo":{"eventName":"ProductPage","cookies":{"sc":"a"}},' +
    '"ProductPage":{"Product":{"productKey":"1","price":450.00}}}';
  const entries = [
    { id: "A", ...call("sendEvent", "MainPage") },
    { id: "B", ...call("sendEvent", "Nothing") },
    "text",
    null,
    [],
    { id: "E", kind: "js-call", payload: { call: "eS", args: [] } },
  ].map((entry) => JSON.stringify(entry));
  entries.push(`{"id":"F","kind":"rest-body","payload":${price}}`);
  const { code, out } = await run(`\ufeff[${entries}]`, "json");
  const lines = out.trim().split("\n").map((line) => JSON.parse(line));
  expect(lines.map(({ id }) => id)).toEqual(["A", "B", "2", "3", "4", "E", "F"]);
  const [a, b, text, none, list, e, f] = lines;
  expect([a.verdict, b.code, e.code]).toEqual(["accepted", "unknown_event", "unknown_command"]);
  for (const line of [text, none, list]) expect(line.code).toBe("not_an_input");
  const members = ["id", "verdict", "code", "field", "message", "warnings", "requests"];
  expect(Object.keys(b)).toEqual(members);
  expect(a.requests[0].headers).not.toHaveProperty("authorization");
  // What a server writes as 450.00 must not reach the platform as 450.
  if (JSON.rawJSON) expect(f.requests[0].body.ProductPage.Product.price).toBe("450.00");
  expect(code).toBe(0);
});

test("the program prints the same for people", async () => {
  const payload = { call: "eS", args: ["sendEvent", "MainPage"] };
  const example = { id: "A", kind: "js-call", payload };
  const { code, out } = await run(JSON.stringify([example]), "text");
  expect(out).toContain("A: accepted\n  POST /api/v2 -> 200\n");
  expect(out).toContain('      "eventName": "MainPage",\n');
  expect(code).toBe(0);
});

test("a file without a list of cases ends the program with code 2", async () => {
  const texts = ["{}", "[1,", ""];
  for (const text of texts) expect(await run(text, "json")).toEqual({ code: 2, out: "" });
});
