"""A graphics card gives fills as good as the processor's, and leaves what lies outside the hole untouched."""

import importlib.resources
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from patchloom import RunSettings, cli, inpaint
from patchloom.method.coarse import predict
from patchloom.networks.weights import load_content, load_texture
from patchloom.tensors.border import as_tensor
from patchloom.training.content import content_trainee
from patchloom.training.data import open_photographs
from patchloom.training.plan import ContentOptions

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a graphics card with CUDA")

DEVICES = ("cpu", "cuda")


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    """192x192 of the photograph that the package carries: a rocket, its towers, the sky."""
    with importlib.resources.as_file(importlib.resources.files("patchloom.data") / "rocket.jpg") as path:
        return np.array(Image.open(path).convert("RGB"))[120:312, 230:422]


@pytest.fixture(scope="module")
def hole() -> np.ndarray:
    hole = np.zeros((192, 192), bool)
    hole[60:130, 70:125] = True
    return hole


def test_the_networks_agree(photo: np.ndarray, hole: np.ndarray) -> None:
    """To a grey level in the guess and a hundredth of the features: convolutions round to TF32 there."""
    picture = photo / np.float32(255)
    image = as_tensor(picture)
    with torch.no_grad():
        guesses = [predict(load_content("default", d), picture, hole) for d in DEVICES]
        networks = {d: load_texture("compact", d) for d in DEVICES}
        features = [networks[d](image.to(d), list(networks[d].taps)) for d in DEVICES]
    assert np.abs(guesses[0] - guesses[1]).max() < 1 / 255
    for tap, expected in features[0].items():
        assert float((features[1][tap].cpu() - expected).norm() / expected.norm()) < 1e-2


def test_fills_agree(photo: np.ndarray, hole: np.ndarray) -> None:
    """Rounding, and on the card the order of sums, can choose another of two equally good patches: fills are
    as near the truth as each other, and nearer to each other than to it."""
    fills = [inpaint(photo, hole, preset="fast", run=RunSettings(device=d)) for d in (*DEVICES, "cuda")]
    assert all(np.array_equal(fill[~hole], photo[~hole]) for fill in fills)

    def apart(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.sqrt(np.mean((a.astype(float) - b)[hole] ** 2)))

    errors = [apart(fill, photo) for fill in fills]
    assert errors == pytest.approx([errors[0]] * 3, rel=0.1)
    assert max(apart(fills[0], fills[1]), apart(fills[1], fills[2])) < 0.5 * errors[0]


def test_the_command_fills_on_the_card(photo: np.ndarray, hole: np.ndarray, tmp_path: Path) -> None:
    Image.fromarray(photo).save(tmp_path / "photo.png")
    Image.fromarray(hole).save(tmp_path / "mask.png")
    out = tmp_path / "out.png"
    files = [str(tmp_path / "photo.png"), str(tmp_path / "mask.png"), "-o", str(out)]
    assert cli.run(["fill", *files, "--preset", "fast", "--device", "cuda"]) == 0
    filled = np.array(Image.open(out))
    assert np.array_equal(filled[~hole], photo[~hole])
    assert not np.array_equal(filled[hole], photo[hole])


def test_training_steps_agree(photo: np.ndarray, tmp_path: Path) -> None:
    """The first losses from the same weights on the same samples, in float32."""
    for corner in range(0, 60, 6):
        Image.fromarray(photo[corner : corner + 130, corner : corner + 130]).save(tmp_path / f"{corner}.png")
    photographs = open_photographs([tmp_path], tmp_path / "store")
    losses = []
    for device in map(torch.device, DEVICES):
        torch.manual_seed(0)
        task = content_trainee(photographs, ContentOptions(batch=8, mixed_precision=False), 0, device)
        made = [task.batch(step) for step in range(3)]
        learnt = [task.learn(tuple(part.to(device) for part in batch)) for batch in made]
        losses.append([float(loss["loss"]) for loss in learnt])
    assert losses[1] == pytest.approx(losses[0], rel=1e-2)
