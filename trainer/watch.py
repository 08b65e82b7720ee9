"""Ends the process with its parent, and on SIGTERM and Ctrl-C. Standard library only."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from types import FrameType
from typing import Never

log = logging.getLogger(__name__)

_POLL_S = 1.0  # a stray trainer for a second does no harm
_GRACE_S = 10.0  # for the main thread to leave a long computation


def exit_on_signals(*, has_parent: bool) -> None:
    """Make SIGTERM and Ctrl-C raise SystemExit in the main thread: files and sockets are closed.

    Nothing else is needed: blobs, features and bundles are written whole or not at all, and the
    server gives the job out again.

    Args:
        has_parent: Ctrl-C is for the server in the same terminal, which then sends SIGTERM.
    """

    def leave(_signal: int, _frame: FrameType | None) -> Never:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, signal.SIG_IGN if has_parent else leave)


def exit_with(parent_pid: int) -> None:
    """Watch a process from a thread of our own, and end this one when it is gone."""
    is_child = os.getppid() == parent_pid
    threading.Thread(
        target=_watch, args=(parent_pid, is_child), name="parent-watch", daemon=True
    ).start()


def _watch(parent_pid: int, is_child: bool) -> None:
    while _is_alive(parent_pid, is_child=is_child):
        time.sleep(_POLL_S)
    log.info("parent.gone", extra={"parent": parent_pid})
    main = threading.main_thread().ident
    if main is not None:  # to that thread, so that a wait it is in is interrupted
        signal.pthread_kill(main, signal.SIGTERM)
    time.sleep(_GRACE_S)
    os._exit(1)


def _is_alive(pid: int, *, is_child: bool) -> bool:
    if is_child:  # an orphan gets another parent at once, even while the old one is a zombie
        return os.getppid() == pid
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
