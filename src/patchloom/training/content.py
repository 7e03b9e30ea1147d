"""Training of the content networks: the default one for any hole, the paper's for a centred square.

Default network. The loss of one picture is the logarithm of its hole's mean squared error,

    L = mean_i log(c + mse_i),      mse_i = mean over the hole of (f(x_i) - y_i)^2,

because what counts is the ratio by which a hole gets better (its PSNR), in smooth pictures as in busy ones; c
keeps holes that are nearly right already from taking over. L2-like losses give the mean of all plausible fillings:
blurred, but right on average, which is what a guide has to be; sharpness is the patches' task.

The paper's network (Yang et al. 2017, after Context Encoders):

    L = lambda L_2 + (1 - lambda) L_adv,    lambda = 0.999,

L_2 over the centre of 64x64 with weight 10 on its 4-pixel rim of known pixels; the adversarial part in its
non-saturating form, one step of the discriminator before each of the network.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from patchloom.networks.content import (
    PAPER_HOLE,
    PAPER_RIM,
    SIZE,
    ContentNetwork,
    Discriminator,
    PaperContent,
    ResidualContent,
)
from patchloom.resources import processors
from patchloom.training.data import Photographs
from patchloom.training.muon import Muon
from patchloom.training.plan import ContentOptions
from patchloom.training.processes import bfloat16_pays, descend, rank, world
from patchloom.training.samples import CENTRE, MIXED, make_samples


@dataclass(frozen=True)
class Size:
    """A size of the default network and the batch (in all processes) that suits the machine it is for."""

    config: dict[str, Any]
    batch: int


SIZES = {
    # 3.3 million parameters. For a processor: enough for its ten or twenty epochs, and more of them in an hour.
    "small": Size({}, 128),
    # 6.9 million, 14 MB in half precision: as much as the package carries. For a graphics card's hundreds of
    # epochs; smaller batches would leave it waiting for the launch of the next layer.
    "large": Size({"widths": (64, 128, 256), "blocks": (1, 2, 2), "dense": 768}, 512),
}

MUON_RATE = 0.02  # convolutions and dense layers: the spectral norm of one step, whatever the layer's size
ADAM_RATE = 1e-3  # first and last layer, biases, batch normalisation
ADAM_BETAS = (0.9, 0.99)
WEIGHT_DECAY = 0.01
NEARLY_RIGHT = 0.003  # c: a PSNR of 25 dB

PAPER_BATCH = 64
PAPER_RATE = 2e-3  # ten times the discriminator's, as in Context Encoders
PAPER_RATE_L2 = 2e-4  # without a discriminator its code leaves the rate as it is
DISCRIMINATOR_RATE = 2e-4
PAPER_BETAS = (0.5, 0.999)
PAPER_LAMBDA = 0.999
PAPER_RIM_WEIGHT = 10.0

HELD_OUT = 64  # every 64th photograph is measured on, never trained on
MEASURED = 256  # of them at most
TOLERANCE = np.float32(2e-2)  # of the membranes trained on: .14 grey levels on average, and half the time
AT_ONCE = 4  # samples made by a thread before it asks for more

_Network = TypeVar("_Network", bound=nn.Module)

Batch = tuple[Tensor, ...]
"""Photographs, (N, 3, S, S) in 0..1; the same with holes filled by the membrane; holes, (N, 1, S, S), bool."""


class ContentTrainee(ABC):
    """Batches, losses and measures common to both networks. See :class:`patchloom.training.loop.Trainee`."""

    role = "content"
    name: str
    kind = MIXED
    tolerance = TOLERANCE  # of the membrane in training; 0: the network needs none
    network: ContentNetwork
    optimisers: dict[str, torch.optim.Optimizer]

    def __init__(self, photographs: Photographs, options: ContentOptions, seed: int, device: torch.device) -> None:
        self.photographs, self.options, self.seed, self.device = photographs, options, seed, device
        self.trained, self.held_out = photographs.parted(HELD_OUT, MEASURED)
        usual = PAPER_BATCH if options.network == "paper" else SIZES[options.size].batch
        self.size = max(2, (options.batch or usual) // world())  # batch normalisation needs two
        self.epoch_steps = max(1, len(self.trained) // (self.size * world()))
        self.others = nn.ModuleDict()
        self.pool = ThreadPoolExecutor(_sample_threads(device))  # the compiled sample makers hold no lock

    @abstractmethod
    def learn(self, batch: Batch) -> dict[str, Tensor]: ...

    def batch(self, step: int) -> Batch:
        random = np.random.default_rng((self.seed, step, rank()))
        numbers = self.trained[random.integers(0, len(self.trained), self.size)]
        return self._make(numbers, random.integers(0, 2**31, self.size), self.tolerance)

    def _make(self, numbers: NDArray[np.int64], seeds: NDArray[np.int64], tolerance: np.float32) -> Batch:
        pinned = self.device.type == "cuda"  # memory that a graphics card reads by itself, while we go on
        shape = (len(numbers), SIZE, SIZE)
        pictures, filled = (torch.empty(*shape, 3, pin_memory=pinned) for _ in range(2))
        holes = torch.empty(shape, dtype=torch.bool, pin_memory=pinned)
        store = np.asarray(self.photographs.pixels), self.photographs.index

        def make(first: int) -> None:
            part = slice(first, first + AT_ONCE)
            made = (tensor[part].numpy() for tensor in (pictures, filled, holes))
            make_samples(store, numbers[part], seeds[part], self.kind, tolerance, *made)

        list(self.pool.map(make, range(0, len(numbers), AT_ONCE)))
        # Seen as (N, 3, S, S) without moving a byte: torch's "channels last", which convolutions prefer.
        return pictures.permute(0, 3, 1, 2), filled.permute(0, 3, 1, 2), holes[:, None]

    def precision(self) -> AbstractContextManager[Any]:
        enabled = self.options.mixed_precision and bfloat16_pays(self.device)
        return torch.autocast(self.device.type, torch.bfloat16, enabled=enabled)

    @torch.no_grad()
    def measure(self, network: nn.Module) -> dict[str, float]:
        """Mean PSNR in the held-out holes, of the network and of the membrane it starts from."""
        network_psnr, membrane_psnr = [], []
        for truth, filled, hole in self._held_out(self.size):
            with self.precision():
                guess = network(filled, hole).float()
            network_psnr.append(-10 * hole_error(guess, truth, hole).log10())
            membrane_psnr.append(-10 * hole_error(filled, truth, hole).log10())
        return {"psnr": float(torch.cat(network_psnr).mean()), "membrane": float(torch.cat(membrane_psnr).mean())}

    def _held_out(self, size: int) -> Iterator[Batch]:
        for start in range(0, len(self.held_out), size):
            numbers = self.held_out[start : start + size]
            truth, filled, hole = (part.to(self.device) for part in self._make(numbers, numbers, TOLERANCE))
            yield truth, filled, hole.float()

    @torch.no_grad()
    def sheet(self, network: nn.Module) -> NDArray[np.uint8]:
        """Rows of truth, membrane and guess, eight pictures each."""
        truth, filled, hole = next(self._held_out(8))
        rows = torch.stack([truth, filled, network(filled, hole)])  # (3, n, 3, S, S)
        sheet = rows.permute(0, 3, 1, 4, 2).reshape(3 * SIZE, -1, 3)
        return (255 * sheet.clamp(0, 1)).round().byte().cpu().numpy()

    def card(self) -> dict[str, Any]:
        return {
            "task": "the content of a hole in a photograph, at 128x128",
            "photographs": len(self.trained),
            "data": self.options.data,
            "batch": self.size * world(),
            "seed": self.seed,
            "licence": "MIT (the weights); the photographs' own licences as in data",
        }


class DefaultTrainee(ContentTrainee):
    """The default network."""

    name = "default"

    def __init__(self, photographs: Photographs, options: ContentOptions, seed: int, device: torch.device) -> None:
        super().__init__(photographs, options, seed, device)
        self.network = _on_device(ResidualContent(**SIZES[options.size].config), device)
        matrices: list[Tensor] = []
        rest: list[Tensor] = []
        for name, parameter in self.network.named_parameters():
            inner = parameter.ndim > 1 and not name.startswith(("enter", "leave"))
            (matrices if inner else rest).append(parameter)
        self.optimisers = {
            "muon": Muon(matrices, MUON_RATE, WEIGHT_DECAY),
            "adam": torch.optim.AdamW(rest, ADAM_RATE, ADAM_BETAS, weight_decay=WEIGHT_DECAY),
        }

    def learn(self, batch: Batch) -> dict[str, Tensor]:
        truth, filled, hole = batch[0], batch[1], batch[2].float()
        with self.precision():
            guess = self.network(filled, hole)
        error = hole_error(guess.float(), truth, hole)
        loss = (NEARLY_RIGHT + error).log().mean()
        descend(loss, *self.optimisers.values())
        return {"loss": loss.detach(), "mse": error.detach().mean()}


class PaperTrainee(ContentTrainee):
    """The paper's network, with or without its discriminator."""

    name = "paper"
    kind = CENTRE
    tolerance = np.float32(0)

    def __init__(self, photographs: Photographs, options: ContentOptions, seed: int, device: torch.device) -> None:
        super().__init__(photographs, options, seed, device)
        self.paper = self.network = _on_device(PaperContent(options.channels, options.width), device)
        rate = PAPER_RATE if options.adversarial else PAPER_RATE_L2
        self.optimisers = {"network": torch.optim.Adam(self.network.parameters(), rate, PAPER_BETAS)}
        if options.adversarial:
            self.name = "paper-adversarial"
            judge = _on_device(Discriminator(2 * options.channels), device)
            self.others["discriminator"] = judge
            self.optimisers["discriminator"] = torch.optim.Adam(
                judge.parameters(), DISCRIMINATOR_RATE, PAPER_BETAS
            )
        rim = torch.full((PAPER_HOLE + 2 * PAPER_RIM,) * 2, PAPER_RIM_WEIGHT, device=device)
        rim[PAPER_RIM:-PAPER_RIM, PAPER_RIM:-PAPER_RIM] = 1
        self.rim = rim

    def learn(self, batch: Batch) -> dict[str, Tensor]:
        edge = (SIZE - PAPER_HOLE) // 2 - PAPER_RIM
        truth = 2 * batch[0][:, :, edge:-edge, edge:-edge] - 1
        with self.precision():
            guess = self.paper.centre(batch[0])
        square = (self.rim * (guess.float() - truth).square()).mean()
        if "discriminator" not in self.others:
            descend(square, self.optimisers["network"])
            return {"square": square.detach()}
        judge = self.others["discriminator"]
        with self.precision():
            real, false = judge(truth).float(), judge(guess.detach()).float()
        judged = _against(real, True) + _against(false, False)
        descend(judged, self.optimisers["discriminator"])
        with self.precision():
            fooled = _against(judge(guess).float(), True)
        descend(PAPER_LAMBDA * square + (1 - PAPER_LAMBDA) * fooled, self.optimisers["network"])
        return {"square": square.detach(), "adversarial": fooled.detach(), "discriminator": judged.detach()}


def _sample_threads(device: torch.device) -> int:
    """As many as torch computes with; where another device computes, one for every processor."""
    if device.type == "cpu":
        return torch.get_num_threads()
    return max(1, processors() // int(os.environ.get("LOCAL_WORLD_SIZE", "1")))


def _on_device(network: _Network, device: torch.device) -> _Network:
    """On ``device``, weights laid out as convolutions prefer (torch: "channels last")."""
    return network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def _against(logits: Tensor, real: bool) -> Tensor:
    """Binary cross-entropy of the discriminator's ``logits`` with the label."""
    return functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, float(real)))


def hole_error(guess: Tensor, truth: Tensor, hole: Tensor) -> Tensor:
    """(N,): mean squared error over each picture's hole and channels."""
    return ((guess - truth).square() * hole).sum((1, 2, 3)) / (3 * hole.sum((1, 2, 3)))


def content_trainee(
    photographs: Photographs, options: ContentOptions, seed: int, device: torch.device
) -> ContentTrainee:
    """What ``options.network`` names; batches and holes come from ``seed``."""
    return (PaperTrainee if options.network == "paper" else DefaultTrainee)(photographs, options, seed, device)
