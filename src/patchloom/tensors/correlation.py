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
