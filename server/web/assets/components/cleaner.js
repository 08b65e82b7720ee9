/**
 * The cleaner itself: one image at a time, large, what the model thinks of it, and one key for each answer.
 */
import { assignLabelKeys, commandFor, Round } from '../lib/cleaning.js';
import { h, replace, spoken } from '../lib/dom.js';
import { explainError } from '../lib/explain.js';
import { count, percent, plural } from '../lib/format.js';
import { labelColour, labelTag } from '../lib/labels.js';
import { changeImage, fileUrl, thumbnailUrl } from '../lib/resources.js';
import { hashFor } from '../lib/router.js';
import { emptyState, toast } from './notices.js';
import { progressBar } from './progress.js';

/** @typedef {import('../lib/cleaning.js').Command} Command */
/** @typedef {import('../lib/cleaning.js').Decision} Decision */
/** @typedef {import('../lib/cleaning.js').Step} Step */
/** @typedef {import('../lib/types.js').Suspicion} Suspicion */

/** Pictures loaded ahead: a person takes about a second for one, and one request may be slow. */
const AHEAD = 3;
/** Shown of what was decided. */
const LATEST = 6;

/**
 * @typedef {object} CleanerOptions
 * @property {Suspicion[]} items Of this round, most suspicious first.
 * @property {number} total Of all rounds that are left.
 * @property {string[]} labels All labels of the dataset.
 * @property {() => void} onNextRound Told that the person goes on after the last image.
 * @property {AbortSignal} signal Of the view.
 */

/**
 * @param {Decision} decision About an image.
 * @param {Suspicion} item Which one.
 * @returns {string} In words.
 */
export function describe(decision, item) {
  if (decision.kind === 'relabel') return `${item.label} \u2192 ${decision.label}`;
  return decision.kind === 'exclude' ? 'excluded' : `kept as ${item.label}`;
}

/** One round, on the page. */
export class Cleaner {
  #options;
  #round;
  #keys;
  #queue = Promise.resolve();
  #stage = h('div', { class: 'clean-stage' });
  #verdict = h('div', { class: 'stack tight', 'aria-live': 'polite', 'data-testid': 'verdict' });
  #progress = h('div', { 'data-testid': 'clean-progress' });
  #latest = h('div', { class: 'stack tight' });
  #buttons;
  /** In the page, unseen: else the browser might throw away what it loaded ahead. */
  #ahead = h('div', { hidden: true });
  node;

  /** @param {CleanerOptions} options What to clean. */
  constructor(options) {
    this.#options = options;
    this.#round = new Round(options.items);
    this.#keys = assignLabelKeys(options.labels);
    this.#buttons = h('div', { class: 'clean-keys' }, ...this.#commandButtons());
    this.node = h(
      'div',
      { class: 'clean' },
      h('section', { class: 'card stack tight', 'aria-label': 'Image' }, this.#stage, this.#ahead),
      h(
        'section',
        { class: 'card stack', 'aria-label': 'Decision' },
        this.#progress,
        this.#verdict,
        this.#buttons,
        this.#latest,
      ),
    );
    document.addEventListener('keydown', (event) => this.#onKey(event), { signal: options.signal });
    this.#draw();
  }

  /** @returns {Promise<void>} Settled when all decisions have reached the server. */
  get settled() {
    return this.#queue;
  }

  /** @returns {HTMLElement[]} A button for each key. */
  #commandButtons() {
    const button = (
      /** @type {string} */ key,
      /** @type {string} */ text,
      /** @type {Command} */ command,
      hue = '',
    ) =>
      h(
        'button',
        {
          type: 'button',
          class: `button clean-key ${hue}`,
          'data-testid': `key-${key.toLowerCase()}`,
          onclick: () => this.#run(command),
        },
        h('kbd', {}, key.toUpperCase()),
        h('span', {}, text),
      );
    const { labels } = this.#options;
    return [
      button('k', 'Keep', { kind: 'keep' }),
      button('x', 'Exclude', { kind: 'exclude' }),
      button('u', 'Undo', { kind: 'undo' }),
      ...[...this.#keys].map(([key, label]) =>
        button(key, label, { kind: 'relabel', label }, `label-tag ${labelColour(label, labels)}`),
      ),
    ];
  }

  /** @param {KeyboardEvent} event Anywhere on the page. */
  #onKey(event) {
    const target = event.target;
    if (target instanceof HTMLElement && target.matches('input, select, textarea')) return;
    if (document.querySelector('dialog[open]')) return;
    const command = commandFor(event, this.#keys);
    if (!command) return;
    event.preventDefault();
    // A key that is held down would decide about images that nobody has seen.
    if (!event.repeat) this.#run(command);
  }

  /** @param {Command} command What to do. */
  #run(command) {
    if (command.kind === 'next') this.#round.move(1);
    else if (command.kind === 'previous') this.#round.move(-1);
    else if (command.kind === 'undo') {
      const step = this.#round.undo();
      if (step) this.#send(step);
      else toast('There is nothing to undo in this round.');
    } else {
      const step = this.#round.decide(/** @type {Decision} */ (command));
      if (step) this.#send(step);
    }
    this.#draw();
  }

