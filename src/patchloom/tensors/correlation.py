"""Cross-correlation of pictures by the fast Fourier transform: all places of a template at once."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from patchloom.arrays import Floats

Spectrum = NDArray[np.complexfloating]


class Correlation:
    """Correlation of arrays that, with the offsets that matter, fit into ``height`` x ``width``."""

    def __init__(self, height: int, width: int) -> None:
        self.size = [fft.next_fast_len(side, real=True) for side in (height, width)]

    def spectrum(self, values: NDArray[Any]) -> Spectrum:
        """Of ``values`` (H, W)."""
        return np.asarray(fft.rfft2(values.astype(np.float32, copy=False), self.size))

    def of(self, first: Spectrum, second: Spectrum) -> Floats:
        """At offset o the sum over x of first(x) second(x + o), of their spectra; negative offsets count from the
        end."""
        return np.asarray(fft.irfft2(np.conj(first) * second, self.size), np.float32)


def differences(values: NDArray[Any], axis: int) -> Floats:
    """The mean squared difference of ``values`` (H, W) and ``values`` moved along ``axis`` by 0, 1, ... pixels,
    over what then lies on both; one number a shift, as many as the side has pixels."""
    lines = np.moveaxis(np.asarray(values, np.float64), axis, 0)
    lines = lines - lines.mean()
    size = len(lines)
    spectra = fft.rfft(lines, 2 * size, axis=0)
    together = fft.irfft((np.abs(spectra) ** 2).sum(1), 2 * size)[:size]
    squares = np.square(lines).sum(1)
    both = squares.cumsum()[::-1] + squares[::-1].cumsum()[::-1]
    counts = np.arange(size, 0, -1) * lines.shape[1]
    return np.asarray((both - 2 * together) / counts, np.float32).clip(0)
