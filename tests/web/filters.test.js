import './support/dom.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  activeFilters,
  changedQuery,
  facetValues,
  imageQuery,
  stillMatches,
  withoutFilters,
} from '../../server/web/assets/lib/filters.js';

const query = (text) => new URLSearchParams(text);

test('the address is what is asked for', () => {
  assert.deepEqual(imageQuery(query('label=teddy&site=a.example&min_px=200&nonsense=1'), 'ready'), {
    status: 'ready',
    label: 'teddy',
    site: 'a.example',
    min_px: '200',
    excluded: false,
  });
  assert.equal(imageQuery(query('excluded=true'), 'ready').excluded, true);
  assert.equal('excluded' in imageQuery(query(''), 'duplicate'), false);
});

test('a change leaves the other filters as they are', () => {
  const now = changedQuery(query('label=teddy&hint=dark'), { hint: null, q: 'snow' });
  assert.equal(now.toString(), 'label=teddy&q=snow');
  const split = changedQuery(now, { snapshot: 'S', split: 'valid' });
  assert.equal(split.get('split'), 'valid');
  assert.equal(
    changedQuery(split, { split: null }).has('snapshot'),
    false,
    'one without the other',
  );
});

test('filters that are on are said in words, and taken away together', () => {
  const now = query('status=duplicate&label=teddy&reviewed=false&hint=odd-aspect&sort=-size&q=a');
  assert.deepEqual(
    activeFilters(now).map(({ text }) => text),
    ['not reviewed', 'looks odd shape', '“a”'],
  );
  assert.equal(withoutFilters(now).toString(), 'status=duplicate&sort=-size');
});

test('a change may take an image out of the list', () => {
  const image = { label: 'teddy', excluded: false, reviewed_at: null };
  const matches = (asked, change = {}) => stillMatches({ ...image, ...change }, asked);
  assert.equal(matches({ label: 'teddy', excluded: false }), true);
  assert.equal(matches({ label: 'teddy' }, { label: 'grizzly' }), false);
  assert.equal(matches({ excluded: false }, { excluded: true }), false);
  assert.equal(matches({ reviewed: 'false' }, { reviewed_at: '2026-11-22' }), false);
  assert.equal(matches({ reviewed: 'true' }, { reviewed_at: '2026-11-22' }), true);
});

test('what there is to choose from, the most frequent first', () => {
  const facets = {
    engine: [
      { value: 'bing', count: 3 },
      { value: null, count: 9 },
      { value: 'google', count: 5 },
    ],
    reviewed: [{ value: false, count: 1 }],
  };
  const values = (name) => facetValues(facets, name).map(({ value }) => value);
  assert.deepEqual(values('engine'), ['google', 'bing']);
  assert.deepEqual(values('reviewed'), ['false']);
  assert.deepEqual(values('site'), []);
});
