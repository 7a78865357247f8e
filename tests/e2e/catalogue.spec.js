// The shop's feed as the Worker's catalogue: imports, what stays when they go wrong, what the shop's
// server says between them, and what is bought.
import { randomUUID } from "node:crypto";
import http from "node:http";
import { gzipSync } from "node:zlib";

import { expect, test } from "@playwright/test";

import { categories, products } from "../../www/shop/lib/products.js";
import { record, send } from "./records.js";
import { Stack } from "./stack.js";

/** A shop's server with a feed, and what was asked of it. */
class Feed {
  asked = [];
  answer = () => ({ body: "" });

  async listen() {
    this.server = http.createServer((request, response) => {
      this.asked.push(request);
      const { status = 200, headers = {}, body = "", drop } = this.answer(request);
      response.writeHead(status, headers);
      // One that breaks off does so after what it has.
      drop ? response.write(body, () => response.destroy()) : response.end(body);
    });
    await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    this.origin = `http://127.0.0.1:${this.server.address().port}`;
    this.address = `${this.origin}/feed.xml?key=a%20b`;
  }

  close() {
    this.server.closeAllConnections();
    this.server.close();
  }
}

const item = (id, inside = "") =>
  `<item><g:id>${id}</g:id><title>Product ${id}</title><link>https://shop.example/${id}</link>${inside}</item>`;

const rss = (...items) =>
  `<rss xmlns:g="http://base.google.com/ns/1.0"><channel>${items.join("")}</channel></rss>`;

/** Products 1 to `count` at a price. */
const plain = (count, price = 100) =>
  rss(...Array.from({ length: count }, (_, n) => item(n + 1, `<g:price>${price} UAH</g:price>`)));

let feed, stack;

test.beforeEach(async () => {
  feed = new Feed();
  await feed.listen();
  stack = undefined;
});

test.afterEach(async () => {
  await stack?.stop();
  feed.close();
});

const start = async (settings = {}, more = {}) =>
  (stack = await Stack.start({ site: { feed: { address: feed.address, ...settings } }, ...more }));

/** Makes a call as the shop's server does. */
const call = async (method, path, body, { token = stack.server_token, headers = {} } = {}) => {
  const answer = await fetch(`${stack.kit}/k/${path}`, {
    method,
    headers: { ...(token && { authorization: "Bearer " + token }), ...headers },
    body: body && JSON.stringify(body),
  });
  return { status: answer.status, ...(await answer.json()) };
};

const state = async () => (await call("GET", "health")).sites.main.feed;

/** Waits for the import that comes by itself, and returns what is known after it. */
const first = () => imported(false);

/** Orders an import, waits for it, and returns what is known after it. */
const imported = async (order = true) => {
  const before = order ? feed.asked.length : 0;
  if (order) await call("POST", "feed");
  await expect
    .poll(async () => feed.asked.length > before && !(await state()).importing)
    .toBe(true);
  return state();
};

const known = async (...ids) => (await call("GET", "products?ids=" + ids.join())).products;

const found = async (query) =>
  (await call("GET", "products?" + new URLSearchParams(query))).products.map((p) => p.product_id);

test("the demo's feed says of every product what the shop does", async () => {
  await start({ address: "/feed.xml", fields: ["tags_season"] });
  await expect.poll(async () => (await state()).items).toBe(products.length);
  expect(await state()).toMatchObject({ skipped: 0, reasons: [], problem: null });
  const answer = await known(...products.map(({ id }) => id));
  const origin = stack.shop;
  expect(answer).toEqual(
    products.map(({ id, name, price, oldPrice, stock, category, image }) => ({
      product_id: id,
      isInStock: stock > 0 ? 1 : 0,
      price: `${price}.00 UAH`,
      old_price: oldPrice ? `${oldPrice}.00 UAH` : null,
      categories: expect.arrayContaining([categories.find(({ key }) => key == category).name]),
      fields: expect.objectContaining({
        title: name,
        link: `${origin}/product.html?id=${id}`,
        image_link: `${origin}/img/${image}.svg`,
      }),
    })),
  );
  for (const { key, name, season } of categories) {
    const own = products.filter(({ category }) => category == key).map(({ id }) => id);
    expect(await found({ field: "category", value: name })).toEqual(own);
    expect(await found({ field: "category", value: `Outdoor > ${name}` })).toEqual(own);
    if (season[0] == "spring") expect(await found({ field: "tags_season", value: "spring" })).toEqual(own);
  }
  const there = products.filter(({ stock }) => stock).map(({ id }) => id);
  expect(await found({ in_stock: 1 })).toEqual(there);
  expect(await found({ limit: 3 })).toEqual(products.slice(0, 3).map(({ id }) => id));
  // Few enough to look at each.
  expect(await found({ field: "brand", value: "polonyna" })).toHaveLength(products.length);
  await stack.order("kill-worker");
  await stack.order("start-worker");
  expect(await found({ in_stock: 1 })).toEqual(there);
});

