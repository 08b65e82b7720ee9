/** All that is stored in this browser: as a file, or gone. */
import { send } from '../lib/send.js';
import { text, textCount } from '../lib/text.js';
import { armButton } from '../ui/armed-button.js';
import { byId, make, whileBusy } from '../ui/dom.js';

/** @typedef {import('../lib/types.js').QueuedCapture} QueuedCapture */

const FILE_NAME = 'bowerbird-extension.json';

/** Saves and erases it. */
export class DataView {
  /** @param {import('./page.js').Page} page The rest of the page. */
  constructor(page) {
    const save = byId('export', HTMLButtonElement);
    save.addEventListener('click', () => {
      void whileBusy(save, () =>
        page.report(async () => {
          await exportData();
          page.say('good', text('dataExported'));
        }),
      );
    });
    const words = { name: 'dataErase', sure: 'dataEraseSure' };
    armButton(byId('erase', HTMLButtonElement), words, () =>
      page.report(async () => {
        await send('erase-data', null);
        await page.refresh();
        page.say('good', text('dataErased'));
      }),
    );
  }

  /** @param {QueuedCapture[]} captures What waits, and would be lost. */
  show(captures) {
    const warning = byId('data-warning', HTMLElement);
    const count = captures.reduce((sum, { candidate_count }) => sum + candidate_count, 0);
    warning.hidden = count === 0;
    warning.textContent = count === 0 ? '' : textCount('dataEraseWarning', count);
  }
}

/** Save everything as a file, capture by capture: no single message of a browser may hold them all. */
async function exportData() {
  const everything = await send('export-data', null);
  const captures = [];
  for (const { capture_key } of everything.waiting) {
    captures.push(await send('read-capture', { capture_key }));
  }
  const json = JSON.stringify({ ...everything, captures }, null, 2);
  const url = URL.createObjectURL(new Blob([json], { type: 'application/json' }));
  make('a', { href: url, download: FILE_NAME }).click();
  // Later: the browser reads it after the click.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
