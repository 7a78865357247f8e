import { h, icon } from '../dom.js';
import { picture } from '../cards.js';
import { crumbs } from '../crumbs.js';
import { DELIVERIES, deliveryPrice, PAYMENTS } from '../delivery.js';
import { emptyPage } from '../empty.js';
import { sendCustomerData, sendOrderSubmitted } from '../events.js';
import { money } from '../format.js';
import { checkAll, choices, emailField, field, nameField, phoneDigits, phoneField } from '../forms.js';
import { cart, orders, session, store } from '../store.js';

export function checkoutPage(ctx) {
  const here = (to) => to.checkout();
  const lines = cart.lines();
  if (lines.length === 0) {
    return {
      title: 'Checkout',
      here,
      body: [h('div', { class: 'wrap' }, emptyPage('cart', 'Nothing to order yet', 'Put something into your cart first.',
        h('a', { class: 'button', href: ctx.links.home() }, 'Look around', icon('arrow'))))],
    };
  }

  const user = session.user();
  const fields = {
    name: nameField(user?.name),
    email: emailField(user?.email),
    phone: phoneField(user?.phone && `+${user.phone}`),
    city: field({
      name: 'city', label: 'Town', type: 'text', autocomplete: 'address-level2', maxlength: 60,
      messages: { valueMissing: 'Where shall we send it?' },
    }),
    address: field({
      name: 'address', label: 'Branch or address', type: 'text', autocomplete: 'street-address', maxlength: 120,
      messages: { valueMissing: 'Please give the branch number or the address.' },
    }),
  };
  const note = field({
    name: 'note', label: 'A word to us', optional: true,
    element: h('textarea', { name: 'note', id: 'f-note', rows: 3, maxlength: 400 }),
  });
  const ways = DELIVERIES.map((way) => ({ ...way, note: deliveryPrice(way, cart.total()) === 0 ? 'Free' : money(way.price) }));
  const contact = contactData(fields);
  const delivery = h('dd', {});
  const total = h('dd', {});
  const chosen = () => DELIVERIES.find(({ value }) => value === form.elements.delivery.value) ?? DELIVERIES[0];

  function show() {
    const fee = deliveryPrice(chosen(), cart.total());
    delivery.textContent = fee === 0 ? 'Free' : money(fee);
    total.textContent = money(cart.total() + fee);
    const pickup = chosen().value === 'pickup';
    fields.city.box.hidden = pickup;
    fields.address.box.hidden = pickup;
    for (const { input } of [fields.city, fields.address]) input.disabled = pickup;
  }

  function submit(event) {
    event.preventDefault();
    if (!checkAll(Object.values(fields).filter(({ input }) => !input.disabled))) return;
    contact.send();
    // Before the cart is cleared: the purchase belongs to the cart as it is now.
    sendOrderSubmitted();
    const order = orders.place({
      name: fields.name.input.value.trim(),
      email: fields.email.input.value.trim(),
      delivery: deliveryPrice(chosen(), cart.total()),
    });
    cart.clear();
    ctx.go(ctx.links.thankYou(order.number));
  }

  const form = h('form', { class: 'form', id: 'checkout', novalidate: true, on: { submit } },
    h('section', { class: 'form-part' }, h('h2', {}, 'Who is ordering?'),
      user ? null : h('p', { class: 'form-aside' },
        'Been here before? ', h('a', { href: `${ctx.links.login()}?next=checkout` }, 'Log in'), ' and we fill this in.'),
      fields.name.box, h('div', { class: 'form-pair' }, fields.email.box, fields.phone.box)),
    h('section', { class: 'form-part' }, h('h2', {}, 'How shall it travel?'),
      choices('delivery', 'Delivery', ways, show),
      h('div', { class: 'form-pair' }, fields.city.box, fields.address.box)),
    h('section', { class: 'form-part' }, h('h2', {}, 'How will you pay?'), choices('payment', 'Payment', PAYMENTS), note.box),
    h('button', { type: 'submit', class: 'button button-wide button-tall' }, 'Place the order'),
    h('p', { class: 'form-small' }, 'A demonstration: no money moves, and no parcel leaves.'));
  show();
  store.addEventListener('user', () => {
    // Whoever comes next must not order in the name of the one who logged out.
    if (session.user()) return;
    for (const { input } of Object.values(fields)) input.value = '';
  }, { signal: ctx.signal });

  return {
    title: 'Checkout',
    here,
    // A customer already logged in has nothing to type: opening the page is the entry of the data.
    shown: () => user && contact.send(),
    body: [h('div', { class: 'wrap' },
      crumbs([['Cart', ctx.links.cart()], ['Checkout']]),
      h('header', { class: 'page-head' }, h('h1', { tabindex: -1 }, 'Checkout')),
      h('div', { class: 'with-summary' }, form,
        h('aside', { class: 'summary', 'aria-labelledby': 'summary-title' },
          h('h2', { id: 'summary-title' }, 'Your order'),
          h('ul', { class: 'summary-lines', role: 'list' }, lines.map(({ product, quantity }) => h('li', {},
            picture(product.image),
            h('span', {}, product.name, h('span', { class: 'summary-times' }, ` × ${quantity}`)),
            h('span', { class: 'summary-amount' }, money(product.price * quantity))))),
          h('dl', {},
            h('div', {}, h('dt', {}, 'Goods'), h('dd', {}, money(cart.total()))),
            h('div', {}, h('dt', {}, 'Delivery'), delivery),
            h('div', { class: 'summary-total' }, h('dt', {}, 'Total'), total)))))],
  };
}

/** Sends the customer's data when e-mail and phone are both there, and again only when something in them changed. */
function contactData(fields) {
  let sent = '';
  const send = () => {
    const data = {
      id: session.user()?.id,
      email: fields.email.input.value.trim(),
      phone: phoneDigits(fields.phone.input.value),
      name: fields.name.input.value.trim(),
    };
    const text = JSON.stringify(data);
    if (text === sent) return;
    sent = text;
    sendCustomerData(data);
  };
  for (const { input } of [fields.name, fields.email, fields.phone]) {
    input.addEventListener('change', () => {
      if ([fields.email, fields.phone].every((each) => each.input.validity.valid)) send();
    });
  }
  return { send };
}
