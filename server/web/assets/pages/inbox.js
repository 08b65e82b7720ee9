/**
 * The inbox of a dataset: what people say of its models' answers.
 */
import { InboxStage } from '../components/inbox-stage.js';
import { Labelling } from '../components/labelling.js';
import { h, replace } from '../lib/dom.js';
import { labelNames } from '../lib/labels.js';
import { readDataset } from '../lib/resources.js';
import { hashFor } from '../lib/router.js';

/** @typedef {import('../lib/feedback.js').FeedbackState} FeedbackState */

/** @type {[FeedbackState, string][]} */
const VIEWS = [
  ['new', 'Waiting'],
  ['accepted', 'Taken over'],
  ['dismissed', 'Let go'],
];

/**
 * Show the inbox of a dataset.
 * @param {import('../lib/types.js').PageContext} context Where, whose, and until when.
 */
export async function show({ root, route, signal }) {
  const dataset = await readDataset(route.id ?? '', signal);
  document.title = `Inbox · ${dataset.name} · Bowerbird`;
  const [state] = VIEWS.find(([name]) => name === route.query.get('state')) ?? ['new'];
  const labelling = new Labelling(dataset.id, labelNames(dataset));
  const inbox = new InboxStage(dataset.id, labelling, /** @type {FeedbackState} */ (state), signal);
  await inbox.read();
  const tabs = VIEWS.map(([name, title]) =>
    h(
      'a',
      {
        href: hashFor('datasets/inbox', dataset.id, { state: name === 'new' ? null : name }),
        class: 'tab',
        ...(name === state ? { 'aria-current': 'true' } : {}),
      },
      title,
    ),
  );
  replace(
    root,
    h(
      'header',
      { class: 'page-head' },
      h('p', { class: 'crumbs' }, h('a', { href: hashFor('datasets', dataset.id) }, dataset.name)),
      h('h1', { tabindex: -1 }, 'Inbox'),
      h(
        'p',
        { class: 'lead' },
        'What people say of answers. What you take over is learned from; models are never measured by it.',
      ),
    ),
    h(
      'div',
      { class: 'stack' },
      h('nav', { class: 'tabs', 'aria-label': 'Views' }, ...tabs),
      inbox.node,
    ),
  );
}
