"""Gradient-domain blending of what the exemplar start copied.

Copies from different places meet with a step, and a copy can be right in structure and wrong in brightness. So the
correction :math:`c` of the fill :math:`x`, zero at known pixels, is sought that minimises

.. math::
    \\sum_{p, q} w_{pq} \\, |c_q - c_p - s_{pq}|^2 + r^{-2} \\sum_p |c_p - t_p (y_p - x_p)|^2

over neighbouring pixels :math:`p, q`. :math:`s` is what :math:`x` lacks of the differences that the field's
patches vote for: with it, steps between copied regions vanish (Poisson blending, Perez et al. 2003; voted as in
Darabi et al., *Image Melding*, 2012). Over :math:`r` = :data:`REACH` pixels the correction goes over to what the
target colours :math:`y` ask for, as far as they are trusted (:math:`t`), else to nothing: the copies' own colours.
In a large hole a guess at better ones draws colours that the photograph lacks (measured). :math:`w` is small
across edges (weighted least squares, Farbman et al. 2008): a region is corrected as a whole, and no halo is drawn
beside an outline.

What differs much is another thing, not a badly lit one. So :math:`w` is next to nothing across a great step, such
as the rim of a hole that is filled with something else, and so is :math:`t` where fill and target are far apart
(Welsch's function; Holland and Welsch 1977).
"""

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d, minimum_filter1d

from patchloom.arrays import Floats
from patchloom.tensors.boxes import bounds

# By eye, but where a source is named; a page is one of docs/experiments.
EDGE = 0.02  # root mean square colour difference at which two neighbours are held together half as strongly
REACH = 32.0  # pixels over which, where nothing is copied but flat colour, the correction fades
SPAN = 7  # pixels over which the votes of overlapping patches spread a step
STEP = 0.1  # root mean square height of a step that is more of an outline than of a seam (page 11-25-01)
ANOTHER = 0.15  # root mean square colour difference of fill and target that is more than bad light
TOLERANCE = 1e-3  # of the residual, relative to where it began: well below a grey level
MOST = 2000  # iterations; about four times REACH are needed


def correction(
    picture: Floats, hole: NDArray[np.bool_], differences: Floats, target: Floats | None = None, trust: float = 0.0
) -> Floats:
    """(H, W, 3): what is to be added to ``picture`` (H, W, 3), complete, in ``hole`` (H, W); 0 elsewhere.

    ``differences`` (H, W, 2, 3): the wanted ones to the pixel below and to the pixel on the right, of every
    pair that touches the hole. ``target`` (H, W, 3): a picture whose colours are right at large, as
    far as ``trust`` (0..1) says.
    """
    box = bounds(hole).widened(SPAN, hole.shape).slices  # the rest of the picture has no say
    result = np.zeros_like(picture)
    wanted = np.zeros((int(hole.sum()), 3), np.float32)
    if target is not None and trust > 0:
        miss = (target - picture)[hole]
        wanted += trust * _same(miss, ANOTHER)[:, None] * miss
    result[box] = _within(picture[box], hole[box], differences[box], wanted)
    return result


def _within(picture: Floats, hole: NDArray[np.bool_], differences: Floats, colours: Floats) -> Floats:
    """See :func:`correction`; ``colours`` (N, 3): what the hole's pixels lack of the target's."""
    count = len(colours)
    pull = np.full(count, REACH**-2, np.float32)  # of each unknown towards them
    right = colours * np.float32(REACH**-2)
    number = np.where(hole, np.cumsum(hole.reshape(-1)).reshape(hole.shape) - 1, -1)
    diagonal, rows, columns, entries = pull, [], [], []
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
        weight = _same(step, STEP) / (1 + np.square(wanted[pairs]).mean(1) / EDGE**2)
        begin, end = number[here][pairs], number[there][pairs]  # -1 where that end is known
        for ours, sign in ((begin, np.float32(-1)), (end, np.float32(1))):
            # Every unknown is at most once the begin, and once the end, of a pair along an axis.
            inside = ours >= 0
            diagonal[ours[inside]] += weight[inside]
            right[ours[inside]] += (sign * weight * lacking[pairs].T).T[inside]
        both = (begin >= 0) & (end >= 0)
        rows += [begin[both], end[both]]
        columns += [end[both], begin[both]]
        entries += [-weight[both], -weight[both]]
    places = np.concatenate(rows), np.concatenate(columns)
    neighbours = sparse.csr_matrix((np.concatenate(entries), places), (count, count))
    result = np.zeros_like(picture)
    result[hole] = _solved(diagonal, neighbours, right)
    return result


def _solved(diagonal: Floats, neighbours: sparse.csr_matrix, right: Floats) -> Floats:
    """The x (N, 3) for which (diag + neighbours) x = ``right``, by conjugate gradients, all channels side by side.

    Hestenes and Stiefel 1952, of the system scaled so that its diagonal is 1. Sums are NumPy's own: those of BLAS
    bring a pool of threads that spin.
    """
    scale = 1 / np.sqrt(diagonal)
    neighbours = sparse.csr_matrix(neighbours.multiply(scale[:, None]).multiply(scale), dtype=np.float32)
    residual: Floats = np.ascontiguousarray((right * scale[:, None]).T, np.float32)  # (3, N)
    x, direction = np.zeros_like(residual), residual.copy()
    size = _squares(residual)
    goal = TOLERANCE**2 * size
    for _ in range(MOST):
        if (size <= goal).all():
            break
        image = direction + np.stack([neighbours @ channel for channel in direction])
        step = size / np.maximum(np.einsum("cn,cn->c", direction, image), 1e-30)
        x += step[:, None] * direction
        residual -= step[:, None] * image
        before, size = size, _squares(residual)
        direction *= (size / np.maximum(before, 1e-30))[:, None]
        direction += residual
    result: Floats = (x.T * scale[:, None]).astype(np.float32)
    return result


def _squares(values: Floats) -> Floats:
    """(3,): the squared norm of each row of ``values`` (3, N)."""
    squares: Floats = np.einsum("cn,cn->c", values, values)
    return squares


def _range(steps: Floats, axis: int) -> Floats:
    """(H, W, 3): how far the sum of ``steps`` (H, W, 3) along ``axis`` rises and falls within ``SPAN`` of them."""
    before = [(1, 0) if axis == number else (0, 0) for number in range(steps.ndim)]
    sums = np.cumsum(np.pad(steps, before), axis)
    highest, lowest = (end(sums, SPAN + 1, axis, mode="nearest") for end in (maximum_filter1d, minimum_filter1d))
    return np.delete(highest - lowest, 0, axis)


def _same(difference: Floats, scale: float) -> Floats:
    """(N,): how far colours that differ by ``difference`` (N, 3) are the same thing, 1 to 0."""
    weight: Floats = np.exp(-np.square(difference).mean(1) / (2 * scale**2))
    return weight
