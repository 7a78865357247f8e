import { startPage } from '../lib/page.js';
import { thankYouPage } from '../lib/views/thank-you.js';

startPage(thankYouPage);
