"""Normalised activations: one scale for every training of VGG-19.

The same architecture trained twice has activations of different size, and a texture term weighted for one training
would drown or vanish with another. A ReLU network may be rescaled layer by layer without changing what it computes
but for the scale (Gatys et al. 2015): here every layer is brought to the mean activation that the normalised
variant of VGG-19 has (about 1 over photographs). No photograph is needed: the means are compared on dead leaves,
random overlapping discs, which have the edges and scales of photographs (Lee, Mumford and Huang 2001,
doi:10.1023/A:1011109015675).
"""

import torch
from torch import Tensor

from patchloom.networks.texture import Vgg19

REFERENCE = {
    "relu1_1": 1.265,
    "relu1_2": 1.415,
    "relu2_1": 1.433,
    "relu2_2": 1.818,
    "relu3_1": 1.561,
}
"""Mean activations of the normalised variant on :func:`dead_leaves`, measured; deeper layers take the last."""


def dead_leaves(count: int = 4, side: int = 96, discs: int = 600) -> Tensor:
    """Pictures (count, 3, side, side) in 0..1, always the same: discs of radius 2..side with density r^-3."""
    generator = torch.Generator().manual_seed(0)
    rows, columns = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    pictures = torch.zeros(count, 3, side, side)
    for picture in pictures:
        for _ in range(discs):
            share, x, y, grey = torch.rand(4, generator=generator).tolist()
            radius = ((1 - share) / 2**2 + share / side**2) ** -0.5
            colour = 0.75 * grey + 0.25 * torch.rand(3, generator=generator)
            centre_x, centre_y = (1.4 * side * value - 0.2 * side for value in (x, y))
            disc = (columns - centre_x) ** 2 + (rows - centre_y) ** 2 < radius**2
            picture[:, disc] = colour[:, None]
    return pictures


@torch.no_grad()
def normalise(network: Vgg19) -> Vgg19:
    """Rescales ``network``'s layers in place to the means of :data:`REFERENCE`, and returns it."""
    features = network(dead_leaves(), network.taps)
    reference, before = 1.0, 1.0
    for convolution, tap in zip(network.layers().values(), network.taps, strict=True):
        reference = REFERENCE.get(tap, reference)
        scale = reference / max(float(features[tap].mean()), 1e-12)
        assert convolution.bias is not None
        convolution.weight.mul_(scale / before)
        convolution.bias.mul_(scale)
        before = scale
    return network
