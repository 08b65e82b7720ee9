"""The worker: jobs done, stopped, failed and survived. The training itself is played."""

from __future__ import annotations

import errno
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pydantic import SecretStr

from server.contract.bundle import SnapshotRef
from server.contract.recipes import EvaluateRecipe, LrFindRecipe
from server.contract.snapshot import Split
from server.contract.training import LrFinding, LrPoint, TrainingStage
from tests.support.bundles import make_bundle
from tests.support.processes import wait_until
from tests.support.snapshots import coloured, make_snapshot
from tests.support.training_server import (
    JOB_ID,
    MODEL_ID,
    TOKEN,
    TrainingServer,
    training_server,
)
from trainer.client import ServerClient
from trainer.config import WorkerSettings
from trainer.errors import JobFailedError, JobStoppedError, ServerRefusedError
from trainer.snapshot import blob_path
from trainer.transport import Transport
from trainer.worker import Worker

Tell = Callable[[str, int, int], None]


_FINDING = LrFinding(
    points=(LrPoint(lr=1e-4, loss=2, smoothed=2), LrPoint(lr=1e-3, loss=1, smoothed=1.5)),
    valley=3e-4,
    steep=5e-4,
    minimum=1e-4,
    seconds=1,
)
_STAGE = TrainingStage(
    update=19, epoch=0.5, lr=2e-4, train_loss=1.5, valid_loss=1.25, valid_error_rate=0.25
)


def _find_lr(_recipe: object, _snapshot: object, _options: object, tell: Tell) -> LrFinding:
    tell("lr-find", 100, 100)
    return _FINDING


@pytest.fixture
def play(tmp_path: Path) -> Iterator[TrainingServer]:
    """A running server with a small snapshot."""
    with training_server(make_snapshot(tmp_path / "server", coloured(2))) as server:
        yield server


@pytest.fixture
def training(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Tell], None]], None]:
    """Put a played training in the place of ``trainer.runner``, whose own tests need torch."""

    def install(action: Callable[[Tell], None]) -> None:
        def run(*given: Any) -> Path:
            *_, out, tell, show = given
            show((_STAGE,))
            action(tell)
            out.write_bytes(b"bundle")
            return out

        module = ModuleType("trainer.runner")
        module.run = run  # type: ignore[attr-defined]
        module.find_lr = _find_lr  # type: ignore[attr-defined]
        module.RunOptions = lambda *_: None  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "trainer.runner", module)

    install(lambda tell: tell("head", 1, 1))
    return install


def _work(play: TrainingServer, work: Path, pauses: list[float] | None = None) -> None:
    settings = WorkerSettings(server=play.address, work=work, name="tester", claim_wait_s=0)
    pause = (pauses if pauses is not None else []).append
    with Transport(play.address, SecretStr(TOKEN), 8, lambda _: None) as transport:
        Worker(ServerClient(transport, "tester", 4), settings, pause).run(once=True)


def test_a_job_is_done(play: TrainingServer, training: Callable[..., None], tmp_path: Path) -> None:
    reported = threading.Event()
    play.on_progress = lambda _: reported.set()
    training(lambda tell: None if reported.wait(20) else pytest.fail("no report"))
    _work(play, tmp_path / "work")
    assert play.bundle == b"bundle"
    assert play.failed == []
    assert play.reports
    assert {report["worker"] for report in play.reports} == {"tester"}
    assert [entry.name for entry in (tmp_path / "work").iterdir()] == ["blobs"]


def test_curves_are_told_with_every_report_that_follows(
    play: TrainingServer, training: Callable[..., None], tmp_path: Path
) -> None:
    later = threading.Event()

    def note(report: dict[str, Any]) -> None:
        if report["progress"]["phase"] == "export":
            later.set()

    def go_on(tell: Tell) -> None:
        tell("evaluation", 1, 1)
        tell("export", 0, 1)
        assert later.wait(60)

    play.on_progress = note
    training(go_on)
    _work(play, tmp_path)
    assert play.failed == []
    told = [report["progress"] for report in play.reports]
    exported = next(progress for progress in told if progress["phase"] == "export")
    assert exported["stages"] == [_STAGE.model_dump(mode="json")]


