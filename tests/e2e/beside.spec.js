// Beside the platform's own script: the kit takes what it serves, the rest goes where it went.
import { expect, page as html, test } from "./kit.js";

test.use({ site: { mode: "beside" } });

// Two ways in which a script can take over from its stub.
const VENDORS = {
  "by its own function": `
    const queue = eS.q; const seen = window.seen = [];
    window.eS = function () { seen.push([].slice.call(arguments)) };
    for (const entry of queue) seen.push([].slice.call(entry[0]));`,
  "by the stub's handler": `
    const queue = eS.q; const seen = window.seen = [];
    eS.c = (args) => seen.push([].slice.call(args));
    for (const entry of queue) seen.push([].slice.call(entry[0]));`,
};

const snippet = `<script>
!function (t, e, c, n) {
  var s = e.createElement(c); s.async = 1; s.src = "/vendor.js";
  var r = e.scripts[0]; r.parentNode.insertBefore(s, r);
  var f = function () { f.c(arguments) }; f.q = []; f.c = function () { f.q.push(arguments) };
  t.eS = t.eS || f;
}(window, document, "script", "000000000000000000");
eS("init", { TRACKING: true, RECOMS: true });
eS("sendEvent", "ProductPage", { ProductPage: { productKey: "early" } });
eS("getRecommendations", { variantId: "r1v1" });
</script>`;
const kit = `<script src="/k/kit.js"></script>`;

for (const [way, vendor] of Object.entries(VENDORS))
  for (const [order, head] of [
    ["the kit first", { head: "", loader: kit + snippet }],
    ["the platform's snippet first", { head: snippet, loader: kit }],
  ])
    test(`${order}, taken over ${way}: each gets its own commands`, async ({ page, front, stack }) => {
      front.rule(({ path }) =>
        path == "/vendor.js"
          ? new Promise((resolve) =>
              setTimeout(resolve, 500, {
                headers: { "content-type": "text/javascript" },
                body: vendor,
              }),
            )
          : undefined,
      );
      front.page("/beside", html(head));
      await page.goto("/beside");
      await page.waitForFunction(() => window.seen);
      await page.evaluate(() => {
        eS("sendEvent", "MainPage");
        eS("getRecommendations", { variantId: "r2v2" });
      });
      const events = await stack.arrived(2);
      const names = events.map(({ body }) => body.GeneralInfo.eventName);
      // The platform's own script counts the page view.
      expect(names.sort()).toEqual(["MainPage", "ProductPage"]);
      const seen = await page.evaluate(() => window.seen);
      expect(seen).toEqual([
        ["init", { TRACKING: false, RECOMS: true }],
        ["getRecommendations", { variantId: "r1v1" }],
        ["getRecommendations", { variantId: "r2v2" }],
      ]);
    });
