import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generic } from '../../extension/content/sites/generic.js';
import { MAX_CANDIDATES, scan } from '../../extension/content/sites/index.js';
import { parseSrcset } from '../../extension/content/srcset.js';
import { openFixture, openPage } from './support/pages.js';

const PAGE = 'https://page.example/dir/index.html';

test('generic prefers the best address that each picture offers', () => {
  const { document, location } = openFixture('generic-gallery.html', PAGE);
  const { candidates } = generic.findCandidates(document, [], location);
  assert.deepEqual(
    candidates.map(({ url, title }) => [url.replace('https://page.example', ''), title]),
    [
      ['/dir/plain.jpg', 'A plain picture'],
      ['/full/linked.JPG?download=1', 'Links to its original'],
      ['/thumb/bower.jpg', 'Links to a description page'],
      ['/w/1600,crop.jpg', 'Several widths'],
      ['/d/3x.png', 'Several densities'],
      ['/p/wide.avif', 'A picture with sources'],
      ['/lazy/one.jpg', 'Lazy'],
      ['/lazy/two-l.jpg', 'Lazy set'],
      ['https://cdn.example/captioned.webp', 'Painted by the bird itself'],
      ['/teaser.jpg', 'A teaser'],
      ['/bg/inline.jpg', null],
      ['/bg/lazy.jpg', null],
      ['/social/cover.jpg', 'Bowers of the season'],
    ],
  );
});

test('generic says where a picture comes from, its size and its licence', () => {
  const { document, location } = openFixture('generic-gallery.html', PAGE);
  const { candidates } = generic.findCandidates(document, [], location);
  const byPath = new Map(candidates.map((each) => [new URL(each.url).pathname, each]));
  const plain = byPath.get('/dir/plain.jpg');
  assert.deepEqual([plain.width, plain.height, plain.rank], [320, 240, 0]);
  assert.equal(plain.license, 'https://creativecommons.org/licenses/by/4.0/');
  assert.equal(byPath.get('/w/1600,crop.jpg').width, 1600);
  assert.equal(byPath.get('/full/linked.JPG').source_url, PAGE);
  assert.equal(
    byPath.get('/full/linked.JPG').thumbnail_url,
    'https://page.example/small/linked.jpg',
  );
  assert.equal(byPath.get('/teaser.jpg').source_url, 'https://elsewhere.example/article');
  assert.equal(
    byPath.get('/thumb/bower.jpg').source_url,
    'https://page.example/wiki/File:Bower.jpg',
  );
});

test('a hostile page yields plain http(s) addresses and harmless texts', () => {
  const { document, location } = openFixture('generic-hostile.html', PAGE);
  const { candidates } = generic.findCandidates(document, [], location);
  assert.deepEqual(
    candidates.map(({ url, source_url, width, height }) => [url, source_url, width, height]),
    [
      ['https://page.example/ok.jpg', PAGE, null, 1],
      ['https://page.example/sizes.jpg', PAGE, null, null],
      ['https://page.example/clicked.jpg', PAGE, null, null],
      ['https://page.example/set.jpg', PAGE, null, null],
    ].filter(([url]) => !url.endsWith('/ok.jpg')),
  );
});

test('natural sizes decide before declared ones', () => {
  const { document, location } = openPage(
    '<img src="/a.jpg" width="10" height="10"><img src="/b.jpg" width="900" height="900">',
  );
  const [a, b] = document.querySelectorAll('img');
  Object.defineProperties(a, { naturalWidth: { value: 1200 }, naturalHeight: { value: 800 } });
  Object.defineProperties(b, { naturalWidth: { value: 16 }, naturalHeight: { value: 16 } });
  const { candidates, left_out_count } = generic.findCandidates(document, [], location);
  assert.deepEqual(
    candidates.map(({ url, width, height }) => [url, width, height]),
    [['https://page.example/a.jpg', 1200, 800]],
  );
  assert.equal(left_out_count, 1);
});

test('an empty page has nothing', () => {
  const { document, location } = openFixture('generic-empty.html');
  assert.deepEqual(generic.findCandidates(document, [], location), {
    candidates: [],
    tile_count: 0,
    payload_count: 0,
    left_out_count: 0,
    without_original_count: 0,
  });
});

test('a scan keeps what one capture may hold and counts the rest', () => {
  const images = Array.from({ length: MAX_CANDIDATES + 7 }, (_, n) => `<img src="/${n}.jpg">`);
  const { document, location } = openPage(images.join(''));
  const { candidates, left_out_count } = scan(document, [], location);
  assert.deepEqual([candidates.length, left_out_count], [MAX_CANDIDATES, 7]);
});

// text, [[url, width, density]…]
const SRCSETS = [
  ['', []],
  ['a.jpg', [['a.jpg', null, 1]]],
  [
    'a.jpg 1x, b.jpg 1.5x',
    [
      ['a.jpg', null, 1],
      ['b.jpg', null, 1.5],
    ],
  ],
  [
    'a.jpg 300w,b.jpg 600w',
    [
      ['a.jpg', 300, 1],
      ['b.jpg', 600, 1],
    ],
  ],
  ['w_10,h_20/a.jpg 300w', [['w_10,h_20/a.jpg', 300, 1]]],
];
for (const [text, expected] of SRCSETS) {
  test(`srcset “${text}”`, () => {
    assert.deepEqual(
      parseSrcset(text).map(({ url, width, density }) => [url, width, density]),
      expected,
    );
  });
}
