import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PAGE_SIZE } from '../../server/web/assets/lib/image-chain.js';
import { ImageList } from '../../server/web/assets/lib/image-list.js';

/** A server whose cursors are the last id that was given, as the real one's. */
function fakeServer(total) {
  const ids = Array.from({ length: total }, (_, index) => index);
  const asked = [];
  const load = async ({ cursor, limit, isReversed }) => {
    asked.push({ cursor, isReversed });
    await Promise.resolve();
    const order = isReversed ? [...ids].reverse() : ids;
    const start = cursor === null ? 0 : order.indexOf(Number(cursor)) + 1;
    const page = order.slice(start, start + limit);
    const hasMore = start + limit < order.length;
    return {
      items: page.map((id) => ({ id: String(id), version: 1 })),
      next_cursor: hasMore ? String(page.at(-1)) : null,
      total: order.length,
    };
  };
  return { ids, asked, load };
}

async function listOf(server) {
  const errors = [];
  const list = new ImageList({
    load: server.load,
    onChange: () => undefined,
    onError: (error) => errors.push(error),
  });
  return { list, errors };
}

/** Until the walk to what is wanted has ended. */
async function held(list, index) {
  for (let round = 0; round < 20_000 && !list.at(index); round += 1) await Promise.resolve();
  for (let round = 0; round < 50; round += 1) await Promise.resolve();
  return list.at(index)?.id;
}

test('one page is read at first, and the total is known', async () => {
  const server = fakeServer(100_000);
  const { list } = await listOf(server);
  list.want(0, 60);
  assert.equal(await held(list, 59), '59');
  assert.equal(list.total, 100_000);
  assert.equal(server.asked.length, 1);
});

test('the end is reached from the end', async () => {
  const server = fakeServer(100_000);
  const { list } = await listOf(server);
  list.want(0, 60);
  await held(list, 0);
  list.want(99_940, 100_000);
  assert.equal(await held(list, 99_999), '99999');
  assert.equal(list.at(99_940)?.id, '99940');
  assert.deepEqual(server.asked.slice(1), [{ cursor: null, isReversed: true }]);
  assert.equal(list.indexOf('99990'), 99_990);
});

test('the middle is walked to from the nearer end, and what is far is let go of', async () => {
  const server = fakeServer(100_000);
  const { list } = await listOf(server);
  list.want(0, 60);
  await held(list, 0);
  list.want(30_000, 30_060);
  assert.equal(await held(list, 30_059), '30059');
  assert.equal(server.asked.length, 1 + 30_000 / PAGE_SIZE);
  assert.equal(list.at(0), undefined, 'the first page is no longer held');
  list.want(0, 10);
  assert.equal(await held(list, 0), '0', 'its cursor is: one request brings it back');
  assert.equal(server.asked.length, 2 + 30_000 / PAGE_SIZE);
});

test('a wish that changes on the way is followed at once', async () => {
  const server = fakeServer(100_000);
  const { list } = await listOf(server);
  list.want(0, 60);
  await held(list, 0);
  list.want(40_000, 40_060);
  list.want(200, 260);
  assert.equal(await held(list, 259), '259');
  assert.ok(server.asked.length <= 3, String(server.asked.length));
});

test('after a refresh, what was shown stands until its successor is here', async () => {
  const server = fakeServer(1000);
  const { list } = await listOf(server);
  list.want(0, 60);
  await held(list, 0);
  server.ids.splice(5, 1); // the sixth has left
  list.refresh();
  assert.equal(list.at(5)?.id, '5');
  for (let round = 0; round < 100; round += 1) await Promise.resolve();
  assert.equal(list.at(5)?.id, '6');
  assert.equal(list.total, 999);
  list.want(500, 560);
  assert.equal(await held(list, 500), '501', 'pages beyond it join without a gap');
});

test('at the end, too, what was shown stands through a refresh, and what has come is there', async () => {
  const server = fakeServer(5000);
  const { list } = await listOf(server);
  list.want(0, 60);
  await held(list, 0);
  list.want(4950, 5000);
  await held(list, 4999);
  server.ids.push(5000, 5001);
  list.refresh();
  assert.equal(list.at(4960)?.id, '4960');
  for (let round = 0; round < 200; round += 1) {
    await Promise.resolve();
    assert.equal(list.at(4960)?.id, '4960', 'at no moment is it gone');
  }
  assert.equal(list.total, 5002);
  list.want(4950, 5002);
  assert.equal(await held(list, 5001), '5001');
  assert.equal(list.at(4999)?.id, '4999');
});

test('far from both ends a refresh costs one page', async () => {
  const server = fakeServer(100_000);
  const { list } = await listOf(server);
  list.want(0, 60);
  await held(list, 0);
  list.want(70_000, 70_060);
  await held(list, 70_059);
  const before = server.asked.length;
  list.refresh();
  for (let round = 0; round < 200; round += 1) await Promise.resolve();
  assert.equal(server.asked.length, before + 1);
  assert.equal(list.at(70_000)?.id, '70000');
});

test('a page that was read before a change does not undo it', async () => {
  const server = fakeServer(1000);
  const { list } = await listOf(server);
  list.want(0, 60);
  await held(list, 0);
  list.replace([{ id: '3', version: 2, label: 'bear' }]);
  assert.equal(list.at(3)?.label, 'bear');
  list.refresh();
  for (let round = 0; round < 100; round += 1) await Promise.resolve();
  assert.equal(list.at(3)?.label, 'bear');
});

test('a part is collected whole, also where it is not held', async () => {
  const server = fakeServer(20_000);
  const { list } = await listOf(server);
  list.want(0, 60);
  await held(list, 0);
  const found = await list.collect(100, 10_100, new AbortController().signal);
  assert.equal(found.length, 10_000);
  assert.deepEqual([found[0].id, found.at(-1).id], ['100', '10099']);
});

test('an empty list is a list, and a failure is told once', async () => {
  const { list } = await listOf(fakeServer(0));
  list.want(0, 60);
  await held(list, 0);
  assert.equal(list.total, 0);
  const broken = fakeServer(10);
  broken.load = () => Promise.reject(new Error('away'));
  const failing = await listOf(broken);
  failing.list.want(0, 60);
  await held(failing.list, 0);
  assert.equal(failing.errors.length, 1);
});
