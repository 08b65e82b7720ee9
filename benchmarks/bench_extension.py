"""How long the extension takes with a page of 2,000 results, in real Chromium.

Run ``make bench-extension``: a Markdown table goes to stdout, progress to stderr. The pages have
Google's and Bing's shape and stand under their names on loopback; a real server marks some of their
images as known. May import the tests' browser and site.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import httpx2
from playwright.sync_api import Page, expect

from benchmarks.tile_pages import SHAPES, THUMBNAILS, image_url
from tests.support import workflow
from tests.support.chromium import Chromium, chromium, pair, sign_in
from tests.support.https_site import HttpsSite, Reply
from tests.support.images import encode, photo
from tests.support.processes import ServerProcess

DATASET = "birds"
KNOWN_COUNT = 500  # of the tiles: a capture's worth of marks
STEP_PX = 400  # some turns of the wheel
STEP_COUNT = 40
SETTLE_MS = 1500  # of a new page: until it is laid out and the server has said what it knows
REST_MS = 120  # between two steps: what a step has put off happens within it
# Of Chromium's counters: scripts, and all that the main thread does.
SCRIPT, WORK = "ScriptDuration", "TaskDuration"
LONG_TASK_MS = 50  # https://w3c.github.io/longtasks/
POPUP = {"width": 470, "height": 595}  # as large as browsers let a popup be

SCAN = """async tabId => {
    const read = async () => {
        const { scanPage } = await import(chrome.runtime.getURL('content/main.js'));
        const started = performance.now();
        const { candidates } = scanPage();
        return { ms: performance.now() - started, count: candidates.length };
    };
    const [{ result }] = await chrome.scripting.executeScript({ target: { tabId }, func: read });
    return result;
}"""
# In the popup, from its first moment: when images can be chosen and captured, and what was long.
WATCH = """() => {
    globalThis.seen = { usable_ms: null, long_ms: [] };
    new PerformanceObserver(list => {
        for (const { duration } of list.getEntries()) globalThis.seen.long_ms.push(duration);
    }).observe({ type: 'longtask', buffered: true });
    const look = () => {
        const button = document.getElementById('capture');
        const tile = document.querySelector('[data-testid=candidate]');
        if (tile === null || button === null || button.disabled) return requestAnimationFrame(look);
        requestAnimationFrame(() => (globalThis.seen.usable_ms = performance.now()));
    };
    requestAnimationFrame(look);
}"""
FIND_SCROLLER = """() => {
    let element = document.querySelector('[data-testid=candidates]');
    while (element !== null && !(element.scrollHeight > element.clientHeight + 1 &&
        /auto|scroll/.test(getComputedStyle(element).overflowY))) element = element.parentElement;
    globalThis.scroller = element ?? document.scrollingElement;
    return globalThis.scroller.scrollHeight;
}"""
STEP = """([px, restMs]) => new Promise(resolve => {
    (globalThis.scroller ?? document.scrollingElement).scrollBy(0, px);
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve, restMs)));
})"""


@dataclass
class Figures:
    """What was measured; a value a round, and of scroll steps a value a step.

    Attributes:
        scan_ms: Of the first reading of a page, by its place.
        scan_cpu_ms: Processor time of it, of handing the result on too.
        usable_ms: From opening the popup until an image can be chosen and captured.
        open_long_tasks: Tasks over 50 ms meanwhile.
        long_tasks: Tasks over 50 ms while the popup's grid is scrolled, in a round.
        step_task_ms: Processor time of the popup's main thread in a scroll step.
        node_count: Elements of the popup after that.
        script_ms: Processor time of scripts in a scroll step of the page, without marks and with.
        work_ms: The same of all that the page's main thread does.
    """

    scan_ms: dict[str, list[float]] = field(default_factory=dict)
    scan_cpu_ms: dict[str, list[float]] = field(default_factory=dict)
    scan_count: dict[str, int] = field(default_factory=dict)
    usable_ms: list[float] = field(default_factory=list)
    open_long_tasks: list[float] = field(default_factory=list)
    long_tasks: list[float] = field(default_factory=list)
    step_task_ms: list[float] = field(default_factory=list)
    node_count: list[float] = field(default_factory=list)
    script_ms: dict[bool, list[float]] = field(default_factory=lambda: {False: [], True: []})
    work_ms: dict[bool, list[float]] = field(default_factory=lambda: {False: [], True: []})


@dataclass(frozen=True)
class Bench:
    """What is measured with: a browser that is paired with a server, and a site."""

    browser: Chromium

    def open(self, place: str) -> Page:
        """Open the page of results under its address."""
        return self.browser.open(f"https://{place}?q=bowerbird&udm=2")

    def tell(self, message: str, request: object) -> None:
        """Tell the background something, as the extension's own pages do."""
        options = self.browser.open(
            f"chrome-extension://{self.browser.extension_id}/options/options.html"
        )
        options.evaluate(
            "([type, request]) => chrome.runtime.sendMessage({ type, request })", [message, request]
        )
        options.close()


