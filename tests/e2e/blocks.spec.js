// Recommendations on real pages: found, asked for, drawn, seen and bought, whatever the page allows.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { CARDS, expect, HASHED, html, items, ORIGIN, page as document, STYLE_LINK, test, view } from "./blocks.js";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const ELEMENT = `<es-recommendations variant="r1v1"></es-recommendations>`;
const cards = (page) => page.locator("[data-es-product][data-es-block]");

/** Lets everything happen that needs no clock. */
const settle = (page) =>
  page.evaluate(async () => {
    await fetch("/k/none");
    const { port1, port2 } = new MessageChannel();
    for (let i = 0; i < 100; i++)
      await new Promise((resolve) => {
        port1.onmessage = resolve;
        port2.postMessage(0);
      });
    // A later observer is told later: by then the kit's own know what is in view.
    for (let i = 0; i < 2; i++)
      await new Promise((resolve) => {
        const observer = new IntersectionObserver(() => resolve(observer.disconnect()));
        observer.observe(document.documentElement);
      });
  });

/** Opens a page, and waits until the starter has read the settings. */
const visit = async (page, shop, path = "/") => {
  const before = shop.asked("/k/blocks.json").length;
  await page.goto(path);
  await expect.poll(() => shop.asked("/k/blocks.json").length).toBeGreaterThan(before);
  await settle(page);
};

/** Puts a function in the loader's place, which remembers what it was told over pages. */
const listen = (page) =>
  page.addInitScript(() => {
    const kept = () => JSON.parse(sessionStorage.told ?? "[]");
    window.eS = (...call) => (sessionStorage.told = JSON.stringify([...kept(), call]));
    eS.kit = () => ["recommendations"];
    eS.q = { push: eS };
  });
const told = async (page, name) => {
  const calls = await page.evaluate(() => JSON.parse(sessionStorage.told ?? "[]"));
  return calls.filter((call) => call.includes(name)).map((call) => call.at(-1));
};

/** What a page's blocks said of themselves. */
const hear = (page) =>
  page.addInitScript(() => {
    window.heard = [];
    addEventListener("es:recommendations", ({ detail }) => heard.push(detail));
  });
const heard = (page) => page.evaluate(() => window.heard);

/** An answer that comes when the test says so. */
const held = () => {
  let release;
  const answer = new Promise((resolve) => (release = resolve));
  return { answer: () => answer, release };
};

