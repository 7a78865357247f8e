// What pages call beside tracking: with tokens of the kit's, proofs of the shop's back end, and within
// what the settings open.
import { execFileSync } from "node:child_process";
import { createHmac } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, expect, test } from "@playwright/test";
import { browserArguments, executablePath } from "./kit.js";
import { Stack } from "./stack.js";

const SIGNING = "canary-signing-key/of+the=tests";
const IDENTITY = "canary-identity-key/of+the=tests";

const CALLS = {
  contact_fields: ["email", "phone", "firstName", "12345"],
  segments: ["Site"],
  form_type: "site",
  tokens: ["contact"],
  orders: true,
  events: ["callRequested"],
  proven_events: ["sizeChosen"],
};

let stack, browser;
test.describe.configure({ mode: "serial" });
test.beforeAll(async () => {
  const secrets = { KIT_SIGNING_KEY: SIGNING, KIT_IDENTITY_KEY: IDENTITY };
  stack = await Stack.start({ site: { calls: CALLS }, secrets });
  browser = await chromium.launch({ executablePath, args: browserArguments });
});
test.afterAll(async () => {
  await browser.close();
  await stack.stop();
});

const encode = (text) => Buffer.from(text).toString("base64url");

/** As the README shows it. */
const prove = (identity, { key = IDENTITY, lasts = 3600 } = {}) => {
  const exp = Math.floor(Date.now() / 1000) + lasts;
  const payload = encode(JSON.stringify({ ...identity, exp }));
  return payload + "." + createHmac("sha256", key).update(payload).digest("base64url");
};

const post = async (path, body, { origin = stack.shop } = {}) => {
  const answer = await fetch(stack.shop + "/k/" + path, {
    method: "POST",
    headers: origin ? { origin } : {},
    body: JSON.stringify(body),
  });
  return { status: answer.status, headers: answer.headers, ...(await answer.json()) };
};

const token = async (call, options) => (await post("t", { call }, options)).token;

/** A call as a page makes it, with a token of its own. */
const call = async (name, data, { proof, ...options } = {}) =>
  post("p/" + name, { token: await token(name), data, proof, ...options });

const received = async (since = 0) =>
  (await stack.json(`/requests?limit=100000&since=${since}`)).filter(({ operation }) => operation);

const last = async () => (await stack.json("/requests?limit=100000")).at(-1)?.seq ?? 0;

const arrived = async (operation, since, count = 1) => {
  const found = async () =>
    (await received(since)).filter((request) => request.operation == operation);
  await expect.poll(async () => (await found()).length).toBe(count);
  return (await found()).map(({ body }) => JSON.parse(body));
};

test("a page of the demo shop adds a contact and gets a token, by eS alone", async () => {
  const since = await last();
  const page = await browser.newPage();
  await page.goto(stack.shop + "/");
  const ask = (name, data) =>
    page.evaluate(
      ([name, data]) =>
        new Promise((resolve) => eS(name, data, (error, result) => resolve({ error, result }))),
      [name, data],
    );
  const added = await ask("addContact", { email: "page@shop.example" });
  expect(added).toEqual({ error: undefined, result: { accepted: true } });
  expect(await arrived("subscribeContact", since)).toEqual([
    {
      contact: { channels: [{ type: "email", value: "page@shop.example" }] },
      groups: ["Site"],
      formType: "site",
    },
  ]);
  const proof = prove({ id: "C-1", email: "page@shop.example" });
  const got = await ask("getToken", { kind: "contact", proof });
  expect(got.result).toEqual({ token: expect.stringMatching(/./) });

  await page.getByLabel("News from the mountains").fill("news@shop.example");
  await page.getByRole("button", { name: "Send me news" }).click();
  await expect(page.getByText("Please check your mail to confirm.")).toBeVisible();
  const [, { contact }] = await arrived("subscribeContact", since, 2);
  expect(contact.channels).toEqual([{ type: "email", value: "news@shop.example" }]);

  const heard = await page.evaluate(
    () =>
      new Promise((resolve) => {
        eS("on", "refused", ({ code, field }) => resolve({ code, field }));
        eS("addContact", { email: "a@shop.example", isAdmin: true });
      }),
  );
  expect(heard).toEqual({ code: "not_open", field: "isAdmin" });
  await page.close();
});

