"""The limits of fetching, with their units and reasons. Imports nothing of the project."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata


class RobotsTxt(StrEnum):
    """Which rules of a site's ``robots.txt`` are heeded."""

    OFF = "off"  # none, and it is not asked for
    NAMED = "named"  # those for Bowerbird by name; of those for everybody, what is on training
    ALL = "all"  # those for everybody as well, as a crawler would


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """How much an address may take of this machine, and how much we take of its server.

    Attributes:
        allowed_hosts: Exempt from the address guard; see `server.net.guard.AddressGuard`.
        max_bytes: A body's cap: ten times a large photo (2 MB) as JPEG.
        total_s: Of one address over all its redirects, waiting for a slot not counted. The only
            limit that ends a body that drips.
        connect_s: For DNS, TCP and TLS of one connection each.
        read_s: Longest silence while headers or body are awaited.
        max_redirects: Image hosts use one or two; browsers give up at 20.
        concurrency: Requests at once. 16 to 64 measured alike; this many caps of ``max_bytes`` is
            the most memory that bodies can hold.
        per_host: Requests at once to one host: manners, and no slow host holds all the slots.
        keepalive_s: How long an idle connection is kept. What follows on it follows in
            milliseconds. Lists of images name thousands of hosts, and each kept connection is a
            descriptor and, by TLS, 0.4 MB.
        respect_opt_out: Leave images alone whose site asks not to train on them.
        robots_txt: Which rules of the site's ``robots.txt`` are wishes of that kind.
        contact: Goes into the User-Agent as ``+contact``, an address or a page; may be empty.
    """

    allowed_hosts: tuple[str, ...] = ()
    max_bytes: int = 20 * 1024 * 1024
    total_s: float = 30.0
    connect_s: float = 10.0
    read_s: float = 10.0
    max_redirects: int = 5
    concurrency: int = 32
    per_host: int = 8
    keepalive_s: float = 0.5
    respect_opt_out: bool = True
    robots_txt: RobotsTxt = RobotsTxt.NAMED
    contact: str = ""

    def __post_init__(self) -> None:
        """Refuse limits that limit nothing.

        Raises:
            ValueError: A limit below its least sensible value, or a contact beyond plain ASCII.
        """
        least = min(self.max_bytes, self.concurrency, self.per_host)
        if least < 1 or self.max_redirects < 0:
            raise ValueError("counts and sizes must be positive")
        if min(self.total_s, self.connect_s, self.read_s, self.keepalive_s) <= 0:
            raise ValueError("time limits must be positive")
        if not (self.contact.isascii() and self.contact.isprintable()):
            raise ValueError("the contact must be printable ASCII: it becomes a header")

    @property
    def user_agent(self) -> str:
        """The honest name under which we ask: ``Bowerbird/0.1.0 (+contact)``."""
        note = f"+{self.contact}" if self.contact else "image collector run by one person"
        return f"Bowerbird/{_version()} ({note})"


def _version() -> str:
    try:
        return metadata.version("bowerbird")
    except metadata.PackageNotFoundError:  # run from a folder that was never installed
        return "0"
