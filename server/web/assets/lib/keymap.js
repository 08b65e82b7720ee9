/**
 * Which key does what on images: fixed commands, and one key for each label, kept per dataset in this browser.
 * The same in the grid, the loupe, the cleaner and on an image's page: a key that is learned in one holds in all.
 */

/**
 * Keys that labels may have, in the order in which they are given out: all digits and letters but K, R, U and X, which
 * are commands everywhere. So no label takes a command away in one place while it keeps it in another.
 */
const LABEL_KEYS = '1234567890abcdefghijlmnopqstvwyz';
const STORAGE_PREFIX = 'bowerbird.keys.';

/** @typedef {'exclude' | 'keep' | 'review' | 'undo' | 'redo' | 'open' | 'select' | 'all' | 'help' | 'search' | 'clear'} CommandName */
/** @typedef {{name: CommandName} | {name: 'label', label: string}} Command */
/** Commands that decide about an image and go on to the next. @type {Set<Command['name']>} */
const DECISIONS = new Set(['label', 'keep', 'exclude', 'review', 'undo', 'redo']);
/** @typedef {Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey'>} Stroke */

/** @type {Record<string, CommandName>} */
const PLAIN = {
  k: 'keep',
  x: 'exclude',
  r: 'review',
  u: 'undo',
  enter: 'open',
  ' ': 'select',
  escape: 'clear',
  '?': 'help',
  '/': 'search',
};

/** What the commands do that no label may take, by their keys. @type {Record<string, string>} */
const RESERVED = {
  k: 'keep an image as it is',
  r: 'mark an image as reviewed',
  u: 'undo',
  x: 'exclude an image',
};

/** @type {[string, string][]} */
const UNDO_HELP = [
  ['U or Ctrl Z', 'Undo the last change, also one from before a reload'],
  ['Ctrl Shift Z', 'Redo what was undone'],
];

/** Said in the dialog of keys; the labels' own stand beside them. @type {[string, string][]} */
export const GRID_HELP = [
  ['K', 'Keep as it is: mark as reviewed, and go on'],
  ['X', 'Exclude from training, or include again'],
  ['R', 'Mark as reviewed, or take the mark back'],
  ...UNDO_HELP,
  ['← → ↑ ↓', 'Go to the next image'],
  ['Home, End', 'Go to the first or the last image'],
  ['Page Up, Page Down', 'Go up or down by a screen'],
  ['Space', 'Select, or let go of'],
  ['Shift with an arrow', 'Select all on the way'],
  ['Ctrl A', 'Select all'],
  ['Esc', 'Let go of the selection; close what is open'],
  ['Enter', 'Look at the image closely'],
  ['/', 'Search'],
  ['?', 'Show these keys'],
];

/** The same for the cleaner. @type {[string, string][]} */
export const CLEANER_HELP = [
  ['K', 'Keep the label as it is'],
  ['X', 'Exclude from training, or include again'],
  ['R', 'Keep, or ask again about what is decided'],
  ...UNDO_HELP,
  ['→ ←', 'Skip an image, go back to one'],
  ['Home', 'Go to the first image of the round'],
  ['Enter', 'Look at the image closely'],
  ['/', 'Choose other images'],
  ['?', 'Show these keys'],
];

/**
 * @param {string[]} labels All labels of a dataset.
 * @param {Record<string, string>} chosen Keys that a person chose, by label.
 * @returns {Map<string, string>} The label of each key. A label without a free key has none.
 */
export function assignKeys(labels, chosen) {
  /** @type {Map<string, string>} */
  const keys = new Map();
  for (const label of labels) {
    const key = chosen[label];
    if (key && isLabelKey(key) && !keys.has(key)) keys.set(key, label);
  }
  const taken = new Set(keys.values());
  const free = [...LABEL_KEYS].filter((key) => !keys.has(key));
  for (const label of labels) {
    if (taken.has(label)) continue;
    const key = free.shift();
    if (key) keys.set(key, label);
  }
  return keys;
}

/**
 * @param {string} key A single character.
 * @returns {boolean} Whether a label may have it.
 */
function isLabelKey(key) {
  return key.length === 1 && LABEL_KEYS.includes(key);
}

/**
 * @param {string} key A single character that somebody wants for a label.
 * @returns {string | null} Why it cannot be; null when it can.
 */
