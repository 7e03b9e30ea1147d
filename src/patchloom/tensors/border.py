"""The border between arrays and torch: pictures are (H, W, C) arrays, networks see (1, C, H, W) tensors.

What comes before the networks works on arrays; the targets of the neural stage, its optimiser and the content
networks' predictions cross over here.
"""

from itertools import chain
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from patchloom.arrays import Bools, Floats
from patchloom.errors import SettingsError


def as_tensor(values: NDArray[Any]) -> Tensor:
    """(H, W, C) -> (1, C, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(values.transpose(2, 0, 1)))[None]


def as_array(values: Tensor) -> Floats:
    """(1, C, H, W) -> (H, W, C)."""
    return np.ascontiguousarray(values[0].permute(1, 2, 0).cpu().numpy())


def as_flags(mask: Bools) -> Tensor:
    """(H, W) bool -> (1, 1, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(mask))[None, None]


def shrunk(values: NDArray[Any], block: tuple[int, int], size: tuple[int, int]) -> Floats:
    """``values`` (H, W, C) of floats, bytes (255 becomes 1) or flags in another ``size``: first the means of whole
    blocks, so that a large picture never becomes one of floats."""
    rows, columns = (side // step * step for side, step in zip(values.shape[:2], block, strict=True))
    blocks = values[:rows, :columns].reshape(rows // block[0], block[0], columns // block[1], block[1], -1)
    unit = blocks.mean((1, 3), dtype=np.float32) / np.float32(255 if values.dtype == np.uint8 else 1)
    return resized(unit, size)


def device_of(network: nn.Module) -> torch.device:
    """Where a network computes."""
    return next((values.device for values in chain(network.parameters(), network.buffers())), torch.device("cpu"))


def device_named(name: str) -> torch.device:
    """``auto`` is cuda where there is one, else mps, else cpu. Raises SettingsError for one that is not there."""
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise SettingsError(f"There is no device '{name}'.", "Use auto, cpu, cuda, cuda:N or mps.") from error
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there.get(device.type, False):
        raise SettingsError(f"This machine offers no {device.type} to PyTorch.", "Use {device cpu}.")
    return device


def between(a: Floats, b: Floats, share: float) -> Floats:
    """From ``a`` (``share`` 0) to ``b`` (1), (H, W, C), rounded as torch does, once for the product and sum."""
    return as_array(torch.lerp(as_tensor(a), as_tensor(b), share))


def resized(picture: Floats, size: tuple[int, int], *, antialias: bool = True) -> Floats:
    """``picture`` (H, W, C) bilinearly brought to ``size``; itself where that fits."""
    if picture.shape[:2] == size:
        return picture
    scaled = F.interpolate(as_tensor(picture), size, mode="bilinear", antialias=antialias, align_corners=False)
    return as_array(scaled)
