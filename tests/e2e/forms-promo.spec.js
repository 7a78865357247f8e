// Promo codes of the platform for those who subscribe: one for each contact, handed on by an event whose
// workflow mails it; and the other kind, alike to all, which the page shows.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@playwright/test";
import { Stack } from "./stack.js";

const KIND = "WELCOME";
const EVENT = "welcomeCode";
const UNTIL = "2099-01-01";

const form = {
  min_seconds: 0,
  limits: { contact_per_day: 100, contact_pause_minutes: 0, address_per_ten_minutes: 1000 },
  pages: [{ fields: [{ kind: "email", required: true }] }],
};
const promo_code = { kind: KIND, event: EVENT };
const FORMS = {
  welcome: { ...form, promo_code },
  other: { ...form, promo_code },
  alike: { ...form, thanks: { code: "SALE10" } },
};

let stack;
test.describe.configure({ mode: "serial" });
test.beforeEach(async () => {
  stack = await Stack.start({
    site: { forms: Object.keys(FORMS) },
    settings: { forms: FORMS },
    secrets: { KIT_SIGNING_KEY: "signing-key-of-the-promo-codes" },
  });
});
test.afterEach(() => stack.stop());

let count = 0;
const post = async (path, body, headers = {}) => {
  const ip = `10.0.${++count >> 8}.${count & 255}`;
  const answer = await fetch(stack.shop + "/k/" + path, {
    method: "POST",
    headers: { origin: stack.shop, "cf-connecting-ip": ip, ...headers },
    body: typeof body == "string" ? body : JSON.stringify(body),
  });
  return { status: answer.status, text: await answer.text() };
};

/** Fills a form in, as a page does. */
const submit = async (id, email) => {
  const { token } = JSON.parse((await post("t", { call: "form:" + id })).text);
  return post("forms/" + id, { token, data: { email } });
};

const upload = (codes, more) =>
  stack.api("POST /v1/promocodes", {
    promocodes: codes, expirationDate: UNTIL, discount: 10, type: KIND, inUse: false, ...more,
  });

/** What the platform has of each code. */
const codes = async () => {
  const { data } = await stack.api("GET /v1/promocodes?type=" + KIND);
  return Object.fromEntries(data.map(({ code, ...more }) => [code, more]));
};

const calls = async (operation) =>
  (await stack.json("/requests?limit=100000")).filter((request) => request.operation == operation);

/** Who was handed which code, in the order in which the platform took it. */
const handed = async () => {
  const events = (await calls("registerEvent_1")).filter(({ status }) => status == 200);
  return events.map(({ body }) => {
    const { eventTypeKey, params } = JSON.parse(body);
    expect(eventTypeKey).toBe(EVENT);
    const of = (name) => params.find((param) => param.name == name)?.value;
    return [of("email"), of("promoCode")];
  });
};

/** The codes that the kit told the platform to be used. */
const told = async () =>
  (await calls("insertPromoCodes_1")).flatMap(({ body }) => {
    const { promocodes, inUse } = JSON.parse(body);
    return inUse ? promocodes : [];
  });

const health = async () => (await (await fetch(stack.kit + "/k/health")).json()).promo;
const long = { timeout: 40_000 };
/** Waits until nothing is on its way any more. */
const atRest = () => expect.poll(health, long).toEqual({ waiting: 0, dead: 0 });

const queue = async (what, method = "GET") => {
  const headers = { authorization: "Bearer " + stack.server_token };
  return (await fetch(stack.kit + "/k/" + what, { method, headers })).json();
};

