"""A dataset's page in Chromium, by the keyboard alone: labels, undo, filters, stacks, snapshots."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.support.chromium import chromium, sign_in
from tests.support.images import jpeg
from tests.support.keyboard import tab_to
from tests.support.processes import ServerProcess, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LABELS = ("black bear", "grizzly", "teddy")  # their keys are 1, 2 and 3
IMAGE_COUNT = 230
LABELLED_COUNT = 200
PATIENCE_S = 60.0


@dataclass
class Bench:
    """A signed-in page, and the server's side of the dataset that it shows."""

    page: Page
    server: ServerProcess
    client: httpx2.Client
    dataset_id: str

    def open(self, query: str = "") -> None:
        """Show the dataset, with these filters, and wait for its tiles."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.server.url}/#/datasets/{self.dataset_id}{query}")
        expect(self.page.get_by_test_id("tile").first).to_be_visible()

    def enter_grid(self) -> None:
        """Press Tab until a tile has the focus."""
        tab_to(self.page, ".tile")

    def press(self, *keys: str) -> None:
        """Press keys one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def focused(self) -> int:
        """Return the place of the tile that has the focus."""
        index: str = self.page.evaluate("document.activeElement.dataset.index")
        return int(index)

    def images(self, **wanted: Any) -> list[dict[str, Any]]:
        """Return the dataset's ready images as the server has them."""
        params = {"limit": 500, "status": "ready", **wanted}
        found = self.client.get(f"/api/v1/datasets/{self.dataset_id}/images", params=params)
        items: list[dict[str, Any]] = found.raise_for_status().json()["items"]
        return items

    def count(self, holds: Callable[[dict[str, Any]], bool]) -> int:
        return sum(holds(image) for image in self.images())

    def wait(self, holds: Callable[[dict[str, Any]], bool], count: int) -> None:
        """Wait until so many images are so."""
        wait_until(lambda: self.count(holds) == count, PATIENCE_S, f"{count} images are so")

    def undo_all(self) -> None:
        """Take back every change, so that each test begins alike."""
        for _ in range(1000):
            answer = self.client.post(f"/api/v1/datasets/{self.dataset_id}/undo")
            if answer.status_code == 409:
                break
            assert answer.json()["conflicts"] == [], answer.text
        assert answer.json()["type"].endswith("nothing-to-undo"), answer.text
        changed = [image for image in self.images() if image["label"] != LABELS[0]]
        assert changed == [], "what is left cannot be undone"


def is_labelled(label: str) -> Callable[[dict[str, Any]], bool]:
    return lambda image: image["label"] == label


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("workbench")
    with (
        ServerProcess(folder / "data", has_trainer=False) as server,
        server.client() as client,
        chromium(folder / "profile") as browser,
    ):
        made = client.post("/api/v1/datasets", json={"name": "bears"}).json()
        path = f"/api/v1/datasets/{made['id']}"
        for name in LABELS:
            client.post(f"{path}/labels", json={"name": name}).raise_for_status()
        for seed in range(IMAGE_COUNT):
            files = {"file": (f"photo {seed}.jpg", jpeg(160, 120, seed))}
            sent = client.post(f"{path}/images", files=files, data={"label": LABELS[0]})
            sent.raise_for_status()
        page = sign_in(browser, client)
        yield Bench(page, server, client, made["id"])


@pytest.fixture
def bench(opened: Bench) -> Bench:
    opened.undo_all()
    return opened


def test_two_hundred_images_are_labelled_undone_and_redone_by_keys(bench):
    bench.open()
    bench.enter_grid()
    for place in range(LABELLED_COUNT):
        assert bench.focused() == place
        bench.press("2")
    bench.wait(is_labelled("grizzly"), LABELLED_COUNT)
    first = bench.images()[:LABELLED_COUNT]
    assert all(image["label"] == "grizzly" for image in first), "in their order, none passed over"
    bench.press("u", "Control+z", "u")
    bench.wait(is_labelled("grizzly"), LABELLED_COUNT - 3)

    bench.page.reload()
    expect(bench.page.get_by_test_id("tile").first).to_be_visible()
    bench.enter_grid()
    bench.press("u")
    bench.wait(is_labelled("grizzly"), LABELLED_COUNT - 4)
    bench.press("Control+Shift+Z")
    bench.wait(is_labelled("grizzly"), LABELLED_COUNT - 3)