test("without a proof nobody learns whether an address is known", async () => {
  const known = { channels: [{ type: "email", value: "known@shop.example" }] };
  await stack.api("POST /v1/contact", known);
  await stack.platformSettings({ blacklist: ["black@shop.example"] });
  const since = await last();
  const answers = [];
  for (const name of ["known", "unknown", "black"]) {
    const { headers, ...answer } = await call("addContact", { email: name + "@shop.example" });
    answers.push({ ...answer, headers: [...headers].filter(([name]) => name != "date") });
  }
  expect(answers[0]).toMatchObject({ status: 202, accepted: true });
  expect(answers[1]).toEqual(answers[0]);
  expect(answers[2]).toEqual(answers[0]);
  await arrived("subscribeContact", since, 3);
  expect((await received(since)).map(({ operation }) => operation)).toEqual(
    Array(3).fill("subscribeContact"),
  );
});

test("with a proof a contact is written, and only with what the page gave", async () => {
  const since = await last();
  const proof = prove({ id: "C-7", email: "seven@shop.example" });
  const answer = await call("addContact", { firstName: "Seven", 12345: "writer" }, { proof });
  expect(answer).toMatchObject({ status: 202, accepted: true });
  expect(await arrived("contactsBulkUpdate", since)).toEqual([
    {
      contacts: [
        {
          firstName: "Seven",
          channels: [{ type: "email", value: "seven@shop.example" }],
          fields: [{ id: 12345, value: "writer" }],
          externalCustomerId: "C-7",
        },
      ],
      dedupeOn: "externalCustomerId",
      contactFields: ["firstName", "email", "externalCustomerId"],
      customFieldsIDs: [12345],
      groupNames: ["Site"],
    },
  ]);
});

test("a contact has the addresses that its proof names and no others", async () => {
  const since = await last();
  const proof = prove({ phone: "380507654321" });
  const answer = await call("addContact", { firstName: "Eight" }, { proof });
  expect(answer).toMatchObject({ status: 202, accepted: true });
  expect(await arrived("contactsBulkUpdate", since)).toMatchObject([
    {
      contacts: [{ firstName: "Eight", channels: [{ type: "sms", value: "380507654321" }] }],
      dedupeOn: "sms",
      contactFields: ["firstName", "sms"],
    },
  ]);
});

test("proofs made as the README shows are proofs", async () => {
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  // The other languages' code cannot run wherever the tests do; what they sign is the same text.
  const [, code] = /<summary>Node<\/summary>\s+```js\n(.*?)```/s.exec(readme);
  const folder = mkdtempSync(join(tmpdir(), "kit-proof-"));
  writeFileSync(join(folder, "proof.mjs"), code + "process.stdout.write(proof);");
  const env = { ...process.env, KIT_IDENTITY_KEY: IDENTITY };
  const proof = execFileSync(process.execPath, [join(folder, "proof.mjs")], { env }).toString();
  rmSync(folder, { recursive: true });
  const answer = await call("getToken", { kind: "contact" }, { proof });
  expect(answer).toMatchObject({ status: 200, data: { token: expect.any(String) } });
});

test("orders and events of a page go their way; whose they are, the proof says", async () => {
  let since = await last();
  const order = {
    externalOrderId: "O-1", totalCost: 10, status: "INITIALIZED",
    date: "2026-05-31T10:00:00Z", currency: "UAH",
  };
  const foreign = { email: "somebody@else.example", phone: "380501112233" };
  const buyer = { proof: prove({ id: "C-7" }) };
  expect(await call("addOrder", { ...order, ...foreign }, buyer)).toMatchObject({ status: 202 });
  const own = { externalCustomerId: "C-7" };
  const sent = async () => (await arrived("ordersBulkInsert", since)).map(({ orders }) => orders);
  expect(await sent()).toEqual([[{ ...order, ...own }]]);
  since = await last();
  const delivered = { ...order, status: "DELIVERED" };
  const named = { proof: prove({ id: "C-7", order: "O-1" }) };
  expect(await call("addOrder", delivered, named)).toMatchObject({ status: 202 });
  expect(await sent()).toEqual([[{ ...delivered, ...own }]]);
  const event = { eventTypeKey: "callRequested", params: [{ name: "phone", value: "380501234567" }] };
  expect(await call("generateEvent", event)).toMatchObject({ status: 202 });
  const proof = prove({ id: "C-7" });
  const chosen = {
    eventTypeKey: "sizeChosen",
    keyValue: "somebody else",
    params: { email: "somebody@else.example", size: 44 },
  };
  expect(await call("generateEvent", chosen, { proof })).toMatchObject({ status: 202 });
  const events = await arrived("registerEvent_1", since, 2);
  expect(events).toContainEqual(event);
  expect(events).toContainEqual({
    eventTypeKey: "sizeChosen",
    params: [{ name: "externalCustomerId", value: "C-7" }, { name: "size", value: 44 }],
  });
});

