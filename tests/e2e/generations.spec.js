// Another number of shards: new objects go on where the old ones were.
import { randomUUID } from "node:crypto";

import { expect, test } from "@playwright/test";

import {
  cart,
  messageId,
  order,
  pageView,
  post,
  send,
  sendAll,
  server,
  state,
  verdicts,
} from "./records.js";
import { Stack } from "./stack.js";
import { openDoor } from "./workers.js";

const first = { shards: 2 };
const second = { shards: 3, generation: 2, previous_shards: 2 };

/** Enough that every shard of both generations has some. */
const visitors = Array.from({ length: 8 }, () => randomUUID().toUpperCase());

/** Runs one step after another on the same data, each with settings of its own. */
const across = (...steps) => acrossWith({}, ...steps);

const acrossWith = async (options, ...steps) => {
  let folder;
  for (const [index, [outbox, step]] of steps.entries()) {
    const stack = await Stack.start({ ...options, folder, outbox });
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
  const listed = async (stack) =>
    Object.values(await server(stack, "dead")).flatMap(({ dead }) => dead);
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
          expect((await call(object, "/ingest", batch())).status).toBe(200);
          // The settings here do not know of a newer generation yet, but somebody's do.
          expect((await call(object, "/handover", { web_id: sc })).status).toBe(200);
          expect((await call(object, "/ingest", batch())).status).toBe(503);
        }
      },
    ],
    [
      second,
      async (stack) => {
        const call = await openDoor(stack);
        for (const object of objects) expect((await call(object, "/ingest", batch())).status).toBe(503);
        expect((await call("main/g2/0", "/ingest", batch())).status).toBe(200);
        expect((await stack.arrived(3)).length).toBe(3);
      },
    ],
  );
});

const cloud = { queue: true, bucket: true };
/** Time enough for an object that is well: on a busy machine what it is late with would go another way. */
const patience = 10_000;

test("what waits beside the old objects goes to the new ones, and is known where it was stored", async () => {
  const kept = visitors.map((sc) => pageView(sc));
  const stored = visitors.map((sc) => pageView(sc));
  const accepted = visitors.map(() => "accepted");
  await acrossWith(
    { cloud },
    [
      { ...first, patience },
      async (stack) => {
        await stack.faults([{ down: true }]);
        await stack.cloudFaults({ on: "deliver", do: "hold" });
        // One message for many visitors: they part ways now.
        await stack.objectFaults({ do: "fail", path: "/ingest" });
        expect(verdicts(await send(stack, ...kept))).toEqual(accepted);
        await stack.cloudFaults({ on: "deliver", do: "hold" }, { on: "send", do: "fail" });
        await stack.objectFaults({ do: "fail_after", path: "/ingest" });
        expect(verdicts(await send(stack, ...stored))).toEqual(accepted);
        const { messages, objects } = await stack.cloudState();
        expect([messages.length, objects.length]).toEqual([2, 2]);
      },
    ],
    [
      { ...second, patience },
      async (stack) => {
        await stack.strike();
        await expect
          .poll(async () => {
            const { messages, objects } = await stack.cloudState();
            return messages.length + objects.length;
          })
          .toBe(0);
        for (const [index, sc] of visitors.entries()) {
          const ids = [kept[index].id, stored[index].id];
          await expect.poll(() => state(stack, sc, ...ids)).toEqual(["delivered", "delivered"]);
        }
        expect((await stack.arrived(2 * visitors.length)).length).toBe(2 * visitors.length);
        const again = await sendAll(stack, [...kept, ...stored]);
        expect(new Set(verdicts(again))).toEqual(new Set(["known_message"]));
      },
    ],
  );
});

test("while the old objects are away, the new ones wait for what they know", async () => {
  const [sc] = visitors;
  const [old, late] = [pageView(sc), pageView(sc)];
  await acrossWith(
    { cloud },
    [{ ...first, patience }, (stack) => send(stack, old)],
    [
      { ...second, patience },
      async (stack) => {
        await stack.cloudSettings({ delay_ms: 50 });
        await stack.objectFaults({ do: "fail", path: "/handover" });
        expect(verdicts(await send(stack, old, late))).toEqual(["accepted", "accepted"]);
        expect((await stack.cloudState()).messages.length).toBe(1);
        await stack.objectFaults();
        await expect.poll(() => state(stack, sc, old.id, late.id)).toEqual(["delivered", "delivered"]);
        expect((await stack.arrived(2)).length).toBe(2);
      },
    ],
  );
});

test("while a change spreads, what an old object does not take any more finds the new one", async () => {
  const [sc] = visitors;
  const late = pageView(sc);
  await acrossWith(
    { cloud },
    [
      { ...first, patience },
      async (stack) => {
        await stack.cloudFaults({ on: "deliver", do: "hold" });
        const call = await openDoor(stack);
        for (const object of ["main/g1/0", "main/g1/1"])
          expect((await call(object, "/handover", { web_id: sc })).status).toBe(200);
        expect(verdicts(await send(stack, late))).toEqual(["accepted"]);
        expect((await stack.cloudState()).messages.length).toBe(1);
      },
    ],
    [
      { ...second, patience },
      async (stack) => {
        await expect.poll(() => state(stack, sc, late.id)).toEqual(["delivered"]);
        expect((await stack.arrived(1)).length).toBe(1);
      },
    ],
  );
});
