"""A smoke test in real Firefox: pair by a code, and capture a page."""

from __future__ import annotations

import pytest

from tests.support import workflow
from tests.support.firefox import firefox
from tests.support.photo_site import PhotoSite
from tests.support.processes import ServerProcess

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_firefox_pairs_and_captures_a_page(tmp_path):
    with PhotoSite() as site:
        settings = {"BOWERBIRD_FETCH__ALLOWED_HOSTS": site.authority}
        with (
            ServerProcess(tmp_path / "data", settings, has_trainer=False) as server,
            server.client() as client,
            firefox(tmp_path / "profile") as browser,
        ):
            page_url = site.page_url("fruits")
            browser.open(page_url)
            browser.open_popup()
            tab_id = browser.find_tab_id(page_url)
            browser.fill("server", server.url)
            browser.fill("code", client.post("/api/v1/pairings").json()["code"])
            browser.click("pair")
            browser.find("tab-capture")

            browser.open_popup(f"?tab={tab_id}")
            browser.find("candidate")
            browser.fill("new-dataset", "foods")
            assert browser.value("label") == "fruits"
            browser.click("capture")
            urls = site.addresses("fruits")
            browser.wait_for_text("capture-notice", f"{len(urls)} added")

            (dataset,) = client.get("/api/v1/datasets").json()["items"]
            workflow.wait_settled(client, dataset["id"])
            images = workflow.list_images(client, dataset["id"])
    assert [image["url"] for image in images] == urls
    assert {image["label"] for image in images} == {"fruits"}
