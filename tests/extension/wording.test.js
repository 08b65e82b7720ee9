/** What the person reads: sentences, toasts and tiles, in a document of happy-dom. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Window } from 'happy-dom';
import { describe } from '../../extension/background/context-menu.js';
import { showToast } from '../../extension/background/toast.js';
import { BowerbirdError, ServerProblem } from '../../extension/lib/errors.js';
import { CandidateGrid } from '../../extension/popup/candidate-grid.js';
import { explain } from '../../extension/popup/pairing-view.js';
import { describeCapture, describePage } from '../../extension/popup/wording.js';

const window = new Window({ url: 'https://page.example/' });
const { document } = window;
const NAMES = ['document', 'HTMLElement', 'Node'];
for (const name of NAMES) globalThis[name] = window[name];
globalThis.matchMedia = window.matchMedia.bind(window);
after(() => window.happyDOM.close());

const page = (changes) => ({
  origin: { engine: 'bing', query: 'owl', page_url: '', page_title: '' },
  site: 'Bing',
  state: 'ok',
  candidates: [{}, {}],
  tile_count: 2,
  payload_count: 2,
  left_out_count: 0,
  without_original_count: 0,
  ...changes,
});
const none = { candidates: [], tile_count: 0, payload_count: 0 };
const unknown = { origin: { engine: 'generic', query: null }, site: null };
// what the page holds, summary, note
const PAGES = [
  [page({}), '2 images for “owl” · Bing', null],
  [page({ tile_count: 5, left_out_count: 3 }), '2 images for “owl” · Bing', null],
  [
    page({ state: 'partial', without_original_count: 4 }),
    '2 images for “owl” · Bing',
    /^Bing changed its page: 2 of 6 with originals\.$/,
  ],
  [
    page({ state: 'partial', candidates: Array(99).fill({}), without_original_count: 1 }),
    '99 images for “owl” · Bing',
    /^1 of 100 left out: only a thumbnail is known\.$/,
  ],
  [
    page({ ...none, state: 'partial', without_original_count: 100 }),
    '',
    /^Bing changed its page: 0 of 100 with originals\.$/,
  ],
  [
    page({ state: 'partial', tile_count: 6, without_original_count: 4 }),
    '2 images for “owl” · Bing',
    /^Bing changed its page: 2 of 6 with originals\. Or the rest was loaded before/,
  ],
  [
    page({
      ...none,
      origin: { engine: 'duckduckgo', query: 'owl' },
      site: 'DuckDuckGo',
      state: 'partial',
      tile_count: 3,
      without_original_count: 3,
    }),
    '',
    /^DuckDuckGo changed its page: 0 of 3 with originals\. Or the rest was loaded before/,
  ],
  [page({ ...none, state: 'blocked' }), '', /^Blocked by a captcha: Bing asks/],
  [page({ ...none, state: 'no-results' }), '', /^No results: Bing has no images for “owl”\.$/],
  [page({ ...none, state: 'nothing-found' }), '', /^Nothing found here: this page of Bing/],
  [page({ ...unknown, candidates: [{}] }), '1 image', null],
  [
    page({ ...unknown, ...none, state: 'nothing-found' }),
    '',
    /^Nothing found here: this page shows/,
  ],
  [page({ ...unknown, ...none, state: 'blocked' }), '', /^Blocked by a captcha: This page asks/],
  [
    page({ ...unknown, state: 'partial', without_original_count: 2 }),
    '2 images',
    /^2 of 4 left out: only a thumbnail is known\.$/,
  ],
];
for (const [scan, text, note] of PAGES) {
  test(`a page is summed up: ${text} ${note ?? ''}`, () => {
    const summary = describePage(scan);
    assert.equal(summary.text, text);
    if (note === null) assert.equal(summary.note, null);
    else assert.match(summary.note, note);
  });
}

const textOf = (content) =>
  content.map((part) => (typeof part === 'string' ? part : part.textContent)).join('');

test('a capture is summed up with its reasons and a link', () => {
  const capture = {
    added: 87,
    known: 3,
    refused: [{ reason: 'bad-url' }, { reason: 'bad-url' }],
    dataset_id: '01D',
    dataset_name: 'bears',
    label: 'grizzly',
  };
  const content = describeCapture(capture, 'http://127.0.0.1:8000', true);
  const expected = '87 added, 3 known, 2 refused (2 × bad-url) · “grizzly” in bears';
  assert.equal(textOf(content), expected);
  assert.equal(content.at(-1).href, 'http://127.0.0.1:8000/#/datasets/01D');
  const earlier = { ...capture, known: 0, refused: [] };
  assert.equal(textOf(describeCapture(earlier, '', false)), 'Last: 87 added · “grizzly” in bears');
});

const problem = (slug, members = {}) =>
  new ServerProblem({ slug, status: 403, detail: 'Detail.', members });
// error, words
const FAILURES = [
  [problem('pairing-code-wrong', { attempts_left: 3 }), /not the code. 3 attempts left/],
  [problem('pairing-code-wrong', { attempts_left: 1 }), /1 attempt left/],
  [problem('pairing-code-wrong'), /^That is not the code.$/],
  [problem('pairing-not-open'), /Show pairing code/],
  [problem('pairing-locked'), /Too many wrong codes/],
  [problem('something-else'), /^Detail.$/],
  [new BowerbirdError('server-down', 'No server.'), /^No server.$/],
];
for (const [error, words] of FAILURES) {
  test(`pairing fails: ${words.source}`, () => assert.match(explain(error), words));
}

const answer = (changes) => ({
  abstained: false,
  dataset_name: 'bears',
  predictions: [0.914, 0.05, 0.02, 0.016].map((probability, n) => ({
    label: `l${n}`,
    probability,
  })),
  ...changes,
});

test('an answer becomes a toast of three bars', () => {
  assert.deepEqual(describe(answer({})), {
    title: 'l0',
    note: 'Model of “bears”',
    bars: [
      { label: 'l0', percent: 91 },
      { label: 'l1', percent: 5 },
      { label: 'l2', percent: 2 },
    ],
    tone: 'answer',
  });
});

test('an abstention says so', () => {
  const toast = describe(answer({ abstained: true, dataset_name: null }));
  assert.deepEqual([toast.title, toast.note], ['Not sure: perhaps l0, perhaps none of these', '']);
});

test('a toast shows texts as texts, replaces the former one, and closes by Esc', () => {
  const label = '<img src=x onerror=alert(1)>';
  showToast({ title: 'Looking…', note: '', bars: [], tone: 'busy' });
  showToast({ title: label, note: 'n', bars: [{ label, percent: 91 }], tone: 'answer' });
  const hosts = document.querySelectorAll('#bowerbird-toast');
  assert.equal(hosts.length, 1);
  const card = hosts[0].shadowRoot.querySelector('[data-testid=toast]');
  assert.equal(card.querySelector('img'), null);
  assert.equal(card.textContent, `${label}${label}91 %n×`);
  assert.equal(card.getAttribute('role'), 'status');
  document.dispatchEvent(new window.KeyboardEvent('keydown', { key: 'Escape' }));
  assert.equal(document.querySelector('#bowerbird-toast'), null);
});

test('a toast closes by its button', () => {
  showToast({ title: 'a', note: '', bars: [], tone: 'error' });
  document.querySelector('#bowerbird-toast').shadowRoot.querySelector('button').click();
  assert.equal(document.querySelector('#bowerbird-toast'), null);
});

test('tiles can be chosen one by one and all at once; known ones are marked', () => {
  const list = document.createElement('ul');
  let changeCount = 0;
  const grid = new CandidateGrid(list, () => (changeCount += 1));
  const candidate = { thumbnail_url: null, title: '<b>x</b>', width: 640, height: 480 };
  grid.show(['a', 'b', 'c'].map((url) => ({ ...candidate, url: `https://p.example/${url}` })));
  const chosen = () => grid.chosen.map(({ url }) => url.at(-1)).join('');
  assert.deepEqual([list.children.length, chosen()], [3, 'abc']);
  assert.equal(list.querySelector('b'), null);
  assert.equal(list.querySelector('.badge').textContent, '640×480');
  assert.equal(list.querySelector('input').getAttribute('aria-label'), '<b>x</b>');
  grid.markKnown([1]);
  assert.deepEqual([chosen(), list.querySelectorAll('.known').length], ['ac', 1]);
  grid.choose((isChosen) => !isChosen);
  assert.equal(chosen(), 'b');
  grid.markKnown([1]); // late: what the person chose stands
  assert.equal(chosen(), 'b');
  grid.forgetChoice();
  grid.markKnown([]);
  assert.deepEqual([chosen(), list.querySelectorAll('.known').length], ['abc', 0]);
  assert.ok(changeCount >= 4);
});
