// Forms as a React component: a shop that uses React copies this file, and writes
// `<EsForm form="news" lang="uk" onAction={({ action }) => …} />`.
//
// The element `<es-form>` does all of it; this hands over attributes and listens. What stands inside is
// there until the form is, and stays where the form cannot come.
import { createElement, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";

// At once: a form that the page knows already is there in the same task. Servers have nothing to listen to,
// and older versions of React mind a layout there.
const useListener = typeof document == "undefined" ? useEffect : useLayoutEffect;

export const EsForm = ({ form, lang, onAction, children, ...rest }) => {
  const element = useRef(null);
  useListener(() => {
    const place = element.current;
    if (!place || !onAction) return undefined;
    const listener = ({ detail }) => onAction(detail);
    place.addEventListener("es:form", listener);
    return () => place.removeEventListener("es:form", listener);
  }, [form, lang, onAction]);
  // An element keeps its form: another one needs another element.
  const key = [form, lang].join();
  return createElement("es-form", { ...rest, key, form, lang, ref: element }, children);
};

// A block of recommendations, `<Recommendations variant="r12v34" product={id}>Our favourites</Recommendations>`,
// is the element `<es-recommendations>`. With `render` it is the shop's own markup:
// `render={(items) => items.map((item) => <Card key={item.product_id} {...item} />)}`.
export const Recommendations = ({ render, onAction, onBuy, children, ...properties }) => {
  const { products, categoryField, filters, template, ...rest } = properties;
  const [drawn, draw] = useState(null);
  const latest = useRef({});
  latest.current = { "es:recommendations": onAction, "es:buy": onBuy };
  const [hear] = useState(() => ({ type, detail }) => latest.current[type]?.(detail));
  const isOwn = Boolean(render);
  const attach = useCallback(
    (element) => {
      if (!element) return;
      for (const name of Object.keys(latest.current)) element.addEventListener(name, hear);
      if (!isOwn) return;
      element.render = (items, place, answer) => draw([items, answer]);
      // It may have come with the page, before its component.
      window.esRecommendations?.refresh(element);
    },
    [hear, isOwn],
  );
  const attributes = {
    ...rest,
    products: Array.isArray(products) ? products.join() : products,
    "category-field": categoryField,
    filters: filters && JSON.stringify(filters),
    template: isOwn ? "none" : template,
    // Markup of the shop's needs an element that no other has filled.
    key: isOwn ? "own" : "kit",
    ref: attach,
  };
  // The element shows it instead of the children once it has asked.
  const own = isOwn && drawn && createElement("div", { slot: "es" }, render(...drawn));
  return createElement("es-recommendations", attributes, children, own);
};
