"""nginx on loopback, serving the corpus by HTTP and HTTPS with a certificate authority of its own.

Needs the programs ``nginx`` and ``openssl``; both run as the person who measures, on free ports.
"""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SUFFIX = ".bench.test"  # resolved to loopback by names/sitecustomize.py
START_TIMEOUT_S = 10.0
SLOW_BYTES_PER_S = 34_000  # a photo of 170 KB takes 5 s

CONFIG = """
daemon off; worker_processes 2; pid {work}/nginx.pid; error_log {work}/error.log;
events {{ worker_connections 2048; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000;
  types {{ image/jpeg jpg; }} default_type application/octet-stream;
  client_body_temp_path {work}/body; proxy_temp_path {work}/proxy; fastcgi_temp_path {work}/fcgi;
  uwsgi_temp_path {work}/uwsgi; scgi_temp_path {work}/scgi;
  ssl_certificate {work}/site.pem; ssl_certificate_key {work}/site.key;
  ssl_session_cache shared:tls:10m; ssl_protocols TLSv1.2 TLSv1.3;
  server {{
    listen 127.0.0.1:{http_port} backlog=1024; listen 127.0.0.1:{https_port} ssl backlog=1024;
    root {root};
    location /slow/ {{ limit_rate {slow}; }}
    location /refused/ {{ return 403; }}
    location /failing/ {{ return 500; }}
    location /loop/ {{ return 302 $request_uri; }}
  }}
}}
"""

_NEW_KEY = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
_AUTHORITY = "-CA authority.pem -CAkey authority.key"
_CERTIFYING = (  # an authority, a request, and what the authority says to it
    "req -x509 {key} -keyout authority.key -out authority.pem -days 2 -subj /CN=bench-authority",
    "req {key} -keyout site.key -out site.csr -subj /CN=www{suffix}",
    "x509 -req -in site.csr -out site.pem {authority} -CAcreateserial -extfile names -days 2",
)


@dataclass(frozen=True)
class Site:
    """A site that listens.

    Attributes:
        authorities: Certificates to be trusted by what is measured: its own authority's beside
            those of the system. A program that reads them for each address pays for all of them,
            as it does on the web.
    """

    http_port: int
    https_port: int
    authorities: Path

    def http(self, _number: int, _path: str) -> str:
        """Return the one HTTP origin."""
        return f"http://127.0.0.1:{self.http_port}"

    def http_by_folder(self, number: int, path: str) -> str:
        """Return one of ten HTTP origins of a folder: a host is slow, or refuses, as a whole."""
        return f"http://{path.split('/')[1]}{number % 10}{SUFFIX}:{self.http_port}"

    def https(self, _number: int, _path: str) -> str:
        """Return the one HTTPS origin."""
        return f"https://www{SUFFIX}:{self.https_port}"

    def https_apart(self, number: int, _path: str) -> str:
        """Return an HTTPS origin for this number alone."""
        return f"https://h{number}{SUFFIX}:{self.https_port}"


def missing_programs() -> list[str]:
    """Return the names of what has to be installed first."""
    return [name for name in ("nginx", "openssl") if shutil.which(name) is None]


@contextmanager
def serving(root: Path, work: Path) -> Iterator[Site]:
    """Serve ``root``; yield the site; stop it.

    Args:
        root: The corpus.
        work: An empty folder for what nginx and openssl write.

    Raises:
        RuntimeError: nginx did not start in time; the message has its words.
    """
    _certify(work)
    http_port, https_port = _free_port(), _free_port()
    ports = {"http_port": http_port, "https_port": https_port}
    config = CONFIG.format(root=root, work=work, slow=SLOW_BYTES_PER_S, **ports)
    (work / "nginx.conf").write_text(config)
    command = [_program("nginx"), "-p", str(work), "-c", str(work / "nginx.conf")]
    with (work / "nginx.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603 - our own config
    try:
        _await_port(https_port, work / "nginx.log")
        yield Site(http_port, https_port, work / "authorities.pem")
    finally:
        process.terminate()
        process.wait(START_TIMEOUT_S)


def _certify(work: Path) -> None:
    """Make an authority, and a certificate by it for every name below ours."""
    openssl = _program("openssl")
    (work / "names").write_text(f"subjectAltName=DNS:*{SUFFIX},IP:127.0.0.1\n")
    commands = [
        line.format(key=_NEW_KEY, suffix=SUFFIX, authority=_AUTHORITY).split()
        for line in _CERTIFYING
    ]
    for command in commands:
        subprocess.run([openssl, *command], cwd=work, check=True, capture_output=True)  # noqa: S603
    usual = ssl.get_default_verify_paths().cafile
    known = Path(usual).read_text() if usual else ""
    (work / "authorities.pem").write_text(known + (work / "authority.pem").read_text())


def _program(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise RuntimeError(f"{name} is missing: install it first")
    return path


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await_port(port: int, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"nginx did not start: {log.read_text()[-2000:]}")
