/**
 * What a person does to the images of a dataset, whichever of them are shown: the selection, the keys of the labels,
 * the changes with their undo. It outlives filters; the view that is shown at the time listens to it.
 */
import { explainError } from '../lib/explain.js';
import { ImageActions } from '../lib/image-actions.js';
import { changeFor, isSettling } from '../lib/image-changes.js';
import { assignKeys, keepChosenKeys, readChosenKeys, rebind } from '../lib/keymap.js';
import { Selection } from '../lib/selection.js';
import { toast } from './notices.js';

/** @typedef {import('../lib/types.js').Image} Image */

/**
 * @typedef {object} LabellingListener
 * @property {(images: Image[]) => void} onImages Told how images look now.
 * @property {() => void} onUnknown Told to read everything again.
 * @property {() => void} onSelection Told that other images are selected.
 * @property {() => void} onKeys Told that labels have other keys.
 */

/**
 * Where it is told what became of changes; toasts where a view has no better place.
 * @typedef {object} Voice
 * @property {(text: string, canUndo: boolean) => void} [onSaid] Told what to say.
 * @property {(error: unknown) => void} [onError] Told of a failure.
 */

/** The person's side of a dataset. */
export class Labelling {
  /** The labels, in the order of their colours. @type {string[]} */
  labels = [];
  /** The label of each key. @type {Map<string, string>} */
  keys = new Map();
  #datasetId;
  /** @type {Record<string, string>} */
  #chosen;
  /** @type {Set<Partial<LabellingListener>>} */
  #listeners = new Set();

  /**
   * @param {string} datasetId Whose images.
   * @param {string[]} labels Its labels.
   * @param {Voice} [voice] Where to tell what became of changes.
   */
  constructor(datasetId, labels, voice = {}) {
    this.#datasetId = datasetId;
    this.#chosen = readChosenKeys(datasetId);
    this.selection = new Selection(() => this.#tell('onSelection'));
    this.actions = new ImageActions(datasetId, {
      onImages: (images) => {
        this.selection.replace(images);
        for (const each of this.#listeners) each.onImages?.(images);
      },
      onUnknown: () => this.#tell('onUnknown'),
      onError: voice.onError ?? ((error) => toast(explainError(error))),
      onSaid: voice.onSaid ?? ((text, canUndo) => this.#say(text, canUndo)),
    });
    this.setLabels(labels);
  }

  /** @param {string[]} labels All labels from now on. */
  setLabels(labels) {
    this.labels = labels;
    this.keys = assignKeys(labels, this.#chosen);
    // A key that was learned stays its label's when other labels come: they get what is free.
    this.#chosen = Object.fromEntries([...this.keys].map(([key, label]) => [label, key]));
    keepChosenKeys(this.#datasetId, this.#chosen);
    this.#tell('onKeys');
  }

  /**
   * @param {string} label Whose key changes.
   * @param {string} key Its new one.
   */
  rebind(label, key) {
    this.#chosen = rebind(this.keys, label, key);
    this.setLabels(this.labels);
  }

  /**
   * @param {string} label One of the labels.
   * @returns {string | null} Its key.
   */
  keyOf(label) {
    for (const [key, name] of this.keys) if (name === label) return key;
    return null;
  }

  /**
   * @param {Partial<LabellingListener>} listener Told from now on.
   * @param {AbortSignal} signal Ends it.
   */
  listen(listener, signal) {
    this.#listeners.add(listener);
    signal.addEventListener('abort', () => this.#listeners.delete(listener), { once: true });
  }

  /**
   * Do what a key asks for.
   * @param {import('../lib/keymap.js').Command} command From the key.
   * @param {Image[]} images What it is about.
   * @returns {'on' | 'stay' | null} Whether one goes on to the next image; null when it means nothing here.
   */
  run(command, images) {
    if (command.name === 'undo' || command.name === 'redo') {
      void this.actions.step(command.name);
      return 'stay';
    }
    const change = images.length > 0 ? changeFor(command, images) : null;
    if (!change) return null;
    void this.actions.apply(images, change);
    return isSettling(change) ? 'on' : 'stay';
  }

  /**
   * @param {string} text What became of a change.
   * @param {boolean} canUndo Whether that is offered.
   */
  #say(text, canUndo) {
    toast(text, canUndo ? { label: 'Undo', run: () => void this.actions.step('undo') } : null);
  }

  /** @param {'onUnknown' | 'onSelection' | 'onKeys'} what Has happened. */
  #tell(what) {
    for (const each of this.#listeners) each[what]?.();
  }
}
