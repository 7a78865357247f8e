// The delivery trials that trackers are measured by. In each, every event must be at the platform
// exactly once in the end.
import {
  SNIPPET, carrying, expect, forgotten, keys, leave, once, page as html, start, test, tracked,
} from "./kit.js";

test("1: one event and navigation in the same task arrive without a return", async ({
  page, front, stack,
}) => {
  await page.goto("/");
  await leave(page, front, "one", 1);
  await once(stack, keys("one", 1), { views: 1 });
});

test("2: twenty events and navigation in the same task arrive without a return", async ({
  page, front, stack,
}) => {
  await page.goto("/");
  await leave(page, front, "twenty", 20);
  await once(stack, keys("twenty", 20), { views: 1 });
});

test("3: 200 events of 1 KB and navigation in the same task arrive after a return", async ({
  page, front, stack,
}) => {
  await page.goto("/");
  await leave(page, front, "many", 200, 1024);
  await page.goto("/");
  await once(stack, keys("many", 200), { views: 2 });
  await forgotten(page);
});

test.describe("4: three events before the tracker is there, the visitor leaves and returns", () => {
  for (const [name, loader] of [["a plain tag", undefined], ["the platform's snippet", SNIPPET]])
    test(name, async ({ page, front, stack }) => {
      front.page("/", html({ loader }));
      const over = front.hangTracker();
      await page.goto("/", { waitUntil: "commit" });
      await page.waitForFunction(() => window.eS && eS.kit);
      await leave(page, front, "early", 3);
      over();
      await page.goto("/");
      await once(stack, keys("early", 3), { views: 2 });
      await forgotten(page);
    });

  test("the platform's snippet with its queue filled before the loader is there", async ({
    page, front, stack,
  }) => {
    const later = `<script>send("early", 3)</script>`;
    front.page("/", html({ loader: SNIPPET + later }));
    front.page("/back", html());
    let arrive;
    const arrived = new Promise((resolve) => (arrive = resolve));
    const late = front.rule(({ path }) => path == "/k/kit.js" && arrived);
    const over = front.hangTracker();
    await page.goto("/", { waitUntil: "commit" });
    await expect.poll(() => page.evaluate(() => window.eS?.q?.length)).toBe(4);
    late();
    arrive();
    await page.waitForFunction(() => eS.kit);
    await start(page, (to) => (location.href = to), front.elsewhere);
    await page.waitForURL(front.elsewhere);
    over();
    await page.goto("/back");
    await once(stack, keys("early", 3), { views: 2 });
    await forgotten(page);
  });
});

/** The two ways a batch takes: the loader's own and the tracker's. */
const WAYS = ["loader", "tracker"];

/** Opens a page whose events take one of the ways; returns the keys of events already sent. */
const open = async (way, page, front) => {
  if (way == "loader") front.hangTracker();
  await page.goto("/");
  const sent = way == "tracker" ? await tracked(page, front) : [];
  await expect.poll(() => front.batches().every(({ entry }) => entry.status == 202)).toBe(true);
  await expect.poll(() => front.views().length).toBe(1);
  return sent;
};

for (const way of WAYS) {
  test(`5: events arrive after the collector answered 503 twice (${way})`, async ({
    page, front, stack,
  }) => {
    const sent = await open(way, page, front);
    let failures = 0;
    front.rule(({ path }) => path == "/k/b" && failures++ < 2 && { status: 503 });
    await page.evaluate(() => send("again", 5));
    await once(stack, [...sent, ...keys("again", 5)], { views: 1 });
    const failed = front.batches().filter(({ entry }) => entry.status == 503);
    expect(failed.map(({ entry }) => entry.via)).toEqual([way, way]);
    await forgotten(page);
  });

  test(`6: nothing is sent before the end of Retry-After: 5 (${way})`, async ({
    page, front, stack, context,
  }) => {
    const sent = await open(way, page, front);
    const rule = front.rule(
      ({ path }) => path == "/k/b" && { status: 429, headers: { "retry-after": "5" } },
    );
    await page.evaluate(() => send("first", 3));
    await expect.poll(() => front.batches().at(-1).entry.status).toBe(429);
    rule();
    const before = front.batches().length;
    // Neither later calls, nor a look at the tab, nor a network that comes back are a reason to
    // come earlier.
    await page.evaluate(() => {
      send("later", 2);
      document.dispatchEvent(new Event("visibilitychange"));
    });
    await context.setOffline(true);
    await context.setOffline(false);
    await once(stack, [...sent, ...keys("first", 3), ...keys("later", 2)], { views: 1 });
    const limited = front.batches()[before - 1].entry;
    expect(front.batches()[before].entry.at - limited.answered).toBeGreaterThanOrEqual(4950);
    await forgotten(page);
  });
}

