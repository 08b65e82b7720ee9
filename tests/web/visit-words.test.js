/** What a visitor is told of a model. */
import assert from 'node:assert/strict';
import test from 'node:test';

import {
  classNames,
  keptSentence,
  limitSentences,
  qualitySentence,
} from '../../server/web/assets/lib/visit-words.js';

/** @type {import('../../server/web/assets/lib/links.js').PublicModel} */
const MODEL = {
  name: 'bears',
  classes: ['black', 'grizzly', 'teddy'],
  error_rate: 0.05,
  error_rate_interval: [0.02, 0.11],
  baseline_error_rate: 0.6,
  train_count: 400,
  valid_count: 100,
  coverage: 0.95,
  trained_at: '2026-11-22T10:00:00Z',
  card: '# bears',
  kept: 'off',
  answers_per_hour: 1,
  max_image_bytes: 8_000_000,
  expires_at: '2026-12-22T10:00:00Z',
};

test('the quality stands beside what knows nothing', () => {
  const said = qualitySentence(MODEL).replaceAll('\u00a0', ' ');
  assert.match(said, /On 100 images .* named 5 % wrongly \(95 % interval 2 % to 11 %\)/);
  assert.match(said, /most frequent class is wrong for 60 %/);
});

test('a thousand classes are not all named', () => {
  const many = Array.from({ length: 1000 }, (_, place) => `c${String(place)}`);
  assert.match(classNames(many), /^c0, .*, c11 and 988 other classes$/);
  assert.equal(classNames(MODEL.classes), 'black, grizzly, teddy');
});

test('what is kept is said as it is', () => {
  assert.match(keptSentence(MODEL), /nothing of it is kept/);
  assert.match(keptSentence({ ...MODEL, kept: 'counts' }), /only that an answer was given/);
  assert.match(keptSentence({ ...MODEL, kept: 'images' }), /is kept with its answer/);
});

test('the limits name what it knows and how often it may be asked', () => {
  const said = limitSentences(MODEL).join(' ');
  assert.match(said, /knows black, grizzly, teddy, and nothing else/);
  assert.match(said, /ask 1 time an hour/);
});
