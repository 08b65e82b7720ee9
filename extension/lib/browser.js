/** The one place that names the browser's extension API. */

/** @type {typeof chrome} */
export const ext = globalThis.browser ?? globalThis.chrome;

/**
 * Name this build to the server, as every capture and pairing does.
 *
 * @returns {string} For example `bowerbird-extension/0.1.0 (firefox)`.
 */
export function clientName() {
  const browserName = ext.runtime.getURL('').startsWith('moz-extension:') ? 'firefox' : 'chromium';
  return `bowerbird-extension/${ext.runtime.getManifest().version} (${browserName})`;
}
