/** What the loop sees of a real page: what scrolls, what it is about, which buttons and captchas count. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Window } from 'happy-dom';
import { showsCaptcha } from '../../extension/content/scroll/captcha.js';
import { findMoreButton } from '../../extension/content/scroll/more-button.js';
import { ScrolledPage, nameSubject } from '../../extension/content/scroll/page.js';
import { findScroller } from '../../extension/content/scroll/scroller.js';

/** Open markup in a window of 1000 × 800; elements have the sizes that `data-box` says. */
function open(html) {
  const window = new Window({
    url: 'https://www.bing.com/images/search?q=bear',
    width: 1000,
    height: 800,
  });
  const { document, HTMLElement } = window;
  document.write(html);
  const sizeOf = (element, at) => Number(element.getAttribute('data-box')?.split(' ')[at] ?? 0);
  const define = (name, get) =>
    Object.defineProperty(HTMLElement.prototype, name, { get, configurable: true });
  define('clientWidth', function () {
    return sizeOf(this, 0);
  });
  define('clientHeight', function () {
    return sizeOf(this, 1);
  });
  define('scrollHeight', function () {
    return sizeOf(this, 2);
  });
  HTMLElement.prototype.getBoundingClientRect = function () {
    return { width: sizeOf(this, 0), height: sizeOf(this, 1) };
  };
  HTMLElement.prototype.checkVisibility = function () {
    return this.getAttribute('data-unseen') === null;
  };
  window.getComputedStyle = ({ style }) => ({ overflowY: style.overflowY });
  Object.defineProperty(document, 'scrollingElement', { value: document.documentElement });
  return document;
}
const idOf = (element) => element.id || element.localName;

// what the page is like, what scrolls
const SCROLLERS = [
  ['<html data-box="1000 800 5000"><body>', 'html'],
  [
    '<html data-box="1000 800 800"><div id=list style="overflow-y: auto" data-box="1000 700 9000">',
    'list',
  ],
  // A document that moves by some pixels, beside a list of thousands.
  [
    '<html data-box="1000 800 860"><div id=list style="overflow-y: scroll" data-box="900 700 9000">',
    'list',
  ],
  [
    '<html data-box="1000 800 800"><div id=menu style="overflow-y: auto" data-box="200 800 9000">',
    'html',
  ],
  [
    '<html data-box="1000 800 800"><div id=long style="overflow-y: hidden" data-box="1000 700 9000">',
    'html',
  ],
  [
    '<html data-box="1000 800 9000"><div id=box style="overflow-y: auto" data-box="900 700 1000">',
    'html',
  ],
  [
    `<html data-box="1000 800 800"><div id=a style="overflow-y: auto" data-box="600 700 9000"></div>
     <div id=b style="overflow-y: auto" data-box="900 700 4000">`,
    'b',
  ],
];
for (const [html, expected] of SCROLLERS) {
  test(`${expected} scrolls in ${html.slice(0, 90)}`, () => {
    assert.equal(idOf(findScroller(open(html))), expected);
  });
}

const address = (page_url, query = null) => ({ engine: 'bing', query, page_url, page_title: '' });
test('a page is about its query, or else about its address without the number of its page', () => {
  const at = (path, query) => nameSubject(address(`https://site.example${path}`, query));
  assert.equal(at('/search?q=bear', 'bear'), at('/search?q=bear&first=36', 'bear'));
  assert.notEqual(at('/search', 'bear'), at('/search', 'bears'));
  assert.equal(at('/gallery/'), at('/gallery/page/2'));
  assert.equal(at('/gallery/p/12/'), at('/gallery'));
  assert.notEqual(at('/gallery'), at('/pictures'));
  assert.notEqual(at('/album/2'), at('/album/3'));
});

// site, markup, whether it is pressed
const BUTTONS = [
  [
    'bing',
    '<div class=mm_seemore><a class=btn_seemore href="/images/search?q=x" data-box="90 30">',
    true,
  ],
  ['bing', '<div class=mm_seemore><a class=btn_seemore href="#" data-box="90 30">', true],
  [
    'bing',
    '<div class=mm_seemore><a class=btn_seemore href="https://ads.example/" data-box="90 30">',
    false,
  ],
  [
    'bing',
    '<div class=mm_seemore><a class=btn_seemore target=_blank href="#" data-box="90 30">',
    false,
  ],
  ['bing', '<div class=mm_seemore><a class=btn_seemore href="#" data-box="0 0">', false],
  ['wikimedia', '<button class=sdms-load-more data-box="90 30">', true],
  ['wikimedia', '<button class=sdms-load-more disabled data-box="90 30">', false],
  ['generic', '<button class=sdms-load-more data-box="90 30">', false],
  ['constructor', '<button data-box="90 30">', false],
];
for (const [engine, html, isPressed] of BUTTONS) {
  test(`${isPressed ? 'pressed' : 'left alone'} on ${engine}: ${html}`, () => {
    assert.equal(findMoreButton(open(html), engine, 'www.bing.com') !== null, isPressed);
  });
}

test('a captcha counts that a person can see, and that was not there all along', () => {
  const large = '<div class=g-recaptcha data-box="300 78"></div>';
  assert.equal(showsCaptcha(open(large)), true);
  assert.equal(showsCaptcha(open('<div class=g-recaptcha data-box="256 60"></div>')), false);
  assert.equal(showsCaptcha(open('<div class=h-captcha data-box="300 78" data-unseen>')), false);
  assert.equal(showsCaptcha(open('<p>nothing of the kind</p>')), false);
  const scan = () => ({ candidates: [], origin: address('https://a.example/'), state: 'ok' });
  const guarded = open('<html data-box="1000 800 800">');
  const page = new ScrolledPage(guarded, scan);
  assert.equal(page.read().isBlocked, false);
  guarded.body.innerHTML = large;
  assert.equal(page.read().isBlocked, true);
  assert.equal(new ScrolledPage(open(large), scan).read().isBlocked, false);
});
