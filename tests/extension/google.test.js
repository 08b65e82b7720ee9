/** What exactly is read off Google's result pages, in each of their layouts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { google } from '../../extension/content/sites/google.js';
import { openFixture, openPage } from './support/pages.js';

const read = (name) => {
  const { document, payloads, location } = openFixture(name);
  return google.findCandidates(document, payloads, location).candidates;
};
const urls = (name) => read(name).map(({ url }) => url.replace('https://birds.example/full/', ''));

test('google joins tiles and data: original, source page, title, size, licence and credit', () => {
  const [first, second, third, fourth] = read('google-tiles.html');
  assert.deepEqual(first, {
    url: 'https://birds.example/full/1.jpg?w=9&v=1',
    source_url: 'https://birds.example/page/1',
    thumbnail_url: 'https://encrypted-tbn0.gstatic.com/images?q=tbn:T1&s',
    title: 'Satin bowerbird 1',
    width: 1600,
    height: 1200,
    rank: 0,
    license: 'https://creativecommons.org/licenses/by/4.0/ · Ada Bower · Bird Photos',
  });
  assert.equal(second.title, '<b>Tooth-billed</b> & "friends" [0,{');
  // Not in the data, but the person has pointed at it.
  assert.deepEqual(
    [third.url, third.source_url, third.title, third.width, third.height],
    ['https://birds.example/full/3.jpg', 'https://birds.example/page/3', 'Tile title 3', 640, 480],
  );
  // In the data, but not shown yet: after all that is shown.
  assert.deepEqual([fourth.url, fourth.rank], ['https://birds.example/full/9.jpg?w=9&v=9', 3]);
});

// layout, images in order
const LAYOUTS = [
  ['google-grid-state.html', ['2.jpg?w=9&v=2', '1.jpg?w=9&v=1']],
  ['google-escaped.html', ['1.jpg?w=9&v=1']],
  ['google-scroll-answer.txt', ['3.jpg?w=9&v=3', '4.jpg?w=9&v=4']],
  ['google-old-meta.html', ['1.jpg', '2.jpg']],
];
for (const [name, expected] of LAYOUTS) {
  test(`google reads ${name}`, () => assert.deepEqual(urls(name), expected));
}

test('titles survive two levels of escapes', () => {
  assert.equal(read('google-scroll-answer.txt')[1].title, 'Quote " and \\ in it');
});

test('google makes no candidate of scripts, credentials, thumbnails or keys of prototypes', () => {
  const [first, second] = read('google-broken.html');
  assert.deepEqual(
    [first.url, first.source_url, first.width, first.height],
    ['https://birds.example/full/4.jpg?w=9&v=4', null, null, null],
  );
  assert.equal(second.url, 'https://birds.example/full/7.jpg');
});

test('brackets that never close cost bounded time', () => {
  const start = '[0,"abcdefgh",["https://encrypted-tbn0.gstatic.com/';
  const { document, location } = openPage('');
  const startedAt = performance.now();
  const payloads = [start.repeat(100_000), `${'[0,\\x22'.repeat(500_000)} encrypted-tbn`];
  const { candidates } = google.findCandidates(document, payloads, location);
  assert.deepEqual(candidates, []);
  assert.ok(performance.now() - startedAt < 3000);
});

// address, whether it is an image search
const ADDRESSES = [
  ['www.google.com/search?q=owl&udm=2', true],
  ['www.google.co.uk/search?udm=2&q=owl', true],
  ['www.google.de/search?q=owl&tbm=isch&hl=de', true],
  ['www.google.com/sorry/index?continue=x', true],
  ['www.google.com/search?q=owl', false],
  ['www.google.com/search?q=udm=2', false],
  ['www.google.com/search?q=owl&udm=28', false],
  ['www.google.example.org/search?q=owl&udm=2', false],
  ['google.com.evil.example/search?udm=2', false],
];
for (const [address, expected] of ADDRESSES) {
  test(`${address} is ${expected ? '' : 'not '}an image search`, () => {
    assert.equal(google.home.test(address), expected);
  });
}
