// Versions of the Worker, one after another and side by side: what an earlier one stored, sends or keeps is
// taken over, and what a later one stored is left alone.
import { randomUUID } from "node:crypto";

import { expect, test } from "@playwright/test";

import { cart, messageId, order, pageView, post, send, server, state, verdicts } from "./records.js";
import { Stack } from "./stack.js";
import { openStore, STORES } from "./stores.js";
import { openDoor } from "./workers.js";

let stack;
test.afterEach(() => stack?.stop());

/** Does something with the store of a stopped Worker. */
const between = async (work) => {
  await stack.order("kill-worker");
  const store = openStore(stack);
  try {
    return work(store);
  } finally {
    store.close();
    await stack.order("start-worker");
  }
};

const keys = async (sc) => {
  const events = await stack.events("ProductPage");
  const own = events.filter(({ body }) => body.GeneralInfo.cookies.sc == sc);
  return own.map(({ body }) => body.ProductPage.Product.productKey);
};

test("every version that was ever superseded is tested here", async () => {
  stack = await Stack.start();
  await send(stack, pageView("A"));
  const current = await between((store) => store.version());
  const superseded = Array.from({ length: current - 1 }, (_, index) => String(index + 1));
  expect(Object.keys(STORES)).toEqual(expect.arrayContaining(superseded));
});

for (const [version, make] of Object.entries(STORES)) {
  test(`a store of version ${version} is opened, drained and gone on with`, async () => {
    stack = await Stack.start();
    await send(stack, pageView("A"));
    const { sql, ann, bob, done, begun, pending, noted } = make(Date.now());
    const current = await between((store) => {
      const current = store.version();
      store.replace(sql);
      return current;
    });
    // What waited goes out in order, from where it was; as it was, to the byte.
    const ids = [...begun.ids, ...pending.ids];
    await expect.poll(() => state(stack, ann, ...ids)).toEqual(ids.map(() => "delivered"));
    await expect.poll(() => state(stack, bob, ...noted.ids)).toEqual(["delivered", "delivered"]);
    expect(await keys(ann)).toEqual(["a-2", "a-3", "a-4"]);
    expect(await keys(bob)).toEqual(["b-2"]);
    const first = (await stack.events("ProductPage")).find(({ body }) => body.GeneralInfo.cookies.sc == ann);
    const was = JSON.stringify(begun.bodies[1]).replace("A-…", ann);
    expect(JSON.stringify(first.body)).toBe(was);
    expect(first.user_agent).toBe("Browser/1.0");
    const health = await (await fetch(stack.kit + "/k/health")).json();
    expect(health.sites.main.outbox).toMatchObject([{ pending: 0, dead: 1 }]);
    // What was stored is known.
    expect(await state(stack, ann, ...done)).toEqual(["delivered", "delivered", "delivered", "dead"]);
    const again = { ...pageView(ann), id: done[0] };
    const silent = { ...pageView(ann), id: begun.ids[3] };
    const late = pageView(ann);
    const results = await send(stack, again, silent, cart(ann), order(ann), late);
    expect(verdicts(results)).toEqual([
      "known_message",
      "known_message",
      "cart_unchanged",
      "order_known",
      "accepted",
    ]);
    await expect.poll(() => state(stack, ann, late.id)).toEqual(["delivered"]);
    const views = await stack.events("PageView");
    expect(views.at(-1).body.GeneralInfo).toMatchObject({ user_email: "ann@shop.example" });
    // What was refused can be looked at and repeated.
    const { dead } = (await server(stack, "dead"))["main/g1/0"];
    expect(dead).toMatchObject([{ id: done[3], status: 400, reason: "wrong body" }]);
    await server(stack, "replay", "POST");
    await expect.poll(() => keys(ann)).toEqual(["a-2", "a-3", "a-4", "a-0"]);
    // It is a store of today's version from now on, and nothing is sent again.
    await between((store) => expect(store.version()).toBe(current));
    expect(verdicts(await send(stack, late, again))).toEqual(["known_message", "known_message"]);
    expect((await post(stack.kit, "f", { sc: ann })).status).toBe(200);
    await between((store) => {
      expect(JSON.stringify(store.dump())).not.toContain("ann@shop.example");
    });
    expect((await keys(ann)).length).toBe(4);
  });
}

const makeNewer = (store) => {
  store.db.exec(`UPDATE meta SET value = '${store.version() + 1}' WHERE name = 'version'`);
  return store.dump();
};

test("a store of a newer version is left as it is, and pages keep what they have", async () => {
  stack = await Stack.start();
  await stack.faults([{ down: true }]);
  const sc = randomUUID().toUpperCase();
  const [before, after] = [pageView(sc), pageView(sc)];
  await send(stack, before);
  const stored = await between(makeNewer);
  const answer = await post(stack.kit, "b", { v: 1, sentAt: Date.now(), records: [after] });
  expect(answer.status).toBe(503);
  expect(answer.headers.get("retry-after")).toBe("2");
  expect((await post(stack.kit, "f", { sc })).status).toBeGreaterThanOrEqual(500);
  await between((store) => {
    expect(store.dump()).toEqual(stored);
    // The newer version is deployed again, which for this test is today's.
    store.db.exec(`UPDATE meta SET value = '${store.version() - 1}' WHERE name = 'version'`);
  });
  await stack.faults();
  expect(verdicts(await send(stack, before, after))).toEqual(["known_message", "accepted"]);
  await expect.poll(() => state(stack, sc, before.id, after.id)).toEqual(["delivered", "delivered"]);
  expect((await stack.events()).length).toBe(2);
});

