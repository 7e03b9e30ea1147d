"""Texture networks: whose features say which patches look alike.

Two of them, with one face (:class:`TextureNetwork`): pictures (N, 3, H, W) in RGB, 0..1, go in; named feature
maps ("taps") come out. No layer beyond the deepest tap asked for is computed.

* :class:`Vgg19`: the convolutions of VGG-19 (Simonyan and Zisserman 2014, arXiv:1409.1556), as far as the weights
  at hand reach. What different trainings expect of their input is written down in :data:`VARIANTS`.
* :class:`Compact`: a small network trained to reproduce the principal components of VGG-19's taps, so that
  distances between its features approximate distances between VGG-19's (see ``training/texture.py``).

Every network here is frozen: gradients reach the picture, never the weights.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from patchloom.errors import WeightsError


@dataclass(frozen=True, slots=True)
class Variant:
    """What one training of VGG-19 expects of a picture, and how it pools.

    The first convolution sees ``(range * picture - mean) / std`` with channels in ``order``; ``mean`` and ``std``
    are in that order and range. Convolutions pad with zeros (after the mean is taken off, as in both originals).
    ``ceil``: a last odd row or column makes a cell of its own when pooled (Caffe) or is dropped (torchvision).
    """

    order: Literal["RGB", "BGR"]
    range: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    ceil: bool

    def prepare(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) RGB in 0..1 -> what the first convolution takes."""
        if self.order == "BGR":
            x = x.flip(1)
        mean, std = (x.new_tensor(values).view(1, 3, 1, 1) for values in (self.mean, self.std))
        return (x * self.range - mean) / std


_CAFFE = Variant("BGR", 255.0, (103.939, 116.779, 123.68), (1.0, 1.0, 1.0), ceil=True)

VARIANTS: dict[str, Variant] = {
    "torchvision": Variant("RGB", 1.0, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), ceil=False),
    "caffe": _CAFFE,
    # The Caffe weights, every layer rescaled to a mean activation of 1 over photographs (Gatys et al. 2015).
    "normalised": _CAFFE,
}


class TextureNetwork(nn.Module):
    """Base of the texture networks. ``name`` and ``sha256`` are set by who loads the weights."""

    name: str = ""
    sha256: str = ""
    strides: dict[str, int]
    reaches: dict[str, int]

    @property
    def taps(self) -> tuple[str, ...]:
        """The feature maps this network can give, fine to coarse."""
        return tuple(self.strides)

    @property
    def config(self) -> dict[str, Any]:
        """What ``type(self)(**config)`` needs to build an equal, untrained network."""
        raise NotImplementedError

    def stride(self, tap: str) -> int:
        """Pixels between two cells of ``tap``. Raises WeightsError where there is no such tap."""
        self._check([tap])
        return self.strides[tap]

    def reach(self, tap: str) -> int:
        """Pixels beyond a cell of ``tap`` that its features depend on. Raises WeightsError."""
        self._check([tap])
        return self.reaches[tap]

    def forward(self, x: Tensor, taps: Iterable[str]) -> dict[str, Tensor]:
        """Features of ``x`` (N, 3, H, W), RGB in 0..1, at ``taps``: tap -> (N, C, h, w), h and w about H and W
        divided by the tap's stride. Raises WeightsError for a tap the network has not."""
        wanted = tuple(dict.fromkeys(taps))
        self._check(wanted)
        return self._features(x, wanted)

    def _features(self, x: Tensor, taps: tuple[str, ...]) -> dict[str, Tensor]:
        raise NotImplementedError

    def _check(self, taps: Iterable[str]) -> None:
        for tap in taps:
            if tap not in self.strides:
                name = self.name or type(self).__name__
                raise WeightsError(
                    f"The texture network '{name}' has no layer '{tap}'.",
                    f"Choose among its layers with {{layers}}: {', '.join(self.taps)}.",
                )


_VGG19 = {  # convolution: (channels out, position in torchvision's `features`)
    **{"1_1": (64, 0), "1_2": (64, 2), "2_1": (128, 5), "2_2": (128, 7)},
    **{"3_1": (256, 10), "3_2": (256, 12), "3_3": (256, 14), "3_4": (256, 16), "4_1": (512, 19)},
}


