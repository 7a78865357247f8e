// Forms on real pages: found, built, shown by rules, opened and closed, whatever the page allows.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { expect, HASHED, html, ORIGIN, START, test } from "./forms.js";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const AT_ONCE = { when: { time_on_page: 0 } };
const dialog = (page) => page.locator("dialog.es-dialog");
const address = (page) => page.getByLabel("E-mail");
const stored = (page, area = "localStorage") =>
  page.evaluate((area) => JSON.parse(window[area]["es-forms"] ?? "null"), area);

/** Lets everything happen that needs no clock. */
const settle = (page) =>
  page.evaluate(async () => {
    await fetch("/k/forms.json");
    const { port1, port2 } = new MessageChannel();
    for (let i = 0; i < 100; i++)
      await new Promise((resolve) => {
        port1.onmessage = resolve;
        port2.postMessage(0);
      });
  });

/** Opens a page, and waits until the starter has read the rules. */
const visit = async (page, shop, path = "/") => {
  const before = shop.asked("/k/forms.json");
  await page.goto(path);
  await expect.poll(() => shop.asked("/k/forms.json")).toBeGreaterThan(before);
  await settle(page);
  await page.clock.runFor(1);
};

/** Closes a form once it is there. A key that is pressed before closes nothing, and it comes after. */
const escape = async (page) => {
  await expect(dialog(page)).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(dialog(page)).toHaveCount(0);
};

/** Checks that a form stays away when it could come. */
const nothing = async (page) => {
  await settle(page);
  await expect(dialog(page)).toHaveCount(0);
};

test.describe("when:", () => {
  test("after a time on the page, to the second", async ({ page, shop }) => {
    shop.form("a", { when: { time_on_page: 10 } });
    await visit(page, shop);
    await page.clock.runFor(9_900);
    await nothing(page);
    await page.clock.runFor(100);
    await expect(dialog(page)).toBeVisible();
  });

  test("after a time on the site, over pages", async ({ page, shop }) => {
    shop.form("a", { when: { time_on_site: 10 } });
    await visit(page, shop);
    await page.clock.runFor(8_000);
    await visit(page, shop, "/b");
    await nothing(page);
    await page.clock.runFor(2_000);
    await expect(dialog(page)).toBeVisible();
  });

  test("after so much of the page", async ({ page, shop }) => {
    shop.form("a", { when: { scroll: 50 } });
    await visit(page, shop);
    await page.evaluate(() => scrollTo(0, 400));
    await page.clock.runFor(100);
    await nothing(page);
    await page.evaluate(() => scrollTo(0, 2000));
    await page.clock.runFor(100);
    await expect(dialog(page)).toBeVisible();
  });

  test("after so much of the part that scrolls", async ({ page, shop }) => {
    shop.form("a", { when: { scroll: 50 } });
    shop.page.body = `<div id="part" tabindex="0"><div class="long"></div></div>`;
    await visit(page, shop);
    await page.evaluate(() => {
      Object.assign(part.style, { height: "90vh", overflow: "auto" });
      part.scrollTop = 2500;
    });
    await page.clock.runFor(100);
    await expect(dialog(page)).toBeVisible();
  });

  test("after so many pages", async ({ page, shop }) => {
    shop.form("a", { when: { pages: 3 } });
    for (const path of ["/", "/b"]) {
      await visit(page, shop, path);
      await nothing(page);
    }
    await visit(page, shop, "/c");
    await expect(dialog(page)).toBeVisible();
  });

  test("after inactivity, which keys, pointer and wheel begin again", async ({ page, shop }) => {
    shop.form("a", { when: { inactive: 10 } });
    await visit(page, shop);
    await page.evaluate(() => {
      window.acts = [];
      for (const type of ["keydown", "mousemove", "wheel", "scrollend"])
        addEventListener(type, () => window.acts.push(type), { passive: true });
    });
    for (const [act, ...types] of [
      [() => page.keyboard.press("ArrowDown"), "keydown", "scrollend"],
      [() => page.mouse.move(100, 300), "mousemove"],
      [() => page.mouse.wheel(0, 50), "wheel", "scrollend"],
    ]) {
      await page.clock.runFor(7_000);
      await page.evaluate(() => (window.acts = []));
      await act();
      // A wheel's call returns before the page has seen the wheel; what it scrolls is an act until it stands.
      await expect
        .poll(() => page.evaluate(() => window.acts))
        .toEqual(expect.arrayContaining(types));
      await page.clock.runFor(2_000);
      await nothing(page);
    }
    await page.clock.runFor(8_500);
    await expect(dialog(page)).toBeVisible();
  });

  test("when the pointer leaves the page", async ({ page, shop }) => {
    shop.form("a", { when: { exit: true } });
    await visit(page, shop);
    const leave = (name) =>
      page.evaluate((name) => document.documentElement.dispatchEvent(new MouseEvent(name)), name);
    await leave("mouseenter");
    await nothing(page);
    await leave("mouseleave");
    await expect(dialog(page)).toBeVisible();
  });

  test("when something is clicked that comes later, in a shadow root too", async ({
    page, shop,
  }) => {
    shop.form("a", { when: { click: ".more, .other" }, frequency: "always", interval: "show" });
    await visit(page, shop);
    await page.click("#page");
    await nothing(page);
    await page.evaluate(() => {
      const host = document.createElement("div");
      const button = document.createElement("button");
      const inner = document.createElement("b");
      inner.textContent = "More";
      button.className = "more";
      button.append(inner);
      host.attachShadow({ mode: "open" }).append(button);
      document.querySelector("h1").after(host);
    });
    await page.click(".more b");
    await expect(dialog(page)).toBeVisible();
    await page.keyboard.press("Escape");
    await page.click(".more b");
    await expect(dialog(page)).toBeVisible();
  });

  test("not on a page that nobody sees", async ({ page, shop }) => {
    shop.form("a", { when: { time_on_page: 5 } });
    await page.addInitScript(() => {
      window.seen = false;
      Object.defineProperty(document, "hidden", { get: () => !window.seen });
    });
    await visit(page, shop);
    await page.clock.runFor(60_000);
    await nothing(page);
    await page.evaluate(() => {
      window.seen = true;
      document.dispatchEvent(new Event("visibilitychange"));
    });
    await nothing(page);
    await page.clock.runFor(5_000);
    await expect(dialog(page)).toBeVisible();
  });

  test("a new route of a single-page site is a new page", async ({ page, shop }) => {
    shop.form("a", { when: { time_on_page: 10 }, who: { pages: { include: ["/b*"] } } });
    shop.form("b", { when: { mode: "all", pages: 3, scroll: 30 } }, { layout: "box" });
    await visit(page, shop);
    await page.evaluate(() => scrollTo(0, 1500));
    await page.clock.runFor(9_000);
    await page.evaluate(() => history.pushState({}, "", "/b/1"));
    await page.clock.runFor(9_000);
    await nothing(page);
    await page.clock.runFor(1_000);
    await expect(page.locator(".es-popup")).toBeVisible();
    await escape(page);
    await page.evaluate(() => {
      scrollTo(0, 0);
      history.pushState({}, "", "/c");
    });
    await page.clock.runFor(200_000);
    expect((await stored(page, "sessionStorage")).pages).toBe(3);
    await nothing(page);
    await page.evaluate(() => scrollTo(0, 1500));
    await page.clock.runFor(100);
    await expect(page.locator(".es-box")).toBeVisible();
  });
});

