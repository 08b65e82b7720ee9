import { window } from './support/dom.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { imageView } from '../../server/web/assets/components/image-view.js';
import { Labelling } from '../../server/web/assets/components/labelling.js';
import { PAGE_SIZE } from '../../server/web/assets/lib/image-pages.js';
import { page } from './support/page.js';
import { later, playServer, until } from './support/server.js';

globalThis.window = window;
globalThis.localStorage = window.localStorage;
globalThis.Element = window.Element;
globalThis.requestAnimationFrame = (draw) => setTimeout(draw, 0);
// A toast is taken away after six seconds, which nobody waits for here.
const setTimer = globalThis.setTimeout;
globalThis.setTimeout = (run, delay_ms) => {
  const timer = setTimer(run, delay_ms);
  return delay_ms > 1_000 ? timer.unref() : timer;
};
globalThis.ResizeObserver = class {
  observe() {}
  disconnect() {}
};
const { document } = window;
let width_px = 1_000;
Object.defineProperty(window.HTMLElement.prototype, 'clientWidth', { get: () => width_px });

const TOTAL = 2 * PAGE_SIZE + 50;

/** A view of a list whose first page is there; `answer` says what the others are, given what the server would say. */
async function view(answer = (usual) => usual) {
  playServer((path, _sent, query) => {
    const start = query.get('cursor') ? Number(query.get('cursor')) + 1 : Number(query.get('skip'));
    const end_ = Math.min(TOTAL, start + PAGE_SIZE);
    const items = [];
    for (let id = start; id < end_; id += 1) {
      items.push({ id: String(id), version: 1, label: null, excluded: false, reviewed_at: null });
    }
    const usual = { items, total: TOTAL, next_cursor: end_ < TOTAL ? String(end_ - 1) : null };
    return start === 0 ? usual : answer(usual);
  });
  const toast = document.body.appendChild(document.createElement('div'));
  toast.id = 'toast';
  const labelling = new Labelling('D', ['bear', 'bus']);
  const { node } = imageView({
    datasetId: 'D',
    query: new URLSearchParams(),
    status: 'ready',
    labelling,
    onSearch: () => undefined,
    signal: page.signal,
  });
  document.body.append(node);
  await until(() => document.querySelector('[data-testid=tile] img'));
  return { selection: labelling.selection, toast };
}

function press(key, more = {}) {
  const event = new window.KeyboardEvent('keydown', {
    key,
    bubbles: true,
    cancelable: true,
    ...more,
  });
  (document.activeElement ?? document.body).dispatchEvent(event);
}
const columns = () => document.querySelector('[role=grid]').getAttribute('aria-colcount');
const tile = (index) => document.querySelector(`[data-testid=tile][data-index="${index}"]`);

test('all are selected, also those that were never on the screen', async () => {
  const { selection } = await view();
  press('a', { ctrlKey: true });
  await until(() => selection.size > 0);
  assert.equal(selection.size, TOTAL);
  press('Escape');
  assert.equal(selection.size, 0);
});

test('who lets go of a selection that is still being collected has none', async () => {
  const { answer, give } = later();
  let waiting = 0;
  const { selection } = await view(async (usual) => {
    waiting += 1;
    await answer;
    return usual;
  });
  press('a', { ctrlKey: true });
  await until(() => waiting === 1);
  press('Escape');
  give();
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(selection.size, 0);
});

test('a selection that cannot be collected leaves what was selected before, and says so', async () => {
  const { selection, toast } = await view(() =>
    Response.json({ detail: 'the disk is gone' }, { status: 500 }),
  );
  tile(0).focus();
  press(' ');
  assert.equal(selection.size, 1);
  press('a', { ctrlKey: true });
  await until(() => toast.textContent !== '');
  assert.match(toast.textContent, /Nothing more is selected\. The disk is gone/);
  assert.equal(selection.size, 1);
});

test('the tile that has the keyboard keeps it when the window gets another size', async () => {
  await view();
  tile(0).focus();
  for (let steps = 0; steps < 5; steps += 1) press('ArrowRight');
  assert.equal(document.activeElement, tile(5));
  const before = columns();
  for (const now_px of [400, 1_000, 150]) {
    const former = columns();
    width_px = now_px;
    window.dispatchEvent(new window.Event('resize'));
    await until(() => columns() !== former);
    assert.equal(document.activeElement.dataset.index, '5', `${now_px} px`);
  }
  width_px = 1_000;
  assert.notEqual(before, columns());
});
