"""Visitors: allowances refill in time, and a crowd never takes all the room."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from server.errors import AllowanceUsedError, TooBusyError
from server.inference.turns import Turns
from server.services.admission import Admission, AdmissionLimits
from server.services.buckets import Buckets
from server.services.visitors import PER_VISITOR, Allowance, Visitors, group_of

LIMITS = AdmissionLimits(images=20, images_per_client=20, body_bytes=1000)
PLENTY = Allowance("link", 10_000, 1_000_000)


class Seconds:
    """A clock that stands still until it is told."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def visitors(clock: Seconds | None = None) -> tuple[Visitors, Admission]:
    admission = Admission(LIMITS, Turns(2))
    return Visitors(admission, LIMITS, clock or Seconds()), admission


def enter(door: Visitors, address: str, allowance: Allowance = PLENTY) -> None:
    with door.enter(allowance, address, 1):
        pass


def test_an_allowance_refills_one_by_one():
    clock = Seconds()
    door, _ = visitors(clock)
    link = Allowance("link", per_hour=4, per_day=100)
    for _ in range(4):
        enter(door, "192.0.2.1", link)
    with pytest.raises(AllowanceUsedError) as refused:
        enter(door, "192.0.2.1", link)
    assert refused.value.retry_after_s == 900
    clock.now_s += 899
    with pytest.raises(AllowanceUsedError):
        enter(door, "192.0.2.1", link)
    clock.now_s += 1.01
    enter(door, "192.0.2.1", link)


def test_links_have_their_own_allowances():
    door, _ = visitors()
    for name in ("one", "two"):
        enter(door, "192.0.2.1", Allowance(name, 1, 1))
        with pytest.raises(AllowanceUsedError):
            enter(door, "192.0.2.1", Allowance(name, 1, 1))


def test_a_crowd_has_half_of_the_room_and_leaves_it_again():
    door, admission = visitors()
    with ExitStack() as inside:
        for number in range(LIMITS.images // 2):
            inside.enter_context(door.enter(PLENTY, f"192.0.2.{number}", 1))
        with pytest.raises(TooBusyError):
            enter(door, "192.0.2.200")
        with admission.enter("owner", 1):
            assert admission.image_count == LIMITS.images // 2 + 1
    assert admission.image_count == 0
    enter(door, "192.0.2.200")


def test_a_crowd_has_half_of_the_bytes():
    door, _ = visitors()
    with (
        door.enter(PLENTY, "192.0.2.1", 400),
        pytest.raises(TooBusyError),
        door.enter(PLENTY, "192.0.2.2", 101),
    ):
        pass


def test_one_address_has_a_few_at_once_and_is_not_charged_for_a_refusal():
    door, _ = visitors()
    link = Allowance("link", PER_VISITOR + 1, 100)
    with ExitStack() as inside:
        for _ in range(PER_VISITOR):
            inside.enter_context(door.enter(link, "192.0.2.1", 1))
        with pytest.raises(TooBusyError):
            enter(door, "192.0.2.1", link)
    enter(door, "192.0.2.1", link)


def test_what_is_remembered_is_bounded_and_the_last_used_stay():
    buckets = Buckets(Seconds(), max_count=3)
    for key in ("a", "b", "c"):
        buckets.wait_s(key, 1, 60)
        buckets.take(key)
    assert buckets.wait_s("a", 1, 60) == 60
    assert buckets.wait_s("d", 1, 60) == 0
    assert len(buckets) == 3
    assert buckets.wait_s("a", 1, 60) == 60


@pytest.mark.parametrize(
    ("address", "group"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("", "unknown"),
        ("testclient", "unknown"),
    ],
)
def test_an_address_of_ipv6_counts_as_its_network(address: str, group: str):
    assert group_of(address) == group
