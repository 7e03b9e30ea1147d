"""The algorithm: a coarse fill, then for each level optimise, enlarge, composite (paper, section 3.1).

One loop, two settings: which levels are optimised, and whether nearest patches are searched (the paper) or carried
by the exemplar start's field. With ``searched`` the coarse fill is a picture at the first optimised level; with
``carried`` it is a patch fill at native size, guided by whatever else is known about the hole.
"""

from collections.abc import Sequence

from patchloom.arrays import Floats
from patchloom.method.coarse import Coarse, given_fill, membrane_fill
from patchloom.method.neural import NeuralStage
from patchloom.method.progress import Progress
from patchloom.method.pyramid import Level, paper_pyramid
from patchloom.method.start import Start, exemplar_start
from patchloom.method.targets import CarriedTargets, SearchedTargets, Targets
from patchloom.settings import FillSettings
from patchloom.tensors.border import resized
from patchloom.tensors.boxes import depths
from patchloom.tensors.field import largest_patch

PERFORATED_DEPTH = 6.0  # pixels; from there on a hole without a whole patch around it is refused


def synthesise(
    native: Level,
    coarse: Coarse | None,
    settings: FillSettings,
    neural: NeuralStage | None,
    progress: Progress,
    others: Sequence[Level] = (),
) -> Floats:
    """The hole of ``native`` filled, (H, W, 3) in 0..1; known pixels bit for bit.

    ``coarse`` is what somebody says of the hole, if anybody does; ``others``, pictures of at most its height, an
    exemplar start may copy from as well (``atlas.py``).

    Without a neural stage the exemplar start is the result, and where a hole is perforated the membrane. Raises
    MaskError where no patch outside a deeper hole is whole, and whatever the observer raises to stop.
    """
    if _is_perforated(native):
        progress.plan(0, 0)
        return native.composite(membrane_fill(native))
    searched = settings.matching == "searched" and neural is not None
    levels = [] if neural is None or settings.iterations == 0 else _optimised(native, settings)
    first = levels[0] if levels else native
    start: Start | None = None
    if searched and coarse is not None:
        progress.plan_fill([], 0, levels, settings.iterations)
        x = given_fill(first, coarse.picture)
    else:
        start = exemplar_start(first, coarse, settings, levels, progress, others)
        x = start.picture
    for level in levels:
        assert neural is not None
        x = level.composite(resized(x, level.size, antialias=False))
        targets: Targets
        if searched or start is None:
            targets = SearchedTargets(level, x, neural.network, neural.taps, settings.metric)
        else:
            targets = CarriedTargets(
                start.shown, start.correction, start.field, neural.network, neural.taps, start.thickness
            )
        x = neural.run(level, x, targets, progress)
    progress.finish()
    return native.composite(x.clip(0, 1))


def _is_perforated(level: Level) -> bool:
    """Whether every hole pixel is close to known ones, which are too scattered to hold a patch: every second line,
    a checkerboard. The known pixels then say all that there is to say."""
    if largest_patch([~level.hole], 3):
        return False
    return bool(depths(level.hole).max() <= PERFORATED_DEPTH)


def _optimised(level: Level, settings: FillSettings) -> list[Level]:
    """The levels that are optimised: with carried patches, which are right at native size alone, there is one."""
    if settings.matching == "carried" or settings.optimised == "last":
        return [level]
    return paper_pyramid(level, settings.levels)
