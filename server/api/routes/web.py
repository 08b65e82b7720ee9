"""The web pages' shell and the texts of problems: static, public, without data."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse, JSONResponse
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from server.api import problems

WEB = Path(__file__).parents[2] / "web"

router = APIRouter(include_in_schema=False)
assets = StaticFiles(directory=WEB / "assets")


@router.get("/")
async def read_shell() -> FileResponse:
    """Return the page; its scripts ask the API for everything."""
    return FileResponse(WEB / "index.html", headers={"Cache-Control": "no-cache"})


@router.get("/docs")
async def read_docs() -> FileResponse:
    """Return the page that shows the API's description."""
    return FileResponse(WEB / "docs.html", headers={"Cache-Control": "no-cache"})


@router.get("/favicon.ico")
async def read_icon() -> FileResponse:
    """Return the mark."""
    return FileResponse(WEB / "assets" / "icon.svg", media_type="image/svg+xml")


@router.get("/problems/{slug}")
async def read_problem(slug: str) -> JSONResponse:
    """Say what a problem's ``type`` means."""
    title = problems.describe(slug)
    if title is None:
        raise HTTPException(404, f"no kind of problem is called {slug!r}")
    return JSONResponse({"type": f"/problems/{slug}", "title": title})
