/** Notices a captcha that comes up over results while they are scrolled. */
import { CHALLENGE_SELECTOR } from '../diagnosis.js';

/** The frames in which the usual challenges are, wherever a site puts them. */
const FRAMES = [
  'iframe[src*="/recaptcha/"][src*="bframe"]',
  'iframe[src*="hcaptcha.com"]',
  'iframe[src*="challenges.cloudflare.com"]',
  'iframe[src*="smartcaptcha"]',
].join();
/** The small mark that ordinary pages carry is lower. */
const MIN_HEIGHT_PX = 70;
/** Bounds the work on a hostile page. */
const MAX_LOOKED_AT = 50;

/**
 * Look for challenges that a person can see.
 *
 * @param {Document} document The page.
 * @returns {boolean} Whether there is one.
 */
export function showsCaptcha(document) {
  const found = [...document.querySelectorAll(`${CHALLENGE_SELECTOR}, ${FRAMES}`)];
  return found.slice(0, MAX_LOOKED_AT).some((element) => {
    const { width, height } = element.getBoundingClientRect();
    return width > 0 && height >= MIN_HEIGHT_PX && element.checkVisibility(VISIBLE);
  });
}

const VISIBLE = Object.freeze({ opacityProperty: true, visibilityProperty: true });
