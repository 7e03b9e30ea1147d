"""One level optimised: which terms, with which weights, and nothing outside the hole."""

import numpy as np
import pytest
import torch
from toy import Toy

from patchloom.events import Event, Step
from patchloom.method import neural
from patchloom.method.losses import Content, LowPassContent, Term
from patchloom.method.neural import NeuralStage, parts
from patchloom.method.progress import Progress
from patchloom.method.pyramid import Level
from patchloom.settings import fill_settings
from patchloom.tensors.border import as_flags, as_tensor
from patchloom.tensors.boxes import Box


class Pull:
    """Targets that ask for nothing but record with which weights they were asked."""

    def __init__(self, thickness: float, undivided: bool) -> None:
        self.thickness, self.undivided = thickness, undivided
        self.asked: list[tuple[float, float]] = []

    def terms(self, box: Box, hole: torch.Tensor, texture: float, pixels: float) -> dict[str, Term]:
        self.asked.append((texture, pixels))
        return {}


def level(height: int = 30, width: int = 40) -> Level:
    image = np.random.default_rng(0).random((height, width, 3), dtype=np.float32)
    hole = np.zeros((height, width), bool)
    hole[5:-5, 5:-5] = True
    return Level(image, hole, ~hole)


def test_weights_follow_the_thickness() -> None:
    stage = NeuralStage(Toy(), fill_settings(layers="same", iterations=1, texture_weight=2.0, pixel_weight=3.0))
    targets = Pull(0.25, False)
    stage.run(level(), level().image, targets, Progress(lambda event: None), level().hole, 1.0)
    assert targets.asked == [(0.5, 3.0 * 8)]


@pytest.mark.parametrize(("undivided", "kind"), [(True, Content), (False, LowPassContent)])
def test_content_and_variation_as_the_settings_say(undivided: bool, kind: type[Content]) -> None:
    stage = NeuralStage(Toy(), fill_settings(layers="same", content_weight=4.0, tv_weight=0.5))
    prior, hole = as_tensor(level().image), as_flags(level().hole)
    terms = stage.terms(Pull(1.0, undivided), Box(0, 0, 30, 40), prior, hole)
    assert list(terms) == ["content", "tv"]
    assert type(terms["content"]) is kind
    without = NeuralStage(Toy(), fill_settings(layers="same", content_weight=0.0))
    assert without.terms(Pull(1.0, undivided), Box(0, 0, 30, 40), prior, hole) == {}


def test_parts_are_optimised_one_after_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps count through, the picture outside the hole stays, and what is left of the start is smoothed."""
    monkeypatch.setattr(neural, "PART", 16)
    steps: list[Step] = []

    def observe(event: Event) -> None:
        if isinstance(event, Step):
            steps.append(event)

    stage = NeuralStage(Toy(), fill_settings(layers="same", iterations=3, content_weight=0.0, tv_weight=1.0))
    here = level()
    progress = Progress(observe)
    progress.plan(1, stage.work)
    filled = stage.run(here, here.image, Pull(1.0, False), progress, here.hole, stage.work)
    assert [event.step for event in steps] == list(range(1, 2 * 2 * 3 + 1))  # 20 x 30 pixels: 2 x 2 parts
    assert steps[-1].fraction == pytest.approx(1.0)
    np.testing.assert_array_equal(filled[~here.hole], here.image[~here.hole])
    assert np.square(np.diff(filled, axis=1)).mean() < np.square(np.diff(here.image, axis=1)).mean()


def test_parts_hold_each_pixel_once() -> None:
    hole = np.random.default_rng(0).random((1100, 40)) < 0.01
    times = np.zeros((1100, 40), int)
    for box in parts(hole):
        times[box.slices] += 1
        assert max(box.size) <= neural.PART
    assert (times[hole] == 1).all()
    assert times.max() == 1
