"""The shortcut Alt+Shift+C in both browsers: one press, and the page is in the dataset."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.support import workflow
from tests.support.chromium import Chromium, capture_page, chromium, pair, sign_in
from tests.support.firefox import firefox
from tests.support.photo_site import PhotoSite
from tests.support.processes import ServerProcess

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# As the browser tells the service worker of the key press.
PRESS = """async pageUrl => {
    const tab = (await chrome.tabs.query({})).find(({ url }) => url === pageUrl);
    chrome.commands.onCommand.dispatch('capture-page', tab);
}"""


def press(browser: Chromium, url: str, says: str) -> None:
    """Open a page, press the shortcut, and wait until the toast in the page says ``says``."""
    page = browser.open(url)
    browser.context.service_workers[0].evaluate(PRESS, page.url)
    expect(page.get_by_test_id("toast")).to_contain_text(says)
    page.close()


def test_one_press_captures_a_page_in_chromium(tmp_path):
    with PhotoSite() as site:
        settings = {"BOWERBIRD_FETCH__ALLOWED_HOSTS": site.authority}
        with (
            ServerProcess(tmp_path / "data", settings, has_trainer=False) as server,
            server.client() as client,
            chromium(tmp_path / "profile") as browser,
        ):
            press(browser, site.page_url("fruits"), "not paired")
            pair(browser, sign_in(browser, client), server.url)
            press(browser, site.page_url("fruits"), "No dataset is chosen")
            capture_page(browser, site.page_url("fruits"), "foods")
            count = len(site.addresses("marine fish"))
            press(browser, site.page_url("marine fish"), f"{count} added, 0 known, 0 refused")
            press(browser, site.url("/articles/none.html"), "Nothing found")

            (dataset,) = client.get("/api/v1/datasets").json()["items"]
            images = workflow.list_images(client, dataset["id"])
    fish = [image["url"] for image in images if image["label"] == "marine fish"]
    assert sorted(fish) == sorted(site.addresses("marine fish"))


def test_one_press_captures_a_page_in_firefox(tmp_path):
    with PhotoSite() as site:
        settings = {"BOWERBIRD_FETCH__ALLOWED_HOSTS": site.authority}
        with (
            ServerProcess(tmp_path / "data", settings, has_trainer=False) as server,
            server.client() as client,
            firefox(tmp_path / "profile") as browser,
        ):
            browser.open_popup()
            browser.fill("server", server.url)
            browser.fill("code", client.post("/api/v1/pairings").json()["code"])
            browser.click("pair")
            browser.find("tab-capture")
            dataset_id = workflow.create_dataset(client, "foods")
            browser.send("list-datasets", None)
            browser.send("choose-dataset", {"dataset_id": dataset_id})

            browser.open(site.page_url("fruits"))
            browser.press_shortcut("alt,shift", "C")
            urls = site.addresses("fruits")
            browser.wait_for_toast(f"{len(urls)} added, 0 known, 0 refused")
            images = workflow.list_images(client, dataset_id)
    assert [image["url"] for image in images] == urls
    assert {image["label"] for image in images} == {"fruits"}
