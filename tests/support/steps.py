"""The steps of a person at a browser with the extension, the same in Chromium and in Firefox."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import httpx2
from playwright.sync_api import Locator, Page, expect
from typing_extensions import override

from tests.support.chromium import PATIENCE_MS, Chromium, chromium
from tests.support.firefox import PATIENCE_S, Firefox, firefox
from tests.support.processes import ServerProcess, wait_until

BROWSERS = ("chromium", "firefox")


class Steps(Protocol):
    """One browser; steps in the popup act on the popup that was opened last."""

    name: str

    def visit(self, url: str) -> None:
        """Open a page in a new tab; popups act on it from now on."""

    def run(self, script: str) -> Any:
        """Run the body of a function in the page that was visited last; return its result."""

    def show_page(self) -> None:
        """Show the tab of the page that was visited last."""

    def press_button(self) -> None:
        """Press the toolbar button on the page that was visited last."""

    def open_popup(self, *, has_page: bool = True) -> None:
        """Open the popup as a page of its own that acts on the page visited last, or on none."""

    def click(self, test_id: str) -> None:
        """Click an element of the popup."""

    def fill(self, test_id: str, text: str) -> None:
        """Type into a field of the popup."""

    def select(self, test_id: str, value: str) -> None:
        """Choose a value from a list of the popup, once the list has it."""

    def choose_file(self, test_id: str, path: Path) -> None:
        """Choose a file in the popup."""

    def value(self, test_id: str) -> str:
        """Return what a field of the popup holds."""

    def wait_for_text(self, test_id: str, text: str) -> None:
        """Wait until an element of the popup says ``text``."""

    def run_in_popup(self, script: str) -> Any:
        """Run the body of a function in the popup; return its result."""

    def leave(self) -> None:
        """Close the page that was visited last and the popup, which may keep the machine busy."""


class ChromiumSteps(Steps):
    """The steps in Chromium."""

    name = "chromium"

    def __init__(self, browser: Chromium) -> None:
        self.browser = browser
        self.page: Page | None = None
        self.tab_id: int | None = None
        self.popup: Page | None = None

    @override
    def visit(self, url: str) -> None:
        self.page = self.browser.open(url)
        self.tab_id = self.browser.find_shown_tab_id()

    @override
    def run(self, script: str) -> Any:
        assert self.page is not None
        return self.page.evaluate(f"() => {{ {script} }}")

    @override
    def show_page(self) -> None:
        assert self.page is not None
        self.page.bring_to_front()

    @override
    def press_button(self) -> None:
        assert self.page is not None
        self.browser.press_button(self.page)

    @override
    def open_popup(self, *, has_page: bool = True) -> None:
        query = f"?tab={self.tab_id}" if has_page else ""
        address = f"chrome-extension://{self.browser.extension_id}/popup/popup.html{query}"
        self.popup = self.browser.open(address)

    def _find(self, test_id: str) -> Locator:
        assert self.popup is not None
        return self.popup.get_by_test_id(test_id)

    @override
    def click(self, test_id: str) -> None:
        self._find(test_id).click()

    @override
    def fill(self, test_id: str, text: str) -> None:
        self._find(test_id).fill(text)

    @override
    def select(self, test_id: str, value: str) -> None:
        self._find(test_id).select_option(value)

    @override
    def choose_file(self, test_id: str, path: Path) -> None:
        self._find(test_id).set_input_files(path)

    @override
    def value(self, test_id: str) -> str:
        return self._find(test_id).input_value()

    @override
    def wait_for_text(self, test_id: str, text: str) -> None:
        expect(self._find(test_id).first).to_contain_text(text, timeout=PATIENCE_MS)

    @override
    def run_in_popup(self, script: str) -> Any:
        assert self.popup is not None
        return self.popup.evaluate(f"() => {{ {script} }}")

    @override
    def leave(self) -> None:
        for each in (self.popup, self.page):
            assert each is not None
            each.close()


class FirefoxSteps(Steps):
    """The steps in Firefox."""

    name = "firefox"

    def __init__(self, browser: Firefox) -> None:
        self.browser = browser
        self.tab_id: int | None = None
        self.page_handle = ""
        self.popup_handle = ""

    @override
    def visit(self, url: str) -> None:
        self.browser.open(url)
        self.page_handle = self.browser.shown_handle()
        self.tab_id = self.browser.find_shown_tab_id()

    @override
    def run(self, script: str) -> Any:
        self.browser.show(self.page_handle)
        return self.browser.run(script)

    @override
    def show_page(self) -> None:
        self.browser.show(self.page_handle)

    @override
    def press_button(self) -> None:
        self.browser.show(self.page_handle)
        self.browser.press_button()

    @override
    def open_popup(self, *, has_page: bool = True) -> None:
        self.browser.open_popup(f"?tab={self.tab_id}" if has_page else "")
        self.popup_handle = self.browser.shown_handle()

    @override
    def click(self, test_id: str) -> None:
        self.browser.show(self.popup_handle)
        self.browser.click(test_id)

    @override
    def fill(self, test_id: str, text: str) -> None:
        self.browser.show(self.popup_handle)
        self.browser.fill(test_id, text)

    @override
    def select(self, test_id: str, value: str) -> None:
        self.browser.show(self.popup_handle)
        self.browser.select(test_id, value)

    @override
    def choose_file(self, test_id: str, path: Path) -> None:
        self.browser.show(self.popup_handle)
        self.browser.choose_file(test_id, path)

    @override
    def value(self, test_id: str) -> str:
        self.browser.show(self.popup_handle)
        return self.browser.value(test_id)

    @override
    def wait_for_text(self, test_id: str, text: str) -> None:
        self.browser.show(self.popup_handle)
        self.browser.wait_for_text(test_id, text)

    @override
    def run_in_popup(self, script: str) -> Any:
        self.browser.show(self.popup_handle)
        return self.browser.run(script)

    @override
    def leave(self) -> None:
        for handle in (self.popup_handle, self.page_handle):
            self.browser.close(handle)


@contextmanager
def open_browser(name: str, profile: Path, web_port: int | None = None) -> Iterator[Steps]:
    """Yield the steps in a new browser.

    Args:
        name: One of `BROWSERS`.
        profile: A folder for its profile.
        web_port: A port on loopback that answers for every other host.
    """
    if name == "chromium":
        with chromium(profile, web_port=web_port) as started:
            yield ChromiumSteps(started)
    else:
        with firefox(profile, web_port=web_port) as running:
            yield FirefoxSteps(running)


def pair(steps: Steps, server: ServerProcess, client: httpx2.Client) -> None:
    """Type a code of the server into the popup."""
    steps.open_popup(has_page=False)
    steps.fill("server", server.url)
    steps.fill("code", client.post("/api/v1/pairings").json()["code"])
    steps.click("pair")
    are_shown = "return !document.getElementById('tabs').hidden;"
    wait_until(lambda: steps.run_in_popup(are_shown), PATIENCE_S, "the browser is paired")


def wait_for_images(client: httpx2.Client, dataset_id: str, count: int) -> list[dict[str, Any]]:
    """Return the images of a dataset as soon as they are so many."""

    def found() -> list[dict[str, Any]] | None:
        page = client.get(f"/api/v1/datasets/{dataset_id}/images", params={"limit": 500}).json()
        return page["items"] if page["total"] == count else None

    images: list[dict[str, Any]] = wait_until(found, PATIENCE_S, f"there are {count} images")
    return images
