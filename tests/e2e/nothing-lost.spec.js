// What can go wrong around a page, and what is expected of the kit: no event lost that it could keep, none
// doubled, no error on the page, nothing but what can be told in debug.
//
// | case | expected | tested |
// |---|---|---|
// | hidden | leaves in the same task | exits: "… as the page is hidden leave in the same task"; lifecycle: "a tab behind another one …" |
// | frozen | what is called then waits and arrives once it goes on | tabs: "a tab that is frozen …" |
// | discarded | stored, arrives with the next page | tabs: "events of a tab that was discarded …" |
// | tab crashes | stored, arrives with the next page | trials: "8: …"; exits: "… of a page killed in the task of the calls …" |
// | tab gone while another one is there | the other one goes on at once, and had left it alone before | takeover; tests/it/tracker.rs |
// | browser killed | what the store completed arrives with the next start | exits: "… of a browser killed …"; killed.spec |
// | offline, for a day | stored, arrives with its own time | trials: "7: …", "9: …"; here: "… a day offline …"; tests/it/tracker.rs |
// | offline for more than seven days | given up and counted | here: "what waited for more than seven days …" |
// | clock set back | no wait grows by that | here: "a clock that is set back …"; tests/it/{tracker,delivery}.rs |
// | device asleep | timers that come hours late send once | here: "a device that was asleep …"; tests/it/tracker.rs |
// | slow network | waits, once | here: "on a network that takes its time …" |
// | captive portal | no verdict: stays stored, arrives after | here: "… behind a captive portal …"; tests/it/tracker.rs |
// | blocker cuts the batches | stored, tried more and more seldom, arrives once it is not cut | here: "… a blocker cuts …" |
// | blocker cuts the tracker | the loader delivers | here: "… a blocker cuts the tracker …" |
// | storage denied or full | memory; told in debug | lifecycle: "events are delivered though …"; here: "debug says …" |
// | storage fails once | memory, and what comes later is stored | here: "where the database cannot be opened …" |
// | storage emptied | memory, and stored anew | here: "… emptied while events wait …", "debug says …" |
// | storage broken | what is broken is told and removed, the rest delivered | here: "… broken …", "a database …" |
// | too many, too many bytes | the oldest go, counted | here: "beyond what the store may hold …"; tests/it/tracker.rs |
import {
  carrying, expect, forgotten, kept, keys, leaveToTracker, once, page as html, test, tracked,
} from "./kit.js";

/** The two ways a batch takes: the loader's own and the tracker's. */
const WAYS = ["loader", "tracker"];

/** Opens the page so that its events take one of the ways; returns the keys of events already sent. */
const open = async (way, page, front, path = "/") => {
  if (way == "loader") front.hangTracker();
  await page.goto(path);
  if (way == "tracker") return tracked(page, front);
  await expect.poll(() => front.batches().at(-1)?.entry.status).toBe(202);
  return [];
};

/** Answers batches with `answer` until the function that is returned is called. */
const instead = (front, answer) => front.rule(({ path }) => path == "/k/b" && answer);

/** How many records IndexedDB holds. */
const stored = (page) =>
  page.evaluate(
    () =>
      new Promise((resolve) => {
        const request = indexedDB.open("es");
        request.onupgradeneeded = () => request.result.createObjectStore("records");
        request.onsuccess = () => {
          const count = request.result.transaction("records").objectStore("records").count();
          count.onsuccess = () => resolve(count.result) || request.result.close();
        };
      }),
  );

/** Deletes the database as any script of the page can; says whether somebody was in the way. */
const deleteDatabase = (page) =>
  page.evaluate(
    () =>
      new Promise((resolve) => {
        const request = indexedDB.deleteDatabase("es");
        request.onsuccess = () => resolve("deleted");
        request.onblocked = () => resolve("blocked");
      }),
  );

/** Moves the clock of a page, and of its tracker if it has one, by so many milliseconds. */
const moveClock = async (way, page, by) => {
  const move = (by) => {
    const { now } = Date;
    Date.now = () => now() + by;
  };
  const sides = way == "tracker" ? [page, ...page.workers()] : [page];
  for (const side of sides) await side.evaluate(move, by);
};

const HOUR = 60 * 60 * 1000;
const DAY = 24 * HOUR;

// ---- Storage ------------------------------------------------------------------------------------

