"""Backbones with their weights: the packaged one, small local files, and files that are neither."""

from __future__ import annotations

import pickle
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.client import IncompleteRead
from io import BytesIO
from pathlib import Path

import pytest
import torch
from torch import nn

from server.contract.files import sha256_of_file
from trainer.backbones import weights
from trainer.backbones.catalogue import BackboneSpec, FetchedFile
from trainer.backbones.loading import load_backbone, load_spec
from trainer.backbones.weights import load_weights
from trainer.errors import JobFailedError, JobStoppedError

pytestmark = pytest.mark.slow


def _tiny() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 9))


def _behead(network: nn.Module) -> None:
    network.set_submodule("3", nn.Identity())


def _spec(address: str) -> BackboneSpec:
    return BackboneSpec("tiny", _tiny, _behead, FetchedFile(address), 4, late=("2.",))


def _write(folder: Path) -> Path:
    """Save a tiny network's weights under a name that holds their hash."""
    torch.save(_tiny().state_dict(), folder / "new.pth")
    return (folder / "new.pth").rename(
        folder / f"tiny-{sha256_of_file(folder / 'new.pth')[:8]}.pth"
    )


def _closed_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def test_the_packaged_backbone_gives_features(tmp_path: Path) -> None:
    backbone = load_backbone("efficientnet_lite0", tmp_path)
    with torch.inference_mode():
        features = backbone.module(torch.zeros(2, 3, 64, 64))
    assert features.shape == (2, backbone.feature_count) == (2, 1280)
    assert backbone.mean == backbone.std == (0.5, 0.5, 0.5)
    assert backbone.weights_sha256.startswith("57934424")  # the file's name says so
    assert not backbone.module.training
    assert not list(tmp_path.iterdir())


def test_weights_are_fetched_once_and_kept(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    source = _write(tmp_path / "there")
    spec = _spec(source.as_uri())
    first = load_spec(spec, tmp_path / "kept")
    source.unlink()
    again = load_spec(spec, tmp_path / "kept")
    images = torch.rand(2, 3, 8, 8)
    assert first.module(images).shape == (2, 4)
    torch.testing.assert_close(first.module(images), again.module(images))
    assert first.weights_sha256 == again.weights_sha256


def test_what_cannot_be_fetched_is_said_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(JobFailedError) as caught:
        load_spec(_spec(f"{_closed_port()}/tiny-00000000.pth"), tmp_path)
    assert caught.value.kind == "weights-unavailable"
    assert f"put the file tiny-00000000.pth into {tmp_path}" in caught.value.detail
    assert "efficientnet_lite0" in caught.value.detail
    assert not list(tmp_path.iterdir())


@contextmanager
def _answering(answer: bytes) -> Iterator[str]:
    """Serve one connection: it is sent this, and held open until the end of the block."""
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(answer)
                ended.wait(60)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/tiny-00000000.pth"
        finally:
            ended.set()
            thread.join()


_HEAD = b"HTTP/1.0 200 OK\r\nContent-Length: 100\r\n\r\n"


def test_a_host_that_falls_silent_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "_SILENCE_S", 0.2)
    with _answering(_HEAD + b"some") as address, pytest.raises(JobFailedError) as caught:
        load_spec(_spec(address), tmp_path)
    assert caught.value.kind == "weights-unavailable"
    assert not list(tmp_path.iterdir())


def test_a_cut_body_or_one_of_another_hash_leaves_nothing(tmp_path: Path) -> None:
    source = tmp_path / "tiny-00000000.pth"
    _write(tmp_path).rename(source)
    with pytest.raises(JobFailedError, match="Train again") as caught:
        load_spec(_spec(source.as_uri()), tmp_path / "kept")
    assert caught.value.kind == "weights-unusable"
    assert not list((tmp_path / "kept").iterdir())
    cut = BytesIO(b"0123")
    cut.headers = {"Content-Length": "5"}  # type: ignore[attr-defined]
    with pytest.raises(IncompleteRead):
        weights._copy(cut, BytesIO(), lambda: None)  # type: ignore[arg-type]


def test_a_job_that_is_stopped_stops_fetching(tmp_path: Path) -> None:
    def stop() -> None:
        raise JobStoppedError("cancelled")

    (tmp_path / "there").mkdir()
    with pytest.raises(JobStoppedError):
        load_spec(_spec(_write(tmp_path / "there").as_uri()), tmp_path / "kept", stop)
    assert not list((tmp_path / "kept").iterdir())


def test_a_file_of_another_hash_is_refused(tmp_path: Path) -> None:
    _write(tmp_path).rename(tmp_path / "tiny-00000000.pth")
    with pytest.raises(JobFailedError, match="hash") as caught:
        load_spec(_spec("http://localhost/tiny-00000000.pth"), tmp_path)
    assert caught.value.kind == "weights-unusable"


def test_an_unknown_backbone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JobFailedError) as caught:
        load_backbone("vgg16", tmp_path)
    assert caught.value.kind == "backbone-unknown"


def test_tensors_are_loaded_by_order(tmp_path: Path) -> None:
    source, target = nn.Linear(3, 2), nn.Linear(3, 2)
    torch.save({"a": source.weight.detach(), "b": source.bias.detach()}, tmp_path / "weights.pth")
    load_weights(target, tmp_path / "weights.pth", by_order=True)
    torch.testing.assert_close(target.weight, source.weight)
    torch.testing.assert_close(target.bias, source.bias)


def test_older_files_without_the_count_of_batches_are_loaded(tmp_path: Path) -> None:
    source, target = nn.BatchNorm1d(3), nn.BatchNorm1d(3)
    source.running_mean = torch.rand(3)
    tensors = {k: v for k, v in source.state_dict().items() if k != "num_batches_tracked"}
    torch.save(tensors, tmp_path / "weights.pth")
    load_weights(target, tmp_path / "weights.pth", by_order=False)
    torch.testing.assert_close(target.running_mean, source.running_mean)


class _Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, ("raise SystemExit('executed')",)


@pytest.mark.parametrize("kind", ["missing", "noise", "pickle", "other shapes", "other names"])
def test_what_is_not_the_weights_is_refused_and_never_run(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "weights.pth"
    if kind == "noise":
        path.write_bytes(b"noise")
    elif kind == "pickle":
        path.write_bytes(pickle.dumps(_Bomb(), protocol=2))
    elif kind == "other shapes":
        torch.save({"a": torch.zeros(9)}, path)
    elif kind == "other names":
        torch.save({"a": torch.zeros(2, 3), "b": torch.zeros(2)}, path)
    with pytest.raises(JobFailedError) as caught:
        load_weights(nn.Linear(3, 2), path, by_order=kind != "other names")
    assert caught.value.kind == "weights-unusable"
    assert "pip install" in caught.value.detail


def test_a_backbones_parameters_are_in_one_group_each(tmp_path: Path) -> None:
    source = _write(tmp_path)
    spec = replace(_spec(source.as_uri()), late=("0.bias",))
    early, late = load_spec(spec, tmp_path).groups()
    assert [parameter.shape for parameter in early] == [(4, 3, 3, 3)]
    assert [parameter.shape for parameter in late] == [(4,)]
