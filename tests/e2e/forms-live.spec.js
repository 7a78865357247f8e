// Forms from the page to the platform, with everything between them real: each way in which a form stands on a
// page, and each page that keeps a part of the kit away.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { expect, test } from "./live.js";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const thanks = (page) => page.locator(".es-thanks");
const button = (page, name) => page.getByRole("button", { name, exact: true });
// Its label may say besides that it may be left out.
const input = (page, label) => page.getByLabel(new RegExp("^" + label.replace("?", ".")));

/** Repeats what a form comes at, until it is there: the page may not know yet when to show it. */
const until = (act) => async (page) =>
  expect(async () => {
    await act(page);
    await expect(page.locator("dialog")).toBeVisible({ timeout: 500 });
  }).toPass();

const mail = (live) => [["Email", live.address]];

/** What the platform gets of a subscription. */
const subscription = ({ address, phone }, formType, groups, { channels = ["email"], ...contact } = {}) => {
  const values = { email: address, sms: phone };
  const reached = channels.map((type) => ({ type, value: values[type] }));
  return ["subscribeContact", { contact: { channels: reached, ...contact, languageCode: "en" }, groups, formType }];
};

/**
 * The ways in which a form stands on a page: what the page has for it, how it comes by itself, what is filled
 * in step by step and with which buttons it is sent, and what the platform gets.
 */
const WAYS = {
  "an element of the kit's": {
    body: `<es-form form="news"></es-form>`,
    steps: [(live) => [...mail(live), ["First name", "Ann"], ["Sales", true], ["I agree", true]]],
    becomes: (live) => {
      const [operation, body] = subscription(live, "footer", ["News"], { firstName: "Ann" });
      return [[operation, { ...body, subscriptions: ["sales"] }]];
    },
  },
  "a form of the shop's own": {
    body: `<form data-es-form="own"><label>Email <input type="email" name="email"></label>
      <button>Subscribe</button></form>`,
    becomes: (live) => [subscription(live, "own", ["Own"])],
  },
  "a popup": {
    path: "/sale",
    body: `<button data-es-open="sale">Open it</button>`,
    comes: (page) => expect(page.locator("dialog")).toBeVisible(),
    steps: [mail, (live) => [["First name", "Ann"], ["Phone", live.number]]],
    send: ["Subscribe", "That is me"],
    becomes: (live) => [
      subscription(live, "sale", ["News", "Sale"]),
      subscription(live, "sale", ["News", "Sale"], { channels: ["email", "sms"], firstName: "Ann" }),
    ],
  },
  "a box": {
    path: "/corner",
    body: `<button data-es-open="corner">Open it</button>`,
    comes: until(async (page) => {
      await page.mouse.wheel(0, 2000);
      await page.mouse.wheel(0, -100);
    }),
    becomes: (live) => [subscription(live, "corner", ["Corner"])],
  },
  "a bar": {
    path: "/stripe",
    body: `<button data-es-open="stripe">Open it</button>`,
    comes: until((page) => page.click("h1")),
    becomes: (live) => [subscription(live, "stripe", ["Stripe"])],
  },
  "a request behind a launcher": {
    body: "",
    opener: "Ask us",
    comes: (page) => button(page, "Ask us").click(),
    steps: [(live) => [["Phone", live.number], ["About what?", "My order"]]],
    send: ["Send"],
    person: ({ phone }) => phone,
    becomes: ({ phone }) => {
      const params = [{ name: "phone", value: phone }, { name: "topic", value: "order" }];
      return [["registerEvent_1", { eventTypeKey: "callRequested", keyValue: phone, params }]];
    },
  },
};
for (const [name, way] of Object.entries(WAYS))
  WAYS[name] = { opener: "Open it", steps: [mail], send: ["Subscribe"], person: ({ address }) => address, ...way };

const isList = (field) => field.evaluate(({ localName }) => localName == "select");

