"""The process that decodes, fills and encodes, and the server's handle on it.

A crafted file, an endless fill or an out-of-memory kill costs one job: the server ends this process and starts
another. The two talk in JSON over a pipe; pictures travel as files in the job's private folder.
"""

import importlib
import logging
import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol

from patchloom.child import Child, JsonCodec, Link
from patchloom.errors import Cancelled, PatchloomError
from patchloom.server.problems import Problem
from patchloom.server.storage import is_full

log = logging.getLogger("patchloom.server")

Message = dict[str, Any]
Send = Callable[[Message], None]
Work = Callable[..., Message]


class Engine(Protocol):
    """What runs in the process. ``about`` is told to the server once, when the engine is ready."""

    about: Message

    def __call__(self, task: Message, send: Send, stopped: Callable[[], bool]) -> Message:
        """Does one task, sending events; returns what the job's ``result`` says."""


FINAL = ("done", "failed")


def new_worker(engine: str, options: Message) -> Child:
    """A process that does tasks. ``engine`` names a factory ``module:callable`` that takes ``options``."""
    return Child(_serve, engine, options, name="patchloom worker", codec=JsonCodec())


def _serve(link: Link, engine_name: str, options: Message) -> None:
    """The process: makes the engine, then does one task after the other until the server hangs up."""
    if hasattr(os, "umask"):
        os.umask(0o077)
    module, _, name = engine_name.partition(":")
    engine: Engine = getattr(importlib.import_module(module), name)(options)
    link.send({"event": "ready", "about": engine.about})
    while True:
        task: Message = link.receive()
        link.send(_attempt(engine, task, link))


def work_of(engine: Engine, task: Message, own: Mapping[str, Work]) -> Work:
    """What does the task: the function that it names under ``by`` ("module:name"), with the engine before all,
    or what ``own`` has for its kind."""
    if "by" not in task:
        return own[task["kind"]]
    module, _, name = task["by"].partition(":")
    return partial(getattr(importlib.import_module(module), name), engine)


def _attempt(engine: Engine, task: Message, link: Link) -> Message:
    """The final message of one task, whatever happened in it."""
    try:
        return {"event": "done", "result": engine(task, link.send, link.stopped)}
    except Cancelled as error:
        return _failure("cancelled", str(error), error.advice)
    except PatchloomError as error:
        code = "memory_limit" if error.code == "over_budget" else error.code
        return _failure(code, str(error), error.advice)
    except MemoryError:
        return _failure("memory_limit", "The picture needs more memory than there is.", "Try a smaller picture.")
    except Exception as error:
        if isinstance(error, OSError) and is_full(error):
            full = Problem.disk_full()
            return _failure(full.code, full.message, full.advice)
        log.exception("A job ended with an error of ours")
        return _failure("internal_error", "Something went wrong inside the program.", "The server's log has more.")


def _failure(code: str, message: str, hint: str) -> Message:
    return {"event": "failed", "code": code, "message": message, "hint": hint}
