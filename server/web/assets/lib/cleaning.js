/**
 * One round of cleaning, without a page: which image is asked about, what an answer changes, what has been decided.
 * What was decided is read from the images as the server has them, whoever decided it: in this tab, in another, or
 * before a reload.
 */
import { changeFor } from './image-changes.js';

/** @typedef {import('./types.js').Image} Image */
/** @typedef {import('./types.js').ImageChange} ImageChange */
/** @typedef {import('./types.js').Suspicion} Suspicion */
/** @typedef {import('./keymap.js').Command} Command */
/** @typedef {{kind: 'keep'} | {kind: 'exclude'} | {kind: 'relabel', label: string}} Decision */
/** @typedef {{kept: number, relabelled: number, excluded: number}} Tally */

/**
 * @param {Suspicion} item As the model was told.
 * @param {Image} image As it is now.
 * @returns {Decision | null} What was decided about it; null when that is open.
 */
export function decisionOf(item, image) {
  if (image.excluded) return { kind: 'exclude' };
  if (image.label !== item.label) return { kind: 'relabel', label: image.label ?? 'no label' };
  return image.reviewed_at === null ? null : { kind: 'keep' };
}

/**
 * @param {Decision} decision About an image.
 * @param {Suspicion} item Which one.
 * @returns {string} In words.
 */
export function describe(decision, item) {
  if (decision.kind === 'relabel') return `${item.label} \u2192 ${decision.label}`;
  return decision.kind === 'exclude' ? 'excluded' : `kept as ${item.label}`;
}

/**
 * The change that an answer means. Every answer counts as a review, so that no later round asks again; one that is
 * taken back opens the question again.
 * @param {Command} command From a key.
 * @param {Suspicion} item What is asked about.
 * @param {Image} image The same as it is now.
 * @returns {ImageChange | null} What to set, without what holds already; null when the command is no answer.
 */
export function answerFor(command, item, image) {
  const asked = changeFor(command, [image]);
  if (!asked) return null;
  if (command.name === 'exclude') return { ...asked, reviewed: asked.excluded === true };
  if (command.name === 'review' && asked.reviewed !== true) return asked;
  const label = command.name === 'label' ? command.label : item.label;
  return {
    ...(label === image.label ? {} : { label }),
    ...(image.excluded ? { excluded: false } : {}),
    reviewed: true,
  };
}

/**
 * @param {ImageChange} change From {@link answerFor}.
 * @returns {boolean} Whether the image is settled by it, so that one goes on.
 */
export const isAnswer = (change) => change.reviewed !== false;

/** A list of images to decide about, one after the other. */
export class Round {
  #items;
  #at = 0;
  /** Those that have been read, by id. @type {Map<string, Image>} */
  #images = new Map();
  /** By image, in the order in which they became known. @type {Map<string, Decision>} */
  #decisions = new Map();

  /** @param {Suspicion[]} items Most suspicious first. */
  constructor(items) {
    this.#items = [...items];
  }

  /** @returns {Suspicion | null} The image that is asked about; null when the round is through. */
  get current() {
    return this.#items[this.#at] ?? null;
  }

  /** @returns {Decision | null} What was decided about it already. */
  get decision() {
    return this.#decisions.get(this.current?.image_id ?? '') ?? null;
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
      .flatMap(([id, decision]) => {
        const item = this.#items[this.indexOf(id)];
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
   * @param {number} limit How many after the current one are wanted as well.
   * @returns {string[]} The images that have not been read yet, the current one first.
   */
  unread(limit) {
    return this.#items
      .slice(this.#at, this.#at + 1 + limit)
      .map((item) => item.image_id)
      .filter((id) => !this.#images.has(id));
  }

  /**
   * @param {string} id Of an image.
   * @returns {number} Its place; -1 when it is not of this round.
   */
  indexOf(id) {
    return this.#items.findIndex((item) => item.image_id === id);
  }

  /**
   * @param {number} [index] A place; the current one unless told.
   * @returns {Image | undefined} The image there, if it has been read.
   */
  imageAt(index = this.#at) {
    return this.#images.get(this.#items[index]?.image_id ?? '');
  }

  /**
   * Take over how an image looks. One that is open again, as when a change was refused or taken back, is gone back to.
   * @param {Image} image Of this round or not.
   */
  follow(image) {
    const index = this.indexOf(image.id);
    const item = this.#items[index];
    if (!item) return;
    this.#images.set(image.id, image);
    const before = this.#decisions.get(image.id);
    const now = decisionOf(item, image);
    if (now && JSON.stringify(now) === JSON.stringify(before)) return;
    this.#decisions.delete(image.id);
    if (now) this.#decisions.set(image.id, now);
    // The first of several that were refused: the others come again on the way.
    else if (before) this.#at = Math.min(this.#at, index);
  }

  /**
   * Take over what was read of the server, unless a newer state is known: the answer may have been on its way while
   * the image was changed here.
   * @param {Image} image As it was read.
   */
  put(image) {
    const known = this.#images.get(image.id);
    if (!known || (known.version ?? 0) <= (image.version ?? 0)) this.follow(image);
  }

  /**
   * Let go of an image that is no more.
   * @param {string} id Which.
   */
  drop(id) {
    const index = this.indexOf(id);
    if (index < 0) return;
    this.#items.splice(index, 1);
    this.#images.delete(id);
    this.#decisions.delete(id);
    if (index < this.#at) this.#at -= 1;
  }

  /** Go on to the next image that nobody has decided about. */
  next() {
    do this.move(1);
    while (this.decision);
  }

  /** @param {number} step Go on, or back, without deciding. */
  move(step) {
    this.goTo(this.#at + step);
  }

  /** @param {number} index Where to go; the end of the round is the place after its last image. */
  goTo(index) {
    this.#at = Math.max(0, Math.min(this.#items.length, index));
  }
}
