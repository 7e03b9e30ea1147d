"""Image harmonisation: an object takes on the light of the picture it stands in, and keeps what it is.

From coarse to fine:

1. **Light and colours** (``light.py``): one adjustment of the whole object, the most probable one after which its
   outline is where two things meet and not where two pictures do.
2. **Sharpness and noise** (``grain.py``), measured on both sides and matched where they differ for no natural
   reason.
3. **Texture**: the paper's objective with other parts. The content are the object's own features and, more
   loosely, its colours; the texture are patches of the surroundings with similar features; total variation. A
   small share of texture gives photographs their grain, a large one in several scales gives an object the brush of
   a painting (after Luan et al., *Deep painterly harmonization*, 2018).

An object that fits is left alone. Whether it does, its light says: where there is too little evidence that it was
changed, sharpness and noise stay as they are, too, since regions of one photograph often differ in both.
"""

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from patchloom.arrays import Bools, Floats
from patchloom.harmony import light
from patchloom.method import grain
from patchloom.method.losses import LowPassContent, Target, Term, Texture, TotalVariation
from patchloom.method.optimise import Crop, Schedule, minimise
from patchloom.method.progress import Progress
from patchloom.method.pyramid import Level
from patchloom.method.targets import SearchedTargets
from patchloom.networks.texture import TextureNetwork
from patchloom.settings import HarmoniseSettings
from patchloom.tensors.border import as_array, as_flags, as_tensor, between, device_of, resized
from patchloom.tensors.boxes import Box
from patchloom.tensors.patches import cells_of

# By eye, but where a source is named.
LEAST_EVIDENCE = 5.0  # natural logarithm; an adjustment with less is not made (measured: what fits seldom has it)
LEAST_OF_ANOTHER = 0.0  # ... where the object is known to come from another picture, and its light with it
PHOTO_TAPS, STYLE_TAPS = ("relu2_1", "relu3_1"), ("relu1_1", "relu2_1", "relu3_1")
STYLE_SHARE = 0.9  # of the texture's target, of a painting's object
STYLE_SCALES = 3  # levels, each half the next
MOST_CANDIDATES = 8192  # patches of the surroundings
CONTENT_WEIGHT, STYLE_CONTENT_WEIGHT = 10.0, 1.0  # of the object's colours at large
TV_WEIGHT = 0.02  # of smoothness


@dataclass(frozen=True)
class Harmonised:
    """The picture (H, W, 3) with its object harmonised, and what was found and done, for the report."""

    picture: Floats
    record: dict[str, Any] = field(default_factory=dict)


def harmonise(
    level: Level,
    settings: HarmoniseSettings,
    network: TextureNetwork | None,
    progress: Progress,
    foreign: bool = False,
) -> Harmonised:
    """``level.hole`` is the object, ``level.source`` where its surroundings may be learnt from; ``foreign``: it is
    known to come from another picture.

    Everything outside the object is returned bit for bit, and so is the object where nothing was found to do.
    """
    texture = settings.texture_share > 0 or settings.style
    stages = 2 + (0 if network is None or not texture else STYLE_SCALES if settings.style else 1)
    progress.plan(stages, 2.0 + (stages - 2) * settings.iterations)
    height, width = level.size
    progress.begin(width, height, "light", lambda: level.image)
    x, record, fits = _lit(level, foreign)
    progress.step(1, 1, 1.0)
    progress.begin(width, height, "grain", lambda: x)
    x, found = _grained(level, x, settings, fits)
    record |= found
    progress.step(1, 1, 1.0)
    if network is not None and texture:
        x = _textured(level, x, settings, network, progress)
        record["texture"] = network.name
    progress.finish()
    result = level.composite(between(level.image, x.clip(0, 1), settings.strength))
    return Harmonised(result, record | {"left_alone": np.array_equal(result, level.image)})


def _lit(level: Level, foreign: bool) -> tuple[Floats, dict[str, Any], bool]:
    """The object in the surroundings' light, without noise that they have not; or as it is, where it fits."""
    picture, mask = level.image.copy(), level.hole
    inside, outside = _measured(level, picture)
    if inside is not None and outside is not None:
        picture = grain.denoised(picture, mask, inside, outside)
    adjustment, evidence = light.adjustment_of(picture, mask, level.source, foreign=foreign)
    fits = False
    if evidence >= (LEAST_OF_ANOTHER if foreign else LEAST_EVIDENCE):
        picture[mask] = adjustment.apply(picture[mask]).clip(0, 1)
    else:
        adjustment, fits = light.Adjustment(), not foreign
    record: dict[str, Any] = {"adjustment": asdict(adjustment), "evidence": round(evidence, 2)}
    return level.image if fits else picture, record, fits


