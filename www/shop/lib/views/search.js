import { h } from '../dom.js';
import { grid } from '../cards.js';
import { sendSearchRequest } from '../events.js';
import { count } from '../format.js';
import { categories, favourites, findProducts, productsById } from '../products.js';

export function searchPage(ctx) {
  const query = (ctx.params.get('q') ?? '').trim();
  const found = findProducts(query);
  return {
    title: query ? `Search: ${query}` : 'Search',
    query,
    here: (to) => to.search(query),
    shown() {
      if (query) sendSearchRequest(query, found.length > 0);
    },
    body: [h('div', { class: 'wrap' }, found.length > 0 ? hits(query, found, ctx) : noHits(query, ctx))],
  };
}

function hits(query, found, ctx) {
  return [
    h('header', { class: 'page-head' },
      h('h1', { tabindex: -1 }, 'Results for “', h('span', { class: 'search-word' }, query), '”'),
      h('p', { class: 'lead' }, `${count(found.length, 'product')} found.`)),
    h('h2', { class: 'visually-hidden' }, 'Products'),
    grid(found, ctx, { label: 'Search results' }),
  ];
}

function noHits(query, ctx) {
  return [
    h('header', { class: 'page-head' },
      query
        ? h('h1', { tabindex: -1 }, 'Nothing found for “', h('span', { class: 'search-word' }, query), '”')
        : h('h1', { tabindex: -1 }, 'What are you looking for?'),
      h('p', { class: 'lead' }, query ? 'Try a shorter word, or look through a department:' : 'Type a word above, or look through a department:'),
      h('ul', { class: 'pills', role: 'list' },
        categories.map(({ key, name }) => h('li', {}, h('a', { class: 'pill', href: ctx.links.category(key) }, name))))),
    h('section', { class: 'section' },
      h('h2', { class: 'section-title' }, 'Others are looking at'),
      grid(productsById(favourites.slice(0, 4)), ctx)),
  ];
}
