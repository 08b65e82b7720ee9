"""The popup in real Chromium: what it offers of a page, and what it remembers."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.support import steps
from tests.support.chromium import Chromium, chromium, pair, sign_in
from tests.support.https_site import HttpsSite
from tests.support.photo_site import PhotoSite
from tests.support.processes import ROOT, ServerProcess, wait_until
from tests.support.search_pages import BING, synthetic_pages

pytestmark = [pytest.mark.browser, pytest.mark.slow]

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
MANY = 2500
MAX_TILES = 100  # of the rows in sight, and those just beyond
# As if the person had scrolled for minutes: copies of the page's first result under new addresses.
ADD_RESULTS = """count => {
    const [first] = document.querySelectorAll('a.iusc');
    const data = JSON.parse(first.getAttribute('m'));
    const tiles = Array.from({ length: count }, (_, n) => {
        const tile = first.cloneNode(true);
        tile.setAttribute('m', JSON.stringify({ ...data, murl: `${data.murl}?copy=${n}` }));
        return tile;
    });
    document.body.replaceChildren(...tiles);
}"""
# As if Bing had renamed what holds the original's address.
HIDE_ORIGINALS = """() => {
    for (const tile of document.querySelectorAll('a.iusc')) {
        tile.setAttribute('m', tile.getAttribute('m').replace('"murl"', '"renamed"'));
    }
}"""


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
    popup.locator("#more > summary").click()
    popup.get_by_test_id("filter-shape").select_option("landscape")
    expect(popup.get_by_test_id("filter-count")).to_have_text(f"{count} of {count} fit")
    popup.get_by_test_id("filter-size").select_option("200")
    expect(popup.get_by_test_id("filter-count")).to_have_text(f"0 of {count} fit")
    expect(popup.get_by_test_id("candidate")).to_have_count(0)
    expect(popup.get_by_test_id("filtered-notice")).to_be_visible()
    popup.get_by_test_id("choose-all").click()
    expect(capture).to_be_disabled()
    popup.close()

    again = browser.open_popup(page)
    expect(again.get_by_test_id("filter-count")).to_have_text(f"0 of {count} fit")
    again.locator("#more > summary").click()
    again.get_by_test_id("filter-size").select_option("100")
    expect(again.get_by_test_id("capture")).to_have_text(f"Capture {count} images")
    again.get_by_test_id("filter-size").select_option("1200")
    again.get_by_test_id("unfilter").click()
    expect(again.get_by_test_id("capture")).to_have_text(f"Capture {count} images")
    expect(again.get_by_test_id("filter-count")).to_be_empty()
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


# The address is a search site's, as the browser tells it of the sites that we may read.
LOADED = """async ([pageUrl, url]) => {
    const tab = (await chrome.tabs.query({})).find(each => each.url === pageUrl);
    chrome.tabs.onUpdated.dispatch(tab.id, { status: 'complete' }, { ...tab, url });
}"""
BING_SEARCH = "https://www.bing.com/images/search?q=fruits"
GOOGLE_SEARCH = "https://www.google.com/search?q=fruits&udm=2"


def test_a_result_page_is_counted_when_it_has_loaded(browser, site, page):
    browser.context.service_workers[0].evaluate(LOADED, [page.url, BING_SEARCH])
    count = str(len(site.addresses("fruits")))
    wait_until(lambda: badge_text(browser, page) == count, 60, "the badge counts")


def test_a_site_that_is_switched_off_is_not_counted_until_it_is_on_again(browser, site, page):
    other = browser.open(site.page_url("marine fish"))
    options = browser.open(f"chrome-extension://{browser.extension_id}/options/options.html")
    worker = browser.context.service_workers[0]
    options.get_by_test_id("site-bing").click()
    expect(options.get_by_test_id("site-bing")).not_to_be_checked()
    worker.evaluate(LOADED, [page.url, BING_SEARCH])
    worker.evaluate(LOADED, [other.url, GOOGLE_SEARCH])
    # The second is read after the first would have been.
    wait_until(lambda: badge_text(browser, other) != "", 60, "the badge counts on Google")
    assert badge_text(browser, page) == ""
    options.get_by_test_id("site-bing").click()
    expect(options.get_by_test_id("site-bing")).to_be_checked()
    worker.evaluate(LOADED, [page.url, BING_SEARCH])
    wait_until(lambda: badge_text(browser, page) != "", 60, "the badge counts on Bing")
    options.close()
    other.close()


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
            globalThis.answerAsBefore = () => { globalThis.fetch = answer; };
        }"""
    )
    popup.reload()
    expect(popup.get_by_test_id("version-notice")).to_contain_text("Update the server")
    browser.context.service_workers[0].evaluate("answerAsBefore()")
    popup.close()


