"""The versions of what a model is made with. Standard library only."""

from __future__ import annotations

from importlib import metadata

_PACKAGES = (
    "bowerbird",
    "torch",
    "torchvision",
    "timm",
    "onnx",
    "onnxruntime",
    "onnxscript",
    "numpy",
    "pillow",
)


def installed_versions() -> dict[str, str]:
    """Return the version of each package that a model depends on, by name."""
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:  # a checkout that was not installed
            found[name] = "unknown"
    return found
