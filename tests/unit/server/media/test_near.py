"""Pictures that look alike find each other, and only they."""

from __future__ import annotations

import random

import pytest
from PIL import Image, ImageDraw

from server.media import near
from server.media.digests import NEAR_DHASH_BITS, NEAR_PHASH_BITS, dhash, phash
from server.media.near import Look, NearIndex
from tests.support import images


def name(number: int) -> str:
    return f"{number:064x}"


def look_of(picture: Image.Image) -> Look:
    return Look(dhash(picture), phash(picture))


def flip(value: int, bits: int) -> int:
    for place in range(bits):
        value ^= 1 << place
    return value


def test_a_picture_that_resembles_none_begins_a_group() -> None:
    index = NearIndex()
    assert index.find(Look(0, 0)) is None
    assert index.join(name(7), Look(0, 0)) == name(7)
    assert len(index) == 1


@pytest.mark.parametrize(
    ("dhash_bits", "phash_bits", "is_near"),
    [
        (0, 0, True),
        (NEAR_DHASH_BITS, NEAR_PHASH_BITS, True),
        (NEAR_DHASH_BITS + 1, 0, False),
        (0, NEAR_PHASH_BITS + 1, False),
    ],
)
def test_both_hashes_must_be_near(dhash_bits: int, phash_bits: int, is_near: bool) -> None:
    index = NearIndex()
    index.join(name(1), Look(0, 0))
    other = Look(flip(0, dhash_bits), flip(0, phash_bits))
    assert index.find(other) == (name(1) if is_near else None)


def test_a_picture_joins_the_group_that_it_resembles_most() -> None:
    index = NearIndex()
    index.join(name(1), Look(0, 0))
    index.join(name(2), Look(flip(0, 11), 0))
    assert index.join(name(3), Look(flip(0, 9), 0)) == name(2)
    # Between the two now, and still the groups are two.
    assert index.find(Look(0, 0)) == name(1)


def test_groups_are_the_same_after_a_restart() -> None:
    generator = random.Random(4)
    looks = [Look(generator.getrandbits(64), generator.getrandbits(64)) for _ in range(40)]
    looks += [Look(flip(each.dhash, 3), each.phash) for each in looks]
    index = NearIndex()
    groups = [index.join(name(number), look) for number, look in enumerate(looks)]
    assert groups == [name(number % 40) for number in range(80)]
    # The first picture of each group is gone; its group keeps its name.
    again = NearIndex(zip(looks[40:], groups[40:], strict=True))
    assert [again.find(look) for look in looks] == groups


def test_every_tile_is_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near, "_TILE", 100)
    generator = random.Random(5)
    looks = [Look(generator.getrandbits(64), generator.getrandbits(64)) for _ in range(1250)]
    index = NearIndex()
    for number, look in enumerate(looks):
        assert index.join(name(number), look) == name(number)
    assert [index.find(look) for look in looks] == [name(number) for number in range(1250)]


@pytest.mark.parametrize("bad", ["", "ab", "g" * 64, name(1) + "00"])
def test_a_name_that_is_no_sha256_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match=r"sha256|hexadecimal"):
        NearIndex().join(bad, Look(0, 0))


def test_copies_of_a_photo_find_it_and_other_photos_do_not() -> None:
    photos = [images.photo(800, 600, seed) for seed in range(30)]
    index = NearIndex()
    for number, photo in enumerate(photos):
        assert index.join(name(number), look_of(photo)) == name(number)
    marked = photos[3].copy()
    ImageDraw.Draw(marked).rectangle((500, 520, 780, 580), fill="white")
    copies = [
        photos[0].resize((300, 225)),
        photos[1].convert("L"),
        photos[2].crop((8, 6, 792, 594)),
        marked,
    ]
    assert [index.find(look_of(copy)) for copy in copies] == [name(number) for number in range(4)]
    assert index.find(look_of(photos[4].transpose(Image.Transpose.FLIP_LEFT_RIGHT))) is None
