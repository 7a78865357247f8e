/** A short word about what has just happened, in a corner and to screen readers. */

import { h, icon } from './dom.js';

const SHOWN_FOR = 6000;

const region = h('div', { class: 'toast-region', role: 'status' });
let timer;

/** @param {{href: string, text: string}} [link] where to see the result */
export function announce(text, link) {
  if (!region.isConnected) document.body.append(region);
  clearTimeout(timer);
  region.replaceChildren(h('div', { class: 'toast' },
    icon('tick'), h('p', {}, text), link ? h('a', { href: link.href }, link.text) : null));
  timer = setTimeout(() => region.replaceChildren(), SHOWN_FOR);
}