def test_a_job_that_makes_no_model_ends_with_what_it_found(
    play: TrainingServer, training: Callable[..., None], tmp_path: Path
) -> None:
    play.recipe = LrFindRecipe().model_dump(mode="json")
    _work(play, tmp_path / "work")
    assert play.finding == _FINDING.model_dump(mode="json")
    assert (play.bundle, play.failed) == (b"", [])


@pytest.mark.slow
def test_a_finished_model_is_judged_on_what_it_has_not_seen(
    play: TrainingServer, tmp_path: Path
) -> None:
    make_bundle(tmp_path / "model.zip", snapshot=SnapshotRef(
        id=play.manifest.snapshot_id, manifest_sha256=play.manifest.sha256
    ))  # fmt: skip
    play.model = (tmp_path / "model.zip").read_bytes()
    play.recipe = EvaluateRecipe(model_id=MODEL_ID).model_dump(mode="json")
    _work(play, tmp_path / "work")
    unseen = play.manifest.items_of(Split.VALID)
    assert play.failed == []
    assert play.finding is not None
    assert (play.finding["model_id"], play.finding["count"]) == (MODEL_ID, len(unseen))
    fetched = {path for _, path in play.requests if path.startswith("blobs/")}
    assert fetched == {f"blobs/{item.sha256}" for item in unseen}
    assert [entry.name for entry in (tmp_path / "work").iterdir()] == ["blobs"]


@pytest.mark.parametrize(("model", "kind"), [(b"", "model-missing"), (b"zip", "model-damaged")])
def test_a_model_that_cannot_be_read_is_said(
    play: TrainingServer, tmp_path: Path, model: bytes, kind: str
) -> None:
    play.model = model
    play.recipe = EvaluateRecipe(model_id=MODEL_ID).model_dump(mode="json")
    _work(play, tmp_path / "work")
    [failed] = play.failed
    assert failed["error"]["kind"] == kind
    assert [entry.name for entry in (tmp_path / "work").iterdir()] == ["blobs"]


def test_what_is_removed_during_a_job_is_forgotten_after_it(
    play: TrainingServer, training: Callable[..., None], tmp_path: Path
) -> None:
    gone = play.manifest.items[0].sha256
    blob = blob_path(tmp_path / "work" / "blobs", gone)
    play.removed = []

    def train(_tell: Tell) -> None:
        assert blob.is_file()
        play.removed = [gone]

    training(train)
    _work(play, tmp_path / "work")
    assert (play.bundle, play.failed) == (b"bundle", [])
    assert not blob.exists()
    asked = [path for _, path in play.requests if path in {"removed-blobs", "jobs/claim"}]
    assert asked == ["removed-blobs", "jobs/claim", "removed-blobs", "removed-blobs"]


class _RenewedError(Exception):
    """Stands for the new process that takes this one's place."""


def test_a_rested_worker_starts_anew_to_give_back_its_memory(
    play: TrainingServer, training: Callable[..., None], tmp_path: Path
) -> None:
    def renew() -> None:
        raise _RenewedError

    settings = WorkerSettings(
        server=play.address, work=tmp_path, name="tester", claim_wait_s=0, rest_s=0
    )
    with Transport(play.address, SecretStr(TOKEN), 8, lambda _: None) as transport:
        worker = Worker(ServerClient(transport, "tester", 4), settings, renew=renew)
        with pytest.raises(_RenewedError):
            worker.run()
    assert play.bundle == b"bundle"


def test_the_lease_is_kept_during_long_work(
    play: TrainingServer, training: Callable[..., None], tmp_path: Path
) -> None:
    play.lease_s = 0.9
    renewed = threading.Event()
    play.on_progress = lambda _: renewed.set() if len(play.reports) >= 3 else None
    training(lambda tell: None if renewed.wait(20) else pytest.fail("no renewal"))
    _work(play, tmp_path)
    assert play.bundle == b"bundle"


