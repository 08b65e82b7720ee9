/** What the background does for the popup's part on images that the server could not get. */

/** @typedef {import('../lib/messages.js').Handlers} Handlers */

/**
 * Make the handlers.
 *
 * @param {{browserFetch: import('./browser-fetch.js').BrowserFetch}} services What they work with.
 * @returns {Pick<Handlers, 'offer-browser-fetch' | 'wish-browser-fetch' | 'start-browser-fetch'>}
 *   The handlers.
 */
export function makeBrowserFetchHandlers(services) {
  return {
    'offer-browser-fetch': ({ dataset_id }) => services.browserFetch.offer(dataset_id),
    'wish-browser-fetch': async ({ wish }) => {
      await services.browserFetch.wish(wish);
      return null;
    },
    'start-browser-fetch': () => services.browserFetch.startWished(),
  };
}
