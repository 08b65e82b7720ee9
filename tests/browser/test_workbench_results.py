"""Snapshots, trainings, models and the page to try one, in Chromium."""

from __future__ import annotations

import hashlib
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, expect

from server.contract.bundle import SnapshotRef
from server.contract.snapshot import DatasetRef, Manifest
from tests.support.accessibility import SCHEMES, assert_accessible
from tests.support.bundles import make_bundle, stage
from tests.support.chromium import chromium, sign_in
from tests.support.played_trainer import WORKER, plain
from tests.support.processes import ServerProcess
from tests.support.snapshots import COLOURS, picture

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PER_LABEL = 6
FORMATS = ("folder", "webdataset", "hf", "csv", "parquet", "croissant", "datasheet")
PARTS = 2  # of the WebDataset: a training shard and a validation shard
# As a person pastes or drops a picture of another program.
GIVE = """([kind, name, bytes]) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([new Uint8Array(bytes)], name, { type: 'image/png' }));
    const target = kind === 'drop' ? document.querySelector('.dropzone') : document;
    const event = kind === 'drop'
        ? new DragEvent('drop', { dataTransfer: transfer, bubbles: true })
        : new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true });
    target.dispatchEvent(event);
}"""


@dataclass
class Studio:
    """A signed-in page and the server behind it, whose trainer the test plays."""

    page: Page
    server: ServerProcess
    client: httpx2.Client
    dataset_id: str

    def open(self, hash_: str) -> None:
        self.page.goto("about:blank")
        self.page.goto(f"{self.server.url}/#/{hash_}")
        expect(self.page.get_by_role("heading", level=1)).to_be_visible()

    def post(self, path: str, body: Any = None) -> Any:
        answer = self.client.post(f"/api/v1{path}", json=body or {}).raise_for_status()
        return answer.json() if answer.content else None

    def snapshot(self) -> Any:
        return self.post(f"/datasets/{self.dataset_id}/snapshots")

    def manifest(self, snapshot_id: str) -> Manifest:
        answer = self.client.get(f"/api/v1/snapshots/{snapshot_id}/manifest").raise_for_status()
        return Manifest.from_bytes(answer.content)

    def claimed_job(self, snapshot_id: str) -> str:
        """Queue a job and claim it as a trainer does."""
        job = self.post(f"/snapshots/{snapshot_id}/jobs")
        claimed = self.post("/jobs/claim", {"worker": WORKER, "wait_s": 0})
        assert claimed["job"]["id"] == job["id"]
        return str(job["id"])

    def deliver(self, job_id: str, snapshot_id: str) -> str:
        """Hand over a bundle whose model tells colours apart, and return the model's id."""
        manifest = self.manifest(snapshot_id)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "bundle.zip"
            make_bundle(
                path,
                classes=manifest.classes,
                snapshot=SnapshotRef(id=snapshot_id, manifest_sha256=manifest.sha256),
                dataset=DatasetRef(id=manifest.dataset.id, name=manifest.dataset.name),
            )
            answer = self.client.put(
                f"/api/v1/jobs/{job_id}/bundle?worker={WORKER}",
                content=path.read_bytes(),
                headers={"Content-Type": "application/zip"},
            )
        return str(answer.raise_for_status().json()["model_id"])


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    folder = tmp_path_factory.mktemp("results")
    with (
        ServerProcess(folder / "data", has_trainer=False) as server,
        server.client() as client,
        chromium(folder / "profile", has_camera=True) as browser,
    ):
        made = client.post("/api/v1/datasets", json={"name": "colours"}).json()
        path = f"/api/v1/datasets/{made['id']}"
        for place, label in enumerate(COLOURS):
            client.post(f"{path}/labels", json={"name": label}).raise_for_status()
            for number in range(PER_LABEL):
                data = picture(COLOURS[label], 1000 * place + number)
                files = {"file": (f"{label} {number}.png", data)}
                client.post(f"{path}/images", files=files, data={"label": label}).raise_for_status()
        yield Studio(sign_in(browser, client), server, client, made["id"])


