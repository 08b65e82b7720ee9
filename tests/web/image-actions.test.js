import './support/dom.js';
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { ImageActions } from '../../server/web/assets/lib/image-actions.js';

const realFetch = globalThis.fetch;
afterEach(() => {
  globalThis.fetch = realFetch;
});

/** A server of one dataset that keeps versions and actions as the real one does, and one action for each request. */
function fakeServer(images) {
  const rows = new Map(images.map((image) => [image.id, { ...image }]));
  const actions = [];
  const asked = [];
  const set = (row, change) => {
    Object.assign(row, change);
    row.version += 1;
  };
  const bulk = ({ ids, set: change, versions = {} }) => {
    const conflicts = [];
    const before = [];
    for (const id of ids) {
      const row = rows.get(id);
      if (id in versions && versions[id] !== row.version) {
        conflicts.push({ id, version: row.version });
        continue;
      }
      before.push({ id, label: row.label, excluded: row.excluded });
      set(row, change);
    }
    const action = { id: `A${String(actions.length)}`, set: change, count: before.length, before };
    actions.push(action);
    return { changed: before.length, action_id: action.id, conflicts };
  };
  const undo = ({ action_id }) => {
    if (!action_id && actions.every((each) => each.isUndone)) return null;
    const action = action_id
      ? actions.find(({ id }) => id === action_id)
      : actions.findLast((each) => !each.isUndone);
    action.isUndone = true;
    const versions = {};
    for (const { id, ...former } of action.before) {
      set(rows.get(id), former);
      versions[id] = rows.get(id).version;
    }
    return { action, changed: action.count, conflicts: [], versions };
  };
  globalThis.fetch = (url, { body }) => {
    const path = new URL(url, 'http://127.0.0.1').pathname.replace('/api/v1', '');
    const sent = body ? JSON.parse(body) : {};
    asked.push([path, sent]);
    if (path.endsWith('/bulk')) return Promise.resolve(Response.json(bulk(sent)));
    if (path.endsWith('/undo')) {
      const none = { type: 'https://x/problems/nothing-to-undo', detail: 'none stands' };
      const answer = undo(sent);
      return Promise.resolve(answer ? Response.json(answer) : Response.json(none, { status: 409 }));
    }
    return Promise.resolve(Response.json(rows.get(path.split('/').at(-1))));
  };
  return { rows, asked };
}

const bear = (id, more = {}) => ({
  id,
  version: 1,
  label: 'teddy',
  excluded: false,
  reviewed_at: null,
  ...more,
});

/** Actions with what they told. */
function watched() {
  const shown = new Map();
  const told = { shown, said: [], unknown: 0, errors: [] };
  const actions = new ImageActions('D', {
    onImages: (images) => images.forEach((image) => shown.set(image.id, image)),
    onSaid: (text) => told.said.push(text),
    onUnknown: () => (told.unknown += 1),
    onError: (error) => told.errors.push(error),
  });
  return { actions, told };
}

test('a change is shown before the server has answered', async () => {
  fakeServer([bear('1')]);
  const { actions, told } = watched();
  const done = actions.apply([bear('1')], { label: 'grizzly' });
  assert.equal(told.shown.get('1').label, 'grizzly');
  assert.deepEqual(told.said, []);
  await done;
  assert.deepEqual(told.said, ['Label “grizzly”, 1 image.']);
});

test('a second key on the same image goes out after the first, with its version', async () => {
  const server = fakeServer([bear('1')]);
  const { actions, told } = watched();
  void actions.apply([bear('1')], { label: 'grizzly' });
  await actions.apply([bear('1')], { excluded: true });
  assert.deepEqual(
    server.asked.map(([, sent]) => sent.versions),
    [{ 1: 1 }, { 1: 2 }],
  );
  assert.deepEqual(
    server.rows.get('1'),
    bear('1', { label: 'grizzly', excluded: true, version: 3 }),
  );
  assert.equal(told.shown.get('1').version, 3);
});

test('what holds already is not sent', async () => {
  const server = fakeServer([bear('1')]);
  const { actions } = watched();
  await actions.apply([bear('1')], { label: 'teddy', excluded: false, reviewed: false });
  assert.deepEqual(server.asked, []);
});

test('what another tab has changed is shown as it is there, and said', async () => {
  fakeServer([bear('1'), bear('2', { version: 7, label: 'black bear' })]);
  const { actions, told } = watched();
  await actions.apply([bear('1'), bear('2')], { label: 'grizzly' });
  assert.equal(told.shown.get('1').label, 'grizzly');
  assert.deepEqual(told.shown.get('2'), bear('2', { version: 7, label: 'black bear' }));
  assert.match(told.said[0], /^Label “grizzly”, 1 image\. One image was changed elsewhere/);
});

test('a refusal takes back what was shown', async () => {
  globalThis.fetch = () => Promise.resolve(Response.json({ detail: 'no' }, { status: 500 }));
  const { actions, told } = watched();
  await actions.apply([bear('1')], { label: 'grizzly' });
  assert.deepEqual(told.shown.get('1'), bear('1'));
  assert.equal(told.errors.length, 1);
  fakeServer([bear('1')]);
  await actions.apply([bear('1')], { label: 'grizzly' });
  assert.equal(told.shown.get('1').label, 'grizzly', 'the queue goes on after a failure');
});

test('undo brings back the former state, also for the next change', async () => {
  const server = fakeServer([bear('1')]);
  const { actions, told } = watched();
  await actions.apply([bear('1')], { label: 'grizzly' });
  await actions.step('undo');
  assert.deepEqual(told.shown.get('1'), bear('1', { version: 3 }));
  assert.equal(told.said.at(-1), 'Undone: label “grizzly”, 1 image.');
  await actions.apply([told.shown.get('1')], { label: 'grizzly' });
  assert.equal(server.rows.get('1').label, 'grizzly');
  assert.equal(told.unknown, 0);
});

test('undoing what another page did has everything read again', async () => {
  fakeServer([bear('1')]);
  await watched().actions.apply([bear('1')], { label: 'grizzly' });
  const after = watched();
  assert.deepEqual(await after.actions.step('undo'), ['1'], 'which image it was is known');
  assert.equal(after.told.unknown, 1);
  assert.deepEqual(await after.actions.step('undo'), []);
  assert.equal(after.told.said.at(-1), 'There is nothing to undo.');
  assert.deepEqual(after.told.errors, []);
});

test('one press on more images than the server takes at once is undone by one press', async () => {
  const many = Array.from({ length: 2500 }, (_, index) => bear(String(index)));
  const server = fakeServer(many);
  const { actions, told } = watched();
  await actions.apply(many, { excluded: true });
  assert.deepEqual(
    server.asked.map(([, sent]) => sent.ids.length),
    [1000, 1000, 500],
  );
  assert.equal(told.said[0], 'Excluded, 2,500 images.');
  await actions.step('undo');
  assert.ok([...server.rows.values()].every((row) => !row.excluded));
  assert.match(told.said[1], /2,500 images/);
});
