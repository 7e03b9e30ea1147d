"""Processors and memory, of this process and of its machine; a container's limits count."""

import os
import sys
from pathlib import Path

import psutil

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def processors() -> int:
    """Processors this process may use: its affinity and a container's quota count."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _read("/sys/fs/cgroup/cpu.max").split()
    if len(quota) == 2 and quota[0].isdigit():
        count = min(count, max(1, int(quota[0]) // int(quota[1])))
    return count


def total_mb() -> int:
    """Memory that this process could have at all, in MB."""
    total, limit = int(psutil.virtual_memory().total), _read("/sys/fs/cgroup/memory.max").strip()
    return min(total, int(limit) if limit.isdigit() else total) // 2**20


def free_mb() -> int:
    """Memory that can be had without swapping, in MB."""
    available = int(psutil.virtual_memory().available) // 2**20
    limit, used = _read("/sys/fs/cgroup/memory.max").strip(), _read("/sys/fs/cgroup/memory.current").strip()
    if limit.isdigit() and used.isdigit():
        available = min(available, max(0, int(limit) - int(used)) // 2**20)
    return available


def resident_mb(pid: int | None = None) -> int:
    """Memory that a process (None: this one) holds now, in MB; 0 where it is gone."""
    try:
        return int(psutil.Process(pid).memory_info().rss) // 2**20
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0


def peak_mb() -> float:
    """The most memory that this process has held since it began, in MB, or since :func:`reset_peak`."""
    for line in _read(str(_STATUS)).splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 2**10
    try:
        import resource
    except ModuleNotFoundError:  # Windows
        return float(psutil.Process().memory_info().peak_wset) / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def reset_peak() -> None:
    """Has :func:`peak_mb` count from now, where the system can do that (Linux)."""
    if _RESET.exists():
        _RESET.write_text("5")


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""