test.describe("for whom:", () => {
  /** Checks whether the form comes; one that is expected has the time that it needs. */
  const isSeen = async (expected, page, shop, who, path = "/") => {
    shop.settings.forms = [];
    shop.form("a", { ...AT_ONCE, who });
    await page.evaluate(() => localStorage.removeItem("es-forms")).catch(() => {});
    await visit(page, shop, path);
    if (expected) return expect(dialog(page), path).toBeVisible();
    const comes = dialog(page).waitFor({ timeout: 700 });
    expect(await comes.then(() => true, () => false), path).toBe(false);
  };

  test("pages and campaigns", async ({ page, shop }) => {
    const utm = { source: ["google"] };
    await isSeen(false, page, shop, { utm });
    await isSeen(true, page, shop, { utm }, "/?utm_source=Google&utm_medium=cpc");
    await isSeen(true, page, shop, { utm }, "/next");
    for (const [pages, path, expected] of [
      [{ include: ["/взуття/*"] }, "/взуття/1", true],
      [{ exclude: ["/cart*"] }, "/cart?x=1", false],
      [{ include: ["*?x=*"] }, "/cart?x=1", true],
    ])
      await isSeen(expected, page, shop, { pages }, path);
  });

  test("new and returning visitors", async ({ page, shop, context }) => {
    await isSeen(false, page, shop, { visitors: "returning" });
    await page.close();
    await context.clock.fastForward(86400e3 * 2);
    const later = await context.newPage();
    shop.settings.forms = [];
    shop.form("a", { ...AT_ONCE, who: { visitors: "returning" } });
    await visit(later, shop);
    await expect(dialog(later)).toBeVisible();
  });

  test("known contacts, by what the page says to the loader", async ({ page, shop }) => {
    shop.form("a", { ...AT_ONCE, who: { known: true } });
    await page.addInitScript(() => {
      const listeners = [];
      window.eS = (...call) => {
        if (call[0] == "on") listeners.push(call.slice(1));
        else for (const [name, listener] of listeners) if (name == "queued") listener({ call });
      };
      eS.kit = 1;
    });
    await visit(page, shop);
    await nothing(page);
    await page.evaluate(() => eS("identify", { email: "a@shop.test" }));
    await escape(page);
    expect((await stored(page)).known).toBe(true);
    await page.evaluate(() => eS("reset"));
    expect((await stored(page)).known).toBe(false);
  });

  test("known contacts, by the link of a mail", async ({ page, shop }) => {
    shop.settings.links = "[?&]utm_content=yespo-[0-9]+(&|$)";
    shop.form("a", { ...AT_ONCE, who: { known: true }, frequency: "always" });
    for (const [consent, after] of [[false, 0], [true, 1]]) {
      shop.settings.consent = consent;
      await visit(page, shop, "/?utm_content=9");
      await nothing(page);
      await visit(page, shop, "/?utm_source=mail&utm_content=Yespo-7");
      await expect(dialog(page)).toBeVisible();
      await page.clock.runFor(300_000);
      await visit(page, shop, "/b");
      // Who they are is kept with consent alone.
      if (after) await expect(dialog(page)).toBeVisible();
      else await nothing(page);
    }
    expect((await stored(page)).known).toBe(true);
  });

  for (const [device, options] of Object.entries({
    desktop: {},
    mobile: { hasTouch: true, isMobile: true, viewport: { width: 390, height: 800 } },
    tablet: { hasTouch: true, isMobile: true, viewport: { width: 820, height: 1180 } },
  }))
    test.describe(device, () => {
      test.use({ ...options, screen: options.viewport });
      test("has its own forms", async ({ page, shop }) => {
        for (const name of ["desktop", "mobile", "tablet"])
          shop.form(name, { ...AT_ONCE, who: { device: [name] } });
        await visit(page, shop);
        await expect(page.locator(`dialog [data-es-id=${device}]`)).toBeVisible();
        await expect(dialog(page)).toHaveCount(1);
      });
    });

  test("shares of a test are kept from page to page", async ({ page, shop }) => {
    const show = { ...AT_ONCE, frequency: "always", interval: "show" };
    for (const [id, from, to] of [["a", 0, 50], ["b", 50, 100]])
      shop.form(id, show, { split: { test: "t", from, to } });
    const forms = new Set();
    for (let i = 0; i < 4; i++) {
      await visit(page, shop, "/" + i);
      await expect(dialog(page)).toHaveCount(1);
      forms.add(await dialog(page).locator("form").getAttribute("data-es-id"));
    }
    expect(forms.size).toBe(1);
  });
});

