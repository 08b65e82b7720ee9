/**
 * The cleaner itself: one image at a time, large, what the model thinks of it, and one key for each answer.
 */
import { Problem } from '../lib/api.js';
import { answerFor, isAnswer, Round } from '../lib/cleaning.js';
import { h, replace } from '../lib/dom.js';
import { explainError } from '../lib/explain.js';
import { CLEANER_HELP, listenToKeys } from '../lib/keymap.js';
import { readImage } from '../lib/resources.js';
import { cleanButtons, meaningOf } from './clean-keys.js';
import { cleanStage } from './clean-stage.js';
import { cleanProgress, drawAlike, latestList, roundEnd, verdict } from './clean-words.js';
import { openKeysDialog } from './keys-dialog.js';
import { openLoupe } from './loupe.js';
import { toast } from './notices.js';

/** @typedef {import('../lib/keymap.js').Command} Command */
/** @typedef {import('../lib/types.js').Image} Image */
/** @typedef {import('../lib/types.js').Suspicion} Suspicion */
/** @typedef {import('./labelling.js').Labelling} Labelling */

/** Images loaded ahead: a person takes about a second for one, and one request may be slow. */
const AHEAD = 3;

/**
 * @typedef {object} CleanerOptions
 * @property {Suspicion[]} items Of this round, most suspicious first.
 * @property {{left: number, judged: number}} list Images that are open, and all that the model judged.
 * @property {Labelling} labelling What keys change.
 * @property {HTMLElement} message Where it is said what went wrong.
 * @property {() => void} onNextRound Told that the person goes on after the last image.
 * @property {(ids: string[]) => void} onElsewhere Told of images outside of the round that an undo was about.
 * @property {() => void} onSearch Go to the choice of images.
 * @property {AbortSignal} signal Of the view.
 */

