// The shop's own pages, where the Worker stands in front of its server: passed on as they are, with
// recommendation blocks drawn into those that are HTML. Without this a page's script fetches them; with it
// they are there before any script runs, and where none does.
import { matches } from "../../www/rules.js";

/** Attributes of a place, and what they are called in the address of a block. */
const ASKED = {
  product: "product",
  products: "products",
  category: "category",
  "category-field": "category_field",
  filters: "filters",
  template: "template",
};

/** As many blocks are drawn into a page at most: each may cost a call of the platform. */
const MOST = 12;

/** Milliseconds that a page waits for all of its blocks; those that take longer are its script's. */
const PATIENCE = 1500;

/** What says how the shop's server was asked; visitors cannot write them themselves. */
const forwarded = (request, url) => {
  const headers = new Headers(request.headers);
  headers.set("x-forwarded-host", url.host);
  headers.set("x-forwarded-proto", url.protocol.slice(0, -1));
  const address = request.headers.get("cf-connecting-ip");
  if (address) headers.set("x-forwarded-for", address);
  return headers;
};

/** Text as people read it, where it is escaped well. */
const decoded = (text) => {
  try {
    return decodeURI(text);
  } catch {
    return text;
  }
};

/**
 * Passes a request on to the shop's server at `origin`. `draw(path)` answers with a block below `base`;
 * `blocks` are those that the settings place, as pages get them.
 */
export const front = async (request, { origin, base, blocks }, draw) => {
  const url = new URL(request.url);
  const answer = await fetch(origin + url.pathname + url.search, {
    method: request.method,
    headers: forwarded(request, url),
    body: request.body,
    redirect: "manual",
  });
  const control = answer.headers.get("cache-control") || "";
  if (
    request.method != "GET" ||
    !(answer.ok || answer.status == 404) ||
    answer.status == 206 ||
    !/^text\/html\b/i.test(answer.headers.get("content-type") || "") ||
    /\bno-transform\b/i.test(control)
  )
    return answer;
  // What is kept for others as well must not hold what is one visitor's.
  const shared = /\b(public|s-maxage)\b/i.test(control);
  const headers = {};
  for (const name of ["accept-language", "cf-connecting-ip", "sec-gpc", !shared && "cookie"])
    if (name && request.headers.has(name)) headers[name] = request.headers.get(name);
  const paths = [url.pathname, url.pathname + url.search].map(decoded);
  // Which variant of a test a visitor without a name sees.
  const seed = Math.random();
  let left = MOST;
  let late;
  let lang = "";
  // What the elements that are open say about products; the innermost one counts.
  const about = [];

  const drawn = async (variant, asked, light) => {
    if (left-- <= 0) return;
    const query = new URLSearchParams(light ? { part: "light" } : { part: "root" });
    const context = Object.assign({}, ...about);
    const named = Object.values(ASKED).some((name) => /^(product|category)/.test(name) && asked[name]);
    for (const [name, text] of Object.entries(named ? asked : { ...context, ...asked }))
      if (name != "products") query.append(name, text);
      else for (const id of text.split(",")) query.append(name, id.trim());
    if (lang) query.append("lang", lang);
    query.append("seed", seed);
    late ||= new Promise((resolve) => setTimeout(resolve, PATIENCE));
    try {
      const path = `${base}blocks/${encodeURIComponent(variant)}.html?${query}`;
      const block = await Promise.race([draw(path, headers), late]);
      if (!block || !block.ok) return;
      // What is shown in its stead would be there for everybody, for as long as the page is kept.
      if (shared && !/max-age/.test(block.headers.get("cache-control"))) return;
      return await block.text();
    } catch (error) {
      // The page's own script may have more luck.
      console.warn("front: a block was not drawn:", error.message);
    }
  };

  const read = (element, prefix) => {
    const asked = {};
    for (const name in ASKED) {
      const text = element.getAttribute(prefix + name);
      if (text) asked[ASKED[name]] = text;
    }
    return asked;
  };

  const place = (element, prefix, light) => async () => {
    const variant = element.getAttribute(light ? "data-es-recommendations" : "variant");
    const asked = read(element, prefix);
    // A template of the shop's own is for its script.
    if (!variant || /^#/.test(asked.template || "")) return;
    const html = await drawn(variant, asked, light);
    if (!html) return;
    element.setAttribute("data-es-drawn", "");
    if (light) element.setInnerContent(html, { html: true });
    else element.prepend(html, { html: true });
  };

  const rewriter = new HTMLRewriter()
    .on("html", { element: (element) => void (lang = element.getAttribute("lang") || "") })
    .on("[data-es-product], [data-es-category]", {
      element: (element) => {
        const own = {};
        for (const name of ["product", "category"]) {
          const text = element.getAttribute("data-es-" + name);
          if (text) own[name] = text;
        }
        about.push(own);
        try {
          element.onEndTag(() => void about.splice(about.indexOf(own), 1));
        } catch {
          // It has none, so nothing is in it.
          about.splice(about.indexOf(own), 1);
        }
      },
    })
    .on("es-recommendations:not([data-es-drawn])", {
      element: (element) => place(element, "", false)(),
    })
    .on("[data-es-recommendations]", {
      element: (element) => place(element, "data-es-", true)(),
    });
  for (const block of blocks) {
    const { selector, where, pages } = block.place;
    if (pages && !matches(pages, paths)) continue;
    let found;
    try {
      rewriter.on(selector, {
        element: async (element) => {
          if (found) return;
          found = true;
          const asked = { ...read(element, "data-es-"), template: block.template };
          const html = await drawn(block.variant, asked, false);
          if (!html) return;
          const name = block.variant.replace(/[^\w-]/g, "");
          const whole = `<es-recommendations variant="${name}" data-es-placed="${name}" data-es-drawn>${html}</es-recommendations>`;
          element[{ before: "before", after: "after" }[where] || "append"](whole, { html: true });
        },
      });
    } catch {
      // A selector that only browsers understand: the page's script places it.
    }
  }
  const changed = rewriter.transform(answer);
  const own = new Response(changed.body, changed);
  // They are those of the shop's page: that it is still the same says nothing of the blocks.
  own.headers.delete("etag");
  own.headers.delete("last-modified");
  if (!shared && !/\b(private|no-store)\b/i.test(control)) own.headers.append("cache-control", "private");
  return own;
};
