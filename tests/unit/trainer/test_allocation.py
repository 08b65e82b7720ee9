"""Keeping freed memory: done where the C library can, harmless elsewhere."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

from trainer.allocation import keep_freed_memory

_PROGRAM = """
import ctypes, resource, sys
from trainer.allocation import keep_freed_memory
ctypes.CDLL(None).prctl(41, 1, 0, 0, 0)  # PR_SET_THP_DISABLE: a fault is a page of 4 KiB
if sys.argv[1] == "keep" and not keep_freed_memory():
    sys.exit(77)
for _ in range(20):
    block = bytearray(64 << 20)
    del block
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
"""


def _page_faults(word: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, word],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    if done.returncode == 77:
        pytest.skip("this C library has no mallopt")
    return int(done.stdout)


def test_a_large_block_is_not_asked_for_twice() -> None:
    # Twenty blocks of 16,384 pages: all of them anew, or once.
    assert _page_faults("keep") < _page_faults("plain") / 5


def test_another_c_library_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    assert not keep_freed_memory()
