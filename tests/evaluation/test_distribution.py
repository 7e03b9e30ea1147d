"""Can a set of fills be told from photographs?"""

import numpy as np
import pytest

from patchloom.evaluation.distribution import compare, descriptor, discriminability, kernel_distance
from patchloom.evaluation.metrics import Judge
from patchloom.networks.weights import load_texture


def test_the_kernel_distance_is_the_mean_over_pairs() -> None:
    random = np.random.default_rng(0)
    a, b = random.normal(size=(5, 3)), random.normal(size=(7, 3)) + 0.5

    def k(x: np.ndarray, y: np.ndarray) -> float:
        return float((np.dot(x, y) / 3 + 1) ** 3)

    inside = [np.mean([k(x, y) for i, x in enumerate(s) for j, y in enumerate(s) if i != j]) for s in (a, b)]
    across = np.mean([k(x, y) for x in a for y in b])
    assert kernel_distance(a, b) == pytest.approx(sum(inside) - 2 * across)


def test_what_has_one_distribution_cannot_be_told_and_what_is_shifted_can() -> None:
    random = np.random.default_rng(1)
    truths = random.normal(size=(300, 40))
    same, shifted = random.normal(size=(300, 40)), random.normal(size=(300, 40)) + 1
    unpaired, paired = discriminability(same, truths)
    assert 0.4 < unpaired < 0.6 and 0.4 < paired < 0.6
    assert max(discriminability(shifted, truths)) < 0.02
    assert abs(compare(same, truths).kid) < 30 < compare(shifted, truths).kid


def test_more_features_than_pictures_separate_nothing_that_is_alike() -> None:
    random = np.random.default_rng(2)
    unpaired, _ = discriminability(random.normal(size=(40, 500)), random.normal(size=(40, 500)))
    assert 0.3 < unpaired < 0.7


def test_a_descriptor_is_of_the_hole_alone_and_blur_moves_it() -> None:
    random = np.random.default_rng(3)
    picture = random.random((64, 64, 3), dtype=np.float32)
    hole = np.zeros((64, 64), bool)
    hole[24:40, 24:40] = True
    judge = Judge(load_texture("compact"))
    elsewhere, inside = picture.copy(), picture.copy()
    elsewhere[:4] = 0
    inside[hole] = picture[hole].mean(0)
    of = [descriptor(judge, one, hole) for one in (picture, elsewhere, inside)]
    np.testing.assert_allclose(of[0], of[1], atol=1e-6)
    assert np.abs(of[0] - of[2]).max() > 0.1
