"""A trainer's token does a trainer's work, and nothing else."""

from __future__ import annotations

import stat

import httpx2
import pytest

from server.assembly import build
from server.config import load_settings
from server.main import _leave_tokens, create_server_app
from server.services.access import TokenKind
from tests.support.app import API, BASE_URL


async def _statuses(bird, requests: list[tuple[str, str]]) -> dict[tuple[str, str], int]:
    token, _ = await bird.parts.services.access.create("trainer", TokenKind.TRAINER)
    async with bird.anonymous(Authorization=f"Bearer {token}") as client:
        return {
            (method, path): (await client.request(method, path)).status_code
            for method, path in requests
        }


async def test_it_may_ask_for_what_training_needs(bird):
    nothing = "01JD0000000000000000000000"
    asked = [
        ("GET", f"{API}/server"),
        ("GET", f"{API}/snapshots/{nothing}"),
        ("GET", f"{API}/snapshots/{nothing}/manifest"),
        ("GET", f"{API}/snapshots/{nothing}/origins"),
        ("GET", f"{API}/models/{nothing}/bundle"),
        ("GET", f"{API}/blobs/{'0' * 64}"),
        ("GET", f"{API}/removed-blobs"),
        ("POST", f"{API}/jobs/claim"),
        ("POST", f"{API}/jobs/{nothing}/progress"),
        ("POST", f"{API}/jobs/{nothing}/fail"),
        ("PUT", f"{API}/jobs/{nothing}/bundle"),
        ("POST", f"{API}/jobs/{nothing}/finding"),
    ]
    assert set((await _statuses(bird, asked)).values()) <= {200, 404, 422}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/datasets"),
        ("POST", "/datasets"),
        ("DELETE", "/datasets/x"),
        ("POST", "/snapshots/x/jobs"),
        ("POST", "/jobs/x/cancel"),
        ("GET", "/jobs"),
        ("GET", "/tokens"),
        ("POST", "/tokens"),
        ("POST", "/pairings"),
        ("POST", "/sign-in-codes"),
        ("GET", "/models"),
        ("POST", "/classify"),
        ("GET", "/images/x/file"),
        ("GET", "/snapshots/x/export"),
        ("GET", "/snapshots/x/exports"),
    ],
)
async def test_it_may_do_nothing_else(bird, method, path):
    # Refused before the body is looked at, or for it: never done.
    statuses = await _statuses(bird, [(method, f"{API}{path}")])
    assert set(statuses.values()) <= {403, 422}


async def test_a_token_for_trainers_elsewhere_is_left_and_kept(tmp_path):
    file = tmp_path / "shared" / "token"
    file.parent.mkdir()
    settings = load_settings(data=tmp_path / "data", training={"token_file": file})
    texts = []
    for _ in range(2):
        async with build(settings) as parts:
            await _leave_tokens(parts.services.access, settings)
            texts.append(file.read_text().strip())
            transport = httpx2.ASGITransport(create_server_app(parts, settings, None))
            async with httpx2.AsyncClient(transport=transport, base_url=BASE_URL) as client:
                headers = {"Authorization": f"Bearer {texts[-1]}"}
                assert (await client.get(f"{API}/server", headers=headers)).status_code == 200
                assert (await client.get(f"{API}/datasets", headers=headers)).status_code == 403
    assert texts[0] == texts[1]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
