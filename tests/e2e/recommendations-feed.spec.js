// What the shop's feed does for recommendations: what is shown where the platform has nothing, and what it
// adds to what the platform recommends.
import { expect, test } from "@playwright/test";

import { products } from "../../www/shop/lib/products.js";
import { Stack } from "./stack.js";

const BLOCKS = {
  r12v34: { source: "contact", data_source: 1244, size: 50 },
  r12v35: { source: "contact", data_source: 1244, size: 50, fallback: "feed" },
  r12v36: { source: "contact", data_source: 1244, fallback: "none" },
  r12v37: { source: "contact", data_source: 1244, size: 3 },
};

let stack;
test.describe.configure({ mode: "serial" });
test.beforeAll(async () => {
  stack = await Stack.start({
    site: { feed: { address: "/feed.xml" }, recommendations: { blocks: BLOCKS, budget: 5000 } },
  });
  const headers = { authorization: "Bearer " + stack.server_token };
  await fetch(stack.kit + "/k/feed", { method: "POST", headers });
  const imported = async () => {
    const health = await (await fetch(stack.kit + "/k/health")).json();
    return health.sites.main.feed?.items;
  };
  await expect.poll(imported).toBe(products.length);
});
test.afterAll(() => stack.stop());

const ask = async (variant, parameters = {}) => {
  const query = new URLSearchParams(
    Object.entries(parameters).map(([name, value]) => [
      name,
      typeof value == "object" ? JSON.stringify(value) : value,
    ]),
  );
  const address = `${stack.shop}/k/recommendations/${variant}?${query}`;
  const answer = await fetch(address, { headers: { origin: stack.shop } });
  return { status: answer.status, ...(await answer.json()) };
};

const ids = ({ products }) => products.map(({ product_id }) => product_id);
const there = products.filter(({ stock }) => stock > 0).map(({ id }) => id);
const of = (category) =>
  products.filter((one) => one.category == category && one.stock > 0).map(({ id }) => id);

test("who is not known is shown what the shop has, which is never the platform's", async () => {
  const answer = await ask("r12v34");
  expect(answer.source).toBe("bestsellers");
  expect(ids(answer)).toEqual(there);
  for (const product of answer.products)
    expect(product).toEqual({
      product_id: product.product_id,
      url: expect.stringMatching(/product\.html\?id=[\w-]+$/),
    });
  expect(await ask("r12v35")).toMatchObject({ source: "feed" });
  expect(await ask("r12v36")).toMatchObject({ source: "none", products: [] });
});

test("what the page is about comes first, and the rest fills up", async () => {
  const tents = await ask("r12v34", { category: "Tents" });
  expect(ids(tents).slice(0, 4)).toEqual(of("tents"));
  expect(ids(tents)).toHaveLength(there.length);
  expect(ids(await ask("r12v37", { category: "Tents" }))).toEqual(of("tents").slice(0, 3));
  const about = await ask("r12v37", { product: "POT-2" });
  expect(ids(about)).toEqual([
    ...of("kitchen").filter((id) => id != "POT-2"),
    ...there.filter((id) => !of("kitchen").includes(id)),
  ].slice(0, 3));
});

test("when the platform fails, is empty or is slow, the shop's own are shown", async () => {
  const path = "/api/v2/contacts/recoms/";
  for (const [at, fault] of [
    { status: 500 },
    { status: 200, body: "[]" },
    { status: 200, body: "[{" },
  ].entries()) {
    await stack.faults({ ...fault, match: { path } });
    const answer = await ask("r12v34", { sc: "FAILS-" + at, category: "Backpacks" });
    expect([answer.source, ids(answer)[0]]).toEqual(["bestsellers", of("backpacks")[0]]);
    await stack.faults();
    await expect
      .poll(async () => (await ask("r12v34", { sc: "WORKS-" + at })).source)
      .toBe("platform");
  }
});

test("products have the feed's attributes, price and stock", async () => {
  const answer = await ask("r12v34", { sc: "ANN", all_fields: 1 });
  expect(answer.source).toBe("platform");
  // The platform recommends what is out of stock too.
  expect(ids(answer).sort()).toEqual([...there].sort());
  const tent = answer.products.find(({ product_id }) => product_id == "TENT-1P");
  expect(tent).toMatchObject({
    url: expect.stringContaining("sc_content=19534_r12v34"),
    container_type: "19534_r12v34",
    product_type: "Outdoor > Tents",
    name: products.find(({ id }) => id == "TENT-1P").name,
    imageUrl: expect.stringMatching(/\/img\//),
    price: products.find(({ id }) => id == "TENT-1P").price,
    isInStock: 1,
    tags_season: ["spring", "summer", "autumn"],
  });
  // A filter on what only the feed has.
  const filters = { include: [{ name: "season", values: ["spring"] }] };
  const spring = await ask("r12v34", { sc: "ANN", filters });
  expect(ids(spring)).toContain("TENT-1P");
  expect(spring.products.length).toBeLessThan(there.length);
  const odd = { include: [{ name: "colour", values: ["red"] }] };
  expect(await ask("r12v34", { sc: "ANN", filters: odd })).toMatchObject({
    status: 400,
    error: { field: "filters.include[0].name" },
  });
});

test("what is shown in the platform's place is filtered, and has the same names", async () => {
  const filters = { include: [{ name: "category", values: ["Backpacks"] }] };
  const answer = await ask("r12v34", { filters, all_fields: 1 });
  expect(answer.source).toBe("bestsellers");
  expect(ids(answer)).toEqual(of("backpacks"));
  for (const { product_id, ...shown } of answer.products)
    expect(shown).toMatchObject({
      name: products.find(({ id }) => id == product_id).name,
      price: products.find(({ id }) => id == product_id).price,
      isInStock: 1,
    });
  // Every product of the feed can be without what none has.
  const colour = [{ name: "colour", values: ["red"] }];
  expect(ids(await ask("r12v34", { filters: { exclude: colour } }))).toEqual(there);
  // That some product has it is enough, if none with this value is there.
  const none = { include: [{ name: "season", values: ["monsoon"] }] };
  expect(await ask("r12v34", { filters: none })).toMatchObject({ source: "none", products: [] });
});

test("what the shop's server says of stock holds at once", async () => {
  const update = (isInStock) =>
    fetch(stack.kit + "/k/products", {
      method: "POST",
      headers: { authorization: "Bearer " + stack.server_token },
      body: JSON.stringify({ products: [{ product_id: "TENT-1P", isInStock }] }),
    });
  expect((await update(0)).status).toBe(202);
  expect(ids(await ask("r12v34", { sc: "ANN" }))).not.toContain("TENT-1P");
  expect(ids(await ask("r12v34"))).not.toContain("TENT-1P");
  expect((await update(1)).status).toBe(202);
  expect(ids(await ask("r12v34", { sc: "ANN" }))).toContain("TENT-1P");
});
