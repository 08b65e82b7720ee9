"""What axe-core has to object to on a page."""

from __future__ import annotations

from typing import Any, Literal

from playwright.sync_api import Page

from tests.support.processes import ROOT

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")


def find_violations(page: Page) -> list[str]:
    """Return what axe-core has to object to, and where."""
    # By the debugger: the pages' own policy lets nothing else in.
    session = page.context.new_cdp_session(page)
    session.send("Runtime.evaluate", {"expression": AXE.read_text()})
    asked = {"expression": "axe.run(document)", "awaitPromise": True, "returnByValue": True}
    answer: dict[str, Any] = session.send("Runtime.evaluate", asked)
    session.detach()
    assert "exceptionDetails" not in answer, answer
    results = answer["result"]["value"]
    assert len(results["passes"]) > 10, "axe has looked at nothing"
    return [
        f"{each['id']} ({each['impact']}): {node['html'][:200]} {node['failureSummary']}"
        for each in results["violations"]
        for node in each["nodes"]
    ]


def assert_accessible(page: Page, scheme: Scheme) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    assert find_violations(page) == []
