"""Multi-scale patch-based inpainting: a nearest-neighbour field is found at the coarsest level, where the hole is
small, and scaled up to start the search at the next, up to native size.

At the top of the shrinking pyramid (``pyramid.py``) the hole is a few pixels wide and its patches are matched
well; every finer level starts from the *vote of the carried field in the finer picture*, and refines the field
by a few rounds of search (``tensors/search.py``) and vote (``tensors/votes.py``). Above native size patches are
matched in colour and in how rough the photograph is there.

What the hole shows is *decided* where it is small (:func:`exemplar_fill`, which searches the whole picture);
from there to native size the field is *carried* (:func:`carried`): it may only slide by a few pixels and spread,
so that pieces stay whole and the picture is the same at every size.

A **guide** is a term in the patch cost that asks a patch's source to have the mean colour which the guide shows
there: the paper's content term in the language of patches.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patchloom.arrays import Bools, Floats
from patchloom.method.atlas import Atlas
from patchloom.method.lines import channels_of
from patchloom.method.pyramid import Level, halve, seen_shares, texture_features
from patchloom.tensors import field as fields, votes
from patchloom.tensors.boxes import depths
from patchloom.tensors.field import Canvas, Field
from patchloom.tensors.search import Costs, mean_distance, search

# By eye, but where a source is named; a page is one of docs/experiments.
BELL_SIGMA = 1.0  # pixels; at native size votes listen to patch centres: crisp wide fills (page 11-23-04)
FEATURE_SCALE = 2.0  # texture features, mean differences of neighbours, in units of colour (page 11-24-05)
LEAST_SEEN = 0.05  # the least weight of a pixel of which next to nothing was seen (page 11-24-04)
THICK = 16.0  # pixels; mean depth from which on a hole counts as wide (page 11-23-04)
THINNEST = 0.25  # of it; below that a hole counts as a scratch (page 11-23-04)


SLIDE = 4  # pixels by which a carried field may slide at a level (page 12-01-01)
CARRIED_ROUNDS = 2  # of search and vote at a level that is carried (page 12-01-01)
REUSE = 1.0  # times the mean distance, of a hole that is decided small (page 12-01-06)
CARRIED_COHERENCE = 4.0  # while a field is carried, times the thickness


@dataclass(frozen=True)
class Variant:
    """What makes one exemplar fill differ from another."""

    patch: int = 7
    locality: float = 0.3
    coherence: float = 0.3  # above native size
    native_coherence: float = 1.0
    depth_base: float = 1.5  # a pixel's weight falls by this factor per pixel from the rim
    guide_weight: float = 0.0
    lines: bool = False  # patches are matched in the lines through the hole as well
    seed: int = 0


GUIDED_DEPTH, DEEP = 32, 128  # pixels: where a deep hole is deeper than the one, no guide (page 11-27-05)


def thickness(hole: NDArray[np.bool_]) -> float:
    """From ``THINNEST`` (scratches) to 1 (wide holes): the mean depth of the hole's pixels in units of ``THICK``.

    A wide hole is a question of structure: coherent, crisply voted copies. A thin one is determined by its two
    sides: many exact matches, softly voted, are nearer the truth (measured: 1.7 dB on scratches).
    """
    return float(np.clip(depths(hole)[hole].mean() / THICK, THINNEST, 1.0))


def wideness(thickness: float) -> float:
    """From 0 (scratches) to 1 (wide holes)."""
    return (thickness - THINNEST) / (1 - THINNEST)


class Scales:
    """The arrays every exemplar fill of one window shares, level by level, coarsest first.

    ``donors``: other pictures that may be copied from as well (``atlas.py``). ``own``: the window's
    levels alone.
    """

    def __init__(
        self,
        levels: list[Level],
        curves: Sequence[NDArray[np.float64]] = (),
        donors: Sequence[Level] = (),
    ) -> None:
        self.own, self.atlas = levels, Atlas(levels, donors)

        def joined(pages: Sequence[Sequence[NDArray[Any]]]) -> list[NDArray[Any]]:
            count = len(levels)
            return [self.atlas.joined([page[n] for page in pages], count - 1 - n) for n in range(count)]

        pages = self.atlas.pages
        self.pictures: list[Floats] = joined([_pictures(page) for page in pages])
        self.curves = curves
        self.holes: list[Bools] = joined([[level.hole & (page is levels) for level in page] for page in pages])
        self.sources: list[Bools] = joined([[level.source for level in page] for page in pages])
        # Weighs pixels in a patch's cost (measured: 1.3 % of perceptual distance; bars are no longer cut).
        self.seen = [np.maximum(share, LEAST_SEEN) for share in seen_shares(levels)]
        self.thickness = thickness(levels[-1].hole)
        self.deepest = levels[-1].deepest

    def __len__(self) -> int:
        return len(self.holes)

    def picture(self, number: int, lines: bool) -> tuple[Floats, int]:
        """What patches of level ``number`` are compared in, (H, W, C), a copy; and how many of the last channels,
        those of ``lines``, are known in the hole too."""
        picture = self.pictures[number]
        if not (lines and self.curves):
            return picture.copy(), 0
        channels = channels_of(self.curves, picture.shape[:2], len(self) - 1 - number)
        return np.concatenate([picture, channels], axis=2), channels.shape[2]

    def offered(self, number: int) -> NDArray[np.int32]:
        """(K, 2): offsets that every patch of level ``number`` tries: to its place in each donor."""
        return np.ascontiguousarray(self.atlas.offsets >> (len(self) - 1 - number))

    def depth(self, number: int) -> float:
        """The greatest distance in the hole to a known pixel, in pixels of level ``number``."""
        return self.deepest * 0.5 ** (len(self) - 1 - number)

    def work(self, number: int) -> float:
        """The cost of one round at level ``number``, in units of one at native size."""
        return float(max(1, self.holes[number].sum()) / max(1, self.holes[-1].sum()))


def _pictures(levels: list[Level]) -> list[Floats]:
    """What patches are compared in, (H, W, C) for every level, coarsest first.

    Above native size texture features stand beside the colours (measured: a fifth of the sharpness error and a
    twelfth of the texture distance, for .08 dB). At native size colours show the texture themselves.
    """
    features = texture_features(levels)
    pictures = [
        np.concatenate([level.image, FEATURE_SCALE * feature], axis=2)
        for level, feature in zip(levels[:-1], features[:-1], strict=True)
    ]
    return [*pictures, levels[-1].image]


def guide_scales(guide: Floats, count: int) -> list[Floats]:
    """A complete picture (H, W, 3), halved ``count - 1`` times; coarsest first."""
    scales = [guide]
    for _ in range(count - 1):
        scales.append(halve(scales[-1], np.ones(scales[-1].shape[:2], bool))[0])
    return scales[::-1]


def rounds_at(above: int, thickness: float) -> tuple[int, int]:
    """Rounds of (search, vote), and passes a search, at ``above`` halvings above native size.

    What fills a thin hole is decided at native size, by exact matches, and it is small: it gets up to four passes.
    """
    if above == 0:
        passes = round(1 / thickness)
        return 3 + passes // 2, passes
    return max(3, 1 + 2 * above), min(4, 1 + above)


@dataclass(frozen=True)
class ExemplarFill:
    """A fill under way, at level ``number``: ``field`` says where ``canvas``'s hole was copied from.

    ``done`` of ``rounds`` rounds at this level are over.
    """

    number: int
    canvas: Canvas
    field: Field
    done: int
    rounds: int

    @property
    def picture(self) -> Floats:
        """The window (H, W, 3), complete."""
        return self.canvas.picture[:, : self.canvas.own, :3]


Watch = Callable[[ExemplarFill], None]
"""Is called when a level begins and after each of its rounds; raising there stops the work."""


def exemplar_fill(
    scales: Scales,
    variant: Variant,
    guides: Sequence[Floats] | None = None,
    watch: Watch = lambda state: None,
    last: int | None = None,
) -> ExemplarFill:
    """One fill, coarse to fine, up to level ``last`` (None: native). ``guides`` are the guide's scales.

    Where that is not the native one a pixel becomes a piece, and pieces that are used again and again a pattern
    that everybody sees: there a source costs more, the more patches use it.
    """
    state: ExemplarFill | None = None
    last = len(scales) - 1 if last is None else last
    reuse = REUSE if last < len(scales) - 1 else 0.0
    for number in range(last + 1):
        canvas = canvas_at(scales, number, variant, guides)
        if state is None:
            field = fields.random_field(canvas.hole, canvas.sources, variant.patch // 2, variant.seed)
        else:
            field = fields.carry(state.field, canvas.hole, canvas.sources)
        native = number == len(scales) - 1
        coherence = variant.native_coherence * scales.thickness if native else variant.coherence
        rounds, passes = rounds_at(len(scales) - 1 - number, scales.thickness)
        state = _refined(scales, variant, number, canvas, field, watch, coherence, rounds, passes, reuse=reuse)
    assert state is not None
    return state


def carried(
    scales: Scales, variant: Variant, fill: ExemplarFill, watch: Watch = lambda state: None
) -> ExemplarFill:
    """``fill``, made under ``variant``, at native size: its field enlarged, what it decided kept."""
    for number in range(fill.number + 1, len(scales)):
        canvas = canvas_at(scales, number, variant, None)
        field = fields.carry(fill.field, canvas.hole, canvas.sources)
        coherence = CARRIED_COHERENCE * scales.thickness
        fill = _refined(scales, variant, number, canvas, field, watch, coherence, CARRIED_ROUNDS, 1, SLIDE)
    return fill


def _refined(
    scales: Scales,
    variant: Variant,
    number: int,
    canvas: Canvas,
    field: Field,
    watch: Watch,
    coherence: float,
    rounds: int,
    passes: int,
    reach: int | None = None,
    reuse: float = 0.0,
) -> ExemplarFill:
    """Level ``number`` after so many ``rounds`` of search and vote, ``passes`` a search, from ``field``."""
    sigma = native_sigma(scales) if number == len(scales) - 1 else 0.0
    canvas = votes.vote(field, canvas, sigma)
    base = mean_distance(field, canvas)
    state = ExemplarFill(number, canvas, field, 0, rounds)
    watch(state)
    for turn in range(rounds):
        locality = variant.locality / float(np.sqrt(canvas.hole.sum()))
        costs = Costs(locality * base, coherence * base, reuse * base)
        seed = (variant.seed * 32 + number) * 64 + turn
        field = search(field, canvas, costs, seed=seed, passes=passes, reach=reach)
        base = float(field.distance.mean())
        canvas = votes.vote(field, canvas, sigma)
        state = ExemplarFill(number, canvas, field, turn + 1, rounds)
        watch(state)
    return state


def voted_differences(fill: ExemplarFill, scales: Scales) -> Floats:
    """(H, W, 2, 3): the votes of the patches of ``fill``, native, for neighbours' differences in colour."""
    return votes.voted_differences(fill.field, fill.canvas, native_sigma(scales))[:, : fill.canvas.own]


