// Recommendation blocks of the demo shop with everything behind them: the scripts as they are built, the Worker,
// the platform's stand-in, the shop's feed.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { expect, test } from "@playwright/test";

import { products } from "../../www/shop/lib/products.js";
import { Stack } from "./stack.js";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const block = (data_source, more) => ({
  source: "contact",
  data_source,
  size: 8,
  header: { en: "Picked for you" },
  buy: true,
  ...more,
});

const recommendations = {
  // Patience that outlasts a slow machine, where nothing is about patience.
  budget: 5000,
  out_of_stock: "last",
  blocks: {
    r963v1311: block(1311),
    r963v1313: block(1313, {
      place: { selector: "#recommended", where: "inside", pages: ["/category*", "/spa/category/*"] },
      reserve: [[0, 400]],
    }),
    r963v1317: block(1317),
    r963v1319: block(1319),
    r963v1321: block(1321, { template: "carousel" }),
  },
};

/** The shop's pages with a block: kind, path in both forms, data source, and what the platform is asked about. */
const PAGES = [
  ["main", "/", "/spa/", 1311, {}],
  ["category", "/category.html?c=tents", "/spa/category/tents", 1313, { category: "Tents" }],
  ["product", "/product.html?id=POT-2", "/spa/product/POT-2", 1317, { products: "POT-2" }],
  ["cart", "/cart.html", "/spa/cart", 1319, { products: "MUG-T" }],
  ["lost", "/404.html", "/spa/no/such/page", 1321, {}],
];

const RECOMS = "/api/v2/contacts/recoms/";
const SECRETS = { KIT_SIGNING_KEY: "canary-signing-key/of+the=tests" };
const start = (site = {}) =>
  Stack.start({
    site: { currency: "UAH", feed: { address: "/feed.xml" }, recommendations, ...site },
    secrets: SECRETS,
  });

/** Waits until the Worker has read the shop's feed. */
const imported = async (stack) => {
  const headers = { authorization: "Bearer " + stack.server_token };
  await fetch(stack.kit + "/k/feed", { method: "POST", headers });
  const items = async () => (await (await fetch(stack.kit + "/k/health")).json()).sites.main.feed?.items;
  await expect.poll(items).toBe(products.length);
};

/** The calls for recommendations that the platform has seen, as their queries. */
const asked = async (stack, source = "") => {
  const all = await stack.json("/requests?limit=100000");
  const calls = all.filter(({ path }) => path.startsWith(RECOMS + source));
  return calls.map(({ path }) => Object.fromEntries(new URL(path, stack.platform).searchParams));
};

/** A browser of somebody's own. */
const visitor = async (browser, stack, sc, options = {}) => {
  const context = await browser.newContext({ locale: "en-GB", ...options });
  await context.addCookies([{ name: "sc", value: sc, url: stack.shop }]);
  await context.addInitScript(() => {
    if (location.pathname.includes("cart"))
      localStorage["shop.cart"] ??= JSON.stringify([{ id: "MUG-T", quantity: 1 }]);
  });
  const page = await context.newPage();
  page.failures = [];
  page.on("pageerror", (error) => page.failures.push(error.message));
  return page;
};

const cards = (page) => page.locator("[data-es-product]:visible");
const shown = (page) => cards(page).evaluateAll((all) => all.map((one) => one.dataset.esProduct));

test.describe.configure({ mode: "serial" });

