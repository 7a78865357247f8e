// A shop whose forms come from here: scripts as they are built, views as the Worker makes them.
import { readFileSync } from "node:fs";

import { expect, test as base } from "@playwright/test";
import { buildSync } from "esbuild";

export { expect };

const kit = new URL("../../target/kit/", import.meta.url);
const manifest = JSON.parse(readFileSync(new URL("manifest.json", kit)));
const built = (file) => readFileSync(new URL("assets/" + file, kit), "utf8");

export const ORIGIN = "https://shop.test";
export const HASHED = "/k/a/" + manifest.forms.file;

/** The starter with a widgets module, which comes from `/k/a/widgets.js`. */
const withWidgets = () =>
  buildSync({
    entryPoints: [new URL("../../www/forms.js", import.meta.url).pathname],
    bundle: true,
    format: "esm",
    write: false,
    define: { KIT_SHOW: JSON.stringify(manifest.show.file), KIT_WIDGETS: '"widgets.js"' },
  }).outputFiles[0].text;

const WORDS = {
  en: {
    dir: "ltr",
    close: "Close",
    title: "Ten percent off your first order",
    text: "New arrivals and sales, once a week. Nothing else.",
    email: "E-mail",
    hint: "We write once a week.",
    phone: "Phone",
    name: "First name",
    day: "Birthday",
    size: "Shoe size",
    topics: "What should we write about?",
    shoes: "Shoes",
    bags: "Bags and belts",
    sex: "For whom do you shop?",
    her: "Women",
    him: "Men",
    agree: ["I agree to the ", "privacy policy", "."],
    button: "Subscribe",
    thanks: "Check your mail",
    sent: "We have sent you a link. Open it, and your code is valid.",
  },
  ar: {
    dir: "rtl",
    close: "إغلاق",
    title: "خصم عشرة بالمئة على طلبك الأول",
    text: "الجديد والتخفيضات مرة في الأسبوع. لا شيء آخر.",
    email: "البريد الإلكتروني",
    hint: "نكتب مرة في الأسبوع.",
    phone: "الهاتف",
    name: "الاسم الأول",
    day: "تاريخ الميلاد",
    size: "مقاس الحذاء",
    topics: "عمّ تريد أن نكتب؟",
    shoes: "أحذية",
    bags: "حقائب وأحزمة",
    sex: "لمن تتسوق؟",
    her: "نساء",
    him: "رجال",
    agree: ["أوافق على ", "سياسة الخصوصية", "."],
    button: "اشترك",
    thanks: "تحقق من بريدك",
    sent: "أرسلنا إليك رابطًا. افتحه ليصبح رمزك صالحًا.",
  },
};

const input = (id, kind, name, label, type, { hint, ...more } = {}) => {
  const own = `es-${id}-${name}`;
  const about = hint ? `${own}-error ${own}-hint` : `${own}-error`;
  return [
    "div",
    { class: `es-field es-${kind}` },
    ["label", { for: own }, label],
    ["input", { type, id: own, name, "aria-describedby": about, ...more }],
    ...(hint ? [["p", { class: "es-hint", id: `${own}-hint` }, hint]] : []),
    ["p", { class: "es-error", id: `${own}-error` }],
  ];
};

const select = (id, kind, name, label, options) => [
  "div",
  { class: `es-field es-${kind}` },
  ["label", { for: `es-${id}-${name}` }, label],
  [
    "select",
    { id: `es-${id}-${name}`, name },
    ...options.map((value) => ["option", { value }, value]),
  ],
];

const choices = (kind, name, type, legend, options) => [
  "fieldset",
  { class: `es-field es-${kind}` },
  ["legend", {}, legend],
  ...options.map(([value, text]) => [
    "label",
    {},
    ["input", { type, name, value }],
    ["span", {}, text],
  ]),
];

const consent = ([before, link, after]) => [
  "div",
  { class: "es-field es-consent" },
  [
    "label",
    {},
    ["input", { type: "checkbox", name: "consent", value: "true", required: "" }],
    ["span", {}, before, ["a", { href: "/privacy" }, link], after],
  ],
];

/** A field of each kind, beside the address. */
const others = (id, words) => [
  input(id, "phone", "phone", words.phone, "tel", {
    autocomplete: "tel",
    placeholder: "+380 50 123 45 67",
  }),
  input(id, "first_name", "firstName", words.name, "text", { autocomplete: "given-name" }),
  input(id, "birthday", "12346", words.day, "date", { autocomplete: "bday" }),
  select(id, "select", "12347", words.size, ["39", "40"]),
  choices("subscriptions", "subscriptions", "checkbox", words.topics, [
    ["shoes", words.shoes],
    ["bags", words.bags],
  ]),
  choices("radio", "12348", "radio", words.sex, [["w", words.her], ["m", words.him]]),
  consent(words.agree),
];

