/** The single-page version: the same views, chosen by the route and changed through the History API. */

import { watchConsent } from '../lib/consent.js';
import { resumeDebug } from '../lib/debug.js';
import { layOut } from '../lib/layout.js';
import { singlePage } from '../lib/links.js';
import { showView } from '../lib/page.js';
import { cartPage } from '../lib/views/cart.js';
import { categoryPage } from '../lib/views/category.js';
import { checkoutPage } from '../lib/views/checkout.js';
import { loginPage } from '../lib/views/login.js';
import { mainPage } from '../lib/views/main.js';
import { notFoundPage } from '../lib/views/not-found.js';
import { productPage } from '../lib/views/product.js';
import { searchPage } from '../lib/views/search.js';
import { thankYouPage } from '../lib/views/thank-you.js';
import { wishlistPage } from '../lib/views/wishlist.js';

/** Path, view, and the name under which the view finds the variable part of the path. */
const ROUTES = [
  [/^\/spa\/(?:index\.html)?$/, mainPage],
  [/^\/spa\/category\/([^/]+)$/, categoryPage, 'c'],
  [/^\/spa\/product\/([^/]+)$/, productPage, 'id'],
  [/^\/spa\/search$/, searchPage],
  [/^\/spa\/wishlist$/, wishlistPage],
  [/^\/spa\/cart$/, cartPage],
  [/^\/spa\/checkout$/, checkoutPage],
  [/^\/spa\/thank-you$/, thankYouPage],
  [/^\/spa\/login$/, loginPage],
];

let shown = new AbortController();
let route = '';
const update = layOut(context());

function context(params = new URLSearchParams()) {
  return { links: singlePage, params, go, signal: shown.signal };
}

/** Shows the view that belongs to the address bar. */
function show() {
  route = location.pathname + location.search;
  shown.abort();
  shown = new AbortController();
  const params = new URLSearchParams(location.search);
  for (const [path, view, name] of ROUTES) {
    const match = path.exec(location.pathname);
    if (!match) continue;
    if (name) params.set(name, decode(match[1]));
    showView(view(context(params)), update);
    return;
  }
  showView(notFoundPage(context()), update);
}

/** A malformed escape names nothing the shop has; it must not stop the route. */
function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function go(href) {
  const target = new URL(href, location.href);
  if (target.href === location.href) {
    scrollTo(0, 0);
    return;
  }
  history.pushState(null, '', target);
  show();
  scrollTo(0, 0);
  // What a full load would do by itself: reading starts at the new page's heading.
  document.querySelector('#main h1')?.focus({ preventScroll: true });
}

const ours = (url) => url.origin === location.origin && url.pathname.startsWith('/spa/');

document.addEventListener('click', (event) => {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = event.target.closest?.('a[href]');
  if (!link || link.target || link.hasAttribute('download')) return;
  const url = new URL(link.href);
  if (!ours(url) || (url.hash && url.pathname === location.pathname)) return;
  event.preventDefault();
  go(url.href);
});

document.addEventListener('submit', (event) => {
  const form = event.target;
  if (event.defaultPrevented || !form.hasAttribute('data-route')) return;
  event.preventDefault();
  go(`${form.getAttribute('action')}?${new URLSearchParams(new FormData(form))}`);
});

window.addEventListener('popstate', () => {
  // The skip link changes the hash only, and that is no other page.
  if (location.pathname + location.search !== route) show();
});

resumeDebug();
watchConsent();
show();
