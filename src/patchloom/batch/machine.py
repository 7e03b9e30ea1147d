"""How many workers, with how many threads and how much memory each, suit this machine.

One picture does not keep many cores busy: reading, writing and the coarse levels run on one. So as many workers
as cores, one thread each, is the fastest.
"""

import platform
import sys
from pathlib import Path

from patchloom.batch.work import Share
from patchloom.resources import free_mb, processors

WORKER_MB = 1000
"""What a worker should have at least: the runtime and the networks take about half of it."""

THREADS = 1
"""Of a worker, where no other number is asked for."""

RESERVE = 0.8
"""The part of the free memory that is used where no limit is given."""


def has_gpu(device: str) -> bool:
    """Whether fills on ``device`` (as in the settings) run on a GPU, told without loading torch."""
    if device != "auto":
        return device != "cpu"
    apple = sys.platform == "darwin" and platform.machine() == "arm64"
    return apple or Path("/dev/nvidiactl").exists()


def plan(
    pictures: int, *, jobs: int = 0, threads: int = 0, memory_mb: int = 0, gpu: bool = False
) -> tuple[int, Share]:
    """Workers and the share of each. 0 means: choose. ``pictures``: no more workers than there are (0: unknown).

    A number of workers or threads that was asked for is taken; on a GPU there is one worker, since pictures would
    only wait for each other there.
    """
    memory = memory_mb or int(free_mb() * RESERVE)  # 0 where the system does not tell
    if jobs:
        workers = jobs
    else:
        workers = 1 if gpu else max(1, processors() // max(1, threads))
        if memory:
            workers = min(workers, max(1, memory // WORKER_MB))
    if pictures:
        workers = min(workers, pictures)
    return workers, Share(threads or THREADS, memory // workers, memory)