test("with a queue, what comes meanwhile waits there", async () => {
  stack = await Stack.start({ cloud: { queue: true } });
  await stack.cloudSettings({ delay_ms: 50, retries: 100_000 });
  const sc = randomUUID().toUpperCase();
  const [before, after] = [pageView(sc), pageView(sc)];
  await send(stack, before);
  await between(makeNewer);
  expect(verdicts(await send(stack, after))).toEqual(["accepted"]);
  expect((await stack.cloudState()).messages.length).toBe(1);
  await between((store) => {
    store.db.exec(`UPDATE meta SET value = '${store.version() - 1}' WHERE name = 'version'`);
  });
  await expect.poll(() => state(stack, sc, before.id, after.id)).toEqual(["delivered", "delivered"]);
  expect((await stack.events()).length).toBe(2);
});

test("objects take what Workers of earlier and later versions hand over", async () => {
  stack = await Stack.start();
  const call = await openDoor(stack);
  const sc = randomUUID().toUpperCase();
  const [first, second] = [messageId(), messageId()];
  const now = Date.now();
  const record = (id, at) =>
    `{"v":1,"id":"${id}","at":${at},"call":["sendEvent","PageView",{"PageView":{}}],` +
    `"page":{"url":"https://shop.example/"},"sc":"${sc}","consent":["tracking"]}`;
  // As version 1 wrote it, and as a later one may.
  const version1 =
    `{"site":"main","received":${now},"sent_at":${now},"agent":"Browser/1.0","sc":null,` +
    `"records":[${record(first, now - 20)}]}`;
  const later =
    `{"site":"main","received":${now},"sent_at":${now},"agent":"","records":[${record(second, now - 10)}],` +
    `"later":{"is":true}}`;
  for (const [text, id] of [[version1, first], [later, second]]) {
    const { status, text: answer } = await call("main/g1/0", "/ingest", text);
    expect(status).toBe(200);
    expect(JSON.parse(answer).results).toEqual([{ id, verdict: "accepted" }]);
  }
  const third = messageId();
  const rest =
    `{"site":"main","received":${now},"id":"${third}","web_id":"${sc}","agent":"",` +
    `"body":{"GeneralInfo":{"eventName":"PageView","siteId":"8A412DC","cookies":{"sc":"${sc}"}},"PageView":{}}}`;
  const { text } = await call("main/g1/0", "/ingest-rest", rest);
  expect(JSON.parse(text).results).toMatchObject([{ id: third, verdict: "accepted" }]);
  const about = `{"web_id":"${sc}","ids":["${first}","${second}","${third}"]}`;
  await expect
    .poll(async () => JSON.parse((await call("main/g1/0", "/states", about)).text).results.map((r) => r.state))
    .toEqual(["delivered", "delivered", "delivered"]);
  const { text: handover } = await call("main/g1/0", "/handover", `{"web_id":"${sc}"}`);
  const { known } = JSON.parse(handover);
  expect(known.flatMap(({ ids }) => ids.split(" ")).sort()).toEqual([first, second, third].sort());
});

test("what today's Worker hands over is what version 1 asks for", async () => {
  stack = await Stack.start({ cloud: { queue: true } });
  await stack.objectFaults({ do: "fail" });
  await stack.cloudFaults({ on: "deliver", do: "hold" });
  await send(stack, pageView("A"));
  const general = '{"eventName":"PageView","siteId":"8A412DC","cookies":{"sc":"A"}}';
  await server(stack, "v2", "POST", `{"GeneralInfo":${general},"PageView":{}}`);
  const bodies = (await stack.cloudState()).messages.map(({ body }) => JSON.parse(body).body);
  // More may come along: it is not looked at.
  expect(bodies).toEqual([
    expect.objectContaining({
      site: "main",
      received: expect.any(Number),
      sent_at: expect.any(Number),
      agent: expect.any(String),
      records: [expect.any(Object)],
    }),
    expect.objectContaining({
      site: "main",
      received: expect.any(Number),
      id: expect.any(String),
      web_id: "A",
      agent: expect.any(String),
      body: expect.any(Object),
    }),
  ]);
});

test("messages of version 1 are read", async () => {
  stack = await Stack.start({ cloud: { queue: true, bucket: true } });
  const sc = randomUUID().toUpperCase();
  const [first, second] = [messageId(), messageId()];
  const message = (id) => {
    const now = Date.now();
    return (
      `{"v":1,"object":"main/g1/0","what":"records","body":{"site":"main","received":${now},` +
      `"sent_at":${now},"agent":"","sc":null,"records":[{"v":1,"id":"${id}","at":${now - 5},` +
      `"call":["sendEvent","PageView",{"PageView":{}}],"page":{"url":""},"sc":"${sc}","consent":["tracking"]}]}}`
    );
  };
  await fetch(stack.cloud + "/control/messages", { method: "POST", body: message(first) });
  const key = `waiting/${Date.now()}/main/g1/0/0123456789abcdef`;
  await fetch(stack.cloud + "/control/objects/" + key, { method: "PUT", body: message(second) });
  await stack.strike();
  await expect.poll(() => state(stack, sc, first, second)).toEqual(["delivered", "delivered"]);
});
