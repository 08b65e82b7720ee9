"""Tiny networks learn on one thread: two that wait for each other stall on a busy machine."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Compute on one thread for the test."""
    # Here alone: this file is read also where its tests, which are slow, are left out.
    torch = importlib.import_module("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
