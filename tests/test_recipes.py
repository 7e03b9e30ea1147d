"""The recipes of CONTRIBUTING.md, followed: what they say comes by itself does."""

import os
import shutil
import struct
import subprocess
import sys
from dataclasses import dataclass, fields
from pathlib import Path

import click
import numpy as np
import pytest
import torch
from torch import Tensor

from patchloom.cli import main
from patchloom.evaluation import peers
from patchloom.evaluation.peers import Peer, parse_method
from patchloom.inpainter import Inpainter
from patchloom.method import coarse
from patchloom.method.losses import Features, Term
from patchloom.method.optimise import Crop, Schedule, minimise
from patchloom.method.pyramid import Level
from patchloom.networks.weights import load_texture
from patchloom.server.schema import settings_schema
from patchloom.settings import FillSettings, RunSettings, fill_settings
from patchloom.tensors.boxes import Tile

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("name", [item.name for item in fields(FillSettings)])
def test_a_setting_is_everywhere(name: str) -> None:
    """A flag of the commands that fill, a key of the API and of a settings file, a row of the reference."""
    for command in ("fill", "batch"):
        found = main.get_command(click.Context(main), command)
        assert found is not None
        flags = {flag for parameter in found.params for flag in parameter.opts}
        assert {f"--{name.replace('_', '-')}", f"--hole-{name}"} & flags, command
    assert name in settings_schema(None)["properties"]
    assert name in fill_settings("fast").to_dict()
    assert f"| `{name}` |" in (ROOT / "docs" / "settings.md").read_text()


def grey(level: Level) -> np.ndarray:
    """A coarse fill of one line: the mean of what is known."""
    return np.where(level.hole[..., None], level.image[~level.hole].mean(), level.image).astype(np.float32)


def test_a_coarse_fill_is_a_function_and_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(coarse.FILLS, "grey", grey)
    image = np.random.default_rng(0).random((32, 40, 3), dtype=np.float32)
    hole = np.zeros((32, 40), bool)
    hole[10:20, 12:24] = True
    level = Level(image, hole, ~hole)
    fill = coarse.coarse_fill(fill_settings(content="grey").content, torch.device("cpu"))
    assert fill is not None
    np.testing.assert_array_equal(fill.make(level, np.s_[:, :]).picture, grey(level))
    assert Inpainter(RunSettings(device="cpu")).check(fill_settings(content="grey", texture="none")) is None


TOY = """
import io
import struct
import numpy as np
from patchloom.formats.picture import Metadata, Stored
from patchloom.formats.registry import Header


def header(file):
    return Header(*struct.unpack("<4xII", file.read(12)))


def decode(data, reading):
    width, height, _ = header(io.BytesIO(data))
    return Stored(np.frombuffer(data, np.uint8, offset=12).reshape(height, width, 3), None, Metadata(mode="RGB"))


def encode(stored, same, quality):
    height, width = stored.samples.shape[:2]
    return b"TOY!" + struct.pack("<II", width, height) + stored.samples.tobytes()
"""
DECLARED = """FORMATS: dict[str, Format] = {
    format.name: format
    for format in (
        Format(name="TOY", suffixes=(".toy",), media_type="image/x-toy", begins=_starts(b"TOY!"), codec="toy"),
"""


def test_a_format_is_a_module_and_its_declaration(tmp_path: Path) -> None:
    """The package with these two, everything else as it is: endings, choices and the API have it."""
    package, ours = tmp_path / "patchloom", ROOT / "src" / "patchloom"
    package.mkdir()
    for path in ours.iterdir():
        if path.name not in ("formats", "__pycache__"):
            (package / path.name).symlink_to(path)
    shutil.copytree(ours / "formats", package / "formats")
    (package / "formats" / "toy.py").write_text(TOY)
    registry = package / "formats" / "registry.py"
    lines = DECLARED.splitlines(keepends=True)
    registry.write_text(registry.read_text().replace("".join(lines[:3]), DECLARED))
    (tmp_path / "a.toy").write_bytes(b"TOY!" + struct.pack("<II", 2, 1) + bytes(range(6)))
    script = """
from pathlib import Path
from patchloom.cli import main
from patchloom.formats import ENDINGS, format_of
from patchloom.photo import Photo
from patchloom.server.schema import schema_of
from patchloom.settings import FileSettings
Photo.open("a.toy").save("b.toy")
assert Path("b.toy").read_bytes() == Path("a.toy").read_bytes()
assert ".toy" in ENDINGS and format_of("c.toy") == "TOY"
assert "TOY" in schema_of(FileSettings)["properties"]["format"]["enum"]
main(["fill", "--help"])
"""
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", script]
    ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "|toy" in ran.stdout.lower() or "[toy|" in ran.stdout.lower()


class Grey(Peer):
    """A peer of one line, as the recipe asks: prepare and fill."""

    about = "grey"

    def prepare(self) -> None:
        pass

    def fill(self, photo: np.ndarray, hole: np.ndarray) -> np.ndarray:
        return np.where(hole[..., None], np.uint8(128), photo)


def test_a_peer_is_a_class_and_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(peers.PEERS, "grey", Grey())
    method = parse_method("grey")
    peer = method.peer()
    peer.make_ready()
    hole = np.zeros((8, 8), bool)
    hole[2:4, 2:4] = True
    assert (peer.fill(np.zeros((8, 8, 3), np.uint8), hole)[hole] == 128).all()
    assert method.peer().about == "grey"


@dataclass(frozen=True)
class White(Term):
    """A loss of one line: the mean squared distance to white over the hole."""

    weight: float
    hole: Tensor
    total: Tensor

    def __call__(self, x: Tensor, features: Features) -> Tensor:
        return self.weight * ((1 - x).square() * self.hole).sum() / (3 * self.total)

    def of(self, tile: Tile) -> "White":
        kept = torch.zeros_like(self.hole)
        tile.inner.of(kept).copy_(tile.inner.of(self.hole))
        return White(self.weight, tile.box.of(kept), self.total)


def test_a_loss_term_is_a_class_and_an_entry_of_the_terms() -> None:
    """Alone, the least squares to white are white, whatever was there; what is known stays."""
    image = torch.rand(1, 3, 40, 40, generator=torch.Generator().manual_seed(3))
    hole = torch.zeros(1, 1, 40, 40, dtype=torch.bool)
    hole[..., 10:30, 12:28] = True
    terms: dict[str, Term] = {"white": White(2.0, hole.float(), hole.sum())}
    told: list[dict[str, float]] = []
    schedule = Schedule(25, "lbfgs")
    filled = minimise(
        Crop(image, hole), load_texture("compact"), terms, schedule, lambda step, losses, x: told.append(losses)
    )
    assert set(told[-1]) == {"white", "total"}
    assert filled.masked_select(hole).min() > 0.99
    assert torch.equal(filled.masked_select(~hole), image.masked_select(~hole))