def test_a_snapshot_is_downloaded_by_the_browser_as_it_is(studio):
    made = studio.snapshot()
    studio.open(f"snapshots/{studio.dataset_id}")
    studio.page.get_by_text("Export").press("Enter")
    tags = studio.page.locator("[data-etag]")
    expect(tags).to_have_count(len(FORMATS) + PARTS)
    for scheme in SCHEMES:
        assert_accessible(studio.page, scheme)
    sizes = {}
    for name in FORMATS:
        link = studio.page.get_by_test_id(f"export-{name}")
        with studio.page.expect_download() as saved:
            link.click()
        path = Path(saved.value.path())
        sizes[name] = path.stat().st_size
        answer = studio.client.get(link.get_attribute("href") or "").raise_for_status()
        assert path.read_bytes() == answer.content, name
        line = studio.page.locator("li", has=link)
        etag = line.locator("[data-etag]").get_attribute("data-etag")
        assert answer.headers["ETag"].strip('"') == etag, name
        if name == "folder":
            archive = zipfile.ZipFile(path)
            found = {
                hashlib.sha256(archive.read(each)).hexdigest()
                for each in archive.namelist()
                if each.endswith(".jpg")
            }
            assert found == {item.sha256 for item in studio.manifest(made["id"]).items}
    assert all(sizes.values())


def test_two_snapshots_are_compared(studio):
    before = studio.snapshot()
    image = studio.client.get(f"/api/v1/datasets/{studio.dataset_id}/images").json()["items"][0]
    studio.client.patch(f"/api/v1/images/{image['id']}", json={"excluded": True}).raise_for_status()
    after = studio.snapshot()
    studio.open(f"snapshots/{studio.dataset_id}?a={before['id']}&b={after['id']}")
    expect(studio.page.get_by_test_id("diff")).to_contain_text("removed: 1 · the same: 17")
    studio.client.patch(f"/api/v1/images/{image['id']}", json={"excluded": False})


def test_a_training_is_followed_cancelled_and_its_failure_said(studio):
    snapshot_id = studio.snapshot()["id"]
    job_id = studio.claimed_job(snapshot_id)
    studio.open(f"jobs/{job_id}")
    state = studio.page.get_by_test_id("job-state")
    expect(state).to_have_text("Running")
    progress = {"phase": "features", "done": 7, "total": 18, "message": "Nearly half."}
    studio.post(f"/jobs/{job_id}/progress", {"worker": WORKER, "progress": progress})
    expect(studio.page.get_by_text("7 of 18")).to_be_visible()
    assert_accessible(studio.page, "light")
    expect(studio.page.get_by_text("no curve to watch")).to_be_visible()
    studio.page.get_by_test_id("cancel-job").press("Enter")
    studio.page.get_by_test_id("confirm-yes").press("Enter")
    expect(state).to_have_text("Cancelled")

    job_id = studio.claimed_job(snapshot_id)
    studio.open(f"jobs/{job_id}")
    error = {"kind": "too-few-images", "detail": "“teddy” has one image only. Capture more of it."}
    studio.post(f"/jobs/{job_id}/fail", {"worker": WORKER, "error": error})
    expect(studio.page.get_by_role("alert")).to_contain_text("Capture more of it.")
    assert_accessible(studio.page, "dark")
    expect(studio.page.get_by_test_id("cancel-job")).to_be_hidden()

    studio.open("")
    expect(studio.page.get_by_test_id("disk")).to_contain_text("on disk")
    studio.page.get_by_role("link", name="All trainings").press("Enter")
    expect(studio.page.get_by_test_id("job")).to_have_count(2)
    expect(studio.page.get_by_test_id("job").first).to_contain_text("Capture more of it.")
    for scheme in SCHEMES:
        assert_accessible(studio.page, scheme)


