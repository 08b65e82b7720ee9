/**
 * Every fixture of every adapter by its counts, and what must hold of all of them: the rows say what
 * was found, `<site>.test.js` what exactly.
 */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { ADAPTERS, scan } from '../../extension/content/sites/index.js';
import { HOMES, openFixture } from './support/pages.js';

const FIXTURES = new URL('../fixtures/pages/', import.meta.url);
// fixture, [tiles, in the data, candidates, left out, without original], state
const ROWS = [
  ['bing-results.html', [7, 5, 4, 3, 0], 'ok'],
  ['bing-broken.html', [9, 7, 2, 0, 7], 'partial'],
  ['bing-cached.html', [3, 3, 2, 0, 1], 'partial'],
  ['bing-empty.html', [0, 0, 0, 0, 0], 'no-results'],
  ['google-tiles.html', [5, 3, 4, 1, 1], 'partial'],
  ['google-grid-state.html', [2, 2, 2, 0, 0], 'ok'],
  ['google-escaped.html', [0, 1, 1, 0, 0], 'ok'],
  ['google-scroll-answer.txt', [0, 2, 2, 0, 0], 'ok'],
  ['google-old-meta.html', [0, 2, 2, 0, 0], 'ok'],
  ['google-broken.html', [3, 7, 2, 0, 6], 'partial'],
  ['google-blocked.html', [0, 0, 0, 0, 0], 'blocked'],
  ['google-blocked-softly.html', [0, 0, 0, 0, 0], 'blocked'],
  ['google-empty.html', [0, 0, 0, 0, 0], 'no-results'],
  ['duckduckgo-answer.json', [0, 3, 2, 1, 0], 'ok'],
  ['duckduckgo-tiles.html', [3, 0, 0, 0, 3], 'partial'],
  ['duckduckgo-broken.json', [0, 4, 1, 0, 3], 'partial'],
  ['duckduckgo-blocked.html', [0, 0, 0, 0, 0], 'blocked'],
  ['duckduckgo-empty.html', [0, 0, 0, 0, 0], 'no-results'],
  ['yandex-state.html', [0, 3, 3, 0, 0], 'ok'],
  ['yandex-answer.json', [0, 2, 2, 0, 0], 'ok'],
  ['yandex-old.html', [3, 0, 2, 0, 1], 'partial'],
  ['yandex-links.html', [2, 0, 1, 0, 1], 'partial'],
  ['yandex-broken.html', [0, 4, 1, 0, 3], 'partial'],
  ['yandex-blocked.html', [0, 0, 0, 0, 0], 'blocked'],
  ['yandex-empty.html', [0, 0, 0, 0, 0], 'no-results'],
  ['baidu-answer.json', [0, 4, 3, 0, 1], 'partial'],
  ['baidu-bad-escapes.json', [0, 1, 1, 0, 0], 'ok'],
  ['baidu-tiles.html', [2, 0, 2, 0, 0], 'ok'],
  ['baidu-broken.json', [0, 4, 2, 0, 2], 'partial'],
  ['baidu-blocked.html', [0, 0, 0, 0, 0], 'blocked'],
  ['baidu-empty.html', [0, 0, 0, 0, 0], 'no-results'],
  ['ecosia-results.html', [3, 0, 2, 1, 0], 'ok'],
  ['ecosia-broken.html', [5, 0, 1, 0, 4], 'partial'],
  ['ecosia-blocked.html', [0, 0, 0, 0, 0], 'blocked'],
  ['ecosia-empty.html', [0, 0, 0, 0, 0], 'no-results'],
  ['flickr-model.html', [3, 2, 2, 0, 1], 'partial'],
  ['flickr-wrapped.txt', [0, 1, 1, 0, 0], 'ok'],
  ['flickr-answer.json', [0, 2, 2, 0, 0], 'ok'],
  ['flickr-broken.html', [0, 1, 0, 0, 1], 'partial'],
  ['flickr-empty.html', [0, 0, 0, 0, 0], 'no-results'],
  ['unsplash-answer.json', [0, 5, 2, 3, 0], 'ok'],
  ['unsplash-tiles.html', [4, 0, 2, 1, 0], 'ok'],
  ['unsplash-broken.html', [4, 2, 1, 0, 5], 'partial'],
  ['unsplash-blocked.html', [0, 0, 0, 0, 0], 'blocked'],
  ['unsplash-empty.html', [0, 0, 0, 0, 0], 'no-results'],
  ['pinterest-answer.json', [0, 4, 2, 2, 0], 'ok'],
  ['pinterest-tiles.html', [6, 1, 3, 3, 0], 'ok'],
  ['pinterest-broken.html', [3, 2, 1, 0, 4], 'partial'],
  ['pinterest-empty.html', [0, 0, 0, 0, 0], 'no-results'],
  ['wikimedia-answer.json', [0, 4, 2, 2, 0], 'ok'],
  ['wikimedia-tiles.html', [4, 0, 3, 1, 0], 'ok'],
  ['wikimedia-broken.html', [4, 0, 1, 0, 3], 'partial'],
  ['wikimedia-empty.html', [0, 0, 0, 0, 0], 'no-results'],
  ['openverse-answer.json', [0, 2, 2, 0, 0], 'ok'],
  ['openverse-tiles.html', [3, 2, 2, 0, 1], 'partial'],
  ['openverse-broken.html', [1, 3, 1, 0, 3], 'partial'],
  ['openverse-empty.html', [0, 0, 0, 0, 0], 'no-results'],
];
const siteOf = (name) => name.split(/[-.]/, 1)[0];

