"""Transparency: what cannot be seen is no texture, and opacity belongs to the texture that it came with."""

import numpy as np
import pytest

from patchloom import Mask, Photo, inpaint

QUICK = {"preset": "fast", "texture": "none", "content": "none"}
SIZE = (96, 128)
HIDDEN = (255, 0, 255)
Y, X = np.mgrid[: SIZE[0], : SIZE[1]]


def sprite(opacity: np.ndarray, depth: type = np.uint8) -> np.ndarray:
    """(H, W, 4): green with grain where ``opacity`` (H, W), 0..1, is more than 0; elsewhere nobody sees what."""
    top = np.iinfo(depth).max
    grain = np.random.default_rng(0).normal(0, 0.02, (*SIZE, 1))
    colour = np.where((opacity > 0)[..., None], np.array([0.16, 0.63, 0.24]) + grain, np.array(HIDDEN) / 255)
    return (np.dstack([colour, opacity]).clip(0, 1) * top).round().astype(depth)


def box(top: int, left: int, bottom: int, right: int) -> np.ndarray:
    hole = np.zeros(SIZE, bool)
    hole[top:bottom, left:right] = True
    return hole


EDGE = (X < 64).astype(float)
SHAPES = {
    "an edge": EDGE,
    "a soft edge": ((64.5 - X) / 4).clip(0, 1),
    "a disc": (np.hypot(Y - 48, X - 64) < 30).astype(float),
    "holes": ((Y // 8 + X // 8) % 2).astype(float),
    "half-transparent glass": np.where(X < 64, 0.5, 0),
    "a shade": X / SIZE[1],
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
@pytest.mark.parametrize("more", [{}, {"feather": 3}, {"alpha": "keep"}], ids=str)
def test_no_hidden_colour_is_ever_seen(shape: str, depth: type, more: dict) -> None:
    picture, hole = sprite(SHAPES[shape], depth), box(30, 40, 60, 70)
    broken = np.where(hole[..., None], np.iinfo(depth).max // 2, picture).astype(depth)
    filled = inpaint(broken, hole, **QUICK, **more)
    red, green, _, alpha = np.moveaxis(filled / np.iinfo(depth).max, -1, 0)
    changed = Mask(hole).grow(more.get("feather", 0)).hole
    assert not (changed & (alpha > 0.05) & (red > green)).any()
    np.testing.assert_array_equal(filled[~changed], picture[~changed])


@pytest.mark.parametrize("shape", ["an edge", "a disc", "holes"])
def test_a_hard_edge_stays_hard(shape: str) -> None:
    picture, hole = sprite(SHAPES[shape]), box(30, 40, 60, 70)
    filled = inpaint(np.where(hole[..., None], 128, picture).astype(np.uint8), hole, **QUICK)
    assert set(np.unique(filled[..., 3])) <= {0, 255}


def test_a_straight_edge_goes_through() -> None:
    picture, hole = sprite(EDGE), box(30, 40, 60, 70)
    filled = inpaint(np.where(hole[..., None], 128, picture).astype(np.uint8), hole, **QUICK)
    assert (filled[..., 3] != picture[..., 3])[hole].mean() < 0.1


@pytest.mark.parametrize("opacity", [1.0, 0.5, 0.0])
def test_what_is_equally_opaque_all_around_becomes_so(opacity: float) -> None:
    """Though other opacities are near enough to be copied."""
    shape = SHAPES["holes"].copy()
    shape[20:70, 30:80] = opacity
    picture, hole = sprite(shape), box(35, 45, 55, 65)
    broken = picture.copy()
    broken[hole] = (255, 255, 255, 77)
    filled = inpaint(broken, hole, **QUICK)
    assert (filled[hole][:, 3] == round(255 * opacity)).all()
    if opacity == 0:
        assert (filled[hole][:, :3] == HIDDEN).all(), "nothing of what was removed is left under it"


def test_a_smooth_shade_goes_on_smoothly() -> None:
    picture, hole = sprite(SHAPES["a shade"]), box(30, 40, 60, 70)
    filled = inpaint(np.where(hole[..., None], 0, picture).astype(np.uint8), hole, **QUICK)
    assert np.abs(filled[..., 3].astype(int) - picture[..., 3]).max() <= 2


@pytest.mark.parametrize("rim", [0, 1, 4, 9])
def test_all_that_was_not_opaque_is_by_its_transparency(rim: int) -> None:
    """However soft the eraser was; and what lossy coding makes of opaque pixels is opaque."""
    away = np.hypot(Y - 48, X - 64) - 20
    opacity = (away > 0).astype(float) if rim == 0 else (away / rim + 0.5).clip(0, 1)
    picture = sprite(opacity)
    picture[:10, :10, 3] = 252
    mask = Mask.from_alpha(Photo.from_array(picture))
    np.testing.assert_array_equal(mask.hole, (picture[..., 3] < 250))
    filled = inpaint(picture, mask.hole, **QUICK)
    assert (filled[mask.hole][:, 3] >= 250).all() and (filled[..., 3] >= 250).all()
