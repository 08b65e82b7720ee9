"""The guard: every network that is not the public internet, in every way of writing it."""

from __future__ import annotations

import pytest

from server.net.guard import AddressGuard, BlockedAddressError, refusal_of

PUBLIC = [
    "1.1.1.1", "8.8.8.8", "93.184.215.14", "172.15.255.255", "172.32.0.0", "100.63.255.255",
    "100.128.0.0", "169.253.255.255", "169.255.0.0", "192.0.1.0", "192.167.255.255",
    "198.17.255.255", "198.20.0.0", "223.255.255.255", "168.63.129.15", "168.63.129.17",
    "2606:4700:4700::1111", "2001:4860:4860::8888", "2a00:1450::1", "2001:200::1", "2003::1",
    "::ffff:8.8.8.8", "64:ff9b::8.8.8.8",
]  # fmt: skip

REFUSED = {
    # First and last of each network of the list, and what lies inside of it by another way.
    "0.0.0.0": "this network", "0.255.255.255": "this network",
    "10.0.0.0": "private", "10.255.255.255": "private",
    "100.64.0.0": "carrier", "100.127.255.255": "carrier", "100.100.100.200": "metadata",
    "127.0.0.1": "loopback", "127.255.255.255": "loopback",
    "169.254.0.0": "link-local", "169.254.255.255": "link-local",
    "169.254.169.254": "metadata", "169.254.170.2": "metadata", "168.63.129.16": "metadata",
    "172.16.0.0": "private", "172.31.255.255": "private",
    "192.0.0.0": "assignments", "192.0.0.8": "assignments", "192.0.0.192": "metadata",
    "192.0.2.1": "documentation", "198.51.100.1": "documentation", "203.0.113.1": "documentation",
    "192.31.196.1": "AS112", "192.175.48.1": "AS112", "192.52.193.1": "multicast",
    "192.88.99.1": "6to4", "192.168.0.0": "private", "192.168.255.255": "private",
    "198.18.0.0": "benchmarking", "198.19.255.255": "benchmarking",
    "224.0.0.1": "multicast", "239.255.255.255": "multicast",
    "240.0.0.0": "reserved", "255.255.255.254": "reserved", "255.255.255.255": "broadcast",
    "::": "unspecified", "::1": "loopback", "::127.0.0.1": "compatible", "::8.8.8.8": "compatible",
    "::ffff:127.0.0.1": "loopback", "::ffff:169.254.169.254": "metadata",
    "::ffff:a00:1": "private", "::ffff:0:127.0.0.1": "translated",
    "64:ff9b::127.0.0.1": "loopback", "64:ff9b::7f00:1": "loopback",
    "64:ff9b::169.254.169.254": "metadata", "64:ff9b::10.0.0.1": "private",
    "64:ff9b:1::1": "local NAT64", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff": "local NAT64",
    "100::1": "discard", "100:0:0:1::1": "dummy",
    "2001::1": "Teredo", "2001:0:7f00:1::": "Teredo", "2001:2::1": "benchmarking",
    "2001:10::1": "assignments", "2001:1ff:ffff::": "assignments", "2001:db8::1": "documentation",
    "2002:7f00:1::": "6to4", "2002:a9fe:a9fe::": "6to4", "2002:808:808::": "6to4",
    "2620:4f:8000::1": "AS112", "3fff::1": "documentation", "3fff:fff:ffff::": "documentation",
    "5f00::1": "segment routing", "fc00::1": "unique local", "fd12:3456::1": "unique local",
    "fd00:ec2::254": "metadata", "fe80::1": "link-local", "febf:ffff::": "link-local",
    "fec0::1": "site-local", "feff:ffff::1": "site-local", "ff02::1": "multicast",
    "4000::1": "not allocated", "1000::1": "not allocated", "64:ff9b:2::1": "not allocated",
    "fe80::1%eth0": "interface", "2606:4700::1%1": "interface",
    "": "no address", "localhost": "no address", "127.1": "no address", "0x7f.0.0.1": "no address",
    "127.0.0.01": "no address", " 127.0.0.1": "no address",
}  # fmt: skip


@pytest.mark.parametrize("ip", PUBLIC)
def test_public_addresses_pass(ip: str) -> None:
    assert refusal_of(ip) is None
    AddressGuard().check_address(ip, "example.com", 443)


@pytest.mark.parametrize("ip", REFUSED)
def test_what_is_not_public_is_refused_by_its_kind(ip: str) -> None:
    kind = refusal_of(ip)
    assert kind is not None
    assert REFUSED[ip] in kind
    with pytest.raises(BlockedAddressError, match="not on the public internet"):
        AddressGuard().check_address(ip, "example.com", 80)


@pytest.mark.parametrize("port", [80, 443, 8080, 8443])
def test_ports_of_pictures_pass(port: int) -> None:
    AddressGuard().check_address("1.1.1.1", "example.com", port)


@pytest.mark.parametrize("port", [0, 1, 21, 22, 25, 53, 110, 587, 3306, 6379, 9100, 11211, 65535])
def test_other_ports_are_refused(port: int) -> None:
    with pytest.raises(BlockedAddressError, match=f"port {port} "):
        AddressGuard().check_address("1.1.1.1", "example.com", port)


@pytest.mark.parametrize(
    ("entry", "host", "port"),
    [
        ("localhost", "localhost", 1),
        ("LocalHost.", "localhost", 9000),
        ("127.0.0.1:9000", "127.0.0.1", 9000),
        ("[::1]:80", "::1", 80),
        ("[::1]", "::1", 1234),
        ("::1", "::1", 1234),
        ("[0:0::1]:80", "::1", 80),
        ("bücher.example:81", "xn--bcher-kva.example", 81),
    ],
)
def test_a_listed_host_is_exempt_from_every_check(entry: str, host: str, port: int) -> None:
    AddressGuard([entry]).check_address("127.0.0.1", host, port)


@pytest.mark.parametrize(
    ("entry", "host", "port"),
    [
        ("127.0.0.1:9000", "127.0.0.1", 9001),
        ("127.0.0.1:9000", "localhost", 9000),
        ("localhost", "sub.localhost", 80),
        ("localhost", "127.0.0.1", 80),
        ("example.com", "evil.example.com", 80),
        ("example.com", "example.com.evil.org", 80),
    ],
)
def test_only_the_host_as_written_is_exempt(entry: str, host: str, port: int) -> None:
    with pytest.raises(BlockedAddressError):
        AddressGuard([entry]).check_address("127.0.0.1", host, port)


@pytest.mark.parametrize(
    "entry",
    ["", ":80", "http://localhost", "10.0.0.0/8", "a b", "host:port", "*", "[::1", "::g", "u@h",
     "127.1"],
)  # fmt: skip
def test_entries_that_name_no_host_are_refused(entry: str) -> None:
    with pytest.raises(ValueError, match="host"):
        AddressGuard([entry])
