/** The images to choose from: the choice, where tiles lie, and the tiles in a document of happy-dom. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Window } from 'happy-dom';
import './support/i18n.js';
import { CandidateGrid } from '../../extension/popup/candidate-grid.js';
import { Choice } from '../../extension/popup/choice.js';
import { findInSight, follow, layOut } from '../../extension/popup/grid-layout.js';
import { ThumbnailLoader } from '../../extension/popup/thumbnails.js';

const window = new Window({ url: 'https://page.example/', height: 600 });
const { document } = window;
const NAMES = ['document', 'Element', 'HTMLElement', 'Node', 'ResizeObserver', 'innerHeight'];
for (const name of NAMES) globalThis[name] = window[name];
after(() => window.happyDOM.close());

const candidate = (url) => ({
  url: `https://p.example/${url}`,
  thumbnail_url: null,
  title: '<b>x</b>',
  width: 640,
  height: 480,
});
const candidates = (count) => Array.from({ length: count }, (_, index) => candidate(String(index)));
const chosenOf = ({ chosen }) => chosen.map(({ url }) => url.split('/').at(-1)).join(' ');

test('only those that are wanted are chosen, of the new ones that pass the filters', () => {
  const all = candidates(6);
  const choice = new Choice(all, [all[1].url]);
  choice.markKnown([2]);
  choice.filter(({ url }) => url !== all[3].url);
  const isWanted = ({ url }) => url !== all[0].url;
  assert.equal(choice.countNew(isWanted), 2);
  choice.chooseOnly(isWanted);
  assert.deepEqual(choice.chosen, [all[4], all[5]]);
  choice.markKnown([2, 4]); // late: what the person chose stands
  assert.deepEqual(choice.chosen, [all[4], all[5]]);
});

test('a choice starts with all, leaves out what is known, and then follows the person', () => {
  const choice = new Choice(candidates(4));
  assert.equal(chosenOf(choice), '0 1 2 3');
  choice.markKnown([1, 3]);
  assert.equal(chosenOf(choice), '0 2');
  choice.toggle(3);
  assert.equal(chosenOf(choice), '0 2 3');
  choice.markKnown([0]); // late: what the person chose stands
  assert.equal(chosenOf(choice), '0 2 3');
  assert.deepEqual([choice.at(0).isKnown, choice.at(1).isKnown, choice.at(4)], [true, false, null]);
  choice.isTouched = false;
  choice.markKnown([0]);
  assert.equal(chosenOf(choice), '1 2 3');
});

test('what was left out in the page comes unticked, and stays so when known ones are marked', () => {
  const choice = new Choice(candidates(4), ['https://p.example/2', 'https://p.example/9']);
  assert.equal(chosenOf(choice), '0 1 3');
  choice.markKnown([0]);
  assert.equal(chosenOf(choice), '1 3');
  choice.toggle(2);
  assert.equal(chosenOf(choice), '1 2 3');
});

test('a range becomes as the place where it begins', () => {
  const choice = new Choice(candidates(6));
  choice.toggle(1);
  choice.extendTo(3);
  assert.equal(chosenOf(choice), '0 4 5');
  choice.toggle(3);
  choice.extendTo(2);
  assert.equal(chosenOf(choice), '0 2 3 4 5');
});

test('what the filters leave out is not chosen and keeps its choice', () => {
  const choice = new Choice(candidates(4));
  choice.toggle(2);
  choice.filter(({ url }) => !url.endsWith('0'));
  assert.deepEqual([choice.shownCount, chosenOf(choice)], [3, '1 3']);
  choice.chooseAll((isChosen) => !isChosen);
  assert.equal(chosenOf(choice), '2');
  choice.filter(() => true);
  assert.equal(chosenOf(choice), '0 2');
});

test('tiles fill the width, and those in sight are few', () => {
  const layout = layOut(368, 2000);
  assert.deepEqual([layout.columns, layout.side_px, layout.pitch_px], [4, 86, 94]);
  assert.equal(layout.height_px, 500 * 94 - 8);
  assert.deepEqual(findInSight(layout, 0, 300), { first: 0, end: 16 });
  assert.deepEqual(findInSight(layout, -500, -200), { first: 0, end: 0 });
  assert.deepEqual(findInSight(layout, 940, 1000), { first: 40, end: 44 });
  assert.deepEqual(findInSight(layout, 500 * 94, 600 * 94), { first: 2000, end: 2000 });
  assert.deepEqual(layOut(0, 3).columns, 1);
  assert.equal(layOut(400, 0).height_px, 0);
});

// key, from, to: 10 tiles in 4 columns, two rows in sight
const KEYS = [
  ['ArrowRight', 3, 4],
  ['ArrowRight', 9, 9],
  ['ArrowLeft', 0, 0],
  ['ArrowDown', 1, 5],
  ['ArrowDown', 7, 7],
  ['ArrowUp', 6, 2],
  ['ArrowUp', 2, 2],
  ['PageDown', 1, 9],
  ['PageUp', 9, 1],
  ['Home', 7, 0],
  ['End', 0, 9],
  ['x', 3, null],
  ['constructor', 3, null],
];
for (const [key, from, to] of KEYS) {
  test(`${key} leads from ${from} to ${to}`, () => {
    assert.equal(follow(key, from, layOut(368, 10), 190), to);
  });
}

/** Make a grid; `press` presses a key in it. */
function makeGrid(count) {
  const list = document.createElement('div');
  document.body.replaceChildren(list);
  list.scrollIntoView = () => undefined;
  let changeCount = 0;
  const grid = new CandidateGrid(list, () => (changeCount += 1));
  grid.show(candidates(count));
  const press = (key, shiftKey = false) =>
    list.dispatchEvent(new window.KeyboardEvent('keydown', { key, shiftKey, bubbles: true }));
  const tiles = () => [...list.querySelectorAll('[data-testid=candidate]')];
  return { grid, list, press, tiles, changes: () => changeCount };
}

