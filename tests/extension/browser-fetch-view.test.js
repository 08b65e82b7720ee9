/** What the popup offers of images that the server could not get, in a document of happy-dom. */
import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { Window } from 'happy-dom';
import './support/i18n.js';
import { BrowserFetchView } from '../../extension/popup/browser-fetch-view.js';

const window = new Window({ url: 'https://page.example/' });
const { document } = window;
for (const name of ['document', 'HTMLElement', 'Node']) globalThis[name] = window[name];
after(() => window.happyDOM.close());

const HOSTS = [
  { host: 'a.example', origins: ['https://a.example/*'], is_permitted: true, count: 9 },
  {
    host: 'b.example',
    origins: ['http://b.example/*', 'https://b.example/*'],
    is_permitted: false,
    count: 3,
  },
];
const OFFER = { total: 12, hosts: HOSTS, statuses: [403, null], run: null };
const RUN = { dataset_id: '01D', is_running: false, total: 12, obtained: 9, error: null };
const NONE = { total: 0, hosts: [], statuses: [], run: null };
const WISH = {
  dataset_id: '01D',
  hosts: ['a.example', 'b.example'],
  origins: ['http://b.example/*', 'https://b.example/*'],
};

let offer;
let sent;
let asked;
let answer;
beforeEach(() => {
  [offer, sent, asked, answer] = [OFFER, [], [], true];
});
globalThis.chrome.runtime = {
  sendMessage: async ({ type, request }) => {
    if (type !== 'offer-browser-fetch') sent.push([type, request]);
    if (offer === null)
      return { ok: false, error: { kind: 'server-down', message: 'x', problem: null } };
    return { ok: true, reply: type === 'offer-browser-fetch' ? structuredClone(offer) : null };
  },
};
globalThis.chrome.permissions = {
  request: async ({ origins }) => {
    asked.push(origins);
    return answer;
  },
};

/** The view of a dataset, which asks again only when it is told to. */
async function openView(t) {
  const region = document.createElement('div');
  const view = new BrowserFetchView(region);
  t.after(() => clearTimeout(view.timer));
  await view.open('01D');
  return { view, region };
}

/** Press the button and wait until all that follows has happened. */
async function press({ region }) {
  region.querySelector('button').click();
  const atOnce = [...asked];
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  return atOnce;
}

test('nothing is shown where there is nothing to fetch, no dataset or no server', async (t) => {
  offer = NONE;
  const { view, region } = await openView(t);
  assert.ok(region.hidden);
  offer = null;
  await view.open('01D');
  assert.ok(region.hidden);
  offer = OFFER;
  await view.open(null);
  assert.ok(region.hidden);
});

test('the offer says how many, why and from where', async (t) => {
  const { region } = await openView(t);
  assert.ok(!region.hidden);
  assert.match(region.textContent, /^12 images .*\(403, a page.*\): a\.example 9, b\.example 3\./);
});

test('of many hosts the first are named and the rest counted; names are never markup', async (t) => {
  const hosts = [1, 2, 3, 4, 5, 6].map((n) => ({ ...HOSTS[0], host: `<b>${n}</b>` }));
  offer = { ...OFFER, hosts };
  const { region } = await openView(t);
  assert.match(region.textContent, /<b>4<\/b> 9, 2 other sites\./);
  assert.equal(region.querySelector('b'), null);
});

test('a click asks for what is missing alone, before anything else, and then begins', async (t) => {
  const opened = await openView(t);
  const atOnce = await press(opened);
  assert.deepEqual(atOnce, [['http://b.example/*', 'https://b.example/*']]);
  assert.deepEqual(sent, [
    ['wish-browser-fetch', { wish: WISH }],
    ['start-browser-fetch', null],
  ]);
});

test('where all is permitted nothing is asked', async (t) => {
  offer = { ...OFFER, hosts: [HOSTS[0]] };
  await press(await openView(t));
  assert.deepEqual(asked, []);
  assert.equal(sent.at(-1)[0], 'start-browser-fetch');
});

test('a permission that is not given is said, and the wish taken back', async (t) => {
  answer = false;
  const opened = await openView(t);
  await press(opened);
  assert.deepEqual(sent.at(-1), ['wish-browser-fetch', { wish: null }]);
  assert.match(opened.region.textContent, /Nothing fetched/);
  assert.ok(!opened.region.querySelector('button').disabled);
});

test('a run shows how far it is, and its end what came of it', async (t) => {
  const refused = [{ host: 'b.example', reason: 'http-status', status: 403, count: 2 }];
  offer = { ...OFFER, run: { ...RUN, is_running: true, obtained: 4, refused } };
  const { view, region } = await openView(t);
  const bar = region.querySelector('progress');
  assert.deepEqual([bar.value, bar.max, region.querySelector('button')], [6, 12, null]);
  assert.match(bar.getAttribute('aria-label'), /6 of 12/);
  offer = { ...NONE, run: { ...RUN, refused, error: 'No server answers.' } };
  await view.open('01D');
  assert.equal(
    [...region.children].map(({ textContent }) => textContent).join('|'),
    '9 images fetched with this browser.|b.example: 2 images not fetched, the site answered 403|' +
      'Stopped: No server answers.',
  );
});

test('what is shown already is not drawn again', async (t) => {
  const { view, region } = await openView(t);
  const button = region.querySelector('button');
  await view.open('01D');
  assert.equal(region.querySelector('button'), button, 'it keeps the focus');
});