for (const [name, counts, state] of ROWS) {
  test(`${name} is read as ${state}, ${counts}`, () => {
    const { document, payloads, location } = openFixture(name, HOMES[siteOf(name)]);
    const before = document.documentElement.outerHTML;
    const page = scan(document, payloads, location);
    const { tile_count, payload_count, candidates, left_out_count, without_original_count } = page;
    assert.equal(page.origin.engine, siteOf(name));
    assert.deepEqual(
      [tile_count, payload_count, candidates.length, left_out_count, without_original_count],
      counts,
    );
    assert.equal(page.state, state);
    assert.deepEqual(
      candidates.map(({ rank }) => rank),
      candidates.map((_, place) => place),
    );
    for (const { url, source_url, thumbnail_url } of candidates) {
      for (const each of [url, source_url, thumbnail_url]) {
        assert.ok(each === null || /^https?:\/\/[^@/]+\//.test(each), each);
      }
    }
    assert.equal(Object.prototype.polluted, undefined);
    assert.equal(document.documentElement.outerHTML, before);
  });
}

// A saved page has no address that could tell its site; a blocked or empty one has no shape either.
for (const [name, [, , candidateCount]] of ROWS) {
  if (candidateCount === 0) continue;
  test(`${name} is recognised by its shape`, () => {
    const { document, payloads, location } = openFixture(name);
    const page = scan(document, payloads, location);
    assert.deepEqual([page.origin.engine, page.candidates.length], [siteOf(name), candidateCount]);
  });
}

test('every adapter is registered, the generic one last, and no fixture is without its row', () => {
  const ids = ADAPTERS.map(({ id }) => id);
  const files = readdirSync(new URL('../../extension/content/sites/', import.meta.url));
  assert.deepEqual([...ids, 'index'].map((id) => `${id}.js`).toSorted(), files.toSorted());
  assert.equal(ids.at(-1), 'generic');
  const names = readdirSync(FIXTURES).filter((name) => !name.startsWith('generic-'));
  assert.deepEqual(names.toSorted(), ROWS.map(([name]) => name).toSorted());
});

test('every adapter has three fixtures, one that is blocked or empty and one that is broken', () => {
  const names = readdirSync(FIXTURES);
  for (const { id } of ADAPTERS) {
    const own = names.filter((name) => siteOf(name) === id);
    assert.ok(own.length >= 3, id);
    assert.ok(
      own.some((name) => /-(?:blocked|empty)/.test(name)),
      id,
    );
    assert.ok(
      own.some((name) => /-(?:broken|hostile)/.test(name)),
      id,
    );
  }
});

test('every adapter but the generic one has a name, an address and marks of its own', () => {
  for (const { id, name, home, blocked, noResults } of ADAPTERS) {
    if (id === 'generic') continue;
    assert.ok(name !== null && home.test(HOMES[id].slice('https://'.length)), id);
    assert.ok(Object.keys({ ...blocked, ...noResults }).length > 0, id);
  }
});
