// Recommendations in a shop that uses React: as the kit draws them, and as the shop does.
import { buildSync } from "esbuild";
import { createElement } from "react";
import { renderToString } from "react-dom/server";

import { Recommendations } from "../../www/react.js";
import { expect, ORIGIN, page as document, test } from "./blocks.js";

/** With React's own checks, which tell of what is wrong. */
const script = () =>
  buildSync({
    entryPoints: [new URL("blocks-react-page.jsx", import.meta.url).pathname],
    bundle: true,
    format: "esm",
    jsx: "automatic",
    write: false,
    define: { "process.env.NODE_ENV": '"development"' },
  }).outputFiles[0].text;

let built;
const open = async (page, shop, first, { inside = "", kit = true, ready } = {}) => {
  await page.route(ORIGIN + "/react.js", async (route) => {
    await ready;
    return route.fulfill({ contentType: "text/javascript", body: (built ??= script()) });
  });
  shop.page = {
    kit,
    head: `<script>window.first = ${JSON.stringify(first)};</script>`,
    body: `<div id="root">${inside}</div><script type="module" src="/react.js"></script>`,
  };
  await page.goto("/");
  await page.clock.resume();
  await page.waitForFunction(() => window.page);
};
const shows = (page, what) => page.evaluate((what) => window.page(what), what);
const heard = (page) => page.evaluate(() => window.told);
const cards = (page) => page.locator("[data-es-product]");

test.beforeEach(({ page, shop, errors }) => {
  page.on("console", (message) => {
    if (message.type() == "error" && !/404/.test(message.text())) errors.push(message.text());
  });
  shop.variants = { r1v1: { count: 3 }, r2v2: (query) => ({ count: query.get("product") ? 2 : 4 }) };
});

test("a block stands where the component does, and what becomes of it is heard, each once", async ({
  page, shop,
}) => {
  const products = ["a", "b"];
  await open(page, shop, { variant: "r1v1", products, categoryField: "tags_x", template: "carousel" });
  await expect(page.locator("es-recommendations.shelf .es-carousel .es-card")).toHaveCount(3);
  const [{ query }] = shop.asked("/k/blocks/");
  expect([query.getAll("products"), query.get("category_field")]).toEqual([products, "tags_x"]);
  await expect(page.locator(".ours")).toBeHidden();
  await page.getByRole("button", { name: "Add to cart: Ridge" }).click();
  await shows(page, { variant: "r2v2", product: "x" });
  await expect(cards(page)).toHaveCount(2);
  await shows(page, {});
  await expect(page.locator("es-recommendations")).toHaveCount(0);
  await shows(page, { variant: "r9v9" });
  await expect(page.locator(".ours")).toBeVisible();
  await expect.poll(() => heard(page)).toEqual(["shown r1v1", "buy P-2", "shown r2v2", "failed r9v9"]);
});

test("the shop's own components draw it, and live on", async ({ page, shop }) => {
  await open(page, shop, { variant: "r1v1", isOwn: true });
  await expect(page.locator("main li")).toHaveCount(3);
  expect(shop.asked("/k/blocks/").every(({ query }) => query.get("template") == "none")).toBe(true);
  await expect(page.getByRole("heading", { name: "You may also like" })).toBeVisible();
  await page.getByRole("button", { name: "Pressed 0 times" }).first().click();
  await expect(page.getByRole("button", { name: "Pressed 1 times" })).toHaveCount(3);
  await page.getByRole("button", { name: "Buy" }).first().click();
  await shows(page, { variant: "r2v2", isOwn: true });
  await expect(page.locator("main li")).toHaveCount(4);
  await shows(page, { variant: "r2v2" });
  await expect(page.locator(".es-card")).toHaveCount(4);
  await expect(page.locator("main li:visible").first()).toHaveClass("es-card");
  await shows(page, { variant: "r9v9", isOwn: true });
  await expect(page.locator(".ours")).toBeVisible();
  await shows(page, { variant: "r1v1", isOwn: true });
  await expect(page.locator("main li")).toHaveCount(3);
  expect((await heard(page)).filter((text) => text.startsWith("buy"))).toEqual(["buy P-1"]);
});

for (const isOwn of [false, true])
  test(`a server renders its place, and a page takes it over: ${isOwn ? "the shop's" : "the kit's"}`, async ({
    page, shop,
  }) => {
    const render = isOwn ? () => "never on a server" : undefined;
    const properties = { variant: "r1v1", product: "a", className: "shelf", render };
    const place = createElement(Recommendations, properties, createElement("p", { className: "ours" }, "Our favourites"));
    const inside = renderToString(createElement("main", {}, createElement("h1", {}, "A shop"), place));
    expect(inside).toContain(`<p class="ours">Our favourites</p></es-recommendations>`);
    let come;
    const ready = new Promise((resolve) => (come = resolve));
    const opened = open(page, shop, { variant: "r1v1", product: "a", isOwn }, { inside, ready });
    if (isOwn) await expect(page.locator(".ours")).toBeVisible();
    else await expect(cards(page)).toHaveCount(3);
    const element = await page.locator("es-recommendations").elementHandle();
    come();
    await opened;
    await expect(cards(page)).toHaveCount(3);
    expect(await element.evaluate((element) => element.isConnected)).toBe(true);
    expect(await page.evaluate(() => window.mistakes)).toEqual([]);
  });

test("without the kit the children are there", async ({ page, shop }) => {
  shop.pages["/k/blocks.js"] = document();
  await open(page, shop, { variant: "r1v1", isOwn: true }, { kit: false });
  await expect(page.locator(".ours")).toBeVisible();
});
