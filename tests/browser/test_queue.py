"""Captures that cannot be sent at once, in real browsers: dead browsers and workers, lost pairings.

Once a capture is in the queue nobody opens a popup any more: what waits goes out by itself.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, expect

from tests.support import workflow
from tests.support.chromium import Chromium, chromium, pair, sign_in
from tests.support.firefox import firefox
from tests.support.gate import Gate
from tests.support.photo_site import PhotoSite
from tests.support.processes import ServerProcess, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DATASET = "foods"
ALARM_S = 120.0  # an alarm fires after 30 s at the earliest, later on a machine with much to do
SETTLE_S = 60.0
LARGE_COUNT = 2500  # three parts
KEEP_FORMER = """async entries => {
    indexedDB.deleteDatabase('bowerbird');
    const request = indexedDB.open('bowerbird', 1);
    await new Promise((resolve, reject) => {
        request.onupgradeneeded = () =>
            request.result.createObjectStore('captures', { keyPath: 'capture_key' });
        request.onsuccess = resolve;
        request.onerror = reject;
    });
    const transaction = request.result.transaction('captures', 'readwrite');
    for (const entry of entries) transaction.objectStore('captures').put(entry);
    await new Promise(resolve => (transaction.oncomplete = resolve));
    request.result.close();
}"""


@pytest.fixture
def site() -> Iterator[PhotoSite]:
    with PhotoSite() as running:
        yield running


@pytest.fixture
def server(site: PhotoSite, tmp_path: Path) -> Iterator[ServerProcess]:
    settings = {"BOWERBIRD_FETCH__ALLOWED_HOSTS": site.authority}
    with ServerProcess(tmp_path / "data", settings, has_trainer=False) as running:
        yield running


@pytest.fixture
def client(server: ServerProcess) -> Iterator[httpx2.Client]:
    with server.client() as opened:
        yield opened


def see_datasets(browser: Chromium) -> None:
    """Open the popup once while the server runs: captures need a destination."""
    popup = browser.open_popup()
    expect(popup.get_by_test_id("dataset").locator("option", has_text=DATASET)).to_have_count(1)
    popup.close()


def open_capture(browser: Chromium, url: str) -> Page:
    """Open a page and the popup on it; return the popup, with everything chosen."""
    popup = browser.open_popup(browser.open(url))
    expect(popup.get_by_test_id("candidate").first).to_be_visible()
    popup.get_by_test_id("dataset").select_option(label=DATASET)
    popup.get_by_test_id("choose-all").click()
    return popup


def keep_page(browser: Chromium, url: str) -> None:
    """Capture a page while the server is stopped; the capture stays here."""
    popup = open_capture(browser, url)
    popup.get_by_test_id("capture").click()
    expect(popup.get_by_test_id("capture-notice")).to_contain_text("No server answers")
    popup.close()


def kill(browser: Chromium) -> None:
    """End the browser with all its processes at once, as a crash of the machine would."""
    running = browser.context.browser
    assert running is not None
    session = running.new_browser_cdp_session()
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    for process in processes:
        os.kill(process["id"], signal.SIGKILL)


def ask(page: Page, message: str, request: object = None) -> Any:
    """Ask the background, as a page of the extension does."""
    answer = page.evaluate(
        "([type, request]) => chrome.runtime.sendMessage({ type, request })", [message, request]
    )
    assert answer["ok"], answer
    return answer["reply"]


def list_urls(client: httpx2.Client, dataset_id: str) -> list[str]:
    return sorted(image["url"] for image in workflow.list_images(client, dataset_id))


def count_captures(client: httpx2.Client, dataset_id: str) -> int:
    total: int = client.get(f"/api/v1/datasets/{dataset_id}/captures").json()["total"]
    return total


def test_what_was_captured_before_the_browser_was_killed_arrives_once(
    site, server, client, tmp_path
):
    dataset_id = workflow.create_dataset(client, DATASET)
    with chromium(tmp_path / "profile") as browser:
        pair(browser, sign_in(browser, client), server.url)
        see_datasets(browser)
        server.stop()
        for query in site.photos:
            keep_page(browser, site.page_url(query))
        kill(browser)

    server.start()
    urls = sorted(url for query in site.photos for url in site.addresses(query))
    with chromium(tmp_path / "profile"):
        wait_until(lambda: list_urls(client, dataset_id) == urls, ALARM_S, "all arrive")
    assert count_captures(client, dataset_id) == len(site.photos) == 3


def test_a_server_that_is_down_is_said_once_and_no_more_when_it_answers(
    site, server, client, tmp_path
):
    dataset_id = workflow.create_dataset(client, DATASET)
    with chromium(tmp_path / "profile") as browser:
        pair(browser, sign_in(browser, client), server.url)
        see_datasets(browser)
        server.stop()
        url = site.page_url("fruits")
        popup = open_capture(browser, url)
        popup.get_by_test_id("capture").click()
        expect(popup.get_by_test_id("queue")).to_contain_text("1 capture kept here")
        # What is kept is chosen no more: a second click would capture it twice.
        expect(popup.get_by_test_id("capture")).to_be_disabled()
        popup.close()

        popup = open_capture(browser, url)
        expect(popup.get_by_test_id("queue")).to_contain_text("1 capture kept here")
        said = popup.get_by_text("No server answers").filter(visible=True)
        expect(said).to_have_count(1)
        server.start()
        popup.get_by_test_id("queue-retry").click()
        expect(popup.get_by_test_id("queue")).to_be_hidden()
        expect(said).to_have_count(0)
    assert count_captures(client, dataset_id) == 1


def test_a_worker_that_is_killed_while_it_sends_sends_once(site, server, client, tmp_path):
    dataset_id = workflow.create_dataset(client, DATASET)
    with Gate(server.port) as gate, chromium(tmp_path / "profile") as browser:
        pair(browser, sign_in(browser, client), gate.url)
        popup = open_capture(browser, site.page_url("fruits"))
        gate.is_open.clear()
        popup.get_by_test_id("capture").click()
        wait_until(lambda: count_captures(client, dataset_id) == 1, SETTLE_S, "the server has it")
        stop = browser.context.new_cdp_session(popup)
        stop.send("ServiceWorker.enable")
        stop.send("ServiceWorker.stopAllWorkers")
        popup.close()
        gate.is_open.set()
        wait_until(lambda: gate.count_captures() == 2, ALARM_S, "it is sent again")

        again = browser.open_popup()
        wait_until(lambda: ask(again, "list-queue") == [], SETTLE_S, "it is settled")
        again.reload()
        expect(again.get_by_test_id("undo")).to_be_visible()
        expect(again.get_by_test_id("queue")).to_be_hidden()
    assert count_captures(client, dataset_id) == 1
    assert list_urls(client, dataset_id) == sorted(site.addresses("fruits"))


def test_a_large_capture_is_sent_in_parts_and_undone_as_one(site, server, client, tmp_path):
    dataset_id = workflow.create_dataset(client, DATASET)
    candidates = [{"url": site.url(f"/none/{i}.jpg"), "rank": i} for i in range(LARGE_COUNT)]
    request = {
        "dataset": {"id": dataset_id, "name": DATASET},
        "label": "many",
        "origin": {"engine": "test", "query": None, "page_url": site.url("/"), "page_title": ""},
        "candidates": candidates,
    }
    with chromium(tmp_path / "profile") as browser:
        pair(browser, sign_in(browser, client), server.url)
        popup = browser.open_popup()
        assert ask(popup, "capture", request)["capture"]["added"] == LARGE_COUNT
        assert count_captures(client, dataset_id) == 3
        ranks = client.get(f"/api/v1/datasets/{dataset_id}/images?limit=1").json()
        assert ranks["total"] == LARGE_COUNT
        popup.reload()
        popup.get_by_test_id("undo").click()
        expect(popup.get_by_test_id("capture-notice")).to_contain_text("2,500")
    assert count_captures(client, dataset_id) == 0
    assert list_urls(client, dataset_id) == []


def test_captures_that_an_earlier_version_kept_arrive(site, server, client, tmp_path):
    dataset_id = workflow.create_dataset(client, DATASET)
    urls = [site.url("/none/1.jpg"), site.url("/none/2.jpg")]
    body = {
        "capture_key": "01JD0000000000000000000000",
        "label": "old",
        "captured_at": "2026-11-22T10:00:00Z",
        "candidates": [{"url": url, "rank": rank} for rank, url in enumerate(urls)],
    }
    entry = {
        "capture_key": body["capture_key"],
        "server": server.url,
        "dataset_id": dataset_id,
        "dataset_name": DATASET,
        "body": body,
        "state": "queued",
        "attempt_count": 3,
        "next_attempt_at_ms": 0,
        "error": "No server answers.",
    }
    with chromium(tmp_path / "profile") as browser:
        pair(browser, sign_in(browser, client), server.url)
        options = browser.open(f"chrome-extension://{browser.extension_id}/options/options.html")
        options.evaluate(KEEP_FORMER, [entry])
        assert ask(options, "retry-queue") == []
    assert list_urls(client, dataset_id) == urls


def test_another_program_on_the_port_is_named_and_gets_nothing(site, server, client, tmp_path):
    dataset_id = workflow.create_dataset(client, DATASET)
    with chromium(tmp_path / "profile") as browser:
        pair(browser, sign_in(browser, client), server.url)
        see_datasets(browser)
        server.stop()
        with closing(socket.create_server(("127.0.0.1", server.port))) as other:
            threading.Thread(target=_be_another_program, args=(other,), daemon=True).start()
            popup = open_capture(browser, site.page_url("fruits"))
            expect(popup.get_by_test_id("capture-notice")).to_contain_text("Another program")
            popup.get_by_test_id("capture").click()
            expect(popup.get_by_test_id("queue")).to_contain_text("Another program")
            other.shutdown(socket.SHUT_RDWR)
        server.start()
        popup.get_by_test_id("queue-retry").click()
        expect(popup.get_by_test_id("queue")).to_be_hidden()
        server.stop()
        keep_page(browser, site.page_url("marine fish"))
        server.start()
        # Opened, it finds that the server answers: nothing has to be pressed.
        popup.reload()
        expect(popup.get_by_test_id("candidate").first).to_be_visible()
        expect(popup.get_by_test_id("queue")).to_be_hidden()
        urls = sorted([*site.addresses("fruits"), *site.addresses("marine fish")])
        wait_until(lambda: list_urls(client, dataset_id) == urls, SETTLE_S, "all arrive")


def _be_another_program(listener: socket.socket) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:  # closed
            return
        with connection:
            connection.recv(65536)
            connection.sendall(
                b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
            )


def test_a_pairing_that_is_over_is_named_and_its_captures_wait_for_the_next(
    site, server, client, tmp_path
):
    dataset_id = workflow.create_dataset(client, DATASET)
    with chromium(tmp_path / "profile") as browser:
        home = sign_in(browser, client)
        pair(browser, home, server.url)
        popup = open_capture(browser, site.page_url("fruits"))
        tokens = client.get("/api/v1/tokens").json()["items"]
        (paired,) = [token for token in tokens if token["kind"] == "extension"]
        client.delete(f"/api/v1/tokens/{paired['id']}").raise_for_status()
        popup.get_by_test_id("capture").click()
        expect(popup.get_by_test_id("capture-notice")).to_contain_text("any more")
        expect(popup.get_by_test_id("queue")).to_contain_text("any more")
        popup.reload()
        expect(popup.get_by_test_id("pairing-view")).to_contain_text("any more")
        assert list_urls(client, dataset_id) == []
        popup.close()
        home.reload()
        pair(browser, home, server.url)
        urls = sorted(site.addresses("fruits"))
        wait_until(lambda: list_urls(client, dataset_id) == urls, SETTLE_S, "it arrives")
    assert count_captures(client, dataset_id) == 1


def test_what_was_captured_before_firefox_was_killed_arrives_once(site, server, client, tmp_path):
    dataset_id = workflow.create_dataset(client, DATASET)
    urls = sorted(site.addresses("fruits"))
    with firefox(tmp_path / "profile") as browser:
        browser.open_popup()
        browser.fill("server", server.url)
        browser.fill("code", client.post("/api/v1/pairings").json()["code"])
        browser.click("pair")
        browser.find("tab-capture")
        browser.wait_for_text("dataset", DATASET)
        server.stop()
        page_url = site.page_url("fruits")
        browser.open(page_url)
        browser.open_popup()
        tab_id = browser.find_tab_id(page_url)
        browser.open_popup(f"?tab={tab_id}")
        browser.find("candidate")
        browser.click("choose-all")
        browser.click("capture")
        browser.wait_for_text("capture-notice", "No server answers")
        browser.kill()

    server.start()
    # Firefox forgets a temporary add-on when it ends, but not what that has stored.
    with firefox(tmp_path / "profile"):
        wait_until(lambda: list_urls(client, dataset_id) == urls, ALARM_S, "all arrive")
    assert count_captures(client, dataset_id) == 1


def test_a_capture_that_the_disk_has_no_room_for_is_refused_in_words(
    site, server, client, tmp_path
):
    dataset_id = workflow.create_dataset(client, DATASET)
    with chromium(tmp_path / "profile") as browser:
        pair(browser, sign_in(browser, client), server.url)
        popup = open_capture(browser, site.page_url("fruits"))
        origin = f"chrome-extension://{browser.extension_id}"
        disk = browser.context.new_cdp_session(popup)
        disk.send("Storage.overrideQuotaForOrigin", {"origin": origin, "quotaSize": 1})
        popup.get_by_test_id("capture").click()
        expect(popup.get_by_test_id("capture-notice")).to_contain_text("the disk has no room")
        disk.send("Storage.overrideQuotaForOrigin", {"origin": origin})
        popup.get_by_test_id("capture").click()
        expect(popup.get_by_test_id("capture-notice")).to_contain_text("added")
    assert list_urls(client, dataset_id) == sorted(site.addresses("fruits"))
