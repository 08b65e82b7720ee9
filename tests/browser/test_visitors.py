"""A link for others in Chromium and Firefox: the owner makes it, a visitor has no cookie."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.accessibility import SCHEMES, Scheme, assert_accessible
from tests.support.chromium import Chromium, chromium, sign_in
from tests.support.firefox import firefox
from tests.support.played_trainer import plain
from tests.support.processes import ServerProcess, wait_until
from tests.support.registered import register_colours

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NARROW = {"width": 400, "height": 800}
LINKED = {"BOWERBIRD_LINKS__MAX_IMAGE_BYTES": "65536"}


@dataclass
class Visit:
    """What a visitor has: a browser, and a link that the owner made by the page."""

    browser: Chromium
    server: ServerProcess
    owner: Page
    address: str
    photo: Path


@pytest.fixture(scope="module")
def visit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visit]:
    folder = tmp_path_factory.mktemp("visitors")
    photo = folder / "red.png"
    photo.write_bytes(plain("red"))
    with (
        ServerProcess(folder / "data", LINKED, has_trainer=False) as server,
        server.client() as client,
        chromium(folder / "profile") as browser,
    ):
        model_id = register_colours(client)
        owner = sign_in(browser, client)
        owner.goto(f"{server.url}/#/models/{model_id}")
        owner.get_by_test_id("link-new").click()
        owner.get_by_test_id("link-name").fill("the club")
        owner.get_by_test_id("link-make").press("Enter")
        address = owner.get_by_test_id("link-address").locator("code").inner_text()
        yield Visit(browser, server, owner, address, photo)


@pytest.fixture
def guest(visit: Visit) -> Iterator[Page]:
    """A page of a profile of its own, which has no cookie and asks only this server."""
    made = visit.browser.context.browser
    assert made is not None
    context = made.new_context(viewport={"width": 1200, "height": 900})
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(visit.address)
    expect(page.get_by_test_id("quality")).to_be_visible()
    yield page
    assert context.cookies() == []
    ours = (f"{visit.server.url}/", f"blob:{visit.server.url}/", "data:")
    assert [url for url in asked if not url.startswith(ours)] == []
    assert not any("/api/" in url for url in asked)
    context.close()


def test_a_visitor_reads_what_the_model_is_and_asks_it(visit: Visit, guest: Page) -> None:
    expect(guest.get_by_role("heading", level=1)).to_contain_text("colours")
    expect(guest.get_by_test_id("about")).to_contain_text("Always the most frequent class")
    expect(guest.get_by_test_id("limits")).to_contain_text("blue, green, red, and nothing else")
    expect(guest.get_by_test_id("kept")).to_contain_text("forgotten")
    guest.get_by_text("Its model card").click()
    expect(guest.get_by_test_id("card").locator("pre")).to_be_visible()
    guest.get_by_test_id("file-input").set_input_files(visit.photo)
    expect(guest.get_by_test_id("top-label")).to_contain_text("red")
    assert guest.get_by_test_id("url-input").count() == 0


def test_a_visitor_is_told_why_there_is_no_answer(guest: Page, tmp_path: Path) -> None:
    large = tmp_path / "large.png"
    large.write_bytes(bytes(70_000))
    guest.get_by_test_id("file-input").set_input_files(large)
    expect(guest.get_by_test_id("message").last).to_contain_text("larger than")
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no image")
    guest.get_by_test_id("file-input").set_input_files(broken)
    expect(guest.get_by_test_id("message").last).to_contain_text("image")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_visitors_page_can_be_read_and_nothing_sticks_out(
    visit: Visit, guest: Page, scheme: Scheme, tmp_path_factory: pytest.TempPathFactory
) -> None:
    guest.get_by_test_id("file-input").set_input_files(visit.photo)
    expect(guest.get_by_test_id("top-label")).to_be_visible()
    guest.get_by_text("Its model card").click()
    shots = tmp_path_factory.mktemp("visitor-shots")
    for name, size in (("wide", None), ("narrow", NARROW)):
        if size is not None:
            guest.set_viewport_size({"width": size["width"], "height": size["height"]})
        assert_accessible(guest, scheme)
        guest.screenshot(path=shots / f"{scheme}-{name}.png", full_page=True)
        widths = guest.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert widths[0] <= widths[1], "the page scrolls sideways"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_owners_card_and_the_plain_pages_can_be_read(
    visit: Visit, scheme: Scheme, tmp_path_factory: pytest.TempPathFactory
) -> None:
    shots = tmp_path_factory.mktemp("owner-shots")
    card = visit.owner.get_by_test_id("links")
    expect(card.get_by_test_id("link")).to_contain_text("the club")
    visit.owner.set_viewport_size({"width": NARROW["width"], "height": NARROW["height"]})
    assert_accessible(visit.owner, scheme)
    card.screenshot(path=shots / f"{scheme}-card.png")
    widths = visit.owner.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert widths[0] <= widths[1], "the page scrolls sideways"
    page = visit.browser.context.new_page()
    for path in ("/try/unknown", "/try"):
        page.goto(f"{visit.server.url}{path}")
        if path == "/try":  # who is signed in is led on
            expect(page.get_by_role("heading", level=1)).to_have_text("What is this?")
        else:
            expect(page.get_by_role("heading", level=1)).to_have_text("This link does not work")
            assert_accessible(page, scheme)
    page.close()


def test_firefox_asks_by_the_link(visit: Visit, tmp_path: Path) -> None:
    with firefox(tmp_path / "profile") as browser:
        browser.open(visit.address)
        browser.find("quality")
        # A file input is hidden behind its label; a script gives it a picture as a person would.
        browser.run(
            "const canvas = document.createElement('canvas'); canvas.width = canvas.height = 40;"
            "const brush = canvas.getContext('2d'); brush.fillStyle = 'rgb(220, 30, 30)';"
            "brush.fillRect(0, 0, 40, 40);"
            "canvas.toBlob(blob => {"
            "const given = new DataTransfer(); given.items.add(new File([blob], 'a.png',"
            " { type: 'image/png' }));"
            "const input = document.querySelector('[data-testid=file-input]');"
            "input.files = given.files; input.dispatchEvent(new Event('change')); });"
        )
        browser.find("top-label")
        browser.wait_for_text("top-label", "red")
        assert browser.run("return document.cookie;") == ""


def test_a_revoked_link_shows_nothing_at_once(visit: Visit) -> None:
    visit.owner.get_by_test_id("link-revoke").click()
    visit.owner.get_by_test_id("confirm-yes").click()
    expect(visit.owner.get_by_text("There is no link")).to_be_visible()

    def is_gone() -> bool:
        page = visit.browser.open(visit.address)
        title = page.get_by_role("heading", level=1).inner_text()
        page.close()
        return title == "This link does not work"

    wait_until(is_gone, 10, "the link shows nothing")
