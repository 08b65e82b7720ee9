/**
 * One round of cleaning, without a page: which image is asked about, what was decided, which key says what.
 */

/** @typedef {import('./types.js').Suspicion} Suspicion */
/** @typedef {import('./types.js').ImageChange} ImageChange */
/** @typedef {{kind: 'keep'} | {kind: 'exclude'} | {kind: 'relabel', label: string}} Decision */
/** @typedef {Decision | {kind: 'undo' | 'next' | 'previous'}} Command */
/** @typedef {{item: Suspicion, change: ImageChange, index: number}} Step */
/** @typedef {{kept: number, relabelled: number, excluded: number}} Tally */

/** Given to labels in this order: what cleaning itself needs (K, X, U) is left out. */
const LABEL_KEYS = '1234567890abcdefghijlmnopqrstvwyz';

/** @type {Record<string, Command>} */
const COMMANDS = {
  k: { kind: 'keep' },
  x: { kind: 'exclude' },
  u: { kind: 'undo' },
  arrowright: { kind: 'next' },
  arrowleft: { kind: 'previous' },
};

/**
 * @param {string[]} labels All labels of a dataset.
 * @returns {Map<string, string>} The label of each key. Beyond 33 labels the rest has none.
 */
export function assignLabelKeys(labels) {
  return new Map([...LABEL_KEYS].slice(0, labels.length).map((key, at) => [key, labels[at] ?? '']));
}

/**
 * @param {Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey'>} stroke What was pressed.
 * @param {Map<string, string>} labelKeys From {@link assignLabelKeys}.
 * @returns {Command | null} What it means.
 */
export function commandFor(stroke, labelKeys) {
  const key = stroke.key.toLowerCase();
  if (stroke.altKey || stroke.shiftKey) return null;
  if (stroke.ctrlKey || stroke.metaKey) return key === 'z' ? { kind: 'undo' } : null;
  const label = labelKeys.get(key);
  return COMMANDS[key] ?? (label === undefined ? null : { kind: 'relabel', label });
}

/**
 * @param {Decision} decision About an image.
 * @returns {ImageChange} What to tell the server. All count as reviewed: no later round asks again.
 */
function changeFor(decision) {
  if (decision.kind === 'relabel') return { label: decision.label, reviewed: true };
  return decision.kind === 'exclude' ? { excluded: true, reviewed: true } : { reviewed: true };
}

/**
 * @param {Decision} decision As it was taken.
 * @param {Suspicion} item About which image, as it was listed: not reviewed, not excluded.
 * @returns {ImageChange} What takes it back.
 */
function changeBack(decision, item) {
  if (decision.kind === 'relabel') return { label: item.label, reviewed: false };
  return decision.kind === 'exclude' ? { excluded: false, reviewed: false } : { reviewed: false };
}

/** A list of images to decide about, one after the other. */
export class Round {
  #items;
  #at = 0;
  /** By index, in the order in which they were taken. @type {Map<number, Decision>} */
  #decisions = new Map();

  /** @param {Suspicion[]} items Most suspicious first. */
  constructor(items) {
    this.#items = items;
  }

  /** @returns {Suspicion | null} The image that is asked about; null when the round is through. */
  get current() {
    return this.#items[this.#at] ?? null;
  }

  /** @returns {Decision | null} What was decided about it, when one has gone back to it. */
  get decision() {
    return this.#decisions.get(this.#at) ?? null;
  }

  /** @returns {number} Its place, from 0. */
  get at() {
    return this.#at;
  }

  /** @returns {number} Images of the round. */
  get size() {
    return this.#items.length;
  }

  /** @returns {number} Images that were decided about. */
  get decided() {
    return this.#decisions.size;
  }

  /** @returns {Tally} What was decided so far. */
  get tally() {
    const kinds = [...this.#decisions.values()].map((decision) => decision.kind);
    const number = (/** @type {Decision['kind']} */ kind) =>
      kinds.filter((each) => each === kind).length;
    return { kept: number('keep'), relabelled: number('relabel'), excluded: number('exclude') };
  }

  /**
   * @param {number} limit At most this many.
   * @returns {{item: Suspicion, decision: Decision}[]} What was decided last, newest first.
   */
  latest(limit) {
    return [...this.#decisions]
      .slice(-limit)
      .reverse()
      .flatMap(([index, decision]) => {
        const item = this.#items[index];
        return item ? [{ item, decision }] : [];
      });
  }

  /**
   * @param {number} limit At most this many.
   * @returns {Suspicion[]} The images after the current one, to be loaded ahead.
   */
  ahead(limit) {
    return this.#items.slice(this.#at + 1, this.#at + 1 + limit);
  }

  /**
   * Decide about the current image and go on. Its own label means that it stays.
   * @param {Decision} decision What to do with it.
   * @returns {Step | null} What to tell the server; null when the round is through.
   */
  decide(decision) {
    const item = this.current;
    if (!item) return null;
    const index = this.#at;
    const before = this.#decisions.get(index);
    const own = decision.kind === 'relabel' && decision.label === item.label;
    const taken = own ? { kind: /** @type {const} */ ('keep') } : decision;
    // The last decision is the one that is taken back first, also when an image is decided about again.
    this.#decisions.delete(index);
    this.#decisions.set(index, taken);
    this.move(1);
    const undone = before ? changeBack(before, item) : {};
    return { item, index, change: { ...undone, ...changeFor(taken) } };
  }

  /**
   * Take the last decision back and return to its image.
   * @returns {Step | null} What to tell the server; null when there is nothing to take back.
   */
  undo() {
    const last = [...this.#decisions].at(-1);
    const item = last && this.#items[last[0]];
    if (!last || !item) return null;
    this.forget(last[0]);
    return { item, index: last[0], change: changeBack(last[1], item) };
  }

  /**
   * Drop a decision that the server refused, and return to its image.
   * @param {number} index From the step.
   */
  forget(index) {
    this.#decisions.delete(index);
    this.#at = index;
  }

  /** @param {1 | -1} step Go on, or back, without deciding. */
  move(step) {
    this.#at = Math.max(0, Math.min(this.#items.length, this.#at + step));
  }
}
