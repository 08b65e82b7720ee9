"""The first run of a network, by a child with little memory: real processes, half a second each."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from server.contract.errors import FormatError
from server.inference import trial as module
from server.inference.onnx_file import check_structure
from server.inference.trial import Trial, try_network
from tests.support import hostile_networks as hostile
from tests.support.bundles import colour_onnx


@pytest.fixture(autouse=True)
def _forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PASSED", {})


def _trial(model: bytes, class_count: int = hostile.CLASS_COUNT) -> Trial:
    return Trial(model, hostile.SIDE_PX, class_count)


def test_a_network_that_answers_passes_and_is_not_tried_twice(monkeypatch):
    try_network(_trial(colour_onnx()))
    monkeypatch.setattr(module, "_run_child", lambda trial: pytest.fail("it was tried again"))
    try_network(_trial(colour_onnx()))
    with pytest.raises(pytest.fail.Exception):
        try_network(_trial(colour_onnx(), class_count=4))


@pytest.mark.parametrize("make", [hostile.huge_sum, hostile.huge_folding, hostile.wide_convolution])
def test_a_network_that_takes_too_much_is_refused(make: Callable[..., bytes]):
    check_structure(make())  # nothing in its structure tells
    small = [[1, hostile.CLASS_COUNT], [2, hostile.CLASS_COUNT]]
    assert module._judge(make(count=4), hostile.SIDE_PX) == {"shapes": small}
    with pytest.raises(FormatError, match=r"does not run \(|needs more than"):
        try_network(_trial(make()))


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (hostile.not_numbers(), "answers no numbers"),
        (hostile.not_numbers_for_pictures(), "answers no numbers"),
        (b"no network", r"does not run \(InvalidProtobuf"),
    ],
    ids=["nan", "nan for pictures", "no network"],
)
def test_a_network_that_answers_nothing_is_refused(model: bytes, words: str):
    with pytest.raises(FormatError, match=words):
        try_network(_trial(model))


def test_a_network_of_other_classes_is_refused():
    with pytest.raises(FormatError, match=r"answers \[\[1, 3\], \[2, 3\]\], not"):
        try_network(_trial(colour_onnx(), class_count=4))


def test_a_network_that_takes_too_long_is_stopped(monkeypatch):
    monkeypatch.setattr(module, "_LIMIT_S", 0.01)
    with pytest.raises(FormatError, match="did not answer two images"):
        try_network(_trial(colour_onnx()))
