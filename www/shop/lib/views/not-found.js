import { h, icon } from '../dom.js';
import { emptyPage } from '../empty.js';
import { sendNotFound } from '../events.js';
import { categories, favourites } from '../products.js';
import { recommendations } from '../recommendations.js';

export function notFoundPage(ctx, text = 'The path you followed ends in the grass.') {
  return {
    title: 'Page not found',
    here: (to) => to.home(),
    shown: sendNotFound,
    body: [
      h('div', { class: 'wrap' },
        emptyPage('search', 'Nothing on this meadow', text,
          h('a', { class: 'button', href: ctx.links.home() }, 'To the main page', icon('arrow'))),
        h('ul', { class: 'pills pills-centre', role: 'list' },
          categories.map(({ key, name }) => h('li', {}, h('a', { class: 'pill', href: ctx.links.category(key) }, name)))),
        h('section', { class: 'section' },
          recommendations('lost', ctx, { title: 'What others came for', template: 'carousel', own: favourites.slice(0, 4) }))),
    ],
  };
}
