import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ulid } from '../../extension/lib/ulid.js';

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
