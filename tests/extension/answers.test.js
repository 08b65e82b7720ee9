/** The two halves that collect a site's answers: in the page's own world, and in ours. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Window } from 'happy-dom';
import { ANSWER_EVENT, AnswerCollector } from '../../extension/content/answers.js';
import { scan } from '../../extension/content/sites/index.js';
import { openFixture } from './support/pages.js';

const ADDRESS = 'https://duckduckgo.com/?q=owl&ia=images';
const ANSWER = 'https://duckduckgo.com/i.js?q=owl&o=json';
const window = new Window({ url: ADDRESS });
const { document } = window;
const answers = new Map();
const NAMES = ['window', 'document', 'location', 'CustomEvent', 'XMLHttpRequest'];

/** As much of a request as the reader touches, and the page listens to. */
class PlayedRequest extends EventTarget {
  responseType = '';
  send(address) {
    this.responseURL = address;
    this.responseText = answers.get(address);
    if (this.responseType === 'json') this.response = JSON.parse(this.responseText);
    if (this.responseType === 'blob') this.response = 1n; // what JSON can't say
    queueMicrotask(() => this.dispatchEvent(new Event('load')));
  }
}

before(async () => {
  window.fetch = async (address) => {
    if (!answers.has(address)) throw new TypeError('its own failure');
    return {
      url: address,
      clone: () => new Response(answers.get(address)),
      text: async () => answers.get(address),
    };
  };
  window.XMLHttpRequest = PlayedRequest;
  for (const name of NAMES) globalThis[name] = name === 'window' ? window : window[name];
  // Twice, as when the popup is opened twice.
  await import('../../extension/content/reader.js?first');
  await import('../../extension/content/reader.js?second');
});
after(() => {
  for (const name of NAMES) delete globalThis[name];
  return window.happyDOM.close();
});

const settle = () => new Promise((resolve) => setTimeout(resolve, 5));
const load = (address, responseType = '') =>
  new Promise((resolve) => {
    const request = new PlayedRequest();
    request.responseType = responseType;
    request.addEventListener('load', resolve);
    request.send(address);
  });
const tell = (detail) => document.dispatchEvent(new window.CustomEvent(ANSWER_EVENT, { detail }));

test('answers that came before anybody listened are held back, but not without end', async () => {
  for (let index = 0; index < 12; index += 1) {
    answers.set(ANSWER, String(index));
    await load(ANSWER);
  }
  const collector = new AnswerCollector(document);
  assert.deepEqual(collector.read(), ['0', '1', '2', '3', '4', '5', '6', '7']);
});

test('answers with results are handed on once, and the page gets them as ever', async () => {
  const collector = new AnswerCollector(document);
  answers.set(ANSWER, '{"by":"fetch"}');
  assert.equal(await (await window.fetch(ANSWER)).text(), '{"by":"fetch"}');
  await settle();
  answers.set(ANSWER, '{"by":"request"}');
  await load(ANSWER);
  await load(ANSWER, 'json');
  assert.deepEqual(collector.read(), ['{"by":"fetch"}', '{"by":"request"}', '{"by":"request"}']);
});

test('what is no answer with results, or none at all, is not handed on', async () => {
  const collector = new AnswerCollector(document);
  for (const address of [
    'https://duckduckgo.com/t/page_load',
    'https://duckduckgo.com.evil.example/i.js?q=owl',
    'https://mail.example/search?q=owl',
    'not an address:',
  ]) {
    answers.set(address, 'private');
    await window.fetch(address);
    await load(address);
  }
  answers.set(ANSWER, '{}');
  await load(ANSWER, 'blob');
  answers.set(ANSWER, 'x'.repeat(4_000_001));
  await load(ANSWER);
  await settle();
  assert.deepEqual(collector.read(), []);
});

test('a page whose requests fail sees its own failure, and nothing is handed on', async () => {
  const collector = new AnswerCollector(document);
  await assert.rejects(window.fetch('https://down.example/'), /its own failure/);
  await settle();
  assert.deepEqual(collector.read(), []);
});

test('forged answers are bounded', () => {
  const collector = new AnswerCollector(document);
  for (const detail of [null, undefined, 7, {}, ['x'], 'x'.repeat(4_000_001)]) tell(detail);
  assert.deepEqual(collector.read(), []);
  for (let n = 0; n < 600; n += 1) tell(String(n));
  assert.deepEqual([collector.read().length, collector.read()[0]], [500, '100']);
  for (let n = 0; n < 20; n += 1) tell('x'.repeat(4_000_000));
  assert.ok(collector.length <= 32_000_000);
  assert.equal(collector.read().length, 8);
});

test('answers to another query are not this page’s', () => {
  const collector = new AnswerCollector(document);
  tell('of owls');
  window.happyDOM.setURL('https://duckduckgo.com/?q=bear&ia=images');
  tell('of bears');
  assert.deepEqual(collector.read(), ['of bears']);
  window.happyDOM.setURL(ADDRESS);
  assert.deepEqual(collector.read(), ['of owls']);
});

test('collected answers give the tiles of the page their originals', () => {
  const collector = new AnswerCollector(document);
  tell(openFixture('duckduckgo-answer.json').payloads[0]);
  const page = openFixture('duckduckgo-tiles.html', ADDRESS);
  assert.equal(scan(page.document, [], page.location).candidates.length, 0);
  assert.equal(scan(page.document, collector.read(), page.location).candidates.length, 2);
});
