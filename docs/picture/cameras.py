# ruff: noqa: INP001 - a folder of scripts' parts
"""Takes pictures of what a browser with the extension shows, in light and in dark colours."""

from __future__ import annotations

import base64
from typing import Protocol

from compose import SCALE, snap
from playwright.sync_api import Page
from typing_extensions import override

from tests.support.firefox import ADDON_UUID
from tests.support.steps import ChromiumSteps, FirefoxSteps, Steps

OPTIONS = "options/options.html"
# Firefox's preference for the colours of pages, and its values.
_COLOURS = "layout.css.prefers-color-scheme.content-override"
_FIREFOX_COLOURS = {"dark": 0, "light": 1}
_MAX_RESIZES = 5  # of a window, until the page in it has the size wanted
_CALM_S = 0.6  # transitions of colour, and thumbnails that come into view


class Camera(Protocol):
    """One browser's."""

    def take(self, what: str, size_px: tuple[int, int], theme: str) -> bytes:
        """Return a PNG of double density.

        Args:
            what: ``page`` that was visited last, ``popup`` that was opened last, or ``options``.
            size_px: Of the page.
            theme: ``light`` or ``dark``.
        """


class ChromiumCamera(Camera):
    """Takes pictures in Chromium."""

    def __init__(self, steps: ChromiumSteps) -> None:
        self.steps = steps
        self._options: Page | None = None

    @override
    def take(self, what: str, size_px: tuple[int, int], theme: str) -> bytes:
        browser = self.steps.browser
        if what == "options" and self._options is None:
            self._options = browser.open(f"chrome-extension://{browser.extension_id}/{OPTIONS}")
        page = {"page": self.steps.page, "popup": self.steps.popup}.get(what, self._options)
        if page is None:
            raise LookupError(f"no {what} was opened")
        return snap(browser.context, page, size_px, theme)


class FirefoxCamera(Camera):
    """Takes pictures in Firefox."""

    def __init__(self, steps: FirefoxSteps) -> None:
        self.steps = steps
        self._options = ""
        self._set_preference("setCharPref", "layout.css.devPixelsPerPx", str(SCALE))
        # Twice as dense, the window has become half as large.
        steps.browser.session.send("WebDriver:SetWindowRect", width=1200, height=900)

    @override
    def take(self, what: str, size_px: tuple[int, int], theme: str) -> bytes:
        steps = self.steps
        if what == "options" and not self._options:
            steps.browser.open(f"moz-extension://{ADDON_UUID}/{OPTIONS}")
            self._options = steps.browser.shown_handle()
        handles = {"page": steps.page_handle, "popup": steps.popup_handle}
        steps.browser.show(handles.get(what, self._options))
        self._set_preference("setIntPref", _COLOURS, _FIREFOX_COLOURS[theme])
        self._resize(size_px)
        session = steps.browser.session
        session.send(
            "WebDriver:ExecuteAsyncScript",
            script="setTimeout(arguments[1], arguments[0]);",
            args=[_CALM_S * 1000],
        )
        return base64.b64decode(session.send("WebDriver:TakeScreenshot", full=False))

    def _resize(self, size_px: tuple[int, int]) -> None:
        session = self.steps.browser.session
        for _ in range(_MAX_RESIZES):
            inner = self.steps.browser.run("return [innerWidth, innerHeight]")
            if tuple(inner) == size_px:
                return
            outer = session.send("WebDriver:GetWindowRect")
            session.send(
                "WebDriver:SetWindowRect",
                width=outer["width"] + size_px[0] - inner[0],
                height=outer["height"] + size_px[1] - inner[1],
            )
        raise LookupError(f"Firefox makes no window of {size_px} px")

    def _set_preference(self, setter: str, name: str, value: object) -> None:
        session = self.steps.browser.session
        session.send("Marionette:SetContext", value="chrome")
        session.send(
            "WebDriver:ExecuteScript", script=f"Services.prefs.{setter}(...arguments);",
            args=[name, value],
        )  # fmt: skip
        session.send("Marionette:SetContext", value="content")


def make_camera(steps: Steps) -> Camera:
    """Return the camera of a browser."""
    if isinstance(steps, ChromiumSteps):
        return ChromiumCamera(steps)
    if isinstance(steps, FirefoxSteps):
        return FirefoxCamera(steps)
    raise TypeError(f"there is no camera for {type(steps).__name__}")
