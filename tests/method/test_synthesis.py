"""The whole algorithm on a small level: what is planned is what is done, whichever way patches are known."""

from dataclasses import replace

import numpy as np
import pytest

from patchloom.events import Event, LevelStarted, Step
from patchloom.method.coarse import Coarse
from patchloom.method.neural import NeuralStage
from patchloom.method.progress import Progress
from patchloom.method.pyramid import Level
from patchloom.method.synthesis import synthesise
from patchloom.networks.weights import load_texture
from patchloom.settings import fill_settings
from patchloom.tensors.boxes import depths


def stripes(height: int = 72, width: int = 80) -> Level:
    """Vertical stripes eight pixels wide; a box of them is missing."""
    line = np.where(np.arange(width) // 4 % 2, 0.9, 0.1).astype(np.float32)
    image = np.broadcast_to(line[None, :, None], (height, width, 3))
    hole = np.zeros((height, width), bool)
    hole[28:44, 30:50] = True
    return Level(np.where(hole[..., None], np.float32(0), image), hole, ~hole)


@pytest.mark.parametrize("coarse", [False, True])
@pytest.mark.parametrize(
    "given",
    [
        {},
        {"iterations": 0},
        {"matching": "searched", "optimised": "all"},
        {"matching": "searched"},
    ],
    ids=lambda given: "-".join(map(str, given.values())) or "default",
)
def test_the_plan_is_kept(given: dict[str, object], coarse: bool) -> None:
    """As many levels as announced, a fraction that only grows and ends at 1; known pixels bit for bit."""
    settings = fill_settings(**({"iterations": 2} | given))
    stage = NeuralStage(load_texture("compact"), settings) if settings.iterations else None
    events: list[Event] = []
    level = stripes()
    picture = Coarse(np.full_like(level.image, 0.5)) if coarse else None
    filled = synthesise(level, picture, settings, stage, Progress(events.append)).picture
    fractions = [event.fraction for event in events if isinstance(event, Step)]
    levels = [event for event in events if isinstance(event, LevelStarted)]
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1.0)
    assert [event.level for event in levels] == list(range(levels[0].levels))
    np.testing.assert_array_equal(filled[~level.hole], level.image[~level.hole])
    assert filled.min() >= 0 and filled.max() <= 1


def test_stripes_go_on_through_the_hole() -> None:
    level = stripes()
    settings = fill_settings(content="patches", iterations=2)
    stage = NeuralStage(load_texture("compact"), settings)
    filled = synthesise(level, None, settings, stage, Progress(lambda event: None)).picture
    assert np.abs(filled - level.image[:1])[level.hole].mean() < 0.05


def test_the_neural_stage_goes_over_into_known_pixels_without_a_step() -> None:
    """Pixels at the edge of what is optimised are not moved farther than those inside."""
    level = stripes()
    noise = np.random.default_rng(0).normal(0, 0.1, level.image.shape)
    level = replace(
        level, image=np.where(level.hole[..., None], 0, level.image + noise).clip(0, 1).astype(np.float32)
    )
    fills = []
    for iterations in (0, 6):
        settings = fill_settings(content="patches", iterations=iterations)
        stage = NeuralStage(load_texture("compact"), settings) if iterations else None
        fills.append(synthesise(level, None, settings, stage, Progress(lambda event: None)).picture)
    moved = np.abs(fills[1] - fills[0]).mean(2)
    depth = depths(level.hole)
    assert 0 < moved[(depth > 0) & (depth < 2)].mean() < moved[depth >= 4].mean()