test('of thousands of candidates, tiles near the viewport exist; all of them are counted', () => {
  const { grid, list, press, tiles } = makeGrid(3000);
  assert.ok(tiles().length < 20, `${tiles().length} tiles`);
  assert.equal(tiles()[0].getAttribute('aria-setsize'), '3000');
  assert.deepEqual([grid.count, grid.chosen.length], [3000, 3000]);
  assert.equal(list.getAttribute('aria-label'), 'Images found: 3,000 of 3,000 chosen');
  press('End');
  const active = document.getElementById(list.getAttribute('aria-activedescendant'));
  assert.equal(active.getAttribute('aria-posinset'), '3000');
  assert.equal(active.classList.contains('active'), true);
  press('Home', true); // from the end to the beginning, all as the end is
  press(' ');
  assert.equal(grid.chosen.length, 2999);
});

test('tiles show titles as texts, say what they are, and mark what is known', () => {
  const { grid, list, tiles } = makeGrid(3);
  assert.equal(list.querySelector('b'), null);
  const [first, second] = tiles();
  assert.equal(first.querySelector('.visually-hidden').textContent, '<b>x</b>, 640×480');
  grid.markKnown([1]);
  assert.equal(second.querySelector('.visually-hidden').textContent, '<b>x</b>, 640×480, captured');
  assert.equal(second.querySelector('.known').hidden, false);
  assert.equal(second.getAttribute('aria-selected'), 'false');
});

test('a click chooses, with the shift key a range; keys do the same', () => {
  const { grid, tiles, press, changes } = makeGrid(5);
  const before = changes();
  const click = (place, shiftKey = false) =>
    tiles()[place].dispatchEvent(new window.MouseEvent('click', { shiftKey, bubbles: true }));
  click(1);
  assert.equal(chosenOf(grid), '0 2 3 4');
  click(3, true);
  assert.equal(chosenOf(grid), '0 4');
  assert.equal(tiles()[2].getAttribute('aria-selected'), 'false');
  press('ArrowDown'); // to the last, without choosing
  assert.equal(chosenOf(grid), '0 4');
  press(' ');
  press('ArrowUp', true);
  assert.equal(chosenOf(grid), '0');
  grid.choose(() => true);
  assert.equal(chosenOf(grid), '0 1 2 3 4');
  assert.ok(changes() > before);
});

test('thumbnails load a few at a time, and those out of sight make room', () => {
  const loader = new ThumbnailLoader();
  const failed = [];
  const images = Array.from({ length: 40 }, () => document.createElement('img'));
  const asked = () => images.filter((image) => image.hasAttribute('src')).length;
  for (const [index, image] of images.entries()) {
    loader.load(image, [`https://t.example/${index}`, `https://o.example/${index}`], () =>
      failed.push(index),
    );
  }
  assert.equal(asked(), 12);
  images[0].dispatchEvent(new window.Event('load'));
  assert.equal(asked(), 13);
  loader.cancel(images[1]);
  loader.cancel(images[39]);
  assert.equal(images[1].hasAttribute('src'), false);
  assert.equal(asked(), 13);
  images[2].dispatchEvent(new window.Event('error'));
  assert.deepEqual(failed, []);
  for (const image of images) loader.cancel(image);
  assert.equal(loader.loading.size + loader.waiting.size, 0);
});

test('an image that has no thumbnail is tried by its original, then given up', () => {
  const loader = new ThumbnailLoader();
  const image = document.createElement('img');
  let failCount = 0;
  loader.load(image, ['https://t.example/1', 'https://o.example/1'], () => (failCount += 1));
  image.dispatchEvent(new window.Event('error'));
  assert.deepEqual([image.src, failCount], ['https://o.example/1', 0]);
  image.dispatchEvent(new window.Event('error'));
  assert.equal(failCount, 1);
});
