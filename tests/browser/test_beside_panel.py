"""A model beside the live one, on its page in Chromium: begun, looked at, stopped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Page, expect

from server.contract.snapshot import Manifest
from tests.support import workflow
from tests.support.accessibility import SCHEMES, Scheme, assert_accessible
from tests.support.chromium import chromium, sign_in
from tests.support.processes import ServerProcess, wait_until
from tests.support.rollouts import bundle_of, picture_of
from tests.support.snapshots import coloured

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NARROW = {"width": 400, "height": 800}
ANSWERS = 30
SETTINGS = {"BOWERBIRD_PREDICTION_LOG__MODE": "images"}


@dataclass
class Shown:
    """A page of a server that keeps images, and a candidate there."""

    page: Page
    client: httpx2.Client
    dataset: str
    candidate: str
    url: str

    def ask(self, first: int) -> None:
        """Ask some questions, each about another picture."""
        for number in range(first, first + ANSWERS):
            files = {"file": picture_of(number)[1]}
            params = {"dataset": self.dataset}
            reply = self.client.post("/api/v1/classify", params=params, files=files)
            assert reply.status_code == 200, reply.text

    def compared(self) -> int:
        """Return how many answers were compared."""
        path = f"/api/v1/datasets/{self.dataset}/rollouts"
        return int(self.client.get(path).json()["items"][0]["figures"]["compared"])

    def open(self) -> None:
        """Show the candidate's page anew."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.url}/#/models/{self.candidate}")
        expect(self.page.get_by_test_id("beside")).to_be_visible()


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    folder = tmp_path_factory.mktemp("beside")
    with (
        ServerProcess(folder / "data", SETTINGS, has_trainer=False) as server,
        server.client() as client,
        chromium(folder / "profile") as browser,
    ):
        dataset = workflow.create_dataset(client, "colours")
        for label, pictures in coloured(8).items():
            for data in pictures:
                url = f"/api/v1/datasets/{dataset}/images"
                sent = client.post(url, files={"file": data}, data={"label": label})
                assert sent.status_code == 201, sent.text
        _deliver(client, dataset, {})
        candidate = _deliver(client, dataset, {"red": "blue"})
        page = sign_in(browser, client)
        yield Shown(page, client, dataset, candidate, server.url)


def _deliver(client: httpx2.Client, dataset: str, sees: dict[str, str]) -> str:
    job_id = workflow.start_job(client, dataset)
    job = client.post("/api/v1/jobs/claim", json={"worker": "played"}).json()["job"]
    source = client.get(f"/api/v1/snapshots/{job['snapshot_id']}/manifest")
    sent = client.put(
        f"/api/v1/jobs/{job_id}/bundle?worker=played",
        content=bundle_of(Manifest.from_bytes(source.content), sees),
        headers={"Content-Type": "application/zip"},
    )
    assert sent.status_code == 201, sent.text
    return str(sent.json()["model_id"])


def test_it_is_begun_and_stopped_by_the_keyboard(
    shown: Shown, tmp_path_factory: pytest.TempPathFactory
) -> None:
    shown.open()
    page = shown.page
    page.get_by_test_id("beside-shadow").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_test_id("beside-share")).to_be_visible()
    page.get_by_test_id("beside-share").fill("20")
    page.get_by_test_id("beside-sites").fill("shop.example")
    for scheme in SCHEMES:
        assert_accessible(page, scheme)
    shots = tmp_path_factory.mktemp("form")
    page.get_by_test_id("beside").screenshot(path=shots / "form.png", animations="disabled")
    page.get_by_test_id("beside-sites").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("stage")).to_have_text("Limited")
    panel = page.get_by_test_id("beside")
    expect(panel).to_contain_text("It answers 20% of the clients and questions from shop.example")
    expect(page.get_by_test_id("stage-trail")).to_contain_text("This model became limited")
    page.get_by_test_id("beside-stop").press("Enter")
    expect(page.get_by_test_id("stage")).to_have_text("Candidate")
    expect(page.get_by_test_id("beside-state")).to_have_text("It was stopped.")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_what_was_compared_can_be_read_and_nothing_sticks_out(
    shown: Shown, scheme: Scheme, tmp_path_factory: pytest.TempPathFactory
) -> None:
    body = {"stage": "shadow", "rollout": {"min_answers": 100}}
    path = f"/api/v1/models/{shown.candidate}/stage"
    assert shown.client.post(path, json=body).status_code == 200
    shown.ask(1000 * SCHEMES.index(scheme))
    wait_until(lambda: shown.compared() == ANSWERS, 60, "all is compared")
    shown.open()
    page = shown.page
    differences = page.get_by_test_id("beside-differences")
    differences.locator("summary").press("Enter")
    image = differences.locator("img").first
    expect(image).to_be_visible()
    assert image.evaluate("async node => (await node.decode(), node.naturalWidth)") > 0
    expect(page.get_by_test_id("beside")).to_contain_text("66.7")
    assert_accessible(page, scheme)
    shots = tmp_path_factory.mktemp("shots")
    page.screenshot(path=shots / f"{scheme}.png", full_page=True, animations="disabled")
    wide = page.viewport_size
    assert wide is not None
    page.set_viewport_size({"width": NARROW["width"], "height": NARROW["height"]})
    page.screenshot(path=shots / f"{scheme}-narrow.png", full_page=True, animations="disabled")
    panel = page.get_by_test_id("beside")
    panel.screenshot(path=shots / f"{scheme}-panel.png", animations="disabled")
    widths = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    page.set_viewport_size(wide)
    assert widths[0] <= widths[1], "the page scrolls sideways"
    assert Path(shots / f"{scheme}.png").is_file()
