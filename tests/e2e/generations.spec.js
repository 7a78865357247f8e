// Another number of shards: new objects go on where the old ones were.
import { randomBytes, randomUUID } from "node:crypto";

import { expect, test } from "@playwright/test";

import { Stack } from "./stack.js";
import { addWorker } from "./workers.js";

const first = { shards: 2 };
const second = { shards: 3, generation: 2, previous_shards: 2 };

/** Enough that every shard of both generations has some. */
const visitors = Array.from({ length: 8 }, () => randomUUID().toUpperCase());

const messageId = (time = Date.now()) => {
  const hex = time.toString(16).padStart(12, "0") + "7" + randomBytes(10).toString("hex").slice(1);
  return hex.replace(/(.{8})(.{4})(.{4})(.)(.{3})(.{12}).*/, "$1-$2-$3-8$5-$6");
};

let calls = 0;

const record = (sc, ...call) => ({
  v: 1,
  id: messageId(),
  // Apart in time: the stand-in takes bodies that are alike to the last byte for one.
  at: Date.now() - 10_000 + 10 * calls++,
  call,
  page: { url: "https://shop.example/" },
  sc,
  consent: ["tracking"],
});

const pageView = (sc, data = {}) => record(sc, "sendEvent", "PageView", { PageView: {}, ...data });

const cart = (sc) =>
  record(sc, "sendEvent", "StatusCart", {
    StatusCart: [{ productKey: "1", price: "10", quantity: "1", currency: "UAH" }],
    GUID: "0a7f2c1e-5f3b-4c1d-8e2a-6b9d0c4f1a11",
  });

const order = (sc) =>
  record(sc, "sendEvent", "PurchasedItems", {
    OrderNumber: "order-1",
    PurchasedItems: [{ productKey: "1", price: "10", quantity: "1", currency: "UAH" }],
  });

const post = (origin, path, body) =>
  fetch(`${origin}/k/${path}`, { method: "POST", headers: { origin }, body: JSON.stringify(body) });

/** Sends records as a page does and returns the results, in their order. */
const send = async (stack, ...records) => {
  const answer = await post(stack.kit, "b", { v: 1, sentAt: Date.now(), records });
  expect(answer.status).toBe(202);
  return (await answer.json()).results;
};

const sendAll = async (stack, records) => {
  const results = [];
  for (const record of records) results.push(...(await send(stack, record)));
  return results;
};

const verdicts = (results) => results.map(({ verdict, code }) => code ?? verdict);

const state = async (stack, sc, ...ids) => {
  const { results } = await (await post(stack.kit, "q", { sc, ids })).json();
  return results.map(({ state }) => state);
};

const server = async (stack, path, method) => {
  const headers = { authorization: "Bearer " + stack.server_token };
  const answer = await fetch(`${stack.kit}/k/${path}`, { method, headers });
  return Object.values(await answer.json());
};

/** Runs one step after another on the same data, each with settings of its own. */
const across = async (...steps) => {
  let folder;
  for (const [index, [outbox, step]] of steps.entries()) {
    const stack = await Stack.start({ folder, outbox });
    folder = stack.folder;
    let passed = false;
    try {
      await step(stack);
      passed = true;
    } finally {
      await stack.stop({ keep: passed && index + 1 < steps.length });
    }
  }
};

test("a record that comes again is known to the new objects", async () => {
  const records = visitors.map((sc) => pageView(sc));
  await across(
    [
      first,
      async (stack) => {
        expect(verdicts(await sendAll(stack, records))).toEqual(visitors.map(() => "accepted"));
        expect((await stack.arrived(records.length)).length).toBe(records.length);
      },
    ],
    [
      second,
      async (stack) => {
        expect(verdicts(await sendAll(stack, records))).toEqual(visitors.map(() => "known_message"));
        const news = visitors.map((sc) => pageView(sc));
        expect(verdicts(await sendAll(stack, news))).toEqual(visitors.map(() => "accepted"));
        // Asked for once: what came after the hand-over is recognised too.
        expect(verdicts(await sendAll(stack, news))).toEqual(visitors.map(() => "known_message"));
        const events = await stack.arrived(2 * records.length);
        expect(events.length).toBe(2 * records.length);
      },
    ],
  );
});

