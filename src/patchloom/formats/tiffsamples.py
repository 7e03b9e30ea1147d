"""From the samples of a TIFF to those that are worked on, and back: the place that knows what they mean.

Worked on are grey or RGB of 8 or 16 bit or floats in 0..1, black zero, colours not multiplied by alpha. Going
there and back rounds where the two differ in more than scale; then the stored samples are kept beside, and come
back wherever nothing was changed.
"""

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from patchloom.arrays import Bools
from patchloom.errors import Unsupported
from patchloom.events import Observer, Warned
from patchloom.formats import tifftags
from patchloom.formats.picture import Meaning, Samples, Stored, TiffTag

if TYPE_CHECKING:
    import tifffile

_ABSURD = 1e30  # floats beyond are no measurements


def meaning_of(
    page: "tifffile.TiffPage",
    tags: tuple[TiffTag, ...],
    samples: Samples,
    photometric: int,
    order: str,
) -> Meaning:
    """Of ``samples`` (H, W, C) of a page, which ``photometric`` says the colours of (decoders turn JPEG's YCbCr
    into RGB). Raises Unsupported."""
    extra = None
    if samples.shape[-1] > tifftags.COLOURS[photometric]:
        extra = int(page.extrasamples[0]) if page.extrasamples else tifftags.UNSAID
        if extra > tifftags.STRAIGHT:
            raise Unsupported(
                f"has a channel of an unknown kind ({extra}).", "Save it with plain alpha, or without."
            )
    meaning = Meaning(photometric, page.bitspersample, samples.dtype.kind == "f", extra)
    if photometric == tifftags.PALETTE:
        if page.colormap is None or page.bitspersample > 8:
            raise Unsupported("has no colour map of up to 8 bit.", "Convert it to RGB first.")
        return meaning._replace(colormap=np.ascontiguousarray(np.asarray(page.colormap, np.uint16).T))
    meaning = meaning._replace(nothing=_nothing(tags, meaning))
    if meaning.floats:
        colour = _parted(samples, meaning)[0]
        if not (measured := _measured(colour, meaning)).any():
            raise Unsupported("has no finite samples.", "Save it with numbers.")
        low, high = _range_of(colour[measured])
        return meaning._replace(low=low, high=high)
    if photometric == tifftags.YCBCR:
        found = {
            tag.code: tifftags.ratios(tag, order)
            for tag in tags
            if tag.code in (tifftags.LUMA, tifftags.REFERENCE)
        }
        luma, reference = found.get(tifftags.LUMA, ()), found.get(tifftags.REFERENCE, ())
        if len(luma) == 3 and luma[1] > 0:
            meaning = meaning._replace(luma=luma)
        if len(reference) == 6 and all(reference[i] < reference[i + 1] for i in (0, 2, 4)):
            meaning = meaning._replace(reference=reference)
    return meaning


def _nothing(tags: tuple[TiffTag, ...], meaning: Meaning) -> float | None:
    """The value that GDAL's tag says stands for no data, where samples are worked on as stored."""
    said = next((tag.value for tag in tags if tag.code == tifftags.NODATA), b"")
    plain = meaning.photometric in (tifftags.GREY, tifftags.RGB) and meaning.extra != tifftags.PREMULTIPLIED
    if meaning.floats or (plain and meaning.bits in (8, 16)):
        with contextlib.suppress(ValueError):
            return float(said.strip(b"\0 "))
    return None


def _measured(colour: Samples, meaning: Meaning) -> Bools:
    """Which floats are measurements."""
    with np.errstate(all="ignore"):
        nothing = colour.dtype.type(np.nan if meaning.nothing is None else meaning.nothing)
        return np.asarray((np.abs(colour) <= _ABSURD) & (colour != nothing))


def _range_of(measured: Samples) -> tuple[float, float]:
    """What black and white are of floats: 0 and 1, unless they lie beyond."""
    return min(0.0, float(measured.min())), max(1.0, float(measured.max()))


