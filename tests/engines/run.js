// The smoke journey in Firefox and WebKitGTK: events arrive, a fast exit loses none, a strict policy is
// no hindrance, and a form subscribes. Which path delivers is the engine's affair; what arrives is not.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Stack } from "../e2e/stack.js";
import { firefox, webkit } from "./driver.js";

const page = (title, script, body = "") => `<!doctype html><html lang="uk"><title>${title}</title>
<script nonce="r4nd0m" src="/k/kit.js"></script>
<script nonce="r4nd0m">
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => violations.push(event.violatedDirective));
const product = (key) =>
  eS("sendEvent", "ProductPage", { ProductPage: { productKey: key, price: "1 299,50 грн" } });
${script}
</script>
${body}`;

const shop = mkdtempSync(join(tmpdir(), "kit-engines-"));
writeFileSync(join(shop, "plain.html"), page("Plain", `product("plain-1"); product("plain-2");`));
writeFileSync(
  join(shop, "exit.html"),
  page("Exit", `for (let i = 0; i < 20; i++) product("exit-" + i); location.href = "/next.html";`),
);
writeFileSync(join(shop, "next.html"), page("Next", ""));
writeFileSync(join(shop, "form.html"), page("Form", "", `<es-form form="news"></es-form>`));
writeFileSync(join(shop, "strict.html"), page("Strict", `product("strict");`));

const POLICY = "script-src 'nonce-r4nd0m' 'strict-dynamic'; object-src 'none'; base-uri 'none'";

const FORMS = {
  site: { forms: ["news"] },
  settings: {
    forms: {
      news: { form_type: "news", segments: ["News"], pages: [{ fields: [{ kind: "email", required: true }] }] },
    },
  },
  secrets: { KIT_SIGNING_KEY: "a long and random text for these tests" },
};

/** Waits until `look` sees something, and returns it. */
const seen = async (what, look) => {
  const end = Date.now() + 30_000;
  for (;;) {
    const found = await look();
    if (found) return found;
    assert.ok(Date.now() < end, `there is no ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
};

const keys = (events) =>
  events.flatMap(({ body }) => (body.ProductPage ? [body.ProductPage.Product.productKey] : [])).sort();

const check = async (name, work) => {
  const begun = Date.now();
  await work();
  console.log(`  ok ${name} (${Date.now() - begun} ms)`);
  passed++;
};

let passed = 0;
let failed = 0;
for (const launch of [firefox, webkit]) {
  const stack = await Stack.start({ shop, ...FORMS });
  let browser;
  try {
    browser = await launch();
    console.log(browser.name);
    await check("events arrive, once each", async () => {
      await browser.open(stack.shop + "/plain.html");
      const events = await stack.arrived(3);
      assert.deepEqual(keys(events), ["plain-1", "plain-2"]);
      assert.equal(events.filter(({ body }) => body.PageView).length, 1);
      assert.equal(events[1].body.ProductPage.Product.price, "1 299,50 грн");
    });
    await check("the web id is a cookie that the page can read", async () => {
      assert.match(await browser.read("document.cookie"), /\bsc=[0-9A-F-]{36}/);
    });
    await check("twenty calls and an exit in one task lose nothing", async () => {
      // The page leaves while it loads, which some drivers call a navigation that failed.
      await browser.open(stack.shop + "/exit.html").catch(() => {});
      const events = await stack.arrived(3 + 22, { within: 30_000 });
      const expected = Array.from({ length: 20 }, (_, i) => "exit-" + i);
      assert.deepEqual(keys(events), ["plain-1", "plain-2", ...expected].sort());
    });
    await check("a strict policy is kept and does not stop events", async () => {
      await browser.open(`${stack.shop}/__csp/${encodeURIComponent(POLICY)}/strict.html`);
      const events = await stack.arrived(25 + 2, { within: 30_000 });
      assert.ok(keys(events).includes("strict"));
      assert.deepEqual(await browser.read("window.violations"), []);
    });
    await check("a form subscribes without leaving the page", async () => {
      await browser.open(stack.shop + "/form.html");
      const form = `document.querySelector("es-form")?.shadowRoot?.querySelector("form")`;
      await seen("form", () => browser.read(`!!${form}`));
      // It is touched, and then it checks by itself what the browser checked.
      await browser.read(`${form}.email.dispatchEvent(new Event("focusin", { bubbles: true }))`);
      await seen("help", () => browser.read(`${form}.noValidate`));
      await browser.read(`(({ email }) => {
        email.value = "ann@shop.example";
        email.dispatchEvent(new Event("input", { bubbles: true }));
        email.form.querySelector(".es-button").click();
      })(${form})`);
      await seen("thanks", () => browser.read(`!${form}.querySelector(".es-thanks").hidden`));
      const requests = await stack.json("/requests?limit=100000");
      const bodies = requests.filter(({ operation }) => operation == "subscribeContact").map(({ body }) => JSON.parse(body));
      assert.deepEqual(bodies, [
        {
          contact: { channels: [{ type: "email", value: "ann@shop.example" }], languageCode: "uk" },
          groups: ["News"],
          formType: "news",
        },
      ]);
    });
  } catch (error) {
    failed++;
    console.error(`  FAILED: ${error.message}`);
  } finally {
    if (browser) await browser.close();
    await stack.stop();
  }
}
rmSync(shop, { recursive: true });
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
