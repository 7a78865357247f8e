// How long until a page shows its first recommended product, in Chromium: with the kit, and with a script
// by hand that fetches the same list from the same Worker and draws the same cards. `node blocks.js
// '{"runs":5}'` prints JSON. The commands of the project call it.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { chromium } from "@playwright/test";

import { browserArguments, executablePath } from "../e2e/kit.js";
import { Stack } from "../e2e/stack.js";

const { runs } = JSON.parse(process.argv[2]);

/** How far away the Worker is, in milliseconds there and back: beside the machine, and as over a network. */
const DISTANCES = { near: 0, far: 40 };

const VARIANT = "r1v1";

/** Runs in the page before anything else: the time of the first card, wherever it is built. */
const watch = () => {
  const look = (root) => {
    const check = () => {
      if (!window.firstCard && root.querySelector(".es-card, .card"))
        window.firstCard = performance.now();
    };
    new MutationObserver(check).observe(root, { childList: true, subtree: true });
    check();
  };
  look(document);
  const attach = Element.prototype.attachShadow;
  Element.prototype.attachShadow = function (options) {
    const root = attach.call(this, options);
    look(root);
    return root;
  };
};

/** What a shop's developer would write, in a file of its own as anything that is kept. */
const BY_HAND = `
const format = new Intl.NumberFormat("en", { style: "currency", currency: "UAH" });
const answer = await fetch("/k/recommendations/${VARIANT}?all_fields=1");
const { products } = await answer.json();
const list = document.createElement("ul");
for (const product of products) {
  const [card, link, image, name, price] = ["li", "a", "img", "span", "p"].map((tag) =>
    document.createElement(tag),
  );
  card.className = "card";
  link.href = product.url;
  Object.assign(image, { src: product.image ?? product.imageUrl ?? "", alt: "", loading: "lazy", width: 240, height: 240 });
  name.textContent = product.name;
  price.textContent = format.format(product.price);
  link.append(image, name);
  card.append(link, price);
  list.append(card);
}
document.getElementById("place").replaceChildren(list);
`;

const page = (script, place) => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Polonyna</title><link rel="icon" href="data:,">
<style>main { min-height: 100vh }</style>${script}</head>
<body><main><h1>Tents</h1>${place}</main></body></html>`;

const shop = mkdtempSync(join(tmpdir(), "kit-blocks-"));
const write = (name, text) => writeFileSync(join(shop, name), text);
write("by-hand.js", BY_HAND);
write(
  "by-hand.html",
  page('<script type="module" src="/by-hand.js"></script>', '<div id="place"></div>'),
);
write(
  "kit.html",
  page(
    '<script type="module" src="/k/blocks.js"></script>',
    `<es-recommendations variant="${VARIANT}"></es-recommendations>`,
  ),
);

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const spread = (list) => ({
  median: median(list),
  min: Math.min(...list),
  max: Math.max(...list),
  runs: list.length,
});

/**
 * The time to the first card: of a visitor for whom neither browser nor Worker has anything yet, and of the same
 * one again.
 */
async function open(browser, address, latency) {
  const context = await browser.newContext();
  await context.addCookies([{ name: "sc", value: crypto.randomUUID().toUpperCase(), url: address }]);
  try {
    await context.addInitScript(watch);
    const tab = await context.newPage();
    const session = await context.newCDPSession(tab);
    await session.send("Network.enable");
    const conditions = { offline: false, latency, downloadThroughput: -1, uploadThroughput: -1 };
    await session.send("Network.emulateNetworkConditions", conditions);
    const times = [];
    for (let visit = 0; visit < 2; visit++) {
      await tab.goto("about:blank");
      await tab.goto(address);
      await tab.waitForFunction(() => window.firstCard, undefined, { timeout: 20_000 });
      times.push(await tab.evaluate(() => window.firstCard));
    }
    return { cold: times[0], warm: times[1] };
  } finally {
    await context.close();
  }
}

const blocks = { [VARIANT]: { source: "contact", data_source: 1, size: 12 } };
const stack = await Stack.start({
  shop,
  site: { currency: "UAH", recommendations: { budget: 5000, blocks } },
});
try {
  const browser = await chromium.launch({ executablePath, args: browserArguments });
  try {
    const report = { browser: browser.version() };
    for (const [name, latency] of Object.entries(DISTANCES)) {
      const found = { kit: [], hand: [] };
      // By turns, so that whatever else the machine does is both's; the first pair warms everything up.
      for (let run = -1; run < runs; run++) {
        const pair = {
          hand: await open(browser, `${stack.shop}/by-hand.html`, latency),
          kit: await open(browser, `${stack.shop}/kit.html`, latency),
        };
        if (run >= 0) for (const side in pair) found[side].push(pair[side]);
      }
      report[name] = {};
      for (const cache of ["cold", "warm"]) {
        const [kit, hand] = ["kit", "hand"].map((side) => found[side].map((times) => times[cache]));
        const ratio = spread(kit.map((ms, index) => ms / hand[index]));
        report[name][cache] = { kit_ms: spread(kit), by_hand_ms: spread(hand), ratio };
      }
    }
    process.stdout.write(JSON.stringify(report));
  } finally {
    await browser.close();
  }
} finally {
  await stack.stop();
  rmSync(shop, { recursive: true, force: true });
}
