import { startPage } from '../lib/page.js';
import { notFoundPage } from '../lib/views/not-found.js';

startPage(notFoundPage);
