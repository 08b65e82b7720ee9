"""Result pages of any length, in the shapes that Google and Bing have, for measurements."""

from __future__ import annotations

import html
import json
from collections.abc import Callable

_SITE = "https://birds.example"
# Where the popup's thumbnails are.
THUMBNAILS = ("encrypted-tbn0.gstatic.com/images", "thumbs.example/th")
_PIXEL = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA="
# Tiles as tall as the sites' own, five in a row.
_STYLE = "<style>.tile{display:inline-block;width:18%;height:220px;vertical-align:top}</style>"


def image_url(number: int) -> str:
    """Return the original's address of a tile."""
    return f"{_SITE}/full/{number}.jpg"


def make_google_page(count: int) -> bytes:
    """Return a page of tiles and, beside them, an inline script that holds their originals."""
    tiles = "".join(_make_google_tile(number) for number in range(count))
    entries = {f"K{number}": [1, _make_google_entry(number), None] for number in range(count)}
    # As the site writes it, so that no text ends the script.
    data = (
        json.dumps(entries, separators=(",", ":")).replace("<", "\\u003c").replace("=", "\\u003d")
    )
    script = f"<script>(function(){{var m={data};window.W_jd=m;}})();</script>"
    return _make_page("Google Search", f'<div id="search">{tiles}</div>{script}')


def make_bing_page(count: int) -> bytes:
    """Return a page of tiles, each with its original in an attribute."""
    tiles = "".join(_make_bing_tile(number) for number in range(count))
    form = '<form id="sb_form"><input id="sb_form_q" name="q" value="bowerbird" /></form>'
    return _make_page("Search Images", f'{form}<ul class="dgControl_list">{tiles}</ul>')


SHAPES: dict[str, Callable[[int], bytes]] = {
    "www.google.com/search": make_google_page,
    "www.bing.com/images/search": make_bing_page,
}


def _make_page(title: str, body: str) -> bytes:
    head = f'<meta charset="utf-8" /><title>bowerbird - {title}</title>{_STYLE}'
    return f"<!doctype html><html><head>{head}</head><body>{body}</body></html>".encode()


def _docid(number: int) -> str:
    return f"docid{number:08}M"


def _make_google_tile(number: int) -> str:
    docid, page = _docid(number), f"{_SITE}/page/{number}"
    return (
        f'<div class="eA0Zlc tile" jsdata="j0Opre;{docid};K" data-attrid="images universal" '
        f'data-docid="{docid}" data-lpage="{page}" data-ref-docid="ref{number}">'
        f'<h3><a><img width="160" height="120" src="{_PIXEL}" alt="Tile {number}" /></a></h3>'
        f'<a href="{page}">birds.example</a></div>'
    )


def _make_google_entry(number: int) -> list[object]:
    thumbnail = f"https://encrypted-tbn0.gstatic.com/images?q=tbn:T{number}&s"
    words: list[object] = [None, f"ref{number}", f"{_SITE}/page/{number}", f"Satin <b> {number}"]
    more = {"2000": [None, "birds.example", "1.1MB"], "2003": words, "2008": [None, "Another"]}
    place = [_docid(number), [thumbnail, 225, 300], [image_url(number), 1200, 1600]]
    return [0, *place, None, 0, "rgb(1,2,3)", None, 0, more]


def _make_bing_tile(number: int) -> str:
    data = {
        "cid": f"c{number}",
        "purl": f"{_SITE}/page/{number}",
        "murl": image_url(number),
        "turl": f"https://thumbs.example/th?id=OIP.{number}&pid=15.1",
        "md5": str(number),
        "t": f"Satin bowerbird {number}",
        "mid": f"MID{number}",
        "desc": "",
    }
    href = f"/images/search?view=detailV2&exph=1200&expw=1600&ccid=c{number}"
    return (
        f'<li class="tile" data-idx="{number}"><div class="iuscp"><a class="iusc" '
        f'm="{html.escape(json.dumps(data))}" href="{html.escape(href)}"><div class="img_cont">'
        f'<img class="mimg" width="160" height="120" src="{_PIXEL}" alt="Image result" />'
        "</div></a></div></li>"
    )
