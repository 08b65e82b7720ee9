/** Labels in the order in which a person looks for them. */

import './support/dom.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { labelNames } from '../../server/web/assets/lib/labels.js';

test('numbers in labels count as numbers', () => {
  const labels = { 'grade 10': 1, 'grade 2': 1, bear: 4, 'grade 1': 0, Ant: 2 };
  const dataset = /** @type {any} */ ({ counts: { labels } });
  assert.deepEqual(labelNames(dataset), ['Ant', 'bear', 'grade 1', 'grade 2', 'grade 10']);
});