  /** @param {Step} step What to tell the server, after all before it. */
  #send({ item, change, index }) {
    this.#queue = this.#queue
      .then(() => changeImage(item.image_id, change))
      .then(() => undefined)
      .catch((error) => {
        this.#round.forget(index);
        this.#draw();
        toast(`Not saved: ${explainError(error)}`);
      });
  }

  #draw() {
    const round = this.#round;
    const item = round.current;
    const { kept, relabelled, excluded } = round.tally;
    const others = this.#options.total - round.size;
    replace(
      this.#progress,
      progressBar({
        done: round.decided,
        total: round.size,
        label: 'Decided',
        message:
          `${count(kept)} kept, ${count(relabelled)} relabelled, ${count(excluded)} excluded` +
          (others > 0 ? ` · ${count(others)} less suspicious ones after these` : ''),
      }),
    );
    this.#drawLatest();
    if (item) this.#drawItem(item);
    else this.#drawEnd(others);
  }

  /** @param {Suspicion} item The image that is asked about. */
  #drawItem(item) {
    const { labels } = this.#options;
    const place = `${count(this.#round.at + 1)} of ${count(this.#round.size)}`;
    const done = this.#round.decision;
    const agrees = item.predicted === item.label;
    replace(
      this.#verdict,
      h(
        'p',
        { class: 'muted small' },
        spoken('Image '),
        `${place} · ${item.split === 'valid' ? 'validation' : 'training'} image · `,
        h('a', { href: hashFor('images', item.image_id) }, 'where it comes from'),
      ),
      h('p', {}, 'Labelled ', labelTag(item.label, labels)),
      h(
        'p',
        { class: 'answer' },
        agrees ? 'The model agrees: ' : 'The model thinks ',
        h('span', { 'data-testid': 'predicted' }, item.predicted),
      ),
      h(
        'p',
        {},
        `${percent(item.probability, 0)} sure`,
        !agrees && `; ${percent(item.label_probability)} for ${item.label}`,
        '.',
      ),
      done &&
        h('p', { class: 'muted' }, `Decided: ${describe(done, item)}. Another key changes that.`),
    );
    if (this.#stage.dataset['id'] === item.image_id) return;
    this.#stage.dataset['id'] = item.image_id;
    replace(
      this.#stage,
      h('img', { src: fileUrl(item.image_id), alt: `Image labelled ${item.label}` }),
    );
    const next = this.#round.ahead(AHEAD);
    replace(this.#ahead, ...next.map((each) => h('img', { src: fileUrl(each.image_id), alt: '' })));
  }

  /** @param {number} others Images after this round. */
  #drawEnd(others) {
    delete this.#stage.dataset['id'];
    const skipped = this.#round.size - this.#round.decided;
    const next = h(
      'button',
      {
        type: 'button',
        class: 'button primary',
        'data-testid': 'next-round',
        onclick: () => this.#options.onNextRound(),
      },
      `Go on with the next ones (${count(others + skipped)} left)`,
    );
    replace(
      this.#stage,
      emptyState(
        'That was the last image of this round',
        skipped > 0 ? `${plural(skipped, 'image')} skipped. ` : '',
        others + skipped > 0 ? next : 'Retrain to see whether it helped.',
      ),
    );
    replace(this.#verdict, h('p', {}, 'All looked at. Retrain to see whether it helped.'));
  }

  #drawLatest() {
    const rows = this.#round
      .latest(LATEST)
      .map(({ item, decision }) =>
        h(
          'li',
          { class: 'row' },
          h('img', { src: thumbnailUrl(item.image_id), alt: '', width: 40, height: 30 }),
          h('span', { class: 'small' }, describe(decision, item)),
        ),
      );
    replace(
      this.#latest,
      rows.length > 0 && h('h2', { class: 'small-heading' }, 'Decided so far'),
      rows.length > 0 && h('ul', { class: 'plain stack tight clean-latest' }, ...rows),
    );
  }
}
