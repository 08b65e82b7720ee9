"""Ids rise, whatever the clock says."""

from __future__ import annotations

from server.db.ids import new_id, new_id_after


def test_ids_of_one_millisecond_rise():
    made = [new_id_after(None)]
    for _ in range(100):
        made.append(new_id_after(made[-1]))
    assert made == sorted(set(made))


def test_an_id_rises_above_one_of_the_future():
    future = "7ZZZZZZZZZ" + "0" * 16
    assert new_id_after(future) == future[:-1] + "1"
    assert new_id_after("0" * 26)[:8] == new_id()[:8], "else it is of now"