test("every refusal is a clear error, and nothing is passed on", async () => {
  const since = await last();
  const data = { email: "refused@shop.example" };
  const refused = async (answer) => {
    const { status, error } = await answer;
    return [status, error.code, error.field].filter((part) => part !== undefined && part !== "");
  };
  const send = (token, more) => post("p/addContact", { token, data, ...more });
  const good = await token("addContact");
  expect(await refused(post("p/addContact", { data }))).toEqual([403, "token_missing", "token"]);
  expect(await refused(send("x"))).toEqual([403, "token_invalid", "token"]);
  expect(await refused(send(good + "A"))).toEqual([403, "token_invalid", "token"]);
  for (let place = 0; place < good.length; place += 7) {
    const flipped = String.fromCharCode(good.charCodeAt(place) ^ 1);
    const changed = good.slice(0, place) + flipped + good.slice(place + 1);
    expect((await send(changed)).status, `bit ${place}`).toBe(403);
  }
  const sign = (payload, key) => {
    const text = encode(JSON.stringify(payload));
    return text + "." + createHmac("sha256", key).update(text).digest("base64url");
  };
  const payload = { s: "main", c: "addContact", o: stack.shop, x: Date.now() + 60_000, n: "n-1" };
  expect(await refused(send(sign(payload, "forged")))).toEqual([403, "token_invalid", "token"]);
  const expired = sign({ ...payload, x: Date.now() - 1 }, SIGNING);
  expect(await refused(send(expired))).toEqual([403, "token_expired", "token"]);
  for (const other of [{ s: "other" }, { o: "https://other.example" }, { c: "addOrder" }])
    expect(await refused(send(sign({ ...payload, ...other }, SIGNING)))).toEqual([
      403, "token_invalid", "token",
    ]);
  expect(await refused(post("t", { call: "addContact" }, { origin: "https://evil.example" }))).toEqual([
    403, "origin_not_allowed",
  ]);
  expect(await refused(post("p/addContact", { token: good, data }, { origin: "" }))).toEqual([
    403, "origin_not_allowed",
  ]);
  expect(await refused(post("t", { call: "deleteContact" }))).toEqual([400, "unknown_command", "call"]);

  const proofs = {
    "proof_invalid": ["x", prove({ id: "1" }, { key: "forged" }), prove({ id: "1" }).slice(0, -2) + "AA"],
    "expired": [prove({ id: "1" }, { lasts: -1 })],
    "out_of_range": [prove({ id: "1" }, { lasts: 90_000 })],
    "missing_field": [prove({}), prove({ id: " " })],
  };
  for (const [code, list] of Object.entries(proofs))
    for (const proof of list)
      expect((await refused(send(good, { proof })))[1], proof).toBe(code);
  const proof = prove({ email: "own@shop.example" });
  expect(await refused(send(good, { proof }))).toEqual([400, "conflict", "email"]);
  expect(await refused(send(good, { proof: prove({ id: "1" }) }))).toEqual([
    403, "proof_missing", "email",
  ]);
  expect(await refused(call("addContact", { firstName: "X" }, { proof: prove({ id: "1" }) }))).toEqual([
    400, "missing_field", "proof.email",
  ]);
  expect(await refused(call("addContact", { email: "a@b.example", firstName: "X" }))).toEqual([
    403, "proof_missing", "firstName",
  ]);
  expect(
    await refused(call("addContact", { email: "a@b.example", phone: "380501234567" })),
  ).toEqual([403, "proof_missing", "phone"]);
  expect(await refused(call("addContact", { email: "a@b.example", lastName: "X" }))).toEqual([
    403, "not_open", "lastName",
  ]);
  expect(await refused(call("addContact", {}))).toEqual([400, "missing_field", "email"]);
  expect(await refused(call("generateEvent", { eventTypeKey: "other", keyValue: "1" }))).toEqual([
    403, "not_open", "eventTypeKey",
  ]);
  expect(await refused(call("generateEvent", { eventTypeKey: "sizeChosen", keyValue: "1" }))).toEqual([
    403, "proof_missing", "proof",
  ]);
  const called = { eventTypeKey: "callRequested", keyValue: "1" };
  for (const beside of ["eventKey", "eventData", "email"])
    expect(await refused(call("generateEvent", { ...called, [beside]: "x" }))).toEqual([
      403, "not_open", beside,
    ]);
  for (const more of [{}, { proof: prove({ id: "1" }) }])
    expect(
      await refused(call("generateEvent", { ...called, params: { ContactJSON: "{}" } }, more)),
    ).toEqual([403, "not_open", "params.ContactJSON"]);
  expect(await refused(call("getToken", { kind: "contact" }))).toEqual([403, "proof_missing", "proof"]);
  expect(await refused(call("getToken", { kind: "event" }, { proof: prove({ id: "1" }) }))).toEqual([
    400, "unknown_value", "kind",
  ]);
  const order = { externalOrderId: "O-1", status: "DELIVERED" };
  expect(await refused(call("addOrder", { ...order, status: "INITIALIZED" }))).toEqual([
    403, "proof_missing", "proof",
  ]);
  expect(await refused(call("addOrder", order, { proof: prove({ id: "1" }) }))).toEqual([
    403, "proof_missing", "status",
  ]);
  const another = prove({ id: "1", order: "O-2" });
  expect(await refused(call("addOrder", order, { proof: another }))).toEqual([
    400, "conflict", "externalOrderId",
  ]);
  expect(await received(since)).toEqual([]);

  expect(await send(good)).toMatchObject({ status: 202 });
  expect(await refused(send(good))).toEqual([403, "token_used", "token"]);
  await arrived("subscribeContact", since);
  await stack.order("kill-worker");
  await stack.order("start-worker");
  expect(await refused(send(good))).toEqual([403, "token_used", "token"]);
});