test.describe("in the page:", () => {
  test("an element is filled with what the Worker recommends, links untouched", async ({
    page, shop,
  }) => {
    await hear(page);
    shop.variants.r1v1 = { count: 6 };
    shop.page.body = `<es-recommendations variant="r1v1" product="A/1 &amp; 2" category="Tents > Domes"
      category-field="tags_all_category_names" filters='[{"a":1}]'></es-recommendations>`;
    await visit(page, shop);
    await expect(cards(page)).toHaveCount(6);
    const [{ path, query }] = shop.asked("/k/blocks/");
    expect(path).toBe("/k/blocks/r1v1");
    expect(Object.fromEntries(query)).toEqual({
      product: "A/1 & 2",
      category: "Tents > Domes",
      category_field: "tags_all_category_names",
      filters: '[{"a":1}]',
      lang: "en",
    });
    await expect(page.getByRole("heading", { name: "You may also like" })).toBeVisible();
    const link = page.getByRole("link", { name: "Duo 2" });
    expect(await link.getAttribute("href")).toBe(`${ORIGIN}/p/1?sc_content=19_r1v1`);
    await expect(page.locator(".es-list")).toHaveCSS("display", "grid");
    expect(await heard(page)).toEqual([{ action: "shown", variant: "r1v1", source: "platform" }]);
  });

  test("any element becomes a block by its data attributes, also when it comes late", async ({
    page, shop,
  }) => {
    shop.variants.r2v2 = { count: 4, container: "19_r2v2" };
    await visit(page, shop);
    await page.evaluate(() => {
      const made = document.createElement("div");
      made.dataset.esRecommendations = "r2v2";
      made.dataset.esProducts = "a, b,c";
      made.dataset.esTemplate = "carousel";
      document.querySelector("h1").after(made);
    });
    await expect(page.locator("main > div > .es-carousel [data-es-block='19_r2v2']")).toHaveCount(4);
    const [{ query }] = shop.asked("/k/blocks/r2v2");
    expect(query.getAll("products")).toEqual(["a", "b", "c"]);
    expect(query.get("template")).toBe("carousel");
    await expect(page.locator(".es-list")).toHaveCSS("scroll-snap-type", "x mandatory");
  });

  test("an element in a shop's own shadow root is one too", async ({ page, shop }) => {
    shop.variants.r1v1 = {};
    await visit(page, shop);
    await page.evaluate(() => {
      const host = document.createElement("div");
      const block = document.createElement("es-recommendations");
      block.setAttribute("variant", "r1v1");
      host.attachShadow({ mode: "open" }).append(block);
      document.querySelector("h1").after(host);
    });
    await expect(cards(page)).toHaveCount(8);
  });

  test("its language is the element's, else the page's", async ({ page, shop }) => {
    shop.variants.r1v1 = { count: 2 };
    shop.page.body = `${ELEMENT}<es-recommendations variant="r1v1" lang="ar"></es-recommendations>`;
    await visit(page, shop);
    await expect(page.locator(".es-block[lang=en][dir=ltr] .es-card")).toHaveCount(2);
    await expect(page.locator(".es-block[lang=ar][dir=rtl] .es-card")).toHaveCount(2);
    // As shops do that change their language without a new page.
    await page.evaluate(() => (document.documentElement.lang = "ar"));
    await expect(page.locator(".es-block[lang=ar][dir=rtl] .es-card")).toHaveCount(4);
  });

  test("one that names nothing is about what it stands in", async ({ page, shop }) => {
    shop.variants.r1v1 = { count: 2 };
    shop.page.attributes = `data-es-product="OUTER" data-es-category="Tents"`;
    shop.page.body = `<div data-es-product="INNER">${ELEMENT}</div>
      <div data-es-recommendations="r1v1" data-es-category="Mats"></div>`;
    await visit(page, shop);
    await expect(cards(page)).toHaveCount(4);
    const asked = shop.asked("/k/blocks/").map(({ query }) => [query.get("product"), query.get("category")]);
    expect(asked.sort()).toEqual([[null, "Mats"], ["INNER", "Tents"]]);
  });

  test("blocks that ask the same ask once", async ({ page, shop }) => {
    shop.variants.r1v1 = {};
    shop.page.body = ELEMENT + `<div data-es-recommendations="r1v1"></div>` + ELEMENT;
    await visit(page, shop);
    await expect(cards(page)).toHaveCount(24);
    expect(shop.asked("/k/blocks/")).toHaveLength(1);
    await page.evaluate(() => document.querySelector("h1").after(document.querySelector("div").cloneNode()));
    await expect(cards(page)).toHaveCount(32);
    expect(shop.asked("/k/blocks/")).toHaveLength(1);
  });

  test("a block far below is asked for when it comes near", async ({ page, shop }) => {
    shop.variants.r1v1 = {};
    shop.page.body = `<div class="long"></div>${ELEMENT}`;
    await visit(page, shop);
    const top = await page.locator("es-recommendations").evaluate((e) => e.getBoundingClientRect().top);
    const bottom = await page.evaluate(() => innerHeight);
    await page.evaluate((to) => scrollTo(0, to), top - bottom - 700);
    await settle(page);
    expect(shop.asked("/k/blocks/")).toEqual([]);
    expect(shop.asked(CARDS)).toEqual([]);
    await page.evaluate((to) => scrollTo(0, to), top - bottom - 500);
    await expect(cards(page)).toHaveCount(8);
  });

  test("a block that is not displayed is asked for when it is", async ({ page, shop }) => {
    shop.variants.r1v1 = {};
    shop.page.body = `<div id="tab" hidden>${ELEMENT}</div>`;
    await visit(page, shop);
    expect(shop.asked("/k/blocks/")).toEqual([]);
    await page.evaluate(() => (document.querySelector("#tab").hidden = false));
    await expect(cards(page)).toHaveCount(8);
  });

  test("what is asked last wins, and what is no longer wanted is given up", async ({
    page, shop,
  }) => {
    const slow = held();
    shop.variants.r1v1 = (query) => (query.get("product") == "old" ? slow.answer() : { count: 2 });
    shop.page.body = `<es-recommendations variant="r1v1" product="old"></es-recommendations>`;
    const failed = [];
    page.on("requestfailed", (request) => {
      if (request.url().includes("/k/blocks/")) failed.push(request.url());
    });
    await visit(page, shop);
    await expect.poll(() => shop.asked("/k/blocks/").length).toBe(1);
    await page.evaluate(() => document.querySelector("es-recommendations").setAttribute("product", "new"));
    await expect(cards(page)).toHaveCount(2);
    await expect.poll(() => failed.map((address) => new URL(address).searchParams.get("product"))).toEqual(["old"]);
    slow.release({ count: 5 });
    await settle(page);
    await expect(cards(page)).toHaveCount(2);
  });

  test("an element that leaves gives up; one that is moved stays", async ({ page, shop }) => {
    const slow = held();
    shop.variants.r1v1 = slow.answer;
    shop.variants.r2v2 = { count: 3 };
    shop.page.body = `${ELEMENT}<div data-es-recommendations="r1v1" data-es-product="x"></div>
      <es-recommendations id="moved" variant="r2v2"></es-recommendations>`;
    const failed = [];
    page.on("requestfailed", (request) => {
      if (request.url().includes("/k/blocks/")) failed.push(request.url());
    });
    await visit(page, shop);
    await expect(cards(page)).toHaveCount(3);
    await page.evaluate(() => {
      document.querySelector("[variant=r1v1]").remove();
      document.querySelector("div").remove();
      document.querySelector("h1").before(document.querySelector("#moved"));
    });
    await expect.poll(() => failed.length).toBe(2);
    await settle(page);
    await expect(cards(page)).toHaveCount(3);
    expect(shop.asked("/k/blocks/r2v2")).toHaveLength(1);
  });

  test("a route of a single-page shop has its own blocks, and coming back asks again", async ({
    page, shop,
  }) => {
    shop.variants.r1v1 = (query) => ({ count: query.get("product") == "a" ? 2 : 3 });
    shop.page.body = `<div id="app"></div>`;
    await visit(page, shop);
    const go = (product) =>
      page.evaluate((product) => {
        history.pushState({}, "", "/" + product);
        const made = document.createElement("es-recommendations");
        made.setAttribute("variant", "r1v1");
        made.setAttribute("product", product);
        document.querySelector("#app").replaceChildren(made);
      }, product);
    await go("a");
    await expect(cards(page)).toHaveCount(2);
    await go("b");
    await expect(cards(page)).toHaveCount(3);
    await go("a");
    await expect(cards(page)).toHaveCount(2);
    expect(shop.asked("/k/blocks/").map(({ query }) => query.get("product"))).toEqual(["a", "b", "a"]);
  });

  test("blocks are asked for anew when the shop says so", async ({ page, shop }) => {
    shop.variants.r1v1 = { count: 2 };
    shop.variants.r2v2 = { count: 2 };
    shop.page.body = `${ELEMENT}<div data-es-recommendations="r2v2"></div>`;
    await visit(page, shop);
    await expect(cards(page)).toHaveCount(4);
    shop.variants.r1v1 = { count: 3 };
    shop.variants.r2v2 = { count: 5 };
    await page.evaluate(() => esRecommendations.refresh("r1v1"));
    await expect(cards(page)).toHaveCount(5);
    await page.evaluate(() => esRecommendations.refresh());
    await expect(cards(page)).toHaveCount(8);
  });

  for (const type of ["element", "data attributes"])
    test(`a block that came with the page is not asked for again until it changes: ${type}`, async ({
      page, shop,
    }) => {
      await listen(page);
      shop.variants.r1v1 = { count: 2 };
      const { tree } = view("r1v1", new URLSearchParams(), { count: 4 });
      if (type == "element")
        shop.placed = [{ variant: "r1v1", place: { selector: "h1", where: "after" } }];
      const link = `<link rel="stylesheet" href="${STYLE_LINK}">`;
      shop.page.body =
        type == "element"
          ? `<es-recommendations id="b" variant="r1v1" data-es-placed="r1v1" data-es-drawn><template shadowrootmode="open">${link}
            ${html(tree)}</template></es-recommendations>`
          : `<div id="b" data-es-recommendations="r1v1" data-es-drawn>${html(tree)}</div>`;
      await visit(page, shop);
      await expect(cards(page)).toHaveCount(4);
      await expect(page.locator(".es-list")).toHaveCSS("display", "grid");
      await settle(page);
      await page.clock.runFor(2_000);
      const [{ ProductImpression }] = await told(page, "ProductImpressions");
      const ids = ProductImpression.map(({ product_id }) => product_id);
      expect(ids).toEqual(["P-1", "P-2", "P-3", "P-4"]);
      expect(shop.asked("/k/blocks/")).toEqual([]);
      // The place that the settings name is not filled a second time.
      await expect(page.locator(".es-block")).toHaveCount(1);
      await page.evaluate(() => document.querySelector("#b").setAttribute("data-es-product", "x"));
      await expect(cards(page)).toHaveCount(2);
    });

  test("a block that comes with the page in parts is waited for, and leaves with its route", async ({
    page, shop, context,
  }) => {
    const { tree } = view("r1v1", new URLSearchParams(), { count: 4 });
    shop.placed = [{ variant: "r1v1", place: { selector: "h1", where: "after", pages: ["/"] } }];
    shop.page.kit = false;
    shop.page.head = `<script type="module" async src="/k/blocks.js"></script>`;
    shop.page.body = `<es-recommendations variant="r1v1" data-es-placed="r1v1" data-es-drawn><script src="/slow.js"></script>
      <template shadowrootmode="open">${html(tree)}</template></es-recommendations>`;
    // The rest comes once the starter has seen the element without it.
    await context.route(ORIGIN + "/slow.js", async (route) => {
      await expect.poll(() => shop.asked("/k/blocks.json").length).toBe(1);
      await route.fulfill({ contentType: "text/javascript", body: "" });
    });
    await visit(page, shop);
    await expect(cards(page)).toHaveCount(4);
    expect(shop.asked("/k/blocks/")).toEqual([]);
    await page.evaluate(() => {
      history.pushState(0, "", "/other");
      document.body.append("changed");
    });
    await expect(page.locator("es-recommendations")).toHaveCount(0);
  });

  test("a block that came with the page to a browser which cannot show it is asked for", async ({
    page, shop,
  }) => {
    shop.variants.r1v1 = { count: 2 };
    shop.page.body = `<es-recommendations variant="r1v1" data-es-drawn><template><p>Not known</p></template>
      </es-recommendations>`;
    await visit(page, shop);
    await expect(cards(page)).toHaveCount(2);
  });
});

