"""Credits: where a dataset's images come from."""

from __future__ import annotations

from tests.support.app import Bird, problem
from tests.support.images import jpeg


async def test_credits_name_page_site_and_licence(still: Bird):
    dataset = await still.dataset()
    page = "https://blog.example.org/post"
    first = await still.upload(dataset, jpeg(seed=1), "teddy", source_url=page)
    excluded = await still.upload(dataset, jpeg(seed=2), "teddy", source_url=page)
    await still.patch(f"/images/{excluded['id']}", json={"excluded": True})
    await still.capture(dataset, ["https://waits.test/a.jpg"])
    bare = await still.upload(dataset, jpeg(seed=3))
    async with still.database.write() as session:
        connection = await session.connection()
        await connection.exec_driver_sql(
            "UPDATE images SET license = 'CC BY 4.0' WHERE id = ?", (first["id"],)
        )
    url = f"/datasets/{dataset}/credits"
    found = (await still.get(url)).json()
    assert (found["total"], found["next_cursor"]) == (2, None)
    assert found["items"][0] == {
        "image_id": first["id"],
        "sha256": first["sha256"],
        "label": "teddy",
        "title": "a.jpg",
        "url": None,
        "source_url": page,
        "page_url": None,
        "site": "blog.example.org",
        "license": "CC BY 4.0",
    }
    assert (found["items"][1]["image_id"], found["items"][1]["site"]) == (bare["id"], None)
    part = (await still.get(url, params={"limit": 1})).json()
    rest = (await still.get(url, params={"limit": 1, "cursor": part["next_cursor"]})).json()
    assert part["items"] + rest["items"] == found["items"]
    problem(await still.get("/datasets/none/credits"), 404, "dataset-not-found")
