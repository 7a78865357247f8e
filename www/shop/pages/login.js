import { startPage } from '../lib/page.js';
import { loginPage } from '../lib/views/login.js';

startPage(loginPage);