test.describe("in a place that the settings name:", () => {
  for (const [where, position] of [["before", 0], ["after", 2], ["inside", 1]])
    test(`${where} an element that comes late`, async ({ page, shop }) => {
      shop.variants.r1v1 = {};
      shop.placed = [{ variant: "r1v1", template: "grid", place: { selector: "#late", where } }];
      await visit(page, shop);
      await page.evaluate(() => {
        const late = Object.assign(document.createElement("div"), { id: "late" });
        late.append("a", "b");
        document.querySelector("h1").after(late);
      });
      await expect(cards(page)).toHaveCount(8);
      const found = await page.evaluate(() => {
        const late = document.querySelector("#late");
        const block = document.querySelector("es-recommendations");
        return [late.previousSibling, late.lastChild, late.nextSibling].indexOf(block);
      });
      expect(found).toBe(position);
    });

  test("it is about the product and the category that the place stands in", async ({
    page, shop,
  }) => {
    shop.variants.r1v1 = {};
    shop.placed = [{ variant: "r1v1", place: { selector: "#here", where: "inside" } }];
    shop.page.attributes = `data-es-product="OUTER" data-es-category="Tents"`;
    shop.page.body = `<div data-es-product="INNER"><p id="here"></p></div>`;
    await visit(page, shop);
    await expect(cards(page)).toHaveCount(8);
    // As a single-page shop does that keeps its elements.
    await page.evaluate(() => (document.body.dataset.esCategory = "Mats"));
    await expect.poll(() => shop.asked("/k/blocks/").length).toBe(2);
    const asked = shop.asked("/k/blocks/").map(({ query }) => [query.get("product"), query.get("category")]);
    expect(asked).toEqual([["INNER", "Tents"], ["INNER", "Mats"]]);
  });

  test("only on the pages that the settings name, also from route to route", async ({
    page, shop,
  }) => {
    shop.variants.r1v1 = {};
    const place = { selector: "h1", where: "after", pages: ["/product/*", "/кошик"] };
    shop.placed = [{ variant: "r1v1", place }];
    await visit(page, shop, "/category/a");
    await expect(page.locator("es-recommendations")).toHaveCount(0);
    const go = (path) =>
      page.evaluate((path) => {
        history.pushState({}, "", path);
        document.querySelector("h1").textContent = path;
      }, path);
    for (const [path, count] of [["/product/1", 1], ["/category/b", 0], ["/кошик", 1], ["/", 0]]) {
      await go(path);
      await expect(page.locator("es-recommendations")).toHaveCount(count);
    }
  });

  test("a place that a framework makes anew is filled again", async ({ page, shop }) => {
    shop.variants.r1v1 = {};
    shop.placed = [{ variant: "r1v1", place: { selector: ".app", where: "after" } }];
    shop.page.body = `<div class="app"></div>`;
    await visit(page, shop);
    await expect(cards(page)).toHaveCount(8);
    await page.evaluate(() => {
      const app = document.querySelector(".app");
      app.replaceWith(Object.assign(document.createElement("div"), { className: "app new" }));
    });
    await expect(page.locator(".new + es-recommendations .es-card")).toHaveCount(8);
    await expect(page.locator("es-recommendations")).toHaveCount(1);
    await page.evaluate(() => document.querySelector("es-recommendations").remove());
    await expect(page.locator(".new + es-recommendations .es-card")).toHaveCount(8);
  });

  test("a selector that nothing is, or that is none, is told once", async ({ page, shop }) => {
    await listen(page);
    await hear(page);
    const place = (selector, more) => ({ selector, where: "after", ...more });
    shop.placed = [
      { variant: "r1v1", place: place("#nowhere") },
      { variant: "r2v2", place: place("][") },
      { variant: "r3v3", place: place("#elsewhere", { pages: ["/elsewhere"] }) },
    ];
    const warned = [];
    page.on("console", (message) => {
      if (message.type() == "warning") warned.push(message.text());
    });
    await visit(page, shop);
    await page.clock.runFor(9_900);
    expect(warned).toEqual([]);
    await page.clock.runFor(60_000);
    const expected = ["block r1v1: nothing on the page is #nowhere", "block r2v2: nothing on the page is ]["];
    await expect.poll(() => warned).toEqual(expected.map((text) => "[kit] " + text));
    expect(await told(page, "warn")).toEqual([
      { code: "place", field: "r1v1", message: expected[0] },
      { code: "place", field: "r2v2", message: expected[1] },
    ]);
    expect((await heard(page)).map(({ code, variant }) => [code, variant])).toEqual([
      ["place", "r1v1"], ["place", "r2v2"],
    ]);
  });
});

test.describe("its space:", () => {
  /** How much the page has moved, by the browser's own measure. */
  const watch = (page) =>
    page.addInitScript(() => {
      window.shift = 0;
      new PerformanceObserver((list) => {
        for (const { value } of list.getEntries()) shift += value;
      }).observe({ type: "layout-shift", buffered: true });
    });
  const shift = async (page) => {
    // Until the browser has drawn it, and told of what has moved.
    await page.screenshot();
    await settle(page);
    return page.evaluate(() => shift);
  };

  test("a reserved block moves nothing, from nothing over its skeleton to its cards", async ({
    page, shop,
  }) => {
    await watch(page);
    for (const body of [
      `<es-recommendations style="display:block;min-height:520px" variant="r1v1"></es-recommendations>`,
      `<div style="min-height:520px" data-es-recommendations="r1v1"></div>`,
      `<div id="here" style="min-height:520px"></div>`,
    ]) {
      const slow = held();
      shop.variants.r1v1 = slow.answer;
      const place = { selector: "#here", where: "inside" };
      shop.placed = [{ variant: "r1v1", place, reserve: [[0, 900], [600, 520]] }];
      shop.page.body = body + "<p>Below.</p>";
      await visit(page, shop);
      await expect(page.locator(".es-wait .es-card")).toHaveCount(4);
      expect(await page.locator(".es-wait").evaluate((e) => e.offsetHeight)).toBe(520);
      expect(await shift(page)).toBe(0);
      slow.release({ count: 4 });
      await expect(cards(page)).toHaveCount(4);
      expect(await shift(page)).toBe(0);
    }
  });

  test("a block that grows above what is seen is measured: the check can fail", async ({
    page, shop,
  }) => {
    await watch(page);
    const slow = held();
    shop.variants.r1v1 = slow.answer;
    shop.page.body = ELEMENT + "<p>Below.</p>";
    await visit(page, shop);
    await expect(page.locator(".es-wait .es-card")).toHaveCount(4);
    // What nobody has seen yet does not move.
    await shift(page);
    slow.release({ count: 8 });
    await expect(cards(page)).toHaveCount(8);
    await expect.poll(() => shift(page)).toBeGreaterThan(0);
  });

  test("a placed block gets the height that the settings give for the window", async ({
    page, shop,
  }) => {
    const slow = held();
    shop.variants.r1v1 = slow.answer;
    const place = { selector: "h1", where: "after" };
    shop.placed = [{ variant: "r1v1", place, reserve: [[0, 900], [600, 500]] }];
    for (const [width, height] of [[1200, 500], [400, 900]]) {
      await page.setViewportSize({ width, height: 700 });
      await visit(page, shop);
      const block = page.locator("es-recommendations");
      await expect.poll(() => block.evaluate((e) => e.offsetHeight)).toBe(height);
    }
  });

  for (const [name, answer] of Object.entries({
    "nothing to show": { items: [] },
    "a refusal": undefined,
    "a fault": { status: 500, body: "<h1>Worker threw exception</h1>" },
    "what is no JSON": { status: 200, body: "{" },
    "no answer": "fail",
    "an answer of another kind": { status: 200, body: "[]" },
  }))
    test.describe(`after ${name}`, () => {
      test("the shop's own content shows, and nothing throws", async ({ page, shop }) => {
        await hear(page);
        await listen(page);
        const slow = held();
        shop.variants.r1v1 = slow.answer;
        const own = `<p class="own">Our favourites</p>`;
        shop.page.body = `<es-recommendations variant="r1v1">${own}</es-recommendations>
          <div data-es-recommendations="r1v1">${own}</div>`;
        await visit(page, shop);
        await expect(page.locator(".es-wait")).toHaveCount(2);
        await expect(page.locator("es-recommendations .own")).toBeHidden();
        slow.release(answer);
        await expect(page.locator(".own:visible")).toHaveCount(2);
        await expect(page.locator(".es-wait")).toHaveCount(0);
        const [first, second] = await heard(page);
        expect(second).toEqual(first);
        const warned = await told(page, "warn");
        if (name == "nothing to show")
          expect([first, warned]).toEqual([{ action: "empty", variant: "r1v1", source: "platform" }, []]);
        else {
          expect(first).toMatchObject({ action: "failed", variant: "r1v1" });
          const { code, message } = first;
          expect(warned).toEqual([1, 2].map(() => ({ code, message, field: "r1v1" })));
        }
        if (name == "a refusal")
          expect(first.message).toBe("variantId r1v1 was not found in config");
      });

      test("a block in view keeps its space, one below it takes none", async ({ page, shop }) => {
        shop.variants.r1v1 = () => answer;
        shop.page.body = `${ELEMENT}<p id="below">Below.</p><div style="height:600px"></div>
          <es-recommendations id="low" variant="r1v1" style="display:block;min-height:500px">
          </es-recommendations>`;
        await watch(page);
        await visit(page, shop);
        await expect.poll(() => page.locator("#low").evaluate((e) => e.offsetHeight)).toBe(0);
        expect(await page.locator("[variant]").first().evaluate((e) => e.offsetHeight)).toBe(380);
        await expect(page.locator(".es-wait:visible")).toHaveCount(0);
      });
    });

  test("a block that took no space has it again when there is something", async ({ page, shop }) => {
    shop.variants.r1v1 = { items: [] };
    shop.page.body = `<div style="height:1000px"></div>${ELEMENT}`;
    await visit(page, shop);
    const block = page.locator("es-recommendations");
    await expect.poll(() => block.evaluate((e) => e.offsetHeight)).toBe(0);
    shop.variants.r1v1 = { count: 4 };
    await page.evaluate(() => esRecommendations.refresh());
    await expect(cards(page)).toHaveCount(4);
  });

  test("where the drawing module cannot be had, the shop's content shows", async ({
    page, shop, context,
  }) => {
    await hear(page);
    shop.variants.r1v1 = {};
    await context.route("**" + CARDS, (route) => route.abort());
    shop.page.body = `<es-recommendations variant="r1v1"><p class="own">Ours</p></es-recommendations>`;
    await visit(page, shop);
    await expect(page.locator(".own")).toBeVisible();
    expect(await heard(page)).toMatchObject([{ action: "failed", code: "failed" }]);
  });
});