const fill = async (page, fields) => {
  for (const [label, value] of fields) {
    const field = input(page, label);
    if (value === true) await field.check();
    else if (await isList(field)) await field.selectOption({ label: value });
    else await field.fill(value);
  }
};

/** Waits for what comes once a form is touched: sent before, it goes its plain way if that takes long. */
const isHelped = (page) => expect(page.locator("form[novalidate]")).toHaveCount(1);

/** Checks what has become at the platform of what a test's person has handed in. */
const isThere = (live, { person, becomes }) =>
  expect.poll(() => live.taken(person(live)), "at the platform").toEqual(becomes(live));

for (const [name, way] of Object.entries(WAYS))
  test(`what is filled in comes to the platform, and tracking knows who it was: ${name}`, async ({ page, live }) => {
    await page.addInitScript(() => {
      window.told = [];
      addEventListener("es:form", ({ detail }) => told.push(detail.action));
    });
    await live.open(page, way.body, way);
    await way.comes?.(page);
    for (const [step, fields] of way.steps.entries()) {
      await fill(page, fields(live));
      await isHelped(page);
      await button(page, way.send[step]).click();
    }
    await expect(thanks(page)).toBeVisible();
    await isThere(live, way);
    const [[operation, { formType }]] = way.becomes(live);
    const subscribes = operation == "subscribeContact";
    expect(await live.made(way.person(live))).toContain(subscribes ? "subscribeFromApi-" + formType : "callRequested");
    const success = subscribes ? ["FormSuccessSubscribe"] : [];
    const ends = await page.evaluate(() => told.filter((action) => /Subscribe|Finish/.test(action)));
    expect(ends).toEqual([...success, "FormFinish"]);
    if (name == "a popup") await expect(thanks(page)).toContainText("SALE10");

    await page.evaluate(() => eS("sendEvent", "MainPage"));
    const known = ["CustomerData", "MainPage"].map((event) => [event, way.person(live)]);
    await expect.poll(() => live.tracked(page)).toEqual([...known, ["PageView", undefined]]);
  });

/** Goes on by keyboard until this has the focus. */
const reach = async (page, target) => {
  const has = () => target.evaluate((element) => element.matches(":focus"));
  for (let keys = 0; keys < 30 && !(await has()); keys++) await page.keyboard.press("Tab");
  await expect(target).toBeFocused();
};

/** Fills in by keyboard alone. */
const type = async (page, fields) => {
  for (const [label, value] of fields) {
    const field = input(page, label);
    await reach(page, field);
    if (value === true) await page.keyboard.press("Space");
    // A list takes the first letters of what is meant.
    else await page.keyboard.type((await isList(field)) ? value[0] : value);
  }
};

/** Checks what all people need: nothing that axe finds, nothing that is wider than the window. */
const isForAll = async (page, what) => {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => axe.run());
  const found = violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)]);
  expect(found, what).toEqual([]);
  const wide = await page.evaluate(() => {
    const all = (root) =>
      [...root.querySelectorAll("*")].flatMap((one) => [one, ...(one.shadowRoot ? all(one.shadowRoot) : [])]);
    const edges = (element) => element.getBoundingClientRect();
    const out = all(document).filter((one) => edges(one).left < -0.5 || edges(one).right > innerWidth + 0.5);
    const width = document.documentElement.scrollWidth;
    return [...out.map((one) => one.outerHTML.slice(0, 80)), ...(width > innerWidth ? [width] : [])];
  });
  expect(wide, `${what}: wider than the window`).toEqual([]);
};

