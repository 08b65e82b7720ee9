import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bing } from '../../extension/content/sites/bing.js';
import { scan } from '../../extension/content/sites/index.js';
import { openFixture } from './support/pages.js';

// file, [tiles, left out, candidates]
const COUNTS = [
  ['bing-results.html', [7, 3, 4]],
  ['bing-broken.html', [9, 0, 2]],
];
for (const [name, expected] of COUNTS) {
  test(`bing counts ${name}`, () => {
    const { document, location } = openFixture(name);
    const { tile_count, left_out_count, candidates } = bing.findCandidates(document, location);
    assert.deepEqual([tile_count, left_out_count, candidates.length], expected);
  });
}

test('bing reads original, source page, thumbnail, title, size and rank', () => {
  const { document, location } = openFixture('bing-results.html');
  const [first, second, third, fourth] = bing.findCandidates(document, location).candidates;
  assert.deepEqual(first, {
    url: 'https://birds.example/full/1.jpg',
    source_url: 'https://birds.example/page/1',
    thumbnail_url: 'https://thumbs.example/th?id=OIP.1&pid=15.1',
    title: 'Satin bowerbird 1',
    width: 1600,
    height: 1200,
    rank: 0,
    license: null,
  });
  assert.equal(second.title, '<b>Tooth-billed</b> & "friends"');
  assert.deepEqual([third.url, third.width], ['http://birds.example/full/3.png?v=2&w=9', null]);
  // The fourth tile repeats the first; the fifth has no `turl` and shows its thumbnail instead.
  assert.deepEqual([fourth.rank, fourth.url], [3, 'https://birds.example/full/5.jpg']);
  assert.equal(fourth.thumbnail_url, 'https://thumbs.example/shown-5.jpg');
});

test('bing lets no address but http(s) through, nor impossible sizes', () => {
  const { document, location } = openFixture('bing-broken.html');
  const { candidates } = bing.findCandidates(document, location);
  assert.deepEqual(
    candidates.map(({ url, source_url, thumbnail_url, width, height }) => [
      url,
      source_url,
      thumbnail_url,
      width,
      height,
    ]),
    [
      [
        'https://birds.example/full/1.jpg',
        'https://birds.example/page/1',
        'https://thumbs.example/th?id=OIP.1&pid=15.1',
        1600,
        1200,
      ],
      ['https://birds.example/full/7.jpg', null, null, null, 1],
    ],
  );
});

test('a page without results is not taken for Bing’s', () => {
  const { document, location } = openFixture('bing-empty.html');
  assert.equal(bing.matches(document, location), false);
  const page = scan(document, location);
  assert.deepEqual([page.origin.engine, page.origin.query], ['generic', 'qqqqzz']);
  assert.deepEqual(page.candidates, []);
});

test('a scan says where and how the results were found', () => {
  const { document, location } = openFixture(
    'bing-results.html',
    'https://www.bing.com/images/search?q=satin+bowerbird',
  );
  assert.deepEqual(scan(document, location).origin, {
    engine: 'bing',
    query: 'satin bowerbird',
    page_url: 'https://www.bing.com/images/search?q=satin+bowerbird',
    page_title: 'satin bowerbird - Search Images',
  });
});
