/**
 * The list of keys, where labels are given other ones.
 */
import { h, replace, spoken } from '../lib/dom.js';
import { whyNoLabelKey } from '../lib/keymap.js';
import { labelTag } from '../lib/labels.js';
import { showDialog } from './dialogs.js';

/** @typedef {import('./labelling.js').Labelling} Labelling */

/**
 * @param {Labelling} labelling Whose keys.
 * @param {string} label Given another key.
 * @param {string} key One that a label may have.
 * @returns {string} What has changed: the label that had the key gets the former one of this.
 */
function rebound(labelling, label, key) {
  const holder = labelling.keys.get(key);
  labelling.rebind(label, key);
  const now = `“${label}” has the key ${key} now.`;
  if (holder === undefined || holder === label) return now;
  const other = labelling.keyOf(holder);
  return `${now} “${holder}” had it, and has ${other === null ? 'none' : `the key ${other}`} now.`;
}

/**
 * @param {Labelling} labelling Whose keys.
 * @returns {HTMLElement} One field for each label.
 */
function labelKeys(labelling) {
  const message = h('p', { class: 'message', role: 'status', 'data-testid': 'message' });
  /** @type {Map<string, HTMLInputElement>} */
  const fields = new Map();
  const show = () => {
    for (const [label, field] of fields) field.value = labelling.keyOf(label) ?? '';
  };
  const change = (/** @type {string} */ label, /** @type {string} */ typed) => {
    const key = typed.slice(-1).toLowerCase();
    if (key !== '') replace(message, whyNoLabelKey(key) ?? rebound(labelling, label, key));
    show();
  };
  const rows = labelling.labels.map((label) => {
    const field = h('input', {
      class: 'key-field',
      autocomplete: 'off',
      spellcheck: 'false',
      'data-testid': `key-${label}`,
      // What was typed, wherever in the field; a paste has no data of its own.
      oninput: (event) => change(label, (event instanceof InputEvent && event.data) || field.value),
      onfocus: () => field.select(),
    });
    fields.set(label, field);
    return h(
      'li',
      {},
      h('label', { class: 'key-row' }, labelTag(label, labelling.labels), spoken(' key'), field),
    );
  });
  show();
  return h('div', { class: 'stack tight' }, h('ul', { class: 'plain key-list' }, ...rows), message);
}

/**
 * @param {string} text Keys as the lists name them: `Home, End`, `U or Ctrl Z`, `Shift with an arrow`.
 * @returns {(Node | string)[]} Each key as a key, the words between them as words.
 */
function keyCaps(text) {
  return text
    .split(/(, | or | with .*)/)
    .map((part, index) => (index % 2 === 0 && part !== '' ? h('kbd', {}, part) : part));
}

/**
 * @param {Labelling} labelling Whose keys.
 * @param {[string, string][]} commands The other keys of the view, and what they do.
 * @param {AbortSignal} signal Of the page.
 * @returns {Promise<void>} Settled when it is closed.
 */
export async function openKeysDialog(labelling, commands, signal) {
  const help = commands.map(([keys, what]) => [h('dt', {}, ...keyCaps(keys)), h('dd', {}, what)]);
  const dialog = h(
    'dialog',
    { class: 'dialog keys-dialog', 'aria-labelledby': 'keys-title', 'data-testid': 'keys-dialog' },
    h('h2', { id: 'keys-title' }, 'Keys'),
    h(
      'div',
      { class: 'keys-columns' },
      h(
        'section',
        { class: 'stack tight' },
        h('h3', {}, 'Labels'),
        labelling.labels.length > 0
          ? labelKeys(labelling)
          : h('p', { class: 'muted' }, 'This dataset has no label yet.'),
        h(
          'p',
          { class: 'muted small' },
          'Type another key to change one. Kept in this browser for this dataset.',
        ),
      ),
      h(
        'section',
        { class: 'stack tight' },
        h('h3', {}, 'Everything else'),
        h('dl', { class: 'facts' }, ...help.flat()),
      ),
    ),
    h(
      'form',
      { method: 'dialog', class: 'row end' },
      h('button', { class: 'button primary', autofocus: true }, 'Close'),
    ),
  );
  await showDialog(dialog, signal);
}
