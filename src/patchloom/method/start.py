"""The exemplar start: what the hole shows is decided where it is small, carried to native size, and blended."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from patchloom.arrays import Bools, Floats
from patchloom.events import Warned
from patchloom.method.blending import correction
from patchloom.method.coarse import Coarse
from patchloom.method.decision import deciding_level, seeing_level, way_to_fill
from patchloom.method.ends import Points
from patchloom.method.follow import (
    FOLLOWED_ROUNDS,
    back_projected,
    follow,
    halvings_of,
    misses_at_rim,
)
from patchloom.method.lines import lines_through
from patchloom.method.patchfill import (
    ExemplarFill,
    Scales,
    carried,
    exemplar_fill,
    guide_scales,
    rounds_at,
    voted_differences,
)
from patchloom.method.progress import Progress
from patchloom.method.pyramid import Level, shrinking_pyramid
from patchloom.settings import FillSettings
from patchloom.tensors.field import Field, seams, source_centres

# By eye, but where a source is named; a page is one of docs/experiments.
PATCH = 7  # pixels a side, of most ways to fill
ENOUGH = 64  # patches that the coarsest level has to offer
MISFIT = 0.08  # of a given picture at the rim, in units of colour, beyond which it is warned of
COARSEST, FINE = 0.15, 0.3  # resolutions of a guess: its colours are of no use; right at large (page 12-01-04)
SEAM = 3  # pixels from where copies meet, within which votes mix them (page 12-01-04)


@dataclass(frozen=True)
class Start:
    """A blended exemplar fill (H, W, 3), and how it came about.

    ``field``: where it was copied from, in ``complete``, the level complete and with donors beside it;
    ``followed``: the picture that is followed, at the level at which it is sharp, else None;
    ``correction``: what blending added to the copies; ``seams`` (H, W): where copies meet each other or the rim;
    ``thickness``: the hole's (``patchfill.py``); ``shares``: how large a part of it was copied from each donor.
    """

    picture: Floats
    field: Field
    complete: Level
    correction: Floats
    seams: Bools
    thickness: float
    followed: Floats | None
    shares: tuple[float, ...]


def exemplar_start(
    level: Level,
    coarse: Coarse | None,
    settings: FillSettings,
    progress: Progress,
    donors: Sequence[Level] = (),
    later: Sequence[float] = (),
) -> Start:
    """The exemplar fill, guided by the ``coarse`` picture if there is one, and blended.

    ``later``: the work of the levels that will be optimised then, for the progress; ``donors``, pictures of at
    most the level's height, may be copied from as well. Raises MaskError where no patch outside the hole is whole.
    """
    scales = _scales(level, settings, donors)
    if coarse is not None and coarse.followed:
        fill, followed = _followed(scales, coarse, settings, progress, later)
        added = correction(fill.picture, level.hole, voted_differences(fill, scales))
        added += back_projected(fill.picture + added, level.hole, followed) - (fill.picture + added)
    else:
        followed = None
        fill = _decided(scales, coarse, settings, progress, later)
        target = (coarse.picture, _trust(coarse)) if coarse is not None else (None, 0.0)
        added = correction(fill.picture, level.hole, voted_differences(fill, scales), *target)
    shares = scales.atlas.shares(fill.field.centres[:, 1] + fill.field.offsets[:, 1])
    if donors:
        progress.note(donors=list(shares))
    picture = (fill.picture + added).clip(0, 1)
    complete = scales.atlas.native(level.composite(picture))
    met = seams(fill.field, fill.canvas.hole, SEAM)[:, : level.size[1]]
    return Start(picture, fill.field, complete, added, met, scales.thickness, followed, shares)


def _decided(
    scales: Scales,
    coarse: Coarse | None,
    settings: FillSettings,
    progress: Progress,
    later: Sequence[float],
) -> ExemplarFill:
    """The fill that is guided by the ``coarse`` picture, decided where the hole is small, and carried."""
    guide_weight = settings.guide_weight if coarse is not None else 0.0
    variant = way_to_fill(scales, guide_weight, settings.seed)
    last, native = deciding_level(scales.deepest, len(scales)), len(scales) - 1
    rounds = [rounds_at(native - number, scales.thickness)[0] for number in range(last + 1)]
    watch = progress.of_exemplar(scales, rounds, later)
    guides = None if coarse is None else guide_scales(coarse.picture, len(scales))
    fill = exemplar_fill(scales, variant, guides, watch, last)
    return carried(scales, variant, fill, watch)


def _followed(
    scales: Scales, coarse: Coarse, settings: FillSettings, progress: Progress, later: Sequence[float]
) -> tuple[ExemplarFill, Floats]:
    """The fill that follows the ``coarse`` picture, and that picture at the level at which it is sharp."""
    hole = scales.own[-1].hole
    halvings = min(halvings_of(coarse.picture, hole, coarse.resolution), len(scales) - 1)
    pictures = guide_scales(coarse.picture, len(scales))
    last = len(scales) - 1 - halvings
    watch = progress.of_exemplar(scales, [FOLLOWED_ROUNDS] * (last + 1), later)
    fill = follow(scales, pictures, last, settings.seed, watch)
    if misses_at_rim(coarse.picture, hole) > MISFIT:
        progress.observe(Warned(message="The coarse picture does not fit the photograph at the rim of the hole."))
    return fill, pictures[last]


def _trust(coarse: Coarse) -> float:
    """How far the colours of a guess are blended to: 0 where its pixels are large, to 1."""
    if coarse.resolution is None:
        return 0.0
    return float(np.clip((coarse.resolution - COARSEST) / (FINE - COARSEST), 0, 1))


def _scales(level: Level, settings: FillSettings, donors: Sequence[Level]) -> Scales:
    """What the exemplar fill sees, level by level; with lines if the settings ask for them."""
    levels = shrinking_pyramid(level, PATCH)
    while len(levels) > 1 and source_centres(levels[0].source, PATCH // 2).sum() < ENOUGH:
        levels = levels[1:]
    if settings.structure == "off":
        return Scales(levels, donors=donors)
    return Scales(levels, _lines(levels, settings.structure == "on"), donors)


def _lines(levels: list[Level], every: bool) -> list[Points]:
    """The lines through the hole, at native size, found where the hole is seen whole: what is a line to one who
    sees all of it. At finer levels every ripple of a wave is, and would be drawn through it."""
    number = seeing_level(levels[-1].deepest, len(levels))
    scale = 2.0 ** (len(levels) - 1 - number)
    curves = lines_through(levels[number].image, levels[number].hole, every)
    return [scale * (curve + 0.5) - 0.5 for curve in curves]
