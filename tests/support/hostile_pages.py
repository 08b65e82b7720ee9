"""Pages that mean harm: their addresses, texts and messages are made to run, or to never end."""

from __future__ import annotations

import html
import json
from urllib.parse import quote_plus

from tests.support.https_site import Asked, Reply

# Runs wherever it is taken for markup or for a script, and leaves a trace there.
MARKUP = "<img src=x onerror='globalThis.harm = 1'><script>globalThis.harm = 1</script>"
SCRIPT = "javascript:globalThis.harm=1"
BAD_ADDRESSES = (
    f"{SCRIPT}//.jpg",
    f" \tjava\nscript:globalThis.harm=1//{'a' * 50}.jpg",
    "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' onload='globalThis.harm=1'/>",
    "file:///etc/passwd.jpg",
    "blob:https://evil.example/a.jpg",
    "chrome-extension://invalid/a.jpg",
    "https://user:secret@evil.example/a.jpg",
    f"https://evil.example/{'x' * 100_000}.jpg",
    "http://",
)
GOOD = "https://evil.example/good.jpg"
FORGED = "https://evil.example/forged.jpg"
HUGE = 2_000_000
IMAGE_COUNT = 100_000
QUERY = MARKUP[:60]
GOOGLE = f"https://www.google.com/search?udm=2&q={quote_plus(QUERY)}"
# Names that `document` then gives for its own members, in the worlds of some browsers.
CLOBBERING = "".join(
    f"<img name={name} hidden>" for name in ("title", "body", "querySelectorAll", "defaultView")
)


# What reader.js says, said by the page: of every wrong kind, huge, and without end.
FORGE = """
  const tell = (detail) =>
    document.dispatchEvent(new CustomEvent('bowerbird-answer', { detail }));
  const oddities = [null, undefined, 7, 1n, Symbol('s'), true, [], {}, document, () => 1,
    new Proxy({}, { get() { throw new Error('caught you'); } }),
    { length: 1, toString() { globalThis.harm = 1; return ''; } },
    '{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}',
    '['.repeat(200000), 'x'.repeat(5000000)];
  function forge() {
    for (const each of [...oddities, forged]) tell(each);
    for (const name of ['bowerbird-listening', 'bowerbird-reader']) {
      document.dispatchEvent(new CustomEvent(name, { detail: forged }));
    }
    for (const each of [forged, { type: 'capture' }, 'x'.repeat(5000000)]) postMessage(each, '*');
  }
  forge();
  tell('encrypted-tbn[0,"abcdef",["http:'.repeat(50000));
  setInterval(forge, 100);
"""


def attribute(text: str) -> str:
    return html.escape(text, quote=True)


def as_script(value: object) -> str:
    """Return a value as a script holds it: a closing tag in it does not close the script."""
    return json.dumps(value, separators=(",", ":")).replace("</", "<\\/")


def entry(number: int, address: str, title: str = MARKUP) -> list[object]:
    """Return an entry of Google's data, with this for the original."""
    thumbnail = ["https://encrypted-tbn0.gstatic.com/images?q=tbn:T", 225, 300]
    facts = {"2003": [None, "ref", SCRIPT, title], "2008": [None, title]}
    return [0, f"docid{number:08}", thumbnail, [address, 1200, 1600], None, 0, "", None, 0, facts]


def google_page(_: Asked) -> Reply:
    """Return a page in Google's shape whose data are hostile, and whose scripts forge answers."""
    entries = [entry(number, address) for number, address in enumerate((*BAD_ADDRESSES, GOOD))]
    tiles = "".join(
        f'<div data-docid="docid{number:08}" data-lpage="{SCRIPT}"><h3>'
        f'<a href="?imgurl={quote_plus(address)}">'
        f'<img src="{SCRIPT}" alt="{attribute(MARKUP)}"></a></h3></div>'
        for number, address in enumerate(BAD_ADDRESSES)
    )
    forged = [entry(500 + number, address) for number, address in enumerate(BAD_ADDRESSES)]
    forged.append(entry(600, FORGED, MARKUP * 300))
    return Reply(
        f"""<!doctype html><title>{attribute(MARKUP)}</title>{tiles}
        <div data-docid="{"d" * HUGE}" data-lpage="{"p" * HUGE}"></div>
        <script>var m = {as_script(entries)}; var forged = {as_script(as_script(forged))};</script>
        <script>{FORGE}</script>""".encode()
    )


def generic_page(_: Asked) -> Reply:
    """Return a gallery of hostile addresses and huge attributes."""
    images = "".join(
        f'<img src="{attribute(each)}" alt="{attribute(MARKUP)}" width=300 height=200>'
        f'<a href="{attribute(each)}"><img data-src="{attribute(each)}"></a>'
        f'<img srcset="{attribute(each)} 9w">'
        for each in BAD_ADDRESSES
    )
    return Reply(
        f"""<!doctype html><title>{attribute(MARKUP)}</title>
        <meta property="og:image" content="{SCRIPT}">
        {images}
        <img src="{GOOD}" alt="{attribute(MARKUP)}" width=300 height=200>
        <img alt="{"x " * HUGE}" srcset="{"a,,,," * (HUGE // 5)}">
        <div style="background: {"url(" * (HUGE // 4)}">{"y" * HUGE}</div>""".encode()
    )


def endless_gallery(_: Asked) -> Reply:
    """Return 100,000 images that the browser neither asks for nor lays out."""
    # With `loading=lazy` for `data-src` Chromium is busy with them for half a minute.
    images = "".join(
        f"<img width=200 height=200 data-src=/many/{number}.jpg>" for number in range(IMAGE_COUNT)
    )
    return Reply(f"<!doctype html><title>many</title><div hidden>{images}</div>".encode())


def clobbered_page(_: Asked) -> Reply:
    """Return a gallery whose markup takes the names of what `document` has."""
    images = "<img src=/a.jpg width=300 height=200><img src=/b.jpg width=300 height=200>"
    return Reply(f"<!doctype html><title>names</title>{CLOBBERING}{images}".encode())


def busy_page(_: Asked) -> Reply:
    """Return a page that answers nothing once it has said so, for longer than a person waits."""
    return Reply(
        b"""<!doctype html><title>busy</title><img src=/a.jpg width=300 height=200><script>
        addEventListener('load', () => setTimeout(() => {
          const request = new XMLHttpRequest();
          request.open('GET', '/busy-now', false);
          request.send();
          for (const end = Date.now() + 60000; Date.now() < end; );
        }, 300));
        </script>"""
    )


PAGES = {
    "www.google.com/search": google_page,
    "www.google.com/busy": busy_page,
    "evil.example/": generic_page,
    "evil.example/many": endless_gallery,
    "evil.example/names": clobbered_page,
}