test.describe("how often:", () => {
  test("once a day, and no more after three closes", async ({ page, shop }) => {
    shop.form("a", AT_ONCE);
    shop.pages["/elsewhere"] = html({ kit: false });
    for (let day = 0; day < 3; day++) {
      await visit(page, shop);
      await page.getByRole("button", { name: "Close" }).click();
      await visit(page, shop);
      await nothing(page);
      await page.goto("/elsewhere");
      await page.clock.fastForward(86400e3);
    }
    expect((await stored(page)).forms.a.closes).toBe(3);
    await visit(page, shop);
    await nothing(page);
  });

  test("not after a subscription", async ({ page, shop }) => {
    shop.form("a", { ...AT_ONCE, frequency: "always" });
    await visit(page, shop);
    await expect(dialog(page)).toBeVisible();
    await page.evaluate(() => {
      const kept = JSON.parse(localStorage["es-forms"]);
      localStorage["es-forms"] = JSON.stringify({ ...kept, subscribed: Date.now() });
    });
    await visit(page, shop);
    await nothing(page);
  });

  test("silence between two, in another tab as well", async ({ page, shop, context }) => {
    shop.form("a", AT_ONCE);
    shop.form("b", { when: { time_on_page: 1 } }, { layout: "box" });
    await visit(page, shop);
    await escape(page);
    const tab = await context.newPage();
    await visit(tab, shop);
    await context.clock.runFor(170_000);
    await nothing(page);
    await nothing(tab);
    await context.clock.runFor(10_000);
    await expect
      .poll(async () => (await dialog(page).count()) + (await dialog(tab).count()))
      .toBe(1);
  });

  test.describe("of two tabs that decide in the same instant", () => {
    /** Two tabs that both mean to show the form, and what they wait for. */
    const both = async ({ page, shop, context }) => {
      shop.form("a", { ...AT_ONCE, frequency: "always" });
      let come;
      let waiting = 0;
      const held = new Promise((resolve) => (come = resolve));
      await context.route("**/k/forms/a.json*", async (route) => {
        waiting++;
        await held;
        await route.fallback();
      });
      const tabs = [page, await context.newPage()];
      for (const tab of tabs) await visit(tab, shop);
      await expect.poll(() => waiting).toBe(2);
      return { tabs, come };
    };
    const open = async (tabs) =>
      (await Promise.all(tabs.map(async (tab) => (await dialog(tab).count()) && tab))).filter(Boolean);
    const count = async (tabs) => (await open(tabs)).length;

    test("one shows it, before the other can know", async ({ page, shop, context }) => {
      // What one tab writes is not there for the other, until the test brings it over.
      await context.addInitScript(() => Object.defineProperty(window, "localStorage", { value: {} }));
      const { tabs, come } = await both({ page, shop, context });
      come();
      await expect.poll(() => count(tabs)).toBe(1);
      for (const tab of tabs) await settle(tab);
      const [first, more] = await open(tabs);
      expect(more).toBe(undefined);
      const other = tabs.find((tab) => tab != first);
      const kept = await first.evaluate(() => localStorage["es-forms"]);
      await other.evaluate((kept) => (localStorage["es-forms"] = kept), kept);
      await context.clock.runFor(5_000);
      await nothing(other);
      // It is late, and not lost.
      await context.clock.runFor(180_000);
      await expect(dialog(other)).toBeVisible();
    });

    test("one shows it, where browsers have no locks", async ({ page, shop, context }) => {
      await context.addInitScript(() => {
        delete Navigator.prototype.locks;
        const { random } = Math;
        Math.random = () => (window.claim = random());
      });
      const { tabs, come } = await both({ page, shop, context });
      const isSame = async (key) => {
        const [one, other] = await Promise.all(tabs.map((tab) => stored(tab)));
        return one[key] > 0 && one[key] == other[key];
      };
      come();
      // Each waits whether another one means to. What one writes is not there for the other at once, and this clock
      // would not wait for it.
      for (const tab of tabs) await tab.waitForFunction(() => window.claim);
      await expect.poll(() => isSame("claim")).toBe(true);
      expect(await count(tabs)).toBe(0);
      await expect(async () => {
        await context.clock.runFor(100);
        expect(await count(tabs)).toBe(1);
      }).toPass();
      await expect.poll(() => isSame("last")).toBe(true);
      await context.clock.runFor(5_000);
      for (const tab of tabs) await settle(tab);
      expect(await count(tabs)).toBe(1);
    });

    test("both show it, where it need not wait for others", async ({ page, shop, context }) => {
      const { tabs, come } = await both({ page, shop, context });
      shop.settings.forms[0].show.interval = "show";
      for (const tab of tabs) await visit(tab, shop);
      come();
      await expect(async () => {
        await context.clock.runFor(1_000);
        expect(await count(tabs)).toBe(2);
      }).toPass();
    });
  });

  test("what is dropped stays away for the visit", async ({ page, shop }) => {
    shop.form("a", AT_ONCE);
    shop.form("b", { ...AT_ONCE, interval: "drop" });
    await visit(page, shop);
    await escape(page);
    await page.clock.runFor(400_000);
    await visit(page, shop, "/b");
    await nothing(page);
    expect((await stored(page, "sessionStorage")).dropped).toEqual(["b"]);
  });

  test("a clock that was set back neither locks a form away nor shows it twice", async ({
    page, shop,
  }) => {
    shop.form("a", { ...AT_ONCE, frequency: { every: 3600 } });
    await page.addInitScript((later) => {
      localStorage["es-forms"] ??= JSON.stringify({
        v: 1, first: later, last: later, forms: { a: { shown: later } },
      });
    }, +START + 86400e3 * 365);
    await visit(page, shop);
    await nothing(page);
    await page.clock.runFor(3_599_000);
    await nothing(page);
    await page.clock.runFor(2_000);
    await expect(dialog(page)).toBeVisible();
  });
});

