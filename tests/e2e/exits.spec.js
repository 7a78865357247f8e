// Ends of all kinds: of pages, of browsers, of the network, of the platform, of the Worker.
import {
  expect, forgotten, kept, keys, leave, once, page as html, start, test, tracked,
} from "./kit.js";

/** The process of the page that is busy. */
const busiest = async (browser) => {
  const session = await browser.newBrowserCDPSession();
  const times = async () => {
    const { processInfo } = await session.send("SystemInfo.getProcessInfo");
    const renderers = processInfo.filter(({ type }) => type == "renderer");
    return new Map(renderers.map(({ id, cpuTime }) => [id, cpuTime]));
  };
  const before = await times();
  await new Promise((resolve) => setTimeout(resolve, 300));
  const spent = [...(await times())].map(([id, time]) => [time - (before.get(id) ?? 0), id]);
  return spent.sort(([a], [b]) => b - a)[0][1];
};

for (const there of [true, false])
  test.describe(there ? "with the tracker there" : "before the tracker is there", () => {
    /** Opens the page; returns the keys of the events already sent. */
    const open = async (page, front) => {
      if (!there) front.hangTracker();
      await page.goto("/");
      if (there) return tracked(page, front);
      // The page view has left, so no timer is near that could be mistaken for what is tested.
      await expect.poll(() => front.batches().at(-1)?.entry.status).toBe(202);
      return [];
    };

    test("events called with a navigation arrive", async ({ page, front, stack }) => {
      const sent = await open(page, front);
      await leave(page, front, "gone", 10);
      await once(stack, [...sent, ...keys("gone", 10)], { views: 1 });
    });

    test("events called in the click on a link arrive", async ({ page, front, stack }) => {
      const body = `<a href="${front.elsewhere}" onclick="send('click', 5)">Leave</a>`;
      front.page("/", html({ body }));
      const sent = await open(page, front);
      await page.click("a");
      await page.waitForURL(front.elsewhere);
      await once(stack, [...sent, ...keys("click", 5)], { views: 1 });
    });

    test("events called when a form is submitted arrive", async ({ page, front, stack }) => {
      const body = `<form method="post" action="${front.elsewhere}" onsubmit="send('submit', 5)">
        <input name="q" value="x"><button>Send</button></form>`;
      front.page("/", html({ body }));
      const sent = await open(page, front);
      await page.click("button");
      await page.waitForURL(front.elsewhere);
      await once(stack, [...sent, ...keys("submit", 5)], { views: 1 });
    });

    test("events called before window.close arrive", async ({ page, front, stack, context }) => {
      front.page("/opener", "<!doctype html><title>Opener</title>");
      await page.goto("/opener");
      const opened = context.waitForEvent("page");
      if (!there) front.hangTracker();
      await page.evaluate(() => void window.open("/"));
      const window = await opened;
      await window.waitForFunction(() => globalThis.eS?.kit);
      const sent = there ? await tracked(window, front) : [];
      const closed = window.waitForEvent("close");
      await start(window, () => {
        send("close", 5);
        close();
      });
      await closed;
      await once(stack, [...sent, ...keys("close", 5)], { views: 1 });
    });

    test("events called as the page is hidden leave in the same task", async ({
      page, front, stack,
    }) => {
      const sent = await open(page, front);
      await start(page, () => {
        send("hidden", 5);
        Object.defineProperty(document, "visibilityState", { get: () => "hidden" });
        document.dispatchEvent(new Event("visibilitychange"));
        // A hidden page may be frozen at once.
        for (const end = Date.now() + 8000; Date.now() < end; );
      });
      const left = () => front.batches().some(({ entry }) => entry.body.includes("hidden-4"));
      await expect.poll(left, { timeout: 7000 }).toBe(true);
      await once(stack, [...sent, ...keys("hidden", 5)], { views: 1 });
    });

    test("events leave without a reload as soon as the network is back", async ({
      page, front, stack, context,
    }) => {
      const sent = await open(page, front);
      await once(stack, sent, { views: 1 });
      const over = front.rule(({ path }) => path == "/k/b" && "drop");
      await page.evaluate(() => send("offline", 5));
      // Pauses grow: the next attempt is at least as far away as the last two are from each other.
      const attempts = () => front.batches().filter(({ entry }) => !entry.status);
      const pause = () => {
        const [last, before] = attempts().reverse();
        return before ? last.entry.at - before.entry.at : 0;
      };
      await expect.poll(pause).toBeGreaterThan(4000);
      await context.setOffline(true);
      over();
      const count = front.batches().length;
      await context.setOffline(false);
      const online = Date.now();
      await once(stack, [...sent, ...keys("offline", 5)], { views: 1 });
      expect(front.batches()[count].entry.at - online).toBeLessThan(3500);
      await forgotten(page);
    });

    test("events of a browser killed after the calls arrive with the next", async ({
      front, stack, launch,
    }) => {
      const first = await launch();
      const arrived = there ? () => {} : front.hangTracker();
      await first.page.goto(front.origin + "/");
      const sent = there ? await tracked(first.page, front) : [];
      await once(stack, sent, { views: 1 });
      const over = front.hangBatches();
      await first.page.evaluate(() => send("killed", 5));
      // A reader of the store comes behind the write that the calls began. Without one a kill
      // within some milliseconds is earlier than the browser.
      expect(await kept(first.page)).toBeGreaterThanOrEqual(5);
      await first.kill();
      over();
      arrived();
      const second = await launch();
      await second.page.goto(front.origin + "/");
      await once(stack, [...sent, ...keys("killed", 5)], { views: 2 });
      await forgotten(second.page);
    });

    test("events of a page killed in the task of the calls arrive with the next", async ({
      front, stack, launch,
    }) => {
      const { page, browser, context } = await launch();
      const arrived = there ? () => {} : front.hangTracker();
      await page.goto(front.origin + "/");
      const sent = there ? await tracked(page, front) : [];
      await once(stack, sent, { views: 1 });
      const over = front.hangBatches();
      await start(page, () => {
        send("cut", 5);
        tell("called");
        for (;;);
      });
      await expect.poll(() => front.told).toEqual(["called"]);
      process.kill(await busiest(browser), "SIGKILL");
      over();
      arrived();
      const back = await context.newPage();
      await back.goto(front.origin + "/");
      await once(stack, [...sent, ...keys("cut", 5)], { views: 2 });
      await forgotten(back);
    });
  });

