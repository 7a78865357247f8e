// Where the kit is served from: the shop's own host, its server, a host beside it, another site.
import { expect, forgotten, keys, leave, once, page as html, start, test as base } from "./kit.js";
import { Stack } from "./stack.js";

/** Stacks whose settings a test gives itself, since they name the test's own hosts. */
const test = base.extend({
  stack: async ({}, use) => use(undefined),
  baseURL: async ({}, use) => use(undefined),
  serve: async ({ front }, use) => {
    let stack;
    await use(async (site) => {
      stack = await Stack.start({ site });
      front.target = stack.shop;
      return stack;
    });
    await stack?.stop();
  },
});

const cookies = async (page) =>
  (await page.context().cookies()).filter(({ name }) => name == "sc");

/** What the page fetched of the kit, and its dedicated workers. */
const watch = (page) => {
  const seen = { wasm: 0, workers: 0 };
  page.on("response", (answer) => (seen.wasm += /\.wasm$/.test(answer.url()) && answer.ok()));
  page.on("worker", () => seen.workers++);
  return seen;
};

test("a path that the shop's own server passes on has everything", async ({ page, front, serve }) => {
  const stack = await serve({});
  const seen = watch(page);
  await page.goto(stack.proxied + "/");
  await expect.poll(() => seen.workers).toBe(1);
  // The demo shop's own events; what follows is the test's.
  await page.evaluate(() => eS("sendEvent", "SearchRequest", { SearchRequest: { search: "proxied" } }));
  const events = await stack.arrived(1, { name: "SearchRequest" });
  expect(events.length).toBe(1);
  const [cookie] = await cookies(page);
  expect(cookie.value).toBe(events[0].body.GeneralInfo.cookies.sc);
  const { hostname } = new URL(stack.proxied);
  expect(cookie).toMatchObject({ domain: hostname, path: "/", sameSite: "Lax", httpOnly: false });
  await start(page, (to) => {
    eS("sendEvent", "SearchRequest", { SearchRequest: { search: "leaving" } });
    location.href = to;
  }, front.elsewhere);
  await page.waitForURL(front.elsewhere);
  expect((await stack.arrived(2, { name: "SearchRequest" })).length).toBe(2);
});

test("a host beside the shop's runs the tracker on the page, with the shop's cookie", async ({
  page, front, serve,
}) => {
  const shop = `shop.localhost:${front.port}`;
  const stack = await serve({ hosts: [shop], cookie_domain: "shop.localhost" });
  const { port } = new URL(stack.kit);
  const loader = `<script src="http://kit.shop.localhost:${port}/k/main/kit.js"></script>`;
  front.page("/", html({ loader }));
  const seen = watch(page);
  await page.goto(`http://${shop}/`);
  await expect.poll(() => seen.wasm).toBe(1);
  expect(seen.workers).toBe(0);
  await page.evaluate(() => send("beside", 3));
  await once(stack, keys("beside", 3), { views: 1 });
  await forgotten(page);
  const [cookie, ...others] = await cookies(page);
  expect(others).toEqual([]);
  expect(cookie.domain).toBe(".shop.localhost");
  const [{ body }] = await stack.events("PageView");
  expect(cookie.value).toBe(body.GeneralInfo.cookies.sc);
  await leave(page, front, "leaving", 3);
  await once(stack, [...keys("beside", 3), ...keys("leaving", 3)], { views: 1 });
});

test("another site's address delivers by the loader alone, wasm or not", async ({
  page, front, serve,
}) => {
  const stack = await serve({ hosts: [`127.0.0.1:${front.port}`] });
  const { port } = new URL(stack.kit);
  const loader = `<script src="http://localhost:${port}/k/main/kit.js"></script>`;
  front.page("/", html({ loader }));
  // What the tracker needs is not to be had there, as under a shop's usual policy.
  await page.route("**/k/a/**", (route) => route.abort());
  await page.goto(front.origin + "/");
  await page.evaluate(() => send("far", 3));
  await once(stack, keys("far", 3), { views: 1 });
  await forgotten(page);
  const [cookie, ...others] = await cookies(page);
  expect(others).toEqual([]);
  expect(cookie).toMatchObject({ domain: "127.0.0.1", sameSite: "Lax" });
  await start(page, (to) => {
    send("leaving", 3);
    location.href = to;
  }, `http://127.0.0.1:${front.port}/elsewhere`);
  await page.waitForURL("**/elsewhere");
  await once(stack, [...keys("far", 3), ...keys("leaving", 3)], { views: 1 });
});

test("pages of a host that is not the site's get no answer they can read", async ({
  page, front, serve,
}) => {
  const stack = await serve({ hosts: ["shop.example"] });
  const { port } = new URL(stack.kit);
  front.page("/", html({ loader: `<script src="http://localhost:${port}/k/main/kit.js"></script>` }));
  const refused = page.waitForEvent("requestfailed", (request) => request.url().endsWith("/k/b"));
  await page.goto(front.origin + "/");
  await refused;
  expect(await stack.events()).toEqual([]);
});
