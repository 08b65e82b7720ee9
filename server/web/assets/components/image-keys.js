/**
 * Keys on the page of a dataset: what each does to the selection or to the tile that has the focus.
 */
import { commandFor, isHeldDecision, listenToKeys } from '../lib/keymap.js';

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
export function listenToImageKeys(targets, signal) {
  listenToKeys((event) => onKey(event, targets), signal);
}

/**
 * @param {KeyboardEvent} event Outside of fields and dialogs.
 * @param {KeyTargets} targets What it may be about.
 * @returns {boolean} Whether it meant something.
 */
function onKey(event, targets) {
  if (targets.grid.hasFocus() && moveBy(event, targets)) return true;
  const command = commandFor(event, targets.labelling.keys);
  if (command !== null && isHeldDecision(event, command)) return true;
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
function runAnywhere(command, { labelling, onHelp, onSearch, onAll }) {
  /** @type {Record<string, () => void>} */
  const runs = {
    undo: () => void labelling.run(command, []),
    redo: () => void labelling.run(command, []),
    help: onHelp,
    search: onSearch,
    all: onAll,
    clear: () => labelling.selection.clear(),
  };
  runs[command.name]?.();
  return command.name in runs;
}

/**
 * @param {Command} command From a key.
 * @param {KeyTargets} targets What it is about.
 * @returns {boolean} Whether it was done, or will be at the next press.
 */
export function runOnImages(command, targets) {
  const { grid, labelling, active } = targets;
  if (command.name === 'open' || command.name === 'select') {
    return runOnTile(command.name, targets);
  }
  const isBulk = labelling.selection.size > 0;
  if (!isBulk && !grid.hasFocus()) {
    // Nobody sees yet which image it would be: the first press shows that.
    grid.focus(grid.active);
    return true;
  }
  const image = active();
  const done = labelling.run(command, isBulk ? labelling.selection.images : image ? [image] : []);
  // With a selection the focus stays where it is.
  if (done === 'on' && !isBulk) {
    grid.focus(grid.active + 1);
    targets.onMoved();
  }
  return true;
}

/**
 * @param {'open' | 'select'} name A command on the tile that has the focus.
 * @param {KeyTargets} targets The grid.
 * @returns {boolean} Whether there was one: elsewhere the key is the browser's, it presses a button or scrolls.
 */
function runOnTile(name, { grid, labelling, active, onOpen }) {
  const image = active();
  if (!grid.hasFocus() || !image) return false;
  if (name === 'open') onOpen(grid.active);
  else labelling.selection.toggle(image);
  return true;
}
