/**
 * Text that is meant to be pasted elsewhere, with a button that copies it.
 */
import { h } from '../lib/dom.js';
import { toast } from './notices.js';

/**
 * @param {string} text What to copy.
 * @param {string} what Its name.
 * @returns {HTMLElement} The button that copies it.
 */
function copyButton(text, what) {
  const copy = () => {
    navigator.clipboard.writeText(text).then(
      () => toast(`Copied ${what}.`),
      () => toast('The browser did not allow copying; select the text instead.'),
    );
  };
  return h(
    'button',
    { type: 'button', class: 'button small', 'aria-label': `Copy ${what}`, onclick: copy },
    'Copy',
  );
}

/**
 * @param {string} text What to copy.
 * @param {string} what Its name, for the button.
 * @returns {HTMLElement} The text with its button.
 */
export function copyable(text, what) {
  return h('span', { class: 'copyable' }, h('code', {}, text), copyButton(text, what));
}

/**
 * @param {string} text What to copy: lines, which stay lines; a longer one is scrolled.
 * @param {string} what Its name, for the button.
 * @returns {HTMLElement} The lines with their button.
 */
export function copyableLines(text, what) {
  const box = { class: 'scroll-x', tabindex: 0, role: 'region', 'aria-label': what };
  const lines = h('pre', box, h('code', {}, text));
  return h('div', { class: 'copyable-lines' }, lines, copyButton(text, what));
}
