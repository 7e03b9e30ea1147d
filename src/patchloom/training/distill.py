"""Distil VGG-19 into the compact texture network.

The fill's texture term compares features by their mean squared difference. So the student need not have the
teacher's channels, only its distances: at each tap it learns the teacher's leading principal components
(an orthogonal projection changes no distance inside its span), scaled so that the mean over the student's channels
is the mean over the teacher's. Two terms, each relative to the teacher's own energy:

    value = |s(x) - t(x)|^2 / var t                                 at x and at x'
    change = |(s(x) - s(x')) - (t(x) - t(x'))|^2 / |t(x) - t(x')|^2

with x' a picture near x: noisy, blurred, shifted or mixed with another, as a fill on its way to its targets is.
The second term is what the optimiser follows; without it the student is right on average and vague about details.
The student starts from a selection of the teacher's own filters, which saves most of the training.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from patchloom.networks.texture import VARIANTS, Compact, TextureNetwork, Vgg19

MARGIN = 12
"""Pixels along a crop's border that are not compared: zero padding reaches that far into VGG-19's relu3_1."""


@dataclass(frozen=True)
class Projection:
    """Teacher features (N, C, h, w) -> the components (N, k, h, w) that the student is to give."""

    mean: Tensor  # (C,)
    basis: Tensor  # (k, C), orthonormal rows times sqrt(k / C)

    def __call__(self, features: Tensor) -> Tensor:
        offset = self.basis @ self.mean
        return functional.conv2d(features.float(), self.basis[:, :, None, None]) - offset[:, None, None]


def principal_components(features: Tensor, count: int) -> Projection:
    """The projection on the ``count`` directions in which ``features`` (N, C, h, w) vary most."""
    cells = features.double().transpose(0, 1).flatten(1)  # (C, cells)
    mean = cells.mean(1)
    centred = cells - mean[:, None]
    _, vectors = torch.linalg.eigh(centred @ centred.T)  # ascending
    basis = vectors.flip(1)[:, :count].T * (count / len(mean)) ** 0.5
    return Projection(mean.float(), basis.float().contiguous())


def projections(teacher: TextureNetwork, student: Compact, pictures: Tensor) -> dict[str, Projection]:
    """For each of the student's taps the teacher's components over ``pictures`` (N, 3, H, W)."""
    features = interior(teacher(pictures, student.taps), teacher)
    counts = zip(student.taps, student.components, strict=True)
    return {tap: principal_components(features[tap], count) for tap, count in counts}


def start_from_teacher(
    student: Compact, teacher: Vgg19, targets: Mapping[str, Projection], pictures: Tensor
) -> None:
    """Give ``student`` a selection of the teacher's own filters.

    Of every layer those channels are kept from which all its channels are best predicted linearly; where the next
    layer or a head wants the others, it gets these predictions, folded into its weights.
    """
    x = pictures
    prepare = VARIANTS[teacher.variant].prepare
    # The student sees 4 x - 2: undo that, and do what the teacher's first layer expects, in the same fold.
    grey = prepare(torch.full((1, 3, 1, 1), 0.5))
    primaries = prepare(torch.eye(3).view(3, 3, 1, 1) + 0.5) - grey
    predict = (primaries.view(3, 3).T / 4, grey.flatten())
    for index, (layer, convolution) in enumerate(zip(student.layers(), teacher.layers().values(), strict=True)):
        x = functional.relu(convolution(prepare(x) if index == 0 else x))
        if index % 2:
            x = functional.max_pool2d(x, 2, ceil_mode=True)
        cells = x[..., 4:-4, 4:-4].transpose(0, 1).flatten(1)
        keep, matrix, offset = select_channels(cells, layer.out_channels)
        assert convolution.bias is not None and layer.bias is not None
        weight, bias = convolution.weight[keep], convolution.bias[keep]
        layer.weight.data = torch.einsum("ocij,cs->osij", weight, predict[0]).contiguous()
        layer.bias.data = bias + torch.einsum("ocij,c->o", weight, predict[1])
        predict = (matrix, offset)
        if index % 2 == 0:
            tap, head = student.taps[index // 2], student.tops()[index // 2]
            target = targets[tap]
            assert head.bias is not None
            head.weight.data = (target.basis @ matrix)[:, :, None, None].contiguous()
            head.bias.data = target.basis @ (offset - target.mean)


def select_channels(cells: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Which ``count`` of the C channels of ``cells`` (C, n) best predict all of them linearly, found greedily.

    Returns (indices (count,), matrix (C, count), offset (C,)): cells are about matrix @ cells[indices] + offset.
    """
    cells = cells.double()
    mean = cells.mean(1)
    centred = cells - mean[:, None]
    covariance = centred @ centred.T / cells.shape[1]
    covariance += 1e-9 * covariance.diagonal().mean() * torch.eye(len(mean), dtype=torch.float64)
    left = covariance.clone()
    keep: list[int] = []
    for _ in range(count):
        explained = left.square().sum(0) / left.diagonal().clamp_min(1e-12)
        explained[keep] = -1
        best = int(explained.argmax())
        keep.append(best)
        left = left - left[:, best, None] * left[best] / left[best, best]
    matrix = torch.linalg.solve(covariance[keep][:, keep], covariance[keep]).T
    return torch.tensor(keep), matrix.float(), (mean - matrix @ mean[keep]).float()


