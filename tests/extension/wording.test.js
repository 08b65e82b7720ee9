/** What the person reads: sentences and toasts, in a document of happy-dom. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Window } from 'happy-dom';
import './support/i18n.js';
import { describe } from '../../extension/background/context-menu.js';
import { showToast } from '../../extension/content/toast.js';
import { BowerbirdError, ServerProblem } from '../../extension/lib/errors.js';
import { explain } from '../../extension/ui/pairing-view.js';
import { describeCapture } from '../../extension/popup/wording.js';

const window = new Window({ url: 'https://page.example/' });
const { document } = window;
const NAMES = ['document', 'HTMLElement', 'Node'];
for (const name of NAMES) globalThis[name] = window[name];
globalThis.matchMedia = window.matchMedia.bind(window);
after(() => window.happyDOM.close());

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
