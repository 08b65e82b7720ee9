"""How far a thread stands back behind the others of this process for a processor.

Imports nothing of the project.
"""

from __future__ import annotations

import os
import sys
import threading


def stand_back(niceness: int) -> None:
    """Let this thread stand back; only where threads have a niceness of their own: on Linux."""
    if niceness and sys.platform.startswith("linux"):
        thread = threading.get_native_id()
        now = os.getpriority(os.PRIO_PROCESS, thread)
        os.setpriority(os.PRIO_PROCESS, thread, now + niceness)
