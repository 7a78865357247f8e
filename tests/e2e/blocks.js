// A shop whose recommendations come from here: scripts as they are built, views as the Worker makes them.
import { readFileSync } from "node:fs";

import { expect, test as base } from "@playwright/test";

export { expect };

const kit = new URL("../../target/kit/", import.meta.url);
const manifest = JSON.parse(readFileSync(new URL("manifest.json", kit)));
const built = (file) => readFileSync(new URL("assets/" + file, kit), "utf8");

export const ORIGIN = "https://shop.test";
export const HASHED = "/k/a/" + manifest.blocks.file;
export const CARDS = "/k/a/" + manifest.cards.file;
export const STYLE_LINK = "/k/a/" + manifest["blocks-style"].file;

const WORDS = {
  en: {
    dir: "ltr",
    header: "You may also like",
    names: ["Duo 2, a dome for two", "Ridge 55", "Down bag −5 °C", "Hearth", "Mug", "Tarp 3 × 3"],
    buy: "Add to cart",
    gone: "Out of stock",
    before: "Price before:",
    now: "Price now:",
    previous: "Previous products",
    next: "Next products",
  },
  ar: {
    dir: "rtl",
    header: "قد يعجبك أيضًا",
    names: ["خيمة لشخصين ببابين", "حقيبة ظهر ٥٥ لترًا", "كيس نوم من الريش", "موقد", "كوب", "غطاء مطر"],
    buy: "أضف إلى السلة",
    gone: "غير متوفر",
    before: "السعر السابق:",
    now: "السعر الآن:",
    previous: "المنتجات السابقة",
    next: "المنتجات التالية",
  },
};

const PRICES = [8990, 6490, 4990, 1290, 390, 1990];

/** So many products of a variant, as `template=none` has them. */
export const items = (count, { variant = "r1v1", lang = "en", container = `19_${variant}` } = {}) =>
  Array.from({ length: count }, (_, index) => {
    const price = PRICES[index % 6];
    const sign = container && `?sc_content=${container}`;
    return {
      product_id: `P-${index + 1}`,
      url: `${ORIGIN}/p/${index + 1}${sign}`,
      ...(container && { container_type: container }),
      name: WORDS[lang].names[index % 6],
      price: `${price.toLocaleString("uk-UA")},00 ₴`,
      price_value: price,
      currency: "UAH",
      ...(index % 6 == 2 && { old_price: "5 990,00 ₴", discount: "17" }),
      image: `${ORIGIN}/img/${index + 1}.svg`,
      in_stock: index % 6 == 4 ? 0 : 1,
      brand: "Polonyna",
      fields: { tags_colour: ["green", "sand"], season: "summer" },
    };
  });

const card = (item, words, buy) => [
  "li",
  {
    class: "es-card",
    "data-es-product": item.product_id,
    ...(item.container_type && { "data-es-block": item.container_type }),
    "data-es-price": String(item.price_value),
  },
  [
    "a",
    { class: "es-link", href: item.url },
    [
      "img",
      {
        ...{ class: "es-image", src: item.image, alt: "", loading: "lazy" },
        ...{ width: "240", height: "240" },
      },
    ],
    ["span", { class: "es-name", dir: "auto" }, item.name],
  ],
  [
    "p",
    { class: "es-price" },
    ...(item.old_price
      ? [
          ["span", { class: "es-hidden" }, words.before],
          ["del", { class: "es-old" }, item.old_price],
          ["span", { class: "es-hidden" }, words.now],
        ]
      : []),
    ["span", { class: "es-now" }, item.price],
  ],
  ...(item.in_stock ? [] : [["p", { class: "es-gone" }, words.gone]]),
  ...(item.in_stock && buy
    ? [
        [
          "button",
          {
            ...{ class: "es-buy", type: "button", "data-es-buy": "" },
            "aria-label": `${words.buy}: ${item.name}`,
          },
          words.buy,
        ],
      ]
    : []),
];

/** The tree of products. */
export const tree = (list, { variant, lang, layout, buy, header }) => {
  const words = WORDS[lang];
  const button = (name, label, sign) => [
    "button",
    { type: "button", [name]: "", "aria-label": label },
    sign,
  ];
  const turned = layout == "carousel";
  return [
    "section",
    {
      ...{ class: `es-block es-${layout}`, lang, dir: words.dir },
      ...{ "aria-label": header || "Recommendations", "data-es-variant": variant },
    },
    ...(header ? [["h2", { class: "es-header" }, header]] : []),
    [
      "ul",
      { class: "es-list", role: "list", ...(turned && { tabindex: "0" }) },
      ...list.map((item) => card(item, words, buy)),
    ],
    ...(turned
      ? [
          [
            "div",
            { class: "es-turn" },
            button("data-es-prev", words.previous, "‹"),
            button("data-es-next", words.next, "›"),
          ],
        ]
      : []),
  ];
};

/** What the Worker answers for a block; `more` says what is not as usual. */
export const view = (variant, query, more = {}) => {
  const lang = WORDS[query.get("lang")] ? query.get("lang") : "en";
  const { count = 8, container, header = WORDS[lang].header, source = "platform" } = more;
  const list = more.items ?? items(count, { variant, lang, container });
  const about = { v: 1, variant, source, lang, dir: WORDS[lang].dir, header };
  const layout = query.get("template") ?? more.layout ?? "grid";
  if (layout == "none") return { ...about, items: list };
  const drawn = list[0] && tree(list, { variant, lang, layout, buy: more.buy ?? true, header });
  return { ...about, tree: drawn ?? null };
};

