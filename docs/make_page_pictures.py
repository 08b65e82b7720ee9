# ruff: noqa: INP001 - a script
"""Make the pictures of docs/pages.md: every page of the workbench, in light and in dark.

    .venv/bin/python docs/make_page_pictures.py

A site on loopback shows drawn bears; a real server, trainer and Chromium with the extension do
the rest, and a hand that errs gives some of the labels. Takes some four minutes, and leaves
``docs/images/pages/*.webp``.
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent / "picture")]  # neither is a package

import httpx2  # noqa: E402
from bears import KINDS, draw_bear  # noqa: E402
from compose import snap, write_webp  # noqa: E402
from PIL import Image  # noqa: E402
from playwright.sync_api import Locator, Page, expect  # noqa: E402
from site_of_bears import HELD_OUT, BearSite  # noqa: E402

from tests.support import workflow  # noqa: E402
from tests.support.chromium import Chromium, capture_page, chromium, pair, sign_in  # noqa: E402
from tests.support.processes import ServerProcess  # noqa: E402

PICTURES = ROOT / "docs" / "images" / "pages"
DATASET = "bears"
THEMES = ("light", "dark")
WIDTH_PX = 1280
LOW_PX, HIGH_PX = 520, 1000  # no picture is lower or higher than this
DIALOG_PX = 880  # room for the longest dialog
MARGIN_PX = 150  # around a part of a page: the site's head above, and air
MAX_BYTES = 110_000  # each, so that all of them stay below four megabytes
WRONG_EVERY = 7  # images: so many that some are on the side of the validation
MAX_CLEANED = 60  # one round of the cleaner
SHOWN_AFTER = 4  # answers in the cleaner when it is pictured
SHOWN_STAGES = 5  # of a fine-tuning's eight when it is pictured
FINE_TUNING_S = 900  # until then at most: a minute, on a machine with other work many
IMPORTED = range(100, 106)  # numbers of bears that the site does not have


@dataclass
class Album:
    """Shows pages of one dataset and keeps pictures of them."""

    browser: Chromium
    page: Page
    url: str
    client: httpx2.Client
    dataset_id: str = ""

    def open(self, path: str, wait_for: str) -> None:
        """Show what stands behind ``#/`` in an address."""
        self.page.goto("about:blank")
        self.page.set_viewport_size({"width": WIDTH_PX, "height": HIGH_PX})
        self.page.goto(f"{self.url}/#/{path.format(self.dataset_id)}")
        expect(self.page.locator(f"main {wait_for}").first).to_be_visible()

    def add(self, name: str, part: Locator | None = None) -> None:
        """Take a picture of the page as it is, or of its last part, in both themes."""
        page = self.page
        page.set_viewport_size({"width": WIDTH_PX, "height": LOW_PX})
        # Not of its root, which is never lower than the window.
        content_px = page.evaluate(
            "document.querySelector('main').getBoundingClientRect().bottom + scrollY + 24"
        )
        height_px = round(max(LOW_PX, min(HIGH_PX, content_px)))
        if page.locator("dialog[open]").count() > 0:
            height_px = DIALOG_PX
        elif part is not None:
            height_px = round((part.bounding_box() or {"height": 0})["height"]) + MARGIN_PX
            page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        for theme in THEMES:
            size_px = (WIDTH_PX, height_px)
            png = snap(self.browser.context, page, size_px, theme, scale=1)
            write_webp(png, PICTURES / f"{name}-{theme}.webp", MAX_BYTES)


def main() -> int:
    """Go through all pages; return the exit code."""
    shutil.rmtree(PICTURES, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="bowerbird-pages-") as folder, BearSite() as site:
        settings = {"BOWERBIRD_FETCH__ALLOWED_HOSTS": site.authority}
        with (
            ServerProcess(Path(folder) / "data", settings) as server,
            server.client() as client,
            chromium(Path(folder) / "profile") as browser,
        ):
            stranger = browser.open(server.url)
            expect(stranger.get_by_test_id("sign-in-card")).to_be_visible()
            album = Album(browser, stranger, server.url, client)
            album.add("sign-in")
            stranger.close()
            album.page = sign_in(browser, client)
            pair(browser, album.page, server.url)
            truth = _collect(album, site)
            _picture_dataset(album)
            model_id = _picture_training(album)
            _picture_cleaner(album, model_id, truth)
            _picture_others(album, site)
    return 0


