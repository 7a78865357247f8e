import { startPage } from '../lib/page.js';
import { categoryPage } from '../lib/views/category.js';

startPage(categoryPage);
