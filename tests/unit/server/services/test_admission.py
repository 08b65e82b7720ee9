"""Who is let in: so many images and bytes of all, fewer of one; the rest is told when to come."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from server.errors import TooBusyError
from server.inference.turns import Turns
from server.services.admission import Admission, AdmissionLimits

LIMITS = AdmissionLimits(images=10, images_per_client=6, body_bytes=1000)


@pytest.fixture
def turns() -> Turns:
    return Turns(2)


@pytest.fixture
def admission(turns: Turns) -> Admission:
    return Admission(LIMITS, turns)


def test_one_client_cannot_fill_the_server(admission: Admission):
    with ExitStack() as held:
        for _ in range(6):
            held.enter_context(admission.enter("a", 0))
        with pytest.raises(TooBusyError, match="6 images that you sent") as refused:
            held.enter_context(admission.enter("a", 0))
        assert refused.value.retry_after_s == refused.value.extra["retry_after_s"] == 1
        for _ in range(4):
            held.enter_context(admission.enter("b", 0))
        with pytest.raises(TooBusyError, match="too many images"):
            held.enter_context(admission.enter("c", 0))
        assert admission.image_count == 10
    assert admission.image_count == 0
    with admission.enter("a", 0):
        assert admission.image_count == 1


def test_a_batch_counts_as_its_images_once_they_are_known(admission: Admission):
    with admission.enter("a", 0) as ticket:
        ticket.grow(6)
        assert admission.image_count == 6
        with pytest.raises(TooBusyError), admission.enter("a", 0):
            pass
        with admission.enter("b", 0) as other, pytest.raises(TooBusyError, match="too many"):
            other.grow(5)
        assert admission.image_count == 6
    assert admission.image_count == 0


def test_bytes_are_bounded_and_one_client_gets_half(admission: Admission):
    with admission.enter("a", 400):
        with admission.enter("a", 100):
            pass
        with pytest.raises(TooBusyError, match="bytes that you sent"), admission.enter("a", 101):
            pass
        with admission.enter("b", 600):
            pass
        with pytest.raises(TooBusyError, match="too many bytes"), admission.enter("b", 601):
            pass
    assert admission.image_count == 0


def test_a_server_that_holds_nothing_takes_any_body(admission: Admission):
    with admission.enter("a", 5000), pytest.raises(TooBusyError), admission.enter("b", 1):
        pass
    with admission.enter("b", 5000):
        pass


def test_what_fails_inside_leaves_nothing_behind(admission: Admission):
    def fail() -> None:
        with admission.enter("a", 1000) as ticket:
            ticket.grow(3)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert admission.image_count == 0
    assert not admission._bytes


@pytest.mark.parametrize(("mean_s", "expected_s"), [(0.01, 1), (1.0, 3), (1000.0, 30)])
def test_when_to_come_again_goes_by_what_waits(
    admission: Admission, turns: Turns, mean_s: float, expected_s: int
):
    turns.mean_s = mean_s
    with admission.enter("a", 0) as ticket:
        ticket.grow(6)
        with pytest.raises(TooBusyError, match=f"try again in {expected_s} s") as refused:
            admission.check_room("a", 1)
    assert refused.value.retry_after_s == expected_s
