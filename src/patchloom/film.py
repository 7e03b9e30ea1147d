"""Frames of a film, filled one after another so that nothing flickers: :func:`fill_frames`.

What frames before and after show of a hole is taken from them. What none shows is filled once, in the first frame
that needs it, and carried from there along the camera's motion into the frames that follow, under grain of their
own. Where the scene is cut, both begin anew.

A homography is the motion of a camera that turns, or of a plane; round each hole it is refined until brightnesses
agree, and where they do not, what another frame shows is not taken (``references.py``).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple, Unpack, cast

import numpy as np
from scipy import ndimage

from patchloom.arrays import Bools, Floats
from patchloom.dust import dust_in
from patchloom.errors import InputError
from patchloom.events import FillDone, FillStarted, Observer, aloud, ignore
from patchloom.formats.picture import as_unit, full_scale, to_eight_bit
from patchloom.inpainter import FillResult, Inpainter
from patchloom.kinds import AnyMask, AnyPicture, Kind, as_mask, as_photo, of_kind
from patchloom.mask import Mask
from patchloom.method import grain
from patchloom.overrides import FillOverrides
from patchloom.photo import Photo
from patchloom.references import Matrix, drift, from_aligned, homography, seen_through
from patchloom.settings import FillSettings, Preset, RunSettings, fill_settings
from patchloom.tensors.compose import composite, rim_weights

REACH = (1, 2, 3, 5, 8)  # frames before and after that are asked, the nearest first
KEPT = 2 * max(REACH) + 4  # frames that are held in memory
MOST_ANCHORS = 3  # frames whose fill is carried on, the last ones
WORTH = 0.02  # of what is left of a hole that a frame has to show, for a look at it
SAME_SCENE, SAME_LIGHT = 0.6, 0.05  # correlation of aligned frames, or mean difference, of one scene
SIMPLER = 0.98  # of the difference that a simpler motion leaves, for another to be taken
AROUND, FAR = 2, 32  # pixels from a hole between which grain is measured
MOST_GRAIN = 0.1  # of full scale
BLANK = -1.0  # stands in a hole, and is like nothing that a frame may show


class Frame(NamedTuple):
    """A frame, and its hole (H, W) as it is to be filled."""

    photo: Photo
    hole: Bools


class Frames:
    """``count`` frames, which ``read`` reads by their numbers, from 0; the last ones asked for are kept."""

    def __init__(self, count: int, read: Callable[[int], Frame]) -> None:
        self.count, self.read = count, lru_cache(KEPT)(read)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, number: int) -> Frame:
        return self.read(number)


class Film:
    """Fills ``frames``, in their order, each with :meth:`fill` and then :meth:`carry_on`. ``dust``: marks on one
    frame alone are filled as well, if they differ by so much of full scale; 0 looks for none."""

    def __init__(
        self, frames: Frames, settings: FillSettings, inpainter: Inpainter | None = None, *, dust: float = 0.0
    ) -> None:
        self.frames, self.inpainter, self.dust = frames, inpainter or Inpainter(), dust
        self.settings = replace(settings, grow=0)  # holes are grown already
        self.scene = 0  # the number of its first frame
        self._anchors: list[Photo] = []
        self._step = lru_cache(KEPT)(self._step_from)
        self.hole = lru_cache(KEPT)(self._hole_of)

    def fill(self, number: int, observe: Observer = ignore) -> FillResult:
        """The frame of that ``number``, filled. The report says of which ``scene`` it is, and what share of its
        hole was ``given`` by other frames, ``carried`` on, and ``invented``, and how strong its ``noise`` is.
        Raises what ``Inpainter.inpaint`` does, and MissingExtra."""
        if number and self._step(number - 1) is None:
            self._enter(number)
        photo, hole = self.frames[number].photo, self.hole(number)
        report: dict[str, Any] = {"frame": number, "scene": self.scene, "hole": round(float(hole.mean()), 5)}
        if not hole.any():
            return FillResult(photo, report | {"given": 0.0, "carried": 0.0, "invented": 0.0})
        unit = np.where(hole[..., None], np.float32(BLANK), as_unit(photo.pixels))
        left = hole.copy()
        self._given(number, unit, left)
        after = left.copy()
        noise = self._noise(number, hole)
        self._carried(number, unit, left, noise)
        pixels = composite(
            photo.pixels,
            unit.clip(0, 1),
            rim_weights(hole, self.settings.feather) * (hole & ~left),
            full_scale(photo.pixels),
        )
        result = self._filled(photo.with_pixels(pixels), left, observe)
        report["noise"] = noise
        parts = {"given": hole & ~after, "carried": after & ~left, "invented": left}
        shares = {name: round(float(part.sum() / hole.sum()), 4) for name, part in parts.items()}
        return FillResult(result, report | shares)

    def carry_on(self, filled: Photo | Callable[[], Photo], report: Mapping[str, Any]) -> None:
        """Frames after this one take what was ``invented`` in it, as the ``report`` of its fill says, without its
        grain from the ``filled`` frame: the picture, or what reads it where it is needed."""
        self._enter(report["scene"])
        if not report["invented"]:
            return
        photo = filled if isinstance(filled, Photo) else filled()
        unit, everywhere = as_unit(photo.pixels), np.ones(photo.pixels.shape[:2], bool)
        calm = grain.denoised(unit, everywhere, grain.Grain(0, report["noise"]), grain.Grain(0, 0))
        pixels = composite(photo.pixels, calm.clip(0, 1), everywhere.astype(np.float32), full_scale(photo.pixels))
        self._anchors = [*self._anchors, photo.with_pixels(pixels)][-MOST_ANCHORS:]

    def _enter(self, scene: int) -> None:
        if scene != self.scene:
            self.scene, self._anchors = scene, []

    def _filled(self, photo: Photo, left: Bools, observe: Observer) -> Photo:
        """What no frame shows, filled from the frame itself."""
        if not left.any():
            observe(FillStarted(width=photo.width, height=photo.height, windows=0, hole_share=0.0))
            observe(FillDone(seconds=0.0))
            return photo
        settings = replace(self.settings, feather=0)
        return self.inpainter.inpaint(photo, Mask(left), settings, observe=observe).photo

    def _given(self, number: int, unit: Floats, left: Bools) -> None:
        """Takes what frames near show: changes ``unit`` and ``left``."""
        for offset in (sign * away for away in REACH for sign in (-1, 1)):
            other = number + offset
            if not left.any():
                return
            matrix = self._way(number, other) if 0 <= other < len(self.frames) else None
            if matrix is None:
                continue
            known = np.where(self.hole(other), 0, 255).astype(np.uint8)
            _, seen = seen_through(known, matrix, left.shape[::-1], known)
            if (seen & left).sum() >= WORTH * left.sum():
                from_aligned(unit, left, self.frames[other].photo.pixels, known, matrix, same_light=True)

    def _carried(self, number: int, unit: Floats, left: Bools, noise: float) -> None:
        """Takes what earlier fills of the scene show, under grain of this frame's own."""
        before = left.copy()
        for anchor in reversed(self._anchors):
            if not left.any():
                break
            photo = self.frames[number].photo
            matrix = motion(to_eight_bit(photo.pixels), to_eight_bit(anchor.pixels), self.hole(number))
            if matrix is not None:
                from_aligned(unit, left, anchor.pixels, None, matrix, same_light=True)
        taken = before & ~left
        fresh = np.random.default_rng((self.settings.seed, number)).standard_normal(unit.shape, np.float32)
        unit[taken] += np.float32(noise) * fresh[taken]

    def _step_from(self, number: int) -> Matrix | None:
        """From a frame to the next; None where the scene is cut between them."""
        try:
            here, there = self.frames[number], self.frames[number + 1]
        except InputError:  # a frame that cannot be read is in no scene
            return None
        if here.photo.pixels.shape != there.photo.pixels.shape:
            return None
        return motion(to_eight_bit(here.photo.pixels), to_eight_bit(there.photo.pixels), here.hole)

    def _way(self, number: int, other: int) -> Matrix | None:
        """From frame ``number`` to frame ``other``; None where the scene is cut between them."""
        matrix: Matrix = np.eye(3)
        for step in range(min(number, other), max(number, other)):
            part = self._step(step)
            if part is None:
                return None
            matrix = part @ matrix
        return matrix if other > number else np.asarray(np.linalg.inv(matrix), np.float64)

    def _hole_of(self, number: int) -> Bools:
        """A frame's hole, and its dust."""
        frame = self.frames[number]
        if not self.dust:
            return frame.hole
        near = [offset for offset in (-1, 1, -2, 2) if 0 <= number + offset < len(self.frames)]
        views: list[tuple[Floats, Bools]] = []
        for offset in near:
            matrix = self._way(number, number + offset)
            if matrix is not None and len(views) < 2:
                pixels = self.frames[number + offset].photo.pixels
                views.append(seen_through(pixels, matrix, frame.hole.shape[::-1], None))
        if len(views) < 2:
            return frame.hole
        seen = views[0][1] & views[1][1] & ~frame.hole
        return frame.hole | dust_in(as_unit(frame.photo.pixels), views[0][0], views[1][0], seen, self.dust)

    def _noise(self, number: int, hole: Bools) -> float:
        """The deviation of grain, of full scale, by what differs between neighbouring frames round the hole."""
        away = ndimage.distance_transform_edt(~hole)
        ring = (away > AROUND) & (away <= FAR)
        for other in (number - 1, number + 1):
            matrix = self._way(number, other) if 0 <= other < len(self.frames) else None
            if matrix is None:
                continue
            frame = self.frames[other]
            view, seen = seen_through(frame.photo.pixels, matrix, hole.shape[::-1], None)
            both = ring & seen
            if both.any():
                difference = (as_unit(self.frames[number].photo.pixels) - view)[both]
                spread = np.median(np.abs(difference - np.median(difference, axis=0)))
                return float(min(MOST_GRAIN, 1.4826 * spread / np.sqrt(2)))
        return 0.0


