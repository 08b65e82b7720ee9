"""The extension on the search sites' own addresses, in real Chromium and Firefox, without a net.

Every host name leads to a site on loopback, so the addresses, the permissions and the policies are
those of the day to day. What is captured is asserted on, not its downloads: the server finds no
such hosts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support import workflow
from tests.support.colour_model import add_colour_model
from tests.support.https_site import HttpsSite, Reply
from tests.support.marks import Marks
from tests.support.processes import ServerProcess, wait_until
from tests.support.search_pages import (
    BING,
    REAL,
    GrowingSearch,
    ResultPage,
    real_pages,
    serve,
    synthetic_pages,
)
from tests.support.snapshots import COLOURS, picture
from tests.support.steps import BROWSERS, PATIENCE_S, Steps, open_browser, pair

pytestmark = [pytest.mark.browser, pytest.mark.slow]

GALLERY = "https://gallery.example/birds"
# Under this policy a page may load nothing and run nothing, not even its own.
STRICT = {"Content-Security-Policy": "default-src 'none'"}
SYNTHETIC_PAGES = synthetic_pages()
REAL_PAGES = real_pages()
GROWING = GrowingSearch()
# The server has the address, whatever becomes of its download.
CAPTURED = ("captured", "waiting", "rejected")
TILES = "[data-docid], a.iusc"
GOAL_COUNT = 100
RUN_S = 120.0  # it is paced as a person scrolls: some 20 s, and more on a busy machine


@dataclass
class World:
    """A paired browser, and what it meets."""

    steps: Steps
    client: httpx2.Client
    site: HttpsSite

    def images(self, dataset_id: str) -> dict[str, tuple[Any, ...]]:
        """Return source page and declared size of each image by its address."""
        return {
            each["url"]: (each["source_url"], each["declared_width"], each["declared_height"])
            for each in workflow.list_images(self.client, dataset_id)
        }

    def open(self, page: ResultPage) -> None:
        """Open a page, and wait until it does not reload itself any more."""
        self.steps.visit(page.url)
        if page.place == BING:
            is_reloaded = "return location.search.includes('first=1') && document.readyState"
            wait_until(
                lambda: self.steps.run(is_reloaded) == "complete", PATIENCE_S, "Bing reloads"
            )

    def wait_for_marks(self, *states: str) -> None:
        """Wait until the tiles in view are marked, all of them in one of these states."""
        self.steps.show_page()
        # Without the sites' style sheets the results of some saved pages lie far below.
        self.steps.run(f"document.querySelector('{TILES}').scrollIntoView();")
        eyes = Marks(self.steps).eyes

        def marked() -> bool:
            found = {mark["state"] for mark in eyes.look()}
            return bool(found) and found <= set(states)

        wait_until(marked, PATIENCE_S, f"the tiles in view are marked {states}")

    def capture(self, dataset_id: str, count: int, label: str | None = None) -> None:
        """Choose the dataset and capture all ``count`` images that the popup offers.

        Args:
            dataset_id: Where they go.
            count: How many there must be.
            label: What to type; None keeps what the popup proposes.
        """
        steps = self.steps
        steps.open_popup()
        steps.wait_for_text("page-summary", f"{count} images")
        steps.select("dataset", dataset_id)
        if label is not None:
            steps.fill("label", label)
        steps.click("choose-all")
        steps.wait_for_text("capture", f"Capture {count} images")
        steps.click("capture")


@pytest.fixture(scope="module", params=BROWSERS)
def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    folder = tmp_path_factory.mktemp(request.param)
    gallery = (
        b"<!doctype html><title>birds</title><img src='/a.jpg' width=300 height=200>"
        b"<a href='/large.png'><img src='/b.jpg' width=300 height=200></a>"
    )
    pages = {
        **serve(SYNTHETIC_PAGES + REAL_PAGES, GROWING),
        GALLERY.removeprefix("https://"): Reply(gallery, headers=STRICT),
    }
    with (
        HttpsSite(pages) as site,
        ServerProcess(folder / "data", has_trainer=False) as server,
        server.client() as client,
        open_browser(request.param, folder / "profile", site.port) as steps,
    ):
        pair(steps, server, client)
        yield World(steps, client, site)


def assert_captured_whole_and_taken_back(world: World, page: ResultPage) -> None:
    dataset_id = workflow.create_dataset(world.client, f"{page.engine} {page.query}")
    world.open(page)
    world.capture(dataset_id, len(page.images))
    said = f"{len(page.images)} added, 0 known, 0 refused"
    world.steps.wait_for_text("capture-notice", said)

    assert world.images(dataset_id) == page.images
    images = workflow.list_images(world.client, dataset_id)
    assert {each["label"] for each in images} == {page.query}
    (capture,) = world.client.get(f"/api/v1/datasets/{dataset_id}/captures").json()["items"]
    assert (capture["engine"], capture["query"]) == (page.engine, page.query)
    assert capture["page_url"].startswith(page.url)

    world.wait_for_marks(*CAPTURED)

    world.steps.click("undo")
    world.steps.wait_for_text("capture-notice", "Undone")
    assert world.images(dataset_id) == {}
    assert world.client.get(f"/api/v1/datasets/{dataset_id}/captures").json()["items"] == []
    world.wait_for_marks("new")


@pytest.mark.parametrize("page", SYNTHETIC_PAGES, ids=lambda page: f"{page.engine}-{page.query}")
def test_a_page_of_results_is_captured_whole_and_taken_back(world, page):
    assert_captured_whole_and_taken_back(world, page)


@pytest.mark.skipif(not REAL_PAGES, reason=f"the saved pages are not here: {REAL}")
@pytest.mark.parametrize("engine", ["google", "bing"])
def test_a_saved_real_page_is_captured_whole_and_taken_back(world, engine):
    (page,) = [page for page in REAL_PAGES if page.engine == engine]
    assert len(page.images) == {"google": 100, "bing": 35}[engine]
    assert_captured_whole_and_taken_back(world, page)


def test_a_page_that_reloads_itself_is_captured_once(world):
    (page,) = [page for page in SYNTHETIC_PAGES if page.engine == "bing"]
    dataset_id = workflow.create_dataset(world.client, "twice")
    world.open(page)
    assert world.site.count("www.bing.com", "/images/search") >= 2
    count = len(page.images)
    world.capture(dataset_id, count)
    world.steps.wait_for_text("capture-notice", f"{count} added, 0 known, 0 refused")
    # A second popup reads the page, and sends all of it, a second time.
    world.capture(dataset_id, count)
    world.steps.wait_for_text("capture-notice", f"0 added, {count} known, 0 refused")
    assert world.images(dataset_id) == page.images


def test_results_that_come_by_scrolling_are_captured_with_their_originals(world):
    dataset_id = workflow.create_dataset(world.client, "growing")
    steps = world.steps
    steps.visit(GROWING.url)
    steps.open_popup()
    steps.select("dataset", dataset_id)
    steps.select("scroll-goal", str(GOAL_COUNT))
    steps.click("scroll-start")
    steps.wait_for_text("scroll-count", f"of {GOAL_COUNT}")
    # Of a hidden page nothing is scrolled.
    steps.show_page()
    expected = GROWING.images(GOAL_COUNT)
    wait_until(lambda: world.images(dataset_id) == expected, RUN_S, "all are captured")
    steps.wait_for_text("scroll-notice", f"{GOAL_COUNT} added, 0 known, 0 refused")
    world.wait_for_marks(*CAPTURED)
    images = workflow.list_images(world.client, dataset_id)
    assert {each["label"] for each in images} == {GROWING.query}


def test_a_page_that_may_run_nothing_is_captured_after_a_press_of_the_button(world):
    dataset_id = workflow.create_dataset(world.client, "gallery")
    world.steps.visit(GALLERY)
    world.steps.press_button()
    world.capture(dataset_id, 2, "bird")
    world.steps.wait_for_text("capture-notice", "2 added, 0 known, 0 refused")
    assert set(world.images(dataset_id)) == {
        "https://gallery.example/a.jpg",
        "https://gallery.example/large.png",
    }


def test_a_page_of_another_host_is_closed_until_the_button_is_pressed(world):
    world.steps.visit(GALLERY)
    world.steps.open_popup()
    world.steps.wait_for_text("page-notice", "click the Bowerbird button")


def test_the_popup_says_what_the_model_sees(world, tmp_path: Path):
    add_colour_model(world.client)
    photo = tmp_path / "red.jpg"
    photo.write_bytes(picture(COLOURS["red"], 7))
    world.steps.open_popup(has_page=False)
    world.steps.click("tab-classify")
    world.steps.choose_file("file", photo)
    world.steps.wait_for_text("top-label", "red")
