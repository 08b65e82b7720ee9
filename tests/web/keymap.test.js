import { window } from './support/dom.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  assignKeys,
  commandFor,
  isHeldDecision,
  isTyping,
  keepChosenKeys,
  readChosenKeys,
  listenToKeys,
  rebind,
  whyNoLabelKey,
} from '../../server/web/assets/lib/keymap.js';

const stroke = (key, held = {}) => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  shiftKey: false,
  ...held,
});
const BEARS = ['black bear', 'grizzly', 'teddy'];

test('labels get 1 to 9, 0, then the letters that mean nothing else', () => {
  const labels = Array.from({ length: 40 }, (_, index) => `label ${String(index)}`);
  const keys = assignKeys(labels, {});
  assert.equal(keys.get('1'), 'label 0');
  assert.equal(keys.get('0'), 'label 9');
  assert.equal(keys.get('a'), 'label 10');
  assert.equal(keys.size, 32, 'the rest is labelled by the list');
  for (const taken of ['k', 'x', 'r', 'u', '?', '/']) assert.equal(keys.has(taken), false);
});

test('a chosen key is kept when labels come and go, a wrong one is passed over', () => {
  const keys = assignKeys(['ant', ...BEARS], { grizzly: 'g', teddy: 'x' });
  assert.equal(keys.get('g'), 'grizzly');
  assert.deepEqual([...keys.values()].sort(), ['ant', ...BEARS].sort());
  assert.equal(keys.get('x'), undefined);
});

test('a key that is taken is swapped', () => {
  const keys = assignKeys(BEARS, {});
  const now = assignKeys(BEARS, rebind(keys, 'teddy', '1'));
  assert.equal(now.get('1'), 'teddy');
  assert.equal(now.get('3'), 'black bear');
  assert.equal(now.get('2'), 'grizzly');
});

test('what each key means', () => {
  const keys = assignKeys(BEARS, {});
  const rows = [
    [stroke('2'), { name: 'label', label: 'grizzly' }],
    [stroke('X'), { name: 'exclude' }], // caps lock
    [stroke('r'), { name: 'review' }],
    [stroke('k'), { name: 'keep' }],
    [stroke('u'), { name: 'undo' }],
    [stroke('z', { ctrlKey: true }), { name: 'undo' }],
    [stroke('Z', { ctrlKey: true, shiftKey: true }), { name: 'redo' }],
    [stroke('z', { metaKey: true }), { name: 'undo' }],
    [stroke('a', { ctrlKey: true }), { name: 'all' }],
    [stroke('?', { shiftKey: true }), { name: 'help' }],
    [stroke('/'), { name: 'search' }],
    [stroke(' '), { name: 'select' }],
    [stroke('Enter'), { name: 'open' }],
    [stroke('Escape'), { name: 'clear' }],
    [stroke('9'), null],
    [stroke('x', { ctrlKey: true }), null],
    [stroke('1', { altKey: true }), null],
    [stroke('F5'), null],
  ];
  for (const [pressed, command] of rows) {
    assert.deepEqual(commandFor(pressed, keys), command, JSON.stringify(pressed));
  }
});

test('a key that is a command cannot be a label’s, and it is said why', () => {
  assert.equal(whyNoLabelKey('t'), null);
  assert.equal(
    whyNoLabelKey('k'),
    '“k” cannot be a label’s key: it means “keep an image as it is”, in the grid and in the cleaner.',
  );
  for (const command of 'krux') assert.match(whyNoLabelKey(command), /it means “/);
  assert.match(whyNoLabelKey('é'), /take a digit or a letter/);
  const keys = assignKeys(BEARS, { teddy: 'k' });
  assert.equal(keys.get('k'), undefined);
  assert.equal(keys.get('3'), 'teddy', 'one that was chosen when K was free is given another');
});

test('a view hears keys until it ends, but for those of fields and dialogs', () => {
  const heard = [];
  const end = new AbortController();
  const press = (key, target = window.document.body) => {
    const event = new window.KeyboardEvent('keydown', { key, bubbles: true, cancelable: true });
    target.dispatchEvent(event);
    return event.defaultPrevented;
  };
  listenToKeys((event) => heard.push(event.key) > 0 && event.key === 'x', end.signal);
  assert.equal(press('x'), true);
  assert.equal(press('q'), false, 'what means nothing is the browser’s');
  const field = window.document.body.appendChild(window.document.createElement('input'));
  press('a', field);
  const dialog = window.document.body.appendChild(window.document.createElement('dialog'));
  dialog.setAttribute('open', '');
  press('b');
  dialog.remove();
  end.abort();
  press('c');
  assert.deepEqual(heard, ['x', 'q']);
});

test('in a field a key is text', () => {
  for (const tag of ['input', 'select', 'textarea']) {
    assert.equal(isTyping(window.document.createElement(tag)), true, tag);
  }
  assert.equal(isTyping(window.document.createElement('button')), false);
  assert.equal(isTyping(window.document), false);
});

test('chosen keys outlive the page, each dataset has its own', () => {
  globalThis.localStorage = window.localStorage;
  keepChosenKeys('D', { teddy: 't' });
  assert.deepEqual(readChosenKeys('D'), { teddy: 't' });
  assert.deepEqual(readChosenKeys('E'), {});
  for (const odd of ['nonsense{', 'null', '[]', '{"teddy": 3}']) {
    window.localStorage.setItem('bowerbird.keys.D', odd);
    assert.deepEqual(readChosenKeys('D'), {}, odd);
  }
});

test('a held key decides once, and still selects and moves on', () => {
  const held = (name) => isHeldDecision({ repeat: true }, { name });
  for (const name of ['label', 'keep', 'exclude', 'review', 'undo', 'redo']) assert.ok(held(name));
  for (const name of ['open', 'select', 'all', 'clear', 'help']) assert.ok(!held(name));
  assert.ok(!isHeldDecision({ repeat: false }, { name: 'label' }));
});
