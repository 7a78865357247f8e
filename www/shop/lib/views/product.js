import { h, icon } from '../dom.js';
import { addButton, picture, price, wishButton } from '../cards.js';
import { crumbs } from '../crumbs.js';
import { sendProductPage } from '../events.js';
import { categoryByKey, productById } from '../products.js';
import { quantityField } from '../quantity.js';
import { recommendations } from '../recommendations.js';
import { notFoundPage } from './not-found.js';

export function productPage(ctx) {
  const product = productById(ctx.params.get('id'));
  if (!product) return notFoundPage(ctx, 'We do not have this product, or no longer.');
  const category = categoryByKey(product.category);
  const quantity = quantityField(`How many: ${product.name}`, 1);

  return {
    title: product.name,
    here: (to) => to.product(product.id),
    shown: () => sendProductPage(product),
    body: [
      h('div', { class: 'wrap' },
        crumbs([['Home', ctx.links.home()], [category.name, ctx.links.category(category.key)], [product.name]]),
        h('article', { class: 'product' },
          h('div', { class: 'product-picture' }, picture(product.image, { eager: true, alt: `${product.name}: ${product.brief.toLowerCase()}` })),
          h('div', { class: 'product-text' },
            h('h1', { tabindex: -1 }, product.name),
            h('p', { class: 'lead' }, product.brief),
            h('p', { class: 'product-id' }, 'Article ', h('span', {}, product.id)),
            price(product),
            stock(product),
            h('div', { class: 'product-buy' },
              product.stock > 0 ? quantity.box : null,
              addButton(product, ctx, { quantity: quantity.value, wide: true }),
              wishButton(product, ctx, { label: true })),
            h('p', { class: 'product-about' }, product.text),
            h('h2', { class: 'product-sub' }, 'Facts'),
            h('dl', { class: 'facts' }, product.facts.map(([term, fact]) => h('div', {}, h('dt', {}, term), h('dd', {}, fact)))),
            h('ul', { class: 'product-notes', role: 'list' },
              h('li', {}, icon('truck'), 'Leaves our store within one working day'),
              h('li', {}, icon('back'), 'Sixty days to return, also when used'),
              h('li', {}, icon('shield'), 'Repairs free of charge')))),
        h('section', { class: 'section' },
          recommendations('product', ctx, { title: 'You may also like', product: product.id, own: product.likes }))),
    ],
  };
}

function stock(product) {
  if (product.stock === 0) return h('p', { class: 'stock stock-out' }, 'Out of stock. Put it on your wishlist and look again next week.');
  return h('p', { class: 'stock' }, icon('tick'), product.stock < 6 ? `In stock: the last ${product.stock}` : 'In stock');
}
