"""``patchloom train content`` as a person calls it."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from patchloom import cli
from patchloom.networks.weights import load_content


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    folder = tmp_path / "photographs"
    folder.mkdir()
    for number in range(3):
        random = np.random.default_rng(number).integers(0, 255, (140, 150, 3), np.uint8)
        Image.fromarray(random).save(folder / f"{number}.png")
    return folder


def test_options_that_do_not_fit_are_refused(
    photographs: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    common = ["train", "content", str(photographs), "-o", str(tmp_path / "out")]
    assert cli.run([*common, "--steps", "1", "--adversarial"]) == 2
    assert cli.run(common) == 2
    assert (
        cli.run(["train", "content", str(tmp_path / "nothing"), "-o", str(tmp_path / "out"), "--steps", "1"]) == 3
    )
    said = capfd.readouterr().err
    assert "Give either steps or minutes" in said and "Traceback" not in said


def test_two_processes_train_one_network(photographs: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    trainer = ["-m", "patchloom", "train", "content", str(photographs), "--store", str(tmp_path / "store")]
    options = [
        "-o",
        str(out),
        "--steps",
        "1",
        "--batch",
        "2",
        "--device",
        "cpu",
        "--network",
        "paper",
        "--channels",
        "8",
    ]
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    ran = subprocess.run([*launch, *trainer, *options], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr.count("Wrote") == 1
    assert load_content(str(out / "content-paper.safetensors")).config["channels"] == 8
