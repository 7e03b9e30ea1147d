"""Processors and memory, of this process and of its machine; the limits of a container or a service count."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil

_CGROUPS, _OWN = Path("/sys/fs/cgroup"), "/proc/self/cgroup"
_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def processors() -> int:
    """Processors this process may use: its affinity and a container's quota count."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    for group in _groups():
        quota = _read(group / "cpu.max").split()
        if len(quota) == 2 and quota[0].isdigit():
            count = min(count, max(1, int(quota[0]) // int(quota[1])))
    return count


def total_mb() -> int:
    """Memory that this process could have at all, in MB."""
    return min([int(psutil.virtual_memory().total), *(limit for limit, _ in _limits())]) // 2**20


def free_mb() -> int:
    """Memory that can be had without swapping, in MB."""
    available = int(psutil.virtual_memory().available)
    return min([available, *(max(0, limit - used) for limit, used in _limits())]) // 2**20


def resident_mb(pid: int | None = None) -> int:
    """Memory that a process (None: this one) holds now, in MB; 0 where it is gone."""
    try:
        return int(psutil.Process(pid).memory_info().rss) // 2**20
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0


def peak_mb() -> float:
    """The most memory that this process has held since it began, in MB, or since :func:`reset_peak`."""
    for line in _read(_STATUS).splitlines():
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


def _groups() -> list[Path]:
    """The control group that this process is in, and those that this one is in (cgroup version 2)."""
    lines = _read(_OWN).splitlines()
    name = next((line.removeprefix("0::/") for line in lines if line.startswith("0::/")), "")
    parts = [] if ".." in name else name.split("/")  # of another namespace's, we see only our root
    return [_CGROUPS.joinpath(*parts[:depth]) for depth in range(len(parts), -1, -1)]


def _limits() -> Iterator[tuple[int, int]]:
    """The most memory that each of them may take, and what it takes now, in bytes, where there is a limit."""
    for group in _groups():
        limit, used = (_read(group / f"memory.{name}").strip() for name in ("max", "current"))
        if limit.isdigit():
            yield int(limit), int(used) if used.isdigit() else 0


def _read(path: str | Path) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""
