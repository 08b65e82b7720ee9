"""Scroll and capture in real browsers, on growing pages: each way to end, nothing lost by it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, expect

from tests.support import steps as people
from tests.support import workflow
from tests.support.chromium import Chromium, chromium, pair, sign_in
from tests.support.growing_site import VIRTUAL_COUNT, GrowingSite
from tests.support.processes import ServerProcess, wait_until
from tests.support.steps import FirefoxSteps, open_browser

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

RUN_S = 180.0  # a run of 600 images takes some 30 s: it is paced
LOOK_S = 60.0
PANEL = "bowerbird-scroll"


@pytest.fixture(scope="module")
def site() -> Iterator[GrowingSite]:
    with GrowingSite() as running:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("scroll") / "data"
    with ServerProcess(folder, has_trainer=False) as running:
        yield running


@pytest.fixture(scope="module")
def client(server: ServerProcess) -> Iterator[httpx2.Client]:
    with server.client() as opened:
        yield opened


@pytest.fixture(scope="module")
def browser(
    server: ServerProcess, client: httpx2.Client, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Chromium]:
    with chromium(tmp_path_factory.mktemp("scroll") / "profile") as running:
        pair(running, sign_in(running, client), server.url)
        yield running


@pytest.fixture
def dataset_id(client: httpx2.Client, request: pytest.FixtureRequest) -> str:
    return workflow.create_dataset(client, request.node.name)


def start(browser: Chromium, page: Page, dataset_id: str, goal: int) -> Page:
    """Start a run on a page; return the popup, in which it is seen going on."""
    popup = browser.open_popup(page)
    expect(popup.locator(f"option[value='{dataset_id}']")).to_have_count(1)
    # Until a label is proposed, what is typed would stand beside it.
    expect(popup.get_by_test_id("label")).not_to_have_value("")
    popup.get_by_test_id("dataset").select_option(dataset_id)
    popup.get_by_test_id("label").fill("grizzly")
    expect(popup.get_by_test_id("label")).to_have_value("grizzly")
    popup.get_by_test_id("scroll-goal").select_option(str(goal))
    popup.get_by_test_id("scroll-start").click()
    expect(popup.get_by_test_id("scroll-count")).to_be_visible()
    return popup


def expect_end(popup: Page, text: str) -> None:
    expect(popup.get_by_test_id("scroll-notice")).to_contain_text(text, timeout=RUN_S * 1000)


def find_captured(client: httpx2.Client, dataset_id: str) -> dict[int, str]:
    """Return the captured addresses by rank, of which there must be one capture."""
    captures = client.get(f"/api/v1/datasets/{dataset_id}/captures").json()
    assert captures["total"] == 1, captures
    ranks: dict[int, str] = {}
    for image in workflow.list_images(client, dataset_id):
        (sighting,) = client.get(f"/api/v1/images/{image['id']}").json()["sightings"]
        assert (sighting["query"], image["label"]) == ("bear", "grizzly")
        ranks[sighting["rank"]] = image["url"]
    return ranks


def count_images(client: httpx2.Client, dataset_id: str) -> int:
    total: int = client.get(f"/api/v1/datasets/{dataset_id}").json()["counts"]["total"]
    return total


def test_a_growing_page_is_captured_up_to_the_goal(browser, site, client, dataset_id):
    page = browser.open(site.page_url("plain"))
    start(browser, page, dataset_id, 100).close()
    # Closed and opened again, the popup finds the run where it is.
    popup = browser.open_popup(page)
    expect(popup.get_by_test_id("scroll-count")).to_contain_text("of 100")
    before = popup.get_by_test_id("page-summary").inner_text()
    expect_end(popup, "100 images captured")
    expect(popup.get_by_test_id("scroll-notice")).to_contain_text("100 added, 0 known, 0 refused")
    expect(popup.get_by_test_id("scroll-start")).to_be_visible()
    assert find_captured(client, dataset_id) == dict(enumerate(site.addresses(100)))
    # The popup has read the page again, and offers to take the run back.
    expect(popup.get_by_test_id("page-summary")).not_to_have_text(before)
    popup.get_by_test_id("undo").click()
    expect(popup.get_by_test_id("capture-notice")).to_contain_text("100 images taken out")
    assert count_images(client, dataset_id) == 0
    popup.close()
    page.close()


def test_of_a_virtualised_list_everything_is_captured_in_order(browser, site, client, dataset_id):
    page = browser.open(site.page_url("virtual"))
    popup = start(browser, page, dataset_id, 1000)
    expect_end(popup, "This is all that the page has")
    assert find_captured(client, dataset_id) == dict(enumerate(site.addresses(VIRTUAL_COUNT)))
    popup.close()
    page.close()


def test_escape_stops_it_and_no_key_of_the_pages_own_does(browser, site, client, dataset_id):
    page = browser.open(site.page_url("endless"))
    popup = start(browser, page, dataset_id, 2000)
    page.bring_to_front()
    page.wait_for_selector(f"#{PANEL}")
    page.evaluate(
        "() => ['keydown', 'keyup'].forEach(type => document.body.dispatchEvent("
        "new KeyboardEvent(type, { key: 'Escape', bubbles: true })))"
    )
    page.wait_for_function("() => document.images.length > 100", timeout=LOOK_S * 1000)
    page.keyboard.press("Escape")
    expect_end(popup, "Stopped.")
    count = count_images(client, dataset_id)
    assert count >= 72, "the page's own key stopped it"
    assert find_captured(client, dataset_id) == dict(enumerate(site.addresses(count)))
    popup.close()
    page.close()


def test_the_popup_stops_it_too(browser, site, client, dataset_id):
    page = browser.open(site.page_url("endless"))
    popup = start(browser, page, dataset_id, 2000)
    popup.get_by_test_id("scroll-stop").click()
    expect_end(popup, "Stopped.")
    count = count_images(client, dataset_id)
    assert find_captured(client, dataset_id) == dict(enumerate(site.addresses(count)))
    popup.close()
    page.close()


def test_a_tab_closed_midway_leaves_what_was_found_once(browser, site, client, dataset_id):
    page = browser.open(site.page_url("endless"))
    popup = start(browser, page, dataset_id, 2000)
    page.wait_for_function("() => document.images.length > 100", timeout=LOOK_S * 1000)
    popup.close()
    page.close()
    wait_until(lambda: count_images(client, dataset_id) > 0, LOOK_S, "it arrives")
    found = find_captured(client, dataset_id)
    assert len(found) >= 72
    assert found == dict(enumerate(site.addresses(len(found))))


def evict_worker(browser: Chromium) -> None:
    """End the extension's worker, as the browser does with one that has nothing to do."""
    running = browser.context.browser
    assert running is not None
    session = running.new_browser_cdp_session()
    targets: list[dict[str, Any]] = session.send("Target.getTargets")["targetInfos"]
    (worker,) = [target for target in targets if target["type"] == "service_worker"]
    session.send("Target.closeTarget", {"targetId": worker["targetId"]})
    session.detach()


