/**
 * The picture that is asked about, large, and the next ones loaded ahead.
 */
import { h, replace } from '../lib/dom.js';
import { fileUrl } from '../lib/resources.js';
import { emptyState } from './notices.js';

/** @typedef {import('../lib/types.js').Suspicion} Suspicion */

/**
 * @param {() => void} onOpen Told that the person wants to look closely.
 * @returns {{node: HTMLElement, show: (item: Suspicion, ahead: Suspicion[]) => void, end: (note: HTMLElement) => void}}
 *   The stage; `show` draws only another picture than the one that is there, `end` says that none is left.
 */
export function cleanStage(onOpen) {
  const stage = h('div', { class: 'clean-stage' });
  // In the page, unseen: else the browser might throw away what it loaded ahead.
  const waiting = h('div', { hidden: true });
  const draw = (/** @type {Suspicion} */ item) => {
    // Also after a failure, which a server that was away for a moment leaves behind.
    const again = h(
      'button',
      { type: 'button', class: 'button', onclick: () => draw(item) },
      'Try again',
    );
    const image = h('img', {
      src: fileUrl(item.image_id),
      alt: `Image labelled ${item.label}`,
      onclick: onOpen,
      onerror: () => replace(stage, emptyState('This picture could not be loaded', again)),
    });
    replace(stage, image);
  };
  return {
    node: h('div', {}, stage, waiting),
    show: (item, ahead) => {
      if (stage.dataset['id'] === item.image_id) return;
      stage.dataset['id'] = item.image_id;
      draw(item);
      replace(waiting, ...ahead.map((each) => h('img', { src: fileUrl(each.image_id), alt: '' })));
    },
    end: (note) => {
      delete stage.dataset['id'];
      replace(stage, note);
    },
  };
}
