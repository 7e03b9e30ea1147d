"""One method in a process of its own: its seconds and its memory are its own, and its crash costs one fill.

:class:`Worker` is the parent's side. Seconds count the fill alone, after imports, weights and compiling (see
``Peer.make_ready``). Peak memory is the process's largest resident size during the fill, in MB, where the system
tells (Linux: ``VmHWM``, reset before every fill; elsewhere the largest since the process began).
"""

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from patchloom.arrays import Bytes
from patchloom.child import Child, Link, PickleCodec
from patchloom.errors import PatchloomError, as_flag, as_hint
from patchloom.evaluation.peers import Method
from patchloom.resources import peak_mb, reset_peak

_START_LIMIT = 900.0  # seconds to import, load and compile


@dataclass(frozen=True)
class Fill:
    """What a method made of a case; ``error`` says why ``picture`` is None, if it is."""

    picture: Bytes | None
    seconds: float = 0.0
    peak_mb: float = 0.0
    error: str = ""


class Worker:
    """Use as a context manager. A process that died or took too long is replaced for the next fill."""

    def __init__(self, method: Method, time_limit: float) -> None:
        self.method, self.time_limit = method, time_limit
        self._child: Child | None = None
        self._missing = ""

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The process's; 0 while there is none."""
        return self._child.pid if self._child is not None else 0

    def fill(self, photo: Bytes, hole: NDArray[np.bool_]) -> Fill:
        """``photo`` (H, W, 3) is what the method gets to see: the caller has blackened its hole."""
        if self._child is None and not self._missing:
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
        self._child = Child(_serve, self.method, name="patchloom method", codec=PickleCodec())
        answer = self._ask(None, _START_LIMIT)
        if answer.error:
            self.close()
        return answer.error

    def _ask(self, request: tuple[Bytes, NDArray[np.bool_]] | None, limit: float) -> Fill:
        """Sends ``request`` (None: only waits until the method is ready) and returns what comes back."""
        assert self._child is not None
        end = self._child.ask(request, seconds=limit)
        if end.kind == "answered":
            answer: Fill = end.answer
            return answer
        self.close()
        died = end.kind == "died"
        return Fill(None, error=f"Its process was {end.how}." if died else f"It took longer than {limit:.0f} s.")

    def close(self) -> None:
        """Ends the process; the next fill would begin another."""
        if self._child is not None:
            self._child.kill()  # with the programs it started
            self._child = None


def _serve(link: Link, method: Method) -> None:
    """The child: ready or not, then one answer a request until the parent hangs up."""
    try:
        peer = method.peer()
        peer.make_ready()
    except Exception as error:
        link.send(Fill(None, error=_sentence(error)))
        return
    link.send(Fill(None))
    while True:
        photo, hole = link.receive()
        reset_peak()
        started = time.perf_counter()
        try:
            picture = peer.fill(photo, hole)
            link.send(Fill(picture, time.perf_counter() - started, peak_mb()))
        except Exception as error:
            link.send(Fill(None, time.perf_counter() - started, peak_mb(), _sentence(error)))


def _sentence(error: Exception) -> str:
    """One line for the report."""
    text = " ".join(str(error).split())
    if isinstance(error, PatchloomError):
        return f"{text} {as_hint(error.advice, as_flag)}".strip()
    return f"{type(error).__name__}: {text}"[:300]
