"""What a person says of an answer in the popup, in both browsers, as it comes to the inbox."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import expect

from tests.support import steps as person
from tests.support.accessibility import SCHEMES, assert_accessible
from tests.support.chromium import chromium, pair, sign_in
from tests.support.colour_model import add_colour_model
from tests.support.processes import ServerProcess
from tests.support.snapshots import COLOURS, picture

pytestmark = [pytest.mark.slow, pytest.mark.browser]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server whose model tells colours apart."""
    with ServerProcess(tmp_path / "data", has_trainer=False) as running, running.client() as client:
        add_colour_model(client)
        yield running


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A red picture that no dataset has."""
    path = tmp_path / "red.jpg"
    path.write_bytes(picture(COLOURS["red"], 77_777))
    return path


def waiting(client: httpx2.Client) -> list[dict[str, Any]]:
    (dataset,) = client.get("/api/v1/datasets").json()["items"]
    path = f"/api/v1/datasets/{dataset['id']}/feedback"
    items: list[dict[str, Any]] = client.get(path).json()["items"]
    return items


@pytest.mark.parametrize("name", ["chromium", "firefox"])
def test_wrong_it_is_something_else(name: str, server: ServerProcess, photo: Path, tmp_path: Path):
    with server.client() as client, person.open_browser(name, tmp_path / "profile") as steps:
        person.pair(steps, server, client)
        steps.open_popup(has_page=False)
        steps.click("tab-classify")
        steps.choose_file("file", photo)
        steps.wait_for_text("verdict", "Is that right?")
        steps.click("verdict-wrong")
        steps.fill("verdict-label", "violet")
        steps.click("verdict-send")
        steps.wait_for_text("verdict-notice", "Thank you.")
        (said,) = waiting(client)
        assert (said["is_right"], said["label"], said["state"]) == (False, "violet", "new")
        assert said["predicted"] is not None
        kept = client.get(f"/api/v1/feedback/{said['id']}/file").content
        assert kept == photo.read_bytes()


def test_right_by_keyboard_and_for_everybody(server: ServerProcess, photo: Path, tmp_path: Path):
    with server.client() as client, chromium(tmp_path / "profile") as browser:
        pair(browser, sign_in(browser, client), server.url)
        popup = browser.open_popup()
        popup.get_by_test_id("tab-classify").click()
        popup.get_by_test_id("file").set_input_files(photo)
        expect(popup.get_by_test_id("verdict-right")).to_be_visible()
        for scheme in SCHEMES:
            assert_accessible(popup, scheme)
        popup.get_by_test_id("verdict-wrong").press("Enter")
        expect(popup.get_by_test_id("verdict-label")).to_be_focused()
        for scheme in SCHEMES:
            assert_accessible(popup, scheme)
            popup.screenshot(path=tmp_path / f"verdict-{scheme}.png")
        popup.get_by_test_id("file").set_input_files(photo)
        popup.get_by_test_id("verdict-right").press("Enter")
        notice = popup.get_by_test_id("verdict-notice")
        expect(notice).to_contain_text("Thank you.")
        inbox = notice.get_by_role("link").get_attribute("href")
        assert inbox is not None
        assert inbox.startswith(f"{server.url}/#/datasets/")
        for scheme in SCHEMES:
            assert_accessible(popup, scheme)
        assert [one["is_right"] for one in waiting(client)] == [True]
