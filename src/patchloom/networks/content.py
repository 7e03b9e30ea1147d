"""Content networks of ours: a guess at what belongs in the hole, right on average and blurred.

Two of them, with one face (:class:`ContentNetwork`): a picture of 128x128 whose hole is filled by the membrane
(``tensors/membrane.py``) and the hole go in, the picture with another filling comes out.

* :class:`ResidualContent`, for any hole: predicts the *difference* from the membrane, so that it starts where the
  membrane ends. An encoder-decoder with skips whose bottleneck is dense: every cell of the coarsest map sees every
  other, which is how the surroundings of a large hole meet in its middle.
* :class:`PaperContent`, for a centred square: the encoder-decoder of Yang et al. 2017 (Context Encoders with ELU
  and an ordinary dense bottleneck), and the :class:`Discriminator` it is trained against.

``method/coarse.py`` brings any picture with any hole to a network's squares and back. Other people's networks
have the same face, and their guess is sharp (``foreign.py``).
"""

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from patchloom.tensors.boxes import bounds, depths

Indices = NDArray[np.intp]
Frame = tuple[Indices, Indices]
"""Row and column numbers of a square of a picture; beyond the border they mean the picture reflected there."""

SIZE = 128
"""Side of the square picture that the networks see, in pixels."""

CONTEXT = 6.0
"""Side of the square shown of a picture, in depths of its hole. (4 and 10 measured: .1 to .2 dB less on boxes.)"""


class ContentNetwork(nn.Module):
    """Base of the content networks. ``name`` and ``sha256`` are set by who loads the weights; ``sharp``: what it
    shows is to be taken at its word, and no mean of what might be there."""

    name: str = ""
    sha256: str = ""
    size: int = SIZE
    sharp: bool = False

    @property
    def config(self) -> dict[str, Any]:
        """What ``type(self)(**config)`` needs to build an equal, untrained network."""
        raise NotImplementedError

    def forward(self, image: Tensor, hole: Tensor) -> Tensor:
        """``image`` (N, 3, S, S), RGB in 0..1, its ``hole`` (N, 1, S, S), 0 or 1, filled by the membrane:
        the image with the network's guess in the hole, in 0..1 (in training unclamped: gradients must flow)."""
        filled = image + hole * (self._guess(image, hole) - image)
        return filled if self.training else filled.clamp(0, 1)

    def _guess(self, image: Tensor, hole: Tensor) -> Tensor:
        raise NotImplementedError

    def seen(self, side: int) -> int:
        """The side at which the network is shown a square of ``side`` pixels."""
        return self.size

    def frames(self, hole: NDArray[np.bool_]) -> list[Frame]:
        """The squares to show the network of a picture with ``hole`` (H, W), not empty; together they cover it.

        Their side is ``CONTEXT`` times the hole's depth (the greatest distance to a known pixel), so that a stroke
        is seen as closely as a square of its width (measured against one square around all: .5 dB on scratches,
        .15 dB on thick strokes); at least twice the 128 that the network sees (once is .03 dB better on
        scratches, for three times the squares), and no more than the picture's shorter side where the hole
        leaves a choice.
        """
        deepest = float(depths(np.pad(hole, 1, mode="edge")).max())  # a hole at the border goes on beyond it
        side = min(max(math.ceil(CONTEXT * deepest), 2 * SIZE), max(min(hole.shape), math.ceil(2.5 * deepest)))
        return squares(hole, side)


def squares(hole: NDArray[np.bool_], side: int, *, several: bool = True) -> list[Frame]:
    """Squares of ``side`` pixels that cover ``hole`` (H, W), not empty, and lie in the picture if they fit.

    Where the hole is longer than half of ``side`` there are ``several``, that overlap by half.
    """
    starts = []
    for span, length in zip(bounds(hole).slices, hole.shape, strict=True):
        first, last = span.start, span.stop
        count = max(1, math.ceil(2 * (last - first) / side)) if several else 1
        middles = [(first + last) / 2]
        if count > 1:
            middles = list(np.linspace(first + side / 4, last - side / 4, count))
        lowest, highest = (0, length - side) if side <= length else (-side, length)
        starts.append(sorted({min(max(round(middle - side / 2), lowest), highest) for middle in middles}))
    all_of_them = ((np.arange(y, y + side), np.arange(x, x + side)) for y in starts[0] for x in starts[1])
    return [square for square in all_of_them if hole[np.ix_(*map(_inside, square, hole.shape))].any()]


