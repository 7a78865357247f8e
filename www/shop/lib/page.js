/** Starts a page of the classic version: one view, chosen by the document, fed by the address. */

import { watchConsent } from './consent.js';
import { resumeDebug } from './debug.js';
import { layOut, SHOP } from './layout.js';
import { classic } from './links.js';

/**
 * What a view gets: the addresses of its version, the parameters of its own, a way to go elsewhere, and a
 * signal that ends its subscriptions when it goes.
 *
 * @typedef {{links: typeof classic, params: URLSearchParams, go: (href: string) => void, signal: AbortSignal}} Context
 */

/**
 * What a view gives: a title, what to show, its own address in a version, and what to do once it is shown
 * (the tracker's events belong there). `query` is what stands in the search field.
 *
 * @typedef {{title: string, body: Node[], here: (links: typeof classic) => string, shown?: () => void, query?: string}} View
 */

/** @param {(ctx: Context) => View} build */
export function startPage(build) {
  const ctx = {
    links: classic,
    params: new URLSearchParams(location.search),
    go: (href) => location.assign(href),
    signal: new AbortController().signal,
  };
  const update = layOut(ctx);
  resumeDebug();
  watchConsent();
  showView(build(ctx), update);
}

/** Puts a view on the page; also the single-page version's way. */
export function showView(view, update) {
  document.title = view.title === SHOP ? `${SHOP}: gear for mountain meadows` : `${view.title} · ${SHOP}`;
  document.getElementById('main').replaceChildren(...view.body);
  update(view);
  view.shown?.();
}
