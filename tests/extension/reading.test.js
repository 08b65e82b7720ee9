/** What is read off pages piece by piece: addresses, texts, sizes, queries. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toHttpUrl, toPixels, toText } from '../../extension/content/candidates.js';
import { findQuery } from '../../extension/content/query.js';
import { openPage } from './support/pages.js';

const BASE = new URL('https://page.example/dir/page?x=1');
// address as written, address to fetch
const ADDRESSES = [
  ['/a.jpg', 'https://page.example/a.jpg'],
  ['a.jpg#part', 'https://page.example/dir/a.jpg'],
  ['//cdn.example/a b.jpg', 'https://cdn.example/a%20b.jpg'],
  [' http://plain.example/a.jpg\n', 'http://plain.example/a.jpg'],
  ['https://münchen.example/ü.png', 'https://xn--mnchen-3ya.example/%C3%BC.png'],
  ['', null],
  [null, null],
  ['javascript:alert(1)', null],
  ['data:image/png;base64,AA', null],
  ['blob:https://page.example/1', null],
  ['file:///etc/passwd', null],
  ['ftp://page.example/a.jpg', null],
  ['https://user:secret@page.example/a.jpg', null],
  ['http://', null],
  [`/${'x'.repeat(8192)}`, null],
];
for (const [raw, expected] of ADDRESSES) {
  test(`the address ${JSON.stringify(raw)?.slice(0, 50)}`, () => {
    assert.equal(toHttpUrl(raw, BASE), expected);
  });
}

test('texts are tidied and capped', () => {
  assert.equal(toText('  two\n words '), 'two words');
  assert.equal(toText(' \t'), null);
  assert.equal(toText(undefined), null);
  assert.equal(toText('x'.repeat(100_000)).length, 500);
});

// as read, pixels
const SIZES = [
  [1200, 1200],
  ['1200', 1200],
  ['1200px', 1200],
  [0, null],
  ['-5', null],
  ['100%', 100],
  ['auto', null],
  [NaN, null],
  [undefined, null],
  [null, null],
  [1e9, null],
];
for (const [raw, expected] of SIZES) {
  test(`the size ${JSON.stringify(raw)}`, () => {
    assert.equal(toPixels(raw), expected);
  });
}

// name, address, markup, query
const PAGES = [
  ['in the address', 'https://s.example/i?q=red+fox', '', 'red fox'],
  ['under another name', 'https://s.example/i?keyword=fox', '', 'fox'],
  ['in the path', 'https://s.example/s/photos/satin-bowerb%C3%AFrd', '', 'satin bowerbïrd'],
  ['in a path that is no UTF-8', 'https://s.example/s/photos/%FF', '', '%FF'],
  ['in the search field', 'https://s.example/i', '<input name="q" value="red fox">', 'red fox'],
  [
    'in the address before the field',
    'https://s.example/i?q=fox',
    '<input name="q" value="owl">',
    'fox',
  ],
  ['empty', 'https://s.example/i?q=+', '<input name="q" value="">', null],
  ['nowhere', 'https://s.example/i?id=7', '<input name="email" value="a@b.example">', null],
];
for (const [name, address, html, expected] of PAGES) {
  test(`a query ${name}`, () => {
    const { document, location } = openPage(html, address);
    assert.equal(findQuery(document, location), expected);
  });
}
