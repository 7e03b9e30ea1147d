"""The one training loop: learning rate, averaged weights, checkpoints, resume, a clean stop, several processes.

What is trained is a :class:`Task`; how long, where and with which seed is a :class:`Plan`. A batch depends on the
seed and the step's number alone, so a resumed run goes on exactly as it would have without the pause. In the
run's folder:

* ``checkpoint.pt``: everything needed to go on;
* ``<role>-<name>.safetensors``: the averaged weights in half precision with their card, usable at once;
* ``log.jsonl``: a line for every report: step, running seconds, losses, held-out measures;
* ``sheet-NNNN.png``: sample pictures, NNNN the epoch, with every line of the log.

Several processes (``torchrun``): each makes batches of its own, gradients are averaged, process 0 writes.
"""

import copy
import json
import math
import os
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
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

from patchloom.errors import Cancelled, InputError, OutputError, SettingsError
from patchloom.events import Observer, TrainStep, ignore
from patchloom.networks.weights import save_network

WARM_UP = 100  # steps from 0 to the full learning rate: Adam's second moments are noise before
DECAY_FROM = 0.3  # share of the run after which the rate falls in a line to 0: short runs profit from a long fall
AVERAGE = 0.998  # of the weights, per step: about the last 500 steps; less at the start
LONGEST_STEP = 20.0  # seconds: a process that was stopped or a laptop that slept does not spend its budget
PREPARATION = timedelta(hours=12)  # that the other processes wait for process 0 to decode the photographs
TELL_SECONDS = 1.0  # between two events at least
REPORTS = 20  # lines of the log in a run: measuring takes a processor some seconds
AHEAD = 2  # batches being made while one is learnt from: the makers start on the next while one is finished


class Task(Protocol):
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
        """One optimiser step (with :func:`descend`). Returns the losses, detached."""
        ...

    def measure(self, network: nn.Module) -> dict[str, float]:
        """``network``, a copy with averaged weights in evaluation mode, on held-out photographs."""
        ...

    def sheet(self, network: nn.Module) -> NDArray[np.uint8]:
        """Sample pictures (H, W, 3) of the same."""
        ...

    def card(self) -> dict[str, Any]:
        """The model card: what it is, trained on what, licence."""
        ...


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How to train. Either ``steps`` or ``minutes`` of running time end it, and the learning rate with it."""

    folder: Path
    steps: int | None = None
    minutes: float | None = None
    resume: bool = False
    start: Path | None = None  # a weights file of the same network to begin from
    checkpoint_minutes: float = 5.0
    seed: int = 0
    device: str = "auto"

    def __post_init__(self) -> None:
        if (self.steps is None) == (self.minutes is None):
            raise SettingsError("A training needs an end.", "Give either steps or minutes.")
        if min(self.steps or 1, self.minutes or 1) <= 0:
            raise SettingsError("Steps and minutes of a training are above 0.")

    def progress(self, step: int, seconds: float) -> float:
        """Share of the run that is over, 0..1."""
        return min(1.0, step / self.steps if self.steps is not None else seconds / (60 * (self.minutes or 1)))


def learning_rate(progress: float, step: int) -> float:
    """The share of an optimiser's full rate: up within WARM_UP steps, level, then down in a line to 0."""
    falling = (1 - progress) / (1 - DECAY_FROM)
    return min(1.0, (step + 1) / WARM_UP, falling)


def descend(loss: Tensor, *optimisers: torch.optim.Optimizer) -> None:
    """One step of ``optimisers`` down ``loss``, with the gradients' mean over all processes."""
    for optimiser in optimisers:
        optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    for optimiser in optimisers:
        if processes.is_initialized():
            for parameter in (p for group in optimiser.param_groups for p in group["params"]):
                processes.all_reduce(parameter.grad)
                parameter.grad /= world()
        optimiser.step()


def train(make_task: Callable[[torch.device], Task], plan: Plan, observe: Observer = ignore) -> Path:
    """Trains the task to the plan's end and returns the weights file.

    ``make_task`` is called in every process, first in process 0 alone: it may prepare data for the others.
    When ``observe`` raises :class:`Cancelled` (in any of the processes), a checkpoint and the weights so far are
    written before the error goes on. Raises OutputError for a folder that holds a run already (unless resuming),
    InputError for one that holds none when resuming.
    """
    with _processes():
        device = _device(plan.device)
        torch.manual_seed(plan.seed)
        for turn in (True, False):
            if turn == (rank() == 0):
                task = make_task(device)
            if processes.is_initialized():
                processes.barrier()
        run = _Run(task, plan, device, observe)
        run.prepare()
        try:
            run.go()
        except Cancelled:
            run.save()
            raise Cancelled(f"Stopped after step {run.step}.", "Add --resume to go on from there.") from None
        run.save()
        return run.weights


class _processes:  # noqa: N801 - reads as a function
    """Joins the group that torchrun describes in the environment, if any, for as long as the block lasts."""

    def __enter__(self) -> None:
        if int(os.environ.get("WORLD_SIZE", "1")) > 1:
            backend = "nccl" if torch.cuda.is_available() else "gloo"
            if backend == "nccl":
                torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
            processes.init_process_group(backend, timeout=PREPARATION)

    def __exit__(self, *_: object) -> None:
        if processes.is_initialized():
            processes.destroy_process_group()


def _device(name: str) -> torch.device:
    if name == "auto":
        name = f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def bfloat16_pays(device: torch.device) -> bool:
    """Whether ``device`` computes in bfloat16 itself; where it only imitates it, it is many times slower."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device.type == "cpu" and bool(torch.cpu._is_avx512_bf16_supported())


def rank() -> int:
    """This process's number, 0 where there is only one."""
    return processes.get_rank() if processes.is_initialized() else 0


