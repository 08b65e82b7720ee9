"""Pages that mean harm, in real Chromium and Firefox: the popup answers in time, nothing that was
data runs anywhere, and only what a capture may hold reaches the server.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from tests.support import workflow
from tests.support.hostile_pages import FORGED, GOOD, GOOGLE, MARKUP, PAGES
from tests.support.https_site import HttpsSite
from tests.support.processes import ServerProcess, wait_until
from tests.support.steps import BROWSERS, PATIENCE_S, Steps, open_browser, pair

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MAX_CANDIDATES = 5000  # what is taken of one page, in captures of 1000
MAX_URL_LENGTH = 8192
MAX_TEXT_LENGTH = 500


@dataclass
class World:
    """A paired browser, and its server."""

    steps: Steps
    client: httpx2.Client
    site: HttpsSite

    def capture(self, name: str) -> list[dict[str, Any]]:
        """Capture all that the popup offers of the page; return what the server has then."""
        dataset_id = workflow.create_dataset(self.client, name)
        steps = self.steps
        steps.open_popup()
        steps.select("dataset", dataset_id)
        steps.fill("label", "harm")
        steps.click("choose-all")
        steps.wait_for_text("capture", "Capture ")
        steps.click("capture")
        steps.wait_for_text("capture-notice", "refused")
        return workflow.list_images(self.client, dataset_id)

    def assert_unharmed(self) -> None:
        """Nothing that was data has run, or become an element, in the popup or in the page."""
        trace = "return [globalThis.harm ?? null, document.querySelectorAll('[onerror]').length]"
        assert self.steps.run_in_popup(trace) == [None, 0]
        assert self.steps.run(trace) == [None, 0]


@pytest.fixture(scope="module", params=BROWSERS)
def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    folder = tmp_path_factory.mktemp(request.param)
    with (
        HttpsSite(PAGES) as site,
        ServerProcess(folder / "data", has_trainer=False) as server,
        server.client() as client,
        open_browser(request.param, folder / "profile", site.port) as steps,
    ):
        pair(steps, server, client)
        yield World(steps, client, site)


@pytest.fixture(autouse=True)
def _left(world: World) -> Iterator[None]:
    """Close what a test opened: these pages work without end."""
    yield
    world.steps.leave()


def assert_clean(images: list[dict[str, Any]]) -> None:
    assert 0 < len(images) <= MAX_CANDIDATES
    for image in images:
        for key in ("url", "source_url", "thumbnail_url"):
            assert image[key] is None or image[key].startswith(("https://", "http://")), image
            assert "secret" not in (image[key] or "")
        assert len(image["url"]) <= MAX_URL_LENGTH
        assert len(image["title"] or "") <= MAX_TEXT_LENGTH


def test_hostile_data_and_forged_answers_of_a_search_page_stay_data(world):
    world.steps.visit(GOOGLE)
    images = world.capture("google")
    assert_clean(images)
    assert {image["url"] for image in images} == {GOOD, FORGED}
    assert images[0]["title"] == MARKUP
    world.assert_unharmed()


def test_hostile_addresses_and_huge_attributes_of_a_page_stay_data(world):
    world.steps.visit("https://evil.example/")
    world.steps.press_button()
    images = world.capture("generic")
    assert_clean(images)
    assert GOOD in {image["url"] for image in images}
    world.assert_unharmed()


def test_100_000_images_are_cut_to_what_a_capture_takes(world):
    world.steps.visit("https://evil.example/many")
    world.steps.press_button()
    images = world.capture("many")
    assert len(images) == MAX_CANDIDATES
    assert_clean(images)


def test_names_that_a_page_takes_from_its_document_hide_nothing(world):
    world.steps.visit("https://evil.example/names")
    world.steps.press_button()
    images = world.capture("names")
    assert {image["url"] for image in images} >= {f"https://evil.example/{n}.jpg" for n in "ab"}


def test_a_page_that_never_answers_is_given_up(world):
    world.steps.visit("https://www.google.com/busy")
    wait_until(lambda: world.site.count("www.google.com", "/busy-now"), PATIENCE_S, "it is busy")
    world.steps.open_popup()
    world.steps.wait_for_text("page-notice", "could not be read")
