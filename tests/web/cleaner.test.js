import { window } from './support/dom.js';
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { meaningOf } from '../../server/web/assets/components/clean-keys.js';
import { Cleaner } from '../../server/web/assets/components/cleaner.js';
import { Labelling } from '../../server/web/assets/components/labelling.js';
import { sleep } from '../../server/web/assets/lib/live.js';
import { page } from './support/page.js';
import { playServer, until } from './support/server.js';

globalThis.localStorage = window.localStorage;
globalThis.Element = window.Element;
afterEach(() => window.localStorage.clear());

const LABELS = ['bear', 'bus'];
const item = (id) => ({
  image_id: id,
  sha256: id,
  label: 'bear',
  split: 'train',
  predicted: 'bus',
  probability: 0.9,
  label_probability: 0.1,
  loss: 2.3,
  reviewed_at: null,
});
const image = (id) => ({
  id,
  dataset_id: 'D',
  version: 1,
  label: 'bear',
  excluded: false,
  reviewed_at: null,
});
const settle = () => sleep(5, page.signal);

/** A cleaner of these images on a server that answers by `answers`, by what the path begins with. */
async function cleaner(ids, answers) {
  const asked = playServer(answers);
  const message = window.document.createElement('p');
  const said = [];
  const labelling = new Labelling('D', LABELS, {
    onSaid: (text) => said.push(text),
    onError: (error) => said.push(error.message),
  });
  const made = new Cleaner({
    items: ids.map(item),
    list: { left: ids.length, judged: 10 },
    labelling,
    message,
    onNextRound: () => asked.push('next round'),
    onElsewhere: (changed) => asked.push(['elsewhere', changed]),
    onSearch: () => asked.push('search'),
    signal: page.signal,
  });
  window.document.body.append(made.node);
  await settle();
  const text = (testId) => made.node.querySelector(`[data-testid=${testId}]`)?.textContent ?? '';
  const press = (key, more = {}) => {
    const event = new window.KeyboardEvent('keydown', {
      key,
      bubbles: true,
      cancelable: true,
      ...more,
    });
    window.document.body.dispatchEvent(event);
  };
  const shown = () => made.node.querySelector('.clean-stage').dataset['id'] ?? null;
  return { made, asked, said, text, press, shown, message };
}

const bulk = (id) => ({ changed: 1, action_id: `A${id}`, conflicts: [], versions: { [id]: 2 } });

test('an image that was deleted in the meantime is passed over', async () => {
  const gone = Response.json({ type: 'x/image-not-found', detail: 'gone' }, { status: 404 });
  const on = await cleaner(['a', 'b'], (path) => (path === '/images/a' ? gone : image('b')));
  assert.equal(on.shown(), 'b');
  assert.match(on.text('verdict'), /1 of 1/);
});

test('an answer before the image is known waits for it, and is given once', async () => {
  let arrive;
  const first = new Promise((resolve) => (arrive = resolve));
  const on = await cleaner(['a', 'b'], async (path, body) => {
    if (path.endsWith('/bulk')) return bulk(body.ids[0]);
    if (path === '/images/a') await first;
    return image(path.split('/').at(-1));
  });
  on.press('x');
  await settle();
  assert.equal(on.shown(), 'a');
  arrive();
  await settle();
  assert.equal(on.shown(), 'b');
  const sent = on.asked.filter(([, path]) => path.endsWith('/bulk'));
  assert.equal(sent.length, 1);
  assert.deepEqual(sent[0][2], {
    ids: ['a'],
    set: { excluded: true, reviewed: true },
    versions: { a: 1 },
  });
});

test('a key that is held down decides about one image', async () => {
  const on = await cleaner(['a', 'b', 'c'], (path, body) =>
    path.endsWith('/bulk') ? bulk(body.ids[0]) : image(path.split('/').at(-1)),
  );
  on.press('k');
  for (let n = 0; n < 5; n += 1) on.press('k', { repeat: true });
  await settle();
  assert.equal(on.shown(), 'b');
  assert.match(on.text('clean-progress'), /8 of 10.*1 kept/);
});