test("6: Retry-After holds for calls made while the answer is on its way (loader)", async ({
  page, front, stack,
}) => {
  await open("loader", page, front);
  let answer;
  const late = new Promise((resolve) => (answer = resolve));
  const rule = front.rule(({ path }) => path == "/k/b" && late);
  await page.evaluate(() => send("first", 3));
  await expect.poll(() => front.batches().at(-1).records.length).toBe(3);
  await page.evaluate(() => send("later", 2));
  rule();
  const before = front.batches().length;
  answer({ status: 429, headers: { "retry-after": "5" } });
  await once(stack, [...keys("first", 3), ...keys("later", 2)], { views: 1 });
  const limited = front.batches()[before - 1].entry;
  expect(front.batches()[before].entry.at - limited.answered).toBeGreaterThanOrEqual(4950);
});

test("6: Retry-After that the loader got holds for the tracker too", async ({
  page, front, stack,
}) => {
  let load;
  const loaded = new Promise((resolve) => (load = resolve));
  const slow = front.rule(({ path }) => path.startsWith("/k/a/") && loaded);
  await page.goto("/");
  await expect.poll(() => front.batches().at(-1)?.entry.status).toBe(202);
  const rule = front.rule(
    ({ path }) => path == "/k/b" && { status: 429, headers: { "retry-after": "5" } },
  );
  await page.evaluate(() => send("first", 3));
  await expect.poll(() => front.batches().at(-1).entry.status).toBe(429);
  const before = front.batches().length;
  rule();
  slow();
  load();
  await once(stack, keys("first", 3), { views: 1 });
  const limited = front.batches()[before - 1].entry;
  expect(front.batches()[before].entry.at - limited.answered).toBeGreaterThanOrEqual(4950);
});

test("7: five events of six seconds offline arrive when the visitor is back", async ({
  page, front, stack, context,
}) => {
  await page.goto("/");
  const sent = await tracked(page, front);
  await once(stack, sent, { views: 1 });
  const before = front.batches().length;
  await context.setOffline(true);
  front.setDown(true);
  await page.evaluate(() => send("offline", 5));
  await page.waitForTimeout(6000);
  await page.close();
  expect(front.batches().length).toBe(before);
  front.setDown(false);
  await context.setOffline(false);
  const back = await context.newPage();
  await back.goto("/");
  await once(stack, [...sent, ...keys("offline", 5)], { views: 2 });
  await forgotten(back);
});

test("8: five events of a tab that crashed arrive when the visitor is back", async ({
  page, front, stack, context,
}) => {
  await page.goto("/");
  const sent = await tracked(page, front);
  await once(stack, sent, { views: 1 });
  const over = front.hangBatches();
  const session = await context.newCDPSession(page);
  await page.evaluate(() => send("crash", 5));
  const crashed = page.waitForEvent("crash");
  session.send("Page.crash").catch(() => {});
  await crashed;
  over();
  const back = await context.newPage();
  await back.goto("/");
  await once(stack, [...sent, ...keys("crash", 5)], { views: 2 });
  await forgotten(back);
});

test("9: five events of each of two tabs closed offline arrive when the visitor is back", async ({
  page, front, stack, context,
}) => {
  const other = await context.newPage();
  await Promise.all([page.goto("/"), other.goto("/")]);
  await once(stack, [], { views: 2 });
  const before = front.batches().length;
  await context.setOffline(true);
  front.setDown(true);
  await Promise.all([page, other].map((tab, i) => tab.evaluate((i) => send("tab" + i, 5), i)));
  await Promise.all([page.close(), other.close()]);
  expect(front.batches().length).toBe(before);
  front.setDown(false);
  await context.setOffline(false);
  const back = await context.newPage();
  await back.goto("/");
  await once(stack, [...keys("tab0", 5), ...keys("tab1", 5)], { views: 3 });
  await forgotten(back);
});