const tree = (id, words, { full, plain } = {}) => [
  "form",
  { class: "es-form", "data-es-id": id },
  [
    "div",
    { class: "es-page", "data-es-page": "0" },
    ...(plain
      ? []
      : [["h2", { class: "es-title" }, words.title], ["p", { class: "es-text" }, words.text]]),
    input(id, "email", "email", words.email, "email", {
      autocomplete: "email",
      required: "",
      hint: full && words.hint,
    }),
    ...(full ? others(id, words) : []),
    ["button", { class: "es-button", type: "submit" }, words.button],
  ],
  ["p", { class: "es-status", role: "status" }],
  [
    "div",
    { class: "es-more", "aria-hidden": "true" },
    ["label", { for: `es-${id}-more` }, "Company site"],
    [
      "input",
      { id: `es-${id}-more`, name: "company_site", tabindex: "-1", autocomplete: "off" },
    ],
  ],
  [
    "div",
    { class: "es-thanks", hidden: "", tabindex: "-1" },
    ["h2", { class: "es-title" }, words.thanks],
    ["p", { class: "es-text" }, words.sent],
    ["p", { class: "es-code" }, "SALE10"],
  ],
];

/** The view of a form; `more` replaces its members. */
export const view = (id, lang, { full, plain, ...more } = {}) => {
  const words = WORDS[lang] ?? WORDS.en;
  const { dir, close, title } = words;
  return {
    ...{ v: 1, id, lang: WORDS[lang] ? lang : "en", dir, title, close },
    ...{ kind: "subscribe", layout: "inline", tree: tree(id, words, { full, plain }) },
    ...more,
  };
};

/** A page of the shop: long enough to scroll, with something to press. */
export const html = ({ body = "", head = "", lang = "en", kit = true } = {}) => `<!doctype html>
<html lang="${lang}" dir="${WORDS[lang].dir}"><head><meta charset="utf-8"><title>A shop</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<link rel="stylesheet" href="/shop.css">${head}
${kit ? '<script type="module" src="/k/forms.js"></script>' : ""}</head>
<body><main><h1>A shop</h1><button id="page">A button of the page</button>${body}
<div class="long"></div><p>The end.</p></main></body></html>`;

const STYLE = `
  body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: #222; background: #faf8f5; }
  main { max-width: 960px; margin: 0 auto; padding: 24px 16px; } .long { height: 3000px; }
  @media (prefers-color-scheme: dark) { body { color: #ddd; background: #101216; } }`;

/** Serves the shop: what tests change in it counts from the next request on. */
export class Shop {
  settings = { v: 1, consent: true, interval: { seconds: 180 }, forms: [] };
  /** By id, what is not as in `view`. */
  views = {};
  /** By path. */
  pages = {};
  headers = {};
  page = {};
  requests = [];
  /** The text of the widgets module, if there is one. */
  widgets;

  /** Shows a form by rules. */
  form(id, show, more = {}) {
    const { launcher, place, split, ...view } = { kind: "subscribe", layout: "popup", ...more };
    const { kind, layout, position, theme } = view;
    this.settings.forms.push({ id, kind, layout, position, theme, launcher, place, split, show });
    this.views[id] = { stop: show?.stop, ...view };
    return this;
  }

  /** How often an address was asked for. */
  asked(path) {
    return this.requests.filter((request) => request.path == path).length;
  }

  async open(context) {
    await context.route(ORIGIN + "/**", (route) => this.#answer(route));
  }

  async #answer(route) {
    const request = route.request();
    const { pathname, searchParams } = new URL(request.url());
    this.requests.push({ method: request.method(), path: pathname, body: request.postData() });
    const json = (value) => route.fulfill({ json: value });
    const script = (body) => route.fulfill({ contentType: "text/javascript", body });
    if (pathname == "/k/forms.js")
      return script(this.widgets ? withWidgets() : built(manifest.forms.file));
    if (pathname == "/k/a/widgets.js") return script(await this.widgets);
    if (pathname.startsWith("/k/a/")) return script(built(pathname.slice(5)));
    if (pathname == "/k/forms.json") return json(this.settings);
    const [, id] = pathname.match(/^\/k\/forms\/(\w+)\.json$/) ?? [];
    if (id && this.views[id]) return json(view(id, searchParams.get("lang"), this.views[id]));
    if (id) return route.fulfill({ status: 404, body: "" });
    if (pathname == "/shop.css") return route.fulfill({ contentType: "text/css", body: STYLE });
    const body = this.pages[pathname] ?? html(this.page);
    return route.fulfill({ contentType: "text/html", headers: this.headers, body });
  }
}

export const START = new Date("2026-11-02T09:00:00Z");

export const test = base.extend({
  shop: async ({ context }, use) => {
    const shop = new Shop();
    await shop.open(context);
    await use(shop);
  },

  baseURL: ORIGIN,

  /** What the pages threw, and what their policies refused; nobody may see either. */
  errors: [
    async ({ context }, use) => {
      const errors = [];
      context.on("weberror", (error) => errors.push(String(error.error())));
      context.on("console", (message) => {
        if (/Content Security|Trusted/.test(message.text())) errors.push(message.text());
      });
      await use(errors);
      expect(errors, "errors on the pages").toEqual([]);
    },
    { auto: true },
  ],

  /** The page with a clock that stands still unless the test lets time go by. */
  page: async ({ page, context }, use) => {
    await context.clock.install({ time: START });
    await context.clock.pauseAt(new Date(+START + 1000));
    await use(page);
  },
});
