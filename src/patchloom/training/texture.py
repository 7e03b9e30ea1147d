"""Training of the compact texture network, for the one loop. What is minimised is in ``distill.py``."""

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from patchloom.errors import WeightsError
from patchloom.networks.texture import Compact, Vgg19
from patchloom.networks.weights import load_texture
from patchloom.training.data import Photographs
from patchloom.training.distill import (
    agreement,
    distillation_losses,
    neighbour,
    projections,
    start_from_teacher,
    teach,
)
from patchloom.training.processes import bfloat16_pays, descend, rank, world

BATCH = 6  # photographs; each comes with its neighbour
SIDE = 112  # of a crop, in pixels
SMALLEST_CUT = (
    64  # a crop is this much of a photograph or more, enlarged: large photographs are soft at native size
)
FIRST_LOOK = 64  # crops from which the components and the student's first filters are taken
RATE = 2e-3
ADAM_BETAS = (0.9, 0.99)
HELD_OUT = 64  # every 64th photograph is measured on, never trained on
MEASURED = 24  # of them


def open_teacher(name_or_path: str, device: torch.device) -> Vgg19:
    """VGG-19 that reaches relu3_1. Raises WeightsError."""
    teacher = load_texture(name_or_path, device)
    if not isinstance(teacher, Vgg19) or "relu3_1" not in teacher.taps:
        raise WeightsError(f"'{name_or_path}' is not VGG-19 to relu3_1.", "Run `patchloom weights fetch vgg19`.")
    return teacher


class TextureTrainee:
    """Distillation as a :class:`patchloom.training.loop.Trainee`; the teacher comes from :func:`open_teacher`.

    ``data`` is said in the model card: whose photographs, under which licence.
    """

    role = "texture"
    name = "compact"

    def __init__(
        self, photographs: Photographs, teacher: Vgg19, data: str, seed: int, device: torch.device
    ) -> None:
        self.photographs, self.data, self.seed, self.device = photographs, data, seed, device
        self.trained, self.held_out = photographs.parted(HELD_OUT, MEASURED)
        self.epoch_steps = max(1, len(self.trained) // (BATCH * world()))
        self.others = nn.ModuleDict()
        self.judge = teacher
        self.teacher = copy.deepcopy(teacher)
        if bfloat16_pays(device):
            self.teacher.bfloat16()
        self.student = Compact().to(device).train()
        self.network: nn.Module = self.student
        with torch.no_grad():
            crops = self._crops(self.trained, FIRST_LOOK, np.random.default_rng(seed)).to(device)
            self.targets = projections(teacher, self.student, crops)
            start_from_teacher(self.student, teacher, self.targets, crops)
        adam = torch.optim.Adam(self.student.parameters(), RATE, ADAM_BETAS)
        self.optimisers: Mapping[str, torch.optim.Optimizer] = {"adam": adam}

    def _crops(self, numbers: NDArray[np.int64], count: int, random: np.random.Generator) -> Tensor:
        """(count, 3, SIDE, SIDE) in 0..1 of photographs drawn from ``numbers``."""
        crops = []
        for number in random.choice(numbers, count):
            photo = self.photographs[int(number)]
            longest = min(photo.shape[:2])
            side = int(random.integers(min(SMALLEST_CUT, longest), longest + 1))
            top, left = (int(random.integers(0, extent - side + 1)) for extent in photo.shape[:2])
            cut = torch.from_numpy(photo[top : top + side, left : left + side].astype(np.float32) / 255)
            cut = cut.flip(1) if random.random() < 0.5 else cut
            size = (SIDE, SIDE)
            crops.append(functional.interpolate(cut.permute(2, 0, 1)[None], size, mode="bilinear", antialias=True))
        return torch.cat(crops)

    def batch(self, step: int) -> tuple[Tensor, ...]:
        """(2 BATCH, 3, SIDE, SIDE): crops, then a neighbour of each."""
        random = np.random.default_rng((self.seed, step, rank()))
        crops = self._crops(self.trained, BATCH, random)
        return (torch.cat([crops, neighbour(crops, torch.Generator().manual_seed(int(random.integers(2**31))))]),)

    def learn(self, batch: tuple[Tensor, ...]) -> dict[str, Tensor]:
        losses = distillation_losses(self.student, teach(self.teacher, self.targets, batch[0]))
        loss = torch.stack(list(losses.values())).sum()
        descend(loss, *self.optimisers.values())
        return {"loss": loss.detach()}

    @torch.no_grad()
    def measure(self, network: nn.Module) -> dict[str, float]:
        """The losses on held-out photographs, and how often the student finds the teacher's match at relu3_1."""
        assert isinstance(network, Compact)
        crops = self._held_out()
        pictures = torch.cat([crops, neighbour(crops.cpu(), torch.Generator().manual_seed(0)).to(self.device)])
        losses = distillation_losses(network, teach(self.judge, self.targets, pictures))
        found = agreement(network, self.judge, crops, "relu3_1")
        return {
            **{name: float(value) for name, value in losses.items()},
            "agreement": found.near,
            "loss_of_match": found.excess,
        }

    def _held_out(self) -> Tensor:
        return self._crops(self.held_out, MEASURED, np.random.default_rng(0)).to(self.device)

    @torch.no_grad()
    def sheet(self, network: nn.Module) -> NDArray[np.uint8]:
        """Rows: photographs; how unlike the middle each place is to the teacher, and to the student (bright)."""
        crops = self._held_out()[:8]
        rows = [crops]
        for judge in (self.judge, network):
            features = judge(crops, ["relu3_1"])["relu3_1"]
            middle = features[..., features.shape[2] // 2, None, features.shape[3] // 2, None]
            unlike = (features - middle).square().mean(1, keepdim=True).sqrt()
            unlike = unlike / unlike.amax((2, 3), keepdim=True)
            rows.append(functional.interpolate(unlike, crops.shape[2:]).expand_as(crops))
        sheet = torch.stack(rows).permute(0, 3, 1, 4, 2).reshape(3 * SIDE, -1, 3)
        return (255 * sheet.clamp(0, 1)).round().byte().cpu().numpy()

    def card(self) -> dict[str, Any]:
        return {
            "task": "texture features whose distances are those of VGG-19 at relu1_1, relu2_1 and relu3_1",
            "teacher": f"VGG-19 (Simonyan and Zisserman 2014), {self.judge.variant}, SHA-256 {self.judge.sha256}",
            "photographs": len(self.trained),
            "data": self.data,
            "batch": BATCH * world(),
            "seed": self.seed,
            "licence": "MIT (the weights); VGG-19: CC BY 4.0; the photographs' own licences as in data",
        }
