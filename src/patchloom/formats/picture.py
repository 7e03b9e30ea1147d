"""What a decoded file is made of: samples in the stored grid, and everything that is not samples."""

from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from patchloom.arrays import Floats
from patchloom.errors import PhotoError, TooLarge, Unsupported
from patchloom.events import Observer, Warned, ignore

Samples = NDArray[Any]
"""uint8, uint16, or float in 0..1."""


Palette = tuple[tuple[int, int, int, int], ...]
"""RGBA, 0..255."""


class Block(NamedTuple):
    """A piece of a file kept byte for byte: a PNG chunk, a JPEG segment."""

    kind: str
    payload: bytes
    look: bool = False  # whether the picture would look different without it


class Cicp(NamedTuple):
    """What colours the samples are, as code points of ITU-T H.273: PNG's cICP, AVIF's nclx."""

    primaries: int  # 1: BT.709 and sRGB, 9: BT.2020, 12: Display P3
    transfer: int  # 1 and 13: as sRGB, 16: PQ, 18: HLG

    @property
    def is_srgb(self) -> bool:
        """Also where nothing is said, which is taken for sRGB."""
        return self.primaries in (1, 2) and self.transfer in (1, 2, 6, 13, 14, 15)


class JpegCoding(NamedTuple):
    """How a JPEG was coded; coding it the same way again changes the fewest samples."""

    tables: dict[int, list[int]]
    subsampling: int  # Pillow's 0 (4:4:4), 1 (4:2:2), 2 (4:2:0), or -1 where it has no number for it
    progressive: bool
    rgb: bool  # stored as RGB rather than YCbCr


class Reading(NamedTuple):
    """How a file is to be read, and who hears what has to be said about it."""

    allow_cmyk: bool = False
    page: int | None = None  # counted from 1; None: the only one there is
    max_pixels: int = 200_000_000
    observe: Observer = ignore

    def require_size(self, width: int, height: int) -> None:
        """Raises TooLarge for a picture of more pixels than are allowed."""
        if width * height > self.max_pixels:
            raise TooLarge(
                f"has {width} x {height} pixels; the limit is {self.max_pixels / 1e6:.0f} million.",
                "Crop it to the part that matters.",
            )

    def say(self, message: str) -> None:
        self.observe(Warned(message=message))

    def say_merged(self, indices: Samples, colours: Samples) -> None:
        """Says where ``indices`` (H, W) use several of the palette's ``colours`` (N, C) that are equal: they come
        back as one, since a picture is worked on in colours."""
        used = np.unique(indices[indices < len(colours)])
        if len(np.unique(colours[used], axis=0)) < len(used):
            self.say("The palette has entries of the same colour; pixels of theirs come back as one entry.")

    def leave_out(self, *parts: str) -> None:
        """Says, once, which parts of the file are not kept because they may show what is removed."""
        if parts:
            names = ", ".join(dict.fromkeys(parts))
            self.say(f"Not kept, because it may show what is removed: {names}.")

    def frame(self, count: int, kind: str) -> int:
        """Which of ``count`` pictures to read, from 0. Raises Unsupported where several are there and none was
        chosen, PhotoError where there are not so many."""
        if self.page is None and count > 1:
            raise Unsupported(f"has several pages: it is {kind}.", "Choose one with {page}, for example {page 1}.")
        if not 1 <= (self.page or 1) <= count:
            raise PhotoError(f"has no page {self.page}; it has {count}.", "Pages are counted from 1.")
        return (self.page or 1) - 1


class TiffTag(NamedTuple):
    code: int
    type: int
    length: int  # how many values of the type
    value: bytes  # in the file's byte order; of a directory, empty
    directory: "tuple[TiffTag, ...] | None" = None  # of the Exif, GPS and interoperability tags


class Meaning(NamedTuple):
    """What the samples of a TIFF say, beyond their numbers."""

    photometric: int  # 0 white is zero, 1 grey, 2 RGB, 3 palette, 6 YCbCr
    bits: int
    floats: bool = False
    extra: int | None = None  # ExtraSamples of a channel more: -1 unsaid, 0 other, 1 premultiplied, 2 plain alpha
    low: float = 0.0  # of floats: what black and white are
    high: float = 1.0
    colormap: Samples | None = None  # (N, 3) uint16
    luma: tuple[float, float, float] = (0.299, 0.587, 0.114)  # of YCbCr
    reference: tuple[float, ...] = (0, 255, 128, 255, 128, 255)  # of YCbCr: ReferenceBlackWhite
    nothing: float | None = None  # the value that stands for no data, as stored