export function whyNoLabelKey(key) {
  if (isLabelKey(key)) return null;
  const meaning = RESERVED[key];
  return meaning === undefined
    ? `“${key}” cannot be a label’s key: take a digit or a letter.`
    : `“${key}” cannot be a label’s key: it means “${meaning}”, in the grid and in the cleaner.`;
}

/**
 * @param {Stroke} stroke What was pressed.
 * @param {Map<string, string>} labelKeys From {@link assignKeys}.
 * @returns {Command | null} What it means on an image.
 */
export function commandFor(stroke, labelKeys) {
  const key = stroke.key.toLowerCase();
  if (stroke.altKey) return null;
  if (stroke.ctrlKey || stroke.metaKey) return controlCommand(key, stroke.shiftKey);
  // "?" and on some keyboards "/" need shift; with any other key it means another thing.
  const name = PLAIN[key];
  if (name && (!stroke.shiftKey || name === 'help' || name === 'search')) return { name };
  const label = stroke.shiftKey ? undefined : labelKeys.get(key);
  return label === undefined ? null : { name: 'label', label };
}

/**
 * A key that is held down would decide about images that nobody has seen.
 * @param {Pick<KeyboardEvent, 'repeat'>} event The key.
 * @param {Command} command What it means.
 * @returns {boolean} Whether it is one that counts only once for each press.
 */
export const isHeldDecision = ({ repeat }, { name }) => repeat && DECISIONS.has(name);

/**
 * @param {string} key With Ctrl or Command.
 * @param {boolean} isShifted Whether Shift was held as well.
 * @returns {Command | null} What it means.
 */
function controlCommand(key, isShifted) {
  if (key === 'z') return { name: isShifted ? 'redo' : 'undo' };
  if (key === 'y') return { name: 'redo' };
  return key === 'a' && !isShifted ? { name: 'all' } : null;
}

/**
 * @param {EventTarget | null} target Where a key was pressed.
 * @returns {boolean} Whether the key is text for a field there, or a choice in a list.
 */
export function isTyping(target) {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target.matches('input, select, textarea'))
  );
}

/**
 * Listen to the keys of a view, but for those that are text in a field or belong to an open dialog.
 * @param {(event: KeyboardEvent) => boolean} onKey Told of each; true when it meant something.
 * @param {AbortSignal} signal Of the view.
 */
export function listenToKeys(onKey, signal) {
  document.addEventListener(
    'keydown',
    (event) => {
      const isElsewhere = isTyping(event.target) || document.querySelector('dialog[open]') !== null;
      if (!event.defaultPrevented && !isElsewhere && onKey(event)) event.preventDefault();
    },
    { signal },
  );
}

/**
 * @param {string} datasetId Whose keys.
 * @returns {Record<string, string>} What was chosen for its labels; nothing when the browser keeps nothing.
 */
export function readChosenKeys(datasetId) {
  try {
    /** @type {unknown} */
    const value = JSON.parse(localStorage.getItem(STORAGE_PREFIX + datasetId) ?? '{}');
    if (typeof value !== 'object' || value === null) return {};
    return Object.fromEntries(Object.entries(value).filter(([, key]) => typeof key === 'string'));
  } catch {
    return {}; // Forbidden by the browser's settings, or written by somebody else.
  }
}

/**
 * @param {string} datasetId Whose keys.
 * @param {Record<string, string>} chosen By label.
 */
export function keepChosenKeys(datasetId, chosen) {
  try {
    localStorage.setItem(STORAGE_PREFIX + datasetId, JSON.stringify(chosen));
  } catch {
    // They hold until the page is left; there is no other place for them.
  }
}

/**
 * @param {Map<string, string>} keys As they are.
 * @param {string} label Whose key changes.
 * @param {string} key Its new one.
 * @returns {Record<string, string>} What is chosen then; the label that had the key gets the other's.
 */
export function rebind(keys, label, key) {
  /** @type {Record<string, string>} */
  const chosen = {};
  for (const [each, name] of keys) chosen[name] = each;
  const holder = keys.get(key);
  const former = chosen[label];
  if (holder !== undefined && holder !== label) {
    if (former === undefined) delete chosen[holder];
    else chosen[holder] = former;
  }
  chosen[label] = key;
  return chosen;
}
