"""Feedback in Chromium: said under an answer, waiting in the inbox, gone through by keys."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.support.accessibility import SCHEMES, assert_accessible
from tests.support.chromium import chromium, sign_in
from tests.support.images import jpeg
from tests.support.processes import ServerProcess
from tests.support.registered import register_colours
from tests.support.snapshots import COLOURS

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@dataclass
class Desk:
    """Chromium, signed in to a server with a live model of three colours."""

    page: Page
    url: str
    client: httpx2.Client
    model: str
    dataset: str

    def waiting(self, state: str = "new") -> list[dict[str, Any]]:
        path = f"/api/v1/datasets/{self.dataset}/feedback"
        items: list[dict[str, Any]] = self.client.get(path, params={"state": state}).json()["items"]
        return items

    def say(self, number: int, **said: str) -> None:
        """Say of a picture that looks like no other that it was answered “red”, and wrong."""
        form = {"model_id": self.model, "predicted": "red", "is_right": "false"} | said
        files = {"file": ("a.jpg", jpeg(96, 72, 9000 + number))}
        assert self.client.post("/api/v1/feedback", data=form, files=files).status_code == 201

    def open(self, view: str = "") -> None:
        self.page.goto(f"{self.url}/#/datasets/{self.dataset}/inbox{view}")
        expect(self.page.get_by_role("heading", name="Inbox", exact=True)).to_be_visible()

    def images(self) -> dict[str, str]:
        """Return the label of each image, by hash."""
        path = f"/api/v1/datasets/{self.dataset}/images"
        items = self.client.get(path, params={"limit": 500}).json()["items"]
        return {one["sha256"]: one["label"] for one in items}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with (
        ServerProcess(tmp_path / "data", has_trainer=False) as server,
        server.client() as client,
        chromium(tmp_path / "profile") as browser,
    ):
        model = register_colours(client)
        (dataset,) = client.get("/api/v1/datasets").json()["items"]
        page = sign_in(browser, client)
        yield Desk(page, server.url, client, model, dataset["id"])


def plain(colour: str) -> dict[str, Any]:
    """Return a file for an input."""
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), COLOURS[colour]).save(buffer, "PNG")
    return {"name": "a.png", "mimeType": "image/png", "buffer": buffer.getvalue()}


def test_an_answer_is_called_wrong_and_right_by_keys(desk: Desk):
    page = desk.page
    page.goto(f"{desk.url}/#/try")
    page.locator("input[type=file]").first.set_input_files(plain("red"))
    expect(page.get_by_test_id("top-label")).to_contain_text("red")
    page.get_by_test_id("verdict-wrong").press("Enter")
    expect(page.get_by_test_id("verdict-label")).to_be_focused()
    for scheme in SCHEMES:
        assert_accessible(page, scheme)
    page.keyboard.type("green")
    page.keyboard.press("Enter")
    said = page.get_by_test_id("verdict-said")
    expect(said).to_be_focused()
    (only,) = desk.waiting()
    assert (only["model_id"], only["predicted"], only["label"]) == (desk.model, "red", "green")
    assert (only["is_right"], only["has_picture"]) == (False, True)
    page.locator("input[type=file]").first.set_input_files(plain("blue"))
    page.get_by_test_id("verdict-right").press("Enter")
    expect(said).to_be_focused()
    assert [one["is_right"] for one in desk.waiting()] == [True, False]
    said.get_by_role("link").press("Enter")
    expect(page.get_by_role("heading", name="Answered “blue”")).to_be_visible()


def test_a_wrong_label_is_refused_where_it_is_typed(desk: Desk):
    page = desk.page
    page.goto(f"{desk.url}/#/try")
    page.locator("input[type=file]").first.set_input_files(plain("red"))
    page.get_by_test_id("verdict-wrong").press("Enter")
    page.keyboard.type("red")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("verdict").get_by_test_id("message")).to_contain_text(
        "call it right"
    )
    assert desk.waiting() == []


def test_the_inbox_is_gone_through_by_keys(desk: Desk, tmp_path: Path):
    before = desk.images()
    desk.say(1, label="green")
    desk.say(2, label="blue", note="a lake")
    desk.say(3)
    desk.open()
    page = desk.page
    place = page.get_by_test_id("inbox-place")
    expect(place).to_have_text("1 of 3")
    expect(page.get_by_text("wrong, and not what it is")).to_be_visible()
    entry = page.get_by_test_id("inbox-entry")
    expect(entry.locator("img")).to_have_js_property("naturalWidth", 96)
    page.keyboard.press("k")
    expect(page.get_by_test_id("message")).to_contain_text("press the key of a label")
    page.keyboard.press("3")  # blue, green, red
    expect(place).to_have_text("1 of 2")
    expect(page.get_by_text("“a lake”")).to_be_visible()
    page.keyboard.press("x")
    expect(place).to_have_text("1 of 1")
    page.keyboard.press("u")
    expect(place).to_have_text("1 of 2")
    page.keyboard.press("ArrowRight")
    expect(place).to_have_text("2 of 2")
    page.keyboard.press("k")
    expect(place).to_have_text("1 of 1")
    page.keyboard.press("x")
    expect(page.get_by_text("Nothing waits here")).to_be_visible()
    added = {sha256: label for sha256, label in desk.images().items() if sha256 not in before}
    assert sorted(added.values()) == ["green", "red"]
    desk.open("?state=dismissed")
    expect(entry).to_contain_text("It was let go.")
    page.keyboard.press("u")
    expect(page.get_by_text("Nothing was let go")).to_be_visible()
    assert [one["label"] for one in desk.waiting()] == ["blue"]
    desk.open("?state=accepted")
    expect(entry).to_contain_text("It was taken over.")
    entry.get_by_role("link").first.press("Enter")
    expect(page.get_by_text("models learn from it and are never measured by it")).to_be_visible()


def test_what_the_dataset_has_under_another_label_is_told(desk: Desk):
    image = next(iter(desk.images()))
    data = desk.client.get(f"/api/v1/blobs/{image}").content
    form = {"model_id": desk.model, "predicted": "red", "is_right": "false", "label": "violet"}
    said = desk.client.post("/api/v1/feedback", data=form, files={"file": ("a.jpg", data)})
    assert said.status_code == 201
    desk.open()
    desk.page.keyboard.press("k")
    expect(desk.page.get_by_test_id("message")).to_contain_text("change its label there")


@pytest.mark.parametrize("width", [1200, 400])
def test_the_inbox_is_accessible(desk: Desk, width: int):
    desk.say(1, label="green", note="n" * 500)
    desk.say(2)
    desk.page.set_viewport_size({"width": width, "height": 800})
    for view in ("", "?state=accepted"):
        desk.open(view)
        for scheme in SCHEMES:
            assert_accessible(desk.page, scheme)
        widths = desk.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert widths[0] <= widths[1], "the page scrolls sideways"