test("a feed that has not changed is asked for and not read again", async () => {
  const modified = "Sun, 06 Nov 1994 08:49:37 GMT";
  feed.answer = ({ headers }) =>
    headers["if-none-match"] == '"1"' && headers["if-modified-since"] == modified
      ? { status: 304 }
      : { body: plain(3), headers: { etag: '"1"', "last-modified": modified } };
  await start();
  const before = await first();
  expect(before).toMatchObject({ items: 3, problem: null });
  expect(feed.asked[0].url).toBe("/feed.xml?key=a%20b");
  const second = await imported();
  expect(second).toMatchObject({ items: 3, imported_at: before.imported_at, problem: null });
  expect(second.checked_at).toBeGreaterThan(before.checked_at);
  expect(second.rows_written - before.rows_written).toBeLessThan(8);
  expect(await found({})).toEqual(["1", "2", "3"]);
});

test("one that comes compressed is read, if it says so", async () => {
  const body = gzipSync(plain(30));
  feed.answer = () => ({ body, headers: { "content-encoding": "gzip" } });
  await start();
  expect(await first()).toMatchObject({ items: 30, problem: null });
  feed.answer = () => ({ body, headers: { "content-type": "application/gzip" } });
  const problem = expect.stringContaining("it is compressed, and the answer has no Content-Encoding");
  expect(await imported()).toMatchObject({ items: 30, problem });
});

test("one that ends too soon changes what it has and keeps the rest", async () => {
  feed.answer = () => ({ body: plain(40) });
  await start();
  await first();
  const whole = plain(40, 90);
  feed.answer = () => ({ body: whole.slice(0, whole.indexOf("<item><g:id>31<") + 30) });
  const after = await imported();
  expect(after).toMatchObject({ items: 40, problem: expect.stringContaining("before its last tag") });
  // Not only after the day that an import is due in.
  expect(after.next_at - Date.now()).toBeLessThan(10 * 60_000);
  const [one, last] = await known(1, 40);
  expect([one.price, last.price]).toEqual(["90 UAH", "100 UAH"]);
  expect(await found({})).toHaveLength(40);
  // So long that some of it has come when the connection ends.
  feed.answer = () => ({ body: plain(4000, 80).replace("</rss>", ""), drop: true });
  expect(await imported()).toMatchObject({ problem: expect.stringContaining("before its last tag") });
  expect((await known(1))[0].price).toBe("80 UAH");
  feed.answer = () => ({ body: plain(4000, 70) });
  expect(await imported()).toMatchObject({ items: 4000, problem: null });
  expect((await known(40))[0].price).toBe("70 UAH");
});

test("one of less than half is believed the third time, and asked for in full until then", async () => {
  feed.answer = () => ({ body: plain(10), headers: { etag: '"1"' } });
  await start();
  await first();
  feed.answer = () => ({ body: plain(4), headers: { etag: '"2"' } });
  for (const _ of [1, 2]) {
    const problem = expect.stringContaining("the feed has 4 products after 10");
    expect(await imported()).toMatchObject({ items: 10, problem });
  }
  expect(await found({})).toHaveLength(10);
  expect(await imported()).toMatchObject({ items: 4, problem: null });
  expect(feed.asked.map(({ headers }) => headers["if-none-match"])).toEqual([
    undefined, '"1"', undefined, undefined,
  ]);
  expect(await known(4, 5)).toEqual([expect.objectContaining({ product_id: "4" }), null]);
});

