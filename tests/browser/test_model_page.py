"""A model's page in Chromium: every part of the analysis, readable in both schemes and by axe."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.support.accessibility import SCHEMES, Scheme, assert_accessible
from tests.support.bundles import a_fine_tuning
from tests.support.chromium import chromium, sign_in
from tests.support.processes import ServerProcess
from tests.support.registered import register_colours

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SECTIONS = ("findings", "learning-curve-section", "slices-section", "shortcuts-section",
            "reliability-section", "abstention-section", "training-section")  # fmt: skip
TABLES = ("curves", "learning-curve", "reliability", "slices", "shortcuts", "abstention")
NARROW = {"width": 400, "height": 800}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A page that shows a model whose bundle says everything."""
    folder = tmp_path_factory.mktemp("model")
    with (
        ServerProcess(folder / "data", has_trainer=False) as server,
        server.client() as client,
        chromium(folder / "profile") as browser,
    ):
        model_id = register_colours(client, a_fine_tuning())
        shown = sign_in(browser, client)
        shown.goto(f"{server.url}/#/models/{model_id}")
        expect(shown.get_by_test_id("error-rate")).to_be_visible()
        yield shown


def test_every_part_is_there_with_its_table(page: Page) -> None:
    for name in SECTIONS:
        expect(page.get_by_test_id(name)).to_be_visible()
    for summary in page.locator(".as-table > summary").all():
        summary.click()
    for name in TABLES:
        expect(page.get_by_test_id(name).locator("tbody tr").first).to_be_visible()


def test_a_pair_that_is_confused_leads_to_its_images(page: Page) -> None:
    pair = page.get_by_test_id("confused")
    expect(pair).to_have_text("blue taken for green")
    pair.press("Enter")
    expect(page.get_by_text("1 image labelled blue, predicted green")).to_be_visible()
    expect(page.get_by_test_id("choice")).to_contain_text("choosing so errs on 7.5")


def test_the_command_keeps_its_lines(page: Page) -> None:
    command = page.get_by_role("region", name="the command")
    lines = command.inner_text().splitlines()
    assert lines[0] == "curl \\"
    assert all(line.endswith(" \\") for line in lines[:-1])
    drawn = command.evaluate(
        "node => new Set([...node.firstChild.getClientRects()].map(box => box.top)).size"
    )
    assert drawn == len(lines), "a line is broken where it is too long"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_it_can_be_read_and_nothing_sticks_out(
    page: Page, scheme: Scheme, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert_accessible(page, scheme)
    shots = tmp_path_factory.mktemp("shots")
    page.screenshot(path=shots / f"{scheme}.png", full_page=True, animations="disabled")
    wide = page.viewport_size
    assert wide is not None
    page.set_viewport_size({"width": NARROW["width"], "height": NARROW["height"]})
    page.screenshot(path=shots / f"{scheme}-narrow.png", full_page=True, animations="disabled")
    widths = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    page.set_viewport_size(wide)
    assert widths[0] <= widths[1], "the page scrolls sideways"
