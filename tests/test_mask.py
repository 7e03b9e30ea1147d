"""Masks: what each kind of picture marks, growing and shrinking, parts, and what does not fit."""

import io

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from PIL import Image

from patchloom import Mask, MaskError, Photo
from patchloom.mask import growth
from patchloom.settings import FillSettings

HOLE = np.zeros((30, 40), bool)
HOLE[5:12, 8:20] = True


def picture(samples: np.ndarray) -> bytes:
    target = io.BytesIO()
    Image.fromarray(samples).save(target, "PNG")
    return target.getvalue()


def grey(inside: int, outside: int) -> np.ndarray:
    return np.where(HOLE, inside, outside).astype(np.uint8)


def layer(colour: tuple[int, int, int], alpha: np.ndarray) -> np.ndarray:
    return np.dstack([np.broadcast_to(np.uint8(colour), (*HOLE.shape, 3)), alpha])


@pytest.mark.parametrize(
    ("mode", "samples"),
    [
        ("auto", grey(255, 0)),
        ("white", grey(200, 90)),
        ("black", grey(0, 255)),
        ("white", layer((255, 255, 255), grey(255, 0))),
        ("alpha", layer((30, 60, 90), grey(0, 255))),
        ("auto", layer((250, 10, 10), grey(255, 0))),  # a brush stroke on an empty layer
        ("auto", layer((0, 0, 0), grey(255, 0))),  # black paint, too
        ("color", np.where(HOLE[..., None], np.uint8([250, 10, 10]), np.uint8(128))),
    ],
)
def test_what_marks_the_hole(mode: str, samples: np.ndarray) -> None:
    np.testing.assert_array_equal(Mask.open(picture(samples), mode=mode).hole, HOLE)


def test_a_photo_with_a_part_cut_out_marks_that_part() -> None:
    colours = np.random.default_rng(0).integers(0, 255, (*HOLE.shape, 3), dtype=np.uint8)
    cut = np.dstack([colours, grey(0, 255)])
    np.testing.assert_array_equal(Mask.open(picture(cut)).hole, HOLE)
    np.testing.assert_array_equal(Mask.from_alpha(Photo.open(picture(cut))).hole, HOLE)


def test_one_bit_and_16_bit_and_jpeg_masks() -> None:
    np.testing.assert_array_equal(Mask.open(picture(HOLE)).hole, HOLE)
    np.testing.assert_array_equal(Mask.open(picture(HOLE.astype(np.uint16) * 65535)).hole, HOLE)
    target = io.BytesIO()
    Image.fromarray(grey(255, 0)).save(target, "JPEG", quality=90)
    np.testing.assert_array_equal(Mask.open(target.getvalue()).hole, HOLE)


def test_a_mask_is_turned_upright_like_the_photo() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    target = io.BytesIO()
    Image.fromarray(np.rot90(grey(255, 0))).save(target, "PNG", exif=exif)
    np.testing.assert_array_equal(Mask.open(target.getvalue()).hole, HOLE)


@pytest.mark.parametrize(
    "array",
    [
        HOLE,
        HOLE.astype(np.uint8) * 255,
        HOLE.astype(int),
        HOLE[..., None],
        HOLE * 1.0,
        np.dstack([grey(255, 0)] * 3),
    ],
)
def test_arrays_of_many_kinds_mark_the_same(array: np.ndarray) -> None:
    np.testing.assert_array_equal(Mask.from_array(array).hole, HOLE)


@pytest.mark.parametrize("array", [np.zeros((4, 5, 6), np.uint8), np.zeros(7, bool), np.array([["a", "b"]])])
def test_arrays_that_are_no_masks_are_refused(array: np.ndarray) -> None:
    with pytest.raises(MaskError):
        Mask.from_array(array)


def test_boxes_are_cut_at_the_border_and_refused_beyond_it() -> None:
    mask = Mask.from_boxes([(8, 5, 12, 7)], 40, 30)
    np.testing.assert_array_equal(mask.hole, HOLE)
    assert Mask.from_boxes([(-5, -5, 10, 10)], 40, 30).boxes() == [(0, 0, 5, 5)]
    for box in ((40, 0, 5, 5), (0, 30, 5, 5), (-5, 0, 5, 5), (3, 3, 0, 5), (3, 3, 5, -1)):
        with pytest.raises(MaskError):
            Mask.from_boxes([box], 40, 30)


