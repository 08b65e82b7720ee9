"""Importing in Chromium: archives, folders and tables, looked through first."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.accessibility import SCHEMES, assert_accessible
from tests.support.chromium import chromium, sign_in
from tests.support.images import jpeg
from tests.support.processes import ServerProcess, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# Puts files of the page's own making onto the zone, as a drop from the desktop does.
DROP = """async ([name, bytes]) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([new Uint8Array(bytes)], name));
    const zone = document.querySelector('[data-testid=import-zone]');
    zone.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true }));
}"""


@dataclass
class Desk:
    """A signed-in page and the server behind it."""

    page: Page
    server: ServerProcess
    client: httpx2.Client

    def open(self, name: str) -> str:
        """Make a dataset, show where it is imported into, and return its id."""
        made = self.client.post("/api/v1/datasets", json={"name": name}).raise_for_status().json()
        dataset_id: str = made["id"]
        self.page.goto("about:blank")
        self.page.goto(f"{self.server.url}/#/datasets/{dataset_id}/import")
        expect(self.page.get_by_test_id("import-zone")).to_be_visible()
        return dataset_id

    def choose(self, name: str, data: bytes) -> None:
        """Choose a file as the browser's dialog gives it."""
        chosen: Any = {"name": name, "mimeType": "", "buffer": data}
        self.page.get_by_test_id("import-file").set_input_files(chosen)

    def says(self, sentence: str) -> None:
        """Wait for the report's sentence."""
        expect(self.page.get_by_test_id("import-sentence")).to_have_text(sentence)

    def counts(self, dataset_id: str) -> dict[str, Any]:
        answer = self.client.get(f"/api/v1/datasets/{dataset_id}").raise_for_status()
        counts: dict[str, Any] = answer.json()["counts"]
        return counts


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("imports")
    with (
        ServerProcess(folder / "data", has_trainer=False) as server,
        server.client() as client,
        chromium(folder / "profile") as browser,
    ):
        yield Desk(sign_in(browser, client), server, client)


def zip_of(entries: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return file.getvalue()


BEARS = zip_of(
    {
        **{f"bears/grizzly/{seed}.jpg": jpeg(160, 120, seed) for seed in range(12)},
        **{f"bears/teddy/{seed}.jpg": jpeg(160, 120, seed) for seed in range(20, 28)},
        "bears/teddy/page.jpg": b"<html>not found</html>",
        "../../outside.jpg": jpeg(160, 120, 99),
        "bears/LICENSE.txt": b"free",
    }
)


def test_a_zip_is_looked_through_then_imported_then_known(desk):
    dataset_id = desk.open("bears")
    desk.choose("bears.zip", BEARS)
    desk.says("22 images found: 20 would be added, 2 would be refused.")
    assert desk.counts(dataset_id)["total"] == 0, "a look adds nothing"
    expect(desk.page.get_by_test_id("import-labels")).to_have_text("grizzly12teddy8")
    unsafe = desk.page.get_by_test_id("refused-unsafe-path")
    unsafe.locator("summary").press("Enter")
    expect(unsafe).to_contain_text("../../outside.jpg")
    expect(desk.page.get_by_test_id("refused-not-an-image")).to_contain_text("1")
    for scheme in SCHEMES:
        assert_accessible(desk.page, scheme)
    with desk.page.expect_download() as saved:
        desk.page.get_by_role("button", name="Save the whole list").click()
    lines = Path(saved.value.path()).read_text().splitlines()
    assert [line.split("\t")[1] for line in sorted(lines)] == ["unsafe-path", "not-an-image"]

    desk.page.get_by_test_id("import-go").press("Enter")
    desk.says("22 images found: 20 added, 2 refused.")
    assert desk.counts(dataset_id)["status"]["ready"] == 20
    desk.page.get_by_role("button", name="Import something else").press("Enter")
    desk.choose("bears.zip", BEARS)
    desk.says("22 images found: 0 would be added, 20 already here, 2 would be refused.")
    expect(desk.page.get_by_test_id("import-go")).to_be_hidden()
    desk.page.get_by_role("button", name="Choose something else").press("Enter")
    expect(desk.page.get_by_test_id("import-zone")).to_be_visible()


def test_a_folder_is_sent_as_it_stands_on_the_disk(desk, tmp_path):
    dataset_id = desk.open("a folder")
    deep = tmp_path / "animals"
    for seed, label in enumerate(("känguru", "a" * 99, "plain")):
        (deep / label).mkdir(parents=True)
        (deep / label / "1.jpg").write_bytes(jpeg(160, 120, seed))
    (deep / ".hidden").write_bytes(b"x")
    desk.page.get_by_test_id("import-folder").set_input_files(deep)
    desk.says("3 images found: 3 would be added.")
    desk.page.get_by_test_id("import-go").click()
    desk.says("3 images found: 3 added.")
    assert set(desk.counts(dataset_id)["labels"]) == {"känguru", "a" * 99, "plain"}


def test_a_table_is_dropped_and_its_addresses_are_queued(desk):
    dataset_id = desk.open("a table")
    table = b"url,label\nhttp://127.0.0.1:9/a.jpg,teddy\nnot an address,teddy\n"
    desk.page.evaluate(DROP, ["addresses.csv", list(table)])
    desk.says("2 addresses found: 1 would be added, 1 would be refused.")
    desk.page.get_by_test_id("import-go").click()
    desk.says("2 addresses found: 1 added, 1 refused.")
    assert desk.counts(dataset_id)["total"] == 1


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"7z\xbc\xaf\x27\x1c" + bytes(600), "It is 7z, which is not read; unpack it"),
        (BEARS[:-40], "Fetch or pack it again. Nothing was added."),
        (b"name,colour\na,b\n", "first line must name the column `url`"),
        (b"", "It is empty"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_and_the_next_may_be_chosen(desk, data, sentence):
    desk.open(f"refused {len(data)}")
    desk.choose("file.zip", data)
    said = desk.page.get_by_role("alert")
    expect(said).to_contain_text(sentence, ignore_case=True)
    assert_accessible(desk.page, "light")
    desk.choose("bears.zip", BEARS)
    desk.says("22 images found: 20 would be added, 2 would be refused.")


def test_an_upload_is_stopped_and_one_that_broke_says_so(desk):
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    # Before the page is there: Chromium may let the first requests of one that is there pass by.
    desk.page.route("**/imports?*", hold)
    desk.open("stopped")
    desk.choose("bears.zip", BEARS)
    desk.page.get_by_test_id("import-cancel").press("Enter")
    expect(desk.page.get_by_test_id("import-zone")).to_be_visible()
    expect(desk.page.get_by_role("alert")).to_be_hidden()
    with desk.page.expect_request("**/imports?*"):
        desk.choose("bears.zip", BEARS)
    wait_until(lambda: desk.page.wait_for_timeout(10) or len(held) == 2, 60, "both are held")
    held[1].abort()
    expect(desk.page.get_by_role("alert")).to_contain_text("Try again: nothing is added twice.")
    desk.page.unroute("**/imports?*")


def test_a_new_dataset_may_begin_with_an_import(desk):
    desk.page.goto(f"{desk.server.url}/#/")
    desk.page.get_by_test_id("dataset-name").fill("from a folder")
    desk.page.get_by_test_id("create-and-import").press("Enter")
    expect(desk.page.get_by_role("heading", level=1)).to_have_text("Import into from a folder")
