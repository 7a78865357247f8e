import { h } from '../dom.js';
import { grid } from '../cards.js';
import { crumbs } from '../crumbs.js';
import { sendCategoryPage } from '../events.js';
import { count } from '../format.js';
import { categoryByKey, productsOf } from '../products.js';
import { notFoundPage } from './not-found.js';

const ORDERS = {
  shop: ['Our order', () => 0],
  cheap: ['Price, low to high', (a, b) => a.price - b.price],
  dear: ['Price, high to low', (a, b) => b.price - a.price],
};

export function categoryPage(ctx) {
  const category = categoryByKey(ctx.params.get('c'));
  if (!category) return notFoundPage(ctx, 'There is no such department.');
  const all = productsOf(category.key);
  const inStock = h('input', { type: 'checkbox', on: { change: show } });
  const order = h('select', { id: 'order', on: { change: show } },
    Object.entries(ORDERS).map(([value, [label]]) => h('option', { value }, label)));
  const shownCount = h('p', { class: 'bar-count', role: 'status' });
  const list = h('div', {});

  function show() {
    const products = all.filter((product) => !inStock.checked || product.stock > 0).sort(ORDERS[order.value][1]);
    shownCount.textContent = count(products.length, 'product');
    list.replaceChildren(grid(products, ctx, { label: category.name }));
  }
  show();

  return {
    title: category.name,
    here: (to) => to.category(category.key),
    shown: () => sendCategoryPage(category),
    body: [
      h('div', { class: 'wrap' },
        crumbs([['Home', ctx.links.home()], [category.name]]),
        h('header', { class: 'page-head' }, h('h1', { tabindex: -1 }, category.name), h('p', { class: 'lead' }, category.lead)),
        h('div', { class: 'bar' }, shownCount,
          h('label', { class: 'check' }, inStock, h('span', {}, 'Only what is in stock')),
          h('div', { class: 'bar-order' }, h('label', { for: 'order' }, 'Sort by'), order)),
        h('h2', { class: 'visually-hidden' }, 'Products'),
        list,
        // The settings of the kit place a block here, about what the page says it is about.
        h('div', { id: 'recommended', class: 'shelf', 'data-es-category': category.name })),
    ],
  };
}
