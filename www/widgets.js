// The entry of the widgets: starts the wasm module once and hands forms over to it, with what is shorter in
// JavaScript. `src/widgets.rs` says what that does.
//
// Where the page's policy forbids wasm, or it cannot be had, `enhance` rejects, and the form stays as plain
// as it was.
import * as glue from "kit:widgets-glue";

import { challenger } from "./challenge.js";
import { countries } from "./countries.js";

let ready;

const start = async () => {
  const module = await fetch(new URL(KIT_WIDGETS_WASM, import.meta.url));
  const imports = { "./widgets_bg.js": glue };
  const { instance } = await WebAssembly.instantiate(await module.arrayBuffer(), imports);
  glue.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
};

export const enhance = async (form, view, context) => {
  try {
    await (ready ||= start());
  } catch (error) {
    // The next form asks again: the network may have come back.
    ready = 0;
    throw error;
  }
  const helped = { ...context, countries, challenge: challenger() };
  glue.enhance(form, JSON.stringify(view), helped);
};
