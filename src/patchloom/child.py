"""A process of our own that does one task after the other: what a crash, an endless loop or the system's memory
killer takes with it is one task.

:class:`Child` is the parent's end: :meth:`Child.ask` has it do one task within limits, and whoever supervises a
child asks. The child's end is :class:`Link`. A child ends when its parent does, however that ended,
and takes the programs it started with it.
"""

import contextlib
import json
import math
import multiprocessing
import os
import pickle
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from typing import Any, Literal, Protocol

from patchloom.resources import resident_mb

STOP_GRACE = 1.0  # seconds that a child which was asked to stop has for it
_TICK = 0.1  # seconds between two looks at a child that is silent

EndKind = Literal["answered", "stopped", "time", "memory", "died"]


@dataclass(frozen=True, slots=True)
class End:
    """How asking a child ended; ``how``: in words, where it died; ``answer``: its last message."""

    kind: EndKind
    how: str = ""
    answer: Any = field(default=None, compare=False)


class ChildDied(Exception):  # noqa: N818 - says what happened
    """The process ended without an answer; the text says how."""


class Codec(Protocol):
    """Messages to bytes and back."""

    def dumps(self, message: Any, /) -> bytes: ...
    def loads(self, data: bytes, /) -> Any: ...


class JsonCodec:
    """For a child that opens strangers' files: whatever takes it over can send nothing but values."""

    def dumps(self, message: Any, /) -> bytes:
        return json.dumps(message).encode()

    def loads(self, data: bytes, /) -> Any:
        return json.loads(data)


class PickleCodec:
    """For our own objects."""

    def dumps(self, message: Any, /) -> bytes:
        return pickle.dumps(message)

    def loads(self, data: bytes, /) -> Any:
        return pickle.loads(data)


class Link:
    """The child's end."""

    def __init__(self, connection: Connection, stop: Event, codec: Codec) -> None:
        self._connection, self._stop, self._codec = connection, stop, codec

    def receive(self) -> Any:
        """The next task. Raises EOFError once the parent has hung up."""
        return self._codec.loads(self._connection.recv_bytes())

    def send(self, message: Any) -> None:
        self._connection.send_bytes(self._codec.dumps(message))

    def stopped(self) -> bool:
        """Whether the parent has asked to stop, or is gone."""
        parent = multiprocessing.parent_process()
        return self._stop.is_set() or (parent is not None and not parent.is_alive())


class Child:
    """A new process that runs ``target(link, *arguments)``, which must survive pickling."""

    def __init__(self, target: Callable[..., None], *arguments: Any, name: str, codec: Codec) -> None:
        context = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang
        self.connection, theirs = context.Pipe()
        self._stop, self._codec = context.Event(), codec
        self._process = context.Process(
            target=_live, args=(theirs, self._stop, codec, target, arguments), name=name, daemon=True
        )
        self._process.start()
        theirs.close()

    @property
    def pid(self) -> int:
        return self._process.pid or 0

    @property
    def alive(self) -> bool:
        return self._process.is_alive()

    def give(self, task: Any) -> None:
        """Hands over a task. Raises ChildDied."""
        self._stop.clear()
        try:
            self.connection.send_bytes(self._codec.dumps(task))
        except OSError as error:
            raise ChildDied(self.end()) from error

    def receive(self, timeout: float) -> Any:
        """The next message, or None after ``timeout`` seconds. Raises ChildDied."""
        try:
            if not self.connection.poll(timeout):
                return None
            return self._codec.loads(self.connection.recv_bytes())
        except (OSError, EOFError) as error:
            raise ChildDied(self.end()) from error

    def ask(
        self,
        task: Any,
        hear: Callable[[Any], bool] = lambda message: True,
        *,
        seconds: float,
        memory_mb: float = math.inf,
        stopped: Callable[[], bool] = lambda: False,
    ) -> End:
        """Hands over ``task`` (None: nothing) and gives what it says to ``hear`` until that calls it the last.

        Once ``stopped()``, the child is asked to stop and has ``STOP_GRACE`` seconds for its last message. A child
        that gives none, or takes longer than ``seconds`` or more memory, is killed.
        """
        try:
            if task is not None:
                self.give(task)
            end = self._converse(hear, seconds, memory_mb, stopped)
        except ChildDied as death:
            end = End("died", str(death))
        if end.kind != "answered":
            self.kill()
        return end

    def _converse(
        self, hear: Callable[[Any], bool], seconds: float, memory_mb: float, stopped: Callable[[], bool]
    ) -> End:
        deadline, stop_by = time.monotonic() + seconds, math.inf
        while True:
            message = self.receive(_TICK)
            if message is not None and hear(message):
                return End("answered", answer=message)
            now = time.monotonic()
            if stop_by < math.inf:
                if now > stop_by:
                    return End("stopped")
            elif stopped():
                self.ask_to_stop()
                stop_by = now + STOP_GRACE
            elif now > deadline:
                return End("time")
            elif memory_mb < math.inf and self.memory_mb() > memory_mb:
                return End("memory")

    def ask_to_stop(self) -> None:
        """``link.stopped()`` is true in the child from now until the next task."""
        self._stop.set()

    def memory_mb(self) -> int:
        """Memory it holds now, in MB; 0 if it is gone."""
        return resident_mb(self.pid)

    def exit_code(self, patience: float = 5.0) -> int | None:
        """None while it lives, however long we wait; below 0 the signal that killed it."""
        self._process.join(patience)
        return self._process.exitcode

    def end(self) -> str:
        """How it ended: "killed by signal 9 (SIGKILL)"."""
        code = self.exit_code() or 0
        if code >= 0:
            return f"gone with exit code {code}"
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = "unknown"
        return f"killed by signal {-code} ({name})"

    def kill(self) -> None:
        """Ends it at once, with the programs it started, and frees what it held."""
        self.connection.close()
        if self.pid and hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
        self._process.kill()
        self._process.join(5)


def _live(
    connection: Connection, stop: Event, codec: Codec, target: Callable[..., None], arguments: tuple[Any, ...]
) -> None:
    """The child's life. Ctrl-C is the parent's to hear; it tells us in order."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "setsid"):
        os.setsid()  # a group of its own, to be killed with what it starts
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with contextlib.suppress(EOFError, ConnectionError):  # the parent has gone
        target(Link(connection, stop, codec), *arguments)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
