/** The scripts of the search sites: where they are registered, and that they replace the former. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { registerSiteScripts } from '../../extension/background/site-scripts.js';
import { SEARCH_ORIGINS, SEARCH_SITES } from '../../extension/lib/search-hosts.js';

/** A browser's registry: refuses a second script of one id, and to forget one that it has not. */
function makeScripting() {
  const scripts = new Map();
  return {
    scripts,
    getRegisteredContentScripts: async ({ ids }) =>
      ids.filter((id) => scripts.has(id)).map((id) => scripts.get(id)),
    registerContentScripts: async (added) => {
      for (const script of added) {
        assert.ok(!scripts.has(script.id));
        scripts.set(script.id, script);
      }
    },
    unregisterContentScripts: async ({ ids }) => {
      for (const id of ids) assert.ok(scripts.delete(id));
    },
  };
}

test('all sites are read from the start of a page, by the page’s own world and by ours', async () => {
  const scripting = makeScripting();
  await registerSiteScripts(scripting, []);
  const worlds = [...scripting.scripts.values()].map(({ world }) => world);
  assert.deepEqual(worlds, ['MAIN', 'ISOLATED']);
  for (const { matches, runAt } of scripting.scripts.values()) {
    assert.deepEqual(matches, SEARCH_ORIGINS);
    assert.equal(runAt, 'document_start');
  }
});

test('a site that is switched off has no script of ours', async () => {
  const scripting = makeScripting();
  await registerSiteScripts(scripting, []);
  await registerSiteScripts(scripting, ['google']);
  for (const { matches } of scripting.scripts.values()) {
    assert.ok(matches.includes('https://www.bing.com/*'));
    assert.ok(!matches.some((each) => each.includes('google')));
  }
});

test('with all sites off nothing is registered, since a script for no page is an error', async () => {
  const scripting = makeScripting();
  await registerSiteScripts(scripting, []);
  await registerSiteScripts(
    scripting,
    SEARCH_SITES.map(({ id }) => id),
  );
  assert.equal(scripting.scripts.size, 0);
});
