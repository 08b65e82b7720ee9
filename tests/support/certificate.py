"""A certificate of a test's own, for sites on 127.0.0.1."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

import pytest


def make_certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """Return the context of a server that calls itself 127.0.0.1, and the file of whom to trust.

    The test is skipped where openssl makes none.
    """
    key, cert = folder / "key.pem", folder / "cert.pem"
    options = (
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
        f" -keyout {key} -out {cert} -days 2 -subj /CN=test -addext subjectAltName=IP:127.0.0.1"
    )
    made = subprocess.run(["openssl", *options.split()], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("openssl makes no certificate here")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(cert, key)
    return server, cert
