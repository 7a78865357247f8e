import { startPage } from '../lib/page.js';
import { productPage } from '../lib/views/product.js';

startPage(productPage);
