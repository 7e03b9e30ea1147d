"""What the hole's features should become: each 3x3 neural patch like its nearest patch outside the hole.

Two ways to know the nearest patch, with one result, a :class:`~patchloom.method.losses.Target` a layer:

* **searched** (the paper): every few iterations, among all patches of the level's features that touch no hole
  cell, by convolution and maximum (``tensors/matching.py``).
* **carried**: the exemplar start's field already says where every patch comes from, coherently; a cell of a map of
  stride t is matched by the field's offset at the cell's centre, divided by t. The pixels get a target likewise.

Differs from the paper because: a search in features from a soft start weaves fog on brick and needles, where
the carried field gives real texture.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from patchloom.method.losses import Target
from patchloom.method.pyramid import Level
from patchloom.networks.texture import TextureNetwork
from patchloom.tensors.field import Field
from patchloom.tensors.matching import candidate_patches, nearest_patches
from patchloom.tensors.patches import cells_of, vote, windows_touching

TILE = 192  # pixels; known features are computed in tiles of this side, so that memory does not grow
MOST_CANDIDATES = 32768  # a level that offers more is thinned evenly
VOTE_WEIGHTS = ((0.7, 1.0, 0.7), (1.0, 4.0, 1.0), (0.7, 1.0, 0.7))  # of a patch's nine cells; a crisp centre


@dataclass(frozen=True)
class Box:
    """A crop of a level, in pixels: rows ``top`` to ``bottom``, columns ``left`` to ``right`` (half open)."""

    top: int
    left: int
    bottom: int
    right: int

    def of(self, values: Tensor) -> Tensor:
        return values[..., self.top : self.bottom, self.left : self.right]

    def cells(self, stride: int) -> tuple[int, int]:
        """The first row and column of a map of ``stride`` that the crop begins with."""
        return self.top // stride, self.left // stride


def margin(network: TextureNetwork, taps: Sequence[str]) -> int:
    """Pixels round the hole that its cells' features depend on, rounded up to whole cells."""
    return max((5 * network.stride(tap) for tap in taps), default=0)


