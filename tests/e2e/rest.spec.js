// The platform's REST API through the Worker: every operation, who may call it, what is refused, and
// how the limits of the platform are kept.
import { readFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { expect, test } from "@playwright/test";
import { calls, fill } from "./rest-table.js";
import { Stack } from "./stack.js";

const openapi = JSON.parse(readFileSync(new URL("../data/openapi.json", import.meta.url)));

const TOKENS = {
  settings: {
    tokens: { reader: { scopes: ["contacts"] }, writer: { scopes: ["events", "orders", "tracker"] } },
  },
  secrets: {
    KIT_TOKEN_READER: "reader-token-number-1 reader-token-number-2",
    KIT_TOKEN_WRITER: "writer-token-number-1 short",
  },
};

let stack;
test.describe.configure({ mode: "serial" });
test.beforeAll(async () => {
  const { tokens } = TOKENS.settings;
  stack = await Stack.start({
    settings: { tokens },
    secrets: TOKENS.secrets,
  });
});
test.afterAll(() => stack.stop());
test.afterEach(() => stack.faults());

/** What the platform has got of the REST API since `seq`. */
const received = async (since = 0) =>
  (await stack.json(`/requests?limit=100000&since=${since}`)).filter(({ operation }) => operation);

const last = async () => (await stack.json("/requests?limit=100000")).at(-1)?.seq ?? 0;

test("every operation of the platform is made through the Worker and read", async () => {
  test.setTimeout(120_000);
  const names = {};
  for (const [call, body, kept = {}] of calls) {
    const given = fill(call, names);
    const answer = await stack.api(given, fill(body, names));
    expect(answer, given).toMatchObject({ status: 200 });
    expect(answer.warnings, given).toBeUndefined();
    expect("data" in answer, given).toBe(true);
    for (const [name, path] of Object.entries(kept))
      names[name] = path.split(".").reduce((value, key) => value[key], answer.data);
  }
  const made = new Set((await received()).map(({ operation }) => operation));
  const documented = Object.values(openapi.paths).flatMap((methods) =>
    Object.values(methods).map(({ operationId }) => operationId),
  );
  expect(documented.filter((id) => !made.has(id))).toEqual([]);
  expect((await received()).filter(({ verdict }) => verdict == "refused")).toEqual([]);
});

test("answers are clean JSON, whatever the platform sends", async () => {
  const { data } = await stack.api("POST /v1/contact", {
    channels: [{ type: "email", value: "clean@shop.example" }],
  });
  expect(data).toEqual({ id: expect.any(Number) });
  const updated = await stack.api(`PUT /v1/contact/${data.id}`, { lastName: "Clean" });
  expect(updated.data).toBe(`Contact with id='${data.id}' has been updated`);
  const books = await stack.api("GET /v1/addressbooks");
  expect(Array.isArray(books.data.addressBook)).toBe(true);
  const emails = await stack.api(`GET /v1/contacts/email?ids=${data.id}`);
  expect(emails.data.results).toEqual([{ contactId: data.id, email: "clean@shop.example" }]);
  const found = await stack.api("GET /v1/contacts?email=clean@shop.example");
  expect(found.total).toBe(1);
  expect(found.data).toHaveLength(1);
  const event = { eventTypeKey: "clean", keyValue: "1" };
  expect((await stack.api("POST /v2/event", event)).data).toBeNull();
});

test("tokens open their chapters and nothing else", async () => {
  const before = await last();
  const ask = async (token, call, body) => {
    const { status, error } = await stack.api(call, body, { token });
    return [status, error?.code];
  };
  const event = { eventTypeKey: "token", keyValue: "1" };
  const contacts = "GET /v1/contacts?maxrows=1";
  for (const token of ["", "x", "reader-token-number", "reader-token-number-11", "short"])
    expect(await ask(token, contacts), token).toEqual([401, "unauthorised"]);
  expect(await ask("", "GET /v1/nothing")).toEqual([401, "unauthorised"]);
  for (const token of ["reader-token-number-1 reader-token-number-2", "reader-token-number-1 "])
    expect(await ask(token, contacts), token).toEqual(
      token.trim() == "reader-token-number-1" ? [200, undefined] : [401, "unauthorised"],
    );
  expect(await ask("writer-token-number-1", contacts)).toEqual([403, "scope_missing"]);
  expect(await ask("reader-token-number-1", "POST /v2/event", event)).toEqual([403, "scope_missing"]);
  expect(await ask("writer-token-number-1", "GET /v1/nothing")).toEqual([404, "unknown_operation"]);
  expect((await received(before)).map(({ operation }) => operation)).toEqual(["searchContacts"]);

  for (const token of ["reader-token-number-1", "reader-token-number-2"])
    expect(await ask(token, contacts)).toEqual([200, undefined]);
  expect(await ask("writer-token-number-1", "POST /v2/event", event)).toEqual([200, undefined]);
  expect(await ask(stack.server_token, "GET /v1/version")).toEqual([200, undefined]);
});

test("what the platform would refuse never leaves, and says everything that is wrong", async () => {
  const before = await last();
  const refused = async (call, body) => {
    const { status, error } = await stack.api(call, body);
    return { status, code: error.code, field: error.field, count: error.problems?.length ?? 1 };
  };
  expect(await refused("POST /v1/orders", { orders: [{}] })).toEqual({
    status: 400, code: "missing_field", field: "orders[0].externalOrderId", count: 6,
  });
  expect(await refused("POST /v2/event", '{"eventTypeKey": site@shop}')).toMatchObject({
    status: 400, code: "invalid_body",
  });
  expect(await refused("PUT /v1/contacts", {})).toMatchObject({
    status: 405, code: "method_not_allowed",
  });
  expect(await refused("GET /v1/contact/%2e%2e%2faccount", undefined)).toMatchObject({
    status: 400, code: "wrong_type", field: "id",
  });
  expect(await refused("GET /v1/contact/token/a%2Fb/../contactId", undefined)).toMatchObject({
    status: 404,
  });
  const huge = JSON.stringify({ contacts: ["x".repeat(5 * 1024 * 1024)] });
  expect(await refused("POST /v1/contacts", huge)).toMatchObject({ status: 413, code: "too_long" });
  expect(await received(before)).toEqual([]);
});

test("parts of an address stay parts of it", async () => {
  const before = await last();
  await stack.api("GET /v1/importstatus/a%2F..%2F..%2Faccount%2Finfo%3Fx%3D1");
  const [{ path, operation }] = await received(before);
  expect(operation).toBe("getImportSessionStatus");
  expect(path).toBe("/api/v1/importstatus/a%2F..%2F..%2Faccount%2Finfo%3Fx%3D1");
});

test("lists that are too long are refused, or sent in parts on request", async () => {
  const contact = (n) => ({ channels: [{ type: "email", value: `split${n}@shop.example` }] });
  const body = { contacts: Array.from({ length: 3001 }, (_, n) => contact(n)), dedupeOn: "email" };
  const { status, error } = await stack.api("POST /v1/contacts", body);
  expect([status, error.code, error.field]).toEqual([400, "too_many", "contacts"]);
  const before = await last();
  const answer = await stack.api("POST /v1/contacts", body, { headers: { "kit-split": "true" } });
  expect(answer).toMatchObject({ status: 200, parts: 2, parts_done: 2 });
  expect(answer.data.map(({ asyncSessionId }) => typeof asyncSessionId)).toEqual(["string", "string"]);
  const sent = (await received(before)).map(({ body }) => JSON.parse(body).contacts.length);
  expect(sent).toEqual([3000, 1]);
});

test("the same call within a minute is done already", async () => {
  const contact = { channels: [{ type: "email", value: "twice@shop.example" }] };
  expect(await stack.api("POST /v1/contact", contact)).toMatchObject({ status: 200 });
  const again = await stack.api("POST /v1/contact", contact);
  expect(again).toMatchObject({ status: 200, data: null, already_done: true });
});

test("failures of the platform are told with its words, and whether to try again", async () => {
  const path = "/api/v1/account";
  const fault = async (fault, call = "GET /v1/account/info", body) => {
    await stack.faults([{ count: 1, match: { path }, ...fault }]);
    return stack.api(call, body);
  };
  const ask = async (...rest) => {
    const { status, error } = await fault(...rest);
    return { status, ...error };
  };
  expect(await ask({ status: 500, body: "broken" })).toMatchObject({
    status: 502, code: "failed", message: "broken", platform_status: 500, may_be_done: true,
    repeat_after_ms: expect.any(Number),
  });
  expect(await ask({ status: 404, body: '{"message": "none"}' })).toMatchObject({
    status: 404, code: "not_found", message: "none",
  });
  // The runtime tries once more by itself where a connection that it kept ends.
  expect(await ask({ drop: "before", count: 5 })).toMatchObject({ status: 504, code: "unreachable" });
  expect(await ask({ redirect: stack.platform + "/elsewhere" })).toMatchObject({
    status: 502, code: "redirected",
  });
  expect(await ask({ status: 200, body: "<html>" })).toMatchObject({ status: 502, code: "unreadable" });
  const send = { from: "a@b.com", subject: "A once", htmlText: "A", emails: ["a@shop.example"] };
  await stack.faults([{ count: 1, match: { path: "/api/v1/message" }, drop: "after" }]);
  const { error } = await stack.api("POST /v1/message/email", send);
  expect(error).toMatchObject({ code: "unreachable", may_be_done: true });
  expect(error.repeat_after_ms, "twice would be two messages").toBeUndefined();
  const sent = (await received()).filter(({ operation }) => operation == "sendEmail");
  expect(sent.filter(({ body }) => JSON.parse(body).subject == "A once")).toHaveLength(1);
});

test("the platform's wish to be left alone holds, and then the call is made", async () => {
  await stack.faults([{ status: 429, retry_after: "1", count: 1, match: { path: "/api/v1/version" } }]);
  const begun = Date.now();
  const answer = await stack.api("GET /v1/version");
  expect(answer.status).toBe(200);
  expect(Date.now() - begun).toBeGreaterThanOrEqual(1000);
});

test("with 150 ms of jitter no second at the platform is over a limit", async () => {
  test.setTimeout(120_000);
  const round = async () => {
    await stack.json("/requests", { method: "DELETE" });
    await stack.faults([{ jitter_ms: 150, match: { path: "/api/v1/contacts" } }]);
    const stalls = monitorEventLoopDelay({ resolution: 5 });
    stalls.enable();
    const answers = await Promise.all(
      Array.from({ length: 150 }, () => stack.api("GET /v1/contacts?maxrows=1")),
    );
    stalls.disable();
    const { pools } = await stack.json("/stats");
    return { answers, pool: pools["GET /v1/contacts"], stall: stalls.max / 1e6 };
  };
  let last = await round();
  // A machine that stands still makes calls later than what is injected; such a round says nothing.
  for (let again = 0; again < 4 && last.pool.limited > 0 && last.stall > 50; again++)
    last = await round();
  const { answers, pool } = last;
  const taken = answers.filter(({ status }) => status == 200).length;
  const full = answers.filter(({ status, error }) => status == 429 && error.repeat_after_ms > 0);
  expect(taken + full.length, "every caller is answered").toBe(150);
  expect(taken, "calls that had room").toBeGreaterThan(100);
  expect(pool.limited, "calls that the platform had no room for").toBe(0);
  expect(pool.max_per_second).toBeLessThanOrEqual(50);
  expect(pool.requests).toBe(taken);
});

test("a platform that keeps failing is left alone for a while", async () => {
  await stack.faults([{ status: 500, match: { path: "/api/v1/balance" } }]);
  for (let count = 0; count < 5; count++) await stack.api("GET /v1/balance");
  const before = await last();
  const { status, error } = await stack.api("GET /v1/balance");
  expect([status, error.code, error.platform_status]).toEqual([502, "failed", undefined]);
  expect(error.may_be_done).toBeUndefined();
  expect(await received(before)).toEqual([]);
  await stack.faults();
  await expect
    .poll(async () => (await stack.api("GET /v1/balance")).status)
    .toBe(200);
});

test("a key that the platform refuses stops all calls, and the log says so", async () => {
  await stack.platformSettings({ api_keys: ["another-key-1"] });
  const { status, error } = await stack.api("GET /v1/version");
  expect([status, error.code, error.platform_status]).toEqual([502, "unauthorized", 401]);
  const before = await last();
  const held = await stack.api("GET /v1/balance");
  expect([held.error.code, held.error.platform_status]).toEqual(["unauthorized", undefined]);
  expect(await received(before)).toEqual([]);
  const log = readFileSync(stack.folder + "/worker.log", "utf8");
  expect(log).toContain("KIT_API_KEY is refused for getVersionV1 (401)");
  await stack.platformSettings({ api_keys: [stack.api_key] });
});