const WIPES = {
  "localStorage is": (page) => page.evaluate(() => localStorage.clear()),
  "the database is": async (page, other) => expect(await deleteDatabase(other)).toBe("deleted"),
  "all that the browser holds of the site is": async (page, other, front) => {
    const session = await page.context().newCDPSession(page);
    await session.send("Storage.clearDataForOrigin", { origin: front.origin, storageTypes: "all" });
  },
};

for (const way of WAYS)
  for (const [what, wipe] of Object.entries(WIPES))
    test(`${what} emptied while events wait: they arrive, and later ones are stored (${way})`, async ({
      page, front, stack, context,
    }) => {
      front.page("/bare", "<!doctype html><title>Without the kit</title>");
      const other = await context.newPage();
      await other.goto("/bare");
      const sent = await open(way, page, front);
      const over = instead(front, { status: 503 });
      await page.evaluate(() => send("before", 5));
      await expect.poll(() => carrying(front, "before-4").at(-1)?.entry.status).toBe(503);
      await wipe(page, other, front);
      // What is called while the browser's word that the database is gone is on its way has memory alone.
      let later = 0;
      await expect.poll(async () => {
        await page.evaluate((later) => send("later" + later, 1), later++);
        return stored(page);
      }).toBeGreaterThan(0);
      over();
      const expected = Array.from({ length: later }, (_, i) => `later${i}-0`);
      await once(stack, [...sent, ...keys("before", 5), ...expected], { views: 1 });
      await forgotten(page);
    });

test("where the database cannot be opened for once, what is called later is stored", async ({
  page, front, stack,
}) => {
  await page.addInitScript(() => {
    const { open } = IDBFactory.prototype;
    let tries = 0;
    IDBFactory.prototype.open = function (...rest) {
      if (!tries++) throw new DOMException("Internal error opening backing store", "UnknownError");
      return open.apply(this, rest);
    };
  });
  const over = instead(front, { status: 503 });
  front.hangTracker();
  await page.goto("/");
  await expect.poll(() => front.batches().at(-1)?.entry.status).toBe(503);
  await page.evaluate(() => send("later", 3));
  await expect.poll(() => stored(page)).toBe(3);
  over();
  await once(stack, keys("later", 3), { views: 1 });
  await forgotten(page);
});

/** A message id of this time; those of one time sort by their numbers. */
const idAt = (time, number) =>
  time.toString(16).padStart(12, "0").replace(/.{8}/, "$&-") +
  "-7000-8000-" + String(number).padStart(12, "0");

/** The same of a moment that is over. */
const past = Date.now() - HOUR;
const idOf = (number) => idAt(past, number);

/** A record as the loader writes it, about this product. */
const recordOf = (id, productKey, at = Date.now()) =>
  JSON.stringify({
    v: 1, id, at,
    call: ["sendEvent", "ProductPage", { ProductPage: { productKey } }],
    page: { url: "http://127.0.0.1/" },
    consent: ["tracking"],
    sc: "CDA68358-94FB-4D83-9655-3FEB3C4114A3",
  });

const BROKEN = [
  "", "{", "7", "null", "[]", "{}", '{"id":7}', '"text"', "\ud800", '{"v":1,"id":null}',
  recordOf(idOf(900), "another's").slice(0, 150),
];

for (const way of WAYS)
  test(`broken records in localStorage are told and removed, and hold nothing up (${way})`, async ({
    page, front, stack,
  }) => {
    front.page("/bare", "<!doctype html><title>Without the kit</title>");
    await page.goto("/bare");
    await page.evaluate(
      ([broken, sound]) => {
        for (const [key, value] of Object.entries(broken)) localStorage["es:" + key] = value;
        for (const [key, value] of Object.entries(sound)) localStorage["es:" + key] = value;
      },
      [
        { ...Object.fromEntries(BROKEN.map((text, i) => [idOf(i), text])), x: "{}" },
        { [idOf(500)]: recordOf(idOf(500), "sound-0") },
      ],
    );
    if (way == "loader") front.hangTracker();
    await page.goto("/");
    await page.evaluate(() => send("later", 3));
    await once(stack, ["sound-0", ...keys("later", 3)], { views: 1 });
    expect(front.batches().map(({ entry }) => entry.status)).not.toContain(400);
    await forgotten(page);
    if (way == "loader") return;
    const told = await page.evaluate(
      () =>
        new Promise((resolve) => {
          const codes = [];
          eS("on", "refused", ({ code, message }) => codes.push([code, !!message]));
          eS("on", "queued", () => setTimeout(() => resolve(codes)));
        }),
    );
    expect(told).toEqual(Array(BROKEN.length + 1).fill(["invalid_body", true]));
  });

