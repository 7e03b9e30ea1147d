"""Several shots of one scene: :func:`burst` takes out of the first what moves, or what a mask marks.

Without a mask, the shots are aligned to the first; what most of them show at a pixel is its median. Where the
first shot is far from it, something moved through; only there its pixels change.
"""

import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Unpack, cast

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from patchloom.arrays import Bools
from patchloom.errors import InputError
from patchloom.events import FillDone, FillStarted, Observer, Step, Warned, aloud, ignore
from patchloom.formats.picture import as_unit, full_scale, to_eight_bit
from patchloom.inpainter import FillResult, Inpainter
from patchloom.kinds import AnyMask, Kind, as_mask, of_kind
from patchloom.mask import Mask
from patchloom.method.reference import exposed, reference_fill
from patchloom.overrides import FillOverrides
from patchloom.photo import Photo
from patchloom.references import LEAST_SIDE, Reference, Used, as_reference, homography, warp
from patchloom.settings import PRESETS, FillSettings, Preset, RunSettings, fill_settings
from patchloom.tensors.boxes import component_sizes
from patchloom.tensors.compose import composite
from patchloom.tensors.modes import own_modes

LEAST_SHOTS = 3  # that a median is of; of two, nobody can say which one is right
MOVED = 0.1  # colour difference to the median, smoothed, of what moves
LEAST_MOVED = 32  # pixels; smaller specks are noise
SHADOW = 6  # pixels round what moves that are taken out with it
ROWS = 256  # of pictures, of which medians are taken at a time


@own_modes()
def cleared(
    shots: Sequence[Reference],
    mask: Mask | None = None,
    settings: FillSettings = PRESETS["balanced"],
    *,
    inpainter: Inpainter | None = None,
    observe: Observer = ignore,
) -> FillResult:
    """The first of ``shots`` without what ``mask`` marks or, where there is none, without what moves.

    All pixels but those are the first shot's, bit for bit. What no other shot shows is filled from the first
    itself, with ``settings``. The report's ``references`` say what became of every other shot. Raises
    InputError for fewer shots than it takes or shots that cannot be aligned, MissingExtra, and what
    :meth:`Inpainter.inpaint` raises.
    """
    inpainter = inpainter or Inpainter()
    if len(shots) < 2:
        raise InputError("One shot is no burst.", "Give two with a mask, or three and more.")
    first, others = shots[0].photo, shots[1:]
    if mask is not None:
        return inpainter.inpaint(first, mask, settings, references=others, observe=observe)
    if len(shots) < LEAST_SHOTS:
        raise InputError("Of two shots nobody can say which one is right.", "Give a third, or a mask with {mask}.")
    begun = time.perf_counter()
    observe(FillStarted(width=first.width, height=first.height, windows=1, hole_share=0.0))
    middle, seen, used = _median(first, others, observe)
    unit = as_unit(first.pixels)
    moved = moving(unit, middle, seen)
    found = reference_fill(unit, moved, middle, seen)
    pixels = composite(first.pixels, found.picture, found.taken.astype(np.float32), full_scale(first.pixels))
    cleaned, left = first.with_pixels(pixels), moved & ~found.taken
    rows = {"references": [asdict(row) for row in used], "moved": round(float(moved.mean()), 5)}
    if left.any():
        rest = inpainter.inpaint(cleaned, Mask(left), settings, observe=observe)
        return FillResult(rest.photo, rest.report | rows)
    if not moved.any():
        observe(Warned(message="Nothing moves between the shots: the first is returned unchanged."))
    seconds = time.perf_counter() - begun
    observe(FillDone(seconds=seconds))
    return FillResult(cleaned, {"settings": settings.to_dict(), "seconds": round(seconds, 3), **rows})


def burst(
    shots: Sequence[Kind],
    mask: AnyMask | None = None,
    *,
    preset: Preset = "balanced",
    observe: Observer = aloud,
    run: RunSettings | None = None,
    **overrides: Unpack[FillOverrides],
) -> Kind:
    """The first of ``shots`` without what ``mask`` marks or, where there is none, without what moves; of its kind
    (NumPy, Pillow or Photo). Paths give Photos: ``Photo.open`` each.

    Pictures and masks as :func:`patchloom.inpaint` takes them; ``overrides`` are fields of :class:`FillSettings`.
    Raises PatchloomError, as :func:`cleared` does.
    """
    result = cleared(
        [as_reference(shot, number) for number, shot in enumerate(shots, 1)],
        None if mask is None else as_mask(mask),
        fill_settings(preset, **overrides),
        inpainter=Inpainter(run),
        observe=observe,
    )
    return cast(Kind, of_kind(shots[0], result.photo))


def moving(unit: NDArray[np.float32], middle: NDArray[np.float32], seen: Bools) -> Bools:
    """(H, W): where ``unit`` (H, W, C) shows something else than ``middle``, and what is close around it.

    Misalignment by a fraction of a pixel draws thin lines along edges; they are not opened up into regions.
    """
    difference = np.abs(ndimage.gaussian_filter(unit - middle, (1.5, 1.5, 0))).max(2)
    moved = ndimage.binary_opening((difference > MOVED) & seen, iterations=2)
    large = component_sizes(moved, corners=False) >= LEAST_MOVED
    if not large.any():
        return large
    # The softer outskirts of what moves belong to it: all that differs by half as much and hangs together with it.
    whole = ndimage.binary_propagation(large, mask=(difference > MOVED / 2) & seen)
    return np.asarray(ndimage.distance_transform_edt(~whole) <= SHADOW) & seen


def _median(
    first: Photo, others: Sequence[Reference], observe: Observer
) -> tuple[NDArray[np.float32], Bools, list[Used]]:
    """(H, W, C) in 0..1: the median of all shots as seen from the first; where all of them see (H, W); a row
    each.
    """
    base = to_eight_bit(first.pixels)
    unit = as_unit(base)
    nothing = np.zeros(base.shape[:2], bool)
    stack, everywhere, used = [base], ~nothing, []
    whole = slice(0, first.height), slice(0, first.width)
    for number, shot in enumerate(others, 1):
        other = to_eight_bit(shot.photo.pixels)
        matrix, matches = homography(base, other, nothing) if min(other.shape[:2]) >= LEAST_SIDE else (None, 0)
        row = Used(shot.name, matrix is not None, matches, 0.0)
        if matrix is None:
            row = replace(row, why="it does not show the same scene")
            observe(Warned(message=f"The shot {shot.name} is left out: {row.why}."))
        else:
            view, seen = warp(unit, other, nothing, matrix, whole, shot.photo.alpha)
            stack.append(to_eight_bit(exposed(view, unit, seen)))
            everywhere &= seen
        used.append(row)
        observe(Step(level=0, step=number, of=len(others), fraction=0.9 * number / len(others)))
    if len(stack) < LEAST_SHOTS:
        raise InputError(
            "Fewer than three of the shots show the same scene from about the same place.",
            "Give more shots, or mark what has to go with {mask}.",
        )
    middle = np.empty(base.shape, np.float32)
    for top in range(0, base.shape[0], ROWS):
        rows = slice(top, top + ROWS)
        middle[rows] = np.median([picture[rows] for picture in stack], axis=0) / 255
    return middle, everywhere, used
