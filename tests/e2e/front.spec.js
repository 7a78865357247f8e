// The Worker in front of the shop's own server: pages go through as they are, with blocks drawn into them.
import http from "node:http";

import { expect, test as base } from "./kit.js";
import { Stack } from "./stack.js";

const VARIANT = "r1v1";
const TYPE = "text/html; charset=utf-8";

const page = (body, head = "") =>
  `<!doctype html><html lang="uk"><head><meta charset="utf-8"><title>Shop</title>${head}</head><body>${body}</body></html>`;

/** The shop's own server, and what it was asked. */
const test = base.extend({
  origin: async ({}, use) => {
    const origin = { asked: [], pages: {} };
    const server = http.createServer(async (request, response) => {
      let body = "";
      for await (const part of request) body += part;
      const { method, url, headers } = request;
      origin.asked.push({ method, url, headers, body });
      const answer = origin.pages[url.split("?")[0]] ?? { status: 404, body: page("<h1>Gone</h1>") };
      const { status = 200, headers: own = { "content-type": TYPE }, body: text = "" } = answer;
      response.writeHead(status, own).end(text);
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    origin.address = `http://127.0.0.1:${server.address().port}`;
    await use(origin);
    server.closeAllConnections();
    server.close();
  },
  stack: async ({ front, origin }, use) => {
    const blocks = {
      [VARIANT]: { source: "contact", data_source: 1, header: { uk: "Для вас" } },
      r1v2: {
        source: "contact",
        data_source: 1,
        place: { selector: "#more", where: "inside", pages: ["/placed*"] },
      },
    };
    const stack = await Stack.start({
      site: {
        hosts: [`127.0.0.1:${front.port}`],
        front: origin.address,
        currency: "UAH",
        recommendations: { blocks, budget: 5000, out_of_stock: "show" },
      },
      secrets: { KIT_SIGNING_KEY: "canary-signing-key/of+the=tests" },
    });
    front.target = stack.kit;
    await use(stack);
    await stack.stop();
  },
});

const SC = "sc=5D0B4B5C-6C2F-4C62-9A8E-0123456789AB";
const BLOCK = `<es-recommendations variant="${VARIANT}"></es-recommendations>`;

/** What the page is without any script, as text. */
const read = async (baseURL, path, options = {}) => {
  const answer = await fetch(baseURL + path, { redirect: "manual", ...options });
  return { answer, text: await answer.text() };
};

test("blocks are in the page before any script runs", async ({ browser, baseURL, origin }) => {
  origin.pages["/p"] = { body: page(`<h1>Tent</h1>${BLOCK}<p id="after">After</p>`) };
  const context = await browser.newContext({ javaScriptEnabled: false });
  await context.addCookies([{ name: "sc", value: SC.slice(3), url: baseURL }]);
  const tab = await context.newPage();
  await tab.goto(baseURL + "/p");
  await expect(tab.locator(".es-card").first()).toBeVisible();
  await expect(tab.getByRole("heading", { name: "Для вас" })).toBeVisible();
  await expect(tab.locator("#after")).toBeVisible();
  const style = await tab.locator(".es-list").evaluate((list) => getComputedStyle(list).display);
  expect(style).not.toBe("block");
  await context.close();
});

test("an element of the shop's own and a place of the settings get theirs too", async ({
  baseURL, origin,
}) => {
  const body = page(`<div data-es-recommendations="${VARIANT}"></div><div id="more">old</div>`);
  const type = { "content-type": TYPE, etag: '"1"', "last-modified": "Thu, 26 Nov 2026 00:00:00 GMT" };
  origin.pages["/placed/1"] = { headers: type, body };
  origin.pages["/other"] = { body };
  const { text, answer } = await read(baseURL, "/placed/1", { headers: { cookie: SC } });
  expect(text).toMatch(/data-es-drawn[^>]*><section class="es-block/);
  expect(text).toMatch(
    /old<es-recommendations variant="r1v2" data-es-placed="r1v2" data-es-drawn><template shadowroot/,
  );
  // That the shop's page is the same as before says nothing of the blocks.
  for (const name of ["etag", "last-modified"]) expect(answer.headers.get(name)).toBeNull();
  const other = await read(baseURL, "/other", { headers: { cookie: SC } });
  expect(other.text).not.toContain('variant="r1v2"');
});

test("what is no page goes through as it is", async ({ baseURL, origin }) => {
  const bytes = "<es-recommendations variant=r1v1></es-recommendations>";
  origin.pages["/data.json"] = { headers: { "content-type": "application/json" }, body: bytes };
  origin.pages["/moved"] = { status: 302, headers: { location: "/elsewhere", "content-type": TYPE } };
  origin.pages["/order"] = { status: 201, headers: { "content-type": TYPE, "x-own": "1" }, body: bytes };
  origin.pages["/cookies"] = {
    headers: [["content-type", TYPE], ["set-cookie", "a=1; Path=/"], ["set-cookie", "b=2; HttpOnly"]],
    body: page("x"),
  };
  origin.pages["/kept-as-is"] = {
    headers: { "content-type": TYPE, "cache-control": "no-transform" },
    body: bytes,
  };
  expect((await read(baseURL, "/data.json")).text).toBe(bytes);
  expect((await read(baseURL, "/kept-as-is")).text).toBe(bytes);
  const moved = await read(baseURL, "/moved?x=1");
  expect([moved.answer.status, moved.answer.headers.get("location")]).toEqual([302, "/elsewhere"]);
  const order = await read(baseURL, "/order?id=7", { method: "POST", body: "a=1&b=ї" });
  expect([order.answer.status, order.answer.headers.get("x-own"), order.text]).toEqual([201, "1", bytes]);
  const { method, url, body, headers } = origin.asked.at(-1);
  expect({ method, url, body }).toEqual({ method: "POST", url: "/order?id=7", body: "a=1&b=ї" });
  expect(headers["x-forwarded-host"]).toBe(new URL(baseURL).host);
  const cookies = await read(baseURL, "/cookies");
  expect(cookies.answer.headers.getSetCookie()).toEqual(["a=1; Path=/", "b=2; HttpOnly"]);
  expect(cookies.answer.headers.get("kit-front")).toBeNull();
});

test("a page that others may be given holds nothing of one visitor", async ({
  baseURL, origin, stack,
}) => {
  origin.pages["/shared"] = {
    headers: { "content-type": TYPE, "cache-control": "public, max-age=600" },
    body: page(BLOCK),
  };
  origin.pages["/own"] = { body: page(BLOCK) };
  const count = async () =>
    (await stack.json("/requests?limit=100000")).filter(({ operation }) => operation == "contactRecoms")
      .length;
  const before = await count();
  await read(baseURL, "/shared", { headers: { cookie: SC } });
  expect(await count()).toBe(before);
  // Nothing stands in for it either, which everybody would see; the page's script asks for each.
  const shared = await read(baseURL, "/shared", { headers: { cookie: SC } });
  expect(shared.text).toContain(BLOCK);
  // Nor does whoever wants nothing to be chosen for them get something of their own.
  for (const headers of [{ cookie: SC, "sec-gpc": "1" }, { cookie: SC + "; es-deny=1" }])
    await read(baseURL, "/own", { headers });
  expect(await count()).toBe(before);
  const own = await read(baseURL, "/own", { headers: { cookie: SC } });
  expect(own.text).toContain("es-card");
  expect(own.answer.headers.get("cache-control")).toContain("private");
  expect(await count()).toBe(before + 1);
});

test("the shop's page comes when the platform is silent, and its 404 has blocks", async ({
  baseURL, origin,
}) => {
  const lost = page(`<h1>Gone</h1>${BLOCK}`);
  origin.pages["/lost"] = { status: 404, body: lost };
  const found = await read(baseURL, "/lost", { headers: { cookie: SC } });
  expect(found.answer.status).toBe(404);
  expect(found.text).toContain("es-card");
  origin.pages["/p"] = { body: page(`<h1>Tent</h1><es-recommendations variant="r9v9"></es-recommendations>end`) };
  const without = await read(baseURL, "/p", { headers: { cookie: SC } });
  expect(without.answer.status).toBe(200);
  expect(without.text).toContain('<es-recommendations variant="r9v9"></es-recommendations>end');
});

test("the kit's own addresses are not the shop's", async ({ baseURL, origin }) => {
  expect((await read(baseURL, "/k/health")).answer.status).toBe(200);
  expect((await read(baseURL, "/k/none")).answer.status).toBe(404);
  expect(origin.asked).toEqual([]);
});
