/** What the background does for the popup's messages about scrolling and capturing. */

/** @typedef {import('../lib/messages.js').Handlers} Handlers */

/**
 * Make the handlers.
 *
 * @param {() => import('./scroll.js').ScrollRuns} getRuns Names the runs.
 * @returns {Pick<Handlers, 'start-scroll' | 'stop-scroll' | 'read-scroll' | 'forget-scroll'>} One for each message.
 */
export function scrollHandlers(getRuns) {
  return {
    'start-scroll': (request) => getRuns().start(request),
    'stop-scroll': ({ tab_id }) => getRuns().stop(tab_id),
    'read-scroll': ({ tab_id }) => getRuns().read(tab_id),
    'forget-scroll': async ({ tab_id }) => {
      await getRuns().forget(tab_id);
      return null;
    },
  };
}
