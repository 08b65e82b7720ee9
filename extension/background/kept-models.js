/**
 * Models kept in this browser, so that it can answer without the server. They are fetched from the
 * server that the person paired with, checked by their hashes, and leave the browser for nobody.
 */
import { BundleError, readBundle } from '../inference/bundle.js';
import { BowerbirdError, messageOf } from '../lib/errors.js';
import { text } from '../lib/text.js';

/** @typedef {import('../inference/types.js').BundleFacts} BundleFacts */
/** @typedef {import('../inference/types.js').HereAnswer} HereAnswer */
/** @typedef {import('../inference/types.js').KeptModel} KeptModel */
/** @typedef {import('../lib/types.js').AnswersHere} AnswersHere */
/** @typedef {import('../lib/types.js').Classification} Classification */
/** @typedef {import('../lib/types.js').Model} Model */

/** The largest backbone on offer takes 115 MB; the default one 13. */
const MAX_MODEL_BYTES = 128 * 1024 ** 2;
/** Metrics of a thousand classes take some MB. */
const MAX_JSON_BYTES = 8 * 1024 ** 2;
/** The newest live ones: a browser gives an extension some GB at most. */
export const MAX_KEPT = 5;
const LOCK = 'bowerbird-models';
const DOWN = new Set(['server-down', 'another-program']);

/**
 * @typedef {object} Parts
 * @property {Pick<import('./session.js').Session, 'list' | 'download'>} session The paired servers.
 * @property {Pick<import('./settings.js').SettingsStore, 'read' | 'update'>} settings What is remembered.
 * @property {import('../inference/kept-store.js').KeptStore} store Where models lie.
 * @property {(model: KeptModel, dataUrl: string) => Promise<HereAnswer>} run Answers by a kept model.
 * @property {<T>(name: string, run: () => Promise<T>) => Promise<T>} lock One at a time.
 * @property {() => number} now The time, in ms since 1970.
 */

/** Keeps models, and answers by them. */
export class KeptModels {
  /** @param {Parts} parts What it works with. */
  constructor(parts) {
    this.parts = parts;
  }

  /**
   * @returns {Promise<{mode: AnswersHere, models: KeptModel[]}>} When they answer, and all that are
   *   kept, the newest first.
   */
  async list() {
    const { answers_here } = await this.parts.settings.read();
    return { mode: answers_here, models: (await this.parts.store.list()).sort(byAge) };
  }

  /**
   * Say when kept models answer.
   *
   * @param {AnswersHere} mode From now on.
   */
  async choose(mode) {
    await this.parts.settings.update({ answers_here: mode });
  }

  /**
   * Keep the newest live models of the server in use, and no former ones of it.
   *
   * @throws {BowerbirdError} As `Session.call`; `unexpected` when one cannot be used.
   */
  refresh() {
    return this.parts.lock(LOCK, async () => {
      const { server, datasets } = await this.parts.settings.read();
      /** @type {Model[]} */
      const live = await this.parts.session.list('/models', { stage: 'live' }, server);
      const wanted = live.slice(0, MAX_KEPT);
      const kept = await this.parts.store.list();
      const stale = kept.filter(
        (each) =>
          each.server === server &&
          !wanted.some(({ bundle_sha256 }) => bundle_sha256 === each.bundle_sha256),
      );
      await this.parts.store.remove(stale.map(({ bundle_sha256 }) => bundle_sha256));
      const here = new Set(kept.map(({ bundle_sha256 }) => bundle_sha256));
      for (const model of wanted) {
        if (here.has(model.bundle_sha256)) continue;
        const name = datasets.find(({ id }) => id === model.dataset_id)?.name ?? null;
        await this.#keep(model, server, name);
      }
    });
  }

