/**
 * Changes to images by a person: shown at once, sent one after the other, taken back where the server says no.
 */
import { keepNewest } from './bounded-map.js';
import { Problem } from './api.js';
import { plural } from './format.js';
import { changed, conflictText, describe, differs, sentence } from './image-changes.js';
import { changeImages, readImage, stepActions } from './resources.js';

/** @typedef {import('./types.js').Image} Image */
/** @typedef {import('./types.js').ImageChange} ImageChange */

/** What the server takes at once. */
const MAX_IDS = 1_000;
/** Images whose state is remembered between the key and the answer, and a good while after. */
const MAX_LATEST = 20_000;
/** Changes whose former states are remembered, so that undoing them needs no reading. */
const MAX_JOURNAL = 200;

/**
 * One action: the images before and after it, and the actions of the same press of a key.
 * @typedef {{before: Image[], after: Image[], group: string[]}} Entry
 */

/**
 * @typedef {object} ActionsListener
 * @property {(images: Image[]) => void} onImages Told how images look now.
 * @property {(text: string, canUndo: boolean) => void} onSaid Told what to say.
 * @property {() => void} onUnknown Told that images have changed of which it is not known which.
 * @property {(error: unknown) => void} onError Told of a failure; what it was about has been taken back.
 */

/** What is said where nothing is left of a kind. @type {Record<string, string>} */
const NOTHING = {
  'nothing-to-undo': 'There is nothing to undo.',
  'nothing-to-redo': 'There is nothing to redo.',
};

/** The changes of one page. */
export class ImageActions {
  #datasetId;
  #listener;
  /** Each waits for the one before it: a second key on the same image must arrive second. */
  #queue = Promise.resolve();
  /** By the server's id of the action. @type {Map<string, Entry>} */
  #journal = new Map();
  /** Newest known state of what was changed here, by id. @type {Map<string, Image>} */
  #latest = new Map();

  /**
   * @param {string} datasetId Whose images.
   * @param {ActionsListener} listener Told of all that happens.
   */
  constructor(datasetId, listener) {
    this.#datasetId = datasetId;
    this.#listener = listener;
  }