def _collect(album: Album, site: BearSite) -> dict[str, str]:
    """Capture the bears, mislabel some; return what each image shows, by its id."""
    for kind in KINDS:
        capture_page(album.browser, site.page_url(kind), DATASET)
    (dataset,) = album.client.get("/api/v1/datasets").json()["items"]
    album.dataset_id = dataset["id"]
    workflow.wait_settled(album.client, album.dataset_id)
    images = workflow.list_images(album.client, album.dataset_id)
    ready = [image for image in images if image["status"] == "ready"]
    for image in ready[::WRONG_EVERY]:
        label = KINDS[(KINDS.index(image["label"]) + 1) % len(KINDS)]
        _change(album, image["id"], {"label": label})
    for image in ready[3::40]:
        _change(album, image["id"], {"excluded": True})
    for kind, number in ((KINDS[0], 4), (KINDS[1], 9)):
        small = Image.open(io.BytesIO(draw_bear(kind, number)))  # noqa: TID251 - our own drawing
        data = io.BytesIO()
        small.resize((400, 300)).save(data, "JPEG", quality=70)
        album.client.post(
            f"/api/v1/datasets/{album.dataset_id}/images",
            files={"file": (f"{kind}.jpg", data.getvalue())},
            data={"label": kind},
        ).raise_for_status()
    return {image["id"]: image["label"] for image in ready}


def _change(album: Album, image_id: str, change: dict[str, object]) -> None:
    album.client.patch(f"/api/v1/images/{image_id}", json=change).raise_for_status()


def _picture_dataset(album: Album) -> None:
    page = album.page
    album.open("datasets/{}", ".tile img")
    page.locator(".tile").nth(1).focus()
    for key in ("Space", "ArrowRight", "Space", "ArrowRight", "Space"):
        page.keyboard.press(key)
    page.wait_for_load_state("networkidle")
    album.add("dataset")
    album.open("datasets/{}", ".tile img")
    page.get_by_test_id("filters").click()
    expect(page.get_by_test_id("filter-site")).to_be_visible()
    album.add("filters")
    album.open("datasets/{}", ".tile img")
    page.locator(".tile").nth(5).focus()
    page.keyboard.press("?")
    expect(page.get_by_test_id("keys-dialog")).to_be_visible()
    album.add("keys")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("history")).to_be_visible()
    album.add("loupe")
    album.open("datasets/{}?status=rejected", ".reason")
    page.get_by_text("Hosts and addresses").first.click()
    page.get_by_test_id("host").first.locator("summary").click()
    album.add("rejected")
    album.open("datasets/{}?status=alike", "[data-testid=stack-image] img")
    album.add("alike")
    album.open("datasets/{}?status=captures", "[data-testid=capture]")
    album.add("captures")
    image = workflow.list_images(album.client, album.dataset_id)[0]["id"]
    album.open(f"images/{image}?dataset={{}}", "img")
    album.add("image")


def _picture_training(album: Album) -> str:
    """Train by the page's button, a head to its end; return the model's id."""
    page = album.page
    album.open("datasets/{}", ".tile img")
    page.get_by_test_id("recipe-fine-tune").check()
    page.get_by_test_id("train-button").click()
    stages = page.get_by_test_id("curves").locator("tbody tr")
    expect(stages.nth(SHOWN_STAGES - 1)).to_be_attached(timeout=FINE_TUNING_S * 1000)
    album.add("job")
    page.get_by_test_id("cancel-job").click()
    page.get_by_test_id("confirm-yes").click()
    expect(page.locator("[data-state=cancelled]")).to_be_visible()
    album.open("datasets/{}", ".tile img")
    page.get_by_test_id("train-button").click()
    expect(page.get_by_test_id("error-rate").or_(page.get_by_test_id("model-link"))).to_be_visible(
        timeout=workflow.TRAIN_TIMEOUT_S * 1000
    )
    (model,) = album.client.get("/api/v1/models").json()["items"]
    album.open(f"models/{model['id']}", "[data-testid=evaluated] img")
    album.add("model")
    album.open("jobs", "[data-testid=job]")
    album.add("trainings")
    return str(model["id"])


