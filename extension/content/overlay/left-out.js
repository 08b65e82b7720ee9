/** What the person left out of the next capture, for as long as the page lives. */

/** One capture holds a thousand. */
const MAX_LEFT_OUT = 5000;

/** Remembers addresses; the oldest are forgotten first. */
export class LeftOut {
  constructor() {
    /** @type {Set<string>} */
    this.urls = new Set();
  }

  /**
   * Ask for an address.
   *
   * @param {string} url The address.
   * @returns {boolean} Whether it is left out.
   */
  has(url) {
    return this.urls.has(url);
  }

  /** @param {string} url Address to leave out, or to take back. */
  toggle(url) {
    if (this.urls.delete(url)) return;
    this.urls.add(url);
    const [oldest] = this.urls;
    if (this.urls.size > MAX_LEFT_OUT && oldest !== undefined) this.urls.delete(oldest);
  }

  /** @returns {string[]} All of them, oldest first. */
  list() {
    return [...this.urls];
  }
}