test.describe("a popup", () => {
  test.beforeEach(async ({ shop }) => shop.form("a", { when: { click: "#page" } }));

  test("takes the focus in and gives it back, by keyboard alone", async ({ page, shop }) => {
    await visit(page, shop);
    await page.keyboard.press("Tab");
    await expect(page.locator("#page")).toBeFocused();
    await page.keyboard.press("Enter");
    await expect(dialog(page)).toBeVisible();
    expect(await dialog(page).evaluate((element) => element.matches(":modal"))).toBe(true);
    // Nobody types into a field that comes unasked.
    await expect(page.locator(".es-body")).toBeFocused();
    await page.keyboard.press("Tab");
    await expect(address(page)).toBeFocused();
    await page.keyboard.press("Tab");
    await expect(page.getByRole("button", { name: "Subscribe" })).toBeFocused();
    await page.keyboard.press("Shift+Tab");
    await page.keyboard.press("Shift+Tab");
    await expect(page.getByRole("button", { name: "Close" })).toBeFocused();
    await page.keyboard.press("Enter");
    await expect(dialog(page)).toHaveCount(0);
    await expect(page.locator("#page")).toBeFocused();
  });

  test("closes by Escape, by its button, and beside it, but not by dragging there", async ({
    page, shop,
  }) => {
    shop.settings.forms[0].show = { ...AT_ONCE, frequency: "always", stop: { closes: 100 } };
    shop.settings.interval = { seconds: 0 };
    const ways = [
      () => page.keyboard.press("Escape"),
      () => page.getByRole("button", { name: "Close" }).click(),
      () => page.mouse.click(10, 500),
    ];
    for (const [i, close] of ways.entries()) {
      await visit(page, shop, "/" + i);
      await expect(dialog(page)).toBeVisible();
      await page.locator(".es-title").first().click();
      const box = await address(page).boundingBox();
      await page.mouse.move(box.x + 20, box.y + 20);
      await page.mouse.down();
      await page.mouse.move(10, 500);
      await page.mouse.up();
      await expect(dialog(page)).toBeVisible();
      await close();
      await expect(dialog(page)).toHaveCount(0);
      expect((await stored(page)).forms.a.closes).toBe(i + 1);
    }
  });

  test("is in the middle", async ({ page, shop }) => {
    shop.views.a.position = "top_left";
    await visit(page, shop);
    await page.click("#page");
    await expect(dialog(page)).toBeVisible();
    await expect
      .poll(async () => {
        const { x, y, width, height } = await dialog(page).boundingBox();
        const { width: w, height: h } = page.viewportSize();
        return [x + width / 2 - w / 2, y + height / 2 - h / 2].map(Math.round);
      })
      .toEqual([0, 0]);
  });

  test("does not stop the page from scrolling", async ({ page, shop }) => {
    await visit(page, shop);
    await page.click("#page");
    await expect(dialog(page)).toBeVisible();
    await page.mouse.move(20, 600);
    await page.mouse.wheel(0, 700);
    await expect.poll(() => page.evaluate(() => scrollY)).toBeGreaterThan(500);
    await expect(dialog(page)).toBeInViewport();
    const styles = await page.evaluate(() =>
      [document.documentElement, document.body].map((element) => element.getAttribute("style")),
    );
    expect(styles).toEqual([null, null]);
  });

  test("goes by itself if nobody cares for it, and then counts as no close", async ({
    page, shop,
  }) => {
    shop.settings.forms[0].show = { ...AT_ONCE, stop: { idle: 8 } };
    shop.views.a.stop = { idle: 8 };
    await visit(page, shop);
    await expect(dialog(page)).toBeVisible();
    await page.clock.runFor(7_900);
    await expect(dialog(page)).toBeVisible();
    await page.clock.runFor(200);
    await expect(dialog(page)).toHaveCount(0);
    expect((await stored(page)).forms.a.closes).toBeUndefined();
  });

  test("stays while the pointer is on it", async ({ page, shop }) => {
    shop.settings.forms[0].show = AT_ONCE;
    Object.assign(shop.views.a, { layout: "box", stop: { idle: 8 } });
    await visit(page, shop);
    await dialog(page).hover();
    await page.clock.runFor(60_000);
    await expect(dialog(page)).toBeVisible();
    await page.mouse.move(10, 10);
    await page.clock.runFor(8_100);
    await expect(dialog(page)).toHaveCount(0);
  });

  test("of an age gate is left only by passing it", async ({ page, shop }) => {
    shop.settings.forms = [];
    const tree = [
      "div",
      { class: "es-form" },
      ["h2", { class: "es-title" }, "Are you of age?"],
      ["button", { class: "es-button", type: "button", "data-es-pass": "" }, "I am"],
    ];
    shop.form("gate", { ...AT_ONCE, frequency: "once" }, { kind: "age_gate", tree });
    await visit(page, shop);
    await expect(dialog(page)).toBeVisible();
    await expect(page.getByRole("button", { name: "Close" })).toHaveCount(0);
    for (let i = 0; i < 3; i++) await page.keyboard.press("Escape");
    await page.mouse.click(10, 500);
    await settle(page);
    await expect(dialog(page)).toBeVisible();
    await visit(page, shop, "/b");
    await page.getByRole("button", { name: "I am" }).click();
    await expect(dialog(page)).toHaveCount(0);
    await visit(page, shop, "/c");
    await nothing(page);
  });
});

test.describe("a box or bar", () => {
  for (const layout of ["box", "bar"])
    test(`takes no focus and closes by Escape: ${layout}`, async ({ page, shop }) => {
      shop.form("a", { when: { time_on_page: 5 } }, { layout });
      shop.page.body = `<input id="search" aria-label="Search">`;
      await visit(page, shop);
      await page.locator("#search").pressSequentially("sh");
      await page.clock.runFor(5_000);
      await expect(dialog(page)).toBeVisible();
      await page.keyboard.type("oes");
      await expect(page.locator("#search")).toHaveValue("shoes");
      expect(await dialog(page).evaluate((element) => element.matches(":modal"))).toBe(false);
      await page.click("#page");
      await page.keyboard.press("Escape");
      await expect(dialog(page)).toHaveCount(0);
      await expect(page.locator("#page")).toBeFocused();
    });

  test("leaves Escape to whoever has used it", async ({ page, shop }) => {
    shop.form("a", AT_ONCE, { layout: "box" });
    await visit(page, shop);
    await expect(dialog(page)).toBeVisible();
    await page.evaluate(() => addEventListener("keydown", (event) => event.preventDefault(), true));
    await page.keyboard.press("Escape");
    await expect(dialog(page)).toBeVisible();
  });
});

