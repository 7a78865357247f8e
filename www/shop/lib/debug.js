/** The footer's switch for the kit's debug panel. It holds for this tab, so that it survives a change of page. */

import { h } from './dom.js';
import { hasKit, track } from './track.js';

const KEY = 'shop.debug';

let on = false;
const buttons = new Set();

function show() {
  for (const button of buttons) button.setAttribute('aria-pressed', String(on));
}

function set(value, tell = true) {
  on = value;
  try {
    if (on) sessionStorage.setItem(KEY, '1');
    else sessionStorage.removeItem(KEY);
  } catch {
    // Without storage the switch holds for this page only.
  }
  if (tell) track('debug', on);
  show();
}

/** Takes up the tab's choice again and follows the panel's own close button. */
export function resumeDebug() {
  let stored = null;
  try {
    stored = sessionStorage.getItem(KEY);
  } catch {
    // As above.
  }
  if (stored) set(true);
  track('on', '*', (event) => {
    if (event.type === 'debug' && event.on !== on) set(event.on, false);
  });
}

export function debugButton() {
  const button = h('button', { type: 'button', class: 'link', disabled: !hasKit(), on: { click: () => set(!on) } }, 'Debug panel');
  buttons.add(button);
  show();
  return button;
}
