/** Addresses of the two versions of the shop. Views ask for a page and never know which version they are in. */

const query = (name, value) => `?${name}=${encodeURIComponent(value)}`;

export const classic = {
  home: () => '/',
  category: (key) => `/category.html${query('c', key)}`,
  product: (id) => `/product.html${query('id', id)}`,
  search: (text) => `/search.html${query('q', text)}`,
  searchAction: () => '/search.html',
  wishlist: () => '/wishlist.html',
  cart: () => '/cart.html',
  checkout: () => '/checkout.html',
  thankYou: (number) => `/thank-you.html${query('order', number)}`,
  login: () => '/login.html',
};

export const singlePage = {
  home: () => '/spa/',
  category: (key) => `/spa/category/${encodeURIComponent(key)}`,
  product: (id) => `/spa/product/${encodeURIComponent(id)}`,
  search: (text) => `/spa/search${query('q', text)}`,
  searchAction: () => '/spa/search',
  wishlist: () => '/spa/wishlist',
  cart: () => '/spa/cart',
  checkout: () => '/spa/checkout',
  thankYou: (number) => `/spa/thank-you${query('order', number)}`,
  login: () => '/spa/login',
};
