import { h, icon } from '../dom.js';
import { picture } from '../cards.js';
import { emptyPage } from '../empty.js';
import { sendPurchase } from '../events.js';
import { date, money } from '../format.js';
import { productById } from '../products.js';
import { orders } from '../store.js';

export function thankYouPage(ctx) {
  const number = ctx.params.get('order') ?? '';
  const order = orders.find(number);
  const here = (to) => to.thankYou(number);
  if (!order) {
    return {
      title: 'Order',
      here,
      body: [h('div', { class: 'wrap' }, emptyPage('search', 'We do not know this order', 'Orders can be seen in the browser they were placed in.',
        h('a', { class: 'button', href: ctx.links.home() }, 'To the main page', icon('arrow'))))],
    };
  }
  return {
    title: 'Thank you',
    here,
    // Also when the page is loaded again: that the order counts once is the kit's care.
    shown: () => sendPurchase(order),
    body: [h('div', { class: 'wrap wrap-narrow' },
      h('header', { class: 'thanks' },
        h('span', { class: 'thanks-icon' }, icon('tick')),
        h('h1', { tabindex: -1 }, order.name ? `Thank you, ${order.name.split(/\s+/)[0]}!` : 'Thank you!'),
        h('p', { class: 'lead' }, 'Order ', h('strong', {}, order.number), ` of ${date(order.placed)} is with us. We write to ${order.email} as soon as it leaves the store.`)),
      h('section', { class: 'summary summary-flat', 'aria-labelledby': 'order-title' },
        h('h2', { id: 'order-title' }, 'What you ordered'),
        h('ul', { class: 'summary-lines', role: 'list' }, order.items.map((item) => {
          const product = productById(item.id);
          return h('li', {},
            product ? picture(product.image) : null,
            h('span', {}, product?.name ?? item.id, h('span', { class: 'summary-times' }, ` × ${item.quantity}`)),
            h('span', { class: 'summary-amount' }, money(item.price * item.quantity)));
        })),
        h('dl', {},
          h('div', {}, h('dt', {}, 'Delivery'), h('dd', {}, order.delivery === 0 ? 'Free' : money(order.delivery))),
          h('div', { class: 'summary-total' }, h('dt', {}, 'Total'), h('dd', {}, money(order.total))))),
      h('p', { class: 'empty-actions' }, h('a', { class: 'button', href: ctx.links.home() }, 'Go on looking around', icon('arrow'))))],
  };
}
