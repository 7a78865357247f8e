// Contacts and orders that the shop's server hands in one by one, and that go to the platform in bulk.
import { expect, test } from "@playwright/test";
import { Stack } from "./stack.js";

let stack;
test.describe.configure({ mode: "serial" });
test.beforeEach(async () => {
  stack = await Stack.start();
});
test.afterEach(() => stack.stop());

/** Calls that the platform got of an operation. */
const calls = async (operation) =>
  (await stack.json("/requests?limit=100000")).filter((request) => request.operation == operation);

const hand = async (kind, body, { query = "", headers = {}, token = stack.server_token } = {}) => {
  const answer = await fetch(`${stack.kit}/k/${kind}${query}`, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: "Bearer " + token, ...headers },
    body: body && JSON.stringify(body),
  });
  return { status: answer.status, ...(await answer.json()) };
};

const person = (n, more) => ({
  channels: [{ type: "email", value: `person${n}@shop.example` }],
  ...more,
});

const order = (n, more) => ({
  externalOrderId: "O-" + n,
  externalCustomerId: "C-" + n,
  totalCost: 1.5,
  status: "INITIALIZED",
  date: "2026-05-31T10:00:00Z",
  currency: "UAH",
  ...more,
});

const add = (contact, more) => ({ contact, dedupeOn: "email", ...more });

test("contacts that come one by one go in one request, and each learns its id", async () => {
  const handed = await Promise.all(
    Array.from({ length: 20 }, (_, n) => hand("contacts", add(person(n)), { query: "?wait=20" })),
  );
  expect(handed.map(({ status }) => status)).toEqual(Array(20).fill(202));
  const results = handed.flatMap(({ results }) => results);
  expect(results).toEqual(
    Array(20).fill({ id: expect.any(String), state: "done", contact_id: expect.any(Number) }),
  );
  const sent = await calls("contactsBulkUpdate");
  expect(sent.map(({ body }) => JSON.parse(body).contacts.length)).toEqual([20]);
  const stored = await stack.json("/contacts");
  expect(new Set(stored.map(({ id }) => id))).toEqual(new Set(results.map((r) => r.contact_id)));
});

test("what the platform refuses of them has its reason, and costs nobody else anything", async () => {
  const handed = await hand("contacts", { contacts: [person(1), person(2, { firstName: "x".repeat(41) })] });
  expect(handed).toMatchObject({ status: 400, error: { code: "too_long", field: "contacts[1].firstName" } });
  const body = {
    contacts: [person(1), { ...person(2), fields: [{ id: 999, value: "no such field" }] }, person(3)],
    dedupeOn: "email",
  };
  const { status, results } = await hand("contacts", body, { query: "?wait=20" });
  expect(status).toBe(202);
  expect(results.map(({ state }) => state)).toEqual(["done", "failed", "done"]);
  expect(results[1].message).toContain("999");
  expect((await stack.json("/contacts?count=1")).count).toBe(2);
});

test("other options are another request; the same contact twice keeps its order", async () => {
  const options = { groupNames: ["Buyers"] };
  const wait = { query: "?wait=20" };
  const handed = await Promise.all([
    hand("contacts", add(person(1)), wait),
    hand("contacts", add(person(2), options), wait),
    hand("contacts", add(person(3), options), wait),
  ]);
  expect(handed.flatMap(({ results }) => results.map(({ state }) => state))).toEqual(
    Array(3).fill("done"),
  );
  const sent = (await calls("contactsBulkUpdate")).map(({ body }) => JSON.parse(body));
  expect(sent.map(({ contacts }) => contacts.length).sort()).toEqual([1, 2]);
  // The import of the first is under way while the second comes.
  await stack.platformSettings({ import_ms: 3000 });
  const first = hand("contacts", add(person(9, { firstName: "Before" })), wait);
  await expect.poll(async () => (await calls("contactsBulkUpdate")).length).toBe(3);
  const second = await hand("contacts", add(person(9, { firstName: "After" })), wait);
  expect([(await first).results[0].state, second.results[0].state]).toEqual(["done", "done"]);
  const stored = (await stack.json("/contacts")).filter(({ contact, ...rest }) =>
    JSON.stringify(contact ?? rest).includes("person9@"),
  );
  expect(stored).toHaveLength(1);
  expect(JSON.stringify(stored[0])).toContain("After");
});

