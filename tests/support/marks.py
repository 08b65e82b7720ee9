"""Pages to mark, and how a test sees marks that no script of a page can see."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol
from urllib.parse import urlsplit

from playwright.sync_api import CDPSession, Page
from typing_extensions import override

from tests.support.https_site import Asked, Reply, Responder
from tests.support.processes import wait_until
from tests.support.steps import PATIENCE_S, ChromiumSteps, FirefoxSteps, Steps

SEARCH = "https://www.google.com/search"
GALLERY = "https://gallery.example/bears"
HOST = ":root > .bowerbird-marks"
# Of one page: more than any real one shows.
MAX_RESULTS = 2000
SHOWN_AT_FIRST = 24
LOST = (7,)  # results whose originals are gone

_STYLE = """
body { margin: 0; font: 14px sans-serif; background: Canvas; color: CanvasText; }
:root { color-scheme: light dark; }
header { position: sticky; top: 0; z-index: 5; padding: 14px; background: Canvas; }
/* Above what has no layer of its own, as tiles are on some sites. */
#results { position: relative; z-index: 2; padding: 14px; }
#results { display: flex; flex-wrap: wrap; gap: 14px; }
.tile { width: 200px; }
.tile img { display: block; width: 200px; height: 150px; object-fit: cover; border-radius: 12px; }
"""
# Appends the next results as Google does, and lets a test see what else the page does.
_SCRIPT = """
let shown = 0;
function grow(count) {
  for (const end = shown + count; shown < end; shown += 1) {
    const id = `docid${String(shown).padStart(5, '0')}M`;
    const tile = document.createElement('div');
    tile.className = 'tile';
    tile.dataset.docid = id;
    tile.dataset.lpage = `https://bears.example/page/${shown}`;
    const picture = `<img alt="Bear ${shown}" src="/pic/${shown % 40}.jpg">`;
    tile.innerHTML = `<h3 style="margin:0"><a>${picture}</a></h3><span>About bear ${shown}</span>`;
    results.append(tile);
  }
}
"""


@dataclass
class Bears:
    """A search for bears, and a gallery of them.

    Attributes:
        origin: Where the originals are, for a server to fetch; those of `LOST` are not there.
    """

    origin: str = "https://bears.example"

    def url(self, number: int) -> str:
        """Return the address of the original of a result."""
        return f"{self.origin}/full/{number}.jpg"

    def pages(self) -> dict[str, Reply | Responder]:
        """Return the pages by host and path, with what is in place of the lost originals."""
        host = urlsplit(self.origin).hostname
        lost = {f"{host}/full/{number}.jpg": Reply(b"gone", status=404) for number in LOST}
        pages: dict[str, Reply | Responder] = {
            SEARCH.removeprefix("https://"): self.search_page,
            GALLERY.removeprefix("https://"): gallery_page,
        }
        return pages | lost

    def search_page(self, asked: Asked) -> Reply:
        """Return a page in Google's shape; ``shown`` in its address: how many it has at first."""
        count = int(asked.query.get("shown", SHOWN_AT_FIRST))
        results = {f"K{number}": [1, self._result(number)] for number in range(MAX_RESULTS)}
        data = json.dumps(results, separators=(",", ":"))
        body = (
            f"<!doctype html><meta charset=utf-8><title>bears</title><style>{_STYLE}</style>"
            f"<header>Results</header><div id=results></div>"
            f"<script>window.W_jd={data};{_SCRIPT}grow({count})</script>"
        )
        return Reply(body.encode())

    def _result(self, number: int) -> list[Any]:
        page = f"https://bears.example/page/{number}"
        thumbnail = f"https://encrypted-tbn0.gstatic.com/images?q=tbn:{number}"
        original = [self.url(number), 1200, 1600]
        about = {"2003": [None, "r", page, f"Bear {number}"]}
        key = f"docid{number:05}M"
        return [0, key, [thumbnail, 150, 200], original, None, 0, "rgb(1,2,3)", None, 0, about]


def gallery_page(_: Asked) -> Reply:
    """Return a page of no known site, under a policy that forbids all but pictures."""
    pictures = "".join(
        f"<a href='/full/{n}.jpg'>"
        f"<img src='/small/{n}.jpg' alt='Bear {n}' width=240 height=180></a> "
        for n in range(6)
    )
    policy = {"Content-Security-Policy": "default-src 'none'; img-src 'self'"}
    body = f"<!doctype html><meta charset=utf-8><title>bears</title>{pictures}"
    return Reply(body.encode(), headers=policy)


@dataclass(frozen=True)
class Mark:
    """One mark as a person meets it; ``x`` and ``y`` are its button's middle in the window."""

    state: str
    word: str
    name: str
    is_pressed: bool
    is_in_tab_order: bool
    has_focus: bool
    x: float
    y: float


