/**
 * What was collected when and where, each capture with its undo.
 */
import { h, replace } from '../lib/dom.js';
import { explainError } from '../lib/explain.js';
import { hostOf, plural, timeElement } from '../lib/format.js';
import { labelTag } from '../lib/labels.js';
import { listCaptures, undoCapture } from '../lib/resources.js';
import { confirmDialog } from './dialogs.js';
import { outsideLink } from './facts.js';
import { emptyState, loadingNote, showFailure, toast } from './notices.js';

/** @typedef {import('../lib/types.js').Capture} Capture */

/**
 * @param {Capture} capture Which one.
 * @param {string[]} labels All labels of the dataset.
 * @param {() => void} onUndo Told of a press.
 * @returns {HTMLElement} One card.
 */
function captureRow(capture, labels, onUndo) {
  const known =
    capture.known > 0 ? `, ${plural(capture.known, 'known already', 'known already')}` : '';
  const refused = capture.refused_count > 0 ? `, ${String(capture.refused_count)} refused` : '';
  const where = capture.query
    ? `${capture.engine ?? 'search'}: “${capture.query}”`
    : (capture.page_title ?? hostOf(capture.page_url));
  return h(
    'li',
    { class: 'card row between', 'data-testid': 'capture' },
    h(
      'div',
      { class: 'grow' },
      labelTag(capture.label, labels),
      ' ',
      outsideLink(capture.page_url, where) ?? where,
      h(
        'p',
        { class: 'muted small' },
        `${plural(capture.added, 'image')} added${known}${refused} · `,
        timeElement(capture.captured_at),
      ),
    ),
    h('button', { type: 'button', class: 'button small', onclick: onUndo }, 'Undo'),
  );
}

/**
 * @param {{datasetId: string, labels: string[], signal: AbortSignal}} options Whose captures.
 * @returns {{node: HTMLElement, refresh: () => void}} The view.
 */
export function capturesView({ datasetId, labels, signal }) {
  const node = h('div', {}, loadingNote());
  const undo = async (/** @type {Capture} */ capture) => {
    const question = {
      title: 'Undo this capture?',
      text: `Removes the images that only this capture brought (at most ${String(capture.added)}). Images seen elsewhere stay.`,
      yes: 'Undo capture',
      isDangerous: true,
    };
    if (!(await confirmDialog(question, signal))) return;
    try {
      await undoCapture(capture.id);
      toast('Capture undone.');
    } catch (error) {
      toast(explainError(error));
    }
    refresh();
  };
  const draw = async () => {
    const { items } = await listCaptures(datasetId, signal);
    const newest = [...items].sort((a, b) => b.captured_at.localeCompare(a.captured_at));
    replace(
      node,
      newest.length > 0
        ? h(
            'ul',
            { class: 'plain stack' },
            ...newest.map((item) => captureRow(item, labels, () => void undo(item))),
          )
        : emptyState(
            'No capture yet',
            'Press Capture in the extension on a page of search results.',
          ),
    );
  };
  const refresh = () => void draw().catch((error) => showFailure(node, error, signal, refresh));
  refresh();
  return { node, refresh };
}