/** What somebody might call a product, or give as its addresses. */
const HOSTILE = {
  ...items(1)[0],
  product_id: `"><img src=x onerror="window.broken=1">`,
  name: `<img src=x onerror="window.broken=1"> {{price}} \${1} <script>window.broken=1</script>`,
  url: "javascript:window.broken=1",
  image: " \tjava\nscript:window.broken=1",
  old_price: "",
  brand: `" onmouseover="window.broken=1`,
  fields: { __proto__: null, constructor: "{{name}}", link: "data:text/html,<script>1</script>" },
};

test.describe("a template of the shop's:", () => {
  const TEMPLATE = `<template id="t"><li class="own {{brand}}"><a href="{{url}}" title="{{name}}: {{price}}">
    <img src="{{image}}" alt="" style="width: {{price_value}}px"><b>{{ name }}</b></a>
    <s data-es-if="old_price">{{old_price}}</s><i>{{fields.none}}{{season}}{{tags_colour}}</i>
    <button data-es-buy onclick="window.broken='{{name}}'">Buy</button></li></template>`;
  const TYPES = ["element", "data attributes"];
  const body = (type, template = "#t") =>
    type == "element"
      ? `<es-recommendations variant="r1v1" template="${template}"><p class="own">Ours</p></es-recommendations>`
      : `<ul data-es-recommendations="r1v1" data-es-template="${template}"><li class="own">Ours</li></ul>`;

  for (const type of TYPES)
    test(`is filled in for each product: ${type}`, async ({ page, shop }) => {
      await listen(page);
      shop.variants.r1v1 = { count: 3 };
      shop.page.body = body(type) + TEMPLATE + `<style>.own b { color: rgb(1, 2, 3); }</style>`;
      await visit(page, shop);
      const own = page.locator("li.own");
      await expect(own).toHaveCount(3);
      expect(shop.asked("/k/blocks/")[0].query.get("template")).toBe("none");
      const first = own.first();
      expect(await first.locator("a").getAttribute("href")).toBe(`${ORIGIN}/p/1?sc_content=19_r1v1`);
      expect(await first.locator("a").getAttribute("title")).toMatch(/^Duo 2, a dome for two: 8\D990,00 ₴$/);
      expect(await first.locator("img").getAttribute("src")).toBe(`${ORIGIN}/img/1.svg`);
      await expect(first.locator("b")).toHaveText("Duo 2, a dome for two");
      // The shop's style reaches the shop's markup.
      await expect(first.locator("b")).toHaveCSS("color", "rgb(1, 2, 3)");
      await expect(first.locator("i")).toHaveText("summergreen,sand");
      await expect(own.locator("s")).toHaveText(["5 990,00 ₴"]);
      expect(await first.evaluate(({ dataset }) => ({ ...dataset }))).toEqual({
        esProduct: "P-1", esBlock: "19_r1v1", esPrice: "8990",
      });
      await first.locator("button").click();
      expect(await told(page, "ProductPage")).toHaveLength(1);
    });

  for (const type of TYPES)
    test(`names are text, and addresses those of the web: ${type}`, async ({ page, shop }) => {
      shop.variants.r1v1 = { items: [HOSTILE] };
      shop.page.body = body(type) + TEMPLATE;
      await visit(page, shop);
      const own = page.locator("li.own");
      await expect(own).toHaveCount(1);
      await expect(own.locator("b")).toHaveText(HOSTILE.name);
      expect(await own.locator("a").getAttribute("href")).toBeNull();
      expect(await own.locator("img").count()).toBe(1);
      expect(await own.locator("img").getAttribute("src")).toBeNull();
      expect(await own.locator("img").getAttribute("style")).toBeNull();
      expect(await own.locator("button").getAttribute("onclick")).toBeNull();
      expect(await own.evaluate((e) => [...e.attributes].map(({ name }) => name).sort())).toEqual([
        "class", "data-es-block", "data-es-price", "data-es-product",
      ]);
      await own.locator("button").click();
      await settle(page);
      expect(await page.evaluate(() => window.broken)).toBeUndefined();
    });

  test("nothing is written into scripts, styles and frames", async ({ page, shop }) => {
    shop.variants.r1v1 = { count: 1 };
    shop.page.body = body("element") + `<template id="t"><li class="own">
      <iframe src="{{url}}" srcdoc="{{name}}"></iframe><style>/*{{name}}*/</style><object data="{{url}}"></object>
      <script type="text/plain" src="{{url}}">{{name}}</script></li></template>`;
    await visit(page, shop);
    await expect(page.locator("li.own")).toHaveCount(1);
    expect(await page.locator("li.own").innerHTML()).not.toContain("Duo");
    expect(await page.locator("li.own").innerHTML()).not.toContain("/p/1");
  });

  test("that is not there is told, and the shop's content shows", async ({ page, shop }) => {
    await hear(page);
    shop.variants.r1v1 = {};
    shop.page.body = body("element") + body("data attributes");
    await visit(page, shop);
    await expect(page.locator(".own:visible")).toHaveCount(2);
    expect(await heard(page)).toMatchObject([1, 2].map(() => ({ code: "template", variant: "r1v1" })));
  });

  test("can be changed for another", async ({ page, shop }) => {
    shop.variants.r1v1 = { count: 2 };
    shop.page.body = body("element") + TEMPLATE + `<template id="u"><em>{{name}}</em></template>`;
    await visit(page, shop);
    await expect(page.locator("li.own")).toHaveCount(2);
    await page.evaluate(() => document.querySelector("es-recommendations").setAttribute("template", "#u"));
    await expect(page.locator("em")).toHaveCount(2);
    await expect(page.locator("li.own")).toHaveCount(0);
    await page.evaluate(() => document.querySelector("es-recommendations").removeAttribute("template"));
    await expect(page.locator(".es-card")).toHaveCount(2);
    await expect(page.locator("em")).toHaveCount(0);
  });
});

