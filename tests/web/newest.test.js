import { window } from './support/dom.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alikeView } from '../../server/web/assets/components/alike.js';
import { Labelling } from '../../server/web/assets/components/labelling.js';
import { snapshotDiff } from '../../server/web/assets/components/snapshot-diff.js';
import { show as showTryPage } from '../../server/web/assets/pages/try.js';
import { page } from './support/page.js';
import { later, playServer, until } from './support/server.js';

globalThis.localStorage = window.localStorage;
globalThis.history = window.history;
Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true });
const { document } = window;

const find = (testId) => document.querySelector(`[data-testid=${testId}]`);
const turns = () => new Promise((resolve) => setTimeout(resolve, 20));

/** Answers that come when they are told to, in the order in which they were asked for. */
function queue() {
  const waiting = [];
  const ask = () => {
    waiting.push(later());
    return waiting.at(-1).answer;
  };
  return { waiting, ask };
}

const classified = (label) => ({
  label,
  abstained: false,
  threshold: null,
  predictions: [{ label, probability: 0.9 }],
  milliseconds: 5,
});

async function tryPage() {
  const model = { id: 'M', dataset_id: 'D', stage: 'live', metrics: { error_rate: 0.1 } };
  const answers = queue();
  playServer((path) => {
    if (path === '/models') return { items: [model] };
    return path === '/datasets' ? { items: [{ id: 'D', name: 'bears' }] } : answers.ask();
  });
  const root = document.body.appendChild(document.createElement('main'));
  const route = { query: new URLSearchParams() };
  await showTryPage({ root, route, signal: page.signal });
  const ask = (url) => {
    find('url-input').value = url;
    document.querySelector('form').dispatchEvent(new window.Event('submit', { cancelable: true }));
  };
  const choose = (name) => {
    const input = find('file-input');
    const file = new File(['x'], name, { type: 'image/png' });
    Object.defineProperty(input, 'files', { value: [file], configurable: true });
    input.dispatchEvent(new window.Event('change'));
  };
  return { ask, choose, waiting: answers.waiting };
}

test('of several questions to a model the newest is answered, whichever answer comes first', async () => {
  const { ask, waiting } = await tryPage();
  ask('https://a.example/bear.jpg');
  await until(() => waiting.length === 1);
  ask('https://a.example/bus.jpg');
  await until(() => waiting.length === 2);
  assert.ok(find('classify-url').disabled, 'the newest is still under way');
  waiting[1].give(classified('bus'));
  await until(() => find('top-label'));
  waiting[0].give(classified('bear'));
  await turns();
  assert.match(find('top-label').textContent, /bus/);
  assert.equal(find('message').textContent, '', 'the one that was ended is no failure');
  assert.ok(!find('classify-url').disabled);
});

test('the memory of a picture is given back by the next question', async (t) => {
  const held = new Set();
  t.mock.method(URL, 'createObjectURL', (file) => {
    held.add(`blob:${file.name}`);
    return `blob:${file.name}`;
  });
  t.mock.method(URL, 'revokeObjectURL', (url) => held.delete(url));
  const { ask, choose, waiting } = await tryPage();
  for (const name of ['one', 'two', 'three']) choose(name);
  await until(() => held.has('blob:three'));
  assert.deepEqual([...held], ['blob:three']);
  assert.equal(document.querySelector('.preview img').getAttribute('src'), 'blob:three');
  ask('https://a.example/bus.jpg');
  await until(() => held.size === 0);
  choose('four');
  await until(() => held.size === 1);
  page.leave();
  assert.equal(held.size, 0, 'nor is it kept when the page is left');
  assert.ok(waiting.length >= 2);
});

test('of two comparisons of snapshots the newest is shown', async () => {
  const counts = { total: 9 };
  const snapshots = ['3', '2', '1'].map((id) => ({
    id,
    created_at: '2026-11-22T10:00:00Z',
    counts,
  }));
  const waiting = new Map();
  playServer((path) => {
    waiting.set(path, later());
    return waiting.get(path).answer;
  });
  const query = new URLSearchParams();
  document.body.append(snapshotDiff({ datasetId: 'D', snapshots, query, signal: page.signal }));
  await until(() => waiting.size === 1);
  find('compare-a').value = '1';
  find('compare-a').dispatchEvent(new window.Event('change'));
  await until(() => waiting.size === 2);
  const diff = (added) => ({
    counts: { added },
    added: [],
    removed: [],
    relabelled: [],
    moved: [],
  });
  waiting.get('/snapshots/1/diff/3').give(diff(5));
  await until(() => find('diff').textContent !== '');
  waiting.get('/snapshots/2/diff/3').give(diff(7));
  await turns();
  assert.match(find('diff').textContent, /^added: 5/);
});

const stack = (id) => ({
  near_group: id,
  count: 2,
  images: ['x', 'y'].map((name) => ({ id: `${id}${name}`, label: null, excluded: false })),
});

function stacks() {
  const answers = queue();
  playServer((path) => {
    if (path.endsWith('/stacks')) return answers.ask();
    if (!path.endsWith('/undo')) return { items: [], total: 0, next_cursor: null };
    const action = { id: 'elsewhere', set: { label: 'bus' }, count: 1 };
    return { action, changed: 1, conflicts: [], versions: {} };
  });
  const labelling = new Labelling('D', ['bear'], { onSaid: () => undefined });
  document.body.append(alikeView({ datasetId: 'D', labelling, signal: page.signal }).node);
  const shown = () => document.querySelectorAll('[data-testid=stack]').length;
  const more = () =>
    [...document.querySelectorAll('button')].find((each) => /more/.test(each.textContent));
  return { waiting: answers.waiting, labelling, shown, more };
}
const stackPage = (ids, next_cursor = null) => ({ items: ids.map(stack), total: 9, next_cursor });

test('stacks are shown once: after a second press, and when all is read anew meanwhile', async () => {
  const { waiting, labelling, shown, more } = stacks();
  await until(() => waiting.length === 1);
  waiting[0].give(stackPage(['a', 'b'], 'b'));
  await until(() => more());
  more().click();
  more().click();
  await until(() => waiting.length === 3);
  for (const each of waiting) each.give(stackPage(['c'], 'c'));
  await until(() => shown() === 3);
  await turns();
  assert.equal(shown(), 3);

  more().click();
  await until(() => waiting.length === 4);
  labelling.run({ name: 'undo' }, []);
  await until(() => waiting.length === 5);
  waiting[4].give(stackPage(['a', 'b']));
  await until(() => shown() === 2);
  waiting[3].give(stackPage(['d']));
  await turns();
  assert.equal(shown(), 2);
});

test('who asked for more stacks by the keyboard goes on with what came, or tries again', async () => {
  const { waiting, more } = stacks();
  await until(() => waiting.length === 1);
  waiting[0].give(stackPage(['a'], 'a'));
  await until(() => more());
  more().focus();
  more().click();
  await until(() => waiting.length === 2);
  waiting[1].give(Response.json({ detail: 'no' }, { status: 500 }));
  await until(() => document.querySelector('[role=alert]'));
  assert.equal(document.activeElement.textContent, 'Try again');
  document.activeElement.click();
  await until(() => waiting.length === 3);
  waiting[2].give(stackPage(['b']));
  await until(() => !more() && document.querySelectorAll('[data-testid=stack]').length === 2);
  assert.match(document.activeElement.getAttribute('href'), /bx/);
});
