/** Answers what an image shows by a kept model. One network is in memory at a time. */
import { BowerbirdError } from '../lib/errors.js';
import { text } from '../lib/text.js';
import { answer } from './answers.js';
import { Network } from './network.js';
import { decode } from './picture.js';
import { toInput } from './preprocess.js';

/** @typedef {import('./types.js').HereAnswer} HereAnswer */
/** @typedef {import('./types.js').KeptModel} KeptModel */

/** A network of 20 MB takes some 100 MB: given back when nobody asks for a while. */
const IDLE_MS = 60_000;

/** Runs kept models. */
export class Runner {
  /** @param {Pick<import('./kept-store.js').KeptStore, 'readNetwork'>} store Where they lie. */
  constructor(store) {
    this.store = store;
    /** @type {{key: string, network: Network} | null} */
    this.loaded = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.idle = undefined;
    /** @type {Promise<unknown>} Settled when the last question is: they take turns. */
    this.last = Promise.resolve();
  }

  /**
   * @param {KeptModel} model Which model.
   * @param {Blob} blob An image.
   * @returns {Promise<HereAnswer>} What it says.
   * @throws {BowerbirdError} The image or the model cannot be read.
   */
  answer(model, blob) {
    const next = this.last.then(() => this.#answer(model, blob));
    this.last = next.catch(() => undefined);
    return next;
  }

  /**
   * @param {KeptModel} model Which model.
   * @param {Blob} blob An image.
   * @returns {Promise<HereAnswer>} What it says.
   */
  async #answer({ bundle_sha256, facts }, blob) {
    clearTimeout(this.idle);
    try {
      const network = await this.#load(bundle_sha256);
      const started = performance.now();
      const input = toInput(await decode(blob), facts.preprocessing);
      const logits = await network.run(input, facts.preprocessing.size_px);
      if (logits.length !== facts.classes.length) {
        throw new BowerbirdError('unexpected', text('modelNotLoaded', 'logits'));
      }
      return { ...answer(logits, facts), milliseconds: performance.now() - started };
    } finally {
      this.idle = setTimeout(() => void this.#unload(), IDLE_MS);
    }
  }

  /**
   * @param {string} key Hash of the model's bundle.
   * @returns {Promise<Network>} Loaded.
   */
  async #load(key) {
    if (this.loaded?.key === key) return this.loaded.network;
    await this.#unload();
    const bytes = await this.store.readNetwork(key);
    if (bytes === undefined) throw new BowerbirdError('unexpected', text('modelGone'));
    const network = await Network.open(new Uint8Array(bytes));
    this.loaded = { key, network };
    return network;
  }

  /** Give the network's memory back. */
  async #unload() {
    const { loaded } = this;
    this.loaded = null;
    await loaded?.network.close();
  }
}
