"""What a picture of a mask marks, told by its values alone.

Masks come as white on black, as class ids, as palette indices, as paint of any colour on black or on nothing, and
as photographs with a part cut out. Each function here knows one of these and says how it has read the picture.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from patchloom.arrays import Bools
from patchloom.errors import MaskError
from patchloom.formats.picture import full_scale

LABELS = 32
"""Distinct values in a picture of class ids that need no further evidence that they are no shades."""

_COLOURFUL = 0.25  # of full scale between the largest and the smallest channel: a marking, not a grey
_FLAT = 0.7  # of the pairs of neighbours in a picture of class ids are equal, at least
_SHADE = 0.8  # of the pairs of neighbours that differ, differ by one in a wide soft edge, at least
_SURE = 2.0  # times as many pixels white as of other values, or the other way round, decide what white is
_UNSURE = 0.1  # of a picture: so near to half, what can be seen is neither surely paint nor surely the rest
_VISIBLE = 1 / 32  # of full scale between the darkest and the brightest value: more than noise


class Marks(NamedTuple):
    """``hole`` (H, W): True is filled. ``how`` the picture was read, empty where it is white on black; ``seen``:
    its values, for whoever wonders why nothing is marked."""

    hole: Bools
    how: str
    seen: str


def marked(
    pixels: NDArray[Any],
    alpha: NDArray[Any] | None = None,
    palette: tuple[NDArray[Any], NDArray[Any]] | None = None,
    *,
    exact: bool = True,
) -> Marks:
    """What a picture marks: ``pixels`` (H, W, 1 or 3), ``alpha`` (H, W); of a palette picture the indices (H, W)
    and the table (N, 4) of RGBA, 0..255. ``exact``: no value comes from lossy coding."""
    marks = None if palette is None else of_indices(*palette)
    if marks is None and alpha is not None:
        marks = of_alpha(pixels, alpha)
    return marks or of_colours(pixels, exact=exact)


def of_classes(
    pixels: NDArray[Any],
    palette: tuple[NDArray[Any], NDArray[Any]] | None,
    classes: Sequence[str],
    *,
    exact: bool,
) -> Marks:
    """Class ids, of which ``classes`` are marked; see :func:`marked`. Raises MaskError for what holds no ids."""
    values = pixels[..., 0] if palette is None else palette[0]
    if not exact or (palette is None and (pixels != values[..., None]).any()):
        why = "has colours" if exact else "was coded with loss"
        raise MaskError(f"The mask {why}: its values are no class ids.", "Leave out {mask_class}.")
    used = np.unique(values)
    chosen = [value for value in used.tolist() if f"{value:d}" in classes]
    return Marks(np.isin(values, chosen), "", f"its class ids are {_span(used)}")


def of_indices(indices: NDArray[Any], table: NDArray[Any]) -> Marks | None:
    """Class ids: every index but 0, where 0 is black, as in PASCAL VOC. None for a palette of black and white."""
    used = np.unique(indices)
    colours = table[used, :3].astype(int)
    black_and_white = np.ptp(colours, axis=1).max() <= 8 and colours.min() <= 127 < colours.max()
    background = not table[0, :3].any() or table[0, 3] == 0 or len(np.unique(colours, axis=0)) == 1
    if black_and_white or not background:
        return None
    return Marks(indices != 0, "every palette index but 0 is filled", f"its palette indices are {_span(used)}")


def of_alpha(pixels: NDArray[Any], alpha: NDArray[Any]) -> Marks | None:
    """Paint on an empty layer marks what is painted, a picture with a hole cut out what is cut. None where the
    transparency has nothing to say."""
    half = full_scale(alpha) / 2
    visible, clear = alpha > 0, alpha <= half
    seen = f"its transparency is {_span(np.unique(alpha))}"
    if alpha.min() == alpha.max() or not clear.any():
        return None
    shown = pixels[alpha > half] if (alpha > half).any() else pixels[visible]
    plain, share = bool((shown == shown[0]).all()), float(visible.mean())
    # One colour is paint, or what is left of a black or white sheet; many are a photograph, or paint of several.
    if abs(share - 0.5) < _UNSURE or (plain and share > 0.5 and shown.max() > half):
        raise _two_readings(
            f"{share:.0%} of it can be seen",
            "{mask_mode alpha} fills what is transparent, {mask_mode labels} what is not",
        )
    if share < 0.5:
        return Marks(visible, "what is painted on transparency is filled", seen)
    return Marks(clear, "transparent pixels are filled", seen)


def of_colours(pixels: NDArray[Any], *, exact: bool) -> Marks:
    """White or any colour on black, or class ids: by the largest channel."""
    marks = of_values(pixels.max(axis=-1), full_scale(pixels), exact=exact)
    if marks.how or not colourful(pixels).any():
        return marks
    return marks._replace(how="bright pixels of any colour are filled")


def of_values(values: NDArray[Any], full: float, *, exact: bool, shades: bool = True) -> Marks:
    """``values`` (H, W), none negative, by half of ``full``; if they are class ids, all but 0.

    ``shades``: where hardly anything reaches half of ``full``, half of what is reached counts: a pale brush."""
    numbers, counts = _counted(values)
    low, high = float(numbers[0]), float(numbers[-1])
    in_deep = full > 255 >= high  # 8 bits in 16
    full = 255 if in_deep else full
    seen = f"its values are {_span(numbers)}, and more than {full / 2:g} is filled"
    bright = counts[numbers > full / 2].sum()
    dark = counts[(numbers > 0) & (numbers <= full / 2)].sum()
    labels = exact and low == 0 and dark and not _is_noise(numbers, full) and _is_flat(values, full / 2)
    labels = labels and (len(numbers) <= LABELS or not _is_shade(values))
    white = counts[numbers == full].sum()
    others = counts[numbers > 0].sum() - white
    if labels and 1 / _SURE < white / others < _SURE:
        raise _two_readings(
            f"its values are {_span(numbers)}, of which {full:g} is white, or one of them",
            "{mask_mode labels} fills every value but 0, {mask_mode white} the bright ones alone",
        )
    if labels and others > white:
        return Marks(values != 0, f"every value but 0 is filled; it has {_span(numbers)}", seen)
    middle = (low + high) / 2
    pale = bright < counts[numbers > middle].sum() / 2
    if shades and pale and low <= full / 16 and high - low > full * _VISIBLE:
        return Marks(values > middle, f"more than {middle:g} is filled, as it has {_span(numbers)}", seen)
    how = (
        f"only more than {full / 2:g} is filled; it has {_span(numbers)}" if in_deep or (labels and bright) else ""
    )
    return Marks(values > full / 2, how, seen)


def _two_readings(what: str, options: str) -> MaskError:
    return MaskError(
        f"The mask can be read in two ways: {what}.", f"{options}; in a program, give True and False."
    )


def _is_noise(numbers: NDArray[Any], full: float) -> bool:
    """Whether ``numbers`` lie around black and around white: what lossy coding once made of these two."""
    near_white = (numbers >= 0.9 * full) & (numbers < full)
    return bool(near_white.any() and not ((numbers > 0.1 * full) & (numbers < 0.9 * full)).any())


def _is_shade(values: NDArray[Any]) -> bool:
    """Whether most neighbours that differ do so by one: a wide soft edge, where objects differ by anything."""
    steps = np.concatenate(
        [
            (np.maximum(one, other) - np.minimum(one, other))[one != other]
            for one, other in ((values[1:], values[:-1]), (values[:, 1:], values[:, :-1]))
        ]
    )
    return bool(steps.size and (steps == 1).mean() > _SHADE)


def _is_flat(values: NDArray[Any], half: float) -> bool:
    """Whether most marked neighbours of dark marked pixels are equal to them: regions, and no shades or noise."""
    equal = several = 0
    for one, other in ((values[1:], values[:-1]), (values[:, 1:], values[:, :-1])):
        marked = (one > 0) & (other > 0) & ((one <= half) | (other <= half))
        several += int(marked.sum())
        equal += int((marked & (one == other)).sum())
    return equal >= _FLAT * several


def colourful(pixels: NDArray[Any]) -> Bools:
    """(H, W): where the channels differ so much that it is no grey."""
    return np.asarray(np.ptp(pixels.astype(np.float32), axis=-1) > _COLOURFUL * full_scale(pixels))


def _counted(values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The distinct values, ascending, and how often each occurs."""
    if values.dtype in (np.uint8, np.uint16):
        counts = np.bincount(values.ravel())
        return np.flatnonzero(counts), counts[counts > 0]
    return np.unique(values, return_counts=True)


def _span(values: NDArray[Any]) -> str:
    """``0, 1 and 255``, or ``0 to 255`` of many; ``values`` ascend."""
    words = [f"{value:g}" for value in values.tolist()]
    if len(words) > 4:
        return f"{words[0]} to {words[-1]}"
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
