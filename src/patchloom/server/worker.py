"""The process that decodes, fills and encodes, and the server's handle on it.

A crafted file, an endless fill or an out-of-memory kill costs one job: the server ends this process and starts
another. The two talk in JSON over a pipe; pictures travel as files in the job's private folder.
"""

import importlib
import json
import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from typing import Any, Protocol

import psutil

from patchloom.errors import Cancelled, PatchloomError

log = logging.getLogger("patchloom.server")

Message = dict[str, Any]
Send = Callable[[Message], None]


class Engine(Protocol):
    """What runs in the process. ``about`` is told to the server once, when the engine is ready."""

    about: Message

    def __call__(self, task: Message, send: Send, stopped: Callable[[], bool]) -> Message:
        """Does one task, sending events; returns what the job's ``result`` says."""


FINAL = ("done", "failed")


class WorkerDied(Exception):  # noqa: N818 - says what happened
    """The process ended without an answer."""


class Worker:
    """A process of our own. ``engine`` names a factory ``module:callable`` that takes ``options``."""

    def __init__(self, engine: str, options: Message) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, other = context.Pipe()
        self._stop: Event = context.Event()
        self._process = context.Process(
            target=_serve, args=(other, self._stop, engine, options), name="patchloom worker", daemon=True
        )
        self._process.start()
        other.close()

    @property
    def pid(self) -> int:
        return self._process.pid or 0

    @property
    def alive(self) -> bool:
        return self._process.is_alive()

    def start(self, task: Message) -> None:
        """Hands over a task. Raises WorkerDied."""
        self._stop.clear()
        try:
            self._connection.send_bytes(json.dumps(task).encode())
        except (OSError, ValueError) as error:
            raise WorkerDied from error

    def receive(self, timeout: float) -> Message | None:
        """The next message, or None after ``timeout`` seconds. Raises WorkerDied."""
        try:
            if not self._connection.poll(timeout):
                return None
            message: Message = json.loads(self._connection.recv_bytes())
            return message
        except (OSError, EOFError) as error:
            raise WorkerDied from error

    def ask_to_stop(self) -> None:
        """The task ends with Cancelled at its next event."""
        self._stop.set()

    def memory_mb(self) -> float:
        """Memory it holds now, in MB; 0 if it is gone."""
        try:
            return float(psutil.Process(self.pid).memory_info().rss) / 2**20
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return 0.0

    def kill(self) -> None:
        """Ends it at once and frees what it held."""
        self._process.kill()
        self._process.join(5)
        self._connection.close()


def _serve(connection: Connection, stop: Event, engine_name: str, options: Message) -> None:
    """The process: makes the engine, then does one task after the other until the pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the server, which ends us in order
    if hasattr(os, "umask"):
        os.umask(0o077)
    threading.Thread(target=_end_with_parent, daemon=True).start()

    def send(message: Message) -> None:
        connection.send_bytes(json.dumps(message).encode())

    os.chdir(options["folder"])  # nothing lies there: a relative name can never be a file
    module, _, name = engine_name.partition(":")
    engine: Engine = getattr(importlib.import_module(module), name)(options)
    send({"event": "ready", "about": engine.about})
    while True:
        try:
            task: Message = json.loads(connection.recv_bytes())
        except EOFError:
            return
        send({"event": "started"})
        send(_attempt(engine, task, send, stop))


def _attempt(engine: Engine, task: Message, send: Send, stop: Event) -> Message:
    """The final message of one task, whatever happened in it."""
    try:
        return {"event": "done", "result": engine(task, send, stop.is_set)}
    except Cancelled as error:
        return _failure("cancelled", str(error), error.hint)
    except PatchloomError as error:
        code = "memory_limit" if error.code == "over_budget" else error.code
        return _failure(code, str(error), error.hint)
    except MemoryError:
        return _failure("memory_limit", "The picture needs more memory than there is.", "Try a smaller picture.")
    except Exception:
        log.exception("A job ended with an error of ours")
        return _failure("internal_error", "Something went wrong inside the program.", "The server's log has more.")


def _failure(code: str, message: str, hint: str) -> Message:
    return {"event": "failed", "code": code, "message": message, "hint": hint}


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
