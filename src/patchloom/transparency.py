"""What of a picture holds nothing: transparency, and places without data.

Windows with transparency are filled as opaque pictures and taken apart again.

What cannot be seen is no texture: under clear pixels lie colours that nobody meant. And where a hole reaches over
an edge, opacity belongs to the texture it came with. So such a window is filled as it looks on a ground of another
colour than its own; then every pixel's nearest patch outside the hole says how opaque it is, and, unless all of
that patch is opaque, its colour.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from patchloom.arrays import Bools, Floats
from patchloom.events import Observer, Warned
from patchloom.formats.picture import full_scale
from patchloom.method.pyramid import Level, shrinking_pyramid
from patchloom.photo import Photo
from patchloom.tensors.compose import composite, spread
from patchloom.tensors.field import Canvas, Field, largest_patch, random_field, source_centres
from patchloom.tensors.membrane import membrane
from patchloom.tensors.search import Costs, search

SAME = 0.02  # opacities that differ less are one: lossy coding leaves so much
_PATCH = 7  # of a fill, that says how many levels it has
_RADIUS = 2  # of the patches that are looked for
_RIM = 2  # pixels around a hole that say how opaque it is
_PASSES = 12
_COHERENCE = 1e-3  # what a patch may be worse, mean squared, if it goes on with its neighbours'
_GROUNDS = np.array(np.meshgrid(*[[0.0, 1.0]] * 3)).reshape(3, 8).T.astype(np.float32)  # corners of the colours
_GREYS = np.array([[0, 0, 0], [1, 1, 1], [0.5, 0.5, 0.5]], np.float32)
_APART = 0.3  # root mean square colour difference that sets a ground off from all but few of the colours


def missing_of(photo: Photo, hole: Bools, observe: Observer) -> Bools:
    """Where outside of ``hole`` the photograph holds no data: it stays, and is no source."""
    missing = photo.missing & ~hole
    if missing.any():
        observe(
            Warned(message=f"{int(missing.sum())} pixels hold no data; they stay, and nothing is copied there.")
        )
    return missing


def finite(photo: Photo) -> Photo:
    """``photo`` with zeros for what is no number."""
    if photo.pixels.dtype.kind != "f":
        return photo
    return photo.with_pixels(np.nan_to_num(photo.pixels, nan=0, posinf=0, neginf=0))


def of_visible(colours: Floats, visible: Bools, unknown: Bools, source: Bools) -> tuple[Floats, Bools]:
    """The visible ``colours`` (H, W, 3) of a window with a hole ``unknown`` (H, W), spread over the rest; and
    where in ``source`` (H, W) they may be copied.

    They may be copied where they are ``visible`` (H, W). If no whole patch of these is left at some level of a
    fill, they may be copied from where they were spread as well."""
    look, seen = spread(colours, visible & ~unknown), source & visible
    levels = shrinking_pyramid(Level(np.where(unknown[..., None], np.float32(0), look), unknown, seen), _PATCH)
    return look, seen if largest_patch([level.source for level in levels], 3) else source


@dataclass(frozen=True)
class Layer:
    """A window with transparency: ``colours`` (H, W, 3) and ``alpha`` (H, W) in 0..1, and how it is filled.

    ``look`` (H, W, 3) is opaque; ``source`` (H, W): where it may be copied from. ``opacity`` (H, W): that of the
    result, None where it has to be found.
    """

    colours: Floats
    alpha: Floats
    look: Floats
    source: Bools
    opacity: Floats | None

    @classmethod
    def of(cls, colours: Floats, alpha: Floats, unknown: Bools, part: Bools, source: Bools) -> "Layer":
        """Of a window of which ``unknown`` (H, W) is to be filled, now ``part`` of it. ``source`` (H, W): where
        texture may come from. What is as opaque all around is filled with what is so, too, and where opacity
        nowhere has an edge it goes on smoothly."""
        rim = alpha[ndimage.binary_dilation(part, iterations=_RIM) & ~unknown]
        if rim.size and np.ptp(rim) <= SAME:
            level = np.median(rim)
            look = of_visible(colours, alpha >= level - SAME, unknown, source)
            return cls(colours, alpha, *look, np.where(part, level, alpha))
        if _is_smooth(alpha, ~unknown):
            smooth = membrane(alpha[..., None], unknown)[..., 0]
            look = of_visible(colours, alpha > SAME, unknown, source)
            return cls(colours, alpha, *look, np.where(part, smooth, alpha))
        known = ~unknown & (alpha > 0)
        ground = _ground(colours[known]) if known.any() else _GREYS[0]
        weight = alpha[..., None]
        return cls(colours, alpha, weight * colours + (1 - weight) * ground, source, None)

    @classmethod
    def kept(cls, colours: Floats, alpha: Floats, unknown: Bools, source: Bools) -> "Layer":
        """Of a window whose ``alpha`` is to stay: only colours are filled, with those that can be seen."""
        return cls(colours, alpha, *of_visible(colours, alpha > 0, unknown, source), alpha)

    def parted(self, filled: Floats, unknown: Bools, part: Bools) -> tuple[Floats, Floats]:
        """Colours (H, W, 3) and opacity (H, W) of ``part`` in ``filled`` (H, W, 3), which continues the look."""
        if self.opacity is not None and self.opacity[part].max() <= SAME < self.alpha.max():
            return spread(self.colours, ~unknown & (self.alpha <= SAME)), self.opacity  # nothing can be seen
        if self.opacity is not None:
            return filled, self.opacity
        sources = source_centres(self.source & ~unknown, _RADIUS)
        if not sources.any():  # known pixels are too scattered to hold a patch
            return spread(self.colours, ~unknown), membrane(self.alpha[..., None], unknown)[..., 0]
        field = _nearest(np.where(part[..., None], filled, self.look), part, sources)
        rows, columns = np.nonzero(part)
        offsets = field.offsets[field.numbers[rows, columns]]
        place = rows + offsets[:, 0], columns + offsets[:, 1]
        opaque = ndimage.minimum_filter(self.alpha, size=2 * _RADIUS + 1)[place] >= 1 - SAME
        colours, alpha = filled.copy(), self.alpha.copy()
        colours[part] = np.where(opaque[:, None], filled[part], self.colours[place])
        alpha[part] = self.alpha[place]
        return colours, alpha


def over(alpha: NDArray[Any], opacity: Floats, weights: Floats, top: float) -> tuple[NDArray[Any], Floats]:
    """``alpha`` (H, W) of any depth with ``opacity`` (H, W) in 0..1 laid over it by ``weights`` (H, W), and the
    weights by which colours are: of what cannot be seen no colour shows."""
    mixed = composite(alpha[..., None], opacity[..., None], weights, top)[..., 0]
    rest = (1 - weights) * (alpha / np.float32(top))
    share = weights * opacity
    both = share + rest
    return mixed, np.divide(share, both, out=weights.copy(), where=(both > 0) & (weights > 0))


def continued(channel: NDArray[Any] | None, hole: Bools) -> NDArray[Any] | None:
    """A further ``channel`` (H, W) of any depth, if there is one, continued smoothly into ``hole`` (H, W)."""
    if channel is None:
        return None
    top = full_scale(channel)
    smooth = membrane(channel[..., None].astype(np.float32) / np.float32(top), hole)
    return composite(channel[..., None], smooth, hole.astype(np.float32), top)[..., 0]


def _is_smooth(alpha: Floats, known: Bools) -> bool:
    """Whether no two ``known`` (H, W) neighbours differ much in ``alpha`` (H, W)."""
    pairs = ((np.s_[1:], np.s_[:-1]), (np.s_[:, 1:], np.s_[:, :-1]))
    return all((np.abs(alpha[a] - alpha[b])[known[a] & known[b]] <= SAME).all() for a, b in pairs)


def _ground(colours: Floats) -> Floats:
    """(3,): a grey that few of ``colours`` (N, 3) are near, or else the corner that they are furthest from."""
    few = colours[:: max(1, len(colours) // 10_000)]

    def distance(grounds: Floats) -> Floats:
        apart = np.sqrt(np.square(few[:, None] - grounds).mean(2))
        near: Floats = np.percentile(apart, 2, axis=0).astype(np.float32)
        return near

    greys = distance(_GREYS)
    if greys.max() >= _APART:
        return np.asarray(_GREYS[greys.argmax()])
    return np.asarray(_GROUNDS[distance(_GROUNDS).argmax()])


def _nearest(picture: Floats, hole: Bools, sources: Bools) -> Field:
    """For each patch that touches ``hole`` the one centred on ``sources`` that looks most like it."""
    nothing = np.zeros((1, 1, 3), np.float32)
    canvas = Canvas(
        picture=np.ascontiguousarray(picture, np.float32),
        hole=hole,
        sources=sources,
        weight=np.ones(hole.shape, np.float32),
        guide=nothing,
        means=nothing,
        guided=np.zeros(hole.shape, np.float32),
    )
    field = random_field(hole, sources, _RADIUS, 0)
    return search(field, canvas, Costs(0.0, _COHERENCE), seed=0, passes=_PASSES)
