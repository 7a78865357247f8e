// Consent: nothing is stored or sent that the visitor has not allowed.
import { expect, test } from "./kit.js";

/** Everything that a page keeps of the kit. */
const traces = (page) =>
  page.evaluate(async () => ({
    cookie: document.cookie,
    storage: Object.entries(localStorage),
    databases: await new Promise((resolve) => {
      const request = indexedDB.open("es");
      request.onupgradeneeded = () => {
        // There was none.
        request.transaction.abort();
      };
      request.onerror = () => resolve(0);
      request.onsuccess = () => {
        const count = request.result.transaction("records").objectStore("records").count();
        count.onsuccess = () => resolve(count.result) || request.result.close();
      };
    }),
  }));

const nothing = { cookie: "", storage: [], databases: 0 };

const settled = (page) => page.waitForTimeout(1500);

test.describe("where the shop asks first", () => {
  test.use({ site: { consent: "denied" } });

  test("before the visitor has chosen, events wait in memory alone", async ({ page, front, stack }) => {
    await page.goto("/");
    await page.evaluate(() => send("waiting", 3));
    await settled(page);
    expect(await traces(page)).toEqual(nothing);
    expect(front.batches()).toEqual([]);
    await page.evaluate(() => eS("consent", "grant"));
    const events = await stack.arrived(4);
    expect(events.length).toBe(4);
    const [{ body }] = events;
    expect((await traces(page)).cookie).toBe("sc=" + body.GeneralInfo.cookies.sc);
  });

  test("a denial stores the choice alone and sends nothing, now and on the next page", async ({ page, front, stack }) => {
    await page.goto("/");
    await page.evaluate(() => send("denied", 3));
    await page.evaluate(() => eS("consent", "deny"));
    await page.goto("/?next");
    await page.evaluate(() => send("later", 1));
    await settled(page);
    expect(await traces(page)).toEqual({ ...nothing, storage: [["es-consent", "[]"]] });
    expect(front.batches()).toEqual([]);
    expect(await stack.events()).toEqual([]);
    const codes = await page.evaluate(
      () => new Promise((resolve) => eS("on", "refused", ({ code }) => resolve(code))),
    );
    expect(codes).toBe("consent_missing");
  });

  test("the choice holds on the next page", async ({ page, stack }) => {
    await page.goto("/");
    await page.evaluate(() => eS("consent", { tracking: true }));
    await stack.arrived(1);
    await page.goto("/?next");
    expect((await stack.arrived(2)).length).toBe(2);
    const choice = await page.evaluate(
      () => new Promise((resolve) => eS("on", "consent", ({ choice }) => resolve(choice))),
    );
    expect(choice).toEqual({ tracking: true, forms: false, recommendations: false, push: false });
  });

  test("withdrawing erases id, queue and store", async ({ page, front, stack }) => {
    await page.goto("/");
    await page.evaluate(() => eS("consent", "grant"));
    await stack.arrived(1);
    front.setDown(true);
    await page.evaluate(() => send("queued", 5));
    await page.evaluate(() => eS("consent", "deny"));
    await settled(page);
    await expect.poll(() => traces(page)).toEqual({ ...nothing, storage: [["es-consent", "[]"]] });
    front.setDown(false);
    await page.goto("/?next");
    await settled(page);
    expect((await stack.events()).length).toBe(1);
  });

  test("forgetting erases everything here and at the Worker", async ({ page, stack }) => {
    await page.goto("/");
    await page.evaluate(() => eS("consent", "grant"));
    await page.evaluate(() =>
      eS("sendEvent", "CustomerData", { CustomerData: { user_email: "ann@example.com" } }),
    );
    const before = await stack.arrived(2);
    await page.evaluate(() => eS("forget"));
    await settled(page);
    await expect.poll(() => traces(page)).toEqual(nothing);
    await page.evaluate(() => eS("consent", "grant"));
    await page.evaluate(() => eS("sendEvent", "MainPage"));
    const [last] = (await stack.arrived(3)).slice(-1);
    expect(last.body.GeneralInfo.eventName).toBe("MainPage");
    // Another browser to all who look, and nobody's.
    expect(last.body.GeneralInfo.cookies.sc).not.toBe(before[0].body.GeneralInfo.cookies.sc);
    expect(last.body.GeneralInfo.user_email).toBeUndefined();
  });
});

