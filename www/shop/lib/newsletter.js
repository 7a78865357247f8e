/** The footer's form for news. What the visitor has to do next is the same whoever they are. */

import { h } from './dom.js';
import { hasKit, track } from './track.js';
import { announce } from './toast.js';

export function newsletter() {
  const input = h('input', {
    id: 'f-news', name: 'email', type: 'email', required: true, autocomplete: 'email', placeholder: 'you@mail.example',
  });
  const send = (event) => {
    event.preventDefault();
    if (!hasKit()) return announce('News cannot be ordered just now.');
    track('addContact', { email: input.value }, (error) => {
      if (!error) input.value = '';
      announce(error ? 'That did not work. Please try again later.' : 'Please check your mail to confirm.');
    });
  };
  return h('form', { class: 'foot-news', on: { submit: send } },
    h('label', { for: 'f-news' }, 'News from the mountains'),
    h('div', {}, input, h('button', { type: 'submit', class: 'button' }, 'Send me news')));
}
