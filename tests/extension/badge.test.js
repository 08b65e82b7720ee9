/** The number on the toolbar button, with a button and a page reader of the test's own. */
import './support/i18n.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Badge } from '../../extension/background/badge.js';
import { BowerbirdError } from '../../extension/lib/errors.js';
import { SEARCH_ORIGINS } from '../../extension/lib/search-hosts.js';
import { HOMES } from './support/pages.js';

/** Make a badge over a page with so many candidates; `shown` gets the texts. */
function makeBadge(count, trouble = null, sitesOff = []) {
  const shown = [];
  const scanned = [];
  const action = {
    setBadgeBackgroundColor: async () => undefined,
    setBadgeText: async ({ tabId, text }) => {
      if (trouble === 'closed') throw new Error('No tab with id: 7.');
      shown.push([tabId, text]);
    },
  };
  const scan = async (tabId) => {
    scanned.push(tabId);
    if (trouble === 'unreadable') throw new BowerbirdError('page-not-readable', 'No.');
    return { candidates: Array(count).fill({}) };
  };
  const readSitesOff = async () => sitesOff;
  return { badge: new Badge({ action, scan, readSitesOff }), shown, scanned };
}

// candidates, text of the badge
for (const [count, text] of [
  [0, ''],
  [1, '1'],
  [100, '100'],
  [1000, '999+'],
]) {
  test(`a page with ${count} images is marked “${text}”`, async () => {
    const { badge, shown } = makeBadge(count);
    assert.equal((await badge.scan(7)).candidates.length, count);
    assert.deepEqual(shown, [[7, text]]);
  });
}

for (const [site, url] of Object.entries(HOMES)) {
  test(`a result page of ${site} is counted when it has loaded, and its host can be allowed`, async () => {
    const { badge, shown } = makeBadge(3);
    await badge.onTabUpdated(7, { status: 'loading' }, { url });
    await badge.onTabUpdated(7, {}, { url });
    assert.deepEqual(shown, []);
    await badge.onTabUpdated(7, { status: 'complete' }, { url });
    assert.deepEqual(shown, [[7, '3']]);
    assert.ok(SEARCH_ORIGINS.includes(`https://${new URL(url).host}/*`));
  });
}

test('the number goes from the tabs of sites that were switched off, and from no other', async () => {
  const { badge, shown } = makeBadge(3, null, ['bing']);
  const tabs = [{ id: 7, url: HOMES.bing }, { id: 8, url: HOMES.google }, { id: 9 }, {}];
  await badge.clearSitesOff(tabs);
  assert.deepEqual(shown, [[7, '']]);
  const closed = makeBadge(3, 'closed', ['bing']);
  await closed.badge.clearSitesOff(tabs);
});

test('a site that is switched off is not read by itself, but when it is asked for', async () => {
  const { badge, shown } = makeBadge(3, null, ['bing']);
  await badge.onTabUpdated(7, { status: 'complete' }, { url: HOMES.bing });
  assert.deepEqual(shown, []);
  await badge.onTabUpdated(8, { status: 'complete' }, { url: HOMES.google });
  await badge.scan(7);
  assert.deepEqual(shown, [
    [8, '3'],
    [7, '3'],
  ]);
});

test('no other page is read', async () => {
  const { badge, scanned } = makeBadge(3);
  const others = [
    undefined,
    'https://www.google.com/search?q=x',
    'https://bank.example/images/search?q=x',
    'https://www.bing.com.evil.example/images/search?q=x',
    'http://www.bing.com/images/search?q=x',
    'chrome://settings/',
  ];
  for (const url of others) await badge.onTabUpdated(7, { status: 'complete' }, { url });
  assert.deepEqual(scanned, []);
});

test('a tab that is gone is nobody’s business', async () => {
  const update = [7, { status: 'complete' }, { url: HOMES.bing }];
  await makeBadge(3, 'unreadable').badge.onTabUpdated(...update);
  await makeBadge(3, 'closed').badge.onTabUpdated(...update);
  await assert.rejects(makeBadge(3, 'unreadable').badge.scan(7), { kind: 'page-not-readable' });
});

test('hosts are exact and of https', () => {
  assert.equal(new Set(SEARCH_ORIGINS).size, SEARCH_ORIGINS.length);
  for (const origin of SEARCH_ORIGINS) assert.match(origin, /^https:\/\/[a-z0-9.-]+\/\*$/);
});
