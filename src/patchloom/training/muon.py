"""Muon: momentum whose every step is brought to a matrix with equal singular values.

A layer's gradient is dominated by few directions; Adam's steps are, too. Muon replaces the step G = U S V^T of a
weight matrix by about U V^T, so that rare directions are learnt as fast as common ones. With the few epochs that
a processor can do, the content network got as far with it in half of Adam's steps (``docs/models.md``).

Jordan et al., *Muon: an optimizer for hidden layers in neural networks*, 2024; five Newton-Schulz steps with the
coefficients given there, in bfloat16 where that is quick.
"""

from collections.abc import Iterable

import torch
from torch import Tensor

from patchloom.training.processes import bfloat16_pays

MOMENTUM = 0.95
_STEPS = 5
_COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # steep at 0: small singular values grow fast, at the price of 0.7..1.2


class Muon(torch.optim.Optimizer):
    """For weights of two or more dimensions; a convolution counts as (channels out, everything else)."""

    def __init__(self, parameters: Iterable[Tensor], lr: float, weight_decay: float = 0.0) -> None:
        super().__init__(parameters, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        """One step down the gradients that are there."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                momentum = self.state[weight].setdefault("momentum", torch.zeros_like(weight))
                momentum.lerp_(weight.grad, 1 - MOMENTUM)
                ahead = weight.grad.lerp(momentum, MOMENTUM)  # Nesterov
                direction = orthogonal(ahead.reshape(len(weight), -1))
                scale = max(1.0, direction.shape[0] / direction.shape[1]) ** 0.5
                weight.mul_(1 - group["lr"] * group["weight_decay"])
                weight.add_(direction.reshape(weight.shape), alpha=-group["lr"] * scale)


def orthogonal(matrix: Tensor) -> Tensor:
    """About U V^T of ``matrix`` = U S V^T: singular values between 0.7 and 1.2 (those that were not 0)."""
    a, b, c = _COEFFICIENTS
    tall = matrix.shape[0] > matrix.shape[1]
    x = (matrix.T if tall else matrix).to(torch.bfloat16 if bfloat16_pays(matrix.device) else torch.float32)
    x = x / (x.norm() + 1e-7)
    for _ in range(_STEPS):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    result: Tensor = x.T if tall else x
    return result.to(matrix.dtype)
