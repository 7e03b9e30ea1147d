"""The neural stage on one level: the hole, or parts of it, optimised one after another.

With carried targets a wide hole is worked on in parts, so that memory does not grow with it: the field is one and
the same for all, so the parts fit together.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from patchloom.arrays import Bools, Floats
from patchloom.method.losses import Content, LowPassContent, Term, TotalVariation
from patchloom.method.optimise import Crop, Schedule, minimise
from patchloom.method.progress import Progress
from patchloom.method.pyramid import Level
from patchloom.method.targets import Targets, margin
from patchloom.networks.texture import TextureNetwork
from patchloom.settings import FillSettings
from patchloom.tensors.border import as_array, as_flags, as_tensor, device_of
from patchloom.tensors.boxes import Box, bounds

# By eye, but where a source is named; a page is one of docs/experiments.
ITERATION_WORK = 0.5  # in exemplar rounds at native size
PART = 512  # pixels; the widest part of a hole optimised at once with carried targets


class NeuralStage:
    """How levels are optimised: the texture network, its layers, the weights and the schedule."""

    def __init__(self, network: TextureNetwork, settings: FillSettings) -> None:
        self.network, self.settings = network, settings
        self.taps = tuple(name.strip() for name in settings.layers.split(",") if name.strip())
        self.stride = max((network.stride(tap) for tap in self.taps), default=1)
        rematch = 0 if settings.matching == "carried" else settings.rematch_every
        self.schedule = Schedule(settings.iterations, settings.optimiser, rematch)

    @property
    def work(self) -> float:
        """Of optimising the native level, in exemplar rounds there."""
        return ITERATION_WORK * self.schedule.iterations

    def run(
        self, level: Level, start: Floats, targets: Targets, progress: Progress, where: Bools, work: float
    ) -> Floats:
        """``start`` (H, W, 3), the level complete, with the pixels ``where`` (H, W) of its hole optimised.

        ``work`` is what this was planned to be."""
        device = device_of(self.network)
        prior, hole = as_tensor(start).to(device), as_flags(where).to(device)
        x = prior.clone()
        height, width = level.size
        progress.begin(width, height, "neural", lambda: as_array(x.clamp(0, 1)))
        found = [bounds(where)] if targets.undivided else parts(where)
        iterations = self.schedule.iterations
        before: dict[str, float] = {}
        after: dict[str, float] = {}
        for number, part in enumerate(found):
            box = self._crop(part, level.size)
            inside = torch.zeros_like(hole)
            part.of(inside).copy_(part.of(hole))

            def watch(
                step: int, losses: dict[str, float], picture: Tensor, number: int = number, box: Box = box
            ) -> None:
                box.of(x).copy_(picture)
                for name, value in losses.items():
                    before.setdefault(name, value)
                    after[name] = value
                done, of = number * iterations + step, len(found) * iterations
                progress.step(done, of, work / of, losses)

            terms = self.terms(targets, box, box.of(prior), box.of(inside))
            crop = Crop(box.of(x).clone(), box.of(inside))
            box.of(x).copy_(minimise(crop, self.network, terms, self.schedule, watch))
        progress.note(iterations=iterations, parts=len(found), loss_before=before, loss_after=after)
        return as_array(x)

    def terms(self, targets: Targets, box: Box, prior: Tensor, hole: Tensor) -> dict[str, Term]:
        """The objective for the crop ``box``, begun from ``prior`` (1, 3, h, w); terms of weight 0 are left out.

        In a thin hole the voted pixels are nearly the truth, and texture must not pull them away (measured on
        scratches: 1.2 dB).
        """
        given, thickness = self.settings, targets.thickness
        terms = targets.terms(box, hole, given.texture_weight * thickness, given.pixel_weight * thickness**-1.5)
        if given.content_weight > 0:
            content: Callable[[float, Tensor, Tensor], Term] = (
                Content if targets.undivided else LowPassContent
            ).of_crop
            terms["content"] = content(given.content_weight, prior, hole)
        if given.tv_weight > 0:
            terms["tv"] = TotalVariation.of_crop(given.tv_weight, hole)
        return terms

    def _crop(self, part: Box, size: tuple[int, int]) -> Box:
        """``part`` with its surroundings, begun and ended on whole cells."""
        return part.widened(margin(self.network, self.taps), size).aligned(self.stride, size)


def parts(hole: Bools) -> list[Box]:
    """Disjoint boxes of at most ``PART`` x ``PART`` pixels, which together hold ``hole`` (H, W)."""
    box = bounds(hole)
    (height, width) = box.size
    rows, columns = -(-height // PART), -(-width // PART)
    found = []
    for row in range(rows):
        for column in range(columns):
            piece = Box(
                box.top + height * row // rows,
                box.left + width * column // columns,
                box.top + height * (row + 1) // rows,
                box.left + width * (column + 1) // columns,
            )
            if hole[piece.slices].any():
                found.append(bounds(hole[piece.slices]).moved(piece.top, piece.left))
    return found
