import { startPage } from '../lib/page.js';
import { wishlistPage } from '../lib/views/wishlist.js';

startPage(wishlistPage);