for (const [what, value] of [["long", "x".repeat(129)], ["quoted", '"of another"']])
  test(`a cookie of the web id's name that is none (${what}) costs no event`, async ({ page, front, stack }) => {
    front.page("/bare", "<!doctype html><title>Without the kit</title>");
    await page.goto("/bare");
    await page.evaluate((value) => (document.cookie = `sc=${value};path=/`), value);
    await page.goto("/");
    await page.evaluate(() => send("called", 3));
    await once(stack, keys("called", 3), { views: 1 });
    await forgotten(page);
    expect(await page.evaluate(() => document.cookie)).not.toContain(value);
  });

test("more short events than a batch holds leave in parts (loader)", async ({ page, front, stack }) => {
  front.hangTracker();
  const over = front.rule(({ path }) => path == "/k/b" && { status: 503, headers: { "retry-after": "1" } });
  await page.goto("/");
  await page.evaluate(() => send("short", 250));
  await expect.poll(() => front.batches().length).toBeGreaterThan(0);
  over();
  await once(stack, keys("short", 250), { views: 1 });
  await forgotten(page);
  expect(front.batches().map(({ entry }) => entry.status)).not.toContain(413);
});

test("a broken choice counts as none, and the kit runs", async ({ page, front, stack }) => {
  const broken = ["7", "{}", '"grant"', "{", "null", '{"tracking":true}', ""];
  front.page("/bare", "<!doctype html><title>Without the kit</title>");
  for (const [round, text] of broken.entries()) {
    await page.goto("/bare");
    await page.evaluate((text) => (localStorage["es-consent"] = text), text);
    await page.goto("/");
    expect(await page.evaluate(() => eS.kit()), text).toContain("tracking");
    await page.evaluate((round) => send("choice" + round, 1), round);
  }
  await once(stack, broken.map((_, round) => `choice${round}-0`), { views: broken.length });
});

/** Makes the database "es" as `version` and `store` say, with these records. */
const makeDatabase = (page, { version, store = "records", records = [], cyclic }) =>
  page.evaluate(
    ([version, store, records, cyclic]) =>
      new Promise((resolve, reject) => {
        const request = indexedDB.open("es", version);
        request.onupgradeneeded = () => request.result.createObjectStore(store);
        request.onerror = reject;
        request.onsuccess = () => {
          const opened = request.result;
          const writing = opened.transaction(store, "readwrite");
          for (const [key, value] of records) writing.objectStore(store).put(value, key);
          if (cyclic) {
            const value = { big: 10n };
            value.self = value;
            writing.objectStore(store).put(value, cyclic);
            writing.objectStore(store).put("date", new Date());
            writing.objectStore(store).put("list", ["a"]);
          }
          writing.oncomplete = () => resolve(opened.close());
        };
      }),
    [version, store, records, cyclic],
  );

for (const way of WAYS)
  test(`broken records in the database hold nothing up (${way})`, async ({ page, front, stack }) => {
    front.page("/bare", "<!doctype html><title>Without the kit</title>");
    await page.goto("/bare");
    const broken = [...BROKEN, 7, null, {}, [], { id: idOf(1) }].map((value, i) => [idOf(i + 20), value]);
    const strange = [[5, "five"], [-1, "minus"], ["", "empty"], ["zz", "{}"], ["0a", "{}"]];
    const sound = [[idOf(500), recordOf(idOf(500), "sound-0")]];
    await makeDatabase(page, { records: [...strange, ...broken, ...sound], cyclic: idOf(10) });
    if (way == "loader") front.hangTracker();
    await page.goto("/");
    await page.evaluate(() => send("later", 3));
    await once(stack, ["sound-0", ...keys("later", 3)], { views: 1 });
    // Without the tracker they stay, until a page has one.
    if (way == "tracker") await forgotten(page);
  });

