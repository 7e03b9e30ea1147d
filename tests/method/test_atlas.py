"""Pictures beside a window: what is copied from them, and that no patch mixes two of them."""

import numpy as np
from scipy import ndimage

from patchloom.method.atlas import Atlas, best_match
from patchloom.method.patchfill import Scales, Variant, exemplar_fill
from patchloom.method.pyramid import Level, shrinking_pyramid
from patchloom.tensors.field import source_centres

VARIANT = Variant(patch=5, seed=3)


def picture(seed: int, height: int, width: int) -> np.ndarray:
    """(H, W, 3) float32: smooth noise in the upper half of the range."""
    noise = np.random.default_rng(seed).random((height, width, 3))
    smooth = ndimage.gaussian_filter(noise, (3, 3, 0), mode="wrap")
    smooth = (smooth - smooth.min()) / np.ptp(smooth)
    return (0.5 + 0.5 * smooth).astype(np.float32)


def with_hole(image: np.ndarray) -> Level:
    height, width = image.shape[:2]
    hole = np.zeros((height, width), bool)
    hole[height // 3 : height // 2, width // 3 : width // 2] = True
    return Level(np.where(hole[..., None], np.float32(0), image), hole, ~hole)


def whole(image: np.ndarray) -> Level:
    nothing = np.zeros(image.shape[:2], bool)
    return Level(image, nothing, ~nothing)


def test_no_patch_holds_pixels_of_two_pictures_at_any_level() -> None:
    window, sizes = with_hole(picture(0, 101, 147)), ((101, 147), (90, 33), (64, 64))
    levels = shrinking_pyramid(window, 5)
    scales = Scales(levels, donors=[whole(picture(1 + n, *size)) for n, size in enumerate(sizes)])
    assert len(levels) > 2
    for number, (level, sources) in enumerate(zip(levels, scales.sources, strict=True)):
        halvings = len(levels) - 1 - number
        begins = [0, *(begin >> halvings for begin in scales.atlas.begins)]
        assert all(
            (begin << halvings) == native for begin, native in zip(begins[1:], scales.atlas.begins, strict=True)
        )
        owner = np.searchsorted(begins, np.arange(sources.shape[1]), "right")
        for _, column in np.argwhere(source_centres(sources, 2)):
            assert len(set(owner[column - 2 : column + 3])) == 1
        assert sources[:, level.size[1] : begins[1]].sum() == 0


def test_what_only_another_picture_shows_is_copied_from_there() -> None:
    """The hole's surroundings are noise that repeats nowhere in the photograph; the other picture has it whole."""
    truth = picture(0, 128, 128)
    window = with_hole(truth)
    levels = shrinking_pyramid(window, VARIANT.patch)
    alone = exemplar_fill(Scales(levels), VARIANT)
    scales = Scales(levels, donors=[whole(picture(5, 128, 128)), whole(truth)])
    beside = exemplar_fill(scales, VARIANT)
    unrelated, same = scales.atlas.shares(beside.field.centres[:, 1] + beside.field.offsets[:, 1])
    assert same > 0.7 and unrelated < 0.1
    misses = [np.square(fill.picture - truth)[window.hole].mean() for fill in (beside, alone)]
    assert misses[0] < 0.1 * misses[1]


def test_the_place_that_shows_the_hole_is_found_in_a_larger_picture_and_its_light_is_the_windows() -> None:
    scene = picture(0, 300, 340)
    window = with_hole(scene[40:140, 120:240])
    darker = np.rint((0.8 * scene - 0.2) * 255).astype(np.uint8)
    place = best_match(window, darker, np.ones(scene.shape[:2], bool))
    assert place is not None
    inner = (slice(20, 80), slice(20, 100))
    shifts = [
        np.abs(np.roll(place.level.image, (dy, dx), (0, 1)) - scene[40:140, 120:240])[inner].mean()
        for dy in range(-3, 4)
        for dx in range(-3, 4)
    ]
    assert min(shifts) < 0.02  # a place is looked for in a smaller size: it may be a pixel or two off


def test_a_picture_that_shows_less_than_the_hole_has_no_place() -> None:
    window = with_hole(picture(0, 100, 120))
    small = np.rint(picture(1, 12, 12) * 255).astype(np.uint8)
    assert best_match(window, small, np.ones((12, 12), bool)) is None
    large = np.rint(picture(1, 200, 200) * 255).astype(np.uint8)
    assert best_match(window, large, np.zeros((200, 200), bool)) is None


def test_without_others_nothing_is_joined() -> None:
    window = with_hole(picture(0, 64, 64))
    atlas = Atlas([window])
    assert atlas.native(window.image).image is window.image and atlas.begins == [] and len(atlas.offsets) == 0
