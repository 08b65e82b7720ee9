/** The shortcut over a real HTTP server: what it captures, and what it says when it can't. */
import './support/i18n.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sendCapture } from '../../extension/background/captures.js';
import { CaptureQueue } from '../../extension/background/queue.js';
import { Session } from '../../extension/background/session.js';
import { SettingsStore } from '../../extension/background/settings.js';
import { Shortcut } from '../../extension/background/shortcut.js';
import { closedServer, startServer } from './support/server.js';
import { MemoryArea, MemoryStore, makeLocks } from './support/storage.js';

const PAIRING = { token: 't0k', token_id: '01T', name: 'this browser', server_version: '0.1.0' };
const BEARS = { id: '01D', name: 'bears', counts: { labels: { Grizzly: { total: 3, ready: 3 } } } };
const CHOSEN = { pairing: PAIRING, dataset_id: '01D', datasets: [BEARS] };
const PAGE = {
  origin: { engine: 'bing', query: 'grizzly', page_url: 'https://b.example/', page_title: 'B' },
  site: 'Bing',
  state: 'ok',
  candidates: [{ url: 'https://a.example/1.jpg', rank: 0, width: null, height: null }],
  without_original_count: 0,
};

/** Make the shortcut as main.js does; `shown` gets what the person sees. */
function makeShortcut(stored, scan = async () => PAGE) {
  const settings = new SettingsStore(new MemoryArea(stored));
  const session = new Session(settings, 'client/1 (test)');
  const queue = new CaptureQueue({
    store: new MemoryStore(),
    send: (entry, body) => sendCapture(session, entry, body),
    schedule: async () => undefined,
    lock: makeLocks()(),
    now: () => Date.now(),
  });
  const shown = [];
  const show = async (tabId, toast) => void shown.push({ tabId, ...toast });
  const shortcut = new Shortcut({ settings, queue, client: 'client/1 (test)', scan, show });
  return { shortcut, shown, queue, settings };
}

const REPLY = { capture_id: '01C', added: 1, known: 0, refused: [] };

test('one press captures into the last dataset under the label of the query', async (t) => {
  const { server, requests } = await startServer(t, () => REPLY);
  const { shortcut, shown } = makeShortcut({ server, ...CHOSEN });
  await shortcut.capture(7);
  assert.equal(requests[0].path, '/api/v1/datasets/01D/captures');
  assert.equal(JSON.parse(requests[0].body).label, 'Grizzly');
  assert.deepEqual(
    shown.map(({ tabId, title, tone }) => [tabId, title, tone]),
    [
      [7, 'Capturing…', 'busy'],
      [7, '1 added, 0 known, 0 refused', 'answer'],
    ],
  );
  assert.match(shown[1].note, /^“Grizzly” in bears\..*Undo\.$/);
});

test('the label last chosen for the query counts more than its words', async (t) => {
  const { server, requests } = await startServer(t, () => REPLY);
  const query_labels = { grizzly: 'brown bear' };
  const { shortcut } = makeShortcut({ server, ...CHOSEN, query_labels });
  await shortcut.capture(7);
  assert.equal(JSON.parse(requests[0].body).label, 'brown bear');
});

test('what was left out by a click in the page is not captured', async (t) => {
  const { server, requests } = await startServer(t, () => REPLY);
  const other = { ...PAGE.candidates[0], url: 'https://a.example/2.jpg', rank: 1 };
  const candidates = [...PAGE.candidates, other];
  const left_out_urls = [PAGE.candidates[0].url];
  const scan = async () => ({ ...PAGE, candidates, left_out_urls });
  await makeShortcut({ server, ...CHOSEN }, scan).shortcut.capture(7);
  const { candidates: sent } = JSON.parse(requests[0].body);
  assert.deepEqual(
    sent.map(({ url }) => url),
    [other.url],
  );
});

test('a second press meanwhile captures nothing', async (t) => {
  const { server, requests } = await startServer(t, () => REPLY);
  const { shortcut } = makeShortcut({ server, ...CHOSEN });
  await Promise.all([shortcut.capture(7), shortcut.capture(7)]);
  await shortcut.capture(7);
  assert.equal(requests.length, 2);
});

test('while the server is down the capture waits, and the person knows', async () => {
  const { shortcut, shown, queue } = makeShortcut({ server: await closedServer(), ...CHOSEN });
  await shortcut.capture(7);
  assert.equal(shown[1].title, 'Kept here, not sent yet');
  assert.match(shown[1].note, /^1 image for “Grizzly” in bears: No server answers/);
  assert.equal((await queue.list()).length, 1);
});

const EMPTY = { ...PAGE, candidates: [] };
const SMALL = { ...PAGE, candidates: [{ url: 'https://a.example/1.jpg', width: 90, height: 90 }] };
const UNNAMED = { ...PAGE, origin: { ...PAGE.origin, query: null } };
// what is remembered, what the page holds, what is said
const MISSING = [
  [{ ...CHOSEN, pairing: null }, PAGE, /not paired/],
  [{ ...CHOSEN, dataset_id: null }, PAGE, /No dataset is chosen/],
  [{ ...CHOSEN, datasets: [] }, PAGE, /No dataset is chosen/],
  [CHOSEN, { ...EMPTY, state: 'nothing-found' }, /Nothing found here/],
  [CHOSEN, { ...EMPTY, state: 'blocked' }, /captcha/],
  [CHOSEN, UNNAMED, /type one/],
  [{ ...CHOSEN, filters: { min_side_px: 400, shape: 'any' } }, SMALL, /passes the filters/],
];
for (const [stored, page, note] of MISSING) {
  test(`what is missing is said: ${note.source}`, async () => {
    const { shortcut, shown, queue } = makeShortcut(stored, async () => page);
    await shortcut.capture(7);
    const { title, tone, note: said } = shown.at(-1);
    assert.deepEqual([title, tone], ['Nothing captured', 'error']);
    assert.match(said, note);
    assert.deepEqual(await queue.list(), []);
  });
}

test('a page that can’t be read is said, and the next press works', async (t) => {
  const { server } = await startServer(t, () => REPLY);
  let isClosed = true;
  const { shortcut, shown } = makeShortcut({ server, ...CHOSEN }, async () => {
    if (isClosed) throw new Error('The browser does not let extensions read this page.');
    return PAGE;
  });
  await shortcut.capture(7);
  assert.match(shown.at(-1).note, /does not let/);
  isClosed = false;
  await shortcut.capture(7);
  assert.equal(shown.at(-1).title, '1 added, 0 known, 0 refused');
});
