"""The one training loop: learning rate, averaged weights, checkpoints, resume, a clean stop, several processes.

What is trained is a :class:`Trainee`; how long, where and with which seed is a ``Plan``. A batch depends on the
seed and the step's number alone, so a resumed run goes on exactly as it would have without the pause. In the run's
folder:

* ``checkpoint.pt``: everything needed to go on;
* ``<role>-<name>.safetensors``: the averaged weights in half precision with their card, usable at once;
* ``log.jsonl``: a line for every report: step, running seconds, losses, held-out measures;
* ``sheet-NNNN.png``: sample pictures, NNNN the epoch, with every line of the log.

Several processes (``torchrun``): each makes batches of its own, gradients are averaged, process 0 writes.
"""

import json
import math
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
import torch.distributed as processes
from numpy.typing import NDArray
from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from patchloom.errors import Cancelled, InputError, OutputError
from patchloom.events import Observer, TrainStep, ignore
from patchloom.networks.weights import save_network
from patchloom.outputs import in_place_of, make_folder
from patchloom.tensors.modes import own_modes
from patchloom.training.plan import Plan
from patchloom.training.processes import chosen_device, joined, rank, world

WARM_UP = 100  # steps from 0 to the full learning rate: Adam's second moments are noise before
DECAY_FROM = 0.3  # share of the run after which the rate falls in a line to 0: short runs profit from a long fall
AVERAGE = 0.998  # of the weights, per step: about the last 500 steps; less at the start
LONGEST_STEP = 20.0  # seconds: a process that was stopped or a laptop that slept does not spend its budget
TELL_SECONDS = 1.0  # between two events at least
REPORTS = 20  # lines of the log in a run: measuring takes a processor some seconds
AHEAD = 2  # batches being made while one is learnt from: the makers start on the next while one is finished


class Trainee(Protocol):
    """Something to train. Everything random in it comes from the seed and the step."""

    @property
    def role(self) -> str:
        """content or texture."""

    @property
    def name(self) -> str:
        """The weights file is <role>-<name>.safetensors."""

    @property
    def network(self) -> nn.Module:
        """What is averaged and written; has a ``config``."""

    @property
    def others(self) -> nn.ModuleDict:
        """Trained along with it (a discriminator), not written."""

    @property
    def optimisers(self) -> Mapping[str, torch.optim.Optimizer]:
        """With their full learning rates."""

    @property
    def epoch_steps(self) -> int:
        """Steps that see as many photographs as there are."""

    def batch(self, step: int) -> tuple[Tensor, ...]:
        """The batch of ``step``, on the processor. Called ahead of time, in other threads, several at once."""
        ...

    def learn(self, batch: tuple[Tensor, ...]) -> dict[str, Tensor]:
        """One optimiser step (with ``processes.descend``). Returns the losses, detached."""
        ...

    def measure(self, network: nn.Module) -> dict[str, float]:
        """``network``, which has averaged weights and is in evaluation mode, on held-out photographs."""
        ...

    def sheet(self, network: nn.Module) -> NDArray[np.uint8]:
        """Sample pictures (H, W, 3) of the same."""
        ...

    def card(self) -> dict[str, Any]:
        """The model card: what it is, trained on what, licence."""
        ...


def learning_rate(progress: float, step: int) -> float:
    """The share of an optimiser's full rate: up within WARM_UP steps, level, then down in a line to 0."""
    falling = (1 - progress) / (1 - DECAY_FROM)
    return min(1.0, (step + 1) / WARM_UP, falling)


@own_modes()
def train(make_trainee: Callable[[torch.device], Trainee], plan: Plan, observe: Observer = ignore) -> Path:
    """Trains it to the plan's end and returns the weights file.

    ``make_trainee`` is called in every process, first in process 0 alone: it may prepare data for the others.
    When ``observe`` raises :class:`Cancelled` (in any of the processes), a checkpoint and the weights so far are
    written before the error goes on. Raises OutputError for a folder that holds a run already (unless resuming),
    InputError for one that holds none when resuming.
    """
    with joined():
        device = chosen_device(plan.device)
        torch.manual_seed(plan.seed)
        for turn in (True, False):
            if turn == (rank() == 0):
                trainee = make_trainee(device)
            if processes.is_initialized():
                processes.barrier()
        run = _Run(trainee, plan, device, observe)
        run.prepare()
        try:
            run.go()
        except Cancelled:
            run.save()
            raise Cancelled(f"Stopped after step {run.step}.", "Add --resume to go on from there.") from None
        run.save()
        return run.weights


