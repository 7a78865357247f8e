// Forms in a shop that uses React: the component, and the shop's own form with inputs that React controls.
import { buildSync } from "esbuild";
import { createElement } from "react";
import { renderToString } from "react-dom/server";

import { EsForm } from "../../www/react.js";
import { expect, test } from "./live.js";

/** With React's own checks, which tell of what is wrong. */
const script = () =>
  buildSync({
    entryPoints: [new URL("react-page.jsx", import.meta.url).pathname],
    bundle: true,
    format: "esm",
    jsx: "automatic",
    write: false,
    define: { "process.env.NODE_ENV": '"development"' },
  }).outputFiles[0].text;

let built;
const open = async (page, live, first, inside = "") => {
  live.front.page("/react.js", (built ??= script()), { "content-type": "text/javascript" });
  const head = `<script nonce="n">window.first = ${JSON.stringify(first)};</script>`;
  await live.open(page, `<div id="root">${inside}</div><script type="module" src="/react.js"></script>`, { head });
};
const heard = (page) => page.evaluate(() => window.told);
const shows = (page, what) => page.evaluate((what) => window.page(what), what);

test.beforeEach(({ page, errors }) => {
  page.on("console", (message) => message.type() == "error" && errors.push(message.text()));
});

test("a form stands where the component does, and its actions are heard, each once", async ({ page, live }) => {
  await open(page, live, { form: "news" });
  await page.getByLabel("Email").focus();
  await expect(page.locator("form")).toHaveAttribute("novalidate");
  await page.getByLabel("Email").fill(live.address);
  await page.getByLabel("I agree").check();
  await page.getByRole("button", { name: "Subscribe" }).click();
  await expect(page.locator(".es-thanks")).toBeVisible();
  await expect(page.locator("es-form.letters")).toHaveCount(1);
  await expect(page.locator("form")).toHaveCount(1);
  await expect.poll(() => live.taken()).toHaveLength(1);
  expect(await heard(page)).toEqual([
    "FormShow news",
    "FormStartFilling news",
    "FormClick news",
    "FormButtonClick news",
    "FormSuccessSubscribe news",
    "FormFinish news",
  ]);
});

test("a form that goes leaves nothing, and comes again with each other form or language", async ({ page, live }) => {
  await open(page, live, { form: "news" });
  await expect(page.getByText("Letters worth opening")).toBeVisible();
  for (const what of [{}, { form: "news" }, { form: "own" }, { form: "news", lang: "uk" }]) {
    await shows(page, what);
    await expect(page.locator("form")).toHaveCount(what.form ? 1 : 0);
    await expect(page.locator("es-form")).toHaveCount(what.form ? 1 : 0);
    if (what.form) await expect(page.locator("form")).toHaveAttribute("data-es-id", what.form);
  }
  await expect(page.locator("form")).toHaveAttribute("lang", "uk");
  expect(await heard(page)).toEqual(["news", "news", "own", "news"].map((form) => "FormShow " + form));
});

test("inputs that React controls take what the kit writes into them", async ({ page, live }) => {
  await open(page, live, { own: "two" });
  const state = () => page.locator("output").textContent().then(JSON.parse);
  const phone = page.getByLabel("Phone", { exact: true });
  await page.getByLabel("Email").fill("ann@gmial.com");
  await phone.fill(live.number);
  await expect(page.locator("form")).toHaveAttribute("novalidate");
  await page.keyboard.press("Tab");
  await page.getByRole("button", { name: "Did you mean ann@gmail.com?" }).click();
  await expect.poll(state).toEqual({ email: "ann@gmail.com", phone: live.phone });
  // What React renders next does not undo it.
  await page.getByLabel("Email").fill(live.address);
  await expect.poll(state).toEqual({ email: live.address, phone: live.phone });
  await expect(phone).toHaveValue(live.phone);
  await page.getByRole("button", { name: "Send" }).click();
  await expect(page.locator(".es-thanks")).toBeVisible();
  await expect.poll(() => live.taken()).toHaveLength(1);
  const [[, { contact }]] = await live.taken();
  expect(contact.channels.map(({ value }) => value)).toEqual([live.address, live.phone]);
});

test("a server renders the place of a form, and a page takes it over", async ({ page, live }) => {
  const touched = [];
  const names = ["window", "document", "customElements", "localStorage", "location"];
  for (const name of names)
    Object.defineProperty(globalThis, name, { configurable: true, get: () => void touched.push(name) });
  const properties = { form: "news", className: "letters", onAction() {}, style: { minHeight: 400 } };
  const text = renderToString(createElement(EsForm, properties, "Our letters."));
  for (const name of names) delete globalThis[name];
  expect(touched).toEqual([]);
  expect(text).toBe('<es-form class="letters" style="min-height:400px" form="news">Our letters.</es-form>');

  const inside = renderToString(
    createElement("main", {}, createElement("h1", {}, "A shop"), createElement(EsForm, { form: "news", className: "letters" }, "Our letters.")),
  );
  let come;
  const shown = new Promise((resolve) => (come = resolve));
  await page.route("**/react.js", (route) => shown.then(() => route.continue()));
  const opened = open(page, live, { form: "news" }, inside);
  await expect(page.getByText("Letters worth opening")).toBeVisible();
  const place = await page.locator("es-form").elementHandle();
  come();
  await opened;
  await page.waitForFunction(() => window.page);
  expect(await place.evaluate((element) => element.isConnected)).toBe(true);
  await expect(page.locator("form")).toHaveCount(1);
  expect(await page.evaluate(() => window.mistakes)).toEqual([]);
  // It was there before its component, which hears all that comes after.
  await page.getByLabel("Email").fill(live.address);
  await page.getByLabel("I agree").check();
  await expect(page.locator("form")).toHaveAttribute("novalidate");
  await page.getByRole("button", { name: "Subscribe" }).click();
  await expect(page.locator(".es-thanks")).toBeVisible();
  await expect.poll(() => live.taken()).toHaveLength(1);
  expect((await heard(page)).slice(-2)).toEqual(["FormSuccessSubscribe news", "FormFinish news"]);
});

test("a form of the shop's own that a server rendered is bound, and taken over as it was", async ({ page, live }) => {
  // What the page's component is on a server.
  const field = (label, name, type) =>
    createElement("label", {}, label + " ", createElement("input", { name, type, value: "", onChange() {} }));
  const inside = renderToString(
    createElement(
      "main",
      {},
      createElement("h1", {}, "A shop"),
      createElement(
        "form",
        { "data-es-form": "two" },
        field("Email", "email", "email"),
        field("Phone", "phone", "tel"),
        createElement("button", {}, "Send"),
        createElement("output", {}, JSON.stringify({ email: "", phone: "" })),
      ),
    ),
  );
  let come;
  const shown = new Promise((resolve) => (come = resolve));
  await page.route("**/react.js", (route) => shown.then(() => route.continue()));
  const opened = open(page, live, { own: "two" }, inside);
  const form = await page.locator("form").elementHandle();
  await expect.poll(() => form.evaluate((form) => new FormData(form).has("_page"))).toBe(true);
  come();
  await opened;
  await page.waitForFunction(() => window.page);
  expect(await form.evaluate((form) => form.isConnected)).toBe(true);
  await page.getByLabel("Email").fill(live.address);
  await expect(page.locator("form")).toHaveAttribute("novalidate");
  await page.getByRole("button", { name: "Send" }).click();
  await expect(page.locator(".es-thanks")).toBeVisible();
  await expect.poll(() => live.taken()).toHaveLength(1);
  expect(await page.evaluate(() => window.mistakes)).toEqual([]);
});
