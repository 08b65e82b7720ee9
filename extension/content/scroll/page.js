/** The page that is scrolled, as the loop sees it. */
import { showsCaptcha } from './captcha.js';
import { MAX_SEEN } from './collector.js';
import { findMoreButton } from './more-button.js';
import { findScroller } from './scroller.js';

/** @typedef {import('../../lib/types.js').PageScan} PageScan */

/** Less than a whole screen: what a virtualised list shows at its edges is seen twice, never missed. */
const STEP_RATIO = 0.8;
/** Sub-pixel layouts never quite reach their end. */
const END_SLACK_PX = 4;
/** Galleries that load as they are scrolled count their pages in the address. */
const PAGE_NUMBER = /\/(?:page|p)\/?\d{1,6}\/?$/;

/** Scrolls and reads a real document. */
export class ScrolledPage {
  /**
   * @param {Document} document The page.
   * @param {(maxCount: number) => PageScan} scan Reads it.
   */
  constructor(document, scan) {
    this.document = document;
    this.scan = scan;
    this.scroller = findScroller(document);
    this.engine = '';
    /** What the person has left out by clicks in the page. @type {string[]} */
    this.leftOut = [];
    // A form that has had one all along asks nothing of who scrolls.
    this.hadCaptcha = showsCaptcha(document);
  }

  /** @returns {import('./loop.js').Reading} What it holds now. */
  read() {
    const { candidates, origin, state, left_out_urls } = this.scan(MAX_SEEN);
    this.engine = origin.engine;
    this.leftOut = left_out_urls ?? [];
    return {
      candidates,
      subject: nameSubject(origin),
      isBlocked: state === 'blocked' || (!this.hadCaptcha && showsCaptcha(this.document)),
    };
  }

  /** Scroll down, at once: pages that nobody sees have no smooth scrolling. */
  stepDown() {
    // Pages that render anew replace what scrolls.
    if (!this.scroller.isConnected || this.isAtEnd()) this.scroller = findScroller(this.document);
    const top = this.scroller.clientHeight * STEP_RATIO;
    this.scroller.scrollBy({ top, behavior: 'instant' });
  }

  /** @returns {boolean} Whether it can't be scrolled on. */
  isAtEnd() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    return scrollTop + clientHeight >= scrollHeight - END_SLACK_PX;
  }

  /** @returns {number} Height of all that can be scrolled, in pixels. */
  height() {
    return this.scroller.scrollHeight;
  }

  /** @returns {boolean} Whether there was a button for more results; it is pressed then. */
  pressMore() {
    const button = findMoreButton(this.document, this.engine, this.document.location.host);
    button?.click();
    return button !== null;
  }

  /** @returns {boolean} Whether nobody sees it. */
  isHidden() {
    return this.document.visibilityState === 'hidden';
  }
}

/**
 * Name what a page is about, so that a change without a reload is noticed.
 *
 * @param {import('../../lib/types.js').PageOrigin} origin The page as it was read.
 * @returns {string} Site and query; without a query, the address without its page number.
 */
export function nameSubject({ engine, query, page_url }) {
  if (query !== null) return `${engine} ${query}`;
  const { host, pathname } = new URL(page_url);
  return `${engine} ${host}${pathname.replace(PAGE_NUMBER, '').replace(/\/$/, '')}`;
}
