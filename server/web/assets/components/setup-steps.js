/**
 * How to load the extension: public, since a first visit needs it before there is anything to sign in to.
 */
import { h } from '../lib/dom.js';
import { copyable } from './copyable.js';

/**
 * @param {string | null} path The extension's folder, when the server told it.
 * @returns {HTMLElement} Its name, to be pasted into the file dialog.
 */
function folder(path) {
  return path ? copyable(path, 'the folder’s path') : h('code', {}, 'extension');
}

/**
 * @param {string | null} path The extension's folder, when known.
 * @returns {HTMLElement} Instructions for both browsers; the one in use comes first.
 */
export function loadInstructions(path) {
  const chromium = h(
    'div',
    { class: 'instruction' },
    h('h3', {}, 'Chrome, Edge, Brave, Chromium'),
    h(
      'ol',
      {},
      h('li', {}, 'Open ', copyable('chrome://extensions', 'the address')),
      h('li', {}, 'Switch on ', h('strong', {}, 'Developer mode')),
      h('li', {}, h('strong', {}, 'Load unpacked'), ' and choose the folder ', folder(path)),
    ),
  );
  const firefox = h(
    'div',
    { class: 'instruction' },
    h('h3', {}, 'Firefox'),
    h(
      'ol',
      {},
      h('li', {}, 'Open ', copyable('about:debugging', 'the address')),
      h(
        'li',
        {},
        h('strong', {}, 'This Firefox'),
        ', then ',
        h('strong', {}, 'Load Temporary Add-on'),
      ),
      h(
        'li',
        {},
        'Choose ',
        folder(path === null ? null : `${path}/manifest.json`),
        path ? '' : ' / manifest.json',
      ),
    ),
  );
  const isFirefox = navigator.userAgent.includes('Firefox');
  return h(
    'div',
    { class: 'instructions' },
    ...(isFirefox ? [firefox, chromium] : [chromium, firefox]),
  );
}
