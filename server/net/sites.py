"""Sites: hosts with their sub-domains, as people name them. May import ``server.net.urls``."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from server.net.urls import BadUrlError, host_of, parse_host

# What a capture is called by the adapter of pages that are no search: there, the page itself is the
# one that shows the images.
ANY_PAGE: Final = "generic"


def parse_site(text: str) -> str:
    """Return a site as `ParsedUrl.host` holds its host.

    Args:
        text: A host, such as ``example.org``; in any script, in brackets for IPv6.

    Raises:
        BadUrlError: It is none: an address with a path, a port, a wildcard.
    """
    try:
        return parse_host(text.strip())
    except BadUrlError as error:
        raise BadUrlError(
            f"{text.strip()[:80]!r} is no site: name its host alone, such as example.org"
        ) from error


def is_of(host: str | None, site: str) -> bool:
    """Tell whether a host is a site's: the same, or a sub-domain.

    A name without a dot stands for itself alone, so that ``com`` is not half of the web.
    """
    return host is not None and (host == site or ("." in site and host.endswith(f".{site}")))


def kept_out(site: str) -> str:
    """Return the sentence that goes with what is refused because of its site."""
    return f"{site} is kept out; to collect from it again: bowerbird site unblock {site}"


class Sites:
    """Sites that are looked for among hosts, in time that does not depend on how many they are."""

    def __init__(self, sites: Collection[str] = ()) -> None:
        """Keep the sites, each as `parse_site` returns it."""
        self._sites = frozenset(sites)

    def __bool__(self) -> bool:
        """Tell whether there are any."""
        return bool(self._sites)

    def find(self, hosts: Iterable[str | None]) -> str | None:
        """Return the site that one of these hosts belongs to, if there is one."""
        if self._sites:
            for host in hosts:
                if host is not None and (site := self._find(host)) is not None:
                    return site
        return None

    def find_by_address(self, *addresses: str | None) -> str | None:
        """Return the site that one of these addresses belongs to, if there is one."""
        return self.find(map(host_of, addresses)) if self._sites else None

    def _find(self, host: str) -> str | None:
        name = host
        while True:
            if name in self._sites and is_of(host, name):
                return name
            _, dot, name = name.partition(".")
            if not dot:
                return None
