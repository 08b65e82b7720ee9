"""A real Chromium with the extension, and the steps a person takes in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
from playwright.sync_api import BrowserContext, Error, Page, expect, sync_playwright

from tests.support.processes import ROOT

EXTENSION = ROOT / "extension"
PATIENCE_MS = 60_000  # a busy machine stalls; it is waited for a state, never for this time
NEW_DATASET = "new"  # the value of "New dataset…" in the popup's list
# Debian's Chromium looks for Google's hosts at every start unless told not to.
QUIET = (
    "--no-sandbox",  # Chromium refuses to run as root with it, and CI runs as root
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--enable-unsafe-extension-debugging",  # lets a test press the toolbar button
)
CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


@dataclass(frozen=True)
class Chromium:
    """A running browser.

    Attributes:
        context: Its profile.
        extension_id: The id that it gave our extension.
    """

    context: BrowserContext
    extension_id: str

    def open(self, url: str) -> Page:
        """Open a page in a new tab."""
        page = self.context.new_page()
        page.goto(url)
        return page

    def open_popup(self, page: Page | None = None) -> Page:
        """Open the popup as a page of its own that acts on the tab of ``page``."""
        tab = ""
        if page is not None:
            tab = f"?tab={self._tab_id(page)}"
        return self.open(f"chrome-extension://{self.extension_id}/popup/popup.html{tab}")

    def press_button(self, page: Page) -> None:
        """Press the extension's button while ``page`` is shown: its popup opens over the page.

        Like a person's click, this lets the extension into the tab until another page is opened.
        """
        page.bring_to_front()
        browser = self.context.browser
        assert browser is not None
        session = browser.new_browser_cdp_session()
        tabs = session.send("Target.getTargets", {"filter": [{"type": "tab"}]})["targetInfos"]
        (shown,) = [tab["targetId"] for tab in tabs if tab["embedderData"]["tabActive"]]
        session.send("Extensions.triggerAction", {"id": self.extension_id, "targetId": shown})
        session.detach()

    def find_shown_tab_id(self) -> int:
        """Return the id of the tab that is shown, also where the extension may not see its page."""
        worker = self.context.service_workers[0]
        tab_id: int = worker.evaluate(
            "async () => (await chrome.tabs.query({ active: true }))[0].id"
        )
        return tab_id

    def _tab_id(self, page: Page) -> int:
        worker = self.context.service_workers[0]
        tab_id: int = worker.evaluate(
            "async url => (await chrome.tabs.query({})).find(tab => tab.url === url).id", page.url
        )
        return tab_id


@contextmanager
def chromium(
    profile: Path,
    *,
    headless: bool = True,
    slow_mo_ms: float = 0,
    web_port: int | None = None,
    has_camera: bool = False,
) -> Iterator[Chromium]:
    """Yield a Chromium that has loaded the extension's folder as it is.

    Args:
        profile: A folder for its profile.
        headless: Whether its window is not shown.
        slow_mo_ms: Pause after each step.
        web_port: A port on loopback that answers for every host but loopback, by any certificate.
        has_camera: Whether it has one, which shows a test picture; the person allows it.
    """
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    assert path is not None, "Chromium is missing: tests/install-browsers says how to get it"
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            str(profile),
            executable_path=path,
            headless=headless,
            slow_mo=slow_mo_ms,
            viewport={"width": 1200, "height": 900},
            ignore_default_args=["--disable-extensions"],
            args=[
                *(["--headless=new"] if headless else []),
                *QUIET,
                *([] if web_port is None else _map_all_hosts(web_port)),
                *(CAMERA if has_camera else ()),
                f"--disable-extensions-except={EXTENSION}",
                f"--load-extension={EXTENSION}",
            ],
        )
        context.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        try:
            if not context.service_workers:
                context.wait_for_event("serviceworker", timeout=PATIENCE_MS)
            extension_id = context.service_workers[0].url.split("/")[2]
            yield Chromium(context, extension_id)
        finally:
            _close(context)


def _close(context: BrowserContext) -> None:
    """Close the browser, which a test may have killed."""
    try:
        context.close()
    except Error as error:
        if "has been closed" not in error.message:
            raise


def _map_all_hosts(port: int) -> list[str]:
    rules = f"MAP * 127.0.0.1:{port}, EXCLUDE 127.0.0.1, EXCLUDE localhost"
    return [f"--host-resolver-rules={rules}", "--ignore-certificate-errors", "--no-proxy-server"]


def sign_in(browser: Chromium, client: httpx2.Client) -> Page:
    """Sign the web pages in by a one-time link, as the terminal prints it."""
    link = client.post("/api/v1/sign-in-codes").json()["url"]
    page = browser.open(link)
    expect(page.get_by_test_id("pair-button")).to_be_visible()
    return page


def pair(browser: Chromium, home: Page, server_url: str) -> None:
    """Ask the page for a code and type it into the popup."""
    home.get_by_test_id("pair-button").click()
    code = home.get_by_test_id("pairing-code").inner_text()
    popup = browser.open_popup()
    popup.get_by_test_id("server").fill(server_url)
    popup.get_by_test_id("code").fill(code)
    popup.get_by_test_id("pair").click()
    expect(popup.get_by_test_id("tab-capture")).to_be_visible()
    popup.close()
    expect(home.get_by_test_id("paired")).to_be_visible()


def capture_page(browser: Chromium, url: str, dataset: str, label: str | None = None) -> str:
    """Open a page and capture all its images; return what the popup says.

    Args:
        browser: Paired with the server.
        url: The page.
        dataset: By name; made if the popup does not list it.
        label: What to type; None keeps what the popup proposes.
    """
    page = browser.open(url)
    popup = browser.open_popup(page)
    expect(popup.get_by_test_id("candidate").first).to_be_visible()
    choice = popup.get_by_test_id("dataset")
    expect(choice.locator("option")).not_to_have_count(0)
    if choice.locator("option", has_text=dataset).count():
        choice.select_option(label=dataset)
    else:
        choice.select_option(NEW_DATASET)
        popup.get_by_test_id("new-dataset").fill(dataset)
    if label is not None:
        popup.get_by_test_id("label").fill(label)
    # Known images come unticked: sending them again must be harmless, so send them.
    popup.get_by_test_id("choose-all").click()
    popup.get_by_test_id("capture").click()
    notice = popup.get_by_test_id("capture-notice")
    expect(notice).to_contain_text("added")
    said = notice.inner_text()
    popup.close()
    page.close()
    return said


def ask_popup(browser: Chromium, photo: Path) -> str:
    """Give a photo to the popup's second tab; return the label that it shows first."""
    popup = browser.open_popup()
    popup.get_by_test_id("tab-classify").click()
    popup.get_by_test_id("file").set_input_files(photo)
    expect(popup.get_by_test_id("prediction").first).to_be_visible()
    label = popup.get_by_test_id("prediction").first.get_attribute("data-label")
    popup.close()
    assert label is not None
    return label