class _Residual(nn.Module):
    """x + a small correction; the 1x1 convolution starts at zero, so a new block changes nothing."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        self.spread = nn.Conv2d(channels, channels, 3, padding=1)
        self.gather = nn.Conv2d(channels, channels, 1)
        nn.init.zeros_(self.gather.weight)
        nn.init.zeros_(self.gather.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        correction: Tensor = self.gather(functional.gelu(self.spread(self.norm(x))))
        return x + correction


class _Dense(nn.Module):
    """Mixes all cells of the coarsest map: squeezed to ``code`` channels a cell, two dense layers over the lot."""

    def __init__(self, channels: int, cells: int, code: int, width: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, code, 1)
        self.inward = nn.Linear(code * cells, width)
        self.outward = nn.Linear(width, code * cells)
        self.expand = nn.Conv2d(code, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        code: Tensor = self.squeeze(x)
        mixed: Tensor = self.outward(functional.gelu(self.inward(code.flatten(1))))
        correction: Tensor = self.expand(mixed.view(code.shape))
        return x + correction


class ResidualContent(ContentNetwork):
    """The default network: picture and hole in, the membrane plus a learnt difference out.

    ``widths``: channels at 32x32, 16x16 and 8x8 cells; ``blocks``: residual blocks there, in the encoder and again
    in the decoder; ``code`` and ``dense``: channels a cell and width of the dense bottleneck. Pixels enter and
    leave in cells of 4x4 (pixel unshuffle): the guide's low frequencies are what counts, and all resolution is
    kept for thin holes, at a sixteenth of the cost of working on pixels.
    """

    CELL = 4

    def __init__(
        self,
        widths: tuple[int, int, int] = (32, 96, 192),
        blocks: tuple[int, int, int] = (1, 1, 1),
        code: int = 32,
        dense: int = 512,
    ) -> None:
        super().__init__()
        self.widths, self.blocks, self.code, self.dense = tuple(widths), tuple(blocks), code, dense
        pixels = self.CELL**2
        fine, middle, coarse = self.widths

        def stack(level: int) -> nn.Sequential:
            return nn.Sequential(*(_Residual(self.widths[level]) for _ in range(self.blocks[level])))

        self.enter = nn.Conv2d(4 * pixels, fine, 3, padding=1)
        self.encode = nn.ModuleList(stack(level) for level in range(3))
        self.shrink = nn.ModuleList([nn.Conv2d(fine, middle, 2, 2), nn.Conv2d(middle, coarse, 2, 2)])
        self.bottleneck = _Dense(coarse, (SIZE // (4 * self.CELL)) ** 2, code, dense)
        self.grow = nn.ModuleList([nn.Conv2d(middle, 4 * fine, 1), nn.Conv2d(coarse, 4 * middle, 1)])
        self.decode = nn.ModuleList(stack(level) for level in range(3))
        self.leave = nn.Conv2d(fine, 3 * pixels, 3, padding=1)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)  # type: ignore[arg-type]

    @property
    def config(self) -> dict[str, Any]:
        return {"widths": self.widths, "blocks": self.blocks, "code": self.code, "dense": self.dense}

    def _guess(self, image: Tensor, hole: Tensor) -> Tensor:
        x = functional.pixel_unshuffle(torch.cat([2 * image - 1, hole], 1), self.CELL)  # (N, 64, 32, 32)
        fine = self.encode[0](self.enter(x.contiguous(memory_format=torch.channels_last)))
        middle = self.encode[1](self.shrink[0](fine))  # (N, 96, 16, 16)
        coarse = self.encode[2](self.shrink[1](middle))  # (N, 192, 8, 8)
        coarse = self.decode[2](self.bottleneck(coarse))
        middle = self.decode[1](middle + functional.pixel_shuffle(self.grow[1](coarse), 2))
        fine = self.decode[0](fine + functional.pixel_shuffle(self.grow[0](middle), 2))
        return image + functional.pixel_shuffle(self.leave(fine), self.CELL)


PAPER_HOLE, PAPER_RIM = 56, 4
"""The paper's hole in a picture of 128, and the known pixels around it that the network must reproduce."""

_PAPER_MEAN = (117 / 255, 104 / 255, 123 / 255)  # what hides the hole; the order of the channels is the original's


