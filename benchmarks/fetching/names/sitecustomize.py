"""Resolves ``*.bench.test`` to loopback in every Python program that has this folder on its path.

All programs under measurement get it alike: addresses on thousands of hosts need thousands of
names, and a name server or ``/etc/hosts`` would need an administrator.
"""

import socket
from typing import Any

SUFFIX = ".bench.test"
_look_up = socket.getaddrinfo


def _getaddrinfo(host: Any, *others: Any, **named: Any) -> Any:  # the signature of what it replaces
    is_ours = isinstance(host, str) and host.endswith(SUFFIX)
    return _look_up("127.0.0.1" if is_ours else host, *others, **named)


socket.getaddrinfo = _getaddrinfo