test.describe("opened by the person:", () => {
  test("a launcher, which is away while its form is there", async ({ page, shop }) => {
    const theme = { accent: "#0a7" };
    shop.form("a", undefined, { layout: "box", launcher: "Get 10 % off", theme });
    await visit(page, shop);
    const launcher = page.getByRole("button", { name: "Get 10 % off" });
    await expect(launcher).toBeVisible();
    await expect(launcher).toHaveCSS("background-color", "rgb(0, 170, 119)");
    await nothing(page);
    await launcher.focus();
    await page.keyboard.press("Enter");
    await expect(address(page)).toBeFocused();
    await expect(launcher).toBeHidden();
    await page.keyboard.press("Escape");
    await expect(launcher).toBeVisible();
    await expect(launcher).toBeFocused();
  });

  test("anything with the attribute, whatever the rules say", async ({ page, shop }) => {
    shop.form("a", { ...AT_ONCE, frequency: "once" });
    await visit(page, shop);
    await escape(page);
    await page.evaluate(() => {
      const link = Object.assign(document.createElement("a"), { href: "/k/forms/a" });
      link.dataset.esOpen = "a";
      link.textContent = "Open";
      document.querySelector("h1").after(link);
    });
    for (let i = 0; i < 2; i++) {
      await page.getByRole("link", { name: "Open" }).click();
      await expect(address(page)).toBeFocused();
      await page.keyboard.press("Escape");
      await expect(page.getByRole("link", { name: "Open" })).toBeFocused();
    }
    expect(new URL(page.url()).pathname).toBe("/");
  });

  test("a script; the last one that is asked for stays", async ({ page, shop }) => {
    shop.form("a").form("b", undefined, { layout: "box" });
    await visit(page, shop);
    await page.evaluate(() => {
      window.told = [];
      esForms.on("*", ({ action, form }) => told.push(action + " " + form));
      esForms.show("a");
      esForms.show("b");
    });
    await expect(page.locator("dialog [data-es-id=b]")).toBeVisible();
    await page.evaluate(() => esForms.show("a"));
    await expect(page.locator("dialog [data-es-id=a]")).toBeVisible();
    await expect(dialog(page)).toHaveCount(1);
    await page.evaluate(() => esForms.close("b"));
    await expect(dialog(page)).toHaveCount(1);
    await page.evaluate(() => esForms.close("a"));
    await expect(dialog(page)).toHaveCount(0);
    expect(await page.evaluate(() => told)).toEqual([
      "FormShow b", "FormClose b", "FormShow a", "FormClose a",
    ]);
  });

  test("as a page of its own where it cannot be built", async ({ page, shop }) => {
    shop.page.body = `<button data-es-open="gone">Open</button>`;
    await visit(page, shop);
    await page.click("[data-es-open]");
    await page.waitForURL(ORIGIN + "/k/forms/gone?lang=en");
  });
});

test.describe("in the page:", () => {
  test("a form of the shop's own is bound", async ({ page, shop }) => {
    shop.page.body = `<form data-es-form="news">
      <input type="email" name="email" aria-label="E-mail">
      <input name="action" value="x" aria-label="x"><button>Go</button></form>`;
    await visit(page, shop, "/p?x=1");
    await address(page).fill("a@shop.test");
    await page.getByRole("button", { name: "Go" }).click();
    await expect.poll(() => shop.requests.findLast(({ method }) => method == "POST")).toBeTruthy();
    const { path, body } = shop.requests.findLast(({ method }) => method == "POST");
    expect(path).toBe("/k/forms/news");
    expect(Object.fromEntries(new URLSearchParams(body))).toEqual({
      email: "a@shop.test", action: "x", _lang: "en", _page: ORIGIN + "/p?x=1",
    });
  });

  test("a place and an element get a form that works without anything more", async ({
    page, shop,
  }) => {
    shop.views.news = { plain: true };
    for (const body of [
      `<div data-es-form="news"></div>`,
      `<es-form form="news">Our news: <a href="/news">by mail</a>.</es-form>`,
    ]) {
      shop.page.body = body;
      await visit(page, shop);
      await address(page).fill("a@shop.test");
      await page.getByRole("button", { name: "Subscribe" }).click();
      await page.waitForURL(ORIGIN + "/k/forms/news");
      const { body: sent } = shop.requests.findLast(({ method }) => method == "POST");
      expect(Object.fromEntries(new URLSearchParams(sent))).toEqual({
        email: "a@shop.test", company_site: "", _lang: "en", _page: ORIGIN + "/",
      });
    }
  });

  test("the field that people do not see can be neither reached nor read", async ({
    page, shop,
  }) => {
    shop.views.news = {};
    shop.page.body = `<div data-es-form="news"></div>`;
    await visit(page, shop);
    const trap = page.locator("[name=company_site]");
    await expect(trap).toBeAttached();
    await expect(page.getByRole("textbox", { name: "Company site" })).toHaveCount(0);
    await address(page).focus();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await expect(trap).not.toBeFocused();
    const box = await page.locator(".es-more").boundingBox();
    expect(box.width).toBeLessThan(2);
  });

  test("what the place holds stays where no form comes", async ({ page, shop }) => {
    shop.page.body = `<es-form form="none">Write to us.</es-form>
      <div data-es-form="none">Or call.</div>`;
    await visit(page, shop);
    await expect(page.getByText("Write to us.")).toBeVisible();
    await expect(page.getByText("Or call.")).toBeVisible();
  });

  test("a selector is a place, however late it comes", async ({ page, shop }) => {
    for (const where of ["before", "after", "inside_first", "inside_last", "replace"]) {
      shop.settings.forms = [];
      shop.form("news", undefined, { layout: "inline", place: { selector: "#late", where } });
      await visit(page, shop);
      await page.evaluate(() => {
        const late = Object.assign(document.createElement("div"), { id: "late" });
        late.append("a", "b");
        document.querySelector("#page").after(late);
      });
      await expect(address(page)).toBeVisible();
      const order = await page.evaluate(() => {
        const form = document.querySelector("es-form");
        const late = document.querySelector("#late");
        return [
          late && form.nextSibling == late, late && late.nextSibling == form,
          late?.firstChild == form, late?.lastChild == form, !late,
        ].indexOf(true);
      });
      expect(["before", "after", "inside_first", "inside_last", "replace"][order]).toBe(where);
    }
  });

  test("a place that a framework makes anew is filled again", async ({ page, shop }) => {
    shop.form("news", undefined, { layout: "inline", place: { selector: ".app" } });
    shop.page.body = `<div class="app"></div>`;
    await visit(page, shop);
    await expect(address(page)).toHaveCount(1);
    await page.evaluate(() => {
      const app = document.querySelector(".app");
      app.replaceWith(Object.assign(document.createElement("div"), { className: "app" }));
      const more = document.createElement("div");
      more.dataset.esForm = "news";
      document.querySelector("h1").after(more);
    });
    await expect(address(page)).toHaveCount(2);
  });

  test("a selector that nothing is, or that is none, is told to who debugs", async ({
    page, shop,
  }) => {
    shop.form("a", undefined, { layout: "inline", place: { selector: "#nowhere" } });
    shop.form("b", { when: { click: "][" } }, { place: { selector: "][" } });
    shop.page.head = `<script data-debug></script>`;
    const told = [];
    page.on("console", (message) => told.push(message.text()));
    await visit(page, shop);
    await page.click("#page");
    await page.clock.runFor(3_000);
    await expect.poll(() => told.join()).toContain("form a: nothing on the page is #nowhere");
    await expect.poll(() => told.join()).toContain("form b: nothing on the page is ][");
  });

  test("a form in a reserved place moves nothing, another is told to who debugs", async ({
    page, shop,
  }) => {
    shop.views.news = {};
    shop.page.head = `<script data-debug></script>`;
    const told = [];
    page.on("console", (message) => told.push(message.text()));
    await page.addInitScript(() => {
      window.shift = 0;
      new PerformanceObserver((list) => {
        for (const { value } of list.getEntries()) shift += value;
      }).observe({ type: "layout-shift", buffered: true });
    });
    const VIEW = "**/k/forms/news.json*";
    const shift = async (body) => {
      shop.page.body = body + "<p>Below.</p>";
      let come;
      const drawn = new Promise((resolve) => (come = resolve));
      await page.route(VIEW, (route) => drawn.then(() => route.fallback()));
      await visit(page, shop);
      // What nobody has seen yet does not move.
      await page.screenshot();
      come();
      await expect(address(page)).toBeVisible();
      await page.unroute(VIEW);
      // Until the browser has drawn it, and told of what has moved.
      await page.screenshot();
      await settle(page);
      return page.evaluate(() => shift);
    };
    const reserved = `<style>.r{min-height:420px}</style><div class="r" data-es-form="news"></div>`;
    expect(await shift(reserved)).toBe(0);
    expect(told.join()).not.toContain("moves");
    expect(await shift(`<div data-es-form="news"></div>`)).toBeGreaterThan(0);
    expect(told.join()).toMatch(/form news moves what is below it: .+ min-height: \d+px/);
  });

  test("its language is the element's, else the page's", async ({ page, shop }) => {
    shop.views.news = {};
    shop.page.body = `<es-form form="news" lang="ar"></es-form><div data-es-form="news"></div>`;
    await visit(page, shop);
    await expect(page.locator("form[dir=rtl][lang=ar]")).toHaveCount(1);
    await expect(page.locator("form[dir=ltr][lang=en]")).toHaveCount(1);
    const posts = await page.locator("form[lang=ar]").evaluate((form) => new FormData(form).get("_lang"));
    expect(posts).toBe("ar");
  });
});