def test_a_fine_tuning_is_chosen_and_its_curves_grow_without_taking_the_focus(studio):
    studio.open(f"datasets/{studio.dataset_id}")
    studio.page.get_by_test_id("recipe-head").press("ArrowDown")
    studio.page.get_by_test_id("epochs").fill("2")
    studio.page.get_by_text("Options", exact=True).press("Enter")
    studio.page.get_by_test_id("backbone").select_option("resnet18")
    studio.page.get_by_test_id("train-button").press("Enter")
    expect(studio.page.get_by_text("Its curves begin")).to_be_visible()
    job = studio.post("/jobs/claim", {"worker": WORKER, "wait_s": 0})["job"]
    chosen = {name: job["recipe"][name] for name in ("kind", "epochs", "backbone", "lr")}
    assert chosen == {"kind": "fine-tune", "epochs": 2, "backbone": "resnet18", "lr": 2e-4}
    job_id = job["id"]
    rows = studio.page.get_by_test_id("curves").locator("tbody tr")
    for count in (1, 2, 3):
        stages = [stage(number) for number in range(1, count + 1)]
        progress = {"phase": "fine-tune", "done": 20 * count, "total": 160, "stages": stages}
        studio.post(f"/jobs/{job_id}/progress", {"worker": WORKER, "progress": progress})
        expect(rows).to_have_count(count)
        if count == 1:
            summary = studio.page.get_by_text("The same as a table")
            summary.press("Enter")
    expect(rows.last).to_be_visible()
    expect(summary).to_be_focused()
    expect(studio.page.get_by_test_id("curve-sentence")).to_contain_text("After 60 of 160 updates")
    expect(studio.page.get_by_role("img", name="Losses of the training")).to_be_visible()
    studio.page.reload()
    expect(rows).to_have_count(3)
    studio.post(f"/jobs/{job_id}/cancel")
    expect(studio.page.get_by_test_id("job-state")).to_have_text("Cancelled")
    expect(studio.page.get_by_test_id("cancel-job")).to_be_hidden()


def test_a_model_is_looked_at_and_tried_in_every_way(studio):
    snapshot_id = studio.snapshot()["id"]
    job_id = studio.claimed_job(snapshot_id)
    studio.open(f"jobs/{job_id}")
    model_id = studio.deliver(job_id, snapshot_id)
    # Whoever has watched it succeed is led on.
    studio.page.wait_for_url(f"**/#/models/{model_id}")
    cell = studio.page.get_by_test_id("confusion").get_by_role("button").first
    cell.press("Enter")
    expect(studio.page.get_by_text("1 image labelled")).to_be_visible()
    studio.post(f"/models/{model_id}/stage", {"stage": "live"})

    studio.open("try")
    answer = studio.page.get_by_test_id("answer")
    chosen: Any = {"name": "red.png", "mimeType": "image/png", "buffer": plain("red")}
    studio.page.get_by_test_id("file-input").set_input_files(chosen)
    expect(answer).to_contain_text("red")
    for kind, colour in (("drop", "green"), ("paste", "blue")):
        studio.page.evaluate(GIVE, [kind, f"{colour}.png", list(plain(colour))])
        expect(answer.get_by_text(colour).first).to_be_visible()
        expect(studio.page.get_by_role("img", name=f"{colour}.png")).to_be_visible()
    for scheme in SCHEMES:
        assert_accessible(studio.page, scheme)

    camera = studio.page.get_by_test_id("camera")
    camera.press("Enter")
    expect(camera).to_have_text("Take the picture")
    camera.press("Enter")
    expect(studio.page.get_by_role("img", name="camera.jpg")).to_be_visible()
    expect(camera).to_have_text("Use the camera")
    expect(answer.get_by_text("%").first).to_be_visible()

    studio.page.get_by_test_id("url-input").fill("http://127.0.0.1:9/inside.jpg")
    studio.page.get_by_test_id("classify-url").press("Enter")
    expect(studio.page.get_by_test_id("message").last).to_contain_text("Inside your network")
