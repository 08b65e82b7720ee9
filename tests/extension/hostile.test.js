/** Pages that mean harm: huge, endless, or made to slip something past the adapters. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ADAPTERS, MAX_CANDIDATES, scan } from '../../extension/content/sites/index.js';
import { HOMES, openPage } from './support/pages.js';

const HUGE = 2_000_000;
/** Of processor time, whatever else the machine does: a regular expression gone astray needs hours. */
const MAX_CPU_MS = 20_000;
const sites = ADAPTERS.filter(({ id }) => id !== 'generic');

function timed(run) {
  const before = process.cpuUsage();
  const result = run();
  const { user, system } = process.cpuUsage(before);
  assert.ok((user + system) / 1000 < MAX_CPU_MS);
  return result;
}

test('100,000 images are bounded', () => {
  const images = Array.from({ length: 100_000 }, (_, n) => `<img src="/${n}.jpg">`).join('');
  const { document, location } = openPage(images);
  const page = timed(() => scan(document, [], location));
  assert.equal(page.candidates.length, MAX_CANDIDATES);
  assert.ok(page.tile_count <= 5000);
});

// what is huge, as markup
const HUGE_ATTRIBUTES = [
  ['srcset', `<img srcset="${'a'.repeat(HUGE)}">`],
  ['srcset of commas', `<img srcset="${'a,,,,'.repeat(HUGE / 5)}">`],
  ['style', `<div style="background: ${'url('.repeat(HUGE / 4)}"></div>`],
  ['style of quotes', `<div style="background: ${"url('".repeat(HUGE / 5)}"></div>`],
  ['address', `<img src="/${'x'.repeat(HUGE)}">`],
  ['title', `<img src="/a.jpg" alt="${'x '.repeat(HUGE / 2)}">`],
  ['Bing’s data', `<a class="iusc" m="${'{'.repeat(HUGE)}" href="?${'a&'.repeat(HUGE / 2)}"></a>`],
  ['Yandex’s data', `<div data-state="serpList${'['.repeat(HUGE)}"></div>`],
  ['Google’s link', `<div data-docid="x" data-lpage="y"><a href="?imgurl=${'%'.repeat(HUGE)}">`],
];
for (const [name, html] of HUGE_ATTRIBUTES) {
  test(`a huge attribute costs bounded time: ${name}`, () => {
    const { document, location } = openPage(html);
    const { candidates } = timed(() => scan(document, [], location));
    for (const { url, title } of candidates) {
      assert.ok(url.length <= 8192 && (title ?? '').length <= 500);
    }
  });
}

// what is huge, as the text of an answer
const HUGE_ANSWERS = [
  ['deep lists', `{"images":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
  ['many objects', `{"urls":[${'{},'.repeat(HUGE / 4)}{}]}`],
  ['one string', `"${'\\\\x22'.repeat(HUGE / 5)} encrypted-tbn rg_meta"`],
  ['openings of entries', `encrypted-tbn${'[0,"abcdef",["http:'.repeat(HUGE / 20)}`],
  ['openings of models', `modelExport: ${'{"sizes":'.repeat(HUGE / 9)}`],
  [
    'marks of all',
    '"thumbURL" "fromURL" "vqd" "thumbnail" "imageinfo" resource_response '.repeat(9999),
  ],
];
for (const [name, text] of HUGE_ANSWERS) {
  test(`a huge answer costs bounded time: ${name}`, () => {
    for (const { id } of sites) {
      const { document, location } = openPage('', HOMES[id]);
      assert.deepEqual(timed(() => scan(document, [text], location)).candidates, []);
    }
  });
}

test('whatever JSON an answer is, no adapter throws or pollutes a prototype', () => {
  const texts = ['null', '7', '""', '[]', '{}', '[[null]]', 'not JSON', '', ")]}'\n[1]"].concat(
    ['__proto__', 'constructor', 'toString', 'images', 'urls', 'imageinfo', 'sizes', 'legend'].map(
      (key) => `{"${key}": {"${key}": {"polluted": 1}}, "id": {"${key}": []}, "url_o": {}}`,
    ),
  );
  for (const { id } of sites) {
    const { document, location } = openPage('', HOMES[id]);
    assert.deepEqual(scan(document, texts, location).candidates, []);
  }
  assert.equal({}.polluted, undefined);
});

test('markup in titles and queries stays text', () => {
  const text = '<img src=x onerror=alert(1)>';
  const { document, location } = openPage(
    `<title>${text.replace('<', '&lt;')}</title><img src="/a.jpg" alt="${text}">`,
    `https://page.example/?q=${encodeURIComponent(text)}`,
  );
  const { candidates, origin } = scan(document, [], location);
  assert.deepEqual([candidates[0].title, origin.page_title, origin.query], [text, text, text]);
});

test('a captcha under an unknown address is blocked, whatever pictures it has', () => {
  const { document, location } = openPage(
    '<form action="/checkcaptcha?x"><img src="/puzzle.jpg" width="300" height="300"></form>',
  );
  const page = scan(document, [], location);
  assert.deepEqual([page.state, page.candidates], ['blocked', []]);
});
