/** What is said of a page. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import './support/i18n.js';
import { describePage } from '../../extension/lib/page-words.js';

const page = (changes) => ({
  origin: { engine: 'bing', query: 'owl', page_url: '', page_title: '' },
  site: 'Bing',
  state: 'ok',
  candidates: [{}, {}],
  tile_count: 2,
  payload_count: 2,
  left_out_count: 0,
  without_original_count: 0,
  ...changes,
});
const none = { candidates: [], tile_count: 0, payload_count: 0 };
const unknown = { origin: { engine: 'generic', query: null }, site: null };
// what the page holds, summary, note
const PAGES = [
  [page({}), '2 images for “owl” · Bing', null],
  [page({ tile_count: 5, left_out_count: 3 }), '2 images for “owl” · Bing', null],
  [
    page({ state: 'partial', without_original_count: 4 }),
    '2 images for “owl” · Bing',
    /^Bing changed its page: 2 of 6 with originals\.$/,
  ],
  [
    page({ state: 'partial', candidates: Array(99).fill({}), without_original_count: 1 }),
    '99 images for “owl” · Bing',
    /^1 of 100 left out: only a thumbnail is known\.$/,
  ],
  [
    page({ ...none, state: 'partial', without_original_count: 100 }),
    '',
    /^Bing changed its page: 0 of 100 with originals\.$/,
  ],
  [
    page({ state: 'partial', tile_count: 6, without_original_count: 4 }),
    '2 images for “owl” · Bing',
    /^Bing changed its page: 2 of 6 with originals\. Or the rest was loaded before/,
  ],
  [
    page({
      ...none,
      origin: { engine: 'duckduckgo', query: 'owl' },
      site: 'DuckDuckGo',
      state: 'partial',
      tile_count: 3,
      without_original_count: 3,
    }),
    '',
    /^DuckDuckGo changed its page: 0 of 3 with originals\. Or the rest was loaded before/,
  ],
  [page({ ...none, state: 'blocked' }), '', /^Blocked by a captcha: Bing asks/],
  [page({ ...none, state: 'no-results' }), '', /^No results: Bing has no images for “owl”\.$/],
  [page({ ...none, state: 'nothing-found' }), '', /^Nothing found here: this page of Bing/],
  [page({ ...unknown, candidates: [{}] }), '1 image', null],
  [
    page({ ...unknown, ...none, state: 'nothing-found' }),
    '',
    /^Nothing found here: this page shows/,
  ],
  [page({ ...unknown, ...none, state: 'blocked' }), '', /^Blocked by a captcha: This page asks/],
  [
    page({ ...unknown, state: 'partial', without_original_count: 2 }),
    '2 images',
    /^2 of 4 left out: only a thumbnail is known\.$/,
  ],
];
for (const [scan, text, note] of PAGES) {
  test(`a page is summed up: ${text} ${note ?? ''}`, () => {
    const summary = describePage(scan);
    assert.equal(summary.text, text);
    if (note === null) assert.equal(summary.note, null);
    else assert.match(summary.note, note);
  });
}
