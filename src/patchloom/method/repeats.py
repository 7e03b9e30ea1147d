"""Dominant offsets: those under which the surroundings of the hole repeat, as tiles, fins and bricks do.

He and Sun (2012) take the dominant offsets from a histogram of nearest neighbours. Here the question is asked
directly, of the pixels that surround the hole: by how many squared differences does a copy at offset :math:`o`
miss them,

.. math::
    q(o) = \\sum_{x \\in B} k(x + o) \\, |I(x + o) - I(x)|^2 \\Big/ \\; 2 \\sigma^2 \\sum_{x \\in B} k(x + o)

with :math:`B` the band of known pixels round the hole, :math:`\\sigma^2` its variance and :math:`k` what is known:
about 1 for an offset that explains nothing, 0 for one that explains everything. All offsets at once by the fast
Fourier transform. The best local minima that lead most of the hole to known pixels are offered to every search.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from patchloom.arrays import Bools, Floats, Ints
from patchloom.tensors.correlation import Correlation

BAND = 24  # pixels of the known round the hole that an offset has to explain
SIDE = 256  # pixels; the size in which all offsets are looked at
SAMPLES = 1500  # pixels of the band by which they are refined
LEAST = 6  # pixels; shorter offsets are a matter of smoothness
MOST = 12  # offsets
EXPLAINS = 0.5  # the largest q of an offset that is offered
LANDS = 0.5  # the least share of the hole that it has to lead to known pixels


def repeating_offsets(picture: Floats, hole: Bools) -> Ints:
    """(K, 2): rows and columns of the offsets, best first; at most :data:`MOST`, none where nothing repeats.

    ``picture`` (H, W, 3), ``hole`` (H, W). Large pictures are looked at in a smaller size first.
    """
    step = 1
    while max(hole.shape) / step > SIDE:
        step *= 2
    band = ~hole & (ndimage.distance_transform_edt(~hole) <= BAND * step**0.5)
    height, width = (side // step * step for side in hole.shape)

    def small(values: NDArray[Any]) -> NDArray[np.float32]:
        blocks = values[:height, :width].reshape(height // step, step, width // step, step, -1)
        return np.asarray(blocks.mean((1, 3)), np.float32)

    hidden = small(hole)[..., 0] > 0
    if hidden.all() or not (small(band)[..., 0] == 1).any():
        return np.zeros((0, 2), np.int32)
    rough = _minima(small(picture), hidden, small(band)[..., 0] == 1)
    return rough if step == 1 else _refined(step * rough, step, picture, hole, band)


def _refined(rough: Ints, step: int, picture: Floats, hole: Bools, band: Bools) -> Ints:
    """Each offset moved by at most ``step`` to where it misses the band by least."""
    places = np.argwhere(band)
    places = places[:: max(1, len(places) // SAMPLES)]
    here = picture[places[:, 0], places[:, 1]]
    moves = np.stack(np.meshgrid(*2 * [np.arange(-step, step + 1)], indexing="ij"), -1).reshape(-1, 2)
    result = []
    for offset in rough:
        there = places[:, None] + offset + moves
        inside = ((there >= 0) & (there < hole.shape)).all(-1)
        y, x = np.moveaxis(np.where(inside[..., None], there, 0), -1, 0)
        known = inside & ~hole[y, x]
        miss = np.square(picture[y, x] - here[:, None]).sum(-1) * known
        result.append(offset + moves[(miss.sum(0) / np.maximum(known.sum(0), 1)).argmin()])
    return np.array(result, np.int32).reshape(-1, 2)


def _minima(picture: Floats, hole: Bools, band: Bools) -> Ints:
    """(K, 2): the best local minima of q."""
    known = ~hole
    correlation = Correlation(2 * hole.shape[0], 2 * hole.shape[1])
    spectrum, correlate = correlation.spectrum, correlation.of

    centred = (picture - picture[band].mean(0)) * known[..., None]
    b, k = spectrum(band), spectrum(known)
    squares = np.square(centred).sum(2)
    miss = correlate(spectrum(squares * band), k) + correlate(b, spectrum(squares))
    for channel in range(3):
        miss -= 2 * correlate(spectrum(centred[..., channel] * band), spectrum(centred[..., channel]))
    count = correlate(b, k)
    lands = correlate(spectrum(hole), k) / hole.sum()
    variance = squares[band].mean()
    q = np.where(
        (count > 0.5 * band.sum()) & (lands > LANDS), miss / np.maximum(2 * variance * count, 1e-6), np.inf
    )
    q = np.fft.fftshift(q)
    middle = np.array(q.shape) // 2
    rows, columns = np.ogrid[: q.shape[0], : q.shape[1]]
    q[np.hypot(rows - middle[0], columns - middle[1]) < LEAST] = np.inf
    best = np.argwhere((q == ndimage.minimum_filter(q, size=5)) & (q < EXPLAINS))
    order = np.argsort(q[best[:, 0], best[:, 1]], kind="stable")[:MOST]
    return np.asarray(best[order] - middle, np.int32)
