"""Threads of a fill: they share its compiled loops piece by piece, and torch computes on one of them at a time.

The runtimes' own way, OpenMP's, cuts a loop into equal parts and lets those who are done spin until the last one
is. On a machine that has other things to do the last one is a thread that the system has put aside, and the
others burn the processors it waits for (measured: two fills at once, 10 to 17 times the time of one). Here whoever
is free takes the next piece, and who finds none left sleeps. Pieces do not depend on the number of threads, so
neither do results.

Nothing outlives a fill: no threads, so that a process may fork afterwards, and no setting of torch's.
"""

import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar

from patchloom.resources import processors

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class _Crew:
    """``threads``, the caller's among them, and the pool of the others (None where there are none)."""

    threads: int
    others: ThreadPoolExecutor | None


_ALONE = _Crew(1, None)
_crew: ContextVar[_Crew] = ContextVar("crew", default=_ALONE)


@contextmanager
def working(threads: int = 0) -> Iterator[int]:
    """Within, ``threads`` threads do what the caller's thread shares, and torch computes on one.

    0 is one for each processor; gives their number.
    """
    threads = threads or processors()
    others = ThreadPoolExecutor(threads - 1, "patchloom") if threads > 1 else None
    token = _crew.set(_Crew(threads, others))
    try:
        with _one_thread_in_torch():
            yield threads
    finally:
        _crew.reset(token)
        if others is not None:
            others.shutdown()


def in_pieces(loop: Callable[[int, int], object], count: int, size: int) -> None:
    """Calls ``loop(begin, end)`` for the pieces of ``size`` that make up ``range(count)``, on the fill's threads.

    ``loop`` is to leave the interpreter's lock alone for as long as it computes. Outside :func:`working`, and in a
    thread that is itself at work on a piece, the caller's thread does it all.
    """
    mapped(lambda begin: loop(begin, min(count, begin + size)), range(0, count, size))


def mapped(function: Callable[[Item], Result], items: "range | list[Item]") -> list[Result]:
    """``[function(item) for item in items]``, on the fill's threads; see :func:`in_pieces`."""
    results: list[Result] = [None] * len(items)  # type: ignore[list-item]  # every place is filled below
    left = iter(enumerate(items))  # `next` on it is one step under the interpreter's lock

    def take() -> None:
        try:
            for place, item in left:
                results[place] = function(item)  # type: ignore[arg-type]  # a range's items are Items
        except BaseException:
            for _ in left:  # nobody begins another
                pass
            raise

    crew = _crew.get()
    helpers = min(crew.threads, len(items)) - 1
    futures = [crew.others.submit(take) for _ in range(helpers)] if crew.others is not None else []
    token = _crew.set(_ALONE) if futures else None  # at work like the others, who have all been asked
    try:
        take()
    finally:
        if token is not None:
            _crew.reset(token)
        wait(futures)
    for future in futures:
        future.result()
    return results


_lock = threading.Lock()
_fills = 0  # that are under way in this process
_before = 1  # torch's threads before the first of them began


@contextmanager
def _one_thread_in_torch() -> Iterator[None]:
    """torch's number of threads is this thread's and the default of new ones; both are as before afterwards."""
    global _fills, _before
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    with _lock:
        if _fills == 0:
            _before = torch.get_num_threads()
        _fills += 1
        torch.set_num_threads(1)
    try:
        yield
    finally:
        with _lock:
            _fills -= 1
            torch.set_num_threads(_before)
