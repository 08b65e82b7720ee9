# ruff: noqa: INP001 - a script
"""Make the README's picture: drawn bears through the real loop, and what the screen then shows.

    .venv/bin/python docs/make_picture.py

A site on loopback shows drawn photos; a real server, trainer and Chromium with the extension do
all the rest. Takes some two minutes, and leaves ``docs/images/loop-light.webp`` and
``loop-dark.webp``; the screenshots that they are made of stay in ``build/picture``.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent / "picture")]  # neither is a package

import httpx2  # noqa: E402
from bears import KINDS  # noqa: E402
from compose import compose, snap  # noqa: E402
from playwright.sync_api import BrowserContext, Page, expect  # noqa: E402
from site_of_bears import HELD_OUT, BearSite  # noqa: E402

from tests.support import workflow  # noqa: E402
from tests.support.chromium import Chromium, capture_page, chromium, pair, sign_in  # noqa: E402
from tests.support.processes import ServerProcess  # noqa: E402

SHOTS = ROOT / "build" / "picture"
DATASET = "bears"
THEMES = ("light", "dark")
RESULTS_PX = (620, 420)
POPUP_PX = (450, 470)  # in its own window, as its ↗ opens it
PAGES_PX = (1000, 700)
ANSWER_PX = (640, 432)
ASKED = "grizzly bear"


@dataclass(frozen=True)
class Camera:
    """Takes pictures of pages, in both themes.

    Attributes:
        context: Where the pages are.
    """

    context: BrowserContext

    def take(self, page: Page, name: str, size_px: tuple[int, int]) -> None:
        """Leave ``name-light.png`` and ``name-dark.png`` in the folder of screenshots."""
        for theme in THEMES:
            (SHOTS / f"{name}-{theme}.png").write_bytes(snap(self.context, page, size_px, theme))


def main() -> int:
    """Go through the loop and compose the pictures; return the exit code."""
    shutil.rmtree(SHOTS, ignore_errors=True)
    SHOTS.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="bowerbird-picture-") as folder, BearSite() as site:
        settings = {"BOWERBIRD_FETCH__ALLOWED_HOSTS": site.authority}
        with (
            ServerProcess(Path(folder) / "data", settings) as server,
            server.client() as client,
            chromium(Path(folder) / "profile") as browser,
        ):
            home = sign_in(browser, client)
            pair(browser, home, server.url)
            _walk(site, server, client, browser)
            for theme in THEMES:
                out = ROOT / "docs" / "images" / f"loop-{theme}.webp"
                compose(browser.context, SHOTS, theme, out)
    return 0


def _walk(site: BearSite, server: ServerProcess, client: httpx2.Client, browser: Chromium) -> None:
    camera = Camera(browser.context)
    first, *others = KINDS
    for kind in others:
        capture_page(browser, site.page_url(kind), DATASET)
    page = browser.open(site.page_url(first))
    camera.take(page, "results", RESULTS_PX)
    popup = browser.open_popup(page)
    expect(popup.get_by_test_id("candidate")).not_to_have_count(0)
    popup.get_by_test_id("dataset").select_option(label=DATASET)
    expect(popup.get_by_test_id("capture")).to_be_enabled()
    camera.take(popup, "popup", POPUP_PX)
    popup.get_by_test_id("capture").click()
    expect(popup.get_by_test_id("capture-notice")).to_contain_text("added")
    popup.close()

    (dataset,) = client.get("/api/v1/datasets").json()["items"]
    workflow.wait_settled(client, dataset["id"])
    page = browser.open(f"{server.url}/#/datasets/{dataset['id']}")
    expect(page.get_by_test_id("tile").first).to_be_visible()
    page.wait_for_load_state("networkidle")
    camera.take(page, "dataset", PAGES_PX)

    job = workflow.wait_finished(client, workflow.start_job(client, dataset["id"]))
    page.goto(f"{server.url}/#/models/{job['model_id']}")
    expect(page.get_by_test_id("error-rate")).to_be_visible()
    camera.take(page, "model", PAGES_PX)

    popup = browser.open_popup(page)  # in its own window, too
    popup.get_by_test_id("tab-classify").click()
    popup.get_by_test_id("address").fill(_sure(site, client))
    popup.get_by_test_id("classify").click()
    expect(popup.get_by_test_id("prediction").first).to_be_visible()
    camera.take(popup, "answer", ANSWER_PX)


def _sure(site: BearSite, client: httpx2.Client) -> str:
    """Return the first held-out photo of which the model does not say that it is not sure."""
    for number in HELD_OUT:
        url = site.photo_url(ASKED, number)
        if not client.post("/api/v1/classify", json={"url": url}).json()["abstained"]:
            return url
    raise LookupError("the model is sure of no photo that was held out")


if __name__ == "__main__":
    sys.exit(main())