test("what is no feed, or cannot be had, changes nothing and is asked for again", async () => {
  feed.answer = () => ({ body: plain(3) });
  await start();
  await first();
  const target = new Feed();
  await target.listen();
  target.answer = () => ({ body: plain(1) });
  for (const [answer, problem] of [
    [{ status: 500 }, "the shop answers 500 for the feed"],
    [{ status: 404, body: plain(1) }, "the shop answers 404 for the feed"],
    [{ status: 304 }, "the shop answers 304 for the feed"],
    [{ status: 302, headers: { location: target.address } }, "leads elsewhere (302), which is not followed"],
    [{ body: "<!doctype html><html><body>Sorry" }, "it is <html>"],
    [{ body: "" }, "it holds no XML"],
    [{ body: "<?xml version='1.0' encoding='KOI8-U'?><rss>" }, "it is in KOI8-U"],
    [{ body: `<!DOCTYPE rss [<!ENTITY a "b">]>${plain(1)}` }, "a document type of its own"],
    [{ body: "", drop: true }, "the feed"],
  ]) {
    feed.answer = () => answer;
    const after = await imported();
    expect(after).toMatchObject({ items: 3, problem: expect.stringContaining(problem) });
    expect(after.problem).not.toContain(feed.origin);
    expect(after.next_at - Date.now()).toBeLessThan(2 * 60_000);
    expect(await found({})).toEqual(["1", "2", "3"]);
  }
  expect(target.asked).toEqual([]);
  target.close();
  feed.answer = () => ({ body: plain(5) });
  expect(await imported()).toMatchObject({ items: 5, problem: null });
});

test("broken and hostile products cost nothing but themselves", async () => {
  const hostile = `<img src=x onerror=alert(1)>"'{{x}}\u202e`;
  const escaped = hostile.replaceAll("<", "&lt;").replaceAll("'", "&apos;");
  feed.answer = () => ({
    body: rss(
      item(1),
      "<item><title>no id</title></item>",
      item(2, "<b>open"),
      item(3, `<x>${"y".repeat(300_000)}</x>`),
      item(1),
      item(4, "<link>javascript:alert(1)</link>").replace("https://shop.example/4", ""),
      `<item><g:id>a,"b'%&amp;\\</g:id><title>${escaped}</title></item>`,
      item("__proto__"),
      item(6, "<g:price>free</g:price><g:availability>perhaps</g:availability>"),
    ),
  });
  await start();
  const after = await first();
  expect(after).toMatchObject({ items: 5, skipped: 4, problem: null });
  expect(after.reasons).toEqual([
    "product 2: it has no g:id of 1 to 300 characters in one line",
    "product 3: it is no well-formed XML",
    "product 4: it is longer than 256 kB",
    "product 5: another one before it has the same g:id",
  ]);
  expect(await found({})).toEqual(["1", "4", `a,"b'%&\\`, "__proto__", "6"]);
  const { products } = await call("GET", "products?limit=9");
  expect(products[2].fields.title).toBe(hostile);
  expect(products[4]).toMatchObject({ price: null, isInStock: 1 });
  expect((await known("__proto__"))[0].product_id).toBe("__proto__");
});

