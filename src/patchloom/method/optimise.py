"""Minimising one level's objective over the hole's pixels, with all weights frozen.

Only hole pixels are variables, and only a crop round them (as wide as the features of the hole's cells reach) goes
through the network. Nearest patches are looked up when the schedule says so and held fixed between: the argument
minimum has no gradient almost everywhere, so nothing is lost at first order.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from patchloom.method.losses import Target, Weights, objective
from patchloom.networks.texture import TextureNetwork

ADAM_START, ADAM_END = 0.02, 0.004  # step sizes in units of the pixel range
LBFGS_HISTORY = 25

Rematch = Callable[[dict[str, Tensor]], dict[str, Target]]
Watch = Callable[[int, dict[str, float], Tensor], None]


@dataclass(frozen=True)
class Crop:
    """The piece of a level that is optimised: ``image``, ``prior`` (1, 3, h, w) and ``hole`` (1, 1, h, w)."""

    image: Tensor
    prior: Tensor
    hole: Tensor


@dataclass(frozen=True)
class Schedule:
    """``rematch_every`` 0 keeps the first targets; ``optimiser`` is adam or lbfgs."""

    iterations: int
    optimiser: str
    rematch_every: int = 0


def minimise(
    crop: Crop,
    network: TextureNetwork,
    taps: tuple[str, ...],
    rematch: Rematch,
    pixels: Target | None,
    weights: Weights,
    schedule: Schedule,
    watch: Watch,
) -> Tensor:
    """The crop with its hole optimised, (1, 3, h, w) in 0..1; known pixels bit for bit.

    The best picture since nearest patches were last looked up is the result: Adam's first steps are as long
    where nothing is left to gain, and must not harm there. ``rematch`` gives the targets for the current features;
    ``watch(step, losses, picture)`` is called after every iteration (from 1), where raising stops the work.
    """
    hole = crop.hole.expand_as(crop.image)
    free = crop.image[hole].clone().requires_grad_(True)
    count = crop.hole.sum()
    targets: dict[str, Target] = {}
    losses: dict[str, float] = {}
    best = float("inf"), free.detach().clone()

    def picture() -> Tensor:
        return crop.image.masked_scatter(hole, free)

    def total() -> Tensor:
        nonlocal best
        x = picture()
        terms = objective(x, network(x, taps), targets, pixels, crop.prior, crop.hole, weights)
        losses.update({name: float(term.detach()) for name, term in terms.items()})
        if losses["total"] < best[0]:
            best = losses["total"], free.detach().clone()
        # The mean over the hole times its size: the paper's sums, which L-BFGS's first unit step expects.
        return terms["total"] * count

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = total()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach()

    optimiser = _optimiser(schedule, free)
    for step in range(schedule.iterations):
        if step == 0 or (schedule.rematch_every and step % schedule.rematch_every == 0):
            with torch.no_grad():
                targets = rematch(network(picture(), taps))
            best = float("inf"), free.detach().clone()
            if schedule.optimiser == "lbfgs":
                optimiser = _optimiser(schedule, free)  # the curvature belongs to the old targets
        _set_rate(optimiser, schedule, step)
        optimiser.step(closure)  # type: ignore[arg-type]  # L-BFGS takes a tensor
        if step + 1 == schedule.iterations:
            with torch.no_grad():
                total()
        watch(step + 1, dict(losses), picture().detach())
    with torch.no_grad():
        free.copy_(best[1])
    return torch.where(crop.hole, picture().detach().clamp(0, 1), crop.image)


def _optimiser(schedule: Schedule, free: Tensor) -> torch.optim.Optimizer:
    if schedule.optimiser == "adam":
        return torch.optim.Adam([free], lr=ADAM_START)
    # One iteration a call; the state is kept between calls, so this is one run of L-BFGS with stops between.
    return torch.optim.LBFGS(
        [free], lr=1.0, max_iter=1, max_eval=2, history_size=LBFGS_HISTORY, tolerance_grad=0, tolerance_change=0
    )


def _set_rate(optimiser: torch.optim.Optimizer, schedule: Schedule, step: int) -> None:
    """Adam's rate falls geometrically from ``ADAM_START`` to ``ADAM_END``; L-BFGS keeps its unit steps."""
    if schedule.optimiser == "adam":
        progress = step / max(1, schedule.iterations - 1)
        for group in optimiser.param_groups:
            group["lr"] = ADAM_START * (ADAM_END / ADAM_START) ** progress
