// What is recommended to pages, by the Worker and the platform's stand-in: each source, each failure, the
// cache, and who gets what.
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { chromium, expect, test } from "@playwright/test";
import { browserArguments, executablePath } from "./kit.js";
import { Stack } from "./stack.js";

const IDENTITY = "canary-identity-key/of+the=tests";

const BLOCKS = {
  r12v34: { source: "contact", data_source: 1244 },
  r12v35: { source: "contact", data_source: 7, size: 3, fallback: "none" },
  r12v36: { source: "token", data_source: 1244 },
  r1107v1482: { source: "mobile" },
  r1v1: { source: "mobile", container_type: "1_r1v1" },
};

const start = (recommendations = {}) =>
  Stack.start({
    site: {
      recommendations: {
        blocks: BLOCKS,
        tests: { home: { variants: { r12v34: 50, r12v35: 50 } } },
        out_of_stock: "show",
        ...recommendations,
      },
    },
    secrets: { KIT_IDENTITY_KEY: IDENTITY, KIT_SIGNING_KEY: "canary-signing-key/of+the=tests" },
  });

/** Everything that anybody was answered in these tests. */
const said = [];

const query = (parameters) =>
  new URLSearchParams(
    Object.entries(parameters).map(([name, value]) => [
      name,
      typeof value == "object" ? JSON.stringify(value) : value,
    ]),
  );

/** Asks as a page does. */
const ask = async (stack, variant, parameters = {}, headers = {}) => {
  const origin = headers.origin === undefined ? { origin: stack.shop } : {};
  const address = `${stack.shop}/k/recommendations/${variant}?${query(parameters)}`;
  const answer = await fetch(address, { headers: { ...origin, ...headers } });
  const text = await answer.text();
  said.push(text + JSON.stringify([...answer.headers]));
  return { status: answer.status, headers: answer.headers, ...JSON.parse(text) };
};

const ids = ({ products }) => products.map(({ product_id }) => product_id);

/** The calls of an operation that the platform has seen about somebody or something. */
const calls = async (stack, operation, part = "") => {
  const all = await stack.json("/requests?limit=100000");
  return all.filter((one) => one.operation == operation && (one.path + one.body).includes(part));
};

const encode = (text) => Buffer.from(text).toString("base64url");

/** As the README shows it. */
const prove = (identity, lasts = 3600) => {
  const exp = Math.floor(Date.now() / 1000) + lasts;
  const payload = encode(JSON.stringify({ ...identity, exp }));
  return payload + "." + createHmac("sha256", IDENTITY).update(payload).digest("base64url");
};

test.describe.configure({ mode: "serial" });

