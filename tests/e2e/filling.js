// A shop with one form, and a Worker that answers as a test wants it to: views as the real one makes them, what
// builds forms and the widgets as they are built.
import { readFileSync } from "node:fs";

import { expect, test as base } from "@playwright/test";

export { expect };

const kit = new URL("../../target/kit/", import.meta.url);
const manifest = JSON.parse(readFileSync(new URL("manifest.json", kit)));
const views = JSON.parse(readFileSync(new URL("../data/forms/views.json", import.meta.url)));

export const ORIGIN = "https://shop.test";

/** What the starter does, as far as it matters here: has the form built, or takes the shop's own. */
const starter = (view, { show, widgets }) => `
  import { inline } from "/k/a/${show.file}";
  const view = ${JSON.stringify(view).replaceAll("<", "\\u003c")};
  const own = document.querySelector("form");
  let form;
  window.told = [];
  const context = {
    base: "/k/",
    id: view.id,
    lang: view.lang,
    report: (action, detail) => told.push(detail.code ? [action, detail.code] : [action]),
    identify: (data) => told.push(["identify", { ...data }]),
  };
  let ready;
  const better = () => (ready ||= import("/k/a/${widgets.file}").then(({ enhance }) =>
    enhance(form, view, context)).then(() => (window.state = "better"), (error) => {
      window.state = "plain";
      window.reason = String(error);
    }));
  const attend = (made) => {
    form = made;
    form.method = "post";
    form.setAttribute("action", "/k/forms/" + view.id);
    form.addEventListener("focusin", better);
    form.addEventListener("submit", (event) => {
      if (window.state || event.defaultPrevented) return;
      event.preventDefault();
      better().then(() => form.requestSubmit(event.submitter));
    });
  };
  if (own) attend(own);
  else inline(document.querySelector("#place"), view, { attend, warn() {} });`;

const html = (view, own) => `<!doctype html><html lang="${view.lang}" dir="${view.dir}">
  <meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Shop</title>
  <style nonce="n">body { font: 16px sans-serif; margin: 16px; }</style>
  <main><h1>Shop</h1><div id="place">${own}</div><a href="/other">Other page</a></main>
  <script type="module" nonce="n">${starter(view, manifest)}</script>`;

export class Shop {
  /** Bodies that were posted by script, each with how the form looked to it. */
  posted = [];
  /** Bodies that the browser posted by itself. */
  plain = [];
  tokens = 0;
  /** What the Worker says next, one after the other; the last one stays. */
  answers = [accepted()];
  /** What it says of tokens; a token if nothing. */
  token = () => json(200, { token: "t" + this.tokens, expires_at: 1 });

  constructor(page) {
    this.page = page;
  }

  async open(name, { own = "", policy, block, slow, change = (view) => view } = {}) {
    this.view = change(structuredClone(views[name]));
    await this.page.route("**/*", async (route) => {
      const request = route.request();
      const { pathname } = new URL(request.url());
      if (pathname == "/k/t") {
        this.tokens++;
        this.calls = request.postDataJSON();
        const answer = await this.token();
        return answer ? route.fulfill(answer) : route.abort();
      }
      if (pathname.startsWith("/k/forms/") && request.method() == "POST") {
        if (request.isNavigationRequest()) {
          this.plain.push(new URLSearchParams(request.postData()));
          return route.fulfill({ contentType: "text/html", body: "<title>Confirm</title>" });
        }
        this.posted.push(JSON.parse(request.postData()));
        const answer = await (this.answers.length > 1 ? this.answers.shift() : this.answers[0]);
        return answer ? route.fulfill(answer) : route.abort();
      }
      if (pathname.startsWith("/k/a/")) {
        const file = pathname.slice(5);
        if (block && file.endsWith(block) && file != manifest.show.file) return route.abort();
        if (file.endsWith(".wasm")) await slow;
        const contentType = file.endsWith("wasm") ? "application/wasm" : "text/javascript";
        return route.fulfill({ contentType, body: readFileSync(new URL("assets/" + file, kit)) });
      }
      if (pathname != "/") return route.fulfill({ contentType: "text/html", body: "<title>Other</title>" });
      const headers = policy ? { "content-security-policy": policy } : {};
      const body = html(this.view, own);
      return route.fulfill({ contentType: "text/html", headers, body });
    });
    await this.page.goto(ORIGIN);
  }

  /** The form, once it helps. */
  async touch(label) {
    await this.page.getByLabel(label).first().focus();
    await this.page.waitForFunction(() => window.state);
    expect(await this.page.evaluate(() => [window.state, window.reason])).toEqual(["better", undefined]);
  }

  told() {
    return this.page.evaluate(() => window.told);
  }
}

export const json = (status, body, headers = {}) => ({
  status,
  headers: { "content-type": "application/json", ...headers },
  body: JSON.stringify(body),
});

export const accepted = (more = {}) => json(202, { accepted: true, state: "sent", ...more });

export const refused = (status, code, field = "", headers) =>
  json(status, { error: { code, field, message: "for developers" } }, headers);

export const test = base.extend({
  shop: async ({ page }, use) => {
    const failures = [];
    page.on("pageerror", (error) => failures.push(String(error)));
    await use(new Shop(page));
    expect(failures, "nothing is thrown into the page").toEqual([]);
  },
});
