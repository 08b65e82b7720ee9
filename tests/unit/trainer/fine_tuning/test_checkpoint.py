"""Checkpoints: whole or not there, few, and never executed."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest
import torch

from trainer.fine_tuning.checkpoint import Checkpoint

pytestmark = pytest.mark.slow


class _Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, ("raise SystemExit('executed')",)


def test_a_state_comes_back(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "c", "a")
    assert checkpoint.find() is None
    checkpoint.save({"done": 3, "weights": [torch.arange(3)]})
    state = Checkpoint(tmp_path / "c", "a").find()
    assert state is not None
    assert state["done"] == 3
    assert state["weights"][0].tolist() == [0, 1, 2]
    checkpoint.delete()
    assert checkpoint.find() is None


def test_few_are_kept_and_torn_files_go(tmp_path: Path) -> None:
    torn = tmp_path / ".x.checkpoint.abc.tmp"
    torn.touch()
    os.utime(torn, (1, 1))
    for place, name in enumerate("abc"):
        Checkpoint(tmp_path, name).save({"done": place})
        os.utime(tmp_path / f"{name}.checkpoint", (10 + place, 10 + place))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.checkpoint", "c.checkpoint"]


@pytest.mark.parametrize("content", [b"", b"noise", pickle.dumps(_Bomb(), protocol=2)], ids=len)
def test_what_is_no_checkpoint_is_not_read(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.checkpoint").write_bytes(content)
    assert Checkpoint(tmp_path, "a").find() is None
