"""A photograph: upright samples at their own depth, and everything needed to save it as it came.

Files are read by content, never by name. Work, display and masks use the picture as people see it; the file is
saved in its stored grid, with its orientation tag, so that it looks the same in every viewer as before.
"""

import io
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, Literal, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from patchloom.arrays import Bools
from patchloom.errors import BudgetError, PatchloomError, PhotoError, SettingsError, Unsupported
from patchloom.events import Observer, Warned, ignore
from patchloom.formats import FORMATS, WRITTEN, Format, format_of, recognised, written_as
from patchloom.formats.exif import orientation_block
from patchloom.formats.picture import Metadata, Reading, Samples, Stored, as_stored, at_depth, split, upright
from patchloom.formats.pillow import palette_of, small_png
from patchloom.formats.png import to_palette
from patchloom.formats.tiffsamples import on_scale_of
from patchloom.formats.tifftags import stripped
from patchloom.outputs import file_named, refuse_existing, write_whole

MAX_PIXELS = 200_000_000
"""More are refused before anything is decoded."""

Source = str | Path | bytes | BinaryIO


@dataclass(frozen=True)
class Photo:
    """``pixels`` (H, W, 1 or 3) and ``alpha`` (H, W) or None: uint8, uint16, or float in 0..1, upright.

    Floats can be NaN where nothing is known. ``extra`` (H, W) or None is a channel of the file that is neither
    colour nor transparency: a scanner's infrared, a saved selection."""

    pixels: Samples
    alpha: Samples | None = None
    extra: Samples | None = field(default=None, kw_only=True)
    format: str = "PNG"
    metadata: Metadata = field(default_factory=Metadata)

    def __post_init__(self) -> None:
        if self.pixels.ndim != 3 or self.pixels.shape[-1] not in (1, 3) or 0 in self.pixels.shape:
            raise PhotoError(
                f"An array of shape {self.pixels.shape} is no picture.", "Give (H, W), (H, W, 3) or (H, W, 4)."
            )
        for channel in (self.alpha, self.extra):
            if channel is not None and channel.shape != self.pixels.shape[:2]:
                raise PhotoError("The alpha channel is not of the picture's size.")

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])

    @property
    def missing(self) -> Bools:
        """(H, W): where there is no data: no numbers, or in every channel what the file says stands for none."""
        if self.pixels.dtype.kind == "f":
            return np.asarray(~np.isfinite(self.pixels).all(axis=-1))
        if self.metadata.tiff is None or self.metadata.tiff.meaning.nothing is None:
            return np.zeros(self.pixels.shape[:2], bool)
        return np.asarray((self.pixels == self.metadata.tiff.meaning.nothing).all(axis=-1))

    def on_scale_of(self, known: Bools, observe: Observer = ignore) -> Self:
        """The same photograph; floats that went beyond 0..1 in the file lie in 0..1 by what ``known`` (H, W) says
        alone. What scale that is, is said."""
        if self.metadata.tiff is None or self.pixels.dtype.kind != "f":
            return self
        turn = self.metadata.orientation
        scaled = on_scale_of(self._in_grid(self.alpha, self.extra), as_stored(known, turn), observe)
        if scaled is None:
            return self
        return replace(self, pixels=upright(scaled.samples, turn), metadata=scaled.metadata)

    @classmethod
    def open(
        cls,
        source: Source,
        *,
        allow_cmyk: bool = False,
        page: int | None = None,
        max_pixels: int = MAX_PIXELS,
        called: str = "",
        observe: Observer = ignore,
    ) -> Self:
        """Reads a file, its bytes, or an open one. ``page`` (from 1) is the one to read of a file of several; of a
        TIFF the others are kept. ``called``: the picture's name in messages, else the file's. Raises PhotoError:
        TooLarge, Unsupported, or damaged. Raises BudgetError where memory does not suffice."""
        data, name = read_source(source)
        try:
            return cls._decode(data, Reading(allow_cmyk, page, max_pixels, observe))
        except PhotoError as error:
            raise type(error)(f"{called or name} {error}", error.advice) from error
        except MemoryError as error:
            raise BudgetError(
                f"{called or name} needs more memory to be read than there is.", "It may be damaged; else crop it."
            ) from error

    @classmethod
    def _decode(cls, data: bytes, reading: Reading) -> Self:
        if not data:
            raise PhotoError("is empty.", "The file has no bytes; copy it again from where it came.")
        format = recognised(data)
        width, height, _ = format.header(io.BytesIO(data))
        reading.require_size(width, height)
        try:
            stored = format.decode(data, reading)
        except (PatchloomError, MemoryError):
            raise
        except Exception as error:  # whatever a decoder makes of damaged data; they share no base class
            raise PhotoError("is cut short or damaged.", "Copy it again from where it came.") from error
        turn = stored.metadata.orientation
        alpha, extra = (None if grid is None else upright(grid, turn) for grid in (stored.alpha, stored.extra))
        return cls(upright(stored.samples, turn), alpha, format.name, stored.metadata, extra=extra)

    @classmethod
    def from_array(cls, array: NDArray[Any], *, hole: Bools | None = None) -> Self:
        """(H, W), (H, W, 1), (H, W, 2), (H, W, 3) or (H, W, 4) of uint8, uint16, or floats in 0..1.

        Floats may be NaN where there is no data, and anything in ``hole`` (H, W)."""
        array = np.asarray(array)
        if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[-1] not in (1, 2, 3, 4)):
            raise PhotoError(
                f"An array of shape {array.shape} is no picture.", "Give (H, W), (H, W, 3) or (H, W, 4)."
            )
        if array.dtype.kind == "f":
            if hole is not None and hole.shape == array.shape[:2]:
                beyond = ~((array >= 0) & (array <= 1))
                array = np.where(beyond & hole.reshape(*hole.shape, *[1] * (array.ndim - 2)), np.nan, array)
            finite = array[np.isfinite(array)]
            if not finite.size or finite.min() < 0 or finite.max() > 1:
                low, high = (finite.min(), finite.max()) if finite.size else (np.nan, np.nan)
                raise PhotoError(
                    f"A float picture must lie in 0..1; this has samples from {low:.9g} to {high:.9g}.",
                    "Scale it, or cut off what lies beyond: numpy.clip(picture, 0, 1); NaN is no data.",
                )
        elif array.dtype.newbyteorder("=") not in (np.uint8, np.uint16):
            raise PhotoError(
                f"A picture of {array.dtype} is not supported.", "Give uint8, uint16, or floats in 0..1."
            )
        array = array.astype(array.dtype.newbyteorder("="), copy=False)
        return cls(*split(array), metadata=Metadata(flat=array.ndim == 2))

    def to_array(self) -> NDArray[Any]:
        """As :meth:`from_array` took it: (H, W) for grey from (H, W), alpha as the last channel."""
        if self.alpha is not None:
            return np.concatenate([self.pixels, self.alpha[..., None]], axis=-1)
        return self.pixels[..., 0] if self.metadata.flat else self.pixels

    @classmethod
    def from_pillow(cls, image: Image.Image) -> Self:
        """A Pillow picture as it lies in memory; its orientation tag, if any, is kept but not acted on. One colour
        that stands for transparency becomes an alpha channel."""
        clear = image.has_transparency_data
        modes = {"1": "RGBA" if clear else "L", "P": "RGBA" if clear else "RGB", "PA": "RGBA"}
        modes |= {"L": "LA", "RGB": "RGBA"} if clear else {}
        if image.mode not in ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "I;16"):
            raise Unsupported(
                f"A Pillow picture of mode {image.mode} is not supported.", "Convert it to RGB, RGBA, L or I;16."
            )
        block = image.info.get("exif", b"")
        metadata = Metadata(
            mode=image.mode,
            icc=image.info.get("icc_profile") or b"",
            exif=block.removeprefix(b"Exif\0\0") if isinstance(block, bytes) else b"",
            dpi=image.info.get("dpi"),
            palette=tuple(map(tuple, palette_of(image).tolist())) if image.mode == "P" else (),
            flat=True,
        )
        return cls(*split(np.asarray(image.convert(modes.get(image.mode, image.mode)))), metadata=metadata)

    def to_pillow(self) -> Image.Image:
        """In the mode it came in where that is without loss; 16-bit colour and floats are beyond Pillow."""
        samples = Stored(self.pixels, self.alpha, self.metadata).joined()
        if samples.dtype != np.uint8 and not (samples.dtype == np.uint16 and samples.ndim == 2):
            raise Unsupported("Pillow has no 16-bit colour and no float colour.", "Use to_array().")
        image = Image.fromarray(samples)
        if self.metadata.mode == "1" and self.alpha is None:
            image = image.convert("1", dither=Image.Dither.NONE)
        elif self.metadata.mode == "P" and (indexed := to_palette(samples, self.metadata.palette)) is not None:
            image = Image.fromarray(indexed[0])
            image.putpalette([value for colour in indexed[1] for value in colour], "RGBA")
        if self.metadata.icc:
            image.info["icc_profile"] = self.metadata.icc
        if self.metadata.exif:
            image.info["exif"] = b"Exif\0\0" + self.metadata.exif
        if self.metadata.dpi is not None:
            image.info["dpi"] = self.metadata.dpi
        return image

    def _repr_png_(self) -> bytes:
        """A small picture of it, for notebooks."""
        return small_png(self.to_array())

    def with_pixels(self, pixels: Samples, alpha: Samples | None = None, extra: Samples | None = None) -> Self:
        """The same photograph with other samples; ``alpha`` and ``extra`` None keep the old."""
        alpha, extra = self.alpha if alpha is None else alpha, self.extra if extra is None else extra
        return replace(self, pixels=pixels, alpha=alpha, extra=extra)

    def plainly_upright(self) -> Self:
        """The same picture with nothing that tells a viewer to turn it: stored upright, without EXIF and XMP."""
        return self if self.metadata.orientation == 1 else replace(self, metadata=_stripped(self.metadata, 1))

    def written_to(self, name: str | Path = "", format: str | None = None) -> str:
        """The format of a file of it: ``format``, else what the ending of ``name`` asks for, else its own. Raises
        OutputError where it cannot be written so, or the ending is no format's."""
        chosen = format or format_of(name) or written_as(self.format)
        FORMATS[chosen].require_room(self.width, self.height)
        return chosen

    def encode(
        self,
        format: str | None = None,
        *,
        quality: int | Literal["keep"] = "keep",
        strip_metadata: bool = False,
        observe: Observer = ignore,
    ) -> bytes:
        """The file's bytes, in the stored grid. ``quality`` (1..100) is for JPEG, WebP and AVIF; "keep" codes as
        the photo was coded. ``strip_metadata`` leaves out all but profile and orientation. What a format cannot
        hold is said through ``observe``."""
        format = (format or written_as(self.format)).upper()
        if format not in WRITTEN:
            raise SettingsError(f"There is no format '{format}'.", f"Use one of: {', '.join(WRITTEN)}.")
        if quality != "keep" and not 1 <= quality <= 100:
            raise SettingsError(f"quality is {quality}.", "Give quality a value from 1 to 100, or 'keep'.")
        codec, same = FORMATS[format], format == self.format
        if self.format not in WRITTEN and format == written_as(self.format):
            observe(Warned(message=f"{self.format} is only read; the picture is written as {format}."))
        codec.require_room(self.width, self.height)
        stored = _fitted(self._held_by(codec, observe), codec.depths, format, observe)
        is_palette = same and stored.metadata.mode == "P"
        if is_palette and to_palette(stored.joined(), stored.metadata.palette) is None:
            observe(Warned(message="The picture now has more than 256 colours; it is written without a palette."))
        stored = _with_fitting_profile(stored, format, observe)
        _say_lost_colours(stored.metadata, codec, same, observe)
        if strip_metadata:
            stored = replace(stored, metadata=_stripped(stored.metadata, stored.metadata.orientation))
        return codec.encode(stored, same, None if quality == "keep" else quality)

    def _held_by(self, codec: Format, observe: Observer) -> Stored:
        """In the stored grid, without the channels that the format has no place for."""
        alpha, extra = self.alpha, self.extra
        if alpha is not None and not codec.alpha:
            observe(Warned(message=f"{codec.name} has no transparency; the picture is written without."))
            alpha = None
        if extra is not None and not codec.extra:
            observe(
                Warned(message=f"{codec.name} has no place for the channel beside the colours; it is left out.")
            )
            extra = None
        return self._in_grid(alpha, extra)

    def _in_grid(self, alpha: Samples | None, extra: Samples | None) -> Stored:
        """The picture in the stored grid, with these channels."""
        turn = self.metadata.orientation
        alpha, extra = (None if grid is None else as_stored(grid, turn) for grid in (alpha, extra))
        return Stored(as_stored(self.pixels, turn), alpha, self.metadata, extra)

    def save(
        self,
        path: str | Path,
        *,
        force: bool = False,
        format: str | None = None,
        quality: int | Literal["keep"] = "keep",
        strip_metadata: bool = False,
        observe: Observer = ignore,
    ) -> None:
        """Writes the whole file or none. ``format`` None takes the one the name asks for; without an ending
        it is the photo's own.

        Raises OutputError where ``path`` exists and ``force`` is not given, or cannot be written."""
        path = file_named(path)
        chosen = format or format_of(path)
        refuse_existing(path, force)
        data = self.encode(chosen, quality=quality, strip_metadata=strip_metadata, observe=observe)
        write_whole(path, data, force=force)