test("the shop's server says what has changed, to the platform and to the catalogue", async () => {
  const old = "Sun, 06 Nov 1994 08:49:37 GMT";
  feed.answer = () => ({ body: plain(3), headers: { "last-modified": old } });
  await start();
  await first();
  const rows = [
    { product_id: "2", isInStock: 0, unit_price: 90, tag_oldprice: ["100"], tag_discount: ["10"] },
    { product_id: 9, isInStock: true, name: "New", url: "https://shop.example/9", unit_price: "5 UAH" },
  ];
  const { status, results } = await call("POST", "products", { products: rows });
  expect([status, results[0].verdict]).toEqual([202, "accepted"]);
  const [one, two, nine] = await known(1, 2, 9);
  expect(one).toMatchObject({ isInStock: 1, price: "100 UAH", old_price: null });
  expect(two).toMatchObject({ isInStock: 0, price: "90 UAH", old_price: "100 UAH" });
  expect(nine).toMatchObject({ isInStock: 1, price: "5 UAH", fields: { title: "New" } });
  expect(await found({ in_stock: 1 })).toEqual(["1", "3"]);
  const [event] = await stack.arrived(1, { name: "ProductUpdate" });
  expect(event.body.ProductUpdate).toEqual([
    { product_id: "2", isInStock: 0, unit_price: "90", tag_oldprice: ["100"], tag_discount: ["10"] },
    { product_id: "9", isInStock: 1, unit_price: "5 UAH", name: "New", url: "https://shop.example/9" },
  ]);

  // A feed that was written before that does not know it; one that was written after does.
  feed.answer = () => ({ body: plain(4), headers: { "last-modified": old } });
  expect(await imported()).toMatchObject({ items: 4 });
  expect((await known(2))[0]).toMatchObject({ isInStock: 0, price: "90 UAH" });
  feed.answer = () => ({ body: plain(5) });
  expect(await imported()).toMatchObject({ items: 5 });
  expect((await known(2))[0]).toMatchObject({ isInStock: 1, price: "100 UAH" });
  expect(await known(9)).toEqual([null]);
});

test("an update is refused as the platform would, a repeat is none, and the tracker's own form counts too", async () => {
  feed.answer = () => ({ body: plain(3) });
  await start();
  await first();
  const update = (row, more) => call("POST", "products", { products: [row] }, more);
  expect(await update({ product_id: "1" })).toMatchObject({
    status: 400,
    results: [{ verdict: "refused", code: "missing_field", field: "ProductUpdate[0].isInStock" }],
  });
  expect((await call("POST", "products", { products: [] })).status).toBe(400);
  const headers = { "idempotency-key": "01900000-0000-7000-8000-000000000001" };
  expect((await update({ product_id: "1", isInStock: 0 }, { headers })).results[0].verdict).toBe("accepted");
  expect((await update({ product_id: "1", isInStock: 1 }, { headers })).results[0].verdict).toBe("duplicate");
  expect((await known(1))[0].isInStock).toBe(0);
  const body = {
    GeneralInfo: { eventName: "ProductUpdate", siteId: "8A412DC" },
    ProductUpdate: [{ product_id: "2", isInStock: 0 }],
  };
  expect((await call("POST", "v2", body)).status).toBe(202);
  expect(await found({ in_stock: 1 })).toEqual(["3"]);
  for (const [method, path] of [["POST", "products"], ["GET", "products?ids=1"], ["POST", "feed"]])
    for (const token of ["", "not-the-token-of-anybody"])
      expect((await call(method, path, undefined, { token })).status, path).toBe(401);
  expect((await call("GET", "products?ids=")).status).toBe(400);
  expect((await call("POST", "main/products", { products: [{ product_id: "3", isInStock: 0 }] })).status).toBe(202);
  expect(await found({ in_stock: 1 })).toEqual([]);
});

test("an update is taken when the catalogue has it, and what is said again undoes nothing that is newer", async () => {
  feed.answer = () => ({ body: plain(3) });
  await start({}, { cloud: { faults: true } });
  await first();
  let said = 0;
  const update = (row, key = ++said) => {
    const headers = { "idempotency-key": "01900000-0000-7000-8000-" + String(key).padStart(12, "0") };
    return call("POST", "products", { products: [row] }, { headers });
  };
  const sold = { product_id: "1", isInStock: 0, unit_price: 70 };
  const gone = { product_id: "2", isInStock: 0 };
  await stack.objectFaults({ do: "fail", path: "/update" });
  for (const row of [sold, gone]) {
    const { status, error } = await update(row);
    expect([status, error.code]).toEqual([503, "unavailable"]);
    expect(error.message).toContain("send it again");
  }
  expect((await known(1, 2)).map(({ isInStock }) => isInStock)).toEqual([1, 1]);
  await stack.objectFaults();
  expect((await update({ product_id: "1", isInStock: 1 })).status).toBe(202);
  for (const [row, key] of [[sold, 1], [gone, 2]]) {
    const { status, results } = await update(row, key);
    expect([status, results[0].verdict]).toEqual([202, "duplicate"]);
  }
  const after = await known(1, 2);
  expect(after).toMatchObject([{ isInStock: 1, price: "70 UAH" }, { isInStock: 0, price: "100 UAH" }]);
  expect(await stack.arrived(3, { name: "ProductUpdate" })).toHaveLength(3);

  // What a feed knows that was written later, no repeat undoes.
  feed.answer = () => ({ body: plain(3, 50) });
  await imported();
  expect((await update(gone, 2)).status).toBe(202);
  expect((await known(2))[0]).toMatchObject({ isInStock: 1, price: "50 UAH" });
});