for (const way of WAYS)
  for (const [name, form, heals] of [
    ["of a higher version is used as it is", { version: 7 }, true],
    ["without the store is made anew, or done without", { store: "other" }, way == "tracker"],
  ])
    test(`a database ${name} (${way})`, async ({ page, front, stack }) => {
      front.page("/bare", "<!doctype html><title>Without the kit</title>");
      await page.goto("/bare");
      await makeDatabase(page, form);
      const sent = await open(way, page, front);
      const over = instead(front, { status: 503 });
      await page.evaluate(() => send("waits", 3));
      await expect.poll(() => carrying(front, "waits-2").length).toBeGreaterThan(0);
      if (heals) expect(await stored(page)).toBeGreaterThanOrEqual(3);
      over();
      await once(stack, [...sent, ...keys("waits", 3)], { views: 1 });
    });

test.describe("debug says that events are in memory alone where", () => {
  /** What the page was warned of: the stores that did not keep an event. */
  const warned = (page) => page.evaluate(() => window.warned);
  const listening = html({
    data: 'data-debug="on"',
    body: `<script>
      window.warned = [];
      eS("on", "warning", ({ code, field, message }) => warned.push([code, field, !!message]));
    </script>`,
  });

  test("no store can be had", async ({ page, front, stack }) => {
    await page.addInitScript(() => {
      const denied = () => {
        throw new DOMException("denied", "SecurityError");
      };
      Object.defineProperty(window, "localStorage", { get: denied });
      IDBFactory.prototype.open = denied;
    });
    front.page("/", listening);
    const over = instead(front, { status: 503 });
    await page.goto("/");
    await page.evaluate(() => send("memory", 2));
    await expect.poll(() => warned(page)).toEqual([
      ["not_kept", "localStorage", true],
      ["not_kept", "IndexedDB", true],
      ["not_kept", "both", true],
    ]);
    over();
    await once(stack, keys("memory", 2), { views: 1 });
  });

  test("stores are full", async ({ page, front, stack }) => {
    front.page("/", listening);
    await page.goto("/");
    await once(stack, [], { views: 1 });
    await page.evaluate(() => {
      for (let size = 4e6; size >= 1; size = Math.floor(size / 2))
        try {
          for (let i = 0; i < 2; i++) localStorage["fill" + size + i] = "x".repeat(size);
        } catch {}
      IDBObjectStore.prototype.put = () => {
        throw new DOMException("full", "QuotaExceededError");
      };
    });
    const over = instead(front, { status: 503 });
    await page.evaluate(() => send("full", 2));
    await expect.poll(() => warned(page)).toEqual([
      ["not_kept", "localStorage", true],
      ["not_kept", "both", true],
    ]);
    over();
    await once(stack, keys("full", 2), { views: 1 });
  });

  test("stores were emptied", async ({ page, front, stack, context }) => {
    front.page("/", listening);
    await page.goto("/");
    await once(stack, [], { views: 1 });
    const over = instead(front, { status: 503 });
    await page.evaluate(() => send("emptied", 2));
    await expect.poll(() => carrying(front, "emptied-1").length).toBeGreaterThan(0);
    expect(await warned(page)).toEqual([]);
    const session = await context.newCDPSession(page);
    await session.send("Storage.clearDataForOrigin", { origin: front.origin, storageTypes: "all" });
    // At the next attempt.
    await expect.poll(() => warned(page)).toEqual([["not_kept", "both", true]]);
    over();
    await once(stack, keys("emptied", 2), { views: 1 });
  });

  test("nothing of the kind is said where all is well, nor before the visitor has chosen", async ({
    page, front, stack,
  }) => {
    front.page("/", listening);
    await page.goto("/");
    await page.evaluate(() => send("well", 3));
    await once(stack, keys("well", 3), { views: 1 });
    const over = instead(front, { status: 503 });
    await page.evaluate(() => send("waits", 3));
    await expect.poll(() => carrying(front, "waits-2").length).toBeGreaterThan(1);
    over();
    await once(stack, [...keys("well", 3), ...keys("waits", 3)], { views: 1 });
    expect(await warned(page)).toEqual([]);
  });
});

