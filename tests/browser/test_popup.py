"""The popup in real Chromium: what it offers of a page, and what it remembers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.support.chromium import Chromium, chromium, pair, sign_in
from tests.support.photo_site import PhotoSite
from tests.support.processes import ServerProcess, wait_until

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


def badge_text(browser: Chromium, page: Page) -> str:
    text: str = browser.context.service_workers[0].evaluate(
        "async url => { const tab = (await chrome.tabs.query({})).find(each => each.url === url);"
        " return chrome.action.getBadgeText({ tabId: tab.id }); }",
        page.url,
    )
    return text


def test_the_badge_shows_how_much_the_popup_found(browser, site, page):
    assert badge_text(browser, page) == ""
    popup = browser.open_popup(page)
    expect(popup.get_by_test_id("candidate").first).to_be_visible()
    assert badge_text(browser, page) == str(len(site.addresses("fruits")))
    popup.close()


def test_a_result_page_is_counted_when_it_has_loaded(browser, site, page):
    # The address is Bing's, as the browser tells it where the person has allowed that.
    browser.context.service_workers[0].evaluate(
        """async pageUrl => {
            const tab = (await chrome.tabs.query({})).find(({ url }) => url === pageUrl);
            const url = 'https://www.bing.com/images/search?q=fruits';
            chrome.tabs.onUpdated.dispatch(tab.id, { status: 'complete' }, { ...tab, url });
        }""",
        page.url,
    )
    count = str(len(site.addresses("fruits")))
    wait_until(lambda: badge_text(browser, page) == count, 10, "the badge counts")


def test_counting_is_off_until_the_person_allows_it(browser):
    options = browser.open(f"chrome-extension://{browser.extension_id}/options/options.html")
    expect(options.get_by_test_id("server-state")).to_contain_text("running")
    expect(options.get_by_test_id("counting")).not_to_be_checked()
    options.close()


def test_a_server_of_another_time_is_named(browser, page):
    popup = browser.open_popup(page)
    expect(popup.get_by_test_id("candidate").first).to_be_visible()
    expect(popup.get_by_test_id("version-notice")).to_be_hidden()
    # Only the worker asks the server: hence its answer is changed there.
    browser.context.service_workers[0].evaluate(
        """() => {
            const answer = globalThis.fetch;
            globalThis.fetch = async (url, init) =>
                String(url).endsWith('/api/v1/server')
                    ? new Response('{"api_version": 0}', { headers: { 'X-Bowerbird': '1' } })
                    : answer(url, init);
        }"""
    )
    popup.reload()
    expect(popup.get_by_test_id("version-notice")).to_contain_text("Update the server")
    popup.close()


@pytest.mark.parametrize(("is_popup", "width_px"), [(True, 470), (False, 360), (False, 450)])
def test_the_link_to_the_server_is_never_cut(browser, page, is_popup, width_px):
    popup = browser.open_popup(None if is_popup else page)
    popup.set_viewport_size({"width": width_px, "height": 595})
    expect(popup.get_by_test_id("pop-out")).to_be_visible(visible=is_popup)
    link = popup.locator("#server-link")
    expect(link).to_contain_text(":")
    assert link.evaluate("e => e.scrollWidth <= e.clientWidth")
    popup.close()
