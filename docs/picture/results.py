# ruff: noqa: INP001 - a folder of scripts' parts
"""A page of image results in Bing's shape, for drawn photos. Imports nothing of ours."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote_plus

STYLE = """
:root { color-scheme: light dark; --ground: #fff; --ink: #222; --soft: #667; --field: #f2f3f7 }
@media (prefers-color-scheme: dark) {
  :root { --ground: #17181c; --ink: #e8e8ee; --soft: #99a; --field: #26272e }
}
body { margin: 0; background: var(--ground); color: var(--ink); font: 14px system-ui, sans-serif }
form { display: flex; gap: 14px; align-items: center; padding: 14px 18px }
b { font-size: 18px; color: var(--soft) }
input { width: 300px; padding: 9px 16px; border: 0; border-radius: 20px; background: var(--field);
        color: inherit; font: inherit }
ul { display: flex; flex-wrap: wrap; gap: 8px; margin: 0; padding: 0 18px; list-style: none }
li a { display: block; color: inherit; text-decoration: none }
img { display: block; width: 200px; height: 150px; border-radius: 8px; object-fit: cover }
span { display: block; padding: 4px 2px 6px; font-size: 12px; color: var(--soft) }
"""


@dataclass(frozen=True)
class Result:
    """One result.

    Attributes:
        number: From 0, in the order of the page.
        title: What stands below it.
        address: Of the original.
        thumbnail: Of what the page shows.
        page: Where the original was found.
    """

    number: int
    title: str
    address: str
    thumbnail: str
    page: str


def results_page(query: str, results: Iterable[Result], tail: str = "") -> str:
    """Return the page that answers a query; ``tail`` is markup to put after the results."""
    name = html.escape(query)
    tiles = "".join(tile(each) for each in results)
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{name} - Images</title>"
        f'<style>{STYLE}</style><form><b>Images</b><input name="q" value="{name}"></form>'
        f"<ul>{tiles}</ul>{tail}</html>"
    )


def tile(result: Result) -> str:
    """Return the tile of a result, which declares 640 by 480 px."""
    facts = {
        "murl": result.address,
        "purl": result.page,
        "turl": result.thumbnail,
        "t": result.title,
        "mid": f"{result.number:032X}",
    }
    address = quote_plus(result.address)
    link = f"/images/search?view=detailV2&mediaurl={address}&expw=640&exph=480"
    return (
        f'<li><a class="iusc" href="{html.escape(link)}" m="{html.escape(json.dumps(facts))}">'
        f'<img class="mimg" src="{result.thumbnail}" alt="">'
        f"<span>{html.escape(result.title)}</span></a></li>"
    )
