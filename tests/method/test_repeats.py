"""Offsets that repeat: the period of what was drawn, and brute force's answer."""

import numpy as np

from patchloom.method import repeats
from patchloom.method.repeats import repeating_offsets

SIDE = 120
Y, X = np.mgrid[:SIDE, :SIDE]


def square_hole(side: int = 36) -> np.ndarray:
    hole = np.zeros((SIDE, SIDE), bool)
    hole[42 : 42 + side, 42 : 42 + side] = True
    return hole


def masked(values: np.ndarray, hole: np.ndarray) -> np.ndarray:
    return np.asarray(np.repeat(values[..., None], 3, 2) * ~hole[..., None], np.float32)


def test_every_offset_of_a_lattice_is_a_vector_of_the_lattice() -> None:
    tiles = ((Y % 17 < 3) | (X % 23 < 3)).astype(np.float32)
    hole = square_hole()
    noisy = tiles + 0.05 * np.random.default_rng(0).standard_normal(tiles.shape)
    offsets = repeating_offsets(masked(noisy, hole), hole)
    assert len(offsets) >= 4
    assert (offsets[:, 0] % 17 == 0).all() and (offsets[:, 1] % 23 == 0).all()


def test_noise_does_not_repeat() -> None:
    hole = square_hole()
    noise = np.random.default_rng(1).random((SIDE, SIDE))
    assert len(repeating_offsets(masked(noise, hole), hole)) == 0


def test_the_best_offset_is_the_one_that_misses_the_surroundings_least() -> None:
    random = np.random.default_rng(5)
    values = np.kron(random.random((6, 6)), np.ones((20, 20)))
    values[:, 60:] = values[:, :60]  # repeats once, 60 px across
    hole = np.zeros((SIDE, SIDE), bool)
    hole[50:62, 20:32] = True
    offsets = repeating_offsets(masked(values, hole), hole)
    assert [0, 60] in offsets.tolist()


def test_a_large_picture_gives_the_period_to_the_pixel() -> None:
    side = 2 * repeats.SIDE + 40
    y, x = np.mgrid[:side, :side]
    tiles = ((y % 53 < 6) | (x % 61 < 6)).astype(np.float32)
    hole = np.zeros((side, side), bool)
    hole[200:300, 200:300] = True
    offsets = repeating_offsets(np.repeat(tiles[..., None], 3, 2) * ~hole[..., None], hole)
    assert len(offsets) >= 4
    assert (offsets[:, 0] % 53 == 0).all() and (offsets[:, 1] % 61 == 0).all()