# As if the server were busy: it lists its datasets when it is told to.
HOLD_DATASETS = """() => {
    const answer = globalThis.fetch;
    const held = new Promise(resolve => { globalThis.letGo = resolve; });
    globalThis.fetch = async (url, init) => {
        if (String(url).includes('/api/v1/datasets?')) await held;
        return answer(url, init);
    };
    globalThis.answerAsBefore = () => { globalThis.fetch = answer; };
}"""


def test_nothing_is_captured_before_there_is_something_to_put_it_into(browser, site, page):
    worker = browser.context.service_workers[0]
    worker.evaluate(HOLD_DATASETS)
    popup = browser.open_popup(page)
    capture = popup.get_by_test_id("capture")
    expect(capture).to_have_text(f"Capture {len(site.addresses('fruits'))} images")
    expect(capture).to_be_disabled()
    worker.evaluate("letGo(), answerAsBefore()")
    expect(capture).to_be_enabled()
    expect(popup.get_by_test_id("dataset").locator("option")).not_to_have_count(0)
    popup.close()


@pytest.mark.parametrize(("is_popup", "width_px"), [(True, 400), (False, 360), (False, 490)])
def test_the_link_to_the_server_is_never_cut(browser, page, is_popup, width_px):
    popup = browser.open_popup(None if is_popup else page)
    popup.set_viewport_size({"width": width_px, "height": 595})
    expect(popup.get_by_test_id("pop-out")).to_be_visible(visible=is_popup)
    link = popup.locator("#server-link")
    expect(link).to_contain_text(":")
    assert link.evaluate("e => e.scrollWidth <= e.clientWidth")
    popup.close()


def test_thousands_of_candidates_are_offered_by_the_few_in_sight(browser, page):
    page.evaluate(ADD_RESULTS, MANY)
    popup = browser.open_popup(page)
    expect(popup.get_by_test_id("page-summary")).to_contain_text(f"{MANY:,} images")
    capture = popup.get_by_test_id("capture")
    expect(capture).to_have_text(f"Capture {MANY:,} images")
    tiles = popup.get_by_test_id("candidate")
    assert 0 < tiles.count() < MAX_TILES

    grid = popup.get_by_test_id("candidates")
    grid.focus()
    popup.keyboard.press("End")
    last = popup.locator(f"[aria-posinset='{MANY}']")
    expect(last).to_be_in_viewport()
    assert tiles.count() < MAX_TILES
    popup.keyboard.press("Space")
    expect(last).to_have_attribute("aria-selected", "false")
    expect(capture).to_have_text(f"Capture {MANY - 1:,} images")
    popup.keyboard.press("Shift+Home")
    expect(capture).to_be_disabled()
    expect(popup.locator("[aria-posinset='1']")).to_be_in_viewport()
    popup.keyboard.press("ControlOrMeta+a")
    expect(capture).to_have_text(f"Capture {MANY:,} images")
    popup.close()


def test_a_click_with_the_shift_key_chooses_a_range(browser, site, page):
    count = len(site.addresses("fruits"))
    popup = browser.open_popup(page)
    tiles = popup.get_by_test_id("candidate")
    expect(popup.get_by_test_id("capture")).to_have_text(f"Capture {count} images")
    tiles.nth(1).click()
    tiles.nth(5).click(modifiers=["Shift"])
    expect(popup.get_by_test_id("capture")).to_have_text(f"Capture {count - 5} images")
    popup.close()


