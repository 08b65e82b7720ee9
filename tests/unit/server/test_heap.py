"""Memory that threads took and gave back: one heap serves all of them."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

# In a process of its own, for the setting holds for good. glibc's own report names the heaps.
REPORT = """
import ctypes, threading
from server import heap
assert heap.share()
library = ctypes.CDLL(None)
library.malloc.restype = ctypes.c_void_p
all_there = threading.Barrier(6)

def take():
    all_there.wait(60)
    library.malloc(2_000)
    all_there.wait(60)

threads = [threading.Thread(target=take) for _ in range(6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join(60)
library.malloc_info.argtypes = [ctypes.c_int, ctypes.c_void_p]
library.fdopen.restype = ctypes.c_void_p
library.fflush.argtypes = [ctypes.c_void_p]
out = library.fdopen(1, b"w")
library.malloc_info(0, out)
library.fflush(out)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="others have one heap, or their own")
def test_threads_share_one_heap():
    done = subprocess.run(
        [sys.executable, "-c", REPORT], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.count("<heap nr=") == 1
