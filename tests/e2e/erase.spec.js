// A person is erased: from every store that the Worker has, and from the databases that they are kept in.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test as base } from "@playwright/test";
import { pageView, record as made, send as sendTo } from "./records.js";
import { Stack } from "./stack.js";

const ANN = "ann.erased@shop.example";
const PHONE = "+380501239876";
const BOB = "bob.stays@shop.example";

const form = {
  min_seconds: 0,
  pages: [{ fields: [{ kind: "email", required: true }] }],
  promo_code: { kind: "WELCOME", event: "welcomeCode" },
};

const test = base.extend({ cloud: [undefined, { option: true }] });

let stack;
test.beforeEach(async ({ cloud }) => {
  stack = await Stack.start({
    cloud,
    outbox: { shards: 2 },
    site: { forms: ["welcome"] },
    settings: { forms: { welcome: form } },
    secrets: { KIT_SIGNING_KEY: "signing-key-of-those-who-are-erased" },
  });
});
test.afterEach(() => stack.stop());

const record = (sc, data = {}, name = "PageView") =>
  name == "PageView" ? pageView(sc, data) : made(sc, "sendEvent", name, data);
const send = async (...records) => {
  const results = await sendTo(stack, ...records);
  expect(results.map(({ verdict }) => verdict)).toEqual(records.map(() => "accepted"));
};
const is = (user_email) => ({ GeneralInfo: { user_email } });

const server = async (path, body, method = "POST") => {
  const answer = await fetch(stack.kit + "/k/" + path, {
    method,
    headers: { authorization: "Bearer " + stack.server_token },
    body: body && JSON.stringify(body),
  });
  return { status: answer.status, ...(await answer.json()) };
};
const total = async () => {
  const { accepted, delivered, pending, dead, erased, balance } = (await server("ledger", undefined, "GET")).total;
  return { accepted, delivered, pending, dead, erased, balance };
};
const hand = async (kind, body) => expect((await server(kind, body)).status, kind).toBe(202);

const subscribe = async (email) => {
  const post = async (path, body) => {
    const headers = { origin: stack.shop, "cf-connecting-ip": "10.0.0.1" };
    const answer = await fetch(stack.shop + "/k/" + path, { method: "POST", headers, body: JSON.stringify(body) });
    return answer.json();
  };
  const { token } = await post("t", { call: "form:welcome" });
  expect(await post("forms/welcome", { token, data: { email } })).toMatchObject({ accepted: true });
};

const contact = (email) => ({
  channels: [{ type: "email", value: email }, { type: "sms", value: PHONE.slice(1) }],
});
const order = (email) => ({
  externalOrderId: "O-" + email,
  externalCustomerId: "C-" + email,
  email,
  totalCost: 1.5,
  status: "INITIALIZED",
  date: "2026-05-31T10:00:00Z",
  currency: "UAH",
});
const onServer = (email) => ({
  GeneralInfo: {
    eventName: "PurchasedItems",
    siteId: "8A412DC",
    datetime: Date.now(),
    user_email: email,
    cookies: { sc: "SERVER-" + email.slice(0, 3).toUpperCase() },
  },
  PurchasedItems: { OrderNumber: "N-" + email, Products: [{ product_id: "1", unit_price: "1", quantity: 1 }] },
});

let copies = 0;

/**
 * The databases that hold a text, each written anew: SQLite leaves copies of rows where it has moved them,
 * which go when something else is written there, and no object may hurry that.
 */
const found = (text) => {
  const root = join(stack.folder, "objects");
  const files = readdirSync(root, { recursive: true }).filter((file) => file.endsWith(".sqlite"));
  return files.filter((file) => {
    const copy = join(stack.folder, `copy-${copies++}.sqlite`);
    const db = new DatabaseSync(join(root, file));
    db.exec(`VACUUM INTO '${copy}'`);
    db.close();
    return readFileSync(copy).toString("latin1").toLowerCase().includes(text);
  });
};

