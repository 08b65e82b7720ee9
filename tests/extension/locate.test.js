/** Which element of a page shows which candidate: what marks in the page are placed by. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { locate, scan } from '../../extension/content/sites/index.js';
import { HOMES, openFixture, openPage } from './support/pages.js';

/** Read a fixture as the text of an answer. */
const answer = (name) =>
  readFileSync(new URL(`../fixtures/pages/${name}`, import.meta.url), 'utf8');
// fixture, answers that its scripts got, [place among the elements of this selector, address]
const BIRD = 'https://birds.example/full/';
const ROWS = [
  ['bing-results.html', [], 'a.iusc', [0, `${BIRD}1.jpg`], [1, `${BIRD}2.jpg`],
    [2, 'http://birds.example/full/3.png?v=2&w=9'], [3, `${BIRD}1.jpg`], [4, `${BIRD}5.jpg`]],
  ['google-tiles.html', [], '[data-docid][data-lpage]', [0, `${BIRD}1.jpg?w=9&v=1`],
    [1, `${BIRD}2.jpg?w=9&v=2`], [2, `${BIRD}3.jpg`]],
  ['google-grid-state.html', [], '[data-tbnid]', [0, `${BIRD}2.jpg?w=9&v=2`],
    [1, `${BIRD}1.jpg?w=9&v=1`]],
  ['duckduckgo-tiles.html', ['duckduckgo-answer.json'], 'figure', [0, `${BIRD}1.jpg`],
    [1, `${BIRD}2.jpg`]],
  ['yandex-old.html', [], '.serp-item', [0, `${BIRD}1.jpg`], [1, `${BIRD}2.jpg`]],
  ['yandex-links.html', [], 'a', [0, `${BIRD}1.jpg`]],
  ['baidu-tiles.html', [], 'li', [0, 'http://birds.example/full/1.jpg'], [1, `${BIRD}2.jpg`]],
  ['ecosia-results.html', [], 'article', [0, `${BIRD}1.jpg`], [1, `${BIRD}2.png`],
    [2, `${BIRD}1.jpg`]],
  ['flickr-model.html', [], '.photo-list-photo-view',
    [0, 'https://live.staticflickr.com/1/2_x_k.jpg'],
    [1, 'https://live.staticflickr.com/1/1_x_k.jpg']],
  ['unsplash-tiles.html', [], 'figure', [0, 'https://images.unsplash.com/photo-1-aa'],
    [2, 'https://images.unsplash.com/flagged/photo-3-cc'],
    [3, 'https://images.unsplash.com/photo-1-aa']],
  ['pinterest-tiles.html', ['pinterest-answer.json'], '[data-test-id]',
    [0, 'https://i.pinimg.com/originals/01/bb/cc/01bbcc.jpg'],
    [2, 'https://i.pinimg.com/originals/02/bb/cc/02bbcc.jpg'],
    [4, 'https://i.pinimg.com/originals/03/bb/cc/03bbcc.jpg']],
  ['wikimedia-tiles.html', ['wikimedia-answer.json'], 'a[class^="sdms"]',
    [0, 'https://upload.wikimedia.org/wikipedia/commons/a/ab/Bird_1.jpg'],
    [1, 'https://upload.wikimedia.org/wikipedia/commons/b/bc/Old.tif'],
    [3, 'https://upload.wikimedia.org/wikipedia/commons/d/de/Bird_%C3%9F.jpg']],
  ['openverse-tiles.html', [], 'a:has(img)', [0, `${BIRD}1.jpg`], [1, `${BIRD}2.jpg`]],
  ['generic-gallery.html', [], 'img[alt^="A p"], img[alt^="Sev"]',
    [0, 'https://page.example/dir/plain.jpg'], [1, 'https://page.example/w/1600,crop.jpg'],
    [2, 'https://page.example/d/3x.png'], [3, 'https://page.example/p/wide.avif']],
]; // prettier-ignore

for (const [name, answers, selector, ...expected] of ROWS) {
  test(`the tiles of ${name} are told from each other`, () => {
    const address = HOMES[name.split('-', 1)[0]] ?? 'https://page.example/dir/index.html';
    const { document, location } = openFixture(name, address);
    const payloads = answers.map(answer);
    const before = document.documentElement.outerHTML;
    const found = locate(document, payloads, location);
    const elements = [...document.querySelectorAll(selector)];
    const located = elements.flatMap((element, place) =>
      found.has(element) ? [[place, found.get(element).url]] : [],
    );
    assert.deepEqual(located, expected);
    // What a mark speaks of is what a capture of the page holds.
    const { candidates } = scan(document, payloads, location);
    for (const candidate of found.values()) {
      assert.deepEqual(
        candidates.find(({ url }) => url === candidate.url),
        candidate,
      );
    }
    assert.equal(document.documentElement.outerHTML, before);
  });
}

test('a picture in a shadow root is located, and none of a captcha', () => {
  const { document, location } = openPage('<div id="host"></div>');
  const root = document.getElementById('host').attachShadow({ mode: 'open' });
  root.innerHTML = '<img src="/inside.jpg" width="200" height="100">';
  const [[element, { url }]] = locate(document, [], location);
  assert.deepEqual([element.tagName, url], ['IMG', 'https://page.example/inside.jpg']);
  const form = '<form id="captcha-form"><img src="/letters.jpg" width="200" height="90"></form>';
  const blocked = openPage(form);
  assert.equal(locate(blocked.document, [], blocked.location).size, 0);
});
