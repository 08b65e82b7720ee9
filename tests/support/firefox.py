"""A real Firefox with the extension, and the steps of a person in it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.chromium import EXTENSION
from tests.support.marionette import ELEMENT, Marionette, MarionetteError
from tests.support.processes import free_port, wait_until

ADDON_ID = "bowerbird@bowerbird.example"
ADDON_UUID = "7b1d8f3e-52a4-4c6b-9f0e-1a2b3c4d5e6f"  # any; given, so that its pages can be named
PATIENCE_S = 60.0
START_S = 60.0


@dataclass(frozen=True)
class Firefox:
    """A running browser."""

    session: Marionette

    def kill(self) -> None:
        """End the browser at once, as a crash would."""
        self.session.send("Marionette:SetContext", value="chrome")
        pid = self.session.send(
            "WebDriver:ExecuteScript", script="return Services.appinfo.processID;", args=[]
        )
        os.kill(pid, signal.SIGKILL)

    def open(self, url: str) -> None:
        """Open a page in a new tab."""
        tab = self.session.send("WebDriver:NewWindow", type="tab", focus=True)
        self.session.send("WebDriver:SwitchToWindow", handle=tab["handle"], focus=True)
        self.session.send("WebDriver:Navigate", url=url)

    def open_popup(self, query: str = "") -> None:
        """Open the popup as a page of its own, in a new tab."""
        self.open(f"moz-extension://{ADDON_UUID}/popup/popup.html{query}")

    def find_tab_id(self, url: str) -> int:
        """Return the id of the tab that shows ``url``; to be asked in a page of the extension."""
        tab_id: int = self.session.send(
            "WebDriver:ExecuteAsyncScript",
            script="const [url, done] = arguments; window.browser.tabs.query({})"
            ".then(tabs => done(tabs.find(tab => tab.url === url).id));",
            args=[url],
        )
        return tab_id

    def find_shown_tab_id(self) -> int:
        """Return the extension's id of the tab that is shown, whatever page it shows."""
        tab_id: int = self._run_in_browser(
            "const { ExtensionParent } = ChromeUtils.importESModule("
            "'resource://gre/modules/ExtensionParent.sys.mjs');"
            "const { tabTracker } = ExtensionParent.apiManager.global;"
            "return tabTracker.getId(window.gBrowser.selectedTab);"
        )
        return tab_id

    def shown_handle(self) -> str:
        """Return Marionette's name of the tab that is shown."""
        handle: str = self.session.send("WebDriver:GetWindowHandle")
        return handle

    def show(self, handle: str) -> None:
        """Show a tab by Marionette's name of it."""
        self.session.send("WebDriver:SwitchToWindow", handle=handle, focus=True)

    def close(self, handle: str) -> None:
        """Close a tab by Marionette's name of it, and show the first of those that are left."""
        self.show(handle)
        handles = self.session.send("WebDriver:CloseWindow")
        self.show(handles[0])

    def run(self, script: str) -> Any:
        """Run a script in the page that is shown, beside the page's own; return its result."""
        return self.session.send("WebDriver:ExecuteScript", script=script, args=[])

    def send(self, message: str, request: object) -> Any:
        """Ask the background, as a page of the extension does; to be called in one."""
        answer = self.session.send(
            "WebDriver:ExecuteAsyncScript",
            script="const [type, request, done] = arguments;"
            "window.browser.runtime.sendMessage({ type, request }).then(done);",
            args=[message, request],
        )
        assert answer["ok"], answer
        return answer["reply"]

    def count_permitted_hosts(self) -> int:
        """Return how many host patterns are granted; to be asked in a page of the extension."""
        count: int = self.session.send(
            "WebDriver:ExecuteAsyncScript",
            script="const [done] = arguments;"
            "window.browser.permissions.getAll().then(({ origins }) => done(origins.length));",
            args=[],
        )
        return count

    def press_button(self) -> None:
        """Press the extension's button in the tab that is shown: its popup opens over the page.

        Like a person's click, this lets the extension into the tab until another page is opened.
        A press that closes the popup of another tab is followed by a second one.
        """
        is_let_in = (
            "const { extension } = WebExtensionPolicy.getByID(arguments[0]);"
            "return extension.tabManager.hasActiveTabPermission(window.gBrowser.selectedTab);"
        )

        def press() -> bool:
            self.press_shortcut("alt,shift", "B")
            with contextlib.suppress(AssertionError):
                wait_until(lambda: self._run_in_browser(is_let_in, ADDON_ID), 2, "it is let in")
                return True
            return False

        wait_until(press, PATIENCE_S, "the press of the button lets the extension in")

    def press_shortcut(self, modifiers: str, key: str) -> None:
        """Press a shortcut of the extension in the tab that is shown.

        The browser's own element for the key is told: key presses made by a page do not reach it.

        Args:
            modifiers: As Firefox writes them, such as ``alt,shift``.
            key: The letter.
        """
        self._run_in_browser(
            "document.querySelector(arguments[0]).doCommand();",
            f"keyset[id^='ext-'] > key[modifiers='{modifiers}'][key='{key}']",
        )

    def _run_in_browser(self, script: str, *parameters: object) -> Any:
        self.session.send("Marionette:SetContext", value="chrome")
        try:
            return self.session.send(
                "WebDriver:ExecuteScript", script=script, args=list(parameters)
            )
        finally:
            self.session.send("Marionette:SetContext", value="content")

    def wait_for_toast(self, text: str) -> None:
        """Wait until the toast in the page says ``text``."""

        def says() -> bool:
            said = self.session.send(
                "WebDriver:ExecuteScript",
                script="return document.getElementById('bowerbird-toast')?.shadowRoot.textContent;",
                args=[],
            )
            return text in (said or "")

        wait_until(says, PATIENCE_S, f"the toast says {text!r}")

    def find(self, test_id: str) -> str:
        """Return the id of the element with this test id, waiting until it is shown."""

        def shown() -> str | None:
            with contextlib.suppress(MarionetteError):
                element = self.session.find(f"[data-testid='{test_id}']")
                if self.session.send("WebDriver:IsElementDisplayed", id=element):
                    return element
            return None

        element: str = wait_until(shown, PATIENCE_S, f"{test_id} is shown")
        return element

    def click(self, test_id: str) -> None:
        """Click an element."""
        self.session.send("WebDriver:ElementClick", id=self.find(test_id))

    def fill(self, test_id: str, text: str) -> None:
        """Type into a field, in place of what it holds."""
        element = self.find(test_id)
        self.session.send("WebDriver:ElementClear", id=element)
        self.session.send("WebDriver:ElementSendKeys", id=element, text=text)

    def select(self, test_id: str, value: str) -> None:
        """Choose a value from a list, once the list has it."""

        def choose() -> bool:
            script = (
                "const [list, value] = arguments; list.value = value;"
                "list.dispatchEvent(new Event('change', { bubbles: true }));"
                "return list.value === value;"
            )
            element = {ELEMENT: self.find(test_id)}
            chosen: bool = self.session.send(
                "WebDriver:ExecuteScript", script=script, args=[element, value]
            )
            return chosen

        wait_until(choose, PATIENCE_S, f"{test_id} has {value!r}")

    def choose_file(self, test_id: str, path: Path) -> None:
        """Choose a file, whose field need not be seen."""
        element = self.session.find(f"[data-testid='{test_id}']")
        self.session.send("WebDriver:ElementSendKeys", id=element, text=str(path))

    def value(self, test_id: str) -> str:
        """Return what a field holds."""
        value: str = self.session.send(
            "WebDriver:GetElementProperty", id=self.find(test_id), name="value"
        )
        return value

    def wait_for_text(self, test_id: str, text: str) -> None:
        """Wait until the element says ``text``."""

        def says() -> bool:
            said: str = self.session.send("WebDriver:GetElementText", id=self.find(test_id))
            return text in said

        wait_until(says, PATIENCE_S, f"{test_id} says {text!r}")