test("what is bought most comes first, each order counted once", async () => {
  feed.answer = () => ({
    body: rss(...[1, 2, 3, 4].map((id) => item(id, `<g:product_type>Group ${id % 2}</g:product_type>`))),
  });
  await start();
  await first();
  const buy = async (number, lines) => {
    const list = lines.map(([productKey, quantity]) => ({
      productKey, price: "10", quantity: String(quantity), currency: "UAH",
    }));
    const data = { OrderNumber: number, PurchasedItems: list };
    const bought = record(randomUUID().toUpperCase(), "sendEvent", "PurchasedItems", data);
    return (await send(stack, bought, bought)).map(({ verdict }) => verdict);
  };
  const best = (more) => found({ order: "bestsellers", ...more });
  expect(await best()).toEqual(["1", "2", "3", "4"]);
  expect(await buy("A", [["4", 2], ["3", 1], ["unknown", 9]])).toEqual(["accepted", "duplicate"]);
  await expect.poll(best).toEqual(["4", "3", "1", "2"]);
  await buy("B", [["3", 2], ["2", 1]]);
  await expect.poll(best).toEqual(["3", "4", "2", "1"]);
  expect(await best({ field: "category", value: "group 0" })).toEqual(["4", "2"]);
  expect(await best({ limit: 1 })).toEqual(["3"]);
  await stack.order("kill-worker");
  await stack.order("start-worker");
  expect(await best()).toEqual(["3", "4", "2", "1"]);
});

test("a Worker that is killed while it reads goes on with the old catalogue and reads again", async () => {
  feed.answer = () => ({ body: plain(3) });
  await start();
  await first();
  // It comes, and does not end.
  let open;
  feed.server.removeAllListeners("request");
  feed.server.on("request", (request, response) => {
    feed.asked.push(request);
    open = response;
    response.write(plain(500, 7).slice(0, 60_000));
  });
  await call("POST", "feed");
  await expect.poll(() => Boolean(open)).toBe(true);
  await expect.poll(async () => (await state()).importing).toBe(true);
  expect((await known(1))[0].price).toBe("100 UAH");
  await stack.order("kill-worker");
  await stack.order("start-worker");
  expect((await known(1, 400)).map((product) => product?.price)).toEqual(["100 UAH", undefined]);
  expect(await state()).toMatchObject({ items: 3, importing: false, problem: expect.stringContaining("runtime") });
  feed.server.removeAllListeners("request");
  feed.server.on("request", (request, response) => {
    feed.asked.push(request);
    response.end(plain(500, 7));
  });
  expect(await imported()).toMatchObject({ items: 500, problem: null });
  expect((await known(400))[0].price).toBe("7 UAH");
});

test("a site without a feed has no catalogue, and its updates reach the platform", async () => {
  stack = await Stack.start();
  expect(await state()).toBeUndefined();
  expect((await call("POST", "feed")).status).toBe(404);
  expect(await known(1)).toEqual([null]);
  const products = [{ product_id: "1", isInStock: 1 }];
  expect((await call("POST", "products", { products })).status).toBe(202);
  expect(await stack.arrived(1, { name: "ProductUpdate" })).toHaveLength(1);
});