def _grained(level: Level, x: Floats, settings: HarmoniseSettings, fits: bool) -> tuple[Floats, dict[str, Any]]:
    """``x`` with the object's sharpness and missing noise matched, unless it ``fits``."""
    inside, outside = _measured(level, x)
    if inside is None or outside is None:
        return x, {"grain": None, "grain_around": None}
    matched = x if fits else grain.matched(x, level.hole, inside, outside, settings.seed)
    return matched, {"grain": asdict(inside), "grain_around": asdict(outside)}


def _measured(level: Level, picture: Floats) -> tuple[grain.Grain | None, grain.Grain | None]:
    """Of the object and of what is around it."""
    around = light.surroundings(level.hole) & level.source
    return grain.measure(picture, level.hole), grain.measure(picture, around)


def _textured(
    level: Level, x: Floats, settings: HarmoniseSettings, network: TextureNetwork, progress: Progress
) -> Floats:
    """``x`` with the object's pixels optimised, coarse to fine where a style is wanted."""
    if not settings.style:
        return _optimised(level, x, settings.texture_share, settings, network, progress)
    scales = [2 ** (STYLE_SCALES - 1 - number) for number in range(STYLE_SCALES)]
    previous = previous_start = None
    for scale in scales:
        small = _scaled(level, scale)
        start = small.composite(resized(x, small.size))
        if previous is not None and previous_start is not None:  # what the coarser scale changed
            start = start + resized(previous - previous_start, small.size)
        previous_start, previous = start, _optimised(small, start, STYLE_SHARE, settings, network, progress)
    assert previous is not None
    return previous


def _optimised(
    level: Level,
    x: Floats,
    share: float,
    settings: HarmoniseSettings,
    network: TextureNetwork,
    progress: Progress,
) -> Floats:
    """The objective's minimum over the object's pixels, from ``x``, whose structure and colours are kept."""
    taps = tuple(tap for tap in (STYLE_TAPS if settings.style else PHOTO_TAPS) if tap in network.taps)
    device = device_of(network)
    start, hole = as_tensor(x).to(device), as_flags(level.hole).to(device)
    result = start.clone()
    height, width = level.size
    progress.begin(width, height, "texture", lambda: as_array(result.clamp(0, 1)))
    searched = SearchedTargets(level, x, network, taps, "euclidean", MOST_CANDIDATES)
    terms: dict[str, Term] = searched.terms(Box(0, 0, height, width), hole, share, 0.0)
    with torch.no_grad():
        own = network(start, taps)
    for tap, features in own.items():
        stride = network.stride(tap)
        cells = cells_of(hole, stride, (features.shape[-2], features.shape[-1]))
        target = Target.of_crop(features, cells[None, None].to(features))
        terms[f"structure_{tap}"] = Texture(1 - share, tap, stride, target)
    content = STYLE_CONTENT_WEIGHT if settings.style else CONTENT_WEIGHT
    terms["content"] = LowPassContent.of_crop(content, start, hole)
    terms["tv"] = TotalVariation.of_crop(TV_WEIGHT, hole)

    def watch(step: int, losses: dict[str, float], picture: Tensor) -> None:
        result.copy_(picture)
        progress.step(step, settings.iterations, 1.0, losses)

    schedule = Schedule(settings.iterations, "adam", 10 if settings.style else 0)
    return as_array(minimise(Crop(start, hole), network, terms, schedule, watch))


def _scaled(level: Level, scale: int) -> Level:
    """``level`` at a ``scale``-th of its size; its source only where no pixel under it is the object's."""
    if scale == 1:
        return level
    size = (-(-level.size[0] // scale), -(-level.size[1] // scale))

    def any_under(mask: Bools) -> Bools:
        return np.asarray(F.adaptive_max_pool2d(as_flags(mask).float(), size)[0, 0] > 0)

    hole = any_under(level.hole)
    return Level(resized(level.image, size), hole, ~any_under(~level.source) & ~hole)
