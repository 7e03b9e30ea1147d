"""Where a training computes: its device, and the other processes of one run (``torchrun``)."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
import torch.distributed as processes
from torch import Tensor

from patchloom.tensors.border import device_named

PREPARATION = timedelta(hours=12)  # that the other processes wait for process 0 to decode the photographs


@contextmanager
def joined() -> Iterator[None]:
    """In the group that torchrun describes in the environment, if any, for as long as the block lasts."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        backend = "nccl" if torch.cuda.is_available() else "gloo"
        if backend == "nccl":
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
        processes.init_process_group(backend, timeout=PREPARATION)
    try:
        yield
    finally:
        if processes.is_initialized():
            processes.destroy_process_group()


def chosen_device(name: str) -> torch.device:
    """``auto`` is this process's graphics card where there is one. Raises SettingsError."""
    if name == "auto":
        name = f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if torch.cuda.is_available() else "cpu"
    return device_named(name)


def bfloat16_pays(device: torch.device) -> bool:
    """Whether ``device`` computes in bfloat16 itself; where it only imitates it, it is many times slower."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device.type == "cpu" and bool(torch.cpu._is_avx512_bf16_supported())


def rank() -> int:
    """The process's number, 0 where there is only one."""
    return processes.get_rank() if processes.is_initialized() else 0


def world() -> int:
    """How many processes there are."""
    return processes.get_world_size() if processes.is_initialized() else 1


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
