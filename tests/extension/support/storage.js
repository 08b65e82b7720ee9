/** The browser's storage in memory: the same promises and copies, none of the disk. */

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
}

/** Stands for the queue's IndexedDB. */
export class MemoryStore {
  constructor() {
    this.entries = new Map();
  }

  async put(entry) {
    this.entries.set(entry.capture_key, structuredClone(entry));
  }

  async list() {
    const entries = [...this.entries.values()];
    return structuredClone(entries.sort((a, b) => (a.capture_key < b.capture_key ? -1 : 1)));
  }

  async remove(captureKey) {
    this.entries.delete(captureKey);
  }
}

/** @returns {<T>(run: () => Promise<T>) => Promise<T>} Runs one at a time, as a Web Lock does. */
export function makeLock() {
  let last = Promise.resolve();
  return (run) => {
    const result = last.then(run);
    last = result.catch(() => undefined);
    return result;
  };
}
