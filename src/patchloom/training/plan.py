"""What a training is told: how long, where, of which network. Declared once, for the command line too; loads no
torch."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from patchloom.errors import SettingsError
from patchloom.settings import Checked, option


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan(Checked):
    """How to train. Either ``steps`` or ``minutes`` of running time end it, and the learning rate with it."""

    folder: Path = option(..., "Folder for checkpoints, weights, log and sample sheets.")
    minutes: float | None = option(None, "End after this much running time; the learning rate ends with it.", ge=0)
    steps: int | None = option(None, "End after this many steps instead.", ge=0)
    resume: bool = option(False, "Go on from the checkpoint in the folder.")
    start: Path | None = option(None, "Begin from these weights, with a new learning rate.")
    checkpoint_minutes: float = option(5.0, "Between two checkpoints.", ge=0)
    seed: int = option(0, "Of batches, holes and first weights.", ge=0, le=2**31 - 1)
    device: str = option("auto", "auto, cpu, cuda or cuda:N.")
    store: Path | None = option(
        None, "Folder for the decoded photographs (1.6 GB for 28,000).  [in the user's cache]"
    )

    def __post_init__(self) -> None:
        Checked.__post_init__(self)
        if (self.steps is None) == (self.minutes is None):
            raise SettingsError("A training needs an end.", "Give either steps or minutes.")
        if 0 in (self.steps, self.minutes):
            raise SettingsError("Steps and minutes of a training are above 0.")

    def progress(self, step: int, seconds: float) -> float:
        """Share of the run that is over, 0..1."""
        return min(1.0, step / self.steps if self.steps is not None else seconds / (60 * (self.minutes or 1)))


@dataclass(frozen=True, kw_only=True, slots=True)
class ContentOptions(Checked):
    """Which content network is trained."""

    section = "Network"

    network: Literal["default", "paper"] = option(
        "default", "default: any hole. paper: a centred square, as Yang et al. 2017."
    )
    size: Literal["small", "large"] = option(
        "small", "Of the default network: small for a processor, large for a graphics card."
    )
    adversarial: bool = option(False, "The paper's second loss, a discriminator (paper only).")
    width: int = option(512, "Paper: dense bottleneck (4000 there).", ge=1)
    channels: int = option(32, "Paper: first layer (64 there).", ge=1)
    batch: int = option(
        0, "Photographs in a batch, of all processes together; 0 takes 128, for large 512, for paper 64.", ge=0
    )
    mixed_precision: bool = option(True, "Compute in bfloat16 where the device does so itself.")
    data: str = option("", "Whose photographs these are and under which licence, for the model card.")

    def __post_init__(self) -> None:
        Checked.__post_init__(self)
        if self.adversarial and self.network != "paper":
            raise SettingsError("--adversarial is for the paper's network.", "Add --network paper.")


@dataclass(frozen=True, kw_only=True, slots=True)
class TextureOptions(Checked):
    """From which network the compact texture network is distilled."""

    section = "Network"

    teacher: str = option(
        "vgg19", "VGG-19 to learn from: vgg19 (`patchloom weights fetch vgg19`) or a weights file."
    )
    data: str = option("", "Whose photographs these are and under which licence, for the model card.")
