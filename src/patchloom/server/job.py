"""A job, and the log of its events that anybody can follow.

::

    queued -> running -> done -> expired
                      -> failed
                      -> cancelled

The log holds what the queue says (``queued``, ``started``, and how it ended) and, between, the events of the work
under their own names.
"""

import threading
import time
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from patchloom.server.worker import Message

Status = Literal["queued", "running", "done", "failed", "cancelled", "expired"]

MAX_PREVIEWS = 400


@dataclass(frozen=True, slots=True)
class JobEvent:
    number: int
    name: str
    data: Message


@dataclass(eq=False)
class Job:
    """One piece of work. Handlers read it; only the supervisor and ``Jobs.cancel`` change it."""

    id: str
    folder: Path
    kind: str
    task: Message
    created: float = field(default_factory=time.time)
    status: Status = "queued"
    client: str = ""  # the address that sent it
    durable: bool = False  # it is in the journal: the client has been told its id, and may come back for it
    key: str = ""  # the Idempotency-Key that it came with, and
    digest: str = ""  # the hash of what came with it
    servers: int = 0  # that had it before this one
    lost: int = 0  # times that a server ended unasked while it ran
    started: float = 0.0
    finished: float = 0.0
    progress: Message = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    error: Message | None = None
    advice: str = ""  # the hint of its error, as errors have it
    result: Message | None = None
    bytes: int = 0
    cancelled: bool = False
    events: list[JobEvent] = field(default_factory=list)
    _listeners: list[Callable[[], None]] = field(default_factory=list)
    _count: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def settings(self) -> Message:
        """Those of the fill, all of them; empty for work that has none."""
        return dict(self.task.get("settings", {}))

    @property
    def over(self) -> bool:
        return self.status not in ("queued", "running")

    def hear(self, name: str, data: Message) -> None:
        """Takes over an event of the work (``patchloom.events``)."""
        if name in ("level_started", "step"):
            self.progress = {**self.progress, **data}
        elif name == "warned":
            self.warnings.append(data["message"])
        elif "preview" in data and len(self.events) >= MAX_PREVIEWS:
            return
        self.emit(name, data)

    def renumber(self, first: int) -> None:
        """Events from now on have larger numbers."""
        self._count = first

    def emit(self, name: str, data: Message) -> None:
        """Appends to the log and wakes the followers. Of steps in a row only the newest is kept."""
        with self._lock:
            self._count += 1
            if name == "step" and self.events and self.events[-1].name == "step":
                self.events.pop()
            self.events.append(JobEvent(self._count, name, data))
            listeners = list(self._listeners)
        for wake in listeners:
            wake()

    def after(self, number: int) -> list[JobEvent]:
        """Events with a larger number."""
        with self._lock:
            return self.events[bisect_right(self.events, number, key=lambda event: event.number) :]

    def listen(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Calls ``wake`` (from another thread) at every event, until the returned function is called."""
        with self._lock:
            self._listeners.append(wake)

        def forget() -> None:
            with self._lock:
                self._listeners.remove(wake)

        return forget
