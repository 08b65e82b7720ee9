import './support/dom.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as format from '../../server/web/assets/lib/format.js';

const NOW = Date.parse('2026-11-22T10:00:00Z');

test('a time is told from now in the largest unit that fits', () => {
  const rows = [
    ['2026-11-22T09:59:55Z', 'just now'],
    ['2026-11-22T09:59:30Z', '30 seconds ago'],
    ['2026-11-22T09:57:01Z', '2 minutes ago'],
    ['2026-11-22T07:00:00Z', '3 hours ago'],
    ['2026-11-21T09:00:00Z', 'yesterday'],
    ['2025-11-01T00:00:00Z', 'last year'],
    ['2026-11-22T10:05:00Z', 'in 5 minutes'],
  ];
  for (const [iso, text] of rows) assert.equal(format.relativeTime(iso, NOW), text);
});

test('a relative time carries the exact one', () => {
  const element = format.timeElement('2026-11-22T09:00:00Z');
  assert.equal(element.getAttribute('datetime'), '2026-11-22T09:00:00Z');
  assert.match(element.getAttribute('title'), /2026/);
});

test('numbers are written for people', () => {
  assert.equal(format.count(12345), '12,345');
  assert.equal(format.plural(1, 'image'), '1 image');
  assert.equal(format.plural(0, 'image'), '0 images');
  assert.equal(format.plural(2, 'address', 'addresses'), '2 addresses');
  assert.equal(format.percent(0.0417), '4.2\u00a0%');
  assert.equal(format.percent(0.973, 0), '97\u00a0%');
  assert.equal(format.bytes(0), '0\u00a0byte');
  assert.equal(format.bytes(23_456), '23\u00a0kB');
  assert.equal(format.bytes(18_400_000), '18.4\u00a0MB');
});

test('a duration has at most two units', () => {
  const rows = [
    [0.84, '0.8 s'],
    [42, '42 s'],
    [185, '3 min 5 s'],
    [7_800, '2 h 10 min'],
  ];
  for (const [seconds, text] of rows) assert.equal(format.duration(seconds), text);
});

test('only web addresses become links', () => {
  assert.equal(format.webUrl('https://example.org/a'), 'https://example.org/a');
  const refused = [
    'javascript:alert(1)',
    'data:text/html,x',
    'file:///etc/passwd',
    'no address',
    '',
    null,
  ];
  for (const url of refused) {
    assert.equal(format.webUrl(url), null);
  }
  assert.equal(format.hostOf('https://example.org:81/a'), 'example.org:81');
  assert.equal(format.hostOf('no address'), 'no address');
});
