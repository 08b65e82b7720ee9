"""The whole of sorting and cleaning by the keyboard alone, with a real server and trainer.

Label 204 images, undo, reload, train, relabel in the cleaner, retrain, compare. The server is
asked after each step; what the page shows is only read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, expect

from server.contract.files import sha256_of
from tests.support import workflow
from tests.support.chromium import chromium, sign_in
from tests.support.drawings import KINDS, draw_photo
from tests.support.keyboard import tab_to
from tests.support.processes import ServerProcess, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

PER_KIND = 68
IMAGE_COUNT = PER_KIND * len(KINDS)
WRONG_EVERY = 17  # images: 12 of 204 get the label of the next kind, as a tired hand does it
UNDONE = 3
PATIENCE_S = 60.0
KEYS = {kind: str(number) for number, kind in enumerate(KINDS, start=1)}


@dataclass
class Hand:
    """Presses keys, and knows what the pictures show.

    Attributes:
        kinds: What each picture shows, by its sha256.
        wrong: sha256 of those that got another label.
    """

    page: Page
    client: httpx2.Client
    dataset_id: str
    kinds: dict[str, str]
    wrong: set[str] = field(default_factory=set)

    def press(self, *keys: str) -> None:
        """Press keys one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def reach(self, selector: str) -> None:
        """Press Tab until an element that matches has the focus."""
        tab_to(self.page, selector)

    def images(self) -> list[dict[str, Any]]:
        """Return the images as the server has them, in the order of the grid."""
        return workflow.list_images(self.client, self.dataset_id)

    def told(self, image: dict[str, Any]) -> str:
        """Return the label that the image gets from this hand."""
        kind = self.kinds[image["sha256"]]
        if image["sha256"] not in self.wrong:
            return kind
        return KINDS[(KINDS.index(kind) + 1) % len(KINDS)]

    def wait_labelled(self, count: int) -> None:
        """Wait until so many images have the label that they were given."""

        def labelled() -> bool:
            images = self.images()
            return sum(image["label"] == self.told(image) for image in images) == count

        wait_until(labelled, PATIENCE_S, f"{count} images are labelled")

    def models(self) -> list[dict[str, Any]]:
        """Return the dataset's models, newest first."""
        reply = self.client.get("/api/v1/models", params={"dataset": self.dataset_id})
        items: list[dict[str, Any]] = reply.raise_for_status().json()["items"]
        return items


@pytest.fixture
def hand(tmp_path) -> Iterator[Hand]:
    with (
        ServerProcess(tmp_path / "data") as server,
        server.client() as client,
        chromium(tmp_path / "profile") as browser,
    ):
        dataset_id = workflow.create_dataset(client, "drawings")
        path = f"/api/v1/datasets/{dataset_id}"
        for kind in KINDS:
            client.post(f"{path}/labels", json={"name": kind}).raise_for_status()
        kinds = {}
        for number in range(IMAGE_COUNT):
            kind = KINDS[number % len(KINDS)]
            photo = draw_photo(kind, number)
            kinds[sha256_of(photo)] = kind
            files = {"file": (f"{number}.jpg", photo)}
            client.post(f"{path}/images", files=files).raise_for_status()
        page = sign_in(browser, client)
        page.goto(f"{server.url}/#/datasets/{dataset_id}")
        yield Hand(page, client, dataset_id, kinds)


def test_two_hundred_images_are_labelled_trained_cleaned_and_compared(hand: Hand) -> None:
    _label(hand)
    _undo_across_a_reload(hand)
    before = _train(hand)
    looked_at = _clean(hand)
    assert looked_at <= 2 * len(hand.wrong), "wrong labels come first"
    images = hand.images()
    assert {image["sha256"]: image["label"] for image in images} == hand.kinds
    assert sum(image["reviewed_at"] is not None for image in images) == looked_at
    _compare(hand, before)


