/**
 * Changes to images by a person: shown at once, sent one after the other, taken back where the server says no.
 */
import { keepNewest } from './bounded-map.js';
import { plural } from './format.js';
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
 * @typedef {object} ActionsListener
 * @property {(images: Image[]) => void} onImages Told how images look now.
 * @property {(text: string, canUndo: boolean) => void} onSaid Told what to say.
 * @property {() => void} onUnknown Told that images have changed of which it is not known which.
 * @property {(error: unknown) => void} onError Told of a failure; what it was about has been taken back.
 */

/** The changes of one page. */
export class ImageActions {
  #datasetId;
  #listener;
  /** Each waits for the one before it: a second key on the same image must arrive second. */
  #queue = Promise.resolve();
  /** @type {Map<string, {before: Image[], after: Image[]}>} */
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
      for (let start = 0; start < before.length; start += MAX_IDS) {
        const part = {
          before: before.slice(start, start + MAX_IDS),
          after: after.slice(start, start + MAX_IDS),
        };
        await this.#send(part, change);
      }
    }, before);
  }

  /**
   * @param {'undo' | 'redo'} step Which way.
   * @returns {Promise<void>} Settled when it is done; it never rejects.
   */
  step(step) {
    return this.#enqueue(async () => {
      const { action, changed: count, conflicts } = await stepActions(this.#datasetId, step);
      const entry = this.#journal.get(action.id);
      if (entry) await this.#restore(step === 'undo' ? entry.before : entry.after, conflicts);
      else this.#listener.onUnknown();
      const word = step === 'undo' ? 'Undone' : 'Done again';
      const left = conflicts.length > 0 ? ` ${conflictText(conflicts.length)}` : '';
      this.#listener.onSaid(
        `${word}: ${describe(action.set)}, ${plural(count, 'image')}.${left}`,
        false,
      );
    }, []);
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
      this.#listener.onError(error);
    });
    return this.#queue;
  }

  /**
   * @param {{before: Image[], after: Image[]}} part At most as many as the server takes.
   * @param {ImageChange} change What to set.
   */
  async #send(part, change) {
    const versions = Object.fromEntries(
      part.before.flatMap(({ id, version }) => (version === undefined ? [] : [[id, version]])),
    );
    const body = { ids: part.before.map((image) => image.id), set: change };
    const hasVersions = Object.keys(versions).length > 0;
    const answer = await changeImages(this.#datasetId, hasVersions ? { ...body, versions } : body);
    const conflicts = answer.conflicts ?? [];
    const lost = new Set(conflicts.map((each) => each.id));
    const kept = (/** @type {Image} */ image) => !lost.has(image.id);
    if (answer.action_id) {
      this.#remember(answer.action_id, {
        before: part.before.filter(kept),
        after: part.after.filter(kept),
      });
    }
    const done = part.after.length - lost.size;
    if (lost.size > 0) {
      await this.#reread([...lost]);
      const some = done > 0 ? `${sentence(change)}, ${plural(done, 'image')}. ` : '';
      this.#listener.onSaid(`${some}${conflictText(lost.size)}`, done > 0);
    } else this.#listener.onSaid(`${sentence(change)}, ${plural(done, 'image')}.`, true);
  }

  /**
   * @param {Image[]} states What the images were.
   * @param {{id: string}[]} conflicts Those that stay as they are.
   */
  async #restore(states, conflicts) {
    const lost = new Set(conflicts.map((each) => each.id));
    const back = states.filter((image) => !lost.has(image.id));
    this.#show(
      back.map((image) => {
        const { version } = this.#newest(image);
        return version === undefined ? image : { ...image, version: version + 1 };
      }),
    );
    await this.#reread([...lost]);
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

  /**
   * @param {string} id Of an action.
   * @param {{before: Image[], after: Image[]}} states What it changed.
   */
  #remember(id, states) {
    this.#journal.set(id, states);
    keepNewest(this.#journal, MAX_JOURNAL);
  }
}

/**
 * @param {Image} image As it is.
 * @param {ImageChange} change What to set.
 * @returns {boolean} Whether that changes anything.
 */
function differs(image, { label, excluded, reviewed }) {
  return (
    (label !== undefined && image.label !== label) ||
    (excluded !== undefined && image.excluded !== excluded) ||
    (reviewed !== undefined && (image.reviewed_at !== null) !== reviewed)
  );
}

/**
 * @param {Image} image As it is.
 * @param {ImageChange} change What to set.
 * @returns {Image} As the server will have it, version and all.
 */
export function changed(image, { label, excluded, reviewed }) {
  const now = { ...image };
  if (label !== undefined) now.label = label;
  if (excluded !== undefined) now.excluded = excluded;
  if (reviewed !== undefined) now.reviewed_at = reviewed ? new Date().toISOString() : null;
  return newer(now);
}

/**
 * @param {Image} image As it was shown, or is to be.
 * @returns {Image} The same in its next version.
 */
function newer(image) {
  return image.version === undefined ? { ...image } : { ...image, version: image.version + 1 };
}

/**
 * @param {ImageChange} set What was set.
 * @returns {string} In words, in the middle of a sentence.
 */
export function describe({ label, excluded, reviewed }) {
  if (label !== undefined && label !== null) return `label “${label}”`;
  if (excluded !== undefined && excluded !== null) return excluded ? 'excluded' : 'included again';
  return reviewed ? 'marked as reviewed' : 'no longer marked as reviewed';
}

/**
 * @param {ImageChange} set What was set.
 * @returns {string} In words, at the beginning of a sentence.
 */
function sentence(set) {
  const words = describe(set);
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}

/**
 * @param {number} count Images that somebody else changed.
 * @returns {string} What became of them.
 */
function conflictText(count) {
  return count === 1
    ? 'One image was changed elsewhere in the meantime: it is shown as it is now.'
    : `${String(count)} images were changed elsewhere in the meantime: they are shown as they are now.`;
}
