import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ulid, ulidSeries } from '../../extension/lib/ulid.js';

test('a ULID has the specified form', () => {
  // The example of https://github.com/ulid/spec encodes 1469918176385.
  assert.equal(ulid(1469918176385, new Uint8Array(16)), '01ARYZ6S410000000000000000');
  assert.match(ulid(), /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
});

test('ULIDs sort by time and never repeat', () => {
  const made = Array.from({ length: 500 }, (_, index) => ulid(1_800_000_000_000 + index));
  assert.deepEqual(made, made.toSorted());
  assert.equal(new Set(Array.from({ length: 2000 }, () => ulid(0))).size, 2000);
});

test('a series sorts in its order, is the same for the same seed, and has an end', () => {
  const seed = ulid();
  const series = ulidSeries(seed, 1024);
  assert.deepEqual(series, series.toSorted());
  assert.equal(new Set(series).size, 1024);
  assert.deepEqual(ulidSeries(seed, 40), series.slice(0, 40));
  for (const key of series) assert.match(key, /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
  assert.throws(() => ulidSeries(seed, 1025), RangeError);
});
