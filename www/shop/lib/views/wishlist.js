import { h, icon } from '../dom.js';
import { grid } from '../cards.js';
import { emptyPage } from '../empty.js';
import { count } from '../format.js';
import { productsById } from '../products.js';
import { store, wishlist } from '../store.js';

export function wishlistPage(ctx) {
  const box = h('div', { class: 'wrap' });
  const show = () => {
    const products = productsById(wishlist.ids());
    box.replaceChildren(...(products.length === 0
      ? emptyPage('heart', 'Your wishlist is empty', 'Press the heart on anything you like, and it will wait for you here.',
        h('a', { class: 'button', href: ctx.links.home() }, 'Look around', icon('arrow')))
      : [
        h('header', { class: 'page-head' }, h('h1', { tabindex: -1 }, 'Wishlist'),
          h('p', { class: 'lead' }, `${count(products.length, 'product')} waiting for you.`)),
        h('h2', { class: 'visually-hidden' }, 'Products'),
        grid(products, ctx, { label: 'Wishlist' }),
      ]));
  };
  store.addEventListener('wishlist', () => {
    const hadFocus = box.contains(document.activeElement);
    show();
    if (hadFocus) box.querySelector('h1').focus();
  }, { signal: ctx.signal });
  show();
  return { title: 'Wishlist', here: (to) => to.wishlist(), body: [box] };
}
