// Runs at the start of every page of a search site that the person has not switched off: from then on
// main.js keeps the answers that reader.js hands on. Classic, for the reason that boot.js gives.
(async () => {
  try {
    await import(chrome.runtime.getURL('content/main.js'));
  } catch {
    // The page was left before it began, or the extension was updated under it.
  }
})();
