"""A server killed again and again while it downloads, at random and at every boundary of a file or
a row; a disk that is full or read-only. After each, rows and files are held against each other.

``make crash-suite KILLS=200 SEED=7`` kills more often, and as it did before.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random, SystemRandom

import httpx2
import pytest

from server.config import inherited_environment
from server.media.blobs import BlobStore, ThumbnailStore
from tests.support import faulty_server, ledger, workflow
from tests.support.faulty_server import Fault
from tests.support.mixed_site import MixedSite, draw
from tests.support.processes import ServerProcess, wait_until
from tests.support.small_disk import fill, small_disk

pytestmark = pytest.mark.slow

KILL_COUNT = int(inherited_environment().get("CRASH_KILLS", "12"))
SEED = int(inherited_environment().get("CRASH_SEED", SystemRandom().randrange(10**6)))
ADDRESSES_OF_A_LIFE = 30
PATIENCE_S = 60.0
STRIKE_TIMEOUT_S = 10.0
# A busy machine records in few, large batches; a fault that waits for the third batch then needs
# more addresses than one life is sent.
MOST_SENDINGS = 6
IN_START_RATIO = 0.15  # of the kills: before the server answers, while it mends what it found
MOST_START_S = 1.5
MOST_LIFE_S = 0.8  # all that a life is sent is settled by then, on a quiet machine
LONG_AGO_S = 2 * 3600  # the sweep leaves files of the last hour
ORPHAN = 10**9 - 1  # a picture that stands at no address


class Story:
    """One data folder through many lives of its server."""

    def __init__(self, data: Path, site: MixedSite, dice: Random) -> None:
        self.data = data
        self._site = site
        self._dice = dice
        # Beside the data folder, which may be too full for it.
        self.fault_file = data.with_suffix(".fault")
        settings = {
            "BOWERBIRD_FETCH__ALLOWED_HOSTS": site.authorities,
            "BOWERBIRD_FETCH__BACKOFF_S": "0.2",
            faulty_server.ENVIRONMENT: str(self.fault_file),
        }
        module = faulty_server.__name__
        self.server = ServerProcess(data, settings, has_trainer=False, module=module)
        self.sent: set[str] = set()
        self.acknowledged: set[str] = set()
        self._waiting: dict[str, list[str]] = {}
        self._dataset_id = ""

    def begin(self) -> None:
        """Live once in peace, to make the dataset."""
        with self.server, self.server.client() as client:
            self._dataset_id = workflow.create_dataset(client, "crashes")

    def send_more(self) -> None:
        """Send new addresses, and again what was not acknowledged in former lives."""
        urls = self._site.addresses(ADDRESSES_OF_A_LIFE, self._dice)
        self.sent |= set(urls)
        self._waiting[f"capture-{len(self.sent)}"] = urls
        with self.server.client() as client:
            for key, waiting in list(self._waiting.items()):
                try:
                    workflow.capture(client, self._dataset_id, "picture", waiting, key)
                except (httpx2.TransportError, AssertionError):  # killed, or refused: not promised
                    return
                self.acknowledged |= set(waiting)
                del self._waiting[key]

    def check(self) -> None:
        """Hold rows and files against what is promised at every moment."""
        ledger.check(self.data, self.sent, self.acknowledged)

    def end_well(self) -> None:
        """Live in peace until all is settled, then until all is swept; check everything."""
        self.fault_file.unlink(missing_ok=True)
        self.server.start()
        self.send_more()
        assert self.acknowledged == self.sent
        with self.server.client() as client:
            workflow.wait_settled(client, self._dataset_id)
        wait_until(self._is_grouped, PATIENCE_S, "all blobs are grouped by their looks")
        assert self.server.stop() == 0
        self.check()
        ledger.check_ends(self.data)
        self._leave_orphan()
        assert not self._is_swept()
        self._sweep()
        ledger.check_no_orphan(self.data)
        self.check()

    def _is_grouped(self) -> bool:
        with ledger.open_copy(self.data) as connection:
            rows = connection.execute("SELECT count(*) FROM blobs WHERE near_group IS NULL")
            return rows.fetchone() == (0,)

    def _leave_orphan(self) -> None:
        """Leave what a crash between file and row does, whose image is undone before it is tried
        again: else the next try finds the file and names it."""
        picture = draw(ORPHAN)
        digest = hashlib.sha256(picture).hexdigest()
        BlobStore(self.data / "blobs").put(picture, digest)
        ThumbnailStore(self.data / "thumbnails").put(picture, digest)

    def _sweep(self) -> None:
        """Make every file old, and live until none is left that no row names."""
        moment = time.time() - LONG_AGO_S
        stores = [self.data / "blobs", self.data / "thumbnails"]
        for path in [path for store in stores for path in ledger.files_of(store)]:
            os.utime(path, (moment, moment))
        with self.server:
            wait_until(self._is_swept, PATIENCE_S, "nothing is left that no row names")

    def _is_swept(self) -> bool:
        try:
            ledger.check_no_orphan(self.data)
        except AssertionError:
            return False
        return True


@pytest.fixture
def site() -> Iterator[MixedSite]:
    with MixedSite() as site:
        yield site


@pytest.mark.timeout(120 + 20 * KILL_COUNT)
def test_a_server_killed_at_random_moments_loses_nothing(tmp_path, site):
    dice = Random(SEED)
    sys.stdout.write(f"to repeat: make crash-suite KILLS={KILL_COUNT} SEED={SEED}\n")
    story = Story(tmp_path / "data", site, dice)
    story.begin()
    for _ in range(KILL_COUNT):
        if dice.random() < IN_START_RATIO:
            story.server.launch()
            time.sleep(MOST_START_S * dice.random())
            story.server.kill()
        else:
            story.server.start()
            sending = threading.Thread(target=story.send_more)
            sending.start()
            time.sleep(MOST_LIFE_S * dice.random())
            story.server.kill()
            sending.join()
        story.check()

    story.end_well()


@pytest.mark.timeout(900)
def test_a_server_killed_at_every_boundary_of_a_file_or_row_loses_nothing(tmp_path, site):
    dice = Random(SEED)
    story = Story(tmp_path / "data", site, dice)
    story.begin()
    for point in faulty_server.FILE_POINTS + faulty_server.ROW_POINTS:
        is_once = point.startswith(("recover", "capture"))
        fault = Fault(point, after=0 if is_once else dice.randrange(3))
        fault.put(story.fault_file)
        story.server.launch()
        assert story.server.process is not None
        if not point.startswith("recover"):
            wait_until(story.server.answers_or_ended, PATIENCE_S, f"it lives until {fault}")
        code = _send_until_struck(story, has_api=not point.startswith("recover"))
        assert code == -9, f"{fault} was not reached:\n{story.server.log[-3000:]}"
        story.check()

    story.end_well()


def _send_until_struck(story: Story, *, has_api: bool) -> int | None:
    """Return the exit code of the server; None if it outlived all sendings."""
    assert story.server.process is not None
    for _ in range(MOST_SENDINGS):
        if has_api:
            story.send_more()
        with suppress(subprocess.TimeoutExpired):
            return story.server.process.wait(STRIKE_TIMEOUT_S)
    story.server.kill()
    return None


FAILURES = [
    Fault("blobs.unwritten", "ENOSPC"),
    Fault("thumbnails.half", "ENOSPC"),
    Fault("blobs.half", "ENOSPC"),
    Fault("blobs.unwritten", "EROFS"),
    Fault("blobs.unnamed", "EIO"),
    Fault("sync.before", "EIO"),
    Fault("settle.uncommitted", "ENOSPC"),
    Fault("settle.uncommitted", "EROFS"),
    Fault("claim.uncommitted", "ENOSPC"),
    Fault("look.uncommitted", "ENOSPC"),
]
EVENTS = {
    "blobs": "download.postponed",
    "thumbnails": "download.postponed",
    "sync": "download.sync_failed",
    "settle": "download.settle_failed",
    "claim": "download.claim_failed",
    "look": "look.failed",
}


def test_a_failing_disk_is_said_and_survived(tmp_path, site):
    story = Story(tmp_path / "data", site, Random(SEED))
    story.begin()
    with story.server:
        for fault in FAILURES:
            said = len(story.server.log)
            fault.put(story.fault_file)
            story.send_more()
            event = EVENTS[fault.point.partition(".")[0]]
            wait_until(
                lambda event=event, said=said: event in story.server.log[said:],
                PATIENCE_S,
                f"{fault} is logged as {event}",
            )
            story.fault_file.unlink()

    story.end_well()


def test_a_disk_without_room_loses_nothing_and_is_used_again(tmp_path, site):
    with small_disk(tmp_path / "data"):
        story = Story(tmp_path / "data", site, Random(SEED))
        story.begin()
        filler = story.data / "filler"
        with story.server, story.server.client() as client:
            with site.holding():
                story.send_more()
                # Else the disk may be full before anything is claimed, and nothing is downloaded.
                wait_until(lambda: site.held_count, PATIENCE_S, "images are being downloaded")
                fill(filler)
                said = len(story.server.log)
            for _ in range(3):
                story.send_more()
            wait_until(
                lambda: any(event in story.server.log[said:] for event in EVENTS.values()),
                PATIENCE_S,
                "what has no room is logged",
            )
            assert client.get("/api/v1/datasets").status_code == 200
            filler.unlink()

        story.end_well()
