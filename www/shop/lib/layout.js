/** Header and footer, the same on every page of both versions. */

import { openPrivacySettings } from './consent.js';
import { debugButton } from './debug.js';
import { FREE_FROM } from './delivery.js';
import { h, hidden, icon } from './dom.js';
import { count, money } from './format.js';
import { classic, singlePage } from './links.js';
import { newsletter } from './newsletter.js';
import { categories } from './products.js';
import { sellFromBlocks } from './recommendations.js';
import { cart, session, store, wishlist } from './store.js';
import { announce } from './toast.js';

export const SHOP = 'Polonyna';

/**
 * Fills `#site-header` and `#site-footer`.
 * The returned function is to be called with each view shown: it marks where the visitor is.
 */
export function layOut(ctx) {
  const links = categories.map((category) => h('a', { href: ctx.links.category(category.key) }, category.name));
  const version = h('a', {});
  document.getElementById('site-header').replaceChildren(...header(ctx, links));
  document.getElementById('site-footer').replaceChildren(...footer(ctx, version));
  sellFromBlocks(ctx.links);
  const other = ctx.links === classic ? singlePage : classic;
  return (view) => {
    const here = view.here(ctx.links);
    for (const link of links) {
      if (link.getAttribute('href') === here) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
    document.getElementById('search-text').value = view.query ?? '';
    version.href = view.here(other);
    version.textContent = other === classic ? 'Classic version' : 'Single-page version';
  };
}

function header(ctx, categoryLinks) {
  return [
    h('div', { class: 'strip' }, h('div', { class: 'wrap strip-row' },
      h('p', { class: 'strip-note' }, icon('truck'), h('span', {}, `Free delivery from ${money(FREE_FROM)}`)),
      account(ctx))),
    h('div', { class: 'wrap head-row' },
      h('a', { class: 'logo', href: ctx.links.home() },
        h('img', { src: '/img/mark.svg', alt: '', width: 40, height: 40 }), h('span', {}, SHOP)),
      h('form', { class: 'search', role: 'search', action: ctx.links.searchAction(), method: 'get', 'data-route': true },
        h('label', { class: 'visually-hidden', for: 'search-text' }, 'Search the shop'),
        h('input', { id: 'search-text', type: 'search', name: 'q', placeholder: 'Tents, mats, mugs …', maxlength: 80, autocomplete: 'off' }),
        h('button', { type: 'submit' }, icon('search'), hidden('Search'))),
      h('div', { class: 'head-icons' },
        counter(ctx, 'wishlist', 'heart', 'Wishlist', ctx.links.wishlist(), () => wishlist.ids().length),
        counter(ctx, 'cart', 'cart', 'Cart', ctx.links.cart(), () => cart.size()))),
    h('nav', { class: 'wrap head-nav', 'aria-label': 'Categories' },
      h('ul', { role: 'list' }, categoryLinks.map((link) => h('li', {}, link)))),
  ];
}

function counter(ctx, topic, picture, label, href, size) {
  const bubble = h('span', { class: 'bubble', 'aria-hidden': 'true' });
  const words = hidden('');
  const show = () => {
    bubble.textContent = String(size());
    bubble.hidden = size() === 0;
    words.textContent = `, ${count(size(), 'item')}`;
  };
  store.addEventListener(topic, show);
  show();
  return h('a', { class: 'head-icon', href }, icon(picture), bubble, h('span', { class: 'head-label' }, label), words);
}

function account(ctx) {
  const box = h('div', { class: 'account' });
  const show = () => {
    const user = session.user();
    if (!user) {
      box.replaceChildren(h('a', { href: ctx.links.login() }, icon('person'), h('span', {}, 'Log in')));
      return;
    }
    box.replaceChildren(
      h('a', { href: ctx.links.login() }, icon('person'), hidden('Logged in as '), h('span', { class: 'account-name' }, user.name || user.email)),
      h('button', { type: 'button', class: 'link', on: { click: () => logOut(box) } }, 'Log out'));
  };
  store.addEventListener('user', show);
  show();
  return box;
}

function logOut(box) {
  session.logOut();
  announce('You are logged out.');
  // The button that had the focus is gone; its place is taken by the log-in link.
  box.querySelector('a')?.focus();
}

function footer(ctx, version) {
  const button = (text, click) => h('button', { type: 'button', class: 'link', on: { click } }, text);
  const column = (title, ...items) => h('section', {}, h('h2', {}, title), h('ul', { role: 'list' }, items.map((item) => h('li', {}, item))));
  return [
    h('div', { class: 'wrap foot-columns' },
      h('section', { class: 'foot-about' },
        h('h2', {}, SHOP),
        h('p', {}, 'Gear for the meadows above the forest. We sell what we carry ourselves.'),
        newsletter(),
        h('p', { class: 'foot-demo' }, 'This shop is a demonstration: nothing here is really for sale.')),
      column('Shop', ...categories.map((category) => h('a', { href: ctx.links.category(category.key) }, category.name))),
      column('Your things',
        h('a', { href: ctx.links.cart() }, 'Cart'),
        h('a', { href: ctx.links.wishlist() }, 'Wishlist'),
        h('a', { href: ctx.links.login() }, 'Account')),
      column('This site',
        button('Privacy settings', openPrivacySettings),
        version,
        debugButton())),
    h('p', { class: 'wrap foot-last' }, `© 2026 ${SHOP}. Prices in hryvnias, VAT included.`),
  ];
}
