"""How a command fails: as the client does, or for want of something on this machine.

May import ``server.client.errors``. The exit code is 1 for all of them.
"""

from __future__ import annotations

from server.client.errors import ClientError

# What fails in a verb itself is told like what fails in a request: a sentence, and advice.
CommandError = ClientError


class MissingToolError(CommandError):
    """Something that the verb needs besides Python is not there."""

    def __init__(self, what: str, advice: str) -> None:
        super().__init__(f"{what} is not installed.", advice)
