// Pages as browsers keep, hide, prepare and restrict them; and the page's own code, which the kit
// must neither disturb nor be disturbed by.
import {
  SNIPPET, expect, forgotten, keys, leave, once, page as html, test, tracked,
} from "./kit.js";

/** A promise of an answer that a page waits for, and the function that gives it. */
const gate = (front, path) => {
  let open;
  const opened = new Promise((resolve) => (open = resolve));
  front.rule((entry) => entry.path == path && opened);
  return () => open({ status: 204 });
};

/**
 * Browsers may always let a page go that they have kept: for memory, or where the next page wants of a database
 * what the frozen one is in the middle of. So it is tried up to three times, and counts once even then.
 */
for (const [name, busy] of [["at rest", false], ["with events on their way", true]])
  test(`a page left ${name} comes back from the back/forward cache and counts once`, async ({
    front, stack, launch,
  }) => {
    test.setTimeout(300_000);
    const body = `<script>
      addEventListener("pagehide", ({ persisted }) => tell({ left: persisted }));
      addEventListener("pageshow", ({ persisted }) => {
        const { notRestoredReasons } = performance.getEntriesByType("navigation")[0];
        tell({ shown: persisted, notRestoredReasons });
        if (persisted) send("back", 2);
      });
      if (!sessionStorage.gone)
        fetch("/go" + location.search).then(() => {
          if (${busy}) send("leaving" + location.search.slice(1), 5);
          sessionStorage.gone = 1;
          location.href = "/next" + location.search;
        });
    </script>`;
    const next = `<script>fetch("/return" + location.search).then(() => history.back())</script>`;
    front.page("/", html({ body }));
    front.page("/next", html({ body: next }));
    const expected = [];
    const views = [];
    for (let run = 0; run < 3; run++) {
      front.told = [];
      const go = gate(front, "/go?" + run);
      const back = gate(front, "/return?" + run);
      const { kill } = await launch({ url: `${front.origin}/?${run}` });
      await once(stack, expected, { views: views.length + 1 });
      go();
      if (busy) expected.push(...keys("leaving" + run, 5));
      await once(stack, expected, { views: views.length + 2 });
      back();
      await expect.poll(() => front.told.length).toBe(3);
      const [first, left, again] = front.told;
      expect(first).toEqual({ shown: false, notRestoredReasons: null });
      expect(left, "the page may be kept").toEqual({ left: true });
      if (again.shown) expected.push(...keys("back", 2));
      views.push("/?" + run, "/next?" + run, "/?" + run);
      await once(stack, expected, { views: views.length });
      expect(front.views()).toEqual(views);
      if (again.shown) return;
      console.log("let go:", JSON.stringify(again.notRestoredReasons));
      await kill();
    }
    throw new Error("no page came back as it was");
  });

test("a prerendered page that is never shown counts nothing", async ({ front, stack, launch }) => {
  const rules = `<script type="speculationrules">
    {"prerender": [{"source": "list", "urls": ["/never"], "eagerness": "immediate"}]}</script>`;
  const body = `<script>fetch("/go").then(() => (location.href = "/other"))</script>`;
  front.page("/", html({ head: rules, body }));
  const prepared = `<script>send("never", 2); tell(document.prerendering)</script>`;
  front.page("/never", html({ body: prepared }));
  front.page("/other", html());
  const go = gate(front, "/go");
  await launch({ url: front.origin + "/" });
  await expect.poll(() => front.told).toEqual([true]);
  await once(stack, [], { views: 1 });
  go();
  await once(stack, [], { views: 2 });
  expect(front.views()).toEqual(["/", "/other"]);
});

test("a tab behind another one delivers what it is called with", async ({
  front, stack, launch,
}) => {
  const body = `<script>
    document.addEventListener("visibilitychange", () => {
      send("turning", 3);
      tell(document.visibilityState);
      setTimeout(() => send("behind", 3), 1500);
    });
    fetch("/go").then(() => open("/front"));
  </script>`;
  front.page("/", html({ body }));
  front.page("/front", "<!doctype html><title>In front</title>");
  const go = gate(front, "/go");
  await launch({ url: front.origin + "/", args: ["--disable-popup-blocking"] });
  await once(stack, [], { views: 1 });
  go();
  await once(stack, [...keys("turning", 3), ...keys("behind", 3)], { views: 1 });
  expect(front.told).toEqual(["hidden"]);
});

