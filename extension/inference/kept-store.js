/** Models in IndexedDB: what is known of each, and its network apart, which is large. */
import { read, write } from '../background/databases.js';

/** @typedef {import('./types.js').KeptModel} KeptModel */

const FACTS = 'facts';
const NETWORKS = 'networks';
/** @type {import('../background/databases.js').Schema} */
const SCHEMA = {
  name: 'bowerbird-models',
  version: 1,
  // What a crash takes is fetched again.
  durability: 'relaxed',
  upgrade: (database) => {
    database.createObjectStore(FACTS, { keyPath: 'bundle_sha256' });
    database.createObjectStore(NETWORKS);
  },
};

/**
 * @typedef {object} KeptStore Each call is one transaction.
 * @property {() => Promise<KeptModel[]>} list All, in no order.
 * @property {(model: KeptModel, network: ArrayBuffer) => Promise<void>} add Keep one.
 * @property {(bundleSha256: string) => Promise<ArrayBuffer | undefined>} readNetwork Its `model.onnx`.
 * @property {(bundleSha256s: string[]) => Promise<void>} remove Forget some.
 */

/** @returns {KeptStore} The store of this browser. */
export function keptStore() {
  return {
    list: () => read(SCHEMA, FACTS, (store) => store.getAll()),
    add: (model, network) =>
      write(SCHEMA, [FACTS, NETWORKS], ([facts, networks]) => {
        facts.put(model);
        networks.put(network, model.bundle_sha256);
      }),
    readNetwork: (key) => read(SCHEMA, NETWORKS, (store) => store.get(key)),
    remove: (keys) =>
      write(SCHEMA, [FACTS, NETWORKS], (stores) => {
        for (const store of stores) for (const key of keys) store.delete(key);
      }),
  };
}
