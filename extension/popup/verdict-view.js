/** Under the popup's answer: is it right? What is said waits in the server's inbox. */
import { messageOf } from '../lib/errors.js';
import { send } from '../lib/send.js';
import { text } from '../lib/text.js';
import { make, makeLink, notify, whileBusy } from '../ui/dom.js';

/** @typedef {import('../lib/types.js').Classification} Classification */

const MAX_LABEL_CHARS = '100';
const LIST_ID = 'verdict-labels';

/** Asks what an answer was worth. */
export class VerdictView {
  /** @param {HTMLElement} place Where it asks. */
  constructor(place) {
    this.place = place;
    this.server = '';
    this.notice = make('div', { class: 'notice', role: 'status', 'data-testid': 'verdict-notice' });
  }

  /**
   * Ask about an answer.
   *
   * @param {string} image As it was asked about, an http(s) or data: address.
   * @param {Classification} answer Of the model.
   */
  ask(image, answer) {
    const right = makeButton('verdictRight', 'verdict-right');
    const wrong = makeButton('verdictWrong', 'verdict-wrong');
    right.addEventListener('click', () => void this.#say(right, image, answer, true, null));
    wrong.addEventListener('click', () => this.#askWhat(image, answer));
    notify(this.notice, 'plain');
    const question = text(answer.abstained ? 'verdictNone' : 'verdictQuestion');
    this.place.replaceChildren(
      make('div', { class: 'verdict' }, make('span', {}, question), right, wrong),
      this.notice,
    );
  }

  /**
   * @param {string} image As in `ask`.
   * @param {Classification} answer Of the model.
   */
  #askWhat(image, answer) {
    const { abstained, predictions } = answer;
    const others = predictions.slice(abstained ? 0 : 1);
    const input = make('input', {
      id: 'verdict-label',
      type: 'text',
      'data-testid': 'verdict-label',
      list: LIST_ID,
      maxlength: MAX_LABEL_CHARS,
      autocomplete: 'off',
    });
    const button = makeButton('verdictSend', 'verdict-send');
    button.type = 'submit';
    const form = make(
      'form',
      { class: 'row' },
      make('div', {}, make('label', { for: input.id }, text('verdictWhat')), input),
      button,
      make(
        'datalist',
        { id: LIST_ID },
        ...others.map(({ label }) => make('option', { value: label })),
      ),
    );
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#say(button, image, answer, false, input.value.trim() || null);
    });
    this.place.replaceChildren(form, this.notice);
    input.focus();
  }

  /**
   * @param {HTMLButtonElement} button Pressed.
   * @param {string} image As in `ask`.
   * @param {Classification} answer Of the model.
   * @param {boolean} isRight Whether it is right.
   * @param {string | null} label What it is instead.
   */
  async #say(button, image, answer, isRight, label) {
    const predicted = answer.abstained ? null : (answer.predictions[0]?.label ?? null);
    const { model_id, sha256, dataset_id } = answer;
    const verdict = { model_id, sha256, is_right: isRight, predicted, label };
    await whileBusy(button, async () => {
      try {
        await send('give-feedback', { image, verdict });
        const inbox = `${this.server}/#/datasets/${encodeURIComponent(dataset_id)}/inbox`;
        this.place.replaceChildren(this.notice);
        notify(
          this.notice,
          'good',
          `${text('verdictThanks')} `,
          makeLink(inbox, text('verdictInbox')),
        );
      } catch (error) {
        notify(this.notice, 'bad', messageOf(error));
      }
    });
  }
}

/**
 * @param {string} key Of its text.
 * @param {string} testId To find it by.
 * @returns {HTMLButtonElement} A button.
 */
function makeButton(key, testId) {
  return make('button', { type: 'button', 'data-testid': testId }, text(key));
}
