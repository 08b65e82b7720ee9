"""A dataset's other pages in Chromium: rejected hosts, sites removed for good, undo everywhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, expect

from tests.support.accessibility import SCHEMES, assert_accessible
from tests.support.chromium import chromium, sign_in
from tests.support.images import jpeg
from tests.support.processes import ServerProcess, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

IMAGE_COUNT = 12
SITES = ("bears.example", "www.bears.example", "zoo.example")  # four images of each
# Nothing listens there; the guard refuses it at once, port by port.
HOSTS = ("127.0.0.1", "127.0.0.2")
PATIENCE_S = 60.0


@dataclass
class Shelf:
    """A signed-in page, and the dataset that it shows."""

    page: Page
    server: ServerProcess
    client: httpx2.Client
    dataset_id: str

    def open(self, hash_: str) -> None:
        self.page.goto("about:blank")
        self.page.goto(f"{self.server.url}/#/{hash_}")
        expect(self.page.get_by_role("heading", level=1)).to_be_visible()

    def images(self, **wanted: Any) -> list[dict[str, Any]]:
        found = self.client.get(
            f"/api/v1/datasets/{self.dataset_id}/images", params={"limit": 500, **wanted}
        )
        items: list[dict[str, Any]] = found.raise_for_status().json()["items"]
        return items


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    folder = tmp_path_factory.mktemp("sites")
    with (
        ServerProcess(folder / "data", has_trainer=False) as server,
        server.client() as client,
        chromium(folder / "profile") as browser,
    ):
        made = client.post("/api/v1/datasets", json={"name": "bears"}).json()
        path = f"/api/v1/datasets/{made['id']}"
        for label in ("grizzly", "teddy"):
            client.post(f"{path}/labels", json={"name": label}).raise_for_status()
        for seed in range(IMAGE_COUNT):
            data = {
                "label": ("grizzly", "teddy")[seed // 2 % 2],
                "source_url": f"https://{SITES[seed % 3]}/page/{seed}",
            }
            files = {"file": (f"photo {seed}.jpg", jpeg(160, 120, seed))}
            client.post(f"{path}/images", files=files, data=data).raise_for_status()
        client.post(f"{path}/snapshots", json={"min_per_label": 1}).raise_for_status()
        candidates = [
            {"url": f"http://{host}/{rank}.jpg", "rank": rank}
            for host in HOSTS
            for rank in range(3)
        ]
        capture = {
            "capture_key": "01JDAAAAAAAAAAAAAAAAAAAAAA",
            "label": "grizzly",
            "page_url": "https://search.example/",
            "captured_at": "2026-11-22T10:00:00Z",
            "client": "test",
            "candidates": candidates,
        }
        client.post(f"{path}/captures", json=capture).raise_for_status()
        shelf = Shelf(sign_in(browser, client), server, client, made["id"])
        wait_until(lambda: len(shelf.images(status="rejected")) == 6, PATIENCE_S, "all are refused")
        yield shelf


def test_the_rejected_addresses_of_one_host_are_queued_again(shelf):
    shelf.open(f"datasets/{shelf.dataset_id}?status=rejected")
    group = shelf.page.get_by_test_id("reason-blocked-address")
    group.get_by_text("Hosts and addresses").press("Enter")
    host = group.get_by_test_id("host").filter(has_text=HOSTS[1])
    host.locator("summary").press("Enter")
    for scheme in SCHEMES:
        assert_accessible(shelf.page, scheme)
    host.get_by_test_id("retry-host").press("Enter")
    expect(shelf.page.locator("#toast")).to_contain_text("3 addresses queued again.")

    def attempts() -> list[tuple[str, int]]:
        return [
            (image["url"], image["attempts"])
            for image in shelf.images(status="rejected", reason="blocked-address")
        ]

    wait_until(lambda: len(attempts()) == 6, PATIENCE_S, "they are refused again")
    assert {count for url, count in attempts() if HOSTS[0] in url} == {1}
    assert {count for url, count in attempts() if HOSTS[1] in url} == {2}


@pytest.mark.parametrize("tab", ["alike", "rejected", "captures"])
def test_undo_is_a_key_on_every_tab(shelf, tab):
    image = shelf.images(status="ready")[0]
    path = f"/api/v1/datasets/{shelf.dataset_id}/images/bulk"
    body = {"ids": [image["id"]], "set": {"excluded": True}}
    shelf.client.post(path, json=body).raise_for_status()
    shelf.open(f"datasets/{shelf.dataset_id}?status={tab}")
    shelf.page.keyboard.press("u")
    expect(shelf.page.locator("#toast")).to_contain_text("Undone")
    assert not shelf.images(status="ready")[0]["excluded"]


def test_the_credits_lead_to_the_pages_and_are_taken_away_as_text(shelf):
    shelf.open(f"datasets/{shelf.dataset_id}/credits")
    expect(shelf.page.get_by_test_id("credit")).to_have_count(IMAGE_COUNT)
    link = shelf.page.get_by_test_id("credit").first.get_by_role("link", name="photo").last
    assert "noreferrer" in (link.get_attribute("rel") or "")
    for scheme in SCHEMES:
        assert_accessible(shelf.page, scheme)
    with shelf.page.expect_download() as saved:
        shelf.page.get_by_role("button", name="Save as text").press("Enter")
    lines = Path(saved.value.path()).read_text().splitlines()
    assert len(lines) == IMAGE_COUNT
    assert sum("https://zoo.example/page/" in line for line in lines) == 4


def test_a_site_is_looked_at_then_removed_by_its_name_and_kept_out(shelf):
    shelf.open("settings")
    expect(shelf.page.get_by_text("No site is kept out.")).to_be_visible()
    shelf.page.get_by_test_id("remove-site").press("Enter")
    dialog = shelf.page.get_by_test_id("site-removal")
    dialog.get_by_test_id("removal-site").fill("https://BEARS.example/some/page")
    dialog.get_by_test_id("removal-block").check()
    assert_accessible(shelf.page, "light")
    dialog.get_by_test_id("removal-look").press("Enter")
    expect(dialog.get_by_test_id("removal-amounts")).to_contain_text("8 images")
    expect(dialog).to_contain_text("Snapshots that hold some of them")
    go = dialog.get_by_test_id("removal-go")
    expect(go).to_be_disabled()
    assert len(shelf.images(status="ready")) == IMAGE_COUNT, "a look takes nothing away"
    for scheme in SCHEMES:
        assert_accessible(shelf.page, scheme)
    dialog.get_by_test_id("removal-typed").fill("bears.exampl")
    expect(go).to_be_disabled()
    dialog.get_by_test_id("removal-typed").fill("bears.example")
    dialog.get_by_test_id("removal-typed").press("Enter")
    expect(dialog.get_by_test_id("removal-done")).to_contain_text(
        "8 images of bears.example removed"
    )
    assert len(shelf.images(status="ready")) == 4
    dialog.get_by_role("button", name="Close").press("Enter")

    blocked = shelf.page.get_by_test_id("blocked-sites")
    expect(blocked).to_contain_text("bears.example")
    expect(shelf.page.get_by_test_id("removal")).to_contain_text("8 images")
    for scheme in SCHEMES:
        assert_accessible(shelf.page, scheme)
    blocked.get_by_role("button", name="Let in again: bears.example").press("Enter")
    expect(shelf.page.get_by_text("No site is kept out.")).to_be_visible()


def test_an_image_leads_to_the_removal_of_its_site(shelf):
    (image, *_) = shelf.images(status="ready")
    shelf.open(f"images/{image['id']}")
    shelf.page.get_by_test_id("remove-site").press("Enter")
    dialog = shelf.page.get_by_test_id("site-removal")
    expect(dialog.get_by_test_id("removal-site")).to_have_value("zoo.example")
    dialog.get_by_test_id("removal-here").check()
    dialog.get_by_test_id("removal-look").press("Enter")
    expect(dialog.get_by_test_id("removal-amounts")).to_contain_text("4 images")
    shelf.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert len(shelf.images(status="ready")) == 4


def test_a_page_that_is_not_there_says_so_below_its_heading(shelf):
    shelf.page.goto(f"{shelf.server.url}/#/nowhere")
    heading = shelf.page.get_by_role("heading", level=1)
    expect(heading).to_have_text("Not found")
    box = shelf.page.locator(".empty")
    top, bottom = box.bounding_box(), heading.bounding_box()
    assert top is not None
    assert bottom is not None
    assert top["y"] - (bottom["y"] + bottom["height"]) >= 16