test.describe("with a platform that recommends", () => {
  let stack;
  test.beforeAll(async () => {
    stack = await start();
    await imported(stack);
  });
  test.afterAll(() => stack.stop());

  for (const [kind, classic, single, source, about] of PAGES)
    for (const path of [classic, single])
      test(`${kind}, ${path}: what the platform recommends, fit for everybody`, async ({ browser }) => {
        const sc = "PAGES" + path.replace(/\W/g, "");
        const page = await visitor(browser, stack, sc);
        await page.goto(stack.shop + path);
        await expect(cards(page).nth(3)).toBeVisible();
        expect(await asked(stack, source)).toContainEqual({ webId: sc, ...about });
        // The platform's own links, with its mark; name and price are there.
        const links = cards(page).locator("a[href]");
        for (const href of await links.evaluateAll((all) => all.map((link) => link.getAttribute("href"))))
          expect(href).toMatch(/\/product\.html\?id=[\w-]+&sc_content=\w+$/);
        await expect(cards(page).first()).toContainText(/UAH|₴/);
        await page.evaluate(axe);
        const { violations } = await page.evaluate(() => axe.run());
        expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
        const width = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
        expect(width[0]).toBeLessThanOrEqual(width[1]);
        expect(page.failures).toEqual([]);
        await page.context().close();
      });

  test("two visitors never see each other's, in whatever order they come", async ({ browser }) => {
    const [ann, bob] = await Promise.all(["VISITOR-ANN", "VISITOR-BOB"].map((sc) => visitor(browser, stack, sc)));
    const lists = [[], []];
    for (let round = 0; round < 3; round++) {
      await Promise.all([ann, bob].map((page) => page.goto(stack.shop + "/")));
      for (const [at, page] of [ann, bob].entries()) {
        await expect(cards(page).nth(3)).toBeVisible();
        lists[at].push(await shown(page));
      }
    }
    for (const own of lists) for (const list of own) expect(list).toEqual(own[0]);
    expect(lists[0][0]).not.toEqual(lists[1][0]);
    for (const page of [ann, bob]) await page.context().close();
  });

  test("from what was seen to what was bought, the platform can join it", async ({ browser }) => {
    const sc = "CHAIN-0123";
    const page = await visitor(browser, stack, sc);
    const title = (text) => page.locator(`h1:has-text("${text}")`).waitFor();
    const own = async (name) => {
      const events = (await stack.events(name)).map(({ body }) => body);
      return events.filter(({ GeneralInfo }) => GeneralInfo.cookies.sc == sc);
    };
    await page.goto(stack.shop + "/");
    const first = cards(page).first();
    await first.scrollIntoViewIfNeeded();
    const [product, container] = await first.evaluate(({ dataset }) => [dataset.esProduct, dataset.esBlock]);
    expect(container).toMatch(/^\d+_r\d+v\d+$/);

    // Seen: each card once, several in one event.
    await expect.poll(async () => JSON.stringify(await own("ProductImpressions"))).toContain(product);
    const seen = await own("ProductImpressions");

    // Followed: the address says which block, and the product page is looked at.
    await first.locator("a").first().click();
    await page.waitForURL(/sc_content=/);
    expect(new URL(page.url()).searchParams.get("sc_content")).toBe(container);
    await title("");
    await page.click('.product-buy >> text="Add to cart"');

    // Bought in another block, straight from its card.
    const other = cards(page).filter({ has: page.locator("[data-es-buy]") }).first();
    await other.scrollIntoViewIfNeeded();
    const [second, place] = await other.evaluate(({ dataset }) => [dataset.esProduct, dataset.esBlock]);
    expect(place).not.toBe(container);
    await other.locator("[data-es-buy]").click();
    await expect(page.locator(".toast")).toContainText("is in your cart");

    await page.goto(stack.shop + "/checkout.html");
    await title("Checkout");
    await page.fill("#f-email", "olena@example.com");
    await page.fill("#f-name", "Olena Kovalenko");
    await page.fill("#f-phone", "050 123 45 67");
    await page.fill("#f-city", "Yaremche");
    await page.fill("#f-address", "Branch 1");
    await page.click('text="Place the order"');
    await title("Thank you");

    await expect.poll(async () => (await own("PurchasedItems")).length).toBe(1);
    for (const { ProductImpression } of seen)
      for (const one of ProductImpression.Products)
        expect(one).toEqual({ product_id: expect.any(String), container_type: container });
    const pairs = seen.flatMap(({ ProductImpression }) => ProductImpression.Products.map((one) => one.product_id));
    expect(new Set(pairs).size).toBe(pairs.length);
    expect(seen.some(({ ProductImpression }) => ProductImpression.Products.length > 1)).toBe(true);
    const looked = await own("ProductPage");
    const followed = looked.find(({ ProductPage }) => ProductPage.Product.productKey == product);
    expect(followed).toBeTruthy();
    const inBlock = looked.find(({ GeneralInfo }) => GeneralInfo.s_location);
    expect(inBlock).toMatchObject({
      GeneralInfo: { s_location: place },
      ProductPage: { Product: { productKey: second } },
    });
    const carts = await own("StatusCart");
    expect(carts.map(({ StatusCart }) => StatusCart.Products.map(({ productKey }) => productKey))).toEqual([
      [product], [product, second], [],
    ]);
    // The extra look comes before the cart that it explains.
    const order = (await stack.events()).map(({ body }) => body).filter(({ GeneralInfo }) => GeneralInfo.cookies.sc == sc);
    const at = (body) => order.findIndex((one) => JSON.stringify(one) == JSON.stringify(body));
    expect(at(inBlock)).toBeLessThan(at(carts[1]));
    const [purchase] = await own("PurchasedItems");
    expect(purchase.PurchasedItems.Products.map(({ product_id }) => product_id)).toEqual([product, second]);
    expect(purchase.PurchasedItems.Tags.block_id).toEqual([container]);
    expect(page.failures).toEqual([]);
    await page.context().close();
  });
});

test.describe("with a platform that fails", () => {
  let stack;
  test.beforeAll(async () => {
    stack = await start({ recommendations: { ...recommendations, budget: 300 } });
    await imported(stack);
  });
  test.afterAll(() => stack.stop());

  const HOSTILE = [
    { id: "a", name: "<script>window.owned=1</script>", url: "/a?sc_content=1_r1v1", price: 1 },
    { id: 'b"><img src=x onerror=window.owned=1>', name: "{{constructor}}", url: "javascript:window.owned=1", price: 2 },
    { id: "c", name: "</style></template><svg onload=window.owned=1>", url: "/c", price: 3 },
  ];

  for (const [name, fault, expected] of [
    ["hostile names", { status: 200, body: JSON.stringify(HOSTILE) }, ["a", "c"]],
    ["slow", { delay_ms: 8000 }],
    ["500", { status: 500 }],
    ["empty", { status: 200, body: "[]" }],
    ["401", { status: 401 }],
    ["bad JSON", { status: 200, body: "[{" }],
  ])
    test(`${name}: the page is whole, and shows what the shop has`, async ({ browser }) => {
      await stack.faults({ ...fault, match: { path: RECOMS } });
      const page = await visitor(browser, stack, "FAILS-" + name.replace(/\W/g, ""));
      await page.goto(stack.shop + "/");
      const list = page.locator("es-recommendations [data-es-product]:visible");
      await expect(list.first()).toBeVisible();
      const ids = await shown(page);
      if (expected) {
        // A machine that is busy may be late once; the answer that came too late is there for the next view.
        await expect
          .poll(async () => {
            await page.reload();
            await expect(list.first()).toBeVisible();
            return shown(page);
          })
          .toEqual(expected);
        expect(await page.evaluate(() => window.owned)).toBeUndefined();
        await expect(list.first()).toContainText("<script>window.owned=1</script>");
      } else {
        expect(ids.length).toBe(8);
        // None of them counts as the platform's.
        for (const one of await list.all()) expect(await one.getAttribute("data-es-block")).toBeNull();
      }
      expect(page.failures).toEqual([]);
      await stack.faults();
      await page.context().close();
    });
});