_READ = """
  return [...root.querySelectorAll('.mark')].map((mark) => {
    const button = mark.querySelector('button');
    const { x, y, width, height } = button.getBoundingClientRect();
    return {
      state: mark.dataset.state,
      word: mark.querySelector('.word').textContent,
      name: button.getAttribute('aria-label'),
      is_pressed: button.getAttribute('aria-pressed') === 'true',
      is_in_tab_order: button.tabIndex === 0,
      has_focus: root.activeElement === button,
      x: x + width / 2,
      y: y + height / 2,
    };
  });
"""


class Eyes(Protocol):
    """Sees marks and uses mouse and keyboard, in one browser."""

    def look(self) -> list[dict[str, Any]]:
        """Return the marks of the page that was visited last; none without their host."""

    def click(self, x: float, y: float) -> None:
        """Press the mouse at a place of the window."""

    def press(self, key: str) -> None:
        """Press a key, by its name."""


class ChromiumEyes(Eyes):
    """Looks through the protocol of the developer tools, which pierces shadow roots."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.session: CDPSession = page.context.new_cdp_session(page)

    @override
    def look(self) -> list[dict[str, Any]]:
        document = self.session.send("DOM.getDocument", {"depth": -1, "pierce": True})["root"]
        (html,) = [each for each in document["children"] if each["nodeName"] == "HTML"]
        for child in html["children"]:
            if "bowerbird-marks" in child.get("attributes", []):
                root = child["shadowRoots"][0]["backendNodeId"]
                target = self.session.send("DOM.resolveNode", {"backendNodeId": root})["object"]
                declaration = f"function () {{ const root = this; {_READ} }}"
                reply = self.session.send(
                    "Runtime.callFunctionOn",
                    {
                        "objectId": target["objectId"],
                        "functionDeclaration": declaration,
                        "returnByValue": True,
                    },
                )
                marks: list[dict[str, Any]] = reply["result"]["value"]
                return marks
        return []

    @override
    def click(self, x: float, y: float) -> None:
        self.page.mouse.click(x, y)

    @override
    def press(self, key: str) -> None:
        self.page.keyboard.press(key)


class FirefoxEyes(Eyes):
    """Looks from a sandbox with the browser's own rights."""

    KEYS: ClassVar = {"ArrowRight": "\ue014", "Enter": "\ue007", "Escape": "\ue00c"}

    def __init__(self, steps: FirefoxSteps) -> None:
        self.steps = steps

    @override
    def look(self) -> list[dict[str, Any]]:
        self.steps.browser.show(self.steps.page_handle)
        script = (
            f"const root = document.querySelector('{HOST}')?.openOrClosedShadowRoot;"
            f"if (!root) return []; {_READ}"
        )
        marks: list[dict[str, Any]] = self.steps.browser.session.send(
            "WebDriver:ExecuteScript", script=script, args=[], sandbox="system"
        )
        return marks

    def _act(self, kind: str, actions: list[dict[str, Any]]) -> None:
        self.steps.browser.show(self.steps.page_handle)
        self.steps.browser.session.send(
            "WebDriver:PerformActions", actions=[{"type": kind, "id": kind, "actions": actions}]
        )

    @override
    def click(self, x: float, y: float) -> None:
        move = {"type": "pointerMove", "x": round(x), "y": round(y), "duration": 0}
        self._act(
            "pointer",
            [move, {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}],
        )

    @override
    def press(self, key: str) -> None:
        value = self.KEYS[key]
        self._act("key", [{"type": "keyDown", "value": value}, {"type": "keyUp", "value": value}])


class Marks:
    """The marks of the page that was visited last."""

    def __init__(self, steps: Steps) -> None:
        self.eyes: Eyes
        if isinstance(steps, ChromiumSteps):
            assert steps.page is not None
            self.eyes = ChromiumEyes(steps.page)
        else:
            assert isinstance(steps, FirefoxSteps)
            self.eyes = FirefoxEyes(steps)

    def all(self) -> dict[str, Mark]:
        """Return all of them by what they are on: the last of their names' words, a number."""
        marks = [Mark(**each) for each in self.eyes.look()]
        return {_number(mark.name): mark for mark in marks}

    def wait_for(self, number: int, state: str) -> Mark:
        """Return the mark of a result as soon as it is in a state."""

        def found() -> Mark | None:
            mark = self.all().get(str(number))
            return mark if mark is not None and mark.state == state else None

        return wait_until(found, PATIENCE_S, f"the mark of result {number} is {state}")

    def wait_for_none(self) -> None:
        """Wait until there are no marks."""
        wait_until(lambda: not self.eyes.look(), PATIENCE_S, "there are no marks")

    def press(self, mark: Mark) -> None:
        """Press a mark with the mouse."""
        self.eyes.click(mark.x, mark.y)


def _number(name: str) -> str:
    return name.partition("Bear ")[2].partition(".")[0]