@contextmanager
def prepared(folder: Path, tile_count: int) -> Iterator[Bench]:
    """Yield a browser before a site of result pages, and paired with a server that knows some."""
    thumbnail = Reply(
        encode(photo(160, 120, 1), "JPEG", quality=60),
        "image/jpeg",
        headers={"Cache-Control": "max-age=600"},
    )
    pages = {place: Reply(make(tile_count)) for place, make in SHAPES.items()}
    thumbnails = dict.fromkeys(THUMBNAILS, thumbnail)
    with (
        HttpsSite(pages | thumbnails) as site,
        ServerProcess(folder / "data", has_trainer=False) as server,
        server.client() as client,
        chromium(folder / "profile", web_port=site.port) as browser,
    ):
        dataset_id = fill_dataset(client)
        home = sign_in(browser, client)
        pair(browser, home, server.url)
        home.close()
        bench = Bench(browser)
        bench.tell("list-datasets", None)
        bench.tell("choose-dataset", {"dataset_id": dataset_id})
        yield bench


def fill_dataset(client: httpx2.Client) -> str:
    """Make a dataset that knows some of the images, whose addresses lead nowhere; return its id."""
    dataset_id = workflow.create_dataset(client, DATASET)
    urls = [image_url(number) for number in range(KNOWN_COUNT)]
    workflow.capture(client, dataset_id, "bowerbird", urls, "known")
    workflow.wait_settled(client, dataset_id)
    return dataset_id


# --- what is measured


def measure_scan(bench: Bench, place: str, figures: Figures) -> None:
    """Read a page that was just loaded."""
    page = bench.open(place)
    page.wait_for_timeout(SETTLE_MS)
    tab_id = bench.browser.find_shown_tab_id()
    worker = bench.browser.context.service_workers[0]
    with counting(bench, page) as read:
        before = read(WORK)
        scan = worker.evaluate(SCAN, tab_id)
        figures.scan_cpu_ms.setdefault(place, []).append((read(WORK) - before) * 1000)
    figures.scan_ms.setdefault(place, []).append(scan["ms"])
    figures.scan_count[place] = scan["count"]
    page.close()


def measure_popup(bench: Bench, place: str, figures: Figures) -> None:
    """Open the popup on a page, and scroll through its images."""
    page = bench.open(place)
    tab_id = bench.browser.find_shown_tab_id()
    popup = bench.browser.context.new_page()
    popup.set_viewport_size(POPUP)  # type: ignore[arg-type]
    popup.add_init_script(f"({WATCH})()")
    popup.goto(f"chrome-extension://{bench.browser.extension_id}/popup/popup.html?tab={tab_id}")
    expect(popup.get_by_test_id("candidate").first).to_be_visible()
    popup.wait_for_timeout(SETTLE_MS)
    seen = popup.evaluate("() => globalThis.seen")
    figures.usable_ms.append(seen["usable_ms"])
    figures.open_long_tasks.append(len(seen["long_ms"]))
    popup.evaluate(FIND_SCROLLER)
    figures.step_task_ms += [work for _, work in measure_steps(bench, popup)]
    after = popup.evaluate("() => globalThis.seen.long_ms")
    figures.long_tasks.append(len(after) - len(seen["long_ms"]))
    figures.node_count.append(popup.evaluate("() => document.querySelectorAll('*').length"))
    popup.close()
    page.close()


def measure_marks(bench: Bench, place: str, figures: Figures, *, is_on: bool) -> None:
    """Scroll through a page, with marks or without."""
    bench.tell("switch-overlay", {"is_on": is_on})
    page = bench.open(place)
    page.bring_to_front()
    expect(page.locator(":root > .bowerbird-marks")).to_have_count(int(is_on))
    page.wait_for_timeout(SETTLE_MS)
    steps = measure_steps(bench, page)
    figures.script_ms[is_on] += [script for script, _ in steps]
    figures.work_ms[is_on] += [work for _, work in steps]
    page.close()