def test_a_page_that_reads_badly_is_reported_without_what_it_says(browser, page):
    page.evaluate(HIDE_ORIGINALS)
    browser.context.grant_permissions(["clipboard-read", "clipboard-write"])
    popup = browser.open_popup(page)
    expect(popup.get_by_test_id("page-notice")).to_contain_text("Bing changed its page")
    expect(popup.get_by_test_id("report")).to_be_hidden()
    popup.get_by_test_id("report-view").locator("summary").click()
    shown = popup.get_by_test_id("report").inner_text()
    popup.get_by_test_id("copy-report").click()
    expect(popup.get_by_test_id("report-view")).to_contain_text("Copied")
    assert popup.evaluate("navigator.clipboard.readText()") == shown
    popup.close()

    report = json.loads(shown)
    assert (report["site"], report["state"]) == ("bing", "partial")
    assert report["counts"]["tiles"] == report["selectors"]["tile"] > 0
    assert report["selectors"]["original"] == 0
    assert "fruits" not in shown
    assert "http" not in shown


def test_labels_of_the_dataset_are_offered_with_their_counts(browser, site, page):
    count = len(site.addresses("fruits"))
    popup = browser.open_popup(page)
    expect(popup.get_by_test_id("capture")).to_have_text(f"Capture {count} images")
    expect(popup.get_by_test_id("capture")).to_be_enabled()
    if popup.get_by_test_id("new-dataset").is_visible():
        popup.get_by_test_id("new-dataset").fill("foods")
    popup.get_by_test_id("label").fill("Ripe Fruits")
    popup.get_by_test_id("capture").click()
    expect(popup.get_by_test_id("capture-notice")).to_contain_text("added")
    popup.close()

    again = browser.open_popup(page)
    last = again.get_by_test_id("last-capture")
    expect(last).to_contain_text(f"{count} added · “Ripe Fruits” in foods")
    expect(again.get_by_test_id("undo")).to_be_visible()
    label = again.get_by_test_id("label")
    label.fill("ripe")
    expect(again.get_by_test_id("label-option")).to_have_text(f"Ripe Fruits{count} images")
    label.press("ArrowDown")
    label.press("Enter")
    expect(label).to_have_value("Ripe Fruits")
    expect(again.get_by_test_id("labels")).to_be_hidden()
    again.get_by_test_id("undo").press("Enter")
    expect(again.get_by_test_id("capture-notice")).to_contain_text(f"{count} images taken out")
    expect(last).to_be_hidden()
    # The button that had the keyboard is gone: the keyboard has not lost its place.
    expect(again.get_by_test_id("capture")).to_be_focused()
    again.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("width_px", "height_px"), [(320, 600), (400, 595), (400, 298)])
def test_the_popup_needs_no_scrolling_sideways_and_breaks_no_rule_of_accessibility(
    browser, page, theme, width_px, height_px
):
    page.evaluate(HIDE_ORIGINALS)
    page.evaluate("document.body.append(new Image(300, 200))")
    popup = browser.open_popup(page)
    popup.emulate_media(color_scheme=theme)
    popup.set_viewport_size({"width": width_px, "height": height_px})
    expect(popup.get_by_test_id("page-notice")).to_be_visible()
    popup.locator("#more > summary").click()
    popup.get_by_test_id("report-view").locator("summary").click()
    popup.evaluate(AXE.read_text())
    for tab in ("capture", "classify"):
        popup.get_by_test_id(f"tab-{tab}").click()
        assert popup.evaluate("document.documentElement.scrollWidth") <= width_px
        result = popup.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
        assert [
            (each["id"], [node["html"] for node in each["nodes"]]) for each in result["violations"]
        ] == []
    popup.close()


def test_firefox_asks_for_a_search_site_that_was_taken_back(tmp_path):
    (page,) = [each for each in synthetic_pages() if each.place == BING]
    with (
        HttpsSite({page.place: page.reply}) as web,
        ServerProcess(tmp_path / "data", has_trainer=False) as server,
        server.client() as client,
        steps.open_browser("firefox", tmp_path / "profile", web.port) as firefox,
    ):
        steps.pair(firefox, server, client)
        firefox.run_in_popup(
            "return browser.permissions.remove({ origins: ['https://www.bing.com/*'] });"
        )
        firefox.visit(page.url)
        firefox.open_popup()
        firefox.wait_for_text("page-notice", "does not let extensions read this page")
        firefox.wait_for_text("permission-notice", "not allowed on Bing")
        firefox.click("allow-site")
        firefox.wait_for_text("page-summary", f"{len(page.images)} images")
        firefox.wait_for_text("capture", f"Capture {len(page.images)} images")
