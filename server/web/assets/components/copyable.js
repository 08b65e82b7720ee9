/**
 * Text that is meant to be pasted elsewhere, with a button that copies it.
 */
import { h } from '../lib/dom.js';
import { toast } from './notices.js';

/**
 * @param {string} text What to copy.
 * @param {string} what Its name, for the button.
 * @returns {HTMLElement} The text with its button.
 */
export function copyable(text, what) {
  const copy = () => {
    navigator.clipboard.writeText(text).then(
      () => toast(`Copied ${what}.`),
      () => toast('The browser did not allow copying; select the text instead.'),
    );
  };
  return h(
    'span',
    { class: 'copyable' },
    h('code', {}, text),
    h(
      'button',
      { type: 'button', class: 'button small', 'aria-label': `Copy ${what}`, onclick: copy },
      'Copy',
    ),
  );
}
