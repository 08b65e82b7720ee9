// Content scripts cannot be ES modules: this classic script imports the real one, which is why the
// manifest makes content/* web-accessible. `use_dynamic_url` would hide the folder from pages, but
// Chromium 156 then loads main.js and refuses what main.js imports in turn.
//
// The value of this script is the promise that `scripting.executeScript` waits for; an error becomes
// a value, since browsers differ in how they report a rejected one.
(async () => {
  /** Of a page that is still arriving; what there is then is read. */
  const maxLoadingMs = 5000;
  try {
    if (document.readyState === 'loading') {
      await new Promise((resolve) => {
        document.addEventListener('DOMContentLoaded', resolve, { once: true });
        setTimeout(resolve, maxLoadingMs);
      });
    }
    /** @type {unknown} */
    const main = await import(chrome.runtime.getURL('content/main.js'));
    const { scanPage } = /** @type {typeof import('./main.js')} */ (main);
    return { scan: scanPage() };
  } catch (error) {
    return { error: String(error) };
  }
})();
