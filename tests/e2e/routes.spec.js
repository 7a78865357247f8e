// Page views of single-page sites: one for each route, and none for anything else.
import { expect, once, page as html, test } from "./kit.js";

for (const [name, head] of [
  ["the Navigation API", ""],
  ["the history alone", "<script>delete window.navigation</script>"],
])
  test.describe(`routes of a single-page site, with ${name},`, () => {
    const expectViews = async (front, stack, expected) => {
      await once(stack, [], { views: expected.length });
      expect(front.views()).toEqual(expected);
    };
    /** Opens the page and waits until the watcher is there. */
    const open = async (page, front) => {
      front.page("/spa", html({ head, data: `data-routes="on"` }));
      await page.goto("/spa", { waitUntil: "networkidle" });
      expect(await page.evaluate(() => "navigation" in window)).toBe(!head);
    };

    test("count once each, and a change of the fragment counts nothing", async ({
      page, front, stack,
    }) => {
      await open(page, front);
      const steps = [
        [() => history.pushState({}, "", "/spa/a"), "/spa/a"],
        [() => history.pushState({}, "", "/spa/b?x=1"), "/spa/b?x=1"],
        [() => history.pushState({}, "", "/spa/b?x=1")],
        [() => history.replaceState({ y: 1 }, "", "/spa/b?x=1")],
        [() => void (location.hash = "one")],
        [() => history.pushState({}, "", "#two")],
        [() => history.replaceState({}, "", "/spa/c"), "/spa/c"],
        [() => history.go(-3), "/spa/b?x=1"],
        [() => history.back(), "/spa/a"],
        [() => history.forward(), "/spa/b?x=1"],
      ];
      const expected = ["/spa"];
      for (const [step, view] of steps) {
        await page.evaluate(step);
        if (view) expected.push(view);
        await expect.poll(() => front.views().length).toBe(expected.length);
        // What comes too much comes at once.
        await page.waitForTimeout(100);
      }
      await expectViews(front, stack, expected);
    });

    test("count with the title that the router gives them", async ({ page, front, stack }) => {
      await open(page, front);
      await page.evaluate(() => {
        history.pushState({}, "", "/spa/a");
        document.title = "Route A";
      });
      await expectViews(front, stack, ["/spa", "/spa/a"]);
      const records = front.batches().flatMap(({ records }) => records);
      expect(records.at(-1).page.title).toBe("Route A");
      expect(records.at(-1).page.ref).toBe(front.origin + "/spa");
    });

    test("count once where a router goes on to another in the same task", async ({
      page, front, stack,
    }) => {
      await open(page, front);
      await page.evaluate(() => {
        history.pushState({}, "", "/spa/old");
        history.replaceState({}, "", "/spa/new");
      });
      await expectViews(front, stack, ["/spa", "/spa/new"]);
    });

    test("count though they change before the watcher is there", async ({ page, front, stack }) => {
      let arrive;
      const arrived = new Promise((resolve) => (arrive = resolve));
      front.rule(({ path }) => path.startsWith("/k/a/") && arrived);
      front.page("/spa", html({ head, data: `data-routes="on"` }));
      await page.goto("/spa");
      await page.evaluate(() => history.pushState({}, "", "/spa/early"));
      arrive();
      await expectViews(front, stack, ["/spa", "/spa/early"]);
    });
  });

test("a navigation that the page intercepts counts as a route", async ({ page, front, stack }) => {
  const body = `<a href="/spa/a">A</a><script>
    navigation.addEventListener("navigate", (event) => event.canIntercept && event.intercept());
  </script>`;
  front.page("/spa", html({ body, data: `data-routes="on"` }));
  await page.goto("/spa", { waitUntil: "networkidle" });
  await page.click("a");
  await expect.poll(() => front.views().length).toBe(2);
  await page.evaluate(() => navigation.updateCurrentEntry({ state: { x: 1 } }));
  await page.evaluate(() => void navigation.navigate("/spa/b"));
  await once(stack, [], { views: 3 });
  expect(front.views()).toEqual(["/spa", "/spa/a", "/spa/b"]);
});
