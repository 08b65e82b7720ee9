"""One update of a network in a process that may take little more memory: run as a module.

Prints, as JSON, in how many parts it was computed, and how far its weights are from those of the
same update with room.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

import torch
from torch import nn

from trainer.fine_tuning.updates import LossRules, Updater

_ROOM_BYTES = 200 << 20
_IMAGES, _SIDE_PX, _CHANNELS = 16, 192, 64  # 150 MB for each layer's answer to the whole batch


def _updater() -> tuple[nn.Module, Updater]:
    torch.manual_seed(1)
    network = nn.Sequential(
        nn.Conv2d(3, _CHANNELS, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(_CHANNELS, 8, 3, stride=2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 3),
    )
    # Plain steps: those of Adam are all of one length, so that rounding decides where they go.
    optimiser = torch.optim.SGD(network.parameters(), lr=0.1)
    return network, Updater(network, optimiser, LossRules(), lambda: None)


def _limit_memory() -> None:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    limit = pages * resource.getpagesize() + _ROOM_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.getrlimit(resource.RLIMIT_AS)[1]))


def main() -> None:
    """Compute the update twice, the second time without room."""
    torch.set_num_threads(1)  # a thread that is begun without room would end the process
    torch.manual_seed(0)
    images = torch.rand(_IMAGES, 3, _SIDE_PX, _SIDE_PX)
    targets = torch.eye(3)[torch.arange(_IMAGES) % 3]
    (whole, roomy), (cut, cramped) = _updater(), _updater()
    roomy.update(images, targets)
    _limit_memory()
    cramped.update(images, targets)
    pairs = zip(whole.parameters(), cut.parameters(), strict=True)
    difference = max(float((one - other).detach().abs().max()) for one, other in pairs)
    json.dump({"parts": cramped.parts, "difference": difference}, sys.stdout)


if __name__ == "__main__":
    main()
