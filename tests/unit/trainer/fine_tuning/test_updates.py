"""One update: once, the same in parts, and what happens when memory or numbers run out."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import torch
from torch import nn
from typing_extensions import override

from tests.support import cramped_update
from tests.support.processes import ROOT
from tests.support.tiny_network import tiny_backbone
from trainer.errors import JobFailedError, JobStoppedError
from trainer.fine_tuning.updates import LossRules, Updater
from trainer.optimisation.adamw import make_adamw

pytestmark = pytest.mark.slow


class _Greedy(nn.Module):
    """Runs out of memory when it is shown more images than it has room for."""

    def __init__(self, network: nn.Module, room: int) -> None:
        super().__init__()
        self.network = network
        self.room = room

    @override
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        if len(images) > self.room:
            # Word for word what torch's CPU allocator says.
            message = (
                "[enforce fail at alloc_cpu.cpp:117] . DefaultCPUAllocator: can't allocate memory"
            )
            raise RuntimeError(message)
        return self.network(images)


def _network() -> nn.Sequential:
    torch.manual_seed(1)
    return nn.Sequential(tiny_backbone().module, nn.Linear(16, 3)).requires_grad_(True)


def _updater(network: nn.Module, rules: LossRules = LossRules()) -> Updater:  # noqa: B008 - frozen
    optimiser = make_adamw([list(network.parameters())], [1e-3], 0.01)
    return Updater(network, optimiser, rules, lambda: None)


def _batch(count: int = 6) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(count, 3, 32, 32, generator=generator)
    return images, torch.eye(3)[torch.arange(count) % 3]


def test_an_update_steps_once() -> None:
    network, other = _network(), _network()
    before = [weight.detach().clone() for weight in network.parameters()]
    loss = _updater(network).update(*_batch())
    optimiser = make_adamw([list(other.parameters())], [1e-3], 0.01)
    images, targets = _batch()
    expected = torch.nn.functional.cross_entropy(other(images), targets)
    expected.backward()
    optimiser.step()
    assert loss == pytest.approx(expected.item())
    for weight, same, first in zip(network.parameters(), other.parameters(), before, strict=True):
        torch.testing.assert_close(weight, same)
        assert not torch.equal(weight, first)


def test_no_statistics_move() -> None:
    network = _network()
    before = {name: buffer.clone() for name, buffer in network.named_buffers()}
    _updater(network).update(*_batch())
    for name, buffer in network.named_buffers():
        torch.testing.assert_close(buffer, before[name])


@pytest.mark.parametrize(("room", "parts"), [(6, 1), (3, 2), (2, 4), (1, 6)])
def test_the_same_update_is_done_in_parts_when_memory_runs_out(room: int, parts: int) -> None:
    whole, greedy = _network(), _Greedy(_network(), room)
    updater = _updater(greedy)
    loss = updater.update(*_batch())
    assert updater.parts == parts
    assert loss == pytest.approx(_updater(whole).update(*_batch()), abs=1e-6)
    for weight, same in zip(greedy.parameters(), whole.parameters(), strict=True):
        torch.testing.assert_close(weight, same, atol=1e-6, rtol=1e-4)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits memory as Linux does")
def test_a_process_that_runs_out_of_memory_computes_the_same_update_in_parts() -> None:
    command = [sys.executable, "-m", cramped_update.__name__]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert 1 < found["parts"] <= 16
    assert found["difference"] < 1e-5


def test_no_room_for_one_image_is_said() -> None:
    with pytest.raises(JobFailedError, match="size_px") as caught:
        _updater(_Greedy(_network(), 0)).update(*_batch())
    assert caught.value.kind == "out-of-memory"


def test_other_errors_of_torch_are_not_taken_for_it() -> None:
    with pytest.raises(RuntimeError, match="channels"):
        _updater(_network()).update(torch.rand(2, 5, 32, 32), torch.eye(3)[:2])


def test_a_loss_that_is_no_number_ends_the_training() -> None:
    images, targets = _batch()
    with pytest.raises(JobFailedError, match="lr-find") as caught:
        _updater(_network()).update(images * float("inf"), targets)
    assert caught.value.kind == "diverged"


def test_long_gradients_are_cut() -> None:
    network = _network()
    _updater(network, LossRules(max_gradient_norm=1e-3)).update(*_batch())
    norms = [weight.grad.norm() for weight in network.parameters() if weight.grad is not None]
    assert float(torch.stack(norms).norm()) == pytest.approx(1e-3, rel=1e-3)


def test_a_stop_is_heard_between_forward_and_backward() -> None:
    network = _network()

    def stop() -> None:
        raise JobStoppedError("cancelled")

    optimiser = make_adamw([list(network.parameters())], [1e-3], 0.01)
    with pytest.raises(JobStoppedError):
        Updater(network, optimiser, LossRules(), stop).update(*_batch())
    assert all(weight.grad is None for weight in network.parameters())