test("an id makes it once, and says later what has become of it", async () => {
  const id = "01900000-0000-7000-8000-000000000001";
  const headers = { "idempotency-key": id };
  for (let count = 0; count < 3; count++)
    expect(await hand("contacts", add(person(1)), { headers })).toMatchObject({
      status: 202, results: [{ id, state: "waiting" }],
    });
  await expect
    .poll(async () => (await hand("contacts", undefined, { query: "?ids=" + id })).results)
    .toEqual([{ id, state: "done", contact_id: expect.any(Number) }]);
  const [{ body }] = await calls("contactsBulkUpdate");
  expect(JSON.parse(body).contacts).toHaveLength(1);
  const none = "01900000-0000-7000-8000-000000000002";
  const { results } = await hand("contacts", undefined, { query: "?ids=" + none });
  expect(results).toEqual([{ id: none, state: "unknown" }]);
  expect((await hand("contacts", add(person(1)), { token: "x" })).status).toBe(401);
});

test("an id for something else, and one that is none, are refused", async () => {
  const headers = { "idempotency-key": "01900000-0000-7000-8000-000000000003" };
  expect((await hand("contacts", add(person(1)), { headers })).status).toBe(202);
  expect(await hand("contacts", add(person(2)), { headers })).toMatchObject({
    status: 422, error: { code: "conflict", field: "idempotency-key" },
  });
  const none = { "idempotency-key": "order-1" };
  expect(await hand("contacts", add(person(1)), { headers: none })).toMatchObject({
    status: 400, error: { code: "invalid_body", field: "idempotency-key" },
  });
  const query = "?ids=" + encodeURIComponent(`${headers["idempotency-key"]},${headers["idempotency-key"]}`);
  expect((await hand("contacts", undefined, { query })).results).toHaveLength(2);
  for (const query of ["", "?ids=", "?ids=order-1"])
    expect((await hand("contacts", undefined, { query })).status, query).toBe(400);
});

test("who waits for an earlier one holds up nobody else", async () => {
  // Longer than all that comes before it is looked at, on any machine.
  await stack.platformSettings({ import_ms: 20_000 });
  const first = await hand("contacts", add(person(1)));
  await expect.poll(async () => (await calls("contactsBulkUpdate")).length).toBe(1);
  const second = await hand("contacts", add(person(1, { firstName: "Again" })));
  const third = await hand("contacts", add(person(2)));
  await expect.poll(async () => (await calls("contactsBulkUpdate")).length).toBe(2);
  const [, { body }] = await calls("contactsBulkUpdate");
  expect(JSON.parse(body).contacts).toEqual([person(2)]);
  const ids = [first, second, third].map(({ results }) => results[0].id).join();
  const states = async () =>
    (await hand("contacts", undefined, { query: "?ids=" + ids })).results.map(({ state }) => state);
  expect(await states()).toEqual(["sent", "waiting", "sent"]);
  await stack.platformSettings({ import_ms: 100 });
  await expect.poll(states, { timeout: 60_000 }).toEqual(["done", "done", "done"]);
});

test("one that the platform fails on is found, and the others arrive", async () => {
  const one = (n, more) => person(n, more);
  const contacts = [one(1), one(2, { externalCustomerId: "fails" }), one(3), one(4)];
  // Refused as a whole, without a word on whom it is about.
  const match = { path: "/api/v1/contacts", method: "POST" };
  await stack.faults([{ status: 400, body: "bad request", count: 2, match }]);
  const { results } = await hand("contacts", { contacts, dedupeOn: "email" }, { query: "?wait=40" });
  expect(results.map(({ state }) => state)).toEqual(["done", "done", "done", "done"]);
  const sizes = (await calls("contactsBulkUpdate")).map(({ body }) => JSON.parse(body).contacts.length);
  expect(sizes.sort()).toEqual([1, 1, 2, 2, 4]);
  expect((await stack.json("/contacts?count=1")).count).toBe(4);
});

