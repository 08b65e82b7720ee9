"""A small client of Marionette, Firefox's own remote protocol, over one socket.

Mozilla's Python driver needs ``telnetlib``, which Python 3.13 has not; WebDriver BiDi refuses the
pages of extensions.

Source: https://firefox-source-docs.mozilla.org/testing/marionette/Protocol.html: a message is
``length:json``; a command is ``[0, id, name, parameters]``, its answer ``[1, id, error, result]``.
"""

from __future__ import annotations

import json
import socket
from typing import Any

MAX_LENGTH_DIGITS = 10  # of a message; more means that something else answers
# Source: the WebDriver standard's element identifier.
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class MarionetteError(Exception):
    """Firefox refused a command."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{error.get('error')}: {error.get('message')}")
        self.kind = error.get("error")


class Marionette:
    """One session with a Firefox that listens on a port."""

    def __init__(self, port: int, timeout_s: float) -> None:
        """Connect; Firefox greets first.

        Args:
            port: On loopback.
            timeout_s: Of every answer.

        Raises:
            OSError: Nobody listens yet.
        """
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=timeout_s)
        self._reader = self._socket.makefile("rb")
        self._last_id = 0
        self._receive()

    def send(self, command: str, **parameters: object) -> Any:
        """Send a command and return its result.

        Raises:
            MarionetteError: Firefox refuses it.
        """
        self._last_id += 1
        message = json.dumps([0, self._last_id, command, parameters]).encode()
        self._socket.sendall(b"%d:%s" % (len(message), message))
        _, _, error, result = self._receive()
        if error is not None:
            raise MarionetteError(error)
        return result["value"] if isinstance(result, dict) and "value" in result else result

    def find(self, selector: str) -> str:
        """Return the id of the first element that the CSS selector finds.

        Raises:
            MarionetteError: There is none.
        """
        found: dict[str, str] = self.send(
            "WebDriver:FindElement", using="css selector", value=selector
        )
        return found[ELEMENT]

    def close(self) -> None:
        """Close the connection."""
        self._reader.close()
        self._socket.close()

    def _receive(self) -> Any:
        digits = b""
        while not digits.endswith(b":"):
            digit = self._reader.read(1)
            if not digit or len(digits) > MAX_LENGTH_DIGITS:
                raise ConnectionError("Firefox hung up")
            digits += digit
        return json.loads(self._reader.read(int(digits[:-1])))
