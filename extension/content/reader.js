// Runs in the page's own world: hands on a copy of the answers that the site's scripts get, since
// results that come by scrolling are in these alone (Google, DuckDuckGo, Yandex, Baidu, Pinterest).
// The page can forge what we hand on, as it can forge itself: answers.js bounds it, and adapters
// treat it as a stranger's text. Nothing here may disturb the page, so every failure is silent.
(() => {
  /** Addresses of answers with results: host and path, then what follows. */
  const ANSWERS = [
    /^www\.google\.[a-z.]{2,6}\/search\?/,
    /^(?:[\w-]+\.)?duckduckgo\.com\/i\.js\?/,
    /^(?:[\w-]+\.)?(?:yandex\.[a-z.]{2,6}|ya\.ru)\/images\/search\?/,
    /^image\.baidu\.com\/search\/\w*json\?/,
    /^api\.flickr\.com\/services\/rest/,
    /^unsplash\.com\/napi\//,
    /^(?:[\w-]+\.)?pinterest\.[a-z.]{2,6}\/resource\//,
    /^commons(?:\.m)?\.wikimedia\.org\/w\/api\.php\?/,
    /^api\.openverse\.(?:org|engineering)\/v1\/images/,
  ];
  /** Answers have some 300 kB; longer texts are no list of results. */
  const MAX_LENGTH = 4_000_000;
  /** Our listener comes within a second; nothing that a person sees comes before these. */
  const MAX_HELD = 8;
  const MARK = '__bowerbirdReader';
  const page = /** @type {Window & typeof globalThis & {[MARK]?: boolean}} */ (window);
  if (page[MARK]) return;
  Object.defineProperty(page, MARK, { value: true });

  /** @type {(address: string) => boolean} */
  const isAnswer = (address) => {
    try {
      const { host, pathname, search } = new URL(address, location.href);
      return ANSWERS.some((pattern) => pattern.test(host + pathname + search));
    } catch {
      return false;
    }
  };
  /** @type {(name: string, detail?: string) => void} */
  const tell = (name, detail) => {
    document.dispatchEvent(new CustomEvent(name, { detail }));
  };
  /** Answers that came before anybody listened: the first screens of results. @type {string[]} */
  const held = [];
  let isHeard = false;
  /** @type {(text: unknown) => void} */
  const handOn = (text) => {
    if (typeof text !== 'string' || text.length > MAX_LENGTH) return;
    if (isHeard) tell('bowerbird-answer', text);
    else if (held.length < MAX_HELD) held.push(text);
  };
  document.addEventListener('bowerbird-listening', () => {
    isHeard = true;
    for (const text of held.splice(0)) tell('bowerbird-answer', text);
  });
  tell('bowerbird-reader');

  /** @typedef {(...parameters: unknown[]) => unknown} AnyFunction */
  /** @type {(holder: object, name: string, onCall: (self: unknown, result: unknown) => void) => void} */
  const watch = (holder, name, onCall) => {
    /** @type {ProxyHandler<AnyFunction>} */
    const handler = {
      apply(target, self, parameters) {
        /** @type {unknown} */
        const result = Reflect.apply(target, self, parameters);
        onCall(self, result);
        return result;
      },
    };
    /** @type {unknown} */
    const native = Reflect.get(holder, name);
    Reflect.set(holder, name, new Proxy(/** @type {AnyFunction} */ (native), handler));
  };

  watch(page, 'fetch', (_self, result) => {
    /** @type {Promise<Response>} */ (result)
      .then((response) => (isAnswer(response.url) ? response.clone().text() : null))
      .then(handOn)
      .catch(() => {});
  });

  watch(XMLHttpRequest.prototype, 'send', (self) => {
    const request = /** @type {XMLHttpRequest} */ (self);
    request.addEventListener('load', () => {
      try {
        if (!isAnswer(request.responseURL)) return;
        const isText = request.responseType === '' || request.responseType === 'text';
        handOn(isText ? request.responseText : JSON.stringify(request.response));
      } catch {
        // A body that is neither: not an answer of a kind that holds results.
      }
    });
  });
})();
