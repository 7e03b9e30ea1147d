"""Colour correction of an object: the change of exposure and colours that is most probable, given its outline.

An outline is where two things meet, and also where a lens has mixed them: over a pixel or two every edge is a
ramp. The ramp goes on across the outline of an object that was there when the picture was taken. If somebody
changed the object's colours, the inner half of the ramp was changed with them. So the adjustment
:math:`\\theta` looked for is the one after which colours that are extrapolated to the outline from inside and
from outside agree:

.. math::
    r_p = f_\\theta(a_1) + \\tfrac12 (f_\\theta(a_1) - f_\\theta(a_2)) - b_1 - \\tfrac12 (b_1 - b_2)

with :math:`a_1, a_2` the first two pixels inside and :math:`b_1, b_2` outside, across each piece :math:`p` of the
outline. Where a hard edge or an occlusion runs along it they disagree for a good reason: residuals have a
Student-t distribution, whose scale grows with the gradients beside the outline, and what people do to photographs
has a Gaussian one. The most probable adjustment is found by iteratively reweighted least squares (Holland and
Welsch 1977). Where the outline says little, the surroundings' highlights and cast are weak evidence of their own.
"""

from dataclasses import astuple, dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from patchloom.arrays import Bools, Doubles, Floats

# By eye, but where a source is named.
POWER = 2.2  # of the screen: a stop of light multiplies coded values by 2 ** (1 / POWER)
LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
TO_YIQ = np.stack([LUMA, [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])  # NTSC (FCC 1953)
FROM_YIQ = np.linalg.inv(TO_YIQ)

FLOOR, SLOPE = 0.01, 0.35  # scale of a residual: a fixed part, and of the gradients beside it
TAIL = 0.5  # degrees of freedom of its distribution: very many outliers
INDEPENDENT = 50.0  # neighbouring pieces of an outline tell the same: one in so many is a new witness
MOST_PIECES = 6000  # of an outline that are looked at, thinned evenly
NATURAL = np.array([0.32, 0.17, 0.06])  # octaves by which highlights, warmth and tint of two regions differ
ROUNDS = 20  # of Gauss and Newton, at most
STEP = 1e-3  # for derivatives, and the change that is none


@dataclass(frozen=True)
class Adjustment:
    """What is done to colours, in this order; zeros do nothing.

    ``exposure``, ``warmth`` (red over blue) and ``tint`` (green over both) in stops of light; ``saturation`` in
    octaves; ``hue`` in radians; ``contrast`` (about mid-grey) in octaves; ``gamma`` in octaves, above 0 darker.
    """

    exposure: float = 0.0
    warmth: float = 0.0
    tint: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0
    contrast: float = 0.0
    gamma: float = 0.0

    @classmethod
    def of(cls, values: Doubles) -> Self:
        return cls(*(float(value) for value in values))

    def scaled(self, by: float) -> "Adjustment":
        return Adjustment.of(np.array(astuple(self)) * by)

    def apply(self, colours: NDArray[np.floating]) -> Doubles:
        """(..., 3) in 0..1, as coded for the screen, with this done to them; may leave 0..1 at the top."""
        stops = self.exposure + np.array([self.warmth / 2, self.tint, -self.warmth / 2])
        length = 2.0**self.saturation
        cos, sin = length * np.cos(self.hue), length * np.sin(self.hue)
        turn = FROM_YIQ @ np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]]) @ TO_YIQ
        turned = (colours * 2.0 ** (stops / POWER)) @ turn.T
        spread = (turned - 0.5) * 2.0**self.contrast + 0.5
        powered: Doubles = np.maximum(spread, 1e-3) ** 2.0**self.gamma
        return powered


LIKELY = Adjustment(
    exposure=0.8, warmth=0.25, tint=0.12, saturation=0.15, hue=0.15, contrast=0.15, gamma=0.2
)  # standard deviations of what is done to photographs


def surroundings(mask: Bools) -> Bools:
    """What is outside of ``mask`` (H, W), no farther than the square root of its area."""
    away = ndimage.distance_transform_edt(~mask)
    return np.asarray((away > 0) & (away <= np.sqrt(mask.sum())))


def adjustment_of(
    picture: Floats, mask: Bools, known: Bools, *, foreign: bool = False
) -> tuple[Adjustment, float]:
    """The most probable adjustment of the object ``mask`` (H, W) in ``picture`` (H, W, 3), and its evidence.

    ``known`` (H, W): what else may be looked at. ``foreign``: the object was not there when the picture was
    taken, so that its outline is no ramp and says nothing. The evidence is how much more probable, as a
    natural logarithm, this adjustment is than none: next to nothing for an object that fits.
    """
    misfit = _Misfit(picture, mask, known, outline=not foreign)
    prior = np.array(astuple(LIKELY))
    theta = np.zeros_like(prior)
    for _ in range(ROUNDS):
        residuals, weights = misfit.weighted(theta)
        slopes = np.stack([(misfit.residuals(theta + d) - residuals) / STEP for d in STEP * np.eye(len(prior))], 1)
        normal = slopes.T @ (weights[:, None] * slopes) + np.diag(prior**-2)
        change = np.linalg.solve(normal, slopes.T @ (weights * residuals) + theta / prior**2)
        theta = theta - np.clip(change, -prior, prior)
        if np.abs(change).max() < STEP:
            break
    nothing = np.zeros_like(theta)
    evidence = misfit.log_likelihood(theta) - misfit.log_likelihood(nothing)
    return Adjustment.of(theta), evidence - 0.5 * float(np.square(theta / prior).sum())


