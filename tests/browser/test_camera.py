"""A picture from the camera, in the popup's Classify tab, answered by a real server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.support import steps as person
from tests.support.accessibility import SCHEMES, assert_accessible
from tests.support.chromium import Chromium, chromium, pair, sign_in
from tests.support.colour_model import add_colour_model
from tests.support.firefox import firefox
from tests.support.processes import ServerProcess

pytestmark = [pytest.mark.slow, pytest.mark.browser]


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[ServerProcess]:
    """A server whose model tells colours apart."""
    data = tmp_path_factory.mktemp("camera") / "data"
    with ServerProcess(data, has_trainer=False) as running, running.client() as client:
        add_colour_model(client)
        yield running


@pytest.fixture(scope="module")
def browser(server, tmp_path_factory) -> Iterator[Chromium]:
    """A Chromium with a camera, paired with the server."""
    profile = tmp_path_factory.mktemp("camera") / "profile"
    with server.client() as client, chromium(profile, has_camera=True) as running:
        pair(running, sign_in(running, client), server.url)
        yield running


def open_window(browser: Chromium):
    """Open the popup as the window of its own that it moves to."""
    address = f"chrome-extension://{browser.extension_id}/popup/popup.html?tab=0&view=classify"
    return browser.open(address)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_picture_is_taken_by_keyboard_and_answered(browser, scheme):
    window = open_window(browser)
    camera = window.get_by_test_id("camera")
    expect(camera).to_have_text("Use the camera")
    camera.press("Enter")
    expect(camera).to_have_text("Take the picture")
    expect(window.get_by_label("What the camera sees")).to_be_visible()
    assert_accessible(window, scheme)
    camera.press("Enter")
    expect(window.get_by_test_id("prediction").first).to_be_visible()
    expect(camera).to_have_text("Use the camera")
    expect(window.locator("video")).to_have_count(0)
    window.close()


def test_a_popup_moves_to_a_window_of_its_own_before_the_browser_asks(browser):
    popup = browser.open_popup()
    popup.evaluate("() => { navigator.permissions.query = async () => ({ state: 'prompt' }); }")
    popup.get_by_test_id("tab-classify").click()
    with browser.context.expect_page() as opened:
        popup.get_by_test_id("camera").click()
    window = opened.value
    expect(window.get_by_test_id("camera")).to_be_visible()
    expect(window.get_by_test_id("tab-classify")).to_have_attribute("aria-selected", "true")
    window.close()


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        ("NotAllowedError", "The browser did not allow the camera."),
        ("NotFoundError", "No camera was found."),
        ("NotReadableError", "in use by another program"),
        ("AbortError", "The camera does not answer."),
    ],
)
def test_what_is_wrong_with_a_camera_is_said(browser, error, sentence):
    window = open_window(browser)
    window.evaluate(
        "name => { navigator.mediaDevices.getUserMedia = async () => "
        "{ throw new DOMException('', name); }; }",
        error,
    )
    window.get_by_test_id("camera").click()
    expect(window.get_by_test_id("classify-notice")).to_contain_text(sentence)
    expect(window.get_by_test_id("camera")).to_have_text("Use the camera")
    window.close()


def test_firefox_takes_a_picture_too(server, tmp_path):
    with server.client() as client, firefox(tmp_path / "profile", has_camera=True) as running:
        steps = person.FirefoxSteps(running)
        person.pair(steps, server, client)
        running.open_popup("?tab=0&view=classify")
        steps.popup_handle = running.shown_handle()
        steps.wait_for_text("camera", "Use the camera")
        steps.click("camera")
        steps.wait_for_text("camera", "Take the picture")
        steps.click("camera")
        steps.wait_for_text("answer-model", "colours")
        steps.wait_for_text("camera", "Use the camera")
