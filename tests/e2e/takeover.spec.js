// Two tabs of one visitor: each sends what it has made, and nobody else does while it is there; once it is
// gone, another tab goes on at once.
import { carrying, expect, forgotten, keys, leaveToTracker, once, test, tracked } from "./kit.js";

/** Has a page look for what others left, as when the network is back. */
const search = (page) => page.evaluate(() => dispatchEvent(new Event("online")));

const ENDS = {
  "is closed": (page) => page.close(),
  crashes: async (page) => {
    const session = await page.context().newCDPSession(page);
    const crashed = page.waitForEvent("crash");
    session.send("Page.crash").catch(() => {});
    await crashed;
  },
};

for (const [name, end] of Object.entries(ENDS))
  test(`what a tab has under way is its own, until it ${name}`, async ({ page, front, stack, context }) => {
    test.setTimeout(90_000);
    await page.goto("/");
    const sent = await tracked(page, front);
    const over = front.hangBatches("own-");
    await page.evaluate(() => send("own", 5));
    await expect.poll(() => carrying(front, "own-").length).toBe(1);
    // It finds what the first one has called, in both stores.
    const other = await context.newPage();
    await leaveToTracker(other);
    await other.goto("/?other");
    sent.push(...(await tracked(other, front, "other")));
    // Of this age it is anybody's whose page is gone.
    await page.waitForTimeout(3000);
    await search(other);
    sent.push(...(await tracked(other, front, "later")));
    expect(carrying(front, "own-").length, "requests with what the first tab called").toBe(1);
    // What the page itself sends at its end does not arrive.
    over();
    front.rule(
      ({ path, via, body }) =>
        path == "/k/b" && via == "loader" && body.includes("own-") && new Promise(() => {}),
    );
    await end(page);
    // Long before the half minute after which a tab looks by itself.
    await once(stack, [...sent, ...keys("own", 5)], { views: 2, within: 10_000 });
    await forgotten(other);
  });

test("a tab that opens another one keeps what it has just called to itself", async ({
  page, front, stack, context,
}) => {
  test.setTimeout(90_000);
  await page.goto("/");
  const sent = await tracked(page, front);
  // The Worker takes its time.
  const answers = [];
  const over = front.rule(
    ({ path, body }) =>
      path == "/k/b" && body.includes("click-") && new Promise((resolve) => answers.push(resolve)),
  );
  await context.addInitScript(() => addEventListener("load", () => setTimeout(tell, 1000, "there")));
  await page.evaluate(() => {
    send("click", 3);
    open("/?opened");
  });
  await expect.poll(() => front.told).toEqual(["there"]);
  expect(carrying(front, "click-").length, "requests with what the first tab called").toBe(1);
  over();
  answers.map((resolve) => resolve());
  await once(stack, [...sent, ...keys("click", 3)], { views: 2 });
  await forgotten(page);
});