def measure_steps(bench: Bench, page: Page) -> list[tuple[float, float]]:
    """Scroll step by step; return the milliseconds of scripts and of all work that each took."""
    taken = []
    with counting(bench, page) as read:
        for _ in range(STEP_COUNT):
            before = read(SCRIPT), read(WORK)
            page.evaluate(STEP, [STEP_PX, REST_MS])
            taken.append(((read(SCRIPT) - before[0]) * 1000, (read(WORK) - before[1]) * 1000))
    return taken


@contextmanager
def counting(bench: Bench, page: Page) -> Iterator[Callable[[str], float]]:
    """Yield what reads one of Chromium's own counters of a page's main thread.

    They are in seconds of processor time: unlike others that hardly changes with what else the
    machine does.
    """
    session = bench.browser.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def read(name: str) -> float:
        metrics: list[dict[str, Any]] = session.send("Performance.getMetrics")["metrics"]
        return next(float(each["value"]) for each in metrics if each["name"] == name)

    yield read
    session.detach()


# --- the report


def tell(text: str) -> None:
    """Say what goes on, beside the result."""
    sys.stderr.write(f"{text} …\n")


def spread(values: Sequence[float], form: str) -> str:
    """Return median and range, each written as ``form`` says."""
    shown = (form.format(value) for value in (statistics.median(values), min(values), max(values)))
    return "{} ({} to {})".format(*shown)


def measure(bench: Bench, round_count: int) -> Figures:
    """Measure everything, round by round: what else the machine does falls on all alike."""
    figures = Figures()
    google = next(iter(SHAPES))
    for number in range(round_count):
        tell(f"round {number + 1} of {round_count}")
        bench.tell("switch-overlay", {"is_on": False})
        for place in SHAPES:
            measure_scan(bench, place, figures)
        measure_popup(bench, google, figures)
        for is_on in (False, True):
            measure_marks(bench, google, figures, is_on=is_on)
    return figures


def describe(figures: Figures, tile_count: int) -> list[tuple[str, str, str]]:
    """Return rows of what, how much, and what it should be."""
    rows = [row for place in figures.scan_ms for row in describe_scan(figures, place)]
    return [
        *rows,
        ("popup: from opening to the first choice", spread(figures.usable_ms, "{:.0f} ms"), ""),
        (
            f"… tasks over {LONG_TASK_MS} ms meanwhile",
            spread(figures.open_long_tasks, "{:.0f}"),
            "",
        ),
        (f"… elements of {tile_count:,} images", spread(figures.node_count, "{:.0f}"), ""),
        (
            f"… tasks over {LONG_TASK_MS} ms while scrolling {STEP_COUNT} steps",
            spread(figures.long_tasks, "{:.0f}"),
            "0",
        ),
        ("… processor time of one step", spread(figures.step_task_ms, "{:.1f} ms"), ""),
        (
            "page: scripting that marks add to a scroll step",
            spread(find_added(figures.script_ms), "{:.1f} ms"),
            "under 16 ms",
        ),
        (
            "… all processor time that they add",
            spread(find_added(figures.work_ms), "{:.1f} ms"),
            "",
        ),
    ]


def describe_scan(figures: Figures, place: str) -> list[tuple[str, str, str]]:
    """Return the rows of reading a page."""
    what = f"reading {place.split('.')[1].title()}'s page: {figures.scan_count[place]:,} images"
    return [
        (what, spread(figures.scan_ms[place], "{:.0f} ms"), "under 200 ms"),
        ("… processor time of it", spread(figures.scan_cpu_ms[place], "{:.0f} ms"), ""),
    ]


def find_added(by_marks: dict[bool, list[float]]) -> list[float]:
    """Return how much more the steps with marks took than the median of those without."""
    usual = statistics.median(by_marks[False])
    return [each - usual for each in by_marks[True]]


def main() -> int:
    """Parse options, measure, print.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(description="Measure the extension in Chromium.")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of everything")
    parser.add_argument("--tiles", type=int, default=2000, help="results of a page")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="bowerbird-bench-") as folder,
        prepared(Path(folder), options.tiles) as bench,
    ):
        version = bench.browser.context.browser
        name = "Chromium" if version is None else f"Chromium {version.version}"
        rows = describe(measure(bench, options.rounds), options.tiles)
    machine = f"{platform.system()} {platform.machine()}"
    lines = [
        f"{datetime.now(UTC).date()}, {machine}, {name}, {options.rounds} rounds; median (range)",
        "",
        "| what | measured | target |",
        "| --- | --- | --- |",
        *(f"| {what} | {measured} | {target} |" for what, measured, target in rows),
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