def world() -> int:
    """How many processes there are."""
    return processes.get_world_size() if processes.is_initialized() else 1


class _Run:
    """The state of one training: the task, its averaged weights, step, seconds."""

    def __init__(self, task: Task, plan: Plan, device: torch.device, observe: Observer) -> None:
        self.task, self.plan, self.device, self.observe = task, plan, device, observe
        self.step, self.seconds = 0, 0.0
        self.average = {key: value.detach().clone() for key, value in task.network.state_dict().items()}
        self.rates = {name: [group["lr"] for group in o.param_groups] for name, o in task.optimisers.items()}
        self.sums: dict[str, Tensor] = {}
        self.summed = 0
        self.told = -math.inf
        self.checkpoint = plan.folder / "checkpoint.pt"
        self.weights = plan.folder / f"{task.role}-{task.name}.safetensors"

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
        self.plan.folder.mkdir(parents=True, exist_ok=True)
        if processes.is_initialized():
            for value in [*self.task.network.state_dict().values(), *self.task.others.state_dict().values()]:
                processes.broadcast(value, 0)

    def go(self) -> None:
        """Steps until the plan's end."""
        saved = self.seconds
        with ThreadPoolExecutor(AHEAD) as ahead:
            upcoming = deque(ahead.submit(self.task.batch, self.step + k) for k in range(AHEAD))
            while (progress := self.plan.progress(self.step, self.seconds)) < 1:
                began = time.monotonic()
                made = upcoming.popleft().result()
                upcoming.append(ahead.submit(self.task.batch, self.step + AHEAD))
                batch = tuple(part.to(self.device, non_blocking=True) for part in made)
                self._set_rates(learning_rate(progress, self.step))
                self._sum(self.task.learn(batch))
                self.step += 1
                self._average()
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
        for name, optimiser in self.task.optimisers.items():
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
    def _average(self) -> None:
        share = 1 - min(AVERAGE, (1 + self.step) / (10 + self.step))
        state = self.task.network.state_dict()
        smooth = [key for key, value in state.items() if value.is_floating_point()]
        torch._foreach_lerp_([self.average[key] for key in smooth], [state[key] for key in smooth], share)
        for key in state.keys() - set(smooth):
            self.average[key].copy_(state[key])

    def _tell(self, pictures: int, elapsed: float) -> Cancelled | None:
        """One event, if the last is a second old; returns what the observer raised to stop. Not at every step,
        because reading the losses makes the program wait for the device."""
        if time.monotonic() - self.told < TELL_SECONDS:
            return None
        self.told = time.monotonic()
        seconds = self.seconds + elapsed
        progress = max(self.plan.progress(self.step, seconds), 1e-9)
        event = TrainStep(
            step=self.step,
            of=self.plan.steps or max(self.step, math.ceil(self.step / progress)),
            epoch=self.step // self.task.epoch_steps,
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

    def _averaged(self) -> nn.Module:
        """A copy of the network with the averaged weights, in evaluation mode."""
        network = copy.deepcopy(self.task.network)
        network.load_state_dict(self.average)
        return network.eval()

    def _report(self) -> None:
        """A line of the log (losses since the last, measures of the averaged weights) and a sheet."""
        if rank() == 0:
            network = self._averaged()
            losses = self._mean_losses()
            line = {
                "step": self.step,
                "seconds": round(self.seconds, 1),
                "epoch": self.step / self.task.epoch_steps,
            }
            with (self.plan.folder / "log.jsonl").open("a") as log:
                log.write(json.dumps({**line, **losses, **self.task.measure(network)}) + "\n")
            sheet = self.plan.folder / f"sheet-{self.step // self.task.epoch_steps:04d}.png"
            Image.fromarray(self.task.sheet(network)).save(sheet)
        self.sums, self.summed = {}, 0

    def _state(self) -> dict[str, Any]:
        return {
            "network": self.task.network.state_dict(),
            "others": self.task.others.state_dict(),
            "average": self.average,
            "optimisers": {name: optimiser.state_dict() for name, optimiser in self.task.optimisers.items()},
            "step": self.step,
            "seconds": self.seconds,
        }

    def save(self) -> None:
        """Checkpoint and weights, each written beside the old one and then put in its place."""
        if rank() != 0:
            return
        temporary = self.checkpoint.with_suffix(".part")
        torch.save(self._state(), temporary)
        temporary.replace(self.checkpoint)
        card = {**self.task.card(), "steps": self.step, "hours": round(self.seconds / 3600, 2)}
        save_network(self._averaged(), self.weights, card)

    def _begin_from(self, weights: Path) -> None:
        try:
            state = {key: value.to(self.device).float() for key, value in load_file(weights).items()}
            self.task.network.load_state_dict(state)
        except (OSError, SafetensorError, RuntimeError) as error:
            raise InputError(f"{weights} does not hold this network.", "Give weights of the same size.") from error
        self.average = {key: value.detach().clone() for key, value in self.task.network.state_dict().items()}

    def _load(self) -> None:
        state = torch.load(self.checkpoint, map_location=self.device, weights_only=True)
        try:
            self.task.network.load_state_dict(state["network"])
            self.task.others.load_state_dict(state["others"])
            for name, optimiser in self.task.optimisers.items():
                optimiser.load_state_dict(state["optimisers"][name])
        except (KeyError, RuntimeError, ValueError) as error:
            raise InputError(
                f"{self.checkpoint} is of another network.", "Resume with the same options."
            ) from error
        self.average = state["average"]
        self.step, self.seconds = state["step"], state["seconds"]
