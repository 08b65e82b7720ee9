import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generic } from '../../extension/content/sites/generic.js';
import { scan } from '../../extension/content/sites/index.js';
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

test('pictures in open shadow roots are found, with the links around their hosts', () => {
  const { document, location } = openPage(
    '<a href="/full.jpg"><x-photo></x-photo></a><x-outer></x-outer><img src="/light.jpg">',
  );
  const fill = (host, html) => {
    const root = host.attachShadow({ mode: 'open' });
    root.innerHTML = html;
    return root;
  };
  fill(document.querySelector('x-photo'), '<img src="/small.jpg">');
  const outer = fill(document.querySelector('x-outer'), '<x-inner></x-inner>');
  fill(outer.querySelector('x-inner'), '<img src="/nested.jpg"><div data-bg="/bg.jpg"></div>');
  assert.deepEqual(
    generic.findCandidates(document, [], location).candidates.map(({ url }) => url.slice(20)),
    ['/light.jpg', '/full.jpg', '/nested.jpg', '/bg.jpg'],
  );
});

test('backgrounds are found in attributes and in style sheets, icons’ are not', () => {
  const { document, location } = openPage(
    `<style>.hero { background: url("/sheet.jpg") } .icon { background: url(/icon.png) }</style>
     <div class="hero"></div><span class="icon"></span>
     <div style="background: url(data:image/png;base64,AA), url('/second.jpg')"></div>
     <div data-background-image="url(/lazy.jpg)"></div>`,
    undefined,
    { disableComputedStyleRendering: false },
  );
  const icon = document.querySelector('.icon');
  Object.defineProperties(icon, { clientWidth: { value: 16 }, clientHeight: { value: 16 } });
  assert.deepEqual(
    generic.findCandidates(document, [], location).candidates.map(({ url }) => url.slice(20)),
    ['/second.jpg', '/lazy.jpg', '/sheet.jpg'],
  );
});

test('words that link to an image are offered, to a page or to a picture’s own link not', () => {
  const { document, location } = openPage(
    `<a href="/a.JPG?x=1"> A  bird </a> <a href="/page">page</a> <a href="/wiki/File:B.jpg">B</a>
     <a href="/c.png"><img src="/c-small.png"></a>`,
  );
  const { candidates } = generic.findCandidates(document, [], location);
  assert.deepEqual(
    candidates.map(({ url, title }) => [url.slice(20), title]),
    [
      ['/c.png', null],
      ['/a.JPG?x=1', 'A bird'],
    ],
  );
});

test('Wikimedia’s scaled copies give their originals, icons and drawings excepted', () => {
  const base = 'https://upload.wikimedia.org/wikipedia/';
  const { document, location } = openPage(
    `<img src="${base}commons/thumb/a/ab/Bird.jpg/320px-Bird.jpg" width="320" height="200">
     <img src="${base}en/thumb/a/ac/Icon.png/20px-Icon.png" width="20" height="20">
     <img src="${base}commons/thumb/a/ad/Map.svg/400px-Map.svg.png" width="400" height="300">`,
  );
  assert.deepEqual(
    generic.findCandidates(document, [], location).candidates.map(({ url }) => url),
    [`${base}commons/a/ab/Bird.jpg`, `${base}commons/thumb/a/ad/Map.svg/400px-Map.svg.png`],
  );
});

test('thumbnails of the known engines are never offered as originals', () => {
  const { document, location } = openPage(
    ['https://encrypted-tbn0.gstatic.com/images?q=tbn:A', 'https://tse1.mm.bing.net/th?id=OIP.A']
      .map((src) => `<img src="${src}">`)
      .join('') + '<img src="/own.jpg">',
  );
  const page = scan(document, [], location);
  assert.deepEqual(
    [page.candidates.length, page.without_original_count, page.left_out_count, page.state],
    [1, 2, 0, 'partial'],
  );
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

test('a scan keeps as many as are wanted and counts the rest', () => {
  const images = Array.from({ length: 1207 }, (_, n) => `<img src="/${n}.jpg">`);
  const { document, location } = openPage(images.join(''));
  const { candidates, left_out_count } = scan(document, [], location, 1200);
  assert.deepEqual([candidates.length, left_out_count], [1200, 7]);
  assert.equal(scan(document, [], location).candidates.length, 1207);
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
