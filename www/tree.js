// What pages make of trees and texts that come from elsewhere: elements and text only, by no means markup,
// so that a page's policy and its Trusted Types let it through.

/** Attributes that hold an address. */
const ADDRESS = /(href|src|srcset|action|poster|ping|cite|background|^data)$/i;

/** Attributes that hold code or style. */
const CODE = /^(on|style$|srcdoc$)/i;

/** Whether an attribute may have this value, whoever has written it: no code, and no address but the web's. */
export const isSafe = (name, value) => {
  if (CODE.test(name)) return false;
  if (!ADDRESS.test(name)) return true;
  try {
    // As the browser will read it, whatever stands before the scheme or within it.
    return value != "" && /^https?:$/.test(new URL(value, document.baseURI).protocol);
  } catch {
    return false;
  }
};

/** Makes an element of the arrays that a view has, of what is `allowed` of it. */
export const build = (node, allowed = () => true) => {
  if (!Array.isArray(node)) return node;
  const [tag, attributes, ...children] = node;
  if (!allowed(tag)) return "";
  const element = document.createElement(tag);
  // In this order a picture knows that it is a lazy one before it knows its address.
  for (const name of Object.keys(attributes).sort())
    if (allowed(tag, name, attributes[name])) element.setAttribute(name, attributes[name]);
  element.append(...children.map((child) => build(child, allowed)));
  return element;
};
