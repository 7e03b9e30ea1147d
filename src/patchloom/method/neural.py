"""The neural stage on one level: the hole's box, or parts of it, optimised one after another.

With carried targets a wide hole is worked on in parts, so that neither memory nor the waste round scattered
scratches grows with the hole: the field is one and the same for all, so the parts fit together.
"""

from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor

from patchloom.method.losses import Weights
from patchloom.method.optimise import Crop, Schedule, minimise
from patchloom.method.patchfill import as_array
from patchloom.method.progress import Progress
from patchloom.method.pyramid import Level
from patchloom.method.targets import Box, CarriedTargets, SearchedTargets, box_around, margin
from patchloom.networks.texture import TextureNetwork
from patchloom.settings import FillSettings

PART = 256  # pixels; the widest part of a hole optimised at once with carried targets


class NeuralStage:
    """How levels are optimised: the texture network, its layers, the weights and the schedule."""

    def __init__(self, network: TextureNetwork, settings: FillSettings) -> None:
        self.network, self.settings = network, settings
        self.taps = tuple(name.strip() for name in settings.layers.split(",") if name.strip())
        self.stride = max((network.stride(tap) for tap in self.taps), default=1)
        carried = settings.matching == "carried"
        rematch = 0 if carried else settings.rematch_every
        self.schedule = Schedule(settings.iterations, settings.optimiser, rematch)

    def weights(self, targets: CarriedTargets | SearchedTargets) -> Weights:
        """Of the terms. In a thin hole the voted pixels are nearly the truth, and texture must not pull them away
        (measured on scratches: 1.2 dB)."""
        thickness = targets.thickness if isinstance(targets, CarriedTargets) else 1.0
        return Weights(
            texture=self.settings.texture_weight * thickness,
            content=self.settings.content_weight,
            pixel=self.settings.pixel_weight * thickness**-1.5,
            tv=self.settings.tv_weight,
            low_pass=isinstance(targets, CarriedTargets),
        )

    def run(
        self,
        level: Level,
        start: Tensor,
        targets: CarriedTargets | SearchedTargets,
        progress: Progress,
        work: float,
    ) -> Tensor:
        """``start`` (1, 3, H, W) with the level's hole optimised; ``work`` is the stage's, for the progress."""
        x = start.clone()
        height, width = level.size
        progress.begin(width, height, "neural", lambda: as_array(x.clamp(0, 1)))
        holes = list(parts(level.hole)) if isinstance(targets, CarriedTargets) else [level.hole]
        iterations = self.schedule.iterations
        before: dict[str, float] = {}
        after: dict[str, float] = {}
        for part, hole in enumerate(holes):
            box = box_around(hole, margin(self.network, self.taps), self.stride)

            def watch(
                step: int, losses: dict[str, float], picture: Tensor, part: int = part, box: Box = box
            ) -> None:
                box.of(x).copy_(picture)
                for name, value in losses.items():
                    before.setdefault(name, value)
                    after[name] = value
                progress.step(
                    part * iterations + step, len(holes) * iterations, work / len(holes) / iterations, losses
                )

            result = minimise(
                Crop(box.of(x).clone(), box.of(start), box.of(hole)),
                self.network,
                self.taps,
                partial(targets.features, box),
                targets.pixels(box),
                self.weights(targets),
                self.schedule,
                watch,
            )
            box.of(x).copy_(result)
        progress.note(iterations=iterations, parts=len(holes), loss_before=before, loss_after=after)
        return x


def parts(hole: Tensor) -> Iterator[Tensor]:
    """Splits ``hole`` (1, 1, H, W) into disjoint masks of at most ``PART`` x ``PART`` pixels, none empty."""
    box = box_around(hole, 0, 1)
    height, width = box.bottom - box.top, box.right - box.left
    rows, columns = -(-height // PART), -(-width // PART)
    for row in range(rows):
        for column in range(columns):
            piece = torch.zeros_like(hole)
            top, bottom = (box.top + height * (row + k) // rows for k in (0, 1))
            left, right = (box.left + width * (column + k) // columns for k in (0, 1))
            piece[..., top:bottom, left:right] = hole[..., top:bottom, left:right]
            if piece.any():
                yield piece