def test_from_color_takes_what_is_within_the_tolerance() -> None:
    colours = np.zeros((*HOLE.shape, 3), np.uint8)
    colours[HOLE] = (200, 20, 40)
    photo = Photo.from_array(colours)
    np.testing.assert_array_equal(Mask.from_color(photo, (200, 20, 40)).hole, HOLE)
    np.testing.assert_array_equal(Mask.from_color(photo, (190, 25, 45), 10).hole, HOLE)
    assert not Mask.from_color(photo, (190, 25, 45), 9).hole.any()
    deep = Photo.from_array(colours.astype(np.uint16) * 257)
    np.testing.assert_array_equal(Mask.from_color(deep, (200, 20, 40)).hole, HOLE)


@given(arrays.arrays(bool, (14, 17), elements=st.sampled_from([False] * 9 + [True])), st.integers(1, 5))
@settings(deadline=None, max_examples=60)
def test_growing_adds_exactly_what_is_near(hole: np.ndarray, px: int) -> None:
    y, x = np.mgrid[:14, :17]
    near = np.zeros(hole.shape, bool)
    for cy, cx in np.argwhere(hole):
        near |= (y - cy) ** 2 + (x - cx) ** 2 <= px * px
    np.testing.assert_array_equal(Mask(hole).grow(px).hole, near)
    np.testing.assert_array_equal(Mask(~hole).grow(-px).hole, ~near)


def test_growing_by_nothing_and_empty_and_full_masks() -> None:
    np.testing.assert_array_equal(Mask(HOLE).grow(0).hole, HOLE)
    for all_or_none in (np.zeros((5, 5), bool), np.ones((5, 5), bool)):
        for px in (3, -3):
            np.testing.assert_array_equal(Mask(all_or_none).grow(px).hole, all_or_none)
    assert not Mask(HOLE).grow(-20).hole.any()


def test_union_invert_share_and_parts() -> None:
    other = np.zeros_like(HOLE)
    other[20:25, 30:35] = True
    other[25, 35] = True  # touches by a corner: the same part
    both = Mask(HOLE).union(Mask(other))
    assert both.boxes() == [(8, 5, 12, 7), (30, 20, 6, 6)]
    assert both.share == pytest.approx((84 + 26) / 1200)
    np.testing.assert_array_equal(both.invert().hole, ~(HOLE | other))


def test_sizes_that_differ_are_both_named() -> None:
    with pytest.raises(MaskError, match="40 x 30 pixels, the photo 41 x 30"):
        Mask(HOLE).require_size(41, 30)
    with pytest.raises(MaskError) as caught:
        Mask(HOLE).require_size(30, 40)
    assert "upright" in caught.value.hint
    with pytest.raises(MaskError):
        Mask(HOLE).union(Mask(HOLE.T))


def test_saved_masks_are_white_where_filled() -> None:
    data = Mask(HOLE).encode()
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(data)).convert("L")), grey(255, 0))
    np.testing.assert_array_equal(Mask.open(data).hole, HOLE)


def test_bad_masks_are_mask_errors() -> None:
    with pytest.raises(MaskError, match="not a picture"):
        Mask.open(b"text")
    with pytest.raises(MaskError, match="no transparency"):
        Mask.open(picture(grey(255, 0)), mode="alpha")
    with pytest.raises(MaskError, match="no transparency"):
        Mask.from_alpha(Photo.open(picture(grey(255, 0))))
    with pytest.raises(MaskError, match="mask mode"):
        Mask.open(picture(grey(255, 0)), mode="pink")  # type: ignore[arg-type]


@pytest.mark.parametrize(("size", "pixels"), [((640, 427), 3), ((120, 160), 1), ((6000, 4000), 24)])
def test_automatic_growth_follows_the_size_of_the_picture(size: tuple[int, int], pixels: int) -> None:
    assert growth(*size) == pixels
    if size[0] < 1000:
        hole = np.zeros(size[::-1], bool)
        hole[50, 60] = True
        automatic = Mask(hole).to_fill(FillSettings(grow="auto")).hole
        assert (automatic == Mask(hole).to_fill(FillSettings(grow=pixels)).hole).all()
        assert (Mask(hole).to_fill(FillSettings()).hole == hole).all()
