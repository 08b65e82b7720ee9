/** What this browser may be made to fetch by an address that a stranger wrote. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  isPrivateHost,
  parseImageAddress,
  refererFor,
} from '../../extension/background/image-address.js';

const NO_IMAGE = [
  'javascript:alert(1)',
  'data:image/png;base64,AA==',
  'file:///etc/passwd',
  'ftp://a.example/1.jpg',
  'blob:https://a.example/0000',
  'chrome-extension://abc/popup.html',
  'https://user@a.example/1.jpg',
  'https://:secret@a.example/1.jpg',
  'http://',
  '//a.example/1.jpg',
  '',
];
for (const address of NO_IMAGE) {
  test(`no image is at “${address}”`, () => assert.equal(parseImageAddress(address), null));
}

const PRIVATE = [
  'http://127.0.0.1/',
  'http://127.1/',
  'http://0x7f000001/',
  'http://2130706433/',
  'http://0177.0.0.1/',
  'http://0.0.0.0/',
  'http://10.0.0.1/',
  'http://100.64.0.1/',
  'http://100.127.255.255/',
  'http://169.254.169.254/latest/meta-data/',
  'http://172.16.0.1/',
  'http://172.31.255.255/',
  'http://192.168.1.1/',
  'http://[::1]/',
  'http://[::ffff:192.168.1.1]/',
  'http://[fe80::1]/',
  'http://localhost:8000/',
  'http://LOCALHOST./',
  'http://photos.localhost/',
  'http://router/',
  'http://nas.local/',
  'http://db.internal/',
  'http://printer.home.arpa/',
];
const PUBLIC = [
  'https://a.example/',
  'https://10.example.org/',
  'https://127.0.0.1.example.org/',
  'http://100.63.0.1/',
  'http://100.128.0.1/',
  'http://172.15.0.1/',
  'http://172.32.0.1/',
  'http://192.169.0.1/',
  'http://1.1.1.1/',
  'https://local.example/',
];
for (const [addresses, expected] of [
  [PRIVATE, true],
  [PUBLIC, false],
]) {
  for (const address of addresses) {
    test(`${address} is ${expected ? '' : 'not '}of the person’s own network`, () => {
      assert.equal(isPrivateHost(parseImageAddress(address)), expected);
    });
  }
}

const IMAGE = 'https://img.example/1.jpg';
const REFERERS = [
  ['another site', IMAGE, 'https://blog.example/secret?q=1#top', 'https://blog.example/'],
  [
    'its own site',
    IMAGE,
    'https://img.example/gallery?page=2#top',
    'https://img.example/gallery?page=2',
  ],
  ['another port', IMAGE, 'https://img.example:8443/gallery', 'https://img.example:8443/'],
  ['an open page', IMAGE, 'http://blog.example/a', 'http://blog.example/'],
  ['a page that was encrypted', 'http://img.example/1.jpg', 'https://blog.example/a', null],
  ['no page', IMAGE, null, 'https://img.example/'],
  ['an odd page', IMAGE, 'javascript:alert(1)', 'https://img.example/'],
  ['a page with a password', IMAGE, 'https://u:p@blog.example/', 'https://img.example/'],
];
for (const [name, image, page, expected] of REFERERS) {
  test(`from ${name} an image is asked for as the browser would`, () => {
    assert.equal(refererFor(new URL(image), page), expected);
  });
}
