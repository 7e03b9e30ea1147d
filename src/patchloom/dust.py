"""Dust: marks that are there on one frame of a film alone."""

import numpy as np
from scipy import ndimage

from patchloom.arrays import Bools, Floats
from patchloom.tensors.boxes import component_sizes

LEAST = 4.0  # times the noise that a mark differs by, however little is asked for
LARGEST = 0.01  # of the frame; larger is no dust but something that moved
RIM = 2  # pixels by which marks are grown: their soft edge


def dust_in(frame: Floats, before: Floats, after: Floats, seen: Bools, threshold: float) -> Bools:
    """(H, W): where ``frame`` (H, W, C) in 0..1 is lighter or darker, by more than ``threshold``, than everything
    within a pixel in both ``before`` and ``after``, which agree there (rank-ordered differences; Nadenau and Mitra
    1997).

    The two are other frames as seen from this one; ``seen`` (H, W): where they are.
    """
    low, high = frame.copy(), frame.copy()
    low[...], high[...] = 1, 0
    for other in (before, after):
        low = np.minimum(low, ndimage.minimum_filter(other, (3, 3, 1)))
        high = np.maximum(high, ndimage.maximum_filter(other, (3, 3, 1)))
    beyond = np.maximum(frame - high, low - frame).max(2)
    apart = np.abs(before - after).max(2)
    noise = 1.4826 * float(np.median(np.abs(frame - before)[seen])) / np.sqrt(2) if seen.any() else 0.0
    least = max(threshold, LEAST * noise)
    found = (beyond > least) & (apart < least) & seen
    whole = ndimage.binary_propagation(found, mask=(beyond > least / 3) & seen)
    small = whole & (component_sizes(whole) <= LARGEST * whole.size)
    return np.asarray(ndimage.binary_dilation(small, iterations=RIM)) & seen if small.any() else small