/** The same as HTML, as the Worker writes it into a page. */
export const html = (node) => {
  if (typeof node == "string") return node.replace(/[&<]/g, (sign) => `&#${sign.charCodeAt()};`);
  const [tag, attributes, ...children] = node;
  const pairs = Object.entries(attributes).map(([name, text]) => ` ${name}="${text}"`);
  const end = tag == "img" ? "" : `${children.map(html).join("")}</${tag}>`;
  return `<${tag}${pairs.join("")}>${end}`;
};

export const STYLE = `
  body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: #222; background: #faf8f5; }
  main { max-width: 1100px; margin: 0 auto; padding: 24px 16px; } .long { height: 3000px; }
  @media (prefers-color-scheme: dark) { body { color: #ddd; background: #101216; } }`;

/** A page of the shop. */
export const page = ({ body = "", head = "", lang = "en", kit = true, attributes = "" } = {}) =>
  `<!doctype html><html lang="${lang}" dir="${WORDS[lang].dir}"><head><meta charset="utf-8">
<title>A shop</title><meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><link rel="stylesheet" href="/shop.css">${head}
${kit ? '<script type="module" src="/k/blocks.js"></script>' : ""}</head>
<body ${attributes}><main><h1>A shop</h1>${body}</main></body></html>`;

const COLOURS = ["8fb39a", "c9a27a", "8aa4c8", "c78f8f", "a79bc0", "b9b37c"];
const picture = (number) => `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 240 240">
<rect width="240" height="240" fill="#${COLOURS[number % 6]}"/><path d="M30 190 120 60l90 130z" fill="#fff"
 fill-opacity=".8"/></svg>`;

/** Serves the shop: what tests change in it counts from the next request on. */
export class Shop {
  /** The blocks that the settings place. */
  placed = [];
  /** By variant: what its answer has, or a function of the query that gives `{status, body}` or a view. */
  variants = {};
  /** By path. */
  pages = {};
  headers = {};
  page = {};
  requests = [];
  /** What of the site's settings the loader gets. */
  loader = { f: ["main/blocks.js"], c: 1 };

  /** What was asked for, as path and query, below a path. */
  asked(path) {
    return this.requests.filter((request) => request.path.startsWith(path));
  }

  /** What batches of the loader had in them. */
  calls() {
    const batches = this.requests.filter(({ path }) => path == "/k/b");
    return batches.flatMap(({ body }) => JSON.parse(body).records.map(({ call }) => call));
  }

  async open(context) {
    await context.route(ORIGIN + "/**", (route) => this.#answer(route));
  }

  async #answer(route) {
    const request = route.request();
    const { pathname, searchParams } = new URL(request.url());
    // A page that is closed has none to tell any more.
    const headers = await request.allHeaders().catch(() => ({}));
    const entry = { path: pathname, query: searchParams, headers, body: request.postData() };
    this.requests.push(entry);
    const json = (value) => route.fulfill({ json: value }).catch(() => {});
    const script = (body) => route.fulfill({ contentType: "text/javascript", body });
    if (pathname == "/k/kit.js") return script(this.#loader());
    if (/^\/k\/(main\/)?blocks\.js$/.test(pathname)) return script(built(manifest.blocks.file));
    const [, file] = pathname.match(/^\/k\/(?:main\/)?a\/(\w+\.(?:js|css))$/) ?? [];
    if (file?.endsWith("css")) return route.fulfill({ contentType: "text/css", body: built(file) });
    if (file && Object.values(manifest).some((asset) => asset.file == file)) return script(built(file));
    if (pathname == "/k/b") {
      const { records } = JSON.parse(entry.body);
      return json({ results: records.map(({ id }) => ({ id, verdict: "accepted" })) });
    }
    if (/^\/k\/(main\/)?blocks\.json$/.test(pathname)) return json({ v: 1, blocks: this.placed });
    const [, kind, variant] = pathname.match(/^\/k\/(?:main\/)?(blocks|recommendations)\/(.+)$/) ?? [];
    if (kind) {
      const set = this.variants[decodeURIComponent(variant)];
      const answer = await (typeof set == "function" ? set(searchParams, kind) : set);
      if (answer == "fail") return route.abort().catch(() => {});
      if (answer?.status) return route.fulfill(answer).catch(() => {});
      const message = `variantId ${variant} was not found in config`;
      const unknown = { error: { code: "unknown_variant", field: "variantId", message } };
      if (!answer) return route.fulfill({ status: 404, json: unknown });
      if (answer.v) return json(answer);
      if (kind == "blocks") return json(view(variant, searchParams, answer));
      const list = answer.items ?? items(answer.count ?? 8, { variant });
      const products = list.map(({ product_id, url, container_type }) => ({
        ...{ product_id, url, container_type },
      }));
      return json({ v: 1, variant, source: "platform", products });
    }
    if (pathname.startsWith("/img/")) {
      const body = picture(parseInt(pathname.slice(5)));
      return route.fulfill({ contentType: "image/svg+xml", body });
    }
    if (pathname.startsWith("/k/")) return route.fulfill({ status: 404, body: "" });
    if (pathname == "/shop.css") return route.fulfill({ contentType: "text/css", body: STYLE });
    const body = this.pages[pathname] ?? page(this.page);
    return route.fulfill({ contentType: "text/html", headers: this.headers, body });
  }

  #loader() {
    const files = { t: "a/none.js", x: "a/" + manifest.extras.file };
    const config = { p: "/k", s: "main", g: [], d: "", ...files, ...this.loader };
    return built(manifest.loader.file).replace("__KIT__", JSON.stringify(config));
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
