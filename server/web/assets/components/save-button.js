/**
 * Text that this page holds, saved as a file.
 */
import { h } from '../lib/dom.js';

/**
 * @param {string} name Of the file.
 * @param {string} text What is in it.
 */
export function saveText(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/plain;charset=utf-8' }));
  h('a', { href: url, download: name }).click();
  URL.revokeObjectURL(url);
}

/**
 * @param {string} title On it.
 * @param {string} name Of the file.
 * @param {() => string} text What is in it, made when it is pressed.
 * @returns {HTMLButtonElement} The button that saves it.
 */
export function saveButton(title, name, text) {
  const save = () => saveText(name, text());
  return h('button', { type: 'button', class: 'button small', onclick: save }, title);
}
