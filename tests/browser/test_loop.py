"""The whole loop with real parts: a browser, a server, a trainer, photos, and faults of the web.

One run, looked at by several tests: the fixture goes the way that a person goes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from playwright.sync_api import expect

from tests.support import workflow
from tests.support.chromium import (
    Chromium,
    ask_popup,
    capture_page,
    chromium,
    pair,
    sign_in,
)
from tests.support.photo_site import COPIES, PhotoSite
from tests.support.processes import ServerProcess

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(900)]

DATASET = "foods"
MAX_ERROR_RATE = 0.06
MIN_HELD_OUT_RIGHT = 0.9


@dataclass
class Loop:
    """The state of the world after a person went through the loop once.

    Attributes:
        said: What the popup said after each capture, by query.
        images: The dataset's images when all had settled.
    """

    site: PhotoSite
    server: ServerProcess
    browser: Chromium
    client: httpx2.Client
    dataset_id: str = ""
    said: dict[str, str] = field(default_factory=dict)
    images: list[dict[str, Any]] = field(default_factory=list)
    model: dict[str, Any] = field(default_factory=dict)


@pytest.fixture(scope="module")
def loop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loop]:
    folder = tmp_path_factory.mktemp("loop")
    with PhotoSite() as site:
        settings = {"BOWERBIRD_FETCH__ALLOWED_HOSTS": site.authority}
        with (
            ServerProcess(folder / "data", settings) as server,
            server.client() as client,
            chromium(folder / "profile") as browser,
        ):
            state = Loop(site, server, browser, client)
            _go_through(state)
            yield state


def _go_through(loop: Loop) -> None:
    """Pair, capture each page, wait for the downloads, train on the dataset's page."""
    home = sign_in(loop.browser, loop.client)
    pair(loop.browser, home, loop.server.url)
    for query in loop.site.photos:
        loop.said[query] = capture_page(loop.browser, loop.site.page_url(query), DATASET)
    (dataset,) = loop.client.get("/api/v1/datasets").json()["items"]
    loop.dataset_id = dataset["id"]
    workflow.wait_settled(loop.client, loop.dataset_id)
    loop.images = workflow.list_images(loop.client, loop.dataset_id)

    page = loop.browser.open(f"{loop.server.url}/#/datasets/{loop.dataset_id}")
    page.get_by_test_id("train-button").click()
    expect(page.get_by_test_id("error-rate").or_(page.get_by_test_id("model-link"))).to_be_visible(
        timeout=workflow.TRAIN_TIMEOUT_S * 1000
    )
    (loop.model,) = loop.client.get("/api/v1/models").json()["items"]


def test_the_popup_says_what_each_capture_added(loop):
    for query, said in loop.said.items():
        assert f"{len(loop.site.addresses(query))} added" in said


def test_every_address_ends_in_one_state_under_the_label_of_its_query(loop):
    sent = {url: query for query in loop.site.photos for url in loop.site.addresses(query)}
    assert {image["url"]: image["label"] for image in loop.images} == sent
    assert len(loop.images) == len(sent)
    assert {image["status"] for image in loop.images} == {"ready", "rejected", "duplicate"}


def test_a_photo_under_a_second_address_is_a_duplicate_of_the_first(loop):
    by_id = {image["id"]: image for image in loop.images}
    duplicates = [image for image in loop.images if image["status"] == "duplicate"]
    assert len(duplicates) == COPIES * len(loop.site.photos)
    for image in duplicates:
        first = by_id[image["duplicate_of"]]
        assert (first["status"], first["sha256"]) == ("ready", image["sha256"])


def test_dead_addresses_are_rejected_each_with_its_reason(loop):
    rejected = {i["url"]: i["reason"] for i in loop.images if i["status"] == "rejected"}
    assert rejected == {loop.site.url(path): reason for path, (_, reason) in loop.site.dead.items()}
    assert all(i["detail"] for i in loop.images if i["status"] == "rejected")


def test_the_capture_keeps_where_each_image_came_from(loop):
    image = next(image for image in loop.images if image["status"] == "ready")
    detail = loop.client.get(f"/api/v1/images/{image['id']}").json()
    (sighting,) = detail["sightings"]
    assert sighting["engine"] == "bing"
    assert sighting["query"] == image["label"]
    assert sighting["page_url"] == loop.site.page_url(image["label"])
    assert image["source_url"].startswith(loop.site.url("/articles/"))


def test_the_model_is_live_and_better_than_every_baseline(loop):
    metrics = loop.model["metrics"]
    assert loop.model["stage"] == "live"
    assert metrics["error_rate"] <= MAX_ERROR_RATE
    assert all(metrics["error_rate"] < rate for rate in metrics["baselines"].values())
    assert metrics["export_max_difference"] <= 1e-4


def test_photos_it_never_saw_are_told_right_through_classify_url(loop):
    seen = {image["sha256"] for image in loop.images}
    right = total = 0
    for query, photos in loop.site.held_out.items():
        for photo in photos:
            url = quote(loop.site.held_out_url(photo), safe="")
            answer = loop.client.get(f"/classify-url?url={url}").json()["predictions"]
            assert [p for _, p in answer] == sorted((p for _, p in answer), reverse=True)
            right += answer[0][0] == query
            total += 1
    assert total == sum(len(photos) for photos in loop.site.held_out.values()) >= 55
    assert seen, "the loop collected nothing"
    assert right / total >= MIN_HELD_OUT_RIGHT, f"{right} of {total}"


def test_the_popup_shows_the_same_label_as_the_server(loop):
    for photos in loop.site.held_out.values():
        photo: Path = photos[0]
        url = quote(loop.site.held_out_url(photo), safe="")
        said = loop.client.get(f"/classify-url?url={url}").json()["predictions"][0][0]
        assert ask_popup(loop.browser, photo) == said


def test_the_context_menu_answers_in_the_page(loop):
    query, photos = next(iter(loop.site.held_out.items()))
    page = loop.browser.open(loop.site.page_url(query))
    worker = loop.browser.context.service_workers[0]
    worker.evaluate(
        """async ([pageUrl, srcUrl]) => {
            const tab = (await chrome.tabs.query({})).find(({ url }) => url === pageUrl);
            chrome.contextMenus.onClicked.dispatch({ menuItemId: 'classify-image', srcUrl }, tab);
        }""",
        [page.url, loop.site.held_out_url(photos[0])],
    )
    expect(page.get_by_test_id("toast")).to_contain_text("%")
    page.close()


def test_the_same_pages_captured_again_add_nothing(loop):
    for query in loop.site.photos:
        said = capture_page(loop.browser, loop.site.page_url(query), DATASET)
        assert "0 added" in said
    assert len(workflow.list_images(loop.client, loop.dataset_id)) == len(loop.images)