test.describe("320 pixels wide,", () => {
  test.use({ viewport: { width: 320, height: 640 }, reducedMotion: "reduce" });

  for (const [name, way] of Object.entries(WAYS))
    test(`with a keyboard, and for all: ${name}`, async ({ page, live }) => {
      const { body, comes, opener: text, steps, send } = way;
      await live.open(page, body);
      const first = input(page, steps[0](live)[0][0]);
      const opener = button(page, text);
      if (comes) {
        await opener.waitFor();
        // A button of the page's own is there before the script that hears of it.
        await page.waitForFunction(() => window.esForms);
        for (let time = 0; time < 2; time++) {
          await reach(page, opener);
          await page.keyboard.press("Enter");
          await expect(first).toBeFocused();
          if (time) break;
          await isForAll(page, "open");
          await page.keyboard.press("Escape");
          await expect(first).toHaveCount(0);
          await expect(opener).toBeFocused();
        }
      } else await first.waitFor();
      for (const [step, fields] of steps.entries()) {
        await type(page, fields(live));
        await isHelped(page);
        await isForAll(page, `step ${step + 1}, filled in`);
        await reach(page, button(page, send[step]));
        await page.keyboard.press("Enter");
      }
      await expect(thanks(page)).toBeFocused();
      await isForAll(page, "thanks");
      await isThere(live, way);
      if (comes) {
        await page.keyboard.press("Escape");
        await expect(thanks(page)).toHaveCount(0);
        await expect(opener).toBeFocused();
      }
    });
});

// ---- What keeps a part of the kit away --------------------------------------------------------------

/** Sends a form that is filled in, where no script does it: the person confirms it on the Worker's page. */
const sendPlainly = async (page, live) => {
  await button(page, "Subscribe").click();
  await expect(page.getByRole("heading", { name: "One more step" })).toBeVisible();
  await expect(page.getByText(live.address)).toBeVisible();
  expect(await live.taken()).toEqual([]);
  await button(page, "Yes, subscribe me").click();
  await expect(page.getByRole("heading", { name: "Almost done" })).toBeVisible();
};

const STRICT =
  "default-src 'none'; script-src 'nonce-n' 'strict-dynamic'; style-src 'nonce-n'; img-src 'self' data:; " +
  "connect-src 'self'; form-action 'self'; base-uri 'none'; " +
  "require-trusted-types-for 'script'; trusted-types esputnik-kit";
const PLAINLY = {
  "a strict policy with Trusted Types": { headers: { "content-security-policy": STRICT } },
  "a wasm file that is blocked": { block: "**/*.wasm" },
};

for (const [name, { headers, block }] of Object.entries(PLAINLY))
  for (const way of ["an element of the kit's", "a form of the shop's own", "a popup"])
    test(`a form subscribes by a plain post under ${name}: ${way}`, async ({ page, live }) => {
      const { path, body, comes, steps, send } = WAYS[way];
      if (block) await page.route(block, (route) => route.abort());
      await live.open(page, body, { path, headers });
      await comes?.(page);
      await fill(page, steps[0](live));
      await sendPlainly(page, live);
      // The Worker's pages have the second step too.
      for (const [step, fields] of steps.entries()) {
        if (!step) continue;
        await fill(page, fields(live));
        await button(page, send[step]).click();
        await expect(input(page, fields(live)[0][0])).toHaveCount(0);
      }
      await isThere(live, WAYS[way]);
      // Tracking needs neither: it runs in a worker, or goes on without.
      await expect.poll(() => live.tracked(page)).toEqual([["PageView", undefined]]);
    });

const subscribes = async (page, live, way) => {
  await fill(page, way.steps[0](live));
  await isHelped(page);
  await button(page, "Subscribe").click();
  await expect(thanks(page)).toBeVisible();
  await isThere(live, way);
};

test("who denies tracking subscribes, and nothing is tracked", async ({ page, live }) => {
  const way = WAYS["an element of the kit's"];
  await live.open(page, `<script nonce="n">eS("consent", "deny")</script>${way.body}`);
  await subscribes(page, live, way);
  await page.evaluate(() => eS("sendEvent", "MainPage"));
  const kept = await page.evaluate(() => [document.cookie, Object.keys(localStorage).sort()]);
  expect(kept).toEqual(["", ["es-consent", "es-forms"]]);
  // What still waits is sent when the page goes.
  await page.goto(live.front.elsewhere);
  expect(live.asked(({ path }) => path == "/k/b")).toEqual([]);
  const [{ body }] = live.asked(({ path, method }) => method == "POST" && path.endsWith("/forms/news"));
  expect(JSON.parse(body)).not.toHaveProperty("sc");
});

