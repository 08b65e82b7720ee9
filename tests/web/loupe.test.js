import { window } from './support/dom.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Labelling } from '../../server/web/assets/components/labelling.js';
import { openLoupe } from '../../server/web/assets/components/loupe.js';
import { show as showImagePage } from '../../server/web/assets/pages/image.js';
import { page } from './support/page.js';
import { playServer, until } from './support/server.js';

globalThis.localStorage = window.localStorage;
const { document } = window;

const image = (id) => ({
  id,
  dataset_id: 'D',
  version: 1,
  label: 'bear',
  excluded: false,
  reviewed_at: null,
  status: 'ready',
  url: 'https://a.example/1.jpg',
  source_url: null,
});
const DATASET = { id: 'D', name: 'bears', counts: { labels: { bear: {}, bus: {} } } };

function answer(path, sent) {
  if (path.endsWith('/bulk')) {
    const versions = Object.fromEntries(sent.ids.map((id) => [id, 2]));
    return { changed: sent.ids.length, action_id: 'A', conflicts: [], versions };
  }
  if (path.endsWith('/history')) return { items: [] };
  return path === '/datasets/D' ? DATASET : image(path.split('/').at(-1));
}

/** A loupe over three images, the last of which is still on its way. */
function loupe() {
  playServer(answer);
  const images = [image('a'), image('b'), undefined];
  const labelling = new Labelling('D', ['bear', 'bus'], { onSaid: () => undefined });
  labelling.listen(
    {
      onImages: (now) => {
        for (const each of now) images[images.findIndex((old) => old?.id === each.id)] = each;
      },
    },
    page.signal,
  );
  const source = { total: () => images.length, at: (index) => images[index] };
  const opened = openLoupe({ source, index: 0, labelling, signal: page.signal });
  return { images, opened };
}

function press(key, more = {}) {
  const event = new window.KeyboardEvent('keydown', {
    key,
    bubbles: true,
    cancelable: true,
    ...more,
  });
  (document.activeElement ?? document.body).dispatchEvent(event);
}
const find = (testId) => document.querySelector(`[data-testid=${testId}]`);
const place = () => find('place').textContent.slice(0, 1);
const focused = () => document.activeElement.getAttribute('data-testid');

test('in the loupe the control that has the keyboard keeps it, and the picture gets it when it is gone', () => {
  loupe();
  find('review').focus();
  press('ArrowRight');
  assert.deepEqual([place(), focused()], ['2', 'review']);
  find('review').click();
  assert.equal(find('review').getAttribute('aria-pressed'), 'true');
  assert.equal(focused(), 'review');

  find('relabel').focus();
  find('relabel').value = 'bus';
  find('relabel').dispatchEvent(new window.Event('change'));
  assert.equal(focused(), 'exclude', 'the choice of labels would swallow the next key');

  press('ArrowRight');
  assert.equal(place(), '3');
  assert.match(document.activeElement.className, /loupe-stage/);
  press('ArrowLeft');
  assert.equal(place(), '2');
});

test('a loupe hears keys also when the keyboard is nowhere, until it is closed', async () => {
  const { images, opened } = loupe();
  document.activeElement.blur();
  press('x');
  assert.equal(images[0].excluded, true);
  assert.equal(place(), '2');
  find('loupe').close();
  await opened.closed;
  press('x');
  assert.equal(images[1].excluded, false);
});

test('a key that is held down in the loupe decides about one image, an arrow goes on', () => {
  const { images } = loupe();
  press('2');
  for (const key of ['2', 'x', 'k', 'r']) press(key, { repeat: true });
  assert.deepEqual([images[0].label, place()], ['bus', '2']);
  assert.deepEqual(images[1], image('b'));
  press('ArrowRight', { repeat: true });
  assert.equal(place(), '3');
});

test('on the page of an image too', async () => {
  const asked = playServer(answer);
  const root = document.body.appendChild(document.createElement('main'));
  await showImagePage({ root, route: { id: 'a' }, signal: page.signal });
  find('review').focus();
  press('x');
  press('x', { repeat: true });
  assert.equal(find('exclude').getAttribute('aria-pressed'), 'true');
  assert.equal(focused(), 'review');
  find('relabel').focus();
  find('relabel').value = 'bus';
  find('relabel').dispatchEvent(new window.Event('change'));
  assert.equal(focused(), 'exclude');
  const sent = () =>
    asked.filter(([, path]) => path.endsWith('/bulk')).map(([, , body]) => body.set);
  await until(() => sent().length === 2);
  assert.deepEqual(sent(), [{ excluded: true }, { label: 'bus' }]);
});
