import { h } from './dom.js';

/** The way to this page; the last entry, without an address, is the page itself. */
export function crumbs(entries) {
  return h('nav', { class: 'crumbs', 'aria-label': 'You are here' },
    h('ol', {}, entries.map(([text, href]) => h('li', {}, href ? h('a', { href }, text) : h('span', { 'aria-current': 'page' }, text)))));
}
