/** Models kept in the browser: fetched, checked, replaced, asked when it is their turn. */
import './support/i18n.js';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { MAX_KEPT } from '../../extension/background/kept-models.js';
import { makeBackground } from './support/background.js';
import { sendProblem, startServer } from './support/server.js';

const NETWORK = Buffer.from('a network');
const digest = (bytes) => createHash('sha256').update(bytes).digest('hex');
const PICTURE = `data:image/png;base64,${Buffer.from('a picture').toString('base64')}`;

/** `bundle.json` as the server makes it, as far as it is read here. */
function bundle(changes = {}) {
  return {
    schema: 1,
    classes: ['grizzly', 'teddy bear'],
    preprocessing: {
      size_px: 32,
      mean: [0.5, 0.5, 0.5],
      std: [0.5, 0.5, 0.5],
      interpolation: 'bicubic',
      resize: 'squish',
      crop_ratio: 1,
    },
    calibration: { temperature: 1.5, fitted_on: 'out-of-fold' },
    abstention: { score: 'max_probability', threshold: 0.4, coverage: 0.95, background: null },
    parts: { 'model.onnx': digest(NETWORK) },
    ...changes,
  };
}

const model = (number) => ({
  id: `01M${number}`,
  dataset_id: number % 2 === 0 ? '01EVEN' : '01ODD',
  bundle_sha256: `${number}`.repeat(64).slice(0, 64),
  stage: 'live',
  classes: ['grizzly', 'teddy bear'],
  created_at: '2026-11-23T10:00:00Z',
});

/** A server with live models, which can go away. */
async function startModels(t, world) {
  const { server, requests } = await startServer(t, ({ path }, response) => {
    if (world.isAway) return void response.destroy();
    if (path.endsWith('/bundle.json')) return world.bundle ?? bundle();
    if (path.endsWith('/model.onnx')) {
      response.writeHead(200, { 'X-Bowerbird': '1' }).end(world.network ?? NETWORK);
      return undefined;
    }
    if (path.startsWith('/api/v1/models')) return { items: world.live, next_cursor: null };
    if (path.startsWith('/api/v1/datasets/')) return { id: '01ODD', name: 'odd' };
    if (world.isBusy) return void sendProblem(response, 503, 'too-busy', {});
    return {
      dataset_id: '01ODD',
      bundle_sha256: world.live[0].bundle_sha256,
      predictions: [{ label: 'grizzly', probability: 0.9 }],
    };
  });
  const asked = [];
  const run = async (kept, dataUrl) => {
    asked.push([kept.model_id, dataUrl]);
    const predictions = [{ label: 'teddy bear', probability: 0.8 }];
    return { predictions, abstained: false, threshold: 0.4, milliseconds: 7 };
  };
  const made = makeBackground(server, {}, { run });
  return { ...made, requests, asked };
}

const names = ({ models }) => models.map(({ model_id }) => model_id);

test('live models are kept with what is needed of them, and former ones forgotten', async (t) => {
  const world = { live: [model(3), model(2)] };
  const { handlers, store, requests } = await startModels(t, world);
  await handlers['choose-answers']({ mode: 'away' });
  const first = await handlers['list-kept-models'](null);
  assert.deepEqual([first.mode, names(first)], ['away', ['01M3', '01M2']]);
  assert.deepEqual(first.models[0].facts.classes, ['grizzly', 'teddy bear']);
  assert.equal(
    Buffer.from(await store.readNetwork(model(3).bundle_sha256)).toString(),
    'a network',
  );
  const before = requests.length;
  world.live = [model(4), model(3)];
  await handlers['refresh-kept-models'](null);
  assert.deepEqual(names(await handlers['list-kept-models'](null)), ['01M4', '01M3']);
  assert.equal(requests.length - before, 3, 'what is here is not fetched again');
  await handlers['forget-kept-models']({ bundle_sha256: model(4).bundle_sha256 });
  assert.deepEqual(names(await handlers['list-kept-models'](null)), ['01M3']);
  await handlers['forget-kept-models']({ bundle_sha256: null });
  assert.equal(store.networks.size, 0);
});

test('only so many are kept', async (t) => {
  const world = { live: [9, 8, 7, 6, 5, 4, 3].map(model) };
  const { handlers } = await startModels(t, world);
  await handlers['choose-answers']({ mode: 'always' });
  assert.equal((await handlers['list-kept-models'](null)).models.length, MAX_KEPT);
});