test("the first records of a visitor may come at the same time", async () => {
  const [sc] = visitors;
  const old = pageView(sc);
  await across(
    [first, (stack) => send(stack, old)],
    [
      second,
      async (stack) => {
        const ann = { GeneralInfo: { user_email: "ann@shop.example" } };
        const batches = [[old, pageView(sc, ann)]];
        for (let i = 0; i < 6; i++) batches.push([old, pageView(sc)]);
        const results = await Promise.all(batches.map((batch) => send(stack, ...batch)));
        for (const result of results) expect(verdicts(result)).toEqual(["known_message", "accepted"]);
        // What one of them taught is not overwritten by the hand-over to another.
        await send(stack, pageView(sc));
        const events = await stack.arrived(9);
        expect(events.length).toBe(9);
        expect(events[8].body.GeneralInfo.user_email).toBe("ann@shop.example");
      },
    ],
  );
});

test("the rules keep their memory", async () => {
  const [sc] = visitors;
  await across(
    [
      first,
      async (stack) => {
        const who = pageView(sc, { GeneralInfo: { user_email: "ann@shop.example" } });
        const results = await send(stack, who, order(sc), cart(sc));
        expect(verdicts(results)).toEqual(["accepted", "accepted", "accepted"]);
        await stack.arrived(3);
      },
    ],
    [
      second,
      async (stack) => {
        const results = await send(stack, cart(sc), order(sc), pageView(sc));
        expect(verdicts(results)).toEqual(["cart_unchanged", "order_known", "accepted"]);
        const events = await stack.arrived(4);
        expect(events.length).toBe(4);
        expect(events[3].body.GeneralInfo.user_email).toBe("ann@shop.example");
      },
    ],
  );
});

test("what waits in the old objects is sent from there", async () => {
  const records = visitors.map((sc) => pageView(sc));
  await across(
    [
      first,
      async (stack) => {
        await stack.faults([{ down: true }]);
        await sendAll(stack, records);
        expect(await state(stack, visitors[0], records[0].id)).toEqual(["accepted"]);
        expect(await stack.arrived(1, { within: 1000 })).toEqual([]);
      },
    ],
    [
      second,
      async (stack) => {
        // No page sends anything to them; and the pauses of before count on.
        const events = await stack.arrived(records.length, { within: 40_000 });
        expect(events.length).toBe(records.length);
        for (const [index, { id }] of records.entries())
          await expect.poll(() => state(stack, visitors[index], id)).toEqual(["delivered"]);
        const health = await (await fetch(stack.kit + "/k/health")).json();
        expect(health.sites.main.outbox.length).toBe(5);
        expect(health.sites.main.outbox.map(({ pending }) => pending)).toEqual([0, 0, 0, 0, 0]);
      },
    ],
  );
});

test("what the platform refused is listed and repeated from the old objects", async () => {
  const records = visitors.map((sc) => pageView(sc));
  const listed = async (stack) => (await server(stack, "dead", "GET")).flatMap(({ dead }) => dead);
  await across(
    [
      first,
      async (stack) => {
        await stack.faults([{ refuse: true }]);
        await sendAll(stack, records);
        await expect.poll(async () => (await listed(stack)).length).toBe(records.length);
      },
    ],
    [
      second,
      async (stack) => {
        expect((await listed(stack)).map(({ id }) => id).sort()).toEqual(
          records.map(({ id }) => id).sort(),
        );
        // The new object gets the ids without knowing what became of them; the old one knows.
        const late = pageView(visitors[0]);
        expect(verdicts(await send(stack, records[0], late))).toEqual(["known_message", "accepted"]);
        expect((await stack.arrived(1)).length).toBe(1);
        const ids = [records[0].id, late.id, messageId()];
        await expect
          .poll(() => state(stack, visitors[0], ...ids))
          .toEqual(["dead", "delivered", "unknown"]);
        await server(stack, "replay", "POST");
        expect((await stack.arrived(records.length + 1)).length).toBe(records.length + 1);
        expect(await listed(stack)).toEqual([]);
      },
    ],
  );
});