test("twenty at once get a code each, who comes again gets none, and the twenty-first waits for the shop", async () => {
  test.setTimeout(120_000);
  const given = Array.from({ length: 20 }, (_, n) => "CODE-" + n);
  await upload(given);
  const people = given.map((_, n) => `person${n}@shop.example`);
  const answers = await Promise.all(people.map((email) => submit("welcome", email)));
  await expect.poll(async () => (await handed()).length, long).toBe(20);
  const first = await handed();
  expect(first.map(([email]) => email).sort()).toEqual([...people].sort());
  expect(first.map(([, code]) => code).sort()).toEqual([...given].sort());
  await atRest();
  expect((await told()).sort()).toEqual([...given].sort());
  for (const more of Object.values(await codes()))
    expect(more).toEqual({ expirationDate: UNTIL, discount: 10, inUse: true, type: KIND });

  // The same person once more, also by another form, and in other letters.
  answers.push(await submit("welcome", people[0]));
  answers.push(await submit("other", people[1].replace("person", "Person")));
  answers.push(await submit("welcome", "late@shop.example"));
  await expect.poll(health, long).toEqual({ waiting: 1, dead: 0, trouble: "no_code_left" });
  expect(await handed()).toHaveLength(20);
  await upload(["CODE-20"]);
  await atRest();
  // Whoever came again came before that one, and would have been served first.
  expect((await handed()).slice(20)).toEqual([["late@shop.example", "CODE-20"]]);

  // What pages hear is the same for all, and nothing of a code.
  for (const { status, text } of answers) {
    expect(status).toBe(202);
    expect(Object.keys(JSON.parse(text))).toEqual(["accepted", "state"]);
  }
  for (const path of ["forms.json", "forms/welcome.json", "forms/welcome", "health"]) {
    const text = await (await fetch(stack.shop + "/k/" + path)).text();
    for (const secret of [KIND, EVENT, "CODE-"]) expect(text.includes(secret), path).toBe(false);
  }
  const log = readFileSync(join(stack.folder, "worker.log"), "latin1");
  for (const secret of ["CODE-", "@shop.example"]) expect(log.includes(secret)).toBe(false);
});

for (const [step, operation, method, path] of [
  ["the subscription is on its way", "subscribeContact", "POST", "/api/v1/contact/subscribe"],
  ["the list is on its way", "getPromocodes", "GET", "/api/v1/promocodes"],
  ["the platform is told", "insertPromoCodes_1", "POST", "/api/v1/promocodes"],
  ["the event is on its way", "registerEvent_1", "POST", "/api/v2/event"],
])
  test(`a Worker that is killed while ${step} gives the same code to the same person`, async () => {
    await upload(["A", "B", "C"]);
    const before = (await calls(operation)).length;
    // The platform does it, and its answer comes when nobody waits any more.
    await stack.faults({ delay_ms: 30_000, match: { path, method } });
    expect((await submit("welcome", "one@shop.example")).status).toBe(202);
    await expect.poll(async () => (await calls(operation)).length, long).toBe(before + 1);
    await stack.order("kill-worker");
    await stack.faults();
    await stack.order("start-worker");
    expect((await submit("welcome", "two@shop.example")).status).toBe(202);
    await expect.poll(async () => new Set((await handed()).map(([email]) => email)).size, long).toBe(2);
    await atRest();
    const each = new Map(await handed());
    // An event may be there twice, since nobody knows that it arrived: it is the same one.
    expect(new Set((await handed()).map(String)).size).toBe(2);
    expect([...each.values()].sort()).toEqual(["A", "B"]);
    expect([...new Set(await told())].sort()).toEqual(["A", "B"]);
    const used = Object.entries(await codes()).filter(([, { inUse }]) => inUse);
    expect(used.map(([code]) => code).sort()).toEqual(["A", "B"]);
  });

test("what has failed for good is listed with its reason, and goes on when it is tried again", async () => {
  await upload(["A", "B"]);
  const subscribed = async (email) => expect((await submit("welcome", email)).status).toBe(202);
  // First the code, then the event is refused; then a code is told after silence.
  await stack.faults([
    { status: 400, body: "no such type", count: 1, match: { path: "/api/v1/promocodes", method: "POST" } },
    { status: 400, body: "no such event", count: 1, match: { event: EVENT } },
  ]);
  await subscribed("one@shop.example");
  const dead = async () => (await queue("dead")).promo.dead;
  const mark = {
    id: 1, at: expect.any(Number), type: KIND, code: "mark_failed", reason: "refused (400): no such type",
    promo_code: "A", event: EVENT, email: "one@shop.example",
  };
  await expect.poll(dead, long).toEqual([mark]);
  expect(await health()).toEqual({ waiting: 0, dead: 1 });
  expect(await queue("replay?object=promo", "POST")).toEqual({ promo: { replayed: 1, left: 0 } });
  await expect.poll(dead, long).toEqual([{ ...mark, code: "event_failed", reason: "no such event" }]);
  expect((await fetch(stack.kit + "/k/dead")).status).toBe(401);
  // Whoever comes again has all of the time before them again, and the same code.
  await subscribed("one@shop.example");
  await subscribed("two@shop.example");
  await expect.poll(async () => (await handed()).length, long).toBe(2);
  await atRest();
  expect(new Map(await handed())).toEqual(new Map([["one@shop.example", "A"], ["two@shop.example", "B"]]));
});