def motion(here: Any, there: Any, hole: Bools) -> Matrix | None:
    """The matrix (3, 3) that takes points x, y of the frame ``here`` (H, W, C) uint8 to the frame ``there``; None
    where they show two scenes. Nothing in ``hole`` (H, W) is looked at. Raises MissingExtra."""
    matrix, _ = homography(here, there, hole)
    ways = [np.eye(3), drift(here, there, hole)] + ([] if matrix is None else [matrix])
    size = hole.shape[::-1]
    best = None
    for way in ways:  # the simplest that explains the most
        view, seen = seen_through(there, way, size, None)
        both = ndimage.binary_erosion(seen & ~hole, iterations=2)
        if both.mean() < 0.1:
            continue
        one, other = (ndimage.gaussian_filter(each.mean(2), 1.5)[both] for each in (here / 255.0, view))
        difference = float(np.abs(one - other).mean())
        alike = float(np.corrcoef(one, other)[0, 1]) if min(one.std(), other.std()) > 1e-3 else 0.0
        if (alike >= SAME_SCENE or difference <= SAME_LIGHT) and (best is None or difference < SIMPLER * best[0]):
            best = difference, way
    return None if best is None else best[1]


def fill_frames(
    frames: Sequence[Kind],
    masks: Sequence[AnyMask | None] | AnyMask | None = None,
    *,
    dust: float = 0.0,
    preset: Preset = "balanced",
    observe: Observer = aloud,
    run: RunSettings | None = None,
    **overrides: Unpack[FillOverrides],
) -> Iterator[Kind]:
    """The ``frames`` of a film one after another, filled; each of the kind that was given.

    ``masks``: one for each frame (None: nothing to fill), or one for all. ``dust``, such as ``.06``: marks on one
    frame alone, which differ by that much of full scale, are filled as well. ``frames`` and ``masks`` may be
    sequences of any class, so that a long film need not lie in memory. ``overrides`` are fields of
    :class:`FillSettings`. Raises PatchloomError.
    """
    settings = fill_settings(preset, **overrides)
    film = Film(_given(frames, masks, settings), settings, Inpainter(run), dust=dust)
    for number in range(len(frames)):
        result = film.fill(number, observe)
        film.carry_on(result.photo, result.report)
        yield cast(Kind, of_kind(frames[number], result.photo))


def _given(
    frames: Sequence[AnyPicture], masks: Sequence[AnyMask | None] | AnyMask | None, settings: FillSettings
) -> Frames:
    """Frames from arrays or pictures."""
    if isinstance(masks, Sequence) and not isinstance(masks, str):
        each: Sequence[AnyMask | None] = masks
    else:
        each = [masks] * len(frames)
    if len(each) != len(frames):
        raise InputError(f"There are {len(frames)} frames and {len(each)} masks.", "Give one for each, or one.")

    def read(number: int) -> Frame:
        photo, mask = as_photo(frames[number]), each[number]
        return Frame(photo, hole_of(photo, None if mask is None else as_mask(mask), settings))

    return Frames(len(frames), read)


def hole_of(photo: Photo, mask: Mask | None, settings: FillSettings) -> Bools:
    """What of a frame is filled, (H, W). Raises MaskError."""
    if mask is None:
        return np.zeros(photo.pixels.shape[:2], bool)
    mask.require_size(photo.width, photo.height)
    return mask.to_fill(settings).hole