test('in the loupe an answer means what it means beside it', async () => {
  const on = await cleaner(['a', 'b', 'c'], (path, body) => {
    if (path.endsWith('/bulk')) return bulk(body.ids[0]);
    return path.endsWith('/history') ? { items: [] } : image(path.split('/').at(-1));
  });
  const sent = () =>
    on.asked
      .filter(([, path]) => path?.endsWith('/bulk'))
      .map(([, , body]) => [body.ids, body.set]);
  on.press('Enter');
  for (const key of ['1', 'x', '2']) on.press(key);
  await until(() => sent().length === 3);
  assert.deepEqual(sent(), [
    [['a'], { reviewed: true }],
    [['b'], { excluded: true, reviewed: true }],
    [['c'], { label: 'bus', reviewed: true }],
  ]);
  assert.match(on.text('clean-progress'), /1 kept, 1 relabelled, 1 excluded/);
  window.document.querySelector('dialog [data-testid=exclude]').click();
  await until(() => sent().length === 4);
  assert.deepEqual(sent()[3], [['c'], { excluded: true, reviewed: true }], 'a button too');
});

test('what cannot be saved is asked about again, the first of several first', async () => {
  const on = await cleaner(['a', 'b', 'c'], (path) =>
    path.endsWith('/bulk')
      ? Response.json({ detail: 'the disk is full' }, { status: 507 })
      : image(path.split('/').at(-1)),
  );
  for (const key of ['k', 'x', '2']) on.press(key);
  assert.equal(on.shown(), null, 'the next ones are shown at once');
  await settle();
  assert.equal(on.shown(), 'a');
  assert.deepEqual(on.said, Array(3).fill('the disk is full'));
  assert.match(on.text('clean-progress'), /0 kept, 0 relabelled, 0 excluded/);
});

test('undoing what is not of the round is told of', async () => {
  const action = { id: 'A', set: { label: 'bus' }, count: 1 };
  const on = await cleaner(['a'], (path) =>
    path.endsWith('/undo')
      ? { action, changed: 1, conflicts: [], versions: { z: 4 } }
      : image(path.split('/').at(-1)),
  );
  on.press('u');
  await settle();
  assert.deepEqual(on.asked.at(-1), ['elsewhere', ['z']]);
  assert.deepEqual(on.said, ['Undone: label “bus”, 1 image.']);
});

test('at the end Enter goes on while something is left', async () => {
  const on = await cleaner(['a'], (path) => image(path.split('/').at(-1)));
  on.press('ArrowRight');
  assert.match(on.made.node.textContent, /1 image skipped/);
  on.press('Enter');
  assert.equal(on.asked.at(-1), 'next round');
});

test('a server that is away for a moment is not asked without end', async () => {
  const on = await cleaner(['a', 'b'], () => Promise.reject(new TypeError('refused')));
  assert.equal(on.asked.length, 2);
  assert.match(on.message.textContent, /does not answer/);
});

test('what each stroke means here', () => {
  const keys = new Map([['1', 'bear']]);
  const stroke = (key, more = {}) => ({ key, target: window.document.body, ...more });
  const button = window.document.createElement('button');
  const rows = [
    [stroke('ArrowRight'), 1],
    [stroke('ArrowLeft'), -1],
    [stroke('ArrowRight', { altKey: true }), null],
    [stroke('1'), { name: 'label', label: 'bear' }],
    [stroke('k'), { name: 'keep' }],
    [stroke('Enter'), { name: 'open' }],
    [stroke('Enter', { target: button }), null],
    [stroke('k', { target: button }), { name: 'keep' }],
    [stroke(' '), null],
    [stroke('a', { ctrlKey: true }), null],
    [stroke('q'), null],
  ];
  for (const [event, meaning] of rows) {
    assert.deepEqual(meaningOf(event, keys), meaning, JSON.stringify(event.key));
  }
});

test('a label keeps its key when others come, also after a reload', () => {
  const before = new Labelling('D', ['bear', 'teddy']);
  before.rebind('teddy', 't');
  before.setLabels(['ant', 'bear', 'teddy']);
  assert.deepEqual(
    [before.keyOf('bear'), before.keyOf('teddy'), before.keyOf('ant')],
    ['1', 't', '2'],
  );
  const after = new Labelling('D', ['ant', 'bear', 'cat', 'teddy']);
  assert.deepEqual(
    ['ant', 'bear', 'cat', 'teddy'].map((label) => after.keyOf(label)),
    ['2', '1', '3', 't'],
  );
});
