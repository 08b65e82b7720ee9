/**
 * Questions that must be answered before going on, as native dialogs: focus is kept inside, Esc says no.
 */
import { h } from '../lib/dom.js';

/**
 * Show a dialog until it closes; it is removed then, and also when the page is left.
 * @param {HTMLDialogElement} dialog Not yet in the document.
 * @param {AbortSignal} signal Of the page.
 * @returns {Promise<string>} The value of the button that closed it; empty for Esc.
 */
export function showDialog(dialog, signal) {
  return new Promise((resolve) => {
    const leave = () => dialog.close('');
    dialog.addEventListener('close', () => {
      signal.removeEventListener('abort', leave);
      const toast = dialog.querySelector('#toast');
      if (toast) document.body.append(toast);
      dialog.remove();
      resolve(dialog.returnValue);
    });
    signal.addEventListener('abort', leave, { once: true });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/**
 * @param {{title: string, text: string, yes: string, isDangerous?: boolean}} question What to ask.
 * @param {AbortSignal} signal Of the page.
 * @returns {Promise<boolean>} Whether the person said yes.
 */
export async function confirmDialog({ title, text, yes, isDangerous = false }, signal) {
  const dialog = h(
    'dialog',
    { class: 'dialog', 'aria-labelledby': 'dialog-title' },
    h(
      'form',
      { method: 'dialog' },
      h('h2', { id: 'dialog-title' }, title),
      h('p', {}, text),
      h(
        'div',
        { class: 'row end' },
        h('button', { class: 'button', value: '', autofocus: true }, 'Cancel'),
        h(
          'button',
          {
            class: isDangerous ? 'button danger' : 'button primary',
            value: 'yes',
            'data-testid': 'confirm-yes',
          },
          yes,
        ),
      ),
    ),
  );
  return (await showDialog(dialog, signal)) === 'yes';
}

/**
 * @param {{title: string, name: string, description: string}} fields What stands there now.
 * @param {AbortSignal} signal Of the page.
 * @returns {Promise<{name: string, description: string} | null>} The new values; null when cancelled.
 */
export async function datasetDialog({ title, name, description }, signal) {
  const nameInput = h('input', { required: true, maxlength: 100, value: name, autofocus: true });
  const textInput = h('textarea', { maxlength: 2000, rows: 3 }, description);
  const dialog = h(
    'dialog',
    { class: 'dialog', 'aria-labelledby': 'dialog-title' },
    h(
      'form',
      { method: 'dialog', class: 'stack' },
      h('h2', { id: 'dialog-title' }, title),
      h('label', { class: 'field' }, 'Name', nameInput),
      h('label', { class: 'field' }, 'Description', textInput),
      h(
        'div',
        { class: 'row end' },
        // The first button of a form is the one that Enter presses: cancel must not validate, nor be first.
        h('button', { class: 'button primary', value: 'yes' }, 'Save'),
        h('button', { class: 'button', value: '', formnovalidate: true }, 'Cancel'),
      ),
    ),
  );
  if ((await showDialog(dialog, signal)) !== 'yes') return null;
  return { name: nameInput.value.trim(), description: textInput.value.trim() };
}
