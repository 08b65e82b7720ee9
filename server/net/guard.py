"""Which addresses may be connected to: an explicit list of networks, by their registries.

May import ``server.net.urls``. ``ipaddress.is_global`` is not enough: Python 3.11 calls NAT64 of
loopback, 6to4 of link-local, multicast, site-local and Azure's metadata address global.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from server.net.urls import BadUrlError, parse_host

# Where pictures are served. Everything else a web page could name (SSH, mail, databases, printers)
# is a way to make this machine talk to services that never meant to face a browser; 8080 and 8443
# are the two alternatives that public image hosts do use. Other ports: list the host.
ALLOWED_PORTS: Final = frozenset({80, 443, 8080, 8443})

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Source: IANA IPv4 and IPv6 Special-Purpose Address Registries (iana.org/assignments/
# iana-ipv4-special-registry, iana-ipv6-special-registry), and the documents named.
# The first match gives the words, so metadata addresses stand before the networks around them.
_REFUSED: Final[tuple[tuple[_Network, str], ...]] = tuple(
    (ipaddress.ip_network(network), words)
    for network, words in (
        ("169.254.169.254/32", "cloud metadata (AWS, Azure, Google)"),
        ("169.254.170.2/32", "cloud metadata (AWS ECS credentials)"),
        ("168.63.129.16/32", "cloud metadata (Azure wire server)"),
        ("100.100.100.200/32", "cloud metadata (Alibaba)"),
        ("192.0.0.192/32", "cloud metadata (Oracle)"),
        ("fd00:ec2::/32", "cloud metadata (AWS over IPv6)"),
        ("0.0.0.0/8", "this network (RFC 1122)"),
        ("10.0.0.0/8", "private (RFC 1918)"),
        ("100.64.0.0/10", "carrier-grade NAT (RFC 6598)"),
        ("127.0.0.0/8", "loopback (RFC 1122)"),
        ("169.254.0.0/16", "link-local (RFC 3927)"),
        ("172.16.0.0/12", "private (RFC 1918)"),
        ("192.0.0.0/24", "protocol assignments (RFC 6890)"),
        ("192.0.2.0/24", "documentation (RFC 5737)"),
        ("192.31.196.0/24", "AS112 (RFC 7535)"),
        ("192.52.193.0/24", "multicast tunnels (RFC 7450)"),
        ("192.88.99.0/24", "6to4 relays (RFC 7526)"),
        ("192.168.0.0/16", "private (RFC 1918)"),
        ("192.175.48.0/24", "AS112 (RFC 7534)"),
        ("198.18.0.0/15", "benchmarking (RFC 2544)"),
        ("198.51.100.0/24", "documentation (RFC 5737)"),
        ("203.0.113.0/24", "documentation (RFC 5737)"),
        ("224.0.0.0/4", "multicast (RFC 5771)"),
        ("255.255.255.255/32", "broadcast (RFC 919)"),
        ("240.0.0.0/4", "reserved (RFC 1112)"),
        ("::/128", "unspecified (RFC 4291)"),
        ("::1/128", "loopback (RFC 4291)"),
        ("::/96", "IPv4-compatible (RFC 4291)"),
        ("::ffff:0:0:0/96", "IPv4-translated (RFC 2765)"),
        ("64:ff9b:1::/48", "local NAT64 (RFC 8215)"),
        ("100::/64", "discard (RFC 6666)"),
        ("100:0:0:1::/64", "dummy prefix (RFC 9780)"),
        ("2001::/32", "Teredo (RFC 4380)"),
        ("2001:2::/48", "benchmarking (RFC 5180)"),
        ("2001::/23", "protocol assignments (RFC 2928)"),
        ("2001:db8::/32", "documentation (RFC 3849)"),
        ("2002::/16", "6to4 (RFC 7526)"),
        ("2620:4f:8000::/48", "AS112 (RFC 7534)"),
        ("3fff::/20", "documentation (RFC 9637)"),
        ("5f00::/16", "segment routing (RFC 9602)"),
        ("fc00::/7", "unique local (RFC 4193)"),
        ("fe80::/10", "link-local (RFC 4291)"),
        ("fec0::/10", "site-local (RFC 3879)"),
        ("ff00::/8", "multicast (RFC 4291)"),
    )
)
# Source: IANA IPv6 Address Space: all that is allocated for global unicast today lies in 2000::/3.
_GLOBAL_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
# RFC 6052: the well-known NAT64 prefix. In a network with IPv6 alone every IPv4 host is reached
# through it, so it is neither allowed nor refused by itself: what it leads to decides.
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")

_EXEMPT: Final = re.compile(r"(?P<host>\[[^\]]+\]|[^:\[\]]+)(?::(?P<port>[0-9]{1,5}))?")


class BlockedAddressError(OSError):
    """An address or port that is not connected to.

    An `OSError`, so that aiohttp treats it as a failed connection and goes on to the next address
    of the same name.
    """


@dataclass(frozen=True, slots=True)
class _Exemption:
    host: str
    port: int | None  # None: any


class AddressGuard:
    """Decides, for every connection about to be made, whether it may be made.

    Args:
        allowed_hosts: Hosts exempt from every check, as the address writes them: ``localhost``
            (any port), ``127.0.0.1:9000``, ``[::1]:80``. Only the host as written counts: that a
            name *resolves* to an exempt literal exempts nothing.

    Raises:
        ValueError: An entry that is no host or host:port.
    """

    def __init__(self, allowed_hosts: Sequence[str] = ()) -> None:
        self._exemptions = frozenset(_parse_exemption(entry) for entry in allowed_hosts)

    def check_address(self, ip: str, host: str, port: int) -> None:
        """Refuse what may not be connected to.

        Args:
            ip: The address that the connection will go to, after DNS.
            host: The host as `server.net.urls.ParsedUrl.host` has it.
            port: The port that the connection will go to.

        Raises:
            BlockedAddressError: With the address and what kind of address it is.
        """
        if {_Exemption(host, None), _Exemption(host, port)} & self._exemptions:
            return
        if port not in ALLOWED_PORTS:
            raise BlockedAddressError(f"port {port} is not one that images are fetched from")
        kind = refusal_of(ip)
        if kind is not None:
            raise BlockedAddressError(f"{ip} is not on the public internet: {kind}")


def refusal_of(ip: str) -> str | None:
    """Say why an address is not part of the public internet.

    Args:
        ip: An IPv4 or IPv6 address as text.

    Returns:
        The kind of network it belongs to, or None for a public address.
    """
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return "no address"
    if getattr(address, "scope_id", None) is not None:
        return "an address of one interface"
    embedded = _embedded_ipv4(address)
    if embedded is not None:
        address = embedded
    for network, words in _REFUSED:
        if address in network:
            return words
    if address.version == 6 and address not in _GLOBAL_UNICAST:  # noqa: PLR2004 - IPv6
        return "not allocated"
    return None


def _embedded_ipv4(address: _Address) -> ipaddress.IPv4Address | None:
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped


def _parse_exemption(entry: str) -> _Exemption:
    bare_ipv6 = entry.count(":") > 1 and not entry.startswith("[")
    match = _EXEMPT.fullmatch(f"[{entry}]" if bare_ipv6 else entry)
    if match is None:
        raise ValueError(f"{entry!r} is neither a host nor host:port")
    try:
        host = parse_host(match["host"])
    except BadUrlError as error:
        raise ValueError(f"{entry!r} names no host: {error}") from error
    return _Exemption(host, int(match["port"]) if match["port"] else None)
