"""The options page in both real browsers: servers, search sites, colours, all that is stored."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.support import workflow
from tests.support.chromium import Chromium, capture_page, chromium
from tests.support.firefox import ADDON_UUID, PATIENCE_S, Firefox, firefox
from tests.support.photo_site import PhotoSite
from tests.support.processes import ROOT, ServerProcess, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
FEWEST_SEARCH_HOSTS = 100  # Google alone has one for almost every country
REGISTERED = "async () => (await chrome.scripting.getRegisteredContentScripts())[0]?.matches ?? []"
DATABASES = """async () => {
    let count = 0;
    for (const { name } of await indexedDB.databases()) {
        const database = await new Promise(done => {
            const request = indexedDB.open(name);
            request.onsuccess = () => done(request.result);
        });
        for (const store of database.objectStoreNames) {
            count += await new Promise(done => {
                const request = database.transaction(store).objectStore(store).count();
                request.onsuccess = () => done(request.result);
            });
        }
        database.close();
    }
    return count;
}"""


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Chromium]:
    with chromium(tmp_path / "profile") as running:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("server")
    with ServerProcess(folder / "data", has_trainer=False) as running:
        yield running


@pytest.fixture(scope="module")
def other_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("other")
    with ServerProcess(folder / "data", has_trainer=False) as running:
        yield running


def open_options(browser: Chromium) -> Page:
    return browser.open(f"chrome-extension://{browser.extension_id}/options/options.html")


def new_code(server: ServerProcess) -> str:
    with server.client() as client:
        code: str = client.post("/api/v1/pairings").json()["code"]
    return code


def add_server(options: Page, server: ServerProcess) -> None:
    """Pair with a server in the options page."""
    options.get_by_test_id("add-server").click()
    options.get_by_test_id("server").fill(server.url)
    options.get_by_test_id("code").fill(new_code(server))
    options.get_by_test_id("pair").click()
    expect(options.get_by_test_id("notice")).to_contain_text(server.url)


def row(options: Page, server: ServerProcess) -> Any:
    return options.locator(f"[data-testid=server-row][data-url='{server.url}']")


def stored(browser: Chromium) -> dict[str, Any]:
    items: dict[str, Any] = browser.context.service_workers[0].evaluate(
        "() => chrome.storage.local.get(null)"
    )
    return items


def test_servers_are_added_used_unpaired_and_forgotten(browser, server, other_server):
    options = open_options(browser)
    expect(options.get_by_test_id("servers-none")).to_be_visible()
    add_server(options, server)
    expect(row(options, server)).to_contain_text("running, version")
    add_server(options, other_server)
    expect(options.get_by_test_id("server-row")).to_have_count(2)
    expect(row(options, other_server).get_by_test_id("server-active")).to_be_visible()
    expect(row(options, server).get_by_test_id("server-active")).to_have_count(0)

    row(options, server).get_by_test_id("server-use").click()
    expect(row(options, server).get_by_test_id("server-active")).to_be_visible()
    row(options, other_server).get_by_test_id("server-unpair").click()
    expect(row(options, other_server)).to_contain_text("not paired")
    with other_server.client() as client:
        kinds = [token["kind"] for token in client.get("/api/v1/tokens").json()["items"]]
    assert "extension" not in kinds

    forget = row(options, other_server).get_by_test_id("server-forget")
    forget.click()
    expect(forget).to_have_text("Really forget?")
    expect(options.get_by_test_id("server-row")).to_have_count(2)
    options.get_by_test_id("export").focus()
    expect(forget).to_have_text("Forget")
    forget.click()
    forget.click()
    expect(options.get_by_test_id("server-row")).to_have_count(1)
    assert [each["url"] for each in stored(browser)["servers"]] == [server.url]


def test_the_popup_chooses_among_servers_and_each_keeps_its_choices(browser, server, other_server):
    with PhotoSite() as site:
        options = open_options(browser)
        add_server(options, server)
        popup = browser.open_popup()
        expect(popup.get_by_test_id("tab-capture")).to_be_visible()
        expect(popup.get_by_test_id("servers")).to_be_hidden()
        popup.close()
        capture_page(browser, site.page_url("fruits"), "fruits here")
        add_server(options, other_server)
        capture_page(browser, site.page_url("fruits"), "fruits there")

        page = browser.open(site.page_url("fruits"))
        popup = browser.open_popup(page)
        chooser = popup.get_by_test_id("servers")
        expect(chooser).to_have_value(other_server.url)
        expect(popup.get_by_test_id("dataset").locator("option:checked")).to_have_text(
            "fruits there"
        )
        chooser.select_option(server.url)
        expect(popup.get_by_test_id("dataset").locator("option:checked")).to_have_text(
            "fruits here"
        )
        popup.close()
        page.close()
    for running, name in ((server, "fruits here"), (other_server, "fruits there")):
        with running.client() as client:
            names = [each["name"] for each in client.get("/api/v1/datasets").json()["items"]]
        assert names == [name]


def test_what_the_first_revision_stored_is_in_use_after_the_update(browser, server):
    with server.client() as client:
        name = {"code": new_code(server), "client": "bowerbird-extension/0.1.0 (chromium)"}
        pairing = client.post("/api/v1/pairings/redeem", json=name).json()
        dataset_id = workflow.create_dataset(client, "from before")
    former = {
        "revision": 1,
        "server": server.url,
        "pairing": pairing,
        "is_pairing_lost": False,
        "dataset_id": dataset_id,
        "last_labels": {dataset_id: "teddy bear"},
        "sites_off": ["baidu"],
    }
    worker = browser.context.service_workers[0]
    worker.evaluate("items => chrome.storage.local.set(items)", former)
    options = open_options(browser)
    expect(row(options, server)).to_contain_text("paired as")
    expect(options.get_by_test_id("site-baidu")).not_to_be_checked()
    popup = browser.open_popup()
    chosen = popup.get_by_test_id("dataset").locator("option:checked")
    expect(chosen).to_have_text("from before")
    items = stored(browser)
    assert items["revision"] == 2
    assert items["pairing"] is None
    assert items["servers"][0]["pairing"]["token"] == pairing["token"]


def test_a_site_that_is_switched_off_has_no_script_at_once(browser):
    worker = browser.context.service_workers[0]
    wait_until(
        lambda: len(worker.evaluate(REGISTERED)) > FEWEST_SEARCH_HOSTS, PATIENCE_S, "registered"
    )
    options = open_options(browser)
    sites = options.get_by_test_id("sites").get_by_role("switch")
    expect(sites).to_have_count(11)
    for name in ("bing", "google", "yandex"):
        options.get_by_test_id(f"site-{name}").click()
    wait_until(
        lambda: not any("google" in each for each in worker.evaluate(REGISTERED)),
        PATIENCE_S,
        "no script for Google",
    )
    wait_until(
        lambda: sorted(stored(browser)["sites_off"]) == ["bing", "google", "yandex"],
        PATIENCE_S,
        "remembered",
    )
    options.reload()
    expect(options.get_by_test_id("site-bing")).not_to_be_checked()
    expect(options.get_by_test_id("site-flickr")).to_be_checked()
    options.get_by_test_id("site-bing").press("Space")
    wait_until(
        lambda: "https://www.bing.com/*" in worker.evaluate(REGISTERED), PATIENCE_S, "on again"
    )


def test_the_model_is_asked_about_marked_images_only_once_that_is_switched_on(browser):
    options = open_options(browser)
    expect(options.get_by_test_id("opinions")).not_to_be_checked()
    options.get_by_test_id("opinions").press("Space")
    wait_until(lambda: stored(browser).get("is_model_asked") is True, PATIENCE_S, "remembered")
    options.reload()
    expect(options.get_by_test_id("opinions")).to_be_checked()
    options.get_by_test_id("opinions").press("Space")
    wait_until(lambda: stored(browser)["is_model_asked"] is False, PATIENCE_S, "taken back")


def test_colours_are_changed_in_all_open_pages_and_remembered(browser):
    popup = browser.open_popup()
    options = open_options(browser)
    grounds = {}
    for theme in ("dark", "light"):
        options.get_by_test_id(f"theme-{theme}").check()
        for page in (options, popup):
            expect(page.locator("html")).to_have_attribute("data-theme", theme)
        grounds[theme] = popup.evaluate("getComputedStyle(document.body).backgroundColor")
    assert grounds["dark"] != grounds["light"]
    options.reload()
    expect(options.get_by_test_id("theme-light")).to_be_checked()
    options.get_by_test_id("theme-auto").check()
    expect(popup.locator("html")).not_to_have_attribute("data-theme", "light")
    for scheme in ("dark", "light"):
        popup.emulate_media(color_scheme=scheme)
        assert popup.evaluate("getComputedStyle(document.body).backgroundColor") == grounds[scheme]


def test_everything_can_be_saved_and_forgotten(browser, server, tmp_path):
    with PhotoSite() as site:
        options = open_options(browser)
        add_server(options, server)
        capture_page(browser, site.page_url("fruits"), "to be forgotten")
        options.get_by_test_id("site-bing").click()
        options.get_by_test_id("theme-dark").click()
        with options.expect_download() as download:
            options.get_by_test_id("export").click()
        download.value.save_as(tmp_path / "saved.json")
    token = stored(browser)["servers"][0]["pairing"]["token"]
    text = (tmp_path / "saved.json").read_text()
    saved = json.loads(text)
    assert saved["settings"]["servers"][0]["url"] == server.url
    assert saved["sent"][0]["dataset_name"] == "to be forgotten"
    assert token not in text

    worker = browser.context.service_workers[0]
    assert worker.evaluate(DATABASES) > 0
    erase = options.get_by_test_id("erase")
    erase.click()
    expect(erase).to_have_text("Really forget everything?")
    assert stored(browser)["servers"]
    erase.click()
    expect(options.get_by_test_id("notice")).to_have_text("Everything is forgotten.")
    expect(options.get_by_test_id("servers-none")).to_be_visible()
    expect(options.get_by_test_id("site-bing")).to_be_checked()
    expect(options.locator("html")).not_to_have_attribute("data-theme", "dark")
    assert stored(browser) == {}
    assert worker.evaluate(DATABASES) == 0
    assert "https://www.bing.com/*" in worker.evaluate(REGISTERED)
    with server.client() as client:
        revoked = {"Authorization": f"Bearer {token}"}
        assert client.get("/api/v1/datasets", headers=revoked).status_code == 401


def test_what_a_newer_extension_stored_is_said_and_left_alone(browser):
    items = {"revision": 99, "servers": "in another shape"}
    worker = browser.context.service_workers[0]
    worker.evaluate("items => chrome.storage.local.set(items)", items)
    options = open_options(browser)
    expect(options.get_by_test_id("notice")).to_contain_text("newer version")
    options.get_by_test_id("theme-dark").click()
    expect(options.get_by_test_id("notice")).to_contain_text("newer version")
    assert stored(browser) == items
    options.get_by_test_id("erase").click()
    options.get_by_test_id("erase").click()
    expect(options.get_by_test_id("notice")).to_have_text("Everything is forgotten.")


def test_the_page_names_its_shortcuts_and_leads_to_where_they_are_changed(browser):
    options = open_options(browser)
    names = options.get_by_test_id("shortcuts").locator("dt")
    expect(names.first).to_have_text("Open Bowerbird")
    expect(names.filter(has_text="Capture the images of this page")).to_be_visible()
    with browser.context.expect_page() as opened:
        options.get_by_test_id("change-shortcuts").click()
    expect(opened.value).to_have_url("chrome://extensions/shortcuts")


def find_violations(page: Page) -> list[tuple[str, list[str]]]:
    """Return the rules of axe-core that a page breaks, and where."""
    result = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
    return [(each["id"], [node["html"] for node in each["nodes"]]) for each in result["violations"]]


def test_the_page_is_accessible_in_any_colours_and_width(browser, server):
    options = open_options(browser)
    add_server(options, server)
    options.get_by_test_id("add-server").click()
    expect(options.get_by_test_id("server-state")).not_to_be_empty()
    options.evaluate(AXE.read_text())
    for theme in ("light", "dark"):
        options.get_by_test_id(f"theme-{theme}").click()
        expect(options.locator("html")).to_have_attribute("data-theme", theme)
        options.get_by_test_id("erase").click()  # armed: in the colours of a warning
        for width_px in (1200, 380):
            options.set_viewport_size({"width": width_px, "height": 900})
            assert options.evaluate("document.documentElement.scrollWidth") <= width_px
            assert find_violations(options) == [], (theme, width_px)


def open_options_in_firefox(browser: Firefox) -> None:
    browser.open(f"moz-extension://{ADDON_UUID}/options/options.html")


def test_firefox_says_which_sites_it_withholds_and_allows_them_at_a_click(tmp_path, server):
    with firefox(tmp_path / "profile") as browser:
        open_options_in_firefox(browser)
        browser.find("site-google")
        before = browser.count_permitted_hosts()
        assert before > FEWEST_SEARCH_HOSTS
        browser.session.send(
            "WebDriver:ExecuteAsyncScript",
            script="const [done] = arguments; const { permissions, runtime } = window.browser;"
            "const origins = runtime.getManifest().host_permissions"
            ".filter(each => /bing|google/.test(each));"
            "permissions.remove({ origins }).then(done);",
            args=[],
        )
        open_options_in_firefox(browser)
        browser.wait_for_text("sites-revoked", "some of these sites")
        browser.click("allow-bing")
        browser.wait_for_text("sites-revoked", "some of these sites")
        browser.find("allow-google")
        browser.click("allow-all")
        wait_until(lambda: browser.count_permitted_hosts() == before, PATIENCE_S, "all allowed")

        browser.click("add-server")
        browser.fill("server", server.url)
        browser.fill("code", new_code(server))
        browser.click("pair")
        browser.wait_for_text("servers", "running, version")
        browser.click("theme-dark")
        browser.wait_for_text("shortcuts", "Capture the images of this page")
        theme = browser.run("return document.documentElement.dataset.theme")
        assert theme == "dark"
        browser.click("site-bing")
        wait_until(
            lambda: browser.send("read-state", None)["sites_off"] == ["bing"],
            PATIENCE_S,
            "Bing is off",
        )