def test_only_the_rows_near_the_window_are_in_the_document(bench):
    bench.open()
    bench.enter_grid()
    for key in ("Home", "PageDown", "End"):
        bench.press(key)
        expect(bench.page.locator(".tile:focus")).to_be_in_viewport()
        assert bench.page.get_by_test_id("tile").count() < 100
    assert bench.focused() == IMAGE_COUNT - 1
    shown = bench.page.locator(".tile:focus")
    expect(shown).to_have_accessible_name(re.compile("^black bear"))


def test_a_range_is_excluded_and_included_as_one_change(bench):
    bench.open()
    bench.enter_grid()
    bench.press("Shift+End")
    expect(bench.page.get_by_test_id("selected")).to_have_text(f"{IMAGE_COUNT} images selected")
    bench.press("x")
    bench.wait(lambda image: image["excluded"], IMAGE_COUNT)
    bench.press("Control+z")
    bench.wait(lambda image: image["excluded"], 0)
    bench.press("Escape")
    expect(bench.page.get_by_test_id("selected")).to_have_text("")


def test_space_selects_single_images_and_a_label_goes_to_all_of_them(bench):
    bench.open()
    bench.enter_grid()
    bench.press("Space", "ArrowRight", "ArrowRight", "Space", "3")
    bench.wait(is_labelled("teddy"), 2)
    assert [image["label"] for image in bench.images()[:3]] == ["teddy", "black bear", "teddy"]
    assert bench.focused() == 2, "a selection keeps the focus where it is"


def test_a_change_in_another_tab_is_not_overwritten(bench):
    first = bench.images()[0]["id"]
    raced: list[str] = []

    def race(route: Route) -> None:
        bench.client.patch(f"/api/v1/images/{first}", json={"label": "teddy"}).raise_for_status()
        raced.append(first)
        route.continue_()

    # Before the page is there: Chromium may let the first requests of one that is there pass by.
    bench.page.route("**/images/bulk", race, times=1)
    bench.open()
    bench.enter_grid()
    bench.press("2")
    expect(bench.page.locator("#toast")).to_contain_text("changed elsewhere")
    assert raced == [first]
    tile = bench.page.locator('.tile[data-index="0"]')
    expect(tile).to_have_accessible_name(re.compile("^teddy"))
    assert bench.images()[0]["label"] == "teddy"


def test_letters_typed_into_a_field_are_text(bench):
    bench.open()
    bench.press("/")
    expect(bench.page.get_by_test_id("search")).to_be_focused()
    bench.page.keyboard.type("x1ru2")
    expect(bench.page.get_by_test_id("search")).to_have_value("x1ru2")
    assert bench.count(lambda image: image["excluded"] or image["label"] != "black bear") == 0


def test_filters_stand_in_the_address_and_go_back(bench):
    bench.open()
    bench.press("/")
    bench.page.keyboard.type("photo 22")
    bench.press("Enter")
    expect(bench.page.get_by_test_id("tile")).to_have_count(1 + 10)  # 22 and 220 to 229
    assert "q=photo+22" in bench.page.url
    bench.page.get_by_test_id("filters").press("Enter")
    bench.page.get_by_test_id("filter-reviewed").select_option("true")
    expect(bench.page.get_by_text("No image matches")).to_be_visible()
    bench.page.go_back()
    expect(bench.page.get_by_test_id("tile")).to_have_count(11)
    bench.page.get_by_test_id("chip-q").press("Enter")
    expect(bench.page.get_by_test_id("chip-q")).to_be_hidden()
    assert "q=" not in bench.page.url


COUNT_FRAMES = """async count => {
    let changes = 0;
    const observer = new MutationObserver(records => { changes += records.length; });
    const told = { subtree: true, childList: true, attributes: true, characterData: true };
    observer.observe(document.body, told);
    for (let frame = 0; frame < count; frame += 1) {
        await new Promise(done => requestAnimationFrame(done));
    }
    observer.disconnect();
    return changes;
}"""
"""Counts what changes in the document while so many frames are drawn."""
FRAMES = 60


