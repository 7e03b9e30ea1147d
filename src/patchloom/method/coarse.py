"""The coarse fill: what is known about the hole before patches are matched.

* a content network's guess (paper, section 3.2), enlarged: ours at 128 px, other people's at 512;
* a given picture, made by any other tool;
* the membrane, the smoothest continuation: the fall-back that knows nothing.

The paper's loop starts from it; the exemplar start (``patchfill.py``) needs none, but takes any as its guide.
:func:`coarse_fill` chooses.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from patchloom.arrays import Bools, Floats
from patchloom.method.pyramid import Level
from patchloom.networks.content import ContentNetwork, Frame, Indices
from patchloom.networks.weights import default_network, load_content
from patchloom.tensors.border import as_array, as_flags, as_tensor, device_of, resized
from patchloom.tensors.boxes import SHALLOW, bounds
from patchloom.tensors.membrane import membrane
from patchloom.tensors.threads import mapped

Place = tuple[slice, slice]
"""Rows and columns of a level's window in the photograph."""


@dataclass(frozen=True)
class Coarse:
    """What somebody says of a level's hole: ``picture`` (H, W, 3) in 0..1, the level itself outside the hole.

    ``resolution``: how many pixels of its own the picture was made with for each of the level's, along a side, at
    most 1; None where nobody knows (a picture made by another tool). ``followed``: it is taken at its word
    (``follow.py``); else it is a guess, right on average, that guides the choice of patches.
    """

    picture: Floats
    resolution: float | None = None
    followed: bool = False


@dataclass(frozen=True)
class CoarseFill:
    """How a window's coarse picture is made, from its level and its place in the photograph.

    ``weights``: the networks that are used, as "content:name", and their SHA-256.
    """

    make: Callable[[Level, Place], Coarse]
    weights: dict[str, str] = field(default_factory=dict)


def coarse_fill(
    content: str,
    device: torch.device,
    given: Callable[[Place], Floats] | None = None,
    *,
    trusted: bool = False,
) -> CoarseFill | None:
    """The coarse fill that ``content`` names as in the settings; None where there is none (patches alone).

    ``given``, which says what a picture made by another tool shows at a place, comes first. ``trusted``: the
    network's file may run code (``load_content``). Raises WeightsError.
    """
    if given is not None:
        return CoarseFill(lambda level, place: Coarse(given_fill(level, given(place)), followed=True))
    name = default_network("content") or "patches" if content == "auto" else content
    if name == "patches":
        return None
    if name in FILLS:
        return CoarseFill(lambda level, place: Coarse(FILLS[name](level)))
    network = load_content(name, device, trusted=trusted)
    weights = {f"content:{network.name}": network.sha256}
    return CoarseFill(lambda level, place: network_fill(level, network), weights)


def membrane_fill(level: Level) -> Floats:
    """(H, W, 3): the level with its hole filled smoothly."""
    return membrane(level.image, level.hole)


FILLS: dict[str, Callable[[Level], Floats]] = {"none": membrane_fill}
"""The coarse fills that need nothing but the level, by the names under which ``content`` chooses them."""


def network_fill(level: Level, network: ContentNetwork) -> Coarse:
    """The level with the network's guess in its hole, at the resolution at which it was shown the hole.

    In specks and scratches that is the membrane, unless the network's picture is sharp.
    """
    if level.deepest <= SHALLOW and not network.sharp:
        return Coarse(membrane_fill(level))
    frames = network.frames(level.hole)
    side = len(frames[0][0])
    resolution = min(1.0, network.seen(side) / side)
    return Coarse(_predicted(network, level.image, level.hole, frames), resolution, followed=network.sharp)


def given_fill(level: Level, picture: Floats) -> Floats:
    """``picture`` (H', W', 3) at the level's size, inside the hole."""
    return level.composite(resized(picture, level.size))


def predict(network: ContentNetwork, image: Floats, hole: Bools) -> Floats:
    """``image`` (H, W, 3), RGB in 0..1, of any size, with the network's guess in ``hole`` (H, W).

    The network's frames are brought to the size that it sees and the network asked. What it changes of the
    membrane is enlarged, averaged where frames overlap (their middles count more), and added to the membrane at
    full size: a picture that fits the known pixels at its rim (pasting the enlarged guess itself, as the paper
    does, leaves a step there). A hole thinner than a pixel of what it sees keeps the membrane. Raises ValueError
    where nothing or everything is hole.
    """
    return _predicted(network, image, hole, network.frames(hole))


def _predicted(network: ContentNetwork, image: Floats, hole: Bools, frames: list[Frame]) -> Floats:
    """:func:`predict` from these frames."""
    device = device_of(network)
    smooth = membrane(image, hole)
    filled, unknown = as_tensor(smooth).to(device), as_flags(hole).to(device, torch.float32)
    box = bounds(hole)  # in which the change is kept
    change, weight = torch.zeros_like(box.of(filled)), torch.zeros_like(box.of(unknown))
    changes = mapped(partial(_change, network, filled, unknown), frames)
    for (rows, columns), enlarged in zip(frames, changes, strict=True):
        if enlarged is None:
            continue
        bump = torch.sin(math.pi * (torch.arange(len(rows), device=device) + 0.5) / len(rows))
        trust = torch.outer(bump, bump)[None, None]
        y = (rows >= box.top) & (rows < box.bottom)
        x = (columns >= box.left) & (columns < box.right)
        place = rows[y][:, None] - box.top, columns[x] - box.left
        change[:, :, *place] += (trust * enlarged)[:, :, y][:, :, :, x]
        weight[:, :, *place] += trust[:, :, y][:, :, :, x]
    guess = as_array((box.of(filled) + change / weight.clamp_min(1e-12)).clamp(0, 1))
    smooth[box.slices] = np.where(hole[box.slices][..., None], guess, smooth[box.slices])
    return smooth


@torch.no_grad()
def _change(network: ContentNetwork, filled: Tensor, unknown: Tensor, frame: Frame) -> Tensor | None:
    """What the network changes of ``filled`` (1, 3, H, W) in a frame of S pixels, (1, 3, S, S); None where the
    hole ``unknown`` (1, 1, H, W) is thinner there than a pixel of what the network sees, or all."""
    height, width = unknown.shape[2:]
    rows, columns = frame
    mirrored = _reflect(rows, height)[:, None], _reflect(columns, width)
    side = len(rows)
    size = (network.seen(side),) * 2
    small = F.interpolate(filled[:, :, *mirrored], size, mode="bilinear", antialias=True)
    hole = F.interpolate(unknown[:, :, *mirrored], size, mode="bilinear", antialias=True) > 0.5
    if not hole.any() or hole.all():
        return None
    small = as_tensor(membrane(as_array(small), hole[0, 0].cpu().numpy())).to(filled.device)
    return F.interpolate(network(small, hole.float()) - small, (side, side), mode="bilinear")


def _reflect(index: Indices, length: int) -> Indices:
    """Positions beyond 0..length-1 mirrored back, about the border pixels, as often as needed."""
    period = max(2 * (length - 1), 1)
    return np.minimum(index % period, period - index % period)