def test_an_evicted_worker_loses_and_doubles_nothing(browser, site, client, dataset_id):
    page = browser.open(site.page_url("plain"))
    popup = start(browser, page, dataset_id, 100)
    popup.close()
    page.bring_to_front()
    page.wait_for_function("() => document.images.length > 48", timeout=LOOK_S * 1000)
    evict_worker(browser)
    wait_until(lambda: count_images(client, dataset_id) > 0, RUN_S, "it arrives")
    assert find_captured(client, dataset_id) == dict(enumerate(site.addresses(100)))
    page.close()


@pytest.mark.parametrize(
    ("name", "says"),
    [("captcha", "Stopped by a captcha"), ("other", "the page shows something else now")],
)
def test_what_comes_between_ends_it(browser, site, client, dataset_id, name, says):
    page = browser.open(site.page_url(name))
    popup = start(browser, page, dataset_id, 2000)
    expect_end(popup, says)
    found = find_captured(client, dataset_id)
    assert len(found) >= 48
    assert found == dict(enumerate(site.addresses(len(found))))
    popup.close()
    page.close()


def test_in_firefox_it_waits_while_its_tab_is_hidden(site, server, client, tmp_path, dataset_id):
    with open_browser("firefox", tmp_path / "profile") as person:
        assert isinstance(person, FirefoxSteps)
        people.pair(person, server, client)
        person.visit(site.page_url("plain"))
        person.open_popup()
        person.select("dataset", dataset_id)
        person.fill("label", "grizzly")
        person.select("scroll-goal", "100")
        person.click("scroll-start")
        person.wait_for_text("scroll-count", "of 100")
        person.wait_for_text("scroll-view", "Show the tab to go on")
        panel = f"return document.getElementById('{PANEL}') !== null"
        assert person.run(panel)
        wait_until(lambda: count_images(client, dataset_id) == 100, RUN_S, "all are captured")
        person.wait_for_text("scroll-notice", "100 added, 0 known, 0 refused")
    assert find_captured(client, dataset_id) == dict(enumerate(site.addresses(100)))
