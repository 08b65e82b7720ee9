/** A background that can be evicted, and the pages that talk to it, for runs of scrolling and capturing. */
import './i18n.js';
import { NO_FILTERS } from '../../../extension/lib/filters.js';
import { ScrollRuns } from '../../../extension/background/scroll.js';
import { makeCandidate } from './scrolled.js';

/** Stands for the runs' IndexedDB: one transaction a call, copies in and out. */
export class MemoryScrollStore {
  constructor() {
    this.runs = new Map();
    this.pieces = new Map();
    /** How many of the next writes fail, as those of a full disk do. */
    this.failures = 0;
  }

  async list() {
    const runs = [...this.runs.values()].sort((a, b) => (a.run_id < b.run_id ? -1 : 1));
    return structuredClone(runs);
  }

  async put(run) {
    this.#write();
    this.runs.set(run.run_id, structuredClone(run));
  }

  async add(run, fresh) {
    await this.put(run);
    const former = this.pieces.get(run.run_id) ?? [];
    this.pieces.set(run.run_id, [...former, ...structuredClone(fresh)]);
  }

  async read(runId) {
    return structuredClone(this.pieces.get(runId) ?? []);
  }

  async settle(run) {
    await this.put(run);
    this.pieces.delete(run.run_id);
  }

  async remove(runIds) {
    for (const runId of runIds) {
      this.runs.delete(runId);
      this.pieces.delete(runId);
    }
  }

  #write() {
    if (this.failures === 0) return;
    this.failures -= 1;
    throw new DOMException('The disk is full.', 'QuotaExceededError');
  }
}

/** Both ends of a port, which pass copies on in turn. */
export class PlayedPort {
  constructor() {
    this.received = [];
    this.toBackground = [];
    this.onGone = [];
    this.lastId = 0;
    this.isOpen = true;
    this.onMessage = { addListener: (listener) => this.toBackground.push(listener) };
    this.onDisconnect = { addListener: (listener) => this.onGone.push(listener) };
  }

  postMessage(order) {
    if (!this.isOpen) throw new Error('the port is closed');
    this.received.push(structuredClone(order));
  }

  /** Say something as the page, and wait until it is answered. */
  async say(message) {
    this.lastId += 1;
    const said = { id: this.lastId, ...message };
    for (const listener of this.toBackground) listener(structuredClone(said));
    return waitFor(() => this.received.find(({ id }) => id === said.id));
  }

  /** The page is gone. */
  close() {
    this.isOpen = false;
    for (const listener of this.onGone) listener();
  }
}

/** The world of one test. */
export class PlayedBackground {
  constructor() {
    this.store = new MemoryScrollStore();
    this.settings = { server: 'http://127.0.0.1:8000', filters: NO_FILTERS };
    this.nowMs = 1_800_000_000_000;
    this.captures = [];
    this.shown = [];
    this.isWoken = false;
    this.captureErrors = [];
    this.state = 'ok';
    this.injectError = null;
    this.evict();
  }

  /** A new worker takes over; all that the former one held in memory is gone. */
  evict() {
    this.runs = new ScrollRuns({
      store: this.store,
      settings: { read: async () => this.settings },
      scan: async () => ({
        state: this.state,
        origin: {
          engine: 'bing',
          query: 'bears',
          page_url: 'https://www.bing.com/images/search?q=bears',
          page_title: 'Bears',
        },
      }),
      inject: async () => {
        if (this.injectError !== null) throw this.injectError;
      },
      capture: async (request, fixed) => {
        const error = this.captureErrors.shift();
        if (error !== undefined) throw error;
        this.captures.push({ ...request, ...fixed });
        const { length } = request.candidates;
        return { state: 'sent', capture: { added: length, known: 0, refused: [] } };
      },
      show: async (tabId, state) => {
        this.shown.push([tabId, state.end]);
      },
      wakeUp: async (isNeeded) => {
        this.isWoken = isNeeded;
      },
      sleep: async () => {},
      now: () => this.nowMs,
    });
  }

  /** Start a run in a tab. */
  async start(tabId = 7, goal_count = 200) {
    const dataset = { id: 'D1', name: 'bears' };
    return this.runs.start({ tab_id: tabId, goal_count, dataset, label: 'grizzly' });
  }

  /** Connect the page of a tab, as the script in it does. */
  async connect(tabId = 7, runId = null) {
    const port = new PlayedPort();
    this.runs.onConnect(tabId, port);
    const answer = await port.say({ type: 'hello', run_id: runId });
    return { port, answer };
  }
}

/**
 * Say what a page found.
 *
 * @param {number} from The first image.
 * @param {number} to The one after the last.
 * @returns {object} The message.
 */
export function found(from, to) {
  const candidates = Array.from({ length: to - from }, (_, index) => ({
    ...makeCandidate(from + index),
    rank: from + index,
  }));
  return { type: 'found', phase: 'running', candidates };
}

/**
 * Wait for what happens in a few turns of the loop.
 *
 * @template T
 * @param {() => T | undefined} look Looks for it.
 * @returns {Promise<T>} What was found.
 */
export async function waitFor(look) {
  for (let turn = 0; turn < 200; turn += 1) {
    const seen = look();
    if (seen) return seen;
    await new Promise(setImmediate);
  }
  throw new Error('it did not happen');
}
