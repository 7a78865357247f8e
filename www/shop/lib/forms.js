/** Form fields with their messages, checked by the browser's own rules but worded by the shop. */

import { h } from './dom.js';

/**
 * A labelled field. `messages` words what is wrong by the name of the ValidityState flag;
 * `element` replaces the input (a textarea).
 */
export function field({ name, label, hint, messages = {}, optional = false, element, ...attributes }) {
  const input = element ?? h('input', { name, id: `f-${name}`, required: !optional, ...attributes });
  const describedBy = [hint && `f-${name}-hint`, `f-${name}-error`].filter(Boolean).join(' ');
  input.setAttribute('aria-describedby', describedBy);
  const error = h('p', { class: 'field-error', id: `f-${name}-error` });
  const box = h('div', { class: 'field' },
    h('label', { for: `f-${name}` }, label, optional ? h('span', { class: 'field-optional' }, ' (optional)') : null),
    input,
    hint ? h('p', { class: 'field-hint', id: `f-${name}-hint` }, hint) : null,
    error);
  const check = () => {
    const { validity } = input;
    const wrong = Object.keys(messages).find((flag) => validity[flag]);
    error.textContent = validity.valid ? '' : (messages[wrong] ?? input.validationMessage);
    if (validity.valid) input.removeAttribute('aria-invalid');
    else input.setAttribute('aria-invalid', 'true');
    return validity.valid;
  };
  // A message goes as soon as the field is right; a new one waits until the visitor has left the field.
  input.addEventListener('input', () => {
    if (input.hasAttribute('aria-invalid')) check();
  });
  input.addEventListener('blur', () => {
    if (input.value !== '') check();
  });
  return { box, input, check };
}

/** One choice of several; the first is chosen at the start. */
export function choices(name, legend, options, change) {
  return h('fieldset', { class: 'choices' },
    h('legend', {}, legend),
    options.map(({ value, title, note }, index) => h('label', { class: 'choice' },
      h('input', { type: 'radio', name, value, checked: index === 0, on: change ? { change } : {} }),
      h('span', { class: 'choice-text' }, h('span', { class: 'choice-title' }, title), note ? h('span', { class: 'choice-note' }, note) : null))));
}

/** Checks every field, and takes the visitor to the first wrong one. */
export function checkAll(fields) {
  const wrong = fields.filter(({ check }) => !check());
  wrong[0]?.input.focus();
  return wrong.length === 0;
}

export const nameField = (value) => field({
  name: 'name', label: 'Name', type: 'text', autocomplete: 'name', maxlength: 80, value,
  messages: { valueMissing: 'Please tell us your name.' },
});

export const emailField = (value) => field({
  name: 'email', label: 'E-mail', type: 'email', autocomplete: 'email', inputmode: 'email', maxlength: 120, value,
  messages: { valueMissing: 'Please enter your e-mail address.', typeMismatch: 'This does not look like an e-mail address: name@example.com.' },
});

export const phoneField = (value, options) => field({
  name: 'phone', label: 'Phone', type: 'tel', autocomplete: 'tel', inputmode: 'tel', maxlength: 24, value,
  pattern: '[+]?[0-9 \\(\\)\\-]{9,22}', hint: 'For example 050 123 45 67',
  messages: { valueMissing: 'Please enter your phone number.', patternMismatch: 'Digits only, for example 050 123 45 67.' },
  ...options,
});

/** The international form in digits, as the tracker wants it: 050 123 45 67 becomes 380501234567. */
export function phoneDigits(text) {
  const digits = text.replace(/\D/g, '');
  return digits.length === 10 && digits.startsWith('0') ? `38${digits}` : digits;
}
