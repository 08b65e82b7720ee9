/**
 * Runs a network by ONNX Runtime Web, which lies beside this in `vendor/`: no code is ever fetched.
 * One thread: more need pages that are isolated from others, which an extension's are not.
 */
import { BowerbirdError } from '../lib/errors.js';
import { text } from '../lib/text.js';

const WASM = new URL('../vendor/ort-wasm-simd-threaded.wasm', import.meta.url).href;
const INPUT = 'images';
const OUTPUT = 'logits';

/** @typedef {typeof import('../vendor/ort.wasm.bundle.min.mjs')} Runtime */
/** @typedef {import('../vendor/ort.wasm.bundle.min.mjs').Session} Session */

/** @type {Promise<Runtime> | null} */
let runtime = null;

/**
 * @returns {Promise<Runtime>} Loaded once.
 * @throws {BowerbirdError} `unexpected`: it was not packaged with this extension.
 */
async function load() {
  runtime ??= import('../vendor/ort.wasm.bundle.min.mjs').then(
    (found) => {
      found.env.wasm.numThreads = 1;
      found.env.wasm.proxy = false;
      found.env.wasm.wasmPaths = { wasm: WASM };
      found.env.logLevel = 'error';
      return found;
    },
    () => {
      runtime = null;
      throw new BowerbirdError('unexpected', text('runtimeMissing'));
    },
  );
  return runtime;
}

/** A network, ready to answer. */
export class Network {
  /**
   * @param {Runtime} ort The runtime.
   * @param {Session} session The network in it.
   */
  constructor(ort, session) {
    this.ort = ort;
    this.session = session;
  }

  /**
   * @param {Uint8Array} model An ONNX file.
   * @returns {Promise<Network>} Loaded.
   * @throws {BowerbirdError} `unexpected`: it cannot be.
   */
  static async open(model) {
    const ort = await load();
    try {
      const options = { executionProviders: ['wasm'], graphOptimizationLevel: 'all' };
      return new Network(ort, await ort.InferenceSession.create(model, options));
    } catch (error) {
      throw new BowerbirdError('unexpected', text('modelNotLoaded', String(error)));
    }
  }

  /**
   * @param {Float32Array} input `[3, side, side]`.
   * @param {number} side In pixels.
   * @returns {Promise<number[]>} A logit for each class.
   * @throws {BowerbirdError} `unexpected`: it fails, or answers no numbers.
   */
  async run(input, side) {
    try {
      const images = new this.ort.Tensor('float32', input, [1, 3, side, side]);
      const outputs = await this.session.run({ [INPUT]: images }, [OUTPUT]);
      const logits = Array.from(outputs[OUTPUT]?.data ?? []);
      if (logits.length > 0 && logits.every(Number.isFinite)) return logits;
      throw new Error('it answers no numbers');
    } catch (error) {
      throw new BowerbirdError('unexpected', text('modelNotLoaded', String(error)));
    }
  }

  /** Give the memory back. */
  async close() {
    await this.session.release();
  }
}
