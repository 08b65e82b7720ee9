"""A browser, its server and pages of results to mark: what tests of marks in pages work with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from tests.support import workflow
from tests.support.https_site import HttpsSite, Reply
from tests.support.marks import SEARCH, Bears, Marks
from tests.support.processes import ServerProcess
from tests.support.steps import ChromiumSteps, FirefoxSteps, Steps, open_browser, pair

RESULTS = f"{SEARCH}?q=bears&udm=2"
# What a page of the extension says to the background.
SEND = "return (globalThis.browser ?? chrome).runtime.sendMessage({{ type: '{}', request: {} }})"


@dataclass
class World:
    """A paired browser, its server, and the pages."""

    steps: Steps
    client: httpx2.Client
    bears: Bears
    site: HttpsSite

    def send(self, message: str, request: str) -> Any:
        """Ask the background, in the popup that was opened last; ``request`` is JavaScript."""
        answer = self.steps.run_in_popup(SEND.format(message, request))
        assert answer["ok"], answer
        return answer["reply"]

    def start(self, name: str, captured: dict[int, str] | None = None) -> str:
        """Make a dataset that has some of the results by their labels, and choose it."""
        dataset_id = workflow.create_dataset(self.client, f"{name} in {self.steps.name}")
        for number, label in (captured or {}).items():
            workflow.capture(
                self.client, dataset_id, label, [self.bears.url(number)], f"{name} {number}"
            )
        if captured:
            workflow.wait_settled(self.client, dataset_id)
        self.steps.open_popup(has_page=False)
        self.steps.wait_for_text("tab-capture", "Capture")
        self.send("list-datasets", "null")
        self.send("choose-dataset", f"{{ dataset_id: '{dataset_id}' }}")
        return dataset_id

    def visit(self, url: str = RESULTS) -> Marks:
        """Open a page and return what sees its marks."""
        self.steps.visit(url)
        return Marks(self.steps)

    def image(self, dataset_id: str, number: int) -> dict[str, Any]:
        """Return an image of a dataset as the server has it."""
        images = workflow.list_images(self.client, dataset_id)
        (image,) = [each for each in images if each["url"] == self.bears.url(number)]
        return image

    def press_command(self) -> None:
        """Press the shortcut that puts the focus on the marks of the page that is shown."""
        if isinstance(self.steps, FirefoxSteps):
            self.steps.browser.show(self.steps.page_handle)
            self.steps.browser.press_shortcut("alt,shift", "M")
            return
        assert isinstance(self.steps, ChromiumSteps)
        assert self.steps.page is not None
        self.steps.page.bring_to_front()
        self.steps.browser.context.service_workers[0].evaluate(
            "async () => chrome.commands.onCommand.dispatch("
            "'focus-marks', (await chrome.tabs.query({ active: true }))[0])"
        )


@contextmanager
def open_world(
    browser: str, folder: Path, originals: Mapping[int, bytes] | None = None
) -> Iterator[World]:
    """Yield a new paired browser with its server and pages.

    Args:
        browser: One of `BROWSERS`.
        folder: For the server's data and the browser's profile.
        originals: JPEGs by the numbers of the results that they are the originals of; those of
            others are photos of nothing in particular.
    """
    with HttpsSite({}) as site:
        authority = f"127.0.0.1:{site.port}"
        bears = Bears(f"http://{authority}")
        site.pages |= bears.pages()
        for number, data in (originals or {}).items():
            site.pages[f"127.0.0.1/full/{number}.jpg"] = Reply(data, "image/jpeg")
        settings = {"BOWERBIRD_FETCH__ALLOWED_HOSTS": authority}
        with (
            ServerProcess(folder / "data", settings, has_trainer=False) as server,
            server.client() as client,
            open_browser(browser, folder / "profile", site.port) as steps,
        ):
            pair(steps, server, client)
            yield World(steps, client, bears, site)
