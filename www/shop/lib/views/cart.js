import { h, hidden, icon } from '../dom.js';
import { picture } from '../cards.js';
import { DELIVERIES, deliveryPrice, FREE_FROM } from '../delivery.js';
import { emptyPage } from '../empty.js';
import { sendCartPage } from '../events.js';
import { count, money } from '../format.js';
import { favourites } from '../products.js';
import { quantityField } from '../quantity.js';
import { recommendations } from '../recommendations.js';
import { cart, store } from '../store.js';
import { announce } from '../toast.js';

export function cartPage(ctx) {
  const box = h('div', { class: 'wrap' });
  const shelf = h('section', { class: 'wrap section' }, h('h2', { class: 'section-title' }, 'Before you go'));
  let block;
  // Rebuilding a line while its number is being changed would take the focus away, so only the sums follow.
  let sums = () => {};
  let shape = '';

  function show() {
    const lines = cart.lines();
    const now = lines.map(({ product }) => product.id).join();
    if (now === shape && lines.length > 0) {
      sums(lines);
      return;
    }
    const hadFocus = box.contains(document.activeElement);
    shape = now;
    recommend(now);
    box.replaceChildren(...(lines.length === 0 ? empty(ctx) : filled(lines)));
    if (hadFocus) box.querySelector('h1').focus();
  }

  /** What goes with the cart; the kit asks anew where the products change. */
  function recommend(products) {
    if (block) {
      block.setAttribute('products', products);
      return;
    }
    const own = favourites.filter((id) => !products.split(',').includes(id)).slice(0, 4);
    block = recommendations('cart', ctx, { template: '#shelf-card', products, own });
    shelf.append(block);
  }

  function filled(lines) {
    const lead = h('p', { class: 'lead' });
    const amounts = new Map();
    const items = h('span', {});
    const delivery = h('dd', {});
    const total = h('dd', {});
    const goods = h('dd', {});
    const left = h('p', { class: 'summary-note' });
    sums = (current) => {
      const sum = cart.total();
      const fee = deliveryPrice(DELIVERIES[0], sum);
      lead.textContent = `${count(cart.size(), 'item')} ready to go.`;
      items.textContent = count(cart.size(), 'item');
      for (const { product, quantity } of current) amounts.get(product.id).textContent = money(product.price * quantity);
      goods.textContent = money(sum);
      delivery.textContent = fee === 0 ? 'Free' : money(fee);
      total.textContent = money(sum + fee);
      left.textContent = fee === 0 ? 'Your delivery is free.' : `Add ${money(FREE_FROM - sum)} more, and delivery is free.`;
    };
    const rows = lines.map((line) => {
      const amount = h('p', { class: 'line-amount' });
      amounts.set(line.product.id, amount);
      return row(line, amount, ctx);
    });
    sums(lines);
    return [
      h('header', { class: 'page-head' }, h('h1', { tabindex: -1 }, 'Cart'), lead),
      h('div', { class: 'with-summary' },
        h('ul', { class: 'lines', role: 'list', 'aria-label': 'In your cart' }, rows),
        h('aside', { class: 'summary', 'aria-labelledby': 'summary-title' },
          h('h2', { id: 'summary-title' }, 'Summary'),
          h('dl', {},
            h('div', {}, h('dt', {}, 'Goods, ', items), goods),
            h('div', {}, h('dt', {}, 'Delivery to a post branch'), delivery),
            h('div', { class: 'summary-total' }, h('dt', {}, 'Total'), total)),
          left,
          h('a', { class: 'button button-wide', href: ctx.links.checkout() }, 'To checkout', icon('arrow')),
          h('a', { class: 'summary-back', href: ctx.links.home() }, 'Go on shopping'))),
    ];
  }

  store.addEventListener('cart', show, { signal: ctx.signal });
  show();
  return { title: 'Cart', here: (to) => to.cart(), shown: sendCartPage, body: [box, shelf] };
}

function row({ product, quantity }, amount, ctx) {
  const remove = () => {
    cart.remove(product);
    announce(`${product.name} is out of your cart.`);
  };
  return h('li', { class: 'line', 'data-product': product.id },
    h('div', { class: 'line-picture' }, picture(product.image)),
    h('div', { class: 'line-text' },
      h('h2', {}, h('a', { href: ctx.links.product(product.id) }, product.name)),
      h('p', {}, product.brief),
      h('p', { class: 'line-price' }, money(product.price), ' each')),
    h('div', { class: 'line-tools' },
      quantityField(`How many: ${product.name}`, quantity, (wanted) => cart.setQuantity(product, wanted)).box,
      h('button', { type: 'button', class: 'line-remove', on: { click: remove } }, icon('bin'), h('span', {}, 'Remove', hidden(`: ${product.name}`)))),
    amount);
}

function empty(ctx) {
  return emptyPage('cart', 'Your cart is empty', 'There is plenty of room in it for a tent and a warm bag.',
    h('a', { class: 'button', href: ctx.links.category('tents') }, 'See the tents', icon('arrow')),
    h('a', { class: 'button button-quiet', href: ctx.links.wishlist() }, 'My wishlist'));
}
