import { startPage } from '../lib/page.js';
import { checkoutPage } from '../lib/views/checkout.js';

startPage(checkoutPage);
