import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PAGE_SIZE } from '../../server/web/assets/lib/image-pages.js';
import { ImageList } from '../../server/web/assets/lib/image-list.js';

/** A server whose cursors are the last id that was given, as the real one's. */
function fakeServer(total) {
  const ids = Array.from({ length: total }, (_, index) => index);
  const asked = [];
  const load = async ({ cursor, skip, limit }) => {
    asked.push({ cursor, skip });
    assert.ok(cursor === null || skip === 0, 'one of them says where');
    assert.ok(skip <= 1_000_000, 'as far as the server goes');
    await Promise.resolve();
    const order = ids;
    const start = cursor === null ? skip : order.indexOf(Number(cursor)) + 1;
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

test('any place is one request away: the end, the middle, and the way back', async () => {
  const server = fakeServer(100_000);
  const { list } = await listOf(server);
  list.want(0, 60);
  await held(list, 0);
  list.want(99_940, 100_000);
  assert.equal(await held(list, 99_999), '99999');
  assert.equal(list.indexOf('99990'), 99_990);
  list.want(50_000, 50_060);
  assert.equal(await held(list, 50_059), '50059');
  list.want(50_200, 50_260);
  assert.equal(await held(list, 50_200), '50200');
  assert.deepEqual(server.asked, [
    { cursor: null, skip: 0 },
    { cursor: null, skip: 99_800 },
    { cursor: null, skip: 50_000 },
    { cursor: '50199', skip: 0 },
  ]);
  assert.equal(list.at(99_999)?.id, '99999', 'what was read before is still held');
});

test('what is far is let go of, and comes back by its cursor', async () => {
  const server = fakeServer(100_000);
  const { list } = await listOf(server);
  for (let page = 0; page <= 41; page += 1) {
    list.want(page * PAGE_SIZE, page * PAGE_SIZE + 60);
    await held(list, page * PAGE_SIZE);
  }
  assert.equal(list.at(PAGE_SIZE), undefined, 'forty pages are held');
  list.want(PAGE_SIZE, PAGE_SIZE + 60);
  assert.equal(await held(list, PAGE_SIZE), String(PAGE_SIZE));
  assert.deepEqual(server.asked.at(-1), { cursor: String(PAGE_SIZE - 1), skip: 0 });
});

test('beyond what may be skipped it goes on by cursors', async () => {
  const server = fakeServer(1_000_700);
  const { list } = await listOf(server);
  list.want(0, 60);
  await held(list, 0);
  list.want(1_000_640, 1_000_700);
  assert.equal(await held(list, 1_000_699), '1000699');
  assert.deepEqual(
    server.asked.slice(1).map(({ skip }) => skip),
    [1_000_000, 0, 0, 0],
  );
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

/** A view that draws whenever it is told to, and says then what it shows: as the grid does, once a frame. */
function drawingView(load) {
  const told = { changes: 0, errors: 0, asked: 0 };
  let isQueued = false;
  const draw = () => {
    told.changes += 1;
    // One that does not come to rest is stopped, or the test would not end.
    if (isQueued || told.changes > 100) return;
    isQueued = true;
    setTimeout(() => {
      isQueued = false;
      list.want(0, 60);
    });
  };
  const list = new ImageList({
    load: (query) => {
      told.asked += 1;
      return load(query);
    },
    onChange: draw,
    onError: () => {
      told.errors += 1;
      draw();
    },
  });
  list.want(0, 60);
  return { list, told };
}

/** So many frames. */
async function frames(count) {
  for (let frame = 0; frame < count; frame += 1) await new Promise((done) => setTimeout(done));
}

test('a view that draws what it is told of comes to rest: full, empty, and without a server', async () => {
  const full = drawingView(fakeServer(1000).load);
  const empty = drawingView(fakeServer(0).load);
  const away = drawingView(() => Promise.reject(new Error('away')));
  await frames(50);
  assert.deepEqual(full.told, { changes: 1, errors: 0, asked: 1 });
  assert.deepEqual(empty.told, { changes: 1, errors: 0, asked: 1 });
  assert.deepEqual(away.told, { changes: 1, errors: 1, asked: 1 });
  full.list.refresh();
  await frames(50);
  assert.deepEqual(full.told, { changes: 3, errors: 0, asked: 2 }, 'the page, and that all is new');
});

test('what has failed is asked for again by a refresh, or on the way to another part', async () => {
  const server = fakeServer(1000);
  let isAway = true;
  const view = drawingView((query) =>
    isAway ? Promise.reject(new Error('away')) : server.load(query),
  );
  await frames(5);
  assert.equal(view.list.hasFailed, true);
  view.list.refresh();
  await frames(5);
  assert.deepEqual([view.told.asked, view.list.hasFailed], [2, true]);
  view.list.want(0, 120);
  await frames(5);
  assert.equal(view.told.errors, 4, 'for the other part, and for the way back to what is drawn');
  isAway = false;
  view.list.refresh();
  await frames(5);
  assert.deepEqual([view.list.hasFailed, view.list.at(0)?.id], [false, '0']);
});

test('a later page that fails leaves the list as it is', async () => {
  const server = fakeServer(1000);
  const { list, errors } = await listOf({
    load: (query) =>
      query.skip + Number(query.cursor ?? 0) > 0
        ? Promise.reject(new Error('away'))
        : server.load(query),
  });
  list.want(0, 60);
  await held(list, 0);
  list.want(600, 660);
  for (let round = 0; round < 50; round += 1) await Promise.resolve();
  assert.deepEqual([errors.length, list.hasFailed, list.total], [1, true, 1000]);
  assert.equal(list.at(0)?.id, '0');
  list.want(0, 60);
  assert.equal(list.hasFailed, false, 'what is wanted now is here');
});

test('a failure of before a refresh is no failure of its', async () => {
  const server = fakeServer(1000);
  let fail = () => undefined;
  const { list, errors } = await listOf({
    load: (query) => {
      if (server.asked.length > 0) return server.load(query);
      server.asked.push(query);
      return new Promise((_, reject) => (fail = () => reject(new Error('away'))));
    },
  });
  list.want(0, 60);
  list.refresh();
  fail();
  assert.equal(await held(list, 0), '0');
  assert.deepEqual(errors, []);
});

test('a list that changes faster than it is read is there all the same', async () => {
  const server = fakeServer(1000);
  const seen = [];
  const { list } = await listOf({
    load: async (query) => {
      const answer = await server.load(query);
      seen.push(list.at(259)?.id);
      if (seen.length < 20) list.refresh(); // while each answer is on its way
      return answer;
    },
  });
  list.want(0, 260);
  await held(list, 259);
  assert.deepEqual([seen[2], seen.at(-1)], ['259', '259'], 'after one round, not after the last');
});

test('the next page is read before it is wanted', async () => {
  const server = fakeServer(1000);
  const { list } = await listOf(server);
  list.want(40, 2 * PAGE_SIZE - 90);
  assert.equal(await held(list, 2 * PAGE_SIZE), String(2 * PAGE_SIZE));
  assert.equal(server.asked.length, 3);
});

test('two refreshes, one upon the other, leave no gap', async () => {
  const server = fakeServer(1000);
  const { list } = await listOf(server);
  list.want(0, 600);
  await held(list, 599);
  list.refresh();
  list.refresh();
  assert.deepEqual([list.at(0)?.id, list.at(599)?.id], ['0', '599']);
  // The first of three pages has come: a third refresh keeps it, and what stood behind it.
  for (let round = 0; round < 4; round += 1) await Promise.resolve();
  list.refresh();
  assert.deepEqual([list.at(0)?.id, list.at(599)?.id], ['0', '599']);
  for (let round = 0; round < 100; round += 1) {
    await Promise.resolve();
    assert.equal(list.at(599)?.id, '599', 'at no moment is it gone');
  }
});