test.describe("with long windows", () => {
  let stack, browser;
  test.beforeAll(async () => {
    // Patience that outlasts a slow machine, where nothing is about patience.
    stack = await start({ budget: 5000 });
    browser = await chromium.launch({ executablePath, args: browserArguments });
  });
  test.afterAll(async () => {
    const log = readFileSync(join(stack.folder, "worker.log"), "utf8");
    const basic = Buffer.from("kit:" + stack.api_key).toString("base64");
    for (const secret of [stack.api_key, stack.mobile_key, basic, IDENTITY]) {
      expect(log.includes(secret), "a key in the log").toBe(false);
      expect(said.some((text) => text.includes(secret)), "a key in an answer").toBe(false);
    }
    expect(said.length).toBeGreaterThan(20);
    await browser.close();
    await stack.stop();
  });

  test("a page gets ids, addresses and container types, and attributes if it asks", async () => {
    const answer = await ask(stack, "r12v34", { sc: "FIELDS" });
    expect(answer).toMatchObject({ status: 200, v: 1, variant: "r12v34", source: "platform" });
    // As many as the data source says; `size` is a block's.
    expect(answer.products.length).toBeGreaterThan(12);
    const [{ product_id }] = answer.products;
    expect(answer.products[0]).toEqual({
      product_id,
      url: `${stack.shop}/product.html?id=${product_id}&sc_content=19534_r12v34`,
      container_type: "19534_r12v34",
    });
    const all = await ask(stack, "r12v34", { sc: "FIELDS", all_fields: 1 });
    expect(ids(all)).toEqual(ids(answer));
    expect(all.products[0]).toMatchObject({
      product_id,
      name: expect.stringMatching(/./),
      brand: "North Meadow",
      category: [expect.stringMatching(/./)],
      isInStock: 1,
      tags_all_category_names: expect.stringMatching(/./),
    });
    expect(await calls(stack, "contactRecoms", "webId=FIELDS"), "one call for both").toHaveLength(1);
    const sized = await ask(stack, "r12v35", { sc: "SIZED" });
    expect(sized.products.length).toBeGreaterThan(3);
    const address = `${stack.shop}/k/blocks/r12v35?sc=SIZED&template=none`;
    const block = await (await fetch(address, { headers: { origin: stack.shop } })).json();
    expect(block.items).toHaveLength(3);
  });

  test("the platform is told what the page is about", async () => {
    const about = { sc: "ABOUT", products: "TENT-1P,POT-2", category: "Tents" };
    const answer = await ask(stack, "r12v35", about);
    expect(answer.products).toHaveLength(3);
    expect(ids(answer)).not.toContain("TENT-1P");
    const [{ path }] = await calls(stack, "contactRecoms", "webId=ABOUT");
    expect(path).toBe(
      "/api/v2/contacts/recoms/7?webId=ABOUT&products=TENT-1P%2CPOT-2&category=Tents",
    );
  });

  test("two hundred who ask at once make one call", async () => {
    await stack.faults({ delay_ms: 100, match: { path: "/api/v2/contacts/recoms/" } });
    const asks = Array.from({ length: 200 }, () => ask(stack, "r12v34", { sc: "CROWD" }));
    const answers = await Promise.all(asks);
    await stack.faults();
    expect(answers[0].source).toBe("platform");
    for (const answer of answers) expect(ids(answer)).toEqual(ids(answers[0]));
    expect(await calls(stack, "contactRecoms", "webId=CROWD")).toHaveLength(1);
  });

  test("visitors get their own, whatever their browsers ask at the same time", async () => {
    const own = async (sc) => ids(await ask(stack, "r12v34", { sc }));
    const names = ["ANN", "BOB", "EVE", "ANN:", "sc:ANN"];
    const lists = await Promise.all(names.map(own));
    const rounds = await Promise.all(Array.from({ length: 40 }, (_, at) => own(names[at % 5])));
    rounds.forEach((list, at) => expect(list).toEqual(lists[at % 5]));
    expect(lists[0]).not.toEqual(lists[1]);
    for (const name of names) {
      const path = `/api/v2/contacts/recoms/1244?webId=${encodeURIComponent(name)}`;
      const made = (await calls(stack, "contactRecoms")).filter((call) => call.path == path);
      expect(made).toHaveLength(1);
    }
    // In two browsers, by their cookies.
    const inBrowser = async (sc) => {
      const context = await browser.newContext();
      await context.addCookies([{ name: "sc", value: sc, url: stack.shop }]);
      const page = await context.newPage();
      await page.goto(stack.shop + "/css/base.css");
      const answer = await page.evaluate(async () => {
        const answer = await fetch("/k/recommendations/r12v34");
        return { ...(await answer.json()), kept: answer.headers.get("cache-control") };
      });
      await context.close();
      expect(answer.kept).toBe("private, no-store");
      return ids(answer);
    };
    expect(await inBrowser("ANN")).toEqual(lists[0]);
    expect(await inBrowser("BOB")).toEqual(lists[1]);
  });

  test("who is not known, or does not want to be, is asked about nowhere", async () => {
    const before = (await stack.json("/requests?limit=100000")).length;
    for (const variant of ["r12v34", "r12v36"]) {
      expect(await ask(stack, variant)).toMatchObject({ source: "none", products: [] });
      const denied = await ask(stack, variant, { sc: "" }, { cookie: "sc=ANN" });
      expect(denied).toMatchObject({ source: "none", products: [] });
    }
    expect((await stack.json("/requests?limit=100000")).length).toBe(before);
    expect(await ask(stack, "r12v34", { sc: "a b" })).toMatchObject({
      status: 400,
      error: { code: "invalid_body", field: "sc" },
    });
  });

  test("a proof names a contact, before any cookie", async () => {
    const proof = prove({ id: "C-7", email: "seven@shop.example" });
    const answer = await ask(stack, "r12v34", { proof, sc: "ANN" });
    expect(answer.source).toBe("platform");
    expect(await calls(stack, "contactRecoms", "externalCustomerId=C-7")).toHaveLength(1);
    for (const wrong of [proof + "x", "made.up", prove({ id: "C-7" }, -5)])
      expect((await ask(stack, "r12v34", { proof: wrong })).status).toBe(403);
  });

  test("who is erased is unknown, in memory and on disk, and nobody else is", async () => {
    const asked = async (...names) => {
      const made = [];
      for (const name of names) {
        const proof = prove({ email: name + "@shop.example" });
        expect(await ask(stack, "r12v34", { proof })).toMatchObject({ source: "platform" });
        made.push((await calls(stack, "contactRecoms", "email=" + name)).length);
      }
      return made;
    };
    expect(await asked("erased", "stays", "erased", "stays")).toEqual([1, 1, 1, 1]);
    const erase = async () => {
      const answer = await fetch(stack.kit + "/k/erase", {
        method: "POST",
        headers: { authorization: "Bearer " + stack.server_token },
        body: JSON.stringify({ email: "erased@shop.example" }),
      });
      expect(answer.status).toBe(200);
    };
    await erase();
    expect(await asked("erased", "stays")).toEqual([2, 1]);
    await erase();
    await stack.order("kill-worker");
    await stack.order("start-worker");
    expect(await asked("erased", "stays")).toEqual([3, 1]);
  });

  test("pages of other sites get nothing", async () => {
    for (const origin of ["https://evil.example", "null", stack.shop + ".evil.example"])
      expect(await ask(stack, "r12v34", { sc: "ANN" }, { origin })).toMatchObject({
        status: 403,
        error: { code: "origin_not_allowed" },
      });
    const address = `${stack.shop}/k/recommendations/r12v34?sc=ANN`;
    expect((await fetch(address, { headers: { "sec-fetch-site": "cross-site" } })).status).toBe(403);
    const own = await ask(stack, "r12v34", { sc: "ANN" });
    expect(own.headers.get("access-control-allow-origin")).toBe(stack.shop);
    expect(own.headers.get("access-control-allow-credentials")).toBe("true");
    // As the page's own server asks, and below the site's name.
    const plain = await fetch(`${stack.kit}/k/main/recommendations/r12v34?sc=ANN`);
    expect(ids(await plain.json())).toEqual(ids(own));
    expect((await fetch(address, { method: "POST" })).status).toBe(405);
  });

  test("a variant that is not there is said in the vendor's own words", async () => {
    for (const variant of ["r262v361", "away", "r12v34.json"])
      expect(await ask(stack, variant, { sc: "ANN" })).toMatchObject({
        status: 404,
        error: {
          code: "unknown_variant",
          field: "variantId",
          message: `variantId ${variant} was not found in config`,
        },
      });
  });

  test("a test gives a visitor the same variant each time, and visitors different ones", async () => {
    const of = async (parameters) => (await ask(stack, "home", parameters)).variant;
    const seen = new Set();
    for (let seed = 0; seed < 24; seed++) {
      const variant = await of({ seed: `page-${seed}`, sc: "" });
      expect(await of({ seed: `page-${seed}`, sc: "" })).toBe(variant);
      seen.add(variant);
    }
    expect([...seen].sort()).toEqual(["r12v34", "r12v35"]);
    expect(await of({})).toBe("r12v34");
    const mine = await of({ sc: "ANN", seed: "1" });
    for (const seed of ["2", "3", "4"]) expect(await of({ sc: "ANN", seed })).toBe(mine);
  });

  test("filters are kept, and one on what nobody has is refused by name", async () => {
    const all = await ask(stack, "r12v34", { sc: "FILTERS", all_fields: 1 });
    const of = (category) =>
      all.products.filter((one) => one.category.includes(category)).map((one) => one.product_id);
    const filtered = (filters, more = {}) =>
      ask(stack, "r12v34", { sc: "FILTERS", filters, ...more });
    const tents = { name: "tags_all_category_names", values: ["Tents"] };
    const kitchen = { name: "category", values: ["Camp kitchen", "Backpacks"] };
    // The list is longer than what was shown of it before.
    expect(ids(await filtered({ include: [tents] }))).toHaveLength(4);
    const without = ids(await filtered({ exclude: [kitchen] }));
    const kept = all.products.filter((one) => !one.category.some((own) => kitchen.values.includes(own)));
    expect(without).toEqual(ids({ products: kept }));
    const moved = ids(await filtered({ should: [tents] }));
    expect([...moved].sort()).toEqual(ids(all).sort());
    expect(moved.slice(0, 4)).toEqual(expect.arrayContaining(of("Tents")));
    expect(ids(await filtered({ include: [tents, kitchen] }))).toEqual([]);
    const field = { category: "Camp kitchen", category_field: "tags_all_category_names" };
    expect(ids(await filtered({}, field))).toHaveLength(4);
    expect(await calls(stack, "contactRecoms", "webId=FILTERS"), "all from one answer").toHaveLength(
      1,
    );
    expect(await filtered({ include: [tents, { name: "colour", values: ["red"] }] })).toMatchObject({
      status: 400,
      error: { code: "unknown_value", field: "filters.include[1].name" },
    });
    // What nobody has nobody need be without.
    const colour = [{ name: "colour", values: ["red"] }];
    expect(ids(await filtered({ exclude: colour, should: colour }))).toEqual(ids(all));
    const odd = { category: "x", category_field: "shelf" };
    expect((await filtered({}, odd)).error).toMatchObject({ field: "categoryField" });
    expect((await ask(stack, "r12v34", { filters: "{" })).error).toMatchObject({
      code: "invalid_body",
      field: "filters",
    });
  });

  test("each call with a contact's token brings the token of the next", async () => {
    const sc = { sc: "TOKENS" };
    const first = await ask(stack, "r12v36", sc);
    expect(first.source).toBe("platform");
    expect(first.products[0].container_type).toBe("19534_r12v34");
    // At once, and still one after the other at the platform.
    const products = ["TENT-1P", "POT-2", "MUG-T", "DRY-20"];
    const asks = products.map((product) => ask(stack, "r12v36", { ...sc, product }));
    const answers = await Promise.all(asks);
    for (const [at, product] of products.entries()) {
      expect(answers[at].source).toBe("platform");
      expect(ids(answers[at])).not.toContain(product);
    }
    const made = await calls(stack, "contactApiRecoms");
    expect(made.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    const tokens = made.map(({ headers }) => headers.find(([name]) => name == "es-token")[1]);
    expect(new Set(tokens).size).toBe(5);
    const cookie = JSON.stringify({ cookie: "TOKENS" });
    expect((await calls(stack, "getContactAuthToken")).map(({ body }) => body)).toEqual([cookie]);
    for (const token of tokens) expect(said.some((text) => text.includes(token))).toBe(false);
  });

  test("a token that is good no longer is made anew, once", async () => {
    const sc = { sc: "RENEWED" };
    await ask(stack, "r12v36", sc);
    const before = (await calls(stack, "contactApiRecoms")).length;
    // The platform forgets its tokens.
    await fetch(stack.platform + "/state", { method: "DELETE" });
    const answer = await ask(stack, "r12v36", { ...sc, product: "TENT-1P" });
    expect(answer.source).toBe("platform");
    expect(ids(answer)).not.toContain("TENT-1P");
    const made = (await calls(stack, "contactApiRecoms")).slice(before);
    expect(made.map(({ status }) => status)).toEqual([401, 200]);
    expect(await calls(stack, "getContactAuthToken", "RENEWED")).toHaveLength(2);
    // New ones are no good either: then it is not tried for ever.
    await stack.platformSettings({ token_ms: 0 });
    await fetch(stack.platform + "/state", { method: "DELETE" });
    expect(await ask(stack, "r12v36", { ...sc, product: "POT-2" })).toMatchObject({
      source: "none",
      products: [],
    });
    await stack.platformSettings({ token_ms: 3600000 });
    const later = (await calls(stack, "contactApiRecoms")).slice(before + 2);
    expect(later.map(({ status }) => status)).toEqual([401, 401]);
  });

  test("for whom the platform does not know, no token is spent", async () => {
    await stack.platformSettings({ unknown_web_ids: ["STRANGER"] });
    const before = (await calls(stack, "contactApiRecoms")).length;
    for (let round = 0; round < 3; round++)
      expect(await ask(stack, "r12v36", { sc: "STRANGER" })).toMatchObject({ source: "none" });
    expect(await calls(stack, "contactApiRecoms")).toHaveLength(before);
    expect(await calls(stack, "getContactAuthToken", "STRANGER")).toHaveLength(1);
    const proof = prove({ id: "nobody" });
    expect(await ask(stack, "r12v36", { proof })).toMatchObject({ source: "none" });
    const body = { channels: [{ type: "email", value: "t@shop.example" }], externalCustomerId: "T-1" };
    await stack.api("POST /v1/contact", body);
    const known = await ask(stack, "r12v36", { proof: prove({ id: "T-1" }) });
    expect(known.source).toBe("platform");
  });

  test("what apps are recommended is asked for once for everybody", async () => {
    const ann = await ask(stack, "r1107v1482", { sc: "ANN", products: "TENT-1P,POT-2" });
    expect(ann).toMatchObject({ source: "platform" });
    expect(ann.products[0].container_type).toBe("19535_r1107v1482");
    const bob = await ask(stack, "r1107v1482", { sc: "BOB", products: "POT-2,TENT-1P" });
    const nobody = await ask(stack, "r1107v1482", { products: "POT-2,TENT-1P" });
    expect([ids(bob), ids(nobody)]).toEqual([ids(ann), ids(ann)]);
    expect(nobody.headers.get("cache-control")).toBe("private, max-age=60");
    const [{ body, headers }, ...more] = await calls(stack, "recomsRequest", "r1107v1482");
    expect(more).toEqual([]);
    expect(JSON.parse(body)).toMatchObject({
      products: ["TENT-1P", "POT-2"],
      fields: expect.arrayContaining(["productId", "name", "descr", "imageUrl", "price"]),
    });
    expect(headers).toContainEqual(["x-reteno-access-key", "***"]);

    const filters = { include: [{ name: "tags_all_category_names", values: ["Tents"] }] };
    const tents = await ask(stack, "r1107v1482", { filters, all_fields: 1 });
    expect(tents.products).toHaveLength(4);
    expect(tents.products[0]).toMatchObject({ tags_bestseller: "1", category: ["Tents"] });
    // The platform has no such variant.
    expect(await ask(stack, "r1v1")).toMatchObject({ source: "none", products: [] });
    const log = () => readFileSync(join(stack.folder, "worker.log"), "utf8");
    await expect.poll(log).toContain("recommendations r1v1: refused (422)");
  });

  test("what was recommended is kept over a restart, and is not asked for again", async () => {
    const list = ids(await ask(stack, "r12v34", { sc: "RESTART" }));
    await stack.order("kill-worker");
    await stack.order("start-worker");
    const answer = await ask(stack, "r12v34", { sc: "RESTART" });
    expect([answer.source, ids(answer)]).toEqual(["platform", list]);
    expect(await calls(stack, "contactRecoms", "webId=RESTART")).toHaveLength(1);
  });

  test("what is being asked for when the Worker is stopped is not asked for twice", async () => {
    await stack.faults({ delay_ms: 8000, match: { path: "/api/v2/contacts/recoms/" } });
    // Gone with the Worker, whatever it says.
    const first = ask(stack, "r12v34", { sc: "STOPPED" }).catch(() => undefined);
    const made = () => calls(stack, "contactRecoms", "webId=STOPPED");
    await expect.poll(async () => (await made()).length).toBe(1);
    await stack.order("kill-worker");
    await first;
    await stack.order("start-worker");
    await stack.faults();
    expect(await ask(stack, "r12v34", { sc: "STOPPED" })).toMatchObject({ products: [] });
    expect(await made()).toHaveLength(1);
  });

  test("a browser that is forgotten leaves no recommendations behind", async () => {
    await ask(stack, "r12v34", { sc: "FORGET" });
    await ask(stack, "r12v34", { sc: "FORGET-NOT" });
    const forgotten = await fetch(stack.shop + "/k/f", {
      method: "POST",
      headers: { origin: stack.shop },
      body: JSON.stringify({ sc: "FORGET" }),
    });
    expect(forgotten.status).toBe(200);
    await ask(stack, "r12v34", { sc: "FORGET" });
    await ask(stack, "r12v34", { sc: "FORGET-NOT" });
    const made = await calls(stack, "contactRecoms", "webId=FORGET");
    expect(made.filter(({ path }) => path.endsWith("FORGET"))).toHaveLength(2);
    expect(made.filter(({ path }) => path.endsWith("FORGET-NOT"))).toHaveLength(1);
  });
});

test.describe("when the platform fails", () => {
  let stack;
  test.beforeAll(async () => (stack = await start()));
  test.afterAll(() => stack.stop());

  const RECOMS = { path: "/api/v2/contacts/recoms/" };
  const HOSTILE = [
    { id: "a", name: "<script>alert(1)</script>", url: "https://shop.example/a?sc_content=1_r1v1" },
    { id: "b", name: "b", url: "javascript:alert(1)" },
    { id: "c\"><img src=x onerror=alert(1)>", url: "/c", descr: "\u0000\u202e</style>" },
  ];

  for (const [name, fault] of [
    ["500", { status: 500 }],
    ["an empty body", { status: 200, body: "" }],
    ["an empty list", { status: 200, body: "[]" }],
    ["bad JSON", { status: 200, body: "[{" }],
    ["a page", { status: 200, body: "<html>busy</html>" }],
    ["no answer", { drop: "before" }],
    ["a redirect", { redirect: "/stolen" }],
    ["429", { status: 429, retry_after: "5" }],
  ]) {
    test(`${name}: the page gets nothing, and the platform is left alone for a while`, async () => {
      const sc = "FAILS-" + name.replace(/\W/g, "");
      const redirect = fault.redirect && { redirect: stack.platform + fault.redirect };
      await stack.faults({ ...fault, ...redirect, match: RECOMS });
      for (let round = 0; round < 3; round++) {
        const answer = await ask(stack, "r12v34", { sc });
        expect(answer).toMatchObject({ status: 200, source: "none", products: [] });
      }
      // Pages are answered in time, whether the platform has heard of it by then or not.
      const made = () => calls(stack, "contactRecoms", "webId=" + sc);
      await expect.poll(async () => (await made()).length).toBeGreaterThan(0);
      const times = (await made()).map((one) => one.received);
      // The runtime itself sends a request again at once whose connection, one that was used before, ends.
      const gaps = times.slice(1).map((time, at) => time - times[at]);
      const again = fault.drop ? gaps.filter((gap) => gap < 500) : [];
      expect(again.length).toBeLessThanOrEqual(1);
      for (const gap of gaps) if (!again.includes(gap)) expect(gap).toBeGreaterThan(4900);
      await stack.faults();
      const all = await stack.json("/requests?limit=100000");
      expect(all.filter(({ path }) => path.includes("stolen"))).toEqual([]);
      // The next who asks finds a platform that works.
      await expect
        .poll(async () => (await ask(stack, "r12v34", { sc: sc + Math.random() })).source)
        .toBe("platform");
    });
  }

  test("hostile products are text, and none leads anywhere but to the web", async () => {
    await stack.faults({ status: 200, body: JSON.stringify(HOSTILE), match: RECOMS });
    let answer;
    await expect
      .poll(async () => {
        answer = await ask(stack, "r12v34", { sc: "HOSTILE", all_fields: 1 });
        return answer.source;
      })
      .toBe("platform");
    await stack.faults();
    expect(ids(answer)).toEqual(["a", HOSTILE[2].id]);
    expect(answer.products[0]).toMatchObject({ name: HOSTILE[0].name, container_type: "1_r1v1" });
    expect(answer.products[1].url).toBe("/c");
    expect(answer.headers.get("content-type")).toBe("application/json");
    expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
  });

  test("a slow platform does not keep the page waiting, and its late answer counts", async () => {
    await stack.faults({ delay_ms: 6000, match: RECOMS });
    const begun = Date.now();
    const answer = await ask(stack, "r12v34", { sc: "SLOW" });
    expect(answer).toMatchObject({ source: "none", products: [] });
    expect(Date.now() - begun, "milliseconds").toBeLessThan(5000);
    await stack.faults();
    await expect
      .poll(async () => (await ask(stack, "r12v34", { sc: "SLOW" })).source)
      .toBe("platform");
    expect(await calls(stack, "contactRecoms", "webId=SLOW")).toHaveLength(1);
  });

  test("the other two sources fail like the first", async () => {
    for (const [variant, path] of [
      ["r12v36", "/contact-api/"],
      ["r1107v1482", "/mobile-api/"],
    ])
      for (const [at, fault] of [
        { status: 500 },
        { status: 200, body: "[{" },
        { status: 401 },
        { redirect: stack.platform + "/stolen" },
      ].entries()) {
        await stack.faults({ ...fault, match: { path } });
        const parameters = { sc: "OTHER-" + at, category: "Tents", product: "P-" + at };
        const answer = await ask(stack, variant, parameters);
        expect(answer).toMatchObject({ status: 200, source: "none", products: [] });
        await stack.faults();
        const works = { sc: "WORKS-" + at, product: "W-" + at };
        await expect.poll(async () => (await ask(stack, variant, works)).source).toBe("platform");
      }
    const all = await stack.json("/requests?limit=100000");
    expect(all.filter(({ path }) => path.includes("stolen"))).toEqual([]);
  });

  test("a key that is refused is told to the owner, and to no page", async () => {
    await stack.platformSettings({ api_keys: ["another-key-1"] });
    const answer = await ask(stack, "r12v34", { sc: "KEY" });
    expect(answer).toMatchObject({ status: 200, source: "none", products: [] });
    const log = () => readFileSync(join(stack.folder, "worker.log"), "utf8");
    await expect.poll(log).toContain("KIT_API_KEY is refused for contactRecoms (401)");
    await stack.platformSettings({ api_keys: [stack.api_key] });
  });
});

test.describe("with short windows", () => {
  let stack;
  test.beforeAll(async () => (stack = await start({ fresh: 1, stale: 3600, budget: 5000 })));
  test.afterAll(() => stack.stop());

  test("an older answer is shown while a new one is fetched", async () => {
    const sc = { sc: "STALE" };
    const first = await ask(stack, "r12v34", sc);
    // On a slow machine its own second may be over by the time that it is told.
    expect(["platform", "last"]).toContain(first.source);
    const made = async () => (await calls(stack, "contactRecoms", "webId=STALE")).length;
    const before = await made();
    // Slow enough that waiting for it would show.
    await stack.faults({ delay_ms: 2000, match: { path: "/api/v2/contacts/recoms/" } });
    let last;
    await expect
      .poll(async () => (last = await ask(stack, "r12v34", sc)).source)
      .toBe("last");
    expect(ids(last)).toEqual(ids(first));
    await expect.poll(made).toBeGreaterThan(before);
    await stack.faults();
    // Asked about less often than once a second, an answer would be an older one each time.
    await expect
      .poll(async () => (await ask(stack, "r12v34", sc)).source, { intervals: [100] })
      .toBe("platform");
  });

  test("an older answer is shown while the platform fails", async () => {
    const sc = { sc: "ERROR" };
    const first = await ask(stack, "r12v34", sc);
    await stack.faults({ status: 500, match: { path: "/api/v2/contacts/recoms/" } });
    let last;
    await expect
      .poll(async () => (last = await ask(stack, "r12v34", sc)).source)
      .toBe("last");
    expect(ids(last)).toEqual(ids(first));
    await expect
      .poll(async () => (await calls(stack, "contactRecoms", "webId=ERROR")).at(-1).status)
      .toBe(500);
    for (let round = 0; round < 5; round++) {
      const answer = await ask(stack, "r12v34", sc);
      expect([answer.source, ids(answer)]).toEqual(["last", ids(first)]);
    }
    await stack.faults({ status: 200, body: "[]", match: { path: "/api/v2/contacts/recoms/" } });
    await expect
      .poll(async () => {
        last = await ask(stack, "r12v34", sc);
        const made = await calls(stack, "contactRecoms", "webId=ERROR");
        return made.filter(({ status }) => status == 200).length;
      })
      .toBeGreaterThan(1);
    expect(ids(await ask(stack, "r12v34", sc)), "nor does an empty one replace it").toEqual(
      ids(first),
    );
    await stack.faults();
  });
});
