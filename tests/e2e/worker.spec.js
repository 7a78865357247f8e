// The Worker by itself: who may call, what is taken, what is refused and how, and what it never
// shows.
import { readdirSync, readFileSync, statSync } from "node:fs";
import http from "node:http";
import { join } from "node:path";
import { expect, test } from "@playwright/test";
import { Stack } from "./stack.js";

let stack;
test.describe.configure({ mode: "serial" });
test.beforeAll(async () => {
  stack = await Stack.start();
});
test.afterAll(() => stack.stop());

let sequence = 0;
const id = (time = Date.now()) => {
  const hex = time.toString(16).padStart(12, "0");
  const tail = (sequence++).toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-${tail}`;
};

const record = (call, more = {}) => ({
  v: 1,
  id: id(),
  at: Date.now(),
  call,
  page: { url: "https://shop.example/" },
  sc: "WEB-" + sequence,
  consent: ["tracking"],
  ...more,
});

const product = (key = "P-1") => ["sendEvent", "ProductPage", { ProductPage: { productKey: key } }];

const batch = (records, more = {}) =>
  JSON.stringify({ v: 1, site: "main", sentAt: Date.now(), records, ...more });

/** A request as any client can make it, headers that browsers forbid included. */
const call = (path, { method = "POST", headers = {}, body = "", address = stack.shop } = {}) =>
  new Promise((resolve, reject) => {
    const url = new URL(address + path);
    const request = http.request(
      { host: url.hostname, port: url.port, path, method, headers: { origin: stack.shop, ...headers } },
      async (response) => {
        const parts = [];
        for await (const part of response) parts.push(part);
        const text = Buffer.concat(parts).toString();
        let json;
        try {
          json = JSON.parse(text);
        } catch {
          // Not every answer is JSON.
        }
        resolve({ status: response.statusCode, headers: response.headers, text, json });
      },
    );
    request.once("error", reject);
    request.end(body);
  });

const send = (records, more) => call("/k/b", { body: batch(records, more) });

test("a batch gets a verdict per event, and 202", async () => {
  const good = record(product());
  const answer = await send([good, record(["sendEvent", "ProductPage", {}]), good]);
  expect(answer.status).toBe(202);
  const [first, second, third] = answer.json.results;
  expect(first).toEqual({ id: good.id, verdict: "accepted" });
  expect(second).toMatchObject({ verdict: "refused", code: "missing_field", field: "ProductPage" });
  expect(second.message).not.toBe("");
  expect(third).toMatchObject({ id: good.id, verdict: "duplicate", code: "known_message" });
  const again = await send([good]);
  expect(again.json.results[0].verdict).toBe("duplicate");
  expect((await stack.arrived(1)).length).toBe(1);
});

test("events without consent to tracking are refused", async () => {
  for (const consent of [undefined, [], ["forms"], "tracking", { tracking: true }]) {
    const answer = await send([record(product(), { consent })]);
    expect(answer.json.results[0]).toMatchObject({ verdict: "refused", code: "consent_missing" });
    expect(answer.headers["set-cookie"]).toBeUndefined();
  }
});

test("the web id becomes a first-party cookie that scripts can read", async () => {
  const answer = await send([record(product(), { sc: "COOKIE-1" })]);
  expect(answer.headers["set-cookie"]).toEqual([
    "sc=COOKIE-1; Path=/; Max-Age=34560000; SameSite=Lax",
  ]);
  // Whose leftovers a page sends, it is not: what it sends next would be another visitor's.
  const left = [record(product(), { sc: "COOKIE-2" }), record(product(), { sc: "COOKIE-3" })];
  expect((await send(left, { sc: "COOKIE-4" })).headers["set-cookie"]).toEqual([
    "sc=COOKIE-4; Path=/; Max-Age=34560000; SameSite=Lax",
  ]);
});

test("pages of other origins are refused, look-alikes included", async () => {
  const { host } = new URL(stack.shop);
  for (const origin of [
    undefined,
    "null",
    "",
    "https://evil.example",
    `http://${host}.evil.example`,
    `http://evil${host}`,
    `http://${host}@evil.example`,
    `http://evil.example/${host}`,
    `ftp://${host}`,
    `${stack.shop} https://evil.example`,
  ]) {
    const headers = origin === undefined ? { origin: [] } : { origin };
    for (const path of ["/k/b", "/k/q", "/k/f"]) {
      const answer = await call(path, { headers, body: batch([record(product())]) });
      expect(answer.status, `${origin} at ${path}`).toBe(403);
      expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
    }
  }
});

