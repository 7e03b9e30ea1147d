"""A content network of your own: a class, a file, and a fill that it guides.

    python examples/library/own_network.py photo.png mask.png filled.png

This one guesses the mean colour of what is known. Train yours as you like; a file holds its weights and
the arguments of its class, so that whoever has the class can load it.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from patchloom import inpaint, register_network
from patchloom.networks.content import ContentNetwork
from patchloom.networks.weights import save_network


@register_network
class MeanColour(ContentNetwork):
    """Everywhere in the hole, the mean of what is known, made lighter by a learnt amount."""

    def __init__(self) -> None:
        super().__init__()
        self.lighter = torch.nn.Parameter(torch.zeros(1))

    @property
    def config(self) -> dict[str, Any]:
        return {}

    def _guess(self, image: Tensor, hole: Tensor) -> Tensor:
        known = 1 - hole
        mean = (image * known).sum((2, 3), keepdim=True) / known.sum((2, 3), keepdim=True).clamp(min=1)
        return (mean + self.lighter).expand_as(image)


def main(photo_name: str, mask_name: str, output_name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "mean-colour.safetensors")
        save_network(MeanColour(), file, {"what": "the mean of what is known", "licence": "MIT"})
        filled = inpaint(Image.open(photo_name), Image.open(mask_name), preset="fast", content=str(file))
    filled.save(output_name)


if __name__ == "__main__":
    main(*sys.argv[1:4])
