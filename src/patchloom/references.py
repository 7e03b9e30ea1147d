"""Other pictures as a source: what a reference shows of a photograph's hole.

A reference of the same scene is aligned: features (SIFT; Lowe 2004) matched in both, a homography that most of
them follow (RANSAC), refined round each hole until brightnesses agree (ECC; Evangelidis and Psarakis 2008).
OpenCV does all three. What cannot be aligned is said.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from patchloom.arrays import Bools, Floats
from patchloom.errors import MissingExtra
from patchloom.events import Observer, Warned
from patchloom.formats.picture import full_scale, to_eight_bit
from patchloom.kinds import AnyPicture, as_photo
from patchloom.method.reference import LEAST_SAME, reference_fill
from patchloom.photo import Photo
from patchloom.settings import FillSettings
from patchloom.tensors.boxes import Box, bounds
from patchloom.tensors.compose import composite, rim_weights

Matrix = NDArray[np.float64]

FEATURE_SIDE = 1600  # pixels; features are found in pictures no larger than this
DRIFT_SIDE = 480  # pixels; shifts of a whole picture are found in pictures no larger than this
RATIO = 0.75  # of the nearest and second-nearest descriptor's distances (Lowe)
RANSAC_PIXELS = 3.0
LEAST_INLIERS, LEAST_SHARE = 12, 0.2  # matches that one homography explains, and their part of all
CONTEXT = 96  # pixels round a hole in which the alignment is refined
LEAST_SIDE = 32  # pixels of a reference
TOO_SMALL = f"it is smaller than {LEAST_SIDE} pixels"


@dataclass(frozen=True)
class Reference:
    """Another picture, and what it is called in reports and remarks; ``texture_only``: it is of another scene."""

    photo: Photo
    name: str
    texture_only: bool = False


def as_reference(given: AnyPicture | Reference, number: int) -> Reference:
    """A picture of any kind as the reference of that ``number``."""
    return given if isinstance(given, Reference) else Reference(as_photo(given), str(number))


@dataclass(frozen=True)
class Used:
    """A reference in the report: how many ``matches`` agree on where it was taken from (``aligned``: enough), the
    share of the hole that it gave, ``why`` it gave nothing, and the share of the rest that is its ``texture``."""

    name: str
    aligned: bool
    matches: int
    given: float
    why: str = ""
    texture: float = 0.0


def take_over(
    photo: Photo, hole: Bools, references: Sequence[Reference], settings: FillSettings, observe: Observer
) -> tuple[Photo, Bools, list[Used]]:
    """``photo`` with what the references show of ``hole`` (H, W), what is left to fill, and a row a reference.

    Raises MissingExtra.
    """
    if not references or settings.align == "never":
        return photo, hole, [Used(one.name, False, 0, 0.0, "it was not to be aligned") for one in references]
    top = full_scale(photo.pixels)
    crop = bounds(hole).widened(2 * CONTEXT, hole.shape).slices  # all that windows round holes reach
    unit, taken, used = fill_from(photo.pixels, hole, references, top, crop)
    for row in used:
        if row.why:
            instead = "its texture is offered" if offers_texture(row, settings) else "it gives nothing"
            observe(Warned(message=f"The reference {row.name}: {row.why}; {instead}."))
    if not taken.any():
        return photo, hole, used
    pixels, weights = photo.pixels.copy(), rim_weights(hole[crop], settings.feather) * taken[crop]
    pixels[crop] = composite(pixels[crop], unit, weights, top)
    return photo.with_pixels(pixels), hole & ~taken, used


def offers_texture(row: Used, settings: FillSettings) -> bool:
    """Whether texture may be copied from the reference that gave ``row``.

    Not from one of the same scene that disagrees with the photograph: it may show what has to go.
    """
    searched = settings.matching == "searched"  # in the photograph alone
    return settings.align != "always" and not row.aligned and row.why != TOO_SMALL and not searched


def fill_from(
    pixels: NDArray[Any],
    hole: Bools,
    references: Sequence[Reference],
    top: float,
    crop: tuple[slice, slice],
) -> tuple[Floats, Bools, list[Used]]:
    """What the references show of ``hole`` (H, W) in ``pixels`` (H, W, C), one after another.

    Gives colours (h, w, C) in 0..1 of the ``crop`` that holds the hole, where in the hole they are (H, W), and a
    row a reference. ``top`` is the pixels' full scale. Raises MissingExtra.
    """
    unit = (pixels[crop] / np.float32(top)).astype(np.float32)
    left, base = hole.copy(), to_eight_bit(pixels)
    rows = []
    for reference in references:
        before = int(left.sum())
        row = Used(reference.name, False, 0, 0.0, "" if reference.texture_only else "nothing is left")
        if before and not reference.texture_only:
            row = _from_one(unit, base, hole, left, reference, crop)
        rows.append(replace(row, given=round((before - int(left.sum())) / max(1, int(hole.sum())), 4)))
    return unit, hole & ~left, rows


def _from_one(
    unit: Floats,
    base: NDArray[np.uint8],
    hole: Bools,
    left: Bools,
    reference: Reference,
    crop: tuple[slice, slice],
) -> Used:
    """Takes over what ``reference`` shows: changes ``unit``, which is of the ``crop``, and ``left``. ``base`` is
    the photo in eight bits."""
    name, photo = reference.name, reference.photo
    if min(photo.width, photo.height) < LEAST_SIDE:
        return Used(name, False, 0, 0.0, TOO_SMALL)
    other = photo.pixels if photo.pixels.dtype.itemsize <= 2 else photo.pixels.astype(np.float32)
    matrix, matches = homography(base, to_eight_bit(other), hole)
    if matrix is None:
        return Used(name, False, matches, 0.0, "it does not show the same scene")
    taken, agreement = from_aligned(unit, left[crop], other, photo.alpha, matrix @ _shift(crop))
    if taken:
        return Used(name, True, matches, 0.0)
    other_rim = max(agreement, default=0.0) < LEAST_SAME
    why = "it shows something else round the hole" if other_rim else "it shows the same in the hole"
    return Used(name, True, matches, 0.0, why)


def from_aligned(
    unit: Floats,
    wanted: Bools,
    other: NDArray[Any],
    alpha: NDArray[Any] | None,
    matrix: Matrix,
    *,
    same_light: bool = False,
) -> tuple[bool, list[float]]:
    """Takes over what ``other`` (H', W', C), seen through ``matrix``, shows of what is ``wanted`` (H, W) in
    ``unit`` (H, W, C) in 0..1: changes both. ``alpha`` (H', W'): where opaque, ``other`` has something to show.
    ``same_light``: both were exposed alike.

    Gives whether anything was taken, and how far each hole's rim agrees, 0..1. Raises MissingExtra.
    """
    taken, agreement = False, []
    labels, _ = ndimage.label(ndimage.maximum_filter(wanted.astype(np.uint8), CONTEXT // 2 + 1))
    for rows, columns in ndimage.find_objects(labels):
        area = Box(rows.start, columns.start, rows.stop, columns.stop)
        window = area.widened(CONTEXT, wanted.shape).slices
        warped, seen = warp(unit, other, wanted, matrix, window, alpha)
        found = reference_fill(unit[window], wanted[window], warped, seen, same_light=same_light)
        unit[window] = found.picture
        wanted[window] &= ~found.taken
        taken |= bool(found.taken.any())
        agreement += found.agreement
    return taken, agreement


def homography(photo: NDArray[np.uint8], other: NDArray[np.uint8], hole: Bools) -> tuple[Matrix | None, int]:
    """The matrix (3, 3) that takes points x, y of ``photo`` (H, W, C) to ``other``, and how many matches
    follow it.

    None where too few do. Nothing in ``hole`` is looked at.
    """
    cv2 = opencv()
    sift = cv2.SIFT_create(4000)
    found, scales = [], []
    for picture, mask in ((photo, ~hole), (other, None)):
        scale = min(1.0, FEATURE_SIDE / max(picture.shape[:2]))
        size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
        grey = cv2.resize(_grey(picture), size, interpolation=cv2.INTER_AREA)
        known = None if mask is None else _all_known(mask, size)
        found.append(sift.detectAndCompute(grey, known))
        scales.append(np.diag([size[0] / picture.shape[1], size[1] / picture.shape[0], 1.0]))
    (points, one), (others, two) = found
    if one is None or two is None or len(points) < LEAST_INLIERS or len(others) < LEAST_INLIERS:
        return None, 0
    pairs = [pair for pair in cv2.BFMatcher().knnMatch(one, two, k=2) if len(pair) == 2]
    good = [first for first, second in pairs if first.distance < RATIO * second.distance]
    if len(good) < LEAST_INLIERS:
        return None, len(good)
    source = np.array([points[match.queryIdx].pt for match in good], np.float64)
    target = np.array([others[match.trainIdx].pt for match in good], np.float64)
    matrix, inliers = cv2.findHomography(source, target, cv2.USAC_MAGSAC, RANSAC_PIXELS, None, 5000, 0.999)
    count = 0 if inliers is None else int(inliers.sum())
    if matrix is None or count < max(LEAST_INLIERS, LEAST_SHARE * len(good)) or not _sane(matrix):
        return None, count
    return np.linalg.inv(scales[1]) @ matrix @ scales[0], count


def drift(photo: NDArray[np.uint8], other: NDArray[np.uint8], hole: Bools) -> Matrix:
    """The shift, as a matrix (3, 3), that takes points x, y of ``photo`` (H, W, C) to ``other``, of its size: by
    phase correlation (Kuglin and Hines 1975), refined (ECC). Nothing in ``hole`` is looked at. It need not be
    right.
    """
    cv2 = opencv()
    scale = min(1.0, DRIFT_SIDE / max(hole.shape))
    size = (round(hole.shape[1] * scale), round(hole.shape[0] * scale))
    known = _all_known(~hole, size) > 0
    one, two = (cv2.resize(_grey(each), size, interpolation=cv2.INTER_AREA) for each in (photo, other))
    level = one[known].mean() if known.any() else 0
    one, two = (np.where(known, each, level).astype(np.float32) for each in (one, two))
    (x, y), _ = cv2.phaseCorrelate(one, two, cv2.createHanningWindow(size, cv2.CV_32F))
    moved = np.array([[1, 0, x], [0, 1, y]], np.float32)
    with contextlib.suppress(cv2.error):  # raised where it finds nothing to hold on to
        criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 60, 1e-5)
        mask = known.astype(np.uint8) * 255
        _, moved = cv2.findTransformECC(one, two, moved, cv2.MOTION_TRANSLATION, criteria, mask, 5)
    return np.array([[1, 0, moved[0, 2] / scale], [0, 1, moved[1, 2] / scale], [0, 0, 1]], np.float64)


def _all_known(known: Bools, size: tuple[int, int]) -> NDArray[np.uint8]:
    """``known`` (H, W) at ``size`` (width, height): 255 where all pixels under one are, else 0."""
    small = opencv().resize(np.where(known, 255, 0).astype(np.uint8), size, interpolation=opencv().INTER_AREA)
    return np.where(small == 255, 255, 0).astype(np.uint8)


def _sane(matrix: Matrix) -> bool:
    """Neither mirrored nor squeezed to a line: what a camera moved a little can see."""
    area = float(np.linalg.det(matrix[:2, :2] / matrix[2, 2]))
    return 0.05 < area < 20


def warp(
    unit: Floats,
    other: NDArray[Any],
    hole: Bools,
    matrix: Matrix,
    window: tuple[slice, slice],
    alpha: NDArray[Any] | None = None,
) -> tuple[Floats, Bools]:
    """``other``, of any depth, as it is seen in ``window`` of ``unit``, (h, w, C) in 0..1, and where it has
    pixels, (h, w).

    The alignment is refined in the window, as far as it then agrees better.
    """
    cv2 = opencv()
    rows, columns = window
    here = matrix @ _shift(window)
    here /= here[2, 2]
    size = (columns.stop - columns.start, rows.stop - rows.start)
    known = ~hole[window]
    photo = _grey(to_eight_bit(unit[window]))
    first = seen_through(other, here, size, alpha)
    views = [first]
    both = first[1] & known
    with contextlib.suppress(cv2.error):  # raised where it finds nothing to hold on to
        criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 60, 1e-6)
        begun = np.eye(3, dtype=np.float32)
        mask = both.astype(np.uint8) * 255
        template = _grey(to_eight_bit(first[0]))
        _, moved = cv2.findTransformECC(template, photo, begun, cv2.MOTION_HOMOGRAPHY, criteria, mask, 5)
        views.append(seen_through(other, here @ np.linalg.inv(moved.astype(np.float64)), size, alpha))
    likeness = [_likeness(photo[both], _grey(to_eight_bit(view))[both]) for view, _ in views]
    view, seen = views[int(np.argmax(likeness))]
    return _channels(view, unit.shape[2]), seen


def _shift(window: tuple[slice, slice]) -> Matrix:
    """From points of the ``window`` to points of what it was cut from."""
    rows, columns = window
    return np.array([[1, 0, columns.start], [0, 1, rows.start], [0, 0, 1.0]])


def seen_through(
    other: NDArray[Any], matrix: Matrix, size: tuple[int, int], alpha: NDArray[Any] | None
) -> tuple[Floats, Bools]:
    """``other`` seen through ``matrix`` in a picture of ``size`` (width, height), and where it has pixels."""
    cv2 = opencv()
    cubic, linear = (how | cv2.WARP_INVERSE_MAP for how in (cv2.INTER_CUBIC, cv2.INTER_LINEAR))
    view = cv2.warpPerspective(other, matrix, size, flags=cubic, borderMode=cv2.BORDER_REPLICATE)
    whole = np.full(other.shape[:2], 255, np.uint8) if alpha is None else to_eight_bit(alpha)
    seen = cv2.warpPerspective(whole, matrix, size, flags=linear) > 250
    unit = view.reshape(*view.shape[:2], -1).astype(np.float32) / np.float32(full_scale(other))
    return unit.clip(0, 1), seen


def _likeness(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    """The correlation of two sets of brightnesses; 0 where one of them is flat."""
    a, b = a.astype(np.float32), b.astype(np.float32)
    spread = float(a.std() * b.std())
    return float(((a - a.mean()) * (b - b.mean())).mean()) / spread if spread > 0 else 0.0


def _grey(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W, 1 or 3) or (H, W) -> (H, W)."""
    if picture.ndim == 2:
        return picture
    return picture[..., 0] if picture.shape[2] == 1 else np.asarray(opencv().cvtColor(picture, 7), np.uint8)


def _channels(picture: Floats, count: int) -> Floats:
    """With ``count`` channels, 1 or 3."""
    if picture.shape[2] == count:
        return picture
    return picture.mean(2, keepdims=True) if count == 1 else np.repeat(picture, 3, 2)


def opencv() -> Any:
    """OpenCV, or MissingExtra."""
    try:
        import cv2
    except ModuleNotFoundError as error:
        raise MissingExtra(
            "Aligning references needs OpenCV.",
            "pip install 'patchloom[align]'; {align never} copies their texture without.",
        ) from error
    return cv2
