"""The exemplar start: a guided patch fill at native size, blended; and where every patch of it came from.

What guides it is the coarse picture that somebody has for the hole, or else the mean of an ensemble of fills; what
the blending aims at is the same, or lies halfway between that mean and the membrane.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from patchloom.arrays import Floats
from patchloom.errors import MaskError
from patchloom.method.blending import correction
from patchloom.method.coarse import Coarse, given_fill, membrane_fill
from patchloom.method.lines import lines_through
from patchloom.method.patchfill import (
    ExemplarFill,
    Scales,
    Variant,
    ensemble,
    exemplar_fill,
    guide_scales,
    rounds_at,
    voted_differences,
)
from patchloom.method.progress import Progress
from patchloom.method.pyramid import Level, shrinking_pyramid
from patchloom.method.repeats import repeating_offsets
from patchloom.settings import FillSettings
from patchloom.tensors.border import between, mean_of, resized
from patchloom.tensors.field import Field, largest_patch

COARSE_WEIGHT = 0.5  # of the guide's; a coarse picture needs less insistence than the ensemble's mean (measured)
MEMBRANE_SHARE = 0.5  # of the blending's target colours, the rest being the ensemble's mean


@dataclass(frozen=True)
class Start:
    """A blended exemplar fill (H, W, 3), and how it came about.

    ``field``: where it was copied from, in ``shown``, the level complete and with other pictures beside it;
    ``correction``: what blending added to the copies; ``thickness``: the hole's (``patchfill.py``).
    """

    picture: Floats
    field: Field
    shown: Level
    correction: Floats
    thickness: float


def exemplar_start(
    level: Level,
    coarse: Coarse | None,
    settings: FillSettings,
    optimised: list[Level],
    progress: Progress,
    others: Sequence[Level] = (),
) -> Start:
    """The exemplar fill, guided by the coarse picture or, without one, by the ensemble's mean; and blended.

    ``optimised`` are the levels that will be optimised then, for the progress; ``others``, pictures of at most the
    level's height, may be copied from as well. Raises MaskError where no patch outside the hole is whole.
    """
    scales = _scales(level, settings, others)
    variant = Variant(
        patch=_patch_that_fits(scales, settings.patch | 1),
        locality=settings.locality,
        native_coherence=settings.coherence,
        seed=settings.seed % 2**20,
    )
    count = settings.members if coarse is None else 0
    variants = [replace(one, patch=_patch_that_fits(scales, one.patch)) for one in ensemble(count, variant)]
    rounds = [rounds_at(n, scales.thickness)[0] * scales.work(len(scales) - 1 - n) for n in range(len(scales))]
    progress.plan_fill(rounds, len(variants), optimised, settings.iterations)
    guide: Floats | None
    if coarse is not None:
        guide = target = given_fill(level, coarse.picture)
        weight = settings.guide_weight * COARSE_WEIGHT
    else:  # the membrane knows the hole's colours at large, but no structure: it guides nothing
        guide = _mean_fill(level.image, scales, variants, progress) if variants else None
        target = membrane_fill(level)
        target = target if guide is None else between(guide, target, MEMBRANE_SHARE)
        weight = settings.guide_weight
    if guide is not None:
        variant = replace(variant, guide_weight=weight, seed=variant.seed + len(variants))
    guides = None if guide is None else guide_scales(guide, len(scales))
    fill = exemplar_fill(scales, variant, guides, _watch(scales, progress, announce=True))
    added = correction(fill.picture, level.hole, voted_differences(fill, scales), target)
    if others:
        columns = fill.field.centres[:, 1] + fill.field.offsets[:, 1]
        progress.note(others=scales.atlas.shares(columns))
    picture = (fill.picture + added).clip(0, 1)
    shown = scales.atlas.native(level.composite(picture))
    return Start(picture, fill.field, shown, added, scales.thickness)


def _mean_fill(shown: Floats, scales: Scales, variants: list[Variant], progress: Progress) -> Floats:
    """What is right on average, (H, W, 3): the mean of an ensemble. ``shown`` is the picture until then.

    They stop a level above native size: their mean is blurred anyway (measured: no loss, a third of the time).
    """
    height, width = shown.shape[:2]
    progress.begin(width, height, "guide", lambda: shown)
    fills = []
    for one in variants:
        fill = exemplar_fill(scales, one, None, _watch(scales, progress, announce=False), finest=1)
        fills.append(fill.picture)
    return resized(mean_of(fills), (height, width), antialias=False)


def _watch(scales: Scales, progress: Progress, announce: bool) -> Callable[[ExemplarFill], None]:
    """Passes an exemplar fill's rounds on to the observer; ``announce``: its levels as well."""

    def watch(state: ExemplarFill) -> None:
        if state.done == 0:
            if announce:
                height, width = state.picture.shape[:2]
                progress.begin(width, height, "patches", partial(np.clip, state.picture, 0, 1))
            return
        progress.step(state.done, state.rounds, scales.work(state.number))
        progress.note(rounds=state.rounds, distance=round(float(state.field.distance.mean()), 6))

    return watch


def _patch_that_fits(scales: Scales, patch: int) -> int:
    """``patch``, or the largest smaller odd side for which every level has a whole patch outside the hole."""
    side = largest_patch(scales.sources, patch)
    if not side:
        raise MaskError(
            "Too little of the photograph is known around the hole to copy from.",
            "Use a smaller mask, or allow more of the photograph as source.",
        )
    return side


def _scales(level: Level, settings: FillSettings, others: Sequence[Level]) -> Scales:
    """What the exemplar fill sees, level by level; with lines and offsets if the settings ask for it."""
    levels = shrinking_pyramid(level, settings.patch, settings.levels)
    if settings.structure == "off":
        return Scales(levels, others=others)
    every = settings.structure == "on"
    lines = lines_through(level.image, level.hole, every)
    return Scales(levels, lines, repeating_offsets(level.image, level.hole) if every else None, others)
