// Forms as a React component: a shop that uses React copies this file, and writes
// `<EsForm form="news" lang="uk" onAction={({ action }) => …} />`.
//
// The element `<es-form>` does all of it; this hands over attributes and listens. What stands inside is
// there until the form is, and stays where the form cannot come.
import { createElement, useEffect, useRef } from "react";

export const EsForm = ({ form, lang, onAction, children, ...rest }) => {
  const element = useRef(null);
  useEffect(() => {
    const place = element.current;
    if (!place || !onAction) return undefined;
    const listener = ({ detail }) => onAction(detail);
    place.addEventListener("es:form", listener);
    return () => place.removeEventListener("es:form", listener);
  }, [onAction]);
  return createElement("es-form", { ...rest, form, lang, ref: element }, children);
};
