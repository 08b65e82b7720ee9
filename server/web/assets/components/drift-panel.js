/**
 * Whether what a model is asked is still what it was validated on: a block and an alert.
 */
import { h, replace } from '../lib/dom.js';
import { listModels, readDrift } from '../lib/resources.js';
import { hashFor } from '../lib/router.js';
import { plainTable } from './figures.js';

/** @typedef {import('../lib/types.js').Drift} Drift */

/** @type {Record<string, string>} */
const TITLES = {
  'label-mix': 'Labels',
  confidence: 'Sureness',
  abstention: 'Abstaining',
  embedding: 'Images',
};

/**
 * @param {Drift} drift What was found.
 * @returns {HTMLElement} The sentence, loud when it is an alert.
 */
export function driftMessage(drift) {
  return h(
    'p',
    { class: drift.is_alert ? 'message is-error' : 'muted', 'data-testid': 'drift-sentence' },
    drift.sentence,
  );
}

/**
 * @param {Drift} drift What was found.
 * @returns {HTMLElement} The block beside a model.
 */
export function driftPanel(drift) {
  const rows = drift.tests.map((test) => [
    TITLES[test.kind] ?? test.kind,
    test.effect.toFixed(2),
    test.p_value < 0.001 ? '< 0.001' : test.p_value.toFixed(3),
  ]);
  return h(
    'section',
    { class: 'card stack', 'data-testid': 'drift' },
    h('h2', {}, 'Has it drifted?'),
    driftMessage(drift),
    ...drift.tests.map((test) => h('p', {}, test.sentence)),
    rows.length > 0 && plainTable('Tests of drift', ['What', 'Effect', 'p'], rows),
    ...drift.notes.map((note) => h('p', { class: 'muted small' }, note)),
  );
}

/**
 * @param {string} datasetId Of which dataset.
 * @param {AbortSignal} signal Of the page.
 * @returns {HTMLElement} Empty, until the dataset's live model turns out to have drifted.
 */
export function driftAlert(datasetId, signal) {
  const place = h('div', { 'aria-live': 'polite' });
  const look = async () => {
    const live = (await listModels({ dataset: datasetId, stage: 'live', limit: 1 }, signal))
      .items[0];
    if (!live) return;
    const drift = await readDrift(live.id, signal);
    if (!drift.is_alert) return;
    const link = h('a', { href: hashFor('models', live.id) }, 'What has shifted');
    replace(place, h('section', { class: 'card stack' }, driftMessage(drift), h('p', {}, link)));
  };
  // A model that cannot be read says so on its own page.
  look().catch(() => replace(place));
  return place;
}
