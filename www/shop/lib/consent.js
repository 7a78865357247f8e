/**
 * The consent banner: a card at the bottom that covers little and blocks nothing.
 * It keeps no choice itself; it shows what the kit says and tells the kit what the visitor decides.
 */

import { h, icon } from './dom.js';
import { hasKit, track } from './track.js';

const PURPOSES = [
  ['tracking', 'Tracking', 'Which pages, products and carts you look at, so that we learn what is useful.'],
  ['forms', 'Forms', 'Sign-up forms that appear at the right moment and not twice.'],
  ['recommendations', 'Recommendations', 'Products chosen for you instead of the same ones for everybody.'],
  ['push', 'Push', 'Messages in this browser, only after you allow them once more.'],
];

/** The kit's last word: undefined before it spoke, null while the visitor has not decided. */
let choice;
let banner;
let opener;

/** Shows the banner while the choice is open. */
export function watchConsent() {
  track('on', 'consent', (event) => {
    choice = event.choice;
    if (choice === null) open();
    else if (banner && !banner.dataset.settings) close();
    else if (banner) fillIn();
  });
}

/** Reopens the banner from the footer, with what else a visitor may ask for. */
export function openPrivacySettings(event) {
  opener = event?.currentTarget ?? null;
  open({ settings: true });
  banner.querySelector('h2').focus();
}

function open({ settings = false } = {}) {
  if (banner && !settings) return;
  banner?.remove();
  banner = card(settings);
  if (settings) banner.dataset.settings = 'true';
  document.body.append(banner);
  fillIn();
}

function close() {
  const hadFocus = banner?.contains(document.activeElement);
  banner?.remove();
  banner = undefined;
  if (hadFocus) opener?.focus();
  opener = undefined;
}

/** Closing the settings is no answer: while the choice is open, the question stays. */
function dismiss() {
  close();
  if (choice === null) open();
}

function decide(value) {
  track('consent', value);
  // The kit's answer may come later or, for an unchanged choice, never; the visitor has answered now.
  close();
}

function fillIn() {
  for (const box of banner.querySelectorAll('input')) box.checked = Boolean(choice?.[box.name]);
}

function card(settings) {
  const button = (text, kind, click) => h('button', { type: 'button', class: `button ${kind}`, on: { click } }, text);
  const says = h('p', { class: 'consent-says', role: 'status' });
  const boxes = PURPOSES.map(([name, title, text]) => h('li', {},
    h('label', { class: 'check' },
      h('input', { type: 'checkbox', name }),
      h('span', {}, h('strong', {}, title), ' ', h('span', { class: 'consent-about' }, text)))));
  const save = () => decide(Object.fromEntries(
    PURPOSES.map(([name]) => [name, banner.querySelector(`input[name="${name}"]`).checked])));
  const forget = () => {
    track('forget');
    says.textContent = 'Done: your data is being erased, and this browser starts afresh.';
  };
  const region = h('section', { class: 'consent', role: 'region', 'aria-labelledby': 'consent-title' },
    h('div', { class: 'consent-head' },
      h('h2', { id: 'consent-title', tabindex: -1 }, settings ? 'Privacy settings' : 'May we learn from your visit?'),
      settings ? h('button', { type: 'button', class: 'consent-close', 'aria-label': 'Close', on: { click: dismiss } }, icon('cross')) : null),
    hasKit() ? [
      h('p', {}, 'Cart, wishlist and log-in work either way. With your consent we also measure visits and choose what to '
        + 'recommend. You can change this at any time at the foot of the page.'),
      h('details', { open: settings },
        h('summary', {}, 'Purposes in detail'),
        h('ul', { class: 'consent-purposes', role: 'list' }, boxes),
        button('Save my choice', 'button-quiet', save)),
      h('div', { class: 'consent-buttons' },
        button('Accept', '', () => decide('grant')),
        button('Only necessary', '', () => decide('deny')),
        settings ? button('Forget me', 'button-danger', forget) : null),
      says,
    ] : h('p', {}, 'Measurement is blocked or switched off in this browser: the shop collects nothing about your visit.'));
  region.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && settings) dismiss();
  });
  return region;
}