def _label(hand: Hand) -> None:
    """Give each image a label by its key; some of them the wrong one."""
    images = hand.images()
    assert {image["label"] for image in images} == {None}
    hand.wrong = {image["sha256"] for image in images[WRONG_EVERY - 1 :: WRONG_EVERY]}
    expect(hand.page.get_by_test_id("tile").first).to_be_visible()
    hand.reach(".tile")
    for place, image in enumerate(images):
        # Nobody labels what is not yet to be seen, and a key does not either.
        expect(hand.page.locator(f".tile[data-index='{place}']:focus img")).to_be_visible()
        hand.press(KEYS[hand.told(image)])
    hand.wait_labelled(IMAGE_COUNT)


def _undo_across_a_reload(hand: Hand) -> None:
    """Take the last labels back, before and after a reload, and give them again."""
    hand.press(*["u"] * (UNDONE - 1), "Control+z")
    hand.wait_labelled(IMAGE_COUNT - UNDONE)
    hand.page.reload()
    expect(hand.page.get_by_test_id("tile").first).to_be_visible()
    hand.press("u")
    hand.wait_labelled(IMAGE_COUNT - UNDONE - 1)
    last = hand.images()[-UNDONE - 1 :]
    assert all(image["label"] is None for image in last), "the newest changes were taken back"
    hand.reach(".tile")
    hand.press("End", *["ArrowLeft"] * UNDONE)
    # The end of the list is read when one goes there; a key says nothing to what is not yet shown.
    expect(hand.page.locator(".tile:focus img")).to_be_visible()
    hand.press(*(KEYS[hand.told(image)] for image in last))
    hand.wait_labelled(IMAGE_COUNT)


def _train(hand: Hand) -> str:
    """Train, and go on to the model's page; return the model's id."""
    hand.reach("[data-testid=train-button]")
    hand.press("Enter")
    expect(hand.page.get_by_test_id("error-rate")).to_be_visible(
        timeout=workflow.TRAIN_TIMEOUT_S * 1000
    )
    (model,) = hand.models()
    assert model["classes"] == sorted(KINDS)
    metrics = model["metrics"]
    assert metrics["train_count"] + metrics["valid_count"] == IMAGE_COUNT
    return str(model["id"])


def _clean(hand: Hand) -> int:
    """Put every wrong label right in the cleaner; return how many images were looked at."""
    hand.reach("[data-testid=clean-link]")
    hand.press("Enter")
    left = set(hand.wrong)
    stage = hand.page.locator(".clean-stage[data-id]")
    for looked_at in range(1, IMAGE_COUNT):
        shown = stage.get_attribute("data-id")
        image = hand.client.get(f"/api/v1/images/{shown}").raise_for_status().json()
        left.discard(image["sha256"])
        kind = hand.kinds[image["sha256"]]
        hand.press("k" if image["label"] == kind else KEYS[kind])
        expect(stage).not_to_have_attribute("data-id", str(shown))
        if not left:
            wait_until(
                lambda: {each["sha256"]: each["label"] for each in hand.images()} == hand.kinds,
                PATIENCE_S,
                "the last label reaches the server",
            )
            return looked_at
    raise AssertionError(f"{len(left)} wrong labels were not asked about")


def _compare(hand: Hand, before: str) -> None:
    """Retrain, and read what the page says of both models."""
    hand.reach("[data-testid=retrain]")
    hand.press("Enter")
    card = hand.page.get_by_test_id("comparison")
    expect(card).to_be_visible(timeout=workflow.TRAIN_TIMEOUT_S * 1000)
    after, former = hand.models()
    assert former["id"] == before
    path = f"/api/v1/models/{after['id']}/comparison"
    found = hand.client.get(path, params={"before": before}).raise_for_status().json()
    assert found["image_count"] == after["metrics"]["valid_count"]
    assert found["after_error_rate"] <= found["before_error_rate"]
    expect(hand.page.get_by_test_id("comparison-sentence")).to_have_text(found["sentence"])
