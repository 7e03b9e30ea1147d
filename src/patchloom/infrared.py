"""A film scanner's infrared channel as a mask: dust and scratches stop that light, the dyes of a film let it
through.

They do so nearly: cyan dye holds back a little, which is estimated from the picture and taken away, as is the
lamp's fall-off. What is then darker than the film's own noise explains is a mark. The channel is often some
pixels off the colours, for it was scanned in another focus or another pass; where its marks meet the picture's
own specks is found.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from patchloom.arrays import Bools, Floats
from patchloom.errors import MaskError
from patchloom.formats.picture import as_unit, full_scale
from patchloom.mask import Mask
from patchloom.photo import Photo
from patchloom.tensors.boxes import component_sizes
from patchloom.tensors.correlation import Correlation

DARK = 1 / 256  # of full scale; less light is counted as so much
DARKER = 0.05  # of the light that a mark holds back, at least
LEAST = 6.0  # times the noise of what is left when dyes and lamp are taken away
NOISIEST = 0.1  # of the logarithm of the light that a film lets through
FAINT = 0.4  # of both; what is still that dark and hangs together with a mark belongs to it
BLOCKS = 96  # along the longer side, in which the lamp's light is measured
SAMPLES = 40_000  # pixels from which the dyes are estimated
LARGEST = 0.02  # of the picture; what is larger is no dust but a holder, or silver
FARTHEST = 16  # pixels by which the channel may be off
CLEAR = 6.0  # deviations by which one place has to stand out among all others, to be believed
RIM = 1  # pixels by which marks are grown: their soft edge


@dataclass(frozen=True)
class Found:
    """The marks (H, W), how far the channel had to be moved, down and to the right, and its noise, of its
    light."""

    marks: Bools
    shift: tuple[int, int]
    noise: float


def mask_of(photo: Photo, infrared: Photo | None = None) -> Mask:
    """What ``infrared``, or else the channel of ``photo`` beside its colours, shows as dust and scratches.

    Raises MaskError where there is no such channel, where it does not fit, and where it is of a film that infrared
    light does not pass."""
    channel = photo.extra if infrared is None else infrared.pixels.mean(2)
    if channel is None:
        raise MaskError("The photo has no infrared channel.", "Give its file, or its page in the photo's file.")
    if channel.shape != photo.pixels.shape[:2]:
        height, width = channel.shape
        raise MaskError(
            f"The infrared channel has {width} x {height} pixels, the photo {photo.width} x {photo.height}.",
            "Scan both at one resolution.",
        )
    light = channel / (full_scale(channel) if infrared is None else full_scale(infrared.pixels))
    found = marks_in(np.asarray(light, np.float32), as_unit(photo.pixels))
    if found.noise > NOISIEST:
        raise MaskError(
            "The infrared channel shows more than dust: this film does not let the light through.",
            "Silver, as in black and white films and some old slides, stops it as dust does; draw a mask.",
        )
    y, x = found.shift
    how = f"infrared light shows {ndimage.label(found.marks)[1]} marks"
    how += f"; its channel is {abs(x)} pixels off sideways and {abs(y)} up or down" if x or y else ""
    return Mask(found.marks, how, "infrared light shows no mark")


def marks_in(light: Floats, picture: Floats) -> Found:
    """Of the infrared ``light`` (H, W) and the ``picture`` (H, W, C), both in 0..1."""
    left = np.log(np.maximum(light, DARK))
    left = left - _dyes(left, np.log(np.maximum(picture, DARK)))
    held = _lamp(left) - left  # the logarithm of how much less light comes through
    noise = 1.4826 * float(np.median(np.abs(held - np.median(held))))
    least = max(LEAST * noise, -np.log(1 - DARKER))
    found = ndimage.binary_propagation(held > least, mask=held > FAINT * least)
    found &= component_sizes(found) <= LARGEST * found.size
    shift = _offset(np.where(found, held, 0), picture)
    found = ndimage.binary_dilation(found, iterations=RIM) if found.any() else found
    return Found(_moved(found, shift), shift, noise)


def _dyes(infrared: Floats, colours: Floats) -> Floats:
    """(H, W): what the dyes hold back, a straight line through logarithms, fitted without what is dark by
    itself."""
    every = max(1, infrared.size // SAMPLES)
    terms = np.column_stack(
        [colours.reshape(-1, colours.shape[2])[::every], np.ones(len(infrared.ravel()[::every]))]
    )
    values = infrared.ravel()[::every]
    kept = np.ones(len(values), bool)
    line = np.zeros(terms.shape[1])
    for _ in range(4):
        line = np.linalg.lstsq(terms[kept], values[kept], rcond=None)[0]
        residual = values - terms @ line
        spread = 1.4826 * np.median(np.abs(residual - np.median(residual)))
        kept = np.abs(residual - np.median(residual)) <= 3 * spread + 1e-6
    return np.asarray(colours @ line[:-1], np.float32)


def _lamp(values: Floats) -> Floats:
    """(H, W): what ``values`` are without marks, smooth over the picture: medians of blocks, and between them."""
    size = max(8, -(-max(values.shape) // BLOCKS))
    rows, columns = (-(-side // size) for side in values.shape)
    padded = np.pad(
        values, [(0, rows * size - values.shape[0]), (0, columns * size - values.shape[1])], mode="edge"
    )
    blocks = np.median(padded.reshape(rows, size, columns, size), axis=(1, 3))
    blocks = ndimage.median_filter(blocks, 5, mode="nearest")
    places = [(np.arange(side) + 0.5) / size - 0.5 for side in values.shape]
    down = ndimage.map_coordinates(blocks, np.meshgrid(*places, indexing="ij"), order=1, mode="nearest")
    return np.asarray(down, np.float32)


def _offset(marks: Floats, picture: Floats) -> tuple[int, int]:
    """By how much to move ``marks`` (H, W) until they meet the specks of ``picture``; none where that is not
    clear."""
    grey = picture.mean(2)
    specks = np.abs(grey - ndimage.median_filter(grey, 7))
    specks = np.minimum(specks, np.quantile(specks, 0.999))
    correlation = Correlation(*(side + 2 * FARTHEST for side in grey.shape))
    one, two = (correlation.spectrum(values - values.mean()) for values in (marks, specks))
    found = np.roll(correlation.of(one, two), (FARTHEST, FARTHEST), (0, 1))
    near = found[: 2 * FARTHEST + 1, : 2 * FARTHEST + 1]
    best = np.unravel_index(int(near.argmax()), near.shape)
    spread = 1.4826 * np.median(np.abs(near - np.median(near)))
    if near[best] - np.median(near) < CLEAR * spread:
        return 0, 0
    return int(best[0]) - FARTHEST, int(best[1]) - FARTHEST


def _moved(marks: Bools, shift: tuple[int, int]) -> Bools:
    return np.asarray(ndimage.shift(marks.view(np.uint8), shift, order=0), bool)
