/**
 * Links by which others ask a dataset's live model without an account: make, copy, look at their use, revoke.
 */
import { h, replace } from '../lib/dom.js';
import { plural, timeElement } from '../lib/format.js';
import { createLink, listLinks, revokeLink } from '../lib/resources.js';
import { copyableLines } from './copyable.js';
import { confirmDialog } from './dialogs.js';
import { messagePlace, runAction, toast } from './notices.js';

/** @typedef {import('../lib/links.js').Link} Link */
/** @typedef {import('../lib/links.js').LinkWish} LinkWish */

const DAY_MS = 86_400_000;
const DEFAULT_DAYS = 30;

/**
 * @param {string} title What it asks.
 * @param {string} testId To find it by.
 * @param {{value: number, max: number}} bounds What stands there, and the most.
 * @returns {{label: HTMLElement, input: HTMLInputElement}} A field for a whole number from 1.
 */
function numberField(title, testId, { value, max }) {
  const input = h('input', {
    type: 'number',
    min: 1,
    max,
    value,
    required: true,
    'data-testid': testId,
  });
  return { label: h('label', { class: 'field' }, title, input), input };
}

/**
 * @param {(wish: LinkWish) => Promise<void>} onWish Makes the link.
 * @returns {HTMLElement} The form.
 */
function linkForm(onWish) {
  const message = messagePlace();
  const name = h('input', { required: true, maxlength: 100, 'data-testid': 'link-name' });
  const days = numberField('Days until it ends', 'link-days', { value: DEFAULT_DAYS, max: 365 });
  const hourly = numberField('Answers an hour for one visitor', 'link-per-hour', {
    value: 30,
    max: 10_000,
  });
  const daily = numberField('Answers a day for all visitors', 'link-per-day', {
    value: 500,
    max: 1_000_000,
  });
  const keep = h('input', { type: 'checkbox', 'data-testid': 'link-keep' });
  const button = h(
    'button',
    { class: 'button primary', 'data-testid': 'link-make' },
    'Make a link',
  );
  const make = async () => {
    await onWish({
      name: name.value.trim(),
      expires_at: new Date(Date.now() + days.input.valueAsNumber * DAY_MS).toISOString(),
      answers_per_hour: hourly.input.valueAsNumber,
      answers_per_day: daily.input.valueAsNumber,
      does_keep: keep.checked,
    });
    name.value = '';
  };
  return h(
    'form',
    {
      class: 'stack tight',
      onsubmit: (event) => {
        event.preventDefault();
        void runAction(button, message, make);
      },
    },
    h('label', { class: 'field' }, 'Name, for yourself', name),
    days.label,
    hourly.label,
    daily.label,
    h(
      'label',
      { class: 'check' },
      keep,
      h('span', {}, 'Keep visitors’ answers in the prediction log'),
    ),
    h('div', { class: 'row' }, button),
    message,
  );
}

/**
 * @param {Link} link One.
 * @param {(link: Link) => Promise<void>} revoke Revokes it, if the person is sure.
 * @returns {HTMLElement} Its name, use and button.
 */
function linkRow(link, revoke) {
  const message = messagePlace();
  const button = h(
    'button',
    {
      type: 'button',
      class: 'button small',
      'aria-label': `Revoke ${link.name}`,
      'data-testid': 'link-revoke',
      onclick: () => void runAction(button, message, () => revoke(link)),
    },
    'Revoke',
  );
  return h(
    'li',
    { class: 'stack tight', 'data-testid': 'link' },
    h('div', { class: 'row between' }, h('strong', {}, link.name), button),
    h(
      'span',
      { class: 'muted small' },
      plural(link.answer_count, 'answer'),
      link.last_used_at && ', last ',
      link.last_used_at && timeElement(link.last_used_at),
      link.is_expired ? ', ended ' : ', ends ',
      timeElement(link.expires_at),
      link.does_keep ? ', answers are kept' : '',
    ),
    message,
  );
}

/**
 * @param {string} datasetId Whose live model.
 * @param {Link[]} first Its links, newest first.
 * @param {AbortSignal} signal Of the page.
 * @returns {HTMLElement} The card.
 */
export function linksCard(datasetId, first, signal) {
  const list = h('div', { class: 'stack tight' });
  const made = h('div', { class: 'stack tight', 'aria-live': 'polite' });
  const draw = (/** @type {Link[]} */ links) =>
    replace(
      list,
      links.length > 0 &&
        h('ul', { class: 'plain stack tight' }, ...links.map((link) => linkRow(link, revoke))),
      links.length === 0 && h('p', { class: 'muted' }, 'There is no link: nobody else can ask it.'),
    );
  const refresh = async () => draw((await listLinks(datasetId, signal)).items);
  const revoke = async (/** @type {Link} */ link) => {
    const isSure = await confirmDialog(
      {
        title: `Revoke “${link.name}”?`,
        text: 'Whoever has the link is shown nothing from now on. It cannot be undone; you can make another.',
        yes: 'Revoke it',
        isDangerous: true,
      },
      signal,
    );
    if (!isSure) return;
    await revokeLink(datasetId, link.id);
    replace(made);
    await refresh();
    toast('The link is revoked.');
  };
  const make = async (/** @type {LinkWish} */ wish) => {
    const link = await createLink(datasetId, wish);
    const address = copyableLines(link.address, 'the link');
    address.setAttribute('data-testid', 'link-address');
    replace(made, h('p', {}, 'Copy it now: it is not shown again.'), address);
    await refresh();
  };
  draw(first);
  return h(
    'section',
    { class: 'card stack', 'data-testid': 'links' },
    h('h2', {}, 'Link for others'),
    h(
      'p',
      { class: 'muted small' },
      'Whoever has a link can ask this dataset’s live model, without an account, and reads its name, figures and ' +
        'card, which names the sites that the images came from. They see no image of yours, and nothing else.',
    ),
    h(
      'p',
      { class: 'muted small' },
      'A link reaches as far as this server does: unless it was set up for others, that is this machine.',
    ),
    list,
    made,
    h('details', {}, h('summary', { 'data-testid': 'link-new' }, 'Make a link'), linkForm(make)),
  );
}
