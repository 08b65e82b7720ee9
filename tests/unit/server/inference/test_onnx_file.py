"""The structure of networks: what a classifier has no use for is refused, and named."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import ModelProto, helper

from server.contract.bundle import INPUT_NAME
from server.contract.errors import FormatError
from server.inference.onnx_file import OPERATORS, check_structure
from tests.support import hostile_networks as hostile
from tests.support.bundles import colour_onnx


def _node(operator: str, **options: object) -> bytes:
    return hostile.network([helper.make_node(operator, [INPUT_NAME], ["more"], **options)])


def _model(**parts: object) -> bytes:
    model = ModelProto.FromString(colour_onnx())
    for name, value in parts.items():
        getattr(model, name).add() if value is None else setattr(model, name, value)
    data: bytes = model.SerializeToString()
    return data


def test_an_ordinary_network_passes():
    check_structure(colour_onnx())
    check_structure(hostile.network([helper.make_node("Relu", [INPUT_NAME], ["more"])]))
    check_structure(hostile.range_of_sizes())
    pads = [hostile.constant("pads", [0] * 8, np.int64)]
    check_structure(
        hostile.network([helper.make_node("Pad", [INPUT_NAME, "pads"], ["more"])], pads)
    )


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (hostile.endless(), "networks within its network"),
        (hostile.hidden_subgraph(), "networks within its network"),
        (hostile.computed_padding(), "depends on what is on the picture"),
        (hostile.computed_range(), "depends on what is on the picture"),
        (_node("NonZero"), "'NonZero', which is not run"),
        (_node("ConstantOfShape"), "'ConstantOfShape', which is not run"),
        (_node("Reader", domain="com.evil"), "'com.evil'; only ONNX's own"),
        (hostile.network([], domains=["com.microsoft"]), "'com.microsoft'; only ONNX's own"),
        (hostile.network([], [hostile.external("w", "/etc/passwd")]), "outside of itself"),
        (hostile.network([], [hostile.external("w", "../../token")]), "outside of itself"),
        (_node("Relu", value=hostile.external("w", "token")), "outside of itself"),
        (_model(functions=None), "functions or training steps"),
        (_model(training_info=None), "functions or training steps"),
        (b"", "has 0 networks"),
        (colour_onnx() * 2, "has 2 networks"),
        (colour_onnx()[:-9], "not an ONNX file"),
        (b"PK\x03\x04", "not an ONNX file"),
        (b"\x3b\x00", "not an ONNX file"),
        (b"\xff" * 30, "not an ONNX file"),
        (b"\x38\x01", "not an ONNX file"),
    ],
    ids=str,
)
def test_what_no_classifier_needs_is_refused(model: bytes, words: str):
    with pytest.raises(FormatError, match=words):
        check_structure(model)


def test_sparse_weights_and_masses_of_operators_are_refused(monkeypatch):
    model = ModelProto.FromString(colour_onnx())
    model.graph.sparse_initializer.add()
    with pytest.raises(FormatError, match="sparse"):
        check_structure(model.SerializeToString())
    many = [helper.make_node("Relu", [INPUT_NAME], ["more"]) for _ in range(20_001)]
    with pytest.raises(FormatError, match="operators; at most"):
        check_structure(hostile.network(many))


def test_operators_that_run_others_or_grow_with_the_picture_are_not_on_the_list():
    refused = {"Loop", "If", "Scan", "NonZero", "Compress", "Unique", "Expand", "Tile"}
    refused |= {"ConstantOfShape", "Resize", "Upsample", "OneHot", "SequenceMap", "Optional"}
    assert not OPERATORS & refused


@given(st.integers(0, len(colour_onnx()) - 1), st.binary(min_size=1, max_size=4))
@settings(max_examples=200, deadline=None)
def test_damage_is_a_matter_of_format_and_of_nothing_else(place: int, junk: bytes):
    whole = colour_onnx()
    with suppress(FormatError):
        check_structure(whole[:place] + junk + whole[place + len(junk) :])