test("a list without more than codes is enough, one that cannot be read is told, and nobody waits in vain", async () => {
  const list = (value, more) => ({
    status: 200, body: JSON.stringify(JSON.stringify(value)), match: { path: "/api/v1/promocodes", method: "GET" }, ...more,
  });
  await stack.faults(list({ left: 3 }));
  expect((await submit("welcome", "one@shop.example")).status).toBe(202);
  await expect.poll(health, long).toEqual({ waiting: 1, dead: 0, trouble: "listing_unreadable" });
  await stack.faults(list(["PLAIN-1", "PLAIN-2"]));
  await atRest();
  // The platform says the same for ever; who has one is remembered here.
  expect((await submit("welcome", "two@shop.example")).status).toBe(202);
  await expect.poll(async () => (await handed()).length, long).toBe(2);
  await atRest();
  expect(await handed()).toEqual([["one@shop.example", "PLAIN-1"], ["two@shop.example", "PLAIN-2"]]);
  expect(await told()).toEqual([]);
});

test("whom the platform does not subscribe gets no code", async () => {
  await upload(["A"]);
  await stack.platformSettings({ blacklist: ["black@shop.example"] });
  await stack.faults({ status: 400, count: 1, match: { path: "/api/v1/contact/subscribe" } });
  expect((await submit("welcome", "refused@shop.example")).status).toBe(502);
  expect((await submit("welcome", "black@shop.example")).status).toBe(202);
  expect((await submit("alike", "other@shop.example")).status).toBe(202);
  expect((await submit("welcome", "one@shop.example")).status).toBe(202);
  await expect.poll(handed, long).toEqual([["one@shop.example", "A"]]);
  await atRest();
});

test("a platform that gives no codes holds no subscription up", async () => {
  await stack.faults({ status: 500, match: { path: "/api/v1/promocodes", method: "GET" } });
  expect((await submit("welcome", "one@shop.example")).status).toBe(202);
  await expect.poll(async () => (await health()).trouble, long).toBe("listing_failed");
  expect((await submit("welcome", "two@shop.example")).status).toBe(202);
  await expect.poll(async () => (await calls("subscribeContact")).map(({ status }) => status), long).toEqual([200, 200]);
  expect(await health()).toEqual({ waiting: expect.any(Number), dead: 0, trouble: "listing_failed" });
  await upload(["A", "B"]);
  await stack.faults();
  await expect.poll(handed, long).toEqual([["one@shop.example", "A"], ["two@shop.example", "B"]]);
});

test("a code that is the same for all is in every answer, and on the page where there is no script", async () => {
  const { status, text } = await submit("alike", "one@shop.example");
  expect([status, JSON.parse(text).code]).toEqual([202, "SALE10"]);
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const asked = await post("forms/alike", "email=two%40shop.example&_lang=en", headers);
  const [, token] = /name="_token" value="([^"]+)"/.exec(asked.text);
  const fields = new URLSearchParams({ email: "two@shop.example", _lang: "en", _token: token });
  const thanks = await post("forms/alike", fields.toString(), headers);
  expect(thanks.status).toBe(200);
  expect(thanks.text).toContain("SALE10");
  expect(await calls("getPromocodes")).toEqual([]);
  expect(await health()).toEqual({ waiting: 0, dead: 0 });
});