test("two tabs that share the queue deliver each event once", async ({
  page, stack, context,
}) => {
  const other = await context.newPage();
  await Promise.all([page, other].map((tab) => tab.goto("/")));
  await Promise.all(
    [page, other].map((tab, i) =>
      tab.evaluate(async (name) => {
        for (let round = 0; round < 10; round++) {
          send(name + round, 3);
          await new Promise((resolve) => setTimeout(resolve, Math.random() * 100));
        }
      }, `tab${i}x`),
    ),
  );
  const expected = [0, 1].flatMap((i) =>
    Array.from({ length: 10 }, (_, round) => keys(`tab${i}x${round}`, 3)).flat(),
  );
  await once(stack, expected, { views: 2 });
  await forgotten(page);
});

test("two tabs that a new visitor opens at once are one visitor's", async ({
  front, stack, browser,
}) => {
  // Each tab takes over what the other one has written, and both send it at the same moment.
  front.hangTracker();
  const busy = `<script>
    const end = Math.ceil(Date.now() / 2000) * 2000;
    while (Date.now() < end);
  </script>`;
  front.page("/busy", html({ body: busy }));
  const rounds = 5;
  for (let round = 0; round < rounds; round++) {
    const visitor = await browser.newContext({ baseURL: front.origin });
    const tabs = await Promise.all([visitor.newPage(), visitor.newPage()]);
    await Promise.all(tabs.map((tab) => tab.goto("/busy")));
    await expect.poll(() => front.views().length).toBe(2 * (round + 1));
    await visitor.close();
  }
  await once(stack, [], { views: 2 * rounds });
});

test("a tab delivers what another one left behind", async ({ page, front, stack, context }) => {
  const other = await context.newPage();
  await page.goto("/");
  await other.goto("/?other");
  const sent = await tracked(page, front);
  await once(stack, sent, { views: 2 });
  const over = front.hangBatches("left-");
  await other.evaluate(() => send("left", 5));
  const tried = () => front.batches().some(({ entry }) => entry.body.includes("left-"));
  await expect.poll(tried).toBe(true);
  await other.close();
  over();
  // Tabs look for what others left every half minute.
  await once(stack, [...sent, ...keys("left", 5)], { views: 2, within: 40_000 });
  await forgotten(page);
});

test.describe("events are delivered though", () => {
  const denials = {
    "localStorage throws": () =>
      Object.defineProperty(window, "localStorage", {
        get() {
          throw new DOMException("denied", "SecurityError");
        },
      }),
    "localStorage is full": () => {
      Storage.prototype.setItem = () => {
        throw new DOMException("full", "QuotaExceededError");
      };
      // Members set by name do not go through the method.
      const full = new Proxy(localStorage, {
        get: (target, name) =>
          typeof target[name] == "function" ? target[name].bind(target) : target[name],
        set() {
          throw new DOMException("full", "QuotaExceededError");
        },
      });
      Object.defineProperty(window, "localStorage", { get: () => full });
    },
    "IndexedDB is absent": () => Object.defineProperty(window, "indexedDB", { value: undefined }),
    "IndexedDB throws": () => {
      IDBFactory.prototype.open = () => {
        throw new DOMException("denied", "SecurityError");
      };
    },
    "IndexedDB cannot be opened": () => {
      IDBFactory.prototype.open = () => {
        const request = new EventTarget();
        setTimeout(() => request.onerror?.(new Event("error")));
        return request;
      };
    },
    "IndexedDB is full": () => {
      IDBObjectStore.prototype.put = () => {
        throw new DOMException("full", "QuotaExceededError");
      };
    },
  };
  for (const [name, deny] of Object.entries(denials))
    test(name, async ({ page, front, stack }) => {
      await page.addInitScript(deny);
      await page.goto("/");
      await page.evaluate(() => send("denied", 5));
      await once(stack, keys("denied", 5), { views: 1 });
      await leave(page, front, "leaving", 3);
      await once(stack, [...keys("denied", 5), ...keys("leaving", 3)], { views: 1 });
    });

  test("the visitor blocks all site data", async ({ front, stack, launch }) => {
    const blocked = { profile: { default_content_setting_values: { cookies: 2 } } };
    const { page } = await launch({ preferences: blocked });
    const errors = [];
    page.on("pageerror", (error) => errors.push(String(error)));
    await page.goto(front.origin + "/");
    const denied = await page.evaluate(() => {
      try {
        return !localStorage;
      } catch ({ name }) {
        return name;
      }
    });
    expect(denied).toBe("SecurityError");
    await page.evaluate(() => send("denied", 5));
    await once(stack, keys("denied", 5), { views: 1 });
    await leave(page, front, "leaving", 3);
    await once(stack, [...keys("denied", 5), ...keys("leaving", 3)], { views: 1 });
    expect(errors).toEqual([]);
  });

  test("the disk is full", async ({ page, front, stack, context }) => {
    const session = await context.newCDPSession(page);
    await session.send("Storage.overrideQuotaForOrigin", { origin: front.origin, quotaSize: 1 });
    await page.goto("/");
    await page.evaluate(() => {
      try {
        for (let size = 4e6; size >= 1; size = Math.floor(size / 2))
          for (let i = 0; i < 2; i++) localStorage["fill" + size + i] = "x".repeat(size);
      } catch {}
    });
    await page.evaluate(() => send("full", 5));
    await once(stack, keys("full", 5), { views: 1 });
  });
});

