"""The coarse fill: what is known about the hole before patches are matched.

* a content network's guess at 128 px (paper, section 3.2), enlarged;
* a given picture, made by any other tool;
* the membrane, the smoothest continuation: the fall-back that knows nothing.

The paper's loop starts from it; the exemplar start (``patchfill.py``) needs none, but takes any as its guide.
"""

import torch.nn.functional as F
from torch import Tensor

from patchloom.method.pyramid import Level
from patchloom.networks.content import ContentNetwork, predict
from patchloom.tensors.membrane import membrane


def membrane_fill(level: Level) -> Tensor:
    """(1, 3, H, W): the level with its hole filled smoothly."""
    return membrane(level.image, level.hole)


def network_fill(level: Level, network: ContentNetwork) -> Tensor:
    """(1, 3, H, W): the level with the network's guess in its hole."""
    return predict(network, level.image, level.hole.to(level.image.dtype))


def given_fill(level: Level, picture: Tensor) -> Tensor:
    """``picture`` (1, 3, H', W') at the level's size, inside the hole."""
    if picture.shape[-2:] != level.image.shape[-2:]:
        picture = F.interpolate(picture, level.size, mode="bilinear", antialias=True, align_corners=False)
    return level.composite(picture)
