import { h, icon } from '../dom.js';
import { picture } from '../cards.js';
import { FREE_FROM } from '../delivery.js';
import { sendMainPage } from '../events.js';
import { count, money } from '../format.js';
import { SHOP } from '../layout.js';
import { categories, favourites, productsOf } from '../products.js';
import { recommendations } from '../recommendations.js';

const PROMISES = [
  ['truck', 'Delivery in two days', `To a post branch or your door, free from ${money(FREE_FROM)}`],
  ['back', 'Sixty days to return', 'Sleep in it, then decide'],
  ['shield', 'Mended for free', 'Zips and poles, for as long as you own it'],
];

export function mainPage(ctx) {
  const { links } = ctx;
  return {
    title: SHOP,
    here: (to) => to.home(),
    shown: sendMainPage,
    body: [
      h('section', { class: 'hero' },
        h('img', { class: 'hero-picture', src: '/img/hero.svg', alt: '', width: 1600, height: 700, fetchpriority: 'high' }),
        h('div', { class: 'wrap hero-text' },
          h('p', { class: 'eyebrow' }, 'Autumn on the ridge'),
          h('h1', { tabindex: -1 }, 'Sleep where the path ends'),
          h('p', { class: 'hero-lead' }, 'Tents, bags and stoves that have seen rain, wind and several shepherds’ dogs.'),
          h('p', { class: 'hero-links' },
            h('a', { class: 'button', href: links.category('tents') }, 'See the tents'),
            h('a', { class: 'button button-quiet', href: links.category('backpacks') }, 'Backpacks')))),
      h('section', { class: 'wrap promises', 'aria-label': 'What we promise' },
        PROMISES.map(([picto, title, text]) => h('div', { class: 'promise' }, icon(picto),
          h('div', {}, h('h2', {}, title), h('p', {}, text))))),
      h('section', { class: 'wrap section' },
        h('h2', { class: 'section-title' }, 'Departments'),
        h('ul', { class: 'tiles', role: 'list' }, categories.map((category) => h('li', {},
          h('a', { class: 'tile', href: links.category(category.key) },
            picture(category.image, { eager: true }),
            h('span', { class: 'tile-text' },
              h('span', { class: 'tile-name' }, category.name),
              h('span', { class: 'tile-count' }, count(productsOf(category.key).length, 'product')))))))),
      h('section', { class: 'wrap section' },
        recommendations('main', ctx, { title: 'Favourites this season', own: favourites })),
      h('section', { class: 'wrap section' },
        h('div', { class: 'note' },
          h('div', {},
            h('h2', {}, 'What is a polonyna?'),
            h('p', {}, 'A mountain meadow above the tree line, where flocks spend the summer and walkers spend the night. '
              + 'It is windy, often wet, and there is no shop for a day’s walk around. We choose our gear for exactly that place.')),
          h('a', { class: 'button button-light', href: links.product('TENT-2P') }, 'Our tent for it', icon('arrow')))),
      // The kit fills it where the site has the form; without, nothing of it shows.
      h('section', { class: 'wrap section' }, h('es-form', { form: 'news', class: 'news' })),
    ],
  };
}
