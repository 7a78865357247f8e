// The starter of recommendations: what every page with blocks loads. It finds the blocks, puts more of
// them where the site's settings say, and asks the Worker for each once it is nearly seen. `cards.js`,
// fetched together with the first answer, draws them, and reports what was really seen and bought.
//
// It comes as a module from `<base>/blocks.js` or `<base>/a/<hash>.js`, with or without the loader, and
// of a page's policy it needs only `script-src` and `connect-src` of its own origin, and pictures.
//
// What it needs of the Worker:
// - `blocks.json?lang=`: `{v, blocks: [{variant, template, reserve, place: {selector, where, pages}}]}`, the
//   blocks that the settings place. `reserve` is `[[least width of the window, height], …]`, narrow first.
// - `blocks/<variant>?product=&products=&category=&category_field=&filters=&template=&lang=&sc=`: `{v, variant,
//   source, lang, dir, header, tree}`, or with `template=none` `items` instead of the tree. Instead of the web id `sc`
//   a page without one sends a `seed`, which a test is split by. `tree` is `[tag, {attribute: text},
//   ...children]`, or null where there is nothing to show.
// - `recommendations/<variant>?…`: `{products}`, for pages that draw by themselves.
// - each of them otherwise: `{error: {code, field, message}}`.
//
// An element with `data-es-drawn` has got its block from the Worker with the page. One that says nothing of
// products and categories is about those of the innermost `data-es-product` and `data-es-category` around it.
import { matches } from "./rules.js";

