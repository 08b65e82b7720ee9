"""What leaves a server comes into an empty one: the same bytes under the same labels."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.contract.snapshot import Manifest
from tests.support.app import Bird, problem, running
from tests.support.images import jpeg
from tests.support.site import Site, answer

# Names that a file system, a spreadsheet or another's server may take for something else.
LABELS = (
    *("grizzly", "black/brown", "=1+1", "'quoted'", "café", "con", ".hidden", "100%25", "train"),
    # As folders they are cut off, all alike; and two that differ by case alone.
    *("ク" * 100, "ク" * 99 + "マ", "/" * 100, "Panda", "panda", "a.", "'tis", "com¹", "熊\u200d"),
)


async def contents(bird: Bird, dataset_id: str) -> tuple[str, set[tuple[str, str]]]:
    """Take a snapshot; return its id, and the bytes and labels in it."""
    made = await bird.post(f"/datasets/{dataset_id}/snapshots", json={"valid_ratio": 0.3})
    assert made.status_code == 201, made.text
    snapshot_id = str(made.json()["id"])
    manifest = Manifest.from_bytes((await bird.get(f"/snapshots/{snapshot_id}/manifest")).content)
    return snapshot_id, {(item.sha256, item.label) for item in manifest.items}


@pytest.mark.parametrize("form", ["folder", "webdataset", "hf"])
async def test_an_export_imported_elsewhere_has_the_same_contents(
    still: Bird, tmp_path: Path, form: str
):
    dataset_id = await still.dataset()
    for n, label in enumerate(label for label in LABELS for _ in range(4)):
        await still.upload(dataset_id, jpeg(64, 48, n), label, source_url=f"https://p{n}.test/")
    snapshot_id, sent = await contents(still, dataset_id)
    assert {label for _, label in sent} == set(LABELS)
    export = await still.get(f"/snapshots/{snapshot_id}/export", params={"format": form})
    assert export.status_code == 200, export.text
    async with running(tmp_path / "elsewhere", workers=False) as elsewhere:
        other_id = await elsewhere.dataset()
        path = f"/datasets/{other_id}/imports"
        report = (await elsewhere.post(path, content=export.content)).json()
        assert report["refused"] == []
        assert report["added"] == len(sent)
        _, received = await contents(elsewhere, other_id)
    assert received == sent


async def test_a_table_of_addresses_brings_what_was_captured_and_names_the_rest(
    bird: Bird, site: Site, tmp_path: Path
):
    """CSV holds no bytes: what has an address is downloaded again, an upload has none.

    Parquet, Croissant and the datasheet are for others to read: they are refused with a reason.
    """
    dataset_id = await bird.dataset()
    for n, label in enumerate(("=1+1", "'tis") * 5):
        site.routes[f"/{n}.jpg"] = answer(jpeg(64, 48, 200 + n), "Content-Type: image/jpeg")
        await bird.capture(dataset_id, [site.url(f"/{n}.jpg")], label)
    await bird.settled(dataset_id)
    snapshot_id, sent = await contents(bird, dataset_id)
    assert len(sent) == 10
    export = await bird.get(f"/snapshots/{snapshot_id}/export", params={"format": "csv"})
    async with running(tmp_path / "elsewhere") as elsewhere:
        other_id = await elsewhere.dataset()
        path = f"/datasets/{other_id}/imports"
        report = (await elsewhere.post(path, content=export.content)).json()
        assert (report["added"], report["refused"]) == (10, [])
        await elsewhere.settled(other_id)
        _, received = await contents(elsewhere, other_id)
        for form, kind in (("parquet", "unsupported-archive"), ("croissant", "missing-columns")):
            other = await bird.get(f"/snapshots/{snapshot_id}/export", params={"format": form})
            refused = await elsewhere.post(path, content=other.content)
            assert problem(refused, 422, "import-refused")["kind"] == kind
    assert received == sent
