"""Joins what the exemplar start copied: regions to their neighbours, and each of them to the light of the hole.

Copies from different places meet with a step, and a copy can be right in structure and wrong in brightness. The
join looks for the correction :math:`c` of the fill :math:`x`, zero at known pixels, that minimises

.. math::
    \\sum_{p, q} w_{pq} \\, |c_q - c_p - s_{pq}|^2 + r^{-2} \\sum_p |c_p - t_p (l_p - x_p)|^2

over neighbouring pixels :math:`p, q`. :math:`s` is what :math:`x` lacks of the differences that the field's
patches vote for: with it, steps between regions vanish (gradient-domain join, Perez et al. 2003; voted as in
Darabi et al., *Image Melding*, 2012). :math:`l` is the light wanted; the correction follows it over :math:`r` =
:data:`REACH` pixels. :math:`w` is small across edges (weighted least squares, Farbman et al. 2008): a region is
corrected as a whole, and no halo is drawn beside an outline.

What differs much is another thing, not a badly lit one. So :math:`w` is next to nothing across a great step, such
as the rim of a hole that is to be filled with something else, and so is :math:`t` where fill and light are far
apart (Welsch's function; Holland and Welsch 1977).
"""

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d, minimum_filter1d
from scipy.sparse.linalg import cg

Floats = NDArray[np.float32]

EDGE = 0.02  # root mean square colour difference at which two neighbours are held together half as strongly
REACH = 32.0  # pixels over which, where nothing is copied but flat colour, the correction follows the light
SPAN = 7  # pixels over which the votes of overlapping patches spread a step
STEP = 0.1  # root mean square height of a step that is more of an outline than of a seam
ANOTHER = 0.15  # root mean square colour difference of fill and light that is more than bad light
TOLERANCE = 1e-3  # of the residual, relative to where it began: well below a grey level


def correction(picture: Floats, hole: NDArray[np.bool_], differences: Floats, light: Floats) -> Floats:
    """(H, W, 3): what is to be added to ``picture`` (H, W, 3), complete, in ``hole`` (H, W); 0 elsewhere.

    ``differences`` (H, W, 2, 3) are the wanted ones to the pixel below and to the pixel on the right, of every
    pair that touches the hole; ``light`` (H, W, 3) is the picture whose colours are right at large.
    """
    unknowns = int(hole.sum())
    number = np.where(hole, np.cumsum(hole.reshape(-1)).reshape(hole.shape) - 1, -1)
    miss = (light - picture)[hole].astype(np.float64)
    matrix = sparse.identity(unknowns, format="csr") / REACH**2
    right = _same(miss, ANOTHER)[:, None] * miss / REACH**2
    height, width = hole.shape
    for axis, (here, there) in enumerate(
        (
            (np.s_[: height - 1, :], np.s_[1:, :]),
            (np.s_[:, : width - 1], np.s_[:, 1:]),
        )
    ):
        pairs = hole[here] | hole[there]
        wanted = differences[here][:, :, axis]
        lacking = (wanted - (picture[there] - picture[here])) * pairs[..., None]
        step = _range(lacking, axis)[pairs]
        weight = _same(step, STEP) / (1 + np.square(wanted[pairs]).mean(1, dtype=np.float64) / EDGE**2)
        # One row a pair: + where it ends, - where it begins; known ends have no column.
        rows = np.arange(len(weight))
        difference = sparse.csr_matrix((len(weight), unknowns))
        for sign, columns in ((1.0, number[there][pairs]), (-1.0, number[here][pairs])):
            ours = columns >= 0
            entries = (np.full(int(ours.sum()), sign), (rows[ours], columns[ours]))
            difference = difference + sparse.csr_matrix(entries, difference.shape)
        weighted = difference.T.multiply(weight).tocsr()
        matrix = matrix + weighted @ difference
        right += weighted @ lacking[pairs]
    scaling = sparse.diags(1 / matrix.diagonal())
    result = np.zeros_like(picture)
    result[hole] = np.stack([cg(matrix, channel, rtol=TOLERANCE, M=scaling)[0] for channel in right.T], axis=1)
    return result


def _range(steps: Floats, axis: int) -> Floats:
    """(H, W, 3): how far the sum of ``steps`` (H, W, 3) along ``axis`` rises and falls within ``SPAN`` of them."""
    before = [(1, 0) if axis == number else (0, 0) for number in range(steps.ndim)]
    sums = np.cumsum(np.pad(steps, before), axis)
    highest, lowest = (end(sums, SPAN + 1, axis, mode="nearest") for end in (maximum_filter1d, minimum_filter1d))
    return np.delete(highest - lowest, 0, axis)


def _same(difference: NDArray[np.floating], scale: float) -> NDArray[np.float64]:
    """(N,): how far colours that differ by ``difference`` (N, 3) are the same thing, 1 to 0."""
    weight: NDArray[np.float64] = np.exp(-np.square(difference, dtype=np.float64).mean(1) / (2 * scale**2))
    return weight
