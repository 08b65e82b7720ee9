"""How the C library deals memory out to threads. Imports nothing of the project."""

from __future__ import annotations

import ctypes
import sys
from typing import Final

_M_ARENA_MAX: Final = -8  # Source: malloc.h of glibc; mallopt(3).


def share() -> bool:
    """Have all threads take memory from one heap, and return whether the C library does that.

    To be called before the threads are there. glibc else makes a heap for each of them. What a
    request took there for a moment, 100 MB for a snapshot of 100,000 images, becomes holes that no
    other thread can use. The heaps are there so that threads need not wait for each other; ours
    mostly wait for Python's lock. Other systems, and other C libraries, are left as they are.
    """
    if sys.platform != "linux":
        return False
    try:
        set_option = ctypes.CDLL(None).mallopt
    except AttributeError:  # musl has none
        return False
    return bool(set_option(_M_ARENA_MAX, 1))
