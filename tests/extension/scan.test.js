/** How a tab is read: the content script, then the reader of later answers on known sites. */
import './support/i18n.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';

let calls = [];
let answer = async () => [];
globalThis.chrome.scripting = {
  executeScript: async (injection) => {
    calls.push([injection.files[0], injection.world ?? 'ISOLATED']);
    return answer(injection);
  },
};
const { scanTab } = await import('../../extension/background/scan.js');

function play(next) {
  calls = [];
  answer = next;
}
const SCAN = { site: 'Google', candidates: [] };

test('on a known site the reader of later answers follows, in the page’s own world', async () => {
  play(async () => [{ result: { scan: SCAN } }]);
  assert.deepEqual(await scanTab(7), SCAN);
  assert.deepEqual(calls, [
    ['content/boot.js', 'ISOLATED'],
    ['content/reader.js', 'MAIN'],
  ]);
});

test('on any other page nothing is left behind', async () => {
  play(async () => [{ result: { scan: { ...SCAN, site: null } } }]);
  await scanTab(7);
  assert.deepEqual(calls, [['content/boot.js', 'ISOLATED']]);
});

test('a page that refuses the reader is read all the same', async () => {
  play(async ({ world }) => {
    if (world === 'MAIN') throw new Error('Cannot access contents of the page');
    return [{ result: { scan: SCAN } }];
  });
  assert.deepEqual(await scanTab(7), SCAN);
});

// what the browser answers, what the person reads
const FAILURES = [
  [async () => Promise.reject(new Error('Cannot access a chrome:// URL')), /ordinary page/],
  [async () => [{ result: { error: 'TypeError: x' } }], /TypeError: x.*Reload/],
  [async () => [], /no answer/],
];
for (const [next, words] of FAILURES) {
  test(`an unreadable page says ${words.source}`, async () => {
    play(next);
    await assert.rejects(scanTab(7), words);
  });
}

test('a page that never answers is given up', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  play(() => new Promise(() => {}));
  const reading = assert.rejects(scanTab(7), /no answer/);
  t.mock.timers.tick(15_000);
  await reading;
});

test('no page is waited for until it is idle', async () => {
  let injection;
  play(async (asked) => {
    injection = asked;
    return [{ result: { scan: { ...SCAN, site: null } } }];
  });
  await scanTab(7);
  assert.equal(injection.injectImmediately, true);
});