/** Values that break code which trusts them; `tryAll(calls)` names the calls that threw. */
const hostile = `<script>
  function tryAll(calls) {
    const circular = {};
    circular.self = circular;
    let deep = {};
    for (let i = 0; i < 1e5; i++) deep = { deep };
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const throws = (what) => ({
      get productKey() {
        throw what;
      },
    });
    const trap = new Proxy({}, Object.fromEntries(
      ["get", "has", "ownKeys", "getOwnPropertyDescriptor", "getPrototypeOf"].map((name) => [
        name,
        () => {
          throw new Error("trapped");
        },
      ]),
    ));
    const frame = document.body.appendChild(document.createElement("iframe"));
    const foreign = frame.contentWindow;
    frame.remove();
    const values = {
      circular, deep, proxy, trap, foreign,
      getter: throws(new Error("no")),
      "getter that throws a symbol": throws(Symbol("no")),
      "getter that throws nothing": throws(undefined),
      "getter that throws an object without a text": throws(Object.create(null)),
      "getter that throws an object whose text throws": throws({
        toString() {
          throw new Error("no");
        },
      }),
      toJSON: {
        toJSON() {
          throw new Error("no");
        },
      },
      bigint: 10n, symbol: Symbol("s"), undefined, null: null, number: NaN, infinite: Infinity,
      function() {}, class: class {}, node: document.body, window, event: new Event("x"),
      date: new Date(NaN), regexp: /x/, map: new Map([[1, 2]]), set: new Set([1]),
      buffer: new ArrayBuffer(8), promise: Promise.resolve(), huge: "x".repeat(5e6),
      list: [], "long list": Array.from({ length: 1e5 }, () => 1), surrogate: "\\ud800",
      all: document.all,
      prototype: JSON.parse('{"__proto__": {"x": 1}, "constructor": 1, "hasOwnProperty": 1}'),
    };
    const thrown = [];
    for (const [name, value] of Object.entries(values))
      for (const [place, call] of calls(value).entries())
        try {
          eS(...call);
        } catch {
          thrown.push(name + ", call " + place);
        }
    return thrown;
  }
</script>`;

for (const [name, calls] of [
  [
    "calls",
    (value) => [
      [value],
      [value, value],
      ["sendEvent", value],
      ["sendEvent", "ProductPage", value],
      ["sendEvent", "ProductPage", { ProductPage: value }],
      ["sendEvent", "ProductPage", { ProductPage: { price: value } }],
      ["sendEventWithTags", "StatusCart", { StatusCart: { Products: [value], GUID: value } }],
      ["init", value],
      ["identify", value],
      ["unknown", value],
      ["unknown", value, () => {}],
      ["constructor", value],
      ["__proto__", value],
    ],
  ],
  ["names of what to listen for", (value) => [["on", value, () => {}]]],
  ["listeners", (value) => [["on", "queued", value]]],
])
  test(`eS does not throw and goes on delivering after hostile ${name}`, async ({
    page, front, stack,
  }) => {
    front.page("/", html({ head: hostile }));
    await page.goto("/");
    expect(await page.evaluate(`tryAll(${calls})`)).toEqual([]);
    const later = await page.evaluate(() => {
      try {
        eS();
        eS.q.push();
        eS.q.push(null, undefined, 1);
        eS.call(null, "sendEvent");
        send("after", 3);
      } catch (error) {
        return String(error);
      }
    });
    expect(later).toBeUndefined();
    await once(stack, keys("after", 3), { views: 1 });
  });

test("a listener that throws does not keep others from hearing, nor events from arriving", async ({
  page, front, stack,
}) => {
  await page.goto("/");
  await page.evaluate(() => {
    window.heard = [];
    for (const what of [new Error("no"), Symbol("no"), undefined, Object.create(null)])
      eS("on", "queued", () => {
        throw what;
      });
    eS("on", "queued", ({ call }) => heard.push(call[1]));
    send("heard", 2);
  });
  const all = ["PageView", "ProductPage", "ProductPage"];
  await expect.poll(() => page.evaluate(() => heard)).toEqual(all);
  await once(stack, keys("heard", 2), { views: 1 });
});