def test_an_idle_page_rests_full_empty_and_without_a_server(bench):
    is_down = False

    def answer(route: Route) -> None:
        if is_down:
            route.fulfill(status=500)
        else:
            route.continue_()

    images = "**/api/v1/datasets/*/images?*"
    bench.page.route(images, answer)  # before the page is there, as above
    bench.open()
    bench.enter_grid()
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    bench.page.on("request", note)

    def is_still() -> bool:
        asked.clear()
        changes: int = bench.page.evaluate(COUNT_FRAMES, FRAMES)
        return changes == 0 and not any("/images?" in url for url in asked)

    def rests() -> None:
        wait_until(is_still, PATIENCE_S, "nothing is drawn and nothing asked for")

    rests()
    bench.page.goto(f"{bench.server.url}/#/datasets/{bench.dataset_id}?q=none")
    link = bench.page.get_by_text("Take the filters away")
    link.focus()
    rests()
    expect(link).to_be_focused()

    is_down = True
    link.press("Enter")
    again = bench.page.get_by_text("Try again")
    again.focus()
    rests()
    again.press("Enter")
    rests()
    expect(again).to_be_focused()
    is_down = False
    again.press("Enter")
    expect(bench.page.locator('.tile[data-index="0"]')).to_be_focused()
    bench.page.remove_listener("request", note)
    bench.page.unroute(images)


def test_what_leaves_the_filter_stays_until_the_list_is_updated(bench):
    bench.open("?label=black+bear")
    bench.enter_grid()
    bench.press("2")
    bench.wait(is_labelled("grizzly"), 1)
    expect(bench.page.get_by_text("1 image here no longer matches")).to_be_visible()
    expect(bench.page.locator('.tile[data-index="0"]')).to_have_accessible_name(
        re.compile("^grizzly")
    )
    bench.page.get_by_text("Update the list").press("Enter")
    expect(bench.page.locator('.tile[data-index="0"]')).to_have_accessible_name(
        re.compile("^black bear")
    )
    expect(bench.page.locator(".tile:focus")).to_have_count(1)


def test_a_press_in_the_legend_is_about_the_tile_that_one_came_from(bench):
    bench.open()
    teddy = bench.page.get_by_test_id("legend").get_by_test_id("key-3")
    teddy.press("Enter")
    expect(bench.page.locator('.tile[data-index="0"]')).to_be_focused()
    assert bench.count(is_labelled("teddy")) == 0, "nobody has pointed at an image yet"
    bench.press("ArrowRight")
    teddy.press("Enter")
    bench.wait(is_labelled("teddy"), 1)
    assert bench.focused() == 2, "on to the next, as by the key"


def test_a_key_is_given_to_another_label_for_good(bench):
    bench.open()
    bench.enter_grid()
    bench.press("?")
    bench.page.get_by_test_id("key-teddy").press("t")
    said = bench.page.get_by_test_id("keys-dialog").get_by_test_id("message")
    expect(said).to_have_text("“teddy” has the key t now.")
    bench.press("Escape")
    bench.page.reload()
    expect(bench.page.get_by_test_id("legend")).to_contain_text("Tteddy")
    bench.enter_grid()
    bench.press("t")
    bench.wait(is_labelled("teddy"), 1)
    bench.page.evaluate("localStorage.clear()")


def test_the_loupe_walks_labels_and_tells_the_history(bench):
    bench.open()
    bench.enter_grid()
    bench.press("Enter")
    loupe = bench.page.get_by_test_id("loupe")
    expect(loupe.get_by_test_id("place")).to_have_text(f"1 of {IMAGE_COUNT}")
    bench.press("2")
    expect(loupe.get_by_test_id("place")).to_have_text(f"2 of {IMAGE_COUNT}")
    bench.press("ArrowLeft")
    expect(loupe.get_by_test_id("history")).to_contain_text("black bear → grizzly")
    bench.press("u")
    expect(loupe.get_by_test_id("relabel")).to_have_value("black bear")
    bench.press("ArrowRight", "ArrowRight", "Escape")
    expect(loupe).to_be_hidden()
    expect(bench.page.locator('.tile[data-index="2"]')).to_be_focused()  # the grid has gone along
