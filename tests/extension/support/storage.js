/** The browser's storage in memory: the same promises and copies, none of the disk. */
import { findStale } from '../../../extension/background/queue-store.js';

/** Stands for `ext.storage.local`. */
export class MemoryArea {
  /** @param {object} [items] What is stored already. */
  constructor(items = {}) {
    this.items = structuredClone(items);
  }

  async get(defaults) {
    const keys = Object.keys(defaults).filter((key) => key in this.items);
    return structuredClone({
      ...defaults,
      ...Object.fromEntries(keys.map((key) => [key, this.items[key]])),
    });
  }

  async set(items) {
    Object.assign(this.items, structuredClone(items));
  }

  async clear() {
    this.items = {};
  }
}

const byKey = (a, b) => (a.capture_key < b.capture_key ? -1 : 1);
const sorted = (map) => structuredClone([...map.values()].sort(byKey));

/** Stands for the queue's IndexedDB. */
export class MemoryStore {
  constructor() {
    this.entries = new Map();
    this.bodies = new Map();
    this.sent = new Map();
    this.isDiskFull = false;
  }

  async add(entries, bodies) {
    this.#needRoom();
    for (const each of entries) this.entries.set(each.capture_key, structuredClone(each));
    for (const each of bodies) this.bodies.set(each.capture_key, structuredClone(each));
  }

  async put(entries) {
    this.#needRoom();
    for (const each of entries) this.entries.set(each.capture_key, structuredClone(each));
  }

  async list() {
    return sorted(this.entries);
  }

  async readBody(captureKey) {
    return structuredClone(this.bodies.get(captureKey));
  }

  async remove(captureKeys) {
    for (const key of captureKeys) {
      this.entries.delete(key);
      this.bodies.delete(key);
    }
  }

  async settle(part) {
    await this.remove([part.capture_key]);
    this.sent.set(part.capture_key, structuredClone(part));
    for (const key of findStale(await this.listSent())) this.sent.delete(key);
  }

  async listSent() {
    return sorted(this.sent);
  }

  async removeSent(captureKeys) {
    for (const key of captureKeys) this.sent.delete(key);
  }

  #needRoom() {
    if (this.isDiskFull) throw new DOMException('No room.', 'QuotaExceededError');
  }
}

/**
 * Stands for `navigator.locks`, whose locks a context lets go of when it ends.
 *
 * @returns {(ended?: Promise<void>) => <T>(name: string, run: () => Promise<T>) => Promise<T>} For
 *   a context that ends then: runs one of a name at a time, across contexts.
 */
export function makeLocks() {
  const last = new Map();
  return (ended = new Promise(() => undefined)) =>
    (name, run) => {
      const free = last.get(name) ?? Promise.resolve();
      const result = free.then(run);
      last.set(
        name,
        free.then(() => Promise.race([result.catch(() => undefined), ended])),
      );
      return result;
    };
}

/** Kept models, in memory. */
export class MemoryModels {
  facts = new Map();
  networks = new Map();

  async list() {
    return [...this.facts.values()];
  }

  async add(model, network) {
    this.facts.set(model.bundle_sha256, model);
    this.networks.set(model.bundle_sha256, network);
  }

  async readNetwork(key) {
    return this.networks.get(key);
  }

  async remove(keys) {
    for (const key of keys) {
      this.facts.delete(key);
      this.networks.delete(key);
    }
  }
}