@pytest.mark.slow
def test_an_end_is_heard_of_however_long_the_lease_and_the_silence_of_the_work(
    play: TrainingServer,
    training: Callable[..., None],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    play.lease_s = 3000
    asked_again = threading.Event()
    play.on_progress = lambda _: asked_again.set() if len(play.reports) >= 3 else None

    def compute(tell: Tell) -> None:
        tell("export", 0, 0)
        if not asked_again.wait(60):
            pytest.fail("the worker does not ask while it has nothing to tell")
        play.state = "cancelled"
        said = len(play.reports)
        wait_until(lambda: len(play.reports) > said, 60, "the worker asks once more")
        wait_until(lambda: _is_told(tell), 60, "the work is told")
        tell("export", 1, 1)

    training(compute)
    with caplog.at_level(logging.INFO, "trainer"):
        _work(play, tmp_path)
    assert play.bundle == b""
    assert "job.stopped" in [record.message for record in caplog.records]


def test_a_cancelled_job_that_comes_to_no_end_is_abandoned_with_its_process(
    play: TrainingServer,
    training: Callable[..., None],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    renewed = threading.Event()
    bundle = tmp_path / f"tester.{JOB_ID}.bundle.zip"
    left: list[bool] = []

    def compute(tell: Tell) -> None:
        bundle.write_bytes(b"finished")
        play.state = "cancelled"
        assert renewed.wait(60), "the process is not started anew"
        left.append(bundle.exists())
        tell("export", 1, 1)

    training(compute)
    settings = WorkerSettings(server=play.address, work=tmp_path, name="tester", claim_wait_s=0)
    with (
        Transport(play.address, SecretStr(TOKEN), 8, lambda _: None) as transport,
        caplog.at_level(logging.INFO, "trainer"),
    ):
        Worker(ServerClient(transport, "tester", 4), settings, renew=renewed.set).run(once=True)
    events = [record.message for record in caplog.records]
    assert events.index("job.stopped") < events.index("worker.renewed")
    assert (left, play.bundle, play.failed) == ([False], b"", [])


def _is_told(tell: Tell) -> bool:
    try:
        tell("export", 0, 0)
    except JobStoppedError:
        return True
    return False


def test_a_bundle_that_was_finished_before_a_kill_is_only_sent(
    play: TrainingServer, training: Callable[..., None], tmp_path: Path
) -> None:
    (tmp_path / f"tester.{JOB_ID}.bundle.zip").write_bytes(b"finished")
    (tmp_path / "tester.another.bundle.zip").write_bytes(b"of a job that is gone")
    (tmp_path / ".tester.another.bundle.zip.x1.tmp").write_bytes(b"half")
    others = [f"else.{JOB_ID}.bundle.zip", f"tester.2.{JOB_ID}.bundle.zip"]
    for name in others:
        (tmp_path / name).write_bytes(b"another worker's in this folder")
    training(lambda _: pytest.fail("trained again"))
    _work(play, tmp_path)
    assert play.bundle == b"finished"
    assert sorted(entry.name for entry in tmp_path.glob("*bundle*")) == others


def test_a_finished_bundle_stays_when_the_process_is_asked_to_end(
    play: TrainingServer, training: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leave(*_: object) -> None:
        raise SystemExit(0)  # as SIGTERM does

    monkeypatch.setattr(ServerClient, "upload", leave)
    with pytest.raises(SystemExit):
        _work(play, tmp_path)
    assert (tmp_path / f"tester.{JOB_ID}.bundle.zip").read_bytes() == b"bundle"


@pytest.mark.parametrize("end", ["cancelled", "lease lost", "deleted"])
def test_a_job_taken_away_is_dropped(
    play: TrainingServer,
    training: Callable[..., None],
    tmp_path: Path,
    end: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def take_away(tell: Tell) -> None:
        if end == "cancelled":
            play.state = "cancelled"
        play.is_leased = end != "lease lost"
        play.is_deleted = end == "deleted"
        patience = threading.Event()
        for _ in range(200):  # 10 s
            tell("head", 1, 2)
            patience.wait(0.05)

    training(take_away)
    with caplog.at_level(logging.INFO, "trainer"):
        _work(play, tmp_path)
    assert play.bundle == b""
    assert play.failed == []
    stopped = [record for record in caplog.records if record.message == "job.stopped"]
    assert len(stopped) == 1


def test_a_failure_is_reported_with_its_sentence(
    play: TrainingServer, training: Callable[..., None], tmp_path: Path
) -> None:
    def fail(tell: Tell) -> None:
        raise JobFailedError("too-few-classes", "Collect more.")

    training(fail)
    _work(play, tmp_path)
    assert play.failed[0]["error"] == {"kind": "too-few-classes", "detail": "Collect more."}


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ZeroDivisionError("secret"), "unexpected"),
        (MemoryError(), "out-of-memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: secret"), "out-of-memory"),
        (OSError(errno.ENOMEM, "secret"), "out-of-memory"),
        (OSError(errno.ENOSPC, "secret"), "disk-full"),
        (OSError(errno.EACCES, "secret"), "unexpected"),
    ],
    ids=str,
)
def test_an_unexpected_failure_is_reported_without_its_text(
    play: TrainingServer,
    training: Callable[..., None],
    tmp_path: Path,
    error: Exception,
    kind: str,
) -> None:
    def crash(tell: Tell) -> None:
        raise error

    training(crash)
    _work(play, tmp_path)
    assert play.failed[0]["error"]["kind"] == kind
    assert "secret" not in play.failed[0]["error"]["detail"]


