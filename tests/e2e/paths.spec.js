// Events whose object does not take them: the queue, the bucket, and the ways back.
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "@playwright/test";

import { cart, messageId, order, pageView, post, record, send, server, state, verdicts } from "./records.js";
import { Stack } from "./stack.js";

/** Time enough for an object that is well, on any machine. */
const outbox = { patience: 3000 };

/** Nothing of a batch reaches an outbox. */
const BROKEN = { do: "fail", path: "/ingest" };
const HELD = { on: "deliver", do: "hold" };

const newVisitor = () => randomUUID().toUpperCase();

let stack;

/** A stack for the tests of a group, as clean as new before each. */
const use = (cloud) => {
  test.describe.configure({ mode: "default" });
  test.beforeAll(async () => {
    stack = await Stack.start({ outbox, cloud });
  });
  test.afterAll(() => stack.stop());
  test.beforeEach(async () => {
    await stack.faults();
    await stack.objectFaults();
    await stack.cloudFaults();
    await stack.cloudSettings({ delay_ms: 50 });
    await fetch(stack.cloud + "/control/state", { method: "DELETE" });
  });
};

const log = () => readFileSync(join(stack.folder, "worker.log"), "utf8");

const messages = async () => (await stack.cloudState()).messages;
const objects = async () => (await stack.cloudState()).objects;
const keys = async () => (await objects()).map(({ key }) => key.split("/")[0]);

/** What the platform has got of a visitor, in the order of arrival. */
const arrivals = async (sc) => {
  const events = await stack.events();
  return events.filter(({ body }) => body.GeneralInfo.cookies?.sc == sc);
};

/** Waits until the platform has got everything of a visitor, and finds nothing twice there. */
const arrive = async (sc, ...records) => {
  const ids = records.map(({ id }) => id);
  await expect.poll(() => state(stack, sc, ...ids)).toEqual(ids.map(() => "delivered"));
  expect((await arrivals(sc)).length).toBe(records.length);
};

/** Sends an event that nobody takes until the queue has had enough of it, while `faults` are there too. */
const beginsAnew = async (faults) => {
  const sc = newVisitor();
  const view = pageView(sc);
  await stack.cloudSettings({ delay_ms: 10, retries: 1, dead_retries: 1 });
  await stack.objectFaults(BROKEN);
  if (faults) await stack.cloudFaults(faults);
  await send(stack, view);
  const lettered = async () => (await stack.cloudState()).counts.dead_lettered;
  await expect.poll(lettered).toBeGreaterThan(2);
  await stack.objectFaults();
  await arrive(sc, view);
  await drained();
};

/** Waits until nothing is left in queue and bucket. */
const drained = async () => {
  await expect.poll(messages).toEqual([]);
  await expect
    .poll(async () => {
      await stack.strike();
      return keys();
    })
    .toEqual([]);
  const { counts } = await stack.cloudState();
  // Each message has got a verdict of its own, and none came too often.
  expect(counts).toMatchObject({ implicit: 0, lost: 0 });
};

/** Waits until the one fault of the outboxes has happened, and hears of it at once. */
const spent = () =>
  expect
    .poll(async () => {
      const [{ count }] = await (await fetch(stack.kit + "/__objects")).json();
      return count;
    }, { intervals: [50] })
    .toBe(0);

const restart = async () => {
  await stack.order("kill-worker");
  await stack.order("start-worker");
};

/** Sends a batch as it stands, and returns the answer. */
const sendText = (body) =>
  fetch(stack.kit + "/k/b", { method: "POST", headers: { origin: stack.kit }, body });