test("beyond what the store may hold in bytes the oldest go, and are counted", async ({
  page, front, stack,
}) => {
  front.page("/bare", "<!doctype html><title>Without the kit</title>");
  front.page("/", html({ data: 'data-debug="on"' }));
  await leaveToTracker(page);
  await page.goto("/bare");
  // Each takes a little more than 50,000 bytes: fewer than 200 of 220 have room.
  const filling = "x".repeat(25_000);
  const records = Array.from({ length: 220 }, (_, i) => [idOf(i), recordOf(idOf(i), filling)]);
  await makeDatabase(page, { records });
  const room = Math.floor(10_000_000 / (2 * records[0][1].length));
  instead(front, { status: 503 });
  await page.goto("/");
  await page.evaluate(() => {
    window.dropped = [];
    eS("on", "refused", ({ id, code }) => code == "expired" && dropped.push(id));
  });
  const dropped = () => page.evaluate(() => dropped);
  // They may be told in several parts.
  await expect.poll(async () => (await dropped()).length).toBeGreaterThanOrEqual(records.length - room);
  const gone = await dropped();
  expect(gone).toEqual(records.slice(0, gone.length).map(([id]) => id));
  // The page's own view has taken some of the room.
  expect(records.length - gone.length - room).toBeLessThanOrEqual(0);
  expect(records.length - gone.length - room).toBeGreaterThan(-3);
  const counters = () =>
    page.evaluate(() => {
      const host = [...document.documentElement.children].find(({ shadowRoot }) => shadowRoot);
      return host?.shadowRoot.querySelector(".counters").textContent;
    });
  await expect.poll(async () => (await counters()).includes(`${(await dropped()).length} dropped`)).toBe(true);
});

// ---- Pages, devices, clocks ---------------------------------------------------------------------

for (const way of WAYS)
  test(`a device that was asleep for a night sends what waited, once (${way})`, async ({
    page, front, stack,
  }) => {
    const sent = await open(way, page, front);
    const over = instead(front, "drop");
    await page.evaluate(() => send("asleep", 5));
    await expect.poll(() => carrying(front, "asleep-4").length).toBeGreaterThan(0);
    // Timers that were set before find that it is nine hours later.
    await moveClock(way, page, 9 * HOUR);
    over();
    await once(stack, [...sent, ...keys("asleep", 5)], { views: 1 });
    await forgotten(page);
  });

for (const way of WAYS)
  test(`a clock that is set back by a day makes nothing wait longer (${way})`, async ({
    page, front, stack,
  }) => {
    const sent = await open(way, page, front);
    const over = instead(front, { status: 503 });
    await page.evaluate(() => send("before", 3));
    await expect.poll(() => carrying(front, "before-2").at(-1)?.entry.status).toBe(503);
    await moveClock(way, page, -DAY);
    await page.evaluate(() => send("behind", 3));
    await expect.poll(() => carrying(front, "behind-2").at(-1)?.entry.status).toBe(503);
    over();
    await once(stack, [...sent, ...keys("before", 3), ...keys("behind", 3)], { views: 1 });
    await forgotten(page);
  });

for (const way of WAYS)
  test(`events of a day offline arrive when the visitor is back, with their own time (${way})`, async ({
    page, front, stack, context,
  }) => {
    await context.addInitScript((day) => {
      // The first page lived a day ago.
      const { now } = Date;
      if (location.protocol == "http:" && !localStorage.later) Date.now = () => now() - day;
    }, DAY);
    const sent = await open(way, page, front);
    await once(stack, sent, { views: 1 });
    await context.setOffline(true);
    front.setDown(true);
    await page.evaluate(() => send("offline", 5));
    expect(await kept(page)).toBeGreaterThanOrEqual(5);
    await page.evaluate(() => (localStorage.later = 1));
    await page.close();
    front.setDown(false);
    await context.setOffline(false);
    const back = await context.newPage();
    await back.goto("/");
    await once(stack, [...sent, ...keys("offline", 5)], { views: 2 });
    const events = await stack.events("ProductPage");
    const late = events.filter(({ body }) => /^offline/.test(body.ProductPage.Product.productKey));
    for (const { body } of late) {
      const age = Date.now() - body.GeneralInfo.datetime;
      expect(Math.abs(age - DAY)).toBeLessThan(HOUR);
    }
    await forgotten(back);
  });