class PaperContent(ContentNetwork):
    """The paper's encoder-decoder: 128x128 with a hidden centre of 56x56 in, the centre of 64x64 out.

    ``channels``: of the first layer (64 in Context Encoders; the later ones are 1, 2, 4 and 8 times as wide);
    ``width``: of the dense bottleneck (4000 there; 71 million parameters in all). Convolutions are 4x4, halving or
    doubling, without biases, as Context Encoders' code has it. Outside the centre the membrane stays.
    """

    def __init__(self, channels: int = 64, width: int = 4000) -> None:
        super().__init__()
        self.channels, self.width = channels, width
        c = channels
        self.encode = nn.Sequential(
            nn.Conv2d(3, c, 4, 2, 1, bias=False),
            nn.ELU(),  # (N, c, 64, 64)
            *_paper_layer(nn.Conv2d(c, c, 4, 2, 1, bias=False)),  # 32 x 32
            *_paper_layer(nn.Conv2d(c, 2 * c, 4, 2, 1, bias=False)),
            *_paper_layer(nn.Conv2d(2 * c, 4 * c, 4, 2, 1, bias=False)),
            *_paper_layer(nn.Conv2d(4 * c, 8 * c, 4, 2, 1, bias=False)),  # 4 x 4
            *_paper_layer(nn.Conv2d(8 * c, width, 4, bias=False)),  # dense: (N, width, 1, 1)
        )
        self.decode = nn.Sequential(
            *_paper_layer(nn.ConvTranspose2d(width, 8 * c, 4, bias=False)),  # dense: 4 x 4
            *_paper_layer(nn.ConvTranspose2d(8 * c, 4 * c, 4, 2, 1, bias=False)),
            *_paper_layer(nn.ConvTranspose2d(4 * c, 2 * c, 4, 2, 1, bias=False)),
            *_paper_layer(nn.ConvTranspose2d(2 * c, c, 4, 2, 1, bias=False)),  # 32 x 32
            nn.ConvTranspose2d(c, 3, 4, 2, 1, bias=False),
            nn.Tanh(),  # (N, 3, 64, 64)
        )
        self.apply(_initialise)

    @property
    def config(self) -> dict[str, Any]:
        return {"channels": self.channels, "width": self.width}

    def frames(self, hole: NDArray[np.bool_]) -> list[Frame]:
        """One square with the hole's bounding box in its middle, as the paper treats a hole of another shape."""
        box = bounds(hole)
        side = math.ceil(SIZE / PAPER_HOLE * max(box.size))
        rows, columns = (np.arange(side) + (span.start + span.stop - side) // 2 for span in box.slices)
        return [(rows, columns)]

    def centre(self, image: Tensor) -> Tensor:
        """The network's centre of 64x64 with its rim, in -1..1, for ``image`` (N, 3, 128, 128) in 0..1."""
        edge = (SIZE - PAPER_HOLE) // 2
        x = 2 * image - 1
        hidden = x.new_tensor(_PAPER_MEAN).mul(2).sub(1).view(1, 3, 1, 1)
        x[:, :, edge:-edge, edge:-edge] = hidden
        predicted: Tensor = self.decode(self.encode(x.contiguous(memory_format=torch.channels_last)))
        return predicted

    def _guess(self, image: Tensor, hole: Tensor) -> Tensor:
        edge = (SIZE - PAPER_HOLE) // 2
        filled = image.clone()
        inner = self.centre(image)[:, :, PAPER_RIM:-PAPER_RIM, PAPER_RIM:-PAPER_RIM]
        filled[:, :, edge:-edge, edge:-edge] = (inner.to(image.dtype) + 1) / 2
        return filled


class Discriminator(nn.Sequential):
    """Tells real centres (N, 3, 64, 64), in -1..1, from predicted ones: logits (N,), high for real ones."""

    def __init__(self, channels: int = 64) -> None:
        c = channels
        super().__init__(
            nn.Conv2d(3, c, 4, 2, 1, bias=False),
            nn.LeakyReLU(0.2),
            *_paper_layer(nn.Conv2d(c, 2 * c, 4, 2, 1, bias=False), nn.LeakyReLU(0.2)),
            *_paper_layer(nn.Conv2d(2 * c, 4 * c, 4, 2, 1, bias=False), nn.LeakyReLU(0.2)),
            *_paper_layer(nn.Conv2d(4 * c, 8 * c, 4, 2, 1, bias=False), nn.LeakyReLU(0.2)),
            nn.Conv2d(8 * c, 1, 4, bias=False),
            nn.Flatten(0),
        )
        self.apply(_initialise)


def _paper_layer(
    convolution: nn.Module, activation: nn.Module | None = None
) -> tuple[nn.Module, nn.Module, nn.Module]:
    return convolution, nn.BatchNorm2d(int(convolution.out_channels)), activation or nn.ELU()  # type: ignore[arg-type]


def _initialise(module: nn.Module) -> None:
    """Context Encoders' start: N(0, 0.02) for convolutions, N(1, 0.02) for the gains of batch normalisation."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1, 0.02)


def _inside(index: Indices, length: int) -> Indices:
    """Those of the positions ``index`` that are in 0..length-1."""
    return index[(index >= 0) & (index < length)]
