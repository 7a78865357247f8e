import { startPage } from '../lib/page.js';
import { searchPage } from '../lib/views/search.js';

startPage(searchPage);
