"""What takes turns: the bare limit, the peers, ``bowerbird fetch`` and the server."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fetching import ours
from fetching.measured import Run, run
from fetching.peers import Environments
from fetching.site import Site

from server.config import inherited_environment

HERE = Path(__file__).parent
LIMIT_S = 900.0  # 1,000 images by HTTPS at two a second: anything slower is not worth a figure
WORKERS = "8"  # fastai's default


@dataclass(frozen=True)
class Program:
    """One way to fetch a list of addresses.

    Attributes:
        run: Called with the addresses and an empty folder.
    """

    name: str
    run: Callable[[Sequence[str], Path], Run]


def make_programs(environments: Environments, site: Site) -> list[Program]:
    """Return the programs, in the order of their turns."""
    environment = _environment(site)
    bare = [sys.executable, str(HERE / "run_bare.py")]
    img2dataset = [str(environments.img2dataset), str(HERE / "run_img2dataset.py")]
    fastai = [str(environments.fastai), str(HERE / "run_fastai.py")]

    def script(command: list[str], *options: str, out: str | None = "out") -> Runner:
        return _runner(command, options, out, environment)

    return [
        Program("bare limit", script(bare, "decode", out=None)),
        Program("bare limit, thumbnail encoded", script(bare, "encode", out=None)),
        Program("bowerbird fetch", ours.fetch_runner(environment, LIMIT_S)),
        Program(
            "bowerbird fetch, thumbnails kept",
            ours.fetch_runner(environment, LIMIT_S, "--thumbnails"),
        ),
        Program("bowerbird server", ours.server_runner(environment, LIMIT_S)),
        Program("img2dataset, 256 px", script(img2dataset, "256")),
        Program("img2dataset, not re-encoded", script(img2dataset, "verified")),
        Program("img2dataset, not verified", script(img2dataset, "unverified")),
        Program("fastai", script(fastai, WORKERS)),
    ]


Runner = Callable[[Sequence[str], Path], Run]


def _runner(
    command: list[str], options: Sequence[str], out: str | None, environment: Mapping[str, str]
) -> Runner:
    def run_once(urls: Sequence[str], folder: Path) -> Run:
        listed = folder / "urls.txt"
        listed.write_text("\n".join(urls) + "\n")
        where = [] if out is None else [str(folder / out)]
        whole = [*command, str(listed), *where, *options]
        return run(whole, environment, LIMIT_S, folder / "log.txt")

    return run_once


def _environment(site: Site) -> dict[str, str]:
    """Return what every program gets alike: our names, and trust in the site's authority."""
    return {
        **inherited_environment(),
        "PYTHONPATH": str(HERE / "names"),
        "SSL_CERT_FILE": str(site.authorities),
        # The peers try once. Ours tries again what may pass, which costs seconds of waiting.
        "BOWERBIRD_FETCH__MAX_ATTEMPTS": "1",
        "NO_ALBUMENTATIONS_UPDATE": "1",  # img2dataset would ask the net for a newer version
    }