const start = () => {
  const base = import.meta.url.replace(/(a\/\w+|blocks)\.js.*/, "");
  const root = document.documentElement;
  const OWN = "es-recommendations";
  const DRAWN = "data-es-drawn";
  /** A block is asked for when it is so many pixels away from what is seen. */
  const NEAR = 600;
  /** How high a block is until it is there, where nothing says so. */
  const HEIGHT = 380;
  const ABOUT = ["product", "products", "category"];
  const ATTRIBUTES = [...ABOUT, "category-field", "filters", "template", "lang"];

  /** The blocks of the page, with what has become of each. */
  const blocks = new Map();
  /** What the Worker is asked, by address: blocks that ask the same share it. */
  const requests = {};
  /** The shop's own functions, by variant. */
  const renders = {};
  /** What stood in the shop's elements before their blocks. */
  const contents = new WeakMap();
  /** What blocks that the settings place stand at. */
  const targets = new WeakMap();
  const seed = Math.random();
  let placed = [];
  let drawing, proof, route, checking;

  /** What may fail: denied storage, and what a shop or a blocker has written. */
  const attempt = (use) => {
    try {
      return use();
    } catch {}
  };

  const say = (target, detail) =>
    target.dispatchEvent(
      new CustomEvent("es:recommendations", { detail, bubbles: true, composed: true }),
    );

  /** Says what went wrong on the page, and to who debugs. A stub would not know the command. */
  const fail = (target, { variant }, { code = "failed", message }) => {
    say(target, { action: "failed", variant, code, message });
    attempt(() => Array.isArray(eS.q) || eS("warn", { code, field: variant, message }));
  };

  const language = () => root.lang || navigator.language;

  // ---- Asking -----------------------------------------------------------------------------------

  const cookies = () => attempt(() => document.cookie) || "";
  const webId = () => (/(?:^|; )sc=([^;]+)/.exec(cookies()) || [])[1];

  /**
   * Whether the visitor does not want that something is chosen for them, or has not said yet that they do. Without
   * the loader only what they chose earlier is known. The Worker, which draws blocks with the page, reads a cookie.
   */
  const isDenied = () => {
    const kept = () => JSON.parse(localStorage["es-consent"]);
    const loader = attempt(() => eS.kit);
    const allowed = loader
      ? loader() || []
      : navigator.globalPrivacyControl
        ? []
        : attempt(kept) || ["recommendations"];
    const isDenied = !allowed.includes("recommendations");
    const mark = /(^|; )es-deny=/.test(cookies());
    if (mark ? !isDenied : isDenied && webId())
      document.cookie = "es-deny=1;path=/;samesite=lax;max-age=" + (isDenied ? 34e6 : 0);
    return isDenied;
  };

  const address = (kind, variant, values) => {
    const query = new URLSearchParams();
    const allowed = !isDenied();
    const own = allowed && { proof, ...values };
    for (const [name, given] of Object.entries(own || values))
      for (const value of [given].flat()) if (value) query.append(name, value);
    const sc = allowed && webId();
    if (sc) query.set("sc", sc);
    // A variant is the same for everybody.
    else if (!/^r\d+v\d+$/.test(variant)) query.set("seed", seed);
    return `${base}${kind}/${encodeURIComponent(variant)}?${query}`;
  };

  const ask = async (where, signal) => {
    let answer;
    try {
      const credentials = isDenied() ? "omit" : "same-origin";
      answer = await (await fetch(where, { signal, credentials })).json();
    } catch {}
    if (answer && answer.v) return answer;
    const { error } = answer || {};
    const { code = "unreachable", field, message = "the kit's Worker did not answer" } = error || {};
    throw Object.assign(Error(message), { code, field });
  };

  const get = async ({ variantId, lang, ...params }) => {
    const values = {
      product: params.productId,
      products: params.productIds,
      category: params.categoryKey,
      category_field: params.categoryField,
      all_fields: params.allFields && 1,
      filters: params.filters && JSON.stringify(params.filters),
      lang: lang || language(),
      ...(params.proof && { proof: params.proof }),
    };
    return (await ask(address("recommendations", variantId, values))).products;
  };

  // ---- Blocks -----------------------------------------------------------------------------------

  /** What draws blocks; nobody needs it before. */
  const drawer = () => (drawing ||= import(new URL(KIT_CARDS, base + "a/")));

  const isOwn = (host) => host.localName == OWN;

  const rule = (text) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`:host{display:${text}}`);
    return sheet;
  };

  /** An element that the browser does not know has no height. */
  const shown = rule("block");
  const hidden = rule("none!important");

  /** Where a block is built: behind a shadow root, or in the shop's own element. */
  const inside = (host) => {
    if (!isOwn(host) || host.shadowRoot) return host.shadowRoot || host;
    const made = host.attachShadow({ mode: "open" });
    // Not by its attributes: frameworks mind those that they have not written.
    made.adoptedStyleSheets = [shown];
    return made;
  };

  /** Takes a block out of the page; what it gives brings it back. */
  const hide = (host) => {
    const place = inside(host);
    const { display } = host.style;
    const sheets = place != host && [...place.adoptedStyleSheets];
    if (sheets) place.adoptedStyleSheets = [...sheets, hidden];
    else host.style.display = "none";
    return () => {
      if (sheets) place.adoptedStyleSheets = sheets;
      else host.style.display = display;
    };
  };

  const fill = (host, ...nodes) => inside(host).replaceChildren(...nodes);

  /** Keeps a block's place until it is there: as much as the shop says, or as there was. */
  const wait = (host, minHeight, height) => {
    const made = document.createElement("div");
    made.style.minHeight = parseFloat(minHeight) ? "inherit" : (height || HEIGHT) + "px";
    fill(host, made);
    return made;
  };

  /** Looks what a block is to show, and begins anew where that has changed. */
  const sync = (host) => {
    const read = (name) => host.getAttribute(name) ?? host.getAttribute("data-es-" + name);
    const around = (name) => {
      const holder = (targets.get(host) || host).closest(`[data-es-${name}]`);
      return holder && holder.getAttribute("data-es-" + name);
    };
    const variant = host.getAttribute("variant") ?? host.dataset.esRecommendations;
    const isNamed = ABOUT.some((name) => read(name) != null);
    const [product, products, category] = ABOUT.map(isNamed ? read : around);
    const [category_field, filters, template, lang] = ATTRIBUTES.slice(3).map(read);
    const own = host.render || renders[variant] || (/^#/.test(template) && template);
    const values = {
      product,
      products: products && products.split(",").map((id) => id.trim()),
      category,
      category_field,
      filters,
      template: own ? "none" : template,
      lang: lang || language(),
    };
    const key = JSON.stringify([variant, values, template, !!own]);
    if (blocks.has(host) && blocks.get(host).key == key) return;
    // Not every browser takes what was meant for a shadow root.
    const isDrawn =
      host.hasAttribute(DRAWN) && (host.shadowRoot || host).querySelector(".es-block");
    // What stands in an element comes after it.
    if (host.hasAttribute(DRAWN) && !isDrawn && document.readyState == "loading") return;
    leave(host);
    if (!variant) return;
    const state = { key, variant, own, values };
    blocks.set(host, state);
    host.removeAttribute(DRAWN);
    if (isDrawn) {
      contents.set(host, []);
      return attend(host, inside(host));
    }
    if (!contents.has(host)) contents.set(host, [...host.childNodes]);
    inside(host);
    const { minHeight } = getComputedStyle(host);
    const { top, bottom, width, height } = host.getBoundingClientRect();
    state.wait = wait(host, minHeight, height);
    // What is near need not wait until the browser has drawn the page.
    if (width && top < innerHeight + NEAR && bottom > -NEAR)
      queueMicrotask(() => load(host, state));
    else lazy.observe(host);
  };

  const leave = (host) => {
    const { request, made, show } = blocks.get(host) || {};
    blocks.delete(host);
    lazy.unobserve(host);
    if (made) made.remove();
    if (show) show();
    if (!request) return;
    request.hosts.delete(host);
    if (!request.hosts.size) end(request);
  };

  const end = (request) => {
    request.controller.abort();
    if (requests[request.where] == request) delete requests[request.where];
  };

  const load = async (host, state) => {
    if (blocks.get(host) != state || state.request) return;
    lazy.unobserve(host);
    const where = address("blocks", state.variant, state.values);
    const controller = new AbortController();
    const request = (requests[where] ||= {
      ...{ where, controller, hosts: new Set() },
      answer: ask(where, controller.signal),
    });
    state.request = request;
    request.hosts.add(host);
    try {
      const cards = drawer();
      cards.then(({ wait }) => wait(host, state, inside)).catch(() => {});
      const view = await request.answer;
      const { draw } = await cards;
      // Something else is wanted by now.
      if (blocks.get(host) != state) return;
      const shown = draw(host, state, view, inside);
      if (!shown) spare(host, state);
      const { variant, source } = view;
      say(host, { action: shown ? "shown" : "empty", variant, source });
    } catch (error) {
      // Whoever asks next gets another try.
      end(request);
      if (blocks.get(host) != state) return;
      attempt(() => spare(host, state));
      fail(host, state, error);
    }
  };

  const attend = (...what) =>
    drawer()
      .then((cards) => cards.attend(...what))
      .catch(() => {});

  /** What stands in a place that gets no block: what the shop has put there, or its space while that is seen. */
  const spare = (host, state) => {
    if (state.made) state.made.remove();
    const nodes = isOwn(host) ? [...host.children] : contents.get(host);
    if (nodes.some(({ localName, slot }) => localName && localName != "template" && !slot))
      fill(host, ...(isOwn(host) ? [document.createElement("slot")] : nodes));
    else if (host.getBoundingClientRect().top > innerHeight) state.show = hide(host);
    else {
      state.wait.style.visibility = "hidden";
      fill(host, state.wait);
    }
  };

  const lazy = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries)
        if (isIntersecting) load(target, blocks.get(target));
    },
    { rootMargin: NEAR + "px" },
  );

  // ---- Places -----------------------------------------------------------------------------------

  const put = (block) => {
    const { variant, template, reserve, place } = block;
    const { pathname, search, hash } = location;
    const places = [pathname, pathname + search + hash].map(
      (text) => attempt(() => decodeURI(text)) || text,
    );
    block.fits = !place.pages || matches(place.pages, places);
    const target = block.fits && attempt(() => document.querySelector(place.selector));
    // The Worker may have put it there with the page.
    const last = block.made || document.querySelector(`${OWN}[data-es-placed="${variant}"]`);
    if (last && block.made && (target != block.target || !last.isConnected)) block.made = 0;
    else if (last && target) block.made = last;
    block.target = target;
    if (last && !block.made) last.remove();
    if (!target || block.made) return;
    const made = (block.made = document.createElement(OWN));
    targets.set(made, target);
    made.setAttribute("variant", variant);
    if (template) made.setAttribute("template", template);
    const [, height] = (reserve || []).findLast(([width]) => innerWidth >= width) || [];
    if (height) made.style.minHeight = height + "px";
    target[{ before: "before", after: "after" }[place.where] || "append"](made);
  };

  const scan = () => {
    // What stands in an element comes after it.
    if (document.readyState == "loading") return;
    for (const host of document.querySelectorAll(`[data-es-recommendations],[${DRAWN}]`)) sync(host);
    if (document.querySelector("[data-es-block]")) attend(root);
    for (const host of [...blocks.keys()]) (host.isConnected ? sync : leave)(host);
    placed.forEach(put);
    if (route == location.pathname || document.readyState != "complete") return;
    route = location.pathname;
    clearTimeout(checking);
    checking = setTimeout(check, 1e4);
  };

  const check = () => {
    isDenied();
    for (const block of placed)
      if (block.fits && !block.target && !block.told) {
        const { variant, place } = block;
        block.told = true;
        const message = `block ${variant}: nothing on the page is ${place.selector}`;
        console.warn("[kit]", message);
        fail(document, { variant }, { code: "place", message });
      }
  };

  // ---- Everything together ----------------------------------------------------------------------

  const again = (test) => {
    for (const [host, state] of [...blocks])
      if (test(host, state)) {
        state.key = 0;
        // Whoever else shows the same answer keeps it.
        if (state.request) delete requests[state.request.where];
        sync(host);
      }
  };

  window.esRecommendations = {
    get,
    set proof(text) {
      proof = text;
      again(() => true);
    },
    render(variant, render) {
      renders[variant] = render;
      again((_, state) => state.variant == variant);
    },
    refresh(which) {
      again((host, { variant }) => !which || which == host || which == variant);
    },
  };

  class Element extends HTMLElement {
    static observedAttributes = ["variant", ...ATTRIBUTES];
    connectedCallback() {
      sync(this);
    }
    attributeChangedCallback() {
      if (this.isConnected) sync(this);
    }
    disconnectedCallback() {
      // What is only moved stays as it is.
      queueMicrotask(() => this.isConnected || leave(this));
    }
  }
  attempt(() => customElements.define(OWN, Element));

  const names = ["recommendations", "block", ...ATTRIBUTES].map((name) => "data-es-" + name);
  new MutationObserver(scan).observe(document, {
    ...{ childList: true, subtree: true },
    attributeFilter: ["lang", ...names],
  });
  addEventListener("DOMContentLoaded", scan);
  addEventListener("load", scan);
  scan();

  fetch(`${base}blocks.json?lang=${encodeURIComponent(language())}`)
    .then((answer) => answer.json())
    .then((answer) => {
      placed = answer.blocks || [];
      scan();
    })
    // The blocks that the page has itself are there all the same.
    .catch(() => {});
};

// Two script tags are one too many; the loader may come with another.
if (!window.esRecommendations) start();
