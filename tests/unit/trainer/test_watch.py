"""Which processes count as alive."""

from __future__ import annotations

import os
import subprocess
import sys

from trainer.watch import _is_alive


def test_the_own_parent_is_alive() -> None:
    assert _is_alive(os.getppid(), is_child=True)


def test_another_process_is_alive_until_it_has_ended() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        assert _is_alive(process.pid, is_child=False)
        process.communicate()
        assert not _is_alive(process.pid, is_child=False)


def test_a_parent_that_was_replaced_is_gone() -> None:
    assert not _is_alive(os.getpid(), is_child=True)
