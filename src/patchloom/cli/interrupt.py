"""Ctrl-C and a polite kill: long work stops at a point where nothing is half done, within a second."""

import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from typing import Any, TypeVar

from patchloom.console import Console
from patchloom.errors import Cancelled
from patchloom.events import CancelToken, Observer

Result = TypeVar("Result")
PATIENCE = 0.2
"""Seconds that the work has to reach a point where stopping is safe before the program leaves without it."""


@contextmanager
def interruptions() -> Iterator[CancelToken]:
    """The first Ctrl-C or polite kill cancels the token; a second one ends the program at once.

    Signals are heard in the main thread only; elsewhere nothing is changed.
    """
    token = CancelToken()

    def stop(number: int, frame: Any) -> None:
        if token.cancelled:
            raise KeyboardInterrupt
        token.cancel()

    numbers = (signal.SIGINT, signal.SIGTERM) if threading.current_thread() is threading.main_thread() else ()
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield token
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def listening(work: Callable[[Observer], Result], console: Console) -> Result:
    """:func:`interruptible`, shown on the console."""
    with console.listen() as observe:
        return interruptible(work, observe)


def interruptible(work: Callable[[Observer], Result], observe: Observer) -> Result:
    """``work(observe)``, in a thread, so that compiled code that runs for long does not keep Ctrl-C waiting.

    Once interrupted, the next event raises Cancelled in the work. Work that emits none in time is left behind: the
    program ends all the same, which loses nothing, because files are written only after the work.
    """
    outcome: Future[Result] = Future()

    with interruptions() as token:

        def target() -> None:
            try:
                outcome.set_result(work(token.guard(observe)))
            except BaseException as error:  # handed on to the caller, whatever it is
                outcome.set_exception(error)

        threading.Thread(target=target, name="patchloom-work", daemon=True).start()
        while not outcome.done() and not token.cancelled:
            wait([outcome], timeout=0.2)  # short, because not every system lets a signal end a long wait
        if token.cancelled:
            wait([outcome], timeout=PATIENCE)
            raise Cancelled("Stopped; nothing was written.")
    return outcome.result()
