"""A node for ComfyUI: fills the masked part of an image from the rest of it, on the processor.

Copy this file into ComfyUI's ``custom_nodes`` folder and install patchloom into ComfyUI's environment. The node is
under *image/inpaint*. Its optional ``coarse`` input takes another model's result, whose structure is followed at
full resolution.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from patchloom import Inpainter, Mask, Photo, fill_settings
from patchloom.events import Event, Step


class PatchloomFill:
    """Images are (B, H, W, 3) floats in 0..1, masks (B, H, W) or (H, W), as everywhere in ComfyUI."""

    CATEGORY = "image/inpaint"
    DESCRIPTION = (
        "Fills the mask with texture from the rest of the image, guided by a small network or another fill."
    )
    FUNCTION = "fill"
    RETURN_TYPES = ("IMAGE",)
    RETURN_NAMES = ("filled",)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, dict[str, Any]]:  # noqa: N802 - ComfyUI's name
        return {
            "required": {
                "image": ("IMAGE",),
                "mask": ("MASK",),
                "preset": (["balanced", "fast", "best"],),
                "seed": ("INT", {"default": 0, "min": 0, "max": 2**31 - 1}),
                "grow": ("INT", {"default": 0, "min": 0, "max": 256, "tooltip": "Pixels to grow the mask by."}),
            },
            "optional": {"coarse": ("IMAGE", {"tooltip": "Another fill of the same image, to be refined."})},
        }

    def fill(
        self, image: Tensor, mask: Tensor, preset: str, seed: int, grow: int, coarse: Tensor | None = None
    ) -> tuple[Tensor]:
        inpainter, settings = Inpainter(), fill_settings(preset, seed=seed, grow=grow)
        masks = mask if mask.ndim == 3 else mask[None]
        filled = [
            inpainter.inpaint(
                as_photo(picture),
                Mask.from_array(masks[number % len(masks)].cpu().numpy() > 0.5),
                settings,
                coarse=None if coarse is None else as_photo(coarse[number % len(coarse)]),
                observe=progress_bar(),
            ).photo.to_array()
            for number, picture in enumerate(image)
        ]
        return (torch.from_numpy(np.stack(filled)).to(image),)


def as_photo(picture: Tensor) -> Photo:
    return Photo.from_array(picture[..., :3].detach().cpu().float().clamp(0, 1).numpy())


def progress_bar() -> Any:
    """Tells ComfyUI how far the fill is; outside of it, nobody."""
    try:
        from comfy.utils import ProgressBar  # type: ignore[import-not-found]
    except ModuleNotFoundError:
        return lambda event: None
    bar = ProgressBar(100)

    def observe(event: Event) -> None:
        if isinstance(event, Step):
            bar.update_absolute(round(100 * event.fraction))

    return observe


NODE_CLASS_MAPPINGS = {"PatchloomFill": PatchloomFill}
NODE_DISPLAY_NAME_MAPPINGS = {"PatchloomFill": "Fill (patchloom)"}
