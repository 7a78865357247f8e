/**
 * Recommendations. The kit fills these places; what stands in them is the shop's own, for visitors whom it does
 * not reach. Its cards say by themselves what was seen; the shop only puts into the cart what is bought in them.
 */

import { h } from './dom.js';
import { grid } from './cards.js';
import { productById, productsById } from './products.js';
import { cart } from './store.js';
import { announce } from './toast.js';

/** The variants of the shop's recommendation, by the kind of page. */
const VARIANTS = {
  main: 'r963v1311',
  product: 'r963v1317',
  cart: 'r963v1319',
  lost: 'r963v1321',
};

/**
 * A block on a page of this kind, with what it is about. `own` are ids of products to show instead, below `title`
 * where the block's own heading would stand.
 */
export function recommendations(kind, ctx, { title, own, ...about }) {
  return h('es-recommendations', { variant: VARIANTS[kind], class: 'shelf', ...about },
    title ? h('h2', { class: 'section-title' }, title) : null,
    grid(productsById(own), ctx, { label: title }));
}

/** Puts into the cart what visitors buy in a block, on whatever page it stands. */
export function sellFromBlocks(links) {
  document.addEventListener('es:buy', ({ detail }) => {
    const product = productById(detail.product_id);
    if (!product) return;
    cart.add(product);
    announce(`${product.name} is in your cart.`, { href: links.cart(), text: 'View cart' });
  });
}
