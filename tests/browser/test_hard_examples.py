"""What the model says of the images in view: asked only on request, marked, and captured apart.

The model is a real one, tiny, of a real server: it tells blue, green and red.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import workflow
from tests.support.accessibility import SCHEMES, assert_accessible
from tests.support.colour_model import deliver_colour_model
from tests.support.marked_world import World, open_world
from tests.support.marks import LOST, SEARCH, Marks
from tests.support.processes import wait_until
from tests.support.snapshots import COLOURS, coloured, picture
from tests.support.steps import BROWSERS, PATIENCE_S, ChromiumSteps

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]

SURE, OTHER, NOTHING, UNSURE = range(4)
GREY, ORANGE = (120, 120, 120), (200, 182, 40)
SHADES = {SURE: COLOURS["red"], OTHER: COLOURS["blue"], NOTHING: GREY, UNSURE: ORANGE}
DOUBTED = {OTHER, NOTHING, UNSURE}
(GONE,) = LOST
RESULTS = f"{SEARCH}?q=red&udm=2&shown={GONE + 1}"
LATER = 30  # a result that scrolling brings
ORIGINALS = {
    number: picture(SHADES.get(number, COLOURS["red"]), 9000 + number)
    for number in (*range(GONE), LATER)
}


@pytest.fixture(scope="module", params=BROWSERS)
def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    with open_world(request.param, tmp_path_factory.mktemp(request.param), ORIGINALS) as opened:
        yield opened


def start_with_model(world: World, name: str) -> str:
    """Choose a new dataset whose live model tells colours apart; return its id."""
    dataset_id = world.start(name)
    for label, pictures in coloured(8).items():
        for data in pictures:
            files, fields = {"file": ("a.jpg", data)}, {"label": label}
            path = f"/api/v1/datasets/{dataset_id}/images"
            world.client.post(path, files=files, data=fields).raise_for_status()
    deliver_colour_model(world.client, dataset_id)
    return dataset_id


def ask(world: World, *, is_on: bool) -> None:
    """Turn the questions on or off, as the switch of the popup does."""
    world.send("switch-opinions", f"{{ is_on: {str(is_on).lower()} }}")


def wait_for_word(marks: Marks, number: int, word: str) -> None:
    """Wait until the mark of a result says something."""

    def says() -> bool:
        mark = marks.all().get(str(number))
        return mark is not None and mark.word.startswith(word)

    wait_until(says, PATIENCE_S, f"the mark of result {number} says {word}")


def count_fetched(world: World, number: int) -> int:
    """Return how often the server has fetched the original of a result."""
    return world.site.count("127.0.0.1", f"/full/{number}.jpg")


def test_nobody_is_asked_before_the_switch_is_turned_on_and_each_image_once_after_it(world):
    start_with_model(world, "asked")
    marks = world.visit(RESULTS)
    assert marks.wait_for(SURE, "new").word == ""
    assert sum(count_fetched(world, number) for number in ORIGINALS) == 0

    world.steps.open_popup()
    world.steps.run_in_popup("document.getElementById('more').open = true")
    world.steps.wait_for_text("more", "goes to your server")
    world.steps.click("opinions-switch")
    world.steps.show_page()
    assert marks.wait_for(OTHER, "doubted").word.startswith("blue 9")
    assert marks.wait_for(NOTHING, "doubted").word == "none of the classes"
    assert marks.wait_for(UNSURE, "doubted").word.startswith("red 6")
    wait_for_word(marks, SURE, "red 9")
    sure = marks.wait_for(SURE, "new")
    assert "The model says: red 9" in sure.name
    assert "Doubted, the model says: blue" in marks.wait_for(OTHER, "doubted").name
    # One that the server cannot have keeps no other from its answer, and has none.
    wait_until(lambda: count_fetched(world, GONE) >= 1, PATIENCE_S, "the lost one is fetched")
    assert marks.wait_for(GONE, "new").word == ""
    world.steps.run("document.querySelector('.tile').classList.toggle('seen')")
    assert [count_fetched(world, number) for number in range(GONE)] == [1] * GONE
    # The page itself reads none of it.
    assert not world.steps.run("return document.documentElement.outerHTML.includes('blue')")

    ask(world, is_on=False)
    assert marks.wait_for(OTHER, "new").word == ""


def test_what_scrolling_brings_into_view_is_asked_about_then(world):
    start_with_model(world, "scrolled")
    ask(world, is_on=True)
    before = count_fetched(world, LATER)
    marks = world.visit(RESULTS)
    marks.wait_for(OTHER, "doubted")
    world.steps.run("grow(60)")
    assert count_fetched(world, LATER) == before
    world.steps.run(f"document.querySelectorAll('.tile')[{LATER}].scrollIntoView()")
    wait_for_word(marks, LATER, "red 9")
    assert count_fetched(world, LATER) == before + 1
    ask(world, is_on=False)


def test_only_the_doubted_are_chosen_and_captured(world):
    dataset_id = start_with_model(world, "doubted")
    ask(world, is_on=True)
    marks = world.visit(RESULTS)
    for number in DOUBTED:
        marks.wait_for(number, "doubted")
    wait_for_word(marks, GONE - 1, "red 9")
    world.steps.open_popup()
    world.steps.select("dataset", dataset_id)
    world.steps.wait_for_text("choose-doubted", f"Doubted ({len(DOUBTED)})")
    said = world.steps.run_in_popup(
        "return [...document.querySelectorAll('.tile')].map((tile) => ["
        "tile.querySelector('.doubt').hidden, tile.querySelector('.visually-hidden').textContent])"
    )
    assert {place for place, (is_hidden, _) in enumerate(said) if not is_hidden} == DOUBTED
    assert "doubted, the model says: blue 9" in said[OTHER][1]
    assert ", the model says: red 9" in said[SURE][1]
    # Under another label the others are the doubted ones, and those that no label makes sure.
    world.steps.fill("label", "blue")
    world.steps.wait_for_text("choose-doubted", f"Doubted ({GONE - 1})")
    world.steps.fill("label", "red")
    world.steps.wait_for_text("choose-doubted", f"Doubted ({len(DOUBTED)})")
    if isinstance(world.steps, ChromiumSteps):
        assert world.steps.popup is not None
        world.steps.run_in_popup("document.getElementById('more').open = true")
        for scheme in SCHEMES:
            assert_accessible(world.steps.popup, scheme)
        world.steps.popup.get_by_test_id("choose-invert").focus()
        world.steps.popup.keyboard.press("Tab")
        world.steps.popup.keyboard.press("Enter")
    else:
        world.steps.click("choose-doubted")
    world.steps.wait_for_text("capture", "3 images")
    world.steps.click("capture")
    world.steps.wait_for_text("capture-notice", "3 added")
    urls = {image["url"] for image in workflow.list_images(world.client, dataset_id)}
    assert {url for url in urls if url} == {world.bears.url(number) for number in DOUBTED}
    # They are the dataset's now, and none is left to doubt.
    world.steps.wait_for_text("choose-doubted", "Doubted (0)")
    shown = "return document.querySelectorAll('.tile .doubt:not([hidden])').length"
    assert world.steps.run_in_popup(shown) == 0
    world.steps.show_page()
    assert marks.wait_for(OTHER, "captured").word == "red"
    ask(world, is_on=False)


def test_another_dataset_has_its_own_opinions_and_one_without_a_model_none(world):
    with_model = start_with_model(world, "with a model")
    without = world.start("without a model")
    ask(world, is_on=True)
    marks = world.visit(RESULTS)
    assert marks.wait_for(OTHER, "new").word == ""
    world.steps.open_popup()
    world.steps.run_in_popup("document.getElementById('more').open = true")
    world.steps.wait_for_text("opinions-notice", "No model of this dataset is live")
    hidden = "return document.getElementById('choose-doubted').hidden"
    assert world.steps.run_in_popup(hidden) is True
    world.send("choose-dataset", f"{{ dataset_id: '{with_model}' }}")
    world.steps.show_page()
    marks.wait_for(OTHER, "doubted")
    world.send("choose-dataset", f"{{ dataset_id: '{without}' }}")
    world.steps.show_page()
    assert marks.wait_for(OTHER, "new").word == ""
    ask(world, is_on=False)
