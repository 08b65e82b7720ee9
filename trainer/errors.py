"""What can go wrong in the trainer. Imports nothing of the project.

::

    TrainerError
    ├── JobFailedError     the job cannot be done; told to the server as its failure
    ├── JobStoppedError    the job was taken from us: cancelled, or the lease is lost
    ├── ServerAwayError    the server does not answer, or not sensibly; try again later
    └── ServerRefusedError the server understood and said no; the same again will not help
        └── LeaseLostError
"""

from __future__ import annotations

CANCELLED = "cancelled"
LEASE_LOST = "lease-lost"


class TrainerError(Exception):
    """Root of the trainer's errors."""


class JobFailedError(TrainerError):
    """The job cannot be done.

    Args:
        kind: Kebab-case word, for programs.
        detail: A sentence that says what to do, for people.
    """

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail


class JobStoppedError(TrainerError):
    """The job is no longer ours to do.

    Args:
        reason: `CANCELLED` or `LEASE_LOST`.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ServerAwayError(TrainerError):
    """No sensible answer from the server, after all attempts."""


class ServerRefusedError(TrainerError):
    """The server answered with a client error.

    Args:
        status: HTTP status, 400..499.
        detail: What the server said.
    """

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(f"{status}: {detail}")
        self.status = status
        self.detail = detail


class LeaseLostError(ServerRefusedError):
    """The job was given to another worker, has ended, or is deleted."""
