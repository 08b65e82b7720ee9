/** Watches a page for its tiles: which there are, which are in view, and when any of them may move. */

/** @typedef {import('../../lib/types.js').Candidate} Candidate */

/** Above and below the view, in its heights: scrolling meets marks that are there already. */
const MARGIN = '60% 0px';
const PAUSE_MS = 250;
/** Reading the page never takes more of the time than one part in so many. */
const IDLE_RATIO = 20;
/** A page that never rests is read all the same. */
const MAX_IDLE_WAIT_MS = 1000;
/** No page shows as many; this bounds the work on a hostile one. */
const MAX_TILES = 5000;
/** What moves tiles or changes what they show. */
const ATTRIBUTES = ['class', 'style', 'hidden', 'src', 'srcset'];
const PICTURE_ATTRIBUTES = new Set(['src', 'srcset']);
/** What may move them without changing the document. */
const MOVES = ['scroll', 'load', 'transitionend', 'animationend', 'toggle', 'fullscreenchange'];

/** Watches until it is stopped. */
export class TileWatcher {
  /**
   * @param {object} parts What it works with.
   * @param {Document} parts.document The page.
   * @param {() => Map<Element, Candidate>} parts.locate Reads it.
   * @param {() => void} parts.onTiles Told when it has been read.
   * @param {() => void} parts.onMove Told often: when tiles come into view, or may have moved.
   */
  constructor({ document, locate, onTiles, onMove }) {
    this.document = document;
    this.locate = locate;
    this.onTiles = onTiles;
    this.onMove = onMove;
    /** @type {Map<Element, Candidate>} */
    this.tiles = new Map();
    /** @type {Set<Element>} Those in view or close to it. */
    this.near = new Set();
    this.end = new AbortController();
    this.costMs = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    /** @type {number | undefined} */
    this.idle = undefined;
    this.intersections = new IntersectionObserver((entries) => this.#onNear(entries), {
      rootMargin: MARGIN,
    });
    this.sizes = new ResizeObserver(() => this.onMove());
    this.mutations = new MutationObserver((records) => this.#onMutations(records));
  }

  /** Begin: read the page at once. */
  start() {
    const { document } = this;
    const options = { capture: true, passive: true, signal: this.end.signal };
    for (const name of MOVES) document.addEventListener(name, this.onMove, options);
    document.addEventListener('visibilitychange', () => this.#plan(), options);
    this.mutations.observe(document, {
      subtree: true,
      childList: true,
      attributes: true,
      attributeFilter: ATTRIBUTES,
    });
    this.sizes.observe(document.documentElement);
    if (document.body !== null) this.sizes.observe(document.body);
    this.#read();
  }

  /** End: nothing is observed any more. */
  stop() {
    this.end.abort();
    this.intersections.disconnect();
    this.sizes.disconnect();
    this.mutations.disconnect();
    clearTimeout(this.timer);
    if (this.idle !== undefined) cancelIdleCallback(this.idle);
    this.timer = this.idle = undefined;
    this.tiles = new Map();
    this.near.clear();
  }

  /** Read the page again soon, yet seldom enough, and not while a frame is due. */
  #plan() {
    if (this.timer !== undefined || this.idle !== undefined || this.document.hidden) return;
    const pauseMs = Math.max(PAUSE_MS, this.costMs * IDLE_RATIO);
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.idle = requestIdleCallback(
        () => {
          this.idle = undefined;
          this.#read();
        },
        { timeout: MAX_IDLE_WAIT_MS },
      );
    }, pauseMs);
  }

  /** Read the page. */
  #read() {
    const startMs = performance.now();
    const tiles = new Map([...this.locate()].slice(0, MAX_TILES));
    this.costMs = performance.now() - startMs;
    for (const tile of this.tiles.keys()) {
      if (tiles.has(tile)) continue;
      this.intersections.unobserve(tile);
      this.sizes.unobserve(tile);
      this.near.delete(tile);
    }
    for (const tile of tiles.keys()) if (!this.tiles.has(tile)) this.intersections.observe(tile);
    this.tiles = tiles;
    this.onTiles();
  }

  /** @param {IntersectionObserverEntry[]} entries What came into view or left it. */
  #onNear(entries) {
    for (const { target, isIntersecting } of entries) {
      if (!this.tiles.has(target)) continue;
      if (isIntersecting) {
        this.near.add(target);
        this.sizes.observe(target);
      } else {
        this.near.delete(target);
        this.sizes.unobserve(target);
      }
    }
    this.onMove();
  }

  /** @param {MutationRecord[]} records What changed. */
  #onMutations(records) {
    this.onMove();
    const isNew = records.some(
      ({ type, attributeName }) =>
        type === 'childList' || PICTURE_ATTRIBUTES.has(attributeName ?? ''),
    );
    if (isNew) this.#plan();
  }
}
