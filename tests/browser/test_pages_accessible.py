"""Every page of the workbench under axe-core in each of its states: light, dark, narrow.

One server and one real training; the fixture goes the way that a person goes, and looks about.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.support import workflow
from tests.support.accessibility import SCHEMES, find_violations, turn
from tests.support.bundles import stage
from tests.support.chromium import Chromium, chromium, sign_in
from tests.support.drawings import KINDS, draw_photo
from tests.support.images import encode
from tests.support.played_trainer import lr_finding
from tests.support.processes import ServerProcess, free_port, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]

PER_KIND = 14
WRONG = 2  # of each kind, under the label of the next: the cleaner has something to ask
WORKER = "played"
WIDE = {"width": 1200, "height": 900}
KEEP_ALL = {"BOWERBIRD_PREDICTION_LOG__MODE": "images"}
NARROW = {"width": 380, "height": 800}
DRIFTED = {
    "mode": "images", "days": 7, "count": 60, "is_alert": True, "sentence": "It has drifted.",
    "tests": [
        {"kind": "label-mix", "effect": 0.7, "p_value": 0.0003, "is_alert": True,
         "sentence": "circle is 100 % of the answers, and was 30 % on the validation split."},
    ],
    "notes": ["No embeddings."],
}  # fmt: skip
STATES = (
    "sign-in", "sign-in refused", "home without datasets", "try without a model",
    "dataset without images", "snapshots, none", "cleaner without a model", "job queued",
    "job running", "job with curves", "job failed", "learning rates", "job cancelled",
    "cancel a job", "trainings", "home", "dataset", "recipes", "filters", "no match", "selection",
    "keys", "loupe", "rejected", "no duplicates", "captures", "alike", "rename", "delete", "image",
    "image that is gone", "import", "credits", "model", "drift told",
    "dataset whose model has drifted", "forget what was asked", "images of a cell", "cleaner",
    "cleaner with answers", "keys of the cleaner", "cleaner at its end", "try",
    "try with an answer", "try with an error", "snapshots", "snapshots compared", "settings",
    "settings with a new token", "removal of a site", "no such page", "docs of the API",
)  # fmt: skip


@dataclass
class Tour:
    """A browser that goes through the pages, and what axe-core said of each.

    Attributes:
        found: Violations by state, each with the look in which it was found.
    """

    page: Page
    server: ServerProcess
    client: httpx2.Client
    dataset_id: str = ""
    found: dict[str, list[str]] = field(default_factory=dict)

    def look(self, state: str) -> None:
        """Ask axe-core about the page as it is now, in all looks."""
        said = []
        for look, scheme, size in (
            *((scheme, scheme, WIDE) for scheme in SCHEMES),
            ("narrow", SCHEMES[0], NARROW),
        ):
            self.page.set_viewport_size({"width": size["width"], "height": size["height"]})
            turn(self.page, scheme)
            said += [f"{look}: {violation}" for violation in find_violations(self.page)]
        self.page.set_viewport_size({"width": WIDE["width"], "height": WIDE["height"]})
        self.found[state] = said

    def open(self, path: str, state: str | None = None, wait_for: str = "h1") -> None:
        """Open a page by what stands behind ``#/`` in its address, and look at it."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.server.url}/#/{path.format(self.dataset_id)}")
        expect(self.page.locator("main[aria-busy]")).to_have_count(0)
        expect(self.page.locator(f"main {wait_for}").first).to_be_visible()
        if state is not None:
            self.look(state)

    def press(self, test_id: str) -> None:
        """Press a control."""
        self.page.get_by_test_id(test_id).first.click()

    def post(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask the server as another program does."""
        reply = self.client.post(f"/api/v1/{path}", json=body).raise_for_status()
        answer: dict[str, Any] = reply.json() if reply.content else {}
        return answer


@pytest.fixture(scope="module")
def tour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tour]:
    folder = tmp_path_factory.mktemp("pages")
    with (
        ServerProcess(folder / "data", KEEP_ALL, has_trainer=False) as server,
        server.client() as client,
        chromium(folder / "profile") as browser,
    ):
        state = Tour(browser.open(server.url), server, client)
        _come_in(state, browser)
        _begin(state)
        _play_trainings(state)
        server.stop()
        server.has_trainer = True
        server.start()
        job = workflow.wait_finished(client, workflow.start_job(client, state.dataset_id))
        assert job["state"] == "succeeded", job["error"]
        _visit_dataset(state)
        _visit_model(state, job["model_id"])
        _clean(state)
        _visit_others(state)
        yield state


def _come_in(tour: Tour, browser: Chromium) -> None:
    expect(tour.page.get_by_test_id("sign-in-card")).to_be_visible()
    tour.look("sign-in")
    tour.page.get_by_test_id("token-input").fill("no token of ours")
    tour.press("sign-in")
    expect(tour.page.locator(".message.is-error")).to_be_visible()
    tour.look("sign-in refused")
    tour.page.close()
    tour.page = sign_in(browser, tour.client)
    tour.look("home without datasets")
    tour.open("try", "try without a model")


def _begin(tour: Tour) -> None:
    tour.dataset_id = workflow.create_dataset(tour.client, "drawings")
    tour.open("datasets/{}", "dataset without images")
    tour.open("snapshots/{}", "snapshots, none")
    tour.open("datasets/{}/clean", "cleaner without a model")
    for place, kind in enumerate(KINDS):
        for seed in range(PER_KIND):
            told = KINDS[(place + (seed < WRONG)) % len(KINDS)]
            _upload(tour, draw_photo(kind, seed), told)
    first = draw_photo(KINDS[0], PER_KIND - 1)
    _upload(tour, first, KINDS[0])
    similar = Image.open(io.BytesIO(first)).resize((160, 120))  # noqa: TID251 - our own drawing
    _upload(tour, encode(similar, quality=60), KINDS[0])
    gone = [f"http://127.0.0.1:{free_port()}/{name}.jpg" for name in "ab"]
    workflow.capture(tour.client, tour.dataset_id, KINDS[0], gone, "gone")
    workflow.wait_settled(tour.client, tour.dataset_id)


def _upload(tour: Tour, data: bytes, label: str) -> None:
    files = {"file": ("drawing.jpg", data)}
    path = f"/api/v1/datasets/{tour.dataset_id}/images"
    tour.client.post(path, files=files, data={"label": label}).raise_for_status()


def _play_trainings(tour: Tour) -> None:
    """Look at trainings that do not succeed; without a trainer they stay as they are played."""
    job = workflow.start_job(tour.client, tour.dataset_id)
    tour.open(f"jobs/{job}", "job queued")
    tour.post("jobs/claim", {"worker": WORKER})
    progress = {"phase": "features", "done": 12, "total": 42}
    tour.post(f"jobs/{job}/progress", {"worker": WORKER, "progress": progress})
    tour.open(f"jobs/{job}", "job running", "progress")
    stages = [stage(number) for number in (1, 2, 3)]
    progress = {"phase": "fine-tune", "done": 60, "total": 160, "stages": stages}
    tour.post(f"jobs/{job}/progress", {"worker": WORKER, "progress": progress})
    tour.open(f"jobs/{job}", None, "[data-testid=curve-sentence]")
    tour.page.locator("main summary").click()
    tour.look("job with curves")
    error = {"kind": "out-of-memory", "detail": "The memory is full. Close other programs."}
    tour.post(f"jobs/{job}/fail", {"worker": WORKER, "error": error})
    tour.open(f"jobs/{job}", "job failed", ".error-card")
    job = workflow.start_job(tour.client, tour.dataset_id, recipe={"kind": "lr-find"})
    tour.post("jobs/claim", {"worker": WORKER})
    tour.post(f"jobs/{job}/finding", {"worker": WORKER, "finding": lr_finding()})
    tour.open(f"jobs/{job}", None, "[data-testid=finding]")
    tour.page.locator("[data-testid=finding] summary").click()
    tour.look("learning rates")
    job = workflow.start_job(tour.client, tour.dataset_id)
    tour.open(f"jobs/{job}")
    tour.press("cancel-job")
    expect(tour.page.get_by_test_id("confirm-yes")).to_be_visible()
    tour.look("cancel a job")
    tour.press("confirm-yes")
    expect(tour.page.locator('[data-state="cancelled"]')).to_be_visible()
    tour.look("job cancelled")


def _visit_dataset(tour: Tour) -> None:
    tour.open("", "home", ".cards")
    tour.open("jobs", "trainings", "[data-testid=job]")
    tour.open("datasets/{}", "dataset", ".tile img")
    tour.press("filters")
    expect(tour.page.get_by_test_id("filter-site")).to_be_visible()
    tour.look("filters")
    tour.press("recipe-fine-tune")
    tour.page.get_by_text("Options", exact=True).click()
    tour.look("recipes")
    tour.open("datasets/{}?q=nothing+is+called+so", "no match", ".view")
    tour.open("datasets/{}", None, ".tile img")
    tour.page.locator(".tile").first.focus()
    for key in ("Space", "ArrowRight", "Space"):
        tour.page.keyboard.press(key)
    expect(tour.page.get_by_test_id("selection-bar")).to_be_visible()
    tour.look("selection")
    tour.page.keyboard.press("?")
    expect(tour.page.get_by_test_id("keys-dialog")).to_be_visible()
    tour.look("keys")
    tour.page.keyboard.press("Escape")
    tour.page.keyboard.press("Escape")
    tour.page.locator(".tile").first.focus()
    tour.page.keyboard.press("Enter")
    expect(tour.page.get_by_test_id("history")).to_be_visible()
    tour.look("loupe")
    tour.open("datasets/{}?status=rejected", None, ".reason")
    tour.page.get_by_text("Hosts and addresses").first.click()
    tour.page.get_by_test_id("host").first.click()
    tour.look("rejected")
    tour.open("datasets/{}?status=duplicate", "no duplicates", ".view")
    tour.open("datasets/{}?status=captures", "captures", "[data-testid=capture]")
    tour.open("datasets/{}?status=alike", "alike", "[data-testid=stack-image]")
    for name, button in (("rename", "Rename"), ("delete", "Delete")):
        tour.open("datasets/{}", None, ".tile img")
        tour.page.get_by_role("button", name=button, exact=True).click()
        expect(tour.page.locator("dialog[open]")).to_be_visible()
        tour.look(name)
    image = workflow.list_images(tour.client, tour.dataset_id)[0]["id"]
    tour.open(f"images/{image}?dataset={{}}", "image", "img")
    tour.open("images/01JDNOSUCHIMAGE", "image that is gone")
    tour.open("datasets/{}/import", "import", "[data-testid=import-panel]")
    tour.open("datasets/{}/credits", "credits")


def _visit_model(tour: Tour, model_id: str) -> None:
    tour.open(f"models/{model_id}", "model", "[data-testid=evaluated] img")
    # Played: it takes more validation images than this dataset has. Well before it is asked for:
    # Chromium may let the first requests of a page that is there pass by.
    tour.page.route("**/drift", lambda route: route.fulfill(json=DRIFTED))
    image = workflow.list_images(tour.client, tour.dataset_id)[0]
    tour.post(f"models/{model_id}/stage", {"stage": "live", "force": True, "reason": "alone"})
    tour.post(f"classify?model={model_id}", {"image_id": image["id"]})
    tour.open(f"models/{model_id}", "drift told", "[data-testid=drift] table")
    expect(tour.page.get_by_test_id("asked-count")).to_be_visible()
    tour.open("datasets/{}", None)
    expect(tour.page.get_by_test_id("drift-sentence")).to_be_visible()
    tour.look("dataset whose model has drifted")
    tour.open(f"models/{model_id}", None, "[data-testid=evaluated] img")
    tour.page.unroute("**/drift")
    tour.press("forget-predictions")
    expect(tour.page.get_by_test_id("confirm-yes")).to_be_visible()
    tour.look("forget what was asked")
    tour.press("confirm-yes")
    expect(tour.page.get_by_test_id("asked-count")).to_have_count(0)
    tour.page.locator("[data-testid=confusion] button").first.click()
    expect(tour.page.get_by_text("labelled", exact=False).first).to_be_visible()
    tour.look("images of a cell")


def _clean(tour: Tour) -> None:
    tour.open("datasets/{}/clean", "cleaner", ".clean-stage img")
    for key in ("k", "x", "1"):
        _answer(tour, key)
    tour.look("cleaner with answers")
    tour.page.keyboard.press("?")
    expect(tour.page.get_by_test_id("keys-dialog")).to_be_visible()
    tour.look("keys of the cleaner")
    tour.page.keyboard.press("Escape")
    for _ in range(3 * PER_KIND):
        tour.page.keyboard.press("ArrowRight")
    expect(tour.page.get_by_text("That was the last")).not_to_have_count(0)
    tour.look("cleaner at its end")


def _answer(tour: Tour, key: str) -> None:
    """Press a key in the cleaner, and wait until the server knows."""

    def reviewed() -> int:
        images = workflow.list_images(tour.client, tour.dataset_id)
        return sum(image["reviewed_at"] is not None for image in images)

    before = reviewed()
    tour.page.keyboard.press(key)
    wait_until(lambda: reviewed() == before + 1, 60, f"{key} reaches the server")


def _visit_others(tour: Tour) -> None:
    tour.open("try", "try", ".dropzone")
    photo = {"name": "fish.jpg", "mimeType": "image/jpeg", "buffer": draw_photo("fish", 999)}
    tour.page.locator("input[type=file]").first.set_input_files(photo)  # type: ignore[arg-type] # as its stubs name a payload
    expect(tour.page.get_by_test_id("top-label")).to_be_visible()
    tour.look("try with an answer")
    tour.page.get_by_test_id("url-input").fill(f"http://127.0.0.1:{free_port()}/a.jpg")
    tour.press("classify-url")
    expect(tour.page.locator(".message.is-error")).to_be_visible()
    tour.look("try with an error")
    tour.post(f"datasets/{tour.dataset_id}/snapshots")
    tour.open("snapshots/{}", "snapshots", "[data-testid=snapshot]")
    tour.open("snapshots/{}", None, "[data-testid=diff] > *")
    tour.page.locator("main details summary").first.click()
    tour.look("snapshots compared")
    tour.open("settings", "settings", "[data-testid=token]")
    tour.page.get_by_test_id("token-name").fill("a script")
    tour.press("make-token")
    expect(tour.page.locator('main [role="status"] code').first).to_be_visible()
    tour.look("settings with a new token")
    tour.press("remove-site")
    expect(tour.page.get_by_test_id("removal-site")).to_be_visible()
    tour.look("removal of a site")
    tour.open("nowhere", "no such page")
    tour.page.goto(f"{tour.server.url}/docs")
    expect(tour.page.locator("main h1")).to_be_visible()
    tour.look("docs of the API")


@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing(tour: Tour, state: str) -> None:
    assert tour.found[state] == []


def test_no_state_is_left_out(tour: Tour) -> None:
    assert tour.found.keys() == set(STATES)
