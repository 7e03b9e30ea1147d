"""The programs in examples/library run, and type checkers accept them and know the types of what they get."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[1]
PROGRAMS = ROOT / "examples" / "library"
SIZE = (96, 80)  # width, height

TYPES = """
from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import patchloom
from patchloom import *
from patchloom import FillResult, Inpainter, Mask, Photo, events, inpaint, register_network
from patchloom.networks.content import ContentNetwork

mask = np.zeros((8, 8), bool)
assert_type(inpaint(np.zeros((8, 8, 3), np.uint8), mask), NDArray[np.uint8])
assert_type(inpaint(np.zeros((8, 8), np.uint16), mask), NDArray[np.uint16])
assert_type(inpaint(np.zeros((8, 8), np.float32), Mask(mask)), NDArray[np.float32])
assert_type(inpaint(Image.open("photo.jpg"), Image.open("mask.png")), Image.Image)
assert_type(inpaint(Photo.open("photo.jpg"), Mask.open("mask.png")), Photo)
assert_type(Inpainter().inpaint(Photo.open("photo.jpg"), Mask.open("mask.png")), FillResult)
assert_type(patchloom.harmonise(np.zeros((8, 8), np.uint8), mask, strength=0.5), NDArray[np.uint8])
assert_type(patchloom.paste(Image.open("photo.jpg"), "object.png", (3, 4), mask="mask.png"), Image.Image)
assert_type(patchloom.extend("photo.jpg", left=3, seed=None), Photo)
assert_type(patchloom.tile(photo=Photo.open("photo.jpg"), preset="fast"), Photo)
assert_type(patchloom.burst([Image.open("1.jpg"), Image.open("2.jpg")], "mask.png"), Image.Image)
patchloom.tile(mask, seeed=3)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
patchloom.tile(mask, preset="turbo")  # type: ignore[call-overload]  # pyright: ignore
assert_type(patchloom.fill_settings("fast").seed, int)
assert_type(patchloom.errors.PatchloomError("What.", "Do.").hint, str)
assert_type(events.Step(level=0, step=1, of=2, fraction=0.5).fraction, float)

@register_network
class Own(ContentNetwork):
    ...

Own().size
"""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with photo.png (noise over a gradient), mask.png with a hole, and cutout.png, transparent there."""
    random = np.random.default_rng(5)
    ramp = np.add.outer(np.arange(SIZE[1]), np.arange(SIZE[0]))[..., None] * (1.0, 0.7, 0.3)
    pixels = np.clip(ramp + random.normal(0, 15, ramp.shape), 0, 255).astype(np.uint8)
    hole = np.zeros(SIZE[::-1], np.uint8)
    hole[30:48, 40:60] = 255
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    Image.fromarray(hole).save(tmp_path / "mask.png")
    Image.fromarray(np.dstack([pixels, 255 - hole])).save(tmp_path / "cutout.png")
    return tmp_path


def program(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"library_{name}", PROGRAMS / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("name", "takes", "says"),
    [
        ("numpy_fill", ["photo.png", "mask.png", "out.png"], ""),
        ("pillow_fill", ["cutout.png", "out.png"], ""),
        ("many_arrays", ["mask.png", "photo.png", "cutout.png"], ""),
        ("progress_bar", ["photo.png", "mask.png", "out.png"], "100%"),
        ("cancel_from_thread", ["photo.png", "mask.png", "out.png", "600"], "done"),
        ("own_coarse_picture", ["photo.png", "mask.png", "out.png"], ""),
        ("source_mask", ["photo.png", "mask.png", "out.png"], ""),
        ("own_network", ["photo.png", "mask.png", "out.png"], ""),
        ("read_report", ["photo.png", "mask.png", "out.png"], "content:default"),
        ("several_seeds", ["photo.png", "mask.png", "out.png", "2"], "seed "),
    ],
)
def test_the_program_fills_the_hole_and_nothing_else(
    name: str, takes: list[str], says: str, files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program(name).main(*(str(files / word) if word.endswith(".png") else word for word in takes))
    assert says in "".join(capsys.readouterr())
    before = np.asarray(Image.open(files / "photo.png"))
    hole = np.asarray(Image.open(files / "mask.png")) > 127
    made = (
        [files / "photo.filled.png", files / "cutout.filled.png"] if name == "many_arrays" else [files / "out.png"]
    )
    for after in (np.asarray(Image.open(path)) for path in made):
        assert np.array_equal(after[~hole], before[~hole])
        assert (after[hole] != before[hole]).any(1).mean() > 0.5


def test_every_program_is_among_these() -> None:
    (mark,) = test_the_program_fills_the_hole_and_nothing_else.pytestmark  # type: ignore[attr-defined]
    assert {case[0] for case in mark.args[1]} == {path.stem for path in PROGRAMS.glob("*.py")}


def test_a_fill_that_is_cancelled_at_once_writes_nothing(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photo, mask, out = (str(files / name) for name in ("photo.png", "mask.png", "out.png"))
    program("cancel_from_thread").main(photo, mask, out, "0")
    assert capsys.readouterr().out == "stopped\n"
    assert not Path(out).exists()


def checked(command: list[str], folder: Path) -> str:
    """What a type checker says to the programs and to TYPES."""
    types = folder / "types_of_results.py"
    types.write_text(TYPES)
    environment = os.environ | {"MYPYPATH": str(ROOT / "src")}
    files = map(str, (*sorted(PROGRAMS.glob("*.py")), types))
    done = subprocess.run([*command, *files], env=environment, cwd=ROOT, capture_output=True, text=True)
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.slow
def test_mypy_strict_accepts_them(tmp_path: Path) -> None:
    mypy = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--follow-imports=silent"]
    mypy.append("--cache-dir=.mypy_cache/library")  # other options than the package's own check: other results
    assert checked(mypy, tmp_path) == ""


@pytest.mark.slow
def test_pyright_accepts_them(tmp_path: Path) -> None:
    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    found = shutil.which("basedpyright", path=places) or shutil.which("pyright", path=places)
    if found is None:
        pytest.skip("pyright is not installed")
    command = [found, "--level", "error", "--pythonpath", sys.executable]
    assert checked(command, tmp_path) == ""
