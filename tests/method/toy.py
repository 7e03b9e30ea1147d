"""A texture network whose features are known without computing: the picture, and its means over 2x2 pixels."""

from typing import Any

import torch
from torch import Tensor

from patchloom.networks.texture import TextureNetwork


class Toy(TextureNetwork):
    def __init__(self) -> None:
        super().__init__()
        self.strides, self.reaches = {"same": 1, "half": 2}, {"same": 0, "half": 0}

    @property
    def config(self) -> dict[str, Any]:
        return {}

    def _features(self, x: Tensor, taps: tuple[str, ...]) -> dict[str, Tensor]:
        maps = {"same": x, "half": torch.nn.functional.avg_pool2d(x, 2, ceil_mode=True)}
        return {tap: maps[tap] for tap in taps}