for (const [name, there] of [["with", true], ["without", false]])
  test(`events of each page of a reload storm arrive, ${name} the tracker`, async ({
    page, front, stack,
  }) => {
    const body = `<script>
      const round = +(sessionStorage.round ?? 0);
      sessionStorage.round = round + 1;
      send("storm" + round, 3);
      if (round < 15) location.reload();
      else tell("calm");
    </script>`;
    front.page("/storm", html({ body }));
    if (!there) front.hangTracker();
    await page.goto("/storm", { waitUntil: "commit" }).catch(() => {});
    await expect.poll(() => front.told).toEqual(["calm"]);
    const expected = Array.from({ length: 16 }, (_, round) => keys("storm" + round, 3)).flat();
    await once(stack, expected, { views: 16 });
    await forgotten(page);
  });

test("what was left offline arrives also where the tracker never comes", async ({
  page, front, stack, context,
}) => {
  front.hangTracker();
  await page.goto("/");
  await once(stack, [], { views: 1 });
  await context.setOffline(true);
  front.setDown(true);
  await page.evaluate(() => send("left", 5));
  // A page that lives on after the calls, as most do.
  await page.waitForTimeout(1000);
  await page.close();
  front.setDown(false);
  await context.setOffline(false);
  const back = await context.newPage();
  await back.goto("/");
  await once(stack, keys("left", 5), { views: 2 });
  await forgotten(back);
});

test("everything arrives, once, after the platform was down", async ({
  page, front, stack, browser,
}) => {
  const outage = 60_000;
  test.setTimeout(outage + 120_000);
  await page.goto("/");
  await once(stack, [], { views: 1 });
  await stack.faults({ down: true });
  const other = await (await browser.newContext()).newPage();
  await other.goto(front.origin + "/");
  for (let round = 0; round < 4; round++) {
    const call = (tab, i) => tab.evaluate((name) => send(name, 5), `${i}${round}`);
    await Promise.all([page, other].map(call));
    await page.waitForTimeout(outage / 4);
  }
  await stack.faults();
  const expected = [0, 1].flatMap((i) => [0, 1, 2, 3].flatMap((n) => keys(`${i}${n}`, 5)));
  // The longest pause between attempts while the platform counts as down is 15 s; the rest is for a busy machine.
  await once(stack, expected, { views: 2, within: 25_000 });
  await other.context().close();
});

test("nothing called is lost or doubled when the Worker is killed again and again", async ({
  page, front, stack, browser, context,
}) => {
  test.setTimeout(240_000);
  const second = await context.newPage();
  const third = await (await browser.newContext()).newPage();
  const tabs = [page, second, third];
  for (const tab of tabs) await tab.goto(front.origin + "/");
  // Slow enough that there is something to send on whenever the Worker is killed.
  await stack.faults({ delay_ms: 10, jitter_ms: 30 });
  await Promise.all(
    tabs.map((tab, i) =>
      start(
        tab,
        (name) => {
          let round = 0;
          const timer = setInterval(() => {
            send(name + round, 1);
            if (++round < 100) return;
            clearInterval(timer);
            window.finished = true;
          }, 70);
        },
        `load${i}x`,
      ),
    ),
  );
  for (let kills = 0; kills < 5; kills++) {
    await page.waitForTimeout(200 + Math.random() * 1200);
    await stack.order("kill-worker");
    await page.waitForTimeout(Math.random() * 300);
    await stack.order("start-worker");
  }
  for (const tab of tabs) await tab.waitForFunction(() => window.finished);
  const expected = [0, 1, 2].flatMap((i) => {
    return Array.from({ length: 100 }, (_, round) => `load${i}x${round}-0`);
  });
  await once(stack, expected, { views: 3, within: 60_000, repeats: true });
  for (const tab of tabs) await forgotten(tab);
  const taken = front.batches().filter(({ entry }) => entry.status == 202);
  const ids = new Set(taken.flatMap(({ records }) => records.map(({ id }) => id)));
  expect(ids.size, "message ids answered with 202").toBe(303);
  await third.context().close();
});
