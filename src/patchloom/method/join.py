"""Joins what the exemplar start copied: regions to their neighbours, and each of them to the light of the hole.

Copies from different places meet with a step, and a copy can be right in structure and wrong in brightness. The
join looks for the correction :math:`c` of the fill :math:`x`, zero at known pixels, that minimises

.. math::
    \\sum_{p, q} w_{pq} \\, |(x + c)_q - (x + c)_p - g_{pq}|^2 + \\sum_p t_p \\, |(x + c)_p - l_p|^2

over neighbouring pixels :math:`p, q`. :math:`g` are the differences that the field's patches vote for, so that
steps between regions vanish (gradient-domain join, Perez et al. 2003; voted as in Darabi et al., *Image Melding*,
2012). :math:`l` is the light wanted; the correction follows it over :data:`REACH` pixels. But :math:`w` is small
across edges (weighted least squares, Farbman et al. 2008): a region is corrected as a whole, and no halo is drawn
beside an outline. And :math:`t` is small where :math:`x` and :math:`l` differ much: a stick before a wall is not a
badly lit wall.
"""

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray
from scipy.sparse.linalg import cg

Floats = NDArray[np.float32]

EDGE = 0.02  # root mean square colour difference at which two neighbours are held together half as strongly
REACH = 32.0  # pixels over which, where nothing is copied but flat colour, the correction follows the light
ANOTHER = 0.15  # root mean square colour difference at which the light has half its say
TOLERANCE = 1e-3  # of the residual, relative to where it began: well below a grey level


def correction(picture: Floats, hole: NDArray[np.bool_], differences: Floats, light: Floats) -> Floats:
    """(H, W, 3): what is to be added to ``picture`` (H, W, 3), complete, in ``hole`` (H, W); 0 elsewhere.

    ``differences`` (H, W, 2, 3) are the wanted ones to the pixel below and to the pixel on the right, of every
    pair that touches the hole; ``light`` (H, W, 3) is the picture whose colours are right at large.
    """
    unknowns = int(hole.sum())
    number = np.where(hole, np.cumsum(hole.reshape(-1)).reshape(hole.shape) - 1, -1)
    miss = (light - picture)[hole].astype(np.float64)
    trust = 1 / (1 + np.square(miss).mean(1) / ANOTHER**2) / REACH**2
    matrix = sparse.diags(trust).tocsr()
    right = trust[:, None] * miss
    height, width = hole.shape
    for axis, (here, there) in enumerate(
        (
            (np.s_[: height - 1, :], np.s_[1:, :]),
            (np.s_[:, : width - 1], np.s_[:, 1:]),
        )
    ):
        pairs = hole[here] | hole[there]
        wanted = differences[here][pairs][:, axis]
        weight = 1 / (1 + np.square(wanted).mean(1, dtype=np.float64) / EDGE**2)
        step = wanted - (picture[there] - picture[here])[pairs]
        # One row a pair: + where it ends, - where it begins; known ends have no column.
        rows = np.arange(len(weight))
        difference = sparse.csr_matrix((len(weight), unknowns))
        for sign, columns in ((1.0, number[there][pairs]), (-1.0, number[here][pairs])):
            ours = columns >= 0
            entries = (np.full(int(ours.sum()), sign), (rows[ours], columns[ours]))
            difference = difference + sparse.csr_matrix(entries, difference.shape)
        weighted = difference.T.multiply(weight).tocsr()
        matrix = matrix + weighted @ difference
        right += weighted @ step
    scaling = sparse.diags(1 / matrix.diagonal())
    result = np.zeros_like(picture)
    result[hole] = np.stack([cg(matrix, channel, rtol=TOLERANCE, M=scaling)[0] for channel in right.T], axis=1)
    return result
