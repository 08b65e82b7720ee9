"""What axe-core has to object to on a page."""

from __future__ import annotations

from typing import Any, Literal

from playwright.sync_api import Page

from tests.support.processes import ROOT

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
# All of axe-core's own choice (WCAG 2.0 to 2.2 A and AA, best practices) and the one rule of
# WCAG 2.2 AA that it leaves out unless asked: targets of 24 px.
RUN = "axe.run(document, { rules: { 'target-size': { enabled: true } } })"
# Colours that are on their way from one scheme to the other have the contrast of neither. Two
# seconds at most: what the page takes away meanwhile never finishes.
# What has not been styled yet has no transition that could be waited for, and an element begins
# its own when that of the colour it inherits has ended: so frame by frame, until there is none.
COLOURS_SETTLED = """() => {
    const moving = () => document.getAnimations()
        .filter(each => each.effect.getComputedTiming().endTime < Infinity);
    const settle = async () => {
        for (let round = 0; round < 10; round += 1) {
            await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
            if (moving().length === 0) return;
            await Promise.all(moving().map(each => each.finished.catch(() => undefined)));
        }
    };
    return Promise.race([new Promise(resolve => setTimeout(resolve, 2000)), settle()]);
}"""


def find_violations(page: Page) -> list[str]:
    """Return what axe-core has to object to, and where."""
    # By the debugger: the pages' own policy lets nothing else in.
    session = page.context.new_cdp_session(page)
    session.send("Runtime.evaluate", {"expression": AXE.read_text()})
    asked = {"expression": RUN, "awaitPromise": True, "returnByValue": True}
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


def turn(page: Page, scheme: Scheme) -> None:
    """Give a page this colour scheme, and wait until all colours have changed."""
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.evaluate(COLOURS_SETTLED)


def assert_accessible(page: Page, scheme: Scheme) -> None:
    """Assert that axe-core has nothing to object to, in this colour scheme."""
    turn(page, scheme)
    violations = find_violations(page)
    # Said here: pytest explains only the assertions of test modules.
    assert not violations, "\n".join(violations)