/** One round, on the page. */
export class Cleaner {
  #options;
  #round;
  #stage = cleanStage(() => this.#open());
  /** Being read. @type {Set<string>} */
  #reading = new Set();
  /** An answer about an image that has not been read yet; given when it has. @type {{id: string, command: Command} | null} */
  #waiting = null;
  #verdict = h('div', {
    class: 'stack tight clean-verdict',
    'aria-live': 'polite',
    'data-testid': 'verdict',
  });
  #alike = h('div', { class: 'stack tight' });
  #progress = h('div', { 'data-testid': 'clean-progress' });
  #latest = h('div', { class: 'stack tight' });
  /** @type {{update: () => void} | null} */
  #loupe = null;
  node;

  /** @param {CleanerOptions} options What to clean. */
  constructor(options) {
    this.#options = options;
    this.#round = new Round(options.items);
    const { labelling, message, signal } = options;
    this.node = h(
      'div',
      { class: 'clean' },
      h('section', { class: 'card', 'aria-label': 'Image' }, this.#stage.node),
      h(
        'section',
        { class: 'card stack', 'aria-label': 'Decision' },
        this.#progress,
        message,
        this.#verdict,
        cleanButtons(labelling, (command) => this.#run(command), signal),
        this.#alike,
        this.#latest,
      ),
    );
    labelling.listen({ onImages: (images) => this.#follow(images) }, signal);
    listenToKeys((event) => this.#onKey(event), signal);
    this.#draw();
  }

  /**
   * @param {string[]} ids Of images.
   * @returns {boolean} Whether one of them is of this round; it is shown then.
   */
  show(ids) {
    const index = ids.map((id) => this.#round.indexOf(id)).find((each) => each >= 0);
    if (index === undefined) return false;
    this.#round.goTo(index);
    this.#draw();
    return true;
  }

  /**
   * @param {KeyboardEvent} event Outside of fields and dialogs.
   * @returns {boolean} Whether it meant something.
   */
  #onKey(event) {
    const meaning = meaningOf(event, this.#options.labelling.keys);
    if (meaning === null) return false;
    if (typeof meaning === 'number') {
      this.#round.move(meaning);
      this.#draw();
    } else if (!event.repeat) {
      // A key that is held down would decide about images that nobody has seen.
      this.#run(meaning);
    }
    return true;
  }

  /** @param {Command} command One that the cleaner knows. */
  #run(command) {
    const { labelling, onSearch, signal } = this.#options;
    if (command.name === 'undo' || command.name === 'redo') void this.#turn(command.name);
    else if (command.name === 'help') void openKeysDialog(labelling, CLEANER_HELP, signal);
    else if (command.name === 'search') onSearch();
    else if (command.name === 'open') this.#open();
    else this.#answer(command);
  }

  /** @param {Command} command An answer about the image that is shown. */
  #answer(command) {
    const item = this.#round.current;
    if (!item) return;
    const image = this.#round.imageAt();
    this.#waiting = image ? null : { id: item.image_id, command };
    const change = image && answerFor(command, item, image);
    if (!change) return;
    void this.#options.labelling.actions.apply([image], change);
    if (isAnswer(change)) this.#round.next();
    this.#draw();
  }

  /**
   * The same in the loupe, which goes on by itself.
   * @param {Command} command From a key or a button.
   * @param {Image[]} images What is shown there, if it has been read.
   * @returns {'on' | 'stay' | null} As of {@link Labelling.run}.
   */
  #answerInLoupe(command, [image]) {
    const { items, labelling } = this.#options;
    const item = items.find((each) => each.image_id === image?.id);
    const change = image && item ? answerFor(command, item, image) : null;
    if (!image || !change) return labelling.run(command, []);
    void labelling.actions.apply([image], change);
    return isAnswer(change) ? 'on' : 'stay';
  }

  /**
   * Undo or redo the newest change of the dataset, also one from before a reload, and show what it was about.
   * @param {'undo' | 'redo'} step Which way.
   */
  async #turn(step) {
    const { labelling, onElsewhere, signal } = this.#options;
    const ids = await labelling.actions.step(step);
    if (signal.aborted || ids.length === 0) return;
    // Another tab may have made the change: then only the server knows how the images look.
    await Promise.all(ids.filter((id) => this.#round.indexOf(id) >= 0).map((id) => this.#read(id)));
    if (!this.show(ids)) onElsewhere(ids);
    else if (step === 'redo') {
      this.#round.next();
      this.#draw();
    }
  }

  /** Look at the image closely, and at others of the round; after its end go on with the next. */
  #open() {
    const round = this.#round;
    const { labelling, signal } = this.#options;
    if (!round.current) {
      const { skipped, after } = this.#left();
      if (skipped + after > 0) this.#options.onNextRound();
      return;
    }
    const loupe = openLoupe({
      source: { total: () => round.size, at: (index) => round.imageAt(index) },
      index: round.at,
      labelling,
      run: (command, images) => this.#answerInLoupe(command, images),
      signal,
      onMove: (index) => {
        round.goTo(index);
        this.#draw();
      },
    });
    this.#loupe = loupe;
    void loupe.closed.then(() => (this.#loupe = null));
  }

  /** @param {Image[]} images As they are now. */
  #follow(images) {
    for (const image of images) this.#round.follow(image);
    this.#draw();
  }

  #draw() {
    const round = this.#round;
    const { labelling, list, onNextRound } = this.#options;
    const item = round.current;
    replace(this.#progress, cleanProgress(round, list));
    replace(this.#latest, ...latestList(round));
    this.#drawAlike();
    if (item) {
      replace(this.#verdict, ...verdict(item, round, labelling.labels));
      this.#stage.show(item, round.ahead(AHEAD));
      for (const id of round.unread(AHEAD)) void this.#read(id);
    } else {
      this.#stage.end(roundEnd(this.#left(), onNextRound));
      replace(this.#verdict, h('p', {}, 'That was the last one.'));
    }
    this.#loupe?.update();
  }

  /** @returns {{size: number, skipped: number, after: number}} The round, what it left open, and what comes after it. */
  #left() {
    const { items, list } = this.#options;
    const { size, decided } = this.#round;
    return { size, skipped: size - decided, after: Math.max(0, list.left - items.length) };
  }

  #drawAlike() {
    const image = this.#round.imageAt();
    const place = this.#alike;
    if (image && place.dataset['id'] === image.id) return;
    place.dataset['id'] = image?.id ?? '';
    replace(place);
    const { labelling, signal } = this.#options;
    if (image) void drawAlike(image, place, { labels: labelling.labels, signal });
  }

  /** @param {string} id Of an image of the round: how it is now. */
  async #read(id) {
    const { message, signal } = this.#options;
    if (this.#reading.has(id)) return;
    this.#reading.add(id);
    try {
      this.#round.put(await readImage(id, signal));
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Problem) || error.status !== 404) {
        // Read again at the next key.
        replace(message, explainError(error));
        return;
      }
      this.#round.drop(id);
      toast('An image was deleted in the meantime and is passed over.');
    } finally {
      this.#reading.delete(id);
    }
    this.#draw();
    const waiting = this.#waiting;
    if (waiting?.id === this.#round.current?.image_id && waiting) this.#answer(waiting.command);
  }
}