test.describe("whatever the page allows:", () => {
  const all = (shop) => {
    shop.form("a", { when: { click: "#page" } }, { theme: { accent: "#a0f", radius: "4px" } });
    shop.form("b", undefined, { layout: "box", launcher: "Open" });
    shop.views.news = { theme: { accent: "#a0f" } };
    shop.page.body = `<div data-es-form="news"></div><es-form form="news"></es-form>`;
  };
  const works = async (page) => {
    await expect(address(page)).toHaveCount(2);
    await page.click("#page");
    await expect(dialog(page)).toBeVisible();
    await expect(dialog(page)).toHaveCSS("position", "fixed");
    const button = dialog(page).locator(".es-button");
    await expect(button).toHaveCSS("background-color", "rgb(170, 0, 255)");
    await escape(page);
    await page.getByRole("button", { name: "Open", exact: true }).click();
    await expect(page.locator(".es-box")).toBeVisible();
  };

  test("a strict policy and Trusted Types", async ({ page, shop }) => {
    all(shop);
    shop.headers["content-security-policy"] =
      "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; " +
      "img-src data:; form-action 'self'; base-uri 'none'; " +
      "require-trusted-types-for 'script'; trusted-types 'none'";
    await visit(page, shop);
    await works(page);
  });

  test("two starters, under two names", async ({ page, shop }) => {
    all(shop);
    shop.form("c", { when: { time_on_page: 60 } }, { layout: "bar" });
    shop.page.head = `<script type="module" src="${HASHED}"></script>`;
    await visit(page, shop);
    await works(page);
    expect(shop.asked("/k/forms.json")).toBe(2);
    expect((await stored(page, "sessionStorage")).pages).toBe(1);
  });

  test("storage that is denied", async ({ page, shop }) => {
    await page.addInitScript(() => {
      for (const name of ["localStorage", "sessionStorage"])
        Object.defineProperty(window, name, {
          get() {
            throw new DOMException("denied", "SecurityError");
          },
        });
    });
    all(shop);
    await visit(page, shop);
    await works(page);
    await page.keyboard.press("Escape");
    await page.click("#page");
    await nothing(page);
  });

  test("storage that others have written", async ({ page, shop }) => {
    await page.addInitScript(() => {
      localStorage["es-forms"] = "{";
      sessionStorage["es-forms"] = '{"v":7,"queue":3}';
      localStorage["es-consent"] = "null";
    });
    all(shop);
    await visit(page, shop);
    await works(page);
  });

  test("without consent only what the person did is kept", async ({ page, shop }) => {
    shop.settings.consent = false;
    shop.form("a", { when: { time_on_page: 5 } });
    await visit(page, shop, "/?utm_source=x");
    await page.clock.runFor(5_000);
    await expect(dialog(page)).toBeVisible();
    expect(await page.evaluate(() => [localStorage.length, sessionStorage.length])).toEqual([0, 0]);
    await escape(page);
    const { v, forms, ...others } = await stored(page);
    expect([v, Object.keys(forms), forms.a.closes, others]).toEqual([1, ["a"], 1, {}]);
    expect(await stored(page, "sessionStorage")).toBeNull();
    await visit(page, shop);
    await page.clock.runFor(60_000);
    await nothing(page);
  });

  test("what is forgotten is gone, and nothing more is kept until the visitor chooses", async ({
    page, shop,
  }) => {
    shop.form("a", { when: { time_on_page: 5 } });
    await page.addInitScript(() => {
      let listener;
      window.eS = (command, name, callback) => {
        if (command == "on" && name == "consent") listener = callback;
      };
      eS.kit = 1;
      window.news = (choice) => listener({ type: "consent", choice });
    });
    const kept = async () => [await stored(page), await stored(page, "sessionStorage")];
    await visit(page, shop);
    await page.evaluate(() => news(null));
    await page.clock.runFor(5_000);
    await escape(page);
    expect(await kept()).toMatchObject([{ forms: { a: { closes: 1 } } }, { shown: ["a"] }]);
    await page.evaluate(() => news());
    expect(await kept()).toEqual([null, null]);
    await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
    expect(await kept()).toEqual([null, null]);
    // Closing and caps are forgotten too.
    await page.clock.runFor(5_000);
    await expect(dialog(page)).toBeVisible();
    await page.evaluate(() => news({ forms: true }));
    expect(await kept()).toMatchObject([{ v: 1 }, { pages: 1, utm: {} }]);
    expect((await stored(page)).forms.a.closes).toBe(undefined);
  });

  test("a visitor's choice counts more than the site's default", async ({ page, shop }) => {
    shop.form("a", AT_ONCE);
    shop.pages["/elsewhere"] = html({ kit: false });
    for (const [consent, choice, kept] of [
      [true, ["tracking"], false],
      [false, ["forms"], true],
      [false, [], false],
    ]) {
      shop.settings.consent = consent;
      await page.goto("/elsewhere");
      await page.evaluate((choice) => {
        localStorage.clear();
        sessionStorage.clear();
        localStorage["es-consent"] = JSON.stringify(choice);
      }, choice);
      await visit(page, shop, "/b");
      await expect(dialog(page)).toBeVisible();
      expect(!!(await stored(page))).toBe(kept);
    }
  });

  test("the kit's rules cannot be had", async ({ page, shop, context }) => {
    await context.route("**/k/forms.json*", (route) => route.abort());
    shop.views.news = {};
    shop.page.body = `<div data-es-form="news"></div>`;
    await page.goto("/");
    await expect(address(page)).toBeVisible();
  });
});

