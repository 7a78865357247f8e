// The demo shop's own pages, in both its forms, with recommendations that come from here.
import { existsSync, readFileSync } from "node:fs";

import { products } from "../../www/shop/lib/products.js";
import { expect, items, ORIGIN, test } from "./blocks.js";

const root = new URL("../../www/shop", import.meta.url).pathname;
const TYPES = { html: "text/html", js: "text/javascript", css: "text/css", svg: "image/svg+xml" };

/** The shop's own products, as the platform recommends them. */
const recommended = (variant) =>
  items(6, { variant, container: "19_" + variant }).map((item, index) => {
    const { id: product_id, name, price } = products[index];
    const url = `${ORIGIN}/product.html?id=${product_id}&sc_content=19_${variant}`;
    return { ...item, product_id, name, url, price_value: price, in_stock: 1 };
  });

/** What each page asks for: its kind, its path in both forms, and what its block is about. */
const PAGES = [
  ["main", "/", "/spa/", "r963v1311", {}],
  ["category", "/category.html?c=tents", "/spa/category/tents", "r963v1313", { category: "Tents" }],
  ["product", "/product.html?id=POT-2", "/spa/product/POT-2", "r963v1317", { product: "POT-2" }],
  ["cart", "/cart.html", "/spa/cart", "r963v1319", { products: "MUG-T", template: "none" }],
  ["lost", "/404.html", "/spa/no/such/page", "r963v1321", { template: "carousel" }],
];

test.beforeEach(async ({ page, shop, context }) => {
  for (const [, , , variant] of PAGES) shop.variants[variant] = { items: recommended(variant) };
  const place = { selector: "#recommended", where: "inside", pages: ["/category*", "/spa/category/*"] };
  shop.placed = [{ variant: "r963v1313", place }];
  await context.route(ORIGIN + "/**", (route) => {
    const { pathname } = new URL(route.request().url());
    if (pathname.startsWith("/k/")) return route.fallback();
    const named = root + (pathname == "/" ? "/index.html" : pathname);
    const file = /^\/spa\/(?!.*\.)/.test(pathname) ? root + "/spa/index.html" : named;
    if (!existsSync(file)) return route.fulfill({ status: 404, body: "" });
    return route.fulfill({ contentType: TYPES[file.split(".").pop()], body: readFileSync(file) });
  });
  await page.addInitScript(() => {
    const cart = [{ id: "MUG-T", quantity: 1 }];
    localStorage["shop.cart"] ??= JSON.stringify(cart);
  });
});

for (const [kind, classic, single, variant, about] of PAGES)
  for (const path of [classic, single])
    test(`${kind}, ${path}: a block with what the page is about, what is bought in it is in the cart`, async ({
      page, shop,
    }) => {
      await page.goto(path);
      await page.clock.resume();
      const cards = page.locator(`[data-es-block='19_${variant}']`);
      await expect(cards).toHaveCount(6);
      // A visitor's first page may be asked for before they have a web id.
      const { lang, sc, ...asked } = Object.fromEntries(shop.asked("/k/main/blocks/")[0].query);
      expect([lang, asked]).toEqual(["en", about]);
      await expect(page.locator(".shelf .grid:visible")).toHaveCount(0);
      await cards.nth(1).locator("[data-es-buy]").click();
      await expect(page.locator(".toast")).toContainText("Duo 2 is in your cart");
      const named = (name) => shop.calls().filter((call) => call[1] == name);
      await expect.poll(() => named("StatusCart").length).toBe(1);
      // That it was bought in the block is told before the cart is.
      const seen = named("ProductPage").at(-1)[2];
      expect(seen).toEqual({
        ProductPage: { productKey: "TENT-2P", price: "8990" },
        GeneralInfo: { s_location: "19_" + variant },
      });
      const names = shop.calls().map(([, name]) => name);
      expect(names.lastIndexOf("ProductPage")).toBeLessThan(names.indexOf("StatusCart"));
      expect(named("StatusCart")[0][2].StatusCart.map(({ productKey }) => productKey)).toEqual([
        "MUG-T", "TENT-2P",
      ]);
      await expect
        .poll(() => named("ProductImpressions").flatMap(([, , data]) => data.ProductImpression))
        .toContainEqual({ product_id: "TENT-2P", container_type: "19_" + variant });
    });

test("from route to route, each has its own, also back", async ({ page, shop }) => {
  await page.goto("/spa/");
  await page.clock.resume();
  const cards = (variant) => page.locator(`[data-es-block='19_${variant}']`);
  await expect(cards("r963v1311")).toHaveCount(6);
  await page.click('.head-nav >> text="Camp kitchen"');
  await expect(cards("r963v1313")).toHaveCount(6);
  await page.click(".card[data-product=STOVE-G] .card-name a");
  await expect(cards("r963v1317")).toHaveCount(6);
  await expect(cards("r963v1313")).toHaveCount(0);
  await page.goBack();
  await expect(cards("r963v1313")).toHaveCount(6);
  await expect(cards("r963v1317")).toHaveCount(0);
  const asked = shop.asked("/k/main/blocks/").map(({ query }) => query.get("category") ?? query.get("product"));
  expect(asked).toEqual([null, "Camp kitchen", "STOVE-G", "Camp kitchen"]);
});

for (const [name, prepare] of Object.entries({
  "is not there": (shop) => (shop.loader = { f: [], c: 1 }),
  "has nothing": (shop) => (shop.variants = {}),
}))
  test(`where the kit ${name}, the shop recommends by itself`, async ({ page, shop }) => {
    prepare(shop);
    for (const [kind, path] of PAGES) {
      await page.goto(path);
      await page.clock.runFor(5_000);
      if (kind == "category") await expect(page.locator(".card")).toHaveCount(4);
      else await expect(page.locator(".shelf .card:visible").nth(3)).toBeVisible();
    }
  });
