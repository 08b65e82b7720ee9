"""``make demo``: the whole loop on real photos, to be watched.

With a screen, the browser is shown and left open at the end; without one, screenshots of each
step are left in ``build/demo``.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote

import httpx2
from playwright.sync_api import Page, expect

from server.config import inherited_environment
from tests.support import workflow
from tests.support.chromium import Chromium, ask_popup, capture_page, chromium, pair, sign_in
from tests.support.photo_site import PhotoSite
from tests.support.processes import ROOT, ServerProcess

PICTURES = ROOT / "build" / "demo"
SLOW_MO_MS = 300  # between two actions, so that a person can follow
DATASET = "foods"


def main() -> int:
    """Go through the loop; return the exit code."""
    has_screen = sys.platform == "darwin" or any(
        name in inherited_environment() for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )
    shutil.rmtree(PICTURES, ignore_errors=True)
    PICTURES.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="bowerbird-demo-") as folder, PhotoSite() as site:
        settings = {"BOWERBIRD_FETCH__ALLOWED_HOSTS": site.authority}
        with (
            ServerProcess(Path(folder) / "data", settings) as server,
            server.client() as client,
            chromium(
                Path(folder) / "profile",
                headless=not has_screen,
                slow_mo_ms=SLOW_MO_MS if has_screen else 0,
            ) as browser,
        ):
            page = _go_through(site, server, client, browser)
            if has_screen:
                _say("The browser stays open until you close its last page.")
                page.wait_for_event("close", timeout=0)
            else:
                _say(f"No screen here: pictures of each step are in {PICTURES.relative_to(ROOT)}/")
    return 0


def _go_through(
    site: PhotoSite, server: ServerProcess, client: httpx2.Client, browser: Chromium
) -> Page:
    _say(f"A server on {server.url}, and a site with real photos on {site.url('/')}")
    home = sign_in(browser, client)
    _picture(home, "1-home")
    pair(browser, home, server.url)
    _say("The extension is paired by its code.")
    for query in site.photos:
        said = capture_page(browser, site.page_url(query), DATASET)
        _say(f"Captured the results for “{query}”: {' '.join(said.split())}")
    (dataset,) = client.get("/api/v1/datasets").json()["items"]
    counts = workflow.wait_settled(client, dataset["id"])
    _say("Downloaded and verified: " + ", ".join(f"{n} {name}" for name, n in counts.items()))
    page = browser.open(f"{server.url}/#/datasets/{dataset['id']}")
    expect(page.get_by_test_id("tile").first).to_be_visible()
    _picture(page, "2-dataset")
    _say("Training …")
    page.get_by_test_id("train-button").click()
    expect(page.get_by_test_id("error-rate").or_(page.get_by_test_id("model-link"))).to_be_visible(
        timeout=workflow.TRAIN_TIMEOUT_S * 1000
    )
    (model,) = client.get("/api/v1/models").json()["items"]
    page.goto(f"{server.url}/#/models/{model['id']}")
    expect(page.get_by_test_id("error-rate")).to_be_visible()
    _picture(page, "3-model")
    _report(site, client, browser, model)
    return page


def _report(
    site: PhotoSite, client: httpx2.Client, browser: Chromium, model: dict[str, dict[str, float]]
) -> None:
    metrics = model["metrics"]
    _say(f"Error rate {metrics['error_rate']:.1%}; without learning:")
    for name, rate in metrics["baselines"].items():
        _say(f"    {name.replace('_', ' ')}: {rate:.1%}")
    right = total = 0
    for query, photos in site.held_out.items():
        for photo in photos:
            url = quote(site.held_out_url(photo), safe="")
            answer = client.get(f"/classify-url?url={url}").json()["predictions"]
            right += answer[0][0] == query
            total += 1
        said = ask_popup(browser, photos[0])
        _say(f"The popup, shown a photo of “{query}” that it never saw: “{said}”")
    _say(f"Of {total} photos that were held out, {right} are told right.")


def _picture(page: Page, name: str) -> None:
    page.screenshot(path=PICTURES / f"{name}.png")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
