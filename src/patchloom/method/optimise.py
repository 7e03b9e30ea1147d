"""Minimising one level's objective over the hole's pixels, with all weights frozen.

Only hole pixels are variables, and only tiles round them (as wide as the features of the hole's cells reach) go
through the network, several at once on the fill's threads: their losses and gradients add up to the whole's.
Nearest patches are looked up when the schedule says so and held fixed between: the argument minimum has no
gradient almost everywhere, so nothing is lost at first order.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from patchloom.method.losses import LOW_PASS, Term
from patchloom.networks.texture import TextureNetwork
from patchloom.tensors.boxes import Tile, covering
from patchloom.tensors.threads import mapped

# By eye, but where a source is named; a page is one of docs/experiments.
ADAM_START, ADAM_END = 0.02, 0.004  # step sizes in units of the pixel range (page 12-01-04)
ADAM_DECAY = 0.9, 0.999  # of the mean gradient and of its square (Kingma and Ba 2015)
LBFGS_HISTORY = 25  # steps from which curvature is estimated
MOST, LEAST = 24_000, 4_000  # pixels of a tile

Watch = Callable[[int, dict[str, float], Tensor], None]
Losses = dict[str, float]


@dataclass(frozen=True)
class Crop:
    """The piece of a level that is optimised: ``image`` (1, 3, h, w) and ``hole`` (1, 1, h, w)."""

    image: Tensor
    hole: Tensor


@dataclass(frozen=True)
class Schedule:
    """``rematch_every`` 0 keeps the first targets; ``optimiser`` is adam or lbfgs."""

    iterations: int
    optimiser: str
    rematch_every: int = 0


def minimise(
    crop: Crop, network: TextureNetwork, terms: Mapping[str, Term], schedule: Schedule, watch: Watch
) -> Tensor:
    """The crop with its hole optimised, (1, 3, h, w) in 0..1; known pixels bit for bit.

    The best picture since nearest patches were last looked up is the result: Adam's first steps are as long
    where nothing is left to gain, and must not harm there. ``watch(step, losses, picture)`` is called after every
    iteration (from 1), where raising stops the work.
    """
    objective = Objective(crop, network, terms)
    optimiser = _Adam(schedule.iterations) if schedule.optimiser == "adam" else _Lbfgs()
    pixels = objective.start()
    losses: Losses = {}
    best = float("inf"), pixels, losses

    def evaluate(now: Tensor) -> tuple[float, Tensor]:
        nonlocal best, losses
        losses, gradient = objective(now)
        if losses["total"] < best[0]:
            best = losses["total"], now.clone(), losses
        return losses["total"], gradient

    for step in range(schedule.iterations):
        if step == 0 or (schedule.rematch_every and step % schedule.rematch_every == 0):
            objective.match(pixels)
            best = float("inf"), pixels.clone(), losses
            optimiser.restart()
        pixels = optimiser.step(pixels, evaluate)
        if step + 1 == schedule.iterations:
            evaluate(pixels)
            _, pixels, losses = best  # the last that is told of is the result
        watch(step + 1, losses, objective.picture(pixels))
    return torch.where(crop.hole, objective.picture(pixels).clamp(0, 1), crop.image)


class Objective:
    """The sum of ``terms`` as a function of the crop's hole pixels (N,), with its gradient, tile by tile."""

    def __init__(self, crop: Crop, network: TextureNetwork, terms: Mapping[str, Term]) -> None:
        self.crop, self.network, self.terms = crop, network, terms
        self.taps = tuple(dict.fromkeys(tap for term in terms.values() for tap in term.taps))
        self.hole = crop.hole.expand_as(crop.image)
        # The mean over the hole times its size: the paper's sums, which L-BFGS's first unit step expects.
        self.count = crop.hole.sum()
        align = max(LOW_PASS, *(network.stride(tap) for tap in self.taps)) if self.taps else LOW_PASS
        margin = -(-max((network.reach(tap) for tap in self.taps), default=1) // align) * align
        size = (crop.hole.shape[-2], crop.hole.shape[-1])
        boxes = covering(crop.hole[0, 0].cpu().numpy(), MOST, LEAST, align)
        self.tiles = [Tile(box.widened(margin, size), box) for box in boxes]
        self.shares: list[dict[str, Term]] = []  # of each tile in the terms

    def start(self) -> Tensor:
        """The hole's pixels as the crop has them."""
        return self.crop.image[self.hole]

    def picture(self, pixels: Tensor) -> Tensor:
        return self.crop.image.masked_scatter(self.hole, pixels)

    @torch.no_grad()
    def match(self, pixels: Tensor) -> None:
        """Looks the terms' nearest patches up for the picture with ``pixels``."""
        looking = [term.looks for term in self.terms.values() if term.looks]
        features = self.network(self.picture(pixels), looking) if looking else {}
        matched = {name: term.matched(features) for name, term in self.terms.items()}
        self.shares = [{name: term.of(tile) for name, term in matched.items()} for tile in self.tiles]

    def __call__(self, pixels: Tensor) -> tuple[Losses, Tensor]:
        """The terms by name, their sum ``total``, and the gradient (N,) of ``total`` times the hole's size."""
        picture = self.picture(pixels)

        def share_of(number: int) -> tuple[list[Tensor], Tensor]:
            x = self.tiles[number].box.of(picture).clone().requires_grad_(True)
            features = self.network(x, self.taps) if self.taps else {}
            values = [term(x, features) for term in self.shares[number].values()]
            (gradient,) = torch.autograd.grad(torch.stack(values).sum() * self.count, x)
            return [value.detach() for value in values], gradient

        gradient = torch.zeros_like(picture)
        sums = [0.0] * len(self.terms)
        with torch.enable_grad():
            for tile, (values, part) in zip(self.tiles, mapped(share_of, range(len(self.tiles))), strict=True):
                tile.box.of(gradient).add_(part)
                sums = [total + float(value) for total, value in zip(sums, values, strict=True)]
        return dict(zip(self.terms, sums, strict=True)) | {"total": sum(sums)}, gradient[self.hole]


class _Adam:
    """Adam (Kingma and Ba 2015, algorithm 1), its rate falling geometrically from ``ADAM_START`` to ``ADAM_END``.

    Its steps are as long where the gradient is next to nothing, which draws grain on flat colour. So the root mean
    square of all pixels stands in the denominator beside the pixel's own (measured: .1 dB, and half of a per cent
    of texture distance). Written out, because importing torch's loads its compiler, for a second.
    """

    def __init__(self, iterations: int) -> None:
        self.iterations, self.done = iterations, 0
        self.mean: Tensor | float = 0.0
        self.square: Tensor | float = 0.0

    def restart(self) -> None:
        """What it knows of the gradients remains of use."""

    def step(self, pixels: Tensor, evaluate: Callable[[Tensor], tuple[float, Tensor]]) -> Tensor:
        rate = ADAM_START * (ADAM_END / ADAM_START) ** (self.done / max(1, self.iterations - 1))
        self.done += 1
        _, gradient = evaluate(pixels)
        first, second = ADAM_DECAY
        self.mean = first * self.mean + (1 - first) * gradient
        self.square = second * self.square + (1 - second) * gradient.square()
        spread = (self.square / (1 - second**self.done)).sqrt()
        spread += spread.square().mean().sqrt() + 1e-8
        result: Tensor = pixels - rate / (1 - first**self.done) * self.mean / spread
        return result


class _Lbfgs:
    """L-BFGS, one iteration a step; begun anew where the function has changed, whose curvature it knew."""

    def __init__(self) -> None:
        self.pixels: Tensor | None = None

    def restart(self) -> None:
        self.pixels = None

    def step(self, pixels: Tensor, evaluate: Callable[[Tensor], tuple[float, Tensor]]) -> Tensor:
        if self.pixels is None:
            self.pixels = pixels.clone()
            self.optimiser = torch.optim.LBFGS(
                [self.pixels],
                max_iter=1,
                max_eval=2,
                history_size=LBFGS_HISTORY,
                tolerance_grad=0,
                tolerance_change=0,
            )
        variable = self.pixels

        def closure() -> float:
            total, variable.grad = evaluate(variable)
            return total

        self.optimiser.step(closure)  # type: ignore[no-untyped-call]
        return variable.clone()
