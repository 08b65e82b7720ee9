/**
 * Which key does what on images: fixed commands, and one key for each label, kept per dataset in this browser.
 */

/** Keys that labels may have, in the order in which they are given out. */
const LABEL_KEYS = '1234567890abcdefghijklmnopqstvwyz';
/** Letters that mean something else: x, r, u are not in LABEL_KEYS. */
const STORAGE_PREFIX = 'bowerbird.keys.';

/** @typedef {'exclude' | 'review' | 'undo' | 'redo' | 'open' | 'select' | 'all' | 'help' | 'search' | 'clear'} CommandName */
/** @typedef {{name: CommandName} | {name: 'label', label: string}} Command */
/** @typedef {Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey'>} Stroke */

/** @type {Record<string, CommandName>} */
const PLAIN = {
  x: 'exclude',
  r: 'review',
  u: 'undo',
  enter: 'open',
  ' ': 'select',
  escape: 'clear',
  '?': 'help',
  '/': 'search',
};

/** Said in the dialog of keys; the labels' own stand above them. @type {[string, string][]} */
export const KEY_HELP = [
  ['X', 'Exclude from training, or include again'],
  ['R', 'Mark as reviewed, or take the mark back'],
  ['U or Ctrl Z', 'Undo the last change, also one from before a reload'],
  ['Ctrl Shift Z', 'Redo what was undone'],
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
export function isLabelKey(key) {
  return key.length === 1 && LABEL_KEYS.includes(key);
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