test.describe("a function of the shop's:", () => {
  const register = (page) =>
    page.evaluate(() =>
      esRecommendations.render("r1v1", (items, place, answer) => {
        place.append(...items.map(({ name }) => Object.assign(document.createElement("em"), { textContent: name })));
        (window.answers ??= []).push(answer);
      }),
    );

  for (const [when, type] of [["before", "element"], ["after", "element"], ["after", "data attributes"]])
    test(`draws, told ${when} the block has come: ${type}`, async ({ page, shop }) => {
      shop.variants.r1v1 = { count: 3 };
      const body = type == "element" ? ELEMENT : `<p data-es-recommendations="r1v1"></p>`;
      if (when == "after") shop.page.body = body;
      await visit(page, shop);
      if (when == "after") await expect(cards(page)).toHaveCount(3);
      await register(page);
      if (when == "before")
        await page.evaluate((body) => document.querySelector("h1").insertAdjacentHTML("afterend", body), body);
      await expect(page.locator("main > * em")).toHaveCount(3);
      await expect(cards(page)).toHaveCount(0);
      expect(await page.evaluate(() => answers)).toEqual([
        { v: 1, variant: "r1v1", source: "platform", lang: "en", dir: "ltr", header: "You may also like" },
      ]);
    });

  test("that throws is told, and the shop's content shows", async ({ page, shop }) => {
    await hear(page);
    shop.variants.r1v1 = {};
    shop.page.body = `<p data-es-recommendations="r2v2"><b class="own">Ours</b></p>`;
    shop.variants.r2v2 = {};
    await visit(page, shop);
    await expect(cards(page)).toHaveCount(8);
    await page.evaluate(() =>
      esRecommendations.render("r2v2", (_, place) => {
        place.append("half of it");
        throw new Error("theirs");
      }),
    );
    await expect(page.locator(".own")).toBeVisible();
    await expect(page.locator("main")).not.toContainText("half of it");
    expect((await heard(page)).at(-1)).toMatchObject({ action: "failed", message: "theirs" });
  });

  test("of one element draws what that element holds", async ({ page, shop }) => {
    shop.variants.r1v1 = { count: 2 };
    await visit(page, shop);
    await page.evaluate(() => {
      const block = document.createElement("es-recommendations");
      block.setAttribute("variant", "r1v1");
      block.append(Object.assign(document.createElement("p"), { slot: "es", id: "mine" }));
      block.render = (items) => (block.firstChild.textContent = items.map(({ product_id }) => product_id));
      document.querySelector("h1").after(block);
    });
    await expect(page.locator("#mine")).toHaveText("P-1,P-2");
    await expect(page.locator("#mine")).toBeVisible();
  });

  test("asks by itself, and gets products or a typed error", async ({ page, shop }) => {
    shop.variants.r1v1 = { count: 2 };
    await visit(page, shop);
    const get = (params) =>
      page.evaluate(
        (params) =>
          esRecommendations.get(params).catch((error) => [error instanceof Error, error.code, error.message]),
        params,
      );
    const filters = { include: [{ name: "city", values: ["Kiev", "Kharkiv"] }] };
    const params = {
      ...{ variantId: "r1v1", productId: "a", productIds: ["b", "c"], categoryKey: "Tents" },
      ...{ categoryField: "tags_x", allFields: true, filters, proof: "signed" },
    };
    expect(await get(params)).toEqual([
      { product_id: "P-1", url: `${ORIGIN}/p/1?sc_content=19_r1v1`, container_type: "19_r1v1" },
      { product_id: "P-2", url: `${ORIGIN}/p/2?sc_content=19_r1v1`, container_type: "19_r1v1" },
    ]);
    const [{ path, query }] = shop.asked("/k/recommendations/");
    expect(path).toBe("/k/recommendations/r1v1");
    expect(query.getAll("products")).toEqual(["b", "c"]);
    query.delete("products");
    expect(Object.fromEntries(query)).toEqual({
      ...{ product: "a", category: "Tents", category_field: "tags_x", all_fields: "1" },
      ...{ filters: JSON.stringify(filters), lang: "en", proof: "signed" },
    });
    expect(await get({ variantId: "r262v361" })).toEqual([
      true, "unknown_variant", "variantId r262v361 was not found in config",
    ]);
    shop.variants.r1v1 = "fail";
    expect(await get({ variantId: "r1v1" })).toEqual([
      true, "unreachable", "the kit's Worker did not answer",
    ]);
  });
});

test.describe("for whom:", () => {
  const SC = "CDA68358-94FB-4D83-9655-3FEB3C4114A3";
  const asked = async (page, shop, path = "/") => {
    shop.requests = [];
    await visit(page, shop, path);
    await expect.poll(() => shop.asked("/k/blocks/").length).toBe(1);
    const [{ query, headers }] = shop.asked("/k/blocks/");
    return { sc: query.get("sc"), cookie: /sc=/.test(headers.cookie), seed: query.get("seed") };
  };
  test.beforeEach(async ({ page, shop }) => {
    shop.variants = { r1v1: {}, home: { v: 1, variant: "r1v1", source: "platform", tree: null } };
    shop.page.body = ELEMENT;
    shop.pages["/bare"] = document({ kit: false });
    await page.goto("/bare");
    await page.evaluate((sc) => (document.cookie = `sc=${sc}`), SC);
  });

  test("for the visitor, unless they do not want that anything is chosen for them", async ({
    page, shop,
  }) => {
    const nobody = { sc: null, cookie: false, seed: null };
    const visitor = { sc: SC, cookie: true, seed: null };
    for (const [choice, expected] of [
      [undefined, visitor],
      [["tracking", "recommendations"], visitor],
      [["tracking"], nobody],
      [[], nobody],
    ]) {
      await page.evaluate((choice) => {
        if (choice) localStorage["es-consent"] = JSON.stringify(choice);
      }, choice);
      expect(await asked(page, shop)).toEqual(expected);
      await expect(cards(page)).toHaveCount(8);
    }
  });

  test("not where the browser says no for them", async ({ page, shop }) => {
    await page.addInitScript(() =>
      Object.defineProperty(navigator, "globalPrivacyControl", { get: () => true }),
    );
    expect(await asked(page, shop)).toEqual({ sc: null, cookie: false, seed: null });
    await expect(cards(page)).toHaveCount(8);
  });

  test("as a consent tool says on the page", async ({ page, shop }) => {
    await page.addInitScript(() => {
      window.eS = () => {};
      eS.kit = () => window.chosen;
    });
    // Nothing is chosen for who has not said anything yet.
    expect(await asked(page, shop)).toMatchObject({ sc: null });
    const mark = () => page.evaluate(() => /es-deny=1/.test(document.cookie));
    expect(await mark()).toBe(true);
    for (const [choice, sc] of [
      [["tracking"], null],
      [["tracking", "recommendations"], SC],
      [["forms"], null],
    ]) {
      shop.requests = [];
      await page.evaluate((choice) => {
        window.chosen = choice;
        esRecommendations.refresh();
      }, choice);
      await expect.poll(() => shop.asked("/k/blocks/").length).toBe(1);
      expect(shop.asked("/k/blocks/")[0].query.get("sc")).toBe(sc);
      // The Worker, which draws blocks with the page, can read it.
      expect(await mark()).toBe(!sc);
    }
  });

  test("who they are, proven by the shop's server, goes with every block while they allow it", async ({
    page, shop,
  }) => {
    await asked(page, shop);
    shop.requests = [];
    await page.evaluate(() => (esRecommendations.proof = "payload.signature"));
    await expect.poll(() => shop.asked("/k/blocks/").length).toBe(1);
    expect(shop.asked("/k/blocks/")[0].query.get("proof")).toBe("payload.signature");
    shop.requests = [];
    await page.evaluate(() => {
      localStorage["es-consent"] = "[]";
      esRecommendations.refresh();
    });
    await expect.poll(() => shop.asked("/k/blocks/").length).toBe(1);
    expect(shop.asked("/k/blocks/")[0].query.get("proof")).toBeNull();
  });

  test("a test is split by the visitor, else by the page view", async ({ page, shop }) => {
    const test = `<es-recommendations variant="home"></es-recommendations>`;
    shop.page.body = test + test;
    expect(await asked(page, shop)).toEqual({ sc: SC, cookie: true, seed: null });
    await page.evaluate(() => (localStorage["es-consent"] = "[]"));
    const first = await asked(page, shop);
    expect(first.sc).toBeNull();
    expect(Number(first.seed)).toBeGreaterThan(0);
    expect((await asked(page, shop)).seed).not.toBe(first.seed);
    expect(await page.evaluate(() => [Object.keys(localStorage), sessionStorage.length])).toEqual([
      ["es-consent"], 0,
    ]);
  });

  test("the variant that was chosen is told", async ({ page, shop }) => {
    await hear(page);
    shop.page.body = `<es-recommendations variant="home"></es-recommendations>`;
    shop.variants.home = (query) => view("r7v8", query, { container: "19_r7v8", count: 2 });
    await visit(page, shop);
    await expect(page.locator("[data-es-variant=r7v8] [data-es-block='19_r7v8']")).toHaveCount(2);
    expect(await heard(page)).toEqual([{ action: "shown", variant: "r7v8", source: "platform" }]);
  });
});

