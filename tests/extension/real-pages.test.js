/** Runs over pages as search engines really sent them, where they lie beside the checkout. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { scan } from '../../extension/content/sites/index.js';
import { openPage } from './support/pages.js';

const FOLDER = new URL('../../../shared/pages/', import.meta.url);
const FILES = ['bing/search_golang-gopher_2026-04.html', 'bing/async_zhexiantu_2020-11_1item.html'];
const skip = existsSync(FOLDER) ? false : 'no ../shared/pages beside this checkout';

for (const name of FILES) {
  test(`extraction of ${name} equals expected.json`, { skip }, () => {
    const expected = JSON.parse(readFileSync(new URL('expected.json', FOLDER), 'utf8'))[name];
    const html = readFileSync(new URL(name, FOLDER), 'utf8');
    const { document, location } = openPage(html, 'https://www.bing.com/images/search');
    const page = scan(document, location);
    assert.equal(page.origin.engine, 'bing');
    assert.deepEqual(
      page.candidates.map((each) => [
        each.url,
        each.source_url,
        each.title,
        each.width,
        each.height,
      ]),
      expected.map((each) => [
        new URL(each.original).href,
        new URL(each.page).href,
        each.title,
        each.width ?? null,
        each.height ?? null,
      ]),
    );
    if (name.includes('search_')) {
      assert.equal(page.origin.query, 'golang gopher');
      assert.equal(page.left_out_count, 12);
    }
  });
}
