"""The whole algorithm on a small level: what is planned is what is done, whichever way patches are known."""

import pytest
import torch

from patchloom.events import Event, LevelStarted, Step
from patchloom.method.neural import NeuralStage
from patchloom.method.progress import Progress
from patchloom.method.pyramid import Level
from patchloom.method.synthesis import synthesise
from patchloom.networks.weights import load_texture
from patchloom.settings import fill_settings


def stripes(height: int = 72, width: int = 80) -> Level:
    """Vertical stripes eight pixels wide; a box of them is missing."""
    image = (torch.arange(width) // 4 % 2).float().mul(0.8).add(0.1).expand(1, 3, height, width).clone()
    hole = torch.zeros(1, 1, height, width, dtype=torch.bool)
    hole[..., 28:44, 30:50] = True
    return Level(image.masked_fill(hole, 0), hole, ~hole)


@pytest.mark.parametrize("coarse", [False, True])
@pytest.mark.parametrize(
    "given",
    [
        {},
        {"iterations": 0},
        {"matching": "searched", "optimised": "all"},
        {"matching": "searched"},
        {"members": 0},
    ],
    ids=lambda given: "-".join(map(str, given.values())) or "default",
)
def test_the_plan_is_kept(given: dict[str, object], coarse: bool) -> None:
    """As many levels as announced, a fraction that only grows and ends at 1; known pixels bit for bit."""
    settings = fill_settings(**({"iterations": 2, "members": 1} | given))
    stage = NeuralStage(load_texture("compact"), settings) if settings.iterations else None
    events: list[Event] = []
    level = stripes()
    picture = torch.full_like(level.image, 0.5) if coarse else None
    filled = synthesise(level, picture, settings, stage, Progress(events.append))
    fractions = [event.fraction for event in events if isinstance(event, Step)]
    levels = [event for event in events if isinstance(event, LevelStarted)]
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1.0)
    assert [event.level for event in levels] == list(range(levels[0].levels))
    assert torch.equal(filled.where(~level.hole, 0), level.image.where(~level.hole, 0))
    assert filled.min() >= 0 and filled.max() <= 1


def test_stripes_go_on_through_the_hole() -> None:
    level = stripes()
    settings = fill_settings(content="patches", iterations=2, members=0)
    stage = NeuralStage(load_texture("compact"), settings)
    filled = synthesise(level, None, settings, stage, Progress(lambda event: None))
    expected = level.image[..., :1, :].expand_as(filled)
    assert (filled - expected).abs().mul(level.hole).sum() / (3 * level.hole.sum()) < 0.05