test.describe("the widgets module", () => {
  const MODULE = `export const enhance = (form, view, context) => {
    const { id, lang, base } = context;
    (window.enhanced ??= []).push([form.localName, view.id, id, lang, base]);
    window.context = context;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      window.sent = [...new FormData(form)];
      context.report("FormFinish", { state: "sent" });
    });
  };`;
  const enhanced = (page) => page.evaluate(() => window.enhanced ?? []);
  const row = (id) => ["form", id, id, "en", ORIGIN + "/k/"];

  test("comes when a person touches a form, and once", async ({ page, shop }) => {
    shop.widgets = MODULE;
    shop.views.news = {};
    shop.page.body = `<div data-es-form="news"></div>
      <form data-es-form="own"><input name="email" aria-label="Own"></form>`;
    shop.views.own = {};
    await visit(page, shop);
    await expect(address(page)).toBeVisible();
    await settle(page);
    expect(shop.asked("/k/a/widgets.js")).toBe(0);
    await address(page).click();
    await expect.poll(() => enhanced(page)).toEqual([row("news")]);
    await page.getByLabel("Own").focus();
    await address(page).focus();
    await expect.poll(() => enhanced(page)).toEqual([row("news"), row("own")]);
    expect(shop.asked("/k/a/widgets.js")).toBe(1);
  });

  test("comes at once to a form that a person was in before the script knew of it", async ({ page, shop }) => {
    shop.widgets = MODULE;
    shop.views.own = {};
    await visit(page, shop);
    await page.evaluate(() => {
      const form = `<form data-es-form="own"><input name="email"></form>`;
      document.body.insertAdjacentHTML("beforeend", form);
      document.querySelector("input").focus();
    });
    await expect.poll(() => enhanced(page)).toEqual([row("own")]);
  });

  test("comes when a popup opens; what it reports counts for the rules", async ({ page, shop }) => {
    shop.widgets = MODULE;
    shop.form("a", { ...AT_ONCE, frequency: "always" });
    await page.addInitScript(() => {
      window.told = [];
      addEventListener("es:form", ({ detail }) => told.push(detail));
      window.eS = (...call) => call[0] == "on" || told.push(call);
    });
    await visit(page, shop);
    await expect.poll(() => enhanced(page)).toEqual([row("a")]);
    await page.evaluate(() => {
      context.report("FormFinish", { state: "stored" });
      context.identify({ user_email: "a@shop.test" });
    });
    await expect
      .poll(() => page.evaluate(() => told.slice(1)))
      .toEqual([
        ["identify", { user_email: "a@shop.test" }],
        { action: "FormFinish", form: "a", state: "stored" },
      ]);
    await page.evaluate(() => context.close());
    await expect(dialog(page)).toHaveCount(0);
    const { known, subscribed, forms } = await stored(page);
    expect([known, subscribed > 0, forms.a.closes]).toEqual([true, true, undefined]);
    await visit(page, shop, "/b");
    await nothing(page);
  });

  test("gets what was sent before it was there", async ({ page, shop }) => {
    let arrive;
    shop.widgets = new Promise((resolve) => (arrive = () => resolve(MODULE)));
    shop.views.news = {};
    shop.page.body = `<div data-es-form="news"></div>`;
    await visit(page, shop);
    await address(page).fill("a@shop.test");
    await page.keyboard.press("Enter");
    await settle(page);
    expect(await page.evaluate(() => window.sent)).toBeUndefined();
    arrive();
    const sent = () => page.evaluate(() => window.sent?.[0]);
    await expect.poll(sent).toEqual(["email", "a@shop.test"]);
    expect(shop.requests.filter(({ method }) => method == "POST")).toEqual([]);
  });

  for (const [name, prepare] of Object.entries({
    "is late": (shop) => (shop.widgets = new Promise(() => {})),
    "cannot come": (shop) => (shop.widgets = "throw new Error('not here');"),
    "cannot work": (shop) => (shop.widgets = "export const enhance = () => Promise.reject();"),
  }))
    test(`leaves the plain form where it ${name}`, async ({ page, shop, errors }) => {
      prepare(shop);
      shop.views.news = {};
      shop.page.body = `<div data-es-form="news"></div>`;
      await visit(page, shop);
      await address(page).fill("a@shop.test");
      await page.keyboard.press("Enter");
      if (name == "is late") {
        await settle(page);
        await page.clock.runFor(4_000);
      }
      await page.waitForURL(ORIGIN + "/k/forms/news");
      expect(errors).toEqual([]);
    });
});