test.describe("what is seen:", () => {
  const ids = async (page) =>
    (await told(page, "ProductImpressions")).map(({ ProductImpression }) =>
      ProductImpression.map(({ product_id }) => product_id),
    );
  const scroll = async (page, to) => {
    await page.evaluate((to) => scrollTo(0, to), to);
    await settle(page);
  };
  /** Cards of 100 px that the shop has made, below 1000 px of something else. */
  const OWN = [1, 2, 3]
    .map((id) => `<div class="c" data-es-product="S-${id}" data-es-block="9_r9v9">A card</div>`)
    .join("");
  const SHELF = `<style>main { padding: 0 !important; } h1 { display: none; } .c { height: 100px; }</style>
    <div style="height:1000px"></div>${OWN}<div class="long"></div>`;

  test.beforeEach(async ({ page }) => {
    await listen(page);
    await page.setViewportSize({ width: 1200, height: 800 });
  });

  test("a card is reported once it has been half seen for a second", async ({ page, shop }) => {
    shop.page.body = SHELF;
    await visit(page, shop);
    // 49 px of the first one.
    await scroll(page, 249);
    await page.clock.runFor(10_000);
    expect(await ids(page)).toEqual([]);
    await scroll(page, 251);
    await page.clock.runFor(900);
    // It goes in time, and comes back.
    await scroll(page, 0);
    await page.clock.runFor(10_000);
    expect(await ids(page)).toEqual([]);
    await scroll(page, 251);
    await page.clock.runFor(1_000);
    expect(await ids(page)).toEqual([]);
    await page.clock.runFor(1_000);
    expect(await told(page, "ProductImpressions")).toEqual([
      { ProductImpression: [{ product_id: "S-1", container_type: "9_r9v9" }] },
    ]);
  });

  test("each card once in a page view, of all blocks in one event of a second", async ({
    page, shop,
  }) => {
    shop.variants = { r1v1: { count: 2 }, r2v2: { count: 1, container: "19_r2v2" } };
    const second = `<div data-es-recommendations="r2v2"></div>`;
    // The same product in the same block's other copy is the same card.
    shop.page.body = `<style>main > * { display: inline-block; width: 350px; vertical-align: top; }</style>
      ${ELEMENT}${ELEMENT}${second}<div class="long"></div>`;
    await visit(page, shop);
    await expect(cards(page)).toHaveCount(5);
    await settle(page);
    await page.clock.runFor(2_000);
    const [{ ProductImpression }] = await told(page, "ProductImpressions");
    const pairs = ProductImpression.map(({ product_id, container_type }) => product_id + " " + container_type);
    expect(pairs.sort()).toEqual(["P-1 19_r1v1", "P-1 19_r2v2", "P-2 19_r1v1"]);
    await scroll(page, 2000);
    await scroll(page, 0);
    await page.clock.runFor(10_000);
    expect(await ids(page)).toHaveLength(1);
  });

  test("not on a page that nobody sees, and what waits goes when it hides", async ({ page, shop }) => {
    shop.page.body = SHELF;
    await page.addInitScript(() => {
      window.unseen = true;
      Object.defineProperty(document, "hidden", { get: () => unseen });
      window.hide = (is) => {
        unseen = is;
        document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
      };
    });
    await visit(page, shop);
    await scroll(page, 251);
    await page.clock.runFor(10_000);
    expect(await ids(page)).toEqual([]);
    await page.evaluate(() => hide(false));
    await page.clock.runFor(900);
    await page.evaluate(() => hide(true));
    await page.clock.runFor(10_000);
    expect(await ids(page)).toEqual([]);
    await page.evaluate(() => hide(false));
    await page.clock.runFor(1_000);
    expect(await ids(page)).toEqual([]);
    await page.evaluate(() => hide(true));
    expect(await ids(page)).toEqual([["S-1"]]);
  });

  test("what waits goes with the page", async ({ page, shop }) => {
    shop.page.body = SHELF;
    shop.pages["/b"] = document({ kit: false });
    await visit(page, shop);
    await scroll(page, 500);
    await page.clock.runFor(1_500);
    expect(await ids(page)).toEqual([]);
    await page.goto("/b");
    expect(await ids(page)).toEqual([["S-1", "S-2", "S-3"]]);
  });

  test("what nobody counts is not reported", async ({ page, shop }) => {
    shop.variants.r1v1 = { container: "" };
    shop.page.body = ELEMENT + `<p data-es-product="S-1">A</p><p data-es-product="S-2" data-es-block="">B</p>`;
    await visit(page, shop);
    await expect(page.locator(".es-card")).toHaveCount(8);
    await settle(page);
    await page.clock.runFor(10_000);
    expect(await ids(page)).toEqual([]);
  });

  test("a new route counts anew, also what stays on the page", async ({ page, shop }) => {
    shop.page.body = SHELF;
    await visit(page, shop);
    await scroll(page, 251);
    await page.clock.runFor(2_000);
    await page.evaluate(() => history.pushState({}, "", "/b"));
    await page.clock.runFor(2_000);
    await page.evaluate(() => (location.hash = "place"));
    await page.clock.runFor(2_000);
    await page.evaluate(() => history.replaceState({}, "", "/b?x=1"));
    await page.clock.runFor(2_000);
    expect(await ids(page)).toEqual([["S-1"], ["S-1"], ["S-1"]]);
  });

  test("what was seen before a route is told before it", async ({ page, shop }) => {
    shop.page.body = SHELF;
    await page.addInitScript(() => {
      window.places = [];
      const original = window.eS;
      window.eS = Object.assign((...call) => {
        if (call[1] == "ProductImpressions") places.push(location.pathname);
        original(...call);
      }, original);
    });
    await visit(page, shop, "/a");
    await scroll(page, 251);
    await page.clock.runFor(1_500);
    await page.evaluate(() => history.pushState({}, "", "/b"));
    expect(await page.evaluate(() => places)).toEqual(["/a"]);
  });

  test("an element that a framework uses again is another card", async ({ page, shop }) => {
    shop.page.body = SHELF;
    await visit(page, shop);
    await scroll(page, 251);
    await page.clock.runFor(2_000);
    await page.evaluate(() => (document.querySelector(".c").dataset.esProduct = "S-9"));
    await settle(page);
    await page.clock.runFor(2_000);
    expect(await ids(page)).toEqual([["S-1"], ["S-9"]]);
  });

  test("in a row that is turned, what has been turned to", async ({ page, shop }) => {
    await page.emulateMedia({ reducedMotion: "reduce" });
    shop.variants.r1v1 = { layout: "carousel", count: 12 };
    shop.page.body = ELEMENT;
    await visit(page, shop);
    await expect(cards(page)).toHaveCount(12);
    await settle(page);
    await page.clock.runFor(2_000);
    const [first] = await ids(page);
    expect(first).toEqual(["P-1", "P-2", "P-3", "P-4"]);
    await page.getByRole("button", { name: "Next products" }).click();
    await expect.poll(() => page.locator(".es-list").evaluate((e) => e.scrollLeft)).toBeGreaterThan(500);
    await settle(page);
    await page.clock.runFor(2_000);
    const [, second] = await ids(page);
    expect(second.length).toBeGreaterThan(1);
    expect(second.filter((id) => first.includes(id))).toEqual([]);
  });
});

test.describe("what is bought in a block:", () => {
  test.beforeEach(async ({ page, shop }) => {
    await page.addInitScript(() => {
      window.told = [];
      window.eS = (...call) => call[0] == "on" || told.push(call);
      addEventListener("es:buy", ({ detail, target }) => told.push([target.localName, detail]));
    });
    shop.variants.r1v1 = {};
    shop.page.body = ELEMENT;
  });
  const calls = (page) => page.evaluate(() => told);
  const buy = (page) => page.getByRole("button", { name: "Add to cart: Ridge 55" }).first().click();

  test("is reported with its block, and then the shop puts it into the cart", async ({
    page, shop,
  }) => {
    await visit(page, shop);
    await buy(page);
    expect(await calls(page)).toEqual([
      [
        "sendEvent",
        "ProductPage",
        {
          ProductPage: { productKey: "P-2", price: "6490" },
          GeneralInfo: { s_location: "19_r1v1" },
        },
      ],
      ["es-recommendations", { product_id: "P-2", container_type: "19_r1v1", price: "6490" }],
    ]);
  });

  test("is no recommendation's doing where the platform did not recommend it", async ({
    page, shop,
  }) => {
    shop.variants.r1v1 = { container: "" };
    await visit(page, shop);
    await buy(page);
    expect(await calls(page)).toEqual([["es-recommendations", { product_id: "P-2", price: "6490" }]]);
  });

  test("from a link of the shop's own: the link leads on unless the shop takes it", async ({
    page, shop,
  }) => {
    shop.page.body = `<div data-es-product="S-1" data-es-block="9_r9v9" data-es-price="5.50">
      <a href="#cart" data-es-buy><b>Buy</b></a></div>`;
    await visit(page, shop);
    await expect.poll(() => shop.asked(CARDS).length).toBe(1);
    await settle(page);
    await page.evaluate(() => addEventListener("es:buy", (event) => event.preventDefault(), { once: true }));
    await page.click("text=Buy");
    expect(new URL(page.url()).hash).toBe("");
    await page.click("text=Buy");
    await expect.poll(() => new URL(page.url()).hash).toBe("#cart");
    const detail = { product_id: "S-1", container_type: "9_r9v9", price: "5.50" };
    expect((await calls(page)).filter(([name]) => name == "div")).toEqual([["div", detail], ["div", detail]]);
  });
});

