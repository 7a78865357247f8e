// The debug panel: each event's life, and why one was refused.
import { expect, keys, once, page as html, test, tracked } from "./kit.js";

/** The rows of the panel, the newest first. */
const rows = (page) =>
  page.evaluate(() => {
    const host = [...document.documentElement.children].find(({ shadowRoot }) => shadowRoot);
    const text = (row, name) => row.querySelector(name)?.textContent ?? "";
    return [...(host?.shadowRoot.querySelectorAll(".row") ?? [])].map((row) => ({
      name: text(row, ".name"),
      done: [...row.querySelectorAll(".life li:is(.done, .duplicate, .refused)")].map(
        ({ textContent }) => textContent,
      ),
      problem: text(row, ".problem"),
      warning: text(row, ".warning"),
    }));
  });

const DELIVERED = ["queued", "sent", "accepted", "delivered"];

for (const [name, options, headers] of [
  ["an attribute", { data: 'data-debug="on"' }, {}],
  [
    "an attribute under a strict policy",
    { data: 'data-debug="on"', nonce: "n0nce" },
    { "content-security-policy": "script-src 'nonce-n0nce' 'strict-dynamic'; require-trusted-types-for 'script'" },
  ],
])
  test(`${name} opens it, and it shows each event's life`, async ({ page, front, stack }) => {
    const said = [];
    page.on("console", (message) => said.push(message.text()));
    front.page("/", html(options), headers);
    await page.goto("/");
    await page.evaluate(() => {
      send("shown", 1);
      eS("sendEvent", "ProductPage", { ProductPage: { price: 1 } });
      eS("sendEvent", "ProductPage", { ProductPage: { productKey: 7 } });
      eS("track", "ProductPage");
    });
    const none = { problem: "", warning: "" };
    const refused = "missing_field · at ProductPage.productKey · the platform requires it";
    const unknown =
      "unknown_command · at track · use sendEvent, sendEventWithTags or one of the kit's own commands";
    const warning = "Warning: number_for_text · at ProductPage.productKey";
    await expect.poll(async () => (await rows(page)).filter(({ name }) => name != "consent"))
      .toEqual([
        { name: "track", done: ["refused"], problem: unknown, warning: "" },
        { ...none, name: "ProductPage", done: DELIVERED, warning: expect.stringContaining(warning) },
        { name: "ProductPage", done: expect.arrayContaining(["queued", "refused"]), problem: refused, warning: "" },
        { ...none, name: "ProductPage", done: DELIVERED },
        { ...none, name: "PageView", done: DELIVERED },
      ]);
    expect(said.filter((text) => text.startsWith("[kit]")).length).toBeGreaterThan(5);
  });

test("eS('debug') opens it late, with what went before, and closes it", async ({ page, stack }) => {
  await page.goto("/");
  await page.evaluate(() => send("before", 2));
  await once(stack, keys("before", 2), { views: 1 });
  expect(await rows(page)).toEqual([]);
  await page.evaluate(() => eS("debug"));
  await expect
    .poll(async () => (await rows(page)).map(({ name }) => name))
    .toEqual(expect.arrayContaining(["ProductPage", "ProductPage", "PageView"]));
  await page.evaluate(() => eS("debug", false));
  await expect.poll(() => rows(page)).toEqual([]);
  await page.evaluate(() => send("closed", 1));
  await page.evaluate(() => eS("debug", true));
  await page.evaluate(() => send("again", 1));
  await expect.poll(async () => (await rows(page)).some(({ name }) => name == "ProductPage")).toBe(true);
});

test("without it nothing of it is fetched and the console stays silent", async ({ page, front, stack }) => {
  const said = [];
  page.on("console", (message) => said.push(message.text()));
  await page.goto("/");
  await page.evaluate(() => eS("sendEvent", "ProductPage", {}));
  await once(stack, [], { views: 1 });
  const health = await (await fetch(stack.kit + "/k/health")).json();
  expect(health.ok).toBe(true);
  const scripts = () => front.log.filter(({ path }) => /^\/k\/a\/.*\.js$/.test(path)).length;
  // The page comes first, so the view may have left before the tracker is asked for.
  await expect.poll(scripts, "scripts besides the loader: the tracker").toBe(1);
  await tracked(page, front);
  expect(scripts(), "scripts besides the loader: the tracker alone").toBe(1);
  expect(said).toEqual([]);
});
