/**
 * Feedback one at a time, by keys as in the cleaner: K takes over what was said, a label's key takes over under that
 * label, X lets go, U takes up again.
 */
import { h, replace } from '../lib/dom.js';
import { explainError } from '../lib/explain.js';
import { count } from '../lib/format.js';
import { commandFor, listenToKeys } from '../lib/keymap.js';
import { acceptFeedback, dismissFeedback, listFeedback, reopenFeedback } from '../lib/resources.js';
import { inboxEntry, labelSaid } from './inbox-entry.js';
import { keyButton, labelButtons } from './label-keys.js';
import { emptyState, messagePlace, toast } from './notices.js';

/** @typedef {import('../lib/feedback.js').Feedback} Feedback */
/** @typedef {import('../lib/feedback.js').FeedbackState} FeedbackState */
/** @typedef {import('./labelling.js').Labelling} Labelling */

/** Read at once; more come when the last of them is shown. */
const PAGE = 100;
/** Ways to go without a decision. @type {Record<string, number>} */
const STEPS = { ArrowLeft: -1, ArrowRight: 1 };

/** @type {Record<FeedbackState, [string, string]>} */
const NOTHING = {
  new: [
    'Nothing waits here',
    'Say of an answer on the Try it page, or in the extension’s popup, whether it is right: it comes here, and gets into the dataset only when you take it over.',
  ],
  accepted: ['Nothing was taken over', 'What you take over is listed here for 90 days.'],
  dismissed: ['Nothing was let go', 'What you let go is listed here for 90 days.'],
};

/**
 * @param {KeyboardEvent} event A key.
 * @returns {boolean} Whether it was pressed alone.
 */
const isPlain = ({ ctrlKey, metaKey, altKey, shiftKey }) =>
  !(ctrlKey || metaKey || altKey || shiftKey);

/** What is shown of an inbox, and what a person does with it. */
export class InboxStage {
  /** @type {Feedback[]} */
  #entries = [];
  #place = 0;
  #total = 0;
  /** @type {string | null} */
  #cursor = null;
  /** What was let go last, to be taken up again. @type {string | null} */
  #gone = null;
  #isBusy = false;

  /**
   * @param {string} datasetId Whose.
   * @param {Labelling} labelling Its labels and their keys.
   * @param {FeedbackState} state What is shown.
   * @param {AbortSignal} signal Of the page.
   */
  constructor(datasetId, labelling, state, signal) {
    this.datasetId = datasetId;
    this.labelling = labelling;
    this.state = state;
    this.signal = signal;
    this.message = messagePlace();
    this.stage = h('div', { class: 'stack' });
    this.node = h('div', { class: 'card stack' }, this.stage, this.message);
    listenToKeys((event) => this.#onKey(event), signal);
  }

  /** @returns {Feedback | undefined} What is looked at. */
  get #current() {
    return this.#entries[this.#place];
  }