test("orders go in bulk too, and are settled at once", async () => {
  const handed = await Promise.all(
    [1, 2, 3].map((n) => hand("orders", { order: order(n) }, { query: "?wait=20" })),
  );
  expect(handed.flatMap(({ results }) => results.map(({ state }) => state))).toEqual(
    Array(3).fill("done"),
  );
  expect((await calls("ordersBulkInsert")).map(({ body }) => JSON.parse(body).orders.length)).toEqual([3]);
  expect(await stack.json("/orders")).toHaveLength(3);
  const wrong = await hand("orders", { order: order(4, { currency: "money" }) });
  expect(wrong).toMatchObject({ status: 400, error: { code: "unknown_value", field: "orders[0].currency" } });
});

test("nothing is lost over failures, limits, and a killed Worker", async () => {
  const path = "/api/v1/contacts";
  await stack.faults([
    { status: 500, count: 1, match: { path } },
    { status: 429, retry_after: "1", count: 1, match: { path } },
    { drop: "after", count: 1, match: { path } },
  ]);
  const ids = [];
  for (let n = 0; n < 30; n++) {
    const { status, results } = await hand("contacts", add(person(n)));
    expect(status).toBe(202);
    ids.push(results[0].id);
    if (n == 20) {
      await stack.order("kill-worker");
      await stack.order("start-worker");
    }
  }
  const query = "?ids=" + ids.join();
  await expect
    .poll(
      async () => {
        const { results } = await hand("contacts", undefined, { query });
        return results.filter(({ state }) => state == "done").length;
      },
      { timeout: 40_000 },
    )
    .toBe(30);
  expect((await stack.json("/contacts?count=1")).count).toBe(30);
});

test("an import that fails is sent again, and after three times told as failed", async () => {
  await stack.platformSettings({ import_error: "out of order" });
  const { results } = await hand("contacts", add(person(1)), { query: "?wait=50" });
  expect(results).toEqual([{ id: expect.any(String), state: "failed", message: "out of order" }]);
  expect(await calls("contactsBulkUpdate")).toHaveLength(3);
});

for (const [weather, storm] of [["", false], [", through refusals and a killed Worker too", true]])
  test(`10,000 contacts that come within seconds are five requests, and each arrives once${weather}`, async () => {
    test.setTimeout(300_000);
    if (storm)
      await stack.faults([{ status: 429, retry_after: "2", count: 4, match: { path: "/api/v1/contacts" } }]);
    const ids = Array.from(
      { length: 10_000 },
      (_, n) => `01900000-0000-7000-8000-${String(n).padStart(12, "0")}`,
    );
    let next = 0;
    const start = performance.now();
    const work = async () => {
      while (next < ids.length) {
        const n = next++;
        if (storm && n == 4000) {
          await stack.order("kill-worker");
          await stack.order("start-worker");
        }
        const headers = { "idempotency-key": ids[n] };
        for (;;) {
          // Who gets no answer asks again, under the same id.
          const answer = await hand("contacts", add(person(n)), { headers }).catch(() => {});
          if (answer?.status == 202) break;
          expect(storm, "every call is answered").toBe(true);
          await new Promise((resolve) => setTimeout(resolve, 200));
        }
      }
    };
    await Promise.all(Array.from({ length: 50 }, work));
    // A request waits two seconds for more. A machine on which handing in takes longer needs some of the more.
    const most = Math.max(5, 1 + Math.ceil((performance.now() - start) / 2000));
    const states = async () => {
      const count = {};
      for (let from = 0; from < ids.length; from += 500) {
        const query = "?ids=" + ids.slice(from, from + 500).join();
        const { results } = await hand("contacts", undefined, { query });
        for (const { state } of results) count[state] = (count[state] ?? 0) + 1;
      }
      return count;
    };
    await expect.poll(states, { timeout: 120_000, intervals: [1000] }).toEqual({ done: 10_000 });
    const taken = (await calls("contactsBulkUpdate")).filter(({ verdict }) => verdict == "accepted");
    expect(taken.length).toBeLessThanOrEqual(most);
    expect((await stack.json("/contacts?count=1")).count).toBe(10_000);
  });