class _Run:
    """The state of one training: the trainee, its averaged weights, step, seconds."""

    def __init__(self, trainee: Trainee, plan: Plan, device: torch.device, observe: Observer) -> None:
        self.trainee, self.plan, self.device, self.observe = trainee, plan, device, observe
        self.step, self.seconds = 0, 0.0
        self.average = AveragedModel(trainee.network, multi_avg_fn=self._mix, use_buffers=True)
        self.average.module.eval()
        self.rates = {name: [group["lr"] for group in o.param_groups] for name, o in trainee.optimisers.items()}
        self.sums: dict[str, Tensor] = {}
        self.summed = 0
        self.reported = -math.inf
        self.checkpoint = plan.folder / "checkpoint.pt"
        self.weights = plan.folder / f"{trainee.role}-{trainee.name}.safetensors"

    def prepare(self) -> None:
        """The folder, and the state to go on from."""
        if self.plan.resume:
            if not self.checkpoint.is_file():
                raise InputError(f"{self.plan.folder} holds no training to resume.", "Leave --resume out.")
            self._load()
        elif self.checkpoint.is_file():
            raise OutputError(f"{self.plan.folder} holds a training already.", "Add --resume, or choose another.")
        elif self.plan.start is not None:
            self._begin_from(self.plan.start)
        make_folder(self.plan.folder)
        if processes.is_initialized():
            for value in [*self.trainee.network.state_dict().values(), *self.trainee.others.state_dict().values()]:
                processes.broadcast(value, 0)

    def go(self) -> None:
        """Steps until the plan's end."""
        saved = self.seconds
        with ThreadPoolExecutor(AHEAD) as ahead:
            upcoming = deque(ahead.submit(self.trainee.batch, self.step + k) for k in range(AHEAD))
            while (progress := self.plan.progress(self.step, self.seconds)) < 1:
                began = time.monotonic()
                made = upcoming.popleft().result()
                upcoming.append(ahead.submit(self.trainee.batch, self.step + AHEAD))
                batch = tuple(part.to(self.device, non_blocking=True) for part in made)
                self._set_rates(learning_rate(progress, self.step))
                self._sum(self.trainee.learn(batch))
                self.step += 1
                self.average.update_parameters(self.trainee.network)
                elapsed = time.monotonic() - began
                self._spend(elapsed, self._tell(len(batch[0]), elapsed))
                if int(REPORTS * self.plan.progress(self.step, self.seconds)) > int(REPORTS * progress):
                    self._report()
                if self.seconds - saved > 60 * self.plan.checkpoint_minutes:
                    saved = self.seconds
                    self.save()
            for waiting in upcoming:
                waiting.cancel()

    def _set_rates(self, share: float) -> None:
        for name, optimiser in self.trainee.optimisers.items():
            for group, full in zip(optimiser.param_groups, self.rates[name], strict=True):
                group["lr"] = full * share

    def _sum(self, losses: dict[str, Tensor]) -> None:
        """Adds up losses without waiting for the device."""
        for name, value in losses.items():
            self.sums[name] = self.sums.get(name, torch.zeros((), device=self.device)) + value
        self.summed += 1

    def _mean_losses(self) -> dict[str, float]:
        return {name: float(value) / self.summed for name, value in self.sums.items()}

    @torch.no_grad()
    def _mix(self, average: Any, now: Any, count: Any) -> None:
        """``now`` into ``average``, lists of tensors of one kind; whole numbers, which count, are copied."""
        if average[0].is_floating_point():
            torch._foreach_lerp_(average, now, 1 - min(AVERAGE, (1 + self.step) / (10 + self.step)))
        else:
            torch._foreach_copy_(average, now)

    def _tell(self, pictures: int, elapsed: float) -> Cancelled | None:
        """One event, if the last is a second old; returns what the observer raised to stop. Not at every step,
        because reading the losses makes the program wait for the device."""
        if time.monotonic() - self.reported < TELL_SECONDS:
            return None
        self.reported = time.monotonic()
        seconds = self.seconds + elapsed
        progress = max(self.plan.progress(self.step, seconds), 1e-9)
        event = TrainStep(
            step=self.step,
            of=self.plan.steps or max(self.step, math.ceil(self.step / progress)),
            epoch=self.step // self.trainee.epoch_steps,
            losses=self._mean_losses(),
            pictures_per_second=self.step * pictures * world() / seconds,
            seconds_left=seconds * (1 - progress) / progress,
        )
        try:
            self.observe(event)
        except Cancelled as stop:
            return stop
        return None

    def _spend(self, seconds: float, stop: Cancelled | None) -> None:
        """Counts running time and raises ``stop``: both in all processes alike, so that all end at one step."""
        spent, stopped = min(seconds, LONGEST_STEP), stop is not None
        if processes.is_initialized():
            both = torch.tensor([spent, stopped], dtype=torch.float64, device=self.device)
            processes.all_reduce(both, processes.ReduceOp.MAX)
            spent, stopped = both[0].item(), bool(both[1])
        self.seconds += spent
        if stopped:
            raise stop or Cancelled("Another process was stopped.")

    def _report(self) -> None:
        """A line of the log (losses since the last, measures of the averaged weights) and a sheet."""
        if rank() == 0:
            network = self.average.module
            losses = self._mean_losses()
            line = {
                "step": self.step,
                "seconds": round(self.seconds, 1),
                "epoch": self.step / self.trainee.epoch_steps,
            }
            with (self.plan.folder / "log.jsonl").open("a") as log:
                log.write(json.dumps({**line, **losses, **self.trainee.measure(network)}) + "\n")
            sheet = self.plan.folder / f"sheet-{self.step // self.trainee.epoch_steps:04d}.png"
            Image.fromarray(self.trainee.sheet(network)).save(sheet)
        self.sums, self.summed = {}, 0

    def _state(self) -> dict[str, Any]:
        return {
            "network": self.trainee.network.state_dict(),
            "others": self.trainee.others.state_dict(),
            "average": self.average.state_dict(),
            "optimisers": {name: optimiser.state_dict() for name, optimiser in self.trainee.optimisers.items()},
            "step": self.step,
            "seconds": self.seconds,
        }

    def save(self) -> None:
        """Checkpoint and weights, each written beside the old one and then put in its place."""
        if rank() != 0:
            return
        with in_place_of(self.checkpoint) as part:
            torch.save(self._state(), part)
        card = {**self.trainee.card(), "steps": self.step, "hours": round(self.seconds / 3600, 2)}
        save_network(self.average.module, self.weights, card)

    def _begin_from(self, weights: Path) -> None:
        try:
            state = {key: value.to(self.device).float() for key, value in load_file(weights).items()}
            self.trainee.network.load_state_dict(state)
        except (OSError, SafetensorError, RuntimeError) as error:
            raise InputError(f"{weights} does not hold this network.", "Give weights of the same size.") from error
        self.average.module.load_state_dict(state)

    def _load(self) -> None:
        state = torch.load(self.checkpoint, map_location=self.device, weights_only=True)
        try:
            self.trainee.network.load_state_dict(state["network"])
            self.trainee.others.load_state_dict(state["others"])
            for name, optimiser in self.trainee.optimisers.items():
                optimiser.load_state_dict(state["optimisers"][name])
            self.average.load_state_dict(state["average"])
        except (KeyError, RuntimeError, ValueError) as error:
            raise InputError(
                f"{self.checkpoint} is of another network.", "Resume with the same options."
            ) from error
        self.step, self.seconds = state["step"], state["seconds"]
