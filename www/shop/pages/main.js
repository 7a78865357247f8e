import { startPage } from '../lib/page.js';
import { mainPage } from '../lib/views/main.js';

startPage(mainPage);
