"""Distillation: the projections keep distances, the start from the teacher is exact where it can be."""

from pathlib import Path

import numpy as np
import pytest
import torch

from patchloom.errors import WeightsError
from patchloom.networks.texture import Compact, Vgg19
from patchloom.networks.weights import save_network
from patchloom.training import texture
from patchloom.training.data import Photographs
from patchloom.training.distill import (
    agreement,
    distillation_losses,
    interior,
    neighbour,
    principal_components,
    projections,
    select_channels,
    start_from_teacher,
    teach,
)
from patchloom.training.texture import TextureTrainee, open_teacher


@pytest.fixture(scope="module")
def teacher() -> Vgg19:
    torch.manual_seed(5)
    network = Vgg19("torchvision", "3_1")
    for layer in network.layers().values():  # random filters that keep the size of what goes through
        torch.nn.init.kaiming_normal_(layer.weight)
    return network


@pytest.fixture(scope="module")
def pictures() -> torch.Tensor:
    random = torch.Generator().manual_seed(6)
    coarse = torch.rand(6, 3, 12, 12, generator=random)
    return torch.nn.functional.interpolate(coarse, size=(48, 48), mode="bicubic").clamp(0, 1)


def test_a_projection_keeps_the_mean_squared_difference() -> None:
    """Exactly, for features that lie in as many dimensions as it has components."""
    random = np.random.default_rng(1)
    basis = np.linalg.qr(random.normal(size=(10, 4)))[0]
    cells = basis @ random.normal(size=(4, 2 * 50)) + random.normal(size=(10, 1))
    features = torch.from_numpy(cells.reshape(10, 2, 5, 10)).transpose(0, 1).float()
    small = principal_components(features, 4)(features)
    assert small.shape == (2, 4, 5, 10)
    large, little = ((f[0] - f[1]).square().mean(0) for f in (features, small))
    assert torch.allclose(large, little, rtol=1e-3)
    # Fewer components keep less, and the first ones keep most.
    kept = [principal_components(features, k)(features).var(dim=(0, 2, 3)).sum() * 10 / k for k in (1, 2, 3, 4)]
    gains = np.diff([0, *map(float, kept)])
    assert (gains > 0).all() and (np.diff(gains) < 0).all()


def test_the_selected_channels_predict_the_others() -> None:
    random = np.random.default_rng(2)
    independent = random.normal(size=(3, 400))
    mixed = random.normal(size=(5, 3)) @ independent + random.normal(size=(5, 1))
    cells = torch.from_numpy(np.concatenate([mixed, independent])).float()
    keep, matrix, offset = select_channels(cells, 3)
    assert len(set(keep.tolist())) == 3
    assert torch.allclose(matrix @ cells[keep] + offset[:, None], cells, atol=1e-3)


def test_a_student_as_wide_as_its_teacher_starts_as_its_teacher(teacher: Vgg19, pictures: torch.Tensor) -> None:
    widths = tuple(layer.out_channels for layer in teacher.layers().values())
    student = Compact(widths, (64, 128, 256))
    with torch.no_grad():
        targets = projections(teacher, student, pictures)
        start_from_teacher(student, teacher, targets, pictures)
        true = interior(teacher(pictures, student.taps), teacher)
        given = interior(student(pictures, student.taps), student)
    for tap in student.taps:
        expected, distance = ((f[0][:, :, 0, 0] - f[1][:, :, 0, 0]).square().mean(1) for f in (
            (true[tap][:3], true[tap][3:]), (given[tap][:3], given[tap][3:])
        ))  # fmt: skip
        assert torch.allclose(distance, expected, rtol=0.02)
    found = agreement(student, teacher, pictures, "relu2_1")
    assert found.near > 0.99 and found.excess < 0.01


def test_agreement_tells_a_good_student_from_a_random_one(teacher: Vgg19, pictures: torch.Tensor) -> None:
    itself = agreement(teacher, teacher, pictures, "relu2_1")
    assert (itself.same, itself.near) == (1, 1) and itself.excess == 0
    inverted = lambda x, taps: {tap: -1 / (1e-3 + f) for tap, f in teacher(x, taps).items()}  # noqa: E731
    inverted.stride = teacher.stride  # type: ignore[attr-defined]
    other = agreement(inverted, teacher, pictures, "relu2_1")  # type: ignore[arg-type]
    assert other.same < itself.same and other.excess > 0


def test_losses_are_relative_errors(teacher: Vgg19, pictures: torch.Tensor) -> None:
    """A student that says nothing is wrong by all there is: values 1 (plus the mean), changes 1."""
    student = Compact()
    for head in student.tops():
        torch.nn.init.zeros_(head.weight)
        torch.nn.init.zeros_(head.bias)  # type: ignore[arg-type]
    with torch.no_grad():
        targets = projections(teacher, student, pictures)
        near = neighbour(pictures, torch.Generator().manual_seed(0))
        losses = distillation_losses(student, teach(teacher, targets, torch.cat([pictures, near])))
    for name, loss in losses.items():
        assert float(loss) == pytest.approx(1, abs=0.1), name


def test_the_task_learns(teacher: Vgg19, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"BATCH": 2, "SIDE": 48, "FIRST_LOOK": 4}.items():
        monkeypatch.setattr(texture, name, value)
    random = np.random.default_rng(7)
    pixels = random.integers(0, 256, 8 * 3 * 120 * 120, dtype=np.uint8)
    index = np.array([(3 * 120 * 120 * k, 120, 120) for k in range(8)])
    photographs = Photographs(pixels, index, tuple("abcdefgh"))
    torch.manual_seed(0)
    task = TextureTrainee(photographs, teacher, "noise", seed=1, device=torch.device("cpu"))
    assert torch.equal(task.batch(3)[0], task.batch(3)[0]) and not torch.equal(task.batch(3)[0], task.batch(4)[0])
    task.optimisers["adam"].param_groups[0]["lr"] = 1e-4  # as early in the loop's warm-up
    batch = task.batch(0)
    losses = [float(task.learn(batch)["loss"]) for _ in range(4)]
    assert losses[-1] < losses[0]
    assert set(task.card()) >= {"task", "data", "licence", "teacher"}


def test_a_teacher_must_be_vgg19_to_relu3_1(tmp_path: Path) -> None:
    save_network(Vgg19("caffe", "2_2"), tmp_path / "short.safetensors", {})
    with pytest.raises(WeightsError, match="relu3_1"):
        open_teacher(str(tmp_path / "short.safetensors"), torch.device("cpu"))