  /**
   * Fetch a model and keep it.
   *
   * @param {Model} model Which.
   * @param {string} server Of which server.
   * @param {string | null} datasetName Of the dataset, where it is known.
   */
  async #keep({ id, dataset_id, bundle_sha256 }, server, datasetName) {
    const { session, store, now } = this.parts;
    const path = `/models/${encodeURIComponent(id)}/bundle/`;
    const json = await session.download(`${path}bundle.json`, MAX_JSON_BYTES, server);
    const facts = readFacts(new TextDecoder().decode(json));
    const network = await session.download(`${path}model.onnx`, MAX_MODEL_BYTES, server);
    if ((await sha256(network)) !== facts.model_sha256) {
      throw new BowerbirdError('unexpected', text('modelOdd', 'sha256'));
    }
    /** @type {KeptModel} */
    const model = {
      bundle_sha256,
      model_id: id,
      dataset_id,
      dataset_name: datasetName,
      server,
      facts,
      bytes: network.byteLength,
      kept_at_ms: now(),
    };
    try {
      await store.add(model, network);
    } catch (error) {
      throw new BowerbirdError('not-kept', text('modelNotKept', messageOf(error)));
    }
  }

  /**
   * Forget kept models.
   *
   * @param {string | null} bundleSha256 Which one; all when null.
   */
  async forget(bundleSha256) {
    const all = (await this.parts.store.list()).map(({ bundle_sha256 }) => bundle_sha256);
    await this.parts.store.remove(bundleSha256 === null ? all : [bundleSha256]);
  }

  /**
   * Take note of an answer of the server's: another model may be live by now.
   *
   * @param {{bundle_sha256?: string}} answer The answer.
   */
  async notice({ bundle_sha256 }) {
    const { mode, models } = await this.list();
    if (mode === 'off' || bundle_sha256 === undefined) return;
    if (models.some((each) => each.bundle_sha256 === bundle_sha256)) return;
    // Nobody waits for it; the options say what is kept.
    await this.refresh().catch(() => undefined);
  }

  /**
   * Find the model that answers before the server is asked.
   *
   * @param {string | null} datasetId Whose model is meant; null for the newest.
   * @returns {Promise<KeptModel | null>} None unless the person has chosen that.
   */
  async findFirst(datasetId) {
    return (await this.#mode()) === 'always' ? this.#find(datasetId) : null;
  }

  /**
   * Find the model that answers when the server does not.
   *
   * @param {string | null} datasetId Whose model is meant; null for the newest.
   * @param {unknown} error Why there is no answer.
   * @returns {Promise<KeptModel | null>} None when the server does answer, or kept models may not.
   */
  async findAfter(datasetId, error) {
    const isDown = error instanceof BowerbirdError && DOWN.has(error.kind);
    return isDown && (await this.#mode()) !== 'off' ? this.#find(datasetId) : null;
  }

  /** @returns {Promise<AnswersHere>} When kept models answer. */
  async #mode() {
    return (await this.parts.settings.read()).answers_here;
  }

  /**
   * @param {string | null} datasetId Whose model is meant; null for the newest.
   * @returns {Promise<KeptModel | null>} One of the server in use.
   */
  async #find(datasetId) {
    const { server } = await this.parts.settings.read();
    const { models } = await this.list();
    return (
      models.find(
        (each) => each.server === server && (datasetId === null || each.dataset_id === datasetId),
      ) ?? null
    );
  }

  /**
   * Answer here.
   *
   * @param {KeptModel} model By which model.
   * @param {Blob} blob An image.
   * @returns {Promise<Classification>} As the server answers.
   * @throws {BowerbirdError} The image or the model cannot be read.
   */
  async answer(model, blob) {
    const bytes = await blob.arrayBuffer();
    const said = await this.parts.run(model, toDataUrl(bytes, blob.type));
    const [first] = said.predictions;
    return {
      ...said,
      model_id: model.model_id,
      dataset_id: model.dataset_id,
      dataset_name: model.dataset_name,
      label: first?.label ?? null,
      probability: first?.probability ?? 0,
      sha256: await sha256(bytes),
      is_here: true,
    };
  }
}

/**
 * @param {KeptModel} a One.
 * @param {KeptModel} b Another.
 * @returns {number} Below 0 when the first is newer: ids are in order of time.
 */
function byAge(a, b) {
  return a.model_id < b.model_id ? 1 : -1;
}

/**
 * @param {string} json `bundle.json`.
 * @returns {BundleFacts} Checked.
 * @throws {BowerbirdError} `unexpected`.
 */
function readFacts(json) {
  try {
    return readBundle(json);
  } catch (error) {
    if (!(error instanceof BundleError)) throw error;
    throw new BowerbirdError('unexpected', text('modelOdd', error.message));
  }
}

/**
 * @param {ArrayBuffer} bytes Any.
 * @returns {Promise<string>} Their hash, in hexadecimal digits.
 */
async function sha256(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * @param {ArrayBuffer} bytes Of an image.
 * @param {string} type Its media type.
 * @returns {string} The same as an address: Chromium's messages carry no binary data.
 */
function toDataUrl(bytes, type) {
  const all = new Uint8Array(bytes);
  let signs = '';
  // In pieces: a call takes some ten thousand arguments.
  for (let at = 0; at < all.length; at += 8192) {
    signs += String.fromCharCode(...all.subarray(at, at + 8192));
  }
  return `data:${type || 'application/octet-stream'};base64,${btoa(signs)}`;
}
