"""A link for others behind a proxy: its address, who counts as whom, and what the log says."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest

from tests.support.played_trainer import plain
from tests.support.processes import ServerProcess
from tests.support.registered import register_colours

pytestmark = pytest.mark.slow

NAME = "bears.example"


def through_proxy(server: ServerProcess, visitor: str) -> httpx2.Client:
    """Return a client whose requests look as a proxy with TLS on the same machine passes them."""
    headers = {
        "Host": NAME,
        "X-Forwarded-Proto": "https",
        # The first part is the visitor's own claim; the last is the proxy's word.
        "X-Forwarded-For": f"198.51.100.99, {visitor}",
        "Origin": f"https://{NAME}",
    }
    return httpx2.Client(base_url=server.url, headers=headers)


def test_visitors_behind_a_proxy_have_their_own_allowance_and_leave_no_trace(tmp_path: Path):
    settings = {"BOWERBIRD_HTTP__HOST_NAMES": NAME}
    with (
        ServerProcess(tmp_path / "data", settings, has_trainer=False) as server,
        server.client() as client,
    ):
        register_colours(client)
        (dataset,) = client.get("/api/v1/datasets").json()["items"]
        made = client.post(
            f"/api/v1/datasets/{dataset['id']}/links",
            json={"name": "club", "answers_per_hour": 1},
            headers={"Host": NAME, "X-Forwarded-Proto": "https"},
        ).json()
        start = f"https://{NAME}/try/"
        assert made["address"].startswith(start)
        secret = made["address"].removeprefix(start)
        file = {"file": ("a.png", plain("red"))}
        for visitor, statuses in (("203.0.113.1", (200, 429)), ("203.0.113.2", (200, 429))):
            with through_proxy(server, visitor) as guest:
                assert guest.get(f"/try/{secret}").status_code == 200
                for status in statuses:
                    answer = guest.post(f"/try/{secret}/classify", files=file)
                    assert answer.status_code == status, answer.text
        assert server.stop() == 0
        log = server.log
    assert "/try/…/classify" in log
    assert secret not in log
    assert "203.0.113." not in log
    with (
        ServerProcess(tmp_path / "data", settings, has_trainer=False) as server,
        server.client() as client,
    ):
        (link,) = client.get(f"/api/v1/datasets/{dataset['id']}/links").json()["items"]
        assert link["answer_count"] == 2, "what was counted is written before the end"
