import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashFor, isSamePage, parseHash } from '../../server/web/assets/lib/router.js';

const ROWS = [
  ['', 'home', null, {}],
  ['#', 'home', null, {}],
  ['#/', 'home', null, {}],
  ['#/try', 'try', null, {}],
  ['#/datasets/01JD', 'datasets', '01JD', {}],
  [
    '#/datasets/01JD?label=teddy+bear&status=ready',
    'datasets',
    '01JD',
    { label: 'teddy bear', status: 'ready' },
  ],
  ['#/datasets/01JD?label=a%3Fb', 'datasets', '01JD', { label: 'a?b' }],
  ['#/datasets/01JD/clean?label=x', 'datasets/clean', '01JD', { label: 'x' }],
  ['#/datasets/%E0%A4%A', 'datasets', '%E0%A4%A', {}],
];

test('a hash is read into page, id and query', () => {
  for (const [hash, page, id, query] of ROWS) {
    const route = parseHash(hash);
    assert.equal(route.page, page, hash);
    assert.equal(route.id, id, hash);
    assert.deepEqual(Object.fromEntries(route.query), query, hash);
  }
});

test('what is written is read back', () => {
  const query = { label: 'crème & brûlée?', status: 'ready' };
  const route = parseHash(hashFor('datasets', '01/JD', query));
  assert.equal(route.page, 'datasets');
  assert.equal(route.id, '01/JD');
  assert.deepEqual(Object.fromEntries(route.query), query);
});

test('a part of a page is written behind what it is of', () => {
  const hash = hashFor('datasets/clean', '01/JD', { split: 'valid' });
  assert.equal(hash, '#/datasets/01%2FJD/clean?split=valid');
  assert.equal(parseHash(hash).page, 'datasets/clean');
  assert.ok(!isSamePage(parseHash('#/datasets/A'), parseHash('#/datasets/A/clean')));
});

test('empty filters leave no trace in the address', () => {
  assert.equal(
    hashFor('datasets', 'A', { label: null, status: '', excluded: undefined }),
    '#/datasets/A',
  );
  assert.equal(hashFor('home'), '#/');
});

test('filters alone do not make another page', () => {
  assert.ok(isSamePage(parseHash('#/datasets/A?label=x'), parseHash('#/datasets/A')));
  assert.ok(!isSamePage(parseHash('#/datasets/A'), parseHash('#/datasets/B')));
});
