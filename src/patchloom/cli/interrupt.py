"""Long work that Ctrl-C stops within a second."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

from patchloom.errors import Cancelled
from patchloom.events import CancelToken, Observer

Result = TypeVar("Result")
PATIENCE = 0.2
"""Seconds that the work has to reach a point where stopping is safe before the program leaves without it."""


def interruptible(work: Callable[[Observer], Result], observe: Observer) -> Result:
    """``work(observe)``, in a thread, so that compiled code that runs for long does not keep Ctrl-C waiting.

    Ctrl-C makes the next event raise Cancelled in the work. Work that emits none in time is left behind: the
    program ends all the same, which loses nothing, because files are written only after the work. A second
    Ctrl-C ends it at once.
    """
    token = CancelToken()
    outcome: Future[Result] = Future()

    def target() -> None:
        try:
            outcome.set_result(work(token.guard(observe)))
        except BaseException as error:  # handed on to the caller, whatever it is
            outcome.set_exception(error)

    threading.Thread(target=target, name="patchloom-work", daemon=True).start()
    try:
        while not outcome.done():
            wait([outcome], timeout=0.2)  # short, because not every system lets a signal end a long wait
    except KeyboardInterrupt:
        token.cancel()
        wait([outcome], timeout=PATIENCE)
        raise Cancelled("Stopped; nothing was written.") from None
    return outcome.result()