def test_a_server_that_is_away_is_waited_for_quietly(
    play: TrainingServer, training: object, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    play.failures = 7  # the first is of the question what was removed, which nobody waits for
    pauses: list[float] = []
    with caplog.at_level(logging.INFO, "trainer"):
        _work(play, tmp_path, pauses)
    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 15.0]
    events = [record.message for record in caplog.records]
    assert events.count("server.unreachable") == 1
    assert events.count("server.reached") == 1
    assert play.bundle == b"bundle"


def test_a_finished_training_is_not_thrown_away_when_the_server_is_away(
    play: TrainingServer, training: Callable[..., None], tmp_path: Path
) -> None:
    def vanish(tell: Tell) -> None:
        play.failures = 12  # more than one upload tries

    training(vanish)
    _work(play, tmp_path)
    assert play.bundle == b"bundle"


def test_a_refusal_fails_the_job(
    play: TrainingServer, training: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise ServerRefusedError(404, "no such snapshot")

    monkeypatch.setattr(ServerClient, "fetch_manifest", refuse)
    _work(play, tmp_path)
    assert play.failed[0]["error"]["kind"] == "server-refused"
    assert "no such snapshot" in play.failed[0]["error"]["detail"]


@pytest.mark.slow
def test_a_failure_is_reported_when_the_server_is_back(
    play: TrainingServer, training: Callable[..., None], tmp_path: Path
) -> None:
    def fail(tell: Tell) -> None:
        play.failures = 100
        raise JobFailedError("too-few-classes", "Collect more.")

    training(fail)
    _work(play, tmp_path)
    assert [report["error"]["kind"] for report in play.failed] == ["too-few-classes"]


def test_a_failure_that_nobody_waits_for_does_not_end_the_worker(
    play: TrainingServer,
    training: Callable[..., None],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(tell: Tell) -> None:
        play.is_leased = False
        raise JobFailedError("too-few-classes", "Collect more.")

    training(fail)
    _work(play, tmp_path)
    assert play.failed == []
    assert "job.failure-unreported" in [record.message for record in caplog.records]


def test_a_missing_blob_fails_the_job(
    play: TrainingServer, training: object, tmp_path: Path
) -> None:
    play.missing.add(play.manifest.items[0].sha256)
    _work(play, tmp_path)
    assert play.failed[0]["error"]["kind"] == "blob-missing"
