"""The kinds of mask pictures that are understood: however a hole is drawn, it is that hole, and it is said."""

import io

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from PIL import Image

from patchloom import Mask, MaskError, Photo, inpaint
from patchloom.inpainter import Inpainter
from patchloom.settings import PRESETS, fill_settings

HOLE = np.zeros((30, 40), bool)
HOLE[5:12, 8:20] = True
ONE = HOLE.astype(np.uint8)
ZERO = ONE * 0


def encoded(image: Image.Image | np.ndarray, form: str = "PNG", **more: object) -> bytes:
    target = io.BytesIO()
    image = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    image.save(target, form, **more)
    return target.getvalue()


def palette(indices: np.ndarray, *colours: int) -> Image.Image:
    image = Image.fromarray(indices)
    image.putpalette([*colours, *[0] * (768 - len(colours))])
    return image


def soft(peak: int) -> np.ndarray:
    """A blob with many shades, half of its peak at the hole's border."""
    from scipy import ndimage

    inside = ndimage.distance_transform_edt(HOLE)
    outside = ndimage.distance_transform_edt(~HOLE)
    depth = np.where(HOLE, inside - 0.5, 0.5 - outside)
    return np.round(peak / (1 + np.exp(-1.7 * depth))).astype(np.uint8)


PLAIN = {
    "white": ONE * 255,
    "one bit": HOLE,
    "16 bit": ONE.astype(np.uint16) * 65535,
    "soft white": soft(255),
    "white and noise": ONE * 253 + np.random.default_rng(0).integers(0, 3, HOLE.shape, dtype=np.uint8),
    "opaque RGBA": np.dstack([ONE * 255] * 3 + [ZERO + 255]),
    "black and white palette, white first": palette(1 - ONE, 255, 255, 255, 0, 0, 0),
}
SAID = {
    "ones": ONE,
    "class 15": ONE * 15,
    "grey 120": ONE * 120,
    "classes": np.where(HOLE, 3 + np.arange(40, dtype=np.uint8) // 15, 0),
    "a class, its border white": np.where(HOLE & (np.arange(40) > 8), 15, ONE * 255),
    "white beside a class": ONE * 255 + np.pad(np.full((2, 5), 7, np.uint8), ((0, 28), (0, 35))),
    "8-bit white in 16 bit": ONE.astype(np.uint16) * 255,
    "soft grey 120": soft(120),
    "red": np.dstack([ONE * 255, ZERO, ZERO]),
    "green": np.dstack([ZERO, ONE * 255, ZERO]),
    "dark blue": np.dstack([ZERO, ZERO, ONE * 60]),
    "VOC": palette(ONE, 0, 0, 0, 128, 0, 0),
    "palette without colours": palette(ONE * 7, 0, 0, 0),
    "grey palette of indices": palette(ONE, *(value for value in range(256) for _ in range(3))),
    "red first in the palette": palette(1 - ONE, 255, 0, 0, 0, 0, 0),
    "brush at alpha .4": np.dstack([ONE * 255] * 3 + [ONE * 102]),
    "black paint on nothing": np.dstack([ZERO] * 3 + [ONE * 255]),
    "faint paint on nothing": np.dstack([ONE * 250, ONE * 10, ZERO, ONE * 20]),
    "a part cut out": np.dstack(
        [np.random.default_rng(1).integers(1, 255, (*HOLE.shape, 3)), 255 - ONE * 255]
    ).astype(np.uint8),
}  # fmt: skip


@pytest.mark.parametrize("kind", [*PLAIN, *SAID])
def test_a_hole_is_read_the_same_however_it_is_drawn(kind: str) -> None:
    picture = (PLAIN | SAID)[kind]
    mask = Mask.open(encoded(picture))
    np.testing.assert_array_equal(mask.hole, HOLE)
    assert bool(mask.how) == (kind in SAID), mask.how
    image = Image.fromarray(picture) if isinstance(picture, np.ndarray) else picture
    np.testing.assert_array_equal(Mask.from_pillow(image).hole, HOLE, "the library as the command line")


@pytest.mark.parametrize("level", [255, 120])
def test_noise_of_jpeg_is_no_class(level: int) -> None:
    mask = Mask.open(encoded(ONE * level, "JPEG", quality=70))
    near = Mask(HOLE).grow(1).hole & ~Mask(HOLE).grow(-1).hole
    np.testing.assert_array_equal(mask.hole[~near], HOLE[~near])


@pytest.mark.parametrize("array", [
    np.where(HOLE, 255, 0), np.where(HOLE, 65535, 0), HOLE.astype(np.int32) * 255, ONE * 2,
    HOLE.astype(np.int32) * 5, -HOLE.astype(np.int8), HOLE * 0.5, HOLE * 255.0, HOLE.astype(np.float16),
    HOLE.astype(">u2") * 65535,
])  # fmt: skip
def test_arrays_of_any_numbers(array: np.ndarray) -> None:
    np.testing.assert_array_equal(Mask.from_array(array).hole, HOLE)


def test_a_soft_array_is_cut_at_half() -> None:
    chances = np.random.default_rng(2).random((30, 40))
    np.testing.assert_array_equal(Mask.from_array(chances).hole, chances > 0.5)
    assert not Mask.from_array(chances * 0.3).hole.any(), "nothing was found there, and that is no class"


@pytest.mark.parametrize(
    ("samples", "seen"),
    [
        (ZERO, "its values are 0,"),
        (ONE * 0 + 90, "its values are 90,"),
        (np.dstack([ZERO] * 3 + [ZERO]), "its values are 0,"),
    ],
)
def test_a_picture_that_marks_nothing_is_refused_with_what_is_in_it(samples: np.ndarray, seen: str) -> None:
    photo = Photo.from_array(ZERO)
    with pytest.raises(MaskError, match=f"marks nothing: {seen}"):
        Inpainter().inpaint(photo, Mask.open(encoded(samples)), fill_settings("fast"))
    if samples.any():
        with pytest.raises(MaskError, match="marks nothing"):
            inpaint(ZERO, Image.fromarray(samples))


def test_a_mask_in_memory_that_is_empty_changes_nothing() -> None:
    with pytest.raises(MaskError, match="marks nothing: no pixel of the photo is transparent"):
        Inpainter().inpaint(
            Photo.from_array(ZERO), Mask.from_alpha(Photo.from_array(np.dstack([ZERO] * 3 + [ZERO + 255])))
        )
    np.testing.assert_array_equal(inpaint(ONE, ZERO), ONE)
    np.testing.assert_array_equal(inpaint(ONE, ZERO.astype(bool)), ONE)
    with pytest.raises(MaskError, match="no numbers"):
        Mask.from_array(np.where(HOLE, np.nan, 0))


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(1, 120),
    kind=st.sampled_from([np.uint8, np.uint16, np.int32, np.int64, np.float32]),
    packed=st.booleans(),
    seed=st.integers(0, 2**31),
)
def test_of_objects_with_a_number_each_all_are_filled(count: int, kind: type, packed: bool, seed: int) -> None:
    """However many there are, whatever type the numbers have, apart from one another or touching."""
    random = np.random.default_rng(seed)
    highest = {np.uint8: 254, np.int64: 10**6}.get(kind, 1000)
    ids = (
        random.choice(np.arange(1, highest + 1), count, replace=False)
        if random.random() < 0.5
        else np.arange(count) + 1
    )
    objects = np.zeros((96, 128), kind)
    side = 8 if packed else int(random.integers(4, 8))
    for number, value in enumerate(ids):
        top, left = 8 * (number // 15), 8 * (number % 15)
        objects[top : top + side, left : left + side] = value
    np.testing.assert_array_equal(Mask.from_array(objects).hole, objects > 0)
    if kind in (np.uint8, np.uint16):
        np.testing.assert_array_equal(Mask.open(encoded(objects)).hole, objects > 0)


@settings(max_examples=40, deadline=None)
@given(width=st.integers(3, 400), depth=st.sampled_from([np.uint8, np.uint16]), slope=st.floats(0, 1))
def test_a_soft_edge_of_any_width_is_cut_at_half(width: int, depth: type, slope: float) -> None:
    y, x = np.mgrid[:60, :500]
    soft = ((x + slope * y - 30) / width).clip(0, 1)
    picture = (soft * np.iinfo(depth).max).round().astype(depth)
    np.testing.assert_array_equal(Mask.open(encoded(picture)).hole, picture > np.iinfo(depth).max / 2)


def sheet(share: float, colour: int) -> np.ndarray:
    """A sheet of one colour of which so much is opaque."""
    alpha = np.zeros((20, 40), np.uint8)
    alpha[:, : round(40 * share)] = 255
    return np.dstack([np.full((20, 40, 3), colour, np.uint8), alpha])


@pytest.mark.parametrize(
    ("share", "colour", "filled"),
    [(0.1, 0, True), (0.1, 255, True), (0.9, 0, False), (0.9, 255, None), (0.5, 0, None), (0.5, 255, None)],
)
def test_of_a_sheet_with_transparency_the_smaller_part_is_marked_or_nothing(
    share: float, colour: int, filled: bool | None
) -> None:
    """A black mask with a transparent hole is not black paint; white that is most of a mask may be either."""
    data = encoded(sheet(share, colour))
    painted = sheet(share, colour)[..., 3] > 0
    if filled is None:
        with pytest.raises(MaskError, match="two ways") as caught:
            Mask.open(data)
        assert "mask_mode alpha" in caught.value.hint
    else:
        np.testing.assert_array_equal(Mask.open(data).hole, painted == filled)
    np.testing.assert_array_equal(Mask.open(data, mode="alpha").hole, ~painted)
    np.testing.assert_array_equal(Mask.open(data, mode="labels").hole, painted & (colour > 0))


def test_as_much_white_as_other_values_is_refused_and_either_can_be_chosen() -> None:
    both = np.zeros((20, 40), np.uint8)
    both[5:10, 5:15], both[5:10, 20:30] = 255, 7
    with pytest.raises(MaskError, match="two ways") as caught:
        Mask.open(encoded(both))
    assert "labels" in caught.value.hint and "white" in caught.value.hint
    np.testing.assert_array_equal(Mask.open(encoded(both), mode="labels").hole, both > 0)
    np.testing.assert_array_equal(Mask.open(encoded(both), mode="white").hole, both == 255)


def test_what_jpeg_made_of_black_and_white_is_no_class_in_a_png_either() -> None:
    again = np.asarray(Image.open(io.BytesIO(encoded(ONE * 255, "JPEG", quality=60))))
    near = Mask(HOLE).grow(1).hole & ~Mask(HOLE).grow(-1).hole
    np.testing.assert_array_equal(Mask.open(encoded(again)).hole[~near], HOLE[~near])


@pytest.mark.parametrize("mode", ["P", "L", "I;16", "RGB"])
def test_a_class_of_a_picture_is_chosen_by_its_number(mode: str) -> None:
    ids = np.zeros((30, 40), np.uint16)
    ids[3:9, 5:20], ids[12:20, 5:20], ids[22:28, 25:39] = 5, 15, 200
    if mode == "I;16":
        ids = np.where(ids == 200, 40_000, ids).astype(np.uint16)
    picture = Image.fromarray(ids if mode == "I;16" else ids.astype(np.uint8))
    if mode == "P":
        picture.putpalette(np.random.default_rng(0).integers(0, 256, 768).astype(np.uint8).tobytes())
    elif mode == "RGB":
        picture = picture.convert("RGB")
    target = io.BytesIO()
    picture.save(target, "PNG")
    last = str(ids.max())
    for chosen, values in (("15", [15]), (f"5, {last}", [5, int(last)]), ("15,77,nothing", [15])):
        mask = Mask.open(target.getvalue(), classes=chosen)
        np.testing.assert_array_equal(mask.hole, np.isin(ids, values))
    with pytest.raises(MaskError, match=f"its class ids are 0, 5, 15 and {last}"):
        Mask.open(target.getvalue(), classes="dog").to_fill(PRESETS["fast"])


def test_what_holds_no_class_ids_has_no_class_to_choose() -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (16, 16, 3)).astype(np.uint8)
    for format, why in (("PNG", "has colours"), ("JPEG", "coded with loss")):
        target = io.BytesIO()
        Image.fromarray(pixels).save(target, format)
        with pytest.raises(MaskError, match=why):
            Mask.open(target.getvalue(), classes="3")