def on_scale_of(picture: Stored, known: Bools, observe: Observer) -> Stored | None:
    """``picture``, as it was read, with its floats scaled by what is measured in ``known`` (H, W) alone; None
    where it stays as it is. What scale that is, is said."""
    coding = picture.metadata.tiff
    if coding is None or coding.original is None or coding.seen is None or not coding.meaning.floats:
        return None
    joined = picture.joined().reshape(*known.shape, -1)
    if joined.shape != coding.seen.shape or joined.dtype.kind != "f":
        return None
    if not _same(joined, coding.seen)[known].all():
        return None  # it was changed since, on the scale that it has
    colour = _parted(coding.original, coding.meaning)[0][known]
    measured = colour[_measured(colour, coding.meaning)]
    if not measured.size:
        return None
    low, high = _range_of(measured)
    if (low, high) != (0, 1):
        reach = f"Samples reach from {measured.min():.4g} to {measured.max():.4g}"
        observe(Warned(message=f"{reach}; they are filled on that scale and keep it."))
    meaning = coding.meaning._replace(low=low, high=high)
    count = picture.samples.shape[-1]
    scaled = seen(coding.original, meaning)
    described = picture.described(tiff=coding._replace(meaning=meaning, seen=scaled))
    return replace(described, samples=scaled[..., :count])


def fitted(old: Meaning | None, picture: Stored) -> Meaning:
    """``old`` if the samples are still what it says, else the plainest that says what they are."""
    dtype, channels = picture.samples.dtype, picture.samples.shape[-1]
    floats, extra = dtype.kind == "f", None
    if picture.alpha is not None:
        extra = tifftags.STRAIGHT
    elif picture.extra is not None:
        extra = tifftags.OTHER
    if old is not None and old.photometric != tifftags.PALETTE and old.floats == floats:
        fits = (old.extra is None) == (extra is None) and (1 if old.photometric in (0, 1) else 3) == channels
        deep = floats or (np.uint8 if old.bits <= 8 else np.uint16) == dtype
        if fits and deep:
            return old._replace(bits=dtype.itemsize * 8) if floats else old
    photometric = tifftags.GREY if channels == 1 else tifftags.RGB
    is_bilevel = picture.metadata.mode == "1" and channels == 1 and extra is None and dtype == np.uint8
    return Meaning(photometric, 1 if is_bilevel else dtype.itemsize * 8, floats, extra)


def is_exact(samples: Samples, meaning: Meaning) -> bool:
    """Whether going there and back gives the same ``samples`` (H, W, C)."""
    if meaning.floats and not _measured(_parted(samples, meaning)[0], meaning).all():
        return False
    turned = meaning.photometric == tifftags.WHITE_IS_ZERO and meaning.floats
    scaled = (meaning.low, meaning.high) != (0, 1)
    return not (
        turned or scaled or meaning.photometric == tifftags.YCBCR or meaning.extra == tifftags.PREMULTIPLIED
    )


def seen(stored: Samples, meaning: Meaning) -> Samples:
    """(H, W, C) as stored -> (H, W, C), alpha or the extra channel last."""
    if meaning.photometric == tifftags.PALETTE:
        return colours(meaning)[stored[..., 0]]
    colour, last = _parted(_widened(stored, meaning), meaning)
    if meaning.floats:
        colour = np.where(_measured(colour, meaning), colour, colour.dtype.type(np.nan))
    if meaning.floats and (meaning.low, meaning.high) != (0, 1):
        colour = (colour - meaning.low) / (meaning.high - meaning.low)
    if meaning.photometric == tifftags.WHITE_IS_ZERO:
        colour = 1 - colour if meaning.floats else ~colour
    elif meaning.photometric == tifftags.YCBCR:
        colour = _rgb(colour, meaning)
    if meaning.extra == tifftags.PREMULTIPLIED:
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.nan_to_num(_top(last) / last.astype(np.float64), posinf=0)
        colour = _as(colour * ratio, colour.dtype)
    return np.concatenate([colour.astype(last.dtype, copy=False), last], axis=-1)


def stored(seen: Samples, meaning: Meaning) -> Samples:
    """The inverse of :func:`seen`, up to rounding; not for palettes, which may not have the colours."""
    colour, last = _parted(seen, meaning)
    if meaning.extra == tifftags.PREMULTIPLIED:
        colour = _as(colour * (last / _top(last)), colour.dtype)
    if meaning.photometric == tifftags.WHITE_IS_ZERO:
        colour = 1 - colour if meaning.floats else ~colour
    elif meaning.photometric == tifftags.YCBCR:
        colour = _ycbcr(colour, meaning)
    if meaning.floats and (meaning.low, meaning.high) != (0, 1):
        colour = colour * (meaning.high - meaning.low) + meaning.low
    return _narrowed(np.concatenate([colour.astype(seen.dtype, copy=False), last], axis=-1), meaning)


