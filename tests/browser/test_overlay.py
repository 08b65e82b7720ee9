"""Marks in pages, in both browsers: right, pressed by persons alone, and gone without a trace."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import CDPSession

from tests.support import workflow
from tests.support.marked_world import World, open_world
from tests.support.marks import GALLERY, HOST, LOST, Mark, Marks
from tests.support.processes import wait_until
from tests.support.steps import BROWSERS, PATIENCE_S, ChromiumSteps

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]

TRACES = "return document.documentElement.outerHTML"


@pytest.fixture(scope="module", params=BROWSERS)
def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    with open_world(request.param, tmp_path_factory.mktemp(request.param)) as opened:
        yield opened


def wait_for_focus(marks: Marks) -> Mark:
    """Return the mark that has the keyboard's focus, as soon as one has."""

    def found() -> Mark | None:
        return next((mark for mark in marks.all().values() if mark.has_focus), None)

    return wait_until(found, PATIENCE_S, "a mark has the focus")


def test_each_tile_says_what_the_dataset_has(world):
    world.start("marked", {0: "grizzly", 1: "black bear", LOST[0]: "grizzly"})
    marks = world.visit()
    assert marks.wait_for(0, "captured").word == "grizzly"
    assert marks.wait_for(1, "captured").word == "black bear"
    assert marks.wait_for(LOST[0], "rejected").word == "grizzly"
    others = {number for number, mark in marks.all().items() if mark.state == "new"}
    assert others >= {str(number) for number in (2, 3, 4, 5, 6)}
    # One of them all is reached by the Tab key.
    assert sum(mark.is_in_tab_order for mark in marks.all().values()) == 1


def test_a_capture_is_marked_without_a_reload(world):
    dataset_id = world.start("fresh")
    marks = world.visit()
    left_out = marks.wait_for(3, "new")
    marks.press(left_out)
    assert marks.wait_for(3, "left-out").is_pressed

    world.steps.open_popup()
    world.steps.wait_for_text("page-summary", "images")
    world.steps.select("dataset", dataset_id)
    world.steps.fill("label", "teddy")
    world.steps.click("capture")
    world.steps.wait_for_text("capture-notice", "added")
    assert marks.wait_for(0, "captured").word == "teddy"
    assert marks.wait_for(3, "left-out").word == ""
    urls = {image["url"] for image in workflow.list_images(world.client, dataset_id)}
    assert world.bears.url(2) in urls
    assert world.bears.url(3) not in urls


def test_a_click_excludes_what_is_captured_and_a_second_takes_it_back(world):
    dataset_id = world.start("excluded", {2: "grizzly"})
    marks = world.visit()
    marks.press(marks.wait_for(2, "captured"))
    assert marks.wait_for(2, "excluded").is_pressed
    wait_until(lambda: world.image(dataset_id, 2)["excluded"], PATIENCE_S, "it is excluded")
    marks.press(marks.wait_for(2, "excluded"))
    wait_until(lambda: not world.image(dataset_id, 2)["excluded"], PATIENCE_S, "it is back")
    marks.wait_for(2, "captured")


def test_the_keyboard_walks_over_the_marks_and_leaves_them(world):
    world.start("walked", {0: "grizzly"})
    marks = world.visit()
    marks.wait_for(0, "captured")
    world.press_command()
    assert "Bear 0" in wait_for_focus(marks).name
    marks.eyes.press("ArrowRight")
    wait_until(lambda: marks.all()["1"].has_focus, PATIENCE_S, "the next mark has the focus")
    marks.eyes.press("Enter")
    assert marks.wait_for(1, "left-out").has_focus
    assert marks.all()["1"].is_in_tab_order
    marks.eyes.press("Escape")
    focused = "return document.activeElement.className"
    assert world.steps.run(focused) != HOST.rpartition(".")[2]


def test_what_scrolling_brings_is_marked_too(world):
    number = 30
    world.start("grown", {number: "grizzly"})
    marks = world.visit()
    marks.wait_for(0, "new")
    world.steps.run("grow(40); window.scrollTo(0, document.body.scrollHeight)")
    marks.wait_for(number, "captured")
    bottom = world.steps.run("return document.documentElement.scrollHeight")
    world.steps.run("document.querySelector('.bowerbird-marks').remove()")
    # Marks make no page longer.
    assert bottom == world.steps.run("return document.documentElement.scrollHeight")