def read_source(source: Source) -> tuple[bytes, str]:
    """The bytes, and how to call the file in a sentence. Raises PhotoError."""
    if isinstance(source, bytes):
        return source, "The picture"
    try:
        if isinstance(source, str | Path):
            return Path(source).read_bytes(), f"'{source}'"
        return source.read(), "The picture"
    except FileNotFoundError as error:
        raise PhotoError(f"There is no file '{source}'.", "Check the name and the folder.") from error
    except IsADirectoryError as error:
        raise PhotoError(f"'{source}' is a folder.", "Give one file; 'patchloom batch' fills folders.") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise PhotoError(f"'{source}' cannot be read: {reason.lower()}.") from error


def _fitted(stored: Stored, depths: tuple[str, ...], format: str, observe: Observer) -> Stored:
    """Samples at a depth the format can hold; without loss if it can, else said."""
    if stored.samples.dtype.name in depths:
        return stored
    target = np.dtype(depths[-1] if stored.samples.dtype.kind == "f" else "uint8")
    if stored.samples.dtype == np.uint16:
        observe(Warned(message=f"{format} holds 8 bits a sample; the picture's 16 are rounded."))
    elif stored.samples.dtype.kind == "f":
        observe(Warned(message=f"{format} holds no floats; they are rounded to {target.itemsize * 8} bits."))
    alpha, extra = (None if grid is None else at_depth(grid, target) for grid in (stored.alpha, stored.extra))
    return replace(stored, samples=at_depth(stored.samples, target), alpha=alpha, extra=extra)


