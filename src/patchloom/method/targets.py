"""What the hole's features should become: each 3x3 neural patch like its nearest patch outside the hole.

Two ways to know the nearest patch, with one result, terms of the objective (``losses.py``):

* **searched** (the paper): every few iterations, among all patches of the level's features that touch no hole
  cell, by convolution and maximum (``tensors/matching.py``).
* **carried**: the exemplar start's field already says where every patch comes from, coherently; a cell of a map of
  stride t is matched by the field's offset at the cell's centre, divided by t. The pixels get a target likewise.

Differs from the paper because: from a blurred start a search in features finds another source for every cell, and
their average on brick and needles is a blurred weave; the carried field gives real texture.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from patchloom.arrays import Floats
from patchloom.method.losses import Features, Pixels, Target, Term, Texture
from patchloom.method.patchfill import THICK, wideness
from patchloom.method.pyramid import Level
from patchloom.networks.texture import TextureNetwork
from patchloom.tensors.border import as_flags, as_tensor, device_of
from patchloom.tensors.boxes import Box, covering
from patchloom.tensors.field import Field
from patchloom.tensors.matching import candidate_patches, nearest_patches
from patchloom.tensors.patches import SIZE, cells_of, patches_touching, vote
from patchloom.tensors.threads import mapped

# By eye, but where a source is named; a page is one of docs/experiments.
MOST, LEAST = 192 * 192, 48 * 48  # pixels of a tile in which known features are computed
MOST_CANDIDATES = 32768  # a level that offers more is thinned evenly
VOTE_WEIGHTS = ((0.7, 1.0, 0.7), (1.0, 4.0, 1.0), (0.7, 1.0, 0.7))  # of a patch's cells (page 11-24-02)


class Targets(Protocol):
    """What the neural stage asks of either way."""

    @property
    def thickness(self) -> float:
        """Of the hole, from 0.25 (scratches) to 1 (wide holes)."""

    @property
    def undivided(self) -> bool:
        """Whether the hole is optimised at once and held to its start pixel by pixel, as in the paper."""

    def terms(self, box: Box, hole: Tensor, texture: float, pixels: float) -> dict[str, Term]:
        """The terms that make the crop ``box``, with ``hole`` (1, 1, h, w), like its nearest patches, by name;
        ``texture`` and ``pixels`` are their weights."""


def margin(network: TextureNetwork, taps: Sequence[str]) -> int:
    """Pixels round the hole on which the features of all patches that touch it depend, in whole cells."""
    stride = max((network.stride(tap) for tap in taps), default=1)
    wide = max((network.reach(tap) + (SIZE - 1) * network.stride(tap) for tap in taps), default=0)
    return -(-wide // stride) * stride


class SearchedTargets:
    """Nearest patches by search. The bank of candidates is made once a level, from the start picture."""

    thickness = 1.0
    undivided = True

    def __init__(
        self,
        level: Level,
        start: Floats,
        network: TextureNetwork,
        taps: Sequence[str],
        metric: Literal["euclidean", "correlation"],
        most: int = MOST_CANDIDATES,
    ) -> None:
        self.metric, self.network = metric, network
        with torch.no_grad():
            features = network(as_tensor(level.composite(start)).to(device_of(network)), taps)
        self.bank: dict[str, Tensor] = {}
        for tap in taps:
            forbidden = cells_of(as_flags(~level.source), network.stride(tap), _size(features[tap]))
            allowed = ~patches_touching(forbidden.to(features[tap].device))
            if not allowed.any():
                continue  # a map too small to hold a patch outside the hole: this layer has nothing to say here
            chosen = torch.nonzero(allowed).flatten()
            chosen = chosen[:: 1 + len(chosen) // most]
            self.bank[tap] = candidate_patches(features[tap], chosen)

    def terms(self, box: Box, hole: Tensor, texture: float, pixels: float) -> dict[str, Term]:
        """The search is in features: pixels have no target of their own."""
        return {
            f"texture_{tap}": _Searched(texture, tap, self.network.stride(tap), bank, self.metric, hole)
            for tap, bank in self.bank.items()
            if texture > 0
        }


@dataclass(frozen=True)
class _Searched(Term):
    """The texture term of a layer whose nearest patches are looked up in ``bank`` (K, C * 9)."""

    weight: float
    tap: str
    stride: int
    bank: Tensor
    metric: Literal["euclidean", "correlation"]
    hole: Tensor

    @property
    def taps(self) -> tuple[str, ...]:  # type: ignore[override]
        return (self.tap,)

    @property
    def looks(self) -> str:  # type: ignore[override]
        return self.tap

    def matched(self, features: Features) -> Texture:
        now = features[self.tap]
        cells = cells_of(self.hole, self.stride, _size(now))
        queries = torch.nonzero(patches_touching(cells)).flatten()
        nearest = nearest_patches(now, self.bank, metric=self.metric)[queries]
        value, count = vote(self.bank[nearest], queries, _size(now))
        return Texture(self.weight, self.tap, self.stride, Target.of_crop(value, count * cells))


@dataclass(frozen=True)
class CarriedTargets:
    """Nearest patches by the exemplar start's field, at native size.

    ``level`` is complete: with the fill that the field made in its hole, and with donors to its right.
    ``correction`` (H, W, 3) is what blending added to the copies in the window; their pixels get it as well.
    """

    level: Level
    correction: Floats
    field: Field
    network: TextureNetwork
    taps: Sequence[str]
    thickness: float = 1.0
    undivided = False

    @cached_property
    def known(self) -> Tensor:
        return as_tensor(self.level.image).to(device_of(self.network))

    @cached_property
    def _field(self) -> tuple[Tensor, Tensor]:
        """The field's index and offsets as tensors."""
        device = self.known.device
        return torch.from_numpy(self.field.numbers).to(device), torch.from_numpy(self.field.offsets).to(device)

    @torch.no_grad()
    def terms(self, box: Box, hole: Tensor, texture: float, pixels: float) -> dict[str, Term]:
        """See :class:`Targets`. In a thin hole, the pixels' target has more of the start's.

        A layer whose cells are as wide as the hole is deep says little of it: the others count twice instead
        (measured on scratches: as sharp, nearer the truth, and less time, since they need fewer surroundings).
        """
        terms: dict[str, Term] = {}
        strides = {tap: self.network.stride(tap) for tap in self.taps if texture > 0}
        kept = {tap: stride for tap, stride in strides.items() if stride < self.thickness * THICK} or strides
        texture, strides = texture * (1 if len(kept) == len(strides) else 2), kept
        votes = {stride: self._votes(box, hole, stride) for stride in {1, *strides.values()}}
        known = KnownFeatures(self.network, self.known)({tap: votes[strides[tap]].used for tap in strides})
        for tap, table in known.items():
            stride = strides[tap]
            terms[f"texture_{tap}"] = Texture(texture, tap, stride, votes[stride].target(table))
        if pixels > 0:
            colours = self.known[0].flatten(1).T[votes[1].used]
            voted = votes[1].target(colours)
            copies = voted.value + box.of(as_tensor(self.correction)).to(voted.value)
            value = torch.lerp(box.of(self.known), copies, wideness(self.thickness))
            terms["pixels"] = Pixels(pixels, Target.of_crop(value, voted.weight))
        return terms

    def _votes(self, box: Box, hole: Tensor, stride: int) -> "_Votes":
        """The sources of the crop's hole cells, and the weight of each."""
        height, width = self.level.size
        size = -(-height // stride), -(-width // stride)
        forbidden = cells_of(as_flags(self.level.hole).to(hole.device), stride, size)
        area = box.cells(stride)
        inside = cells_of(hole, stride, area.size)
        cells = torch.nonzero(inside)
        cells += cells.new_tensor([area.top, area.left])  # (N, 2)
        index, offsets = self._field
        sources, weights = [], []
        for dy in (-1, 0, 1):
            for dx in (-1, 0, 1):
                centre = (cells + cells.new_tensor([dy, dx])) * stride + stride // 2
                row, column = centre[:, 0].clamp(0, height - 1), centre[:, 1].clamp(0, width - 1)
                number = index[row, column]
                offset = offsets[number.clamp_min(0)].to(torch.float32) / stride
                source = cells + torch.floor(offset + 0.5).long()
                fits = (source >= 0).all(1) & (source[:, 0] < size[0]) & (source[:, 1] < size[1])
                source = torch.where(fits[:, None], source, 0)
                fits &= (number >= 0) & ~forbidden[source[:, 0], source[:, 1]]
                sources.append(source[:, 0] * size[1] + source[:, 1])
                weights.append(fits * VOTE_WEIGHTS[dy + 1][dx + 1])
        used, places = torch.unique(torch.stack(sources, 1), return_inverse=True)
        return _Votes(inside, used, places, torch.stack(weights, 1))


@dataclass(frozen=True)
class _Votes:
    """Of the N cells of a crop that ``inside`` (h, w) marks, the nine sources each.

    ``places`` (N, 9) among the ``used`` cells (U,) of the level, given as flat indices, and ``weights`` (N, 9).
    """

    inside: Tensor
    used: Tensor
    places: Tensor
    weights: Tensor

    def target(self, table: Tensor) -> Target:
        """The overlap vote of what the used cells hold, ``table`` (U, C)."""
        norm = self.weights.sum(1)
        total = F.embedding_bag(self.places, table, per_sample_weights=self.weights.to(table), mode="sum")
        value = table.new_zeros(*self.inside.shape, table.shape[1])
        value[self.inside] = total / norm.clamp_min(1e-12)[:, None]
        weight = table.new_zeros(self.inside.shape)
        weight[self.inside] = (norm > 0).to(table.dtype)
        return Target.of_crop(value.permute(2, 0, 1)[None], weight[None, None])


class KnownFeatures:
    """Looks up cells of the known picture's features, computing only tiles that hold some of them."""

    def __init__(self, network: TextureNetwork, picture: Tensor) -> None:
        self.network, self.picture = network, picture

    @torch.no_grad()
    def __call__(self, cells: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """For every tap, the features (N, C) at its flat cell indices ``cells[tap]`` (N,)."""
        if not cells:
            return {}
        height, width = _size(self.picture)
        stride = max(self.network.stride(tap) for tap in cells)
        needed = torch.zeros(-(-height // stride), -(-width // stride), dtype=torch.bool)
        places = {}
        for tap, numbers in cells.items():
            across = -(-width // self.network.stride(tap))
            rows, columns = (numbers // across).cpu(), (numbers % across).cpu()
            places[tap] = rows, columns
            by = stride // self.network.stride(tap)
            needed[rows // by, columns // by] = True
        boxes = covering(needed.numpy(), MOST // stride**2, LEAST // stride**2)
        wide = -(-max(self.network.reach(tap) for tap in cells) // stride) * stride
        tables: dict[str, Tensor] = {}

        def compute(box: Box) -> dict[str, tuple[Tensor, Tensor]]:
            inner = Box(*(stride * side for side in (box.top, box.left, box.bottom, box.right)))
            outer = inner.widened(wide, (height, width))
            features = self.network(outer.of(self.picture), list(cells))
            found = {}
            for tap, values in features.items():
                own, crop = inner.cells(self.network.stride(tap)), outer.cells(self.network.stride(tap))
                rows, columns = places[tap]
                here = (rows >= own.top) & (rows < own.bottom) & (columns >= own.left) & (columns < own.right)
                numbers = torch.nonzero(here).flatten()
                top = (rows[numbers] - crop.top).clamp_max(values.shape[-2] - 1)
                left = (columns[numbers] - crop.left).clamp_max(values.shape[-1] - 1)
                found[tap] = numbers, values[0].permute(1, 2, 0)[top.to(values.device), left.to(values.device)]
            return found

        for found in mapped(compute, boxes):
            for tap, (numbers, values) in found.items():
                if tap not in tables:
                    tables[tap] = values.new_zeros(len(cells[tap]), values.shape[1])
                tables[tap][numbers.to(values.device)] = values
        return tables


def _size(values: Tensor) -> tuple[int, int]:
    """Height and width of (1, C, H, W)."""
    return values.shape[-2], values.shape[-1]