for (const way of WAYS)
  test(`10: what was taken but not answered is sent again under its message id (${way})`, async ({
    page, front, stack,
  }) => {
    const sent = await open(way, page, front);
    const before = front.batches().length;
    let dropped;
    front.rule((entry) => {
      if (entry.path != "/k/b" || dropped) return;
      dropped = entry;
      return "forget";
    });
    await page.evaluate(() => send("again", 4));
    await once(stack, [...sent, ...keys("again", 4)], { views: 1 });
    await forgotten(page);
    const [first, ...later] = front.batches().slice(before);
    expect(first.entry).toBe(dropped);
    const again = later.flatMap(({ records }) => records);
    expect(again).toEqual(expect.arrayContaining(first.records));
    expect(new Set(again.map(({ id }) => id)).size).toBe(4);
  });

test("11: a prerendered page counts when it is shown, once, and not before", async ({
  front, stack, launch,
}) => {
  const rules = `<script type="speculationrules">
    {"prerender": [{"source": "list", "urls": ["/shown"], "eagerness": "immediate"}]}</script>`;
  const leave = `<a href="/shown">Shown</a>
    <script>fetch("/go").then(() => document.querySelector("a").click())</script>`;
  front.page("/", html({ head: rules, body: leave }));
  const body = `<script>
    send("inside", 2);
    const say = (what) => tell({ what, prerendering: document.prerendering });
    addEventListener("load", () => say("loaded"));
    document.addEventListener("prerenderingchange", () => say("shown"));
  </script>`;
  front.page("/shown", html({ body }));
  let go;
  front.rule(({ path }) => path == "/go" && new Promise((resolve) => (go = resolve)));
  await launch({ url: front.origin + "/" });
  await expect.poll(() => front.told).toEqual([{ what: "loaded", prerendering: true }]);
  await once(stack, [], { views: 1 });
  // Several times as long as a page needs to send what it has to send.
  await new Promise((resolve) => setTimeout(resolve, 2000));
  expect(front.views()).toEqual(["/"]);
  go({ status: 204 });
  await expect.poll(() => front.told.at(-1)).toEqual({ what: "shown", prerendering: false });
  await once(stack, keys("inside", 2), { views: 2 });
  expect(front.views()).toEqual(["/", "/shown"]);
  expect(front.log.filter(({ path }) => path == "/shown").length).toBe(1);
});

/** Opens a page under `policy`; its reports and errors are in the log. */
const openUnder = async (policy, page, front) => {
  const headers = { "content-security-policy": policy + "; report-uri /report" };
  front.rule(({ path }) => path == "/report" && { status: 204 });
  const head = `<script nonce="n0nce">
    addEventListener("securitypolicyviolation", (event) => tell(event.violatedDirective));
  </script>`;
  front.page("/", html({ nonce: "n0nce", head }), headers);
  await page.goto("/");
};

const reports = (front) =>
  front.log.filter(({ path }) => path == "/report").map(({ body }) => body);

const STRICT = "script-src 'nonce-n0nce' 'strict-dynamic'; object-src 'none'; base-uri 'none'";
const TRUSTED = STRICT + "; require-trusted-types-for 'script'";

for (const [name, policy] of [
  ["12: the tracker delivers under a strict policy without wasm-unsafe-eval", STRICT],
  ["13: the tracker delivers where trusted types are required", TRUSTED],
  [
    "13: the tracker delivers where its trusted types policy is the only one",
    TRUSTED + "; trusted-types esputnik-kit",
  ],
])
  test(name, async ({ page, front, stack }) => {
    await openUnder(policy, page, front);
    const sent = await tracked(page, front);
    await page.evaluate(() => send("strict", 5));
    await once(stack, [...sent, ...keys("strict", 5)], { views: 1 });
    const carriers = carrying(front, "strict-");
    expect(new Set(carriers.map(({ entry }) => entry.via))).toEqual(new Set(["tracker"]));
    expect([...front.told, ...reports(front)]).toEqual([]);
    await forgotten(page);
  });

test("13: the loader delivers where no trusted types policy is allowed", async ({
  page, front, stack,
}) => {
  await openUnder(TRUSTED + "; trusted-types 'none'", page, front);
  await page.evaluate(() => send("raw", 5));
  await once(stack, keys("raw", 5), { views: 1 });
  await page.evaluate(() => send("later", 5));
  await leave(page, front, "leaving", 5);
  await once(stack, [...keys("raw", 5), ...keys("later", 5), ...keys("leaving", 5)], { views: 1 });
  expect(front.batches().every(({ entry }) => entry.via == "loader")).toBe(true);
});
