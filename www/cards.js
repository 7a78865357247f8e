// What a page gets once one of its blocks is to be seen: what draws blocks, turns them, and reports the
// cards that were really seen and bought. `blocks.js` decides and calls.
//
// Of what stands in a block, whoever has made it, only this means something here: `data-es-product`,
// `data-es-block` and `data-es-price` say of a card what is reported of it; `data-es-buy` puts it into the
// cart; `data-es-prev` and `data-es-next` turn the `.es-list` of their `.es-block`.
import text from "kit:blocks-style";

import { build, isSafe } from "./tree.js";

const tell = (...call) => {
  try {
    eS(...call);
  } catch {
    // There is no loader, or what a blocker has put in its place.
  }
};

// ---- Drawing ------------------------------------------------------------------------------------

/** What may be built of what others have written. */
const TAGS = /^(section|h2|ul|li|a|img|span|p|del|div|button)$/;
const NAMES =
  /^(class|lang|dir|role|tabindex|type|href|src|alt|loading|width|height|(aria|data-es)-\w+)$/;

/** What of a template nothing is written into. */
const FIXED = /^(script|style|iframe|object|embed|link|base|meta)$/;

const allowed = (tag, name, value) =>
  name ? NAMES.test(name) && isSafe(name, value) : TAGS.test(tag);

let sheet;

/** Gives a block's place its style, which needs no word of the page's policy. */
const dress = (place) => {
  const root = place.nodeType == 11 ? place : place.getRootNode();
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
  }
  if (root.adoptedStyleSheets && !root.adoptedStyleSheets.includes(sheet))
    root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
};

const fill = (place, ...nodes) => {
  dress(place);
  place.replaceChildren(...nodes);
};

/** Says that something is coming. */
export const wait = (host, { wait: made }, inside) => {
  if (made.parentNode != inside(host)) return;
  const card = ["div", { class: "es-card" }];
  made.className = "es-block es-wait";
  made.append(build(["div", { class: "es-list" }, card, card, card, card]));
  fill(inside(host), made);
};

/** Copies a template of the shop's with a product's texts in it, which stay texts. */
const bind = ({ content }, item) => {
  const value = (name) =>
    [item, item.fields || {}].find((from) => Object.hasOwn(from, name))?.[name] ?? "";
  const write = (text) => text.replace(/\{\{\s*([\w.-]+)\s*\}\}/g, (_, name) => value(name));
  const copy = document.importNode(content, true);
  for (const element of copy.querySelectorAll("[data-es-if]"))
    if (!value(element.dataset.esIf)) element.remove();
  for (const element of copy.querySelectorAll("*")) {
    if (FIXED.test(element.localName)) continue;
    for (const { name, value } of [...element.attributes]) {
      const text = write(value);
      if (text == value) continue;
      if (isSafe(name, text)) element.setAttribute(name, text);
      else element.removeAttribute(name);
    }
    for (const node of element.childNodes) if (node.nodeType == 3) node.data = write(node.data);
  }
  const { dataset } = copy.firstElementChild;
  dataset.esProduct = item.product_id;
  if (item.container_type) dataset.esBlock = item.container_type;
  if (item.price_value) dataset.esPrice = item.price_value;
  return copy;
};

/** Shows what has come, and says whether that is anything. */
export const draw = (host, state, { tree, items, ...view }, inside) => {
  const { own } = state;
  const place = inside(host);
  if (!own) {
    if (!tree) return false;
    fill(place, build(tree, allowed));
  } else {
    if (!items[0]) return false;
    let at = host;
    if (place == host) fill(host);
    else {
      // The shop's own markup has the shop's own style.
      fill(place, build(["slot", { name: "es" }]));
      if (own != host.render) {
        at = state.made = build(["div", { slot: "es" }]);
        host.append(at);
      }
    }
    if (own.call) own(items, at, view);
    else {
      const roots = [host.getRootNode(), document];
      const template = roots.map((root) => root.querySelector(own)).find(Boolean);
      if (!template) throw Object.assign(Error(`there is no template ${own}`), { code: "template" });
      for (const item of items) at.append(bind(template, item));
    }
  }
  attend(host);
  return true;
};