test("erasing reaches the old objects before anything can come over", async () => {
  const [known, unknown] = visitors;
  await across(
    [first, (stack) => send(stack, cart(known)).then(() => send(stack, cart(unknown)))],
    [
      second,
      async (stack) => {
        expect(verdicts(await send(stack, cart(known)))).toEqual(["cart_unchanged"]);
        for (const sc of [known, unknown]) {
          expect((await post(stack.kit, "f", { sc })).status).toBe(200);
          expect(verdicts(await send(stack, cart(sc)))).toEqual(["accepted"]);
        }
      },
    ],
  );
});

test("a server's event is recognised across the change", async () => {
  const [sc] = visitors;
  const key = messageId();
  const rest = async (stack) => {
    const answer = await fetch(stack.kit + "/k/v2", {
      method: "POST",
      headers: { authorization: "Bearer " + stack.server_token, "idempotency-key": key },
      body: JSON.stringify({
        GeneralInfo: { eventName: "PageView", siteId: "8A412DC", cookies: { sc }, datetime: Date.now() },
        PageView: {},
      }),
    });
    return verdicts((await answer.json()).results);
  };
  await across(
    [first, async (stack) => expect(await rest(stack)).toEqual(["accepted"])],
    [second, async (stack) => expect(await rest(stack)).toEqual(["known_message"])],
  );
});

test("a roll-back of the settings finds the old objects at work", async () => {
  const [sc] = visitors;
  const old = pageView(sc);
  await across(
    [first, (stack) => send(stack, old)],
    [second, (stack) => send(stack, pageView(sc))],
    [
      first,
      async (stack) => {
        expect(verdicts(await send(stack, old, pageView(sc)))).toEqual(["known_message", "accepted"]);
        expect((await stack.arrived(3)).length).toBe(3);
      },
    ],
  );
});

/** Opens a door to the objects themselves, through which to call as another Worker does. */
const openDoor = async (stack) => {
  const script = `export default {
    fetch: (request, { OUTBOX }) =>
      OUTBOX.getByName(request.headers.get("object")).fetch(request),
  };`;
  const origin = await addWorker(
    stack,
    "door",
    () => `(
  modules = [(name = "door", esModule = ${JSON.stringify(script)})],
  compatibilityDate = "2026-11-01",
  bindings = [(
    name = "OUTBOX",
    durableObjectNamespace = (className = "OutboxObject", serviceName = "kit"),
  )],
)`,
  );
  return async (object, path, body) => {
    const options = { method: "POST", headers: { object }, body: JSON.stringify(body) };
    return (await fetch(origin + path, options)).status;
  };
};

test("while a change spreads, an old object takes nothing that the new one would miss", async () => {
  const [sc] = visitors;
  const objects = ["main/g1/0", "main/g1/1"];
  const batch = () => {
    const records = [pageView(sc)];
    return { site: "main", received: Date.now(), sent_at: Date.now(), agent: "", records };
  };
  await across(
    [
      first,
      async (stack) => {
        const call = await openDoor(stack);
        for (const object of objects) {
          expect(await call(object, "/ingest", batch())).toBe(200);
          // The settings here do not know of a newer generation yet, but somebody's do.
          expect(await call(object, "/handover", { web_id: sc })).toBe(200);
          expect(await call(object, "/ingest", batch())).toBe(503);
        }
      },
    ],
    [
      second,
      async (stack) => {
        const call = await openDoor(stack);
        for (const object of objects) expect(await call(object, "/ingest", batch())).toBe(503);
        expect(await call("main/g2/0", "/ingest", batch())).toBe(200);
        expect((await stack.arrived(3)).length).toBe(3);
      },
    ],
  );
});