def _ask_all_of(web_port: int | None) -> dict[str, Any]:
    if web_port is None:
        return {}
    site = f"127.0.0.1:{web_port}"
    proxy = {"proxyType": "manual", "httpProxy": site, "sslProxy": site, "noProxy": ["127.0.0.1"]}
    return {"acceptInsecureCerts": True, "proxy": proxy}


@contextmanager
def firefox(
    profile: Path, *, web_port: int | None = None, has_camera: bool = False
) -> Iterator[Firefox]:
    """Yield a Firefox that has loaded the extension's folder as it is.

    Args:
        profile: A folder for its profile; that of an earlier run may be used again.
        web_port: A port on loopback that is the proxy of every other host, by any certificate.
        has_camera: Whether it has one, which shows a test picture; the person allows it.
    """
    path = shutil.which("firefox-esr") or shutil.which("firefox")
    assert path is not None, "Firefox is missing: tests/install-browsers says how to get it"
    port = free_port()
    preferences = {
        "marionette.port": port,
        "extensions.webextensions.uuids": json.dumps({ADDON_ID: ADDON_UUID}),
        "app.update.disabledForTesting": True,
        "extensions.webextOptionalPermissionPrompts": False,  # asked for, they are granted
        "datareporting.policy.dataSubmissionEnabled": False,
        "media.navigator.streams.fake": has_camera,
        "media.navigator.permission.disabled": has_camera,
    }
    profile.mkdir(parents=True, exist_ok=True)
    lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});\n" for k, v in preferences.items()]
    (profile / "user.js").write_text("".join(lines))
    command = [path, "--headless", "--marionette", "--no-remote", "--remote-allow-system-access"]
    command += ["--profile", str(profile)]
    with (profile / "firefox.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    session: Marionette | None = None
    try:

        def connect() -> Marionette | None:
            with contextlib.suppress(OSError):
                return Marionette(port, timeout_s=START_S)
            return None

        session = wait_until(connect, START_S, "Firefox listens")
        session.send("WebDriver:NewSession", **_ask_all_of(web_port))
        session.send("Addon:Install", path=str(EXTENSION), temporary=True)
        yield Firefox(session)
    finally:
        if session is not None:
            session.close()
        process.terminate()
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(PATIENCE_S)
