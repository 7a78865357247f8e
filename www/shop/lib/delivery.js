/** From this sum on, delivery costs nothing. */
export const FREE_FROM = 3000;

export const DELIVERIES = [
  { value: 'branch', title: 'Post branch', price: 90 },
  { value: 'courier', title: 'Courier to your door', price: 160 },
  { value: 'pickup', title: 'Collect in our store', price: 0 },
];

export const PAYMENTS = [
  { value: 'delivery', title: 'On delivery', note: 'In cash or by card' },
  { value: 'transfer', title: 'Bank transfer', note: 'We send the details by e-mail' },
];

/** What a way of delivery costs for goods worth `sum`. */
export const deliveryPrice = ({ price }, sum) => (sum >= FREE_FROM ? 0 : price);