def box_around(mask: Tensor, margin: int, stride: int) -> Box:
    """The crop round the True pixels of ``mask`` (1, 1, H, W), ``margin`` wider, begun on whole cells."""
    rows = torch.nonzero(mask[0, 0].any(1)).flatten()
    columns = torch.nonzero(mask[0, 0].any(0)).flatten()
    height, width = mask.shape[-2:]
    align = max(stride, 1)
    top = max(0, (int(rows[0]) - margin) // align * align)
    left = max(0, (int(columns[0]) - margin) // align * align)
    bottom = min(height, -(-(int(rows[-1]) + 1 + margin) // align) * align)
    right = min(width, -(-(int(columns[-1]) + 1 + margin) // align) * align)
    return Box(top, left, bottom, right)


class SearchedTargets:
    """Nearest patches by search. The bank of candidates is made once a level, from the start picture."""

    def __init__(
        self,
        level: Level,
        start: Tensor,
        network: TextureNetwork,
        taps: Sequence[str],
        metric: Literal["euclidean", "correlation"],
        occurrence: float,
    ) -> None:
        self.metric, self.occurrence = metric, occurrence
        self.network, self.hole = network, level.hole
        with torch.no_grad():
            features = network(level.composite(start), taps)
        self.bank: dict[str, Tensor] = {}
        for tap in taps:
            size = features[tap].shape[-2:]
            forbidden = cells_of(~level.source, network.stride(tap), (size[0], size[1]))
            allowed = ~windows_touching(forbidden)
            if not allowed.any():
                continue  # a map too small to hold a patch outside the hole: this layer has nothing to say here
            chosen = torch.nonzero(allowed).flatten()
            chosen = chosen[:: 1 + len(chosen) // MOST_CANDIDATES]
            self.bank[tap] = candidate_patches(features[tap], chosen)
        self.uses = {tap: bank.new_zeros(len(bank)) for tap, bank in self.bank.items()}

    def pixels(self, box: Box) -> None:
        """The search is in features: pixels have no target of their own."""

    def features(self, box: Box, now: Mapping[str, Tensor]) -> dict[str, Target]:
        """A target a layer for the crop ``box``, whose features at the moment are ``now``."""
        targets = {}
        for tap, bank in self.bank.items():
            features = now[tap].detach()
            hole = cells_of(box.of(self.hole), self.network.stride(tap), (features.shape[-2], features.shape[-1]))
            queries = torch.nonzero(windows_touching(hole)).flatten()
            penalty = self._penalty(tap, features)
            nearest = nearest_patches(features, bank, metric=self.metric, penalty=penalty)[queries]
            self.uses[tap] = torch.bincount(nearest, minlength=len(bank)).to(features)
            value, count = vote(bank[nearest], queries, (features.shape[-2], features.shape[-1]))
            targets[tap] = Target(value, count * hole)
        return targets

    def _penalty(self, tap: str, features: Tensor) -> Tensor | None:
        """Makes patches used above average in the last search dearer (Zhou et al. 2023, occurrence)."""
        if self.occurrence == 0 or not self.uses[tap].any():
            return None
        scale = self.occurrence * features.square().mean() * self.bank[tap].shape[1] * 0.1
        return scale * (self.uses[tap] - 1).clamp_min(0) / self.uses[tap].mean().clamp_min(1)


class CarriedTargets:
    """Nearest patches by the exemplar start's field, at native size.

    ``correction`` (1, 3, H, W) is what the join added to the copies, in ``start``; their pixels get it as well.
    """

    def __init__(
        self,
        field: Field,
        level: Level,
        start: Tensor,
        correction: Tensor,
        network: TextureNetwork,
        thickness: float = 1.0,
    ) -> None:
        self.level, self.network, self.thickness = level, network, thickness
        self.known = level.composite(start)
        self.correction = correction
        self.index = torch.from_numpy(field.index).to(start.device)
        self.offsets = torch.from_numpy(field.offsets).to(start.device)

    def pixels(self, box: Box) -> Target:
        """The pixels that the field's patches vote for, in the crop; in a thin hole, more of the start's."""
        hole = self.level.hole[0, 0]
        crisp = self._target(box, 1, hole, lambda cells: self.known[0].flatten(1)[:, cells])
        share = (self.thickness - 0.25) / 0.75
        copies = crisp.value + box.of(self.correction)
        return Target(torch.lerp(box.of(self.known), copies, share), crisp.weight)

    def features(self, box: Box, now: Mapping[str, Tensor]) -> dict[str, Target]:
        """A target a layer for the crop ``box``, whose maps have the sizes of ``now``."""
        targets = {}
        for tap, features in now.items():
            stride = self.network.stride(tap)
            size = (-(-self.level.size[0] // stride), -(-self.level.size[1] // stride))
            hole = cells_of(self.level.hole, stride, size)
            targets[tap] = self._target(box, stride, hole, _Gather(self.network, self.known, tap, size))
            if targets[tap].value.shape != features.shape:  # a network that drops an odd last row or column
                targets[tap] = targets[tap].cropped(features.shape[-2], features.shape[-1])
        return targets

    def _target(self, box: Box, stride: int, hole: Tensor, gather: Callable[[Tensor], Tensor]) -> Target:
        """The overlap vote of the known map's cells at the field's offsets, for the hole cells of the crop."""
        top, left = box.cells(stride)
        size = (-(-(box.bottom - box.top) // stride), -(-(box.right - box.left) // stride))
        inside = hole[top : top + size[0], left : left + size[1]]
        cells = torch.nonzero(inside)
        cells += cells.new_tensor([top, left])  # (N, 2)
        sources, weights = self._sources(cells, stride, hole)  # (9, N), (9, N)
        used, where = torch.unique(sources, return_inverse=True)
        values = gather(used)  # (C, U)
        total = values.new_zeros(values.shape[0], len(cells))
        for source, weight in zip(where, weights, strict=True):
            total += weight * values[:, source]
        norm = weights.sum(0)
        value = values.new_zeros(1, values.shape[0], *size)
        weight = values.new_zeros(1, 1, *size)
        value[0][:, inside] = total / norm.clamp_min(1e-12)
        weight[0, 0][inside] = (norm > 0).to(values.dtype)
        return Target(value, weight)

    def _sources(self, cells: Tensor, stride: int, hole: Tensor) -> tuple[Tensor, Tensor]:
        """For each of a cell's nine patches, the flat index of the source cell it names and its weight."""
        height, width = self.level.size
        sources, weights = [], []
        for dy in (-1, 0, 1):
            for dx in (-1, 0, 1):
                centre = (cells + cells.new_tensor([dy, dx])) * stride + stride // 2
                row, column = centre[:, 0].clamp(0, height - 1), centre[:, 1].clamp(0, width - 1)
                number = self.index[row, column]
                offset = self.offsets[number.clamp_min(0)].to(torch.float32) / stride
                source = cells + torch.floor(offset + 0.5).long()
                fits = (source >= 0).all(1) & (source[:, 0] < hole.shape[0]) & (source[:, 1] < hole.shape[1])
                source = torch.where(fits[:, None], source, 0)
                fits &= (number >= 0) & ~hole[source[:, 0], source[:, 1]]
                sources.append(source[:, 0] * hole.shape[1] + source[:, 1])
                weights.append(fits * VOTE_WEIGHTS[dy + 1][dx + 1])
        return torch.stack(sources), torch.stack(weights)


class _Gather:
    """Looks up cells of the known picture's features, computing only the tiles that are asked for."""

    def __init__(self, network: TextureNetwork, picture: Tensor, tap: str, size: tuple[int, int]) -> None:
        self.network, self.picture, self.tap, self.size = network, picture, tap, size

    @torch.no_grad()
    def __call__(self, cells: Tensor) -> Tensor:
        """Features (C, N) at flat cell indices ``cells`` (N,)."""
        stride = self.network.stride(self.tap)
        rows, columns = cells // self.size[1], cells % self.size[1]
        tile = TILE // stride
        tiles = (rows // tile) * 65536 + columns // tile
        result: Tensor | None = None
        for number in torch.unique(tiles).tolist():
            members = torch.nonzero(tiles == number).flatten()
            box = self._box(number // 65536 * TILE, number % 65536 * TILE)
            features = self.network(box.of(self.picture), [self.tap])[self.tap][0]
            top, left = box.cells(stride)
            found = features[:, rows[members] - top, columns[members] - left]
            if result is None:
                result = found.new_zeros(found.shape[0], len(cells))
            result[:, members] = found
        assert result is not None
        return result

    def _box(self, top: int, left: int) -> Box:
        stride = self.network.stride(self.tap)
        border = -(-margin(self.network, [self.tap]) // stride) * stride
        height, width = self.picture.shape[-2:]
        return Box(
            max(0, top - border),
            max(0, left - border),
            min(height, top + TILE + border),
            min(width, left + TILE + border),
        )
