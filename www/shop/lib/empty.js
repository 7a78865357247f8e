import { h, icon } from './dom.js';

/** What a page says when it has nothing to show, and where to go instead. */
export function emptyPage(picture, title, text, ...actions) {
  return [h('div', { class: 'empty' },
    h('span', { class: 'empty-icon' }, icon(picture)),
    h('h1', { tabindex: -1 }, title),
    h('p', { class: 'lead' }, text),
    h('p', { class: 'empty-actions' }, actions))];
}
