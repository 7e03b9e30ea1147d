"""Lines through a hole: drawn ones are found where they were drawn, and noise has none."""

import numpy as np
import pytest

from patchloom.method.ends import End
from patchloom.method.lines import channels_of, lines_through, pair

SIDE = 160
Y, X = np.mgrid[:SIDE, :SIDE].astype(float)


def round_hole(width: float = 56) -> np.ndarray:
    return np.asarray(np.hypot(X - 80, Y - 80) < width / 2)


def drawn(distance: np.ndarray, width: float = 3.0, noise: float = 0.02) -> np.ndarray:
    """A dark line of ``width`` px where ``distance`` is 0, on grained paper, with a hole in the middle."""
    paper = 0.7 + noise * np.random.default_rng(0).standard_normal((SIDE, SIDE, 3))
    cover = np.clip(width / 2 + 0.5 - np.abs(distance), 0, 1)[..., None]
    picture = paper * (1 - cover) + np.array([0.15, 0.2, 0.35]) * cover
    return np.asarray(picture * ~round_hole()[..., None], np.float32)


def straight(angle: float, aside: float = 0.0) -> np.ndarray:
    return np.asarray(-(X - 80) * np.sin(angle) + (Y - 80) * np.cos(angle) - aside)


def inside(curve: np.ndarray) -> np.ndarray:
    """The curve's points in the hole."""
    return np.asarray(curve[np.hypot(curve[:, 0] - 80, curve[:, 1] - 80) < 28])


@pytest.mark.parametrize("angle", [0.0, 0.4, 1.1, 2.5])
def test_a_straight_line_is_carried_through_within_a_pixel(angle: float) -> None:
    picture = drawn(straight(angle, aside=5))
    (curve,) = lines_through(picture, round_hole())
    (sure,) = lines_through(picture, round_hole(), every=False)  # it is no line of chance
    np.testing.assert_array_equal(curve, sure)
    points = inside(curve)
    aside = -(points[:, 0] - 80) * np.sin(angle) + (points[:, 1] - 80) * np.cos(angle) - 5
    assert np.abs(aside).max() < 1.0
    assert len(points) > 90  # half a pixel apart, all the way
    assert np.hypot(*(curve - 80).T).max() > 50  # and on along its visible part


def test_a_ring_is_closed_along_the_circle() -> None:
    radius, centre = 60.0, np.array([80.0, 135.0])
    picture = drawn(np.hypot(X - centre[0], Y - centre[1]) - radius)
    (curve,) = lines_through(picture, round_hole())
    assert np.abs(np.hypot(*(inside(curve) - centre).T) - radius).max() < 2.0


def test_crossing_lines_do_not_take_each_other_s_ends() -> None:
    one, other = straight(0.3), straight(1.5)
    curves = lines_through(drawn(np.where(np.abs(one) < np.abs(other), one, other)), round_hole())
    assert len(curves) == 2
    for points in map(inside, curves):
        turns = np.arctan2(*(points[-1] - points[0])[::-1]) % np.pi
        assert min(abs(turns - 0.3), abs(turns - 1.5)) < 0.06


@pytest.mark.parametrize("sigma", [0.0, 1.0, 2.0])
def test_noise_has_no_lines(sigma: float) -> None:
    from scipy import ndimage

    grain = np.random.default_rng(3).standard_normal((SIDE, SIDE, 3))
    grain = ndimage.gaussian_filter(grain, (sigma, sigma, 0))
    picture = np.asarray(0.5 + 0.1 * grain / grain.std(), np.float32) * ~round_hole()[..., None]
    assert lines_through(picture, round_hole()) == []


def test_ends_that_happen_to_fit_are_not_sure() -> None:
    """Two short bars, one on each side of the hole, that continue each other: a pair, seen on too short a way."""
    near = np.abs(X - 80) < 28 + 10
    picture = drawn(np.where(near, straight(0.0), 99.0))
    assert len(lines_through(picture, round_hole())) == 1
    assert lines_through(picture, round_hole(), every=False) == []


def test_what_ends_before_the_hole_is_not_carried_on() -> None:
    cut = np.where(X < 48, straight(0.0), 99.0)
    assert lines_through(drawn(cut), round_hole()) == []


def test_what_comes_in_on_one_side_only_stops_where_it_meets_a_line_or_nowhere() -> None:
    foot = np.where(Y > 80, straight(np.pi / 2), 99.0)
    assert lines_through(drawn(foot), round_hole()) == []
    through = straight(0.0)
    both = lines_through(drawn(np.where(np.abs(foot) < np.abs(through), foot, through)), round_hole())
    assert len(both) == 2
    last = both[1][-1]
    assert np.hypot(last[0] - 80, last[1] - 80) < 4


def test_a_cable_is_one_before_light_and_dark_alike() -> None:
    """Its slopes turn round where the background gets darker than it; its colour stays."""
    distance = straight(np.pi / 2 + 0.1)
    cover = np.clip(2.0 - np.abs(distance), 0, 1)[..., None]
    sky, sea = np.array([0.6, 0.75, 0.9]), np.array([0.1, 0.2, 0.4])
    background = np.where((Y < 80)[..., None], sky, sea)
    grain = 0.02 * np.random.default_rng(0).standard_normal((SIDE, SIDE, 3))
    picture = background * (1 - cover) + np.array([0.7, 0.3, 0.25]) * cover + grain
    curves = lines_through(np.asarray(picture * ~round_hole()[..., None], np.float32), round_hole())
    upright = [c for c in curves if abs(c[0, 1] - c[-1, 1]) > 100]
    assert len(upright) == 1


def test_channels_say_where_a_line_is_and_on_which_side() -> None:
    curve = np.stack([np.full(200, 30.0), np.arange(0, 100, 0.5)], axis=1)
    e, o = np.moveaxis(channels_of([curve], (100, 60), 0), 2, 0)
    assert e[50].argmax() == 30
    np.testing.assert_allclose(o[50, 29], -o[50, 31], rtol=1e-4)
    assert o[50, 30] == 0 and abs(o[50, 31]) > 0.1
    assert (e[:, :20] == 0).all() and (e[:, 41:] == 0).all()
    half = channels_of([curve], (50, 30), 1)[..., 0]
    assert half[25].argmax() in (14, 15)  # column 30 lies between 14 and 15 at half the size


def test_ends_are_used_once() -> None:
    profile = np.zeros((29, 3), np.float32)
    profile[12], profile[16] = 0.1, -0.1

    def end(x: float, y: float, angle: float) -> End:
        sides = np.full((2, 3), 0.7, np.float32)
        return End(np.array([x, y]), angle, profile, 0.1, np.full(3, 0.2, np.float32), sides, 0.001)

    ends = [end(50, 80, np.pi), end(110, 80, 0.0), end(110, 84, 0.0)]
    assert pair(ends, round_hole()) == [(0, 1)]