test("links and forms are not held up, and their handlers run as the page set them", async ({
  page, front, stack,
}) => {
  await page.addInitScript(() => {
    window.meddled = [];
    for (const name of ["preventDefault", "stopPropagation", "stopImmediatePropagation"]) {
      const original = Event.prototype[name];
      Event.prototype[name] = function () {
        meddled.push(name);
        return original.call(this);
      };
    }
    const { addEventListener } = EventTarget.prototype;
    EventTarget.prototype.addEventListener = function (type, ...rest) {
      // A listener for the last two keeps pages out of the back/forward cache.
      if (/^(click|submit|mousedown|pointerdown|beforeunload|unload)$/.test(type) && !window.own)
        meddled.push(type);
      return addEventListener.call(this, type, ...rest);
    };
  });
  const body = `<a href="${front.elsewhere}"><b>Leave</b></a>
    <form action="/form"><button name="q" value="1">Send</button></form>
    <script>
      window.own = true;
      const order = [];
      for (const type of ["click", "submit"])
        for (const target of [window, document, document.body])
          for (const capture of [true, false])
            target.addEventListener(type, (event) => {
              if (event.target.localName == "button" && type == "click") return;
              eS("sendEvent", "MainPage");
              const name = target.localName || target.nodeName || "window";
              order.push((capture ? "down " : "up ") + name);
              if (order.length == 6) tell({ type, order: order.splice(0), meddled });
            }, capture);
      window.own = false;
    </script>`;
  front.page("/", html({ body }));
  front.page("/form", html());
  const down = ["down window", "down #document", "down body"];
  const order = [...down, "up body", "up #document", "up window"];
  // Who waited for a collector and a tracker that hang would never leave.
  front.hangTracker();
  front.hangBatches();
  for (const [selector, type, path] of [
    ["b", "click", "/elsewhere"],
    ["button", "submit", "/form?q=1"],
  ]) {
    await page.goto("/");
    await page.click(selector, { noWaitAfter: true });
    await page.waitForURL((url) => url.pathname + url.search == path);
    await expect.poll(() => front.told.at(-1)).toEqual({ type, order, meddled: [] });
  }
});

test.describe("calls count once when", () => {
  test("the script tag stands there twice", async ({ page, front, stack }) => {
    const tag = `<script src="/k/kit.js"></script>`;
    const late = `<script>document.head.append(Object.assign(document.createElement("script"), {
      src: "/k/kit.js", onload: () => tell("third") }))</script>`;
    front.page("/", html({ loader: tag + tag, body: `<script>send("twice", 3)</script>` + late }));
    await page.goto("/");
    await expect.poll(() => front.told).toEqual(["third"]);
    await page.evaluate(() => send("more", 2));
    await once(stack, [...keys("twice", 3), ...keys("more", 2)], { views: 1 });
  });

  test("the platform's nested stub queued them", async ({ page, front, stack }) => {
    front.page("/", html({ loader: SNIPPET, body: `<script>send("nested", 3)</script>` }));
    await page.goto("/");
    await once(stack, keys("nested", 3), { views: 1 });
  });

  const flat = `<script>
    window.eS = window.eS || function () { (eS.q = eS.q || []).push(arguments) };
  </script>`;
  const tag = `<script async src="/k/kit.js"></script>`;

  test("a flat stub queued them", async ({ page, front, stack }) => {
    const body = `<script>eS("init", { TRACKING: false }); send("flat", 3)</script>`;
    front.page("/", html({ loader: flat + body + tag }));
    await page.goto("/");
    await once(stack, keys("flat", 3), { views: 1 });
  });

  for (const [name, stub] of [
    ["a flat stub", flat],
    ["the nested stub", SNIPPET.replace(/eS\("init".*\n/, "").replace(/var s = .*\n.*\n/, "")],
  ])
    test(`init was queued behind them by ${name}`, async ({ page, front, stack }) => {
      const body = `<script>
        send("early", 2); eS("init", { TRACKING: false }); send("late", 2);
      </script>`;
      front.page("/", html({ loader: stub + body + tag }));
      await page.goto("/");
      await once(stack, [...keys("early", 2), ...keys("late", 2)], { views: 1 });
      const [{ records }] = front.batches();
      expect(records[0].call[1]).toBe("PageView");
    });

  test("init comes only after the loader", async ({ page, front, stack }) => {
    front.page("/", html({ loader: flat + tag, body: `<script>send("early", 2)</script>` }));
    await page.goto("/");
    await page.waitForFunction(() => eS.kit);
    // Several times as long as the loader waits before it sends by itself.
    await page.waitForTimeout(1500);
    expect(front.batches()).toEqual([]);
    await page.evaluate(() => {
      eS("init", { TRACKING: false });
      eS("init", { TRACKING: false });
    });
    await once(stack, keys("early", 2), { views: 1 });
  });
});