for (const [name, block, scripts] of [
  ["script is", "**/k/kit.js", ["kit.js", "forms.js"]],
  ["requests are", "**/k/b", ["kit.js"]],
])
  test(`where tracking's ${name} blocked, a form subscribes`, async ({ page, live }) => {
    const way = WAYS["an element of the kit's"];
    await page.route(block, (route) => route.abort());
    await live.open(page, way.body, { scripts });
    await subscribes(page, live, way);
    expect(live.asked(({ path }) => path == "/k/b")).toEqual([]);
  });

test("forms in places as high as a page that debugs is told move nothing", async ({ page, live }) => {
  const VIEW = "**/forms/news.json*";
  const told = [];
  page.on("console", (message) => told.push(message.text()));
  await page.addInitScript(() => {
    window.shifts = [];
    window.observer = new PerformanceObserver((list) => shifts.push(...list.getEntries()));
    observer.observe({ type: "layout-shift", buffered: true });
  });
  const shifts = async (style) => {
    const forms = ["es-form form", "div data-es-form"].map((start) => {
      const [tag] = start.split(" ");
      return `<${start}="news" style="${style}"></${tag}>`;
    });
    let come;
    const painted = new Promise((resolve) => (come = resolve));
    await page.unroute(VIEW);
    await page.route(VIEW, (route) => painted.then(() => route.continue()));
    await live.open(page, forms.join(""), { head: `<script nonce="n" data-debug></script>` });
    // What nobody has seen yet does not move.
    await page.waitForFunction(() => performance.getEntriesByType("paint").length);
    come();
    await expect(input(page, "Email")).toHaveCount(2);
    await expect(input(page, "Email").last()).toBeVisible();
    return page.evaluate(async () => {
      // Until the frame that has it is drawn.
      for (let frames = 0; frames < 3; frames++) await new Promise(requestAnimationFrame);
      return [...shifts, ...observer.takeRecords()].map(({ value }) => value);
    });
  };
  expect((await shifts("")).length).toBeGreaterThan(0);
  const [, style] = told.join().match(/form news moves what is below it: give its place the style "(.+?)"/);
  told.length = 0;
  expect(await shifts(style)).toEqual([]);
  expect(told.join()).not.toContain("moves");
});

test("the height that a definition gives is kept from the page's first frame on", async ({ page, live }) => {
  await page.addInitScript(() => {
    window.moved = [];
    window.observer = new PerformanceObserver((list) => moved.push(...list.getEntries()));
    observer.observe({ type: "layout-shift", buffered: true });
  });
  const KEPT = "**/forms/kept.json*";
  for (const [width, height] of [[1280, 420], [360, 520]]) {
    await page.setViewportSize({ width, height: 900 });
    let come;
    const painted = new Promise((resolve) => (come = resolve));
    await page.route(KEPT, (route) => painted.then(() => route.continue()));
    const forms = `<es-form form="kept"></es-form><div data-es-form="kept"></div>`;
    await live.open(page, forms, { headers: { "content-security-policy": STRICT } });
    await page.waitForFunction(() => performance.getEntriesByType("paint").length);
    const places = page.locator("es-form, div[data-es-form]");
    const heights = () => places.evaluateAll((all) => all.map((one) => one.offsetHeight));
    expect(await heights()).toEqual([height, height]);
    come();
    await expect(input(page, "Email")).toHaveCount(2);
    await expect(input(page, "Email").last()).toBeVisible();
    const moved = await page.evaluate(async () => {
      for (let frames = 0; frames < 3; frames++) await new Promise(requestAnimationFrame);
      return [...window.moved, ...observer.takeRecords()].map(({ value }) => value);
    });
    expect(moved).toEqual([]);
    expect(await heights()).toEqual([height, height]);
    await page.unroute(KEPT);
  }
});

