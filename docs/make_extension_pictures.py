# ruff: noqa: INP001 - a script
"""Make the pictures of docs/extension.md: the extension at work, in Chromium and in Firefox.

    .venv/bin/python docs/make_extension_pictures.py [chromium] [firefox]

A search of drawn bears answers under a search site's address on loopback; a real server and real
browsers do the rest. Takes some two minutes, and leaves ``docs/images/extension/*.webp``: light
ones of Chromium and dark ones of Firefox. Screenshots of all in both themes stay in
``build/extension-pictures``.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent / "picture")]  # neither is a package

from cameras import Camera, make_camera  # noqa: E402
from compose import write_webp  # noqa: E402
from search_of_bears import GONE, BearSearch  # noqa: E402

from tests.support import workflow  # noqa: E402
from tests.support.marks import Marks  # noqa: E402
from tests.support.processes import ServerProcess, wait_until  # noqa: E402
from tests.support.steps import BROWSERS, Steps, open_browser, pair  # noqa: E402

SHOTS = ROOT / "build" / "extension-pictures"
PICTURES = ROOT / "docs" / "images" / "extension"
MAX_BYTES = 120_000
PUBLISHED = {"chromium": "light", "firefox": "dark"}
THEMES = ("light", "dark")
DATASET = "bears"
POPUP_PX = (520, 640)  # in its own window, as its ↗ opens it; Firefox makes none below 500
PAGE_PX = (672, 480)  # three results a row, beside Firefox's scrollbar too
OPTIONS_PX = (760, 1000)
CAPTURED = (1, 2, 5, 6, *GONE)  # results by their numbers, from 1, as below too
EXCLUDED = 5
LEFT_OUT = (3, 9)
GOAL_COUNT = 100
GROWTH_S = 60.0
SCROLLED_COUNT = 60  # results on the page when the run is pictured


@dataclass(frozen=True)
class Album:
    """Keeps pictures of one browser.

    Attributes:
        browser: Its name.
        camera: Takes them.
    """

    browser: str
    camera: Camera

    def add(self, name: str, what: str, size_px: tuple[int, int]) -> None:
        """Take a picture in both themes, and publish the one that is this browser's."""
        for theme in THEMES:
            png = self.camera.take(what, size_px, theme)
            (SHOTS / f"{name}-{self.browser}-{theme}.png").write_bytes(png)
            if theme == PUBLISHED[self.browser]:
                write_webp(png, PICTURES / f"{name}-{self.browser}.webp", MAX_BYTES)


def main(names: list[str]) -> int:
    """Take the pictures in the browsers of these names, or in all; return the exit code."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    with BearSearch() as search:
        for name in names or BROWSERS:
            folder = Path(tempfile.mkdtemp(prefix="bowerbird-pictures-"))
            try:
                _visit(name, folder, search)
            finally:
                shutil.rmtree(folder, ignore_errors=True)
    return 0


def _visit(name: str, folder: Path, search: BearSearch) -> None:
    settings = {"BOWERBIRD_FETCH__ALLOWED_HOSTS": search.authority}
    with (
        ServerProcess(folder / "data", settings, has_trainer=False) as server,
        server.client() as client,
        open_browser(name, folder / "profile", search.port) as steps,
    ):
        pair(steps, server, client)
        album = Album(name, make_camera(steps))
        dataset_id = workflow.create_dataset(client, DATASET)
        steps.visit(search.url)
        _capture_some(steps, dataset_id)
        workflow.wait_settled(client, dataset_id)
        _picture_marks(steps, album)
        steps.open_popup()
        steps.wait_for_text("candidates", "captured")
        album.add("popup", "popup", POPUP_PX)
        album.add("options", "options", OPTIONS_PX)
        _picture_run(steps, album)


def _capture_some(steps: Steps, dataset_id: str) -> None:
    steps.open_popup()
    steps.select("dataset", dataset_id)
    steps.wait_for_text("page-summary", "images")
    steps.click("choose-none")
    tiles = "document.querySelectorAll('[data-testid=candidate]')"
    steps.run_in_popup(f"for (const number of {list(CAPTURED)}) {tiles}[number - 1].click();")
    steps.click("capture")
    steps.wait_for_text("capture-notice", f"{len(CAPTURED)} added")


def _picture_marks(steps: Steps, album: Album) -> None:
    steps.show_page()
    marks = Marks(steps)
    for number in GONE:
        marks.wait_for(number, "rejected")
    marks.press(marks.wait_for(EXCLUDED, "captured"))
    marks.wait_for(EXCLUDED, "excluded")
    for number in LEFT_OUT:
        marks.press(marks.wait_for(number, "new"))
        marks.wait_for(number, "left-out")
    album.add("marks", "page", PAGE_PX)


def _picture_run(steps: Steps, album: Album) -> None:
    steps.select("scroll-goal", str(GOAL_COUNT))
    steps.click("scroll-start")
    steps.wait_for_text("scroll-count", f"of {GOAL_COUNT}")
    steps.show_page()
    script = "return document.querySelectorAll('a.iusc').length"
    wait_until(lambda: steps.run(script) >= SCROLLED_COUNT, GROWTH_S, "the page has grown")
    album.add("scroll", "page", PAGE_PX)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
