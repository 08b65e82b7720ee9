"""Fuzzing led by coverage: ``python -m tests.fuzz.guided TARGET [SECONDS]``, or ``make fuzz``.

Beside the property tests of this folder, which run with every `make test`: atheris watches which
lines an input reaches and goes on from those that reach new ones. It is asked for by the extra
``fuzz``, as it exists for some systems only. At the end it says how many cases it ran; a case that
fails is written to a file, named in the output, and the exit code is not 0.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import atheris

with atheris.instrument_imports(include=["server", "PIL", "protego"]):
    from server.media.verify import NotUsableError, VerifyLimits, verify
    from server.net.guard import AddressGuard, BlockedAddressError, refusal_of
    from server.net.limits import RobotsTxt
    from server.net.robots import read_robots
    from server.net.robots_book import MAX_WEIGHT_BYTES
    from server.net.urls import BadUrlError, normalise, parse, resolve

from tests.support import images

FOUND = Path("build/fuzz")
LIMITS = VerifyLimits(max_pixels=250_000)
GUARD = AddressGuard(["127.0.0.1:9000"])


def addresses(data: bytes) -> None:
    """Parse: one plain form, which parses to itself, or its error."""
    text = atheris.FuzzedDataProvider(data).ConsumeUnicode(300)
    for url in (text, f"http://{text}"):
        try:
            parsed = parse(url)
        except BadUrlError:
            continue
        assert parse(parsed.text) == parsed, url
        assert parsed.text.isascii(), url
        key = normalise(url)
        assert normalise(key) == key, url


def redirects(data: bytes) -> None:
    """Resolve a location against an address: an address, or its error."""
    provider = atheris.FuzzedDataProvider(data)
    base, location = provider.ConsumeUnicode(100), provider.ConsumeUnicode(200)
    try:
        target = resolve(parse(f"http://example.com/{base}"), location)
    except BadUrlError:
        return
    assert parse(target.text) == target, (base, location)


def guard(data: bytes) -> None:
    """Judge an address for a connection: allowed only where it is public, whatever its text."""
    provider = atheris.FuzzedDataProvider(data)
    port = provider.ConsumeIntInRange(0, 65_535)
    ip = provider.ConsumeUnicode(60)
    try:
        GUARD.check_address(ip, "example.com", port)
    except BlockedAddressError:
        return
    assert refusal_of(ip) is None, ip


def robots(data: bytes) -> None:
    """Read a robots.txt: an answer for any address, and rules within their caps."""
    provider = atheris.FuzzedDataProvider(data)
    mode = provider.PickValueInList(list(RobotsTxt))
    path = provider.ConsumeUnicodeNoSurrogates(60)
    text = provider.ConsumeBytes(4096).decode("utf-8", "replace")
    rules = read_robots(f"User-agent: bowerbird\n{text}", mode)
    rules.objection(parse(f"http://example.com/{quote(path)}").text)
    assert rules.weight_bytes <= MAX_WEIGHT_BYTES, text


def pictures(data: bytes) -> None:
    """Verify bytes: a description within the limits, or a refusal."""
    try:
        verified = verify(data, LIMITS)
    except NotUsableError:
        return
    assert verified.width * verified.height <= LIMITS.max_pixels
    assert verified.thumbnail.startswith(b"\xff\xd8")


TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target for target in (addresses, redirects, guard, robots, pictures)
}


def mutate_picture(data: bytes, max_size: int, seed: int) -> bytes:
    """Begin with a whole picture of some format, since noise is refused at its first bytes."""
    whole = SEEDS[seed % len(SEEDS)] if not data or seed % 8 == 0 else data
    changed: bytes = atheris.Mutate(whole, max_size)
    return changed


SEEDS = [
    images.jpeg(40, 30),
    images.jpeg(40, 30, progressive=True),
    *(images.encode(images.photo(40, 30), kind) for kind in ("PNG", "GIF", "WEBP", "BMP", "TIFF")),
]


def main() -> None:
    """Run one target for so many seconds."""
    name, seconds = sys.argv[1], (sys.argv[2:] or ["60"])[0]
    FOUND.mkdir(parents=True, exist_ok=True)
    options = [
        f"-max_total_time={seconds}",
        f"-artifact_prefix={FOUND}/{name}-",
        "-print_final_stats=1",
        "-max_len=4096",
        "-timeout=20",
    ]
    mutator = {"custom_mutator": mutate_picture} if name == "pictures" else {}
    atheris.Setup([sys.argv[0], *options], TARGETS[name], **mutator)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
