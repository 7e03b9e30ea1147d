"""The paper's loop (section 3.1): at each scale search, optimise, enlarge, composite.

At every level the nearest patches are searched in the texture network's features again and again, and the picture
is optimised to look like them, to stay near the coarser level's result, and to be smooth (equation 1). It begins
from the coarse picture, or from patches where there is none.
"""

from patchloom.arrays import Floats
from patchloom.method.coarse import Coarse, given_fill
from patchloom.method.neural import NeuralStage
from patchloom.method.progress import Progress
from patchloom.method.pyramid import Level, paper_pyramid
from patchloom.method.start import exemplar_start
from patchloom.method.targets import SearchedTargets
from patchloom.settings import FillSettings
from patchloom.tensors.border import resized


def paper_fill(
    native: Level, coarse: Coarse | None, settings: FillSettings, neural: NeuralStage, progress: Progress
) -> Floats:
    """The hole of ``native`` filled, (H, W, 3); ``coarse`` is the content network's guess, if there is one.

    Raises MaskError where nothing outside the hole is whole, and whatever the observer raises to stop.
    """
    levels = paper_pyramid(native, settings.levels) if settings.optimised == "all" else [native]
    works = [neural.work * float(level.hole.sum() / levels[-1].hole.sum()) for level in levels]
    if coarse is not None:
        progress.plan(len(levels), sum(works))
        x = given_fill(levels[0], coarse.picture)
    else:
        x = exemplar_start(levels[0], None, settings, progress, later=works).picture
    for level, work in zip(levels, works, strict=True):
        x = level.composite(resized(x, level.size, antialias=False))
        targets = SearchedTargets(level, x, neural.network, neural.taps, settings.metric)
        x = neural.run(level, x, targets, progress, level.hole, work)
    return x
