"""How evenly real Chromium scrolls the grid of a large dataset. May import the tests' browser."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx2
from playwright.sync_api import CDPSession, expect

from tests.support.chromium import chromium, sign_in

FRAMES = 600  # ten seconds at sixty a second
STEP_PX = 40  # of a frame: two and a half screens a second, a fast turn of the wheel
LONG_TASK_MS = 50  # https://w3c.github.io/longtasks/
# At rest the same is watched as while it scrolls: what the machine gives.
WATCH = """([frames, stepPx]) => new Promise(resolve => {
    const scroller = document.scrollingElement;
    const long = [];
    const observer = new PerformanceObserver(list => {
        for (const { duration } of list.getEntries()) long.push(duration);
    });
    observer.observe({ type: 'longtask' });
    const times = [];
    const step = now => {
        times.push(now);
        if (times.length <= frames) {
            scroller.scrollBy({ top: stepPx, behavior: 'instant' });
            return requestAnimationFrame(step);
        }
        setTimeout(() => {
            observer.disconnect();
            resolve({ times, long, top: scroller.scrollTop, height: scroller.scrollHeight });
        }, 200);
    };
    requestAnimationFrame(step);
})"""


@dataclass(frozen=True)
class Scroll:
    """What was seen of some seconds of frames.

    Attributes:
        intervals_ms: From each frame to the next.
        long_ms: Tasks over 50 ms.
        end_px: Where the page then stood.
        cpu_ms: Processor time of the page's main thread, a frame.
    """

    intervals_ms: Sequence[float]
    long_ms: Sequence[float]
    end_px: float
    cpu_ms: float

    @property
    def frames_per_second(self) -> float:
        """Return the mean rate."""
        return 1000 / statistics.fmean(self.intervals_ms)

    @property
    def slow_ms(self) -> float:
        """Return the interval that one frame in a hundred exceeds."""
        return statistics.quantiles(self.intervals_ms, n=100)[-1]


def measure(profile: Path, client: httpx2.Client, url: str, dataset_id: str) -> dict[str, Scroll]:
    """Return frames of the dataset's page at rest, while it scrolls down, and up again.

    Args:
        profile: A folder for the browser's profile.
        client: Of the server, signed in.
        url: Of the server.
        dataset_id: What is shown.
    """
    with chromium(profile) as browser:
        page = sign_in(browser, client)
        page.goto(f"{url}/#/datasets/{dataset_id}")
        expect(page.get_by_test_id("tile").first).to_be_visible()
        page.wait_for_load_state("networkidle")
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        found: dict[str, Scroll] = {}
        for name, step_px in {"at rest": 0, "scrolling": STEP_PX, "back": -STEP_PX}.items():
            before_s = _read_work_s(session)
            seen: dict[str, Any] = page.evaluate(WATCH, [FRAMES, step_px])
            cpu_ms = (_read_work_s(session) - before_s) * 1000 / FRAMES
            times = seen["times"]
            intervals = [after - before for before, after in pairwise(times)]
            found[name] = Scroll(intervals, seen["long"], seen["top"], cpu_ms)
        return found


def _read_work_s(session: CDPSession) -> float:
    """Return the processor time that the page's main thread has taken, by Chromium's counter."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return next(float(each["value"]) for each in metrics if each["name"] == "TaskDuration")