test.describe("a row that is turned:", () => {
  test.use({ viewport: { width: 900, height: 700 } });
  const list = (page) => page.locator(".es-list");
  const left = (page) => list(page).evaluate((element) => Math.round(element.scrollLeft));
  const button = (page, name) => page.locator(`[data-es-${name}]`);

  for (const lang of ["en", "ar"])
    test(`by its buttons to its ends: ${lang}`, async ({ page, shop }) => {
      await page.emulateMedia({ reducedMotion: "reduce" });
      shop.variants.r1v1 = { layout: "carousel", count: 6 };
      shop.page = { body: ELEMENT, lang };
      await visit(page, shop);
      await expect(cards(page)).toHaveCount(6);
      await expect(button(page, "prev")).toHaveAttribute("aria-disabled", "true");
      await expect(button(page, "next")).toHaveAttribute("aria-disabled", "false");
      const sign = lang == "ar" ? -1 : 1;
      await button(page, "next").click();
      await expect.poll(async () => sign * (await left(page))).toBeGreaterThan(100);
      await expect(button(page, "prev")).toHaveAttribute("aria-disabled", "false");
      // Where it leads nowhere it can still be pressed, without the page losing its place.
      await button(page, "next").click({ force: true });
      await button(page, "next").click({ force: true });
      await expect(button(page, "next")).toHaveAttribute("aria-disabled", "true");
      // The last card is all in view.
      const box = await cards(page).last().boundingBox();
      const row = await list(page).boundingBox();
      expect(box.x).toBeGreaterThanOrEqual(row.x - 1);
      expect(box.x + box.width).toBeLessThanOrEqual(row.x + row.width + 1);
      await button(page, "prev").click();
      await expect(button(page, "next")).toHaveAttribute("aria-disabled", "false");
    });

  test("by keys", async ({ page, shop }) => {
    await page.emulateMedia({ reducedMotion: "reduce" });
    shop.variants.r1v1 = { layout: "carousel", count: 8, buy: false };
    shop.page.body = `<button id="first">A button of the page</button>${ELEMENT}`;
    await visit(page, shop);
    await expect(cards(page)).toHaveCount(8);
    const focused = () =>
      page.evaluate(() => {
        const { activeElement } = document.querySelector("es-recommendations").shadowRoot;
        return activeElement && (activeElement.className || Object.keys(activeElement.dataset).join());
      });
    await page.focus("#first");
    await page.keyboard.press("Tab");
    expect(await focused()).toBe("es-list");
    await page.keyboard.press("ArrowRight");
    await expect.poll(() => left(page)).toBeGreaterThan(0);
    for (let i = 0; i < 8; i++) await page.keyboard.press("Tab");
    expect(await focused()).toBe("es-link");
    // Who goes through the links sees where they are.
    await expect(cards(page).last()).toBeInViewport({ ratio: 0.9 });
    await page.keyboard.press("Tab");
    expect(await focused()).toBe("esPrev");
    const before = await left(page);
    await page.keyboard.press("Enter");
    await expect.poll(() => left(page)).toBeLessThan(before);
    await page.keyboard.press("Tab");
    expect(await focused()).toBe("esNext");
  });

  test("has no buttons where there is nothing to turn", async ({ page, shop }) => {
    shop.variants.r1v1 = { layout: "carousel", count: 2 };
    shop.page.body = ELEMENT;
    await visit(page, shop);
    await expect(cards(page)).toHaveCount(2);
    await expect(button(page, "next")).toBeHidden();
    await page.setViewportSize({ width: 320, height: 700 });
    await page.locator("es-recommendations").evaluate((element) => (element.style.width = "200px"));
    await expect(button(page, "next")).toBeVisible();
  });
});

test.describe("whatever the page allows:", () => {
  const all = (shop) => {
    shop.variants.r1v1 = { count: 4 };
    shop.variants.r2v2 = { items: [HOSTILE], container: "19_r2v2" };
    shop.page.body = `${ELEMENT}<div data-es-recommendations="r2v2"></div>
      <es-recommendations variant="r1v1" template="#t"></es-recommendations>
      <template id="t"><li><a href="{{url}}">{{name}}</a></li></template>`;
  };
  const works = async (page) => {
    await expect(page.locator("es-recommendations .es-card")).toHaveCount(4);
    await expect(page.locator("es-recommendations > div > li")).toHaveCount(4);
    await expect(page.locator("div .es-card")).toHaveCount(1);
    await expect(page.locator(".es-card").first()).toHaveCSS("border-top-left-radius", "14px");
    await expect(page.locator("div .es-name")).toHaveText(HOSTILE.name);
    await settle(page);
    expect(await page.evaluate(() => window.broken)).toBeUndefined();
  };

  test("a strict policy and Trusted Types", async ({ page, shop }) => {
    all(shop);
    shop.headers["content-security-policy"] =
      "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; " +
      "img-src 'self' data:; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
    await visit(page, shop);
    await works(page);
  });

  test("what others have named a product runs nowhere, and leads nowhere", async ({ page, shop }) => {
    all(shop);
    await visit(page, shop);
    await expect(page.locator("div .es-now")).toHaveText(HOSTILE.price);
    expect(await page.locator("div .es-link").getAttribute("href")).toBeNull();
    expect(await page.locator("div .es-image").getAttribute("src")).toBeNull();
    await works(page);
  });

  test("a tree with more in it than a block has is built without", async ({ page, shop }) => {
    const bad = [
      "section",
      { class: "es-block", onclick: "broken=1", style: "color:red", id: "main", "data-es-variant": "x" },
      ["script", {}, "window.broken=1"],
      ["iframe", { srcdoc: "<script>parent.broken=1</script>" }],
      ["a", { href: "JaVaScRiPt:broken=1", "data-es-product": "1", "data-es-block": "1" }, "A"],
      ["img", { src: "data:image/svg+xml,<svg/>", onerror: "broken=1" }],
      ["a", { href: "/relative" }, "B"],
    ];
    shop.variants.r1v1 = { v: 1, variant: "r1v1", source: "platform", tree: bad };
    shop.page.body = `<div data-es-recommendations="r1v1"></div>`;
    await visit(page, shop);
    await expect(page.locator("section")).toHaveCount(1);
    expect(await page.locator("section").evaluate((e) => e.outerHTML)).toBe(
      `<section class="es-block" data-es-variant="x"><a data-es-block="1" data-es-product="1">A</a><img>` +
        `<a href="/relative">B</a></section>`,
    );
  });

  test("two starters, under two names", async ({ page, shop }) => {
    all(shop);
    shop.page.head = `<script type="module" src="${HASHED}"></script>`;
    await visit(page, shop);
    await works(page);
    expect(shop.asked("/k/blocks.json")).toHaveLength(1);
    expect(shop.asked("/k/blocks/r2v2")).toHaveLength(1);
  });

  test("storage that is denied, or that others have written", async ({ page, shop }) => {
    all(shop);
    await page.addInitScript(() => {
      if (location.pathname == "/denied")
        for (const name of ["localStorage", "sessionStorage"])
          Object.defineProperty(window, name, {
            get() {
              throw new DOMException("denied", "SecurityError");
            },
          });
      else localStorage["es-consent"] = "{";
    });
    await visit(page, shop, "/denied");
    await works(page);
    await visit(page, shop, "/written");
    await works(page);
  });

  test("no loader, or something in its place that throws", async ({ page, shop }) => {
    all(shop);
    await page.addInitScript(() => {
      if (location.pathname == "/other")
        window.eS = () => {
          throw new Error("blocked");
        };
    });
    for (const path of ["/none", "/other"]) {
      await visit(page, shop, path);
      await works(page);
      await page.clock.runFor(5_000);
      await page.getByRole("button", { name: "Add to cart: Duo" }).first().click();
    }
  });

  test("settings that cannot be had", async ({ page, shop, context }) => {
    all(shop);
    await context.route("**/k/blocks.json*", (route) => route.abort());
    await page.goto("/");
    await works(page);
  });

  test("a script that comes while the page is still being read", async ({ page, shop }) => {
    all(shop);
    shop.page.kit = false;
    shop.page.head = `<script type="module" async src="/k/blocks.js"></script>`;
    await visit(page, shop);
    await works(page);
  });
});

