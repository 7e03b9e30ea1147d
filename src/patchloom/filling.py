"""One file filled: the photograph's and the mask's bytes in, the result's bytes out.

Command line, batch, server and page all come through :func:`prepare`, so that the same input gives the same bytes
everywhere. It reads and checks everything before the first pixel is computed; :meth:`Prepared.fill` does the work.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from patchloom.errors import MaskError
from patchloom.events import Observer, Warned, ignore
from patchloom.infrared import mask_of
from patchloom.mask import Mask, Rectangle
from patchloom.photo import MAX_PIXELS, Photo, Source
from patchloom.references import Reference
from patchloom.settings import FROM_LIBRARY, FileSettings, FillSettings

if TYPE_CHECKING:
    from patchloom.inpainter import Inpainter


@dataclass(frozen=True, slots=True)
class Named:
    """A picture that comes without a file's name, and what messages and the report call it."""

    source: Source
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Inputs:
    """What a fill is made from; pictures are given by name, as bytes or as open files.

    The hole is all that ``mask``, ``boxes`` (x, y, width, height) and, with ``alpha``, the photograph's
    transparent pixels mark, and the dust in ``infrared`` light: a picture, a page of the photograph's file, or
    with 0 its channel beside the colours. ``source``: texture may come only from what it marks. ``coarse`` and
    ``references``: see ``Inpainter.inpaint``. So many pictures of the ``library``, a folder, as ``from_library``
    says are references as well.
    """

    photo: Source | Named
    mask: Source | Mask | None = None
    boxes: Sequence[Rectangle] = ()
    alpha: bool = False
    infrared: Source | int | None = None
    source: Source | None = None
    coarse: Source | None = None
    references: Sequence[Source | Named] = ()
    library: Path | None = None
    from_library: int = FROM_LIBRARY


@dataclass(frozen=True, slots=True)
class Filled:
    """The result as a file: its bytes and format, the picture in them, and the report of ``Inpainter.inpaint``."""

    data: bytes
    format: str
    photo: Photo
    report: dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """A fill whose inputs are read and fit each other. ``mask`` is the hole as drawn, ``hole`` as it is filled:
    grown as the settings say. ``format`` is that of the result."""

    photo: Photo
    mask: Mask
    hole: Mask
    source: Mask | None
    coarse: Photo | None
    references: Sequence[Reference]
    settings: FillSettings
    files: FileSettings
    format: str

    def fill(self, inpainter: "Inpainter", *, upright: bool = False, observe: Observer = ignore) -> Filled:
        """Fills and encodes. ``upright``: the file holds the picture as it is seen, and no tag that turns it."""
        result = inpainter.inpaint(
            self.photo,
            self.mask,
            self.settings,
            source=self.source,
            coarse=self.coarse,
            references=self.references,
            observe=observe,
        )
        photo = result.photo.plainly_upright() if upright else result.photo
        data = photo.encode(
            self.format,
            quality=self.files.quality,
            strip_metadata=self.files.strip_metadata,
            observe=observe,
        )
        report = {"mask_reading": self.mask.how or "white is filled", **result.report}
        return Filled(data, self.format, photo, report)


def prepare(
    inputs: Inputs,
    settings: FillSettings,
    files: FileSettings,
    *,
    name: str = "",
    fit: bool = False,
    max_pixels: int = MAX_PIXELS,
    observe: Observer = ignore,
) -> Prepared:
    """Reads and checks all that a fill needs.

    ``name`` is the result's file name, whose ending may ask for a format. ``fit``: a mask of the photograph's
    proportions is brought to its size. What deserves a remark goes to ``observe``. Raises PhotoError, MaskError,
    SettingsError.
    """
    given = _named(inputs.photo)
    photo = Photo.open(
        given.source, allow_cmyk=files.allow_cmyk, page=files.page or None, max_pixels=max_pixels, observe=observe
    )

    def opened(source: Source | Mask, called: str, classes: str = "") -> Mask:
        mask = source
        if not isinstance(mask, Mask):
            mask = Mask.open(mask, mode=files.mask_mode, classes=classes, max_pixels=max_pixels, photo=given.name)
        mask = mask.fitted(photo.width, photo.height) if fit else mask
        mask.require_size(photo.width, photo.height, called + _quoted(source))
        if mask.how:
            observe(Warned(message=f"{called}{_quoted(source)}: {mask.how}."))
        return mask

    parts = [] if inputs.mask is None else [opened(inputs.mask, "The mask", files.mask_class)]
    parts += [Mask.from_boxes(inputs.boxes, photo.width, photo.height)] if inputs.boxes else []
    parts += [Mask.from_alpha(photo)] if inputs.alpha else []
    if inputs.infrared is not None:
        parts.append(infrared_mask(given.source, photo, inputs.infrared, max_pixels))
        observe(Warned(message=f"{parts[-1].how}."))
    if not parts:
        raise MaskError("Nothing says what to fill.", "Give a mask, or boxes.")
    for part in parts:
        if len(parts) > 1 and not part.hole.any():
            observe(Warned(message=f"One of the marks is empty: {part.seen}."))
    mask = parts[0]
    for part in parts[1:]:
        mask = mask.union(part)
    hole = mask.to_fill(settings)
    references = [_reference(other, number, max_pixels) for number, other in enumerate(inputs.references, 1)]
    if inputs.library is not None:
        from patchloom.library import Library  # which loads torch

        references += Library(inputs.library).like(photo, hole, inputs.from_library)
    format = photo.written_to(name, files.format)
    return Prepared(
        photo=photo,
        mask=mask,
        hole=hole,
        source=None if inputs.source is None else opened(inputs.source, "The source mask"),
        coarse=None if inputs.coarse is None else Photo.open(inputs.coarse, max_pixels=max_pixels),
        references=references,
        settings=settings,
        files=files,
        format=format,
    )


def infrared_mask(source: Source, photo: Photo, infrared: Source | int, max_pixels: int = MAX_PIXELS) -> Mask:
    """The dust of ``photo``, which was read from ``source``; see :class:`Inputs`. Raises PhotoError, MaskError."""
    if infrared == 0:
        return mask_of(photo)
    page = infrared if isinstance(infrared, int) else 1
    other = source if isinstance(infrared, int) else infrared
    return mask_of(photo, Photo.open(other, page=page, max_pixels=max_pixels, called="The infrared channel"))


def _reference(given: Source | Named, number: int, max_pixels: int) -> Reference:
    """Reads a reference, the ``number``-th, which may be of any depth and colours, for its light is brought to the
    photo's; of several pages the first. Raises PhotoError, which names it."""
    given = _named(given)
    name = given.name or str(number)
    photo = Photo.open(
        given.source, allow_cmyk=True, page=1, max_pixels=max_pixels, called=f"The reference '{name}'"
    )
    return Reference(photo, name)


def _named(given: Source | Named) -> Named:
    """By its file's name; without one, by none."""
    if isinstance(given, Named):
        return given
    return Named(given, Path(given).name if isinstance(given, str | Path) else "")


def _quoted(source: Source | Mask) -> str:
    """The file's name for a sentence, where it has one."""
    return f" '{source}'" if isinstance(source, str | Path) else ""
