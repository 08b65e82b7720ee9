"""Pages that grow as they are scrolled: plain, virtualised, endless, and with a captcha.

Their policy forbids style sheets and every script but their own; they are laid out by attributes.
"""

from __future__ import annotations

from tests.support.https_site import HttpsSite, Reply

PLAIN_COUNT = 130
VIRTUAL_COUNT = 600
POLICY = (
    "default-src 'none'; script-src 'nonce-growing'; img-src http:; style-src 'none'; "
    "frame-ancestors 'none'"
)
_PAGE = """<!doctype html><html lang="en"><title>{title}</title><body bgcolor="{ground}">
<script nonce="growing">
const COUNT = {count};
const makeImage = (index) => {{
  const image = document.createElement('img');
  image.width = 270;
  image.height = 190;
  image.alt = `picture ${{index}}`;
  image.src = `/photos/${{index}}.jpg`;
  return image;
}};
{script}
</script>"""
# More images come somewhat after the end was reached.
_GROWING = """
let made = 0;
const grow = () => {
  for (const end = Math.min(COUNT, made + 24); made < end; made += 1) {
    document.body.append(makeImage(made));
  }
};
let isLoading = false;
grow();
addEventListener('scroll', () => {
  const { scrollTop, clientHeight, scrollHeight } = document.scrollingElement;
  if (isLoading || scrollTop + clientHeight < scrollHeight - 300) return;
  isLoading = true;
  setTimeout(() => { grow(); isLoading = false; }, 400);
});
"""
_CAPTCHA = """
addEventListener('scroll', () => {
  if (made < 60 || document.querySelector('.g-recaptcha')) return;
  const form = document.createElement('div');
  form.className = 'g-recaptcha';
  form.textContent = 'Please show that you are human';
  Object.assign(form.style, { position: 'fixed', inset: '200px', background: 'white' });
  document.body.append(form);
});
"""
_OTHER_QUERY = """
addEventListener('scroll', () => {
  if (made < 60 || location.search === '?q=owl') return;
  history.pushState(null, '', '?q=owl');
  document.body.replaceChildren();
  for (let index = 0; index < 40; index += 1) document.body.append(makeImage(`owl-${index}`));
});
"""
# An element scrolls, not the document; of the rows those alone exist that can be seen.
_VIRTUAL = """
const ROW_PX = 90;
const PER_ROW = 8;
const scroller = document.createElement('div');
Object.assign(scroller.style, { height: '95vh', overflowY: 'auto', position: 'relative' });
const room = document.createElement('div');
room.style.height = `${Math.ceil(COUNT / PER_ROW) * ROW_PX}px`;
scroller.append(room);
document.body.append(scroller);
const render = () => {
  const first = Math.max(0, Math.floor(scroller.scrollTop / ROW_PX) - 1) * PER_ROW;
  const rows = Math.ceil(scroller.clientHeight / ROW_PX) + 2;
  const images = [];
  for (let index = first; index < Math.min(COUNT, first + rows * PER_ROW); index += 1) {
    const image = makeImage(index);
    image.width = 110;
    image.height = 80;
    const [top, left] = [Math.floor(index / PER_ROW) * ROW_PX, (index % PER_ROW) * 120];
    Object.assign(image.style, { position: 'absolute', top: `${top}px`, left: `${left}px` });
    images.push(image);
  }
  room.replaceChildren(...images);
};
render();
scroller.addEventListener('scroll', () => setTimeout(render, 60));
"""


def _page(title: str, count: int, script: str, ground: str = "#f4f1ea") -> Reply:
    text = _PAGE.format(title=title, count=count, script=script, ground=ground)
    return Reply(text.encode(), headers={"Content-Security-Policy": POLICY})


class GrowingSite(HttpsSite):
    """The site; use it as a context manager."""

    def __init__(self) -> None:
        pages = {
            "plain": _page("Bears", PLAIN_COUNT, _GROWING),
            "endless": _page("Endless bears", 1_000_000, _GROWING),
            "captcha": _page("Guarded bears", 1_000_000, _GROWING + _CAPTCHA),
            "other": _page("Bears, then owls", 1_000_000, _GROWING + _OTHER_QUERY),
            "virtual": _page("Bears that come and go", VIRTUAL_COUNT, _VIRTUAL, "#14131c"),
        }
        super().__init__({f"127.0.0.1/{name}": page for name, page in pages.items()})

    def page_url(self, name: str) -> str:
        """Return the address of a page, which answers the query ``bear``."""
        return self._url(f"/{name}?q=bear")

    def addresses(self, count: int) -> list[str]:
        """Return the first ``count`` image addresses that a page shows, in its order."""
        return [self._url(f"/photos/{index}.jpg") for index in range(count)]

    def _url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"
