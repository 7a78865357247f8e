// What a page gets once one of its forms is to be seen: the elements, the dialogs over the page,
// the buttons that open them, and what the shop's own tags are told. `forms.js` decides and calls.
import text from "kit:style";
import { build } from "./tree.js";

const CATEGORIES = { inline: "BUILT_IN", popup: "DETACHED" };

/** Says on the page, and to the shop's tags, what has happened to a form. */
export const report = (action, { id, layout }, target, detail) => {
  const options = { detail: { ...detail, action, form: id }, bubbles: true, composed: true };
  target.dispatchEvent(new CustomEvent("es:form", options));
  if (document.querySelector("[data-es-analytics=off]")) return;
  const category = /^L/.test(action) ? "LAUNCHER" : CATEGORIES[layout] || "FLOATING_BOX";
  const { ga, gtag, dataLayer } = window;
  const name = `${action}_f${id}v1`;
  // The shop's tags are the shop's affair.
  try {
    const rows = [...(dataLayer || [])];
    const tags = rows.filter((row) => row[0] == "config" && /^G-/.test(row[1]));
    if (typeof ga == "function") ga("send", "event", category, name, id);
    else if (typeof gtag == "function" && tags[0])
      for (const [, tag] of tags)
        gtag("event", name, { event_category: category, event_label: id, send_to: tag });
    else
      dataLayer.push({
        event: "yespo",
        eventAction: name,
        eventCategory: category,
        eventLabel: id,
      });
  } catch {}
};

const dress = (element, theme) => {
  for (const name in theme) element.style.setProperty("--es-" + name, theme[name]);
};

let sheet;

/** Gives a document or shadow root the forms' style, which needs no word of the page's policy. */
const style = (root) => {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
  }
  if (!root.adoptedStyleSheets.includes(sheet))
    root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
};

/** A layer over the page, into which nothing of the page's own style reaches. */
const layer = (node, theme) => {
  const host = document.createElement("div");
  const element = build(node);
  const root = host.attachShadow({ mode: "open" });
  dress(host, theme);
  style(root);
  root.append(element);
  document.body.append(host);
  return [host, element];
};

const form = (view) => {
  const made = build(view.tree);
  // The style may be the page's own, and this must not be seen by any means.
  for (const { style } of made.querySelectorAll(".es-more"))
    style.cssText = "position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)";
  made.addEventListener("click", ({ target }) => {
    if (target.closest(".es-button")) report("FormButtonClick", view, made);
  });
  return made;
};

/** Puts a form into its place in the page. */
export const inline = (host, view, kit) => {
  const made = form(view);
  made.setAttribute("lang", view.lang);
  made.setAttribute("dir", view.dir);
  dress(made, view.theme);
  const own = host.localName == "es-form";
  const place = own ? host.shadowRoot || host.attachShadow({ mode: "open" }) : host;
  style(own ? place : host.getRootNode());
  const { top, height } = host.getBoundingClientRect();
  place.replaceChildren(made);
  const grown = Math.ceil(host.getBoundingClientRect().height);
  if (grown > height + 1 && top < innerHeight && top + height >= 0)
    kit.warn(
      `form ${view.id} moves what is below it: ` +
        `give its place the style "display: block; min-height: ${grown}px", ` +
        `or its definition "reserve": [[0, ${grown}]]`,
    );
  kit.attend(made, view, () => made.remove());
  report("FormShow", view, made);
};

/** Opens a form over the page. `me` gets `close`, and `leave` where the browser knows no Escape. */
export const open = (view, asked, back, me, kit) => {
  const { id, lang, dir, title, position, theme, stop } = view;
  const gate = view.kind == "age_gate";
  const layout = /^b/.test(view.layout) ? view.layout : "popup";
  const edge = position || (layout == "bar" ? "bottom" : "bottom_right");
  const made = form(view);
  // A popup is in the middle; its launcher is at the edge.
  const names = `es-dialog es-${layout}` + (layout == "popup" ? "" : ` es-${edge}`);
  const [host, dialog] = layer(
    ["dialog", { class: names, lang, dir, "aria-label": title || id }],
    theme,
  );
  const body = build(["div", { class: "es-body", tabindex: "-1" }]);
  body.append(made);
  const attributes = { class: "es-close", type: "button", "data-es-close": "" };
  const button = build(["button", { ...attributes, "aria-label": view.close }]);
  dialog.append(...(gate ? [] : [button]), body);
  const listen = (names, listener) => {
    for (const name of names.split(" ")) dialog.addEventListener(name, listener);
  };
  let idle, pressed;

  me.close = (person) => {
    if (me.over) return;
    me.over = true;
    const within = host == document.activeElement;
    clearTimeout(idle);
    report("FormClose", view, made);
    dialog.close();
    host.remove();
    kit.end(id, person);
    // After what opens it has come back.
    if (within && back && back.focus) back.focus();
  };
  const gone = () => me.close();
  const leave = () => {
    if (!gate) me.close(true);
    else if (!me.over && !dialog.open) dialog.showModal();
  };
  if (layout != "popup") me.leave = leave;

  const better = kit.attend(made, view, gone);
  listen("pointerdown", ({ target }) => (pressed = target));
  listen("click", ({ target }) => {
    if (target.closest("[data-es-pass]")) gone();
    // Beside the dialog is its backdrop, unless something was dragged there.
    else if (target.closest("[data-es-close]") || (target == dialog && pressed == dialog)) leave();
  });
  listen("cancel", (event) => {
    event.preventDefault();
    leave();
  });
  listen("close", leave);
  if (layout == "popup") dialog.showModal();
  else dialog.open = true;
  // Who did not ask finds no field focused that takes what is typed, and by a box no focus at all.
  const first = asked && made.querySelector("input:not([type=hidden]), select, button");
  if (asked || layout == "popup") (first || body).focus();
  const wait = () => {
    clearTimeout(idle);
    if (stop && stop.idle && !dialog.matches(":hover")) idle = setTimeout(gone, stop.idle * 1e3);
  };
  wait();
  listen("pointerenter focusin", () => clearTimeout(idle));
  listen("pointerleave focusout", () => setTimeout(() => host == document.activeElement || wait()));
  report("FormShow", view, made);
  if (layout == "popup") better();
  // Who has not passed a gate has to see it again.
  return !gate;
};

/** Puts a button at the edge of the page that opens a form. */
export const launcher = (form, show) => {
  const { id, text = form.launcher, position = "bottom_right", dir = "", theme } = form;
  const attributes = { class: `es-launcher es-${position}`, type: "button", dir };
  const [host, button] = layer(["button", attributes, text], theme);
  button.addEventListener("click", () => {
    report("LauncherClick", form, host);
    show(button);
  });
  report("LauncherShow", form, host);
  return host;
};