def _picture_cleaner(album: Album, model_id: str, truth: dict[str, str]) -> None:
    """Put wrong labels right, retrain, and show the comparison."""
    page = album.page
    keys = {kind: str(number) for number, kind in enumerate(sorted(KINDS), 1)}
    album.open(f"datasets/{{}}/clean?model={model_id}", ".clean-stage img")
    stage = page.locator(".clean-stage[data-id]")
    for answered in range(MAX_CLEANED):
        shown = stage.get_attribute("data-id")
        image = album.client.get(f"/api/v1/images/{shown}").raise_for_status().json()
        label = truth.get(image["id"], image["label"])
        if answered == SHOWN_AFTER:
            album.add("cleaner")
        page.keyboard.press("k" if image["label"] == label else keys[label])
        expect(page.locator(f'.clean-stage[data-id="{shown}"]')).to_have_count(0)
    page.get_by_test_id("retrain").click()
    expect(page.get_by_test_id("comparison")).to_be_visible(timeout=workflow.TRAIN_TIMEOUT_S * 1000)
    section = page.locator("section.card", has=page.get_by_test_id("comparison"))
    album.add("comparison", part=section)


def _picture_others(album: Album, site: BearSite) -> None:
    page = album.page
    album.open("try", ".dropzone")
    photo = {
        "name": "bear.jpg",
        "mimeType": "image/jpeg",
        "buffer": draw_bear("grizzly bear", HELD_OUT[1]),
    }
    page.locator("main input[type=file]").first.set_input_files(photo)  # type: ignore[arg-type] # its stubs ask for a TypedDict
    expect(page.get_by_test_id("top-label")).to_be_visible()
    album.add("try")
    page.get_by_test_id("verdict-wrong").click()
    page.get_by_test_id("verdict-label").fill(KINDS[0])
    page.get_by_test_id("verdict-send").click()
    expect(page.get_by_test_id("verdict-said")).to_be_visible()
    album.open("datasets/{}/inbox", "[data-testid=inbox-entry]")
    album.add("inbox")
    _picture_visit(album)
    album.open("snapshots/{}", "[data-testid=diff] > *")
    album.add("snapshots")
    album.open("datasets/{}/credits", "[data-testid=credit]")
    album.add("credits")
    album.open("datasets/{}/import", "[data-testid=import-panel]")
    folder = {"name": "more bears.zip", "mimeType": "application/zip", "buffer": _archive()}
    page.get_by_test_id("import-file").set_input_files(folder)  # type: ignore[arg-type] # as above
    expect(page.get_by_test_id("import-report")).to_be_visible()
    album.add("import")
    album.open("settings", "[data-testid=token]")
    # Where it lies here is nobody's business.
    folder_code = page.locator("main code", has_text=str(ROOT))
    folder_code.evaluate("code => { code.textContent = '/home/you/bowerbird/extension'; }")
    album.add("settings")
    page.get_by_test_id("remove-site").click()
    page.get_by_test_id("removal-site").fill(site.authority.partition(":")[0])
    page.get_by_test_id("removal-look").click()
    expect(page.get_by_test_id("removal-amounts")).to_be_visible()
    album.add("removal")
    album.open("", ".cards")
    album.add("home")


def _picture_visit(album: Album) -> None:
    """Take a picture of what visitors of a link are shown."""
    path = f"/api/v1/datasets/{album.dataset_id}/links"
    link = album.client.post(path, json={"name": "the bear club"}).raise_for_status().json()
    album.page.goto(link["address"])
    expect(album.page.locator("main .dropzone").first).to_be_visible()
    album.add("visit")


def _archive() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for kind in KINDS:
            for number in IMPORTED:
                archive.writestr(f"{kind}/{number}.jpg", draw_bear(kind, number))
        archive.writestr(f"{KINDS[0]}/notes.jpg", b"these bears were drawn")
    return data.getvalue()


if __name__ == "__main__":
    sys.exit(main())