test("calls that the shop has not opened say so", async () => {
  const plain = await Stack.start();
  try {
    const answer = await fetch(plain.shop + "/k/t", {
      method: "POST",
      headers: { origin: plain.shop },
      body: '{"call":"addContact"}',
    });
    expect(answer.status).toBe(403);
    expect((await answer.json()).error.code).toBe("not_open");
  } finally {
    await plain.stop();
  }
});

test("no key is in any answer, log, file or row, in whatever form", async () => {
  const forms = (text) => [text, encodeURIComponent(text), ...bases(text)];
  // Base64 at each of its three alignments, without what neighbours change.
  const bases = (text) =>
    [0, 1, 2].map((shift) =>
      Buffer.from("\0".repeat(shift) + text).toString("base64").slice(shift ? 4 : 0, -4),
    );
  const secrets = [stack.api_key, SIGNING, IDENTITY, stack.server_token].flatMap(forms);
  const clean = (what, text) => {
    for (const secret of secrets) expect(text.includes(secret), `${what}: ${secret}`).toBe(false);
  };
  // The platform repeats what it was sent, the key among it.
  const key = Buffer.from("kit:" + stack.api_key).toString("base64");
  const echo = JSON.stringify({ message: `Basic ${key} (${stack.api_key})` });
  await stack.faults([{ status: 400, body: echo, count: 1, match: { path: "/api/v1/version" } }]);
  clean("echo", JSON.stringify(await stack.api("GET /v1/version")));
  await stack.faults();
  for (const path of ["health", "kit.js", "api/v1/account/info", "contacts", "t", "p/addContact"]) {
    const answer = await fetch(stack.kit + "/k/" + path);
    clean(path, (await answer.text()) + JSON.stringify([...answer.headers]));
  }
  const files = (folder) =>
    readdirSync(folder).flatMap((name) => {
      const path = join(folder, name);
      return statSync(path).isDirectory() ? files(path) : [path];
    });
  const seen = files(stack.folder).filter((path) => !path.endsWith("config.capnp"));
  for (const name of ["worker.log", "platform.sqlite", "index_bg.wasm"])
    expect(seen.some((path) => path.endsWith(name)), name).toBe(true);
  for (const path of seen) clean(path, readFileSync(path, "latin1"));
});
