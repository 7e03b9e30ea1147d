"""The algorithm: decide, carry, blend, refine; or, where patches are searched in features, the paper's loop.

1. What the hole shows is decided where it is small (``decision.py``).
2. The field is carried to native size, piece by piece (``patchfill.py``).
3. The copies are blended in the gradient domain (``blending.py``).
4. Where copies meet each other or the rim, neural patches are optimised (``neural.py``); in scratches and specks
   nothing is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from patchloom.arrays import Bools, Floats
from patchloom.method.coarse import Coarse, membrane_fill
from patchloom.method.follow import back_projected
from patchloom.method.neural import NeuralStage
from patchloom.method.paper import paper_fill
from patchloom.method.progress import Progress
from patchloom.method.pyramid import Level
from patchloom.method.start import Start, exemplar_start
from patchloom.method.targets import CarriedTargets
from patchloom.settings import FillSettings
from patchloom.tensors.boxes import depths
from patchloom.tensors.field import largest_patch

# By eye, but where a source is named; a page is one of docs/experiments.
TAPER = 5.0  # pixels over which what is optimised goes over into copies and known pixels (page 12-01-04)
PERFORATED_DEPTH = 6.0  # pixels; from there on a hole without a whole patch around it is refused


@dataclass(frozen=True)
class Synthesis:
    """A window (H, W, 3) in 0..1 with its hole filled; how large a part of it was copied from each donor."""

    picture: Floats
    shares: tuple[float, ...] = ()


def synthesise(
    native: Level,
    coarse: Coarse | None,
    settings: FillSettings,
    neural: NeuralStage | None,
    progress: Progress,
    donors: Sequence[Level] = (),
) -> Synthesis:
    """The hole of ``native`` filled; known pixels bit for bit.

    ``coarse`` is the coarse picture that somebody has for it, if there is one; ``donors``, pictures of at most its
    height, may be copied from as well (``atlas.py``). Without a neural stage the blended copies are the result,
    and in a perforated hole the membrane.

    Raises MaskError where no patch outside a deeper hole is whole, and whatever the observer raises to stop.
    """
    if _is_perforated(native):
        progress.plan(0, 0)
        return Synthesis(native.composite(membrane_fill(native)))
    if settings.matching == "searched" and neural is not None:
        found = Synthesis(paper_fill(native, coarse, settings, neural, progress))
    else:
        if neural is not None and (native.deepest < TAPER or not neural.work):
            neural = None  # what the two sides of a scratch say is nearer the truth (measured)
        later = [] if neural is None else [neural.work]
        start = exemplar_start(native, coarse, settings, progress, donors, later)  # decide, carry, blend
        picture = start.picture if neural is None else _refined(native, start, neural, progress)
        found = Synthesis(picture, start.shares)
    progress.finish()
    return replace(found, picture=native.composite(found.picture.clip(0, 1)))


def _refined(native: Level, start: Start, neural: NeuralStage, progress: Progress) -> Floats:
    """The start with neural patches optimised where copies meet each other or the rim."""
    x = start.picture
    targets = CarriedTargets(
        start.complete, start.correction, start.field, neural.network, neural.taps, start.thickness
    )
    optimised = neural.run(native, native.composite(x), targets, progress, start.seams, neural.work)
    x = x + taper(start.seams) * (optimised - x)
    return x if start.followed is None else back_projected(x, native.hole, start.followed)


def taper(where: Bools) -> Floats:
    """(H, W, 1): from 0 outside ``where`` (H, W) to 1 deep in it.

    Of what a pixel at the edge is part of, most may not change, so it moves twice as far as others: a step.
    """
    weight: Floats = np.minimum(1, depths(where) / TAPER).astype(np.float32)[..., None]
    return weight


def _is_perforated(level: Level) -> bool:
    """Whether every hole pixel is close to known ones, which are too scattered to hold a patch: every second line,
    a checkerboard. The known pixels then say all that there is to say."""
    if largest_patch([~level.hole], 3):
        return False
    return level.deepest <= PERFORATED_DEPTH
