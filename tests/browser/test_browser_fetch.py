"""Images that a site shows to its visitors alone, fetched in the person's own session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, expect

from tests.support import workflow
from tests.support.chromium import Chromium, chromium, pair, sign_in
from tests.support.firefox import firefox
from tests.support.guarded_site import GuardedSite
from tests.support.processes import ServerProcess, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def site() -> Iterator[GuardedSite]:
    # Not by the server's own name: the extension sends no cookie there.
    with GuardedSite("localhost") as running:
        yield running


@pytest.fixture(scope="module")
def server(site: GuardedSite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    settings = {"BOWERBIRD_FETCH__ALLOWED_HOSTS": f"{site.authority},127.0.0.1"}
    folder = tmp_path_factory.mktemp("data")
    with ServerProcess(folder, settings, has_trainer=False) as running:
        yield running


@pytest.fixture(scope="module")
def client(server: ServerProcess) -> Iterator[httpx2.Client]:
    with server.client() as client:
        yield client


@pytest.fixture(scope="module")
def browser(
    server: ServerProcess,
    site: GuardedSite,
    client: httpx2.Client,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Chromium]:
    """A browser that is paired with the server, whose person is signed in at the site."""
    with chromium(tmp_path_factory.mktemp("browser") / "profile") as running:
        pair(running, sign_in(running, client), server.url)
        running.open(site.url("/sign-in")).close()
        yield running


def collect(client: httpx2.Client, site: GuardedSite, name: str, paths: list[str]) -> str:
    """Make a dataset of the site's photos, as seen on its gallery; return its id."""
    dataset = workflow.create_dataset(client, name)
    candidates = [
        {"url": site.url(path), "source_url": site.url("/gallery?page=1#top")} for path in paths
    ]
    body = {
        "capture_key": name,
        "label": "bird",
        "captured_at": "2026-11-22T10:00:00Z",
        "candidates": candidates,
    }
    reply = client.post(f"/api/v1/datasets/{dataset}/captures", json=body)
    assert reply.status_code == 201, reply.text
    workflow.wait_settled(client, dataset)
    return dataset


def by_path(client: httpx2.Client, dataset: str) -> dict[str, dict[str, Any]]:
    images = workflow.list_images(client, dataset)
    return {"/" + image["url"].split("/", 3)[3]: image for image in images}


def open_popup(browser: Chromium, dataset: str) -> Page:
    popup = browser.open_popup()
    popup.get_by_test_id("dataset").select_option(dataset)
    return popup


def rules(browser: Chromium) -> list[dict[str, Any]]:
    """Return the rules for requests that the extension has set."""
    found: list[dict[str, Any]] = browser.context.service_workers[0].evaluate(
        "() => chrome.declarativeNetRequest.getSessionRules()"
    )
    return found


def test_what_the_server_is_refused_this_browser_gets_at_a_click(browser, client, site):
    paths = ["/hotlink/1.jpg?size=large&x=%7C*^", "/members/1.jpg", "/moved/2.jpg", "/never/1.jpg"]
    dataset = collect(client, site, "at a click", paths)
    before = by_path(client, dataset)
    assert [i["http_status"] for i in before.values()] == [403, 200, 200, 403]
    popup = open_popup(browser, dataset)
    view = popup.get_by_test_id("browser-fetch-view")
    expect(view).to_contain_text("4 images could not be fetched by the server")
    expect(view).to_contain_text("localhost 4")
    popup.get_by_test_id("browser-fetch").click()
    expect(view).to_contain_text("3 images fetched with this browser")
    expect(view).to_contain_text("localhost: 1 image not fetched, the site answered 403")
    popup.close()

    after = by_path(client, dataset)
    hotlink, members, moved, never = after.values()
    for image in (hotlink, members, moved):
        assert (image["status"], image["obtained_by"]) == ("ready", "browser"), image
    assert moved["final_url"] == site.url("/members/2.jpg")
    assert (never["status"], never["http_status"]) == ("rejected", 403)
    by_server, by_browser = site.visits_of("/hotlink/1.jpg")
    assert "referer" not in by_server.headers
    assert by_browser.headers["referer"] == site.url("/gallery?page=1")
    assert site.visits_of("/members/1.jpg")[1].headers["cookie"] == "member=1"
    assert rules(browser) == []


def test_a_redirect_into_the_persons_network_is_not_followed(browser, client, site):
    with GuardedSite("127.0.0.1") as router:
        site.trap = router.url("/members/router.jpg")
        dataset = collect(client, site, "inside", ["/inside/1.jpg"])
        popup = open_popup(browser, dataset)
        popup.get_by_test_id("browser-fetch").click()
        view = popup.get_by_test_id("browser-fetch-view")
        expect(view).to_contain_text("1 image not fetched")
        popup.close()
        assert len(site.visits_of("/inside/1.jpg")) == 2
        assert router.visits == []
    (image,) = by_path(client, dataset).values()
    assert (image["status"], image["http_status"]) == ("rejected", 403)


