/**
 * The marks as elements: in one closed shadow root beside the page's body, so that nothing of the page
 * changes but for one empty box at its end, and no script of the page can read or press them.
 */
import { text } from '../../lib/text.js';
import { MARK_STYLE, SIGNS } from './style.js';

/** @typedef {import('./place.js').Box} Box */
/**
 * @typedef {object} Mark
 * @property {HTMLElement} frame What lies over the picture.
 * @property {HTMLButtonElement} button What is pressed.
 * @property {SVGPathElement} sign Its sign.
 * @property {HTMLElement} word Its word.
 * @property {string} key What it shows now, by whatever its painter tells that from.
 * @property {string} place Where it lies now.
 */

const SVG = 'http://www.w3.org/2000/svg';
const NOTE_MS = 6000;
/** Its events are no business of the page's listeners. */
const KEPT_EVENTS = ['click', 'dblclick', 'auxclick', 'mousedown', 'mouseup', 'pointerdown'];
const HOST_NAME = 'bowerbird-marks';

/** Makes, places and removes marks. */
export class Layer {
  /** @param {Document} document Page to draw on. */
  constructor(document) {
    this.document = document;
    // Left by a script whose extension was reloaded under the page.
    for (const leftover of document.querySelectorAll(`:root > .${HOST_NAME}`)) leftover.remove();
    // No element of a name of our own: a page that defines such an element gets its shadow root.
    this.host = document.createElement('div');
    this.host.className = HOST_NAME;
    this.root = this.host.attachShadow({ mode: 'closed' });
    this.#addStyle();
    this.group = this.#make('div', {
      class: 'marks',
      role: 'group',
      'aria-label': text('marksName'),
    });
    this.note = this.#make('div', { class: 'note', role: 'status' });
    this.root.append(this.group, this.note);
    for (const name of KEPT_EVENTS) {
      this.root.addEventListener(name, (event) => event.stopPropagation());
    }
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.noteTimer = undefined;
  }

  /** @param {number} zIndex Layer of the page to lie directly upon. */
  raise(zIndex) {
    this.group.style.zIndex = String(zIndex);
  }

  /** Put the marks into the page; at its end, where they shift no element's place among others. */
  attach() {
    this.document.documentElement.append(this.host);
  }

  /** @returns {DOMRect} Where the layer begins: not always at the page's corner. */
  get origin() {
    return this.group.getBoundingClientRect();
  }

  /** Leave the page as if nothing had ever been there. */
  remove() {
    clearTimeout(this.noteTimer);
    this.host.remove();
  }

  /**
   * Make a mark that is not shown yet.
   *
   * @param {() => void} onPress Told when a person presses it; a page's own clicks don't count.
   * @returns {Mark} The mark.
   */
  makeMark(onPress) {
    const frame = this.#make('div', { class: 'mark' });
    const button = this.#make('button', { type: 'button', tabindex: '-1' });
    const svg = this.document.createElementNS(SVG, 'svg');
    svg.setAttribute('viewBox', '0 0 12 12');
    svg.setAttribute('aria-hidden', 'true');
    const sign = this.document.createElementNS(SVG, 'path');
    const word = this.#make('span', { class: 'word', 'aria-hidden': 'true' });
    const chip = this.#make('div', { class: 'chip' });
    svg.append(sign);
    button.append(svg);
    chip.append(button, word);
    frame.append(chip);
    button.addEventListener('click', (event) => {
      if (event.isTrusted) onPress();
    });
    return { frame, button, sign, word, key: '', place: '' };
  }

  /**
   * Give a mark its look.
   *
   * @param {Mark} mark The mark.
   * @param {import('./look.js').Look} look What it is to show.
   */
  paint({ frame, button, sign, word }, look) {
    frame.dataset['state'] = look.state;
    sign.setAttribute('d', SIGNS[look.state]);
    word.textContent = look.word;
    button.setAttribute('aria-label', look.name);
    button.setAttribute('aria-pressed', String(look.isPressed));
    button.title = look.hint;
  }

  /**
   * Lay a mark over a picture; costs nothing where it lies there already.
   *
   * @param {Mark} mark The mark.
   * @param {Box} box The picture's place in the layer.
   */
  place(mark, { x, y, width, height }) {
    const { frame } = mark;
    const place = `${x} ${y} ${width} ${height}`;
    if (mark.place !== place) {
      mark.place = place;
      frame.style.transform = `translate(${x}px, ${y}px)`;
      frame.style.width = `${width}px`;
      frame.style.height = `${height}px`;
    }
    if (!frame.isConnected) this.group.append(frame);
  }

  /** @param {string} sentence What went wrong, for the person; gone after some seconds. */
  say(sentence) {
    this.note.textContent = sentence;
    clearTimeout(this.noteTimer);
    this.noteTimer = setTimeout(() => {
      this.note.textContent = '';
    }, NOTE_MS);
  }

  /** Bring the style in by a way that the page's policy does not forbid. */
  #addStyle() {
    try {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(MARK_STYLE);
      this.root.adoptedStyleSheets = [sheet];
    } catch {
      // Firefox denies that to content scripts, but lets their style elements past the policy.
      const style = this.#make('style');
      style.textContent = MARK_STYLE;
      this.root.append(style);
    }
  }

  /**
   * Make an element.
   *
   * @template {keyof HTMLElementTagNameMap} K
   * @param {K} tag Its name.
   * @param {Record<string, string>} attributes Its attributes.
   * @returns {HTMLElementTagNameMap[K]} The element.
   */
  #make(tag, attributes = {}) {
    const element = this.document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  }
}
