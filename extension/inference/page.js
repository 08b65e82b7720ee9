/** Entry of the hidden page that runs kept models in Chromium. */
import { ext } from '../lib/browser.js';
import { serialiseError } from '../lib/errors.js';
import { RUN, runInPage } from './elsewhere.js';

/** @typedef {{type: string, request: {model: import('./types.js').KeptModel, data_url: string}}} Asked */

ext.runtime.onMessage.addListener((/** @type {Asked} */ asked, sender, respond) => {
  // From the background alone, which is no page: what others send is not ours to answer.
  if (sender.id !== ext.runtime.id || sender.tab !== undefined || asked.type !== RUN) return false;
  runInPage(asked.request.model, asked.request.data_url).then(
    (reply) => respond({ ok: true, reply }),
    (/** @type {unknown} */ error) => respond({ ok: false, error: serialiseError(error) }),
  );
  return true;
});