def test_the_cookies_of_our_own_server_are_not_sent_to_its_neighbours(browser, client):
    with GuardedSite("127.0.0.1") as neighbour:
        dataset = collect(client, neighbour, "neighbour", ["/never/1.jpg"])
        popup = open_popup(browser, dataset)
        popup.get_by_test_id("browser-fetch").click()
        expect(popup.get_by_test_id("browser-fetch-view")).to_contain_text("answered 403")
        popup.close()
        asked = [visit for visit in neighbour.visits if visit.path != "/robots.txt"]
        assert ["cookie" in visit.headers for visit in asked] == [False, False]


def test_a_run_goes_on_when_the_popup_is_closed(browser, client, site):
    paths = [f"/members/{number}.jpg" for number in range(100, 120)]
    dataset = collect(client, site, "closed", paths)
    popup = open_popup(browser, dataset)
    popup.get_by_test_id("browser-fetch").click()
    view = popup.get_by_test_id("browser-fetch-view")
    expect(view).to_contain_text("of 20")
    popup.close()
    again = open_popup(browser, dataset)
    view = again.get_by_test_id("browser-fetch-view")
    expect(view).to_contain_text("20 images fetched with this browser")
    again.close()
    assert workflow.count_statuses(client, dataset) == {"ready": 20}


def stop_worker(browser: Chromium) -> None:
    """End the background as an eviction does."""
    page = browser.open("about:blank")
    session = browser.context.new_cdp_session(page)
    session.send("ServiceWorker.enable")
    session.send("ServiceWorker.stopAllWorkers")
    page.close()


def test_a_run_goes_on_when_its_worker_is_killed(browser, client, site):
    paths = [f"/members/{number}.jpg" for number in range(200, 220)]
    dataset = collect(client, site, "killed", paths)
    popup = open_popup(browser, dataset)
    popup.get_by_test_id("browser-fetch").click()
    view = popup.get_by_test_id("browser-fetch-view")
    expect(view).to_contain_text("of 20")
    stop_worker(browser)
    popup.bring_to_front()
    expect(view).to_contain_text("20 images fetched with this browser")
    popup.close()
    images = by_path(client, dataset).values()
    assert {(i["status"], i["obtained_by"]) for i in images} == {("ready", "browser")}
    resumed = browser.context.service_workers[0].evaluate(
        "async () => (await chrome.storage.session.get()).browser_fetch.resumed_count"
    )
    assert resumed == 1
    assert rules(browser) == []


def test_rules_that_a_killed_worker_left_are_removed_by_the_next(browser):
    worker = browser.context.service_workers[0]
    worker.evaluate(
        """() => chrome.declarativeNetRequest.updateSessionRules({ addRules: [{
            id: 77, action: { type: 'block' }, condition: { urlFilter: '|http://left.test/' }
        }] })"""
    )
    assert [rule["id"] for rule in rules(browser)] == [77]
    stop_worker(browser)
    popup = browser.open_popup()  # wakes it
    wait_until(
        lambda: popup.evaluate("() => chrome.declarativeNetRequest.getSessionRules()") == [],
        10,
        "the rules are gone",
    )
    popup.close()


def test_firefox_asks_for_the_site_and_fetches_what_the_server_was_refused(tmp_path: Path):
    # The site is not the loopback address that the extension may read from the start.
    with GuardedSite("127.0.0.2") as site, GuardedSite("127.0.0.1") as router:
        site.trap = router.url("/members/router.jpg")
        settings = {"BOWERBIRD_FETCH__ALLOWED_HOSTS": site.authority}
        with (
            ServerProcess(tmp_path / "data", settings, has_trainer=False) as server,
            server.client() as client,
            firefox(tmp_path / "profile") as browser,
        ):
            paths = ["/hotlink/1.jpg", "/members/1.jpg", "/inside/1.jpg"]
            dataset = collect(client, site, "birds", paths)
            browser.open(site.url("/sign-in"))
            browser.open_popup()
            browser.fill("server", server.url)
            browser.fill("code", client.post("/api/v1/pairings").json()["code"])
            browser.click("pair")
            browser.select("dataset", dataset)
            browser.wait_for_text("browser-fetch-view", "127.0.0.2 3")
            before = browser.count_permitted_hosts()
            browser.click("browser-fetch")
            browser.wait_for_text("browser-fetch-view", "2 images fetched with this browser")
            assert browser.count_permitted_hosts() == before + 2, "http and https of the one site"
            rules = browser.session.send(
                "WebDriver:ExecuteAsyncScript",
                script="const [done] = arguments;"
                "window.browser.declarativeNetRequest.getSessionRules().then(done);",
                args=[],
            )
            assert rules == []
            images = by_path(client, dataset)
            for path in ("/hotlink/1.jpg", "/members/1.jpg"):
                image = images[path]
                assert (image["status"], image["obtained_by"]) == ("ready", "browser"), image
    _, by_browser = site.visits_of("/hotlink/1.jpg")
    assert by_browser.headers["referer"] == site.url("/gallery?page=1")
    assert site.visits_of("/members/1.jpg")[1].headers["cookie"] == "member=1"
    assert len(site.visits_of("/inside/1.jpg")) == 2
    assert router.visits == []
