"""One method in a process of its own: its seconds and its memory are its own, and its crash costs one fill.

:class:`Worker` is the parent's side. Seconds count the fill alone, after imports, weights and compiling (see
``Peer.make_ready``). Peak memory is the process's largest resident size during the fill, in MB, where the system
tells (Linux: ``VmHWM``, reset before every fill; elsewhere the largest since the process began).
"""

import contextlib
import multiprocessing
import os
import resource
import signal
import sys
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from patchloom.errors import PatchloomError
from patchloom.evaluation.peers import Method

Pixels = NDArray[np.uint8]
_START_LIMIT = 900.0  # seconds to import, load and compile
_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass(frozen=True)
class Fill:
    """What a method made of a case; ``error`` says why ``picture`` is None, if it is."""

    picture: Pixels | None
    seconds: float = 0.0
    peak_mb: float = 0.0
    error: str = ""


class Worker:
    """Use as a context manager. A process that died or took too long is replaced for the next fill."""

    def __init__(self, method: Method, time_limit: float) -> None:
        self.method, self.time_limit = method, time_limit
        self._process: multiprocessing.process.BaseProcess | None = None
        self._missing = ""

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def fill(self, photo: Pixels, hole: NDArray[np.bool_]) -> Fill:
        """``photo`` (H, W, 3) is what the method gets to see: the caller has blackened its hole."""
        if self._process is None and not self._missing:
            self._missing = self._start()
        if self._missing:
            return Fill(None, error=self._missing)
        answer = self._ask((photo, hole), self.time_limit)
        if answer.picture is not None and answer.picture.shape != photo.shape:
            size = "x".join(map(str, answer.picture.shape))
            return Fill(None, answer.seconds, answer.peak_mb, f"It gave a picture of another size: {size}.")
        return answer

    def _start(self) -> str:
        """Why the method cannot be had; empty if it can."""
        context = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self.method), daemon=True)
        self._process.start()
        theirs.close()
        answer = self._ask(None, _START_LIMIT)
        if answer.error:
            self.close()
        return answer.error

    def _ask(self, request: tuple[Pixels, NDArray[np.bool_]] | None, limit: float) -> Fill:
        """Sends ``request`` (None: only waits until the method is ready) and returns what comes back."""
        assert self._process is not None
        try:
            if request is not None:
                self._connection.send(request)
            if self._connection.poll(limit):
                answer: Fill = self._connection.recv()
                return answer
            error = f"It took longer than {limit:.0f} s."
        except (EOFError, OSError):
            self._process.join(5)
            error = f"Its process died (exit code {self._process.exitcode})."
        self.close()
        return Fill(None, error=error)

    def close(self) -> None:
        """Ends the process; the next fill would begin another."""
        if self._process is not None:
            self._connection.close()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid or 0, signal.SIGKILL)  # the programs it started, too
            self._process.kill()
            self._process.join()
            self._process = None


def _serve(connection: Connection, method: Method) -> None:
    """The child: ready or not, then one answer a request until the parent hangs up."""
    os.setsid()
    try:
        peer = method.peer()
        peer.make_ready()
    except Exception as error:
        connection.send(Fill(None, error=_sentence(error)))
        return
    connection.send(Fill(None))
    while True:
        try:
            photo, hole = connection.recv()
        except EOFError:
            return
        _reset_peak()
        started = time.perf_counter()
        try:
            picture = peer.fill(photo, hole)
            connection.send(Fill(picture, time.perf_counter() - started, _peak_mb()))
        except Exception as error:
            connection.send(Fill(None, time.perf_counter() - started, _peak_mb(), _sentence(error)))


def _sentence(error: Exception) -> str:
    """One line for the report."""
    text = " ".join(str(error).split())
    if isinstance(error, PatchloomError):
        return f"{text} {error.hint}".strip()
    return f"{type(error).__name__}: {text}"[:300]


def _reset_peak() -> None:
    if _RESET.exists():
        _RESET.write_text("5")


def _peak_mb() -> float:
    if _STATUS.exists():
        line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
