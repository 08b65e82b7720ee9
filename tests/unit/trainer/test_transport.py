"""Requests: attempts, caps, and what each answer means."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.support.snapshots import coloured, make_snapshot
from tests.support.training_server import TOKEN, TrainingServer, training_server
from trainer.errors import LeaseLostError, ServerAwayError, ServerRefusedError
from trainer.transport import Request, Transport


@pytest.fixture
def play(tmp_path: Path) -> Iterator[TrainingServer]:
    """A running server with a small snapshot."""
    with training_server(make_snapshot(tmp_path / "server", coloured(1))) as server:
        yield server


def _transport(address: str, pauses: list[float], token: str = TOKEN) -> Transport:
    return Transport(address, SecretStr(token), 4, pauses.append)


def _manifest_request(play: TrainingServer, **options: int) -> Request:
    return Request("GET", f"snapshots/{play.manifest.snapshot_id}/manifest", **options)


def test_an_answer_is_returned_whole(play: TrainingServer) -> None:
    pauses: list[float] = []
    with _transport(f"{play.address}/", pauses) as transport:
        reply = transport.send(_manifest_request(play))
    assert (reply.status, reply.content) == (200, play.manifest.to_bytes())
    assert pauses == []


def test_a_failing_server_is_asked_again_with_growing_pauses(play: TrainingServer) -> None:
    play.failures = 3
    pauses: list[float] = []
    with _transport(play.address, pauses) as transport:
        assert transport.send(_manifest_request(play)).status == 200
    assert pauses == [0.5, 1.0, 2.0]


def test_attempts_are_bounded(play: TrainingServer) -> None:
    play.failures = 100
    pauses: list[float] = []
    with _transport(play.address, pauses) as transport, pytest.raises(ServerAwayError, match="503"):
        transport.send(_manifest_request(play))
    assert len(play.requests) == 5
    assert len(pauses) == 4


def test_nobody_at_the_address_is_a_server_away() -> None:
    pauses: list[float] = []
    with (
        _transport("http://127.0.0.1:9", pauses) as transport,
        pytest.raises(ServerAwayError, match="ConnectError"),
    ):
        transport.send(Request("GET", "x", attempts=2))
    assert pauses == [0.5]


def test_another_program_at_the_address_is_recognised(play: TrainingServer) -> None:
    play.identity = {}
    with (
        _transport(play.address, []) as transport,
        pytest.raises(ServerAwayError, match="another program"),
    ):
        transport.send(_manifest_request(play, attempts=1))


def test_an_answer_above_its_cap_is_cut_off(play: TrainingServer) -> None:
    with (
        _transport(play.address, []) as transport,
        pytest.raises(ServerAwayError, match="more than 10 bytes"),
    ):
        transport.send(_manifest_request(play, max_bytes=10, attempts=1))


def test_a_refusal_is_not_repeated_and_says_why(play: TrainingServer) -> None:
    with (
        _transport(play.address, [], token="wrong") as transport,
        pytest.raises(ServerRefusedError, match="no such token") as caught,
    ):
        transport.send(_manifest_request(play))
    assert caught.value.status == 401
    assert len(play.requests) == 1


def test_a_job_that_is_not_ours_is_a_lost_lease(play: TrainingServer) -> None:
    play.is_leased = False
    with _transport(play.address, []) as transport, pytest.raises(LeaseLostError):
        transport.send(Request("POST", "jobs/x/progress", body=b"{}"))


def test_another_conflict_is_no_lost_lease(play: TrainingServer) -> None:
    sha256 = play.manifest.items[0].sha256
    play.lost.add(sha256)
    with (
        _transport(play.address, []) as transport,
        pytest.raises(ServerRefusedError, match="409: the file is gone") as caught,
    ):
        transport.send(Request("GET", f"blobs/{sha256}"))
    assert not isinstance(caught.value, LeaseLostError)
