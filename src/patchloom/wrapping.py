"""Edges that are neighbours: panoramas of 360 degrees, and textures that tile.

The engine knows nothing of it. The picture is rolled until its cut, where its first row or column lies, is in the
middle of the widest gap between holes: then no hole, and little of what is around one, is cut apart. Where holes
leave no gap, as a tripod's does at the foot of a panorama, all is filled with the cut somewhere, and what lies at
the cut is then filled once more with the cut elsewhere, between what is there already on both sides.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from patchloom.arrays import Bools
from patchloom.events import Event, FillDone, FillStarted, LevelDone, Observer, Step
from patchloom.mask import Mask
from patchloom.photo import Photo
from patchloom.references import Reference
from patchloom.settings import FillSettings

NEAR = 32  # pixels from a cut within which a hole is filled once more, at least

Shift = tuple[int, int]
"""By how much a picture is rolled, down and to the right."""


class Result(Protocol):
    """What a fill gives; see ``inpainter.FillResult``."""

    @property
    def photo(self) -> Photo: ...
    @property
    def report(self) -> dict[str, Any]: ...


class Pass(NamedTuple):
    """A part of the hole (H, W), and how the picture is rolled to fill it."""

    shift: Shift
    hole: Bools


def wrapped(
    fill: Callable[..., Result],
    photo: Photo,
    mask: Mask,
    settings: FillSettings,
    source: Mask | None,
    coarse: Photo | None,
    references: Sequence[Reference],
    observe: Observer,
) -> tuple[Photo, dict[str, Any]]:
    """``photo`` with ``mask`` filled by ``fill``, which takes what ``Inpainter.inpaint`` does, over the edges that
    ``settings.wrap`` makes neighbours; and the report. Raises what ``fill`` does."""
    axes = tuple(axis for axis, name in enumerate("yx") if name in settings.wrap)
    plain = replace(settings, wrap="off")
    plan = passes(mask.hole, axes) or [Pass((0, 0), mask.hole)]
    filled, report = photo, dict[str, Any]()
    for number, (shift, hole) in enumerate(plan):
        part = replace(mask, hole=np.roll(hole, shift, (0, 1)))
        grown = np.roll(part.to_fill(plain).hole, (-shift[0], -shift[1]), (0, 1))
        start = _with(filled, photo, grown & ~mask.hole)  # a rim that is blended is blended once
        result = fill(
            _rolled(start, shift),
            part,
            plain,
            source=source and replace(source, hole=np.roll(source.hole, shift, (0, 1))),
            coarse=coarse and _rolled(coarse, shift),
            references=references,
            observe=_heard(observe, shift, photo, number, len(plan)),
        )
        filled = _rolled(result.photo, (-shift[0], -shift[1]))
        report = _joined(report, result.report, shift, photo)
    return filled, report | {"settings": settings.to_dict()}


def passes(hole: Bools, axes: Sequence[int]) -> list[Pass]:
    """How to fill ``hole`` (H, W) where the edges along ``axes`` (0: top and bottom, 1: left and right) are
    neighbours: first all of it, then what is at a cut, again."""
    if not hole.any():
        return []
    cuts = {axis: _cut(hole, axis) for axis in axes}
    found = [Pass((-cuts.get(0, 0), -cuts.get(1, 0)), hole)]
    for axis, cut in cuts.items():
        found += passes(hole & _near(hole, axis, cut), axes)
    return found


def _cut(hole: Bools, axis: int) -> int:
    """Before which row (``axis`` 0) or column to cut: in the middle of the widest stretch with the least of
    the hole, none of it if there is such a stretch."""
    thickness = hole.sum(1 - axis)
    size = len(thickness)
    thicker = np.flatnonzero(thickness > thickness.min())
    if not len(thicker):
        return 0
    gaps = np.diff(thicker, append=thicker[0] + size)
    widest = int(gaps.argmax())
    return int(thicker[widest] + (gaps[widest] + 1) // 2) % size


def _near(hole: Bools, axis: int, cut: int) -> Bools:
    """Where along ``axis`` a hole at the ``cut`` would be filled once more, as far as the hole is thick there;
    nowhere, where nothing of it is within :data:`NEAR`. (H, 1) or (1, W)."""
    thickness = hole.sum(1 - axis)
    size = len(thickness)
    away = np.abs((np.arange(size) - cut + size // 2) % size - size // 2)
    at_cut = thickness[away <= min(NEAR, size // 8)]
    reach = min(max(NEAR, int(at_cut.max())), size // 4) if at_cut.any() else -1
    return np.expand_dims(away <= reach, 1 - axis)


def _rolled(photo: Photo, shift: Shift) -> Photo:
    def roll(grid: NDArray[Any]) -> NDArray[Any]:
        return np.roll(grid, shift, (0, 1))

    return _each(roll, photo)


def _with(photo: Photo, other: Photo, where: Bools) -> Photo:
    """``photo`` with the samples of ``other``, of the same shapes, where that is said."""

    def chosen(one: NDArray[Any], two: NDArray[Any]) -> NDArray[Any]:
        return np.where(where[..., None] if one.ndim == 3 else where, two, one)

    return _each(chosen, photo, other)


def _each(change: Callable[..., NDArray[Any]], *photos: Photo) -> Photo:
    """The first of ``photos``, with what ``change`` makes of every grid that all of them have."""

    def of(*grids: NDArray[Any] | None) -> NDArray[Any] | None:
        return None if any(grid is None for grid in grids) else np.ascontiguousarray(change(*grids))

    alpha, extra = of(*(one.alpha for one in photos)), of(*(one.extra for one in photos))
    return replace(photos[0], pixels=change(*(one.pixels for one in photos)), alpha=alpha, extra=extra)


def _unrolled(x: int, y: int, shift: Shift, photo: Photo) -> tuple[int, int]:
    """Where a window of the rolled picture begins in the photograph."""
    return (x - shift[1]) % photo.width, (y - shift[0]) % photo.height


def _heard(observe: Observer, shift: Shift, photo: Photo, number: int, of: int) -> Observer:
    """``observe`` for one pass of several: one beginning, one end, fractions of the whole, places in the
    photograph. A window over an edge has no picture that could be shown in one place."""
    unheard = (FillStarted,) * (number > 0) + (FillDone,) * (number < of - 1)

    def hear(event: Event) -> None:
        if isinstance(event, unheard):
            return
        if isinstance(event, Step):
            event = replace(event, fraction=(number + event.fraction) / of)
        elif isinstance(event, LevelDone):
            x, y = _unrolled(*event.box[:2], shift, photo)
            inside = x + event.box[2] <= photo.width and y + event.box[3] <= photo.height
            event = replace(event, box=(x, y, *event.box[2:]), preview=event.preview if inside else None)
        observe(event)

    return hear


def _joined(report: dict[str, Any], more: dict[str, Any], shift: Shift, photo: Photo) -> dict[str, Any]:
    """The report of passes until now and that of one more: its windows where they lie in the photograph, its
    seconds and warnings added."""
    windows = [
        row | dict(zip("xy", _unrolled(row["x"], row["y"], shift, photo), strict=True)) for row in more["windows"]
    ]
    added = {"windows": windows, "seconds": more["seconds"], "warnings": more["warnings"]}
    return more | {name: report.get(name, type(value)()) + value for name, value in added.items()}
