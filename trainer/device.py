"""Where the arithmetic is done. May import torch and ``trainer.errors``."""

from __future__ import annotations

import torch

from server.contract.recipes import Device
from trainer.errors import JobFailedError


def find_device(wanted: Device) -> torch.device:
    """Return the device that a recipe names; ``auto`` takes the fastest there is.

    Raises:
        JobFailedError: ``device-missing``.
    """
    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if wanted == "auto":
        return torch.device(next(name for name, is_there in there.items() if is_there))
    if not there[wanted]:
        found = ", ".join(name for name, is_there in there.items() if is_there)
        raise JobFailedError(
            "device-missing",
            f"The recipe wants the device {wanted}, and this trainer has {found}. Train with "
            "device=auto, or start a trainer on a machine that has one.",
        )
    return torch.device(wanted)
