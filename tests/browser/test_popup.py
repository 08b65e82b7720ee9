"""The popup in real Chromium: what it offers of a page, and what it remembers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.support.chromium import Chromium, chromium, pair, sign_in
from tests.support.photo_site import PhotoSite
from tests.support.processes import ServerProcess

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def site() -> Iterator[PhotoSite]:
    with PhotoSite() as running:
        yield running


@pytest.fixture(scope="module")
def browser(site: PhotoSite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """A browser that is paired with a server."""
    folder = tmp_path_factory.mktemp("popup")
    settings = {"BOWERBIRD_FETCH__ALLOWED_HOSTS": site.authority}
    with (
        ServerProcess(folder / "data", settings, has_trainer=False) as server,
        server.client() as client,
        chromium(folder / "profile") as running,
    ):
        pair(running, sign_in(running, client), server.url)
        yield running


@pytest.fixture
def page(browser: Chromium, site: PhotoSite) -> Iterator[Page]:
    """A result page, whose images all declare 307 by 173 pixels."""
    opened = browser.open(site.page_url("fruits"))
    yield opened
    opened.close()


def test_filters_leave_out_what_is_too_small_and_are_remembered(browser, site, page):
    count = len(site.addresses("fruits"))
    popup = browser.open_popup(page)
    capture = popup.get_by_test_id("capture")
    expect(capture).to_have_text(f"Capture {count} images")
    popup.get_by_test_id("filter-shape").select_option("landscape")
    expect(popup.get_by_test_id("filter-count")).to_have_text(f"{count} of {count} fit")
    popup.get_by_test_id("filter-size").select_option("200")
    expect(popup.get_by_test_id("filter-count")).to_have_text(f"0 of {count} fit")
    expect(popup.get_by_test_id("candidate").first).to_be_hidden()
    popup.get_by_test_id("choose-all").click()
    expect(capture).to_be_disabled()
    popup.close()

    again = browser.open_popup(page)
    expect(again.get_by_test_id("filter-count")).to_have_text(f"0 of {count} fit")
    again.get_by_test_id("filter-size").select_option("100")
    expect(again.get_by_test_id("capture")).to_have_text(f"Capture {count} images")
    again.close()
