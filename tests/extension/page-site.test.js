/** The site of a page, which tells the server for which of its models a question is meant. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findPageHost } from '../../extension/background/page-site.js';
import { makeBackground } from './support/background.js';
import { startServer } from './support/server.js';

test('a page of the web has a site, and nothing else has', () => {
  assert.equal(findPageHost('https://Shop.Example:8443/a?b#c'), 'shop.example');
  assert.equal(findPageHost('http://[::1]:8000/'), '[::1]');
  for (const url of [
    undefined,
    '',
    'nonsense',
    'file:///a.html',
    'about:blank',
    'data:text/html,',
  ]) {
    assert.equal(findPageHost(url), null, url);
  }
});

test('the server is told the site of the page that an image is on', async (t) => {
  const { server, requests } = await startServer(t, ({ path }) =>
    path.startsWith('/api/v1/datasets/')
      ? { name: 'bears' }
      : { dataset_id: '01D', predictions: [] },
  );
  const { classifier } = makeBackground(server);
  await classifier.classifyAddress('https://a.example/1.jpg', null, 'shop.example');
  await classifier.classifyAddress('https://a.example/1.jpg', '01D');
  const asked = requests.map(({ path }) => path).filter((path) => path.includes('classify'));
  assert.deepEqual(asked, ['/api/v1/classify?site=shop.example', '/api/v1/classify?dataset=01D']);
});
