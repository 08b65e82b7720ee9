/** What a page says over the port is a stranger's: kinds, sizes and addresses are checked. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readReport } from '../../extension/background/scroll-messages.js';
import { MAX_SENT_AT_ONCE } from '../../extension/content/scroll/link.js';
import { makeCandidate } from './support/scrolled.js';

const BASE = new URL('https://page.example/');
const read = (message) => readReport(message, BASE);
const readOne = (raw) =>
  read({ type: 'found', id: 1, phase: 'running', candidates: [raw] }).candidates;

const NOT_OURS = [
  null,
  undefined,
  7,
  'found',
  [],
  {},
  { type: 'found' },
  { type: 'found', id: '1', phase: 'running', candidates: [] },
  { type: 'found', id: 1, phase: 'ended', candidates: [] },
  { type: 'found', id: 1, phase: 'running', candidates: 'many' },
  { type: 'found', id: 1, phase: 'running', candidates: Array(MAX_SENT_AT_ONCE + 1).fill({}) },
  { type: 'end', id: 1, end: 'page-left' },
  { type: 'end', id: 1, end: '__proto__' },
  { type: 'hello', id: 1, run_id: 7 },
  { type: 'hello', id: 1, run_id: 'x'.repeat(27) },
  { type: 'capture', id: 1 },
];
for (const message of NOT_OURS) {
  test(`ignored: ${JSON.stringify(message)?.slice(0, 70)}`, () => {
    assert.equal(read(message), null);
  });
}

test('messages of ours are read', () => {
  const hello = { type: 'hello', id: 1, run_id: null };
  assert.deepEqual(read({ ...hello, harm: 1 }), hello);
  assert.deepEqual(read({ type: 'end', id: 2, end: 'goal' }).end, 'goal');
  const candidate = { ...makeCandidate(4), rank: 4 };
  assert.deepEqual(readOne({ ...candidate, harm: 1 }), [candidate]);
});

test('addresses that no page may offer are left out', () => {
  for (const url of [
    'javascript:alert(1)',
    'data:image/png;base64,AA',
    'file:///etc/passwd',
    'https://user:secret@page.example/a.jpg',
    'https://encrypted-tbn0.gstatic.com/images?q=tbn:x',
    `https://page.example/${'x'.repeat(9000)}`,
    7,
    { toString: () => 'https://page.example/a.jpg' },
    null,
  ]) {
    assert.deepEqual(readOne({ ...makeCandidate(0), url }), []);
  }
  for (const value of [null, 7, 'https://page.example/a.jpg']) assert.deepEqual(readOne(value), []);
});

test('fields of the wrong kind are dropped, long texts capped', () => {
  const [candidate] = readOne({
    url: 'https://page.example/a.jpg',
    source_url: 'javascript:alert(1)',
    thumbnail_url: ['https://page.example/t.jpg'],
    title: 'x'.repeat(100_000),
    width: 'Infinity',
    height: '12px',
    rank: -1,
    license: 7,
  });
  assert.equal(candidate.title.length, 500);
  assert.deepEqual(
    { ...candidate, title: '' },
    {
      url: 'https://page.example/a.jpg',
      source_url: null,
      thumbnail_url: null,
      title: '',
      width: null,
      height: 12,
      rank: 0,
      license: null,
    },
  );
});

test('of what is left out, nothing but addresses is read, and no more than the page’s side keeps', () => {
  const report = { type: 'found', id: 1, phase: 'running', candidates: [] };
  const address = 'https://page.example/a.jpg';
  const odd = [address, 7, null, {}, 'x'.repeat(9000)];
  assert.deepEqual(read({ ...report, left_out: odd }).left_out, [address]);
  assert.equal(read({ ...report, left_out: Array(6000).fill(address) }).left_out.length, 5000);
  for (const left_out of [undefined, null, 'a', 7]) {
    assert.equal(read({ ...report, left_out }).left_out, null);
  }
});
