/**
 * What the shop tells the tracker, one function per event, in the forms its documentation gives.
 * Prices and quantities are strings in the plain form of `sendEvent`.
 */

import { CURRENCY } from './products.js';
import { guid } from './guid.js';
import { track } from './track.js';

const inStock = (product) => (product.stock > 0 ? 1 : 0);

export const sendMainPage = () => track('sendEvent', 'MainPage');

export const sendNotFound = () => track('sendEvent', 'NotFound');

export const sendCartPage = () => track('sendEvent', 'StatusCartPage');

/** The key is the category's name, as the product feed has it. */
export function sendCategoryPage(category) {
  track('sendEventWithTags', 'CategoryPage', {
    CategoryPage: { Category: { categoryKey: category.name }, Tags: { season: category.season } },
  });
}

export function sendProductPage(product) {
  track('sendEvent', 'ProductPage', {
    ProductPage: { productKey: product.id, price: String(product.price), isInStock: inStock(product) },
  });
}

export function sendSearchRequest(search, isFound) {
  track('sendEvent', 'SearchRequest', { SearchRequest: { search, isFound: isFound ? 1 : 0 } });
}

export function sendAddToWishlist(product) {
  track('sendEvent', 'AddToWishlist', {
    AddToWishlist: { productKey: product.id, price: String(product.price), isInStock: inStock(product) },
  });
}

/** The whole cart after a change, under a GUID of its own; an emptied cart is an empty list. */
export function sendCart(lines) {
  track('sendEvent', 'StatusCart', {
    StatusCart: lines.map(({ product, quantity }) => ({
      productKey: product.id,
      price: String(product.price),
      quantity: String(quantity),
      currency: CURRENCY,
    })),
    GUID: guid(),
  });
}

/** The order form leaves: the kit keeps the cart's GUID for the purchase before the cart is cleared. */
export const sendOrderSubmitted = () => track('orderSubmitted');

/** No GUID: the kit adds the one it kept when the order was submitted. */
export function sendPurchase(order) {
  track('sendEvent', 'PurchasedItems', {
    OrderNumber: order.number,
    PurchasedItems: order.items.map((item) => ({
      productKey: item.id,
      price: String(item.price),
      quantity: String(item.quantity),
      currency: CURRENCY,
    })),
  });
}

/** @param {{id?: string, email?: string, phone?: string, name?: string}} customer */
export function sendCustomerData({ id, email, phone, name }) {
  const data = {};
  if (id) data.externalCustomerId = id;
  if (email) data.user_email = email;
  if (phone) data.user_phone = phone;
  if (name) data.user_name = name;
  track('sendEvent', 'CustomerData', { CustomerData: data });
}

/** At log-out. */
export const forgetCustomer = () => track('reset');