test.describe("with the loader:", () => {
  const PAGE = { kit: false, head: `<script src="/k/kit.js"></script>` };
  test.beforeEach(({ shop }) => {
    shop.variants.r1v1 = { count: 2 };
    Object.assign(shop.page, PAGE);
  });
  const ready = async (page) => {
    await page.goto("/");
    await page.clock.resume();
  };

  test("the starter comes by itself, from the site's own address", async ({ page, shop }) => {
    shop.page.body = ELEMENT;
    await ready(page);
    await expect(cards(page)).toHaveCount(2);
    expect(shop.asked("/k/main/blocks/r1v1")).toHaveLength(1);
    await expect.poll(() => shop.calls().map(([, name]) => name)).toEqual(["ProductImpressions"]);
    expect(shop.calls()[0][2].ProductImpression).toEqual([
      { product_id: "P-1", container_type: "19_r1v1" },
      { product_id: "P-2", container_type: "19_r1v1" },
    ]);
  });

  test("the platform's command gets products, or an error as text", async ({ page, shop }) => {
    shop.loader.f = [];
    await ready(page);
    const call = (...params) =>
      page.evaluate(
        (params) =>
          new Promise((resolve) => eS("getRecommendations", ...params, (...answer) => resolve(answer))),
        params,
      );
    const products = [1, 2].map((id) => ({
      product_id: `P-${id}`, url: `${ORIGIN}/p/${id}?sc_content=19_r1v1`, container_type: "19_r1v1",
    }));
    expect(await call({ variantId: "r1v1", productIds: ["123", "543534"] })).toEqual([null, products]);
    expect(shop.asked("/k/recommendations/r1v1")[0].query.getAll("products")).toEqual(["123", "543534"]);
    expect(await call({ variantId: "r262v361" })).toEqual([
      "variantId r262v361 was not found in config",
    ]);
    shop.variants.r1v1 = { status: 500, body: "" };
    expect(await call({ variantId: "r1v1" })).toEqual(["the kit's Worker did not answer"]);
    // Without a callback it only asks.
    shop.requests = [];
    await page.evaluate(() => eS("getRecommendations", { variantId: "r262v361" }));
    await expect.poll(() => shop.asked("/k/recommendations/").length).toBe(1);
    await settle(page);
  });

  test("where the module cannot be had, the command says so", async ({ page, shop, context }) => {
    shop.loader.f = [];
    await context.route("**" + HASHED, (route) => route.abort());
    await ready(page);
    const error = await page.evaluate(
      () => new Promise((resolve) => eS("getRecommendations", { variantId: "r1v1" }, resolve)),
    );
    expect(typeof error).toBe("string");
  });

  test("what goes wrong is told to who listens", async ({ page, shop }) => {
    shop.page.body = `<es-recommendations variant="r262v361"></es-recommendations>`;
    await page.goto("/");
    await page.evaluate(() => {
      window.warnings = [];
      eS("on", "warning", (report) => warnings.push(report));
    });
    await page.clock.resume();
    const message = "variantId r262v361 was not found in config";
    await expect
      .poll(() => page.evaluate(() => warnings))
      .toEqual([{ type: "warning", code: "unknown_variant", field: "r262v361", message }]);
  });
});

test.describe("for everybody:", () => {
  const KINDS = {
    grid: (shop) => {
      shop.page.body = ELEMENT;
    },
    carousel: (shop) => {
      shop.variants.r1v1.layout = "carousel";
      shop.page.body = ELEMENT;
    },
    light: (shop) => {
      shop.page.body = `<div data-es-recommendations="r1v1"></div>`;
    },
    skeleton: (shop) => {
      shop.variants.r1v1 = held().answer;
      shop.page.body = ELEMENT;
    },
  };

  for (const colorScheme of ["light", "dark"])
    for (const [width, lang] of [[1200, "en"], [320, "en"], [320, "ar"]])
      test.describe(`${colorScheme}, ${width} wide, ${lang},`, () => {
        test.use({ colorScheme, viewport: { width, height: 900 }, reducedMotion: "reduce" });

        for (const [name, prepare] of Object.entries(KINDS))
          test(`nothing is wrong with a block: ${name}`, async ({ page, shop }) => {
            shop.variants.r1v1 = { count: 8 };
            prepare(shop);
            shop.page.lang = lang;
            await visit(page, shop);
            await expect(page.locator(".es-card").first()).toBeVisible();
            // It waits by timers.
            await page.clock.resume();
            await page.evaluate(axe);
            const { violations } = await page.evaluate(() => axe.run());
            expect(
              violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)]),
            ).toEqual([]);
            const widths = () => [document.documentElement.scrollWidth, innerWidth];
            const [all, seen] = await page.evaluate(widths);
            expect(all, "the page's width").toBeLessThanOrEqual(seen);
            if (process.env.KIT_PICTURES) {
              await page.locator(".es-image").evaluateAll((list) => list.forEach((e) => (e.loading = "eager")));
              await page.waitForFunction(() => {
                const host = document.querySelector("es-recommendations")?.shadowRoot ?? document;
                return [...host.querySelectorAll("img")].every((e) => e.complete);
              });
              const file = `${process.env.KIT_PICTURES}/${name}-${colorScheme}-${width}-${lang}.png`;
              await page.screenshot({ path: file, fullPage: true });
            }
          });
      });

  test("as many columns as there is room for in its place", async ({ page, shop }) => {
    shop.variants.r1v1 = {};
    shop.page.body = `<div id="box">${ELEMENT}</div>`;
    await page.setViewportSize({ width: 1400, height: 900 });
    await visit(page, shop);
    await expect(cards(page)).toHaveCount(8);
    for (const [width, columns] of [[1000, 4], [700, 3], [400, 2], [288, 2], [240, 1]]) {
      await page.locator("#box").evaluate((box, width) => (box.style.width = width + "px"), width);
      const tops = () => cards(page).evaluateAll((list) => list.map((e) => e.getBoundingClientRect().top));
      const count = async () => {
        const [first, ...others] = await tops();
        return 1 + others.filter((top) => top == first).length;
      };
      await expect.poll(count).toBe(columns);
    }
  });

  test("a theme and a shop's own scheme count", async ({ page, shop }) => {
    await page.emulateMedia({ colorScheme: "dark" });
    shop.variants.r1v1 = {};
    shop.page.body = ELEMENT;
    shop.page.head = `<style>es-recommendations { --es-scheme: light; --es-accent: #a0f; --es-radius: 2px; }</style>`;
    await visit(page, shop);
    await expect(page.locator(".es-card").first()).toHaveCSS("background-color", "rgb(255, 255, 255)");
    await expect(page.locator(".es-card").first()).toHaveCSS("border-top-left-radius", "2px");
    await expect(page.locator(".es-buy").first()).toHaveCSS("background-color", "rgb(170, 0, 255)");
  });

  test("who wants less motion gets none", async ({ page, shop }) => {
    shop.variants.r1v1 = {};
    shop.page.body = ELEMENT;
    const moving = async () => {
      await visit(page, shop);
      await expect(cards(page)).toHaveCount(8);
      return page.locator(".es-list").evaluate((element) => {
        const { animationName, scrollBehavior } = getComputedStyle(element);
        return [animationName, scrollBehavior];
      });
    };
    expect(await moving()).toEqual(["es-come", "smooth"]);
    await page.emulateMedia({ reducedMotion: "reduce" });
    expect(await moving()).toEqual(["none", "auto"]);
  });
});