test("Global Privacy Control counts as a denial, whatever the page says", async ({ context, page, front, stack }) => {
  await context.addInitScript(() =>
    Object.defineProperty(Navigator.prototype, "globalPrivacyControl", { get: () => true }),
  );
  await page.goto("/");
  await page.evaluate(() => eS("consent", "grant"));
  await page.evaluate(() => send("gpc", 2));
  await settled(page);
  expect(front.batches()).toEqual([]);
  expect((await traces(page)).cookie).toBe("");
  expect(await stack.events()).toEqual([]);
  // Forgetting is told as such all the same.
  await page.evaluate(() => {
    window.news = [];
    eS("forget");
    eS("on", "consent", ({ choice }) => window.news.push(choice));
  });
  await expect.poll(() => page.evaluate(() => window.news.length)).toBe(3);
  const denied = { tracking: false, forms: false, recommendations: false, push: false };
  expect(await page.evaluate(() => window.news)).toEqual([denied, denied, undefined]);
});

test.describe("where the site switches the signals", () => {
  test.use({ site: { consent: "granted", gpc: false, dnt: true } });

  test("Global Privacy Control is left alone and Do Not Track is honoured", async ({ browser, front, stack }) => {
    for (const [signal, value, expected] of [
      ["globalPrivacyControl", true, 1],
      ["doNotTrack", "1", 1],
    ]) {
      const context = await browser.newContext({ baseURL: front.origin });
      await context.addInitScript(
        ([signal, value]) => Object.defineProperty(Navigator.prototype, signal, { get: () => value }),
        [signal, value],
      );
      const page = await context.newPage();
      await page.goto("/");
      await settled(page);
      expect((await stack.arrived(expected)).length, signal).toBe(expected);
      await context.close();
    }
  });
});

test.describe("where the shop's consent tool decides", () => {
  test.use({ site: { consent: "cmp" } });

  test("it says so on each page and the kit keeps no choice", async ({ page, stack }) => {
    await page.goto("/");
    await page.evaluate(() => eS("consent", "grant"));
    await stack.arrived(1);
    // The web id, as in the cookie, and nothing else.
    expect((await traces(page)).storage.map(([key]) => key)).toEqual(["es:"]);
    await page.goto("/?next");
    await settled(page);
    expect((await stack.events()).length).toBe(1);
    await page.evaluate(() => eS("consent", "grant"));
    expect((await stack.arrived(2)).length).toBe(2);
  });
});

test.describe("where blockers are respected", () => {
  test.use({ site: { respect_blockers: true } });

  test("a visitor who blocks the platform's script is not tracked, others are", async ({ browser, front, stack }) => {
    for (const [blocked, expected] of [
      [true, 0],
      [false, 1],
    ]) {
      const context = await browser.newContext({ baseURL: front.origin });
      await context.route("https://statics.esputnik.com/**", (route) =>
        blocked ? route.abort("blockedbyclient") : route.fulfill({ status: 200, body: "" }),
      );
      const page = await context.newPage();
      await page.goto("/");
      await settled(page);
      expect((await stack.arrived(expected)).length, "blocked: " + blocked).toBe(expected);
      if (blocked) expect(await traces(page)).toEqual(nothing);
      await context.close();
    }
  });
});

test("a web id of the platform's own script is taken over", async ({ context, page, stack }) => {
  await context.addInitScript(() => (localStorage.esState = JSON.stringify({ customerId: "OWN-1" })));
  await page.goto("/");
  const [{ body }] = await stack.arrived(1);
  expect(body.GeneralInfo.cookies.sc).toBe("OWN-1");
  expect(await page.evaluate(() => document.cookie)).toBe("sc=OWN-1");
});