class _Misfit:
    """Residuals of an adjustment: three a piece of the outline, then three of the surroundings as a whole."""

    def __init__(self, picture: Floats, mask: Bools, known: Bools, *, outline: bool) -> None:
        pieces = _outline(mask, known) if outline else np.zeros((0, 4, 2), np.intp)
        pieces = pieces[:: 1 + len(pieces) // MOST_PIECES]
        colours = picture[pieces[..., 0], pieces[..., 1]].astype(np.float64)
        self.inner, self.second, first, beyond = colours.transpose(1, 0, 2)
        self.outer = first + 0.5 * (first - beyond)
        self.slope = np.square(first - beyond).mean(1)
        around = surroundings(mask) & known
        self.inside = picture[mask][:: 1 + int(mask.sum()) // MOST_PIECES].astype(np.float64)
        self.wanted = _appearance(picture[around].astype(np.float64)) if around.any() else None

    def residuals(self, theta: Doubles) -> Doubles:
        """(3 N + 3,): what is left of each difference."""
        adjust = Adjustment.of(theta)
        inner, second = adjust.apply(self.inner), adjust.apply(self.second)
        # Dividing by the root of the gain makes it no gain in itself to flatten the object.
        gain = 2.0 ** -(0.5 * (adjust.exposure / POWER + adjust.contrast))
        across = (inner + 0.5 * (inner - second) - self.outer) * gain
        if self.wanted is None:
            return np.asarray(across.ravel())
        return np.concatenate([across.ravel(), _appearance(adjust.apply(self.inside)) - self.wanted])

    def _squares(self, theta: Doubles, residuals: Doubles) -> tuple[Doubles, Doubles]:
        """Of the pieces: squared residuals in units of their scale, and that scale squared."""
        adjust = Adjustment.of(theta)
        across = residuals[: 3 * len(self.inner)].reshape(-1, 3)
        inner_slope = np.square(adjust.apply(self.inner) - adjust.apply(self.second)).mean(1)
        scale = FLOOR**2 + SLOPE**2 * (inner_slope + self.slope)
        return np.square(across).mean(1) / scale, scale

    def weighted(self, theta: Doubles) -> tuple[Doubles, Doubles]:
        """Residuals, and what their squares count at this point."""
        residuals = self.residuals(theta)
        squares, scale = self._squares(theta, residuals)
        weights = np.repeat((TAIL + 3) / (TAIL + 3 * squares) / scale / INDEPENDENT, 3)
        if self.wanted is None:
            return residuals, weights
        deviations = np.square(residuals[-3:] / NATURAL)
        return residuals, np.concatenate([weights, 2 / (1 + deviations) / NATURAL**2])

    def log_likelihood(self, theta: Doubles) -> float:
        """Up to a constant."""
        residuals = self.residuals(theta)
        squares, scale = self._squares(theta, residuals)
        each = (TAIL + 3) / 2 * np.log1p(3 * squares / TAIL) + 1.5 * np.log(scale)
        outline = -float(each.sum()) / INDEPENDENT
        if self.wanted is None:
            return outline
        return outline - float(np.log1p(np.square(residuals[-3:] / NATURAL)).sum())


def _appearance(colours: Doubles) -> Doubles:
    """(3,) in octaves: highlights, warmth and tint of ``colours`` (N, 3).

    The cast by Minkowski means (shades of grey; Finlayson and Trezzi 2004).
    """
    positive = np.maximum(colours, 1 / 255)
    red, green, blue = np.log2((positive**6).mean(0) ** (1 / 6))
    bright = np.log2(np.quantile(positive @ LUMA, 0.98))
    return np.array([bright, red - blue, green - (red + blue) / 2])


def _outline(mask: Bools, known: Bools) -> NDArray[np.intp]:
    """(N, 4, 2): across each piece of the outline, two pixels inside (the outer one first) and two outside."""
    found = []
    height, width = mask.shape
    for down, right in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        rows, columns = np.nonzero(mask)
        places = np.stack(
            [np.stack([rows + k * down, columns + k * right], 1) for k in (0, -1, 1, 2)], 1
        )  # (N, 4, 2)
        fits = ((places >= 0) & (places < (height, width))).all((1, 2))
        places = places[fits]
        inside, outside = (which[places[..., 0], places[..., 1]] for which in (mask, known & ~mask))
        found.append(places[inside[:, :2].all(1) & outside[:, 2:].all(1)])
    return np.concatenate(found)
