import { h, icon } from '../dom.js';
import { count, date, money } from '../format.js';
import { checkAll, emailField, nameField, phoneDigits, phoneField } from '../forms.js';
import { orders, session, store } from '../store.js';
import { announce } from '../toast.js';

export function loginPage(ctx) {
  const box = h('div', { class: 'wrap wrap-narrow' });
  const show = () => {
    const user = session.user();
    box.replaceChildren(...(user ? account(user, ctx) : logInForm(ctx)));
  };
  store.addEventListener('user', () => {
    const hadFocus = box.contains(document.activeElement);
    show();
    if (hadFocus) box.querySelector('h1').focus();
  }, { signal: ctx.signal });
  show();
  return { title: 'Account', here: (to) => to.login(), body: [box] };
}

function logInForm(ctx) {
  const fields = [emailField(), nameField(), phoneField(undefined, { optional: true })];
  const [email, name, phone] = fields.map(({ input }) => input);
  const submit = (event) => {
    event.preventDefault();
    if (!checkAll(fields)) return;
    session.logIn({ email: email.value.trim(), name: name.value.trim(), phone: phoneDigits(phone.value) });
    announce('You are logged in.');
    if (ctx.params.get('next') === 'checkout') ctx.go(ctx.links.checkout());
  };
  return [
    h('header', { class: 'page-head' }, h('h1', { tabindex: -1 }, 'Log in'),
      h('p', { class: 'lead' }, 'Your details fill themselves in at checkout, and recommendations learn what you like.')),
    h('form', { class: 'form form-card', id: 'login', novalidate: true, on: { submit } },
      fields.map(({ box }) => box),
      h('button', { type: 'submit', class: 'button button-wide' }, 'Log in'),
      h('p', { class: 'form-small' }, 'A demonstration: any address will do, and there is no password.')),
  ];
}

function account(user, ctx) {
  const placed = orders.all();
  return [
    h('header', { class: 'page-head' }, h('h1', { tabindex: -1 }, user.name ? `Hello, ${user.name.split(/\s+/)[0]}` : 'Hello'),
      h('p', { class: 'lead' }, 'Good to see you on the meadow.')),
    h('section', { class: 'summary summary-flat', 'aria-labelledby': 'account-title' },
      h('h2', { id: 'account-title' }, 'Your details'),
      h('dl', {},
        h('div', {}, h('dt', {}, 'Customer'), h('dd', {}, user.id)),
        h('div', {}, h('dt', {}, 'E-mail'), h('dd', {}, user.email)),
        user.phone ? h('div', {}, h('dt', {}, 'Phone'), h('dd', {}, `+${user.phone}`)) : null)),
    h('section', { class: 'summary summary-flat', 'aria-labelledby': 'orders-title' },
      h('h2', { id: 'orders-title' }, 'Orders from this browser'),
      placed.length === 0 ? h('p', {}, 'None yet.') : h('ul', { class: 'summary-lines', role: 'list' }, placed.map((order) => h('li', {},
        h('span', {}, `${order.number}, ${date(order.placed)}`, h('span', { class: 'summary-times' }, ` ${count(order.items.length, 'product')}`)),
        h('span', { class: 'summary-amount' }, money(order.total)))))),
    h('p', { class: 'empty-actions' },
      h('a', { class: 'button', href: ctx.links.home() }, 'Look around', icon('arrow')),
      h('button', { type: 'button', class: 'button button-quiet', on: { click: () => session.logOut() } }, 'Log out')),
  ];
}