def _with_fitting_profile(stored: Stored, format: str, observe: Observer) -> Stored:
    """Without a profile for grey where the file will hold colours: viewers would make nonsense of it."""
    grey = stored.samples.shape[-1] == 1 and format not in ("WEBP", "AVIF")
    if grey or stored.metadata.icc[16:20] != b"GRAY":
        return stored
    observe(Warned(message=f"{format} holds the grey picture in colour; its profile for grey is left out."))
    return replace(stored, metadata=replace(stored.metadata, icc=b""))


def _say_lost_colours(metadata: Metadata, codec: Format, same: bool, observe: Observer) -> None:
    """Where viewers of the new file will take the samples for other colours than they are."""
    named = metadata.cicp is not None and not metadata.cicp.is_srgb and not codec.cicp
    if not metadata.icc and not same and (named or metadata.colours):
        what = metadata.colours or "a colour space or curve of its own (cICP)"
        observe(Warned(message=f"{codec.name} cannot say which colours these are: the picture has {what}."))


def _stripped(metadata: Metadata, turn: int) -> Metadata:
    """Nothing but what the picture's look depends on: colours, orientation ``turn``, and how it was coded."""
    return replace(
        metadata,
        orientation=turn,
        exif=orientation_block(turn) if turn != 1 else b"",
        xmp=b"",
        dpi=None,
        text=(),
        blocks=tuple(block for block in metadata.blocks if block.look),
        tiff=None if metadata.tiff is None else stripped(metadata.tiff, turn),
    )
