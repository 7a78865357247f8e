/**
 * What the shop remembers in this browser: cart, wishlist, who is logged in, orders placed.
 * Keys start with `shop.`; where the browser refuses storage, memory serves until the page is left.
 */

import * as events from './events.js';
import { productById } from './products.js';

export const MAX_QUANTITY = 20;

const memory = new Map();

function read(key, fallback) {
  try {
    const text = localStorage.getItem(`shop.${key}`);
    if (text !== null) return JSON.parse(text) ?? fallback;
  } catch {
    // Storage is refused, or somebody edited it: what this page knows is next best.
  }
  return memory.get(key) ?? fallback;
}

function write(key, value) {
  memory.set(key, value);
  try {
    if (value === null) localStorage.removeItem(`shop.${key}`);
    else localStorage.setItem(`shop.${key}`, JSON.stringify(value));
  } catch {
    // Refused or full; memory has it.
  }
  store.dispatchEvent(new Event(key));
}

/** Says `cart`, `wishlist`, `user` after each change, also of another tab. */
export const store = new EventTarget();

window.addEventListener('storage', ({ key }) => {
  if (key?.startsWith('shop.')) store.dispatchEvent(new Event(key.slice('shop.'.length)));
});

/** @typedef {{product: import('./products.js').Product, quantity: number}} Line */

export const cart = {
  /** @returns {Line[]} products no longer sold drop out */
  lines() {
    return read('cart', [])
      .map(({ id, quantity }) => ({ product: productById(id), quantity }))
      .filter(({ product }) => product);
  },
  size() {
    return this.lines().reduce((sum, line) => sum + line.quantity, 0);
  },
  total() {
    return this.lines().reduce((sum, line) => sum + line.quantity * line.product.price, 0);
  },
  add(product, quantity = 1) {
    const lines = this.lines();
    const known = lines.find((line) => line.product.id === product.id);
    if (known) known.quantity += quantity;
    else lines.push({ product, quantity });
    change(lines);
  },
  setQuantity(product, quantity) {
    change(this.lines().map((line) => (line.product.id === product.id ? { product, quantity } : line)));
  },
  remove(product) {
    change(this.lines().filter((line) => line.product.id !== product.id));
  },
  clear() {
    change([]);
  },
};

function change(lines) {
  for (const line of lines) line.quantity = Math.min(Math.max(line.quantity, 1), MAX_QUANTITY);
  write('cart', lines.map(({ product, quantity }) => ({ id: product.id, quantity })));
  events.sendCart(lines);
}

export const wishlist = {
  ids() {
    return read('wishlist', []);
  },
  has(product) {
    return this.ids().includes(product.id);
  },
  /** Puts the product on the list or takes it off. */
  toggle(product) {
    if (this.has(product)) {
      write('wishlist', this.ids().filter((id) => id !== product.id));
      return;
    }
    write('wishlist', [...this.ids(), product.id]);
    events.sendAddToWishlist(product);
  },
};

/** @typedef {{id: string, email: string, name: string, phone: string}} User */

export const session = {
  /** @returns {User | null} */
  user() {
    return read('user', null);
  },
  logIn({ email, name, phone }) {
    const user = { id: customerId(email), email, name, phone };
    events.sendCustomerData(user);
    write('user', user);
  },
  logOut() {
    events.forgetCustomer();
    write('user', null);
  },
};

/** A shop's server would give the id; here the same address always gets the same one. */
function customerId(email) {
  let hash = 0x811c9dc5;
  for (const char of email.toLowerCase()) hash = Math.imul(hash ^ char.codePointAt(0), 0x01000193) >>> 0;
  return `C-${String(hash % 1_000_000).padStart(6, '0')}`;
}

/**
 * @typedef {{number: string, placed: number, items: {id: string, price: number, quantity: number}[],
 *   delivery: number, total: number, name: string, email: string}} Order
 */

export const orders = {
  /** @returns {Order[]} the newest first */
  all() {
    return read('orders', []);
  },
  find(number) {
    return this.all().find((order) => order.number === number);
  },
  /** Places an order for what is in the cart; the cart itself stays as it is. */
  place({ name, email, delivery }) {
    const items = cart.lines().map(({ product, quantity }) => ({ id: product.id, price: product.price, quantity }));
    const order = { number: nextNumber(), placed: Date.now(), items, delivery, total: cart.total() + delivery, name, email };
    write('orders', [order, ...this.all()].slice(0, 10));
    return order;
  },
};

/** Order numbers count up within a series of this browser, so that two visitors never share one. */
function nextNumber() {
  const { series, next } = read('orderCounter', { series: 10000 + crypto.getRandomValues(new Uint32Array(1))[0] % 90000, next: 1 });
  write('orderCounter', { series, next: next + 1 });
  return `${series}-${String(next).padStart(3, '0')}`;
}