test("an answer that takes long moves nothing, neither while it is awaited nor when it is there", async ({
  page, live,
}) => {
  const way = WAYS["an element of the kit's"];
  for (const [index, body] of [way.body, `<div data-es-form="news"></div>`].entries()) {
    await live.open(page, body);
    await fill(page, [["Email", index + live.address], ["I agree", true]]);
    await isHelped(page);
    let come;
    const held = new Promise((resolve) => (come = resolve));
    await page.route("**/forms/news", async (route) => {
      await held;
      await route.continue();
    });
    await page.evaluate(() => {
      window.moved = [];
      window.observer = new PerformanceObserver((list) => moved.push(...list.getEntries()));
      observer.observe({ type: "layout-shift" });
      addEventListener("click", () => (window.sent = performance.now()), true);
    });
    await button(page, "Subscribe").click();
    await expect(page.getByText("Sending…")).toBeVisible();
    // For so long browsers forgive a page what it moves after a click.
    await page.waitForFunction(() => performance.now() > window.sent + 600);
    come();
    await expect(thanks(page)).toBeVisible();
    const moved = await page.evaluate(async () => {
      for (let frames = 0; frames < 3; frames++) await new Promise(requestAnimationFrame);
      return [...window.moved, ...observer.takeRecords()].map(({ value }) => value);
    });
    expect(moved, body).toEqual([]);
    await page.unroute("**/forms/news");
  }
});

// ---- The Worker's own pages -------------------------------------------------------------------------

test.describe("320 pixels wide,", () => {
  test.use({ viewport: { width: 320, height: 640 } });

  test("the Worker's pages are for all", async ({ page, live }) => {
    const open = () => page.goto(live.front.origin + "/k/forms/news");
    const fields = WAYS["an element of the kit's"].steps[0](live);
    await open();
    await isForAll(page, "form");
    await page.evaluate(() => (document.querySelector("form").noValidate = true));
    await button(page, "Subscribe").click();
    await expect(page.getByText("Please check the marked fields.")).toBeVisible();
    await isForAll(page, "wrong");
    await fill(page, fields);
    await button(page, "Subscribe").click();
    await expect(button(page, "Yes, subscribe me")).toBeVisible();
    await isForAll(page, "confirm");
    await button(page, "Yes, subscribe me").click();
    await expect(page.getByRole("heading", { name: "Almost done" })).toBeVisible();
    await isForAll(page, "thanks");
    await open();
    await page.evaluate(() => document.querySelector("[name=firstName]").setAttribute("name", "role"));
    await fill(page, fields);
    await button(page, "Subscribe").click();
    await expect(page.getByText("This did not work.")).toBeVisible();
    await isForAll(page, "error");
    await page.goto(live.front.origin + "/k/forms/sale");
    await fill(page, [["Email", "second." + live.address]]);
    await button(page, "Subscribe").click();
    await button(page, "Yes, subscribe me").click();
    await expect(button(page, "That is me")).toBeVisible();
    await isForAll(page, "second step");
    await page.evaluate(() => (document.querySelector("form").noValidate = true));
    await fill(page, [["Phone", "12"]]);
    await button(page, "That is me").click();
    await expect(page.getByText("This number is too short.")).toBeVisible();
    await isForAll(page, "second step, wrong");
  });

  test.describe("without script,", () => {
    test.use({ javaScriptEnabled: false });

    for (const [name, body] of [
      ["a form of the shop's own", WAYS["a form of the shop's own"].body.replace(">", ` method="post" action="/k/forms/own">`)],
      ["the page to which the shop links", `<es-form form="own"><a href="/k/forms/own">Subscribe</a></es-form>`],
    ])
      test(`a form subscribes: ${name}`, async ({ page, live }) => {
        await live.open(page, body);
        const link = page.getByRole("link", { name: "Subscribe" });
        if (await link.count()) await link.click();
        await fill(page, mail(live));
        await sendPlainly(page, live);
        await isThere(live, WAYS["a form of the shop's own"]);
      });
  });
});