def native_sigma(scales: Scales) -> float:
    return BELL_SIGMA / float(np.sqrt(scales.thickness))


def canvas_at(scales: Scales, number: int, variant: Variant, guides: Sequence[Floats] | None) -> Canvas:
    """Level ``number`` as the search sees it under ``variant``."""
    picture, given = scales.picture(number, variant.lines)
    hole, own = scales.holes[number], scales.own[number].hole
    weight = np.zeros(hole.shape, np.float32)  # nothing beyond the window is part of a patch that is looked for
    weight[:, : own.shape[1]] = fields.depth_weights(own, variant.depth_base) * scales.seen[number]
    radius = variant.patch // 2
    nothing = np.zeros((1, 1, 3), np.float32)
    strength = variant.guide_weight if guides is not None else 0.0
    native = number == len(scales) - 1
    fine = scales.deepest > DEEP and scales.depth(number) > GUIDED_DEPTH
    if number > 0 and (native or fine):
        # A guide is right at large, which is settled by now in a wide hole. What it shows of single pixels, and in
        # a deep hole of the levels above as well (a network's guess has 128 pixels for all of it), is a mean like
        # nothing in the photograph, and would choose the dullest of all sources.
        strength *= 1 - wideness(scales.thickness)
    return Canvas(
        picture=picture,
        hole=hole,
        sources=fields.source_centres(scales.sources[number], radius),
        weight=weight,
        guide=fields.patch_means(guides[number], radius) if guides is not None else nothing,
        means=fields.patch_means(picture[..., :3], radius) if guides is not None else nothing,
        guided=hole.astype(np.float32) * np.float32(strength),
        own=own.shape[1],
        away=float(np.sqrt(own.sum())),
        given=given,
        candidates=scales.offered(number),
    )
