// A browser that is killed in the middle of a journey, again and again: what its store had completed
// arrives with a later start, once. Only what was still being written may be lost.
import { expect, forgotten, keys, once, page as html, test } from "./kit.js";

/** Kills of a run, and calls of each page of the journey. */
const KILLS = 6;
const CALLS = 12;

/** Starts in which something is to be reached: once in some fifty kills a start got nothing out of IndexedDB.
 *  What is there arrives with a later one. */
const STARTS = 3;

const reached = async (is, interval) => {
  const end = Date.now() + 40_000;
  while (Date.now() < end && !(await is())) await new Promise((resolve) => setTimeout(resolve, interval));
};

/** Tells the test which records a completed transaction holds, and goes from page to page. */
const JOURNEY = `<script>
  const { put } = IDBObjectStore.prototype;
  const written = new WeakMap();
  IDBObjectStore.prototype.put = function (record, ...rest) {
    let keys = written.get(this.transaction);
    if (!keys) {
      written.set(this.transaction, (keys = []));
      this.transaction.addEventListener("complete", () => tell({ written: keys }));
    }
    const { productKey } = JSON.parse(record).call[2].ProductPage ?? {};
    if (productKey) keys.push(productKey);
    return put.call(this, record, ...rest);
  };
</script>`;

const STEPS = `<script>
  const [, run, number] = /run=(\\d+)&page=(\\d+)/.exec(location.search) ?? [];
  let calls = 0;
  const timer = run && setInterval(() => {
    send("r" + run + "p" + number + "c" + calls, 1);
    if (++calls < ${CALLS}) return;
    clearInterval(timer);
    location.href = "/?run=" + run + "&page=" + (+number + 1);
  }, 15);
</script>`;

test("a browser killed again and again loses nothing that its store had completed", async ({
  front, stack, launch,
}) => {
  test.setTimeout(600_000);
  front.page("/", html({ head: JOURNEY, body: STEPS }));
  const written = () => new Set(front.told.flatMap((told) => told.written ?? []));
  for (let run = 0; run < KILLS; run++) {
    // In every other run nothing that is called is taken, so that the store has the only copy.
    const over = run % 2 ? front.rule(({ path }) => path == "/k/b" && { status: 503 }) : () => {};
    // Some way into the journey, a different one each time.
    const wanted = written().size + 10 + 9 * run;
    for (let start = 0; start < STARTS && written().size < wanted; start++) {
      const browser = await launch();
      await browser.page.goto(`${front.origin}/?run=${run}${start}&page=0`);
      await reached(() => written().size >= wanted, 5);
      await browser.kill();
    }
    expect(written().size).toBeGreaterThanOrEqual(wanted);
    over();
  }
  const expected = written();
  const arrived = async () =>
    (await stack.events("ProductPage")).map(({ body }) => body.ProductPage.Product.productKey);
  const missing = async () => {
    const there = new Set(await arrived());
    return [...expected].filter((key) => !there.has(key));
  };
  for (let start = 0; start < STARTS && (await missing()).length; start++) {
    const last = await launch();
    await last.page.goto(front.origin + "/");
    await reached(async () => !(await missing()).length, 200);
    await last.kill();
  }
  expect(await missing(), "written and not arrived").toEqual([]);
  const all = await arrived();
  const twice = new Set(all.filter((key, index) => all.indexOf(key) != index));
  // What each was sent as, and when: nobody can do a failed run again.
  const sent = front.batches().flatMap(({ entry: { at, via, status }, sc, records }) =>
    records.map(({ id, call, sc: own }) => ({
      key: call[2]?.ProductPage?.productKey, id, batch: sc, own, at, via, status,
    })),
  );
  expect(sent.filter(({ key }) => twice.has(key)), "events that arrived twice").toEqual([]);
  expect(expected.size).toBeGreaterThan(100);
});

for (const left of ["localStorage", "IndexedDB"])
  test(`a browser that has only its ${left} again is known by it, and counts nothing twice`, async ({
    front, stack, page, context,
  }) => {
    front.page("/plain", "<!doctype html><title>Without the kit</title>");
    await page.goto("/");
    await once(stack, [], { views: 1 });
    await forgotten(page);
    // The Worker takes it, and the page never hears of that.
    const over = front.rule(({ path }) => path == "/k/b" && "forget");
    await page.evaluate(() => send("taken", 5));
    await once(stack, keys("taken", 5), { views: 1 });
    await page.goto("/plain");
    await context.clearCookies();
    await page.evaluate(
      (left) =>
        left == "IndexedDB"
          ? localStorage.clear()
          : new Promise((resolve) => (indexedDB.deleteDatabase("es").onsuccess = resolve)),
      left,
    );
    over();
    await page.goto("/");
    await once(stack, keys("taken", 5), { views: 2 });
    await forgotten(page);
  });
