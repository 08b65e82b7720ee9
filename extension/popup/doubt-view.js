/** The popup's button that chooses the hard examples: images of which the model says something else. */
import { isDoubted, nameOpinion } from '../lib/doubt.js';
import { send } from '../lib/send.js';
import { formatNumber, text } from '../lib/text.js';
import { byId } from '../ui/dom.js';

/** @typedef {import('../lib/page-messages.js').Opinion} Opinion */
/** @typedef {import('../lib/page-messages.js').PageOpinions} PageOpinions */
/** @typedef {import('../lib/types.js').Candidate} Candidate */

/** The page goes on asking while the popup is open. */
const LOOK_MS = 2000;
const TROUBLES = { 'no-model': 'opinionsNoModel', full: 'opinionsFull' };

/** Counts the doubted images, and chooses them alone when it is pressed. */
export class DoubtView {
  /**
   * @param {object} parts What it works with.
   * @param {import('./candidate-grid.js').CandidateGrid} parts.grid The images.
   * @param {() => {datasetId: string | null, label: string}} parts.readTarget Says where the images
   *   are to go, and as what.
   */
  constructor({ grid, readTarget }) {
    this.grid = grid;
    this.readTarget = readTarget;
    this.button = byId('choose-doubted', HTMLButtonElement);
    this.notice = byId('opinions-notice', HTMLElement);
    /** @type {number | null} */
    this.tabId = null;
    /** @type {Map<string, Opinion>} By address. */
    this.opinions = new Map();
    /** @type {ReturnType<typeof setInterval> | undefined} */
    this.timer = undefined;
    this.button.addEventListener('click', () => {
      const { label } = this.readTarget();
      this.grid.chooseOnly((candidate) => this.#isHard(candidate, label));
    });
  }

  /**
   * Look at a tab from now on, for as long as the popup is open.
   *
   * @param {number | null} tabId The tab; null for none.
   * @returns {Promise<void>} Settled when it has been looked at.
   */
  async open(tabId) {
    this.tabId = tabId;
    this.timer ??= setInterval(() => void this.look(), LOOK_MS);
    await this.look();
  }

  /** Ask what the model has said by now. */
  async look() {
    const { datasetId } = this.readTarget();
    const found = await this.#read(datasetId);
    // Another dataset was chosen meanwhile: its own model has its own opinions.
    if (datasetId !== this.readTarget().datasetId) return;
    this.opinions = new Map((found?.opinions ?? []).map(({ url, ...opinion }) => [url, opinion]));
    const trouble = found?.trouble ?? null;
    const words = trouble === null ? '' : text(TROUBLES[trouble]);
    if (this.notice.textContent !== words) this.notice.textContent = words;
    this.notice.hidden = trouble === null;
    this.show();
  }

  /** Show how many there are, for the label and the choice of images of now. */
  show() {
    const { label } = this.readTarget();
    const count = this.grid.countNew((candidate) => this.#isHard(candidate, label));
    const words = text('chooseDoubted', formatNumber(count));
    // A live text is read out when it is written, changed or not.
    if (this.button.textContent !== words) this.button.textContent = words;
    this.button.hidden = this.opinions.size === 0;
    this.button.disabled = count === 0;
    this.grid.showSaid((candidate) => this.#findSaid(candidate, label));
  }

  /**
   * Ask the page, by way of the background.
   *
   * @param {string | null} datasetId The chosen dataset; null for one that is to be made.
   * @returns {Promise<PageOpinions | null>} Null where nothing was asked.
   */
  async #read(datasetId) {
    if (this.tabId === null || datasetId === null) return null;
    try {
      return await send('read-opinions', { tab_id: this.tabId, dataset_id: datasetId });
    } catch {
      // The views say what is wrong with the page or the settings.
      return null;
    }
  }

  /**
   * Put into words what the model says.
   *
   * @param {Candidate} candidate An image of the page.
   * @param {string} label What it would be captured as.
   * @returns {import('./candidate-tile.js').Said | null} The words; null where it has said nothing.
   */
  #findSaid({ url }, label) {
    const opinion = this.opinions.get(url);
    if (opinion === undefined) return null;
    const isHard = isDoubted(opinion, label);
    const words = nameOpinion(opinion);
    return { words: text(isHard ? 'tileDoubted' : 'tileAgreed', words), isDoubted: isHard };
  }

  /**
   * Tell hard examples from others.
   *
   * @param {Candidate} candidate An image of the page.
   * @param {string} label What it would be captured as.
   * @returns {boolean} False, too, where the model has said nothing.
   */
  #isHard({ url }, label) {
    const opinion = this.opinions.get(url);
    return opinion !== undefined && isDoubted(opinion, label);
  }
}
