/**
 * Who and what works with this server: the paired browsers, the trainer; and how full the disk is.
 */
import { h } from '../lib/dom.js';
import { explainError } from '../lib/explain.js';
import { bytes, timeElement } from '../lib/format.js';
import { revokeToken } from '../lib/resources.js';
import { hashFor } from '../lib/router.js';
import { confirmDialog } from './dialogs.js';
import { toast } from './notices.js';

/** @typedef {import('../lib/types.js').Server} Server */
/** @typedef {import('../lib/types.js').Token} Token */

/**
 * @param {Token} token A paired browser.
 * @param {{signal: AbortSignal, onChange: () => void}} options Of the page.
 * @returns {HTMLElement} One line with its revoke button.
 */
function browserRow(token, { signal, onChange }) {
  const revoke = async () => {
    const isSure = await confirmDialog(
      {
        title: `Revoke ${token.name}?`,
        text: 'That browser can no longer capture or classify until it is paired again. Images stay.',
        yes: 'Revoke',
        isDangerous: true,
      },
      signal,
    );
    if (!isSure) return;
    try {
      await revokeToken(token.id);
      toast(`Revoked ${token.name}.`);
      onChange();
    } catch (error) {
      toast(explainError(error));
    }
  };
  return h(
    'li',
    { class: 'row between', 'data-testid': 'paired-browser' },
    h(
      'span',
      {},
      h('strong', {}, token.name),
      h('br'),
      h(
        'span',
        { class: 'muted small' },
        ...(token.last_used_at ? ['used ', timeElement(token.last_used_at)] : ['not used yet']),
      ),
    ),
    h('button', { type: 'button', class: 'button small', onclick: () => void revoke() }, 'Revoke'),
  );
}

/**
 * @param {Server} server About the trainer.
 * @returns {HTMLElement} Its state in words.
 */
function trainerState({ trainer }) {
  const text = trainer.enabled
    ? (trainer.state ?? 'runs beside this server')
    : 'not started by this server; jobs wait until a trainer asks for one';
  return h(
    'p',
    { class: 'row as-line', 'data-testid': 'trainer-state' },
    h('span', { class: trainer.enabled ? 'dot good' : 'dot', 'aria-hidden': 'true' }),
    `Trainer: ${text}`,
  );
}

/**
 * @param {import('../lib/types.js').Disk} disk How full it is.
 * @returns {HTMLElement} The same in words.
 */
function diskState({ images_bytes, free_bytes }) {
  const text = `Images: ${bytes(images_bytes)} on disk, ${bytes(free_bytes)} free.`;
  return h('p', { 'data-testid': 'disk' }, text);
}

/**
 * @param {{server: Server, tokens: Token[], disk: import('../lib/types.js').Disk}} data What there is.
 * @param {{signal: AbortSignal, onChange: () => void}} options Of the page.
 * @returns {HTMLElement} Paired browsers, the trainer, the disk.
 */
export function machineCard({ server, tokens, disk }, options) {
  const browsers = tokens.filter((token) => token.kind === 'extension');
  return h(
    'section',
    { class: 'card stack' },
    h('h2', {}, 'Paired browsers'),
    browsers.length > 0
      ? h('ul', { class: 'plain stack' }, ...browsers.map((token) => browserRow(token, options)))
      : h('p', { class: 'muted' }, 'None yet. Pair one under “Get started”.'),
    trainerState(server),
    h('p', {}, h('a', { href: hashFor('jobs') }, 'All trainings')),
    diskState(disk),
  );
}
