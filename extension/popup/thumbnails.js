/** Loads thumbnails a few at a time, those in sight first. */

/** A browser opens six connections to a host, and thumbnails are of two or three hosts. */
const MAX_IN_FLIGHT = 12;
/** A host that neither sends nor refuses would keep the others waiting. */
const TIMEOUT_MS = 15_000;

/** @typedef {{image: HTMLImageElement, addresses: string[], onFail: () => void}} Order */

/** Gives images their addresses when their turn has come. */
export class ThumbnailLoader {
  constructor() {
    /** @type {Map<HTMLImageElement, Order>} In the order of asking. */
    this.waiting = new Map();
    /** @type {Map<HTMLImageElement, AbortController>} */
    this.loading = new Map();
  }

  /**
   * Load an image.
   *
   * @param {HTMLImageElement} image Has no address yet.
   * @param {string[]} addresses What to try, in this order; at least one.
   * @param {() => void} onFail Told when none of them is an image.
   */
  load(image, addresses, onFail) {
    this.waiting.set(image, { image, addresses, onFail });
    this.#startNext();
  }

  /** @param {HTMLImageElement} image What is out of sight: it makes room for others. */
  cancel(image) {
    this.waiting.delete(image);
    if (!this.loading.has(image)) return;
    image.removeAttribute('src');
    this.#settle(image);
  }

  /** Start those that there is room for. */
  #startNext() {
    for (const order of this.waiting.values()) {
      if (this.loading.size >= MAX_IN_FLIGHT) return;
      this.waiting.delete(order.image);
      this.#start(order);
    }
  }

  /** @param {Order} order What to load; the next address is tried until there is none left. */
  #start({ image, addresses: [address, ...others], onFail }) {
    const end = new AbortController();
    this.loading.set(image, end);
    const fail = () => {
      this.#settle(image);
      if (others.length > 0) this.load(image, others, onFail);
      else onFail();
    };
    const timer = setTimeout(fail, TIMEOUT_MS);
    const { signal } = end;
    signal.addEventListener('abort', () => clearTimeout(timer));
    image.addEventListener('load', () => this.#settle(image), { signal });
    image.addEventListener('error', fail, { signal });
    image.src = address ?? '';
  }

  /** @param {HTMLImageElement} image What is loaded, failed or cancelled. */
  #settle(image) {
    this.loading.get(image)?.abort();
    this.loading.delete(image);
    this.#startNext();
  }
}
