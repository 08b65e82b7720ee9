/** The browser's rules for requests of the background: exact, and gone afterwards. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestRules } from '../../extension/background/request-rules.js';
import { MemoryRules } from './support/rules.js';

const SERVER = 'http://127.0.0.1:8000';
const OTHER_SERVER = 'http://127.0.0.1:9000';
const requestFor = (address, referer = 'https://blog.example/') => ({
  url: new URL(address),
  referer,
  servers: [SERVER, OTHER_SERVER],
});

test('a rule sets the Referer of one address, of either scheme, for our own background alone', async () => {
  const browser = new MemoryRules();
  const request = requestFor('https://img.example:8443/a/1.jpg?x=1#top');
  const during = await new RequestRules(browser, 'own').during(request, () =>
    browser.getSessionRules(),
  );
  const [rule] = during.filter(({ action }) => action.type === 'modifyHeaders');
  assert.deepEqual(rule.action.requestHeaders, [
    { header: 'referer', operation: 'set', value: 'https://blog.example/' },
  ]);
  assert.equal(rule.condition.urlFilter, '||img.example:8443/a/1.jpg?x=1|');
  assert.deepEqual(rule.condition.requestMethods, ['get']);
  for (const { condition } of during) {
    assert.deepEqual([condition.tabIds, condition.initiatorDomains], [[-1], ['own']]);
  }
});

test('redirects into the person’s network are blocked; our servers and the image’s own host are not', async () => {
  const browser = new MemoryRules();
  const rules = new RequestRules(browser, 'own');
  await rules.during(requestFor('https://img.example/1.jpg'), async () => undefined);
  const [block] = browser.history.filter(({ action }) => action.type === 'block');
  const pattern = new RegExp(block.condition.regexFilter);
  for (const address of ['http://192.168.1.1/', 'http://localhost:9/', 'https://[::1]/x']) {
    assert.match(address, pattern);
  }
  for (const address of ['https://img.example/?u=http://localhost/', 'https://10.a.example/']) {
    assert.doesNotMatch(address, pattern);
  }
  const allowed = () =>
    browser.history
      .filter(({ action, priority }) => action.type === 'allow' && priority > block.priority)
      .map(({ condition }) => condition.urlFilter);
  assert.deepEqual(allowed(), [`|${SERVER}/`, `|${OTHER_SERVER}/`]);
  browser.history = [];
  await rules.during(requestFor('http://192.168.1.9:8080/1.jpg'), async () => undefined);
  assert.deepEqual(allowed(), [`|${SERVER}/`, `|${OTHER_SERVER}/`, '||192.168.1.9:8080/']);
  // What pairs with a server, or sends to one, is not held up meanwhile.
  assert.deepEqual(block.condition.requestMethods, ['get']);
});

test('the rules of a request are gone when it has ended, well or not', async () => {
  const browser = new MemoryRules();
  const rules = new RequestRules(browser, 'own');
  const request = requestFor('https://img.example/1.jpg');
  assert.equal(await rules.during(request, async () => 'bytes'), 'bytes');
  assert.deepEqual(browser.rules, []);
  const fail = async () => {
    throw new TypeError('no connection');
  };
  await assert.rejects(rules.during(request, fail), TypeError);
  assert.deepEqual(browser.rules, []);
});

test('requests at once keep their own rules', async () => {
  const browser = new MemoryRules();
  const rules = new RequestRules(browser, 'own');
  let release;
  const first = rules.during(
    requestFor('https://a.example/1.jpg'),
    () => new Promise((resolve) => (release = resolve)),
  );
  await rules.during(requestFor('https://b.example/2.jpg'), async () => undefined);
  const left = browser.rules.map(({ condition }) => condition.urlFilter);
  assert.ok(left.includes('||a.example/1.jpg|'));
  assert.ok(!left.includes('||b.example/2.jpg|'));
  release();
  await first;
  assert.deepEqual(browser.rules, []);
});

test('without a Referer to send, none is set', async () => {
  const browser = new MemoryRules();
  const request = requestFor('http://a.example/1.jpg', null);
  await new RequestRules(browser, 'own').during(request, async () => undefined);
  assert.ok(!browser.history.some(({ action }) => action.type === 'modifyHeaders'));
});

test('what a killed worker left is removed before the first request', async () => {
  const left = [{ id: 3, action: { type: 'block' }, condition: {} }];
  const browser = new MemoryRules(left);
  const rules = new RequestRules(browser, 'own');
  await rules.during(requestFor('https://a.example/1.jpg'), async () => {
    assert.ok(!browser.rules.some(({ id, priority }) => id === 3 && priority === undefined));
  });
  const other = new MemoryRules(left);
  await new RequestRules(other, 'own').start();
  assert.deepEqual(other.rules, []);
});