/** Looks after what is to be seen of a block, and after the looks of one that came with the page. */
export const attend = (host, place) => {
  if (place) dress(place);
  for (const part of [host, host.shadowRoot || host]) {
    for (const card of part.querySelectorAll("[data-es-block]")) half.observe(card);
    for (const turn of part.querySelectorAll(".es-turn")) ends(turn);
  }
};

/** Says of a row's buttons which of them leads nowhere. */
const ends = (turn) => {
  const list = turn.parentNode.querySelector(".es-list");
  if (!list || turn.querySelector("[aria-disabled]")) return;
  const update = () => {
    const { scrollWidth, clientWidth } = list;
    const left = Math.abs(list.scrollLeft);
    const at = [left < 2, left > scrollWidth - clientWidth - 2];
    at.forEach((is, index) => turn.children[index]?.setAttribute("aria-disabled", is));
  };
  update();
  list.addEventListener("scroll", update, { passive: true });
  new ResizeObserver(update).observe(list);
};

// ---- What was seen ------------------------------------------------------------------------------

/** Cards that are half seen, with their timers. */
const cards = new Map();
/** What this page view has reported. */
const reported = new Set();
let seen = [];
let flushing, page;

const half = new IntersectionObserver(
  (entries) => {
    for (const { target, intersectionRatio } of entries) {
      clearTimeout(cards.get(target));
      cards.delete(target);
      if (intersectionRatio >= 0.5) time(target);
    }
  },
  { threshold: 0.5 },
);

/** A card is seen once it has been half seen for a second. */
const time = (card) => {
  clearTimeout(cards.get(card));
  cards.set(card, document.hidden ? 0 : setTimeout(note, 1e3, card));
};

const note = ({ dataset: { esProduct, esBlock } }) => {
  const key = esBlock + " " + esProduct;
  if (!esBlock || reported.has(key)) return;
  reported.add(key);
  seen.push({ product_id: esProduct, container_type: esBlock });
  // All of a second go together.
  flushing ||= setTimeout(flush, 1e3);
};

const flush = () => {
  clearTimeout(flushing);
  flushing = 0;
  if (seen[0]) tell("sendEvent", "ProductImpressions", { ProductImpression: seen });
  seen = [];
};

/** A new route of a single-page site is a new page view. */
const turn = () => {
  // A change of the fragment alone is a place on the same page.
  const now = location.href.split("#")[0];
  if (now == page) return;
  page = now;
  reported.clear();
  for (const card of cards.keys()) time(card);
};

// ---- What was pressed ---------------------------------------------------------------------------

const press = (event) => {
  const path = event.composedPath().filter(({ dataset }) => dataset);
  const find = (name) => path.find(({ dataset }) => name in dataset);
  const next = find("esNext");
  const block = path.find((element) => element.matches(".es-block"));
  if (block && (next || find("esPrev"))) {
    const list = block.querySelector(".es-list");
    const ahead = getComputedStyle(list).direction == "rtl" ? -1 : 1;
    list.scrollBy({ left: (next ? ahead : -ahead) * list.clientWidth * 0.8 });
  }
  const card = find("esBuy") && find("esProduct");
  if (!card) return;
  const { esProduct: product_id, esBlock: container_type, esPrice: price } = card.dataset;
  if (container_type)
    tell("sendEvent", "ProductPage", {
      ProductPage: { productKey: product_id, price },
      GeneralInfo: { s_location: container_type },
    });
  const detail = { product_id, container_type, price };
  const options = { detail, bubbles: true, composed: true, cancelable: true };
  if (!card.dispatchEvent(new CustomEvent("es:buy", options))) event.preventDefault();
};

// Before the loader sends what it has.
const early = { capture: true };
addEventListener("pagehide", flush, early);
addEventListener(
  "visibilitychange",
  () => {
    if (document.hidden) flush();
    for (const card of cards.keys()) time(card);
  },
  early,
);
addEventListener("click", press, early);
addEventListener("popstate", turn);
addEventListener("pageshow", ({ persisted }) => {
  if (persisted) page = 0;
  turn();
});
if (window.navigation) {
  navigation.addEventListener("navigate", flush);
  navigation.addEventListener("currententrychange", turn);
}
turn();

new MutationObserver((records) => {
  turn();
  // Frameworks use elements again, for another product.
  for (const { target, type } of records)
    if (type == "attributes" && cards.has(target)) time(target);
}).observe(document, {
  ...{ childList: true, subtree: true },
  attributeFilter: ["data-es-product", "data-es-block"],
});
