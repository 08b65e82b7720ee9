"""The card of the nightly refresh in Chromium: turn it on, run it now, read what came of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.support.accessibility import SCHEMES, assert_accessible
from tests.support.chromium import chromium, sign_in
from tests.support.processes import ServerProcess
from tests.support.registered import deliver_bundle, register_colours

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_person_turns_it_on_runs_it_and_reads_what_came_of_it(tmp_path: Path) -> None:
    with (
        ServerProcess(tmp_path / "data", has_trainer=False) as server,
        server.client() as client,
        chromium(tmp_path / "profile") as browser,
    ):
        register_colours(client)
        (dataset,) = client.get("/api/v1/datasets").json()["items"]
        page = sign_in(browser, client)
        page.goto(f"{server.url}/#/datasets/{dataset['id']}")
        page.get_by_test_id("refresh").locator("summary").press("Enter")
        expect(page.get_by_test_id("refresh-on")).not_to_be_checked()
        page.get_by_test_id("refresh-on").press("Space")
        page.get_by_test_id("refresh-hour").fill("4")
        page.get_by_test_id("refresh-save").press("Enter")
        expect(page.get_by_text("It will be refreshed by night.")).to_be_visible()
        saved = client.get(f"/api/v1/datasets/{dataset['id']}/refresh").json()
        assert (saved["is_on"], saved["hour"], saved["least_new_count"]) == (True, 4, 20)
        page.get_by_test_id("refresh-run-now").press("Enter")
        run = page.get_by_test_id("refresh-run").first
        expect(run).to_contain_text("It is being trained.")
        deliver_bundle(client)
        expect(run).to_contain_text("No better and no worse")
        expect(run.get_by_role("link", name="Look at the model")).to_be_visible()
        page.set_viewport_size({"width": 400, "height": 800})
        for scheme in SCHEMES:
            assert_accessible(page, scheme)
            page.get_by_test_id("refresh").screenshot(path=tmp_path / f"refresh-{scheme}.png")
        widths = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert widths[0] <= widths[1], "the page scrolls sideways"