test("what waited for more than seven days is given up, and counted", async ({ page, front, stack }) => {
  front.page("/bare", "<!doctype html><title>Without the kit</title>");
  front.page("/", html({ data: 'data-debug="on"' }));
  await leaveToTracker(page);
  await page.goto("/bare");
  const made = Date.now() - 8 * DAY;
  const old = [0, 1, 2].map((i) => idAt(made, i));
  const records = old.map((id, i) => [id, recordOf(id, "old-" + i, made)]);
  await makeDatabase(page, { records });
  await page.goto("/");
  await page.evaluate(() => {
    window.dropped = [];
    eS("on", "refused", ({ id, code }) => code == "expired" && dropped.push(id));
  });
  await expect.poll(() => page.evaluate(() => dropped)).toEqual(old);
  await once(stack, [], { views: 1 });
  await forgotten(page);
});

// ---- The network --------------------------------------------------------------------------------

for (const way of WAYS)
  test(`on a network that takes its time everything arrives once (${way})`, async ({
    page, front, stack, context,
  }) => {
    if (way == "loader") front.hangTracker();
    const session = await context.newCDPSession(page);
    await session.send("Network.enable");
    const slow = { offline: false, latency: 400, downloadThroughput: 6000, uploadThroughput: 3000 };
    await session.send("Network.emulateNetworkConditions", slow);
    // The tracker's requests are none of the page's.
    front.rule(
      ({ path }) => path == "/k/b" && new Promise((resolve) => setTimeout(resolve, 2500)),
    );
    await page.goto("/");
    for (const [round, size] of [0, 2000, 0].entries())
      await page.evaluate(([round, size]) => send("slow" + round, 4, size), [round, size]);
    const expected = [0, 1, 2].flatMap((round) => keys("slow" + round, 4));
    await once(stack, expected, { views: 1, within: 60_000 });
    await forgotten(page);
  });

const PORTALS = {
  "its page": () => ({ headers: { "content-type": "text/html" }, body: "<h1>Welcome</h1>" }),
  "its page as JSON": () => ({
    headers: { "content-type": "application/json" }, body: '{"welcome":true}',
  }),
  "a way to its page": () => ({ status: 302, headers: { location: "/portal" } }),
  "a way to its page elsewhere": (front) => ({ status: 302, headers: { location: front.elsewhere } }),
  "that one has to sign in": () => ({ status: 511, body: "<h1>Sign in</h1>" }),
};

for (const way of WAYS)
  for (const [name, answer] of Object.entries(PORTALS))
    test(`events behind a captive portal that answers ${name} stay, and arrive after (${way})`, async ({
      page, front, stack,
    }) => {
      front.page("/portal", "<!doctype html><title>Welcome</title>");
      const sent = await open(way, page, front);
      const over = instead(front, answer(front));
      await page.evaluate(() => send("portal", 5));
      await expect.poll(() => carrying(front, "portal-4").length).toBeGreaterThan(1);
      expect(await kept(page)).toBeGreaterThanOrEqual(5);
      over();
      await once(stack, [...sent, ...keys("portal", 5)], { views: 1 });
      await forgotten(page);
    });

for (const way of WAYS)
  test(`while a blocker cuts the batches, they are tried ever more seldom, and arrive after (${way})`, async ({
    page, front, stack,
  }) => {
    const sent = await open(way, page, front);
    const over = instead(front, "drop");
    await page.evaluate(() => send("cut", 5));
    const attempts = () => carrying(front, "cut-4");
    const pause = () => {
      const [last, before] = attempts().reverse();
      return before ? last.entry.at - before.entry.at : 0;
    };
    await expect.poll(pause).toBeGreaterThan(3000);
    // Each of them is a pause twice as long; a browser may repeat one that ends without an answer.
    expect(attempts().length).toBeLessThan(14);
    expect(await kept(page)).toBeGreaterThanOrEqual(5);
    over();
    await page.evaluate(() => dispatchEvent(new Event("online")));
    await once(stack, [...sent, ...keys("cut", 5)], { views: 1 });
    await forgotten(page);
  });

test("while a blocker cuts the tracker, the loader delivers, also what was left", async ({
  page, front, stack,
}) => {
  front.page("/bare", "<!doctype html><title>Without the kit</title>");
  await page.goto("/bare");
  await makeDatabase(page, { records: [[idOf(500), recordOf(idOf(500), "left-0")]] });
  front.rule(({ path }) => path.startsWith("/k/a/") && "drop");
  await page.goto("/");
  await page.evaluate(() => send("cut", 5));
  await once(stack, ["left-0", ...keys("cut", 5)], { views: 1 });
});
