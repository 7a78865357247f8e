import { h, icon } from './dom.js';
import { MAX_QUANTITY } from './store.js';

/** A number with a button on either side. `change` hears of each new valid amount. */
export function quantityField(label, start, change = () => {}) {
  const input = h('input', { type: 'number', min: 1, max: MAX_QUANTITY, step: 1, value: start, inputmode: 'numeric', 'aria-label': label });
  let known = start;
  const step = (text, picture, by) => h('button', {
    type: 'button', 'aria-label': text, on: { click: () => set(known + by) },
  }, icon(picture));
  const fewer = step('One fewer', 'minus', -1);
  const more = step('One more', 'plus', 1);

  function set(wanted) {
    const amount = Number.isFinite(wanted) ? Math.min(Math.max(Math.round(wanted), 1), MAX_QUANTITY) : known;
    input.value = String(amount);
    // Not `disabled`: a button that loses the focus while it is pressed throws the keyboard back to the page's top.
    fewer.setAttribute('aria-disabled', String(amount === 1));
    more.setAttribute('aria-disabled', String(amount === MAX_QUANTITY));
    if (amount === known) return;
    known = amount;
    change(amount);
  }
  input.addEventListener('change', () => set(input.valueAsNumber));
  set(start);
  return { box: h('div', { class: 'quantity' }, fewer, input, more), value: () => known };
}
