"""JPEG XL, by libjxl through pillow-jxl-plugin (the extra ``jxl``), and imagecodecs for more than 8 bits; only
read."""

import io
from typing import BinaryIO, NamedTuple

import imagecodecs
import numpy as np

from patchloom.formats.exif import with_orientation
from patchloom.formats.extra import required
from patchloom.formats.picture import Reading, Samples, Stored, split
from patchloom.formats.pillow import decoded
from patchloom.formats.registry import Header

_CODESTREAM = b"\xff\x0a"
_RATIOS = (None, (1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))  # of width to height
_HEADER = 2**16  # bytes in which the codestream begins
_LOOKED_AT = 64  # bytes of it in which its size and depth stand


class _About(NamedTuple):
    """What the codestream says of itself."""

    width: int
    height: int
    bits: int  # a sample
    floats: bool
    animated: bool


class _Bits:
    """The bits of a codestream, the lowest of each byte first (ISO/IEC 18181-1, annex B)."""

    def __init__(self, data: bytes) -> None:
        self._left = int.from_bytes(data, "little")

    def take(self, count: int) -> int:
        value = self._left & ((1 << count) - 1)
        self._left >>= count
        return value

    def number(self, *choices: tuple[int, int]) -> int:
        """One of four kinds of number: a base, and how many bits are added to it."""
        base, bits = choices[self.take(2)]
        return base + self.take(bits)


def header(file: BinaryIO) -> Header:
    about = _about(file.read(_HEADER))
    return Header(about.width, about.height, 2 if about.animated else 1)


def decode(data: bytes, reading: Reading) -> Stored:
    plugin = required("pillow_jxl.JpegXLImagePlugin", "jxl", "a JPEG XL")
    about = _about(data[:_HEADER])
    if not about.animated or reading.page is None:
        reading.frame(1 + about.animated, "an animated JPEG XL")
    stored = decoded(plugin.JXLImageFile(io.BytesIO(data)), reading, lossless=False)
    if about.animated:
        reading.leave_out("further frames")
    if about.animated or about.bits > 8:  # the plugin has the first frame, and colours of 8 bits
        colours, alpha = split(_samples(data, about, reading))
        stored = Stored(colours, alpha, stored.metadata)
    # The codestream says how the picture is turned, and the decoder has turned it; EXIF has no say in it.
    return stored.described(orientation=1, exif=with_orientation(stored.metadata.exif, 1))


def _samples(data: bytes, about: _About, reading: Reading) -> Samples:
    """Of 8 or 16 bits, whatever depth there is."""
    samples: Samples = np.asarray(imagecodecs.jpegxl_decode(data))
    if about.animated:
        samples = samples[reading.frame(len(samples), "an animated JPEG XL")]
    if about.floats:
        reading.say("This JPEG XL holds floats; they are read with 16 bits, and what lies beyond 0..1 is cut off.")
        return np.asarray(np.round(np.clip(np.nan_to_num(samples), 0, 1) * 65535.0), np.uint16)
    if about.bits in (8, 16):
        return samples
    top = 2**about.bits - 1
    full = 255 if samples.dtype == np.uint8 else 65535
    scaled: Samples = ((samples.astype(np.uint32) * full + top // 2) // top).astype(samples.dtype)
    return scaled


def _about(start: bytes) -> _About:
    """SizeHeader, and ImageMetadata as far as the depth (ISO/IEC 18181-1, annex D)."""
    at = 0 if start.startswith(_CODESTREAM) else _begin(start)
    bits = _Bits(start[at + 2 : at + 2 + _LOOKED_AT])
    width, height = _size(bits)
    depth, floats, animated = 8, False, False
    if not bits.take(1):  # not all as usual
        if bits.take(1):  # there is more than depth and colours
            bits.take(3)  # orientation
            if bits.take(1):
                _size(bits)  # as it is meant to be shown
            if bits.take(1):
                _preview(bits)
            animated = bool(bits.take(1))
            if animated:
                bits.number((100, 0), (1000, 0), (1, 10), (1, 30))  # ticks
                bits.number((1, 0), (1001, 0), (1, 8), (1, 10))  # a second
                bits.number((0, 0), (0, 3), (0, 16), (0, 32))  # loops
                bits.take(1)  # whether it has time codes
        floats = bool(bits.take(1))
        kinds = ((32, 0), (16, 0), (24, 0), (1, 6)) if floats else ((8, 0), (10, 0), (12, 0), (1, 6))
        depth = bits.number(*kinds)
    return _About(width, height, depth, floats, animated)


def _size(bits: _Bits) -> tuple[int, int]:
    small = bits.take(1)

    def side() -> int:
        return 8 * (bits.take(5) + 1) if small else bits.number((1, 9), (1, 13), (1, 18), (1, 30))

    height = side()
    ratio = _RATIOS[bits.take(3)]
    return (side() if ratio is None else height * ratio[0] // ratio[1]), height


def _preview(bits: _Bits) -> None:
    kinds = ((16, 0), (32, 0), (1, 5), (33, 9)) if bits.take(1) else ((1, 6), (65, 8), (321, 10), (1345, 12))
    bits.number(*kinds)
    if not bits.take(3):
        bits.number(*kinds)


def _begin(start: bytes) -> int:
    """Where the codestream begins in a container: in box ``jxlc``, or behind the number in the first ``jxlp``."""
    whole, part = start.find(b"jxlc"), start.find(b"jxlp")
    if whole < 0 and part < 0:
        raise ValueError("no codestream")
    return whole + 4 if whole >= 0 else part + 8