class TiffCoding(NamedTuple):
    order: Literal["<", ">"]
    compression: str  # tifffile's name, "" for none
    predictor: bool
    meaning: Meaning
    tags: tuple[TiffTag, ...]  # all that describe, none that lay out samples
    original: Samples | None = None  # (H, W, C) as stored, where what is worked on is only made from it
    seen: Samples | None = None  # (H, W, C), what was made from it
    file: bytes = b""  # of which this is one page of several
    page: int = 0


def full_scale(samples: Samples) -> float:
    """What stands for white: 255, 65535 or 1."""
    return float(np.iinfo(samples.dtype).max) if samples.dtype.kind in "ui" else 1.0


def as_unit(pixels: NDArray[Any]) -> Floats:
    """Pixels of any depth -> float32 in 0..1."""
    return pixels.astype(np.float32) / np.float32(full_scale(pixels))


def to_eight_bit(samples: Samples) -> NDArray[np.uint8]:
    """Samples of any depth as 8-bit ones, rounded; floats outside of 0..1 are cut off, NaN is black."""
    if samples.dtype == np.uint8:
        return samples
    if samples.dtype == np.uint16:
        return ((samples.astype(np.uint32) + 128) // 257).astype(np.uint8)
    return np.asarray(np.round(np.clip(np.nan_to_num(samples), 0, 1) * 255), np.uint8)


def at_depth(samples: Samples, target: np.dtype[Any]) -> Samples:
    """Samples in 0..1, or of 16 bit, as of the type ``target``."""
    if target.kind == "f":
        return samples.astype(target)
    if target == np.uint8:
        return to_eight_bit(samples)
    return np.round(np.nan_to_num(samples.astype(np.float32)) * np.iinfo(target).max).astype(target)


@dataclass(frozen=True, slots=True)
class Metadata:
    """All of a file but its samples: as found, but for thumbnails, which would show what was removed."""

    orientation: int = 1  # EXIF's 1..8: how the stored grid is turned to be upright
    mode: str = ""  # as stored: "1", "P", "L", "LA", "RGB", "RGBA", "CMYK"
    icc: bytes = b""
    cicp: Cicp | None = None
    colours: str = ""  # what else says which colours these are, and that only this format can say
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
    """A picture as it lies in the file: ``samples`` (H, W, 1 or 3), ``alpha`` (H, W) or None.

    ``extra`` (H, W) is a channel that is neither colour nor transparency: a scanner's infrared, a selection."""

    samples: Samples
    alpha: Samples | None
    metadata: Metadata
    extra: Samples | None = None

    def described(self, **changes: Any) -> "Stored":
        """The same samples with other metadata."""
        return replace(self, metadata=replace(self.metadata, **changes))

    def joined(self) -> Samples:
        """(H, W) or (H, W, 2..4): the samples with alpha, or else the extra channel, as their last."""
        last = self.extra if self.alpha is None else self.alpha
        if last is not None:
            return np.concatenate([self.samples, last[..., None]], axis=-1)
        return np.ascontiguousarray(self.samples[..., 0] if self.samples.shape[-1] == 1 else self.samples)


def split(samples: Samples) -> tuple[Samples, Samples | None]:
    """Colour (H, W, 1 or 3) and alpha of an array (H, W) or (H, W, 1..4)."""
    if samples.ndim == 2:
        return samples[..., None], None
    if samples.shape[-1] in (2, 4):
        return np.ascontiguousarray(samples[..., :-1]), np.ascontiguousarray(samples[..., -1])
    return samples, None


def upright(grid: Samples, turn: int) -> Samples:
    """The stored grid as people see it, for EXIF's orientation 1..8."""
    if turn >= 5:
        grid = np.swapaxes(grid, 0, 1)
    if turn in (3, 4, 7, 8):
        grid = grid[::-1]
    if turn in (2, 3, 6, 7):
        grid = grid[:, ::-1]
    return np.ascontiguousarray(grid)


def as_stored(grid: Samples, turn: int) -> Samples:
    """The inverse of :func:`upright`."""
    if turn in (2, 3, 6, 7):
        grid = grid[:, ::-1]
    if turn in (3, 4, 7, 8):
        grid = grid[::-1]
    if turn >= 5:
        grid = np.swapaxes(grid, 0, 1)
    return np.ascontiguousarray(grid)
