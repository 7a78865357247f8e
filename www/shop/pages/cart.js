import { startPage } from '../lib/page.js';
import { cartPage } from '../lib/views/cart.js';

startPage(cartPage);
