// The whole shop journey, in both versions of the demo shop: what the platform holds at the end is
// what the visitor did, once each, in the platform's own form.
import { expect, test } from "@playwright/test";
import { Stack } from "./stack.js";

let stack;
test.beforeEach(async () => {
  stack = await Stack.start({ site: { consent: "denied" } });
});
test.afterEach(() => stack.stop());

const versions = {
  "classic pages": { main: "/", lost: "/no/such/page" },
  "a single-page site": { main: "/spa/", lost: "/spa/no/such/page" },
};

for (const [version, { main, lost }] of Object.entries(versions))
  test(`${version}: main page to thank-you, log-in, not found`, async ({ page }) => {
    const errors = [];
    page.on("pageerror", (error) => errors.push(error.message));
    const title = (text) => page.locator(`h1:has-text("${text}")`).waitFor();

    await page.goto(stack.shop + main);
    await page.click('.consent >> text="Accept"');
    await page.click('.head-nav >> text="Camp kitchen"');
    await title("Camp kitchen");
    await page.click(".card[data-product=POT-2] .wish");
    await page.click(".card[data-product=POT-2] .card-name a");
    await title("Hearth");
    await page.click('.product-buy >> text="Add to cart"');
    await page.fill("#search-text", "tents");
    await page.press("#search-text", "Enter");
    await title("Results");
    await page.fill("#search-text", "canoe");
    await page.press("#search-text", "Enter");
    await title("Nothing");
    await page.click(".head-icons a >> nth=1");
    await title("Cart");
    await page.click('text="To checkout"');
    await title("Checkout");
    await page.click('#main >> text="Log in"');
    await title("Log in");
    await page.fill("#f-email", "olena@example.com");
    await page.fill("#f-name", "Olena Kovalenko");
    await page.fill("#f-phone", "050 123 45 67");
    await page.click("#login button[type=submit]");
    await title("Checkout");
    await page.fill("#f-city", "Yaremche");
    await page.fill("#f-address", "Branch 1");
    await page.click('text="Place the order"');
    await title("Thank you");
    // The page is shown three times; the order was placed once.
    await page.reload();
    await title("Thank you");
    await page.reload();
    await title("Thank you");
    await page.goto(stack.shop + lost);
    await title("meadow");

    const expected = {
      MainPage: 1,
      CategoryPage: 1,
      AddToWishlist: 1,
      ProductPage: 1,
      SearchRequest: 2,
      StatusCart: 2,
      StatusCartPage: 1,
      PurchasedItems: 1,
      NotFound: 1,
    };
    const count = (events) => {
      const counts = {};
      for (const { body } of events)
        counts[body.GeneralInfo.eventName] = (counts[body.GeneralInfo.eventName] || 0) + 1;
      return counts;
    };
    await expect
      .poll(async () => count(await stack.events()), { timeout: 30_000 })
      .toMatchObject(expected);
    const events = (await stack.events()).map(({ body }) => body);
    const of = (name) => events.filter(({ GeneralInfo }) => GeneralInfo.eventName == name);

    const [web] = new Set(events.map(({ GeneralInfo }) => GeneralInfo.cookies.sc));
    expect(new Set(events.map(({ GeneralInfo }) => GeneralInfo.cookies.sc)).size).toBe(1);
    expect(await page.evaluate(() => document.cookie)).toContain("sc=" + web);

    expect(of("CategoryPage")[0].CategoryPage.Category).toEqual({ categoryKey: "Camp kitchen" });
    expect(of("ProductPage")[0].ProductPage.Product).toMatchObject({
      productKey: "POT-2",
      isInStock: 1,
    });
    expect(of("SearchRequest").map(({ SearchRequest }) => SearchRequest)).toEqual([
      { search: "tents", isFound: 1 },
      { search: "canoe", isFound: 0 },
    ]);

    const [filled, emptied] = of("StatusCart").map(({ StatusCart }) => StatusCart);
    expect(filled.Products).toEqual([
      { productKey: "POT-2", price: expect.any(String), quantity: 1, price_currency_code: "UAH" },
    ]);
    expect(emptied.Products).toEqual([]);
    expect(emptied.GUID).not.toBe(filled.GUID);

    // The cart was cleared before the purchase was reported: its GUID is that of the ordered cart.
    const [purchase] = of("PurchasedItems");
    expect(purchase.PurchasedItems.GUID).toBe(filled.GUID);
    expect(purchase.PurchasedItems.Products).toEqual([
      {
        product_id: "POT-2",
        unit_price: expect.any(String),
        quantity: 1,
        price_currency_code: "UAH",
      },
    ]);

    // Who logged in is known to every event after it, and to none before.
    const email = ({ GeneralInfo }) => GeneralInfo.user_email;
    expect(email(of("ProductPage")[0])).toBeUndefined();
    for (const event of [purchase, of("NotFound")[0]]) expect(email(event)).toBe("olena@example.com");

    const { verdicts } = await stack.json("/stats");
    expect(verdicts.refused).toBe(0);
    expect(errors).toEqual([]);
  });
