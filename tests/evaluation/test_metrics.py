"""Metrics against scikit-image, closed forms and cases worked out by hand."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from patchloom.evaluation import metrics
from patchloom.evaluation.metrics import Judge

skimage_metrics = pytest.importorskip("skimage.metrics")


@pytest.fixture
def pair() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.RandomState(0)
    truth = gaussian_filter(random.random_sample((40, 50, 3)), (1, 1, 0))
    return np.clip(truth + 0.1 * random.standard_normal(truth.shape), 0, 1), truth


ALL = np.ones((40, 50), bool)


def square(size: int = 40, low: int = 10, high: int = 30) -> np.ndarray:
    region = np.zeros((size, size), bool)
    region[low:high, low:high] = True
    return region


def test_the_similarity_of_flat_pictures_is_that_of_their_means() -> None:
    """Wang et al. 2004, equation 13, where nothing varies: (2 a b + C1) / (a^2 + b^2 + C1)."""
    fill, truth = (np.full((40, 50, 3), grey) for grey in (0.2, 0.6))
    expected = (2 * 0.2 * 0.6 + 1e-4) / (0.2**2 + 0.6**2 + 1e-4)
    assert np.allclose(metrics.ssim_map(fill, truth), expected)


def test_psnr_is_scikit_images(pair: tuple[np.ndarray, np.ndarray]) -> None:
    fill, truth = pair
    assert metrics.psnr(fill, truth, ALL) == pytest.approx(
        skimage_metrics.peak_signal_noise_ratio(truth, fill, data_range=1)
    )


def test_differences_count_in_the_region_only() -> None:
    truth, region = np.zeros((40, 40, 3)), square()
    fill = truth.copy()
    fill[region] = 0.2
    fill[0, 0] = 1.0
    assert metrics.l1(fill, truth, region) == pytest.approx(20)
    assert metrics.l2(fill, truth, region) == pytest.approx(4)
    assert metrics.psnr(fill, truth, region) == pytest.approx(20 * math.log10(5))
    assert metrics.psnr(truth, truth, region) == metrics.BEST_PSNR


def test_gradient_of_a_ramp_is_its_slope_and_blurring_lowers_sharpness() -> None:
    rows, columns = np.mgrid[:40, :40]
    ramp = np.repeat((0.01 * rows + 0.003 * columns)[..., None], 3, axis=2)
    assert metrics.mean_gradient(ramp, square()) == pytest.approx(0.01 + 0.003)
    noise = np.random.RandomState(1).random_sample((40, 40, 3))
    assert metrics.sharpness(noise, noise, square()) == pytest.approx(1)
    assert metrics.sharpness(gaussian_filter(noise, (1, 1, 0)), noise, square()) < 0.5
    assert metrics.crispness(noise, square()) == pytest.approx(1, abs=0.1)


def test_pairs_across_the_regions_edge_are_no_gradient() -> None:
    picture = np.where(square()[..., None], 1.0, 0.0) * np.ones(3)
    assert metrics.mean_gradient(picture, square()) == 0
    assert metrics.mean_gradient(picture, ~square()) == 0


def test_seam_sees_a_step_at_the_border_and_none_in_noise() -> None:
    noise = np.random.RandomState(2).random_sample((60, 60, 3))
    hole = square(60, 20, 40)
    assert metrics.seam(noise, hole) == pytest.approx(1, abs=0.15)
    ramp = np.repeat(0.01 * np.mgrid[:60, :60][0][..., None], 3, axis=2)
    stepped = ramp + np.where(hole[..., None], 0.09, 0)
    # top and bottom: |0.01 + 0.09| and |0.01 - 0.09| against 0.01; the sides: 0.09 against 0
    floor = 1 / 2550
    assert metrics.seam(stepped, hole) == pytest.approx((0.09 + floor) / (0.005 + floor))
    assert metrics.seam(ramp, hole) == pytest.approx(1)


def test_perceptual_is_the_distance_in_units_of_the_truths_length() -> None:
    truth = np.array([[3, 4], [0, 12]], np.float32)
    assert metrics.perceptual(truth, truth) == 0
    assert metrics.perceptual(np.zeros_like(truth), truth) == pytest.approx(1)
    assert metrics.perceptual(truth + np.array([[5, 0], [0, 0]], np.float32), truth) == pytest.approx(5 / 13)


def test_texture_ignores_the_place_and_knows_the_distance_of_two_shifted_clouds() -> None:
    random = np.random.RandomState(4)
    truth = random.standard_normal((400, 3)).astype(np.float32)
    assert metrics.texture(random.permutation(truth), truth) == pytest.approx(0, abs=1e-6)
    # One channel: a cloud moved by d is d away in transport, whatever the direction's sign.
    line = truth[:, :1]
    assert metrics.texture(line + 0.5, line) == pytest.approx(0.5 / line.std(), rel=1e-4)
    assert metrics.texture(np.zeros_like(line) + line.mean(), line) == pytest.approx(1, rel=1e-4)


class Halved:
    """Features that can be worked out by hand: 2x2 means, and the picture itself."""

    def __call__(self, pictures: torch.Tensor, taps: Sequence[str]) -> dict[str, torch.Tensor]:
        return {"self": pictures, "mean": torch.nn.functional.avg_pool2d(pictures, 2)}

    def stride(self, tap: str) -> int:
        return {"self": 1, "mean": 2}[tap]


def test_a_case_scores_every_region_and_features_are_those_of_the_whole_picture() -> None:
    random = np.random.RandomState(5)
    truth, hole = random.random_sample((200, 190, 3)), np.zeros((200, 190), bool)
    hole[101:131, 90:120] = True
    fill = np.where(hole[..., None], random.random_sample(truth.shape), truth)
    scores = Judge(Halved(), taps=("self", "mean")).of(truth, hole).score(fill)
    assert set(scores) == {"hole", "rim", "image"}
    assert scores["image"]["l1"] == pytest.approx(scores["hole"]["l1"] * hole.mean(), rel=1e-5)
    alone = Judge(Halved(), taps=("self", "mean")).of(truth, hole, regions=("hole",)).score(fill)
    assert alone["hole"] == pytest.approx(scores["hole"], rel=1e-5)

    cells = [part[100:132].reshape(16, 2, -1, 2, 3).mean(axis=(1, 3))[:, 45:60] for part in (fill, truth)]
    a, b = (part.reshape(-1, 3) for part in cells)
    expected = np.linalg.norm(a - b) / np.linalg.norm(b)
    assert scores["hole"]["perceptual"] == pytest.approx(expected, rel=1e-4)


class Convolved(torch.nn.Module):
    """Features that see as far around as VGG-19's to relu3_1."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        sizes = [(3, 4), (4, 4), (4, 4), (4, 4), (4, 5)]
        self.layers = torch.nn.ModuleList(torch.nn.Conv2d(a, b, 3, padding=1) for a, b in sizes)

    def forward(self, x: torch.Tensor, taps: Sequence[str]) -> dict[str, torch.Tensor]:
        for number, layer in enumerate(self.layers):
            x = torch.relu(layer(x))
            if number in (1, 3):
                x = torch.nn.functional.max_pool2d(x, 2, ceil_mode=True)
        return {"last": x}

    def stride(self, tap: str) -> int:
        return 4


def test_features_made_around_the_hole_are_those_of_the_whole_picture() -> None:
    random = np.random.RandomState(6)
    truth, hole = random.random_sample((151, 170, 3)).astype(np.float32), np.zeros((151, 170), bool)
    hole[70:90, 60:95] = hole[140:, :9] = True
    fill = np.where(hole[..., None], random.random_sample(truth.shape).astype(np.float32), truth)
    network = Convolved()
    scores = Judge(network, taps=("last",)).of(truth, hole).score(fill)
    with torch.no_grad():
        a, b = (
            network(torch.from_numpy(picture.transpose(2, 0, 1)[None]), ["last"])["last"][0].flatten(1).numpy()
            for picture in (fill, truth)
        )
    assert scores["image"]["perceptual"] == pytest.approx(np.linalg.norm(a - b) / np.linalg.norm(b), rel=1e-5)


def test_the_rim_is_the_holes_outer_ring() -> None:
    hole = square(40, 8, 32)
    assert metrics.rim_of(hole, 4).sum() == 24 * 24 - 16 * 16