test('nothing is fetched until a person wants it', async (t) => {
  const { handlers, store, requests } = await startModels(t, { live: [model(1)] });
  await handlers['classify-upload']({ data_url: PICTURE, dataset_id: null });
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(store.facts.size, 0);
  assert.ok(requests.every(({ path }) => !path.includes('/bundle/')));
});

for (const [what, changes] of [
  ['another schema', { bundle: bundle({ schema: 2 }) }],
  ['other bytes than it says', { network: Buffer.from('another network') }],
  ['a class twice', { bundle: bundle({ classes: ['a', 'a'] }) }],
  ['no hash', { bundle: bundle({ parts: {} }) }],
  ['a temperature of nothing', { bundle: bundle({ calibration: { temperature: 0 } }) }],
  [
    'a side of nothing',
    { bundle: bundle({ preprocessing: { ...bundle().preprocessing, size_px: 0 } }) },
  ],
  [
    'an odd filter',
    { bundle: bundle({ preprocessing: { ...bundle().preprocessing, interpolation: 'box' } }) },
  ],
  [
    'an unknown score',
    { bundle: bundle({ abstention: { score: 'magic', threshold: 0, background: null } }) },
  ],
  [
    'a background that is no class',
    { bundle: bundle({ abstention: { score: 'margin', threshold: 0, background: 'x' } }) },
  ],
]) {
  test(`a model with ${what} is not kept`, async (t) => {
    const { handlers, store } = await startModels(t, { live: [model(1)], ...changes });
    await assert.rejects(
      handlers['choose-answers']({ mode: 'away' }),
      /modelOdd|does not understand/,
    );
    assert.equal(store.facts.size, 0);
  });
}

test('while the server is away a kept model answers, by the dataset that is meant', async (t) => {
  const world = { live: [model(3), model(2)] };
  const { handlers, asked } = await startModels(t, world);
  await handlers['choose-answers']({ mode: 'away' });
  const there = await handlers['classify-upload']({ data_url: PICTURE, dataset_id: null });
  assert.deepEqual(
    [there.predictions[0].label, there.is_here, asked.length],
    ['grizzly', undefined, 0],
  );
  world.isAway = true;
  const here = await handlers['classify-upload']({ data_url: PICTURE, dataset_id: '01EVEN' });
  assert.deepEqual([here.label, here.is_here, here.model_id], ['teddy bear', true, '01M2']);
  assert.equal(here.sha256, digest(Buffer.from('a picture')));
  assert.equal(asked[0][1], PICTURE);
  const newest = await handlers['classify-upload']({ data_url: PICTURE, dataset_id: null });
  assert.equal(newest.model_id, '01M3');
  const live = await handlers['list-live-models'](null);
  assert.deepEqual(
    live.map(({ id }) => id),
    ['01M3', '01M2'],
  );
  await assert.rejects(handlers['classify-upload']({ data_url: PICTURE, dataset_id: '01OTHER' }));
});

test('a server that is there and refuses is not passed over', async (t) => {
  const world = { live: [model(1)] };
  const { handlers, asked } = await startModels(t, world);
  await handlers['choose-answers']({ mode: 'away' });
  world.isBusy = true;
  await assert.rejects(handlers['classify-upload']({ data_url: PICTURE, dataset_id: null }));
  assert.equal(asked.length, 0);
});

test('when it is always to answer here, the server hears nothing of the image', async (t) => {
  const world = { live: [model(1)] };
  const { handlers, asked, requests } = await startModels(t, world);
  await handlers['choose-answers']({ mode: 'always' });
  const said = await handlers['classify-upload']({ data_url: PICTURE, dataset_id: null });
  assert.deepEqual([said.is_here, asked.length], [true, 1]);
  assert.ok(requests.every(({ path }) => !path.includes('/classify')));
  await handlers['choose-answers']({ mode: 'off' });
  assert.equal(
    (await handlers['classify-upload']({ data_url: PICTURE, dataset_id: null })).is_here,
    undefined,
  );
});

test('an answer of another model lets the new one be fetched', async (t) => {
  const world = { live: [model(1)] };
  const { handlers, kept } = await startModels(t, world);
  await handlers['choose-answers']({ mode: 'away' });
  world.live = [model(3)];
  await kept.notice({ bundle_sha256: model(3).bundle_sha256 });
  assert.deepEqual(names(await handlers['list-kept-models'](null)), ['01M3']);
});
