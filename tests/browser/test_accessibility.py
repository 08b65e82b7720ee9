"""The extension's pages under axe-core: no violation of any of its rules, in light and in dark."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.support.accessibility import SCHEMES, assert_accessible
from tests.support.chromium import Chromium, chromium, pair, sign_in
from tests.support.photo_site import PhotoSite
from tests.support.processes import ServerProcess

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# Only the worker asks the server: hence its answers are changed there. A training takes longer.
ANSWER_AS_A_MODEL = """() => {
    const ask = globalThis.fetch;
    const model = { id: 'M', dataset_id: 'D', stage: 'live', classes: ['a', 'b'], created_at: '' };
    const predictions = [
        { label: 'grizzly', probability: 0.9 }, { label: 'black bear', probability: 0.1 },
    ];
    const answer = { model_id: 'M', dataset_id: 'D', label: 'grizzly', probability: 0.9,
        abstained: false, threshold: 0.5, predictions, milliseconds: 4, sha256: '' };
    const answers = [
        [/\\/models\\?/, { items: [model], next_cursor: null }],
        [/\\/classify/, answer],
        [/\\/datasets\\/D$/, { id: 'D', name: 'bears', counts: { labels: {} } }],
    ];
    globalThis.fetch = async (url, init) => {
        const known = answers.find(([pattern]) => pattern.test(String(url)));
        return known === undefined ? ask(url, init) : new Response(JSON.stringify(known[1]), {
            headers: { 'X-Bowerbird': '1', 'Content-Type': 'application/json' },
        });
    };
}"""


@pytest.fixture(scope="module")
def site() -> Iterator[PhotoSite]:
    with PhotoSite() as running:
        yield running


@pytest.fixture(scope="module")
def browser(site: PhotoSite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """A browser that is paired with a server."""
    folder = tmp_path_factory.mktemp("accessibility")
    with (
        ServerProcess(folder / "data", has_trainer=False) as server,
        server.client() as client,
        chromium(folder / "profile") as running,
    ):
        pair(running, sign_in(running, client), server.url)
        yield running


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_pairing_view(tmp_path, scheme):
    with chromium(tmp_path / "profile") as browser:
        popup = browser.open_popup()
        expect(popup.get_by_test_id("pairing-view")).to_be_visible()
        assert_accessible(popup, scheme)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_capture_view_with_images(browser, site, scheme):
    page = browser.open(site.page_url("fruits"))
    popup = browser.open_popup(page)
    expect(popup.get_by_test_id("candidate").first).to_be_visible()
    for details in popup.locator("details").all():
        details.evaluate("element => { element.open = true; }")
    assert_accessible(popup, scheme)
    popup.close()
    page.close()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_queue_with_errors(browser, site, scheme):
    page = browser.open(site.page_url("fruits"))
    popup = browser.open_popup(page)
    popup.evaluate(
        """async () => {
            const request = {
                dataset: { id: 'gone', name: 'gone' }, label: 'grizzly',
                origin: { engine: 'test', query: null, page_url: '', page_title: '' },
                candidates: [{ url: 'https://a.example/1.jpg', rank: 0 }],
            };
            await chrome.runtime.sendMessage({ type: 'capture', request });
        }"""
    )
    popup.reload()
    expect(popup.get_by_test_id("queue-forget")).to_be_visible()
    expect(popup.get_by_test_id("candidate").first).to_be_visible()
    assert_accessible(popup, scheme)
    popup.get_by_test_id("queue-forget").click()
    expect(popup.get_by_test_id("queue")).to_be_hidden()
    popup.close()
    page.close()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_classify_view_with_an_answer(browser, site, scheme):
    browser.context.service_workers[0].evaluate(ANSWER_AS_A_MODEL)
    popup = browser.open_popup()
    popup.get_by_test_id("tab-classify").click()
    popup.get_by_test_id("address").fill(site.addresses("fruits")[0])
    popup.get_by_test_id("classify").click()
    expect(popup.get_by_test_id("prediction").first).to_be_visible()
    assert_accessible(popup, scheme)
    popup.close()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_options(browser, scheme):
    options = browser.open(f"chrome-extension://{browser.extension_id}/options/options.html")
    expect(options.get_by_role("heading", level=1)).to_be_visible()
    options.wait_for_load_state("networkidle")
    for details in options.locator("details").all():
        details.evaluate("element => { element.open = true; }")
    assert_accessible(options, scheme)
    options.close()
