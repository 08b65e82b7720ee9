/** The small answer that appears in the page after "What is this?" and after the shortcut. */
import { ext } from '../lib/browser.js';
import { text } from '../lib/text.js';

/**
 * @typedef {object} Toast
 * @property {string} title First line.
 * @property {string} note Second line, or an empty text.
 * @property {{label: string, percent: number}[]} bars The model's answer, best first.
 * @property {'busy' | 'answer' | 'error'} tone What it is.
 */

/**
 * Show a toast in a tab, or mark the toolbar button where the page can't be written to.
 *
 * @param {number} tabId The tab.
 * @param {Toast} toast What to show.
 */
export async function showInTab(tabId, toast) {
  /** @type {[Toast, string]} */
  const args = [toast, text('toastClose')];
  try {
    await ext.scripting.executeScript({ target: { tabId }, func: showToast, args });
  } catch {
    // Such as the browser's own image viewer or a store page: the title of the button has to do.
    await ext.action.setBadgeText({ tabId, text: toast.tone === 'busy' ? '…' : '!' });
    const best = toast.bars[0] === undefined ? '' : ` (${toast.bars[0].percent} %)`;
    await ext.action.setTitle({ tabId, title: `${toast.title}${best} ${toast.note}`.trim() });
  }
}

/**
 * Show a toast in the page, in place of the former one. Runs in the page by `executeScript`, hence
 * it may use nothing from this file. Styles are set by script, as a page's CSP forbids style sheets.
 *
 * @param {Toast} toast What to show.
 * @param {string} closeName What its button is called.
 */
export function showToast({ title, note, bars, tone }, closeName) {
  const id = 'bowerbird-toast';
  document.getElementById(id)?.remove();
  const isDark = matchMedia('(prefers-color-scheme: dark)').matches;
  const ink = isDark ? '#eceaf4' : '#1c1b2e';
  const make = (
    /** @type {string} */ tag,
    /** @type {string} */ css,
    /** @type {string} */ text,
  ) => {
    const element = document.createElement(tag);
    element.style.cssText = css;
    element.textContent = text;
    return element;
  };
  const card = make(
    'div',
    `box-sizing: border-box; width: 300px; max-width: calc(100vw - 32px); padding: 14px 40px 14px 16px;
     border-radius: 12px; border: 1px solid ${isDark ? '#3d3a5c' : '#dcd9ea'}; color: ${ink};
     background: ${isDark ? '#1d1b30' : '#ffffff'}; box-shadow: 0 8px 30px rgb(0 0 0 / 30%);
     border-left: 4px solid ${tone === 'error' ? '#d14b3a' : '#4b5bdc'}; overflow-wrap: anywhere;
     font: 14px/1.4 system-ui, sans-serif; text-align: left; position: relative`,
    '',
  );
  Object.assign(card.dataset, { testid: 'toast', tone });
  card.setAttribute('role', 'status');
  card.append(make('div', 'font-weight: 650', title));
  const bar = 'height: 5px; border-radius: 3px; background:';
  for (const { label, percent } of bars) {
    const row = make('div', 'display: flex; gap: 8px; margin-top: 6px', '');
    row.append(make('span', 'flex: 1', label), make('span', 'opacity: 0.75', `${percent} %`));
    const track = make('div', `${bar} #8884`, '');
    track.append(make('div', `${bar} #6474f0; width: ${percent}%`, ''));
    card.append(row, track);
  }
  if (note) card.append(make('div', 'margin-top: 6px; font-size: 12.5px; opacity: 0.8', note));
  const place = 'all: unset; position: absolute; top: 8px; right: 8px; width: 24px; height: 24px;';
  const close = make(
    'button',
    `${place} text-align: center; cursor: pointer; font-size: 18px`,
    '×',
  );
  close.setAttribute('aria-label', closeName);
  card.append(close);
  const corner = 'all: initial; position: fixed; inset: auto 16px 16px auto; z-index: 2147483647';
  const host = Object.assign(make('div', corner, ''), { id });
  // A shadow root keeps the page's own rules for `button` and `div` out.
  host.attachShadow({ mode: 'open' }).append(card);
  document.documentElement.append(host);
  const end = new AbortController();
  const dismiss = () => {
    host.remove();
    end.abort();
  };
  const onKey = (/** @type {KeyboardEvent} */ { key }) => key === 'Escape' && dismiss();
  close.addEventListener('click', dismiss);
  document.addEventListener('keydown', onKey, { capture: true, signal: end.signal });
  setTimeout(dismiss, 20_000);
}
