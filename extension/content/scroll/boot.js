// Injected when the person asks to scroll and capture. Classic, for the reason that ../boot.js gives.
(async () => {
  try {
    /** @type {unknown} */
    const main = await import(chrome.runtime.getURL('content/scroll/main.js'));
    /** @type {typeof import('./main.js')} */ (main).startScrolling();
    return { started: true };
  } catch (error) {
    return { error: String(error) };
  }
})();
