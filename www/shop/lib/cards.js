/** Product cards and the two buttons that stand on them and on the product page. */

import { h, hidden, icon } from './dom.js';
import { money } from './format.js';
import { categoryByKey } from './products.js';
import { cart, store, wishlist } from './store.js';
import { announce } from './toast.js';

/** A picture in a box of fixed shape, so that nothing moves when it arrives. */
export function picture(image, { eager = false, alt = '' } = {}) {
  return h('img', {
    src: `/img/${image}.svg`, alt, width: 400, height: 400, loading: eager ? 'eager' : 'lazy', decoding: 'async',
  });
}

/** The price, with the former one crossed out where it was higher. */
export function price(product) {
  if (!product.oldPrice) return h('p', { class: 'price' }, money(product.price));
  return h('p', { class: 'price price-sale' },
    hidden('Now '), money(product.price), ' ',
    h('s', {}, hidden('formerly '), money(product.oldPrice)));
}

/** Puts the product into the cart and says so. */
export function addButton(product, ctx, { quantity = () => 1, wide = false } = {}) {
  if (product.stock === 0) {
    return h('button', { type: 'button', class: `button button-quiet${wide ? ' button-wide' : ''}`, disabled: true }, 'Out of stock');
  }
  const add = () => {
    cart.add(product, quantity());
    announce(`${product.name} is in your cart.`, { href: ctx.links.cart(), text: 'View cart' });
  };
  return h('button', { type: 'button', class: `button${wide ? ' button-wide' : ' button-soft'}`, on: { click: add } },
    icon('cart'), h('span', {}, 'Add to cart', wide ? null : hidden(`: ${product.name}`)));
}

/** Pressed while the product is on the wishlist. `label` shows the words beside the heart. */
export function wishButton(product, ctx, { label = false } = {}) {
  const text = h('span', { class: label ? null : 'visually-hidden' });
  const button = h('button', { type: 'button', class: label ? 'button button-quiet wish wish-wide' : 'wish wish-round' }, icon('heart'), text);
  const show = () => {
    const on = wishlist.has(product);
    button.setAttribute('aria-pressed', String(on));
    text.textContent = label ? (on ? 'On your wishlist' : 'Add to wishlist') : `${product.name} on the wishlist`;
  };
  button.addEventListener('click', () => {
    wishlist.toggle(product);
    announce(wishlist.has(product) ? `${product.name} is on your wishlist.` : `${product.name} is off your wishlist.`,
      wishlist.has(product) ? { href: ctx.links.wishlist(), text: 'View wishlist' } : undefined);
  });
  store.addEventListener('wishlist', show, { signal: ctx.signal });
  show();
  return button;
}

/** One product in a grid. */
export function card(product, ctx, { eager = false } = {}) {
  return h('article', { class: 'card', 'data-product': product.id },
    h('div', { class: 'card-picture' },
      picture(product.image, { eager }),
      badge(product),
      wishButton(product, ctx)),
    h('div', { class: 'card-body' },
      h('p', { class: 'card-category' }, categoryByKey(product.category).name),
      h('h3', { class: 'card-name' }, h('a', { href: ctx.links.product(product.id) }, product.name)),
      h('p', { class: 'card-brief' }, product.brief),
      h('div', { class: 'card-buy' }, price(product), addButton(product, ctx))));
}

function badge(product) {
  if (product.stock === 0) return h('span', { class: 'badge badge-out' }, 'Out of stock');
  if (!product.oldPrice) return null;
  return h('span', { class: 'badge' }, `−${Math.round((1 - product.price / product.oldPrice) * 100)} %`);
}

/** Cards side by side; `headed` tells what the list is, for those who do not see it. */
export function grid(products, ctx, { label } = {}) {
  return h('ul', { class: 'grid', role: 'list', 'aria-label': label },
    products.map((product, index) => h('li', {}, card(product, ctx, { eager: index < 4 }))));
}