  /** Read the first ones, or the next. */
  async read() {
    const query = { state: this.state, limit: PAGE, cursor: this.#cursor };
    const { items, next_cursor, total } = await listFeedback(this.datasetId, query, this.signal);
    if (this.#entries.length === 0) this.#total = total;
    this.#entries.push(...items);
    this.#cursor = next_cursor;
    this.#draw();
  }

  #draw() {
    const current = this.#current;
    if (!current) {
      const [title, text] = NOTHING[this.state];
      replace(this.stage, emptyState(title, text), this.#undoButton());
      return;
    }
    const place = `${count(this.#place + 1)} of ${count(this.#total)}`;
    replace(
      this.stage,
      h('p', { class: 'muted tabular', 'data-testid': 'inbox-place' }, place),
      inboxEntry(current, this.labelling.labels),
      h(
        'div',
        { class: 'clean-keys', role: 'group', 'aria-label': 'Keys' },
        ...this.#buttons(current),
      ),
    );
  }

  /**
   * @param {Feedback} current What is looked at.
   * @returns {(HTMLElement | null)[]} What can be done with it.
   */
  #buttons(current) {
    const style = { class: 'button clean-key' };
    const ways = [
      keyButton('←', 'Back', {
        ...style,
        'data-testid': 'inbox-back',
        onclick: () => this.#go(-1),
      }),
      keyButton('→', 'On', { ...style, 'data-testid': 'inbox-on', onclick: () => this.#go(1) }),
    ];
    if (this.state === 'accepted') return ways;
    if (this.state === 'dismissed') {
      const reopen = () => void this.#run(() => this.#takeUp(current.id));
      const button = keyButton('U', 'Take it up again', {
        ...style,
        'data-testid': 'inbox-undo',
        onclick: reopen,
      });
      return [button, ...ways];
    }
    const label = labelSaid(current);
    const accept = (/** @type {string} */ name) =>
      void this.#run(() => this.#accept(current, name));
    const take =
      label !== null && current.has_picture
        ? keyButton('K', `Take it over as “${label}”`, {
            class: 'button primary clean-key',
            'data-testid': 'inbox-take',
            onclick: () => accept(label),
          })
        : null;
    const letGo = keyButton('X', 'Let it go', {
      ...style,
      'data-testid': 'inbox-let-go',
      onclick: () => void this.#run(() => this.#dismiss(current)),
    });
    const others = current.has_picture
      ? labelButtons(this.labelling, 'button clean-key label-tag', accept)
      : [];
    return [take, ...others, letGo, this.#undoButton(), ...ways];
  }

  /** @returns {HTMLElement | null} Takes up again what was let go last. */
  #undoButton() {
    if (this.#gone === null) return null;
    return keyButton('U', 'Take the last one up again', {
      class: 'button clean-key',
      'data-testid': 'inbox-undo',
      onclick: () => this.#undo(),
    });
  }

  /**
   * @param {KeyboardEvent} event A key.
   * @returns {boolean} Whether it meant something.
   */
  #onKey(event) {
    const step = isPlain(event) ? STEPS[event.key] : undefined;
    if (step !== undefined) return this.#go(step);
    const command = commandFor(event, this.labelling.keys);
    if (command?.name === 'undo') return this.#undo();
    // A key that is held would decide on what nobody has seen.
    const current = this.state === 'new' && !event.repeat ? this.#current : undefined;
    return command !== null && current !== undefined && this.#decide(current, command);
  }

  /**
   * @param {Feedback} current What is looked at.
   * @param {import('../lib/keymap.js').Command} command What a key means.
   * @returns {boolean} Whether it means something here.
   */
  #decide(current, command) {
    switch (command.name) {
      case 'exclude':
        void this.#run(() => this.#dismiss(current));
        return true;
      case 'label':
        void this.#run(() => this.#accept(current, command.label));
        return true;
      case 'keep':
        void this.#run(() => this.#accept(current, labelSaid(current)));
        return true;
      default:
        return false;
    }
  }

  /**
   * @param {number} step How many on.
   * @returns {boolean} True: it was a key of ours.
   */
  #go(step) {
    this.#place = Math.max(0, Math.min(this.#entries.length - 1, this.#place + step));
    replace(this.message);
    this.#draw();
    this.#focus();
    const isLast = this.#place === this.#entries.length - 1;
    if (isLast && this.#cursor !== null) void this.#run(() => this.read());
    return true;
  }

  /** @returns {boolean} Whether there is something to take up again. */
  #undo() {
    const id = this.state === 'dismissed' ? (this.#current?.id ?? null) : this.#gone;
    if (id === null) return false;
    void this.#run(() => this.#takeUp(id));
    return true;
  }

  /** @param {() => Promise<void>} action What to do; one at a time. */
  async #run(action) {
    if (this.#isBusy) return;
    this.#isBusy = true;
    replace(this.message);
    this.message.classList.remove('is-error');
    try {
      await action();
    } catch (error) {
      if (this.signal.aborted) return;
      this.message.classList.add('is-error');
      replace(this.message, explainError(error));
    } finally {
      this.#isBusy = false;
    }
  }

  /**
   * @param {Feedback} entry Taken over.
   * @param {string | null} label Under which.
   */
  async #accept(entry, label) {
    if (label === null) throw new Error('Nobody said what it is: press the key of a label.');
    await acceptFeedback(entry.id, label);
    this.#gone = null;
    toast(`Taken over as “${label}”: reviewed, and only learned from.`);
    await this.#leave(entry);
  }

  /** @param {Feedback} entry Let go. */
  async #dismiss(entry) {
    await dismissFeedback(entry.id);
    this.#gone = entry.id;
    toast('Let go.', { label: 'Undo', run: () => this.#undo() });
    await this.#leave(entry);
  }

  /** @param {string} id Taken up again. */
  async #takeUp(id) {
    const entry = await reopenFeedback(id);
    this.#gone = null;
    toast('It waits again.');
    if (this.state === 'dismissed') {
      await this.#leave(entry);
      return;
    }
    this.#entries.splice(this.#place, 0, entry);
    this.#total += 1;
    this.#draw();
    this.#focus();
  }

  /** @param {Feedback} entry No longer of this list. */
  async #leave(entry) {
    this.#entries = this.#entries.filter(({ id }) => id !== entry.id);
    this.#total -= 1;
    this.#place = Math.max(0, Math.min(this.#place, this.#entries.length - 1));
    if (this.#entries.length === 0 && this.#cursor !== null) await this.read();
    else this.#draw();
    this.#focus();
  }

  /** The button that was pressed is gone. */
  #focus() {
    const isHere =
      this.node.contains(document.activeElement) || document.activeElement === document.body;
    if (isHere) this.stage.querySelector('h2')?.focus({ preventScroll: true });
  }
}