test.describe("with a queue and a bucket", () => {
  use({ queue: true, bucket: true });

  test("while an object is well, nothing goes another way", async () => {
    const sc = newVisitor();
    const view = pageView(sc);
    expect(verdicts(await send(stack, view))).toEqual(["accepted"]);
    await arrive(sc, view);
    const { counts } = await stack.cloudState();
    expect(counts).toMatchObject({ sent: 0, put: 0 });
  });

  test("what an object fails to take goes through the queue byte for byte", async () => {
    const sc = newVisitor();
    const { id } = pageView(sc);
    // As other languages write it: numbers and escapes that a second writing would change.
    const text =
      `{"v":1, "id":"${id}","at":${Date.now() - 5}, "call":["sendEvent","ProductPage",` +
      `{"ProductPage":{"productKey":"\\u0427-1","price":1.50,"isInStock":1}}],` +
      `"page":{"url":"https://shop.example/?a=\\u00e9é"},"sc":"${sc}","consent":["tracking"]}`;
    await stack.objectFaults(BROKEN);
    await stack.cloudFaults(HELD);
    const answer = await sendText(`{"v":1,"sentAt":${Date.now()},"records":[${text}]}`);
    expect(answer.status).toBe(202);
    expect(await answer.json()).toEqual({ v: 1, results: [{ id, verdict: "accepted" }] });
    const [{ body, ...rest }, ...others] = await messages();
    expect(others).toEqual([]);
    expect(rest).toMatchObject({ queue: "esputnik-kit", attempts: 0 });
    expect(body).toContain(text);
    const parcel = JSON.parse(body);
    expect(parcel).toMatchObject({ v: 1, object: "main/g1/0", what: "records" });
    expect(parcel.body).toMatchObject({ site: "main" });
    expect(body).not.toContain(stack.api_key);
    expect(body).not.toContain(stack.server_token);
    expect(await state(stack, sc, id)).toEqual(["unknown"]);
    await stack.objectFaults();
    await stack.cloudFaults();
    await arrive(sc, { id });
    const [event] = await arrivals(sc);
    expect(event.body.ProductPage.Product.productKey).toBe("Ч-1");
    await drained();
  });

  test("what an object does not take in time goes through the queue", async () => {
    const sc = newVisitor();
    const view = pageView(sc);
    await stack.objectFaults({ ...BROKEN, do: "hang", count: 1 });
    await stack.cloudFaults(HELD);
    expect(verdicts(await send(stack, view))).toEqual(["accepted"]);
    expect((await messages()).length).toBe(1);
    await stack.cloudFaults();
    await arrive(sc, view);
  });

  for (const what of ["hang_after", "fail_after"]) {
    test(`an object that has stored it after all gets it twice and sends it once (${what})`, async () => {
      const sc = newVisitor();
      const who = { GeneralInfo: { user_email: "ann@shop.example" } };
      const records = [pageView(sc, who), cart(sc), order(sc)];
      await stack.objectFaults({ ...BROKEN, do: what, count: 1 });
      await stack.cloudFaults(HELD);
      expect(verdicts(await send(stack, ...records))).toEqual(Array(3).fill("accepted"));
      await arrive(sc, ...records);
      expect((await messages()).length).toBe(1);
      await stack.cloudFaults();
      await drained();
      await arrive(sc, ...records);
      // The page sends it again as well.
      expect(verdicts(await send(stack, records[0]))).toEqual(["known_message"]);
    });
  }

  for (const what of ["fail", "hang", "fail_after", "hang_after"]) {
    test(`where the queue fails too, the bucket has it until it is stored (${what})`, async () => {
      const sc = newVisitor();
      const view = pageView(sc);
      await stack.objectFaults(BROKEN);
      await stack.cloudFaults({ on: "send", do: what }, HELD);
      expect(verdicts(await send(stack, view))).toEqual(["accepted"]);
      const [{ key, body }, ...others] = await objects();
      expect(others).toEqual([]);
      expect(key).toMatch(/^waiting\/\d{13}\/main\/g1\/0\/[0-9a-f]{16}$/);
      expect(JSON.parse(body)).toMatchObject({ v: 1, body: { records: [{ id: view.id }] } });
      // Not before its object takes it.
      await stack.strike();
      expect(await keys()).toEqual(["waiting"]);
      await stack.objectFaults();
      await stack.strike();
      expect(await keys()).toEqual([]);
      await arrive(sc, view);
      // The queue may have had it all the same.
      await stack.cloudFaults();
      await drained();
      await arrive(sc, view);
    });
  }

  for (const what of ["fail", "hang"]) {
    test(`where all fail, the page keeps it (${what})`, async () => {
      const sc = newVisitor();
      const view = pageView(sc);
      await stack.objectFaults({ ...BROKEN, do: what });
      await stack.cloudFaults({ on: "send", do: what }, { on: "put", do: what });
      const answer = await post(stack.kit, "b", { v: 1, sentAt: Date.now(), records: [view] });
      expect(answer.status).toBe(503);
      expect(answer.headers.get("retry-after")).toBe("2");
      expect((await answer.json()).error.code).toBe("unavailable");
      expect(await stack.cloudState()).toMatchObject({ messages: [], objects: [] });
      await stack.objectFaults();
      await stack.cloudFaults();
      expect(verdicts(await send(stack, view))).toEqual(["accepted"]);
      await arrive(sc, view);
    });
  }

  test("a bucket that has it without saying so does no harm", async () => {
    const sc = newVisitor();
    const view = pageView(sc);
    await stack.objectFaults(BROKEN);
    await stack.cloudFaults({ on: "send", do: "fail" }, { on: "put", do: "hang_after" });
    const answer = await post(stack.kit, "b", { v: 1, sentAt: Date.now(), records: [view] });
    expect(answer.status).toBe(503);
    expect(await keys()).toEqual(["waiting"]);
    await stack.objectFaults();
    await stack.cloudFaults();
    expect(verdicts(await send(stack, view))).toEqual(["accepted"]);
    await drained();
    await arrive(sc, view);
  });

  test("what is refused is refused at once, and goes nowhere", async () => {
    const sc = newVisitor();
    const good = pageView(sc);
    const batch = [
      record(sc, "sendEvent", "ProductPage", {}),
      { ...pageView(sc), consent: [] },
      good,
      { id: "x", sc },
    ];
    await stack.objectFaults(BROKEN);
    await stack.cloudFaults(HELD);
    const results = await send(stack, ...batch);
    expect(verdicts(results)).toEqual(["missing_field", "consent_missing", "accepted", "invalid_body"]);
    const [{ body }] = await messages();
    expect(JSON.parse(body).body.records).toEqual([good]);
    // With nothing else in it, there is nothing to keep.
    await fetch(stack.cloud + "/control/state", { method: "DELETE" });
    expect(verdicts(await send(stack, batch[0]))).toEqual(["missing_field"]);
    expect(await stack.cloudState()).toMatchObject({ messages: [], objects: [] });
    // And an object says the same.
    await stack.objectFaults();
    expect(verdicts(await send(stack, ...batch))).toEqual(verdicts(results));
  });

  test("an event of the shop's server takes the same ways", async () => {
    const sc = newVisitor();
    const key = messageId();
    const rest = async (body) => {
      const answer = await fetch(stack.kit + "/k/v2", {
        method: "POST",
        headers: { authorization: "Bearer " + stack.server_token, "idempotency-key": key },
        body: JSON.stringify(body),
      });
      return { status: answer.status, results: (await answer.json()).results };
    };
    const event = {
      GeneralInfo: { eventName: "PageView", siteId: "8A412DC", cookies: { sc }, datetime: Date.now() },
      PageView: {},
    };
    await stack.objectFaults({ do: "hang_after", path: "/ingest-rest" });
    await stack.cloudFaults(HELD);
    expect(await rest(event)).toEqual({ status: 202, results: [{ id: key, verdict: "accepted" }] });
    const [{ body }] = await messages();
    expect(JSON.parse(body)).toMatchObject({ what: "event", body: { id: key, web_id: sc } });
    const refused = await rest({ ...event, PageView: undefined, GeneralInfo: { siteId: "8A412DC" } });
    expect(refused).toMatchObject({ status: 400, results: [{ verdict: "refused" }] });
    await stack.objectFaults();
    await stack.cloudFaults();
    await drained();
    await arrive(sc, { id: key });
    expect((await rest(event)).results).toMatchObject([{ code: "known_message" }]);
  });

  test("messages that come twice, backwards and without end are each stored once", async () => {
    const visitors = Array.from({ length: 6 }, newVisitor);
    const records = visitors.map((sc) => [pageView(sc), order(sc), pageView(sc)]);
    await stack.objectFaults(BROKEN);
    await stack.cloudFaults(HELD);
    for (const [first, ...others] of records) {
      await send(stack, first);
      await send(stack, ...others);
    }
    expect((await messages()).length).toBe(12);
    await stack.objectFaults();
    await stack.cloudSettings({ delay_ms: 20, batch: 5 });
    await stack.cloudFaults(
      { on: "deliver", do: "forget", count: 3 },
      { on: "deliver", do: "reverse", count: 2 },
      { on: "deliver", do: "twice", count: 2 },
    );
    await drained();
    for (const [index, sc] of visitors.entries()) await arrive(sc, ...records[index]);
  });

  test("a visitor's events of one outage arrive in their order", async () => {
    const sc = newVisitor();
    const pages = ["a", "b", "c", "d", "e"].map((name) =>
      record(sc, "sendEvent", "ProductPage", { ProductPage: { productKey: name } }),
    );
    await stack.objectFaults(BROKEN);
    await stack.cloudFaults(HELD);
    for (const page of pages) await send(stack, page);
    await stack.objectFaults();
    await stack.cloudFaults();
    await arrive(sc, ...pages);
    const names = (await arrivals(sc)).map(({ body }) => body.ProductPage.Product.productKey);
    expect(names).toEqual(["a", "b", "c", "d", "e"]);
  });

  test("the Worker may end at any step", async () => {
    const sc = newVisitor();
    const records = [pageView(sc)];
    // Before a message is delivered.
    await stack.objectFaults(BROKEN);
    await stack.cloudFaults(HELD);
    await send(stack, records[0]);
    await restart();
    expect((await messages()).length).toBe(1);
    // While it is: the object has it, or not, and nobody says so.
    for (const what of ["hang", "hang_after"]) {
      await stack.objectFaults({ ...BROKEN, do: what, count: 1 });
      await stack.cloudFaults();
      await spent();
      await stack.cloudFaults(HELD);
      await restart();
      expect((await messages()).length).toBe(1);
    }
    await stack.cloudFaults();
    await drained();
    await arrive(sc, ...records);
    // While it waits in the bucket.
    await stack.objectFaults(BROKEN);
    await stack.cloudFaults({ on: "send", do: "fail" });
    records.push(pageView(sc));
    await send(stack, records[1]);
    await restart();
    await stack.cloudFaults();
    await drained();
    await arrive(sc, ...records);
  });

  test("what is no parcel ends in the bucket with the reason, and holds nobody up", async () => {
    const sc = newVisitor();
    const view = pageView(sc);
    await stack.cloudSettings({ delay_ms: 20, retries: 2 });
    await stack.objectFaults(BROKEN);
    await stack.cloudFaults(HELD);
    const poison = ["marker-of-a-person@shop.example", '{"v":1,"object":"main/g1/0"}', "null"];
    for (const body of poison)
      await fetch(stack.cloud + "/control/messages", { method: "POST", body });
    await send(stack, view);
    await stack.objectFaults();
    await stack.cloudFaults();
    await arrive(sc, view);
    await expect.poll(messages).toEqual([]);
    const dead = await objects();
    expect(dead.map(({ body }) => body).sort()).toEqual([...poison].sort());
    for (const { key, reason } of dead) {
      expect(key).toMatch(/^dead\/\d{13}\/-\/[0-9a-f]{16}$/);
      expect(reason).toBe("cannot be read");
    }
    expect((await stack.cloudState()).counts).toMatchObject({ dead_lettered: 3, implicit: 0, lost: 0 });
    const health = await (await fetch(stack.kit + "/k/health")).json();
    expect(health.detour).toEqual({ queue: true, bucket: { waiting: 0, dead: 3 } });
    const listed = await server(stack, "dead?object=bucket");
    expect(listed.bucket.total).toBe(3);
    expect(listed.bucket.dead[0]).toMatchObject({ reason: "cannot be read", id: dead[0].key });
    expect(log()).toContain("a message cannot be read");
    expect(log()).not.toContain("marker-of-a-person");
  });

  test("a parcel of a newer version waits for that version", async () => {
    const body = '{"v":2,"sealed":true}';
    await stack.cloudSettings({ delay_ms: 10, retries: 2 });
    await fetch(stack.cloud + "/control/messages", { method: "POST", body });
    await expect.poll(keys).toEqual(["waiting"]);
    await stack.strike();
    expect((await objects()).map(({ body }) => body)).toEqual([body]);
    await expect.poll(messages).toEqual([]);
  });

  test("an outage that the queue does not outlast ends in the bucket, which does", async () => {
    const sc = newVisitor();
    const view = pageView(sc);
    await stack.cloudSettings({ delay_ms: 10, retries: 3 });
    await stack.objectFaults(BROKEN);
    await send(stack, view);
    await expect.poll(keys).toEqual(["waiting"]);
    // It goes from the queue once the bucket has it.
    await expect.poll(messages).toEqual([]);
    await stack.objectFaults();
    await drained();
    await arrive(sc, view);
  });

  test("while the bucket fails, what the queue has had enough of begins there anew", () =>
    beginsAnew({ on: "put", do: "fail" }));

  test("what no object takes in seven days is dead, and can be tried again", async () => {
    const sc = newVisitor();
    const view = pageView(sc);
    await stack.objectFaults(BROKEN);
    await stack.cloudFaults({ on: "send", do: "fail" });
    await send(stack, view);
    const [{ body }] = await objects();
    const old = Date.now() - 7 * 24 * 3600_000 - 1;
    const place = (folder, at, name) => `${folder}/${at}/main/g1/0/${name}`;
    const put = (key, body) =>
      fetch(stack.cloud + "/control/objects/" + key, { method: "PUT", body });
    await fetch(stack.cloud + "/control/state", { method: "DELETE" });
    await put(place("waiting", old, "parcel"), body);
    await put(place("waiting", Date.now(), "garbage"), "garbage");
    // A month after its death it goes.
    await put(place("dead", Date.now() - 30 * 24 * 3600_000 - 1, "gone"), "gone");
    await stack.strike();
    const dead = (await objects()).map(({ key, reason }) => [key.split("/").at(-1), reason]);
    expect(dead).toEqual([
      ["parcel", "no object took it in seven days"],
      ["garbage", "cannot be read"],
    ]);
    expect(await keys()).toEqual(["dead", "dead"]);
    await stack.objectFaults();
    expect((await server(stack, "replay?object=bucket", "POST")).bucket).toEqual({ replayed: 2, left: 0 });
    expect(await keys()).toEqual(["waiting", "waiting"]);
    await stack.strike();
    await arrive(sc, view);
    expect((await objects()).map(({ body }) => body)).toEqual(["garbage"]);
    // So old that nobody knows any more whether it was stored: it stays.
    await fetch(stack.cloud + "/control/state", { method: "DELETE" });
    await put(place("dead", Date.now() - 15 * 24 * 3600_000, "unknown"), body);
    expect((await server(stack, "replay?object=bucket", "POST")).bucket).toEqual({ replayed: 0, left: 1 });
  });

  test("a parcel goes from the bucket only when it is stored; a second time it is known", async () => {
    const sc = newVisitor();
    const view = pageView(sc);
    await stack.objectFaults(BROKEN);
    await stack.cloudFaults({ on: "send", do: "fail" });
    await send(stack, view);
    for (const on of ["list", "get"]) {
      await stack.cloudFaults({ on, do: "fail" });
      await stack.strike();
      expect(await keys()).toEqual(["waiting"]);
    }
    await stack.objectFaults();
    await stack.cloudFaults({ on: "delete", do: "fail" });
    await stack.strike();
    await arrive(sc, view);
    expect(await keys()).toEqual(["waiting"]);
    await stack.cloudFaults();
    await drained();
    await arrive(sc, view);
  });

  test("the bucket is emptied oldest first, as far as the requests of a run go", async () => {
    const sc = newVisitor();
    const pages = Array.from({ length: 15 }, (_, index) =>
      record(sc, "sendEvent", "ProductPage", { ProductPage: { productKey: "P-" + index } }),
    );
    await stack.objectFaults(BROKEN);
    await stack.cloudFaults({ on: "send", do: "fail" });
    for (const page of pages) await send(stack, page);
    await stack.objectFaults();
    await stack.strike();
    // 50 requests, less those that the run is there for beside.
    expect((await keys()).length).toBe(3);
    await stack.strike();
    await arrive(sc, ...pages);
    const names = (await arrivals(sc)).map(({ body }) => body.ProductPage.Product.productKey);
    expect(names).toEqual(pages.map((_, index) => "P-" + index));
  });

  test("health says that an outbox is away, and what waits", async () => {
    await stack.objectFaults({ do: "fail" });
    await stack.cloudFaults({ on: "send", do: "fail" });
    await send(stack, pageView(newVisitor()));
    const answer = await fetch(stack.kit + "/k/health");
    expect(answer.status).toBe(503);
    const { ok, sites, detour } = await answer.json();
    expect(ok).toBe(false);
    expect(sites.main.outbox).toEqual([{ unavailable: true }]);
    expect(detour).toEqual({ queue: true, bucket: { waiting: 1, dead: 0 } });
    await stack.objectFaults();
    expect((await fetch(stack.kit + "/k/health")).status).toBe(200);
  });

  test("an outbox whose alarm is lost is woken by the clock", async () => {
    const sc = newVisitor();
    const view = pageView(sc);
    await stack.objectFaults({ do: "drop", path: "/alarm", count: 1 });
    await send(stack, view);
    await spent();
    expect(await arrivals(sc)).toEqual([]);
    await expect
      .poll(async () => {
        await stack.strike();
        return (await arrivals(sc)).length;
      })
      .toBe(1);
  });
});