class Vgg19(TextureNetwork):
    """VGG-19 from conv1_1 to ``deepest`` (at most conv4_1): ReLU after each, 2x2 maximum between blocks."""

    def __init__(self, variant: str = "torchvision", deepest: str = "4_1") -> None:
        super().__init__()
        names = list(_VGG19)
        names = names[: names.index(deepest) + 1]
        self.variant = variant
        self.convolutions = nn.ModuleDict()
        self.strides, self.reaches = {}, {}
        channels, reach = 3, 0
        for name in names:
            self.convolutions[name] = nn.Conv2d(channels, _VGG19[name][0], 3, padding=1)
            channels = _VGG19[name][0]
            stride = 2 ** (int(name[0]) - 1)
            reach += stride  # a 3x3 convolution sees one cell further
            self.strides[f"relu{name}"], self.reaches[f"relu{name}"] = stride, reach
        self.requires_grad_(False).eval()

    @property
    def config(self) -> dict[str, Any]:
        return {"variant": self.variant, "deepest": list(self.convolutions)[-1]}

    def layers(self) -> dict[str, nn.Conv2d]:
        """The convolutions by name ("1_1" ...), in order."""
        return cast("dict[str, nn.Conv2d]", dict(self.convolutions.items()))

    @classmethod
    def from_state(cls, state: Mapping[str, Tensor], variant: str) -> "Vgg19":
        """The network of a torchvision-like (``features.0.weight``) or Caffe-like (``conv1_1.weight``) state
        dict, to conv4_1 or as far as it reaches. Other entries are ignored. Raises WeightsError."""
        found: dict[str, Tensor] = {}
        deepest = ""
        for name, (_, position) in _VGG19.items():
            key = next((k for k in (f"features.{position}", f"conv{name}") if f"{k}.weight" in state), None)
            if key is None or f"{key}.bias" not in state:
                break
            for part in ("weight", "bias"):
                found[f"convolutions.{name}.{part}"] = state[f"{key}.{part}"].float()
            deepest = name
        if not deepest:
            raise WeightsError(
                "The file holds no VGG-19 convolutions.",
                "Use a state dict with keys like features.0.weight (torchvision) or conv1_1.weight (Caffe).",
            )
        network = cls(variant, deepest)
        try:
            network.load_state_dict(found)
        except RuntimeError as error:
            raise WeightsError("The file's convolutions have not the shapes of VGG-19.") from error
        return network

    def _features(self, x: Tensor, taps: tuple[str, ...]) -> dict[str, Tensor]:
        variant = VARIANTS[self.variant]
        x = variant.prepare(x)
        features: dict[str, Tensor] = {}
        stride = 1
        for name, convolution in self.layers().items():
            tap = f"relu{name}"
            if self.strides[tap] > stride:
                x = functional.max_pool2d(x, 2, ceil_mode=variant.ceil)
                stride = self.strides[tap]
            x = functional.relu(convolution(x))
            if tap in taps:
                features[tap] = x
                if len(features) == len(taps):
                    break
        return features


_COMPACT_TAPS = {"relu1_1": 1, "relu2_1": 2, "relu3_1": 4}  # strides; with one more convolution between them
_COMPACT_REACHES = {"relu1_1": 1, "relu2_1": 4, "relu3_1": 10}


class Compact(TextureNetwork):
    """VGG-19's layout to conv3_1 with few channels, and a linear 1x1 head for each tap.

    ``widths``: channels of conv1_1, 1_2, 2_1, 2_2 and 3_1, with VGG-19's receptive fields. ``components``:
    channels of the three taps, which carry VGG-19's names; they stand for its leading principal components, scaled
    so that the *mean* squared difference over channels is that of VGG-19. The picture's border is repeated, not
    padded with zeros, and a last odd row or column has cells of its own.
    """

    def __init__(
        self, widths: tuple[int, ...] = (16, 16, 48, 48, 96), components: tuple[int, ...] = (16, 48, 96)
    ) -> None:
        super().__init__()
        self.widths, self.components = tuple(widths), tuple(components)
        self.strides, self.reaches = dict(_COMPACT_TAPS), dict(_COMPACT_REACHES)
        pairs = zip((3, *self.widths), self.widths, strict=False)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(before, after, 3, padding=1, padding_mode="replicate") for before, after in pairs
        )
        tapped = zip(self.widths[::2], self.components, strict=True)
        self.heads = nn.ModuleList(nn.Conv2d(width, parts, 1) for width, parts in tapped)

    @property
    def config(self) -> dict[str, Any]:
        return {"widths": self.widths, "components": self.components}

    def layers(self) -> list[nn.Conv2d]:
        """The 3x3 convolutions, in order."""
        return cast("list[nn.Conv2d]", list(self.convolutions))

    def tops(self) -> list[nn.Conv2d]:
        """The taps' 1x1 heads, in the order of the taps."""
        return cast("list[nn.Conv2d]", list(self.heads))

    def _features(self, x: Tensor, taps: tuple[str, ...]) -> dict[str, Tensor]:
        x = 4 * x - 2  # photographs then have about unit spread
        x = x.contiguous(memory_format=torch.channels_last)  # a third quicker, and pools five times
        features: dict[str, Tensor] = {}
        deepest = max(map(list(self.strides).index, taps), default=-1)
        for index, tap in enumerate(self.taps[: deepest + 1]):
            if index:
                x = functional.relu(self.convolutions[2 * index - 1](x))
                x = functional.max_pool2d(x, 2, ceil_mode=True)
            x = functional.relu(self.convolutions[2 * index](x))
            if tap in taps:
                features[tap] = self.heads[index](x)
        return features