test("an answer may be read by the very origin that called, and no other", async () => {
  const { headers } = await send([record(product())]);
  expect(headers["access-control-allow-origin"]).toBe(stack.shop);
  expect(headers["access-control-allow-credentials"]).toBe("true");
  expect(headers.vary).toContain("origin");
});

test("bodies that cannot be read are refused with a code, and nothing is stored", async () => {
  const before = (await (await fetch(stack.shop + "/k/health")).json()).sites.main.outbox[0];
  for (const body of [
    "",
    "null",
    "[]",
    "{}",
    '{"v":1}',
    "[".repeat(60_000),
    batch([]).slice(0, -2),
    batch([]) + "x",
    "\ufeff" + batch([]),
    '{"v":-1,"sentAt":1,"records":[]}',
    '{"v":1,"sentAt":"x","records":[]}',
    '{"v":1,"sentAt":1,"records":{}}',
  ]) {
    const answer = await call("/k/b", { body });
    expect(answer.status, body.slice(0, 40)).toBe(400);
    expect(answer.json.error.code).toBe("invalid_body");
  }
  const invalid = Buffer.concat([Buffer.from('{"v":1,"x":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]);
  expect((await call("/k/b", { body: invalid })).status).toBe(400);
  const after = (await (await fetch(stack.shop + "/k/health")).json()).sites.main.outbox[0];
  expect(after.since_start.accepted).toBe(before.since_start.accepted);
});

test("a record that cannot be read does not cost its neighbours", async () => {
  const wrong = [
    null,
    7,
    "text",
    [],
    {},
    record(product(), { id: "no-uuid" }),
    record(product(), { at: "soon" }),
    record(product(), { sc: "with space" }),
    record(product(), { sc: "" }),
    record([]),
    record("sendEvent"),
    record([{}, 1]),
  ];
  const good = record(product("NEIGHBOUR"));
  const answer = await send([...wrong, good]);
  expect(answer.status).toBe(202);
  const verdicts = answer.json.results.map(({ verdict }) => verdict);
  expect(verdicts).toEqual([...wrong.map(() => "refused"), "accepted"]);
});

test("half a surrogate pair does not cost the event", async () => {
  const text = batch([record(["sendEvent", "SearchRequest", { SearchRequest: { search: "cut \ud83d" } }])]);
  const answer = await call("/k/b", { body: text });
  expect(answer.json.results[0].verdict).toBe("accepted");
});

test("limits hold at the limit and one beyond", async () => {
  const fill = (length) => {
    const one = record(["sendEvent", "SearchRequest", { SearchRequest: { search: "x" } }], { pad: "" });
    return { ...one, pad: "p".repeat(length - JSON.stringify(one).length) };
  };
  const [at, beyond] = (await send([fill(32_768), fill(32_769)].slice(0, 1))).json.results;
  expect(at.verdict).toBe("accepted");
  expect(beyond).toBeUndefined();
  expect((await send([fill(32_769)])).json.results[0]).toMatchObject({ verdict: "refused", code: "too_long" });

  const many = (count) => Array.from({ length: count }, () => record(["reset"], { page: {} }));
  expect((await send(many(100))).status).toBe(202);
  expect((await send(many(101))).status).toBe(413);

  const long = (length) => batch([]).padEnd(length);
  expect((await call("/k/b", { body: long(65_536) })).status).toBe(202);
  expect((await call("/k/b", { body: long(65_537) })).status).toBe(413);
  const chunked = { "transfer-encoding": "chunked" };
  expect((await call("/k/b", { body: long(65_536), headers: chunked })).status).toBe(202);
  expect((await call("/k/b", { body: long(70_000), headers: chunked })).status).toBe(413);
  expect((await call("/k/b", { body: "x", headers: { "content-encoding": "gzip" } })).status).toBe(415);
});

test("a batch of a newer version stays on the page", async () => {
  const answer = await send([record(product())], { v: 2 });
  expect(answer.status).toBe(503);
  expect(answer.headers["retry-after"]).toBe("2");
});

test("a batch for another site is refused", async () => {
  expect((await send([record(product())], { site: "other" })).json.error.code).toBe("unknown_site");
});

test("addresses and methods that do not exist say so", async () => {
  for (const path of ["/k/", "/k/x", "/k/b/", "/k/../k/b", "/k/%62", "/k/a/none.js", "/k//b", "/k/other/kit.js"])
    expect([404, 405], path).toContain((await call(path, { method: "GET" })).status);
  expect((await call("/k/b", { method: "GET" })).headers.allow).toBe("POST");
  for (const method of ["PUT", "DELETE", "PATCH", "TRACE"]) {
    expect((await call("/k/b", { method })).status, method).toBeGreaterThanOrEqual(400);
    expect((await call("/k/kit.js", { method })).status, method).toBeGreaterThanOrEqual(400);
  }
});

test("the loader is short-lived at its stable address and pinned at its hashed one", async () => {
  const stable = await call("/k/kit.js", { method: "GET" });
  expect(stable.headers["cache-control"]).toBe("public, max-age=300");
  expect(stable.headers["content-type"]).toBe("text/javascript; charset=utf-8");
  const { loader, integrity } = (await call("/k/health", { method: "GET" })).json.sites.main;
  const pinned = await call(loader, { method: "GET" });
  expect(pinned.text).toBe(stable.text);
  expect(pinned.headers["cache-control"]).toContain("immutable");
  const digest = await crypto.subtle.digest("SHA-384", new TextEncoder().encode(pinned.text));
  expect(integrity).toBe("sha384-" + Buffer.from(digest).toString("base64"));
  expect(stable.text).not.toContain("8A412DC");
});

test("a server's event needs the token, and its id makes it once", async () => {
  const body = JSON.stringify({
    GeneralInfo: {
      eventName: "PurchasedItems",
      siteId: "8A412DC",
      datetime: Date.now() - 60_000,
      cookies: { sc: "SERVER-1" },
    },
    PurchasedItems: { OrderNumber: "S-1", Products: [{ product_id: "1", unit_price: "5", quantity: 1 }] },
  });
  const authorization = "Bearer " + stack.server_token;
  for (const headers of [{}, { authorization: "Bearer " }, { authorization: authorization + "x" }])
    expect((await call("/k/v2", { body, headers })).status).toBe(401);
  const key = id();
  const headers = { authorization, "idempotency-key": key };
  const first = await call("/k/v2", { body, headers });
  expect([first.status, first.json.results[0].verdict]).toEqual([202, "accepted"]);
  expect((await call("/k/v2", { body, headers })).json.results[0]).toMatchObject({
    id: key,
    verdict: "duplicate",
  });
  // The same order under another id is the same order.
  expect((await call("/k/v2", { body, headers: { authorization } })).json.results[0]).toMatchObject({
    verdict: "duplicate",
    code: "order_known",
  });
  const foreign = body.replace("8A412DC", "0000000");
  const refused = await call("/k/v2", { body: foreign, headers: { authorization } });
  expect([refused.status, refused.json.error.code]).toEqual([422, "unknown_site"]);
});

test("what the platform refuses for good is kept with its reason and can be sent again", async () => {
  await stack.faults({ status: 400, body: "not today", match: { event: "NotFound" } });
  const dead = record(["sendEvent", "NotFound"], { sc: "DEAD-1" });
  const next = record(product("AFTER-DEAD"), { sc: "DEAD-1" });
  await send([dead, next]);
  const headers = { authorization: "Bearer " + stack.server_token };
  let listed;
  await expect
    .poll(async () => {
      listed = (await call("/k/dead", { method: "GET", headers })).json["main/g1/0"].dead;
      return listed.length;
    })
    .toBe(1);
  expect(listed[0]).toMatchObject({ id: dead.id, status: 400, reason: "not today" });
  expect(listed[0].body.GeneralInfo.eventName).toBe("NotFound");
  // One that is refused does not block the next.
  const asked = JSON.stringify({ sc: "DEAD-1", ids: [dead.id, next.id] });
  await expect.poll(async () => (await call("/k/q", { body: asked })).json.results).toEqual([
    { id: dead.id, message: "not today", state: "dead" },
    { id: next.id, state: "delivered" },
  ]);
  expect((await call("/k/dead", { method: "GET" })).status).toBe(401);
  expect((await call("/k/replay", {})).status).toBe(401);
  await stack.faults();
  await call("/k/replay", { headers });
  await expect.poll(async () => (await stack.events("NotFound")).length).toBe(1);
  expect((await call("/k/dead", { method: "GET", headers })).json["main/g1/0"].dead).toEqual([]);
});

test("more dead events than a page holds are listed page by page and all sent again", async () => {
  const headers = { authorization: "Bearer " + stack.server_token };
  const object = "main/g1/0";
  const list = async (query = "") =>
    (await call("/k/dead?object=" + object + query, { method: "GET", headers })).json[object];
  await stack.faults({ status: 400, body: "no", match: { event: "StatusCartPage" } });
  for (let round = 0; round < 2; round++)
    await send(Array.from({ length: 65 }, (_, i) =>
      record(["sendEvent", "StatusCartPage"], { sc: `MANY-${round}-${i % 10}`, at: Date.now() - i })));
  await expect.poll(async () => (await list()).total).toBe(130);
  const first = await list();
  const second = await list("&after=" + first.after);
  expect([first.dead.length, second.dead.length, second.after]).toEqual([100, 30, undefined]);
  expect(new Set([...first.dead, ...second.dead].map(({ id }) => id)).size).toBe(130);
  expect((await call("/k/dead?object=other", { method: "GET", headers })).json).toEqual({});
  await stack.faults();
  const replayed = await call("/k/replay?object=" + object, { headers });
  expect(replayed.json[object]).toEqual({ replayed: 130, left: 0 });
  await expect.poll(async () => (await stack.events("StatusCartPage")).length).toBe(130);
});

test("a redirect of the platform is not followed", async () => {
  await stack.faults({ redirect: stack.proxied + "/stolen", count: 1 });
  await send([record(product("REDIRECTED"), { sc: "REDIRECT-1" })]);
  const names = async () =>
    (await stack.events("ProductPage")).map(({ body }) => body.ProductPage.Product.productKey);
  await expect.poll(names).toContain("REDIRECTED");
});

test("Duplicated request counts as delivered", async () => {
  await stack.faults({ status: 400, body: '{"message":"Duplicated request"}', count: 1 });
  const doubled = record(product("DOUBLED"), { sc: "DOUBLE-1" });
  await send([doubled]);
  const state = async () =>
    (await call("/k/q", { body: JSON.stringify({ sc: "DOUBLE-1", ids: [doubled.id] }) })).json.results[0].state;
  await expect.poll(state).toBe("delivered");
  await stack.faults();
});

test("times of a wrong clock are moved into the last seven days, with a warning", async () => {
  const now = Date.now();
  const day = 86_400_000;
  const wrong = [
    record(product("OLD"), { at: now - 30 * day, sc: "CLOCK-1" }),
    record(product("AHEAD"), { at: now + 30 * day, sc: "CLOCK-2" }),
  ];
  const answer = await send(wrong, { sentAt: now });
  const took = Date.now() - now;
  expect(answer.json.results[0]).toMatchObject({
    verdict: "accepted",
    warnings: [{ code: "time_clamped" }],
  });
  expect(answer.json.results[1].verdict).toBe("accepted");
  const times = async () =>
    Object.fromEntries(
      (await stack.events("ProductPage")).map(({ body }) => [
        body.ProductPage.Product.productKey,
        body.GeneralInfo.datetime,
      ]),
    );
  await expect.poll(async () => Object.keys(await times())).toEqual(expect.arrayContaining(["OLD", "AHEAD"]));
  const { OLD, AHEAD } = await times();
  expect(Math.abs(OLD - (now - 7 * day))).toBeLessThan(5000 + took);
  expect(Math.abs(AHEAD - now)).toBeLessThan(5000 + took);
});

test("the key is in no answer, no log and no file but the settings", async () => {
  const secrets = [stack.api_key, Buffer.from(":" + stack.api_key).toString("base64").slice(4, -4)];
  const clean = (what, text) => {
    for (const secret of secrets) expect(text.includes(secret), what).toBe(false);
  };
  for (const path of ["/k/health", "/k/kit.js", "/k/x", "/k/dead"]) {
    const { text, headers } = await call(path, { method: "GET" });
    clean(path, text + JSON.stringify(headers));
  }
  const files = (folder) =>
    readdirSync(folder).flatMap((name) => {
      const path = join(folder, name);
      return statSync(path).isDirectory() ? files(path) : [path];
    });
  const seen = files(stack.folder).filter((path) => !path.endsWith("config.capnp"));
  expect(seen.some((path) => path.endsWith("worker.log"))).toBe(true);
  expect(seen.some((path) => path.includes("objects"))).toBe(true);
  for (const path of seen) clean(path, readFileSync(path, "latin1"));
});
