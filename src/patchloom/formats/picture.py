"""What a decoded file is made of: samples in the stored grid, and everything that is not samples."""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from patchloom.events import Observer, ignore

Samples = NDArray[Any]
"""uint8, uint16, or float in 0..1."""


Palette = tuple[tuple[int, int, int, int], ...]
"""RGBA, 0..255."""


class Block(NamedTuple):
    """A piece of a file kept byte for byte: a PNG chunk, a JPEG segment, a TIFF tag."""

    kind: str
    payload: bytes


class JpegCoding(NamedTuple):
    """How a JPEG was coded; coding it the same way again changes the fewest samples."""

    tables: dict[int, list[int]]
    subsampling: int  # Pillow's 0 (4:4:4), 1 (4:2:2), 2 (4:2:0), or -1 where it has no number for it
    progressive: bool
    rgb: bool  # stored as RGB rather than YCbCr


class Reading(NamedTuple):
    """How a file is to be read, and who hears what has to be said about it."""

    allow_cmyk: bool = False
    observe: Observer = ignore


class TiffTag(NamedTuple):
    code: int
    type: int
    length: int  # how many values of the type
    value: bytes  # in the file's byte order; of a directory, empty
    directory: "tuple[TiffTag, ...] | None" = None  # of the Exif, GPS and interoperability tags


class TiffCoding(NamedTuple):
    order: Literal["<", ">"]
    compression: str  # tifffile's name, "" for none
    predictor: bool
    white_is_zero: bool
    tags: tuple[TiffTag, ...]  # all that describe, none that lay out samples


def to_eight_bit(samples: Samples) -> NDArray[np.uint8]:
    """Samples of any depth as 8-bit ones, rounded; floats outside of 0..1 are cut off."""
    if samples.dtype == np.uint8:
        return samples
    if samples.dtype == np.uint16:
        return ((samples.astype(np.uint32) + 128) // 257).astype(np.uint8)
    return np.round(np.clip(samples, 0, 1) * 255).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class Metadata:
    """All of a file but its samples: as found, but for thumbnails, which would show what was removed."""

    orientation: int = 1  # EXIF's 1..8: how the stored grid is turned to be upright
    mode: str = ""  # as stored: "1", "P", "L", "LA", "RGB", "RGBA", "CMYK"
    icc: bytes = b""
    exif: bytes = b""  # a TIFF block, without the "Exif\0\0" that JPEG puts before it
    xmp: bytes = b""
    dpi: tuple[float, float] | None = None
    text: tuple[tuple[str, str], ...] = ()
    palette: Palette = ()
    lossless: bool = True
    blocks: tuple[Block, ...] = ()  # used when the file is saved in its own format
    jpeg: JpegCoding | None = None
    tiff: TiffCoding | None = None
    flat: bool = False  # from an array of (H, W) rather than (H, W, 1)


@dataclass(frozen=True, slots=True)
class Stored:
    """A picture as it lies in the file: ``samples`` (H, W, 1 or 3), ``alpha`` (H, W) or None."""

    samples: Samples
    alpha: Samples | None
    metadata: Metadata

    def joined(self) -> Samples:
        """(H, W) or (H, W, 2..4): the samples with alpha as their last channel."""
        if self.alpha is not None:
            return np.concatenate([self.samples, self.alpha[..., None]], axis=-1)
        return np.ascontiguousarray(self.samples[..., 0] if self.samples.shape[-1] == 1 else self.samples)


def split(samples: Samples) -> tuple[Samples, Samples | None]:
    """Colour (H, W, 1 or 3) and alpha of an array (H, W) or (H, W, 1..4)."""
    if samples.ndim == 2:
        return samples[..., None], None
    if samples.shape[-1] in (2, 4):
        return np.ascontiguousarray(samples[..., :-1]), np.ascontiguousarray(samples[..., -1])
    return samples, None