test.describe("with a queue alone", () => {
  use({ queue: true });

  test("what the queue has had enough of begins there anew", () => beginsAnew());

  test("where the queue fails, the page keeps it", async () => {
    await stack.objectFaults(BROKEN);
    await stack.cloudFaults({ on: "send", do: "fail" });
    const records = [pageView(newVisitor())];
    const answer = await post(stack.kit, "b", { v: 1, sentAt: Date.now(), records });
    expect(answer.status).toBe(503);
    expect((await server(stack, "dead")).bucket).toBeUndefined();
  });
});

test.describe("with neither", () => {
  use({ faults: true });

  test("the page keeps what its object does not take", async () => {
    // An object that hangs has long where there is no other way.
    const sc = newVisitor();
    const view = pageView(sc);
    for (const what of ["fail", "hang"]) {
      await stack.objectFaults({ ...BROKEN, do: what });
      const answer = await post(stack.kit, "b", { v: 1, sentAt: Date.now(), records: [view] });
      expect(answer.status).toBe(503);
      expect(answer.headers.get("retry-after")).toBe("2");
    }
    await stack.objectFaults();
    expect(verdicts(await send(stack, view))).toEqual(["accepted"]);
    await arrive(sc, view);
    const health = await (await fetch(stack.kit + "/k/health")).json();
    expect(health.detour).toEqual({ queue: false, bucket: false });
    await stack.strike();
  });
});
