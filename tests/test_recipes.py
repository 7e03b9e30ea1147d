"""The recipes of CONTRIBUTING.md, followed: what they say comes by itself does."""

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
from patchloom.method.losses import Features, Term
from patchloom.method.optimise import Crop, Schedule, minimise
from patchloom.networks.weights import load_texture
from patchloom.server.schema import settings_schema
from patchloom.settings import FillSettings, fill_settings
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


class Grey(Peer):
    """A peer of one line, as the recipe asks: prepare and fill."""

    about = "grey"

    def prepare(self) -> None:
        pass

    def fill(self, photo: np.ndarray, hole: np.ndarray) -> np.ndarray:
        return np.where(hole[..., None], np.uint8(128), photo)


def test_a_peer_is_a_class_and_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(peers.PEERS, "grey", Grey)
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
