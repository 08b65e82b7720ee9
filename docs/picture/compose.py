# ruff: noqa: INP001 - a folder of one script
"""Composes screenshots into one picture of four panels. Imports Pillow and playwright alone."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import BrowserContext, Page

WIDTH_PX = 900  # as wide as GitHub shows a README; twice as many pixels for sharp screens
PANEL_PX = (440, 296)
SCALE = 2
MAX_BYTES = 400_000
QUALITIES = (90, 84, 78, 70)  # the best that keeps a file within its bytes
COLOURS = {
    "light": {"ground": "#ffffff", "ink": "#1c1a2e", "soft": "#5a5673", "line": "#dcd8ea"},
    "dark": {"ground": "#0d1117", "ink": "#eceaf4", "soft": "#aba7c4", "line": "#37344f"},
}


@dataclass(frozen=True)
class Shot:
    """A screenshot within a panel.

    Attributes:
        name: Of its file, without theme.
        width_px: How wide all of it is drawn.
        at_px: Where its upper left corner lies in the panel; negative numbers crop.
        is_window: Whether it floats above the panel, with a shadow.
    """

    name: str
    width_px: int
    at_px: tuple[int, int] = (0, 0)
    is_window: bool = False


PANELS: tuple[tuple[str, str, tuple[Shot, ...]], ...] = (
    (
        "Collect",
        "search, open the popup, Capture",
        (Shot("results", 440), Shot("popup", 268, (164, 8), is_window=True)),
    ),
    (
        "Verify",
        "every image decoded, every failure with its reason",
        (Shot("dataset", 700, (-14, -58)),),
    ),
    ("Train", "an error rate beside its baselines", (Shot("model", 694, (-14, -129)),)),
    ("Use", "ask about any image", (Shot("answer", 440),)),
)


def snap(
    context: BrowserContext, page: Page, size_px: tuple[int, int], theme: str, scale: int = SCALE
) -> bytes:
    """Return a PNG of the page as on a screen of double density, or of another one."""
    page.bring_to_front()
    page.set_viewport_size({"width": size_px[0], "height": size_px[1]})
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    devtools = context.new_cdp_session(page)
    # Playwright's own screenshot would put the density of the context back.
    metrics = {"width": size_px[0], "height": size_px[1], "deviceScaleFactor": scale}
    devtools.send("Emulation.setDeviceMetricsOverride", {**metrics, "mobile": False})
    page.wait_for_timeout(600)  # transitions of colour, and thumbnails that come into view
    shot = devtools.send("Page.captureScreenshot", {"format": "png"})
    devtools.detach()
    return base64.b64decode(shot["data"])


def compose(context: BrowserContext, shots: Path, theme: str, out: Path) -> None:
    """Write the picture of a theme as WebP.

    Args:
        context: A browser, which lays the picture out.
        shots: Folder of the screenshots.
        theme: ``light`` or ``dark``.
        out: The file.

    Raises:
        ValueError: It would be larger than ``MAX_BYTES``.
    """
    page = context.new_page()
    page.set_content(_html(shots, theme))
    height = int(page.locator("main").bounding_box()["height"])  # type: ignore[index]
    png = snap(context, page, (WIDTH_PX, height), theme)
    page.close()
    write_webp(png, out, MAX_BYTES)


def write_webp(png: bytes, out: Path, max_bytes: int) -> None:
    """Write a screenshot as WebP, as well as it can be within ``max_bytes``.

    Raises:
        ValueError: It would be larger in the least of the qualities, too.
    """
    picture = Image.open(io.BytesIO(png)).convert("RGB")  # noqa: TID251 - our own screenshot
    for quality in QUALITIES:
        data = io.BytesIO()
        picture.save(data, "WEBP", quality=quality, method=6)
        if data.tell() <= max_bytes:
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_bytes(data.getvalue())
            return
    raise ValueError(f"{out.name} is larger than {max_bytes} bytes")


def _html(shots: Path, theme: str) -> str:
    colours = COLOURS[theme]
    panels = "".join(
        f"<section><h2><b>{number}</b>{title}<small>{text}</small></h2>"
        f'<div class="panel">{"".join(_image(shots, shot, theme) for shot in content)}</div>'
        "</section>"
        for number, (title, text, content) in enumerate(PANELS, 1)
    )
    return f"""<!doctype html><meta charset="utf-8"><style>
    body {{ margin: 0; background: {colours["ground"]}; color: {colours["ink"]};
            font: 15px "DejaVu Sans", system-ui, sans-serif }}
    main {{ display: grid; grid-template-columns: 1fr 1fr; gap: 18px; padding: 4px 2px 8px }}
    h2 {{ display: flex; align-items: center; gap: 9px; margin: 0 0 8px; font-size: 17px }}
    b {{ width: 26px; border-radius: 50%; background: #3b49c8; color: #fff; font-size: 14px;
         line-height: 26px; text-align: center }}
    small {{ color: {colours["soft"]}; font-size: 12.5px; font-weight: 400 }}
    .panel {{ position: relative; height: {PANEL_PX[1]}px; overflow: hidden;
              border: 1px solid {colours["line"]}; border-radius: 12px }}
    img {{ position: absolute }}
    .window {{ border-radius: 10px; box-shadow: 0 0 0 1px {colours["line"]},
               0 6px 28px rgb(0 0 0 / 45%) }}
    </style><main>{panels}</main>"""


def _image(shots: Path, shot: Shot, theme: str) -> str:
    data = base64.b64encode((shots / f"{shot.name}-{theme}.png").read_bytes()).decode()
    left, top = shot.at_px
    kind = ' class="window"' if shot.is_window else ""
    return (
        f'<img{kind} src="data:image/png;base64,{data}" '
        f'style="width:{shot.width_px}px;left:{left}px;top:{top}px">'
    )
