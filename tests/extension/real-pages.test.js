/**
 * Runs over pages and answers as the sites really sent them, where they lie beside the checkout. What
 * `expected.json` says was found by an independent script.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { scan } from '../../extension/content/sites/index.js';
import { HOMES, openPage } from './support/pages.js';

const FOLDER = new URL('../../../shared/pages/', import.meta.url);
const skip = existsSync(FOLDER) ? false : 'no ../shared/pages beside this checkout';
const expected = skip ? {} : JSON.parse(readFileSync(new URL('expected.json', FOLDER), 'utf8'));
// Blocked and empty pages, and what is to be said of them.
const STATES = {
  'blocked/ecosia_captcha_2026-06.html': ['ecosia', 'blocked'],
  'blocked/ecosia_images_no_results_2026-05.html': ['ecosia', 'no-results'],
  'blocked/google_captcha_2026-04.html': ['google', 'blocked'],
  'blocked/google_soft_block_2026-07.html': ['google', 'blocked'],
  'blocked/yandex_captcha_2026-04.html': ['yandex', 'blocked'],
};
// Tiles that are no results, and results without an original, where there are any.
const LEFT_OUT = { 'bing/search_golang-gopher_2026-04.html': 12 };
const WITHOUT_ORIGINAL = { 'google/udm2_flower_2026-09-22_excerpt.html': 1 };

function scanFile(name, address) {
  const text = readFileSync(new URL(name, FOLDER), 'utf8');
  const isPage = name.endsWith('.html');
  const { document, location } = openPage(isPage ? text : '', address);
  return scan(document, isPage ? [] : [text], location);
}

const tidy = (text) => text?.replace(/\s+/g, ' ').trim() ?? null;
const byOriginal = (rows) => rows.toSorted(([a], [b]) => (a < b ? -1 : 1));
/** Of a thumbnail the same address, of a licence the same words within ours. */
function assertDetails(candidates, images) {
  const byUrl = new Map(candidates.map((each) => [each.url, each]));
  for (const image of images) {
    const { thumbnail_url, license } = byUrl.get(image.original);
    if (image.thumb !== undefined) assert.equal(thumbnail_url, image.thumb);
    for (const words of [image.license, image.license_url, image.credit]) {
      if (typeof words === 'string') assert.ok(license?.includes(words), `${license}: ${words}`);
    }
  }
}

for (const [name, images] of Object.entries(expected)) {
  const site = STATES[name]?.[0] ?? name.split('/')[0];
  // Under its real address, and under none that is known: then the page's shape must tell.
  for (const address of [HOMES[site], ...(name in STATES ? [] : ['https://saved.example/'])]) {
    test(`extraction of ${name} at ${address} equals expected.json`, { skip }, () => {
      const page = scanFile(name, address);
      assert.equal(page.origin.engine, site);
      assert.deepEqual(
        byOriginal(
          page.candidates.map((each) => [
            each.url,
            each.source_url,
            each.width,
            each.height,
            images.some(({ title }) => title !== undefined) ? each.title : null,
          ]),
        ),
        byOriginal(
          images.map((each) => [
            each.original,
            each.page,
            each.width ?? null,
            each.height ?? null,
            tidy(each.title),
          ]),
        ),
      );
      assertDetails(page.candidates, images);
      const unread = WITHOUT_ORIGINAL[name] ?? 0;
      assert.equal(page.left_out_count, LEFT_OUT[name] ?? 0);
      assert.equal(page.without_original_count, unread);
      assert.equal(page.state, STATES[name]?.[1] ?? (unread > 0 ? 'partial' : 'ok'));
    });
  }
}

test('every real page is expected to hold something, or known to be blocked', { skip }, () => {
  for (const [name, images] of Object.entries(expected)) {
    assert.equal(images.length === 0, name in STATES, name);
  }
});