def test_switched_off_nothing_of_it_is_left(world):
    world.start("off", {0: "grizzly"})
    world.send("switch-overlay", "{ is_on: false }")
    marks = world.visit()
    before = world.steps.run(TRACES)
    world.send("switch-overlay", "{ is_on: true }")
    marks.wait_for(0, "captured")
    assert world.steps.run(TRACES) != before
    world.send("switch-overlay", "{ is_on: false }")
    marks.wait_for_none()
    assert world.steps.run(TRACES) == before
    world.send("switch-overlay", "{ is_on: true }")


def list_run(session: CDPSession) -> set[str]:
    """Return the functions of the marks that ran since they were listed last."""
    result = session.send("Profiler.takePreciseCoverage")["result"]
    return {
        f"{script['url'].rpartition('/')[2]}: {function['functionName']}"
        for script in result
        if "/content/overlay/" in script["url"]
        for function in script["functions"]
        if any(part["count"] for part in function["ranges"])
    }


def test_switched_off_nothing_of_it_runs_while_a_page_scrolls_and_grows(world):
    if not isinstance(world.steps, ChromiumSteps):
        pytest.skip("Firefox does not say over Marionette which functions ran")
    world.start("quiet", {0: "grizzly"})
    world.send("switch-overlay", "{ is_on: true }")
    marks = world.visit()
    marks.wait_for(0, "captured")
    page = world.steps.page
    assert page is not None
    session = page.context.new_cdp_session(page)
    session.send("Profiler.enable")
    session.send("Profiler.startPreciseCoverage", {"callCount": True, "detailed": False})
    use_page = "grow(10); scrollBy(0, 200); dispatchEvent(new Event('resize'))"
    for _ in range(2):
        list_run(session)
        world.steps.run(use_page)
        wait_until(lambda: "overlay.js: #draw" in list_run(session), PATIENCE_S, "it is drawn")
    world.send("switch-overlay", "{ is_on: false }")
    marks.wait_for_none()
    list_run(session)
    for _ in range(3):
        world.steps.run(use_page)
        page.wait_for_timeout(600)  # longer than any of its timers would wait
    assert list_run(session) == set()
    world.send("switch-overlay", "{ is_on: true }")


def test_a_page_sees_no_label_and_presses_no_mark(world):
    dataset_id = world.start("hostile", {0: "secret label"})
    marks = world.visit()
    marks.wait_for(0, "captured")
    seen = world.steps.run(
        "const host = document.querySelector('.bowerbird-marks');"
        "const { x, y } = host.getBoundingClientRect();"
        "for (const type of ['click', 'keydown']) {"
        "  const event = new MouseEvent(type, { bubbles: true, composed: true });"
        "  host.dispatchEvent(event);"
        "  document.elementFromPoint(32, 76)?.dispatchEvent(event);"
        "}"
        "document.elementFromPoint(32, 76).click();"
        "return [host.shadowRoot === null, host.innerHTML, host.textContent,"
        "  document.documentElement.outerHTML.includes('secret label')]"
    )
    assert seen == [True, "", "", False]
    # What a page removes comes back.
    world.steps.run("document.querySelector('.bowerbird-marks').remove()")
    assert marks.wait_for(0, "captured").word == "secret label"
    assert world.image(dataset_id, 0)["excluded"] is False


def test_any_page_is_marked_at_a_word_under_the_strictest_policy(world):
    world.start("gallery")
    world.steps.visit(GALLERY)
    world.steps.press_button()
    marks = Marks(world.steps)
    before = world.steps.run(TRACES)
    world.steps.open_popup()
    world.steps.run_in_popup("document.getElementById('more').open = true")
    world.steps.click("overlay-switch")
    mark = marks.wait_for(0, "new")
    assert (mark.x, mark.y) == (26, 26)  # 6 px and half a mark within the first picture
    marks.press(mark)
    marks.wait_for(0, "left-out")
    world.steps.click("overlay-switch")
    marks.wait_for_none()
    assert world.steps.run(TRACES) == before


def test_marks_of_an_extension_that_is_gone_go_with_the_next_press(tmp_path):
    with open_world("chromium", tmp_path) as world:
        world.start("orphaned", {0: "grizzly"})
        marks = world.visit()
        before = marks.wait_for(0, "captured")
        assert isinstance(world.steps, ChromiumSteps)
        (worker,) = world.steps.browser.context.service_workers
        with worker.expect_event("close"):
            # One that was loaded by the command line does not come back.
            worker.evaluate("void setTimeout(() => chrome.runtime.reload())")
        marks.press(before)
        marks.wait_for_none()