test("what is held of a person is erased everywhere, and of others nothing is", async () => {
  // Both wait for a promo code, which there is none of.
  for (const email of [ANN, BOB]) await subscribe(email);
  await expect
    .poll(async () => (await (await fetch(stack.kit + "/k/health")).json()).promo.waiting)
    .toBe(2);
  // Both have an event that the platform refused, and others of them that wait.
  await stack.faults([{ match: { event: "ProductPage" }, refuse: true }]);
  const product = { ProductPage: { productKey: "1" } };
  await send(record("WEB-ANN", { ...product, ...is(ANN) }, "ProductPage"));
  await send(record("WEB-BOB", { ...product, ...is(BOB) }, "ProductPage"));
  await expect.poll(async () => (await total()).dead).toBe(2);
  await stack.faults([{ down: true }]);
  for (const email of [ANN, BOB]) {
    const sc = email == ANN ? "WEB-ANN" : "WEB-BOB";
    await send(record(sc), record(sc, is(email)), record("OTHER-" + sc, is(email)));
    await hand("v2", onServer(email));
    await hand("contacts", { contact: contact(email), dedupeOn: "email" });
    await hand("subscriptions", { contact: contact(email), formType: "site" });
    await hand("orders", { order: order(email) });
    const params = [{ name: "email", value: email }];
    await hand("events", { eventTypeKey: "callRequested", keyValue: email, params });
  }
  expect(await total()).toEqual({ accepted: 10, delivered: 0, pending: 8, dead: 2, erased: 0, balance: 0 });
  expect((await server("erase", { email: "a" })).status).toBe(400);
  expect((await server("erase", {})).status).toBe(400);

  const told = await server("erase", { email: ANN.toUpperCase(), phone: PHONE });
  expect(told).toEqual({
    status: 200,
    // The contact and the subscription of the other one have this phone number.
    erased: { events: 5, browsers: 3, handed_in: 6, promo_codes: 1 },
  });
  expect(await total()).toEqual({ accepted: 10, delivered: 0, pending: 4, dead: 1, erased: 5, balance: 0 });
  const { dead } = Object.values(await server("dead", undefined, "GET")).find((part) => part.dead?.length);
  expect(JSON.stringify(dead)).toContain(BOB);

  // Nothing of it reaches the platform any more, and the rest does.
  const before = (await stack.json("/requests?limit=100000")).length;
  await stack.faults();
  await expect
    .poll(total, { timeout: 40_000 })
    .toEqual({ accepted: 10, delivered: 4, pending: 0, dead: 1, erased: 5, balance: 0 });
  const later = () => stack.json("/requests?limit=100000").then((all) => JSON.stringify(all.slice(before)).toLowerCase());
  await expect.poll(later, { timeout: 60_000 }).toContain("o-" + BOB);
  expect(await later()).not.toContain(ANN);

  await stack.order("kill-worker");
  expect(found(BOB)).not.toEqual([]);
  expect(found(ANN)).toEqual([]);
});

test.describe("with a queue and a bucket", () => {
  test.use({ cloud: { queue: true, bucket: true, faults: true } });

  test("what could not be stored, and is on its way, is not taken when it comes back", async () => {
    const BROKEN = { do: "fail", path: "/ingest" };
    await stack.cloudSettings({ delay_ms: 50 });
    await stack.objectFaults(BROKEN);
    await stack.cloudFaults({ on: "deliver", do: "hold" });
    // In the queue: of a browser that is known by nothing else, and of a server.
    const views = [record("WEB-ANN", is(ANN)), record("WEB-ANN"), record("WEB-BOB", is(BOB))];
    await send(...views);
    for (const email of [ANN, BOB]) await hand("v2", onServer(email));
    // In the bucket: one that is of both, and one of her alone.
    await stack.cloudFaults({ on: "deliver", do: "hold" }, { on: "send", do: "fail" });
    await send(record("TAB-ANN", is(ANN)), record("TAB-ANN"), record("TAB-BOB", is(BOB)));
    await send(record("TAB-ANN"));
    const lies = async () => JSON.stringify((await stack.cloudState()).objects);
    const kept = async () => (await stack.cloudState()).objects.length;
    expect(await kept()).toBeGreaterThan(1);

    const { status, erased } = await server("erase", { email: ANN });
    expect([status, erased.events]).toEqual([200, 2]);
    expect(await lies()).not.toContain(ANN);
    expect(await lies()).toContain(BOB);

    await stack.objectFaults();
    await stack.cloudFaults();
    await expect.poll(async () => (await stack.cloudState()).messages).toEqual([]);
    await expect
      .poll(async () => {
        await stack.strike();
        return kept();
      })
      .toBe(0);
    const events = await stack.arrived(3);
    expect(events.map(({ body }) => body.GeneralInfo.user_email)).toEqual([BOB, BOB, BOB]);
    const { accepted, delivered, erased: dropped, pending } = await total();
    expect({ accepted, delivered, dropped, pending }).toEqual({ accepted: 7, delivered: 3, dropped: 4, pending: 0 });
    // What she does from now on is hers to say.
    await send(record("WEB-ANN"));
    expect(await stack.arrived(4)).toHaveLength(4);
  });
});

test("a browser that forgets leaves nothing of who used it on disk", async () => {
  await stack.faults([{ down: true }]);
  await send(record("WEB-ANN", is(ANN)), record("WEB-ANN"));
  await send(record("WEB-BOB", is(BOB)));
  const answer = await fetch(stack.kit + "/k/f", {
    method: "POST",
    headers: { origin: stack.kit },
    body: JSON.stringify({ sc: "WEB-ANN" }),
  });
  expect(answer.status).toBe(200);
  expect(await total()).toEqual({ accepted: 3, delivered: 0, pending: 1, dead: 0, erased: 2, balance: 0 });
  await stack.order("kill-worker");
  expect(found(BOB)).not.toEqual([]);
  expect(found(ANN)).toEqual([]);
});
