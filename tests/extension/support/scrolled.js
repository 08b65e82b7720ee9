/** Pages that are scrolled, and time that passes at once, for the loop of scrolling and capturing. */

/** A screen of the played pages, in rows. */
const SCREEN_ROWS = 5;

/** A clock whose sleep takes no time. */
export class PlayedClock {
  constructor() {
    this.ms = 0;
    /** Called after each sleep with the time. */
    this.onTick = () => {};
  }

  now() {
    return this.ms;
  }

  random() {
    return 0.5;
  }

  async sleep(ms, signal) {
    if (!signal.aborted) this.ms += ms;
    this.onTick(this.ms);
  }
}

/** A page of rows, some of which exist. */
export class PlayedPage {
  /**
   * @param {object} shape What it is like.
   * @param {number} shape.count How many images it has in the end.
   * @param {number} [shape.perRow] How many are beside each other.
   * @param {number} [shape.loaded] How many it has at first.
   * @param {number} [shape.perLoad] How many come each time that its end is reached.
   * @param {number} [shape.kept] How many exist at a time; the others are removed, as virtualised lists do.
   * @param {string} [shape.button] `press`: more come by a button alone.
   */
  constructor({ count, perRow = 4, loaded = count, perLoad = 0, kept = Infinity, button = '' }) {
    Object.assign(this, { count, perRow, loaded, perLoad, kept, button });
    this.top = 0;
    this.subject = 'bing bears';
    this.isBlocked = false;
    this.hidden = false;
    this.pressCount = 0;
    this.stepCount = 0;
  }

  get rows() {
    return Math.ceil(this.loaded / this.perRow);
  }

  read() {
    const first = Math.max(0, this.top * this.perRow - (this.kept - SCREEN_ROWS * this.perRow) / 2);
    const start = this.kept === Infinity ? 0 : Math.floor(first);
    const end = Math.min(this.loaded, this.kept === Infinity ? this.loaded : start + this.kept);
    const candidates = [];
    for (let index = start; index < end; index += 1) candidates.push(makeCandidate(index));
    return { candidates, subject: this.subject, isBlocked: this.isBlocked };
  }

  stepDown() {
    this.stepCount += 1;
    this.top = Math.max(0, Math.min(this.top + SCREEN_ROWS - 1, this.rows - SCREEN_ROWS));
    if (this.isAtEnd() && this.button === '') this.grow();
  }

  grow() {
    this.loaded = Math.min(this.count, this.loaded + this.perLoad);
  }

  isAtEnd() {
    return this.top + SCREEN_ROWS >= this.rows;
  }

  height() {
    return this.rows * 100;
  }

  pressMore() {
    if (this.button === '' || this.loaded >= this.count) return false;
    this.pressCount += 1;
    this.grow();
    return true;
  }

  isHidden() {
    return this.hidden;
  }
}

/**
 * Make a candidate.
 *
 * @param {number} index Its place; it is ranked anew by whoever collects it.
 * @returns {object} The candidate.
 */
export function makeCandidate(index) {
  return {
    url: `https://photos.example/${index}.jpg`,
    source_url: null,
    thumbnail_url: null,
    title: `Bear ${index}`,
    width: 800,
    height: 600,
    rank: 0,
    license: null,
  };
}