test.describe("what is told:", () => {
  const act = async (page, shop) => {
    shop.form("a", undefined, { layout: "popup", launcher: "Open" });
    await visit(page, shop);
    await page.getByRole("button", { name: "Open" }).click();
    await expect(dialog(page)).toBeVisible();
    await page.keyboard.press("Escape");
    await expect(dialog(page)).toHaveCount(0);
  };
  const EXPECTED = [
    ["LAUNCHER", "LauncherShow_fav1", "a"],
    ["LAUNCHER", "LauncherClick_fav1", "a"],
    ["DETACHED", "FormShow_fav1", "a"],
    ["DETACHED", "FormClose_fav1", "a"],
  ];

  test("to the page, by events on the form and on the document", async ({ page, shop }) => {
    await page.addInitScript(() => {
      window.told = [];
      addEventListener("es:form", ({ detail }) => told.push(detail.action));
    });
    await act(page, shop);
    const actions = ["LauncherShow", "LauncherClick", "FormShow", "FormClose"];
    expect(await page.evaluate(() => told)).toEqual(actions);
  });

  test("to the data layer", async ({ page, shop }) => {
    await page.addInitScript(() => (window.dataLayer = []));
    await act(page, shop);
    const rows = await page.evaluate(() => dataLayer);
    expect(rows).toEqual(
      EXPECTED.map(([eventCategory, eventAction, eventLabel]) => ({
        event: "yespo", eventAction, eventCategory, eventLabel,
      })),
    );
  });

  test("to each of Google's tags", async ({ page, shop }) => {
    await page.addInitScript(() => {
      const configs = ["G-ONE", "AW-1", "G-TWO"].map((tag) => ["config", tag]);
      window.dataLayer = [{ event: "gtm.js" }, ["js", 1], ...configs];
      window.told = [];
      window.gtag = (...row) => told.push(row);
    });
    await act(page, shop);
    expect(await page.evaluate(() => told)).toEqual(
      EXPECTED.flatMap(([event_category, action, event_label]) =>
        ["G-ONE", "G-TWO"].map((send_to) => [
          "event", action, { event_category, event_label, send_to },
        ]),
      ),
    );
  });

  test("to the older one first; what it throws stops nothing", async ({ page, shop }) => {
    await page.addInitScript(() => {
      window.told = [];
      window.gtag = () => told.push("gtag");
      window.ga = (...row) => {
        told.push(row);
        throw new Error("theirs");
      };
    });
    await act(page, shop);
    const rows = EXPECTED.map((row) => ["send", "event", ...row]);
    expect(await page.evaluate(() => told)).toEqual(rows);
  });

  test("to nobody where the page says so", async ({ page, shop }) => {
    shop.page.body = `<p data-es-analytics="off"></p>`;
    await page.addInitScript(() => (window.dataLayer = []));
    await act(page, shop);
    expect(await page.evaluate(() => dataLayer)).toEqual([]);
  });
});

test.describe("for everybody:", () => {
  const KINDS = {
    popup: (shop) => shop.form("a", AT_ONCE, { full: true }),
    box: (shop) => shop.form("a", AT_ONCE, { layout: "box" }),
    bar: (shop) => shop.form("a", AT_ONCE, { layout: "bar" }),
    launcher: (shop) => shop.form("a", undefined, { layout: "box", launcher: "Open" }),
    inline: (shop) => {
      shop.views.a = { full: true };
      shop.page.body = `<div data-es-form="a"></div>`;
    },
    shadow: (shop) => {
      shop.views.a = { full: true };
      shop.page.body = `<es-form form="a"></es-form>`;
    },
  };

  for (const colorScheme of ["light", "dark"])
    for (const [width, lang] of [[1200, "en"], [320, "en"], [320, "ar"]])
      test.describe(`${colorScheme}, ${width} wide, ${lang},`, () => {
        test.use({ colorScheme, viewport: { width, height: 700 }, reducedMotion: "reduce" });

        for (const [name, prepare] of Object.entries(KINDS))
          test(`nothing is wrong with a form: ${name}`, async ({ page, shop }) => {
            prepare(shop);
            shop.page.lang = lang;
            await visit(page, shop);
            const part = page.locator(name == "launcher" ? ".es-launcher" : ".es-form");
            await expect(part).toBeVisible();
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
            const { x, width: own } = await part.boundingBox();
            expect(x).toBeGreaterThanOrEqual(0);
            expect(x + own).toBeLessThanOrEqual(width);
          });
      });

  test("who wants less motion gets none", async ({ page, shop }) => {
    shop.form("a", AT_ONCE);
    const moving = async () => {
      await visit(page, shop);
      await expect(dialog(page)).toBeVisible();
      return dialog(page).evaluate((element) => getComputedStyle(element).animationName);
    };
    expect(await moving()).toBe("es-in");
    await page.evaluate(() => localStorage.clear());
    await page.emulateMedia({ reducedMotion: "reduce" });
    expect(await moving()).toBe("none");
  });

  test("a shop's own scheme counts", async ({ page, shop }) => {
    await page.emulateMedia({ colorScheme: "dark" });
    shop.form("a", AT_ONCE, { theme: { scheme: "light" } });
    await visit(page, shop);
    await expect(dialog(page)).toHaveCSS("background-color", "rgb(255, 255, 255)");
  });
});