def interior(features: Mapping[str, Tensor], network: TextureNetwork) -> dict[str, Tensor]:
    """The cells that the crop's border does not touch."""
    inside = {}
    for tap, feature in features.items():
        margin = MARGIN // network.stride(tap)
        inside[tap] = feature[..., margin:-margin, margin:-margin]
    return inside


def neighbour(x: Tensor, generator: torch.Generator) -> Tensor:
    """For each picture of ``x`` (N, 3, H, W) one near it: noise, blur, a ghost of itself or of another picture."""
    changed = []
    for index, picture in enumerate(x):
        kind, amount = torch.rand(2, generator=generator).tolist()
        if kind < 0.3:
            changed.append(picture + (0.01 + 0.07 * amount) * torch.randn(picture.shape, generator=generator))
        elif kind < 0.55:
            changed.append(_blurred(picture, 1.3 + 1.7 * amount))
        elif kind < 0.8:
            shift = torch.randint(-4, 5, (2,), generator=generator).tolist()
            changed.append(picture.lerp(picture.roll(shift, (1, 2)), 0.2 + 0.8 * amount))
        else:
            changed.append(picture.lerp(x[index - 1], 0.05 + 0.4 * amount))
    return torch.stack(changed)


def _blurred(picture: Tensor, factor: float) -> Tensor:
    """``picture`` (3, H, W) without the detail finer than ``factor`` pixels."""
    size = picture.shape[1:]
    small = [max(1, round(side / factor)) for side in size]
    shrunk = functional.interpolate(picture[None], small, mode="bilinear", antialias=True)
    return functional.interpolate(shrunk, size, mode="bilinear")[0]


@dataclass(frozen=True)
class Lesson:
    """Pictures, those near them, and what the student is to give inside: tap -> (2n, k, h, w), half precision."""

    pictures: Tensor  # (2n, 3, H, W): n pictures, then one near each
    truth: dict[str, Tensor]


def teach(teacher: TextureNetwork, targets: Mapping[str, Projection], pictures: Tensor) -> Lesson:
    """The lesson for ``pictures`` (2n, 3, H, W), computed in the teacher's own precision."""
    with torch.no_grad():
        precision = next(teacher.parameters()).dtype
        features = interior(teacher(pictures.to(precision), targets), teacher)
        return Lesson(pictures, {tap: project(features[tap]).half() for tap, project in targets.items()})


def distillation_losses(student: Compact, lesson: Lesson) -> dict[str, Tensor]:
    """Relative squared errors of values and changes, per tap: ``value_relu1_1`` ... ``change_relu3_1``."""
    given = interior(student(lesson.pictures, student.taps), student)
    losses = {}
    for tap, truth in lesson.truth.items():
        t, s = truth.float(), given[tap]
        losses[f"value_{tap}"] = (s - t).square().mean() / t.var()
        step, learnt = (pair[0] - pair[1] for pair in (t.chunk(2), s.chunk(2)))
        energy = step.square().mean((1, 2, 3)) + 1e-3 * t.var()
        losses[f"change_{tap}"] = ((learnt - step).square().mean((1, 2, 3)) / energy).mean()
    return losses


@dataclass(frozen=True)
class Agreement:
    """How the student's nearest patches do in the teacher's eyes, over all queries."""

    same: float  # share with the teacher's own match
    near: float  # share with a match whose teacher distance is at most 2 % above the smallest
    excess: float  # teacher distance of the student's matches, over the smallest there are, less 1


@torch.no_grad()
def agreement(student: TextureNetwork, teacher: TextureNetwork, pictures: Tensor, tap: str) -> Agreement:
    """Nearest 3x3 patches at ``tap``: for the middle of each picture of ``pictures`` among the rest of it."""
    distances = []
    for network in (teacher, student):
        features = interior(network(pictures, [tap]), network)[tap]
        height, width = features.shape[2:]
        patches = functional.unfold(features, 3)  # (N, 9C, patches)
        middle = torch.zeros(height - 2, width - 2, dtype=torch.bool)
        middle[height // 4 : -(height // 4), width // 4 : -(width // 4)] = True
        hole = middle.flatten()
        # A patch that overlaps the middle is no candidate.
        reach = functional.max_pool2d(middle[None].float(), 3, 1, 1).flatten().bool()
        queries, candidates = (patches[:, :, cells].transpose(1, 2) for cells in (hole, ~reach))
        distances.append(torch.cdist(queries.float(), candidates.float()))
    true, given = distances
    best, match = true.min(2)
    chosen = true.gather(2, given.argmin(2, keepdim=True))[..., 0]
    return Agreement(
        same=float((given.argmin(2) == match).float().mean()),
        near=float((chosen <= 1.02 * best + 1e-3).float().mean()),  # flat patches: rounding around 0
        excess=float(chosen.sum() / best.sum() - 1),
    )
