/**
 * An import from the choice of a file to its end: first only a look, whose report says what would happen, then the
 * import itself. Each stage takes the place of the one before.
 */
import { h, replace } from '../lib/dom.js';
import { bytes, plural } from '../lib/format.js';
import { explainImportError } from '../lib/import-words.js';
import { importFile } from '../lib/resources.js';
import { hashFor } from '../lib/router.js';
import { importReport } from './import-report.js';
import { importSource } from './import-source.js';
import { progressBar } from './progress.js';

/** @typedef {import('../lib/types.js').ImportReport} ImportReport */
/** @typedef {import('./import-source.js').ImportSource} ImportSource */
/** @typedef {import('../lib/dom.js').Child} Child */

/** The panel and where it stands. */
class ImportPanel {
  #datasetId;
  #signal;
  #stage = h('div', { class: 'stack' });
  #running = new AbortController();
  /** How many images the dataset has now, and had when the import began. */
  #total;
  #totalBefore;
  /** Draws how far the server is; null while nothing is imported. @type {(() => void) | null} */
  #follow = null;

  /** @param {{datasetId: string, total: number, signal: AbortSignal}} options Where to, and how many images are there. */
  constructor({ datasetId, total, signal }) {
    this.#datasetId = datasetId;
    this.#signal = signal;
    this.#total = total;
    this.#totalBefore = total;
    this.node = h('section', { class: 'card', 'data-testid': 'import-panel' }, this.#stage);
    this.#choose();
  }

  /** @param {number} total How many images the dataset has now. */
  update(total) {
    this.#total = total;
    this.#follow?.();
  }

  /**
   * @param {string} title Of the stage; it gets the focus, so that the change is read aloud.
   * @param {...Child} content Under it.
   */
  #enter(title, ...content) {
    const heading = h('h2', { tabindex: -1 }, title);
    replace(this.#stage, heading, ...content);
    heading.focus();
  }

  /** @param {unknown} [error] Why the last choice came to nothing. */
  #choose(error) {
    const source = importSource({
      onSource: (chosen) => void this.#check(chosen),
      onError: (failure) => this.#choose(failure),
    });
    const message = h('p', { class: 'message is-error', role: 'alert', 'data-testid': 'message' });
    replace(this.#stage, h('h2', {}, 'What to import'), message, source);
    // Put in after the place is there: only then is it read aloud.
    if (error !== undefined) replace(message, explainImportError(error));
  }

  /** @param {ImportSource} source Looked at by the server; nothing is added. */
  async #check(source) {
    const report = await this.#run(source, true);
    if (report) this.#offer(source, report);
  }

  /**
   * @param {ImportSource} source What was looked at.
   * @param {ImportReport} report What would happen.
   */
  #offer(source, report) {
    const noun = report.format === 'csv' ? ['address', 'addresses'] : ['image', 'images'];
    const go = h(
      'button',
      {
        type: 'button',
        class: 'button primary',
        'data-testid': 'import-go',
        onclick: () => void this.#import(source, report),
      },
      `Import ${plural(report.added, noun[0] ?? '', noun[1])}`,
    );
    const back = h(
      'button',
      { type: 'button', class: 'button', onclick: () => this.#choose() },
      'Choose something else',
    );
    this.#enter(
      `Before anything is added: ${source.name}`,
      importReport(report),
      h('div', { class: 'row' }, report.added > 0 && go, back),
    );
  }

  /**
   * @param {ImportSource} source What is imported.
   * @param {ImportReport} expected What the look at it said.
   */
  async #import(source, expected) {
    this.#totalBefore = this.#total;
    const report = await this.#run(source, false, expected.added);
    if (!report) return;
    const again = h(
      'button',
      { type: 'button', class: 'button', onclick: () => this.#choose() },
      'Import something else',
    );
    const see = h(
      'a',
      { class: 'button primary', href: hashFor('datasets', this.#datasetId) },
      'See the images',
    );
    this.#enter(
      `Imported: ${source.name}`,
      importReport(report),
      h('div', { class: 'row' }, see, again),
    );
  }

  /**
   * Send the file and wait for its report, with progress and a way out.
   * @param {ImportSource} source What to send.
   * @param {boolean} isDryRun Whether it is only looked at.
   * @param {number} [expected] How many images are to come, when known.
   * @returns {Promise<ImportReport | null>} Null when it was stopped or failed, which is shown then.
   */
  async #run(source, isDryRun, expected = 0) {
    this.#running = new AbortController();
    const signal = AbortSignal.any([this.#signal, this.#running.signal]);
    const place = h('div', {});
    const stop = h(
      'button',
      {
        type: 'button',
        class: 'button',
        'data-testid': 'import-cancel',
        onclick: () => this.#running.abort(),
      },
      'Cancel',
    );
    this.#enter(`${isDryRun ? 'Looking through' : 'Importing'} ${source.name}`, place, stop);
    try {
      return await importFile(this.#datasetId, source.body, {
        isDryRun,
        signal,
        onSent: ({ sent_bytes, total_bytes }) => {
          const label = `Sending: ${bytes(sent_bytes)} of ${bytes(total_bytes)}`;
          const isSent = sent_bytes >= total_bytes;
          if (!isSent) drawBytes(place, label, sent_bytes, total_bytes);
          else this.#awaitAnswer(place, stop, isDryRun, expected);
        },
      });
    } catch (error) {
      if (!this.#signal.aborted) this.#choose(signal.aborted ? undefined : error);
      return null;
    } finally {
      this.#follow = null;
    }
  }

  /**
   * The file has been sent: from now on the server works.
   * @param {HTMLElement} place Of the bar.
   * @param {HTMLButtonElement} stop Goes: what has arrived is worked through to its end.
   * @param {boolean} isDryRun Whether it is only looked at.
   * @param {number} expected How many images are to come.
   */
  #awaitAnswer(place, stop, isDryRun, expected) {
    if (isDryRun) {
      replace(
        place,
        progressBar({ done: 0, total: 0, label: 'The server reads every image in it' }),
      );
      return;
    }
    if (stop.contains(document.activeElement)) this.#stage.querySelector('h2')?.focus();
    stop.remove();
    const note = 'The file has arrived. You may leave this page: the import goes on without it.';
    this.#follow = () => {
      const done = Math.min(expected, Math.max(0, this.#total - this.#totalBefore));
      replace(place, progressBar({ done, total: expected, label: 'Adding images', message: note }));
    };
    this.#follow();
  }
}

/**
 * @param {HTMLElement} place Filled.
 * @param {string} label Sizes in words.
 * @param {number} value Bytes that have left.
 * @param {number} max All of them.
 */
function drawBytes(place, label, value, max) {
  replace(
    place,
    h('p', { class: 'tabular' }, label),
    h('progress', { value, max, 'aria-label': 'Sending the file' }),
  );
}

/**
 * @param {{datasetId: string, total: number, signal: AbortSignal}} options Where to, how many images are there already,
 *   and when to stop.
 * @returns {{node: HTMLElement, update: (total: number) => void}} The panel; `update` follows the dataset's count.
 */
export function importPanel(options) {
  const panel = new ImportPanel(options);
  return { node: panel.node, update: (total) => panel.update(total) };
}
