"""Going about a page by the keyboard alone."""

from __future__ import annotations

from playwright.sync_api import Page

MAX_TABS = 80  # far more than a page has stops


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until an element that matches has the focus."""
    for _ in range(MAX_TABS):
        if page.evaluate("what => document.activeElement.matches(what)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{selector} is not within {MAX_TABS} tab stops")