  /**
   * @param {Image[]} images What to change, as last seen.
   * @param {ImageChange} change What to set.
   * @returns {Promise<void>} Settled when the server has answered; it never rejects.
   */
  apply(images, change) {
    const before = images
      .map((image) => this.#newest(image))
      .filter((image) => differs(image, change));
    if (before.length === 0) return Promise.resolve();
    const after = before.map((image) => changed(image, change));
    this.#show(after);
    return this.#enqueue(async () => {
      /** @type {string[]} */
      const group = [];
      let lost = 0;
      for (let start = 0; start < before.length; start += MAX_IDS) {
        const end = start + MAX_IDS;
        const part = { before: before.slice(start, end), after: after.slice(start, end), group };
        lost += await this.#send(part, change);
      }
      this.#say(sentence(change), before.length - lost, lost);
    }, before);
  }

  /**
   * Undo the newest change of the dataset, whoever made it, or redo what was undone last.
   * @param {'undo' | 'redo'} step Which way.
   * @returns {Promise<string[]>} The images that changed, when it is done; it never rejects.
   */
  async step(step) {
    /** @type {string[]} */
    const ids = [];
    await this.#enqueue(async () => {
      const answer = await this.#turn(step);
      if (!answer) return;
      ids.push(...Object.keys(answer.versions ?? {}));
      await this.#follow(step, answer);
      let { count } = answer.action;
      let lost = answer.conflicts.length;
      // A change of more images than the server takes at once is several actions there, and one here.
      const group = this.#journal.get(answer.action.id)?.group ?? [];
      for (const id of group) {
        if (id === answer.action.id) continue;
        const other = await stepActions(this.#datasetId, step, id);
        ids.push(...Object.keys(other.versions ?? {}));
        await this.#follow(step, other);
        count += other.action.count;
        lost += other.conflicts.length;
      }
      const word = step === 'undo' ? 'Undone' : 'Done again';
      const left = lost > 0 ? ` ${conflictText(lost)}` : '';
      const what = describe(answer.action.set);
      this.#listener.onSaid(`${word}: ${what}, ${plural(count, 'image')}.${left}`, false);
    }, []);
    return ids;
  }

  /** @returns {Promise<void>} Settled when all changes so far have been answered; it never rejects. */
  get settled() {
    return this.#queue;
  }

  /**
   * @param {'undo' | 'redo'} step Which way.
   * @returns {Promise<import('./types.js').UndoAnswer | null>} What the server did; null when there was nothing to do.
   */
  async #turn(step) {
    try {
      return await stepActions(this.#datasetId, step);
    } catch (error) {
      const text = error instanceof Problem ? NOTHING[error.slug] : undefined;
      if (text === undefined) throw error;
      this.#listener.onSaid(text, false);
      return null;
    }
  }

  /**
   * @param {'undo' | 'redo'} step Which way.
   * @param {import('./types.js').UndoAnswer} answer What the server did.
   */
  async #follow(step, { action, conflicts, versions = {} }) {
    const entry = this.#journal.get(action.id);
    if (!entry) {
      this.#listener.onUnknown();
      return;
    }
    const lost = new Set(conflicts.map((each) => each.id));
    const states = (step === 'undo' ? entry.before : entry.after).filter(({ id }) => !lost.has(id));
    this.#show(
      states.map((image) => {
        const version = versions[image.id];
        return version === undefined ? image : { ...image, version };
      }),
    );
    await this.#reread([...lost]);
  }

  /**
   * @param {() => Promise<void>} work What to do when all before it is done.
   * @param {Image[]} before Shown again when it fails.
   * @returns {Promise<void>} Settled after it.
   */
  #enqueue(work, before) {
    this.#queue = this.#queue.then(work).catch((error) => {
      for (const image of before) this.#latest.delete(image.id);
      this.#listener.onImages(before);
      // A part of so many may have arrived before the failure.
      if (before.length > MAX_IDS) this.#listener.onUnknown();
      this.#listener.onError(error);
    });
    return this.#queue;
  }

  /**
   * @param {Entry} part At most as many as the server takes.
   * @param {ImageChange} change What to set.
   * @returns {Promise<number>} How many somebody else had changed.
   */
  async #send(part, change) {
    const versions = Object.fromEntries(
      part.before.flatMap(({ id, version }) => (version === undefined ? [] : [[id, version]])),
    );
    const ids = part.before.map((image) => image.id);
    const answer = await changeImages(this.#datasetId, { ids, set: change, versions });
    const lost = new Set((answer.conflicts ?? []).map((each) => each.id));
    const kept = (/** @type {Image} */ image) => !lost.has(image.id);
    if (answer.action_id) {
      part.group.push(answer.action_id);
      const { before, after, group } = part;
      this.#journal.set(answer.action_id, {
        before: before.filter(kept),
        after: after.filter(kept),
        group,
      });
      keepNewest(this.#journal, MAX_JOURNAL);
    }
    await this.#reread([...lost]);
    return lost.size;
  }

  /**
   * @param {string} what Was done.
   * @param {number} done To how many images.
   * @param {number} lost How many stayed as they are.
   */
  #say(what, done, lost) {
    const some = done > 0 ? `${what}, ${plural(done, 'image')}.` : '';
    const rest = lost > 0 ? conflictText(lost) : '';
    this.#listener.onSaid([some, rest].filter(Boolean).join(' '), done > 0);
  }

  /** @param {string[]} ids Whose state only the server knows. */
  async #reread(ids) {
    // A conflict of many is rare, and each is a request: beyond a screenful the whole list is read again.
    if (ids.length > 50) {
      for (const id of ids) this.#latest.delete(id);
      this.#listener.onUnknown();
      return;
    }
    for (const id of ids) this.#show([await readImage(id)]);
  }

  /** @param {Image[]} now How images look. */
  #show(now) {
    for (const image of now) {
      this.#latest.delete(image.id);
      this.#latest.set(image.id, image);
    }
    keepNewest(this.#latest, MAX_LATEST);
    if (now.length > 0) this.#listener.onImages(now);
  }

  /**
   * @param {Image} image As somebody has it.
   * @returns {Image} As it is known here, if that is newer.
   */
  #newest(image) {
    const known = this.#latest.get(image.id);
    return known && (known.version ?? 0) >= (image.version ?? 0) ? known : image;
  }
}