def restored(joined: Samples, meaning: Meaning, original: Samples | None, before: Samples | None) -> Samples:
    """``joined`` as it is stored: the ``original`` wherever it is what was read (``before``)."""
    new = stored(joined, meaning)
    if original is None or before is None or original.shape != new.shape or before.shape != joined.shape:
        return new
    return np.where(_same(joined, before)[..., None], original, new)


def _same(one: Samples, other: Samples) -> Bools:
    """(H, W): where two pictures (H, W, C) are equal; what is no number equals its like."""
    return np.asarray(((one == other) | ((one != one) & (other != other))).all(axis=-1))


def colours(meaning: Meaning) -> Samples:
    """A palette (N, 3) of 8 bit. Some writers give colour maps of 8 bit where there should be 16."""
    table = meaning.colormap
    assert table is not None
    return (table if table.max(initial=0) < 256 else table >> 8).astype(np.uint8)


def _parted(samples: Samples, meaning: Meaning) -> tuple[Samples, Samples]:
    """Colours, and the channel beyond them (none of it where there is none)."""
    count = samples.shape[-1] - (meaning.extra is not None)
    return samples[..., :count], samples[..., count:]


def _widened(samples: Samples, meaning: Meaning) -> Samples:
    """Integers of any depth as 8 or 16 bit; exact, for :func:`_narrowed` gives them back."""
    if samples.dtype == np.bool_:
        return np.where(samples, np.uint8(255), np.uint8(0))
    if meaning.floats or meaning.bits in (8, 16):
        return samples
    whole, top = 2**meaning.bits - 1, 255 if meaning.bits < 8 else 65535
    wide: Samples = (samples.astype(np.uint32) * top + whole // 2) // whole
    return wide.astype(samples.dtype)


def _narrowed(samples: Samples, meaning: Meaning) -> Samples:
    if meaning.floats or meaning.bits in (8, 16):
        return samples
    if meaning.bits == 1:
        return np.asarray(samples >= 128)
    whole, top = 2**meaning.bits - 1, 255 if meaning.bits < 8 else 65535
    narrow: Samples = (samples.astype(np.uint32) * whole + top // 2) // top
    return narrow.astype(samples.dtype)


def _top(values: Samples) -> float:
    return float(np.iinfo(values.dtype).max) if values.dtype.kind == "u" else 1.0


def _as(values: Samples, dtype: np.dtype) -> Samples:
    if dtype.kind == "f":
        return values.astype(dtype)
    return np.clip(np.round(values), 0, np.iinfo(dtype).max).astype(dtype)


def _rgb(samples: Samples, meaning: Meaning) -> Samples:
    """TIFF 6.0, section 21."""
    red, green, blue = meaning.luma
    y, cb, cr = (_full(samples[..., index], meaning, index) for index in range(3))
    r, b = cr * (2 - 2 * red) + y, cb * (2 - 2 * blue) + y
    g = (y - blue * b - red * r) / green
    return _as(np.stack([r, g, b], axis=-1), samples.dtype)


def _full(codes: Samples, meaning: Meaning, index: int) -> Samples:
    """Codes as full-range luma (0..255 for 8 bit) or chroma around 0."""
    black, white = meaning.reference[2 * index : 2 * index + 2]
    span = _top(codes) if index == 0 else _top(codes) // 2
    return (codes.astype(np.float64) - black) * span / (white - black)


def _ycbcr(rgb: Samples, meaning: Meaning) -> Samples:
    red, green, blue = meaning.luma
    r, g, b = (rgb[..., index].astype(np.float64) for index in range(3))
    y = red * r + green * g + blue * b
    parts = [y, (b - y) / (2 - 2 * blue), (r - y) / (2 - 2 * red)]
    top, codes = _top(rgb), []
    for index, part in enumerate(parts):
        black, white = meaning.reference[2 * index : 2 * index + 2]
        codes.append(part * (white - black) / (top if index == 0 else top // 2) + black)
    return _as(np.stack(codes, axis=-1), rgb.dtype)
