"""Decoders stand back behind the threads that answer somebody."""

from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from server.niceness import stand_back

LEAST_URGENT = 19  # of Linux


def niceness_of_thread() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has it by thread")
@pytest.mark.parametrize("niceness", [0, 7])
def test_a_decoder_stands_back_by_so_much_and_nobody_else_does(niceness):
    before = niceness_of_thread()
    with ThreadPoolExecutor(1, initializer=stand_back, initargs=(niceness,)) as threads:
        of_decoder = threads.submit(niceness_of_thread).result()

    assert of_decoder == min(LEAST_URGENT, before + niceness)
    assert niceness_of_thread() == before
