/**
 * Keys on the page of a dataset: what each does to the selection or to the tile that has the focus.
 */
import { commandFor, isTyping } from '../lib/keymap.js';
import { changeFor } from './labelling.js';

/** @typedef {import('../lib/types.js').Image} Image */
/** @typedef {import('../lib/keymap.js').Command} Command */

/**
 * @typedef {object} KeyTargets
 * @property {import('./labelling.js').Labelling} labelling What keys change.
 * @property {import('./grid.js').Grid} grid Where they are pressed.
 * @property {() => Image | undefined} active The image that has the focus.
 * @property {(index: number) => void} onOpen Open the loupe.
 * @property {(index: number) => void} onExtend Select up to here.
 * @property {() => void} onAll Select all.
 * @property {() => void} onMoved The focus went on without a selection.
 * @property {() => void} onHelp Show the keys.
 * @property {() => void} onSearch Go to the search.
 */

/**
 * Listen to the keys of a view.
 * @param {KeyTargets} targets What they are about.
 * @param {AbortSignal} signal Of the view.
 */
export function listenToKeys(targets, signal) {
  document.addEventListener(
    'keydown',
    (event) => {
      // A dialog has keys of its own.
      if (
        event.defaultPrevented ||
        isTyping(event.target) ||
        document.querySelector('dialog[open]')
      ) {
        return;
      }
      if (onKey(event, targets)) event.preventDefault();
    },
    { signal },
  );
}

/**
 * @param {KeyboardEvent} event Outside of fields and dialogs.
 * @param {KeyTargets} targets What it may be about.
 * @returns {boolean} Whether it meant something.
 */
function onKey(event, targets) {
  if (targets.grid.hasFocus() && moveBy(event, targets)) return true;
  const command = commandFor(event, targets.labelling.keys);
  return command !== null && (runAnywhere(command, targets) || runOnImages(command, targets));
}

/**
 * @param {KeyboardEvent} event On a tile.
 * @param {KeyTargets} targets The grid.
 * @returns {boolean} Whether it moved.
 */
function moveBy(event, { grid, onExtend, onMoved }) {
  const target = grid.move(event);
  if (target === null) return false;
  if (event.shiftKey) onExtend(target);
  else onMoved();
  return true;
}

/**
 * @param {Command} command From a key.
 * @param {KeyTargets} targets What it may be about.
 * @returns {boolean} Whether it is one that needs no image.
 */
function runAnywhere({ name }, { labelling, onHelp, onSearch, onAll }) {
  /** @type {Record<string, () => void>} */
  const runs = {
    undo: () => void labelling.actions.step('undo'),
    redo: () => void labelling.actions.step('redo'),
    help: onHelp,
    search: onSearch,
    all: onAll,
    clear: () => labelling.selection.clear(),
  };
  runs[name]?.();
  return name in runs;
}

/**
 * @param {Command} command From a key.
 * @param {KeyTargets} targets What it is about.
 * @returns {boolean} Whether it was done, or will be at the next press.
 */
function runOnImages(command, targets) {
  const { grid, labelling, active, onOpen } = targets;
  const hasFocus = grid.hasFocus();
  if (command.name === 'open' || command.name === 'select') {
    // Elsewhere these are the browser's: they press buttons and scroll.
    const image = active();
    if (!hasFocus || !image) return false;
    if (command.name === 'open') onOpen(grid.active);
    else labelling.selection.toggle(image);
    return true;
  }
  const isBulk = labelling.selection.size > 0;
  if (!isBulk && !hasFocus) {
    // Nobody sees yet which image it would be: the first press shows that.
    grid.focus(grid.active);
    return true;
  }
  const image = active();
  changeImages(
    command,
    isBulk ? labelling.selection.images : image ? [image] : [],
    targets,
    isBulk,
  );
  return true;
}

/**
 * @param {Command} command Label, exclude or review.
 * @param {Image[]} images What to change.
 * @param {KeyTargets} targets The grid.
 * @param {boolean} isBulk Whether they are the selection; the focus stays then.
 */
function changeImages(command, images, { grid, labelling, onMoved }, isBulk) {
  const change = changeFor(command, images);
  if (!change || images.length === 0) return;
  void labelling.actions.apply(images, change);
  const isTakenBack = change.excluded === false || change.reviewed === false;
  if (isBulk || isTakenBack) return;
  grid.focus(grid.active + 1);
  onMoved();
}
